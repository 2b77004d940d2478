"""``docs/web/search.md`` says what the search box makes of each of its examples."""

import re
from urllib.parse import parse_qsl

import pytest

from salt_ext import settings
from salt_ext.store.reads.filters import kinds_of
from salt_ext.store.reads.listing import present
from salt_ext.words.box import as_text, filters, is_pattern, terms
from salt_ext.words.fields import FIELDS
from salt_ext.words.spellings import spellings
from tests.unit.docs import markdown

PAGE = "web/search.md"
KINDS = kinds_of(present(settings.resolve(), (("list.owner", "text"),)))
ROWS = [
    (re.findall(r"`([^`]+)`", term), re.findall(r"`\\?([^`]+)`", address))
    for term, _, address in markdown.rows(PAGE, "term")
]


def pairs_of(text):
    """Return a text as parameters of an address."""
    found = []
    for term in terms(text):
        if term.field:
            for name, value in filters(term, KINDS).items():
                found += [(name, one) for one in (value if isinstance(value, list) else [value])]
        elif is_pattern(term):
            found.append(("minion_id__glob", term.value))
        else:
            found.append(("q", as_text([term.value])))
    return found


@pytest.mark.parametrize(("typed", "addresses"), ROWS, ids=lambda one: " ".join(one)[:40])
def test_an_example_means_its_address(typed, addresses):
    meant = [pairs_of(one) for one in typed]
    assert all(meant)
    for address in addresses:
        assert parse_qsl(address.removeprefix("?")) in meant


def test_the_short_names_of_the_page_are_names_of_fields():
    [named] = re.findall(r"short ones besides:\n(.*?) and others", markdown.text(PAGE), re.DOTALL)
    for name in re.findall(r"`(\w+)`", named):
        assert name in FIELDS or name in KINDS, name


def test_the_spellings_of_the_page_are_spellings():
    for example, others in (
        ("52:54:00:ab:cd:ef", ("52-54-00-ab-cd-ef", "5254.00ab.cdef", "525400abcdef")),
        ("5002538f00000001", ("0x5002538F00000001", "naa.5002538f00000001")),
        ("7c:fe:90:03:00:a1:b2:c3", ("0x7cfe900300a1b2c3",)),
        ("2001:db8::374", ("2001:DB8:0:0:0:0:0:374",)),
        ("10.0.3.17", ("10.0.3.17/16", "::ffff:10.0.3.17")),
    ):
        for one in (example, *others):
            assert example in spellings(one)
            assert f"`{one}`" in markdown.text(PAGE)
