"""What tests need of the machine beside Python: programs of others, and Linux."""

import os
import shutil
import sys

import pytest

PACKAGES = {
    "chromium": "chromium",
    "nginx": "nginx",
    "prometheus": "prometheus",
    "promtool": "prometheus",
    "redis-server": "redis-server",
}
"""Debian's package of each program."""

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc and 127.0.0.2")


def program(name: str, *or_else: str) -> str:
    """Where a program of PACKAGES is, by its name or another.

    Without it a test is skipped, but fails where CI is set, as .ci/run does: it installs them.
    """
    path = f"{os.environ.get('PATH', '')}:/usr/sbin"
    found = next(filter(None, (shutil.which(one, path=path) for one in (name, *or_else))), None)
    if found is None:
        told = f"{name} is missing: apt-get install {PACKAGES[name]}"
        if os.environ.get("CI"):
            pytest.fail(told)
        pytest.skip(told)
    return found
