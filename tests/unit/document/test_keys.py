"""What a part is known by: a number of its own, or its place."""

import pytest

from salt_ext.document import normal
from salt_ext.document.diff import Change, diff
from salt_ext.document.keys import keyed, number, numbers, place
from salt_ext.document.names import RULES, named
from salt_ext.document.overlay import overlay
from salt_ext.document.undo import apply, undo
from salt_ext.document.volatile import split, with_volatile
from salt_ext.report import checking
from tests.machines import NOW, report, server

HBA = "0000:03:00.0"
LUN = {"model": "LOGICAL VOLUME", "serial_number": "PDNLH0XX00001", "pci_slot": HBA}
VMWARE = {"model": "Virtual disk", "pci_slot": HBA, "transport": "scsi"}
NVME = {"model": "MZ1", "serial_number": "S64FNE0R802145", "pci_slot": "0000:01:00.0"}


def disk(name, **fields):
    return {"name": name, "size_bytes": 40, **fields}


def told(before, after, section="disks"):
    """What happened to which part, by its name."""
    changes = diff(normal({section: before}), normal({section: after}))
    return [
        (one.op, one.field or (one.old or one.new).get("name") or one.component) for one in changes
    ]


@pytest.mark.parametrize(
    ("fields", "own"),
    [
        ({"serial_number": "S64FNE0R802145", "wwn": "5002538e40b1a2c3"}, "S64FNE0R802145"),
        *(
            ({"serial_number": one}, None)
            for one in (
                *("00000000", "Unknown", "To Be Filled By O.E.M.", "BAD0", "None", "NO DIMM"),
                *("SN: 000001", "VMware NVME_0000", "QM00001", "drive-scsi0", "nvme_card"),
                *("00000000000000000001", "FFFFFFFF", "Not Specified", "0123456789"),
            )
        ),
        ({"serial_number": "00000000", "wwn": "5002538e40b1a2c3"}, "5002538e40b1a2c3"),
        ({"wwn": "0000000000000000", "eui64": "0025385a81b0a1b2"}, "0025385a81b0a1b2"),
        ({"eui64": "0025385000000000"}, None),
        ({"wwn": "5000000000000001"}, None),
        ({"wwn": "60050763000000000000000000000000"}, None),
        ({"wwn": "6000c500a1b2c3d70000000000000000"}, "6000c500a1b2c3d7"),
        ({"wwn": "60050768019181267800000000000000"}, "60050768019181267800000000000000"),
        ({"wwn": "00000000000000000000000000000001"}, None),
        ({"eui64": "0100000000000000", "nguid": "36344830526001490025384100000001"}, "3634"),
        ({"permanent_mac": "b4:96:91:55:81:d4"}, "b4:96:91:55:81:d4"),
        ({"permanent_mac": "00:00:00:00:00:00"}, None),
        ({"permanent_mac": "00:1a:ca:ff:ff:01"}, None),
        ({"uuid": "3aaa0122:29827cfa:5331ad66:ca767371"}, "3aaa0122"),
        ({"uuid": "00000000-0000-0000-0000-000000000000"}, None),
        (LUN, None),
        ({**LUN, "wwn": "600508b1001c4ae1b3c1d1e1f1a1b1c1"}, "600508b1001c"),
        ({"serial_number": "APM00123456", "wwn": "60060160a1b2c3d4e5f60718293a4b5c"}, "60060160"),
        ({"model": "PersistentDisk", "serial_number": "data-disk-2024"}, None),
        ({"serial_number": 4711}, None),
        ({"serial_number": ["S64FNE0R802145"]}, None),
    ],
)
def test_a_number_is_a_parts_own_when_it_can_be_nothing_else(fields, own):
    found = number(fields)
    assert found is None if own is None else found.startswith(own)


def test_a_number_that_stands_twice_on_a_machine_is_nobodys():
    twins = [disk("sda", serial_number="K1A2B3"), disk("sdb", serial_number="K1A2B3")]
    assert numbers(twins) == [None, None]
    assert list(keyed(twins)) == ["sda", "sdb"]
    twins = [{**one, "wwn": f"600a0b80001c{n}d1e1"} for n, one in enumerate(twins, 4)]
    assert numbers(twins) == ["600a0b80001c4d1e1", "600a0b80001c5d1e1"]


