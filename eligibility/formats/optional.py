"""Import numpy, pandas, polars, matplotlib or pyarrow, which only our optional extras install."""

import importlib
from typing import Any

from eligibility.errors import MissingPackage


def optional_module(name: str, extra: str, purpose: str) -> Any:
    """Import a module of a package that one of our extras installs.

    Args: purpose = what needs the package, in the plural, for the error. Raises: MissingPackage.
    """
    try:
        return importlib.import_module(name)
    except ImportError:
        raise MissingPackage(name.partition(".")[0], extra, purpose) from None
