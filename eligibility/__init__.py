"""What a member may get, and why: package flights and private audiences, decided and explained."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("flight-eligibility")
except PackageNotFoundError:  # run from a checkout that was never installed
    __version__ = "0"
