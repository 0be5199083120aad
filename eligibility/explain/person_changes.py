"""Changes that the person at the device could make; least_change.py finds those that help."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from msgspec.structs import replace as with_fields
from packaging.version import Version

from eligibility.access.codes import AccountKind, Action
from eligibility.access.explanation import SuggestedChange
from eligibility.access.model import Account, Device
from eligibility.explain.device_names import a_device, a_kind, release_text
from eligibility.rules.case import Case
from eligibility.rules.compared_versions import points
from eligibility.rules.requirements import Requirements
from eligibility.windows.releases import facts
from eligibility.windows.versions import release_name, releases, version_of, version_text

STRANGER = Account("somebody@account.invalid")
"""An account not known yet: a member of no group, on an unknown side of each rollout."""


@dataclass(frozen=True)
class CandidateChange:
    """A change, and the function that applies it to a case.

    parts: what it sets; two changes that set the same part exclude each other. likeness: equal for
    changes that differ only in an amount; only the first of these that works is reported.
    """

    change: SuggestedChange
    apply: Callable[[Case], Case]
    parts: frozenset[str]
    likeness: str


def of_person(case: Case) -> Iterator[CandidateChange]:
    """List changes for the person or the editor of the groups; lower OS versions come first."""
    yield from _accounts(case)
    yield from _groups(case)
    yield from _newer_versions(case)
    yield from _claims(case)
    yield from _moments(case)
    yield from _other_devices(case)


def query_change(
    change: SuggestedChange, *parts: str, likeness: str = "", **fields: object
) -> CandidateChange:
    """Build a candidate that sets fields of the query; `parts` defaults to their names."""

    def apply(case: Case) -> Case:
        return replace(case, query=with_fields(case.query, **fields))

    return CandidateChange(change, apply, frozenset(parts or fields), likeness or change.action)


def _change(action: Action, text: str, **data: Any) -> SuggestedChange:
    return SuggestedChange(action, "person", text, **data)


def _accounts(case: Case) -> Iterator[CandidateChange]:
    """List other accounts: a personal Microsoft account in no group, or in one of the groups."""
    account = case.query.account
    if account is None:
        action, text = Action.SIGN_IN, "sign in to the Store with a Microsoft account"
        yield query_change(_change(action, text), account=STRANGER)
    elif account.kind is not AccountKind.MICROSOFT:
        action, text = Action.USE_MICROSOFT_ACCOUNT, "use a personal Microsoft account"
        same = with_fields(account, kind=AccountKind.MICROSOFT)
        change = _change(action, f"{text} with the address {account.id}")
        yield query_change(change, account=same)
    else:
        return
    for group in sorted(case.product.groups):
        change = _change(action, f"{text} that is in {group}", group=group)
        yield CandidateChange(
            change,
            _as_member(group, case.account_groups),
            frozenset({"account", *map(_membership, case.account_groups | {group})}),
            f"{action}:{group}",
        )


def _as_member(group: str, before: frozenset[str]) -> Callable[[Case], Case]:
    """Replace the account by a stranger in `group` and in all groups joined since `before`."""

    def apply(case: Case) -> Case:
        query = with_fields(case.query, account=STRANGER)
        groups = (case.account_groups - before) | {group}
        return replace(case, query=query, account_groups=groups)

    return apply


def _membership(group: str) -> str:
    return f"group:{group}"


def _groups(case: Case) -> Iterator[CandidateChange]:
    who = "have that account" if case.query.account is None else "ask the publisher to be"
    for group in sorted(case.product.groups - case.sole_groups):
        if group in case.account_groups:
            action, text = Action.LEAVE_GROUP, f"ask the publisher to be taken out of {group}"
        else:
            action, text = Action.JOIN_GROUP, f"{who} added to {group}"
        name = _membership(group)
        change = SuggestedChange(action, "publisher", text, group=group)
        yield CandidateChange(change, _moving(group), frozenset({name}), name)


def _moving(group: str) -> Callable[[Case], Case]:
    """Build the function that toggles the account's membership of the group."""
    return lambda case: replace(case, account_groups=case.account_groups ^ {group})


