"""Memory that is none: persistent modules, DRAM as a cache, CXL; and makers by their number."""

import pytest

from salt_ext.facts import jedec
from salt_ext.facts.memory import memory
from tests.unit.facts.smbios_tables import END, dword, machine, structure, word
from tests.unit.facts.trees import tree

GIB = 1 << 30
SYSTEM, ON_CXL = 0x1000, 0x1002
DRAM, NVDIMM_N, OPTANE = 3, 4, 7
UNKNOWN = (1 << 64) - 1
UNKNOWN_SIZE = structure(17, 0x1B, {4: word(0x1000), 0x0C: word(0xFFFF), 0x10: "A2"})


def array(handle, location=3):
    return structure(16, 0x0F, {4: location, 5: 3, 6: 6, 7: dword(64 << 20)}, handle=handle)


def module(gib, technology=DRAM, *, told=None, owner=SYSTEM, kind=0x1A, detail=0, **texts):
    """Make a module; ``told`` are its persistent, volatile, cache and logical GiB."""
    persistent, volatile, cache, logical = told or (0, gib, 0, 0)
    sizes = {0x34: persistent, 0x3C: volatile, 0x44: cache, 0x4C: logical}
    fields = {
        **{4: word(owner), 0x0C: word(0x7FFF), 0x0E: 9, 0x12: kind, 0x13: word(detail)},
        **{0x10: texts.get("locator", "A1"), 0x17: texts.get("maker", "Samsung"), 0x18: "3A0077AA"},
        0x1C: dword(gib << 10),
        0x28: technology,
        0x2C: word(texts.get("number", 0)),
        **{
            at: (size if size == UNKNOWN else size * GIB).to_bytes(8, "little")
            for at, size in sizes.items()
        },
    }
    return structure(17, 0x5C, fields)


def facts_of(where, *items, total_gib=None):
    machine(where, array(SYSTEM) + b"".join(items) + END)
    total = {} if total_gib is None else {"proc/meminfo": f"MemTotal: {total_gib << 20} kB\n"}
    return memory(tree(where, total))


def sums(facts):
    persistent = facts["persistent_bytes"]
    return facts["installed_bytes"] // GIB, persistent and persistent // GIB


NONE = (UNKNOWN,) * 4


@pytest.mark.parametrize(
    ("modules", "installed", "persistent"),
    [
        ([module(64), module(64)], 128, None),
        # App Direct: what is persistent is no memory.
        ([module(64), module(126, OPTANE, told=(126, 0, 0, 0))], 64, 126),
        # As one maker writes the same modules: with a type of their own.
        ([module(64), module(126, OPTANE, told=(126, 0, 0, 0), kind=0x1F, detail=0x1080)], 64, 126),
        # Half of each.
        ([module(64), module(126, OPTANE, told=(63, 63, 0, 0))], 63, 63),
        # Memory Mode: the DRAM is the cache, whether firmware says so or not.
        ([module(32), module(128, OPTANE, told=(0, 128, 0, 0))], 128, None),
        ([module(32, told=(0, 0, 32, 0)), module(128, OPTANE, told=(0, 128, 0, 0))], 128, None),
        # Sizes that are not known: the technology decides.
        ([module(64, told=NONE), module(126, OPTANE, told=NONE)], 64, 126),
        ([module(64, told=(0, 0, 0, 0)), module(16, NVDIMM_N, told=(0, 0, 0, 0))], 64, 16),
        ([module(64), module(16, NVDIMM_N, told=(16, 0, 0, 0))], 64, 16),
        # Before version 3.2 there is only a bit.
        ([module(64, 0), module(16, 0, told=(0, 0, 0, 0), detail=0x1080)], 64, 16),
    ],
)
def test_what_is_installed_is_what_forgets(tmp_path, modules, installed, persistent):
    assert sums(facts_of(tmp_path, *modules)) == (installed, persistent)


def test_the_kernel_shows_whether_dram_is_a_cache(tmp_path):
    modules = (module(32), module(128, OPTANE, told=(0, 128, 0, 0)))
    assert sums(facts_of(tmp_path / "a", *modules, total_gib=125)) == (128, None)
    assert sums(facts_of(tmp_path / "b", *modules, total_gib=157)) == (160, None)


def test_memory_in_the_processors_package_may_be_a_cache_too(tmp_path):
    modules = (module(64), module(32, kind=0x21))
    assert sums(facts_of(tmp_path / "flat", *modules, total_gib=94)) == (96, None)
    assert sums(facts_of(tmp_path / "cache", *modules, total_gib=63)) == (64, None)
    assert sums(facts_of(tmp_path / "alone", modules[1], total_gib=31)) == (32, None)


def blocks(count):
    """Memory blocks of 1 GiB."""
    home = "sys/devices/system/memory"
    files = {f"{home}/memory{n}/state": "online\n" for n in range(count)}
    return files | {f"{home}/block_size_bytes": "40000000\n"}


