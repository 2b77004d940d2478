"""Which kinds of parts fail more often than others, and when that is only chance."""

from importlib import import_module

import pytest
import sqlalchemy as sa

from salt_ext import store
from salt_ext.store.schema import placement
from tests.machines import arrival, later, server
from tests.postgres import open_store

DAYS = 300
"""Since when the fleet is known; the other days are so many before today too."""
GOOD, BAD = "PM9A3", "SKHYNIX"


@pytest.fixture
def fleet(database):
    """A function that has machines with disks report on a day of the past."""

    def reports(day, disks_of):
        arrivals = [
            arrival(server(number, disks=disks), f"web{number:03d}", later(days=day))
            for number, disks in disks_of.items()
        ]
        done = store.ingest(database, arrivals)
        assert {one.status for one in done} <= {"new", "changed", "unchanged"}
        store.settle_losses(database)

    return reports


def disk(serial, model=GOOD, firmware="G1", name="sda"):
    return {"name": name, "serial_number": serial, "model": model, "firmware_version": firmware}


def filled(number, model=GOOD, firmware="G1", count=4, batch=""):
    return [
        disk(f"{model[:2]}{batch}{number:03d}X{n}", model, firmware, f"sd{n}") for n in range(count)
    ]


def kinds(database, since=-DAYS - 1, **filters):
    rows = store.failing_batches(database, later(days=since), filters=filters or None)
    return {(row["model"], row["firmware_version"], row["quarter"]): row for row in rows}


def quarter(day):
    moment = later(days=day)
    return f"{moment.year} Q{(moment.month + 2) // 3}"


def test_a_batch_is_told_with_how_many_times_as_often_it_fails(fleet, database):
    """Forty machines with good disks, of which one is taken out, and four with bad ones."""
    good = {number: filled(number) for number in range(1, 41)}
    bad = {number: filled(number, BAD, "B7") for number in range(41, 45)}
    fleet(-DAYS, {**good, **bad})
    one_less = {1: good[1][1:], 41: bad[41][2:], 42: bad[42][1:], 43: bad[43][1:]}
    for day in (-100, -99):  # the second report confirms the losses
        fleet(day, one_less)
    fleet(0, {**good, **bad, **one_less})
    [(key, row)] = kinds(database).items()
    assert key == (BAD, "B7", quarter(-DAYS))
    assert (row["gone"], row["failing"], row["in_use"]) == (4, 0, 12)
    assert row["years"] == pytest.approx((12 * DAYS + 4 * 200) / 365.25, abs=0.1)
    # Four failures in 12 years, one in 131: about 43 times as often.
    assert row["times"] == pytest.approx(43, abs=2)
    assert 4 < row["times_low"] < 6
    assert row["times_high"] > 1000
    assert (row["assets"], len(row["machines"])) == (4, 4)
    assert kinds(database, minion_id="web001") == {}
    assert kinds(database, since=-50) == {}


def test_the_same_model_of_another_quarter_or_firmware_is_another_batch(fleet, database):
    old = {number: filled(number, batch="A") for number in range(1, 11)}
    fleet(-DAYS, old)
    new = {number: filled(number, firmware="G2", batch="C") for number in range(11, 21)}
    fleet(-150, new)
    fleet(-140, {11: [{**one, "firmware_version": "G3"} for one in new[11]]})
    left = {number: new[number][:1] for number in (12, 13)}
    for day in (-20, -19):
        fleet(day, left)
    fleet(0, old)
    [(key, row)] = kinds(database).items()
    assert key == (GOOD, "G2", quarter(-150))
    assert (row["gone"], row["in_use"]) == (6, 30)


def test_a_disk_that_moves_to_another_machine_has_not_failed_and_stays_of_its_batch(
    fleet, database
):
    fleet(-DAYS, {1: filled(1), 2: filled(2), 3: filled(3)})
    moved = filled(1)
    fleet(-100, {1: []})
    fleet(-99, {2: filled(2) + [{**one, "name": f"sdx{n}"} for n, one in enumerate(moved)], 1: []})
    for day in (-50, -49):
        fleet(day, {2: filled(2)[:2]})
    [(key, row)] = kinds(database).items()
    assert key == (GOOD, "G1", quarter(-DAYS))
    assert (row["gone"], row["in_use"]) == (6, 6)


