"""What people do with the pages, by clicking and by keyboard."""
# ruff: noqa: RUF001 - the pages show signs that look like others

import pytest


@pytest.mark.parametrize("scripts", [True, False], ids=["with JavaScript", "without JavaScript"])
def test_from_the_overview_to_the_changes_of_one_machine(open_page, scripts):
    page = open_page(java_script_enabled=scripts)
    page.get_by_role("link", name="3 assets").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Assets"
    assert page.get_by_role("status").inner_text().startswith("Assets: 3")

    page.get_by_label("Field", exact=True).select_option(label="Site")
    page.get_by_label("Comparison").select_option(label="is")
    page.get_by_label("Value", exact=True).fill("dc1")
    page.get_by_role("button", name="Filter").click()
    assert page.get_by_role("heading", level=1).inner_text() == "Assets where site is dc1"
    assert page.get_by_role("status").inner_text().startswith("Assets: 2")
    assert page.url.endswith("/assets?site=dc1")

    page.get_by_role("link", name="web01").click()
    assert page.get_by_role("heading", level=1).inner_text() == "web01"
    page.get_by_role("navigation", name="Sections").get_by_role("link", name="Changes").click()
    assert page.url.endswith("#changes")
    changes = page.get_by_role("region", name="Changes")
    assert changes.get_by_text("Memory module A2").is_visible()
    assert changes.get_by_text("− removed").is_visible()


def search(page, text):
    page.get_by_role("searchbox").fill(text)
    page.get_by_role("searchbox").press("Enter")


def test_the_search_box_opens_the_machine_that_has_a_number(open_page):
    page = open_page()
    search(page, "9xyz003")
    assert page.get_by_role("heading", level=1).inner_text() == "web03"


def test_fields_in_the_search_box_become_pills_and_a_pill_leads_back_to_all(open_page):
    page = open_page()
    search(page, "name:web03 vendor:dell")
    assert page.get_by_role("status").inner_text().startswith("Assets: 1")
    page.get_by_role("link", name="Remove: minion contains web03").click()
    assert page.get_by_role("status").inner_text().startswith("Assets: 3")


def test_a_heading_sorts_the_list(open_page):
    page = open_page("/assets")
    page.get_by_role("columnheader", name="Minion").get_by_role("link").click()
    assert page.get_by_role("rowheader").all_inner_texts() == ["web03", "web02", "web01"]
    page.get_by_role("columnheader", name="SN").get_by_role("link").click()
    assert page.get_by_role("rowheader").all_inner_texts() == ["web01", "web02", "web03"]


def test_a_stale_machine_says_what_to_do(open_page):
    page = open_page("/host/web02")
    assert page.get_by_text("salt web02 test.ping").is_visible()


def test_the_raw_facts_are_a_page_of_their_own(open_page):
    page = open_page("/host/web01")
    tabs = page.get_by_role("navigation", name="Pages of this asset")
    tabs.get_by_role("link", name="Raw facts").click()
    assert page.get_by_text('"locator": "A1"').is_visible()


def test_the_first_key_press_offers_to_skip_to_the_content(open_page):
    page = open_page("/assets")
    page.keyboard.press("Tab")
    focused = page.locator(":focus")
    assert focused.inner_text() == "Skip to the content"
    assert focused.bounding_box()["width"] > 100
    page.keyboard.press("Enter")
    assert page.locator(":focus").get_attribute("id") == "main"
