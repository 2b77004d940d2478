"""What the store tells of parts whose numbers are not their own, and of parts that move."""

import pytest

from salt_ext import store
from salt_ext.document import normal
from salt_ext.document.placeholders import why_not_serial
from tests.corpus import corpus_files, needs_corpus
from tests.machines import NOW, arrival, dimm, later, server
from tests.postgres import open_store
from tests.store.old_store import fill, id_of, upgrade
from tests.unit.document.test_diff import captured

DISK = {"name": "sdb", "model": "HUS726", "serial_number": "K1TRAVELS", "size_bytes": 6 << 40}
HBA = "0000:03:00.0"


def ingest(database, minion_id, number, at, **sections):
    [outcome] = store.ingest(database, [arrival(server(number, **sections), minion_id, at)])
    assert outcome.status in ("new", "changed", "unchanged"), outcome
    return outcome.asset_id


def told(database, path="disks", **wanted):
    """What happened to which part: (machine, op, its name or place, from where, to where)."""
    rows = store.changes(database, store.Wanted(**wanted))
    found = [
        (
            *(row["minion_id"], row["op"], name_of(row)),
            *(row[one] and row[one]["minion_id"] for one in ("moved_from", "moved_to")),
        )
        for row in rows
        if row["path"] == path
    ]
    return sorted(found, key=str)


def name_of(row):
    if row["field"] is not None:
        return row["field"]
    whole = row["old"] or row["new"]
    return whole.get("name") or whole.get("locator")


def modules(serial, *present):
    items = [dimm(slot, serial) for slot in ("A1", "A2")]
    empty = [{"locator": one["locator"], "present": False} for one in items]
    devices = [one if here else none for one, none, here in zip(items, empty, present, strict=True)]
    return {"installed_bytes": 1 << 36, "devices": devices}


@pytest.mark.parametrize("serial", ["00000000", "Unknown", "To Be Filled By O.E.M.", "BAD0"])
def test_a_module_without_a_number_of_its_own_is_in_no_other_machine(database, serial):
    for number, name in enumerate(("web01", "web02"), 1):
        ingest(database, name, number, NOW, memory=modules(serial, True, True))
    ingest(database, "web01", 1, later(minutes=1), memory=modules(serial, True, False))
    assert told(database, "memory.devices") == [("web01", "removed", "A2", None, None)]
    with pytest.raises(store.NotFound, match="no part has the serial number"):
        store.genealogy(database, serial)
    # Brought back, and one more in the other machine: still nobody's.
    ingest(database, "web01", 1, later(minutes=2), memory=modules(serial, True, True))
    assert {row[3:] for row in told(database, "memory.devices")} == {(None, None)}


def test_a_disk_that_another_machine_still_has_did_not_come_from_there(database):
    ingest(database, "a", 1, NOW, disks=[DISK])
    ingest(database, "b", 2, NOW, disks=[])
    ingest(database, "b", 2, later(minutes=1), disks=[DISK])
    assert told(database) == [("b", "added", "sdb", None, None)]
    # The next report of a machine that had it says whether it has it still.
    ingest(database, "a", 1, later(minutes=2), disks=[])
    assert told(database) == [
        ("a", "removed", "sdb", None, "b"),
        ("b", "added", "sdb", "a", None),
    ]


def test_two_units_of_one_array_are_two_though_both_show_the_number_of_the_array(database):
    one, other = (
        {"name": "sdc", "serial_number": "APM00123456", "wwn": UNIT[:-1] + end} for end in "12"
    )
    ingest(database, "a", 1, NOW, disks=[one])
    ingest(database, "b", 2, NOW, disks=[])
    ingest(database, "a", 1, later(minutes=1), disks=[])
    ingest(database, "b", 2, later(minutes=2), disks=[other])
    assert {row[3:] for row in told(database)} == {(None, None)}
    ingest(database, "b", 2, later(minutes=3), disks=[other, one])
    assert ("b", "added", "sdc", "a", None) in told(database)


def test_two_disks_that_were_seen_with_one_number_at_a_time_are_two(database):
    ingest(database, "a", 1, NOW, disks=[DISK])
    ingest(database, "b", 2, NOW, disks=[])
    ingest(database, "b", 2, later(minutes=1), disks=[DISK])
    ingest(database, "a", 1, later(minutes=2), disks=[{**DISK, "firmware_version": "2"}])
    ingest(database, "a", 1, later(minutes=3), disks=[])
    assert {row[3:] for row in told(database)} == {(None, None)}


