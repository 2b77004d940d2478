"""In which order ill disks are told, and what the models of disks have to do with it."""

import pytest
import sqlalchemy as sa

from salt_ext import store
from salt_ext.store.schema import disk_model
from tests.machines import arrival, later, server
from tests.postgres import open_store

COUNTS = {
    "web01": {"pending": 999},
    "web02": {"media_errors": 900},
    "web03": {"pending": 60000},
    "web04": {"pending": 60000, "reallocated": 900},
    "web05": {"pending": 1, "uncorrectable": 1, "reallocated": 1, "reported_uncorrectable": 1},
    "web06": {"reallocated": 1, "command_timeouts": 900},
}


@pytest.fixture
def database(new_database):
    database = open_store(new_database())
    yield database
    database.close()


def machine(number, model="PM9A3", serial=None, **volatile):
    """A machine with one disk, which says this of itself."""
    disk = {**server(number)["disks"][0], "model": model}
    disk["serial_number"] = serial or disk["serial_number"]
    about = {"name": "sda", "serial_number": disk["serial_number"], "passed": True}
    return server(number, disks=[disk], smart=[{**about, "volatile": volatile}])


def report(database, name, *args, at=None, **kwargs):
    facts = machine(int(name[3:]), *args, **kwargs)
    store.ingest(database, [arrival(facts, name, at or later())])


def names(database, **filters):
    return [row["minion_id"] for row in store.health(database, filters=filters)]


def models(database):
    with database.begin() as link:
        found = link.execute(sa.select(disk_model).order_by(disk_model.c.model))
        return {row.model: (round(row.years, 2), row.failed) for row in found}


def aged(database):
    """Two models, two years old: of one a disk of many was replaced, of the other none of two."""
    for name, model in (("web01", "GOOD"), ("web02", "GOOD"), ("web03", "BAD"), ("web04", "BAD")):
        report(database, name, model, at=later(days=-730))
        report(database, name, model, at=later(), pending=8)
    report(database, "web05", "BAD", "OLD", at=later(days=-730))
    report(database, "web05", "NEW", "FRESH", at=later(days=-365))
    shelf = [{"name": f"sd{n}", "model": "BAD", "serial_number": f"Z{n}"} for n in range(30)]
    for at in (later(days=-730), later()):
        store.ingest(database, [arrival(server(6, disks=shelf), "web06", at)])


def test_the_disk_with_most_counters_comes_first_whichever_machine_it_is_in(database):
    for name, counts in COUNTS.items():
        report(database, name, **counts)
    assert names(database) == ["web05", "web04", "web03", "web02", "web01", "web06"]
    severities = [row["severity"] for row in store.health(database)]
    assert severities == ["warning"] * 4 + ["notice"] * 2
    assert names(database, minion_id__in="web01,web03,web06") == ["web03", "web01", "web06"]


def test_what_a_disk_says_of_itself_comes_before_what_it_counts(database):
    report(database, "web05", **COUNTS["web05"])
    facts = machine(9)
    facts["smart"][0] |= {"passed": False, "health": {"failing": ["spin_up_time"]}}
    store.ingest(database, [arrival(facts, "web09")])
    assert names(database) == ["web09", "web05"]


def test_of_equal_disks_the_one_whose_model_fails_more_often_comes_first_and_it_is_said(database):
    aged(database)
    alike = "1 of 4 SMART counters is not zero: 197 pending 8"
    assert names(database) == ["web01", "web02", "web03", "web04"]
    assert {row["says"] for row in store.health(database)} == {alike}
    store.maintain(database, test=True)
    assert models(database) == {}
    store.maintain(database)
    # The disk that was replaced was there for a year; of the new one there is one report.
    assert models(database) == {"BAD": (64.96, 1), "GOOD": (4.0, 0), "NEW": (0.0, 0)}
    found = store.health(database)
    assert [row["minion_id"] for row in found] == ["web03", "web04", "web01", "web02"]
    # One failure in 69 years. The other model decides between equals; too little is known of it.
    said = f"{alike}; its model fails 1.5 % a year here, the fleet 1.5 %"
    assert [row["says"] for row in found] == [said, said, alike, alike]
    for row in found:
        page = store.asset_page(database, row["id"], 1)
        assert page["ill"] == [row]


