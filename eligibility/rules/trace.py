"""The steps of a trace: what was compared and how it came out, in words and as facts.

decide.py says when and with which outcome; nothing is decided here. Codes of pages are those of the
project's domain notes.
"""

from collections.abc import Collection, Iterable

from eligibility.access.model import Account, OfferedPackage, Reason, TraceStep
from eligibility.catalog.model import Flight, Rollout
from eligibility.rules.case import Case
from eligibility.rules.packages import UNIVERSAL, PackageSelection
from eligibility.rules.requirements import Floor, Rule
from eligibility.windows.versions import version_text


def alias_step(account: Account, matched: Collection[str]) -> TraceStep:
    """Which address of an account with aliases is listed in the product's groups, for the trace.

    Whoever finds the account's groups knows it; here it is told.
    """
    listed = next((address for address in account.addresses if address in matched), None)
    if listed is None:
        return TraceStep("aliases", "no_match", "no address of the account is in a group", "KUG")
    primary = listed == account.id
    note = "the primary address" if primary else "an alias, not the primary address"
    outcome, detail = "primary" if primary else "alias", f"matched `{listed}`: {note}"
    return TraceStep("aliases", outcome, detail, "KUG", {"matched": listed})


class Trace:
    """The steps of one decision, in order, as they are noted."""

    __slots__ = ("case", "steps")

    def __init__(self, case: Case) -> None:
        self.case = case
        self.steps: list[TraceStep] = []

    def _note(
        self, step: str, outcome: str, detail: str, source: str, **facts: str | tuple[str, ...]
    ) -> None:
        """Add one step; detail and facts both say what was compared."""
        self.steps.append(TraceStep(step, outcome, detail, source, facts))

    def groups(self) -> None:
        """Which groups count, and which of them the account is in."""
        active = sorted(self.case.product.active_groups(self.case.now))
        counted = sorted(self.case.counted_groups)
        detail = (
            f"active groups: {_names(active)}; the account counts as a member of: {_names(counted)}"
        )
        outcome = "member" if counted else "no_member"
        self._note("groups", outcome, detail, "KUG", active=tuple(active), counted=tuple(counted))

    def audience(self, effective: str) -> None:
        """The effective audience, against what is declared."""
        declared = self.case.product.submission
        until = f"; public from {declared.public_at.isoformat()}" if declared.public_at else ""
        public_at = f"{declared.public_at:%Y-%m-%d %H:%M} UTC" if declared.public_at else ""
        detail = f"declared {declared.audience}{until}"
        self._note(
            "audience", effective, detail, "VIS", declared=declared.audience, public_at=public_at
        )

    def audience_member(self, outcome: Reason) -> None:
        """Whether the account is in the private audience."""
        audience_groups = self.case.product.submission.audience_groups
        detail = f"audience groups: {_names(audience_groups)}"
        self._note("audience_member", outcome, detail, "VIS", groups=audience_groups)

    def floor(self, step: str, rule: Rule, found: Floor, source: str) -> None:
        """How the device stands to a rule's floor."""
        device = self.case.query.device
        minimum = rule.minimum(device.family)
        named = f"`{minimum}`" if minimum else "none named"
        detail = f"{device.family} {device.os_version} against the floor {named}"
        self._note(step, found, detail, source, minimum=version_text(minimum) if minimum else "")

    def claim(self, step: str, outcome: str, source: str) -> None:
        """Whether somebody may still get what others no longer can."""
        query = self.case.query
        owned, code = (
            "owned" if query.owned else "not owned",
            "a" if query.promotional_code else "no",
        )
        claims = ("owning it", query.owned), ("a promotional code", query.promotional_code)
        entitled_by = tuple(one for one, made in claims if made)
        self._note(
            step, outcome, f"{owned}, {code} promotional code", source, entitled_by=entitled_by
        )

    def market(self, offered: bool) -> None:
        """Whether the product is offered in the query's market."""
        markets, asked = self.case.product.markets, self.case.query.market
        limits = "every market" if markets is None else _names(markets)
        detail = f"market `{asked or 'unknown'}` against {limits}"
        outcome = "offered" if offered else "not_offered"
        told = ("every market",) if markets is None else markets
        self._note("market", outcome, detail, "MKT", market=asked or "", markets=told)

    def family_offered(self, outcome: str, families: Collection[str]) -> None:
        """Whether the non-flighted submission offers the device family."""
        ordered = sorted(families)
        detail = f"{self.case.query.device.family} against {_names(ordered)} of the non-flighted submission"
        if UNIVERSAL in families:
            detail += ", where Windows.Universal stands for every family but Windows.Xbox"
        self._note("family_offered", outcome, detail, "PD, UPL", families=tuple(ordered))

    def flight(self, declared: Flight) -> None:
        """How the account stands to a flight."""
        via = sorted(self.case.counted_groups.intersection(declared.groups))
        outcome = (
            "unpublished"
            if not declared.published_at(self.case.now)
            else "member"
            if via
            else "no_member"
        )
        self._note(
            f"flight:{declared.flight_id}",
            outcome,
            f"groups {_names(declared.groups)}; the account is in {_names(via)}",
            "PF, PD",
            name=declared.name,
            groups=declared.groups,
            via=tuple(via),
            packages=str(len(declared.packages)),
            publish_at=f"{declared.publish_at:%Y-%m-%d %H:%M} UTC" if declared.publish_at else "",
        )

    def no_flight(self) -> None:
        """That packages come from the non-flighted submission."""
        self._note(
            "source", "submission", "no flight applies: the non-flighted submission", "PF, PD"
        )

    def rollout(self, source: str, declared: Rollout, reason: Reason, newest: bool) -> None:
        """On which side of a rollout the device is."""
        side = "newest" if newest else "previous"
        detail = f"{declared.percentage} % of `{source}`, {declared.status}: {side} packages"
        percentage = f"{declared.percentage:g}"
        self._note("rollout", reason, detail, "GPR, MAS", percentage=percentage, side=side)

    def selection(self, packages: int, found: PackageSelection) -> None:
        """Which of so many packages fits the device, or what stands in the way of each."""
        device, offered = self.case.query.device, found.offered
        untold = "" if device.architecture else "; architecture not told, so not tested"
        detail = f"{packages} package(s) for {device.family} {device.os_version}{untold}"
        if offered:
            detail += f": {offered.file_name} ({offered.architecture})"
        self._note(
            "package",
            ", ".join(found.blockers) or "applicable",
            detail,
            "REQ, DFO, ARCH",
            version=offered.version if offered else "",
            architecture=offered.architecture if offered else "",
            minimum=version_text(found.minimum) if found.minimum else "",
            architectures=found.architectures,
        )

    def action(self, outcome: str, offered: OfferedPackage) -> None:
        """How the offered package compares with the installed one."""
        query = self.case.query
        detail = f"installed `{query.installed_version}`, offered `{offered.version}`"
        installed = str(query.installed)
        self._note("action", outcome, detail, "REQ", installed=installed, offered=offered.version)


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "none"
