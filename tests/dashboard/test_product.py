"""A product's page: the heat map, the ladder, other moments, and its timeline."""

from playwright.sync_api import expect

from tests.helpers.browser import Visit
from tests.helpers.dashboard import HOME, MAPS, READER, SKETCH
from tests.helpers.servers.process import Server

HIDDEN = ["not in the audience x2", "not in the audience x19"]
"""Everywhere; on the two oldest releases the OS is too old besides."""


def row(visit: Visit, who: str, device: str) -> list[str]:
    """What a row of the heat map says, with how many releases each part of it spans."""
    part = visit.page.locator(".heat tbody").filter(has_text=who)
    cells = part.get_by_role("row", name=device).locator("td[class]").all()
    return [f"{one.inner_text()} x{one.get_attribute('colspan')}" for one in cells]


def test_a_flight_that_lacks_a_family_is_seen_from_the_overview_on(visit: Visit) -> None:
    visit.go(HOME)
    visit.page.click("text=Flight Canary of Contoso Reader has no package for Windows.Xbox")
    visit.page.wait_for_url(f"**{READER}")
    assert (
        visit.text("[aria-labelledby=ladder]").count(
            "No package for Windows.Xbox, which the submission has: members get nothing there."
        )
        == 2
    )
    # Its members get nothing on any Xbox, though everybody else does.
    assert row(visit, "A member of canary-testers", "Xbox x64") == [
        "Canary: no package for the family x19"
    ]
    assert row(visit, "Somebody in none of the groups", "Xbox x64") == [
        "OS too old for the package x6",
        "Submission 1.4.0.0 x13",
    ]


def test_the_heat_map_of_one_group(visit: Visit) -> None:
    visit.go(READER)
    visit.page.select_option("#who", "a member of insiders")
    expect(visit.page.locator("#heat-of")).to_have_text(
        "What a member of insiders gets, by device family and Windows release."
    )
    assert visit.page.locator(".heat tbody").count() == 1
    assert row(visit, "Desktop", "Desktop arm64")[-1] == "Insiders 2.0.0.0 x15"
    assert "Nobody gets it on Mobile, Holographic, Team, IoT" in visit.text("#heat-map")


def test_past_its_public_date_everybody_gets_it(visit: Visit) -> None:
    visit.go(SKETCH)
    nobody = "Somebody in none of the groups"
    assert row(visit, nobody, "Desktop x64") == HIDDEN
    visit.page.fill("#at", "2031-03-01T09:00:00")
    visit.page.click("button:has-text('Show')")
    expect(visit.page.locator("main")).to_contain_text("shown as of 2031-03-01 09:00:00 UTC")
    # Everybody gets the same, so nobody is told apart.
    assert row(visit, "", "Desktop x64")[-1] == "Submission 1.0.0.0 x15"
    visit.page.click("text=Back to now")
    visit.page.wait_for_url(f"**{SKETCH}")
    assert row(visit, nobody, "Desktop x64") == HIDDEN


def test_what_was_and_will_be_is_one_list(visit: Visit, sample_server: Server) -> None:
    path = "/v1/publishers/contoso/products/9NCONTOSOSKT"
    body = sample_server.http.get(path).json()["product"]
    changed = {**body, "submission": {**body["submission"], "discoverability": "stop_acquisition"}}
    assert sample_server.http.put(path, json=changed).status_code in (200, 201)
    visit.go(SKETCH)
    lines = visit.page.locator("[aria-labelledby=timeline] tbody tr")
    told = [" ".join(one.split()) for one in lines.all_inner_texts()]
    assert told[0].startswith("in 4 years coming becomes public for everybody by itself")
    assert "submission.discoverability: link_only -> stop_acquisition key tests" in told[1]
    assert "declared demo" in told[2]
    assert lines.locator("time").first.get_attribute("title") == "2031-03-01 09:00:00 UTC"
    lines.nth(0).get_by_role("link").click()
    visit.page.wait_for_url("**?at=2031-03-01T09:00:00")
    visit.go(SKETCH)
    lines.nth(1).get_by_role("link").click()
    assert "stop acquisition" in visit.text("[aria-labelledby=ladder]")


def test_a_rollout_is_told_on_the_ladder(visit: Visit) -> None:
    visit.go(MAPS)
    assert "rollout 25 %, in progress" in visit.text("[aria-labelledby=ladder]")
    assert "before: 3.0.2.0" in visit.text("[aria-labelledby=ladder]")


def test_who_wins_where_somebody_is_in_two_groups(visit: Visit) -> None:
    visit.go(READER)
    overlap = visit.page.locator("[aria-labelledby=overlap] tbody tr").all_inner_texts()
    assert ["canary-testers, insiders", "1", "canary"] in [one.split("\t") for one in overlap]
