"""Packages that are installed with an extra only: numpy, pandas, polars, matplotlib, pyarrow."""

import importlib
from typing import Any

from eligibility.errors import MissingPackage


def optional_module(name: str, extra: str, purpose: str) -> Any:
    """Import a module of a package that an extra installs.

    Args: purpose = what needs it, in the plural, for the message. Raises: MissingPackage.
    """
    try:
        return importlib.import_module(name)
    except ImportError:
        raise MissingPackage(name.partition(".")[0], extra, purpose) from None
