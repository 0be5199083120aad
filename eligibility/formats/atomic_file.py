"""Write a file whole or not at all, so that nobody ever sees half of it under its name."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from eligibility.errors import Fault, InvalidFile

_NEW_FILE = 0o666


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Open a temporary file that replaces the target when the block ends without an error.

    If the block raises, also by Ctrl-C, an existing target stays as it was. A target that is not a
    regular file, such as a pipe or /dev/null, is written to directly.
    Raises: InvalidFile if it cannot be written, already at the start of the block.
    """
    target = path.resolve()
    try:
        if target.exists() and not target.is_file():
            with target.open("wb") as direct:
                yield direct
            return
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(descriptor, "wb") as out:
                yield out
                out.flush()
                os.fsync(out.fileno())
            os.chmod(name, _mode(target))
            os.replace(name, target)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        detail = f"cannot be written: {error.strerror or error}"
        raise InvalidFile([Fault(str(path), "UNWRITABLE", detail)], "the file") from None


def _mode(target: Path) -> int:
    """The permissions of the existing file, or those of any new file."""
    if target.exists():
        return target.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return _NEW_FILE & ~mask


def write_whole(path: Path, text: str) -> None:
    """Write a text file whole or not at all. Raises: see `whole_file`."""
    with whole_file(path) as out:
        out.write(text.encode())
