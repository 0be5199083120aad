"""Number the distinct outcomes of a matrix, with the remedies and the symbol of each."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import NamedTuple

from eligibility.access.codes import Reason
from eligibility.access.model import Decision
from eligibility.catalog.model import Product
from eligibility.explain.outcome import Outcome, OutcomeKind
from eligibility.explain.phrases import REASONS
from eligibility.simulation.matrix import Matrix
from eligibility.windows.package_versions import parse_package_version

SUBMISSION_SYMBOL = "•"
"""Symbol of the non-flighted submission. Flights have letters."""


class Help(NamedTuple):
    """A remedy for a denial. always: whether it helps in all cells with this outcome."""

    text: str
    always: bool


class OutcomeMark(NamedTuple):
    """How a grid shows an outcome. flight: index, 0 = highest rank; None = not from a flight."""

    symbol: str
    kind: OutcomeKind
    flight: int | None


class OutcomeNumbers:
    """Numbers the distinct outcomes of one or more matrices, in order of first appearance."""

    def __init__(self) -> None:
        self._numbers: dict[Outcome, int] = {}
        self._helps: list[Counter[str]] = []
        self._decisions: list[int] = []

    @property
    def all(self) -> tuple[Outcome, ...]:
        """Return all outcomes, in the order of their numbers."""
        return tuple(self._numbers)

    @property
    def helps(self) -> tuple[tuple[Help, ...], ...]:
        """Return the remedies of each outcome, the most frequent first."""
        return tuple(
            tuple(Help(text, count == decisions) for text, count in helps.most_common())
            for helps, decisions in zip(self._helps, self._decisions, strict=True)
        )

    def of(self, matrix: Matrix) -> list[tuple[int, ...]]:
        """Return the outcome numbers of a matrix, [row class][column class]."""
        return [
            tuple(map(self._number, outcomes, decisions))
            for outcomes, decisions in zip(matrix.outcomes, matrix.decisions, strict=True)
        ]

    def _number(self, outcome: Outcome, decision: Decision) -> int:
        number = self._numbers.setdefault(outcome, len(self._numbers))
        if number == len(self._helps):
            self._helps.append(Counter())
            self._decisions.append(0)
        self._decisions[number] += 1
        self._helps[number].update(remedies_of(decision))
        return number


def remedies_of(decision: Decision) -> tuple[str, ...]:
    """Return the texts of the remedies for a denial; none for a granted decision."""
    return () if decision.granted else tuple(remedy.text for remedy in decision.remedies)


def flight_letters(product: Product) -> dict[str | None, str]:
    """Return the symbol of each flight id, A = highest rank. The key None is the submission."""
    letters: dict[str | None, str] = {None: SUBMISSION_SYMBOL}
    return letters | {
        flight_id: letter(index) for index, flight_id in enumerate(product.flight_names)
    }


def letter(index: int) -> str:
    """Return the letter of a flight by its index: A (0, highest rank) to Z, AA, AB, ..."""
    before, last = divmod(index, 26)
    return (letter(before - 1) if before else "") + chr(ord("A") + last)


def marks(product: Product, outcomes: Sequence[Outcome]) -> tuple[OutcomeMark, ...]:
    """Return the mark of each outcome.

    A letter is a flight. If a source has several versions, they are numbered, the highest first:
    `A1`, `A2`. A denial has the symbol of its first reason, and `+` if there are more reasons. The
    prefix in `A:os` is the flight that has no package for the device.
    """
    letters = flight_letters(product)
    indices = {flight_id: index for index, flight_id in enumerate(product.flight_names)}
    suffixes = _version_suffixes(outcomes)

    def mark(outcome: Outcome) -> OutcomeMark:
        if outcome.granted:
            suffix = suffixes[outcome.source, outcome.version]
            flight = None if outcome.source is None else indices[outcome.source]
            return OutcomeMark(letters[outcome.source] + suffix, outcome.kind, flight)
        through = f"{letters[outcome.missed_flight]}:" if outcome.missed_flight else ""
        more = "+" if len(outcome.reasons) > 1 else ""
        return OutcomeMark(
            f"{through}{REASONS[Reason(outcome.reasons[0])].symbol}{more}", "denied", None
        )

    return tuple(map(mark, outcomes))


def _version_suffixes(outcomes: Iterable[Outcome]) -> dict[tuple[str | None, str | None], str]:
    versions: dict[str | None, set[str]] = {}
    for outcome in outcomes:
        if outcome.version is not None:
            versions.setdefault(outcome.source, set()).add(outcome.version)
    return dict(chain.from_iterable(map(_numbered, versions, versions.values())))


def _numbered(
    source: str | None, versions: Iterable[str]
) -> Iterable[tuple[tuple[str | None, str], str]]:
    ordered = sorted(versions, key=parse_package_version, reverse=True)
    for number, version in enumerate(ordered, 1):
        yield (source, version), str(number) if len(ordered) > 1 else ""
