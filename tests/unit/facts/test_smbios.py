from hypothesis import given, settings
from hypothesis import strategies as st

from salt_ext.facts import smbios
from salt_ext.facts.clean import clean
from salt_ext.facts.root import Root
from salt_ext.facts.smbios import enums
from salt_ext.facts.smbios import fields as smbios_fields
from tests.unit.facts.smbios_tables import (
    END,
    dword,
    entry_point_32,
    entry_point_64,
    entry_point_legacy,
    machine,
    qword,
    structure,
    word,
)

MODERN = (3, 7)
UUID = bytes(range(16))
DECODERS = [
    smbios_fields.bios,
    smbios_fields.baseboard,
    smbios_fields.chassis,
    smbios_fields.processor,
    smbios_fields.slot,
    smbios_fields.oem_strings,
    smbios_fields.memory_array,
    smbios_fields.memory_device,
    smbios_fields.ipmi,
    smbios_fields.power_supply,
    smbios_fields.onboard_device,
    smbios_fields.tpm,
]


def only(table, version=MODERN):
    """Return the one structure of a table that is in order."""
    found = smbios.structures(table + END, version)
    assert found.problems == []
    assert [item.type for item in found.structures[1:]] == [127]
    return found.structures[0]


def every_fact(tables):
    """Let every decoder read every structure; what it makes of it is data."""
    for item in tables.structures:
        for decode in DECODERS:
            clean(decode(item))
        clean(smbios_fields.system(item, tables.version))
    return tables


# Entry points


def test_each_kind_of_entry_point_tells_its_version():
    for data, version in (
        (entry_point_64(END, (3, 5)), (3, 5)),
        (entry_point_32(END, (2, 8)), (2, 8)),
        (entry_point_legacy(END, (2, 1)), (2, 1)),
    ):
        entry = smbios.entry_point(data)
        assert entry.version == version
        assert entry.problems == []


def test_versions_that_firmware_gets_wrong_are_mended():
    for said, meant in (((2, 31), (2, 3)), ((2, 33), (2, 3)), ((2, 51), (2, 6))):
        assert smbios.entry_point(entry_point_32(END, said)).version == meant


def test_a_wrong_checksum_is_told_and_the_entry_point_used():
    entry = smbios.entry_point(entry_point_64(END)[:-1] + b"\x01")
    assert entry.version == (3, 3)
    assert entry.problems == ["wrong checksum in the entry point"]


def test_what_is_no_entry_point_is_none():
    for data in (b"", b"_SM3_", b"_SM_" + bytes(8), b"_DMI_", b"nothing of the kind" * 3):
        assert smbios.entry_point(data) is None


# The walk through a table


def test_structures_are_read_up_to_the_end_of_table_one():
    table = structure(1, 8, {4: "Maker"}, handle=7) + END + structure(2, 8)
    found = smbios.structures(table, MODERN)
    assert [item.type for item in found.structures] == [1, 127]
    assert found.structures[0].handle == 7
    assert found.problems == []


def test_a_structure_without_strings_does_not_take_the_next_one():
    found = smbios.structures(structure(32, 11) + structure(1, 8, {4: "Maker"}) + END, MODERN)
    assert [item.type for item in found.structures] == [32, 1, 127]
    assert found.structures[1].text(4) == "Maker"


def test_inactive_structures_are_of_no_type():
    table = structure(126, 8, {4: "was a board"}) + structure(2, 8, {4: "Maker"}) + END
    found = smbios.structures(table, MODERN)
    assert [board.text(4) for board in found.of(smbios_fields.BASEBOARD)] == ["Maker"]


def test_a_length_that_cannot_be_ends_the_table_and_is_told():
    found = smbios.structures(structure(1, 8) + b"\x02\x03\0\0" + END, MODERN)
    assert [item.type for item in found.structures] == [1]
    assert found.problems == ["a structure of 3 bytes at 10"]


