"""The words for two outcomes that differ, and for the devices on which they do."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from itertools import groupby

from eligibility.explain.device_names import run_name
from eligibility.explain.outcome import Outcome
from eligibility.explain.phrases import long_text, short_text
from eligibility.simulation.inputs.devices import NamedDevice

OutcomeOrNone = Outcome | None
"""What an account gets; None = there is no such product."""


def substance(outcome: Outcome, installed_version: str | None) -> Outcome:
    """Return what an account has after an answer, without what makes no difference to it.

    Why the answer is yes makes none. Who keeps what is installed has that version, and not the one
    that its source offers: it is no newer, and nothing is ever replaced by an older one (REQ).
    """
    if outcome.action == "keep":
        return outcome._replace(version=installed_version, architecture=None, reasons=())
    return outcome._replace(reasons=()) if outcome.granted else outcome


def plainly(before: OutcomeOrNone, after: OutcomeOrNone) -> tuple[OutcomeOrNone, OutcomeOrNone]:
    """Reduce two outcomes to what tells them apart: without architecture, and with the first reason."""
    plain = _plain(before), _plain(after)
    return (before, after) if plain[0] == plain[1] else plain


def _plain(outcome: OutcomeOrNone) -> OutcomeOrNone:
    return outcome and outcome._replace(architecture=None, reasons=outcome.reasons[:1])


def contrast(before: OutcomeOrNone, after: OutcomeOrNone) -> tuple[str, str]:
    """Describe two outcomes in the fewest words that tell them apart."""
    texts = _brief(before), _brief(after)
    if texts[0] != texts[1] or before is None or after is None:
        return texts
    return long_text(before), long_text(after)


def _brief(outcome: OutcomeOrNone) -> str:
    if outcome is None:
        return "no such product"
    if outcome.action == "keep":
        return f"keeps {outcome.version} ({outcome.source or 'public'})"
    return short_text(outcome)


def device_ranges(devices: Sequence[NamedDevice], chosen: Collection[int]) -> tuple[str, ...]:
    """Name the devices at some indices, each run of one family and architecture as one.

    A run has no other of the devices between its ends: `Windows 10 1809 to 11 24H2, x64`.
    """
    if len(chosen) == len(devices) > 1:
        return (f"all {len(devices)} devices",)
    kinds = defaultdict[tuple[str, str | None], list[int]](list)
    for index, named in enumerate(devices):
        kinds[named.device.family, named.device.architecture].append(index)
    architectures = defaultdict[str, list[str]](list)
    for (_, architecture), indices in kinds.items():
        indices.sort(key=lambda index: devices[index].device.version)
        for is_chosen, run in groupby(indices, set(chosen).__contains__):
            if is_chosen:
                names = [devices[n].name.removesuffix(f", {architecture}") for n in run]
                architectures[run_name(names)].append(architecture or "")
    return tuple(", ".join(filter(None, (run, *of_run))) for run, of_run in architectures.items())
