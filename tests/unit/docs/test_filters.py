"""``docs/filters.md`` has every comparison and field of the filters, and its examples are valid."""

import re
import shlex

import pytest
import salt.utils.args
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from salt_ext import settings, store
from salt_ext.report.envelope import MODES
from salt_ext.store.columns import KINDS
from salt_ext.store.parts import SOURCES
from salt_ext.store.reads.filters import OPERATORS, matching
from salt_ext.store.reads.listing import PARTS, present
from salt_ext.store.schema import PART_FIELDS
from tests.unit.docs import markdown
from tests.unit.docs.test_facts import documented

PAGE = "filters.md"
ASSETS = present(settings.resolve())
OPTIONS = ("columns", "sort", "limit")
"""Arguments of the commands in the examples that are no filters."""
WORDS = {
    "freshness": store.FRESHNESS,
    "kind": KINDS,
    "lifecycle": store.LIFECYCLES,
    "mode": (*MODES, "list"),
}


def words(text):
    return re.findall(r"`([^`]+)`", text)


def examples():
    """Return the filters of every command in the page, and what it printed."""
    found = []
    for block in markdown.blocks(PAGE, "console"):
        for shown in re.split(r"\n(?=\$ )", block):
            typed, said = shown.split("\n", 1)
            _, _, *arguments = shlex.split(typed.removeprefix("$ "))
            filters = salt.utils.args.parse_input(arguments, condition=False)[1]
            filters = {name: value for name, value in filters.items() if name not in OPTIONS}
            found.append(pytest.param(filters, said.strip(), id=typed))
    return found


EXAMPLES = examples()


def kind_of(name):
    """Return the word of the page for what values a field has."""
    column = ASSETS.fields[name].type
    if name.endswith("_bytes"):
        return "size"
    kinds = {sa.Boolean: "true or false", sa.Integer: "number", sa.DateTime: "moment"}
    return next((word for kind, word in kinds.items() if isinstance(column, kind)), "text")


def test_the_page_has_every_comparison_once():
    named = [word for first, *_ in markdown.rows(PAGE, "comparison") for word in words(first)]
    assert not markdown.differences(named, set(OPERATORS))


def test_every_comparison_has_an_example():
    shown = {name.partition("__")[2] or "exact" for case in EXAMPLES for name in case.values[0]}
    assert sorted(set(OPERATORS) - shown) == []


@pytest.mark.parametrize(("filters", "said"), EXAMPLES)
def test_an_example_is_what_the_grammar_makes_of_it(filters, said):
    if said.startswith("ERROR: "):
        with pytest.raises(store.FilterError, match=f"^{re.escape(said[7:])}$"):
            matching(ASSETS, filters, "")
    else:
        condition = sa.and_(*matching(ASSETS, filters, ""))
        assert str(condition.compile(dialect=postgresql.dialect()))


def test_the_page_has_every_field_with_the_kind_of_its_values():
    rows = markdown.rows(PAGE, "field")
    named = {name: re.split("[:;]", value)[0] for first, value in rows for name in words(first)}
    assert named == {name: kind_of(name) for name in ASSETS.fields}


@pytest.mark.parametrize("field", WORDS)
def test_the_page_has_the_words_that_a_field_may_hold(field):
    [value] = [value for first, value in markdown.rows(PAGE, "field") if words(first) == [field]]
    assert sorted(words(value)) == sorted(WORDS[field])


def test_the_page_has_the_facts_that_the_fields_of_parts_are_filled_from():
    facts = documented()
    rows = {words(first)[0]: cells for first, *cells in markdown.rows(PAGE, "section")}
    sources = {
        section: [
            [name for name in names if f"{'.'.join(source.path)}[].{name}" in facts]
            for names in (source.manufacturer, source.model, source.type, source.same)
        ]
        for section, source in SOURCES.items()
    }
    assert {section: [words(cell) for cell in cells] for section, cells in rows.items()} == sources


@pytest.mark.parametrize("section", SOURCES)
def test_a_field_of_parts_is_one_that_a_fact_can_fill(section):
    facts, source = documented(), SOURCES[section]
    for name in (*PART_FIELDS, "count"):
        names = (name,) if name in source.same else source._asdict().get(name, ())
        known = [one for one in names if f"{'.'.join(source.path)}[].{one}" in facts]
        assert bool(known) is (f"{section}.{name}" in PARTS) or name == "count", name


@pytest.mark.parametrize(
    ("kind", "field"),
    [("size", "memory_bytes"), ("moment", "last_seen"), ("True or false", "temporary")],
)
def test_values_are_written_as_the_page_says(kind, field):
    [item] = re.findall(rf"^- .*\*\*{kind}\*\*(.*?)(?=^- )", markdown.text(PAGE), re.M | re.S)
    values = [word.strip("'") for word in words(item) if "=" not in word]
    assert len(values) > 5
    for value in values:
        number = f"1{value}" if value.endswith("B") and value.isalpha() else value
        assert matching(ASSETS, {field: number}, "")
