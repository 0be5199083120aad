"""Outcomes that differ, and devices that go together, in words."""

from collections import defaultdict
from collections.abc import Collection, Sequence

from eligibility.explain.device_names import run_name
from eligibility.explain.outcome import Outcome
from eligibility.explain.phrases import long_text, short_text
from eligibility.simulation.inputs.devices import NamedDevice
from eligibility.windows.versions import parse_os_version

OutcomeOrNone = Outcome | None
"""What an account gets; None where there is no such product."""


def substance(outcome: Outcome, installed_version: str | None) -> Outcome:
    """Return what an account has after an answer, without what makes no difference to it.

    Why the answer is yes makes none. Who keeps what is installed has that version, and not the one
    that its source offers: it is no newer, and nothing is ever replaced by an older one (REQ).
    """
    if outcome.action == "keep":
        return outcome._replace(version=installed_version, architecture=None, reasons=())
    return outcome._replace(reasons=()) if outcome.granted else outcome


def plainly(before: OutcomeOrNone, after: OutcomeOrNone) -> tuple[OutcomeOrNone, OutcomeOrNone]:
    """Two answers with as little as tells them apart: no architecture, the first reason for a no."""
    plain = _plain(before), _plain(after)
    return (before, after) if plain[0] == plain[1] else plain


def _plain(answer: OutcomeOrNone) -> OutcomeOrNone:
    return answer and answer._replace(architecture=None, reasons=answer.reasons[:1])


def contrast(before: OutcomeOrNone, after: OutcomeOrNone) -> tuple[str, str]:
    """Two answers in the fewest words that tell them apart."""
    texts = _brief(before), _brief(after)
    if texts[0] != texts[1] or before is None or after is None:
        return texts
    return long_text(before), long_text(after)


def _brief(answer: OutcomeOrNone) -> str:
    if answer is not None and answer.action == "keep":
        return f"keeps {answer.version} ({answer.source or 'public'})"
    return "no such product" if answer is None else short_text(answer)


def device_ranges(devices: Sequence[NamedDevice], chosen: Collection[int]) -> tuple[str, ...]:
    """The devices at some places, those in a row of one family and architecture told together.

    In a row are those with none of the devices between them: `Windows 10 1809 to Windows 11 24H2`.
    """
    if len(chosen) == len(devices) > 1:
        return (f"all {len(devices)} devices",)
    alike = defaultdict[tuple[str, str | None], list[int]](list)
    for place, named in enumerate(devices):
        alike[named.device.family, named.device.architecture].append(place)
    found = defaultdict[str, list[str]](list)
    for (_, architecture), places in alike.items():
        places.sort(key=lambda place: parse_os_version(devices[place].device.os_version))
        for run in _runs(places, set(chosen)):
            names = [devices[n].name.removesuffix(f", {architecture}") for n in run]
            found[run_name(names)].append(architecture or "")
    return tuple(
        ", ".join(filter(None, (text, *architectures))) for text, architectures in found.items()
    )


def _runs(places: Sequence[int], chosen: Collection[int]) -> list[list[int]]:
    """The chosen places that follow each other."""
    runs: list[list[int]] = [[]]
    for place in places:
        if place in chosen:
            runs[-1].append(place)
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]
