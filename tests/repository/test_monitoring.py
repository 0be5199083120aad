"""deploy/prometheus and deploy/grafana: what they name is there, and Prometheus itself understands them."""

import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from eligibility.service.service import Service
from eligibility.service.settings import Settings
from tests.helpers.catalog.products import DESKTOP, product
from tests.helpers.machine import program
from tests.helpers.repository import ROOT
from tests.helpers.servers.deployment import compose
from tests.helpers.servers.process import Server, make_key
from tests.helpers.stores.redis_servers import free_port, until

PROMETHEUS = ROOT / "deploy" / "prometheus"
GRAFANA = ROOT / "deploy" / "grafana"
CONFIG = PROMETHEUS / "prometheus.yml"
ALERTS = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text("utf-8"))["groups"][0]["rules"]
BOARD: dict[str, Any] = json.loads((GRAFANA / "eligibility.json").read_text("utf-8"))
PANELS: list[dict[str, Any]] = BOARD["panels"]
EXPRESSIONS = [rule["expr"] for rule in ALERTS] + [
    target["expr"] for panel in PANELS for target in panel["targets"]
]
OF_PROMETHEUS = {"instance", "job", "le"}
_NAME = re.compile(r"\b((?:eligibility|process)_\w+)(?:\{([^}]*)\})?")
_LABEL = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")
_BY = re.compile(r"by \(([^)]*)\)")


@pytest.fixture(scope="module")
def samples(server: Server) -> dict[str, set[str]]:
    """The labels of every sample of a real scrape, by its name."""
    with Service(Settings(store=server.store_url)) as service:
        service.catalog.put("watched", "WATCHED", product(), actor="tests")
    query = {"product_id": "WATCHED", "account": None, "device": DESKTOP}
    assert server.http.post("/v1/access", json=query).status_code == 200
    server.http.post("/v1/access", json={})  # a refusal
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(server.http.get("/metrics").text):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_every_metric_and_label_it_names_is_told(
    samples: dict[str, set[str]], expression: str
) -> None:
    named = _NAME.findall(expression)
    assert named or expression.startswith(("up{", "sum(up{"))
    known = {label for name, _ in named for label in samples[name]}
    for name, matchers in named:
        assert set(_LABEL.findall(matchers)) <= samples[name] | OF_PROMETHEUS
    for labels in _BY.findall(expression):
        assert set(re.split(r",\s*", labels)) <= known | OF_PROMETHEUS


def test_every_panel_says_what_it_shows_and_fits_into_the_grid() -> None:
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    taken: set[tuple[int, int]] = set()
    for panel in PANELS:
        assert panel["title"]
        assert panel["description"].endswith(".")
        at = panel["gridPos"]
        cells = {(at["x"] + x, at["y"] + y) for x in range(at["w"]) for y in range(at["h"])}
        assert max(x for x, _ in cells) < 24
        assert not cells & taken
        taken |= cells
    legends = [target for panel in PANELS for target in panel["targets"]]
    for target in legends:
        labels = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
        assert labels <= {
            "outcome",
            "reason",
            "route",
            "code",
            "api",
            "instance",
            "of",
            "pid",
            "publisher",
        }


def test_every_alert_says_how_bad_it_is_and_what_it_means() -> None:
    assert len({rule["alert"] for rule in ALERTS}) == len(ALERTS)
    text = (ROOT / "docs" / "operations.md").read_text("utf-8")
    for rule in ALERTS:
        assert rule["labels"]["severity"] in ("critical", "warning", "info")
        assert rule["annotations"]["summary"]
        assert rule["annotations"]["description"].endswith(".")
        assert f"`{rule['alert']}`" in text