@pytest.mark.parametrize(
    ("item", "where"),
    [
        (disk("sda", hctl="2:0:1:0", pci_slot=HBA), "2:0:1:0"),
        (disk("sda", hctl="2:0:1:0", pci_slot=HBA, enclosure="32", slot=4), "32 4"),
        (disk("nvme0n1", pci_slot=HBA), HBA),
        (disk("nvme0n2", pci_slot=HBA), f"{HBA} n2"),
        (disk("xvda"), "xvda"),
        ({"name": "eth0", "pci_slot": HBA}, HBA),
        ({"bank_locator": "Node0", "locator": "A1", "name": "x"}, "Node0 A1"),
        ({"controller": "megaraid:0", "enclosure": 252, "slot": 3}, "megaraid:0 252 3"),
        ({"controller": "megaraid:1", "id": 0}, "megaraid:1 0"),
        ({"name": "PSU 1", "location": "PSU1"}, "PSU1"),
        ({"size_bytes": 1}, None),
    ],
)
def test_a_place_is_the_parts_and_not_its_controllers(item, where):
    assert place(item) == where


def test_ports_of_one_card_are_told_apart_by_their_names():
    ports = [{"name": name, "pci_slot": HBA} for name in ("ens1", "ens1d1")]
    assert list(keyed(ports)) == ["ens1", "ens1d1"]
    assert told(ports, ports[1:], "network") == [("removed", "ens1")]


GUEST = [disk("sda", hctl="2:0:0:0", **VMWARE)]
MORE = [*GUEST, disk("sdb", hctl="2:0:1:0", **VMWARE)]
LUNS = [
    disk(name, hctl=f"0:1:0:{n}", wwn=f"600508b1001c{n}ae1b3c1d1e1f1a1b1c1", **LUN)
    for n, name in enumerate(("sda", "sdb", "sdc"), 2)
]
SPACES = [disk("nvme0n1", **NVME), disk("nvme0n2", **NVME)]
FC = [{"name": "sda", "hctl": "1:0:0:1", "state": "running"}, {"name": "sdb", "hctl": "2:0:0:1"}]
SHARED = disk("sda", serial_number="60060160A1B2C3", paths=FC)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param(GUEST, MORE, [("added", "sdb")], id="a disk for a guest of VMware"),
        pytest.param(MORE, GUEST, [("removed", "sdb")], id="a guest loses its second disk"),
        pytest.param(MORE, MORE[1:], [("removed", "sda")], id="a guest loses its first disk"),
        pytest.param(
            MORE,
            [{**one, "hctl": f"3{one['hctl'][1:]}"} for one in MORE],
            [("changed", "hctl"), ("changed", "hctl")],
            id="the controller has another number since the boot",
        ),
        pytest.param(
            [disk("sda", pci_slot=HBA)],
            [disk("sda", pci_slot=HBA), disk("sdb", pci_slot=HBA)],
            [("added", "sdb")],
            id="disks of which nothing but names is known",
        ),
        pytest.param(LUNS, LUNS[::2], [("removed", "sdb")], id="a logical drive of three"),
        pytest.param(LUNS[:1], LUNS[:2], [("added", "sdb")], id="a second logical drive"),
        pytest.param(
            [disk("sda", serial_number="ARRAY7", wwn="600a0b80004a1")],
            [
                disk("sda", serial_number="ARRAY7", wwn="600a0b80004a1"),
                disk("sdb", serial_number="ARRAY7", wwn="600a0b80004a2"),
            ],
            [("added", "sdb")],
            id="a number that is of one disk no more",
        ),
        pytest.param(
            [disk("sda", serial_number="ARRAY7", wwn="600a0b80004a1", firmware_version="1")],
            [
                disk("sdc", serial_number="ARRAY7", wwn="600a0b80004a1", firmware_version="2"),
                disk("sdb", serial_number="ARRAY7", wwn="600a0b80004a2"),
            ],
            [("changed", "sda"), ("added", "sdb")],
            id="and another name and firmware meanwhile",
        ),
        pytest.param(SPACES[:1], SPACES, [("added", "nvme0n2")], id="a second namespace"),
        pytest.param(SPACES, SPACES[1:], [("removed", "nvme0n1")], id="the first of two"),
        pytest.param(
            [SHARED],
            [{**SHARED, "paths": FC[:1]}],
            [("changed", "paths")],
            id="a path is lost and the disk is there",
        ),
        pytest.param(
            [{**SHARED, "paths": FC[:1]}], [SHARED], [("changed", "paths")], id="a path is back"
        ),
        pytest.param(
            [disk("sda", serial_number="K1A2B3", hctl="0:0:0:0")],
            [disk("sdb", serial_number="K1A2B3", hctl="4:0:0:0")],
            [("changed", "hctl"), ("changed", "name")],
            id="what the kernel calls it is no move",
        ),
        pytest.param(
            [disk("sda", serial_number="K1A2B3", hctl="0:0:0:0", enclosure="e", slot="1")],
            [disk("sda", serial_number="K1A2B3", hctl="0:0:0:0", enclosure="e", slot="2")],
            [("moved", "slot")],
            id="another bay is a move",
        ),
        pytest.param(
            [disk("sda", hctl="0:0:0:0", wwn="600508b1001c4a")],
            [disk("sda", hctl="0:0:0:0", wwn="600508b1001c4a", serial_number="K1A2B3")],
            [("changed", "serial_number")],
            id="a serial number that could not be read before, of a disk with a name",
        ),
        pytest.param(
            GUEST,
            [{**GUEST[0], "serial_number": "6000c29a7b1c", "wwn": "6000c29a7b1c4d5e"}],
            [("changed", "serial_number"), ("changed", "wwn")],
            id="a guest of VMware is told the numbers of its disks from now on",
        ),
        pytest.param(
            MORE,
            [
                {**one, "hctl": f"3{one['hctl'][1:]}", "wwn": f"6000c29{one['name']}"}
                for one in MORE
            ],
            [("changed", "hctl"), ("changed", "wwn")] * 2,
            id="and after a boot, at which the controller got another number",
        ),
        pytest.param(
            [disk("sda", hctl="2:0:0:0", serial_number="K1A2B3", **VMWARE)],
            [disk("sda", hctl="3:0:0:0", serial_number="K1A2B4", **VMWARE)],
            [("removed", "sda"), ("added", "sda")],
            id="another disk at another controller of the same slot",
        ),
        pytest.param(
            GUEST,
            [{**GUEST[0], "serial_number": "6000c29a7b1c", "size_bytes": 80}],
            [("replaced", "sda")],
            id="a disk of another size with a number",
        ),
        pytest.param(
            [disk("sda", hctl="0:0:0:0")],
            [disk("sda", hctl="5:0:7:0")],
            [("removed", "sda"), ("added", "sda")],
            id="another disk with the name of one that went",
        ),
    ],
)
def test_what_happened_to_disks_is_told_exactly(before, after, expected):
    assert told(before, after) == expected


