"""Files written whole or not at all: whoever is cut off, or reads meanwhile, never has half of one."""

import os
import shutil
from contextlib import suppress
from pathlib import Path

from eligibility.catalog.errors import InvalidFile
from eligibility.errors import Fault


def write_whole(path: Path, text: str) -> None:
    """Write a text file in one step: beside its place first, and then into it.

    Raises: InvalidFile naming the file when it cannot be written; what was there is still there.
    """
    try:
        if path.exists() and not path.is_file():  # a terminal or a pipe has nothing to be kept
            path.write_text(text, "utf-8")
            return
        _replace(path.resolve(), text)
    except OSError as error:
        detail = f"cannot be written: {error.strerror or error}"
        raise InvalidFile([Fault(str(path), "UNWRITABLE", detail)], "the file") from None


def _replace(path: Path, text: str) -> None:
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with beside.open("x", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            shutil.copymode(path, beside)
        beside.replace(path)
    except BaseException:  # Ctrl-C too
        with suppress(OSError):
            beside.unlink()
        raise
