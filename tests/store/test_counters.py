"""How counters of wear and errors are followed from report to report."""

import copy
import uuid

import pytest
import sqlalchemy as sa

from salt_ext import store
from salt_ext.store.ingest.counters import MOST
from salt_ext.store.schema import counter
from tests.machines import arrival, later, report, server
from tests.postgres import open_store

BOOT, NEXT_BOOT = str(uuid.UUID(int=1)), str(uuid.UUID(int=2))


@pytest.fixture(scope="module")
def database(new_database):
    """One store for all of them: each case is a machine of its own."""
    database = open_store(new_database())
    yield database
    database.close()


class Machine:
    """One that reports these sections on a day."""

    def __init__(self, database, number):
        self.database, self.number = database, number
        self.minion_id = f"counted{number}"

    def __call__(self, day, boot_id=BOOT, partial=(), **sections):
        facts = server(self.number, **copy.deepcopy(sections))
        one = arrival(facts, self.minion_id, at=later(days=day))
        one.report.update(boot_id=boot_id, since_boot_ms=day * 86_400_000 + 1)
        one.report["partial"] = [*partial]
        [outcome] = store.ingest(self.database, [one])
        return outcome.status


@pytest.fixture
def machine(database, request):
    """A machine of this test's own."""
    return Machine(database, 1 + request.session.items.index(request.node))


def rows(database, machine):
    """By part and name, the first value, the last one, and by how much it has grown at last."""
    wanted = (
        sa.select(counter)
        .where(counter.c.asset_id == store.resolve(database, machine.minion_id))
        .order_by(counter.c.component, counter.c.name)
    )
    with database.begin() as link:
        return {
            f"{row.component} {row.name}": (row.first_value, row.value, row.grown_by)
            for row in link.execute(wanted)
        }


def times(database, machine):
    """Since when the only counter is known, is what it is, and what it was before."""
    of_it = counter.c.asset_id == store.resolve(database, machine.minion_id)
    columns = sa.select(counter.c.first_at, counter.c.at, counter.c.grown_since).where(of_it)
    with database.begin() as link:
        return tuple(link.execute(columns).one())


def disks(*serials, **volatile):
    return [
        {"name": f"sd{number}", "serial_number": serial, "passed": True, "volatile": volatile}
        for number, serial in enumerate(serials)
    ]


def memory(corrected, uncorrected=0):
    counts = {"ce_count": corrected, "ue_count": uncorrected}
    return server(1)["memory"] | {"edac": [{"name": "mc0", "volatile": counts}]}


def test_a_counter_is_known_from_its_first_value_on_and_grows_between_two_reports(
    database, machine
):
    machine(0, smart=disks("S1X", pending=4))
    assert rows(database, machine) == {}
    machine(1, smart=disks("S1X", pending=4))
    assert rows(database, machine) == {"S1X pending": (4, 4, None)}
    machine(2, smart=disks("S1X", pending=4))
    machine(5, smart=disks("S1X", pending=10))
    machine(9, smart=disks("S1X", pending=10))
    assert rows(database, machine) == {"S1X pending": (4, 10, 6)}
    assert times(database, machine) == (later(), later(days=5), later(days=2))


def test_what_was_zero_until_now_has_grown(database, machine):
    machine(0, smart=disks("S2X", pending=0, reallocated=0))
    machine(3, smart=disks("S2X", pending=2, reallocated=0))
    assert rows(database, machine) == {"S2X pending": (0, 2, 2)}
    assert times(database, machine) == (later(), later(days=3), later())


def test_what_nobody_had_read_has_not_grown(database, machine):
    machine(0, smart=disks("S3X", skipped_reason="standby"))
    machine(1, smart=disks("S3X", pending=2))
    assert rows(database, machine) == {"S3X pending": (2, 2, None)}
    machine(2, smart=disks("S3X", skipped_reason="standby"))
    machine(3, smart=disks("S3X", pending=7))
    assert rows(database, machine) == {"S3X pending": (2, 7, 5)}


def test_a_counter_that_falls_starts_anew(database, machine):
    machine(0, smart=disks("S4X", pending=0))
    machine(1, smart=disks("S4X", pending=9))
    machine(2, smart=disks("S4X", pending=3))
    assert rows(database, machine) == {"S4X pending": (3, 3, None)}
    assert times(database, machine) == (later(days=2), later(days=2), None)
    machine(3, smart=disks("S4X", pending=0))
    assert rows(database, machine) == {}


def test_another_part_in_the_same_place_starts_anew_and_one_that_is_gone_is_forgotten(
    database, machine
):
    machine(0, smart=disks("S5X", "S5Y", pending=5))
    machine(1, smart=disks("S5X", "S5Y", pending=5))
    machine(2, smart=disks("S5X", "S5Z", pending=6))
    assert rows(database, machine) == {"S5X pending": (5, 6, 1), "S5Z pending": (6, 6, None)}
    machine(3, smart=disks("S5Z", pending=6))
    assert rows(database, machine) == {"S5Z pending": (6, 6, None)}


