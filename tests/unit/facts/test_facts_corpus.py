"""
The collectors against what other projects say about the same captured machines.

A peer's expectation is compared where it answers the same question. Where it
does not, :func:`asks_otherwise` tells which facts of which capture are left
out, and says why.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from salt_ext import settings
from salt_ext.document import encode, normal
from salt_ext.facts import HEADER, arm_cores, collect, cpuinfo
from salt_ext.facts.disks import disks
from salt_ext.facts.memory import memory
from salt_ext.facts.network import network
from salt_ext.facts.processors import processors
from salt_ext.facts.root import Root
from salt_ext.facts.system import baseboards, chassis, firmware, system
from salt_ext.facts.virtual import cloud, virtual
from tests.corpus import corpus_files, corpus_name, needs_corpus
from tests.unit.facts.captures import captures, expectation, extract
from tests.unit.facts.captures import unpacked as captured
from tests.unit.facts.trees import tree

pytestmark = needs_corpus
KIB = {"K": 1024, "M": 1024**2, "G": 1024**3, "T": 1024**4}


def files(*patterns: str) -> list[Any]:
    """Return the corpus files that have an expectation, as parameters."""
    paths = corpus_files(*patterns)
    return [pytest.param(p, id=corpus_name(p)) for p in paths if expectation(p)]


PROCESSORS = ("sys/devices/system/", "proc/", "cpuset", "cgroup", "firmware/dmi")


def unpacked(archive: Path, where: Path, only: tuple[str, ...] = ("",)) -> Path:
    """
    Unpack a captured tree and return the directory that is its root.

    ``only`` are parts of the names that are wanted: some trees have thousands
    of files that the test at hand never reads.
    """
    extract(archive, where, lambda one: any(part in one.name for part in only))
    for directory, names, _ in os.walk(where):
        if "sys" in names:
            return Path(directory)
    raise AssertionError(f"no sys in {archive}")


def asks_otherwise(path: Path, root: Path) -> set[str]:
    """Return the facts about which a peer was asked something else, by what is in the tree."""
    peer = path.parent.parent.name
    skipped = set()
    if peer == "hwloc":
        nodes = list((root / "sys/devices/system/node").glob("node*/cpumap"))
        masks = [int(node.read_text().replace(",", ""), 16) for node in nodes]
        cpuset = root / "proc/self/cpuset"
        is_named = cpuset.exists() and cpuset.read_text().strip() not in ("", "/")
        if is_named and any((root / place).exists() for place in ("dev/cpuset", "sys/fs/cgroup")):
            # hwloc shows what the process that captured the tree was allowed to use.
            skipped |= {"packages", "cores", "threads", "numa_nodes", *CACHES}
        if not nodes or 0 in masks or len(set(masks)) < len(masks):
            # It makes one node where the kernel has none, and drops those it disbelieves:
            # without CPUs (the memory of a GPU), or several with the same CPUs.
            skipped.add("numa_nodes")
        if "HWLOC_SHOW_ERRORS" in str(expectation(path).get("peer_test_options")):
            # Its own output names sockets and caches once more in the error it reports.
            skipped |= {"packages", "l3_caches"}
    if peer == "libvirt" and "POWER" in (root / "proc/cpuinfo").read_text():
        facts = processors(Root(str(root)))
        if facts["cores"] == facts["online"] < facts["threads"]:
            # The other threads of each core are offline in the host and run its guests;
            # libvirt counts what guests can use.
            skipped.add("cpus_online")
    return skipped


CACHES = {
    "l1dcache": (1, "data"),
    "l1icache": (1, "instruction"),
    "l2_caches": (2, "unified"),
    "l3_caches": (3, "unified"),
}


def hwloc_facts(facts: dict[str, Any]) -> dict[str, Any]:
    caches: dict[tuple[int, str], int] = {}
    for cache in facts.get("caches", []):
        kind = (cache["level"], cache["type"])
        caches[kind] = caches.get(kind, 0) + cache["instances"]
    return {
        "packages": facts.get("sockets"),
        "cores": facts.get("cores"),
        "threads": facts.get("online"),
        "numa_nodes": len(facts["numa_nodes"]),
        "cpu_model": facts["model"],
        **{name: caches.get(kind) for name, kind in CACHES.items()},
    }


def compared(found: dict[str, Any], expected: dict[str, Any], skipped: set[str]) -> int:
    """Compare every fact that both sides have and return how many there were."""
    names = [name for name in found if expected.get(name) is not None and name not in skipped]
    assert {name: found[name] for name in names} == {name: expected[name] for name in names}
    return len(names)


@pytest.mark.parametrize("path", files("hwloc/cpu_tree/*"))
def test_the_topology_is_that_of_hwloc(path, tmp_path):
    root = unpacked(path, tmp_path, PROCESSORS)
    found = hwloc_facts(processors(Root(str(root))))
    assert compared(found, expectation(path), asks_otherwise(path, root)) > 0


@pytest.mark.parametrize("path", files("libvirt/cpu_tree/*"))
def test_the_cpus_are_those_of_libvirt(path, tmp_path):
    root = unpacked(path, tmp_path, PROCESSORS)
    facts = processors(Root(str(root)))
    found = {"cpus_present": facts["threads"], "cpus_online": facts["online"]}
    assert compared(found, expectation(path), asks_otherwise(path, root)) > 0


def lscpu_sockets(lscpu: dict[str, str]) -> str | None:
    return None if "Book(s)" in lscpu else lscpu.get("Socket(s)")


@pytest.mark.parametrize("path", files("util-linux/cpu_tree/*"))
def test_the_processors_are_those_of_lscpu(path, tmp_path):
    facts = processors(Root(str(unpacked(path, tmp_path, PROCESSORS))))
    lscpu = expectation(path)["lscpu"]
    instances = {}
    for cache in facts.get("caches", []):
        name = {"data": "d", "instruction": "i"}.get(cache["type"], "")
        label = f"L{cache['level']}{name} cache"
        size, count = instances.get(label, (0, 0))
        share = (cache["size_bytes"] or 0) * cache["instances"]
        instances[label] = (size + share, count + cache["instances"])
    found = {
        "CPU(s)": str(facts["threads"]),
        "Socket(s)": str(facts["sockets"]),
        "Model name": facts["model"],
        "Vendor ID": facts["vendor"],
        "CPU family": facts["family"],
        "Stepping": facts["stepping"],
        "NUMA node(s)": str(len(facts["numa_nodes"])),
        "CPU max MHz": f"{facts['max_mhz']}.0000",
        **instances,
    }
    expected = {name: value for name, value in lscpu.items() if value != "-"}
    for name in instances:
        expected[name] = cache_of_lscpu(expected[name]) if name in expected else None
    expected["Socket(s)"] = lscpu_sockets(lscpu)
    if "Core(s) per socket" in lscpu and expected["Socket(s)"]:
        found["cores"] = facts["cores"]
        expected["cores"] = int(lscpu["Core(s) per socket"]) * int(lscpu["Socket(s)"])
    assert compared(found, expected, set()) > 0


def cache_of_lscpu(text: str) -> tuple[int, int]:
    """Read ``1.5 MiB (48 instances)``."""
    number, unit, count, _ = text.replace("(", "").split()
    return int(float(number) * KIB[unit[0]]), int(count)


@pytest.mark.parametrize("path", files("*/cpuinfo/**/*"))
def test_the_text_of_cpuinfo_is_read_as_its_peers_do(path):
    text = path.read_text(errors="replace")
    expected = dict(expectation(path))
    facts = {**cpuinfo.describe(text), **cpuinfo.counts(text)}
    found = {"cpus": facts.get("threads"), "sockets": facts.get("sockets")}
    if libvirt := expected.get("libvirt_sysinfo"):
        expected["cpus"] = len(libvirt["processor"])
    if peers := expected.get("processors"):
        first = peers[0]
        expected |= {name: first.get(name) for name in ("name", *NUMBERS)}
        if first["arch"] not in ("i386", "x86_64"):  # there the peer lists sockets
            expected["cpus"] = len(peers)
        found |= {name: facts[ours] for name, ours in NUMBERS.items()}
        model = " ".join((facts["model"] or "").split())
        if model not in arm_cores.PARTS.values() and not (first.get("name") or "").isdigit():
            # Else the peer shows the instruction set, or the number, of a core that has a name.
            found["name"] = model
    # Kernels of other architectures do not number the sockets in the text.
    skipped = set() if "physical id" in text else {"sockets"}
    if "cpus detected" in text:
        skipped.add("cpus")  # the peer lists one processor whatever this line says
    compared(found, expected, skipped)


def written(node: dict[str, Any], where: Path) -> None:
    """Write the tree that a JSON object of files, links and directories describes."""
    for name, content in node.items():
        path = where / name
        if isinstance(content, dict):
            path.mkdir(parents=True, exist_ok=True)
            written(content, path)
        elif isinstance(content, list):
            path.symlink_to(content[1])
        else:
            path.write_bytes(content.encode("latin-1"))


@pytest.mark.parametrize("path", files("glpi-agent/block_tree/**/*.json"))
def test_the_disks_are_those_of_glpi(path, tmp_path):
    capture = json.loads(path.read_text())
    (tmp_path / "sys").mkdir()
    written(capture["SYSTEM"]["sys"], tmp_path / "sys")
    found = {disk["name"]: disk for disk in disks(Root(str(tmp_path)))}
    count = 0
    for drive in expectation(path)["drives"]:
        disk = found[drive["NAME"]]
        size = disk["size_bytes"]
        count += compared(
            {
                "MODEL": disk.get("model"),
                "SERIALNUMBER": disk.get("serial_number"),
                "FIRMWARE": disk.get("firmware_version"),
                "DISKSIZE": size and size // 1000_000,
            },
            drive,
            set(),
        )
    assert count > 0


def rows(table: list[str], kind: int) -> Iterator[dict[str, str]]:
    """Yield the rows of whole disks in an lsblk table whose every column is filled."""
    head, *lines = table
    names = head.split()
    for line in lines:
        if line and not line.startswith(("|", "`", " ")):
            yield dict(zip(names[:kind], line.split()[:kind], strict=False))


@pytest.mark.parametrize("path", files("util-linux/block_tree/*"))
def test_the_disks_are_those_of_lsblk(path, tmp_path):
    found = {disk["name"]: disk for disk in disks(Root(str(unpacked(path, tmp_path))))}
    tables = expectation(path)["lsblk_tables"]
    count = 0
    basic = {row["NAME"]: row for row in rows(tables["basic"], 6) if row.get("TYPE") == "disk"}
    basic = {name: row for name, row in basic.items() if not name.startswith("zram")}
    assert set(found) == set(basic)
    for name, row in basic.items():
        size = found[name]["size_bytes"]
        text = row["SIZE"]
        # lsblk rounds to a tenth.
        assert abs(size - float(text[:-1]) * KIB[text[-1]]) <= 0.05 * KIB[text[-1]] + 1
        assert found[name]["removable"] == (row["RM"] == "1")
        count += 3
    for row in rows(tables["topo"], 7):
        if disk := found.get(row["NAME"]):
            assert disk["physical_block_size"] == int(row["PHY-SEC"])
            assert disk["logical_block_size"] == int(row["LOG-SEC"])
            count += 2
    for row in rows(tables["state"], 8):
        if row.get("TYPE") == "disk" and (disk := found.get(row["NAME"])):
            assert disk["rotational"] == (row["ROTA"] == "1")
            count += 1
    assert count > 0


@pytest.mark.parametrize("path", files("qemu-lab/sysfs_tree/*"))
def test_the_laboratory_is_what_it_was_started_as(path, tmp_path):
    root = Root(str(unpacked(path, tmp_path)))
    expected = expectation(path)
    facts = processors(root)
    count = compared({k: facts[k] for k in ("sockets", "cores", "threads")}, expected["cpu"], set())
    by_serial = {disk["serial_number"]: disk for disk in disks(root)}
    for disk in expected["disks"].values():
        mine = by_serial[disk["serial"]]
        names = {name for name in disk if name != "serial"}
        count += 1 + compared({name: mine[name] for name in names}, disk, set())
    assert sorted(card["permanent_mac"] for card in network(root)) == sorted(expected["macs"])
    assert virtual(root)["role"] == "guest"
    assert count > len(expected["disks"])


CAPTURES = ("*/sysfs_tree/*",)
DMI_FILES = {
    "firmware": ("bios_vendor", "bios_version", "bios_release"),
    "system": (
        "sys_vendor",
        *(f"product_{n}" for n in ("name", "family", "serial", "sku", "uuid")),
    ),
    "baseboards": ("board_name", "board_serial", "board_version"),
    "chassis": ("chassis_serial", "chassis_asset_tag"),
}
DMI_NAMES = {
    **{"sys_vendor": "manufacturer", "bios_release": "revision", "board_name": "product_name"},
    **{"product_name": "product_name", "bios_vendor": "vendor"},
    **{"serial": "serial_number", "sku": "sku_number"},
}


@pytest.mark.parametrize("path", captures(*CAPTURES, having="dmi_id"))
def test_the_machine_is_what_its_kernel_shows_of_dmi(path, tmp_path):
    root = captured(path, tmp_path, ("dmi/id",))
    expected = {name: value or None for name, value in expectation(path)["dmi_id"].items()}
    found: dict[str, Any] = {}
    for collector in (firmware, system, baseboards, chassis):
        facts = collector(root)
        facts = (facts[0] if isinstance(facts, list) else facts) or {}
        for name in DMI_FILES[collector.__name__]:
            kind = name.partition("_")[2]
            found[name] = facts.get(DMI_NAMES.get(name) or DMI_NAMES.get(kind) or kind)
    assert compared(found, expected, set()) > 0


def cards_expected(path: Path) -> dict[str, Any]:
    expected = expectation(path).items()
    return {name.removeprefix("net_"): card for name, card in expected if name.startswith("net_")}


@pytest.mark.parametrize(
    "path", [case for case in files(*CAPTURES) if cards_expected(case.values[0])]
)
def test_the_cards_are_those_of_procfs(path, tmp_path):
    found = {card["name"]: card for card in network(captured(path, tmp_path, ("/net/",)))}
    for name, expected in cards_expected(path).items():
        card = found[name]
        facts = {**card, **card["volatile"], "carrier": int(card["volatile"]["carrier"])}
        assert compared(facts, expected, set()) > 0


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=corpus_name(path))
        for path in corpus_files("*/sysfs_tree/*", "*/memory_tree/*")
    ],
)
def test_a_captured_machine_is_collected_without_an_error_and_twice_the_same(path, tmp_path):
    root = captured(path, tmp_path, ("",)).path
    documents = [collect(root, settings.OPTIONS["collectors"].default) for _ in range(2)]
    assert [document["errors"] for document in documents] == [{}, {}]
    first, second = [
        {name: value for name, value in document.items() if name not in HEADER}
        for document in documents
    ]
    assert encode(normal(first)) == encode(normal(second))


CPUINFO_NUMBERS = {"cpu family": "family", "model": "model_number", "stepping": "stepping"}


def proc_files(kind: type) -> list[Any]:
    """Return the files of /proc that a peer has read into a list, or into an object."""
    cases = files("*/proc/*")
    return [case for case in cases if isinstance(expectation(case.values[0]).get("parsed"), kind)]


@pytest.mark.parametrize("path", proc_files(list))
def test_the_cpuinfo_of_a_peer_is_read_as_it_does(path):
    processors = expectation(path)["parsed"]
    text = path.read_text()
    facts = {**cpuinfo.describe(text), **cpuinfo.counts(text)}
    first = processors[0]
    packages = {processor["physical id"] for processor in processors if "physical id" in processor}
    found = {
        "threads": facts["threads"],
        "sockets": facts.get("sockets"),
        "model name": facts["model"],
        "vendor_id": facts["vendor"],
        "flags": facts["flags"],
        **{theirs: facts[ours] for theirs, ours in CPUINFO_NUMBERS.items()},
    }
    expected = {
        **first,
        "threads": len(processors),
        "sockets": len(packages) or None,
        "flags": sorted(first.get("flags") or ()) or None,
        **{name: str(first[name]) for name in CPUINFO_NUMBERS if name in first},
    }
    assert compared(found, expected, set()) > 0


@pytest.mark.parametrize("path", proc_files(dict))
def test_the_meminfo_of_a_peer_is_read_as_it_does(path, tmp_path):
    root = tree(tmp_path, {"proc/meminfo": path.read_bytes()})
    assert memory(root)["total_bytes"] == expectation(path)["parsed"]["MemTotal"] * 1024


@pytest.mark.parametrize("path", captures("*/proc/*", having="libvirt_sysinfo"))
def test_a_mainframe_is_of_the_type_that_libvirt_reads(path, tmp_path):
    facts = system(tree(tmp_path, {"proc/sysinfo": path.read_bytes()}))
    first = expectation(path)["libvirt_sysinfo"]["processor"][0]
    assert facts["product_name"] == first["family"]
    assert first["manufacturer"].startswith(facts["manufacturer"])


NUMBERS = {"family_number": "family", "model_number": "model_number", "stepping": "stepping"}
EC2_STYLE = {"ec2", "e24cloud", "outscale", "tilaa", "zstack", "brightbox"}
OTHER_NAMES = {"aliyun": "alibaba", "none": None}


def dmi_cases() -> list[Any]:
    found = []
    for path in corpus_files("*/cloud/*.json"):
        cases = json.loads(path.read_text())
        found += [pytest.param(case, name, id=name) for name, case in sorted(cases.items())]
    return found


@pytest.mark.parametrize(("case", "name"), dmi_cases())
def test_a_cloud_is_recognised_as_cloud_init_does(case, name, tmp_path):
    root = tree(tmp_path, {f"sys/class/dmi/id/{k}": f"{v}\n" for k, v in case["dmi"].items()})
    found = (virtual(root)["cloud"] or {}).get("provider")
    source = case["datasource"].lower()
    is_counter_example = "negative" in name.lower() or any(
        value.lower().startswith(("not", "no-match", "tricky")) for value in case["dmi"].values()
    )
    if is_counter_example:
        assert found is None
    elif source == "ec2":
        assert found in EC2_STYLE
    else:
        assert found == OTHER_NAMES.get(source, source)


def test_a_cloud_is_named_by_the_strings_of_no_ordinary_machine():
    named = [
        (case.id, found)
        for case in files("*/dmidecode_text/**/*")
        if (found := provider_in_text(expectation(case.values[0])))
    ]
    assert all(provider in {"ec2", "azure", "alibaba", "gce"} for _, provider in named), named


def provider_in_text(expected: dict[str, Any]) -> str | None:
    system = (expected.get("dmidecode_on_the_machine") or {}).get("system") or {}
    fields = {
        "sys_vendor": system.get("manufacturer"),
        "product_name": system.get("product_name"),
        "product_uuid": system.get("uuid"),
        "product_serial": system.get("serial_number"),
    }
    known = {name: value for name, value in fields.items() if value}
    found = cloud(known, is_efi=False, xen_uuid=None) if known else None
    return found["provider"] if found else None
