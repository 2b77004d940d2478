"""The list of assets: its order, its pages, and what a forged cursor does."""

import base64
import contextlib
import json
import random
from datetime import timedelta
from importlib import import_module

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from salt_ext import store
from salt_ext.settings import resolve
from salt_ext.store.reads.listing import NOW_ONLY, present
from tests.citus import one_server
from tests.machines import NOW, arrival, later, server

PAGE = 7
THEN = later(hours=-1)
FIELDS = list(present(resolve()).fields)
SORTS = [sign + field for field in FIELDS for sign in ("", "-")]


def machine(number):
    """A machine that has many fields in common with others, and lacks some."""
    chance = random.Random(number)
    facts = server(number)
    facts["location"] = {"site": chance.choice(["ams1", "fra1"]), "rack": chance.choice("ab")}
    facts["memory"]["installed_bytes"] = chance.choice([1, 2, 3]) << 36
    facts["processors"]["threads"] = chance.choice([64, 128])
    facts["virtual"] = {"role": chance.choice(["none", "guest"])}
    for section in chance.sample(["location", "processors", "disks", "memory"], 2):
        del facts[section]
    if number % 8 == 0:
        del facts["operating_system"]
    if number % 6 == 0:  # without a key, so a temporary asset without a serial number
        for section in ("system", "baseboards", "network"):
            facts.pop(section, None)
    return facts


@pytest.fixture(scope="module")
def fleet(new_database):
    """Machines of which some are silent, one is detached, one was merged; a switch of a list."""
    database = store.Database(resolve(("test", {"database_url": new_database()})))
    arrivals = []
    for number in range(1, 27):
        at = NOW - timedelta(hours=6 + number % 5 * 45)
        mode = ("agent", "salt", "ssh")[number % 3]
        arrivals.append(arrival(machine(number), f"m{number:02d}", at, mode=mode))
    detached = arrival(server(90), "m07", NOW - timedelta(minutes=30))
    # It showed no key until now, and is the machine that was known by another name.
    keyless = server(80)
    for section in ("system", "baseboards", "network"):
        del keyless[section]
    old, now = arrival(server(80), "was80", NOW - timedelta(days=9)), NOW - timedelta(minutes=20)
    arrivals += [old, arrival(keyless, "m80", NOW - timedelta(days=3))]
    arrivals += [detached, arrival(server(80), "m80", now)]
    for one in sorted(arrivals, key=lambda one: one.received_at):
        [outcome] = store.ingest(database, [one])
        assert outcome.status in ("new", "changed"), outcome
    switch = {"sn": "SW1", "minion_id": "sw01", "fields": {}, "row": 2, "kind": "switch"}
    store.import_expected(database, [switch], source="list", by="me")
    yield database
    database.close()


def walk(database, sort, cursor=None, *, backwards=False, **options):
    """Return every page from a cursor to the end, or to the beginning."""
    pages = []
    while True:
        page = store.assets(database, sort=sort, cursor=cursor, limit=PAGE, **options)
        pages.append(page)
        cursor = page.previous if backwards else page.next
        if cursor is None:
            return pages
        assert len(pages) < 50, "the pages have no end"


@pytest.mark.parametrize(
    ("sort", "at"),
    [pytest.param(sort, None, id=sort) for sort in SORTS]
    + [
        pytest.param(sort, THEN, id=f"{sort} an hour ago")
        for sort in SORTS
        if sort.lstrip("-") not in NOW_ONLY
    ],
)
def test_pages_have_every_asset_once_and_in_order_in_both_directions(fleet, sort, at):
    field = sort.lstrip("-")
    columns = {"columns": field, "at": at}
    whole = store.assets(fleet, sort=sort, limit=1000, **columns)
    ids = [row["id"] for row in whole.rows]
    assert (len(set(ids)), whole.first, whole.next, whole.previous) == (whole.total, 1, None, None)
    # The switch is known of the present only.
    assert whole.total == (29 if at is None else 28)
    assert [(row[field], row["id"]) for row in whole.rows] == in_order(whole.rows, sort)
    pages = walk(fleet, sort, **columns)
    assert [row["id"] for page in pages for row in page.rows] == ids
    assert [page.first for page in pages] == list(range(1, whole.total + 1, PAGE))
    assert {page.total for page in pages} == {whole.total}
    back = walk(fleet, sort, pages[-1].previous, backwards=True, **columns)[::-1]
    assert [page.rows for page in back] == [page.rows for page in pages[:-1]]
    assert [page.first for page in back] == [page.first for page in pages[:-1]]