def test_a_table_cut_in_the_middle_keeps_what_was_read():
    whole = structure(1, 8, {4: "Maker", 5: "Product"}) + structure(2, 8, {4: "Board"})
    cut = smbios.structures(whole[:-10], MODERN)
    assert [item.type for item in cut.structures] == [1]
    assert cut.structures[0].text(5) == "Product"
    assert cut.problems == ["the structure at 23 is cut"]


def test_half_a_string_at_the_cut_is_not_a_string():
    whole = structure(1, 8, {4: "Maker", 5: "SERIAL123"})
    cut = smbios.structures(whole[:-5], MODERN)
    assert (cut.structures[0].text(4), cut.structures[0].text(5)) == ("Maker", None)
    assert cut.problems == ["the strings of the structure at 0 are cut"]


def test_a_table_without_an_end_is_told():
    found = smbios.structures(structure(1, 8), MODERN)
    assert found.problems == ["the table ends without an end-of-table structure"]


def test_a_management_device_that_counts_its_string_in_is_mended():
    broken = bytearray(structure(34, 0x0B, {4: "LM78-1 Super IO"}))
    broken[1] = 0x10
    found = smbios.structures(bytes(broken) + structure(1, 8, {4: "Maker"}) + END, MODERN)
    assert found.structures[0].text(4) == "LM78-1 Super IO"
    assert found.structures[1].text(4) == "Maker"
    short = bytearray(structure(34, 0x0B, {4: "LM78"}))
    short[1] = 0x10
    found = smbios.structures(bytes(short) + structure(1, 8, {4: "Maker"}) + END, MODERN)
    assert [item.text(4) for item in found.structures[:2]] == ["LM78", "Maker"]


def test_a_management_device_that_is_really_longer_is_left_alone():
    item = only(structure(34, 0x10, {4: "LM78"}))
    assert len(item) == 0x10
    assert item.text(4) == "LM78"


# Strings and integers of one structure


def test_a_string_number_beyond_the_set_is_no_string():
    item = only(structure(1, 8, {4: "one", 5: 2, 6: 255, 7: 0}))
    assert [item.text(offset) for offset in (4, 5, 6, 7)] == ["one", None, None, None]
    assert item.string(0) is None


def test_strings_lose_their_padding_and_blank_ones_are_none():
    item = only(structure(1, 8, {4: "CZJ7140658      ", 5: "   ", 6: "\ta b "}))
    assert [item.text(offset) for offset in (4, 5, 6)] == ["CZJ7140658", None, "a b"]


def test_strings_that_are_not_utf_8_are_still_strings():
    item = only(structure(1, 8, {4: "caf\udce9", 5: "Größe"}))
    assert item.text(4) == "caf\ufffd"
    assert item.text(5) == "Größe"


def test_a_literal_not_specified_is_kept():
    assert only(structure(1, 8, {4: "Not Specified"})).text(4) == "Not Specified"


def test_fields_beyond_the_end_of_a_structure_are_none():
    item = only(structure(1, 6, {4: 1, 5: 2}))
    assert (item.byte(5), item.word(4), item.word(5)) == (2, 0x0201, None)
    assert (item.byte(6), item.dword(4), item.qword(4), item.data(4, 3)) == (None,) * 4


# Types


def test_bios():
    item = only(
        structure(
            0,
            0x1A,
            {
                0x04: "Dell Inc.",
                0x05: "2.3.4",
                0x08: "11/08/2016",
                0x09: 0xFF,
                0x14: bytes([2, 3, 1, 58]),
                0x18: word(0x4002),
            },
        )
    )
    assert smbios_fields.bios(item) == {
        "vendor": "Dell Inc.",
        "version": "2.3.4",
        "release_date": "11/08/2016",
        "revision": "2.3",
        "embedded_controller_revision": "1.58",
        "rom_size_bytes": 2 << 30,
    }


