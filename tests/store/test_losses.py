"""What is lost is told once, when a later collection has shown it too, and once when it is back."""

import importlib
import time

import pytest
import sqlalchemy as sa

from salt_ext import store
from salt_ext.master import events
from salt_ext.settings import resolve
from salt_ext.store.schema import loss
from tests.machines import arrival, dimm, later, server

MIB = 1 << 20
ACT = store.Act("ops", "as it is", False)
BOOT = "0e4f1f9f-0000-4000-8000-000000000001"
FAILED = {"type": "OSError", "message": "no dmi"}


class Machine:
    """A machine that reports a minute later each time, and what is told of it then."""

    def __init__(self, database, number=1):
        self.database, self.number = database, number
        self.name, self.minute = f"web{number:02d}", 0

    def report(self, facts=None, **fields):
        self.minute += 1
        facts = server(self.number) if facts is None else facts
        at = later(minutes=self.minute)
        [outcome] = store.ingest(self.database, [arrival(facts, self.name, at, **fields)])
        assert outcome.status != "refused", outcome
        return self.told()

    def told(self):
        """The losses that the next sweep tells of."""
        return told(self.database)


def told(database, *subscribers):
    found = []
    events.send(
        database, lambda data, tag: found.append((tag, data)), lambda: (), MIB, subscribers, "m"
    )
    return [one for one in found if one[1]["kind"] in ("lost", "found")]


def kinds(found):
    return [
        (data["kind"], *(change["component"] for change in data["changes"])) for _, data in found
    ]


def without(*slots, number=1, **sections):
    """The machine without the modules of these slots."""
    facts = server(number, **sections)
    devices = facts["memory"]["devices"]
    for place, one in enumerate(devices):
        if one["locator"] in slots:
            devices[place] = {"locator": one["locator"], "present": False}
    left = sum(one.get("size_bytes", 0) for one in devices)
    facts["memory"]["installed_bytes"] = left
    return facts


def without_section(facts, name):
    return {section: one for section, one in facts.items() if section != name}


def with_settings(database, **settings):
    return store.Database(resolve(("test", {**database.settings, **settings})))


def rows(database):
    with database.autocommit() as link:
        found = link.execute(sa.select(loss).order_by(loss.c.revision, loss.c.position))
        return [dict(row._mapping) for row in found]


def endings(database):
    return [row["ending"] for row in rows(database)]


@pytest.fixture(autouse=True)
def all_is_due(database, monkeypatch):
    """These tests have no keys: what is new is told at once, as by the master with the key."""
    monkeypatch.setattr("salt_ext.store.news.OURS_FIRST_SECONDS", 0)
    monkeypatch.setattr("salt_ext.store.news._is_ours", lambda row, names: True)


@pytest.fixture
def machine(database):
    found = Machine(database)
    assert found.report() == []
    return found


def test_a_loss_is_told_once_when_a_second_collection_shows_it_too(machine):
    assert machine.report(without("A2")) == []
    [(tag, event)] = machine.report(without("A2"))
    assert tag == f"salt/cmdb/lost/{store.resolve(machine.database, 'web01')}"
    assert (event["minion_id"], event["sn"]) == ("web01", "9XYZ001")
    [change] = event["changes"]
    assert (change["path"], change["component"]) == ("memory.devices", "4F0001A2")
    assert (change["class"], change["op"]) == ("loss", "removed")
    assert change["words"].startswith("removed Memory module A2: 64 GiB")
    assert [machine.report(without("A2")) for _ in range(3)] == [[], [], []]


def test_the_second_collection_may_have_changed_something_else(machine):
    machine.report(without("A2"))
    assert kinds(machine.report(without("A2", firmware={"version": "9"}))) == [("lost", "4F0001A2")]


def test_each_part_that_is_lost_is_an_event_of_its_own_and_each_is_confirmed_for_itself(machine):
    machine.report(without("A2"))
    assert kinds(machine.report(without("A1", "A2"))) == [("lost", "4F0001A2")]
    assert kinds(machine.report(without("A1", "A2"))) == [("lost", "4F0001A1")]