def test_a_card_that_was_given_another_address_is_the_same_card():
    card = {"name": "eth1", "pci_slot": HBA, "driver": "ice", "mac": "b4:96:91:55:81:d5"}
    own = {**card, "permanent_mac": card["mac"]}
    given = {**card, "mac": "b4:96:91:55:81:d4"}
    assert told([own], [given], "network") == [("changed", "mac"), ("changed", "permanent_mac")]
    assert told([own], [{**given, "driver": "ixgbe"}], "network") == [("replaced", "eth1")]


MODULE = {"locator": "A1", "manufacturer": "Samsung", "part_number": "M393A8", "size_bytes": 64}
HIDDEN = {**MODULE, "serial_number": "00000000"}
KNOWN = {**MODULE, "serial_number": "4F0001A1"}
BARE = {"locator": "A1", "serial_number": "4F0001A1"}
SEEN = [("changed", "serial_number")]


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        pytest.param(HIDDEN, KNOWN, SEEN, id="a placeholder, then a number"),
        pytest.param(MODULE, KNOWN, SEEN, id="none, then a number"),
        pytest.param(
            {**HIDDEN, "manufacturer": "Unknown"},
            KNOWN,
            [("changed", "manufacturer"), *SEEN],
            id="a maker that could not be read either",
        ),
        pytest.param(
            {name: value for name, value in HIDDEN.items() if name != "size_bytes"},
            KNOWN,
            [*SEEN, ("changed", "size_bytes")],
            id="a size that one of them has",
        ),
        pytest.param(
            KNOWN,
            {**MODULE, "uuid": "3aaa0122-2982-7cfa-5331-ad66ca767371"},
            [*SEEN, ("changed", "uuid")],
            id="a number of another sort",
        ),
        pytest.param(
            {"locator": "A1", "driver": "nouveau", "device_id": "1eb8"},
            {**BARE, "driver": "nvidia", "device_id": "1eb8"},
            [("changed", "driver"), *SEEN],
            id="another driver for the same device",
        ),
    ],
)
def test_a_number_that_is_learnt_or_lost_replaces_no_part(one, other, expected):
    there, back = told([one], [other], "memory"), told([other], [one], "memory")
    assert there == back == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param(KNOWN, {**KNOWN, "serial_number": "4F0001B7"}, id="another number"),
        pytest.param(HIDDEN, {**KNOWN, "size_bytes": 128}, id="another size"),
        pytest.param(HIDDEN, {**KNOWN, "part_number": "M393A4"}, id="another part number"),
        pytest.param({**BARE, "serial_number": "0"}, BARE, id="nothing says what it is"),
    ],
)
def test_a_part_of_another_kind_or_with_another_number_replaces_the_one_in_its_place(one, other):
    for before, after in ((one, other), (other, one)):
        [change] = diff({"memory": [before]}, {"memory": [after]})
        assert (change.op, change.old, change.new) == ("replaced", before, after)