def _newer_versions(case: Case) -> Iterator[CandidateChange]:
    """List OS updates: each newer version that a rule compares with and that the device can run."""
    device = case.query.device
    builds = facts().devices.get(device.family, {}).get(device.architecture or "")
    for version in _compared(case):
        if version > device.version and (builds is None or builds.contains(version)):
            text = version_text(version)
            advice = f"update the device to {release_text(text)} or later"
            release = release_name(version)
            change = _change(Action.UPDATE_OS, advice, os_version=text, release=release)
            yield _on_device(change, frozenset({"os"}), "os", os_version=text)


def _compared(case: Case) -> list[Version]:
    compared = points(case.product, case.requirements)
    if compared is None:
        return [release.version for release in releases()]
    above = {version_of(_next(version)) for version in _exclusive(case.requirements)}
    return sorted({*compared, *above})


def _exclusive(requirements: Requirements) -> Iterator[str]:
    """List the versions that a minimum excludes itself: `>10.0.10586` excludes 10.0.10586."""
    for rule in (requirements.flight, requirements.private_audience, requirements.rollout):
        for floor in filter(None, rule.floors.values()):
            yield from (part.version for part in floor if part.operator in (">", "!="))


def _next(version: str) -> str:
    *parts, last = version.split(".")
    return ".".join([*parts, str(min(int(last) + 1, 65_535))])


def _other_devices(case: Case) -> Iterator[CandidateChange]:
    """List devices of the family with other processors, and the newest of each other family."""
    current = case.query.device
    for family, builds in facts().devices.items():
        for architecture, supported in builds.items():
            device = Device(family, current.os_version, architecture)
            if family != current.family:
                newest = max(r.version for r in releases() if supported.contains(r.version))
                device = with_fields(device, os_version=version_text(newest))
            elif current.architecture in (None, architecture) or not supported.contains(
                current.version
            ):
                continue
            same = family == current.family
            another = f"a device with an {architecture} processor" if same else a_kind(family)
            change = _change(
                Action.USE_ANOTHER_DEVICE,
                f"use {another} (tried with {a_device(device)})",
                family=family,
                os_version=device.os_version,
                architecture=architecture,
            )
            if same:
                parts, likeness = frozenset({"processor"}), f"processor:{architecture}"
                yield _on_device(change, parts, likeness, architecture=architecture)
            else:
                parts = frozenset({"processor", "os"})
                yield query_change(change, *parts, likeness=f"family:{family}", device=device)


def _on_device(
    change: SuggestedChange, parts: frozenset[str], likeness: str, **fields: object
) -> CandidateChange:
    def apply(case: Case) -> Case:
        device = with_fields(case.query.device, **fields)
        return replace(case, query=with_fields(case.query, device=device))

    return CandidateChange(change, apply, parts, likeness)


def _claims(case: Case) -> Iterator[CandidateChange]:
    query, markets = case.query, case.product.markets
    if not query.manual_check:
        text = "look for updates by hand, in the Store"
        yield query_change(_change(Action.CHECK_FOR_UPDATES, text), manual_check=True)
    if query.installed_version is not None:
        text = "uninstall the app, and install it again"
        yield query_change(_change(Action.REINSTALL, text), installed_version=None)
    if markets and query.market not in markets:
        advice = "use the Store of another" if query.market else "say from which"
        text = f"{advice} market: it is offered in {', '.join(markets)}"
        change = _change(Action.USE_OFFERED_MARKET, text, market=markets[0])
        yield query_change(change, market=markets[0])
    if not query.promotional_code:
        change = _change(Action.USE_PROMOTIONAL_CODE, "use a promotional code")
        yield query_change(change, promotional_code=True)
    if not query.owns:
        text = "use an account that already owns the product"
        yield query_change(_change(Action.USE_ACCOUNT_THAT_OWNS, text), owned=True)


def _moments(case: Case) -> Iterator[CandidateChange]:
    """List waits for each future date that the product declares, in order."""
    product = case.product
    for moment in product.moments:
        if moment > case.now:
            what = [
                f"{flight.name} opens" if flight else "the product becomes public"
                for date, flight in product.dates()
                if date == moment
            ]
            text = f"wait until {moment:%Y-%m-%d %H:%M} UTC, when {' and '.join(what)}"
            change = _change(Action.WAIT, text, at=moment)
            yield CandidateChange(change, _waiting(moment), frozenset({"now"}), "now")


def _waiting(moment: datetime) -> Callable[[Case], Case]:
    return lambda case: replace(case, now=moment)
