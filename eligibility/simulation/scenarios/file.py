"""Scenario files, read whole or not at all: every fault of every file, with its line."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import ValidationError

from eligibility.catalog.files import read_text
from eligibility.errors import Fault, InvalidInput
from eligibility.formats.yaml_file import Lines, line_of, load
from eligibility.simulation.scenarios.cases import CaseReader
from eligibility.simulation.scenarios.document import ScenarioDocument
from eligibility.simulation.scenarios.faults import shape_faults
from eligibility.simulation.scenarios.given import read_given
from eligibility.simulation.scenarios.model import InvalidScenarios, ScenarioFile

_SUFFIXES = (".yaml", ".yml")


def find_files(named: Iterable[Path]) -> tuple[Path, ...]:
    """The files that are meant: each file, and of a directory all *.yaml in it; each once, in order.

    Raises: InvalidScenarios naming what is not there.
    """
    faults: list[Fault] = []
    found: dict[Path, Path] = {}
    for path in named:
        within = [path] if path.is_file() else sorted(_within(path))
        if not within:
            detail = "holds no *.yaml file" if path.is_dir() else "no such file or directory"
            faults.append(Fault(str(path), "NO_SCENARIOS", detail))
        found |= {one.resolve(): one for one in within}
    if faults:
        raise InvalidScenarios(faults)
    return tuple(found.values())


def _within(directory: Path) -> Iterator[Path]:
    return (path for path in directory.rglob("*") if path.suffix in _SUFFIXES and path.is_file())


def read_files(paths: Iterable[Path]) -> tuple[ScenarioFile, ...]:
    """Read scenario files. Raises: InvalidScenarios with every fault of all of them."""
    faults: list[Fault] = []
    read: list[ScenarioFile] = []
    for path in paths:
        try:
            read.append(read_text_of(path, read_text(path)))
        except InvalidInput as error:
            faults += error.faults
    if faults:
        raise InvalidScenarios(faults)
    return tuple(read)


def read_text_of(path: Path, text: str) -> ScenarioFile:
    """Read the text of a scenario file that stands, or is to stand, at a path.

    Raises: InvalidScenarios; InvalidFile for what is not YAML.
    """
    body, lines = load(text, str(path))
    try:
        written = ScenarioDocument.model_validate(body)
    except ValidationError as error:
        raise InvalidScenarios(_located(path, lines, shape_faults(error))) from None
    faults = [*_said_twice(written)]
    given = read_given(written.given, path.parent, faults)
    reader = CaseReader(path, written, lines, faults)
    scenarios = tuple(filter(None, map(reader.read, range(len(written.cases)))))
    if faults:
        raise InvalidScenarios(_located(path, lines, faults))
    return ScenarioFile(
        path,
        written.title,
        written.about,
        written.rules,
        given.catalog,
        given.requirements,
        scenarios,
        given.reads,
    )


def _said_twice(written: ScenarioDocument) -> Iterator[Fault]:
    counted = Counter(case.case for case in written.cases)
    for number, case in enumerate(written.cases):
        if counted[case.case] > 1:
            detail = f"`{case.case}` stands here {counted[case.case]} times"
            yield Fault(f"cases.{number}.case", "DUPLICATE_CASE", detail)


def _located(path: Path, lines: Lines, faults: Iterable[Fault]) -> list[Fault]:
    """Faults by dotted place as faults by file and line, in the order of lines; each told once."""
    by_line = sorted(
        ((line_of(lines, fault.loc), fault) for fault in faults), key=lambda one: one[0]
    )
    located = [
        Fault(f"{path}:{line}", fault.code, f"{fault.loc or 'the file'}: {fault.detail}")
        for line, fault in by_line
    ]
    return list(dict.fromkeys(located))
