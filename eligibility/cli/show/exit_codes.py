"""Errors on the command line: one readable block on stderr, and the exit code of the design."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

from rich.console import Console
from rich.text import Text

from eligibility.catalog.errors import InvalidProduct
from eligibility.errors import EligibilityError, InvalidFile, InvalidInput, InvalidSettings
from groups.errors import GroupsError


class Exit(IntEnum):
    """What a command's exit code says."""

    GRANTED = 0
    FAILED = 1
    USAGE = 2
    DENIED = 3
    DIFFERENT = 4
    INTERRUPTED = 130


@contextmanager
def explained() -> Iterator[None]:
    """Turn errors of ours, and Ctrl-C, into a message and an exit code; no traceback."""
    try:
        yield
    except KeyboardInterrupt:
        raise SystemExit(Exit.INTERRUPTED) from None
    except (EligibilityError, GroupsError) as error:
        told(error)
        raise SystemExit(_code(error)) from None


def told(error: EligibilityError | GroupsError) -> None:
    """Print what is wrong."""
    Console(stderr=True, soft_wrap=True).print(_message(error))


def _code(error: Exception) -> Exit:
    """A value on the command line that cannot be read is wrong usage; files are not."""
    usage = isinstance(error, InvalidInput) and not isinstance(error, InvalidFile | InvalidProduct)
    return Exit.USAGE if usage else Exit.FAILED


def _message(error: EligibilityError | GroupsError) -> Text:
    faults = getattr(error, "faults", [])
    text = Text.assemble((error.code, "bold red"), "  ")
    if not faults:
        return text.append(str(error))
    named = isinstance(error, InvalidInput | InvalidSettings)
    text.append(str(error).split(": ", 1)[0] if named else "nothing was changed")
    for fault in faults:
        text.append("\n  ").append(fault.loc, "bold").append("  " if fault.loc else "")
        text.append(fault.detail)
    return text
