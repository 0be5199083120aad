"""A file that is written whole or not at all."""

import os
from pathlib import Path

import pytest

from eligibility.errors import InvalidInput
from eligibility.formats.atomic_file import whole_file


def test_the_target_changes_at_the_end_only(tmp_path: Path) -> None:
    target = tmp_path / "report.csv"
    target.write_text("before")
    with whole_file(target) as out:
        out.write(b"after")
        out.flush()
        assert target.read_text() == "before"
    assert target.read_text() == "after"
    assert os.listdir(tmp_path) == ["report.csv"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_whatever_is_raised_leaves_the_target_as_it_was(
    tmp_path: Path, error: type[BaseException]
) -> None:
    target = tmp_path / "report.csv"
    target.write_text("before")

    def interrupted() -> None:
        with whole_file(target) as out:
            out.write(b"half")
            raise error

    with pytest.raises(error):
        interrupted()
    assert target.read_text() == "before"
    assert os.listdir(tmp_path) == ["report.csv"]


def test_it_may_be_read_by_whom_any_new_file_may_be_or_by_whom_it_was(tmp_path: Path) -> None:
    new, plain, closed = tmp_path / "new", tmp_path / "plain", tmp_path / "closed"
    plain.touch()
    closed.touch()
    closed.chmod(0o600)
    for target in (new, closed):
        with whole_file(target):
            pass
    assert new.stat().st_mode == plain.stat().st_mode
    assert closed.stat().st_mode & 0o777 == 0o600


def test_a_link_stays_one(tmp_path: Path) -> None:
    target, link = tmp_path / "target", tmp_path / "link"
    link.symlink_to(target)
    with whole_file(link) as out:
        out.write(b"x")
    assert link.is_symlink()
    assert target.read_bytes() == b"x"


def test_what_is_no_regular_file_is_written_to_and_never_replaced(tmp_path: Path) -> None:
    """With a pipe of the test's own: a device would be the whole machine's if this went wrong."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with whole_file(pipe) as out:
            out.write(b"x")
        assert os.read(reader, 10) == b"x"
    finally:
        os.close(reader)
    assert pipe.is_fifo()


def test_a_place_that_cannot_be_written_to_is_named_before_anything_is_done(tmp_path: Path) -> None:
    target = tmp_path / "missing" / "report.csv"
    with pytest.raises(InvalidInput) as caught, whole_file(target):
        pytest.fail("must not get here")
    assert (caught.value.faults[0].code, caught.value.faults[0].loc) == ("UNWRITABLE", str(target))
