"""What firmware writes wrongly in SMBIOS, and what is made of it."""

import pytest

from salt_ext.facts.boards import tpm
from salt_ext.facts.smbios import Structure, fields, hpe
from tests.unit.facts.smbios_tables import END, machine, structure
from tests.unit.facts.trees import tree


@pytest.mark.parametrize(
    ("letters", "vendor"),
    [
        (b"IFX\0", "IFX"),
        (b"\0XFI", "IFX"),
        (b"STM ", "STM"),
        (b" MTS", "STM"),
        (b"INTC", "INTC"),
        (b"CTNI", "INTC"),
        (b"AMD\0", "AMD"),
        (b"\0DMA", "AMD"),
        (b"ABCD", "ABCD"),
        (b"\0\0\0\0", None),
    ],
)
def test_the_maker_of_a_tpm_is_read_in_either_order(tmp_path, letters, vendor):
    machine(tmp_path, structure(43, 0x1F, {0x04: letters, 0x08: 2}) + END)
    assert tpm(tree(tmp_path, {}))["vendor_id"] == vendor


@pytest.mark.parametrize(("length", "height"), [(0x11, None), (0x12, None), (0x13, 2), (0x15, 2)])
def test_a_short_chassis_has_neither_height_nor_cords(length, height):
    data = bytes((3, length, 0, 0, 0, 1)).ljust(0x11, b"\0").ljust(length, b"\2")
    found = fields.chassis(Structure(data[:length], b""))
    assert (found["height_u"], found["number_of_power_cords"]) == (height, height)


@pytest.mark.parametrize(
    ("bays", "filled", "found"),
    [(16, 1, 1), (16, 16, 16), (16, 130, None), (0, 2, 2), (8, 255, None)],
)
def test_a_blade_takes_no_more_bays_than_there_are(bays, filled, found):
    data = bytearray(0x0B)
    data[:2], data[6], data[8], data[9] = b"\xcc\x0b", 1, bays, filled
    said = hpe.rack_locator(Structure(bytes(data), b"BladeSystem c7000 Enclosure\0"))
    assert said["bays_filled"] == found
