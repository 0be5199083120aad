"""The bounds that docs/architecture.md states hold of the code as it is."""

from collections import Counter

from docs.code_map import (
    MOST_FILE_LINES,
    MOST_FILES,
    MOST_FUNCTION_LINES,
    MOST_LINES,
    MOST_LONG_FILES,
    MOST_PARAMETERS,
    MOST_ROOMS,
    ROOT,
    first_sight_rooms,
    functions,
    lines_of,
    long_files,
    source_files,
)

COMMAND_LINE = ROOT / "eligibility" / "cli"


def test_a_reader_meets_few_rooms_at_first_sight() -> None:
    assert len(first_sight_rooms()) <= MOST_ROOMS


def test_no_folder_has_many_files() -> None:
    sizes = Counter(path.parent for path in source_files() if path.name != "__init__.py")
    assert not {folder: size for folder, size in sizes.items() if size > MOST_FILES}


def test_the_product_does_not_grow() -> None:
    assert lines_of(source_files()) <= MOST_LINES


def test_few_files_are_long_and_none_is_very_long() -> None:
    sizes = {path: lines_of([path]) for path in long_files()}
    assert len(sizes) <= MOST_LONG_FILES
    assert not {path: size for path, size in sizes.items() if size > MOST_FILE_LINES}


def test_no_function_is_long() -> None:
    assert not [size for size in functions() if size.lines > MOST_FUNCTION_LINES]


def test_no_signature_is_long_outside_the_command_line() -> None:
    """A command names every option that it has."""
    elsewhere = [size for size in functions() if COMMAND_LINE not in size.path.parents]
    assert not [size for size in elsewhere if size.parameters > MOST_PARAMETERS]