def test_a_number_that_all_had_is_learnt_when_each_shows_its_own():
    slots = ("A1", "A2", "A3")
    before = [{**MODULE, "locator": one, "serial_number": "4F0001FF"} for one in slots]
    after = [{**MODULE, "locator": one, "serial_number": f"4F0001{one}"} for one in slots]
    assert told(before, after, "memory") == told(after, before, "memory") == SEEN * 3


def test_modules_with_a_placeholder_are_told_apart_by_their_slots():
    before = [{"locator": name, "serial_number": "00000000"} for name in ("A1", "A2", "A3")]
    after = [before[0], {"locator": "A2", "present": False}, before[2]]
    assert told(before, after, "memory") == [("removed", "A2")]


def test_a_partial_report_of_a_shared_number_takes_nothing_for_something_else():
    known = {"disks": [disk(name, serial_number="ARRAY7") for name in ("sda", "sdb")]}
    seen = {"disks": [disk("sdb", serial_number="ARRAY7", firmware_version="2")]}
    assert [
        (one["name"], one.get("firmware_version"))
        for one in overlay(known, seen, ["disks"])["disks"]
    ] == [("sda", None), ("sdb", "2")]


def test_a_change_finds_its_part_again_whatever_numbers_are_thought_of():
    # Another version may have taken for a number what is a placeholder to this one.
    before, after = (
        normal({"disks": [disk("sda", serial_number="00000000", v=v), disk("sdb")]}) for v in (1, 2)
    )
    assert [one.component for one in diff(before, after)] == ["sda"]
    change = Change("changed", "disks", "00000000", "v", 1, 2)
    assert undo(after, [change]) == before
    assert apply(before, [change]) == after


def test_a_change_whose_key_is_a_name_of_another_part_is_of_the_whole_part():
    # The serial number of the second is the place of the first.
    first, second = {"locator": "A1"}, {"locator": "A2", "serial_number": "A1"}
    before, after = (
        normal({"memory": {"devices": [{**first, "size": size}, second]}}) for size in (1, 2)
    )
    [change] = diff(before, after)
    assert (change.op, change.field, change.new["size"]) == ("changed", None, 2)
    assert undo(after, [change]) == before


def test_the_names_by_which_old_changes_are_undone_stay_as_they_are():
    item = {
        **{"serial_number": "00000000", "wwn": "w", "eui64": "e", "nguid": "n", "uuid": "u"},
        **{"permanent_mac": "m", "bank_locator": "b", "locator": "l", "socket_designation": "s"},
        **{"location_in_chassis": "c", "location": "at", "controller": "r", "enclosure": 1},
        **{"slot": 2, "hctl": "h", "pci_slot": "p", "designation": "d", "name": "sda", "id": 7},
        **{"level": 1, "type": "Data"},
    }
    expected = "00000000 w e n m u|b l|s|c|at|r 1 2|h|p|d|sda|r 7|1 Data"
    assert list(named([item])) == [*expected.partition("|")[0].split(), *expected.split("|")[1:]]
    space = {"name": "nvme0n2", "pci_slot": "p", "serial_number": "S"}
    assert list(named([space])) == ["p n2", "nvme0n2"]
    assert RULES.keys() == {1, 2}  # another list or another text is another rule


def test_volatile_values_that_a_minion_of_the_first_version_sent_are_put_back():
    disks = [disk("sda", pci_slot=HBA, hctl="0:0:0:0", volatile={"celsius": 31})]
    stable, volatile = split({"disks": disks})
    assert volatile == {"disks": {"0:0:0:0": {"celsius": 31}}}
    for sent in (volatile, {"disks": {HBA: {"celsius": 31}}}):
        assert with_volatile(stable, sent)["disks"][0]["celsius"] == 31


def test_only_a_number_that_could_be_a_parts_own_is_doubted_when_several_have_it():
    doubted = {}
    for serial in ("K1A2B3", "00000000", "SN: 000001"):
        facts = server(1, disks=[disk("a", serial_number=serial), disk("b", serial_number=serial)])
        found = checking.doubts(report(facts), ["disks"], NOW, NOW)
        doubted[serial] = [one.field for one in found]
    assert doubted == {"K1A2B3": ["facts.disks"], "00000000": [], "SN: 000001": []}


def test_a_number_that_several_have_is_doubted_where_nothing_else_is_a_parts_own():
    shared = {"wwn": "5000c500a1b2c3d4"}
    one, other = disk("a", serial_number="K1A2B3", **shared), disk("b", **shared)
    third = disk("c", serial_number="K1A2B4", **shared)
    for disks, doubted in (([one, third], []), ([one, other], ["facts.disks"])):
        found = checking.doubts(report(server(1, disks=disks)), ["disks"], NOW, NOW)
        assert [error.field for error in found] == doubted
