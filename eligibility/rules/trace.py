"""The trace: the compared values and the outcome of each step of a decision.

decide.py calls it with the outcomes; explain/step_details.py turns steps into sentences. The
project's domain notes list the codes of pages (KUG, PF).
"""

from collections.abc import Collection
from typing import Any

from eligibility.access.codes import Reason
from eligibility.access.model import Account, OfferedPackage, TraceStep
from eligibility.catalog.model import Flight, Rollout
from eligibility.rules.case import Case
from eligibility.rules.packages import PackageSelection
from eligibility.rules.requirements import Floor, Rule
from eligibility.windows.versions import version_text

_EVERY_MARKET = ("every market",)


def alias_step(account: Account, matched: Collection[str]) -> TraceStep:
    """Record which address of an account with aliases is listed. matched: listed addresses."""
    listed = next((address for address in account.addresses if address in matched), None)
    if listed is None:
        return TraceStep("aliases", "no_match", "", "KUG")
    outcome = "primary" if listed == account.id else "alias"
    return TraceStep("aliases", outcome, "", "KUG", {"matched": listed})


class Trace:
    """Recorder of the steps of one decision, in order."""

    __slots__ = ("case", "steps")

    def __init__(self, case: Case) -> None:
        self.case = case
        self.steps: list[TraceStep] = []

    def _note(self, step: str, outcome: str, source: str, **facts: str | tuple[str, ...]) -> None:
        """Add a step with the compared values. source: codes of the pages that state the rule."""
        self.steps.append(TraceStep(step, outcome, "", source, facts))

    def groups(self) -> None:
        """Record the active groups, and those that the account is a member of."""
        counted = tuple(sorted(self.case.counted_groups))
        active = tuple(sorted(self.case.product.active_groups(self.case.now)))
        outcome = "member" if counted else "no_member"
        self._note("groups", outcome, "KUG", active=active, counted=counted)

    def audience(self, effective: str) -> None:
        """Record the effective and the declared audience."""
        declared = self.case.product.submission
        public_at = f"{declared.public_at:%Y-%m-%d %H:%M} UTC" if declared.public_at else ""
        self._note("audience", effective, "VIS", declared=declared.audience, public_at=public_at)

    def audience_member(self, outcome: Reason) -> None:
        """Record whether the account is in the private audience."""
        groups = self.case.product.submission.audience_groups
        self._note("audience_member", outcome, "VIS", groups=groups)

    def floor(self, step: str, rule: Rule, outcome: Floor, source: str) -> None:
        """Record how the device compares with a rule's floor."""
        minimum = rule.minimum(self.case.query.device.family)
        text = version_text(minimum) if minimum else ""
        self._note(step, outcome, source, minimum=text, query_device=self._device())

    def claim(self, step: str, outcome: str, source: str) -> None:
        """Record a limit on new acquisitions, and what exempts this account from it."""
        query = self.case.query
        claims = ("owning it", query.owns), ("a promotional code", self.case.promotional_code)
        entitled_by = tuple(claim for claim, holds in claims if holds)
        self._note(step, outcome, source, entitled_by=entitled_by)

    def market(self, offered: bool) -> None:
        """Record whether the product is offered in the query's market."""
        markets, market = self.case.product.markets, self.case.query.market
        outcome = "offered" if offered else "not_offered"
        offered_in = _EVERY_MARKET if markets is None else markets
        self._note("market", outcome, "MKT", market=market or "", markets=offered_in)

    def family_offered(self, outcome: str, families: Collection[str]) -> None:
        """Record whether the non-flighted submission offers the device family."""
        ordered, family = tuple(sorted(families)), self.case.query.device.family
        self._note("family_offered", outcome, "PD, UPL", families=ordered, query_family=family)

    def flight(self, declared: Flight) -> None:
        """Record whether the account is a member of a flight."""
        via = tuple(sorted(self.case.counted_groups.intersection(declared.groups)))
        outcome = "member" if via else "no_member"
        if not declared.published_at(self.case.now):
            outcome = "unpublished"
        self._note(
            f"flight:{declared.flight_id}",
            outcome,
            "PF, PD",
            name=declared.name,
            groups=declared.groups,
            via=via,
            packages=str(len(declared.packages)),
            publish_at=f"{declared.publish_at:%Y-%m-%d %H:%M} UTC" if declared.publish_at else "",
        )

    def no_flight(self) -> None:
        """Record that packages come from the non-flighted submission."""
        self._note("source", "submission", "PF, PD")

    def rollout(self, source: str, declared: Rollout, reason: Reason, newest: bool) -> None:
        """Record the side of a rollout. source: name of the flight or submission rolled out."""
        self._note(
            "rollout",
            reason,
            "GPR, MAS",
            percentage=f"{declared.percentage:g}",
            side="newest" if newest else "previous",
            of=source,
            status=declared.status,
        )

    def selection(self, packages: int, selection: PackageSelection) -> None:
        """Record the chosen package or the blockers. packages: number of candidates."""
        offered = selection.offered
        self._note(
            "package",
            ", ".join(selection.blockers) or "applicable",
            "REQ, DFO, ARCH",
            version=offered.version if offered else "",
            architecture=offered.architecture if offered else "",
            minimum=version_text(selection.minimum) if selection.minimum else "",
            architectures=selection.architectures,
            file_name=offered.file_name if offered else "",
            candidates=str(packages),
            query_device=self._device(),
            processor=self.case.query.device.architecture or "",
        )

    def action(self, outcome: str, offered: OfferedPackage) -> None:
        """Record how the offered package compares with the installed package."""
        installed = str(self.case.query.installed)
        self._note("action", outcome, "REQ", installed=installed, offered=offered.version)

    def _device(self) -> str:
        device = self.case.query.device
        return f"{device.family} {device.os_version}"


class _NoTrace(Trace):
    """Records nothing, for decisions without an explanation."""

    __slots__ = ()

    def __init__(self) -> None:
        self.steps = []

    def _ignore(self, *_: Any, **__: Any) -> None:
        """Accept any step."""

    groups = audience = audience_member = floor = claim = market = family_offered = _ignore
    flight = no_flight = rollout = selection = action = _ignore


NO_TRACE: Trace = _NoTrace()
