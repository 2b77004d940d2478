"""The class of each change is stored with it, and the migration fills it by the same rule."""

import re
from importlib import import_module
from itertools import pairwise

import pytest
import sqlalchemy as sa

from salt_ext import store
from salt_ext.document import normal
from salt_ext.document.classes import CLASSES, classes
from salt_ext.document.diff import diff
from salt_ext.store import bulk
from salt_ext.store.schema import change
from tests.citus import one_server
from tests.corpus import corpus_files, needs_corpus
from tests.kinds_of_change import DISK, KINDS, SMART
from tests.machines import NOW, arrival, later, server
from tests.unit.document.test_diff import captured

step = import_module("salt_ext.store.migrations.versions.0013_classes_of_changes")


def by_migration(database):
    """The class of each change as the migration finds it; nothing is kept."""
    with database.begin() as link:
        held = link.begin_nested()
        link.exec_driver_sql(step.OF_CHANGE)
        link.exec_driver_sql(
            "UPDATE change SET class = cmdb_class_of(op, path, component, field, old, new)"
        )
        for statement in (step.EMPTY_SLOTS, step.TOLD_TWICE, step.SUMS):
            link.exec_driver_sql(statement)
        found = stored(link)
        held.rollback()
        return found


def stored(link):
    rows = link.execute(
        sa.select(change).order_by(change.c.asset_id, change.c.revision, change.c.position)
    )
    return [row._asdict() for row in rows]


def differing(database):
    """Where the migration does not agree with what is stored."""
    with database.begin() as link:
        rows = stored(link)
    found = by_migration(database)
    assert len(rows) == len(found) > 0
    return [
        (one["class"], other)
        for one, other in zip(rows, found, strict=True)
        if one["class"] != other["class"]
    ]


@pytest.fixture
def kinds(database):
    """A machine for each kind of change, which has reported before and after it."""
    for at, which in ((NOW, 0), (later(minutes=1), 1)):
        facts = [{**server(number), **kind[which]} for number, kind in enumerate(KINDS.values(), 1)]
        store.ingest(
            database, [arrival(one, f"m{number:02d}", at) for number, one in enumerate(facts, 1)]
        )
    return database


def test_each_kind_of_change_is_stored_with_its_class(kinds):
    for number, (name, (*_, expected)) in enumerate(KINDS.items(), 1):
        asset_id = store.resolve(kinds, f"m{number:02d}")
        wanted = store.Wanted(asset_id)
        assert {row["class"] for row in store.changes(kinds, wanted)} == {expected} - {None}, name


@one_server("a store is spread later than by this migration")
def test_the_migration_classes_old_changes_by_the_rule_of_new_ones(kinds):
    assert differing(kinds) == []


def test_changes_are_asked_for_by_class_and_by_what_happened(kinds):
    for name in CLASSES:
        rows = store.changes(kinds, store.Wanted(classes=(name,)))
        assert {row["class"] for row in rows} == {name}
        counted = store.count_classes(kinds, store.Wanted(classes=(name,)))
        assert counted == {name: store.Count(len(rows), True)}
    removed = store.changes(kinds, store.Wanted(op="removed", classes=("loss", "software")))
    assert {row["class"] for row in removed} == {"loss", "software"}
    assert {row["op"] for row in removed} == {"removed"}


def test_of_many_changes_the_newest_are_counted_and_no_more(kinds):
    whole = store.count_classes(kinds)
    assert sum(one.number for one in whole.values()) == store.count_changes(kinds)
    some = store.count_classes(kinds, most=2)
    assert some["loss"] == (2, False)
    assert some["renamed"] == (1, True)


def test_changes_of_some_assets_are_the_same_by_asset_and_by_time(kinds, monkeypatch):
    history = import_module("salt_ext.store.reads.history")
    wanted = store.Wanted(filters={"minion_id__glob": "m0*"}, since=NOW)
    few = store.changes(kinds, wanted, 1000), store.count_classes(kinds, wanted)
    monkeypatch.setattr(history, "FEW", 1)
    assert (store.changes(kinds, wanted, 1000), store.count_classes(kinds, wanted)) == few
    assert len(few[0]) > 5


@one_server("a store is spread later than by this migration")
def test_what_smart_says_again_is_stored_and_told_nobody(database):
    for at, name in ((NOW, "sda"), (later(minutes=1), "sdb")):
        facts = server(1, disks=[{**DISK, "name": name}], smart=[{**SMART, "name": name}])
        store.ingest(database, [arrival(facts, "web01", at)])
    assert [row["path"] for row in store.changes(database)] == ["disks"]
    assert store.document(database, store.resolve(database, "web01"), NOW)[1]["smart"] == [SMART]
    assert differing(database) == []


