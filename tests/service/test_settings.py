"""Settings: what wins over what, where each comes from, and every fault named at once."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from eligibility.access.codes import AccountKind
from eligibility.callers.issuers import AccountIssuer, CallerIssuer
from eligibility.callers.model import Scope
from eligibility.callers.provider import SignInProvider
from eligibility.errors import InvalidSettings
from eligibility.service.settings import Settings
from eligibility.service.settings_sources import load_settings
from tests.helpers.repository import ROOT


def test_without_anything_the_packaged_defaults_hold() -> None:
    loaded = load_settings({})
    assert loaded.settings.host == "127.0.0.1"
    assert loaded.settings.port == 8080
    assert loaded.settings.max_staleness_seconds == 1_800
    assert loaded.origins["port"] == "packaged default"
    assert loaded.settings.store.startswith("sqlite:///")
    assert loaded.settings.store.endswith("eligibility.db")


def test_command_line_over_environment_over_file_over_default(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("port = 1\nworkers = 2\nmax_body_bytes = 2000\n")
    environ = {
        "ELIGIBILITY_SETTINGS": str(file),
        "ELIGIBILITY_PORT": "3",
        "ELIGIBILITY_WORKERS": "4",
        "HOME": "/elsewhere",
    }
    loaded = load_settings(environ, {"port": 5, "host": None})
    settings, origins = loaded.settings, loaded.origins
    assert (settings.port, settings.workers, settings.max_body_bytes) == (5, 4, 2000)
    assert (origins["port"], origins["workers"]) == ("command line", "environment")
    assert origins["max_body_bytes"] == f"file {file}"
    assert origins["host"] == "packaged default"


@pytest.mark.parametrize(
    ("environ", "loc", "code"),
    [
        ({"ELIGIBILITY_PORT": "http"}, "port", "WRONG_VALUE"),
        ({"ELIGIBILITY_PORT": "65536"}, "port", "WRONG_VALUE"),
        ({"ELIGIBILITY_WORKERS": "0"}, "workers", "WRONG_VALUE"),
        ({"ELIGIBILITY_COLOUR": "red"}, "colour", "UNKNOWN_SETTING"),
        ({"ELIGIBILITY_STORE": "eligibility.db"}, "store", "WRONG_VALUE"),
    ],
)
def test_a_fault_is_named_with_its_setting(environ: dict[str, str], loc: str, code: str) -> None:
    with pytest.raises(InvalidSettings) as caught:
        load_settings(environ)
    (fault,) = caught.value.faults
    assert (fault.loc, fault.code) == (loc, code)
    assert "environment" in fault.detail


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(InvalidSettings) as caught:
        load_settings({"ELIGIBILITY_PORT": "x", "ELIGIBILITY_WORKERS": "y"})
    assert [fault.loc for fault in caught.value.faults] == ["port", "workers"]


def test_networks_of_proxies_come_from_the_environment_of_the_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also by os.environ itself, whose lists are separated by commas."""
    monkeypatch.setenv("ELIGIBILITY_TRUSTED_PROXIES", "10.1.0.0/16, 10.2.0.7,fd00::/8")
    networks = [str(one) for one in load_settings(os.environ).settings.trusted_proxies]
    assert networks == ["10.1.0.0/16", "10.2.0.7/32", "fd00::/8"]
    monkeypatch.setenv("ELIGIBILITY_TRUSTED_PROXIES", "10.1.0.0/16,everybody")
    with pytest.raises(InvalidSettings, match=r"trusted_proxies\.1: .*\(environment\)"):
        load_settings(os.environ)
    assert Settings().trusted_proxies == ()


@pytest.mark.parametrize("content", ["port = ", None])
def test_a_settings_file_that_cannot_be_read_is_refused(
    tmp_path: Path, content: str | None
) -> None:
    file = tmp_path / "settings.toml"
    if content is not None:
        file.write_text(content)
    with pytest.raises(InvalidSettings, match="settings"):
        load_settings({"ELIGIBILITY_SETTINGS": str(file)})


# --- issuers ---

ISSUER = {"issuer": "https://a.test", "jwks_url": "https://a.test/keys", "audience": "api"}