def test_nothing_is_told_of_a_part_that_is_back_before_it_was_confirmed(machine):
    machine.report(without("A2"))
    assert machine.report() == []
    assert machine.report() == []
    assert endings(machine.database) == ["back"]


def test_a_part_that_is_back_is_told_once_and_its_next_loss_is_a_new_one(machine):
    machine.report(without("A2"))
    machine.report(without("A2"))
    [(_, event)] = machine.report()
    assert (event["kind"], event["ending"]) == ("found", "back")
    assert event["changes"][0]["component"] == "4F0001A2"
    assert machine.report() == []
    assert machine.report(without("A2")) == []
    assert kinds(machine.report(without("A2"))) == [("lost", "4F0001A2")]


def test_what_is_lost_found_and_lost_between_two_looks_is_told_as_such(machine):
    machine.report(without("A2"))
    machine.report(without("A2"))
    store.ingest(machine.database, [arrival(server(1), "web01", later(minutes=50))])
    store.ingest(machine.database, [arrival(without("A2"), "web01", later(minutes=51))])
    assert kinds(machine.told()) == [("found", "4F0001A2")]
    store.ingest(machine.database, [arrival(without("A2"), "web01", later(minutes=52))])
    assert kinds(machine.told()) == [("lost", "4F0001A2")]


def test_a_report_whose_collector_failed_confirms_nothing(machine):
    machine.report(without("A2"))
    failing = without_section(without("A2"), "memory")
    for _ in range(2):
        assert machine.report(failing, errors={"memory": FAILED}, partial=["memory"]) == []
    assert kinds(machine.report(without("A2"))) == [("lost", "4F0001A2")]


def test_a_report_that_saw_only_a_part_of_the_section_confirms_nothing(machine):
    machine.report(without("A2"))
    for _ in range(2):
        assert machine.report(without("A2"), partial=["memory"]) == []
    assert kinds(machine.report(without("A2"))) == [("lost", "4F0001A2")]


def test_a_loss_that_a_report_in_part_told_is_confirmed_by_a_whole_one(machine):
    for _ in range(2):
        assert machine.report(without("A2"), partial=["memory"]) == []
    assert kinds(machine.report(without("A2"))) == [("lost", "4F0001A2")]


def test_other_sections_that_fail_do_not_matter(machine):
    failing = without_section(without("A2"), "disks")
    machine.report(failing, errors={"disks": FAILED}, partial=["disks"])
    found = machine.report(failing, errors={"disks": FAILED}, partial=["disks"])
    assert kinds(found) == [("lost", "4F0001A2")]


def test_a_clock_that_was_set_back_confirms_too(database, machine):
    """Its clock was nine minutes ahead when it told of the loss, and is set right then."""

    def made(minutes, ahead=0):
        at, came_at = later(minutes=minutes + ahead), later(minutes=minutes)
        boot = {"boot_id": BOOT, "since_boot_ms": minutes * 60_000}
        store.ingest(
            database, [arrival(without("A2"), "web01", at, **boot)._replace(received_at=came_at)]
        )
        return machine.told()

    assert made(10, ahead=9) == []
    assert made(12) == []
    assert kinds(made(13)) == [("lost", "4F0001A2")]


def test_a_part_in_another_slot_is_no_loss(machine):
    facts = server(1)
    facts["memory"]["devices"] += [{"locator": "A3", "present": False}]
    machine.report(facts)
    moved = without("A2")
    moved["memory"] |= {"installed_bytes": facts["memory"]["installed_bytes"]}
    moved["memory"]["devices"] += [dimm("A3", "4F0001A2")]
    assert machine.report(moved) == []
    assert machine.report(moved) == []
    assert rows(machine.database) == []


def test_a_part_that_came_to_another_slot_a_report_later_is_no_loss(machine):
    machine.report(without("A2"))
    moved = without("A2")
    moved["memory"]["devices"] += [dimm("A3", "4F0001A2")]
    assert machine.report(moved) == []
    assert endings(machine.database) == ["back"]


