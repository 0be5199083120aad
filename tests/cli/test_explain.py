"""`eligibility explain` and ?explain=true: a decision as a letter, and as JSON."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from eligibility.callers.model import Scope
from eligibility.client import Decision
from eligibility.engine.evaluator import Evaluator
from eligibility.explain import least_change as search
from eligibility.service.service import Service
from tests.helpers.catalog.products import DESKTOP, flight, group, product, put
from tests.helpers.commands import Ran, Run
from tests.helpers.servers.application import App, asking

ADA = "ada@contoso.example"
READER = ("--product", "9NCONTOSORDR", "--family", "Desktop")
SKETCH = ("--product", "9NCONTOSOSKT", "--family", "Desktop", "--os", "23H2", "--arch", "x64")
XBOX = ("--product", "9NCONTOSORDR", "--family", "Xbox", "--os", "22621", "--arch", "x64")
GRACE = ("--account", "grace@contoso.example")
ALL = (Scope.QUERY, Scope.ASSERT, Scope.EXPLAIN, Scope.READ_GROUPS)


def unwrapped(ran: Ran) -> str:
    """What is in the frame, as one line."""
    return " ".join(" ".join(line.strip("│ ") for line in ran.out.splitlines()).split())


# --- the letter ---


def test_a_no_reads_like_a_letter(sample: Run) -> None:
    ran = sample("explain", *XBOX, *GRACE)
    assert ran.code == 3
    letter = unwrapped(ran)
    order = (
        "No: grace@contoso.example may see Contoso Reader, but gets nothing on this device",
        "Why 1. grace@contoso.example is signed in with a Microsoft account and counts as a member"
        " of insiders. KUG",
        "Nothing in the flight Insiders is for Xbox consoles. REQ DFO ARCH",
        "To get the product, do one of these",
        "• Ask the publisher to be taken out of insiders → 1.4.0.0 from the general release",
        "decisions were tried",
        "The rules are on these pages KUG Create known user groups · VIS Choose visibility options",
    )
    places = [letter.find(part) for part in order]
    assert -1 not in places, order[places.index(-1)]
    assert places == sorted(places)


def test_a_yes_says_nothing_of_changes(sample: Run) -> None:
    ran = sample("explain", *READER, "--os", "23H2", "--account", ADA)
    assert ran.code == 0
    assert "Yes: ada@contoso.example can install Contoso Reader 2.1.0.0" in unwrapped(ran)
    assert "decisions were tried" not in ran.out


@pytest.mark.parametrize("columns", ["80", "120"])
def test_the_letter_fits_the_screen(
    sample: Run, columns: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", columns)
    lines = sample("explain", *XBOX, *GRACE).out.splitlines()
    assert {len(line) for line in lines} == {int(columns)}
    assert len(lines) < 45


def test_why_somebody_does_not_get_the_flight_they_want(sample: Run) -> None:
    """The question asked most: granted, but not what was hoped for."""
    ran = sample("explain", *READER, "--os", "1809", *GRACE, "--wanting", "canary")
    assert ran.code == 0
    letter = unwrapped(ran)
    assert "Yes: grace@contoso.example can install Contoso Reader 2.0.0.0" in letter
    assert "To get the flight Canary, do one of these" in letter
    assert (
        "• Ask the publisher to be added to canary-testers, and update the device to Windows 10 2004"
        " (10.0.19041.0) or later → 2.1.0.0 from the flight canary"
    ) in letter


def test_a_yes_tells_how_to_ask_for_a_higher_flight(sample: Run) -> None:
    ran = sample("explain", *READER, "--os", "23H2", *GRACE)
    assert "To see what would give a higher flight, add --wanting canary." in unwrapped(ran)


def test_that_nothing_helps_is_told_with_how_much_was_tried(sample: Run) -> None:
    """A version that the product has only in its past."""
    ran = sample("explain", *READER, "--os", "23H2", "--wanting", "9.9.9.9")
    told = unwrapped(ran)
    assert "To get version 9.9.9.9 No small number of changes helps; " in told
    assert "decisions were tried." in told


def test_a_flight_that_there_is_not_is_wrong_usage(sample: Run) -> None:
    ran = sample("explain", *READER, "--os", "23H2", "--wanting", "cannary")
    assert ran.code == 2
    assert "--wanting" in ran.err
    assert "did you mean `canary`?" in ran.err


def test_an_unknown_product_is_no_decision(sample: Run) -> None:
    ran = sample("explain", "--product", "NOSUCH", "--family", "Desktop", "--os", "23H2")
    assert ran.code == 1


# --- as of a moment, and against a draft ---


def test_a_date_ahead_is_told_as_reached(sample: Run) -> None:
    assert sample("explain", *SKETCH, "--account", ADA).code == 3
    ran = sample("explain", *SKETCH, "--account", ADA, "--at", "2031-03-01T09:00:00Z")
    assert ran.code == 0
    assert "Contoso Sketch is public: anybody may see it." in unwrapped(ran)
    assert "2031-03-01 09:00 UTC" in ran.out


def test_a_draft_is_explained_before_it_is_saved(sample: Run, tmp_path: Path) -> None:
    edits = tmp_path / "edits.csv"
    edits.write_text(f"group,account,change\nsketch-beta,{ADA},add\n", "utf-8")
    ran = sample("explain", *SKETCH, "--account", ADA, "--with-groups", str(edits))
    assert ran.code == 0
    assert "live + draft" in ran.out
    assert sample("explain", *SKETCH, "--account", ADA).code == 3


# --- JSON ---


def test_the_json_has_the_same_for_programs(sample: Run) -> None:
    told = sample("explain", *SKETCH, "--account", ADA, "--json").json
    assert told["granted"] is False
    assert told["trace"][0]["facts"] == {"active": ["sketch-beta"], "counted": []}
    verdict, first, *_ = told["story"]
    assert verdict == {
        "text": "No: ada@contoso.example may not see Contoso Sketch, and so cannot get it (not in"
        " the audience).",
        "sources": [],
    }
    assert first["sources"] == [
        {"code": "KUG", "title": "Create known user groups", "name": "create-known-user-groups"}
    ]
    way = told["nearest"]["ways"][0]
    assert way == {
        "changes": [
            {
                "action": "JOIN_GROUP",
                "by": "publisher",
                "text": "ask the publisher to be added to sketch-beta",
                "group": "sketch-beta",
            }
        ],
        "source": "submission",
        "version": "1.0.0.0",
    }
    assert told["nearest"]["complete"] is True
    assert told["nearest"]["wanted"] == "the product"


def test_the_same_account_is_explained_alike_whatever_its_alias(sample: Run) -> None:
    ran = sample("explain", *SKETCH, "--account", "a@x.example", "--alias", "alan@contoso.example")
    assert ran.code == 0
    assert "by another of its addresses, alan@contoso.example." in unwrapped(ran)


# --- HTTP ---


@pytest.fixture
def app(service: Service) -> Iterator[App]:
    """A private product with a flight; Ada is in neither group."""
    for name in ("beta", "testers"):
        group(service, name, "grace@contoso.example")
    declared = product(
        flight("canary", ["testers"], "2.0.0.0"), audience="private", audience_groups=["beta"]
    )
    put(service, "APP", declared)
    with asking(service) as asked:
        yield asked


BODY = {"product_id": "APP", "account": {"id": ADA}, "device": DESKTOP}


def test_an_explained_answer_has_story_and_nearest_beside_the_trace(app: App) -> None:
    plain = app.post("/v1/access", BODY, app.key(*ALL)).json()
    told = app.post("/v1/access?explain=true", BODY, app.key(*ALL)).json()
    more = {name: told.pop(name) for name in ("trace", "story", "nearest")}
    assert told == plain
    assert {"step", "outcome", "detail", "source", "facts"} == more["trace"][0].keys()
    assert more["story"][0]["text"].startswith("No: ada@contoso.example may not see Product")
    assert [way["changes"][0]["action"] for way in more["nearest"]["ways"]] == [
        "JOIN_GROUP",
        "MAKE_PUBLIC",
    ]


def test_a_past_moment_is_explained_too(app: App) -> None:
    now = app.service.now().isoformat()
    told = app.post("/v1/access?explain=true", BODY | {"at": now}, app.key(*ALL)).json()
    assert told["nearest"]["ways"][0]["changes"][0]["group"] == "beta"


def test_a_batch_has_stories_and_no_search(app: App) -> None:
    """A thousand searches would keep a worker busy for a minute."""
    batch = {"queries": [BODY, BODY]}
    answers = app.post("/v1/access/batch?explain=true", batch, app.key(*ALL)).json()["decisions"]
    assert all(answer["story"] and "nearest" not in answer for answer in answers)


@pytest.mark.parametrize("missing", [Scope.EXPLAIN, Scope.READ_GROUPS])
def test_an_explanation_names_groups_and_needs_the_scopes_of_a_trace(
    app: App, missing: Scope
) -> None:
    scopes = [scope for scope in ALL if scope is not missing]
    answer = app.post("/v1/access?explain=true", BODY, app.key(*scopes))
    assert answer.status_code == 403
    assert "beta" not in answer.text


def test_the_client_reads_it(app: App) -> None:
    answer = app.post("/v1/access?explain=true", BODY, app.key(*ALL))
    read = msgspec.json.decode(answer.content, type=Decision)
    assert isinstance(read.story, tuple)
    assert read.nearest.ways[0].changes[0].group == "beta"  # type: ignore[union-attr]


def test_without_explain_nothing_is_told_or_searched(
    app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object, **__: object) -> None:
        raise AssertionError("explained unasked")

    monkeypatch.setattr(Evaluator, "explain", never)
    monkeypatch.setattr(search, "nearest", never)
    told = app.post("/v1/access", BODY, app.key(*ALL)).json()
    assert not {"trace", "story", "nearest"} & told.keys()
