"""What a step compared, in one line: made from its facts alone."""

import pytest

from eligibility.access.model import TraceStep
from eligibility.explain.step_details import detail_of

DEVICE = "Windows.Desktop 10.0.22631.0"
PACKAGE = {"candidates": "2", "query_device": DEVICE, "processor": "x64", "version": ""}
OFFERED = {"version": "2.0.0.0", "file_name": "R.msix", "architecture": "x64"}

LINES = [
    ("aliases", "no_match", {}, "no address of the account is in a group"),
    ("aliases", "primary", {"matched": "a@b.c"}, "matched `a@b.c`: the primary address"),
    (
        "aliases",
        "alias",
        {"matched": "a@b.c"},
        "matched `a@b.c`: an alias, not the primary address",
    ),
    (
        "groups",
        "member",
        {"active": ("a", "b"), "counted": ("b",)},
        "active groups: `a`, `b`; the account counts as a member of: `b`",
    ),
    (
        "audience",
        "private",
        {"declared": "private", "public_at": "2030-01-01 00:00 UTC"},
        "declared private; public from 2030-01-01 00:00 UTC",
    ),
    ("audience_member", "NOT_IN_AUDIENCE", {"groups": ("a",)}, "audience groups: `a`"),
    (
        "flight_floor",
        "below",
        {"query_device": DEVICE, "minimum": "10.0.10586.0"},
        f"{DEVICE} against the floor `10.0.10586.0`",
    ),
    (
        "audience_floor",
        "met",
        {"query_device": DEVICE, "minimum": ""},
        f"{DEVICE} against the floor none named",
    ),
    ("availability", "unavailable", {"entitled_by": ()}, "not owned, no promotional code"),
    (
        "discoverability",
        "stop_acquisition",
        {"entitled_by": ("owning it", "a promotional code")},
        "owned, a promotional code",
    ),
    (
        "market",
        "offered",
        {"market": "US", "markets": ("every market",)},
        "market `US` against every market",
    ),
    ("market", "not_offered", {"market": "", "markets": ("DE",)}, "market `unknown` against `DE`"),
    (
        "family_offered",
        "offered",
        {"query_family": "Windows.Desktop", "families": ("Windows.Universal",)},
        "Windows.Desktop against `Windows.Universal` of the non-flighted submission, where"
        " Windows.Universal stands for every family but Windows.Xbox",
    ),
    (
        "flight:canary",
        "no_member",
        {"groups": ("a", "b"), "via": ()},
        "groups `a`, `b`; the account is in none",
    ),
    ("source", "submission", {}, "no flight applies: the non-flighted submission"),
    (
        "rollout",
        "ROLLOUT_INCLUDED",
        {"percentage": "25", "of": "submission", "status": "in_progress", "side": "newest"},
        "25 % of `submission`, in_progress: newest packages",
    ),
    ("package", "applicable", {**PACKAGE, **OFFERED}, f"2 package(s) for {DEVICE}: R.msix (x64)"),
    (
        "package",
        "NO_PACKAGE_FOR_FAMILY",
        {**PACKAGE, "processor": ""},
        f"2 package(s) for {DEVICE}; architecture unknown, so not tested",
    ),
    (
        "action",
        "keep",
        {"installed": "2.0.0.0", "offered": "1.0.0.0"},
        "installed `2.0.0.0`, offered `1.0.0.0`",
    ),
]


@pytest.mark.parametrize(("step", "outcome", "facts", "line"), LINES)
def test_a_step_says_what_it_compared(
    step: str, outcome: str, facts: dict[str, str | tuple[str, ...]], line: str
) -> None:
    assert detail_of(TraceStep(step, outcome, "", "KUG", facts)) == line
