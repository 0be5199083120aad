"""A file that is written whole or not at all: whatever happens, no half of it takes its name."""

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
    """Open a file beside the target, which takes its name when the block ends well.

    An existing target stays as it is until then, and for good where the block raises, Ctrl-C
    included. What is no regular file, such as a pipe or /dev/null, is written to directly.
    Raises: InvalidFile where it cannot be written, at once and not only in the end.
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
    """Who may read it: as before, or as any new file."""
    if target.exists():
        return target.stat().st_mode & 0o777
    mask = os.umask(0)
    os.umask(mask)
    return _NEW_FILE & ~mask


def write_whole(path: Path, text: str) -> None:
    """Write a text file so. Raises: as `whole_file`."""
    with whole_file(path) as out:
        out.write(text.encode())
