from typing import NamedTuple


class Note(NamedTuple):
    source: str
    code: str
    detail: str


def read_files(*a, **k): ...
