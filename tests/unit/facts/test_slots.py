import pytest
from hypothesis import given
from hypothesis import strategies as st

from salt_ext.facts.boards import old_onboard_devices, onboard_devices, slots, tpm
from salt_ext.facts.power import batteries, power_supplies
from salt_ext.facts.smbios import Structure
from tests.corpus import needs_corpus
from tests.unit.facts.captures import captures, expectation
from tests.unit.facts.smbios_tables import END, machine, split_dump, structure, word
from tests.unit.facts.trees import tree

SLOT = structure(
    9,
    0x11,
    {
        0x04: "PCIe Slot 3",
        0x05: 0xB5,
        0x06: 0x0B,
        0x07: 4,
        0x08: 4,
        0x0D: word(0),
        0x0F: 0x3B,
        0x10: 0,
    },
)
ONBOARD = structure(41, 0x0B, {0x04: "Integrated NIC 1", 0x05: 0x85, 0x07: word(0), 0x09: 0x18})
OLD = structure(10, 8, {4: 0x83, 5: "Intel Graphics", 6: 0x05, 7: "Broadcom 5751"})
TPM = structure(
    43,
    0x1F,
    {0x04: b"STM \x02\x00", 0x0A: word(512), 0x0C: word(1), 0x12: "Trusted Platform Module"},
)


def test_a_slot_says_what_it_is_and_what_is_in_it(tmp_path):
    machine(tmp_path, SLOT + END)
    (slot,) = slots(tree(tmp_path, {}))
    assert (slot["designation"], slot["usage"]) == ("PCIe Slot 3", "In Use")
    assert slot["bus_address"] == "0000:3b:00.0"
    assert slot["type"] == "x8 PCI Express 3 x8"


def test_an_onboard_device_is_described(tmp_path):
    machine(tmp_path, ONBOARD + OLD + END)
    assert onboard_devices(tree(tmp_path, {})) == [
        {
            "designation": "Integrated NIC 1",
            "type": "Ethernet",
            "enabled": True,
            "bus_address": "0000:18:00.0",
        }
    ]


def test_the_old_kind_of_record_counts_where_there_is_no_new_one(tmp_path):
    machine(tmp_path, OLD + END)
    assert onboard_devices(tree(tmp_path, {})) == [
        {"designation": "Intel Graphics", "type": "Video", "enabled": True},
        {"designation": "Broadcom 5751", "type": "Ethernet", "enabled": False},
    ]


@given(st.binary(max_size=40), st.binary(max_size=20))
def test_an_old_record_of_any_bytes_can_be_read(data, tail):
    header = bytes([10, 4 + len(data), 0, 0])
    assert len(old_onboard_devices(Structure(header + data, tail))) == len(data) // 2


def test_without_firmware_nothing_can_be_said(tmp_path):
    root = tree(tmp_path, {"proc/version": ""})
    assert (slots(root), onboard_devices(root), tpm(root)) == (None, None, None)


def test_firmware_that_lists_none_says_so(tmp_path):
    machine(tmp_path, structure(1, 8) + END)
    root = tree(tmp_path, {"sys/class/net/lo/mtu": "1"})
    assert (slots(root), onboard_devices(root), tpm(root)) == ([], [], {})


def test_a_tpm_is_what_the_firmware_and_the_kernel_know(tmp_path):
    machine(tmp_path, TPM + END)
    root = tree(
        tmp_path,
        {
            "sys/class/tpm/tpm0/tpm_version_major": "2\n",
            "sys/class/tpm/tpm0/device/description": "TPM 2.0 Device\n",
        },
        {"sys/class/tpm/tpm0/device/driver": "../../../bus/platform/drivers/tpm_crb"},
    )
    assert tpm(root) == {
        "vendor_id": "STM",
        "specification_version": "2.0",
        "firmware_version": "1.512",
        "description": "Trusted Platform Module",
        "version_major": 2,
        "driver": "tpm_crb",
    }


def test_a_tpm_that_only_the_kernel_knows_is_one_too(tmp_path):
    root = tree(
        tmp_path,
        {
            "sys/class/tpm/tpm0/tpm_version_major": "1\n",
            "sys/class/tpm/tpm0/device/description": "Infineon\n",
            "sys/class/tpm/tpm0/caps": "Manufacturer: 0x49465800\n",
        },
    )
    found = tpm(root)
    assert (found["version_major"], found["description"]) == (1, "Infineon")


@needs_corpus
@pytest.mark.parametrize("path", captures("*/smbios_bin/**/*", having="dmidecode_3_4"))
def test_the_lists_are_those_of_dmidecode(path, tmp_path):
    expected = expectation(path)["dmidecode_3_4"]
    entry, table = split_dump(path.read_bytes())
    machine(tmp_path, table, entry)
    root = tree(tmp_path, {})
    found = slots(root)
    assert [item["designation"] for item in found] == [
        item["designation"] for item in expected["slots"]
    ]
    assert [item["bus_address"] for item in found] == [
        item["bus_address"] for item in expected["slots"]
    ]
    if expected["onboard_devices"]:
        assert [item["designation"] for item in onboard_devices(root)] == [
            item["designation"] for item in expected["onboard_devices"]
        ]
    assert bool(tpm(root)) == ("43" in expected["types"])
    assert [item["serial_number"] for item in power_supplies(root)] == [
        item["serial_number"] for item in expected["power_supplies"]
    ]
    assert len(batteries(root)) == expected["types"].get("22", 0)
