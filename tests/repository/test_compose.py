"""docker-compose.yml: it is a Compose file, and agrees with the image, the settings and deploy/.

No container engine is needed here. tests/repository/test_compose_running.py runs what it describes.
"""

import copy
import json
import re
from importlib.resources import files
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from eligibility.app import runner
from eligibility.cli.demo.first_start import is_loopback
from eligibility.errors import InvalidSettings
from eligibility.service.settings import Settings
from eligibility.service.settings_sources import load_settings
from groups.storage.redis_errors import RIGHTS
from groups.storage.redis_url import RedisUrl
from tests.helpers.repository import ROOT
from tests.helpers.servers.deployment import NGINX, NGINX_TLS, compose, compose_with_tls, upstreams

COMPOSE = compose()
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
EVALUATORS = sorted(name for name in SERVICES if "build" in SERVICES[name])
ENVIRONMENT: dict[str, str] = SERVICES[EVALUATORS[0]]["environment"]
IMAGE = (ROOT / "Dockerfile").read_text("utf-8")
VALKEY = (ROOT / "deploy" / "valkey.conf").read_text("utf-8")
SCHEMA = json.loads(
    files("check_jsonschema")
    .joinpath("builtin_schemas/vendor/compose-spec.json")
    .read_text("utf-8")
)


def faults(document: dict[str, Any]) -> list[str]:
    found = jsonschema.Draft202012Validator(SCHEMA).iter_errors(document)
    return [f"{fault.json_path}: {fault.message}" for fault in found]


def test_it_is_valid_by_the_compose_specification() -> None:
    assert faults(COMPOSE) == []
    assert faults(compose_with_tls()) == []


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("services", "nginx", "prots"), []),
        (("services", "nginx", "ports"), "127.0.0.1:8080:8080"),
        (("services", "nginx", "restart"), ["always"]),
        (("services", "valkey", "healthcheck", "test"), 5),
        (("services", "valkey", "deploy", "resources", "limits", "ram"), "1g"),
        (("services", "evaluator-1", "depends_on", "valkey", "condition"), "service_heathy"),
        (("networks", "store", "internal"), [True]),
        (("secrets", "store_password", "path"), "secrets/store_password"),
        (("service",), {}),
    ],
)
def test_a_mistake_in_it_would_be_found(path: tuple[str, ...], value: Any) -> None:
    broken = copy.deepcopy(COMPOSE)
    *parents, name = path
    place = broken
    for parent in parents:
        place = place[parent]
    place[name] = value
    assert faults(broken)


@pytest.mark.parametrize("document", [COMPOSE, compose_with_tls()], ids=["alone", "with TLS"])
def test_every_name_it_uses_is_declared_and_used(document: dict[str, Any]) -> None:
    services = document["services"].values()
    for kind in ("secrets", "configs", "networks"):
        used = {
            one["source"] if isinstance(one, dict) else one
            for service in services
            for one in service.get(kind, ())
        }
        assert used == set(document[kind]), kind
    volumes = [one for service in services for one in service.get("volumes", ())]
    assert {volume.partition(":")[0] for volume in volumes} == set(document["volumes"])
    for config in document["configs"].values():
        assert (ROOT / config["file"]).is_file()
    for name, secret in document["secrets"].items():
        assert secret == {"file": f"secrets/{name}"}


def test_each_waits_for_what_can_tell_that_it_is_healthy() -> None:
    for name in EVALUATORS:
        assert list(SERVICES[name]["depends_on"]) == ["valkey"]
    assert sorted(SERVICES["nginx"]["depends_on"]) == EVALUATORS
    for service in SERVICES.values():
        for awaited, how in service.get("depends_on", {}).items():
            assert how == {"condition": "service_healthy"}
            of_image = "HEALTHCHECK" in IMAGE and "build" in SERVICES[awaited]
            assert of_image or "healthcheck" in SERVICES[awaited]


def test_only_nginx_and_grafana_are_published_and_only_on_loopback() -> None:
    published = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    (listening,) = re.findall(r"listen (\d+)", NGINX)
    assert published == {
        "nginx": [f"127.0.0.1:8080:{listening}"],
        "grafana": ["127.0.0.1:3000:3000"],
    }
    assert {name for name, service in SERVICES.items() if "profiles" in service} == {
        "prometheus",
        "grafana",
    }