def test_the_size_of_the_rom_in_every_spelling():
    def size(code, extended=None):
        fields = {9: code} | ({} if extended is None else {0x18: word(extended)})
        length = 0x12 if extended is None else 0x1A
        return smbios_fields.bios(only(structure(0, length, fields)))["rom_size_bytes"]

    assert size(0) == 64 << 10
    assert size(0xFF) == 16 << 20  # before the extended field
    assert size(0xFF, 32) == 32 << 20
    assert size(0xFF, 0x4001) == 1 << 30
    assert size(0xFF, 0x8001) is None  # a unit nobody has defined
    assert size(0x0F, 32) == 1 << 20


def test_a_revision_of_all_ones_is_not_known():
    facts = smbios_fields.bios(only(structure(0, 0x18, {0x14: bytes([0xFF, 0xFF, 3, 0xFF])})))
    assert facts["revision"] is None
    assert facts["embedded_controller_revision"] is None


def test_system():
    fields = {4: "HP", 5: "DL380", 6: "1.0", 7: "CZ12 ", 8: UUID, 0x18: 6, 0x19: "SKU", 0x1A: "PL"}
    assert smbios_fields.system(only(structure(1, 0x1B, fields)), MODERN) == {
        "manufacturer": "HP",
        "product_name": "DL380",
        "version": "1.0",
        "serial_number": "CZ12",
        "uuid": "03020100-0504-0706-0809-0a0b0c0d0e0f",
        "sku_number": "SKU",
        "family": "PL",
        "wake_up_type": "Power Switch",
    }


def test_the_byte_order_of_a_uuid_changed_with_version_2_6():
    item = only(structure(1, 0x19, {8: UUID}))
    swapped, plain = "03020100-0504-0706-0809-0a0b0c0d0e0f", "00010203-0405-0607-0809-0a0b0c0d0e0f"
    for version, uuid in (((2, 5), plain), ((2, 6), swapped), ((3, 0), swapped)):
        assert smbios_fields.system(item, version)["uuid"] == uuid


def test_a_uuid_that_is_not_there_is_none():
    for raw in (bytes(16), b"\xff" * 16):
        assert smbios_fields.system(only(structure(1, 0x19, {8: raw})), MODERN)["uuid"] is None
    assert smbios_fields.system(only(structure(1, 0x17, {8: UUID[:15]})), MODERN)["uuid"] is None


def test_baseboard():
    fields = {4: "HP", 5: "B", 6: "A1", 7: "S", 8: "T", 0x0A: "Node 1", 0x0B: word(0x300), 0x0D: 10}
    assert smbios_fields.baseboard(only(structure(2, 0x0E, fields))) == {
        "manufacturer": "HP",
        "product_name": "B",
        "version": "A1",
        "serial_number": "S",
        "asset_tag": "T",
        "location_in_chassis": "Node 1",
        "chassis_handle": 0x300,
        "type": "Motherboard",
    }


def test_chassis_with_a_lock_and_contained_elements():
    fields = {4: "HP", 5: 0x97, 6: "v", 7: "S", 8: "T", 0x11: 2, 0x12: 1, 0x13: 2, 0x14: 3}
    item = only(structure(3, 0x1C, {**fields, 0x15 + 6: "SKU"}, handle=0x300))
    assert smbios_fields.chassis(item) == {
        "handle": 0x300,
        "manufacturer": "HP",
        "type": "Rack Mount Chassis",
        "version": "v",
        "serial_number": "S",
        "asset_tag": "T",
        "height_u": 2,
        "number_of_power_cords": 1,
        "sku_number": "SKU",
    }


def test_a_height_of_zero_is_not_specified():
    facts = smbios_fields.chassis(only(structure(3, 0x15, {5: 17})))
    assert facts["type"] == "Main Server Chassis"
    assert facts["height_u"] is facts["number_of_power_cords"] is facts["sku_number"] is None


PROCESSOR = {
    0x04: "CPU1",
    0x05: 3,
    0x06: 0xB3,
    0x07: "Intel(R) Corporation",
    0x08: bytes.fromhex("F2060300FFFBEBBF"),
    0x10: "Xeon E5",
    0x12: word(100),
    0x14: word(4000),
    0x16: word(2400),
    0x18: 0x41,
    0x19: 0x2B,
    0x20: "S",
    0x21: "T",
    0x22: "P",
    0x23: bytes([6, 6, 12]),
}


