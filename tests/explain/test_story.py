"""The story of a decision: words for everything that `decide` can note, and few of them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from msgspec import UNSET
from msgspec.structs import replace

from eligibility.access.explanation import Sentence
from eligibility.access.model import Account, TraceStep
from eligibility.access.wire import query_of
from eligibility.catalog.model import Product
from eligibility.catalog.validation import read_product
from eligibility.explain.documentation import PAGES, pages
from eligibility.explain.step_phrases import STEPS, kind_of, phrases_of
from eligibility.explain.story import MOST_SENTENCES, story
from eligibility.rules.case import Case
from eligibility.rules.decide import decide
from eligibility.rules.requirements import load_requirements
from eligibility.rules.trace import alias_step
from eligibility.simulation.scenarios.model import Scenario
from eligibility.simulation.scenarios.state_sources import StateSource
from eligibility.simulation.state import State
from tests.helpers.catalog.products import DESKTOP, flight, package, product
from tests.helpers.catalog.strategies import NOW, Body, memberships, products, queries
from tests.helpers.examples import examples
from tests.helpers.vectors import VECTORS

REQUIREMENTS = load_requirements()
ADA = {"id": "ada@example.com"}


def tell(declared: Product, *groups: str, **asked: Any) -> tuple[Sentence, ...]:
    """The story for Ada on a Desktop, or for what is told."""
    query = query_of(**{"product_id": "APP", "account": ADA, "device": DESKTOP, **asked})
    case = Case(query, declared, frozenset(groups), REQUIREMENTS, NOW)
    return story(decide(case, explain=True), case)


def traced(vector: Scenario, state: State) -> Iterator[TraceStep]:
    """Every step that a vector's decisions note."""
    for asker in vector.askers:
        for named in vector.devices:
            query = asker.query(state.product_id, named.device)
            yield from state.decide(query, explain=True).trace or ()


def texts(*told: Any, **asked: Any) -> list[str]:
    return [sentence.text for sentence in tell(*told, **asked)]


def test_a_no_is_told_with_what_was_compared() -> None:
    declared = product(
        audience="private", audience_groups=["beta"], public_at="2031-03-01T09:00:00Z"
    )
    assert texts(declared, device=DESKTOP | {"os_version": "1511"}) == [
        "No: ada@example.com may not see Product, and so cannot get it (not in the audience and OS"
        " too old for a private audience).",
        "ada@example.com is signed in with a Microsoft account, and in no group that Product uses"
        " (beta).",
        "Product is private until 2031-03-01 09:00 UTC: only the people of its audience groups may"
        " see or get it.",
        "Its audience is beta, and ada@example.com is not in it.",
        "Private products need at least Windows 10 1607 (10.0.14393.0); this device has Windows 10"
        " 1511 (10.0.10586.0).",
    ]


def test_a_yes_is_told_as_well() -> None:
    declared = product(
        flight("canary", ["testers"], "3.0.0.0"), flight("beta", ["beta"], "2.0.0.0")
    )
    assert texts(declared, "beta", installed_version="1.0.0.0") == [
        "Yes: ada@example.com gets an update of Product to 2.0.0.0 (neutral) from the flight beta.",
        "ada@example.com is signed in with a Microsoft account and counts as a member of beta.",
        "Product is public: anybody may see it.",
        "Product is available, is found by searching, is offered in every market and is offered for"
        " PCs.",
        "This device (a PC with Windows 11 23H2, x64) can take flights (packages for testers).",
        "ada@example.com is not in the groups of the flight canary (testers).",
        "The flight beta is for members of beta, and it alone decides what ada@example.com gets:"
        " neither lower flights nor the general release count.",
        "The best package for this device is 2.0.0.0 (neutral).",
        "Version 1.0.0.0 is installed, so 2.0.0.0 is an update.",
    ]


def test_a_denial_says_that_what_is_installed_stays() -> None:
    body = product().model_copy(update={"markets": ("US",)})
    assert texts(body, market="DE", installed_version="0.9.0.0")[0].endswith(
        "What is installed (0.9.0.0) stays, without updates."
    )
    assert "What is installed" not in texts(body, market="DE")[0]
    assert "What is installed" not in texts(body, market="US", installed_version="0.9.0.0")[0]


def test_of_flights_nothing_is_said_where_there_are_none() -> None:
    told = texts(product())
    assert "Product has no flights (packages for testers), so the general release applies." in told
    assert not any("can take flights" in text for text in told)


def test_a_processor_that_was_not_told_is_told_as_such() -> None:
    device = {"family": "Desktop", "os_version": "23H2"}
    assert texts(product(), device=device)[-1].endswith(
        "Its processor is unknown, so no package was excluded because of it."
    )


