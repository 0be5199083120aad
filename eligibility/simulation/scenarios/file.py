"""Read scenario files. If one has faults, none is run, and every fault is reported."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from pydantic import ValidationError

from eligibility.catalog.files import read_text
from eligibility.errors import Fault, Faults
from eligibility.formats.yaml_file import Lines, line_of, load
from eligibility.simulation.scenarios.cases import CaseReader
from eligibility.simulation.scenarios.catalog_source import read_catalog_source
from eligibility.simulation.scenarios.document import ScenarioDocument
from eligibility.simulation.scenarios.faults import shape_faults
from eligibility.simulation.scenarios.model import InvalidScenarios, ScenarioFile

_SUFFIXES = (".yaml", ".yml")


def find_files(named: Iterable[Path]) -> tuple[Path, ...]:
    """List named scenario files, and YAML files below named directories. Raises: InvalidScenarios."""
    faults: list[Fault] = []
    paths: dict[Path, Path] = {}
    for path in named:
        within = [path] if path.is_file() else sorted(_within(path))
        if not within:
            detail = "holds no *.yaml file" if path.is_dir() else "no such file or directory"
            faults.append(Fault(str(path), "NO_SCENARIOS", detail))
        paths |= {file.resolve(): file for file in within}
    if faults:
        raise InvalidScenarios(faults)
    return tuple(paths.values())


def _within(directory: Path) -> Iterator[Path]:
    return (path for path in directory.rglob("*") if path.suffix in _SUFFIXES and path.is_file())


def read_files(paths: Iterable[Path]) -> tuple[ScenarioFile, ...]:
    """Read scenario files. Raises: InvalidScenarios with every fault of all files."""
    faults = Faults()
    read: list[ScenarioFile] = []
    for path in paths:
        with faults.collect():
            read.append(read_text_of(path, read_text(path)))
    if faults:
        raise InvalidScenarios(faults)
    return tuple(read)


def read_text_of(path: Path, text: str) -> ScenarioFile:
    """Read a file from its text; `path` need not exist. Raises: InvalidScenarios; InvalidFile."""
    body, lines = load(text, str(path))
    try:
        document = ScenarioDocument.model_validate(body)
    except ValidationError as error:
        raise InvalidScenarios(_located(path, lines, shape_faults(error))) from None
    faults = [*_repeated_cases(document)]
    source = read_catalog_source(document.given, path.parent, faults)
    reader = CaseReader(path, document, lines, faults)
    scenarios = tuple(filter(None, map(reader.read, range(len(document.cases)))))
    if faults:
        raise InvalidScenarios(_located(path, lines, faults))
    return ScenarioFile(
        path,
        document.title,
        document.about,
        document.rules,
        source.catalog,
        source.requirements,
        scenarios,
        source.reads,
    )


def _repeated_cases(document: ScenarioDocument) -> Iterator[Fault]:
    counted = Counter(case.case for case in document.cases)
    for number, case in enumerate(document.cases):
        if counted[case.case] > 1:
            detail = (
                f"`{case.case}` is the name of {counted[case.case]} cases: a name may occur once"
            )
            yield Fault(f"cases.{number}.case", "DUPLICATE_CASE", detail)


def _located(path: Path, lines: Lines, faults: Iterable[Fault]) -> list[Fault]:
    """Replace dotted places by file and line. Sort the faults by line, and drop repeated faults."""
    by_line = sorted(
        ((line_of(lines, fault.loc), fault) for fault in faults), key=lambda located: located[0]
    )
    located = [
        Fault(f"{path}:{line}", fault.code, f"{fault.loc or 'the file'}: {fault.detail}")
        for line, fault in by_line
    ]
    return list(dict.fromkeys(located))
