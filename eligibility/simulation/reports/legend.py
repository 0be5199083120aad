"""Legend of a grid: the meaning of each symbol, and how many accounts get it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from eligibility.catalog.model import Product
from eligibility.explain.outcome import Outcome
from eligibility.explain.phrases import full_text
from eligibility.simulation.matrix import Matrix
from eligibility.simulation.reports.symbols import OutcomeMark, flight_letters


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """One symbol. accounts: how many get it on any device. pairs: number of cells with it.

    meaning: the source and its rank, or the reasons of a denial. version, actions: of the packages.
    """

    mark: OutcomeMark
    meaning: str
    version: str
    actions: tuple[str, ...]
    accounts: int
    pairs: int


def legend(
    matrix: Matrix,
    numbers: Sequence[tuple[int, ...]],
    earlier_numbers: Sequence[tuple[int, ...]],
    outcomes: Sequence[Outcome],
    shown: Sequence[OutcomeMark],
) -> tuple[LegendEntry, ...]:
    """List the symbols: flights by rank, even unused, the submission, denials by frequency.

    Args: numbers = outcome numbers, [row class][column class]; earlier_numbers = the same for
    earlier memberships, which are explained, but not counted.
    """
    pairs, accounts = _counts(matrix, numbers, shown)
    present = {number for row in (*numbers, *earlier_numbers) for number in row}
    by_mark: dict[OutcomeMark, list[Outcome]] = {}
    for number in sorted(present):
        by_mark.setdefault(shown[number], []).append(outcomes[number])
    product = matrix.state.product
    entries = [
        _entry(product, mark, same, accounts[mark], pairs[mark]) for mark, same in by_mark.items()
    ]
    entries += _unused(product, {entry.mark.flight for entry in entries})
    return tuple(sorted(entries, key=_order))


def _counts(
    matrix: Matrix, numbers: Sequence[tuple[int, ...]], shown: Sequence[OutcomeMark]
) -> tuple[Counter[OutcomeMark], Counter[OutcomeMark]]:
    pairs, accounts = Counter[OutcomeMark](), Counter[OutcomeMark]()
    widths = Counter(matrix.columns)
    for size, row in zip(matrix.sizes, numbers, strict=True):
        for column, number in enumerate(row):
            pairs[shown[number]] += size * widths[column]
        for mark in {shown[number] for number in row}:
            accounts[mark] += size
    return pairs, accounts


def _entry(
    product: Product, mark: OutcomeMark, outcomes: Sequence[Outcome], accounts: int, pairs: int
) -> LegendEntry:
    if mark.kind == "denied":
        texts = dict.fromkeys(full_text(product, outcome) for outcome in outcomes)
        return LegendEntry(mark, "; or ".join(texts), "", (), accounts, pairs)
    actions = tuple(dict.fromkeys(outcome.action for outcome in outcomes))
    version = outcomes[0].version or ""
    return LegendEntry(mark, _source(product, mark.flight), version, actions, accounts, pairs)


def _source(product: Product, flight: int | None) -> str:
    if flight is None:
        return "non-flighted submission, rank 1"
    return f"{product.flights[flight].name}, rank {len(product.flights) + 1 - flight}"


def _unused(product: Product, used: set[int | None]) -> Iterable[LegendEntry]:
    letters = flight_letters(product)
    for index, flight in enumerate(product.flights):
        if index not in used:
            mark = OutcomeMark(letters[flight.flight_id], "flight", index)
            yield LegendEntry(mark, f"{_source(product, index)}: nobody here gets it", "", (), 0, 0)


def _order(entry: LegendEntry) -> tuple[object, ...]:
    kind = ("flight", "submission", "denied").index(entry.mark.kind)
    return kind, entry.mark.flight or 0, -entry.pairs if kind == 2 else 0, entry.mark.symbol
