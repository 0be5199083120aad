"""Write a report as compact JSON. Each account and each device has the number of its class, and the
table `classes` has the number of an answer for each pair of classes. Each answer is listed once:

    {"product": {"product_id": ..., "name": ...},
     "state": {"label": ..., "moment": ..., "revision": {"groups": ..., "catalog": ...}},
     "rollout": [{"flight_id": null, "name": ..., "percentage": 25.0, "declared": true,
                  "newest": ..., "previous": ...}],
     "answers": [{"granted": true, "kind": "flight", "flight_id": ..., "version": ...,
                  "architecture": ..., "action": ..., "sign": "A", "words": ...,
                  "reasons": [{"code": ..., "text": ...}], "remedies": [...]}],
     "devices": [{"name": ..., "family": ..., "os_version": ..., "architecture": ..., "class": 0}],
     "classes": [[0, 1, ...]],
     "accounts": [{"account": "ada@example.com", "class": 0}],
     "settling": null}

`answers[classes[account's class][device's class]]` is what an account gets on a device. `account` is
null if nobody is signed in. If the report shows both sides of recent membership changes, `settling`
has `classes` and `accounts` for the earlier memberships, which the Store may still use.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from itertools import islice
from typing import Any, BinaryIO, NamedTuple

import msgspec

from eligibility.explain.outcome import Outcome
from eligibility.explain.phrases import full_text, reason_text
from eligibility.simulation.matrix import Matrix, change_of, settling_accounts
from eligibility.simulation.reports.report import SimulationReport
from eligibility.simulation.reports.symbols import OutcomeMark, marks, remedies_of
from eligibility.simulation.responses import StateView, device_views, simulated

_CHUNK = 10_000
_encode = msgspec.json.Encoder().encode


class RemediedOutcome(NamedTuple):
    """An outcome and the texts of its remedies, by which equal denials can differ."""

    outcome: Outcome
    remedies: tuple[str, ...]


def write(report: SimulationReport, out: BinaryIO) -> None:
    """Write the report, with each top-level field on a line of its own."""
    out.writelines(_parts(report))


def _parts(report: SimulationReport) -> Iterator[bytes]:
    matrix, earlier = report.matrix, report.earlier
    state = matrix.state
    answers: dict[RemediedOutcome, int] = {}
    classes, columns = _classes(_numbers(matrix, answers))
    before = _classes(_numbers(earlier, answers)) if earlier else None
    shown = marks(state.product, [answer.outcome for answer in answers])
    yield _field("product", {"product_id": state.product_id, "name": state.product.name}, b"{")
    yield _field("state", StateView.of(state))
    yield _field("rollout", report.shares)
    yield _field("answers", [_answer(matrix, *pair) for pair in zip(answers, shown, strict=True)])
    yield _field("devices", device_views(matrix))
    yield _field("classes", columns)
    yield b',\n"accounts":['
    yield from _listed(_accounts(matrix, classes))
    yield b"]"
    if earlier is None or before is None:
        yield _field("settling", None)
    else:
        yield b',\n"settling":{"classes":' + _encode(before[1]) + b',\n"accounts":['
        yield from _listed(_changed(matrix, earlier, before[0]))
        yield b"]}"
    yield b"}\n"


def _field(name: str, value: Any, before: bytes = b",") -> bytes:
    return before + b"\n" + _encode(name) + b":" + _encode(value)


def _numbers(matrix: Matrix, answers: dict[RemediedOutcome, int]) -> list[tuple[int, ...]]:
    """Return the answer numbers of a matrix, [row class][column class]; add its new answers."""
    return [
        tuple(
            answers.setdefault(RemediedOutcome(outcome, remedies_of(decision)), len(answers))
            for outcome, decision in zip(outcomes, decisions, strict=True)
        )
        for outcomes, decisions in zip(matrix.outcomes, matrix.decisions, strict=True)
    ]


def _classes(rows: Iterable[tuple[int, ...]]) -> tuple[list[int], list[tuple[int, ...]]]:
    """Return a number for each row, equal for equal rows, and the distinct rows."""
    numbers: dict[tuple[int, ...], int] = {}
    return [numbers.setdefault(row, len(numbers)) for row in rows], list(numbers)


def _answer(matrix: Matrix, answer: RemediedOutcome, mark: OutcomeMark) -> dict[str, Any]:
    outcome = answer.outcome
    return {
        **asdict(simulated(outcome)),
        "sign": mark.symbol,
        "words": full_text(matrix.state.product, outcome),
        "reasons": [{"code": code, "text": reason_text(code)} for code in outcome.reasons],
        "remedies": answer.remedies,
    }


def _accounts(matrix: Matrix, classes: Sequence[int]) -> Iterator[dict[str, Any]]:
    for address, row in zip(matrix.population.addresses(), matrix.rows, strict=True):
        yield {"account": address or None, "class": classes[row]}


def _changed(matrix: Matrix, earlier: Matrix, classes: Sequence[int]) -> Iterator[dict[str, Any]]:
    for index, account in zip(settling_accounts(matrix), _accounts(earlier, classes), strict=True):
        yield {**account, "change": change_of(matrix, index)}


def _listed(items: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    """Encode the items of a JSON array in portions, to keep memory small."""
    comma = b"\n"
    while some := list(islice(items, _CHUNK)):
        yield comma + _encode(some)[1:-1]
        comma = b",\n"