@pytest.mark.parametrize(
    ("modules", "total_gib", "gib"),
    [
        pytest.param([module(4)], 15, 16, id="a guest was given memory while it ran"),
        pytest.param([module(4)], 3, 4, id="and gave some back"),
        pytest.param([module(8), UNKNOWN_SIZE], 15, 16, id="the size of a module is not told"),
        pytest.param([UNKNOWN_SIZE], 15, 16, id="no size is told"),
        pytest.param(
            [module(8), module(8, NVDIMM_N, told=(8, 0, 0, 0))],
            15,
            8,
            id="a persistent module is used as memory",
        ),
    ],
)
def test_where_the_kernel_has_more_than_is_listed_its_blocks_count(
    tmp_path, modules, total_gib, gib
):
    machine(tmp_path, array(SYSTEM) + b"".join(modules) + END)
    total = {"proc/meminfo": f"MemTotal: {total_gib << 20} kB\n"}
    facts = memory(tree(tmp_path, total | blocks(16)))
    assert facts["installed_bytes"] == gib * GIB
    assert facts["volatile"] == {"total_bytes": total_gib * GIB}


def test_without_sizes_and_blocks_only_the_total_is_known(tmp_path):
    facts = facts_of(tmp_path, UNKNOWN_SIZE, total_gib=15)
    assert (facts["installed_bytes"], facts["total_bytes"]) == (None, 15 * GIB)


def test_a_short_table_has_neither_kind_nor_sizes(tmp_path):
    old = structure(17, 0x22, {4: word(SYSTEM), 0x0C: word(16384), 0x10: "A1", 0x12: 0x18})
    facts = facts_of(tmp_path, old)
    assert sums(facts) == (16, None)
    assert "technology" not in facts["devices"][0]


def test_memory_on_cxl_stands_apart(tmp_path):
    machine(
        tmp_path, array(SYSTEM) + array(ON_CXL, 0xA4) + module(64) + module(256, owner=ON_CXL) + END
    )
    card = "sys/devices/pci0000:3d/0000:3d:01.0/0000:3e:00.0/mem0"
    root = tree(
        tmp_path,
        {
            f"{card}/serial": "0x00a1b2c3d4e5f607\n",
            f"{card}/firmware_version": "1.0.7\n",
            f"{card}/ram/size": "0x4000000000\n",
            f"{card}/pmem/size": "0x0\n",
            f"{card}/numa_node": "2\n",
        },
        {"sys/bus/cxl/devices/mem0": f"../../../{card.removeprefix('sys/')}"},
    )
    facts = memory(root)
    assert sums(facts) == (64, None)
    assert facts["cxl"] == [
        {
            "name": "mem0",
            "serial_number": "0x00a1b2c3d4e5f607",
            "firmware_version": "1.0.7",
            "size_bytes": 256 * GIB,
            "persistent_bytes": None,
            "numa_node": 2,
            "pci_slot": "0000:3e:00.0",
        }
    ]


@pytest.mark.parametrize(
    ("written", "maker"),
    [
        *((text, "Samsung") for text in ("80CE", "CE00", "00CE00B300CE", "80CE80B380CE")),
        *((text, "Micron") for text in ("0x2C00", "802C8632802C", "2CFFFFFFFFFFFFFF", "002C")),
        *((text, "SK Hynix") for text in ("80AD", "JEDEC ID:80 AD", "00AD063200AD", "AD80")),
        *((text, "Kingston") for text in ("0x7F98000000000000", "0198", "9801")),
        ("7F7FFE0000000000", "Elpida"),
        ("7F7F7F7F43000000", "Ramaxel"),
        ("0443", "Ramaxel"),
        ("859B", "Crucial"),
        ("830B", "Nanya"),
        ("8A91", "CXMT"),
    ],
)
def test_a_number_of_jedecs_is_a_makers_name(written, maker, tmp_path):
    assert jedec.maker(written) == maker
    assert jedec.maker(written.lower()) == maker
    (device,) = facts_of(tmp_path, module(64, maker=written))["devices"]
    assert (device["manufacturer"], device["raw"]) == (maker, {"manufacturer": written})


@pytest.mark.parametrize(
    "written",
    ["Samsung", "ADATA", "0000", "FFFF", "000000000000", "FFFFFFFFFFFFFFFF", "7F7F", "CE", "804E"],
)
def test_any_other_text_stays_what_it_is(written, tmp_path):
    assert jedec.maker(written) is None
    (device,) = facts_of(tmp_path, module(64, maker=written))["devices"]
    assert device["manufacturer"] == written
    assert "raw" not in device


@pytest.mark.parametrize("written", ["Unknown", "Manufacturer0", ""])
def test_a_maker_that_is_not_written_is_known_by_the_number_beside_it(written, tmp_path):
    (device,) = facts_of(tmp_path, module(64, maker=written, number=0xCE80))["devices"]
    assert device["manufacturer"] == "Samsung"
    (device,) = facts_of(tmp_path / "none", module(64, maker=written, number=0))["devices"]
    assert device["manufacturer"] == (written or None)