def test_processor():
    assert smbios_fields.processor(only(structure(4, 0x2A, PROCESSOR))) == {
        "socket_designation": "CPU1",
        "type": "Central Processor",
        "family": "Xeon",
        "manufacturer": "Intel(R) Corporation",
        "id": "F2 06 03 00 FF FB EB BF",
        "version": "Xeon E5",
        "external_clock_mhz": 100,
        "max_speed_mhz": 4000,
        "current_speed_mhz": 2400,
        "populated": True,
        "status": "Populated, Enabled",
        "upgrade": "Socket LGA2011-3",
        "serial_number": "S",
        "asset_tag": "T",
        "part_number": "P",
        "core_count": 6,
        "core_enabled": 6,
        "thread_count": 12,
    }


def test_counts_that_do_not_fit_into_a_byte_are_in_the_extended_fields():
    fields = {**PROCESSOR, 0x23: b"\xff" * 3, 0x2A: word(288) + word(256) + word(576)}
    facts = smbios_fields.processor(only(structure(4, 0x30, fields)))
    assert (facts["core_count"], facts["core_enabled"], facts["thread_count"]) == (288, 256, 576)
    before = smbios_fields.processor(only(structure(4, 0x2A, {0x23: b"\xff\x00\x01"})))
    assert (before["core_count"], before["core_enabled"], before["thread_count"]) == (255, None, 1)


def test_processor_families_of_two_bytes_and_of_two_makers():
    def family(**fields):
        offsets = {"code": 0x06, "maker": 0x07, "extended": 0x28}
        item = only(structure(4, 0x2A, {offsets[name]: value for name, value in fields.items()}))
        return smbios_fields.processor(item)["family"]

    assert family(code=0xFE, extended=word(0x101)) == "ARMv8"
    assert family(code=0xFE, extended=word(0x271)) == "Multi-Core Loongson 3D 5xxx"
    assert family(code=0xFE, extended=word(0xFFF0)) is None
    assert family(code=0xBE, maker="Intel") == "Core 2"
    assert family(code=0xBE, maker="AMD") == "K7"
    assert family(code=0xBE) == "Core 2 or K7"
    assert smbios_fields.processor(only(structure(4, 0x1A, {6: 0xFE})))["family"] is None


def test_an_empty_socket():
    facts = smbios_fields.processor(only(structure(4, 0x1A, {0x18: 0})))
    assert (facts["populated"], facts["status"]) == (False, "Unpopulated")
    assert facts["max_speed_mhz"] is None


def test_slot():
    fields = {4: "PCIe 1", 5: 0xB6, 6: 0x0B, 7: 4, 8: 4, 0x0D: word(1), 0x0F: 0x3B, 0x10: 0x09}
    assert smbios_fields.slot(only(structure(9, 0x11, fields))) == {
        "designation": "PCIe 1",
        "type": "x8 PCI Express 3 x16",
        "usage": "In Use",
        "length": "Long",
        "bus_address": "0001:3b:01.1",
    }


def test_a_slot_without_address_width_or_known_type():
    nowhere = {5: 6, 6: 2, 0x0D: b"\xff" * 4}
    facts = smbios_fields.slot(only(structure(9, 0x11, nowhere)))
    assert (facts["type"], facts["bus_address"]) == ("PCI", None)
    assert smbios_fields.slot(only(structure(9, 0x0D, {5: 0x7F, 6: 5})))["type"] is None


def test_oem_strings_keep_their_numbers():
    item = only(structure(11, 5, {4: 4}, ["Dell System", " ", "5[0000]"]))
    assert smbios_fields.oem_strings(item) == ["Dell System", None, "5[0000]", None]