def test_the_file_for_tls_adds_an_encrypted_port_and_nothing_else() -> None:
    with_tls = compose_with_tls()
    nginx = with_tls["services"].pop("nginx")
    assert with_tls["services"] == {name: SERVICES[name] for name in SERVICES if name != "nginx"}
    assert with_tls["networks"] == COMPOSE["networks"]
    assert {k for k in nginx if nginx[k] != SERVICES["nginx"].get(k)} == {
        "ports",
        "configs",
        "secrets",
    }
    assert nginx["ports"] == [*SERVICES["nginx"]["ports"], "443:8443"]
    assert re.findall(r"^listen (.*?) backlog", NGINX_TLS, re.MULTILINE) == ["8443 ssl"]
    *_, config = nginx["configs"]
    (included,) = re.findall(r"^ +include (\S+);", NGINX, re.MULTILINE)
    assert Path(config["target"]).match(included)
    assert set(re.findall(r"/run/secrets/(\w+)", NGINX_TLS)) == set(nginx["secrets"])


def test_the_evaluators_believe_nginx_and_nobody_else() -> None:
    settings = load_settings({"ELIGIBILITY_STORE": "redis://a", **ENVIRONMENT}).settings
    (network,) = COMPOSE["networks"]["evaluators"]["ipam"]["config"]
    subnet, others = ip_network(network["subnet"]), ip_network(network["ip_range"])
    address = ip_address(SERVICES["nginx"]["networks"]["evaluators"]["ipv4_address"])
    assert [str(one) for one in settings.trusted_proxies] == [f"{address}/32"]
    assert address in subnet
    assert address.is_private
    assert others.subnet_of(subnet)  # type: ignore[arg-type]
    assert address not in others  # where all the others get theirs from
    for name in EVALUATORS:
        assert isinstance(SERVICES[name]["networks"], list)


def test_nginx_does_not_reach_the_store_and_nobody_else_reaches_out() -> None:
    inner = {name for name, network in COMPOSE["networks"].items() if network.get("internal")}
    assert not set(SERVICES["nginx"]["networks"]) & set(SERVICES["valkey"]["networks"])
    for name in (*EVALUATORS, "valkey", "prometheus"):
        assert set(SERVICES[name]["networks"]) <= inner


