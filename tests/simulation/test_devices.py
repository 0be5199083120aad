"""Devices to simulate: presets of what there is, files, and devices written out."""

from collections import Counter
from pathlib import Path

import pytest

from eligibility.access.model import Device
from eligibility.errors import InvalidInput
from eligibility.explain.device_names import device_name
from eligibility.simulation.inputs.devices import read_devices
from eligibility.windows.releases import facts
from eligibility.windows.versions import is_known_family, release_name

PRESETS = tuple(facts().presets)


def refused(text: str) -> list[tuple[str, str, str]]:
    with pytest.raises(InvalidInput) as caught:
        read_devices(text)
    return [(fault.loc, fault.code, fault.detail) for fault in caught.value.faults]


def names(text: str) -> list[str]:
    return [one.name for one in read_devices(text)]


# --- presets ---


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_has_each_device_once_under_a_name_of_its_own(preset: str) -> None:
    found = read_devices(preset)
    assert found
    assert set(Counter(one.device for one in found).values()) == {1}
    assert set(Counter(one.name for one in found).values()) == {1}


@pytest.mark.parametrize("preset", PRESETS)
def test_every_device_of_a_preset_is_one_that_a_query_could_name(preset: str) -> None:
    for named in read_devices(preset):
        device = named.device
        assert device == Device.parse(device.family, device.os_version, device.architecture)
        assert is_known_family(device.family)
        release = release_name(device.version)
        assert release
        assert named.name == device_name(device, release)


def test_the_preset_of_all_has_every_release_of_every_family() -> None:
    found = {one.device for one in read_devices("all")}
    assert {one.family for one in found} == set(facts().devices)
    assert all(one.device in found for preset in PRESETS for one in read_devices(preset))
    builds = {one.version.release[2] for one in found}
    assert builds == {release.build for release in facts().releases}


def test_windows_11_has_no_32_bit_edition() -> None:
    ten, eleven = names("windows-10"), names("windows-11")
    assert "Windows 10 22H2, x86" in ten
    assert "Windows 11 24H2, x64" in eleven
    assert not [one for one in eleven if one.endswith("x86")]
    assert sorted(ten + eleven) == sorted(names("desktop"))


def test_what_is_no_desktop_is_named_by_its_family() -> None:
    assert "Xbox 10 1809, x64" in names("xbox")


def test_presets_add_up_and_no_device_comes_twice() -> None:
    assert names("desktop, xbox") == names("flights")
    assert names("desktop,desktop") == names("desktop")


# --- written out ---


def test_a_device_written_out_is_read_as_a_query_is() -> None:
    (one,) = read_devices("Xbox/1809/x64")
    assert one.name == "Xbox/1809/x64"
    assert one.device == Device("Windows.Xbox", "10.0.17763.0", "x64")


def test_the_architecture_may_be_left_out() -> None:
    (one,) = read_devices("Desktop/Windows 11 22H2")
    assert one.device == Device("Windows.Desktop", "10.0.22621.0")


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        ("Toaster/1809", "UNREADABLE_FAMILY", "`Toaster/1809`: `Toaster`"),
        ("Desktop/22H2", "AMBIGUOUS_OS_VERSION", "write Windows 10 22H2 or Windows 11 22H2"),
        ("Desktop/1809/mips", "UNREADABLE_ARCHITECTURE", "`mips`"),
    ],
)
def test_a_device_that_cannot_be_read_is_named(text: str, code: str, said: str) -> None:
    ((loc, found, detail),) = refused(text)
    assert (loc, found) == ("--devices", code)
    assert said in detail


# --- what is none of these ---


@pytest.mark.parametrize(
    ("text", "meant"),
    [("desktp", "desktop"), ("Desktop", "desktop"), ("window-11", "windows-11"), ("x-box", "xbox")],
)
def test_a_misspelt_preset_is_named_with_what_was_meant(text: str, meant: str) -> None:
    ((loc, code, detail),) = refused(text)
    assert (loc, code) == ("--devices", "UNKNOWN_DEVICES")
    assert f"`{text}` is neither a preset" in detail
    assert f"did you mean `{meant}`?" in detail
    assert all(preset in detail for preset in PRESETS)


def test_everything_wrong_is_told_at_once() -> None:
    assert [code for _, code, _ in refused("desktp,xbox,Desktop/22H2,toasters.csv")] == [
        "UNKNOWN_DEVICES",
        "AMBIGUOUS_OS_VERSION",
        "UNKNOWN_DEVICES",
    ]


