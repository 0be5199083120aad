"""Products, queries and memberships of a small vocabulary, so that bounds and clashes are frequent.

Everything is a plain JSON body; products are valid ones.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st

Body = dict[str, Any]

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
GROUPS = ("g1", "g2", "g3", "g4")
FAMILIES = tuple(
    f"Windows.{name}" for name in ("Desktop", "Xbox", "Mobile", "Holographic", "Team", "Foo")
)
ARCHITECTURES = ("arm64", "x64", "x86", "arm")
BUILDS = (
    "10240.0",
    "10585.65535",
    "10586.0",
    "14392.65535",
    "14393.0",
    "17763.0",
    "21999.65535",
    "22000.0",
    "26099.65535",
    "26100.0",
    "28000.0",
)
ACCOUNTS = tuple(f"t{number}@example.com" for number in range(12))
PRODUCT_ID = "APP"

os_versions = st.sampled_from(BUILDS).map("10.0.{}".format)
package_versions = st.sampled_from(("1.0.0.0", "1.1.0.0", "2.0.0.0", "10.0.0.0"))
groups = st.lists(st.sampled_from(GROUPS), min_size=1, max_size=3, unique=True)
moments = st.sampled_from(
    [None, *((NOW + timedelta(seconds=s)).isoformat() for s in (-3_600, 0, 1, 3_600))]
)
target_families = st.sampled_from((*FAMILIES, "Windows.Universal", "Windows.Desktop"))


@st.composite
def packages(draw: st.DrawFn, min_size: int = 0) -> list[Body]:
    """Up to three packages, no two of one version and architecture."""
    drawn = draw(
        st.lists(
            st.fixed_dictionaries(
                {
                    "version": package_versions,
                    "architectures": st.lists(
                        st.sampled_from((*ARCHITECTURES, "neutral")),
                        min_size=1,
                        max_size=3,
                        unique=True,
                    ),
                    "targets": st.dictionaries(
                        target_families, os_versions, min_size=1, max_size=3
                    ),
                }
            ),
            min_size=min_size,
            max_size=3,
        )
    )
    kept: list[Body] = []
    taken: set[tuple[str, str]] = set()
    for number, package in enumerate(drawn):
        claims = {(str(package["version"]), str(name)) for name in package["architectures"]}
        if not claims & taken:
            taken |= claims
            kept.append(package | {"file_name": f"{number}.msix"})
    return kept


rollouts = st.none() | st.fixed_dictionaries(
    {
        "percentage": st.sampled_from((0, 10, 25.5, 50, 99.99, 100)),
        "status": st.sampled_from(("in_progress", "in_progress", "halted", "finalized")),
        "newest_on_manual_check": st.booleans(),
        "previous_packages": packages(min_size=1),
    }
)
submissions = st.fixed_dictionaries(
    {
        "audience": st.sampled_from(("public", "private")),
        "audience_groups": groups,
        "public_at": moments,
        "discoverability": st.sampled_from(
            ("searchable", "searchable", "link_only", "stop_acquisition")
        ),
        "device_families": st.none() | st.lists(target_families, max_size=3, unique=True),
        "packages": packages(),
        "rollout": rollouts,
    }
)
flights = st.fixed_dictionaries(
    {"groups": groups, "publish_at": moments, "packages": packages(), "rollout": rollouts}
)


@st.composite
def products(draw: st.DrawFn) -> Body:
    """A valid product with up to three flights."""
    drawn = draw(st.lists(flights, max_size=3))
    return {
        "name": "App",
        "availability": draw(st.sampled_from(("available", "available", "unavailable"))),
        "markets": draw(st.none() | st.just(["US", "DE"]) | st.just([])),
        "submission": draw(submissions),
        "flights": [
            flight | {"flight_id": f"f{number}", "name": f"Flight {number}"}
            for number, flight in enumerate(drawn)
        ],
    }


devices = st.fixed_dictionaries(
    {
        "family": st.sampled_from((*FAMILIES, "Windows.Desktop", "Windows.Desktop")),
        "os_version": os_versions,
        "architecture": st.none() | st.sampled_from(ARCHITECTURES),
    }
)
accounts = st.none() | st.fixed_dictionaries(
    {
        "id": st.sampled_from(ACCOUNTS),
        "kind": st.sampled_from(("microsoft", "microsoft", "microsoft", "work_or_school")),
    }
)
queries = st.fixed_dictionaries(
    {
        "product_id": st.just(PRODUCT_ID),
        "account": accounts,
        "device": devices,
        "installed_version": st.none() | package_versions,
        "owned": st.booleans(),
        "market": st.sampled_from((None, "US", "FR")),
        "promotional_code": st.booleans(),
        "manual_check": st.booleans(),
    }
)
memberships = st.sets(st.sampled_from(GROUPS))