@pytest.mark.parametrize("name", SERVICES)
def test_a_container_has_no_more_rights_than_it_needs(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["restart"] == "unless-stopped"
    assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory", "pids"}
    assert service.get("user", "root") != "root" or "\nUSER eligibility" in IMAGE


@pytest.mark.parametrize("name", [name for name in SERVICES if "image" in SERVICES[name]])
def test_an_image_is_one_of_a_version_from_nowhere_in_particular(name: str) -> None:
    repository, _, tag = SERVICES[name]["image"].partition(":")
    assert re.match(r"v?\d", tag)
    assert not re.search(r"[.:]|localhost", repository)


def test_the_evaluators_are_all_the_same_and_those_that_nginx_asks() -> None:
    assert [host for host, _ in upstreams()] == EVALUATORS
    assert len(EVALUATORS) == 2
    assert SERVICES[EVALUATORS[0]] == SERVICES[EVALUATORS[1]]


def test_an_evaluators_environment_is_settings_that_open_the_store(tmp_path: Path) -> None:
    environment = dict(ENVIRONMENT)
    variable = "ELIGIBILITY_STORE_PASSWORD_FILE"
    password_file = environment[variable]
    assert password_file == "/run/secrets/store_password"
    assert Path(password_file).name in SERVICES[EVALUATORS[0]]["secrets"]
    (tmp_path / "password").write_text("secret\n")
    environment[variable] = str(tmp_path / "password")
    settings = load_settings(environment).settings
    url = RedisUrl.parse(settings.store, settings.store_password())
    assert (url.kind, url.username, url.password) == ("redis", "evaluator", "secret")
    assert url.hosts == (("valkey", int(directive("port"))),)
    with pytest.raises(InvalidSettings, match="stroe"):
        load_settings({**environment, "ELIGIBILITY_STROE": "sqlite:///a.db"})


def test_every_evaluator_listens_where_nginx_asks() -> None:
    ports = {port for _, port in upstreams()}
    assert ports == {Settings().port}
    assert f"EXPOSE {Settings().port}\n" in IMAGE
    (told,) = re.findall(r"^CMD (\[.*\])$", IMAGE, re.MULTILINE)
    assert json.loads(told) == ["eligibility", "serve", "--host", "0.0.0.0"]
    assert not is_loopback("0.0.0.0")  # so that it wants a key, and the proxy above
    assert "command" not in SERVICES[EVALUATORS[0]]


def test_the_image_has_what_any_setting_needs() -> None:
    settings = (ROOT / "eligibility" / "service" / "settings.py").read_text("utf-8")
    needed = set(re.findall(r"the extra `(\w+)`|flight-eligibility\[(\w+)\]", settings))
    extras = {first or second for first, second in needed}
    assert {"oidc", "tracing"} <= extras
    built, installed = re.findall(r"'(?:\.|flight-eligibility)\[([\w,]+)\]'$", IMAGE, re.MULTILINE)
    assert set(built.split(",")) == set(installed.split(",")) == extras


def test_a_stop_waits_for_requests_under_way() -> None:
    config = runner._config(Settings(), "any:app")
    assert config.timeout_graceful_shutdown is not None
    for name in EVALUATORS:
        assert seconds(SERVICES[name]["stop_grace_period"]) > config.timeout_graceful_shutdown
    longest = max(int(one) for one in re.findall(r"proxy_read_timeout (\d+)s", NGINX))
    assert seconds(SERVICES["nginx"]["stop_grace_period"]) > longest


def test_nginx_lets_go_of_a_connection_before_the_evaluator_does() -> None:
    (upstream,) = re.findall(r"upstream evaluators \{(.*?)\n    \}", NGINX, re.DOTALL)
    (kept,) = re.findall(r"keepalive_timeout (\d+)s", upstream)
    assert int(kept) < runner._config(Settings(), "any:app").timeout_keep_alive


def test_nginx_takes_bodies_as_large_as_the_evaluators_do() -> None:
    sizes = re.findall(r"client_max_body_size (\d+)m;", NGINX)
    mebibyte = 1 << 20
    assert {int(size) * mebibyte for size in sizes} == {
        Settings().max_body_bytes,
        Settings().max_upload_bytes,
    }


def test_the_store_keeps_every_acknowledged_edit_and_evicts_none() -> None:
    assert directive("appendonly") == "yes"
    assert directive("appendfsync") == "always"
    assert directive("maxmemory-policy") == "noeviction"
    assert SERVICES["valkey"]["volumes"] == [f"store:{directive('dir')}"]
    limit = SERVICES["valkey"]["deploy"]["resources"]["limits"]["memory"]
    assert int(limit.removesuffix("g")) >= 2 * int(directive("maxmemory").removesuffix("gb"))


def test_the_store_gives_evaluators_the_rights_they_need_and_no_dangerous_ones() -> None:
    script = (ROOT / "deploy" / "valkey.sh").read_text("utf-8")
    (given,) = re.findall(r"^user evaluator on #\S+ (.*)$", script, re.MULTILINE)
    rights = RIGHTS.replace("PREFIX", "eligibility")
    assert given == f"resetkeys resetchannels -@all {rights}"


def test_no_secret_is_in_it_or_gets_into_an_image_or_a_commit() -> None:
    for ignoring in (".gitignore", ".dockerignore"):
        assert "secrets" in (ROOT / ignoring).read_text("utf-8").replace("/", "").split()
    words = (ROOT / "docker-compose.yml").read_text("utf-8")
    assert not re.search(r"//[^/\s]*:[^/\s]*@", words)
    assert not re.search(r"\belg_|BEGIN", words)
    given = [name for service in SERVICES.values() for name in service.get("environment", ())]
    assert {name for name in given if "PASSWORD" in name} == {
        "ELIGIBILITY_STORE_PASSWORD_FILE",
        "GF_SECURITY_ADMIN_PASSWORD__FILE",
    }


def directive(name: str) -> str:
    (value,) = re.findall(rf"^{name} (\S+)", VALKEY, re.MULTILINE)
    return str(value)


def seconds(duration: str) -> int:
    return int(duration.removesuffix("s"))