@pytest.mark.parametrize("text", ["", " , ,"])
def test_no_device_at_all_is_refused(text: str) -> None:
    ((_, code, detail),) = refused(text)
    assert code == "NO_DEVICES"
    assert f"`{text}` names no device; presets are desktop" in detail


# --- files ---


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    return tmp_path / "lab.csv"


def test_a_file_names_its_devices(lab: Path) -> None:
    lab.write_text(
        "name,family,os_version,architecture\n"
        "Old laptop,Desktop,1607,x86\n"
        ",Xbox One,10.0.19041.0,\n"
    )
    laptop, console = read_devices(str(lab))
    assert (laptop.name, laptop.device) == (
        "Old laptop",
        Device("Windows.Desktop", "10.0.14393.0", "x86"),
    )
    assert (console.name, console.device) == (
        "Xbox One/10.0.19041.0",
        Device("Windows.Xbox", "10.0.19041.0"),
    )


def test_a_file_from_a_spreadsheet_is_read(lab: Path) -> None:
    lab.write_bytes("OS Version;Family\r\n24H2;Desktop\r\n".encode("utf-16"))
    (one,) = read_devices(f"{lab}")
    assert one.device == Device("Windows.Desktop", "10.0.26100.0")


def test_a_file_and_a_preset_add_up(lab: Path) -> None:
    lab.write_text("name,family,os_version\nThe one in the hall,Team,1809\n")
    assert names(f"xbox,{lab}") == [*names("xbox"), "The one in the hall"]


def test_every_bad_row_is_named_with_file_line_and_value(lab: Path) -> None:
    lab.write_text("family,os_version,architecture\nDesktop,1607,x64\nToaster,9,\nXbox,,mips\n")
    found = refused(str(lab))
    assert [(loc, code) for loc, code, _ in found] == [
        (f"{lab}:3", "UNREADABLE_FAMILY"),
        (f"{lab}:3", "UNREADABLE_OS_VERSION"),
        (f"{lab}:4", "UNREADABLE_OS_VERSION"),
        (f"{lab}:4", "UNREADABLE_ARCHITECTURE"),
    ]
    assert "`Toaster`" in found[0][2]
    assert found[0][2].startswith("family: ")


@pytest.mark.parametrize(
    ("text", "line", "code", "said"),
    [
        ("famly,os_version\n", ":1", "UNKNOWN_COLUMN", "did you mean `family`?"),
        ("family,name\n", ":1", "MISSING_COLUMN", "`os_version` is missing"),
        ("family,os_version,family\n", ":1", "DUPLICATE_COLUMN", "`family` twice"),
        (
            "family,os_version\nXbox,1809,x64\n",
            ":2",
            "TOO_MANY_CELLS",
            "has 3 cells, but the header has 2",
        ),
        ("", "", "EMPTY_FILE", "columns are name, family, os_version, architecture"),
    ],
)
def test_what_is_wrong_with_a_file_is_told(
    lab: Path, text: str, line: str, code: str, said: str
) -> None:
    lab.write_text(text)
    found = refused(str(lab))
    assert (f"{lab}{line}", code) in [one[:2] for one in found]
    assert said in " ".join(detail for _, _, detail in found)


def test_a_file_with_a_header_alone_names_no_device(lab: Path) -> None:
    lab.write_text("family,os_version\n")
    ((_, code, detail),) = refused(str(lab))
    assert code == "NO_DEVICES"
    assert f"`{lab}`" in detail


def test_a_file_of_another_kind_is_not_read_to_its_end(lab: Path) -> None:
    lab.write_text("family,os_version\n" + "Toaster,1809\n" * 5_000)
    found = refused(str(lab))
    assert len(found) == 1_001
    assert found[-1][:2] == (f"{lab}:1001", "TOO_MANY_FAULTS")


def test_a_file_of_another_encoding_is_refused(lab: Path) -> None:
    lab.write_bytes("name,family,os_version\nBüro,Desktop,1809\n".encode("latin-1"))
    ((loc, code, detail),) = refused(str(lab))
    assert (loc, code) == (f"{lab}:2", "NOT_TEXT")
    assert "CSV UTF-8" in detail


def test_two_devices_of_a_file_cannot_have_one_name(lab: Path) -> None:
    """They would be told apart by nothing in a grid."""
    lab.write_text("name,family,os_version\nMine,Desktop,1809\nMine,Xbox,1809\n")
    ((loc, code, detail),) = refused(str(lab))
    assert (loc, code) == ("--devices", "DUPLICATE_DEVICE_NAME")
    assert "`Mine`" in detail