def test_issuers_are_tables_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    file.write_text("""
[[issuers]]
issuer = "https://login.contoso.test"
jwks_url = "https://login.contoso.test/keys"
audience = ["api://eligibility", "api://store"]
algorithms = "ES256"
scopes = {"Store.Backend" = ["access:query", "access:assert"], "Metrics" = "metrics"}

[[account_issuers]]
issuer = "https://login.microsoftonline.com/{tenant}/v2.0"
jwks_url = "https://login.microsoftonline.com/common/discovery/v2.0/keys"
audience = "store-app"
verified_claim = "xms_edov"

[[account_issuers]]
issuer = "https://login.contoso.test"
jwks_url = "http://127.0.0.1:8000/keys"
audience = "store-app"
kind = "microsoft"
leeway_seconds = 0
""")
    settings = load_settings({}, file=file).settings
    (caller,) = settings.issuers
    assert caller.audience == ("api://eligibility", "api://store")
    assert (caller.algorithms, caller.leeway_seconds) == (("ES256",), 60)
    assert caller.scope_claims == ("scope", "scp")
    assert caller.scopes == {
        "Store.Backend": (Scope.QUERY, Scope.ASSERT),
        "Metrics": (Scope.METRICS,),
    }
    many, one = settings.account_issuers
    assert (many.algorithms, many.verified_claim, many.kind) == (("RS256",), "xms_edov", None)
    assert (one.audience, one.kind, one.leeway_seconds) == (
        ("store-app",),
        AccountKind.MICROSOFT,
        0,
    )
    assert settings.shown()["issuers"][0]["scopes"]["Metrics"] == ["metrics"]


def test_issuers_come_from_the_environment_as_json() -> None:
    loaded = load_settings(
        {
            "ELIGIBILITY_ISSUERS": json.dumps([ISSUER]),
            "ELIGIBILITY_ACCOUNT_ISSUERS": json.dumps([{**ISSUER, "audience": "app"}]),
        }
    )
    assert loaded.settings.issuers[0].issuer == loaded.settings.account_issuers[0].issuer
    assert loaded.origins["issuers"] == loaded.origins["account_issuers"] == "environment"
    default = load_settings({}).settings
    assert not default.issuers
    assert not default.account_issuers


@pytest.mark.parametrize(
    ("change", "loc", "code"),
    [
        ({"colour": "red"}, "colour", "UNKNOWN_SETTING"),
        ({"issuer": ""}, "issuer", "WRONG_VALUE"),
        ({"issuer": "https://a.test /b"}, "issuer", "WRONG_VALUE"),
        ({"jwks_url": "http://a.test/keys"}, "jwks_url", "WRONG_VALUE"),
        ({"jwks_url": "http://127.0.0.1.a.test/keys"}, "jwks_url", "WRONG_VALUE"),
        ({"jwks_url": "http://localhost@a.test/keys"}, "jwks_url", "WRONG_VALUE"),
        ({"jwks_url": "file:///etc/keys"}, "jwks_url", "WRONG_VALUE"),
        ({"jwks_url": "https:///keys"}, "jwks_url", "WRONG_VALUE"),
        ({"audience": []}, "audience", "WRONG_VALUE"),
        ({"audience": ["a", "a"]}, "audience", "WRONG_VALUE"),
        ({"audience": [""]}, "audience.0", "WRONG_VALUE"),
        ({"algorithms": ["HS256"]}, "algorithms.0", "WRONG_VALUE"),
        ({"algorithms": ["RS256", "none"]}, "algorithms.1", "WRONG_VALUE"),
        ({"algorithms": []}, "algorithms", "WRONG_VALUE"),
        ({"leeway_seconds": 301}, "leeway_seconds", "WRONG_VALUE"),
        ({"leeway_seconds": -1}, "leeway_seconds", "WRONG_VALUE"),
    ],
)
@pytest.mark.parametrize("setting", ["issuers", "account_issuers"])
def test_a_fault_of_an_issuer_is_named_with_its_place(
    setting: str, change: dict[str, Any], loc: str, code: str
) -> None:
    sent = json.dumps([{**ISSUER, "issuer": "https://b.test"}, {**ISSUER, **change}])
    with pytest.raises(InvalidSettings) as caught:
        load_settings({f"ELIGIBILITY_{setting.upper()}": sent})
    (fault,) = caught.value.faults
    assert (fault.loc, fault.code) == (f"{setting}.1.{loc}", code)
    assert "environment" in fault.detail


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/keys", "http://[::1]/keys", "http://localhost/keys"]
)
def test_keys_may_come_from_loopback_without_tls(url: str) -> None:
    sent = json.dumps([{**ISSUER, "jwks_url": url}])
    assert load_settings({"ELIGIBILITY_ISSUERS": sent}).settings.issuers[0].jwks_url == url


