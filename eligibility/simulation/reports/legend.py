"""Legend: what each sign of a grid means, and how many accounts and devices it stands for."""

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
    """One sign. accounts: that are told it on any device; pairs: of an account and a device.

    meaning: the source with its rank, or the reasons for the no. version, actions: of the packages.
    """

    mark: OutcomeMark
    meaning: str
    version: str
    actions: tuple[str, ...]
    accounts: int
    pairs: int


def legend(
    matrix: Matrix,
    told: Sequence[tuple[int, ...]],
    told_before: Sequence[tuple[int, ...]],
    outcomes: Sequence[Outcome],
    shown: Sequence[OutcomeMark],
) -> tuple[LegendEntry, ...]:
    """The signs in order: flights by rank, the submission, then what is denied, the most first.

    A flight that nobody gets is there too. Counts are of `told`, not of what was before.
    """
    pairs, accounts = _counts(matrix, told, shown)
    here = {number for row in (*told, *told_before) for number in row}
    meant: dict[OutcomeMark, list[Outcome]] = {}
    for number in sorted(here):
        meant.setdefault(shown[number], []).append(outcomes[number])
    product = matrix.state.product
    keys = [
        _key(product, mark, alike, accounts[mark], pairs[mark]) for mark, alike in meant.items()
    ]
    keys += _not_given(product, {one.mark.flight for one in keys})
    return tuple(sorted(keys, key=_order))


def _counts(
    matrix: Matrix, told: Sequence[tuple[int, ...]], shown: Sequence[OutcomeMark]
) -> tuple[Counter[OutcomeMark], Counter[OutcomeMark]]:
    pairs, accounts = Counter[OutcomeMark](), Counter[OutcomeMark]()
    widths = Counter(matrix.columns)
    for size, row in zip(matrix.sizes, told, strict=True):
        for column, number in enumerate(row):
            pairs[shown[number]] += size * widths[column]
        for mark in {shown[number] for number in row}:
            accounts[mark] += size
    return pairs, accounts


def _key(
    product: Product, mark: OutcomeMark, alike: Iterable[Outcome], accounts: int, pairs: int
) -> LegendEntry:
    outcomes = list(alike)
    if mark.kind == "denied":
        said = "; or ".join(dict.fromkeys(full_text(product, one) for one in outcomes))
        return LegendEntry(mark, said, "", (), accounts, pairs)
    actions = tuple(dict.fromkeys(one.action for one in outcomes))
    version = outcomes[0].version or ""
    return LegendEntry(mark, _source(product, mark.flight), version, actions, accounts, pairs)


def _source(product: Product, flight: int | None) -> str:
    if flight is None:
        return "non-flighted submission, rank 1"
    return f"{product.flights[flight].name}, rank {len(product.flights) + 1 - flight}"


def _not_given(product: Product, given: set[int | None]) -> Iterable[LegendEntry]:
    letters = flight_letters(product)
    for place, flight in enumerate(product.flights):
        if place not in given:
            mark = OutcomeMark(letters[flight.flight_id], "flight", place)
            yield LegendEntry(mark, f"{_source(product, place)}: nobody here gets it", "", (), 0, 0)


def _order(key: LegendEntry) -> tuple[object, ...]:
    kind = ("flight", "submission", "denied").index(key.mark.kind)
    return kind, key.mark.flight or 0, -key.pairs if kind == 2 else 0, key.mark.sign
