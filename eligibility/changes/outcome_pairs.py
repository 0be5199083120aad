"""Describe two outcomes that differ, and the devices on which they differ."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from itertools import groupby

from eligibility.explain.device_names import run_name
from eligibility.explain.outcome import Outcome
from eligibility.explain.phrases import long_text, short_text
from eligibility.simulation.inputs.devices import NamedDevice

OutcomeOrNone = Outcome | None
"""What an account gets on a device; None = the product does not exist."""


def substance(outcome: Outcome, installed_version: str | None) -> Outcome:
    """Reduce an outcome to what matters to the account: drop the reasons of a grant.

    With the action `keep`, the version is the installed one: the Store never replaces a package by
    an older one (REQ), so the offered version does not matter.
    """
    if outcome.action == "keep":
        return outcome._replace(version=installed_version, architecture=None, reasons=())
    return outcome._replace(reasons=()) if outcome.granted else outcome


def plainly(before: OutcomeOrNone, after: OutcomeOrNone) -> tuple[OutcomeOrNone, OutcomeOrNone]:
    """Drop architectures and all reasons but the first, unless only these differ."""
    plain = _plain(before), _plain(after)
    return (before, after) if plain[0] == plain[1] else plain


def _plain(outcome: OutcomeOrNone) -> OutcomeOrNone:
    return outcome and outcome._replace(architecture=None, reasons=outcome.reasons[:1])


def contrast(before: OutcomeOrNone, after: OutcomeOrNone) -> tuple[str, str]:
    """Describe two outcomes: briefly if the brief texts differ, else in full."""
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
    """Name the devices at `chosen` as ranges of neighbours: `Windows 10 1809 to 11 24H2, x64`."""
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
