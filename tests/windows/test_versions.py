"""Windows facts: every form in which people write families, versions, releases, architectures."""

from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from eligibility.errors import InvalidInput
from eligibility.windows import versions
from eligibility.windows.releases import Release

part = st.integers(0, 65_535)


def code_of(text: str, read: Callable[[str], object]) -> str:
    with pytest.raises(InvalidInput) as caught:
        read(text)
    (fault,) = caught.value.faults
    return fault.code


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("10.0.19045.3803", "10.0.19045.3803"),
        ("10.0.19045", "10.0.19045.0"),
        ("10.0.65535.65535", "10.0.65535.65535"),
        ("6.3.9600", "6.3.9600.0"),  # Windows 8.1: a version of Windows that meets no floor
        ("6.1", "6.1.0.0"),
        ("19045.3803", "10.0.19045.3803"),  # as Settings and winver show the OS build
        ("10240.1", "10.0.10240.1"),
        ("65535.0", "10.0.65535.0"),
        ("19045", "10.0.19045.0"),
        ("10240", "10.0.10240.0"),
        ("1607", "10.0.14393.0"),
        ("Windows 10 1607", "10.0.14393.0"),
        ("windows  10   1607", "10.0.14393.0"),
        ("2004", "10.0.19041.0"),
        ("20H2", "10.0.19042.0"),
        ("24H2", "10.0.26100.0"),
        ("24h2", "10.0.26100.0"),
        ("Windows 11 24H2", "10.0.26100.0"),
        ("Windows 10 22H2", "10.0.19045.0"),
        ("Windows 11 22H2", "10.0.22621.0"),
        ("  19045 ", "10.0.19045.0"),  # blanks around are cut
        ("10.0.19045\n", "10.0.19045.0"),
        # decimal DeviceFamilyVersion, domain section 6
        ("2814750438211584", "10.0.10240.16384"),
        ("2814750460870656", "10.0.10586.0"),
        ("2814750460870718", "10.0.10586.62"),
        ("2814750460870719", "10.0.10586.63"),
        ("2814750710366208", "10.0.14393.0"),
        ("2814751015243483", "10.0.19045.3803"),
        ("2814751484156344", "10.0.26200.6584"),
    ],
)
def test_a_version_is_read_in_every_form(text: str, version: str) -> None:
    assert versions.version_text(versions.parse_os_version(text)) == version


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "ten",
        "10.",
        ".10",
        "10..0",
        "10.0.65536",
        "10.0",  # without its build
        "10.0.0",
        "10.0.0.0",
        "10.0.0.1",
        "10239.9",
        "10239.65535",
        "19045.3803.0",
        "11.0.22631",  # Windows 11 says 10.0
        "11.0",
        "15.0.0",  # a client hint of a browser
        "13.0.0",
        "10.1.19045",
        "8.1",
        "6.4",
        "5.1.2600",
        "0.0.0.0",
        "1.0.0.0",
        "65535.65535.65535.65535",
        str(1 << 48),
        str(10 << 48),  # decimal 10.0.0.0
        str(15 << 48),
        str(2**64 - 1),
        "10.0.19045.3803.1",
        "10.0.-1",
        "10,0,19045",
        "1e4",
        "0x2710",
        "-19045",
        "+19045",
        "10239",  # no build of Windows 10 is that low, and no release has that name
        "65536",
        str((1 << 48) - 1),
        str(2**64),
        "9" * 400,
        "Windows 12 25H2",
        "22H9",
        "١٩٠٤٥",
        "19045\x00",
    ],
)
def test_a_version_that_cannot_be_read_says_so(text: str) -> None:
    assert code_of(text, versions.parse_os_version) == "UNREADABLE_OS_VERSION"


@pytest.mark.parametrize(
    ("text", "both"),
    [
        ("22H2", ("Windows 10 22H2", "Windows 11 22H2")),
        ("21h2", ("Windows 10 21H2", "Windows 11 21H2")),
    ],
)
def test_a_release_of_windows_10_and_11_is_refused_naming_both(
    text: str, both: tuple[str, str]
) -> None:
    with pytest.raises(InvalidInput) as caught:
        versions.parse_os_version(text)
    (fault,) = caught.value.faults
    assert fault.code == "AMBIGUOUS_OS_VERSION"
    assert all(name in fault.detail for name in both)
    assert text in fault.detail


@given(st.integers(1, 65_535), part)
def test_the_decimal_form_is_read_back(build: int, revision: int) -> None:
    decimal = 10 << 48 | build << 16 | revision
    assert versions.parse_os_version(str(decimal)) == Version(f"10.0.{build}.{revision}")


@given(st.integers(1, 65_535), part)
def test_the_text_of_a_version_is_read_back(build: int, revision: int) -> None:
    text = f"10.0.{build}.{revision}"
    assert versions.version_text(versions.parse_os_version(text)) == text
    assert versions.version_of(text) == Version(text)


@given(st.tuples(part, part, part, part), st.integers(1, 4))
def test_numbers_are_a_version_of_windows_or_refused(numbers: tuple[int, ...], size: int) -> None:
    text = ".".join(map(str, numbers[:size]))
    with suppress(InvalidInput):
        version = versions.parse_os_version(text)
        assert version.release[:2] in {(10, 0), (6, 0), (6, 1), (6, 2), (6, 3)}


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("10.0.0.0", "10.0.0.0"),  # every version of Windows 10 and 11
        ("10.0", "10.0.0.0"),
        ("17763.1", "10.0.17763.1"),
        ("1809", "10.0.17763.0"),
    ],
)
def test_a_target_may_be_every_version(text: str, version: str) -> None:
    assert versions.canonical_target_version(text) == version


