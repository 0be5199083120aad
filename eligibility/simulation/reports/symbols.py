"""Signs: the distinct outcomes of a matrix, what helps against each, and what stands for it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import NamedTuple

from eligibility.access.model import Decision, Reason
from eligibility.catalog.model import Product
from eligibility.explain.outcome import Outcome, OutcomeKind
from eligibility.explain.phrases import REASONS
from eligibility.simulation.matrix import Matrix
from eligibility.windows.package_versions import parse_package_version

SUBMISSION_SIGN = "•"
"""Stands for the non-flighted submission, beside the letters of the flights."""


class Help(NamedTuple):
    """One thing that helps against a no, in words. always: whoever and wherever it is said."""

    text: str
    always: bool


class OutcomeMark(NamedTuple):
    """How a grid shows an outcome. flight: its place from the highest rank, None where it is none."""

    sign: str
    kind: OutcomeKind
    flight: int | None


class OutcomeNumbers:
    """Numbers distinct outcomes, in order of appearance; several matrices may share one."""

    def __init__(self) -> None:
        self._numbers: dict[Outcome, int] = {}
        self._helps: list[Counter[str]] = []
        self._decisions: list[int] = []

    @property
    def all(self) -> tuple[Outcome, ...]:
        """The outcomes by number."""
        return tuple(self._numbers)

    @property
    def helps(self) -> tuple[tuple[Help, ...], ...]:
        """What helps, by number of the outcome, the most said first; nothing where it is a yes."""
        return tuple(
            tuple(Help(text, told == decisions) for text, told in helps.most_common())
            for helps, decisions in zip(self._helps, self._decisions, strict=True)
        )

    def of(self, matrix: Matrix) -> list[tuple[int, ...]]:
        """The numbers of a matrix's outcomes, [row class][column class]."""
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
    """What helps against a no, in words; nothing where it is a yes."""
    return () if decision.granted else tuple(one.text for one in decision.remedies)


def flight_letters(product: Product) -> dict[str | None, str]:
    """The letter of each flight: A has the highest rank. None, the submission, has its own sign."""
    letters: dict[str | None, str] = {None: SUBMISSION_SIGN}
    return letters | {one.flight_id: letter(place) for place, one in enumerate(product.flights)}


def letter(place: int) -> str:
    """The letter of a flight by its place from the highest rank: A to Z, then AA, AB, ..., as columns have."""
    before, last = divmod(place, 26)
    return (letter(before - 1) if before else "") + chr(ord("A") + last)


def marks(product: Product, outcomes: Sequence[Outcome]) -> tuple[OutcomeMark, ...]:
    """The mark of each outcome.

    A letter is a flight; where one source gives several versions they are numbered, the highest
    first: `A1` and `A2`. A no is its first reason, with `+` where there are more, behind the flight
    that has nothing for the device: `A:os`.
    """
    letters = flight_letters(product)
    places = {one.flight_id: place for place, one in enumerate(product.flights)}
    suffixes = _version_suffixes(outcomes)

    def mark(outcome: Outcome) -> OutcomeMark:
        if outcome.granted:
            suffix = suffixes[outcome.source, outcome.version]
            flight = None if outcome.source is None else places[outcome.source]
            return OutcomeMark(letters[outcome.source] + suffix, outcome.kind, flight)
        through = f"{letters[outcome.missed_flight]}:" if outcome.missed_flight else ""
        more = "+" if len(outcome.reasons) > 1 else ""
        return OutcomeMark(
            f"{through}{REASONS[Reason(outcome.reasons[0])].symbol}{more}", "denied", None
        )

    return tuple(map(mark, outcomes))


def _version_suffixes(outcomes: Iterable[Outcome]) -> dict[tuple[str | None, str | None], str]:
    versions: dict[str | None, set[str]] = {}
    for one in outcomes:
        if one.version is not None:
            versions.setdefault(one.source, set()).add(one.version)
    return dict(chain.from_iterable(map(_numbered, versions, versions.values())))


def _numbered(
    source: str | None, versions: Iterable[str]
) -> Iterable[tuple[tuple[str | None, str], str]]:
    ordered = sorted(versions, key=parse_package_version, reverse=True)
    for number, version in enumerate(ordered, 1):
        yield (source, version), str(number) if len(ordered) > 1 else ""