def test_a_part_that_went_to_another_machine_is_no_loss(database, machine):
    other = Machine(database, 2)
    other.report()
    machine.minute = other.minute = 10
    machine.report(without("A2"))
    given = server(2)
    given["memory"]["devices"] += [dimm("A3", "4F0001A2")]
    other.report(given)
    assert machine.report(without("A2")) == []
    assert endings(database) == ["elsewhere"]


def test_a_number_that_another_machine_has_had_all_the_time_hides_no_loss(database, machine):
    other = Machine(database, 2)
    twice = server(2)
    twice["memory"]["devices"] += [dimm("A3", "4F0001A2")]
    other.report(twice)
    machine.minute = 30
    machine.report()
    machine.report(without("A2"))
    assert kinds(machine.report(without("A2"))) == [("lost", "4F0001A2")]


def test_another_part_in_its_place_is_no_loss_but_a_smaller_one_is(machine):
    facts = server(1)
    facts["memory"]["devices"][1] = dimm("A2", "OTHER1")
    assert machine.report(facts) == machine.report(facts) == []
    smaller = server(1)
    smaller["memory"]["devices"][1] = dimm("A2", "OTHER2", 32)
    smaller["memory"]["installed_bytes"] = 96 << 30
    machine.report(smaller)
    [(_, event)] = machine.report(smaller)
    assert (event["kind"], event["changes"][0]["old"]["serial_number"]) == ("lost", "OTHER1")


def test_a_new_part_in_the_place_of_the_lost_one_ends_the_loss(machine):
    machine.report(without("A2"))
    machine.report(without("A2"))
    facts = server(1)
    facts["memory"]["devices"][1] = dimm("A2", "SPARE1")
    [(_, event)] = machine.report(facts)
    assert (event["kind"], event["ending"]) == ("found", "replaced")


def test_the_baseline_of_a_person_ends_a_loss_without_a_word(database, machine):
    machine.report(without("A2"))
    machine.report(without("A2"))
    store.accept_baseline(database, store.resolve(database, "web01"), ACT)
    assert machine.report() == []
    assert endings(database) == ["accepted"]


def test_a_retired_machine_loses_nothing_and_one_in_maintenance_does(database, machine):
    asset_id = store.resolve(database, "web01")
    store.set_lifecycle(database, asset_id, "maintenance", ACT)
    machine.report(without("A2"))
    assert kinds(machine.report(without("A2"))) == [("lost", "4F0001A2")]
    machine.report(without("A1", "A2"))
    store.set_lifecycle(database, asset_id, "retired", ACT)
    assert machine.report(without("A1", "A2")) == []
    assert endings(database) == ["retired", "retired"]


def test_a_loss_ends_with_the_name_of_its_machine(database, machine):
    machine.report(without("A2"))
    machine.minute = 3 * 1440
    assert machine.report(server(2)) == []
    assert endings(database) == ["gone"]


def test_a_section_that_another_source_tells_in_its_own_way_confirms_nothing(database, machine):
    machine.report(without("A2"))
    facts = without("A2")
    facts["memory"]["devices"][1]["kind"] = "DIMM"
    assert machine.report(facts, versions="memory=2") == []
    assert machine.report(facts, versions="memory=2") == []
    assert endings(database) == ["retold"]


def test_a_part_is_found_whatever_source_tells_of_it(machine):
    machine.report(without("A2"))
    machine.report(without("A2"))
    less = without("A2")
    less["memory"]["devices"][1]["kind"] = "DIMM"
    assert machine.report(less, versions="memory=2") == []
    whole = server(1)
    assert kinds(machine.report(whole, versions="memory=2")) == [("found", "4F0001A2")]


POWER = [{"name": "PSU1", "serial_number": "P1"}, {"name": "PSU2", "serial_number": "P2"}]


