"""The list of assets and the overview as people use them: by keyboard, on a phone, by clicks."""

import pytest
from axe_playwright_python.sync_playwright import Axe

PHONE = {"viewport": {"width": 360, "height": 800}}
ADDRESSES = (
    "/",
    "/assets",
    "/assets?site=dc1&_facet=os",
    "/assets?site=nowhere",
    "/assets?_as_of=30m",
)


def is_focused(page, selector):
    return page.evaluate("one => document.activeElement.matches(one)", selector)


def test_the_first_asset_is_reached_within_twelve_keys(open_page):
    page = open_page("/assets")
    for _stop in range(12):
        page.keyboard.press("Tab")
        if is_focused(page, ".skip"):
            page.keyboard.press("Enter")
        if is_focused(page, "tbody a"):
            break
    page.keyboard.press("Enter")
    page.get_by_role("heading", level=1, name="web01").wait_for()


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_phone_shows_all_of_it_without_scrolling_sideways(open_page, address):
    page = open_page(address, **PHONE)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    for table in page.locator(".scroll:has(.list)").all():
        assert table.evaluate("one => one.scrollWidth - one.clientWidth") <= 0


def test_on_a_phone_the_name_comes_first_and_each_value_has_its_label(open_page):
    page = open_page("/assets", **PHONE)
    row = page.locator("#assets-rows tr").first
    name, site = row.get_by_role("link", name="web01"), row.locator("[data-label=Site]")
    assert name.bounding_box()["y"] < site.bounding_box()["y"]
    label = site.evaluate("one => getComputedStyle(one, '::before').content")
    assert label == '"Site"'


@pytest.mark.parametrize("options", [{"color_scheme": "dark"}, PHONE], ids=["dark", "phone"])
@pytest.mark.parametrize("address", ADDRESSES)
def test_nothing_of_it_is_out_of_reach_of_anybody(open_page, address, options):
    page = open_page(address, **options)
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    found = Axe().run(page).response["violations"]
    assert [(one["id"], one["nodes"][0]["html"]) for one in found] == []


@pytest.mark.parametrize("scripts", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_values_columns_and_ticks_lead_on(open_page, scripts):
    page = open_page("/assets", java_script_enabled=scripts)
    page.get_by_text("Values", exact=True).click()
    page.get_by_role("region", name="Site").get_by_role("link", name="dc1").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Assets where site is dc1"
    page.get_by_text("Columns and rows").click()
    page.get_by_label("Kernel", exact=True).check()
    page.get_by_role("button", name="Show").click()
    assert page.get_by_role("columnheader", name="Kernel").is_visible()
    page.get_by_label("Compare web01").check()
    page.get_by_label("Compare web02").check()
    page.get_by_role("button", name="Compare what is ticked").click()
    assert "/compare?id=" in page.url
    assert page.get_by_role("heading", level=1).is_visible()