@pytest.mark.parametrize(
    ("other", "moves"),
    [
        ({**DISK, "firmware_version": "2"}, True),
        ({name: DISK[name] for name in ("name", "serial_number")}, True),
        ({**DISK, "model": "HUS726T6TALE6L4"}, True),
        ({**DISK, "model": "Unknown", "size_bytes": "?"}, True),
        ({**DISK, "model": "ST4000NM"}, False),
        ({**DISK, "size_bytes": 4 << 40}, False),
        ({**DISK, "model": "ST4000NM", "size_bytes": 4 << 40}, False),
    ],
)
def test_a_disk_of_another_model_or_size_is_another_disk_whatever_its_number(
    database, other, moves
):
    ingest(database, "a", 1, NOW, disks=[DISK])
    ingest(database, "b", 2, NOW, disks=[])
    ingest(database, "a", 1, later(minutes=1), disks=[])
    ingest(database, "b", 2, later(minutes=2), disks=[other])
    assert told(database) == [
        ("a", "removed", "sdb", None, "b" if moves else None),
        ("b", "added", "sdb", "a" if moves else None, None),
    ]


def test_a_disk_that_a_new_machine_has_is_of_its_model_too(database):
    ingest(database, "a", 1, NOW, disks=[DISK])
    ingest(database, "c", 3, NOW, disks=[{**DISK, "serial_number": "K1STAYS"}])
    ingest(database, "a", 1, later(minutes=1), disks=[])
    ingest(database, "c", 3, later(minutes=1), disks=[])
    ingest(database, "b", 2, later(minutes=2), disks=[{**DISK, "model": "ST4000NM"}])
    ingest(database, "d", 4, later(minutes=2), disks=[{**DISK, "serial_number": "K1STAYS"}])
    assert told(database) == [
        ("a", "removed", "sdb", None, None),
        ("c", "removed", "sdb", None, "d"),
    ]


def test_a_disk_out_of_a_retired_machine_came_from_there(database):
    old = ingest(database, "a", 1, NOW, disks=[DISK])
    ingest(database, "b", 2, NOW, disks=[])
    store.set_lifecycle(database, old, "retired", store.Act("ops", "gone", test=False))
    ingest(database, "b", 2, later(minutes=1), disks=[DISK])
    assert told(database) == [("b", "added", "sdb", "a", None)]
    # It is not said to be back in a machine that is gone.
    ingest(database, "b", 2, later(minutes=2), disks=[])
    assert told(database)[1] == ("b", "removed", "sdb", None, None)


def test_a_number_that_is_learnt_begins_a_stay_and_one_that_is_lost_ends_it_without_a_move(
    database,
):
    hidden = {name: value for name, value in DISK.items() if name != "serial_number"}
    a, b = "a", "b"
    ingest(database, a, 1, NOW, disks=[DISK])
    ingest(database, b, 2, NOW, disks=[{**hidden, "serial_number": "00000000"}])
    ingest(database, a, 1, later(minutes=1), disks=[hidden])
    ingest(database, b, 2, later(minutes=2), disks=[DISK])
    ingest(database, b, 2, later(minutes=3), disks=[{**hidden, "wwn": "5000cca2b1c2d3e4"}])
    ingest(database, a, 1, later(minutes=4), disks=[DISK])
    assert told(database) == sorted(
        [
            *[(a, "changed", "serial_number", None, None)] * 2,
            *[(b, "changed", "serial_number", None, None)] * 2,
            (b, "changed", "wwn", None, None),
        ]
    )
    stays = store.genealogy(database, DISK["serial_number"])
    assert [(one["minion_id"], one["since"], one["until"]) for one in stays] == [
        (a, later(minutes=4), None),
        (b, later(minutes=2), later(minutes=3)),
        (a, NOW, later(minutes=1)),
    ]
    [stay] = store.genealogy(database, "5000cca2b1c2d3e4")
    assert (stay["minion_id"], stay["since"]) == (b, later(minutes=3))


def test_a_disk_whose_number_is_learnt_came_from_nowhere_even_when_the_whole_disk_is_told(database):
    # The name of the disk is the place of its neighbour, so that it does not lead back to it.
    neighbour = {"location": DISK["name"], "name": "sdc"}
    hidden = {name: value for name, value in DISK.items() if name != "serial_number"}
    ingest(database, "a", 1, NOW, disks=[DISK])
    ingest(database, "b", 2, NOW, disks=[hidden, neighbour])
    ingest(database, "a", 1, later(minutes=1), disks=[])
    ingest(database, "b", 2, later(minutes=2), disks=[DISK, neighbour])
    ingest(database, "b", 2, later(minutes=3), disks=[hidden, neighbour])
    ingest(database, "a", 1, later(minutes=4), disks=[DISK])
    of_b = [row for row in told(database) if row[0] == "b"]
    assert of_b == [("b", "changed", "sdb", None, None)] * 2