def test_a_section_of_a_poorer_source_is_confirmed_by_that_source_alone(database, machine):
    """The agent tells nothing of the power supplies, and so it does not confirm their loss."""
    system = {"system": server(1)["system"]}
    machine.report({**system, "power_supplies": POWER}, mode="cmdb_grain")
    machine.report()
    assert machine.report({**system, "power_supplies": POWER[:1]}, mode="cmdb_grain") == []
    assert [row["path"] for row in rows(database)] == ["power_supplies"]
    assert machine.report() == machine.report() == []
    failed = {"errors": {"power_supplies": FAILED}, "partial": ["power_supplies"]}
    assert machine.report(system, mode="cmdb_grain", **failed) == []
    assert machine.report() == []
    found = machine.report({**system, "power_supplies": POWER[:1]}, mode="cmdb_grain")
    assert kinds(found) == [("lost", "P2")]


def test_less_of_what_is_no_part_is_a_loss_too(machine):
    facts = server(1)
    fewer = server(1)
    fewer["processors"] = {**facts["processors"], "threads": 1}
    assert facts["processors"]["threads"] > 1
    machine.report(fewer)
    [(_, event)] = machine.report(fewer)
    assert event["changes"][0]["path"] == "processors.threads"
    assert [one["kind"] for _, one in machine.report()] == ["found"]


def test_a_disk_that_is_in_another_machine_now_leaves_no_loss_of_its_pci_function(database):
    slot = "0000:66:00.0"
    function = {"slot": slot, "class_id": "010802", "vendor_id": "144d", "device_id": "a80a"}
    drive = {"name": "nvme0n1", "model": "PM9A3", "serial_number": "S64F0N", "pci_slot": slot}

    def holding(number, *drives):
        return server(number, disks=[*drives], pci=[function] * len(drives))

    one, other = Machine(database, 1), Machine(database, 2)
    one.report(holding(1, drive))
    other.report(holding(2))
    other.report(holding(2, drive))
    assert [one.report(holding(1)), one.report(holding(1))] == [[], []]
    assert [(row["path"], row["ending"]) for row in rows(database)] == [("disks", "elsewhere")]


def test_a_disk_that_is_pulled_is_one_loss(machine):
    function = {"slot": "0000:66:00.0", "class_id": "010802"}
    drive = {"name": "nvme0n1", "serial_number": "S64F0N", "pci_slot": "0000:66:00.0"}
    machine.report(server(1, disks=[drive], pci=[function]))
    machine.report(server(1, disks=[], pci=[]))
    assert "S64F0N" in str(machine.report(server(1, disks=[], pci=[])))
    assert {row["path"] for row in rows(machine.database)} == {"disks"}


def test_old_history_is_told_to_nobody(database, machine):
    machine.report(without("A2"))
    with database.begin() as link:
        link.execute(sa.delete(loss))
    assert machine.report(without("A2")) == machine.report(without("A2")) == []


def test_the_same_loss_of_many_machines_is_one_event(database):
    machines = range(1, 152)
    whole = [arrival(server(one), f"web{one:02d}") for one in machines]
    store.ingest(database, whole)
    for minute in (1, 2):
        less = [
            arrival(without("A2", number=one), f"web{one:02d}", later(minutes=minute))
            for one in machines
        ]
        store.ingest(database, less)
    [(tag, event)] = told(with_settings(database, wave_machines=200))
    assert (tag, event["count"]) == ("salt/cmdb/many/lost", 151)


def test_a_webhook_has_the_losses_that_fit_its_conditions(database, machine):
    def hook(**conditions):
        found = []

        def wanted(news):
            found.extend(one.kind for one in news if one.kind in ("lost", "found"))
            return []

        return found, store.Subscriber("tickets", wanted, **conditions)

    fitting = [{"classes": ["loss"]}, {"sections": ["memory"]}, {"fields": ["memory.devices"]}]
    others = [{"classes": ["firmware"]}, {"sections": ["disks"]}, {"fields": ["memory.x"]}]
    others.append({"filters": {"minion_id": "web99"}})
    hooks = [hook(**one) for one in (*fitting, *others)]
    machine.report(without("A2"))
    store.ingest(database, [arrival(without("A2"), "web01", later(minutes=9))])
    told(database, *[one for _, one in hooks])
    assert [found for found, _ in hooks] == [["lost"]] * 3 + [[]] * 4