def test_a_disk_that_moved_has_not_failed_and_one_that_says_so_has(database):
    report(database, "web01", "A", "MOVES", at=later(days=-400))
    report(database, "web02", "A", "STAYS", at=later(days=-400))
    report(database, "web01", "B", "COMES", at=later(days=-300))
    report(database, "web03", "A", "MOVES", at=later(days=-200))
    store.maintain(database)
    assert models(database) == {"A": (0.27, 0), "B": (0.0, 0)}
    facts = machine(2, "A", "STAYS")
    facts["smart"][0] |= {"passed": False, "health": {"failing": []}}
    store.ingest(database, [arrival(facts, "web02")])
    store.maintain(database)
    assert models(database)["A"] == (1.37, 1)


def test_a_disk_that_is_lost_has_failed_once_a_later_report_confirms_it(database):
    report(database, "web01", "A", "LOST", at=later(days=-400))
    for day, failed in ((-300, 0), (-299, 1)):
        store.ingest(database, [arrival(server(1, disks=[], smart=[]), "web01", later(days=day))])
        store.settle_losses(database)
        store.maintain(database)
        assert models(database) == {"A": (0.27, failed)}


def test_a_disk_of_a_machine_that_is_sold_has_not_failed_and_its_time_counts_no_more(database):
    report(database, "web01", "A", "OLD", at=later(days=-400))
    report(database, "web01", "A", "NEW", at=later(days=-300))
    store.maintain(database)
    assert models(database) == {"A": (0.27, 1)}
    sold = store.Act("me", "sold", test=False)
    store.set_lifecycle(database, store.resolve(database, "web01"), "retired", sold)
    store.maintain(database)
    assert models(database) == {}


def test_a_disk_that_stands_behind_its_controller_too_is_counted_once(database):
    disk = machine(1, "A", "BOTH")["disks"][0]
    facts = server(1, disks=[disk], raid={"members": [disk]})
    other = {**disk, "serial_number": "OTHER"}
    store.ingest(database, [arrival(facts, "web01", later(days=-400))])
    facts = server(1, disks=[other], raid={"members": [other]})
    store.ingest(database, [arrival(facts, "web01", later(days=-300))])
    store.maintain(database)
    assert models(database) == {"A": (0.27, 1)}


def test_a_disk_that_is_called_by_two_models_is_one_disk_of_the_first(database):
    """A kernel cuts the name of a SATA disk at 16 characters, its controller does not."""

    def both(serial):
        disk = machine(1, "ST4000NM0035-1V4", serial)["disks"][0]
        return [disk], [{**disk, "model": "ST4000NM0035-1V4107"}]

    for serial, day in (("OLD", -400), ("NEW", -300), ("NEW", 0)):
        disks, members = both(serial)
        facts = machine(1, serial=serial, pending=8) | {
            "disks": disks,
            "raid": {"members": members},
        }
        store.ingest(database, [arrival(facts, "web01", later(days=day))])
    # Many more of both, of which the second one has years of its own.
    disks = [one for number in range(30) for one in both(f"A{number}")[0]]
    members = [one for number in range(30) for one in both(f"B{number}")[1]]
    for day in (-3000, 0):
        facts = server(2, disks=disks, raid={"members": members})
        store.ingest(database, [arrival(facts, "web02", later(days=day))])
    store.maintain(database)
    assert models(database)["ST4000NM0035-1V4"][1] == 1
    assert models(database)["ST4000NM0035-1V4107"][1] == 0
    [row] = store.health(database)
    # One failure in 247 years, and the other half of the fleet had none.
    assert "its model fails 0.4 % a year here, the fleet 0.2 %" in row["says"]


def test_a_fleet_of_which_most_machines_reported_once_has_no_rate(database):
    """Three disks failed before the store met them, and one while it watched for a month."""
    for name in ("web01", "web02", "web03"):
        facts = machine(int(name[3:]), "A", pending=1)
        facts["smart"][0] |= {"passed": False, "health": {"failing": ["spin_up_time"]}}
        store.ingest(database, [arrival(facts, name, later(days=-30))])
    report(database, "web04", "A", "OLD", at=later(days=-30))
    report(database, "web04", "A", "NEW", at=later(), pending=1)
    store.maintain(database)
    assert models(database) == {"A": (0.08, 1)}
    assert not any("a year here" in row["says"] for row in store.health(database))


def test_who_may_not_know_models_is_told_no_rates_and_the_order_tells_none(database):
    aged(database)
    store.maintain(database)
    seen = database.hiding(["disks.model"])
    assert names(seen) == ["web01", "web02", "web03", "web04"]
    assert not any("a year here" in row["says"] for row in store.health(seen))


def test_the_answer_has_no_more_columns_than_it_had(database):
    report(database, "web01", pending=8)
    [row] = store.health(database)
    assert set(row) == {"id", "minion_id", "sn", "section", "severity", "component", "says"}