@pytest.mark.parametrize("first", ["serial", "none"])
def test_a_number_that_is_learnt_or_lost_is_no_deviation_from_the_accepted_hardware(
    database, first
):
    hidden = {name: value for name, value in DISK.items() if name != "serial_number"}
    zeros = modules("00000000", True, True)
    known = modules("00000000", True, True)
    for one in known["devices"]:
        one["serial_number"] = f"4F0001{one['locator']}"
    steps = [{"disks": [DISK], "memory": known}, {"disks": [hidden], "memory": zeros}]
    before, after = steps if first == "serial" else reversed(steps)
    asset_id = ingest(database, "a", 1, NOW, **before)
    store.accept_baseline(database, asset_id, store.Act("ann", "as bought", test=False))
    for minutes in (1, 2):
        ingest(database, "a", 1, later(minutes=minutes), **after)
        assert store.baseline_of(database, asset_id)["deviations"] == []
    other = {**DISK, "serial_number": "K1OTHER", "size_bytes": 1 << 40}
    for minutes in (3, 4):
        ingest(database, "a", 1, later(minutes=minutes), **{**after, "disks": [other]})
    [one] = store.baseline_of(database, asset_id)["deviations"]
    assert (one.state, one.change.op, one.counts()) == ("different", "replaced", True)


