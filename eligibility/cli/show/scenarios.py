"""Results of scenario files for people, with rich."""

from collections.abc import Iterable, Iterator, Sequence

from msgspec import UNSET
from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from eligibility.cli.show.base import steps_table
from eligibility.cli.show.output import many
from eligibility.simulation.scenarios.messages import outcomes_text, value_text, where_text
from eligibility.simulation.scenarios.run import FileResult, Mismatch, ScenarioResult


def results(files: Sequence[FileResult], quiet: bool) -> RenderableType:
    """Format each file with its cases, then totals. quiet: only count the cases that passed."""
    return Group(*(part for ran in files for part in _file(ran, quiet)), _summary(files))


def _file(ran: FileResult, quiet: bool) -> Iterator[RenderableType]:
    count = len(ran.results) - len(ran.failed)
    title = Text.assemble((ran.file.title, "bold"), (f"  {ran.file.path}", "dim"))
    if quiet:
        title.append(f"  {count} as expected", "green" if not ran.failed else "dim")
    yield title
    for result in ran.results:
        if not result.passed:
            yield from _failed(result)
        elif not quiet:
            yield _line("✔", "green", result.scenario.sentence, f"→ {outcomes_text(result)}")
    yield Text()


def _line(mark: str, style: str, sentence: str, note: str) -> RenderableType:
    row = Table.grid(padding=(0, 1))
    row.add_column(width=3, justify="right")
    row.add_column()
    row.add_row(Text(mark, style), Text.assemble(sentence, "  ", (note, "dim")))
    return row


def _failed(result: ScenarioResult) -> Iterator[RenderableType]:
    scenario = result.scenario
    location = f"{scenario.file.name}:{scenario.line}"
    yield _line("✘", "bold red", scenario.sentence, location)
    for mismatch in result.mismatches:
        yield Padding(_mismatch(mismatch, result.queries), (0, 0, 1, 4))


def _mismatch(mismatch: Mismatch, queries: int) -> RenderableType:
    places = len(mismatch.where)
    of_all = f"{places} of {queries}: " if queries > 1 else ""
    table = Table("", "expected", "got", box=None, header_style="bold dim", padding=(0, 2, 0, 0))
    for difference in mismatch.differences:
        table.add_row(
            Text(difference.field, "bold"),
            Text(value_text(difference.expected), "green"),
            Text(value_text(difference.got), "red"),
        )
    parts: list[RenderableType] = [Text(f"{of_all}{where_text(mismatch)}"), table]
    trace = mismatch.decision.trace
    if trace is not UNSET and trace:
        first = f" ({mismatch.where[0][0]} on {mismatch.where[0][1]})" if places > 1 else ""
        parts += [Text(f"why{first}", "bold"), steps_table(trace)]
    return Group(*parts)


def _summary(files: Iterable[FileResult]) -> Text:
    ran = list(files)
    cases = [result for file in ran for result in file.results]
    failed, queries = sum(not case.passed for case in cases), sum(case.queries for case in cases)
    where = f"{many(len(cases), 'case')} in {many(len(ran), 'file')}"
    decisions = (f"  {many(queries, 'decision')}", "dim")
    if not failed:
        return Text.assemble(("✔ all as expected", "bold green"), f"  {where}", decisions)
    return Text.assemble((f"✘ {failed} not as expected", "bold red"), f"  of {where}", decisions)
