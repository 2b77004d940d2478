"""
Every page in a real Chromium: for everybody, on every screen, in every language, on paper.

Each page is looked at twice, in two variants that have nothing in common, so that it is seen in
either language, scheme and width, on the screen and printed, with and without JavaScript. Which
two they are changes from page to page: any two values meet on some page.
"""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe

from tests.browser.places import TABLES_LATER, places, uncovered

FACTORS = (
    ("locale", ("en-US", "zh-CN")),
    ("color_scheme", ("light", "dark")),
    ("width", (1440, 360)),
    ("media", ("screen", "print")),
    ("java_script_enabled", (True, False)),
)
PATTERNS = 2 ** (len(FACTORS) - 1)
TAB_STOPS = 12

WIDE = """
() => {
  const over = document.documentElement.scrollWidth - innerWidth;
  const tables = [...document.querySelectorAll(".scroll")].filter(
    one => one.scrollWidth > one.clientWidth + 1);
  return [over > 0 ? `the page by ${over}` : "", innerWidth < 700 && tables.length
    ? `${tables.map(one => one.ariaLabel)}` : ""].filter(Boolean);
}
"""
SMALL = """
() => [...document.querySelectorAll("main :is(a, button, input, select, summary)")].filter(one => {
  const box = one.getBoundingClientRect();
  return box.width && getComputedStyle(one).display !== "inline"
    && !one.closest(".skip") && (box.height < 24 || box.width < 24);
}).map(one => one.outerHTML.slice(0, 120))
"""
IS_AT_ROWS = """
() => {
  const row = document.querySelector("main .list tbody tr, main .feed > li");
  const active = document.activeElement;
  if (!row) return "no rows";
  if (active.matches("main, body")) return "";
  if (active.contains(row) || row.parentElement.contains(active)) return "there";
  return active.matches(".skip:not(:has(+ .skip))") ? "skip" : "";
}
"""


def variants(pattern: int) -> list[dict[str, object]]:
    """Return two variants that are different in everything."""
    bits = [pattern >> place & 1 for place in range(len(FACTORS))]
    return [
        {name: values[bit ^ other] for (name, values), bit in zip(FACTORS, bits, strict=True)}
        for other in (0, 1)
    ]


@pytest.fixture(scope="module")
def axe():
    return Axe()


def test_every_page_of_the_application_is_looked_at(fleet):
    assert uncovered(fleet.app, places(fleet.database)) == []


@pytest.mark.parametrize("pattern", range(PATTERNS))
def test_every_page_is_for_everybody_in_each_of_its_variants(chromium, fleet, axe, pattern):
    wrong = []
    for variant in variants(pattern):
        options = dict(variant)
        media = options.pop("media")
        size = {"width": options.pop("width"), "height": 900}
        context = chromium.new_context(base_url=fleet.url, viewport=size, **options)
        page = context.new_page()
        said: list[str] = []
        listen(page, fleet.url, said)
        page.set_default_timeout(20_000)
        scripts = context.new_cdp_session(page)
        for address in places(fleet.database)[pattern::PATTERNS]:
            said.clear()
            allow(scripts, options["java_script_enabled"])
            answer = page.goto(address)
            allow(scripts, True)  # axe is one
            page.emulate_media(media=media)  # a new page forgets it
            found = [*said, *faults(page, axe, address, is_print=media == "print")]
            if answer.status >= 400:
                found = [one for one in found if not one.startswith("Failed to load resource")]
            wrong += [f"{address} {[*variant.values()]}: {one}" for one in found]
        context.close()
    assert not wrong, "\n".join(["", *wrong])


def allow(scripts, are_allowed):
    """Switch scripts on or off, also for the page that is open."""
    scripts.send("Emulation.setScriptExecutionDisabled", {"value": not are_allowed})


def listen(page, url, said):
    """Write down what the browser asks of others and what it complains about."""
    page.on("request", lambda one: one.url.startswith(url) or said.append(one.url))
    page.on("console", lambda one: said.append(one.text))
    page.on("pageerror", lambda one: said.append(str(one)))


def faults(page, axe, address, *, is_print):
    """What is wrong with a page that is open."""
    assert page.title().endswith("salt-cmdb"), address
    if page.locator("h1").count() != 1:
        yield f"{page.locator('h1').count()} headings of the first level"
    for one in page.evaluate(WIDE):
        yield f"wider than the window: {one}"
    for one in page.evaluate(SMALL)[:3]:
        yield f"smaller than 24 pixels: {one}"
    for one in axe.run(page).response["violations"]:
        yield f"{one['id']}: {one['nodes'][0]['html'][:300]}"
    if is_print:
        for one in page.locator("nav, form, button").all():
            if one.is_visible():
                yield f"on paper: {one.evaluate('one => one.outerHTML.slice(0, 100)')}"
        if address != "/nowhere" and not page.locator(".printed").is_visible():
            yield "no date on paper"
    elif not any(one in address for one in TABLES_LATER):
        yield from tabs_to_rows(page)


def tabs_to_rows(page):
    """Whether the keyboard reaches the first row soon, by skip links where there are some."""
    for _stop in range(TAB_STOPS):
        page.keyboard.press("Tab")
        where = page.evaluate(IS_AT_ROWS)
        if where == "skip":
            page.keyboard.press("Enter")
            where = page.evaluate(IS_AT_ROWS)
        if where in ("there", "no rows"):
            return
    yield f"the first row is more than {TAB_STOPS} tab stops away"