NVME = {"model": "MSFT NVMe Accelerator v1.0", "serial_number": "SN: 000001"}
LUN = {"model": "LOGICAL VOLUME", "serial_number": "PDNLH0XX00001", "pci_slot": HBA}
KINDS = {
    "disks of VMware without a number": [
        {"name": f"sd{letter}", "hctl": f"2:0:{n}:0", "model": "Virtual disk", "pci_slot": HBA}
        for n, letter in enumerate("abc")
    ],
    "disks of VMware on NVMe": [
        {"name": f"nvme0n{n}", "model": "VMware Virtual NVMe", "serial_number": "VMware NVME_0000"}
        for n in (1, 2, 3)
    ],
    "NVMe of Azure": [
        {**NVME, "name": f"nvme{n}n1", "pci_slot": f"c05b:00:0{n}.0"} for n in range(3)
    ],
    "namespaces of Azure": [
        {**NVME, "name": f"nvme0n{n}", "pci_slot": "c05b:00:00.0"} for n in (1, 2, 3)
    ],
    "logical drives of a Smart Array": [
        {"name": f"sd{letter}", "wwn": f"600508b1001c{n}ae1b3c1d1e1f1a1b1c1", **LUN}
        for n, letter in enumerate("abc", 2)
    ],
    "disks of a hypervisor's own numbers": [
        {"name": f"sd{letter}", "model": "QEMU HARDDISK", "serial_number": f"QM0000{n}"}
        for n, letter in enumerate("abc", 1)
    ],
    "disks with numbers of their own": [
        {"name": f"sd{letter}", "serial_number": f"K1A2B{n}"} for n, letter in enumerate("abc", 1)
    ],
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_disk_that_comes_or_goes_is_the_only_change_in_any_machine(database, kind):
    one, other, third = [
        {**disk, "size_bytes": (n + 1) << 30} for n, disk in enumerate(KINDS[kind])
    ]
    own = kind == "disks with numbers of their own"
    for number, name in enumerate(("vm1", "vm2"), 1):
        ingest(database, name, number, NOW, disks=[] if own and number == 2 else [one])
    steps = [([one, other], "added", other), ([one, other, third], "added", third)]
    steps += [([one, third], "removed", other), ([third], "removed", one)]
    for minutes, (disks, op, part) in enumerate(steps, 1):
        at = later(minutes=minutes)
        ingest(database, "vm1", 1, at, disks=disks)
        assert told(database, since=at) == [("vm1", op, part["name"], None, None)]
    ingest(database, "vm1", 1, later(minutes=9), disks=[third])  # it confirms the losses
    store.settle_losses(database)
    gone = [kind["gone"] for kind in store.failing_batches(database, NOW)]
    assert gone == ([2] if own else [])


def test_a_path_that_is_lost_and_found_is_a_change_of_its_disk_and_no_other(database):
    paths = [{"name": "sda", "hctl": "1:0:0:1"}, {"name": "sdb", "hctl": "2:0:0:1"}]
    paths = [{**one, "state": "running", "health": "ok"} for one in paths]
    failed = {**paths[1], "state": "offline", "health": "failed"}
    shared = {"name": "sda", "serial_number": "60060160A1B2C3", "size_bytes": 1 << 40}
    for minutes, here in enumerate((paths, paths[:1], paths)):
        ingest(database, "db1", 1, later(minutes=minutes), disks=[{**shared, "paths": here}])
    assert told(database) == [("db1", "changed", "paths", None, None)] * 2
    at = later(minutes=5)
    ingest(database, "db1", 1, at, disks=[{**shared, "paths": [paths[0], failed]}])
    assert told(database, since=at) == [("db1", "changed", "paths", None, None)]
    [finding] = store.health(database)
    assert finding["says"] == "1 of 2 paths failed: sdb offline"
    [stay] = store.genealogy(database, "60060160A1B2C3")
    assert stay["until"] is None


def test_of_parts_that_failed_only_those_with_a_number_of_their_own_are_counted(database):
    two = [{**DISK, "name": f"sd{n}", "serial_number": f"K1A2B{n}"} for n in (1, 2)]
    ingest(database, "a", 1, NOW, disks=two, memory=modules("00000000", True, True))
    ingest(database, "a", 1, later(minutes=1), disks=[], memory=modules("00000000", False, False))
    assert store.failing_batches(database, NOW) == []  # nothing has confirmed the losses
    ingest(database, "a", 1, later(minutes=2), disks=[], memory=modules("00000000", False, False))
    store.settle_losses(database)
    [kind] = store.failing_batches(database, NOW)
    assert (kind["section"], kind["model"], kind["gone"]) == ("disks", "HUS726", 2)


def test_a_failing_disk_is_known_by_its_name_where_its_number_is_anothers(database):
    disks = [
        {**NVME, "name": f"nvme0n{n}", "firmware_version": str(n), "eui64": f"0025385a1{n}"}
        for n in (1, 2)
    ]
    smart = [{"name": one["name"], "serial_number": "SN: 000001", "passed": False} for one in disks]
    healthy = [{**one, "passed": True} for one in smart]
    for minutes, of_disks in enumerate((healthy, smart)):
        for number in (1, 2):
            at = later(minutes=minutes)
            ingest(database, f"vm{number}", number, at, disks=disks, smart=of_disks[:1])
    [kind] = store.failing_batches(database, NOW)
    assert (kind["firmware_version"], kind["failing"]) == ("1", 2)


PARTS = ("memory", "power_supplies", "processors")


@needs_corpus
def test_no_part_of_a_captured_machine_is_said_to_be_in_another_one(database):
    captures = corpus_files("*/smbios_bin/**/*", "*/smbios_synth/**/*")
    found = [one for one in map(captured, captures) if one.get("memory")]
    machines = [{name: one[name] for name in PARTS if name in one} for one in found]
    assert len(machines) > 80
    for number, parts in enumerate(machines, 1):
        ingest(database, f"m{number}", number, NOW, **parts)
    for minutes, is_there in enumerate((False, True, False), 1):
        for number, parts in enumerate(machines, 1):
            seconds = 60 * minutes + number // 4
            shown = parts if is_there else {name: {} for name in parts}
            ingest(database, f"m{number}", number, later(seconds=seconds), **shown)
    rows = store.changes(database, limit=100_000)
    assert len(rows) > 3000
    assert [row for row in rows if row["moved_from"] or row["moved_to"]] == []
    found = {serial for (serial,) in placed(database)}
    assert len(found) > 100
    assert not any(map(why_not_serial, found))


def placed(database):
    with database.begin() as link:
        return link.exec_driver_sql("SELECT DISTINCT serial FROM placement").all()


# Histories that the first version has written


GUEST = KINDS["disks of VMware without a number"]


UNIT = "60060160a1b2c3d4e5f60718293a4b5c"
STICKS = (
    *("00000000", "FFFFFFFF", "0101", "12", "Unknown", "None", "N/A", "NO DIMM", "Not Specified"),
    *("To Be Filled By O.E.M.", "SN: 000001", "S/N 000012", "BAD0", "deadbeef", "123456789ABC"),
    *("QM00003", "drive-scsi0", "VMware NVME_0000", "nvme_card-pd", "persistent-disk-0", "--"),
    *("4C530001230527117", "K1A2B3", "AA04012700012345", "WD-WCC4N0000012", "b4:96:91:55:81:d4"),
    *("NULL-AND-VOID-7", "none9", "OEM7731", "S/N 4711", "Sandisk 0815-4711", "01234A"),
)


def first_story():
    """A guest of VMware that gets a disk, loses its first one, and whose modules change."""
    base = server(5, memory=modules("00000000", True, True))
    steps = [
        {**base, "disks": GUEST[:1]},
        {**base, "disks": GUEST[:2]},
        {**base, "disks": GUEST[1:2], "memory": modules("00000000", True, False)},
        {**base, "disks": [{**GUEST[1], "size_bytes": 7}, *KINDS["namespaces of Azure"]]},
        {**base, "disks": [{**GUEST[1], "size_bytes": 8}, *KINDS["namespaces of Azure"]]},
    ]
    return [(minutes * 10, normal(one)) for minutes, one in enumerate(steps)]


@pytest.fixture
def old(new_database):
    """A store of the first version with that guest, and a machine with its disk; migrated."""
    url = new_database(empty=True)
    upgrade(url, "0001")
    database = open_store(url)
    with database.begin_unchecked() as link:
        fill(link, "vm05", first_story())
        sticks = [{"location": str(n), "serial_number": one} for n, one in enumerate(STICKS)]
        fill(link, "web08", [(0, normal(server(8, usb=sticks)))])
        unit = {"name": "sdc", "serial_number": "APM00123456", "wwn": UNIT, "hctl": "3:0:0:1"}
        fill(link, "db09", [(0, normal(server(9, disks=[unit])))])
        fill(link, "web06", [(0, normal(server(6, disks=[{**DISK, "hctl": "0:0:4:0"}])))])
    store.migrate(database)
    yield database
    database.close()


def test_history_of_the_first_version_is_read_across_the_change_of_keys(old):
    story = first_story()
    ingest_facts = {**story[2][1], "disks": GUEST[:1]}
    at = later(minutes=50)
    [outcome] = store.ingest(old, [arrival(ingest_facts, "vm05", at)])
    assert outcome.status == "changed"
    asset = id_of("vm05")
    for minutes, facts in [*story, (50, normal(ingest_facts))]:
        assert store.document(old, asset, later(minutes=minutes))[1] == facts, minutes
    _, _, between = store.compare(old, asset, NOW, at)
    assert [(one.op, one.path) for one in between] == [("removed", "memory.devices")]
    with store.extract(old, filters={"minion_id": "vm05"}, at=later(minutes=30)) as extract:
        names = [item["name"] for _, _, item in extract.parts("disks")]
    assert sorted(names) == sorted(one["name"] for one in story[3][1]["disks"])


def test_the_first_report_after_the_change_of_keys_changes_nothing(old):
    facts = first_story()[-1][1]
    before = store.count_changes(old)
    [outcome] = store.ingest(old, [arrival(facts, "vm05", later(minutes=60))])
    assert outcome.status == "unchanged"
    facts["disks"].append({**GUEST[2], "name": "sdc"})
    ingest_at = later(minutes=61)
    store.ingest(old, [arrival(facts, "vm05", ingest_at)])
    assert told(old, since=ingest_at) == [("vm05", "added", "sdc", None, None)]
    assert store.count_changes(old) == before + 1


def test_what_the_first_version_took_for_the_place_of_a_disk_is_mended(old):
    [stay] = store.genealogy(old, "K1TRAVELS")
    assert (stay["minion_id"], stay["place"], stay["until"]) == ("web06", "0:0:4:0", None)
    store.ingest(old, [arrival(server(6, disks=[]), "web06", later(minutes=60))])
    store.ingest(old, [arrival(server(7, disks=[]), "web07", later(minutes=60))])
    store.ingest(old, [arrival(server(7, disks=[DISK]), "web07", later(minutes=61))])
    at = later(minutes=60)
    assert told(old, since=at) == [
        ("web06", "removed", "sdb", None, "web07"),
        ("web07", "added", "sdb", "web06", None),
    ]


def test_a_unit_of_an_array_that_was_known_by_the_number_of_the_array_is_known_by_its_own(old):
    [stay] = store.genealogy(old, UNIT)
    assert (stay["minion_id"], stay["since"], stay["until"]) == ("db09", NOW, None)
    with pytest.raises(store.NotFound):
        store.genealogy(old, "APM00123456")


def test_numbers_that_the_first_version_believed_are_forgotten(old):
    serials = {serial for (serial,) in placed(old)}
    good = {one for one in STICKS if why_not_serial(one) is None}
    assert 8 < len(good) < len(STICKS) - 18
    assert serials & set(STICKS) == good
    assert "K1TRAVELS" in serials
