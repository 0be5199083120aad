"""Errors on the command line: a readable message on stderr, and an exit code."""

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

from rich.console import Console
from rich.text import Text

from eligibility.catalog.errors import InvalidProduct
from eligibility.errors import EligibilityError, InvalidFile, InvalidInput, InvalidSettings
from groups.errors import GroupsError


class Exit(IntEnum):
    """The exit codes. USAGE: wrong option or argument. DIFFERENT: `diff` found a difference."""

    GRANTED = 0
    FAILED = 1
    USAGE = 2
    DENIED = 3
    DIFFERENT = 4
    INTERRUPTED = 130


@contextmanager
def explained() -> Iterator[None]:
    """Turn our own errors and Ctrl-C into a message and an exit code, without a traceback."""
    try:
        yield
    except KeyboardInterrupt:
        raise SystemExit(Exit.INTERRUPTED) from None
    except (EligibilityError, GroupsError) as error:
        print_error(error)
        raise SystemExit(_code(error)) from None


def print_error(error: EligibilityError | GroupsError) -> None:
    """Print an error to stderr."""
    Console(stderr=True, soft_wrap=True).print(_message(error))


def _code(error: Exception) -> Exit:
    """Return USAGE for a wrong value on the command line, else FAILED (as for a wrong file)."""
    usage = isinstance(error, InvalidInput) and not isinstance(error, InvalidFile | InvalidProduct)
    return Exit.USAGE if usage else Exit.FAILED


def _message(error: EligibilityError | GroupsError) -> Text:
    faults = getattr(error, "faults", [])
    text = Text.assemble((error.code, "bold red"), "  ")
    if not faults:
        return text.append(str(error))
    has_subject = isinstance(error, InvalidInput | InvalidSettings)
    text.append(str(error).split(": ", 1)[0] if has_subject else "nothing was changed")
    for fault in faults:
        text.append("\n  ").append(fault.loc, "bold").append("  " if fault.loc else "")
        text.append(fault.detail)
    return text