def test_memory_array():
    fields = {4: 3, 5: 3, 6: 6, 7: dword(64 << 20), 0x0D: word(16)}
    assert smbios_fields.memory_array(only(structure(16, 0x0F, fields))) == {
        "location": "System Board Or Motherboard",
        "use": "System Memory",
        "error_correction": "Multi-bit ECC",
        "maximum_capacity_bytes": 64 << 30,
        "number_of_devices": 16,
    }


def test_a_capacity_that_does_not_fit_is_in_the_extended_field():
    fields = {7: dword(0x80000000), 0x0F: qword(6 << 40)}
    facts = smbios_fields.memory_array(only(structure(16, 0x17, fields)))
    assert facts["maximum_capacity_bytes"] == 6 << 40
    short = smbios_fields.memory_array(only(structure(16, 0x0F, {7: dword(0x80000000)})))
    assert short["maximum_capacity_bytes"] is None


MODULE = {
    0x08: word(72) + word(64),
    0x0C: word(16384),
    0x0E: 9,
    0x10: "DIMM_A1",
    0x11: "Bank 1",
    0x12: 0x1A,
    0x13: word(0x2080),
    0x15: word(2666),
    0x17: "Samsung",
    0x18: "03B1C2D3",
    0x19: "T",
    0x1A: "M393A2K43CB2-CTD  ",
    0x1B: 2,
    0x20: word(2400),
    0x26: word(1200),
}


def test_memory_device():
    assert smbios_fields.memory_device(only(structure(17, 0x28, MODULE))) == {
        "locator": "DIMM_A1",
        "bank_locator": "Bank 1",
        "present": True,
        "form_factor": "DIMM",
        "type": "DDR4",
        "type_detail": "Synchronous Registered (Buffered)",
        "total_width_bits": 72,
        "data_width_bits": 64,
        "size_bytes": 16 << 30,
        "speed_mts": 2666,
        "configured_speed_mts": 2400,
        "manufacturer": "Samsung",
        "serial_number": "03B1C2D3",
        "asset_tag": "T",
        "part_number": "M393A2K43CB2-CTD",
        "rank": 2,
        "voltage_mv": 1200,
    }


def test_the_size_of_a_module_in_every_spelling():
    def size(code, extended=None):
        fields = {0x0C: word(code)} | ({} if extended is None else {0x1C: dword(extended)})
        length = 0x1B if extended is None else 0x20
        facts = smbios_fields.memory_device(only(structure(17, length, fields)))
        return facts["present"], facts.get("size_bytes")

    assert size(1024) == (True, 1 << 30)
    assert size(0x8200) == (True, 512 << 10)
    assert size(0x7FFF, 65536) == (True, 64 << 30)
    assert size(0x7FFF, 0x80010000) == (True, 64 << 30)
    assert size(0x7FFF) == (True, 0x7FFF << 20)
    assert size(0) == (False, None)
    assert size(0xFFFF) == (None, None)


def test_an_empty_slot_has_no_module_whatever_the_firmware_writes():
    fields = {**MODULE, 0x0C: word(0), 0x17: "NO DIMM", 0x18: "SerNum0", 0x1A: "PartNum0"}
    facts = smbios_fields.memory_device(only(structure(17, 0x28, fields)))
    assert facts["present"] is False
    assert facts["locator"] == "DIMM_A1"
    assert not {"size_bytes", "manufacturer", "serial_number", "part_number"} & set(facts)


def test_a_speed_that_does_not_fit_is_in_the_extended_field():
    fields = {**MODULE, 0x15: word(0xFFFF), 0x20: word(0xFFFF), 0x54: dword(70000) + dword(68000)}
    facts = smbios_fields.memory_device(only(structure(17, 0x5C, fields)))
    assert (facts["speed_mts"], facts["configured_speed_mts"]) == (70000, 68000)
    short = smbios_fields.memory_device(only(structure(17, 0x28, {**MODULE, 0x15: word(0xFFFF)})))
    assert short["speed_mts"] is None


def test_widths_of_zero_or_all_ones_are_not_known():
    fields = {**MODULE, 0x08: word(0) + word(0xFFFF)}
    facts = smbios_fields.memory_device(only(structure(17, 0x28, fields)))
    assert facts["total_width_bits"] is facts["data_width_bits"] is None


