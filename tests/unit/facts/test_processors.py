import pytest

from salt_ext.facts.cpuinfo import counts, describe
from salt_ext.facts.processors import processors
from salt_ext.facts.root import Root
from salt_ext.facts.sysfs import assignments, numbers, pci_slot, ranges
from tests.unit.facts.smbios_tables import END, structure
from tests.unit.facts.trees import tree

CPU = "sys/devices/system/cpu"
NODE = "sys/devices/system/node"
X86 = """processor\t: 0
vendor_id\t: GenuineIntel
cpu family\t: 6
model\t\t: 79
model name\t: Intel(R) Xeon(R) CPU E5-2699 v4 @ 2.20GHz
stepping\t: 1
microcode\t: 0xb000040
cpu MHz\t\t: 1197.342
flags\t\t: vme fpu de
"""


def server(sockets, cores, threads=2, cache_bytes="32768K"):
    """Return the files of a machine whose CPUs are numbered as Intel does: threads last."""
    total = sockets * cores * threads
    files = {f"{CPU}/present": f"0-{total - 1}\n", f"{CPU}/online": f"0-{total - 1}\n"}
    for cpu in range(total):
        core = cpu % (sockets * cores)
        socket = core // cores
        twins = ",".join(str(core + thread * sockets * cores) for thread in range(threads))
        package = ",".join(
            f"{first}-{first + cores - 1}"
            for first in (socket * cores + t * sockets * cores for t in range(threads))
        )
        home = f"{CPU}/cpu{cpu}"
        files |= {
            f"{home}/topology/core_cpus_list": twins,
            f"{home}/topology/package_cpus_list": package,
        }
        for index, (level, kind, size, shared) in enumerate(
            ((1, "Data", "32K", twins), (3, "Unified", cache_bytes, package))
        ):
            files |= {
                f"{home}/cache/index{index}/level": f"{level}\n",
                f"{home}/cache/index{index}/type": f"{kind}\n",
                f"{home}/cache/index{index}/size": f"{size}\n",
                f"{home}/cache/index{index}/shared_cpu_list": shared,
            }
    return files


def shape(facts):
    return tuple(facts[name] for name in ("sockets", "cores", "threads", "online"))


@pytest.mark.parametrize(
    ("sockets", "cores", "threads"), [(1, 1, 1), (1, 4, 2), (2, 8, 2), (2, 64, 2), (4, 20, 1)]
)
def test_sockets_cores_and_caches_are_counted(tmp_path, sockets, cores, threads):
    facts = processors(tree(tmp_path, server(sockets, cores, threads)))
    total = sockets * cores * threads
    assert shape(facts) == (sockets, sockets * cores, total, total)
    assert facts["caches"] == [
        {
            "level": 1,
            "type": "data",
            "size_bytes": 32768,
            "shared_by": threads,
            "instances": sockets * cores,
        },
        {
            "level": 3,
            "type": "unified",
            "size_bytes": 33554432,
            "shared_by": cores * threads,
            "instances": sockets,
        },
    ]


def test_a_large_machine_is_read_by_its_groups(tmp_path):
    class Counting(Root):
        reads = 0

        def data(self, path, limit=65536):
            self.reads += 1
            return super().data(path, limit)

    tree(tmp_path, server(2, 64))
    root = Counting(str(tmp_path))
    processors(root)
    assert root.reads < 220, "128 cores and two packages, not ten files for each of 256 CPUs"


def test_an_offline_cpu_is_counted_as_a_thread_only(tmp_path):
    files = server(1, 4, 1) | {f"{CPU}/online": "0,2-3\n"}
    assert shape(processors(tree(tmp_path, files))) == (1, 3, 4, 3)


def test_cores_of_two_kinds_have_two_kinds_of_caches(tmp_path):
    files = server(1, 4, 1)
    files[f"{CPU}/cpu3/cache/index0/size"] = "64K\n"
    sizes = [(c["size_bytes"], c["instances"]) for c in processors(tree(tmp_path, files))["caches"]]
    assert sizes == [(32768, 3), (65536, 1), (33554432, 1)]


def test_a_cache_whose_mask_is_empty_belongs_to_its_core(tmp_path):
    files = server(1, 2, 2)
    for cpu in range(4):
        cache = f"{CPU}/cpu{cpu}/cache/index0"
        del files[f"{cache}/shared_cpu_list"]
        files[f"{cache}/shared_cpu_map"] = "00000000,00000000\n"
    first = processors(tree(tmp_path, files))["caches"][0]
    assert (first["shared_by"], first["instances"]) == (2, 2)