@one_server("a store is spread later than by this migration")
@needs_corpus
def test_both_rules_agree_on_captured_machines_in_each_others_place(database):
    store.ingest(database, [arrival(server(1), "web01")])
    asset_id = store.resolve(database, "web01")
    paths = corpus_files("*/smbios_bin/**/*", "*/smbios_synth/**/*")
    rows = []
    for number, pair in enumerate(pairwise(normal(captured(path)) for path in paths), 2):
        changes = diff(*pair)
        for position, (one, name) in enumerate(zip(changes, classes(changes), strict=True)):
            news = {"class": name, "recorded_at": NOW, "position": position}
            rows.append({"asset_id": asset_id, "revision": number, **one._asdict(), **news})
    assert len(rows) > 1000
    assert len({row["class"] for row in rows}) > 5
    with database.begin() as link:
        bulk.insert(link, change, rows)
    assert differing(database) == []


def test_the_changes_of_each_day_are_counted_by_class(kinds):
    starts = [later(days=-1), later(minutes=-1), later(minutes=5)]
    before, now, after = store.count_days(kinds, starts)
    whole = {name: one.number for name, one in store.count_classes(kinds).items()}
    assert (before, now, after) == ({}, whole, {})


MANY = """
INSERT INTO change (asset_id, revision, position, op, path, old, new, class, recorded_at)
SELECT asset_id, 1, number, 'changed', 'firmware.version', '"1"', '"2"',
       CASE WHEN mod(number, 1000) = 0 THEN 'loss'::change_class ELSE 'firmware' END,
       now() - number * interval '1 minute'
  FROM asset_seen, generate_series(1, 40000) AS number;
ANALYZE change
"""


@one_server("its plan tells no index of the shards")
@pytest.mark.parametrize("classes", [(), ("loss",), ("software",)])
def test_the_newest_of_any_span_are_found_in_the_index(database, classes):
    store.ingest(database, [arrival(server(1), "web01")])
    with database.begin() as link:
        link.exec_driver_sql(MANY)
    history = import_module("salt_ext.store.reads.history")
    wanted = store.Wanted(since=later(days=-400), until=later(days=-1), classes=classes)
    with database.begin() as link:
        sa.event.listen(link, "before_cursor_execute", _explained, retval=True)
        plan = "\n".join(link.scalars(history.newest(link, database, wanted, 100)))
    assert "Index Scan Backward using change_class_recorded_at_idx" in plan
    assert "Seq Scan" not in plan
    removed = [int(one) for one in re.findall(r"Rows Removed by Filter: (\d+)", plan)]
    read = [int(one) for one in re.findall(r"on change .*actual rows=(\d+)", plan)]
    assert read
    assert max(read) <= 101
    assert not removed


@pytest.mark.parametrize("section", ["memory", "gpus", "operating_system"])
def test_the_changes_of_any_section_in_any_span_are_found_in_an_index(database, section):
    """Of memory there is one among many, of a GPU none, of operating systems there are many."""
    store.ingest(database, [arrival(server(1), "web01")])
    with database.begin() as link:
        link.exec_driver_sql(OF_SECTIONS)
    history = import_module("salt_ext.store.reads.history")
    wanted = store.Wanted(since=later(days=-400), until=later(days=-1), section=section)
    with database.begin() as link:
        sa.event.listen(link, "before_cursor_execute", _explained, retval=True)
        plan = "\n".join(link.scalars(history.newest(link, database, wanted, 100)))
    assert "Seq Scan" not in plan
    assert not re.findall(r"Rows Removed by Filter: (\d+)", plan)
    found = store.changes(database, wanted)
    assert len(found) == {"memory": 1, "gpus": 0, "operating_system": 50}[section]


OF_SECTIONS = """
INSERT INTO change (asset_id, revision, position, op, path, new, class, recorded_at)
SELECT asset_id, 1, number, 'changed',
       CASE WHEN number = 30000 THEN 'memory.installed_bytes'
            WHEN mod(number, 2) = 0 THEN 'firmware.version' ELSE 'operating_system.kernel' END,
       '1', CASE mod(number, 2) WHEN 0 THEN 'firmware' ELSE 'software'::change_class END,
       now() - number * interval '10 minutes'
  FROM asset_seen, generate_series(200, 40000) AS number;
ANALYZE change
"""


def _explained(_link, _cursor, statement, parameters, _context, _many):
    return f"EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF, SUMMARY OFF) {statement}", parameters
