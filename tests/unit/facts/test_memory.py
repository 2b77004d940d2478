import pytest

from salt_ext.facts.memory import memory
from salt_ext.facts.root import Root
from tests.corpus import corpus_files, corpus_name, needs_corpus
from tests.unit.facts.smbios_tables import END, dword, machine, split_dump, structure, word
from tests.unit.facts.trees import tree

MEMINFO = {"proc/meminfo": "MemTotal:       32658432 kB\nMemFree:         1234567 kB\n"}
SYSTEM, FLASH = 0x1000, 0x1001


def array(handle, use, devices):
    fields = {4: 3, 5: use, 6: 6, 7: dword(64 << 20), 0x0D: word(devices)}
    return structure(16, 0x0F, fields, handle=handle)


def device(locator, mebibytes, owner=SYSTEM):
    fields = {4: word(owner), 0x0C: word(mebibytes), 0x0E: 9, 0x10: locator, 0x12: 0x1A, 0x18: "S"}
    return structure(17, 0x22, fields)


def test_modules_are_summed_and_empty_slots_listed(tmp_path):
    machine(
        tmp_path,
        array(SYSTEM, 3, 3) + device("A1", 16384) + device("A2", 0) + device("B1", 8192) + END,
    )
    facts = memory(tree(tmp_path, MEMINFO))
    assert facts["volatile"] == {"total_bytes": 32658432 * 1024}
    assert facts["installed_bytes"] == 24 << 30
    assert [(item["locator"], item["present"]) for item in facts["devices"]] == [
        ("A1", True),
        ("A2", False),
        ("B1", True),
    ]
    assert [(item["error_correction"], item["number_of_devices"]) for item in facts["arrays"]] == [
        ("Multi-bit ECC", 3)
    ]
    assert "serial_number" not in facts["devices"][1]


def test_the_flash_of_the_firmware_is_listed_but_is_no_memory(tmp_path):
    machine(
        tmp_path,
        array(SYSTEM, 3, 1)
        + device("DIMM 1", 4096)
        + array(FLASH, 5, 1)
        + device("SYSTEM ROM", 16, FLASH)
        + END,
    )
    facts = memory(Root(str(tmp_path)))
    assert len(facts["devices"]) == 2
    assert facts["installed_bytes"] == 4 << 30


def test_modules_without_an_array_count(tmp_path):
    machine(tmp_path, device("DIMM 1", 4096) + END)
    facts = memory(Root(str(tmp_path)))
    assert (facts["arrays"], facts["installed_bytes"]) == ([], 4 << 30)


def test_without_smbios_only_the_total_is_known(tmp_path):
    assert memory(tree(tmp_path, MEMINFO)) == {"total_bytes": 32658432 * 1024, "edac": []}


@pytest.mark.parametrize("text", ["", "MemTotal:\n", "MemTotal: many kB\n", "MemFree: 1 kB\n"])
def test_a_total_that_is_no_number_is_none(tmp_path, text):
    assert memory(tree(tmp_path, {"proc/meminfo": text}))["total_bytes"] is None


@needs_corpus
@pytest.mark.parametrize(
    "path", corpus_files("*/smbios_bin/**/*", "*/smbios_synth/**/*"), ids=corpus_name
)
def test_what_is_installed_is_what_is_in_the_slots(path, tmp_path):
    entry, table = split_dump(path.read_bytes())
    machine(tmp_path, table, entry)
    facts = memory(Root(str(tmp_path)))
    assert facts == memory(Root(str(tmp_path)))
    sizes = [item.get("size_bytes") or 0 for item in facts.get("devices", [])]
    installed = facts.get("installed_bytes") or 0
    # All of it but the firmware's own flash memory.
    assert sum(size for size in sizes if size > 64 << 20) <= installed <= sum(sizes)
    for item in facts.get("devices", []):
        assert item["present"] is not True or item["size_bytes"] > 0
