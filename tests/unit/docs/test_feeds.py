"""The manual has every format of the inventory, and each option of pushes and webhooks."""

import re

import pytest

from salt_ext.feeds import FEEDS
from salt_ext.feeds.push import configured, netbox, zabbix
from salt_ext.master.webhooks import setting
from tests.unit.docs import markdown

PAGE = "feeds.md"
FORMATS = re.findall(r"^## (\w+)$", markdown.text(PAGE), re.MULTILINE)


def section(name):
    return markdown.text(PAGE).partition(f"\n## {name}\n\n")[2].partition("\n## ")[0]


def default(option):
    if option.default is None:
        return "required"
    if option.type is list:
        return f"`{','.join(option.default)}`" if option.default else "-"
    if option.type is bool:
        return f"`{str(option.default).lower()}`"
    return f"`{option.default}`" if option.default else "-"


def test_every_format_has_a_section_in_the_order_of_the_code():
    assert list(FEEDS) == FORMATS


@pytest.mark.parametrize("name", FEEDS)
def test_a_section_says_who_reads_it_and_each_option(name):
    feed = FEEDS[name]
    rows = [
        f"| `{one}` | {default(option)} | {option.help} |" for one, option in feed.options.items()
    ]
    expected = "\n".join(rows)
    assert section(name).startswith(feed.about)
    assert re.findall(r"^\| `.*$", section(name), re.MULTILINE) == rows, f"write\n{expected}"


OF_PUSHES = {*configured.REQUIRED, "filters", *configured.OPTIONS, *zabbix.OPTIONS}


@pytest.mark.parametrize(
    ("page", "options"),
    [("pushes.md", OF_PUSHES), ("netbox.md", netbox.OPTIONS), ("webhooks.md", setting.KEYS)],
)
def test_a_page_has_each_option_that_there_is_and_no_other(page, options):
    rows = re.findall(r"^\| `(\w+)` \|", markdown.text(page), re.MULTILINE)
    assert sorted(rows) == sorted(options)
