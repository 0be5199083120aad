"""The trace: what each step of a decision compared and how it came out, as facts.

decide.py says when and with which outcome; nothing is decided here, and nothing is put in words:
`explain/step_details.py` does that, where somebody reads it. Codes of pages (KUG, PF) are those of
the project's domain notes.
"""

from collections.abc import Collection
from typing import Any

from eligibility.access.model import Account, OfferedPackage, Reason, TraceStep
from eligibility.catalog.model import Flight, Rollout
from eligibility.rules.case import Case
from eligibility.rules.packages import PackageSelection
from eligibility.rules.requirements import Floor, Rule
from eligibility.windows.versions import version_text

_EVERY_MARKET = ("every market",)


def alias_step(account: Account, matched: Collection[str]) -> TraceStep:
    """Say which address of an account with aliases is listed in the product's groups.

    matched: those of its addresses that are listed.
    """
    listed = next((address for address in account.addresses if address in matched), None)
    if listed is None:
        return TraceStep("aliases", "no_match", "", "KUG")
    outcome = "primary" if listed == account.id else "alias"
    return TraceStep("aliases", outcome, "", "KUG", {"matched": listed})


class Trace:
    """The steps of one decision, in order, as they are noted."""

    __slots__ = ("case", "steps")

    def __init__(self, case: Case) -> None:
        self.case = case
        self.steps: list[TraceStep] = []

    def _note(self, step: str, outcome: str, source: str, **facts: str | tuple[str, ...]) -> None:
        """Add a step with the facts that were compared. source: codes of the pages of its rule."""
        self.steps.append(TraceStep(step, outcome, "", source, facts))

    def groups(self) -> None:
        """Note which groups count, and which of them the account is in."""
        counted = tuple(sorted(self.case.counted_groups))
        active = tuple(sorted(self.case.product.active_groups(self.case.now)))
        outcome = "member" if counted else "no_member"
        self._note("groups", outcome, "KUG", active=active, counted=counted)

    def audience(self, effective: str) -> None:
        """Note the effective audience, against what is declared."""
        declared = self.case.product.submission
        public_at = f"{declared.public_at:%Y-%m-%d %H:%M} UTC" if declared.public_at else ""
        self._note("audience", effective, "VIS", declared=declared.audience, public_at=public_at)

    def audience_member(self, outcome: Reason) -> None:
        """Note whether the account is in the private audience."""
        groups = self.case.product.submission.audience_groups
        self._note("audience_member", outcome, "VIS", groups=groups)

    def floor(self, step: str, rule: Rule, outcome: Floor, source: str) -> None:
        """Note how the device stands to a rule's floor."""
        minimum = rule.minimum(self.case.query.device.family)
        text = version_text(minimum) if minimum else ""
        self._note(step, outcome, source, minimum=text, query_device=self._device())

    def claim(self, step: str, outcome: str, source: str) -> None:
        """Note by what somebody may still get what others no longer can."""
        query = self.case.query
        claims = ("owning it", query.owned), ("a promotional code", query.promotional_code)
        entitled_by = tuple(claim for claim, holds in claims if holds)
        self._note(step, outcome, source, entitled_by=entitled_by)

    def market(self, offered: bool) -> None:
        """Note whether the product is offered in the query's market."""
        markets, market = self.case.product.markets, self.case.query.market
        outcome = "offered" if offered else "not_offered"
        offered_in = _EVERY_MARKET if markets is None else markets
        self._note("market", outcome, "MKT", market=market or "", markets=offered_in)

    def family_offered(self, outcome: str, families: Collection[str]) -> None:
        """Note whether the non-flighted submission offers the device family."""
        ordered, family = tuple(sorted(families)), self.case.query.device.family
        self._note("family_offered", outcome, "PD, UPL", families=ordered, query_family=family)

    def flight(self, declared: Flight) -> None:
        """Note how the account stands to a flight."""
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
        """Note that packages come from the non-flighted submission."""
        self._note("source", "submission", "PF, PD")

    def rollout(self, source: str, declared: Rollout, reason: Reason, newest: bool) -> None:
        """Note on which side of a rollout the device is. source: the name of what is rolled out."""
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
        """Note which of so many packages fits the device, or what stands in the way of each."""
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
        """Note how the offered package compares with the installed one."""
        installed = str(self.case.query.installed)
        self._note("action", outcome, "REQ", installed=installed, offered=offered.version)

    def _device(self) -> str:
        device = self.case.query.device
        return f"{device.family} {device.os_version}"


class _NoTrace(Trace):
    """Notes nothing: for decisions whose trace nobody reads."""

    __slots__ = ()

    def __init__(self) -> None:
        self.steps = []

    def _ignore(self, *_: Any, **__: Any) -> None:
        """Do nothing."""

    groups = audience = audience_member = floor = claim = market = family_offered = _ignore
    flight = no_flight = rollout = selection = action = _ignore


NO_TRACE: Trace = _NoTrace()