QUESTIONS = [
    {"filters": {"site": "ams1"}},
    {"filters": {"memory.count": "2"}},
    {"filters": {"disks.model": "PM9A3", "processor_threads": "64"}},
    {"filters": {"freshness": "missing"}},
    {"filters": {"mode": "ssh", "os__contains": "debian"}},
    {"text": "dell"},
    {"filters": {"site": "ams1"}, "at": THEN},
]


@pytest.mark.parametrize("sort", ["minion_id", "-memory_bytes", "freshness", "-mode", "last_seen"])
def test_few_assets_are_listed_as_many_are(fleet, monkeypatch, sort):
    asked = [one for one in QUESTIONS if "at" not in one or sort.lstrip("-") not in NOW_ONLY]
    found = [walk(fleet, sort, **one) for one in asked]
    assert all(1 < pages[0].total < 28 for pages in found)
    # The package has a function of the same name.
    module = import_module("salt_ext.store.reads.assets")
    # As a set that is looked into on the way of the sort, and then on that way alone.
    for many, near in ((28, 28), (0, 28), (0, 3)):
        monkeypatch.setattr(module, "FEW", 1)
        monkeypatch.setattr(import_module("salt_ext.store.reads.paging"), "NEAR", near)
        monkeypatch.setattr(module, "MANY", many)
        for question, pages in zip(asked, found, strict=True):
            again = walk(fleet, sort, **question)
            if "text" in question:
                assert {(page.total, page.exact) for page in again} == {(1, False)}
                again = [one._replace(total=pages[0].total, exact=True) for one in again]
            assert again == pages


def test_assets_with_a_text_are_counted_up_to_a_number(fleet, monkeypatch):
    module = import_module("salt_ext.store.reads.assets")
    monkeypatch.setattr(module, "FEW", 20)
    some = store.assets(fleet, text="dell", limit=5)
    assert (some.total, some.exact, some.first) == (20, False, 1)
    names = [
        row["minion_id"] for page in walk(fleet, "minion_id", text="dell") for row in page.rows
    ]
    assert len(names) == len(set(names)) > 20
    few = store.assets(fleet, text="m01")
    assert (few.total, few.exact, few.next) == (len(few.rows), True, None)
    monkeypatch.setattr(module, "FEW", len(names))
    assert store.assets(fleet, text="dell").total == len(names)
    assert store.assets(fleet, text="dell").exact


def in_order(rows, sort):
    """Sort as the list should: by the field, then by the id the same way, without it last."""
    field = sort.lstrip("-")

    def value(row):
        return store.FRESHNESS.index(row[field]) if field == "freshness" else row[field]

    known = [row for row in rows if row[field] is not None]
    unknown = [row for row in rows if row[field] is None]
    is_down = sort.startswith("-")
    known.sort(key=lambda row: (value(row), row["id"]), reverse=is_down)
    unknown.sort(key=lambda row: row["id"], reverse=is_down)
    return [(row[field], row["id"]) for row in known + unknown]


def test_the_fleet_of_this_test_has_all_that_makes_paging_hard(fleet):
    rows = store.assets(fleet, columns=FIELDS, limit=1000).rows
    for field in ("minion_id", "sn", "site", "memory_bytes", "os", "address"):
        values = [row[field] for row in rows]
        assert None in values
        if field not in ("minion_id", "sn", "address"):
            assert len(set(values)) < len(values) / 5
    assert {row["freshness"] for row in rows} == set(store.FRESHNESS)
    assert "was80" not in [row["minion_id"] for row in rows]


def test_an_empty_list_has_no_pages(database):
    assert store.assets(database) == store.Page([], 0, True, 0, None, None)
    assert store.assets(database, at=NOW) == store.Page([], 0, True, 0, None, None)


def test_an_asset_that_comes_between_two_pages_is_not_shown_twice(database):
    store.ingest(database, [arrival(server(n), f"m{n}") for n in range(1, 5)])
    page = store.assets(database, limit=2)
    store.ingest(database, [arrival(server(9), "m0")])
    rest = store.assets(database, limit=2, cursor=page.next)
    assert [row["minion_id"] for row in rest.rows] == ["m3", "m4"]
    assert (rest.first, rest.total) == (3, 5)
    back = store.assets(database, limit=2, cursor=rest.previous)
    assert [row["minion_id"] for row in back.rows] == ["m1", "m2"]


def encoded(words):
    return base64.urlsafe_b64encode(json.dumps(words).encode()).decode()


nothing_good = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([2**31, 2**63, -(2**63) - 1, 10**400, float("inf"), float("-inf")])
    | st.floats()
    | st.text(st.characters(codec=None), max_size=8)
    | st.sampled_from(
        [
            "nul\0",
            "\ud800",
            "0001-01-01T00:00:00+23:59",
            "9999-12-31T23:59:59-23:59",
            "2026-01-01",
            "infinity",
            "00000000-0000-0000-0000-000000000000",
        ]
    )
)


