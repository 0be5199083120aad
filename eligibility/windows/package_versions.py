"""Read package versions: four numbers of 0 to 65,535 (REQ), as comparable Version objects."""

import re
from functools import lru_cache

from packaging.version import Version

from eligibility.errors import Fault, InvalidInput

_FOUR_PARTS = re.compile(r"[0-9]{1,5}(?:\.[0-9]{1,5}){3}")
LARGEST_PART = 65_535


@lru_cache(maxsize=65_536)
def parse_package_version(text: str) -> Version:
    """Read four numbers of 0 to 65,535, as `1.2.3.0`. Raises: InvalidInput with loc ""."""
    if _FOUR_PARTS.fullmatch(text):
        version = Version(text)
        if max(version.release) <= LARGEST_PART:
            return version
    detail = (
        f"`{text[:60]}` is not a package version: write four parts of 0 to 65535, as in 1.2.3.0"
    )
    raise InvalidInput([Fault("", "UNREADABLE_PACKAGE_VERSION", detail)])


@lru_cache(maxsize=65_536)
def canonical_package_version(text: str) -> str:
    """Convert a package version to canonical form: four numbers without leading zeros."""
    return ".".join(str(part) for part in parse_package_version(text).release)
