"""Patterns find what comparing every row would find, whatever way PostgreSQL takes."""

import fnmatch
import re

import pytest

from salt_ext import store
from salt_ext.settings import resolve
from salt_ext.store.reads.listing import PARTS, present
from salt_ext.store.reads.patterns import PATTERNS
from tests.machines import arrival, later, server

MODELS = (
    "PowerEdge R750",
    "PowerEdge R750xs",
    "poweredge r750",
    "50% more",
    "a_b",
    "a\\b",
    "a*b?",
    "Größe 7",
    "[r]",
    None,
)
SPELLINGS = (
    *("power", "R750", "r750", "750", "75", "%", "_", "\\", "größe", "ß", "xs", "b?", "[r]"),
    *("*", "?", "*r750*", "a*", "?_b", "*%*", "Power*R75?", "*", "", "nothing like it", "64", "1"),
    *(
        "[Pp]ower[Ee]dge*",
        "*R7[0-5]0",
        "[!P]*",
        "a[*]b[?]",
        "[[]r]",
        "[]a[]*",
        "a[\\\\_]b",
        "*[z-a]*",
    ),
    *(
        "[!z-a]_b",
        "[a-]*b",
        "*[^a]?",
        "*[é-ö]*",
        "[r",
        "[",
        "[]",
        "[!]",
        "*[0-9][a-z]*",
        "*[:alpha:]*",
    ),
)


@pytest.fixture(scope="module")
def fleet(new_database):
    """Machines whose models are hard to compare, each in two fields and in two kinds of parts."""
    database = store.Database(resolve(("test", {"database_url": new_database()})))
    arrivals = []
    for number, model in enumerate(MODELS, 1):
        facts = server(number)
        facts["system"]["product_name"] = model
        facts["operating_system"]["hostname"] = f"host-{model or 'none'}"
        facts["disks"][0]["model"] = model
        facts["memory"]["devices"][0]["part_number"] = MODELS[number % 3]
        if model is None:
            del facts["system"]["product_name"], facts["disks"][0]["model"]
        arrivals.append(arrival(facts, f"web{number:02d}-{'xs' * (number % 2)}", later()))
    assert {one.status for one in store.ingest(database, arrivals)} == {"new"}
    yield database
    database.close()


def is_like(operator, value, pattern):
    """The meaning of an operator, in Python."""
    if value is None:
        return False
    if operator == "glob":
        return re.match(fnmatch.translate(pattern), value, re.DOTALL) is not None
    value, pattern = value.lower(), pattern.lower()
    return {
        "contains": pattern in value,
        "startswith": value.startswith(pattern),
        "endswith": value.endswith(pattern),
    }[operator]


def found(database, field, operator, pattern):
    page = store.assets(database, filters={f"{field}__{operator}": pattern}, limit=100)
    return {row["minion_id"] for row in page.rows}


@pytest.mark.parametrize("operator", PATTERNS)
@pytest.mark.parametrize(
    "field", ["minion_id", "hostname", "product_name", "os", "memory_bytes", "first_seen"]
)
def test_a_field_of_an_asset_is_like_a_pattern(fleet, field, operator):
    assert field in present(resolve()).fields
    rows = store.assets(fleet, columns=f"minion_id,{field}", limit=100).rows
    for pattern in SPELLINGS:
        if field == "first_seen" and pattern.strip("*?"):
            pattern = str(rows[0]["first_seen"].year)
        values = {row["minion_id"]: None if row[field] is None else str(row[field]) for row in rows}
        right = {name for name, value in values.items() if is_like(operator, value, pattern)}
        assert found(fleet, field, operator, pattern) == right, (field, operator, pattern)


@pytest.mark.parametrize("operator", PATTERNS)
@pytest.mark.parametrize("field", ["disks.model", "memory.model", "disks.size_bytes"])
def test_a_field_of_a_part_is_like_a_pattern_in_its_own_section(fleet, field, operator):
    assert field in PARTS
    section, name = field.split(".")
    with fleet.begin() as link:
        rows = link.exec_driver_sql(
            f"SELECT minion_id, {name} FROM part JOIN asset ON asset.id = asset_id"
            f" WHERE section = '{section}'"
        ).all()
    assert len({value for _, value in rows}) >= 1
    for pattern in SPELLINGS:
        right = {
            minion_id
            for minion_id, value in rows
            if is_like(operator, None if value is None else str(value), pattern)
        }
        assert found(fleet, field, operator, pattern) == right, (field, operator, pattern)
