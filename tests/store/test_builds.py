"""What machines are built of, in one row, and the values that few of a group have."""

import random
from collections import Counter, defaultdict

import pytest
import sqlalchemy as sa

from salt_ext import store
from salt_ext.store import parts, schema
from tests.machines import arrival, dimm, later, server
from tests.postgres import open_store
from tests.store.old_store import REVISIONS

FIELDS = {column: ".".join(path) for column, path in parts.FIRMWARE.items()}
LISTED = ("os", "kernel_release", "processor_model", "memory_bytes", "disk_count")


@pytest.fixture
def database(new_database):
    database = open_store(new_database())
    yield database
    database.close()


def builds(database):
    """The row of each asset."""
    with database.begin() as link:
        rows = link.execute(sa.select(schema.build)).mappings()
        return {
            row["asset_id"]: {name: row[name] for name in row if name != "asset_id"} for row in rows
        }


def from_facts(database):
    """What each of these rows must be, made from all that is known of the asset now."""
    rows = store.assets(database, limit=1000).rows
    return {row["id"]: parts.build(store.document(database, row["id"])[1]) for row in rows}


def machine(chance, number):
    """A machine of one of two models, nearly always with what the others of its model have."""
    facts = server(number)
    facts["system"]["product_name"] = "R750" if number % 2 else "R650"
    odd = chance.random() < 0.1
    facts["disks"][0]["model"] = "Other" if odd else "PM9A3"
    facts["firmware"] = {"version": chance.choice(("1.0", "1.0", "1.0", "2.0")), "secure_boot": odd}
    facts["bmc"] = {"firmware_version": "7.1"} if chance.random() < 0.5 else {}
    facts["memory"]["devices"] = [dimm("A1", f"S{number}", chance.choice((64, 64, 64, 32)))]
    return facts


def test_the_row_follows_every_report(database):
    chance = random.Random(5)
    for hour in range(8):
        reports = [
            arrival(machine(chance, number), f"web{number:02d}", later(hours=hour))
            for number in chance.sample(range(1, 13), 8)
        ]
        store.ingest(database, reports)
        assert builds(database) == from_facts(database)


@pytest.mark.parametrize("revision", REVISIONS[:-1])
def test_a_migration_makes_the_rows_of_what_is_there(store_of, revision):
    migrated = open_store(store_of(revision))
    store.migrate(migrated)
    expected = from_facts(migrated)
    assert {one: row for one, row in builds(migrated).items() if one in expected} == expected
    migrated.close()


@pytest.mark.parametrize("group_by", ["product_name", "kind,product_name"])
def test_odd_values_are_those_that_are_counted_one_by_one(database, group_by):
    chance = random.Random(7)
    numbers = range(1, 61)
    reports = [arrival(machine(chance, number), f"web{number:02d}") for number in numbers]
    store.ingest(database, reports)
    held = defaultdict(lambda: defaultdict(list))
    columns = [*group_by.split(","), "minion_id", *LISTED]
    for row in store.assets(database, columns=columns, limit=1000).rows:
        group = ", ".join(row[name] for name in group_by.split(","))
        built = parts.build(store.document(database, row["id"])[1])
        values = {name: row[name] for name in LISTED}
        values |= {FIELDS.get(name, name): value for name, value in built.items()}
        for field, value in values.items():
            if value is not None:
                held[group, field][str(value)].append(row["minion_id"])
    rare = {}
    for (group, field), values in held.items():
        counts = Counter({value: len(names) for value, names in values.items()})
        [(usual, most)] = counts.most_common(1)
        for value, names in values.items():
            if len(names) <= 0.3 * counts.total() <= 0.6 * most:
                rare[group, field, value] = (len(names), counts.total(), usual, sorted(names)[:5])
    found = {
        (row["group"], row["field"], row["value"]): (
            *(row[name] for name in ("assets", "of", "usual")),
            row["machines"],
        )
        for row in store.odd(database, group_by, threshold=0.3)
    }
    assert len(found) >= 4
    assert found == rare