@pytest.mark.parametrize(
    ("issuers", "account_issuers", "loc", "detail"),
    [
        ([ISSUER, ISSUER], [], "issuers", "is listed twice"),
        ([ISSUER, {**ISSUER, "audience": "other"}], [], "issuers", "is listed twice"),
        ([], [ISSUER, ISSUER], "account_issuers", "is listed twice"),
        ([ISSUER], [{**ISSUER, "audience": ["b", "api"]}], "account_issuers", "`api`"),
        (
            [ISSUER],
            [{**ISSUER, "issuer": "https://{tenant}"}],
            "account_issuers",
            "`api`",
        ),
        ([{**ISSUER, "issuer": "https://{tenant}"}], [], "issuers.0", "every tenant"),
        (
            [],
            [{**ISSUER, "issuer": "https://{tenant}", "kind": "microsoft"}],
            "account_issuers.0",
            "cannot set `kind`",
        ),
        ([], [{**ISSUER, "issuer": "https://{tenant}/{tenant}"}], "account_issuers.0", "only once"),
        ([{**ISSUER, "scopes": {"a": "root"}}], [], "issuers.0.scopes.a.0", "access:query"),
        ("[", [], "issuers", "JSON"),
        ({}, [], "issuers", "must be a list"),
    ],
)
def test_issuers_that_cannot_be_told_apart_or_trusted_are_refused(
    issuers: Any, account_issuers: Any, loc: str, detail: str
) -> None:
    sent = issuers if isinstance(issuers, str) else json.dumps(issuers)
    with pytest.raises(InvalidSettings) as caught:
        load_settings(
            {
                "ELIGIBILITY_ISSUERS": sent,
                "ELIGIBILITY_ACCOUNT_ISSUERS": json.dumps(account_issuers),
            }
        )
    (fault,) = caught.value.faults
    assert (fault.loc, fault.code) == (loc, "WRONG_VALUE")
    assert detail in fault.detail


def test_all_faults_of_issuers_are_named_at_once() -> None:
    sent = json.dumps([{**ISSUER, "algorithms": ["none"], "audience": []}, {}])
    with pytest.raises(InvalidSettings) as caught:
        load_settings({"ELIGIBILITY_ISSUERS": sent, "ELIGIBILITY_PORT": "x"})
    assert {fault.loc for fault in caught.value.faults} == {
        "port",
        "issuers.0.algorithms.0",
        "issuers.0.audience",
        "issuers.1.issuer",
        "issuers.1.jwks_url",
        "issuers.1.audience",
    }


def test_the_issuers_of_the_docs_can_be_used(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "security.md").read_text("utf-8")
    examples = re.findall(r"^```toml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    file = tmp_path / "settings.toml"
    read = 0
    for example in examples:
        file.write_text(example)
        settings = load_settings({}, file=file).settings
        read += len(settings.issuers) + len(settings.account_issuers)
        read += settings.dashboard_provider is not None
    assert read == 6


@pytest.mark.parametrize(
    ("model", "title"),
    [
        (CallerIssuer, "Tokens of callers"),
        (AccountIssuer, "Accounts"),
        (SignInProvider, "The dashboard"),
    ],
)
def test_the_docs_name_every_key_of_an_issuer(model: type[BaseModel], title: str) -> None:
    page = (ROOT / "docs" / "security.md").read_text("utf-8")
    section = page.partition(f"\n## {title}\n")[2].partition("\n## ")[0]
    documented = set(
        re.findall(r"`(\w+)`", "".join(re.findall(r"^\| [^|]+ \|", section, re.MULTILINE)))
    )
    assert documented >= set(model.model_fields)


PROVIDER = {"issuer": "https://login.example", "client_id": "dashboard"}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"issuer": "http://login.example"}, "https"),
        ({"issuer": "https://login.example/{tenant}"}, "every tenant"),
        ({"ask_for": "profile"}, "openid"),
        ({"hours": 13}, "12"),
        ({"label": "a\nb"}, "line of text"),
        ({"algorithms": "HS256"}, "RS256"),
        ({"secret": "x"}, "is not a known field"),
    ],
    ids=str,
)
def test_a_provider_that_could_not_be_trusted_is_refused(wrong: dict[str, Any], words: str) -> None:
    environ = {"ELIGIBILITY_DASHBOARD_PROVIDER": json.dumps(PROVIDER | wrong)}
    with pytest.raises(InvalidSettings, match=words):
        load_settings(environ)


def test_a_provider_has_to_know_where_to_send_people_back_to() -> None:
    environ = {"ELIGIBILITY_DASHBOARD_PROVIDER": json.dumps(PROVIDER)}
    assert load_settings(environ).settings.dashboard_provider is not None
    with pytest.raises(InvalidSettings, match="needs public_url"):
        load_settings({**environ, "ELIGIBILITY_HOST": "0.0.0.0"})
    public = {"ELIGIBILITY_HOST": "0.0.0.0", "ELIGIBILITY_PUBLIC_URL": "https://store.example"}
    load_settings({**environ, **public})