def test_ipmi():
    fields = {4: 1, 5: 0x20, 6: 0x20, 8: qword(0xCA3), 0x10: 0}
    assert smbios_fields.ipmi(only(structure(38, 0x12, fields))) == {
        "interface_type": "KCS (Keyboard Control Style)",
        "specification_version": "2.0",
        "i2c_slave_address": "0x10",
        "base_address": "0x0000000000000CA2 (I/O)",
    }


def test_ipmi_in_memory_with_the_lowest_bit_of_its_address_elsewhere():
    fields = {4: 3, 8: qword(0xFED00000), 0x10: 0x10}
    facts = smbios_fields.ipmi(only(structure(38, 0x12, fields)))
    assert facts["base_address"] == "0x00000000FED00001 (Memory-mapped)"


def test_ipmi_on_the_smbus():
    facts = smbios_fields.ipmi(only(structure(38, 0x10, {4: 4, 8: 0x20})))
    assert facts["base_address"] == "0x10 (SMBus)"


def test_power_supply():
    strings = dict(
        zip(range(5, 12), ("loc", "PSU1", "DELL", "CN1", "T", "0PN", "A01"), strict=True)
    )
    fields = {**strings, 0x0C: word(750), 0x0E: word(0x0183)}
    assert smbios_fields.power_supply(only(structure(39, 0x10, fields))) == {
        "location": "loc",
        "name": "PSU1",
        "manufacturer": "DELL",
        "serial_number": "CN1",
        "asset_tag": "T",
        "part_number": "0PN",
        "revision": "A01",
        "max_power_watts": 750,
        "status": "Present, OK",
        "plugged": True,
        "hot_replaceable": True,
    }


def test_a_power_supply_that_is_not_there():
    fields = {0x0C: word(0x8000), 0x0E: word(0x0004)}
    facts = smbios_fields.power_supply(only(structure(39, 0x10, fields)))
    assert facts["max_power_watts"] is None
    assert (facts["status"], facts["plugged"]) == ("Not Present", False)
    assert facts["hot_replaceable"] is False


def test_onboard_device():
    fields = {4: "NIC 1", 5: 0x85, 7: word(0), 9: 2, 10: 0x01}
    assert smbios_fields.onboard_device(only(structure(41, 0x0B, fields))) == {
        "designation": "NIC 1",
        "type": "Ethernet",
        "enabled": True,
        "bus_address": "0000:02:00.1",
    }


def test_tpm_of_either_specification():
    fields = {4: b"IFX\0", 8: 2, 10: word(0x0101) + word(7), 0x12: "TPM 2.0"}
    assert smbios_fields.tpm(only(structure(43, 0x1F, fields))) == {
        "vendor_id": "IFX",
        "specification_version": "2.0",
        "firmware_version": "7.257",
        "description": "TPM 2.0",
    }
    old = smbios_fields.tpm(only(structure(43, 0x1F, {8: 1, 9: 2, 10: bytes([1, 2, 7, 62])})))
    assert (old["specification_version"], old["firmware_version"]) == ("1.2", "7.62")
    assert old["vendor_id"] is None


def test_codes_that_nobody_has_defined_are_none():
    facts = smbios_fields.memory_device(only(structure(17, 0x15, {0x0C: word(1), 0x12: 0xEE})))
    assert facts["type"] is None
    assert smbios_fields.chassis(only(structure(3, 0x0D, {5: 0x7F})))["type"] is None


def test_words_begin_at_their_code():
    assert enums.SLOT_TYPES[0xA5] == "PCI Express"
    assert enums.MEMORY_TYPES[0x22] == "DDR5"
    assert enums.PROCESSOR_UPGRADES[0x4A] == "Socket SP5"
    assert enums.CHASSIS_TYPES[0x1D] == "Blade Enclosing"


# The files of the kernel