def test_errors_of_memory_count_from_each_boot_on(database, machine):
    machine(0, memory=memory(0))
    machine(1, memory=memory(5))
    assert rows(database, machine) == {"mc0 ce_count": (0, 5, 5)}
    machine(2, boot_id=NEXT_BOOT, memory=memory(9))
    assert rows(database, machine) == {"mc0 ce_count": (9, 9, None)}
    machine(3, boot_id=NEXT_BOOT, memory=memory(12, 1))
    assert rows(database, machine) == {
        "mc0 ce_count": (9, 12, 3),
        "mc0 ue_count": (0, 1, 1),
    }


def by_module(told):
    """Errors as an agent tells them that knows modules."""
    counts = {key: {"ce_count": count, "ue_count": 0} for key, count in told.items()}
    return server(1)["memory"] | {"edac": [{"name": "mc0"}], "volatile": {"edac": counts}}


def test_what_modules_had_counted_before_an_agent_told_of_them_is_no_growth(database, machine):
    machine(0, memory=memory(30))
    machine(1, memory=memory(41))
    assert rows(database, machine) == {"mc0 ce_count": (30, 41, 11)}
    machine(2, memory=by_module({"mc0": 0, "mc0 dimm0 A1": 40, "mc0 dimm3 A2": 1}))
    assert rows(database, machine) == {
        "mc0 dimm0 A1 ce_count": (40, 40, None),
        "mc0 dimm3 A2 ce_count": (1, 1, None),
    }
    machine(3, memory=by_module({"mc0": 2, "mc0 dimm0 A1": 47, "mc0 dimm3 A2": 1}))
    assert rows(database, machine) == {
        "mc0 ce_count": (0, 2, 2),
        "mc0 dimm0 A1 ce_count": (40, 47, 7),
        "mc0 dimm3 A2 ce_count": (1, 1, None),
    }


def test_what_is_told_in_part_takes_no_counter_away(database, machine):
    machine(0, smart=disks("S7X", "S7Y", pending=0))
    machine(1, smart=disks("S7X", "S7Y", pending=1))
    assert machine(2, partial=["smart"], smart=disks("S7X", pending=2)) == "unchanged"
    assert rows(database, machine) == {"S7X pending": (0, 2, 1), "S7Y pending": (0, 1, 1)}


def test_a_report_that_is_late_or_comes_again_changes_nothing(database, machine):
    machine(0, smart=disks("S8X", pending=0))
    machine(2, smart=disks("S8X", pending=4))
    known = rows(database, machine), times(database, machine)
    for day in (2, 1, 0):
        machine(day, smart=disks("S8X", pending=day))
    assert (rows(database, machine), times(database, machine)) == known


@pytest.mark.parametrize(
    "odd", [-1, 2**63 - 1, 1.5, "7", True, None, [], {"": 1}, {"name": "sda"}, ["x"] * 9]
)
def test_what_is_no_counter_is_not_followed(database, machine, odd):
    machine(0, smart=disks("S9X", pending=odd, reallocated=0))
    machine(1, smart=disks("S9X", pending=odd, reallocated=1))
    found = rows(database, machine)
    assert found.pop("S9X reallocated") == (0, 1, 1)
    is_counter = odd == 2**63 - 1
    assert found == ({"S9X pending": (odd, odd, None)} if is_counter else {})
    machine(2, smart=disks("S9X", pending=1, reallocated=1))
    assert rows(database, machine)["S9X pending"][2] is None


@pytest.mark.parametrize("values", [[], "x", 7, {"edac": 7}, {"edac": {"mc0": "x"}}, {"S": None}])
def test_volatile_values_of_another_shape_do_no_harm(database, machine, values):
    for day in (0, 1, 2):
        facts = server(machine.number, smart=disks("S", pending=day), memory=memory(day))
        sent = report(facts, machine.minion_id, later(days=day))
        sent["volatile"] = {"smart": values, "memory": values}
        one = store.Arrival(machine.minion_id, sent, later(days=day))
        assert store.ingest(database, [one])[0].status in ("new", "unchanged")
    assert rows(database, machine) == {}


def test_a_machine_has_so_many_counters_and_no_more(database, machine):
    serials = [f"S6X{number:05}" for number in range(MOST + 100)]
    for day in (0, 1):
        machine(day, smart=disks(*serials, pending=5))
    assert len(rows(database, machine)) == MOST


def test_what_does_not_differ_is_not_written(database, machine):
    def written():
        wanted = sa.select(sa.text("xmin::text, xmax::text")).select_from(counter)
        of_it = counter.c.asset_id == store.resolve(database, machine.minion_id)
        with database.begin() as link:
            return [tuple(row) for row in link.execute(wanted.where(of_it))]

    for day in (0, 1):
        machine(day, smart=disks("S0X", pending=5))
    before = written()
    machine(2, smart=disks("S0X", pending=5))
    assert written() == before


def test_counters_go_with_their_asset(database, machine):
    for day in (0, 1):
        machine(day, smart=disks("SAX", pending=5))
    asset_id = store.resolve(database, machine.minion_id)
    act = store.Act("me", "sold", test=False)
    store.set_lifecycle(database, asset_id, "retired", act)
    store.purge(database, "retired", later(days=9), act)
    with database.begin() as link:
        assert link.execute(counter.select().where(counter.c.asset_id == asset_id)).all() == []