def test_compose_puts_everything_where_it_is_looked_for() -> None:
    declared = compose()
    prometheus, grafana = (declared["services"][name] for name in ("prometheus", "grafana"))
    config = yaml.safe_load(CONFIG.read_text("utf-8"))
    (job,) = config["scrape_configs"]
    key = Path(job["authorization"]["credentials_file"])
    assert prometheus["secrets"] == [key.name]
    targets = {target.partition(":")[0] for target in job["static_configs"][0]["targets"]}
    assert targets == {
        name for name in declared["services"] if "build" in declared["services"][name]
    }
    places = [Path(one["target"]) for one in prometheus["configs"]]
    assert f"--config.file={places[0]}" in prometheus["command"]
    assert [str(places[1].relative_to(places[0].parent))] == config["rule_files"]
    provider = yaml.safe_load((GRAFANA / "dashboards.yml").read_text("utf-8"))["providers"][0]
    boards = [Path(one["target"]).parent for one in grafana["configs"]]
    assert Path(provider["options"]["path"]) in boards
    (source,) = yaml.safe_load((GRAFANA / "datasource.yml").read_text("utf-8"))["datasources"]
    assert source["url"] == "http://prometheus:9090"
    assert {panel["datasource"]["uid"] for panel in PANELS} == {source["uid"]}


# With Prometheus itself


def test_the_rules_and_their_tests_hold(tmp_path: Path) -> None:
    """tests/alerts.yml says on what numbers each alert fires, and on what it does not."""
    tests = yaml.safe_load((ROOT / "tests" / "alerts.yml").read_text("utf-8"))
    tests["rule_files"] = [str(PROMETHEUS / "alerts.yml")]
    (tmp_path / "alerts.yml").write_text(yaml.safe_dump(tests), "utf-8")
    ran = subprocess.run(
        [program("promtool"), "test", "rules", tmp_path / "alerts.yml"],
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    fired = {
        expected["alertname"]
        for test in tests["tests"]
        for expected in test["alert_rule_test"]
        if expected["exp_alerts"]
    }
    assert fired == {rule["alert"] for rule in ALERTS}


@contextmanager
def prometheus(directory: Path, target: str, key: str) -> Iterator[httpx2.Client]:
    """Run Prometheus on deploy/prometheus; only places, the target and the pace are others."""
    (directory / "key").write_text(key, "utf-8")
    (directory / "alerts.yml").write_bytes((PROMETHEUS / "alerts.yml").read_bytes())
    config = yaml.safe_load(CONFIG.read_text("utf-8"))
    config["global"] = dict.fromkeys(config["global"], "1s")
    (job,) = config["scrape_configs"]
    job["authorization"]["credentials_file"] = str(directory / "key")
    job["static_configs"] = [{"targets": [target]}]
    (directory / "prometheus.yml").write_text(yaml.safe_dump(config), "utf-8")
    port = free_port()
    process = subprocess.Popen(
        [
            program("prometheus"),
            f"--config.file={directory / 'prometheus.yml'}",
            f"--storage.tsdb.path={directory / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        with httpx2.Client(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=10) as client:
            until(lambda: _is_up(client), "Prometheus to have scraped", 60)
            yield client
    finally:
        process.terminate()
        process.wait(20)


def _is_up(client: httpx2.Client) -> bool:
    try:
        found = client.get("/query", params={"query": 'up{job="eligibility"} == 1'}).json()
    except (httpx2.TransportError, ValueError):
        return False
    return bool(found.get("data", {}).get("result"))


def test_prometheus_scrapes_a_server_and_understands_every_expression(
    server: Server, samples: dict[str, set[str]], tmp_path: Path
) -> None:
    key = make_key(server.store_url, "metrics")
    with prometheus(tmp_path, server.url.removeprefix("http://"), key) as client:
        found = client.get("/query", params={"query": "eligibility_store_up"}).json()
        assert [one["value"][1] for one in found["data"]["result"]] == ["1"]
        for expression in EXPRESSIONS:
            asked = expression.replace("$instance", ".*").replace("$__rate_interval", "1m")
            answer = client.get("/query", params={"query": asked}).json()
            assert answer["status"] == "success", (asked, answer)
        (group,) = client.get("/rules").json()["data"]["groups"]
        assert [rule["name"] for rule in group["rules"]] == [rule["alert"] for rule in ALERTS]
        assert not [rule["name"] for rule in group["rules"] if rule["health"] == "err"]
