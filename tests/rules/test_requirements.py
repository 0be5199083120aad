"""The OS floors: what the packaged file says, what an operator may write, every fault named."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eligibility.errors import InvalidSettings
from eligibility.rules.requirements import Floor, load_requirements, parse_requirements
from eligibility.windows.versions import parse_os_version, version_text

PACKAGED = load_requirements()
MINIMAL = '[flight]\n"*" = "any"\n[private_audience]\n"*" = "any"\n[rollout]\n"*" = "any"\n'


@pytest.mark.parametrize(
    ("rule", "family", "version", "floor"),
    [
        ("flight", "Windows.Desktop", "10.0.10585.65535", Floor.BELOW),
        ("flight", "Windows.Desktop", "10.0.10586", Floor.MET),
        ("flight", "Windows.Desktop", "6.3.9600", Floor.BELOW),
        ("flight", "Windows.Xbox", "10.0.10240", Floor.MET),
        ("flight", "Windows.Mobile", "10.0.15063", Floor.UNSUPPORTED),
        ("flight", "Windows.Holographic", "10.0.22621", Floor.UNSUPPORTED),
        ("private_audience", "Windows.Desktop", "10.0.14392.65535", Floor.BELOW),
        ("private_audience", "Windows.Desktop", "10.0.14393", Floor.MET),
        ("private_audience", "Windows.Xbox", "10.0.14392", Floor.BELOW),
        ("private_audience", "Windows.IoT", "10.0.14393", Floor.MET),
        ("private_audience", "Windows.Foo", "10.0.22621", Floor.UNSUPPORTED),
        ("rollout", "Windows.Desktop", "10.0.10585.1", Floor.BELOW),
        ("rollout", "Windows.Desktop", "10.0.10586", Floor.MET),
        ("rollout", "Windows.Xbox", "10.0.10240", Floor.MET),
        ("rollout", "Windows.Team", "10.0.22621", Floor.UNSUPPORTED),
    ],
)
def test_the_packaged_floors(rule: str, family: str, version: str, floor: Floor) -> None:
    assert getattr(PACKAGED, rule).check(family, parse_os_version(version)) is floor


def test_a_rollout_concerns_existing_installs_unless_told_otherwise() -> None:
    assert PACKAGED.rollout_applies_to == "existing_installs"
    told = parse_requirements(MINIMAL + 'applies_to = "everyone"\n', "file")
    assert told.rollout_applies_to == "everyone"


def test_an_operator_adds_a_family_without_code() -> None:
    text = MINIMAL.replace('[flight]\n"*" = "any"', '[flight]\n"Mobile" = ">=10.0.10586.63"')
    rule = parse_requirements(text, "file").flight
    assert rule.check("Windows.Mobile", parse_os_version("10.0.10586.62")) is Floor.BELOW
    assert rule.check("Windows.Mobile", parse_os_version("10.0.10586.63")) is Floor.MET
    assert rule.check("Windows.Desktop", parse_os_version("10.0.22631")) is Floor.UNSUPPORTED
    minimum = rule.minimum("Windows.Mobile")
    assert minimum is not None
    assert version_text(minimum) == "10.0.10586.63"


def test_a_specifier_may_have_an_upper_end() -> None:
    text = MINIMAL.replace('[flight]\n"*" = "any"', '[flight]\n"*" = ">=10.0.10586,<10.0.26100"')
    rule = parse_requirements(text, "file").flight
    assert rule.check("Windows.Desktop", parse_os_version("26100")) is Floor.BELOW
    assert rule.check("Windows.Desktop", parse_os_version("10.0.26099")) is Floor.MET


def test_a_rule_tells_its_families_and_a_floor_without_minimum() -> None:
    assert PACKAGED.flight.families() == ("Windows.Desktop", "Windows.Xbox")
    assert PACKAGED.flight.minimum("Windows.Xbox") is None
    assert PACKAGED.flight.minimum("Windows.Mobile") is None


@pytest.mark.parametrize(
    ("change", "loc", "code"),
    [
        (("[flight]", "[flights]"), "flights", "UNKNOWN_RULE"),
        (("[flight]", "[flights]"), "flight", "MISSING_RULE"),
        (('[flight]\n"*"', '[flight]\n"Windows.Foo"'), "flight.Windows.Foo", "UNKNOWN_FAMILY"),
        (('[flight]\n"*"', '[flight]\n"Zune"'), "flight.Zune", "UNKNOWN_FAMILY"),
        (
            ('[flight]\n"*"', '[flight]\napplies_to = "x"\n"*"'),
            "flight.applies_to",
            "UNKNOWN_FAMILY",
        ),
        (('[flight]\n"*" = "any"', '[flight]\n"*" = "10586"'), "flight.*", "BAD_SPECIFIER"),
        (('[flight]\n"*" = "any"', '[flight]\n"*" = ">=ten"'), "flight.*", "BAD_SPECIFIER"),
        (('[flight]\n"*" = "any"', '[flight]\n"*" = ""'), "flight.*", "BAD_SPECIFIER"),
        (('[flight]\n"*" = "any"', '[flight]\n"*" = ">=11.0.22000"'), "flight.*", "BAD_SPECIFIER"),
        (('[flight]\n"*" = "any"', '[flight]\n"*" = "==22631.*"'), "flight.*", "BAD_SPECIFIER"),
        (('[flight]\n"*" = "any"', '[flight]\n"*" = "~=15.0"'), "flight.*", "BAD_SPECIFIER"),
        (('[flight]\n"*" = "any"', '[flight]\n"*" = 10586'), "flight.*", "WRONG_TYPE"),
        (('[flight]\n"*" = "any"', "[flight]"), "flight", "EMPTY_RULE"),
        (
            ('[flight]\n"*"', '[flight]\nXbox = "any"\n"Xbox One"'),
            "flight.Xbox One",
            "DUPLICATE_FAMILY",
        ),
        (
            ('[rollout]\n"*"', '[rollout]\napplies_to = "all"\n"*"'),
            "rollout.applies_to",
            "WRONG_VALUE",
        ),
        (('[flight]\n"*" = "any"', ""), "flight", "MISSING_RULE"),
    ],
)
def test_a_fault_is_named_with_its_file_and_key(
    change: tuple[str, str], loc: str, code: str
) -> None:
    with pytest.raises(InvalidSettings) as caught:
        parse_requirements(MINIMAL.replace(*change), "floors.toml")
    assert "floors.toml" in str(caught.value)
    assert (loc, code) in [(fault.loc, fault.code) for fault in caught.value.faults]


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(InvalidSettings) as caught:
        parse_requirements('[flight]\nZune = "any"\n[other]\n', "floors.toml")
    assert {fault.code for fault in caught.value.faults} == {
        "UNKNOWN_FAMILY",
        "UNKNOWN_RULE",
        "MISSING_RULE",
    }


@pytest.mark.parametrize("content", [b"[flight", b"\xff\xfe"])
def test_a_file_that_is_not_toml_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "floors.toml"
    path.write_bytes(content)
    with pytest.raises(InvalidSettings, match="floors"):
        load_requirements(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match="missing"):
        load_requirements(tmp_path / "missing.toml")


@given(st.integers(1, 65_535), st.integers(0, 65_535), st.integers(0, 65_535))
def test_a_higher_build_never_loses_a_floor(lower: int, raise_by: int, revision: int) -> None:
    higher = min(65_535, lower + raise_by)
    for rule in (PACKAGED.flight, PACKAGED.private_audience, PACKAGED.rollout):
        below = rule.check("Windows.Desktop", parse_os_version(f"10.0.{lower}.{revision}"))
        above = rule.check("Windows.Desktop", parse_os_version(f"10.0.{higher}.{revision}"))
        assert not (below is Floor.MET and above is not Floor.MET)