def test_a_broken_collector_makes_no_batch_fail(fleet, database):
    fleet(-DAYS, {number: filled(number) for number in range(1, 11)})
    fleet(-1, {number: [] for number in range(1, 11)})
    assert kinds(database) == {}


def test_parts_of_retired_machines_do_not_count(fleet, database):
    fleet(-DAYS, {1: filled(1), 2: filled(2)})
    for day in (-100, -99):
        fleet(day, {1: []})
    assert kinds(database)[GOOD, "G1", quarter(-DAYS)]["gone"] == 4
    asset_id = store.resolve(database, "web001")
    store.set_lifecycle(database, asset_id, "retired", store.Act("me", "sold", test=False))
    assert kinds(database) == {}


def smart(disks, failing=()):
    about = [{"name": one["name"], "serial_number": one["serial_number"]} for one in disks]
    return [{**one, "passed": one["serial_number"] not in failing} for one in about]


def test_disks_that_failed_before_the_store_met_them_do_not_count(database):
    """Four disks of a kind say that they fail: two did at once, two began to."""
    disks = filled(1, BAD, "B7")
    numbers = [one["serial_number"] for one in disks]
    good = filled(2)
    for day, failing in ((-DAYS, numbers[:2]), (0, numbers)):
        facts = server(1, disks=disks, smart=smart(disks, failing))
        others = server(2, disks=good, smart=smart(good))
        arrivals = [
            arrival(facts, "web001", later(days=day)),
            arrival(others, "web002", later(days=day)),
        ]
        store.ingest(database, arrivals)
        if day:
            assert kinds(database) == {}
    assert kinds(database)[BAD, "B7", quarter(-DAYS)]["failing"] == 2
    assert kinds(database, since=1) == {}  # they began before that


def test_machines_that_reported_once_tell_of_no_time(fleet, database):
    fleet(-DAYS, {1: filled(1), 2: filled(2), 3: filled(3, BAD), 4: filled(4, BAD)})
    for day in (-100, -99):
        fleet(day, {1: []})
    row = kinds(database)[GOOD, "G1", quarter(-DAYS)]
    assert (row["gone"], row["years"]) == (4, round(4 * 200 / 365.25, 1))
    assert (row["times_low"], row["times_high"]) == (0.0, None)


def test_where_nothing_can_be_compared_nothing_is_told_for_sure(fleet, database):
    fleet(-DAYS, {1: filled(1), 2: filled(2)})
    for day in (-100, -99):
        fleet(day, {1: []})
    row = kinds(database)[GOOD, "G1", quarter(-DAYS)]
    assert (row["times_low"], row["times_high"]) == (0.0, None)


def test_the_migration_finds_the_firmware_of_parts_that_are_there_and_of_those_that_went(
    fleet, database
):
    fleet(-DAYS, {1: filled(1), 2: filled(2, BAD, "B7")})
    fleet(-100, {2: filled(2, BAD, "B7")[1:]})
    stays = sa.select(placement.c.serial, placement.c.until, placement.c.firmware_version)
    step = import_module("salt_ext.store.migrations.versions.0023_counters")
    with database.begin() as link:
        known = link.execute(stays.order_by(placement.c.serial, placement.c.path)).all()
        link.execute(sa.update(placement).values(firmware_version=None))
        link.exec_driver_sql(step.FIRMWARE_NOW)
        link.exec_driver_sql(step.FIRMWARE_THEN)
        assert link.execute(stays.order_by(placement.c.serial, placement.c.path)).all() == known
    of_disks = {row.firmware_version for row in known if row.firmware_version}
    assert of_disks >= {"G1", "B7"}
    assert [row.firmware_version for row in known if row.until is not None] == ["B7"]


def test_a_store_that_has_nothing_is_answered(new_database):
    database = open_store(new_database())
    assert store.failing_batches(database, later(days=-9)) == []
    database.close()


def test_a_disk_beyond_a_threshold_counts_as_one_that_says_that_it_fails(database):
    disks = [disk("S64F000001"), disk("S64F000002", name="sdb")]
    for day, word in ((-9, True), (0, False)):
        about = smart(disks, () if word else ("S64F000001",))
        about[1]["health"] = {"failing": [] if word else ["reallocated"]}
        facts = server(1, disks=disks, smart=about)
        store.ingest(database, [arrival(facts, "web001", later(days=day))])
    [row] = store.failing_batches(database, later(days=-9))
    assert row["failing"] == 2