def test_many_flights_are_counted_and_not_read_out() -> None:
    flights = [flight(f"f{number}", ["testers"], "2.0.0.0") for number in range(9)]
    (told,) = (text for text in texts(product(*flights)) if "not in the groups of" in text)
    assert told.endswith("the flight f3 (testers) and 5 more.")


def test_a_long_story_leaves_out_what_does_not_stand_in_the_way() -> None:
    """Here nearly every rule has something against it."""
    rollout = {"percentage": 10, "status": "halted", "previous_packages": [package("1.0.0.0")]}
    declared = product(
        flight("canary", ["testers"], "3.0.0.0"),
        audience="private",
        audience_groups=["beta"],
        discoverability="stop_acquisition",
        device_families=["Windows.Desktop"],
        packages=[package("2.0.0.0")],
        rollout=rollout,
    ).model_copy(update={"availability": "unavailable", "markets": ("DE",)})
    hololens = {"family": "HoloLens", "os_version": "1809"}
    query = query_of(product_id="APP", account=ADA, device=hololens)
    case = Case(query, declared, frozenset({"beta"}), REQUIREMENTS, NOW)
    decision = decide(case, explain=True)
    listed = alias_step(Account("ada@example.com", aliases=("a@example.com",)), ["a@example.com"])
    told = story(replace(decision, trace=(listed, *(decision.trace or ()))), case)
    assert len(told) == MOST_SENTENCES
    assert not any("by another of" in sentence.text for sentence in told)
    assert any("was taken out of the Store" in sentence.text for sentence in told)


def test_names_with_braces_are_only_names() -> None:
    """They look like places to be filled in."""
    renamed = product().model_copy(update={"name": "{person} {0} {"})
    assert texts(renamed)[0].startswith("Yes: ada@example.com can install {person} {0} { 1.0.0.0")


def test_each_sentence_but_the_verdict_names_the_pages_of_its_rules() -> None:
    verdict, *why = tell(product(audience="private", audience_groups=["beta"]))
    assert verdict.sources == ()
    assert [[page.code for page in sentence.sources] for sentence in why] == [
        ["KUG"],
        ["VIS"],
        ["VIS"],
        ["KUG", "VIS"],
    ]
    assert why[0].sources[0].title == "Create known user groups"


@given(queries, products(), memberships)
@settings(max_examples=examples(400), deadline=None)
def test_whatever_decide_notes_has_words_and_pages(
    query: Body, body: Body, groups: set[str]
) -> None:
    declared = read_product(body)
    case = Case(query_of(**query), declared, frozenset(groups), REQUIREMENTS, NOW)
    decision = decide(case, explain=True)
    assert decision.trace is not UNSET
    for step in decision.trace:
        assert phrases_of(step)
        assert pages(step.source)
    told = story(decision, case)
    assert len(told) <= MOST_SENTENCES
    assert told[0].text.startswith("Yes: " if decision.granted else "No: ")
    for sentence in told:
        assert sentence.text.endswith(".")
        assert "{" not in sentence.text
        assert "`" not in sentence.text
        assert "  " not in sentence.text
        assert "()" not in sentence.text
        assert not sentence.text.startswith(" ")
    assert all(sentence.sources for sentence in told[1:])


def test_every_word_is_used(vector_states: dict[Path, StateSource]) -> None:
    """By some world of the vectors: words for what never happens would be a second copy of rules."""
    noted = {
        (kind_of(step), step.outcome.partition(",")[0])
        for vector in VECTORS
        for step in traced(vector, vector_states[vector.file].state(vector))
    }
    ada = Account("ada@example.com", aliases=("a@example.com",))
    for matched in ([], ["a@example.com"], ["ada@example.com"]):
        step = alias_step(ada, matched)
        noted.add((step.step, step.outcome))
    assert noted == {(step, str(outcome)) for step, outcome in STEPS}


@pytest.mark.parametrize("code", PAGES)
def test_every_page_can_be_found(code: str) -> None:
    page = PAGES[code]
    assert page.title
    assert page.name == page.name.lower().replace(" ", "-")


def test_a_package_too_new_and_of_another_processor_is_told_with_both() -> None:
    body = package("1.0.0.0", Desktop="10.0.26100.0") | {"architectures": ["arm64"]}
    told = texts(product(packages=[body]))
    assert told[-1] == (
        "Every package of the general release needs a newer Windows, Windows 11 24H2 (10.0.26100.0)"
        " or later, or another kind of processor (arm64)."
    )