def test_masks_of_old_kernels_are_read(tmp_path):
    files = {f"{CPU}/present": "0-3\n", f"{CPU}/online": "0-3\n"}
    for cpu in range(4):
        topology = f"{CPU}/cpu{cpu}/topology"
        files[f"{topology}/thread_siblings"] = "00000000,00000005\n" if cpu % 2 == 0 else "a\n"
        files[f"{topology}/core_siblings"] = "00000000,0000000f\n"
    assert shape(processors(tree(tmp_path, files))) == (1, 2, 4, 4)


def test_without_lists_the_package_numbers_tell_the_sockets(tmp_path):
    files = {f"{CPU}/online": "0-3\n"}
    files |= {f"{CPU}/cpu{n}/topology/physical_package_id": f"{n % 2}\n" for n in range(4)}
    assert processors(tree(tmp_path, files))["sockets"] == 2


def test_without_lists_the_core_numbers_tell_the_cores_of_each_socket(tmp_path):
    files = {"sys/devices/system/cpu/present": "0-7\n", "sys/devices/system/cpu/online": "0-7\n"}
    for cpu in range(8):
        base = f"sys/devices/system/cpu/cpu{cpu}/topology"
        files |= {f"{base}/physical_package_id": f"{cpu % 2}\n", f"{base}/core_id": f"{cpu // 4}\n"}
    found = processors(tree(tmp_path, files))
    assert (found["sockets"], found["cores"], found["threads"]) == (2, 4, 8)


def test_without_sysfs_the_text_is_counted(tmp_path):
    text = "".join(
        f"processor\t: {n}\nphysical id\t: {n // 4}\ncore id\t: {n // 2 % 2}\n\n" for n in range(8)
    )
    assert shape(processors(tree(tmp_path, {"proc/cpuinfo": text}))) == (2, 4, 8, 8)


def test_an_empty_tree_has_no_processors(tmp_path):
    facts = processors(tree(tmp_path, {"proc/version": ""}))
    assert {key: value for key, value in facts.items() if value} == {}


def test_speeds_come_from_cpufreq_and_else_from_the_name(tmp_path):
    files = server(1, 1, 1) | {
        "proc/cpuinfo": X86,
        f"{CPU}/cpu0/cpufreq/cpuinfo_max_freq": "3600000",
    }
    facts = processors(tree(tmp_path, files))
    assert (facts["base_mhz"], facts["max_mhz"]) == (2200, 3600)


def test_memory_of_a_node_is_counted_in_blocks(tmp_path):
    files = {f"{NODE}/node{n}/cpulist": f"{n}\n" for n in (0, 1)}
    files |= {f"{NODE}/node{n}/distance": "10 21\n" for n in (0, 1)}
    files |= {f"{NODE}/node0/memory{n}/state": "online\n" for n in range(8)}
    files["sys/devices/system/memory/block_size_bytes"] = "8000000\n"
    files[f"{NODE}/node0/meminfo"] = "Node 0 MemTotal:  1000000 kB\n"
    files[f"{NODE}/node1/meminfo"] = "Node 1 MemTotal:  1030000 kB\n"
    assert processors(tree(tmp_path, files))["numa_nodes"] == [
        {"id": 0, "cpus": "0", "memory_bytes": 1 << 30, "distance": [10, 21]},
        {"id": 1, "cpus": "1", "memory_bytes": 1 << 30, "distance": [10, 21]},
    ]


@pytest.mark.parametrize("left_by_the_kernel", [1030000, 1030004, 1039999])
def test_memory_without_blocks_does_not_follow_the_kernels_own_use(tmp_path, left_by_the_kernel):
    text = f"Node 0 MemTotal:  {left_by_the_kernel} kB\n"
    facts = processors(tree(tmp_path, {f"{NODE}/node0/meminfo": text}))
    assert facts["numa_nodes"][0]["memory_bytes"] == 1 << 30


def test_the_sockets_of_the_board_are_listed(tmp_path):
    package = structure(
        4, 0x2A, {0x04: "CPU 1", 0x10: "Xeon", 0x16: b"\x60\x09", 0x18: 0x41, 0x23: 24}
    )
    root = tree(tmp_path, {"sys/firmware/dmi/tables/DMI": package + END})
    found = processors(root)["packages"]
    assert [(p["socket_designation"], p["version"], p["core_count"]) for p in found] == [
        ("CPU 1", "Xeon", 24)
    ]
    assert found[0]["volatile"] == {"current_speed_mhz": 2400}
    assert "current_speed_mhz" not in found[0]


