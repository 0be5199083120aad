"""A warm access query runs through so few files that one can read them all; measured."""

from collections import Counter

from tests.helpers.warm_path import room_at_first_sight, warm_files

MOST_FILES = 14
MOST_ROOMS = 5
MOST_FILES_OF_A_ROOM = 5
"""As measured. Lower them with every merge, and never raise them."""


def test_a_warm_access_query_runs_through_few_files() -> None:
    files = warm_files()
    assert files[0] == "eligibility/server/http/gate.py"
    assert "eligibility/engine/held_product.py" in files
    assert len(files) <= MOST_FILES, "\n".join(files)
    rooms = Counter(map(room_at_first_sight, files))
    assert len(rooms) <= MOST_ROOMS, rooms
    assert max(rooms.values()) <= MOST_FILES_OF_A_ROOM, rooms