def test_the_tables_of_a_machine_are_read_once(tmp_path):
    machine(tmp_path, structure(1, 8, {4: "Maker"}) + END)
    root = Root(str(tmp_path))
    found = root.once(smbios.tables)
    assert root.once(smbios.tables) is found
    assert (found.version, found.problems) == ((3, 3), [])
    assert found.of(smbios_fields.SYSTEM)[0].text(4) == "Maker"


def test_a_machine_without_tables_has_no_structures(tmp_path):
    found = smbios.tables(Root(str(tmp_path)))
    assert (found.structures, found.problems) == ([], [])


def test_wrong_announcements_are_told_and_believed_nowhere(tmp_path):
    table = structure(1, 8, {4: "Maker"}) + END
    machine(tmp_path, table, entry_point_32(table + bytes(10), count=9))
    found = smbios.tables(Root(str(tmp_path)))
    assert len(found.structures) == 2
    assert found.problems == [
        f"{len(table) + 10} bytes announced, {len(table)} there",
        "9 structures announced, 2 there",
    ]


def test_a_broken_entry_point_is_told_with_the_table(tmp_path):
    machine(tmp_path, END, entry_point_64(END)[:-1] + b"\x01")
    assert smbios.tables(Root(str(tmp_path))).problems == ["wrong checksum in the entry point"]


def test_a_table_without_a_valid_entry_point_is_read_as_a_modern_one(tmp_path):
    machine(tmp_path, structure(1, 0x19, {8: UUID}) + END, b"rubbish")
    found = smbios.tables(Root(str(tmp_path)))
    assert found.problems == ["no valid entry point"]
    uuid = smbios_fields.system(found.structures[0], found.version)["uuid"]
    assert uuid == "03020100-0504-0706-0809-0a0b0c0d0e0f"


def test_a_table_larger_than_a_read_keeps_its_beginning(tmp_path):
    table = structure(1, 8, {4: "Maker"}) + structure(11, 5, {4: 1}, ["x" * 1000]) * 100 + END
    machine(tmp_path, table)
    found = smbios.tables(Root(str(tmp_path)))
    assert 50 < len(found.structures) < 100
    assert found.structures[0].text(4) == "Maker"
    assert len(found.problems) == 1


# Any bytes at all


VALID = (
    structure(0, 0x1A, {4: "Vendor", 8: "01/02/2020"})
    + structure(1, 0x1B, {4: "Maker", 8: UUID})
    + structure(3, 0x16, {4: "Maker", 0x13: 0, 0x15: "SKU"})
    + structure(4, 0x30, PROCESSOR)
    + structure(34, 0x0B, {4: "LM78"})
    + structure(17, 0x5C, MODULE)
    + structure(38, 0x12, {4: 1})
    + structure(11, 5, {4: 2}, ["one", "two"])
    + END
)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400))
def test_no_bytes_raise_or_never_end(data):
    tables = every_fact(smbios.structures(data, MODERN))
    assert len(tables.structures) <= len(data) // 4
    assert tables.problems or tables.structures or not data


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([b"_SM3_", b"_SM_", b"_DMI_"]), st.binary(max_size=40))
def test_no_entry_point_raises(anchor, data):
    entry = smbios.entry_point(anchor + data)
    assert entry is None or len(entry.version) == 2


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.integers(0, len(VALID) - 1), st.integers(0, 255)), max_size=8))
def test_no_damage_to_a_table_raises(damage):
    table = bytearray(VALID)
    for position, value in damage:
        table[position] = value
    tables = every_fact(smbios.structures(bytes(table), MODERN))
    assert len(tables.structures) <= len(table) // 4


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(VALID)))
def test_a_table_cut_anywhere_keeps_every_structure_before_the_cut(length):
    whole = smbios.structures(VALID, MODERN).structures
    cut = smbios.structures(VALID[:length], MODERN)
    assert [item.type for item in cut.structures] == [
        item.type for item in whole[: len(cut.structures)]
    ]
    assert bool(cut.problems) == (length < len(VALID))
    every_fact(cut)
