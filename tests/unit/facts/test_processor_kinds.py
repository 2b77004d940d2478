"""Processors that are not all alike, or not all there: clocks, caches, nodes, names."""

import pytest

from salt_ext.facts.cpuinfo import counts, describe
from salt_ext.facts.processors import processors
from salt_ext.facts.sysfs import bits
from tests.unit.facts.smbios_tables import END, machine, structure
from tests.unit.facts.test_processors import CPU, NODE, server
from tests.unit.facts.trees import tree


def instances(facts):
    return [(one["level"], one["shared_by"], one["instances"]) for one in facts["caches"]]


def complexes(sockets, cores, size, off=(), *, wrong=None, ids=True):
    """
    Return a machine whose level 3 caches belong to ``size`` cores each, as on EPYC.

    ``wrong`` makes the kernel's list of CPUs of such a cache of the first CPU in it.
    """
    files = server(sockets, cores)
    total = sockets * cores * 2
    on = [cpu for cpu in range(total) if cpu not in off]
    files[f"{CPU}/online"] = ",".join(map(str, on))
    for cpu in range(total):
        home = f"{CPU}/cpu{cpu}"
        if cpu in off:
            files = {name: one for name, one in files.items() if not name.startswith(f"{home}/")}
            continue
        core = cpu % (sockets * cores)
        first = core - core % size
        members = [one for one in on if first <= one % (sockets * cores) < first + size]
        twins = [one for one in (core, core + sockets * cores) if one in on]
        for name in ("topology/core_cpus_list", "cache/index0/shared_cpu_list"):
            files[f"{home}/{name}"] = ",".join(map(str, twins))
        shown = members if wrong is None else wrong(cpu, members)
        files[f"{home}/cache/index1/shared_cpu_list"] = ",".join(map(str, shown))
        if ids:
            files[f"{home}/cache/index1/id"] = str(first // size)
    return files


@pytest.mark.parametrize("off", [(), (32,), (0,), (33,), (5, 39), (63,)])
@pytest.mark.parametrize("ids", [True, False])
def test_a_thread_that_is_off_takes_no_cache_with_it(tmp_path, off, ids):
    facts = processors(tree(tmp_path, complexes(1, 32, 4, off, ids=ids)))
    assert (facts["cores"], facts["threads"], facts["online"]) == (32, 64, 64 - len(off))
    assert instances(facts) == [(1, 2, 32), (3, 8, 8)]


@pytest.mark.parametrize("off", [(), (8,), (0,), (3, 10)])
def test_neither_does_it_on_a_small_machine(tmp_path, off):
    facts = processors(tree(tmp_path, complexes(1, 8, 4, off)))
    assert instances(facts) == [(1, 2, 8), (3, 8, 2)]


@pytest.mark.parametrize(("sockets", "cores"), [(1, 16), (1, 32)])
@pytest.mark.parametrize(
    "wrong",
    [
        lambda cpu, members: [cpu],  # nobody shares
        lambda cpu, members: [*members[:3], *(one for one in (cpu,) if one not in members[:3])],
        lambda cpu, members: range(32),  # everybody does
    ],
)
def test_the_ids_of_a_cache_tell_what_its_lists_do_not(tmp_path, sockets, cores, wrong):
    facts = processors(tree(tmp_path, complexes(sockets, cores, 4, wrong=wrong)))
    assert instances(facts)[1:] == [(3, 8, sockets * cores // 4)]


def test_ids_that_each_cpu_has_of_its_own_are_not_believed(tmp_path):
    files = server(2, 2, threads=1)
    files |= {f"{CPU}/cpu{cpu}/cache/index1/id": f"{cpu}\n" for cpu in range(4)}
    assert instances(processors(tree(tmp_path, files)))[1:] == [(3, 2, 2)]


def test_ids_that_two_sockets_share_are_not_believed(tmp_path):
    files = server(2, 4)
    files |= {f"{CPU}/cpu{cpu}/cache/index1/id": "0\n" for cpu in range(16)}
    assert instances(processors(tree(tmp_path, files)))[1:] == [(3, 8, 2)]


@pytest.mark.parametrize("off", [(), (32,)])
def test_a_cache_that_each_thread_has_of_its_own_is_counted_so_on_large_machines(tmp_path, off):
    files = complexes(1, 32, 4, off)
    for cpu in {*range(64)} - {*off}:
        files[f"{CPU}/cpu{cpu}/cache/index0/shared_cpu_list"] = str(cpu)
    assert instances(processors(tree(tmp_path, files))) == [(1, 1, 64 - len(off)), (3, 8, 8)]


@pytest.mark.parametrize("cores", [4, 40])
def test_the_highest_clock_is_that_of_the_fastest_core(tmp_path, cores):
    files = server(1, cores)
    for cpu in range(2 * cores):
        mhz = 5200 if cpu % cores == 2 else 3900
        files[f"{CPU}/cpu{cpu}/cpufreq/cpuinfo_max_freq"] = f"{mhz}000\n"
        files[f"{CPU}/cpu{cpu}/cpufreq/base_frequency"] = "2400000\n"
    facts = processors(tree(tmp_path, files))
    assert (facts["base_mhz"], facts["max_mhz"]) == (2400, 5200)


def test_a_block_of_memory_in_which_two_nodes_meet_counts_once(tmp_path):
    files = {"sys/devices/system/memory/block_size_bytes": "80000000"}
    for node, blocks in ((0, range(17)), (1, range(16, 32))):
        files[f"{NODE}/node{node}/cpulist"] = f"{node}\n"
        files |= {f"{NODE}/node{node}/memory{block}/state": "online" for block in blocks}
    facts = processors(tree(tmp_path, files))
    assert [node["memory_bytes"] >> 30 for node in facts["numa_nodes"]] == [34, 30]


def test_a_mask_is_read_as_bits_however_long_it_is():
    assert bits("00000000,8000000f") == {0, 1, 2, 3, 31}
    assert bits("") == bits(None) == bits("0") == bits("xyz") == bits("-1") == set()
    assert len(bits("f" * 65536)) == 4 * 65536


ARM = "processor\t: 0\nCPU implementer\t: {}\nCPU architecture: 8\nCPU part\t: {}\n"


@pytest.mark.parametrize(
    ("implementer", "part", "name"),
    [
        ("0x6d", "0xd49", ("Microsoft", "Azure-Cobalt-100")),
        ("0x41", "0xd85", ("ARM", "Cortex-X925")),
        ("0x41", "0xd46", ("ARM", "Cortex-A510")),
        ("0x41", "0xd87", ("ARM", "Cortex-A725")),
        ("0x41", "0xd4f", ("ARM", "Neoverse-V2")),
        ("0x41", "0xd0d", ("ARM", "Cortex-A77")),
        ("0x4e", "0x010", ("NVIDIA", "Olympus")),
        ("0xc0", "0xac5", ("Ampere", "Ampere-1b")),
        ("0x46", "0x003", ("Fujitsu", "MONAKA")),
        ("0x61", "0x033", ("Apple", "Avalanche-M2")),
        ("0x41", "0xfff", ("ARM", None)),
    ],
)
def test_the_number_of_an_arm_core_is_a_name(implementer, part, name):
    said = describe(ARM.format(implementer, part))
    assert (said["vendor"], said["model"]) == name


PACKAGE = structure(
    4,
    0x30,
    {0x04: "CPU0", 0x07: "HiSilicon", 0x10: "Kunpeng 950", 0x18: 0x41, 0x23: 96},
)
EMPTY = structure(4, 0x30, {0x04: "CPU1", 0x07: "Unknown", 0x10: "Unknown", 0x18: 0x00})


def test_a_core_without_a_name_is_called_as_the_firmware_calls_the_processor(tmp_path):
    machine(tmp_path, EMPTY + PACKAGE + END)
    root = tree(tmp_path, {"proc/cpuinfo": ARM.format("0x48", "0xd06")})
    facts = processors(root)
    assert (facts["vendor"], facts["model"]) == ("HiSilicon", "Kunpeng 950")
    root = tree(tmp_path, {"proc/cpuinfo": ARM.format("0x48", "0xd01")})
    assert processors(root)["model"] == "TaiShan-v110"


def test_a_placeholder_of_the_firmware_is_no_name_for_a_processor(tmp_path):
    machine(tmp_path, structure(4, 0x30, {0x10: "Not Specified", 0x18: 0x41}) + END)
    facts = processors(tree(tmp_path, {"proc/cpuinfo": ARM.format("0x48", "0xd06")}))
    assert facts["model"] is None


POWER = """processor\t: 0
cpu\t\t: POWER9, altivec supported
clock\t\t: 2300.000000MHz
revision\t: 2.2 (pvr 004e 1202)

timebase\t: 512000000
platform\t: PowerNV
model\t\t: 9006-12P
machine\t\t: PowerNV 9006-12P
"""


def test_the_model_of_an_arm_board_is_not_its_processors():
    board = "\nRevision\t: b03115\nModel\t\t: Raspberry Pi 4 Model B Rev 1.5\n"
    core = "processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd08\nCPU revision\t: 3\n"
    said = describe(core + board)
    assert (said["model"], said["model_number"], said["stepping"]) == ("Cortex-A72", "0xd08", "3")


def test_the_model_of_a_power_machine_is_not_its_processors():
    said = describe(POWER)
    assert (said["model"], said["model_number"]) == ("POWER9, altivec supported", None)
    assert said["stepping"] == "2.2 (pvr 004e 1202)"


S390 = """vendor_id       : IBM/S390
# processors    : 3
processor 0: version = FF,  identification = 000123,  machine = 2817
processor 1: version = FF,  identification = 100123,  machine = 2817
"""
SYSINFO = """Manufacturer:         IBM
CPUs Total:           40
CPUs Configured:      38
LPAR CPUs Total:      12
LPAR CPUs Configured: 10
"""


def test_a_mainframe_without_sysfs_says_how_many_processors_it_has(tmp_path):
    assert counts(S390) == {"threads": 3}
    facts = processors(tree(tmp_path / "a", {"proc/cpuinfo": S390}))
    assert (facts["threads"], facts["online"]) == (3, 3)


@pytest.mark.parametrize(
    ("more", "threads"),
    [("", 10), ("VM00 CPUs Total:      4\nVM00 CPUs Configured: 4\n", 4)],
)
def test_without_that_the_innermost_machine_of_sysinfo_tells(tmp_path, more, threads):
    facts = processors(tree(tmp_path, {"proc/sysinfo": SYSINFO + more}))
    assert (facts["threads"], facts["online"]) == (threads, threads)
