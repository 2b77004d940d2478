"""Warnings of parts are kept, with what became of each, and tell how often they are right."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from salt_ext import store
from salt_ext.store.reads.warnings import ALL
from salt_ext.store.schema import warning
from salt_ext.store.warnings import MOST, keep_warnings
from tests.machines import arrival, later, server
from tests.postgres import earlier

WORD = "disk's own word"


@pytest.fixture
def fleet(database):
    """A function that has machines report so many days ago, each with its disks."""

    def reports(days_ago, disks_of, ill=()):
        at = later(days=-days_ago)
        arrivals = []
        for name, serials in disks_of.items():
            disks = [
                {"name": f"sd{n}", "serial_number": one, "model": "PM9A3", "hctl": f"0:0:{n}:0"}
                for n, one in enumerate(serials)
            ]
            smart = [
                {"name": one["name"], "serial_number": one["serial_number"], "passed": False}
                for one in disks
                if one["serial_number"] in ill
            ]
            number = 1 + int(name.removeprefix("web"))
            facts = server(number, disks=disks, smart=smart)
            arrivals.append(arrival(facts, name, at))
        done = store.ingest(database, arrivals)
        assert {one.status for one in done} <= {"new", "changed", "unchanged"}
        store.settle_losses(database)

    return reports


def look(database, days_ago):
    """Compare as if it were so many days ago: the moments of what is new are put back."""
    keep_warnings(database)
    with database.begin() as link:
        back = timedelta(days=days_ago)
        put_back = f"UPDATE warning SET since = {earlier('since', 'CAST(:back AS interval)')}"
        is_new = "since > now() - interval '10 minutes'"
        link.execute(sa.text(f"{put_back} WHERE {is_new}"), {"back": back})


def kept(database):
    columns = (warning.c.part, warning.c.rule, warning.c.outcome)
    with database.begin() as link:
        return [tuple(row) for row in link.execute(sa.select(*columns).order_by(*columns))]


def row_of(database, rule):
    return next((row for row in store.warnings(database) if row["rule"] == rule), None)


def test_what_became_of_each_part_is_kept(database, fleet):
    machines = {"web1": ["D1", "D2"], "web2": ["D3"], "web3": ["D4"], "web4": ["D5"]}
    ill = {"D1", "D2", "D3", "D4", "D5"}
    fleet(90, machines, ill)
    look(database, 60)
    assert kept(database) == [(one, WORD, None) for one in sorted(ill)]
    now = {"web1": ["N1", "D2"], "web2": [], "web3": ["D4"], "web4": []}
    for days_ago in (50, 49):  # the second report confirms what is lost
        fleet(days_ago, now, {"D2"})
    fleet(48, {"web3": ["D4", "D5"]})
    look(database, 40)
    assert kept(database) == [
        ("D1", WORD, "replaced"),
        ("D2", WORD, None),
        ("D3", WORD, "gone"),
        ("D4", WORD, "over"),
        ("D5", WORD, "moved"),
    ]
    # The one that moved says nothing; of the other four two went within 30 days.
    row = row_of(database, WORD)
    assert (row["warned"], row["came_true"], row["percent"]) == (4, 2, 50)
    assert (row["low"], row["high"]) == (7, 93)


def test_a_warning_is_judged_after_30_days_and_by_these_alone(database, fleet):
    fleet(90, {"web1": ["D1"], "web2": ["D2"]}, {"D1", "D2"})
    look(database, 20)
    assert row_of(database, WORD) is None
    with database.begin() as link:
        long_ago = earlier("since", "interval '60 days'")
        link.execute(sa.text(f"UPDATE warning SET since = {long_ago}"))
    for days_ago in (10, 9):  # it is 70 days after the warning
        fleet(days_ago, {"web1": []})
    keep_warnings(database)
    row = row_of(database, WORD)
    assert (row["warned"], row["came_true"]) == (2, 0)


def test_disks_that_went_without_a_warning_are_counted_too(database, fleet):
    machines = {f"web{number}": [f"D{number}"] for number in range(1, 6)}
    fleet(90, machines, {"D1", "D2"})
    look(database, 80)
    gone = {f"web{number}": [] for number in (1, 3, 4)}
    for days_ago in (70, 69):
        fleet(days_ago, gone)
    keep_warnings(database)
    row = row_of(database, ALL)
    assert (row["warned"], row["came_true"], row["percent"]) == (3, 1, 33)


def test_a_warning_that_is_over_for_a_while_goes_on(database, fleet):
    fleet(90, {"web1": ["D1"]}, {"D1"})
    look(database, 60)
    fleet(50, {"web1": ["D1"]})
    keep_warnings(database)
    assert kept(database) == [("D1", WORD, "over")]
    fleet(40, {"web1": ["D1"]}, {"D1"})
    keep_warnings(database)
    assert kept(database) == [("D1", WORD, None)]
    keep_warnings(database)
    assert kept(database) == [("D1", WORD, None)]


def test_a_loss_that_nothing_has_confirmed_ends_no_warning(database, fleet):
    fleet(90, {"web1": ["D1"]}, {"D1"})
    look(database, 60)
    fleet(50, {"web1": []})
    keep_warnings(database)
    assert kept(database) == [("D1", WORD, None)]
    fleet(49, {"web1": []})
    keep_warnings(database)
    assert kept(database) == [("D1", WORD, "gone")]


def test_retired_machines_say_nothing_about_warnings(database, fleet):
    fleet(90, {"web1": ["D1"], "web2": ["D2"]}, {"D1", "D2"})
    look(database, 60)
    asset_id = store.resolve(database, "web1")
    store.set_lifecycle(database, asset_id, "retired", store.Act("me", "sold", test=False))
    keep_warnings(database)
    assert kept(database) == [("D1", WORD, "retired"), ("D2", WORD, None)]
    assert row_of(database, WORD)["warned"] == 1


def test_a_machine_has_so_many_warnings_and_no_more(database, fleet):
    serials = [f"D{number:04}" for number in range(MOST + 50)]
    fleet(9, {"web1": serials, "web2": ["E1"]}, {*serials, "E1"})
    keep_warnings(database)
    assert len(kept(database)) == MOST + 1
    keep_warnings(database)
    assert len(kept(database)) == MOST + 1


def test_notices_are_no_warnings(database):
    worn = [{"name": "sda", "serial_number": "W1", "volatile": {"percentage_used": 95}}]
    store.ingest(database, [arrival(server(1, smart=worn))])
    assert store.health(database)
    keep_warnings(database)
    assert kept(database) == []


def test_maintenance_keeps_warnings_and_the_trial_of_it_none(database, fleet):
    fleet(9, {"web1": ["D1"]}, {"D1"})
    store.maintain(database, test=True)
    assert kept(database) == []
    store.maintain(database)
    assert kept(database) == [("D1", WORD, None)]
