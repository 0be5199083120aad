"""The tests, in the rooms of what they test; tests/helpers holds what several of them need."""

import pytest

pytest.register_assert_rewrite("tests.helpers")