def test_nothing_is_looked_at_when_nothing_is_lost(database, machine):
    assert store.settle_losses(database) == 0
    machine.report(without("A2"))
    machine.report(without("A2"))
    assert store.settle_losses(database) == 0


def test_a_baseline_counts_by_the_same_rule(database, machine):
    store.accept_baseline(database, store.resolve(database, "web01"), ACT)

    def counts():
        [row] = store.check_baselines(database)
        return {one.counts() for one in row["deviations"]}

    machine.report(without("A2"))
    assert counts() == {False}
    machine.report(without("A2"), partial=["memory"])
    assert counts() == {False}
    machine.report(without_section(without("A2"), "memory"), partial=["memory"])
    assert counts() == {False}
    machine.report(without("A2"))
    assert counts() == {True}


def test_losses_of_which_nothing_can_be_said_keep_no_other_ones_waiting(database, monkeypatch):
    monkeypatch.setattr(importlib.import_module("salt_ext.store.losses"), "MOST", 1)
    bad, good = Machine(database, 1), Machine(database, 2)
    for one in (bad, good):
        one.minute = -60 + one.number
        one.report()
        one.report(without("A2", number=one.number))
    # Somebody altered the history of the first one, which has changed once more since.
    store.ingest(database, [arrival(without("A1", "A2"), bad.name, later(minutes=-50))])
    altered = "UPDATE revision SET digest = decode('00', 'hex') WHERE number = 1 AND asset_id = :id"
    with database.begin() as link:
        link.execute(sa.text(altered), {"id": store.resolve(database, bad.name)})
    assert good.report(without("A2", number=2)) == []
    found = [event for _ in range(4) for event in told(database)]
    assert kinds(found) == [("lost", "4F0002A2")]
    [row], _ = store.problems(database, kind="sweep")
    assert (row["minion_id"], row["subject"]) == (bad.name, "losses")
    assert "does not match its digest" in row["message"]
    # It is tried again with its next report, and not with every look.
    assert store.settle_losses(database) == 0
    assert row["count"] == 1


def full_of_disks(number, numbers):
    """A machine with as many disks more than others as there are numbers."""
    facts = server(number)
    facts["disks"] += [
        {"name": f"sd{one}", "serial_number": f"MANY{one:06d}", "size_bytes": 10**12}
        for one in numbers
    ]
    return facts


def test_a_machine_that_loses_thousands_of_parts_keeps_no_other_waiting(database, machine):
    many = Machine(database, 2)
    many.report(full_of_disks(2, range(3000)))
    many.report()
    machine.report(without("A2"))
    machine.minute = many.minute = 5
    for release in range(3):
        facts = server(2, operating_system={"kernel": f"k{release}"})
        store.ingest(database, [arrival(facts, many.name, later(minutes=6 + release))])
        store.ingest(database, [arrival(without("A2"), "web01", later(minutes=6 + release))])
        store.settle_losses(database)
        [row] = [row for row in rows(database) if row["path"] == "memory.devices"]
        assert row["confirmed_at"] is not None


def test_of_one_machine_a_thousand_losses_are_open_and_the_rest_is_counted(database):
    many = Machine(database, 2)
    for numbers in (range(700), range(700, 1300)):
        many.report(full_of_disks(2, numbers))
        many.report()
    ended = [(row["revision"], row["ending"]) for row in rows(database) if row["ended_at"]]
    assert ended == [(2, "too_many")] * 300
    assert store.losses(database, state="too_many", limit=1)[1] == 300


def test_thousands_of_losses_are_settled_in_the_time_that_few_take(database):
    """It was quadratic in what one report loses: many seconds for 200 of 3,000 losses."""
    many = Machine(database, 2)
    many.report(full_of_disks(2, range(3000)))
    many.report()
    facts = server(2, operating_system={"kernel": "k9"})
    store.ingest(database, [arrival(facts, many.name, later(minutes=9))])
    started = time.process_time()
    assert store.settle_losses(database) == 200
    assert time.process_time() - started < 2
