"""Products, queries and memberships of a small vocabulary, so that bounds and clashes are frequent.

Everything is a plain JSON body; products are valid ones.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

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

T = TypeVar("T")


def mostly(usual: T, *others: T) -> st.SearchStrategy[T]:
    """The usual value in five of six draws: a decision that everything blocks shows little."""
    return st.sampled_from([usual] * 5 * len(others) + list(others))


os_versions = st.sampled_from(BUILDS).map("10.0.{}".format)
package_versions = st.sampled_from(("1.0.0.0", "1.1.0.0", "2.0.0.0", "10.0.0.0"))
groups = st.lists(st.sampled_from(GROUPS), min_size=1, max_size=3, unique=True)
moments = mostly(None, *((NOW + timedelta(seconds=s)).isoformat() for s in (-3_600, 0, 1, 3_600)))
EVERYWHERE = {"Windows.Universal": "10.0.10240.0", "Windows.Xbox": "10.0.10240.0"}
target_families = st.sampled_from((*FAMILIES, "Windows.Universal", "Windows.Desktop"))


@st.composite
def packages(draw: st.DrawFn, min_size: int = 0) -> list[Body]:
    """Up to three packages, no two of one version and architecture."""
    drawn = draw(
        st.lists(
            st.fixed_dictionaries(
                {
                    "version": package_versions,
                    "architectures": mostly(["neutral"], ["x64"], ["x64", "arm64"])
                    | st.lists(
                        st.sampled_from((*ARCHITECTURES, "neutral")),
                        min_size=1,
                        max_size=3,
                        unique=True,
                    ),
                    "targets": st.just(EVERYWHERE)
                    | st.dictionaries(target_families, os_versions, min_size=1, max_size=3),
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
        "status": mostly("in_progress", "halted", "finalized"),
        "newest_on_manual_check": st.booleans(),
        "previous_packages": packages(min_size=1),
    }
)
submissions = st.fixed_dictionaries(
    {
        "audience": st.sampled_from(("public", "private")),
        "audience_groups": groups,
        "public_at": moments,
        "discoverability": mostly("searchable", "link_only", "stop_acquisition"),
        "device_families": mostly(None, ["Windows.Desktop"], ["Windows.Universal"])
        | st.lists(target_families, max_size=3, unique=True),
        "packages": packages(min_size=1) | packages(),
        "rollout": rollouts,
    }
)
flights = st.fixed_dictionaries(
    {
        "groups": groups,
        "publish_at": moments,
        "packages": packages(min_size=1) | packages(),
        "rollout": rollouts,
    }
)


@st.composite
def products(draw: st.DrawFn) -> Body:
    """A valid product with up to three flights."""
    drawn = draw(st.lists(flights, max_size=3))
    return {
        "name": "App",
        "availability": draw(mostly("available", "unavailable")),
        "markets": draw(mostly(None, ["US", "DE"], [])),
        "submission": draw(submissions),
        "flights": [
            flight | {"flight_id": f"f{number}", "name": f"Flight {number}"}
            for number, flight in enumerate(drawn)
        ],
    }


devices = st.fixed_dictionaries(
    {
        "family": mostly("Windows.Desktop", *FAMILIES),
        "os_version": mostly("10.0.22000.0", "10.0.26100.0") | os_versions,
        "architecture": mostly("x64", None, *ARCHITECTURES),
    }
)
signed_in = st.fixed_dictionaries(
    {"id": st.sampled_from(ACCOUNTS), "kind": mostly("microsoft", "work_or_school")}
)
accounts = st.one_of(signed_in, signed_in, st.none())
queries = st.fixed_dictionaries(
    {
        "product_id": st.just(PRODUCT_ID),
        "account": accounts,
        "device": devices,
        "installed_version": package_versions | st.none(),
        "owned": st.booleans(),
        "market": st.sampled_from((None, "US", "US", "FR")),
        "promotional_code": st.booleans(),
        "manual_check": st.booleans(),
    }
)
memberships = st.sets(st.sampled_from(GROUPS), min_size=1) | st.sets(st.sampled_from(GROUPS))