@pytest.fixture(scope="module")
def cursors(fleet):
    """What the cursor of each first page holds, by its order and its moment."""
    asked = [(sort, at) for sort in SORTS for at in (None, THEN)]
    pages = {
        (sort, at): store.assets(fleet, sort=sort, limit=PAGE, at=at).next
        for sort, at in asked
        if at is None or sort.lstrip("-") not in NOW_ONLY
    }
    return {key: json.loads(base64.urlsafe_b64decode(cursor)) for key, cursor in pages.items()}


junk = st.recursive(
    nothing_good, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner)
)


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    sort=st.sampled_from(SORTS),
    at=st.sampled_from([None, THEN]),
    place=st.integers(0, 5),
    value=junk,
)
def test_a_forged_cursor_is_a_page_or_a_sentence_and_never_a_database_error(
    fleet, cursors, sort, at, place, value
):
    if at is not None and sort.lstrip("-") in NOW_ONLY:
        at = None
    words = [*cursors[sort, at]]
    words[place : place + 1] = [value]
    with contextlib.suppress(store.FilterError):
        page = store.assets(fleet, sort=sort, limit=PAGE, at=at, cursor=encoded(words))
        assert isinstance(page, store.Page)


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "é",
        "\ud800",
        "\0",
        encoded([]),
        encoded({}),
        encoded(None),
        encoded(["minion_id"]),
        base64.urlsafe_b64encode(b"[" * 100_000).decode(),
        base64.urlsafe_b64encode(b"\xff\xfe[").decode(),
        base64.urlsafe_b64encode(b"9" * 10_000).decode(),
        7,
        b"x",
        [],
    ],
)
def test_what_is_no_cursor_at_all_is_refused(fleet, cursor):
    with pytest.raises(store.FilterError, match="the cursor is none that a list has given"):
        store.assets(fleet, cursor=cursor)


def test_a_cursor_of_another_order_is_refused(fleet):
    cursor = store.assets(fleet, sort="sn", limit=PAGE).next
    with pytest.raises(store.FilterError, match="sorted by sn, not by -sn"):
        store.assets(fleet, sort="-sn", cursor=cursor)
    with pytest.raises(store.FilterError, match=r"no field 'rak'.*'rack'"):
        store.assets(fleet, sort="rak", cursor=cursor)


def test_a_cursor_goes_on_with_the_filter_that_it_began_with(fleet):
    options = {"filters": {"site": "ams1"}, "text": "m", "columns": "site"}
    whole = store.assets(fleet, sort="-rack", limit=1000, **options)
    assert 3 < whole.total < 40
    pages = walk(fleet, "-rack", **options)
    assert [row for page in pages for row in page.rows] == whole.rows


@pytest.mark.parametrize("at", [None, THEN])
def test_the_groups_of_a_report_add_up_to_its_totals(fleet, at):
    sums = ("assets", "processor_threads", "memory_bytes", "disk_bytes")
    for group_by in ("site", "kind,os", "manufacturer,product_name", "temporary"):
        totals, [groups] = store.totals(fleet, groupings=[group_by], at=at)
        assert totals["assets"] == store.assets(fleet, at=at).total
        for name in (*sums, *(store.FRESHNESS if at is None else ())):
            assert totals[name] == sum(group[name] for group in groups)
    rows = store.assets(fleet, columns="memory_bytes", limit=1000, at=at).rows
    assert totals["memory_bytes"] == sum(row["memory_bytes"] or 0 for row in rows)


@one_server("Citus has no GROUPING SETS, so that there is a statement for each grouping")
def test_several_groupings_are_those_of_several_reports_read_by_one_statement(fleet):
    groupings = ("site", "manufacturer,product_name", "os", "os", "temporary,site")
    engine = fleet._engine()
    statements = []
    store.ping(fleet)

    @sa.event.listens_for(engine, "before_cursor_execute")
    def note(link, cursor, statement, *_):
        statements.append(statement)

    whole, tables = store.totals(fleet, groupings=groupings)
    sa.event.remove(engine, "before_cursor_execute", note)
    assert sum("FROM asset" in one for one in statements) == 1
    for grouping, rows in zip(groupings, tables, strict=True):
        assert store.totals(fleet, groupings=[grouping]) == (whole, [rows])


def test_a_report_counts_how_fresh_the_assets_of_its_list_are(fleet):
    totals, _ = store.totals(fleet)
    rows = store.assets(fleet, columns="freshness", limit=1000).rows
    for name in store.FRESHNESS:
        assert totals[name] == sum(row["freshness"] == name for row in rows) > 0
