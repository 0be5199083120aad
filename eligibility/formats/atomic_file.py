"""Write a complete file or no file, so that no reader ever sees half of its contents."""

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
    """Open a temporary file that replaces the target when the `with` block ends without an error.

    If the block raises an exception (Ctrl-C included), an existing target is unchanged. A target
    that is not a regular file, such as a pipe or /dev/null, is written to directly.
    Raises: InvalidFile if the file cannot be written; if possible before the block runs.
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
    """Return the permissions of the target, or the default permissions if it does not exist."""
    if target.exists():
        return target.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return _NEW_FILE & ~mask


def write_whole(path: Path, text: str) -> None:
    """Write a complete text file or no file. Raises: see `whole_file`."""
    with whole_file(path) as out:
        out.write(text.encode())