@pytest.mark.parametrize("text", ["11.0.22000", "15.0.0.0", "0.0.0.0", "22631.4602.0.0", "8.1"])
def test_a_target_is_a_version_of_windows(text: str) -> None:
    with pytest.raises(InvalidInput, match="is not a version of Windows: write"):
        versions.canonical_target_version(text)


@given(st.text(max_size=30))
def test_any_text_is_read_or_refused_never_a_crash(text: str) -> None:
    for read in (
        versions.parse_os_version,
        versions.parse_family,
        versions.parse_target_family,
        versions.parse_architecture,
        versions.parse_device_architecture,
    ):
        with suppress(InvalidInput):
            read(text)


@pytest.mark.parametrize("release", versions.releases(), ids=lambda release: release.name)
def test_every_release_is_known_both_ways(release: Release) -> None:
    assert versions.parse_os_version(release.name) == release.version
    assert versions.release_name(release.version) == release.name


def test_releases_are_ordered_by_build_not_by_name() -> None:
    builds = [release.build for release in versions.releases()]
    assert builds == sorted(builds)
    assert versions.parse_os_version("26H2") < versions.parse_os_version("26H1")


@pytest.mark.parametrize("version", ["10.0.19046.0", "6.3.9600.0", "11.0.22631.0"])
def test_a_build_between_releases_has_no_name(version: str) -> None:
    assert versions.release_name(Version(version)) is None


@pytest.mark.parametrize(
    ("text", "family"),
    [
        ("Windows.Desktop", "Windows.Desktop"),
        ("windows.DESKTOP", "Windows.Desktop"),
        ("desktop", "Windows.Desktop"),
        ("Xbox", "Windows.Xbox"),
        ("Xbox One", "Windows.Xbox"),
        (" Windows.Xbox ", "Windows.Xbox"),
        ("HoloLens", "Windows.Holographic"),
        ("Windows.IoTHeadless", "Windows.IoT"),
        ("windows.foo", "Windows.Foo"),
        ("WINDOWS.FOO", "Windows.Foo"),
    ],
)
def test_a_family_is_read_whatever_its_case(text: str, family: str) -> None:
    assert versions.parse_family(text) == family
    assert versions.is_known_family(family) == (family != "Windows.Foo")


@pytest.mark.parametrize(
    "text", ["", "Linux", "Windows", "Windows.", "Windows.A B", "Wİndows.Xbox"]
)
def test_anything_else_is_no_family(text: str) -> None:
    assert code_of(text, versions.parse_family) == "UNREADABLE_FAMILY"


def test_universal_is_a_target_of_packages_and_never_a_device() -> None:
    assert versions.parse_target_family("windows.universal") == versions.UNIVERSAL
    assert code_of("Windows.Universal", versions.parse_family) == "UNREADABLE_FAMILY"


@pytest.mark.parametrize(
    ("text", "architecture"),
    [("x64", "x64"), ("AMD64", "x64"), ("ARM64", "arm64"), ("i386", "x86"), ("Arm", "arm")],
)
def test_an_architecture_is_read_under_its_names(text: str, architecture: str) -> None:
    assert versions.parse_device_architecture(text) == architecture


def test_neutral_is_of_packages_only() -> None:
    assert versions.parse_architecture("Neutral") == "neutral"
    assert code_of("neutral", versions.parse_device_architecture) == "UNREADABLE_ARCHITECTURE"
    assert code_of("mips", versions.parse_architecture) == "UNREADABLE_ARCHITECTURE"


# Which packages run on which device; domain section 6 (ARCH, UPL).
RUNS = {
    ("Windows.Desktop", "x86", "10.0.19045"): {"x86"},
    ("Windows.Desktop", "x64", "10.0.19045"): {"x64", "x86"},
    ("Windows.Desktop", "arm64", "10.0.21999"): {"arm64", "x86", "arm"},
    ("Windows.Desktop", "arm64", "10.0.22000"): {"arm64", "x86", "x64", "arm"},
    ("Windows.Desktop", "arm64", "10.0.26099"): {"arm64", "x86", "x64", "arm"},
    ("Windows.Desktop", "arm64", "10.0.26100"): {"arm64", "x86", "x64"},
    ("Windows.Xbox", "x64", "10.0.22621"): {"x64"},
    ("Windows.Mobile", "arm", "10.0.15063"): {"arm"},
    ("Windows.Holographic", "x86", "10.0.17763"): {"x86"},
    ("Windows.Holographic", "arm64", "10.0.22621"): {"arm64", "x86"},
    ("Windows.Team", "x64", "10.0.19041"): {"x64", "x86"},
    ("Windows.IoT", "arm", "10.0.17763"): {"arm"},
    ("Windows.Foo", "x64", "10.0.22621"): {"x64"},
}


@pytest.mark.parametrize(("device", "runs"), RUNS.items(), ids=map(" ".join, RUNS))
def test_which_packages_run_where(device: tuple[str, str, str], runs: set[str]) -> None:
    family, architecture, version = device
    for package in versions.ARCHITECTURE_RANK:
        expected = package == "neutral" or package in runs
        assert versions.runs_on(package, architecture, family, Version(version)) == expected
