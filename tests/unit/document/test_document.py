"""The normal form of facts and the keys of components."""

from salt_ext.document import MAX_KEY, encode, normal
from salt_ext.document.keys import keyed
from salt_ext.document.volatile import split, with_volatile
from salt_ext.facts.clean import MAX_KEY as LONGEST_ON_A_MACHINE
from salt_ext.report import digests


def test_nothing_below_a_section_is_null_blank_or_empty():
    facts = {"system": {"version": "", "family": None, "tags": [], "uuid": "u"}, "gpus": []}
    assert normal(facts) == {"system": {"uuid": "u"}, "gpus": []}


def test_components_in_another_order_have_the_same_bytes():
    disks = [{"serial_number": "B", "name": "sda"}, {"serial_number": "A", "name": "sdb"}]
    assert encode(normal({"disks": disks})) == encode(normal({"disks": disks[::-1]}))


def test_lists_are_sorted_as_the_first_version_did():
    # By whatever rule parts are known: a minion of any version makes the same digest.
    disks = [
        {"name": "sda", "hctl": "9:0:0:0", "pci_slot": "0000:03:00.0"},
        {"name": "sdc", "hctl": "1:0:0:0", "pci_slot": "0000:04:00.0"},
        {"name": "sdb", "serial_number": "00000000", "eui64": "0025385a81b0a1b2"},
        {"name": "sdd", "serial_number": "SN: 000001", "wwn": "5002538e40b1a2c3"},
        {"name": "sde", "wwn": "5002538e40b1a2c3", "hctl": "0:0:0:0"},
        {"enclosure": "32", "slot": "4", "hctl": "0:0:0:0"},
    ]
    assert [one.get("name") for one in normal({"disks": disks[::-1]})["disks"]] == [
        *("sda", "sdc", None, "sdb", "sde", "sdd"),
    ]
    assert digests.of_facts(normal({"disks": disks})) == (
        "4df3608cc5c18f9c54f18f3564961c8a58c27995166601cd089ea5681f1d4c1c"
    )


def test_a_list_of_plain_values_keeps_its_order():
    assert normal({"x": {"path": ["b", "a"]}}) == {"x": {"path": ["b", "a"]}}


def test_a_part_is_known_by_its_serial_then_by_its_place():
    dimm = {"serial_number": "4F2A11", "locator": "A3"}
    empty = {"locator": "A4", "present": False}
    assert list(keyed([dimm, empty])) == ["4F2A11", "A4"]


def test_a_serial_that_stands_on_every_part_is_no_key():
    same = [{"serial_number": "X7", "locator": "A1"}, {"serial_number": "X7", "locator": "A2"}]
    assert list(keyed(same)) == ["A1", "A2"]


def test_parts_that_nothing_tells_apart_are_still_counted():
    assert list(keyed([{"size_bytes": 1}] * 3)) == ["#1", "#2", "#3"]
    twins = [{"serial_number": "X7", "locator": "A1"}] * 3
    assert list(keyed(twins)) == ["A1", "A1#2", "A1#3"]
    assert list(keyed([{"serial_number": "X7"}] * 2)) == ["X7", "X7#2"]


def test_the_bank_belongs_to_the_place_of_a_dimm():
    dimms = [
        {"bank_locator": "Node1", "locator": "DIMM1"},
        {"bank_locator": "Node2", "locator": "DIMM1"},
    ]
    assert list(keyed(dimms)) == ["Node1 DIMM1", "Node2 DIMM1"]


def test_volatile_values_are_set_apart_by_section_and_component():
    facts = {
        "operating_system": {"id": "debian", "volatile": {"boot_id": "b"}},
        "network": [{"name": "eth0", "volatile": {"speed_mbps": 1000}}, {"name": "eth1"}],
        "memory": {"edac": [{"id": 0, "volatile": {"ce_count": 3}}]},
    }
    stable, volatile = split(facts)
    assert stable == {
        "operating_system": {"id": "debian"},
        "network": [{"name": "eth0"}, {"name": "eth1"}],
        "memory": {"edac": [{"id": 0}]},
    }
    assert volatile == {
        "memory": {"edac": {"0": {"ce_count": 3}}},
        "operating_system": {"boot_id": "b"},
        "network": {"eth0": {"speed_mbps": 1000}},
    }


def test_a_part_with_a_name_of_any_length_has_its_volatile_values_under_a_key():
    parts = [{"name": "x" * 300, "volatile": {"celsius": 31}}, {"name": "y"}]
    stable, volatile = split({"licence": parts})
    assert volatile == {"licence": {"x" * MAX_KEY: {"celsius": 31}}}
    assert with_volatile(stable["licence"], volatile["licence"])[0]["celsius"] == 31
    assert LONGEST_ON_A_MACHINE == MAX_KEY
