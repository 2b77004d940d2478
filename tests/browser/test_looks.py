"""What a page must not do on a small, a dark or a printed screen."""

import pytest

PATHS = ("/", "/assets?site=dc1&q=web", "/host/web01", "/changes", "/problems")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PATHS)
def test_a_narrow_screen_never_scrolls_sideways(open_page, path, scheme):
    # 320 pixels are a small phone, and a desktop of 1280 at 400 % zoom.
    page = open_page(path, viewport={"width": 320, "height": 640}, color_scheme=scheme)
    assert page.evaluate("document.scrollingElement.scrollWidth") <= 320


@pytest.mark.parametrize("path", PATHS)
def test_an_ordinary_screen_shows_every_table_whole(open_page, path):
    page = open_page(path, viewport={"width": 1280, "height": 900})
    for table in page.locator(".scroll").all():
        assert table.evaluate("one => one.scrollWidth - one.clientWidth") <= 0


def test_the_colours_follow_the_system(open_page):
    colours = [
        open_page("/", color_scheme=scheme).evaluate("getComputedStyle(document.body).color")
        for scheme in ("light", "dark")
    ]
    assert colours[0] != colours[1]


CONTRASTS = """
() => {
  const light = text => {
    const [r, g, b] = text.match(/[\\d.]+/g).map(one => one / 255)
      .map(one => one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = node => {
    for (; node; node = node.parentElement) {
      const colour = getComputedStyle(node).backgroundColor;
      if (!colour.endsWith(", 0)")) return colour;
    }
    return "rgb(255, 255, 255)";
  };
  const found = [];
  for (const node of document.querySelectorAll("body *:not(svg *)")) {
    const own = [...node.childNodes].some(one => one.nodeType === 3 && one.data.trim());
    if (!own || node.closest("[aria-hidden]")) continue;
    const [a, b] = [light(getComputedStyle(node).color), light(behind(node))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) found.push(`${node.className} ${node.textContent.trim()}: ${ratio}`);
  }
  return found;
}
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PATHS)
def test_all_text_stands_out_from_what_is_behind_it(open_page, path, scheme):
    assert open_page(path, color_scheme=scheme).evaluate(CONTRASTS) == []


def test_print_leaves_the_navigation_out(open_page):
    page = open_page("/assets")
    page.emulate_media(media="print")
    assert not page.get_by_role("navigation", name="Pages", exact=True).is_visible()
    assert page.get_by_role("table").is_visible()