def test_vulnerabilities_are_told(tmp_path):
    root = tree(tmp_path, {f"{CPU}/vulnerabilities/meltdown": "Mitigation: PTI\n"})
    assert processors(root)["vulnerabilities"] == {"meltdown": "Mitigation: PTI"}


DESCRIPTIONS = [
    (
        X86,
        {
            "model": "Intel(R) Xeon(R) CPU E5-2699 v4 @ 2.20GHz",
            "vendor": "GenuineIntel",
            "family": "6",
            "model_number": "79",
            "stepping": "1",
            "microcode": "0xb000040",
            "flags": ["de", "fpu", "vme"],
            "base_mhz": 2200,
        },
    ),
    (
        "processor\t: 0\nFeatures\t: fp asimd\nCPU implementer\t: 0x41\nCPU architecture: 8\n"
        "CPU variant\t: 0x3\nCPU part\t: 0xd0c\nCPU revision\t: 1\n",
        {"model": "Neoverse-N1", "vendor": "ARM", "stepping": "r3p1", "flags": ["asimd", "fp"]},
    ),
    (
        "Processor\t: ARMv7 Processor rev 5 (v7l)\nprocessor\t: 0\n",
        {"model": "ARMv7 Processor rev 5 (v7l)", "vendor": None},
    ),
    (
        "processor\t: 0\ncpu\t\t: POWER8E (raw), altivec supported\nclock\t\t: 3690.000000MHz\n"
        "revision\t: 2.1 (pvr 004b 0201)\n",
        {
            "model": "POWER8E (raw), altivec supported",
            "base_mhz": 3690,
            "stepping": "2.1 (pvr 004b 0201)",
        },
    ),
    (
        "vendor_id       : IBM/S390\nfeatures\t: esan3 zarch\n"
        "processor 0: version = FF,  identification = 0618E8,  machine = 8561\n",
        {"model": "IBM/S390 8561", "vendor": "IBM/S390", "model_number": "8561"},
    ),
    (
        "processor\t: 0\nhart\t: 1\nisa\t: rv64imafdc_zba\nuarch\t: sifive,u74-mc\n"
        "mvendorid\t: 0x489\nmarchid\t: 0x8000000000000007\n",
        {"model": "sifive,u74-mc", "vendor": "0x489", "flags": ["rv64imafdc_zba"]},
    ),
    (
        "processor\t\t: 0\nCPU Family\t\t: Loongson-64bit\nModel Name\t\t: Loongson-3A5000-HV\n",
        {"model": "Loongson-3A5000-HV", "family": "Loongson-64bit"},
    ),
    ("", {"model": None, "vendor": None, "flags": [], "base_mhz": None}),
    ("processor 0: version = FF, machine = ", {"model": None}),
]


@pytest.mark.parametrize(("text", "expected"), DESCRIPTIONS)
def test_every_architecture_names_its_processor(text, expected):
    found = describe(text)
    assert {name: found[name] for name in expected} == expected


def test_text_without_processors_counts_nothing():
    assert counts("") == {}


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0-3,8,10-11", [0, 1, 2, 3, 8, 10, 11]), ("", []), ("0", [0]), ("a,-1,3-", [])],
)
def test_kernel_lists_are_read(text, expected):
    assert numbers(text) == expected


@pytest.mark.parametrize("text", ["", "0", "0-3,8,10-11", "1-2,4"])
def test_a_kernel_list_comes_back_as_it_was(text):
    assert ranges(numbers(text)) == text


@pytest.mark.parametrize(
    ("path", "slot"),
    [
        ("../devices/pci0000:00/0000:00:01.0/0000:3b:00.1/net/x", "0000:3b:00.1"),
        ("../devices/pci0000:00/0000:00:1f.6/", "0000:00:1f.6"),
        ("/pci10001:00/10001:01:00.0/nvme", "10001:01:00.0"),
        ("../devices/virtual/net/lo", None),
        ("host0/target0:0:0/0:0:0:0", None),
        ("", None),
    ],
)
def test_the_nearest_pci_function_is_found(path, slot):
    assert pci_slot(path) == slot


def test_assignments_are_read():
    assert assignments("DEVTYPE=vlan\nbroken\nA=b=c\n") == {"DEVTYPE": "vlan", "A": "b=c"}


def test_two_runs_on_this_machine_agree():
    assert processors(Root()) == processors(Root())
