"""
Seven jobs for which people open an inventory: each takes three clicks from the overview at most.

To send a form is a click, to type is none. With ``CMDB_BROWSER_SHOTS=<directory>`` a picture of
each answer is kept.
"""

import os
from pathlib import Path

import pytest

from tests.browser.fleet import LOSES, POOR, SITE, TAKES
from tests.browser.places import DISK

CLICKS = 3


class Hand:
    """A person with a mouse, whose clicks are counted."""

    def __init__(self, page):
        """Begin at the overview."""
        self.page = page
        self.clicks = 0
        page.goto("/")

    def click(self, name, role="link", within=None):
        """Click what is called so."""
        self.clicks += 1
        (within or self.page).get_by_role(role, name=name, exact=True).first.click()

    def search(self, text):
        """Type into the search box and send it."""
        self.clicks += 1
        self.page.get_by_role("searchbox").fill(text)
        self.page.get_by_role("searchbox").press("Enter")

    @property
    def heading(self):
        """The heading of the page."""
        return self.page.get_by_role("heading", level=1).inner_text()


@pytest.fixture
def hand(chromium, fleet, request):
    context = chromium.new_context(base_url=fleet.url, viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.set_default_timeout(10_000)
    one = Hand(page)
    yield one
    if directory := os.environ.get("CMDB_BROWSER_SHOTS"):
        page.screenshot(path=Path(directory, f"{request.node.name}.png"))
    context.close()
    assert one.clicks <= CLICKS


@pytest.mark.parametrize(
    "known_as",
    ["app06", "APP06", "9XYZ906", "52:54:00:00:03:8a", "5254.0000.038a", "10.0.3.138"],
)
def test_find_a_machine_by_anything(hand, known_as):
    hand.search(known_as)
    assert hand.heading == POOR


def test_what_changed_last_night_here(hand):
    hand.click(SITE)
    hand.click("Changes", within=hand.page.get_by_role("navigation", name="More about these"))
    hand.click("last night")
    assert "last night" in hand.heading
    assert SITE in hand.heading


def test_which_machines_have_less_memory_than_their_twins(hand):
    hand.click("Odd")
    row = hand.page.get_by_role("row").filter(has_text=POOR)
    assert "Memory" in row.inner_text()
    assert "64\N{NO-BREAK SPACE}GiB" in row.inner_text()
    hand.click(POOR, within=row)
    assert hand.heading == POOR


def test_who_has_this_disk_and_who_had_it(hand):
    hand.search(DISK)
    rows = hand.page.locator("tbody tr").all_inner_texts()
    assert [one.split()[0] for one in rows] == [TAKES, LOSES]


def test_compare_two_machines(hand):
    hand.search(LOSES)
    hand.click("Compare")
    hand.page.get_by_label("Side b").fill(TAKES)
    hand.clicks += 1
    hand.page.keyboard.press("Enter")
    hand.page.get_by_text("Differences:").wait_for()
    heads = hand.page.locator("thead th").all_inner_texts()
    assert [one.split()[0] for one in heads] == ["Value", LOSES, TAKES]
    assert hand.page.get_by_text("differs", exact=True).first.is_visible()


def test_the_fleet_three_months_ago(hand):
    hand.click("three months ago")
    assert "As of" in hand.page.get_by_role("navigation", name="The past").inner_text()
    hand.click("Assets")
    assert "as of" in hand.heading
    assert hand.page.locator("tbody tr").count() > 10


def test_export_what_i_see(hand):
    hand.click(SITE)
    with hand.page.expect_download() as coming:
        hand.click("Excel")
    assert coming.value.suggested_filename.endswith(".xlsx")
    assert "site=" + SITE in coming.value.url
