"""``docs/facts.md`` names every field that a collector returns, and no other."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import demo_machine
from salt_ext import facts, settings
from salt_ext.facts import bmc, cloud, lldp
from salt_ext.facts.identity import identify
from salt_ext.facts.raid import raid
from salt_ext.facts.raid.view import merged
from salt_ext.facts.root import Root
from salt_ext.facts.smart import ask_all
from tests.corpus import corpus_files, needs_corpus
from tests.unit.docs import markdown
from tests.unit.facts import test_raid_corpus as raid_texts
from tests.unit.facts import test_smart as smart_reports
from tests.unit.facts.captures import unpacked
from tests.unit.facts.smbios_tables import END, machine, split_dump, structure

FAST = settings.OPTIONS["collectors"].default
LARGEST_TREE_BYTES = 16 * 1024
"""Of the archives made for processors: larger ones take a second each and add two fields."""

NO_CAPTURE_SHOWS = {
    "errors": "the run writes it, of collectors that fail",
    "<section>": "the run of the slow collectors adds it",
    "<section>[]": "the run of the slow collectors adds it",
    "system.kind": "what a proxy minion tells of its device has it",
    "system.compatible": "the one capture without SMBIOS is too large to be unpacked here",
    "firmware.secure_boot": "no tree has EFI variables",
    "processors.isa": "the running machine only: no tree has uname",
    "memory.persistent_bytes": "no captured table of a machine with persistent memory",
    "memory.devices[].persistent_bytes": "no captured table of a machine with persistent memory",
    "memory.devices[].cache_bytes": "no captured table of a machine with persistent memory",
    "memory.cxl": "no tree of a machine with CXL",
    "memory.edac": "no tree of a server with memory controllers that count errors",
    "memory.volatile.edac": "no tree of a server with memory controllers that count errors",
    "disks[].rotation_rate_rpm": "no captured disk tells its rate",
    "network[].firmware_version": "the driver is asked, on the running machine",
    "network[].master": "no tree has a bond, a bridge or a VLAN",
    "network[].slaves": "no tree has a bond, a bridge or a VLAN",
    "network[].vlan_id": "no tree has a bond, a bridge or a VLAN",
    "network[].sriov": "the capture of a card with virtual functions is too large",
    "network[].addresses": "the captured addresses are link-local",
    "network[].default_address": "the captured addresses are link-local",
    "virtual.container": "no tree was captured in a container",
    "operating_system": "no tree has /etc/os-release or /proc/sys/kernel",
    "pci[].volatile": "no tree has a pci.ids",
    "gpus[].volatile": "no tree has a pci.ids",
    "gpus[].numa_node": "the capture of a machine with such a card is too large",
    "gpus[].model": "no tree has what a driver tells of its card",
    "gpus[].uuid": "no tree has what a driver tells of its card",
    "gpus[].vbios": "no tree has what a driver tells of its card",
    "gpus[].serial_number": "no tree has what a driver tells of its card",
    "gpus[].memory_bytes": "no tree has what a driver tells of its card",
    "batteries[].volatile.cycle_count": "no captured battery counts",
    "tpm": "no machine with one was captured",
    "usb": "no tree has a device that is no hub",
    "md[].volatile.mismatch_count": "/proc/mdstat has no such count",
    "disks[].subsystem_serial_number": "no tree has NVMe over a network",
    "disks[].uuid": "no tree has a namespace with a UUID",
    "disks[].enclosure": "no tree has an enclosure",
    "disks[].slot": "no tree has an enclosure",
    "disks[].paths[].hctl": "no tree has the disks behind its paths",
    "disks[].paths[].pci_slot": "no tree has the disks behind its paths",
    "disks[].paths[].address": "no tree has NVMe over a network",
    "smart[].name": "the captures are answers of disks; the run adds whose",
    "smart[].serial_number": "the captures are answers of disks; the run adds whose",
    "smart[].protocol": "the captures are answers of disks; the run adds whose",
    "smart[].raid": "no capture is of a disk that only its controller shows",
    "smart[].skipped_reason": "the captures are of disks that answered",
    "smart[].volatile.skipped_reason": "the captures are of disks that answered",
    "smart[].health.failed_before": "no captured disk had failed in the past",
    "smart[].volatile.uncorrected_reads": "no log pages of SAS disks were captured",
    "smart[].volatile.uncorrected_writes": "no log pages of SAS disks were captured",
    "smart[].volatile.uncorrected_verifies": "no log pages of SAS disks were captured",
    "bmc.channel": "what was captured are texts of ipmitool, which do not tell it",
    "bmc.other_channels": "what was captured are texts of ipmitool, which tell of one",
    "bmc.hostname": "what was captured are texts of ipmitool, which do not tell it",
    "bmc.vlan_id": "no captured controller is in a VLAN",
    "bmc.redfish": "no table with a host interface was captured",
    "lldp[].system_description": "what was captured does not tell it",
    "lldp[].port_description": "what was captured does not tell it",
    "cloud.provider": "the one who asks adds it",
    "raid.controllers[].vendor": "no captured output tells it",
    "raid.controllers[].state": "no captured output tells it",
    "raid.controllers[].health": "no captured output tells it",
    "raid.controllers[].battery.model": "no captured output tells it",
    "raid.controllers[].battery.volatile": "no captured output tells it",
    "raid.controllers[].cache_state": "no captured output tells it",
    "raid.controllers[].volatile": "no captured output tells it",
    "raid.volumes[].array": "no captured output tells it",
    "raid.volumes[].wwn": "no captured output tells it",
    "raid.volumes[].volatile.progress_percent": "no captured output is of a rebuild that runs",
    "raid.members[].volatile.smart_warning_count": "no captured output tells it",
    "raid.members[].volatile.reallocated_sectors": "no captured output tells it",
    "raid.members[].volatile.power_on_hours": "no captured output tells it",
}
"""Documented fields, or what holds them, and why no capture that is read has a value there."""


def documented() -> list[str]:
    """
    Return the path of every field in the tables of the document.

    A table of fields begins with the heading ``path`` or ``field``. A name
    without a dot stands beside the one before it in its cell.
    """
    found = []
    for cell, *_ in markdown.rows("facts.md", "path", "field"):
        beside = ""
        for name in re.findall(r"`([^`]+)`", cell):
            if "." in name:
                beside = name.rpartition(".")[0] + "."
            found.append(name if "." in name else beside + name)
    return found


def is_at(path: str, field: str) -> bool:
    """Whether a path is that of a documented field; ``<name>`` stands for any name."""
    return bool(re.fullmatch(re.sub(r"<\w+>", r"[^.\\[]+", re.escape(field)), path))


def is_below(path: str, holder: str) -> bool:
    return path == holder or path.startswith((f"{holder}.", f"{holder}[]"))


# What is collected


def leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield the path of every field below a value, with what it holds."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for item in value:
            yield from leaves(item, f"{path}[]")
    else:
        yield path, value


def of_tree(root: Root) -> dict[str, Any]:
    """Return all that is collected of a tree without hardware or a tool."""
    document = facts.collect(root.path, FAST)
    assert document.pop("errors") == {}
    return {**document, "identity": identify(document), "raid": raid(root), "bmc": bmc.bmc(root)}


def captured(where: Path) -> Iterator[dict[str, Any]]:
    """Yield what is collected of the machines, tables and outputs of the corpus."""
    trees = corpus_files("*/sysfs_tree/**/*", "*/block_tree/**/*.tar*", "*/memory_tree/**/*")
    processors = corpus_files("*/cpu_tree/**/*")
    small = [path for path in processors if path.stat().st_size < LARGEST_TREE_BYTES]
    for number, path in enumerate([*trees, *small]):
        yield of_tree(unpacked(path, where / str(number), ("sys/", "proc/", "etc/", "run/")))
    for number, path in enumerate(corpus_files("*/smbios_bin/**/*", "*/smbios_synth/**/*.bin")):
        entry, table = split_dump(path.read_bytes())
        machine(where / f"table{number}", table, entry)
        yield of_tree(Root(str(where / f"table{number}")))
    texts = [(raid_texts.tool(text), text) for text in map(raid_texts.written, raid_texts.files())]
    yield {"raid": merged(raid_texts.READERS[name](text) for name, text in texts if name)}
    for path in corpus_files("*/smartctl/**/*.json"):
        yield {"smart": [smart_reports.decoded(path) or {}]}
    for path in corpus_files("*/lldp/*.txt"):
        yield {"lldp": lldp.from_keyvalue(path.read_text())}
    for path in corpus_files("*/ipmi/*lan*"):
        yield {"bmc": bmc.lan_print(path.read_text())}
    for provider, name in (("ec2", "aws"), ("azure", "azure")):
        for path in corpus_files(f"*/cloud/{name}_*metadata.txt"):
            told = json.loads(path.read_text())
            yield {"cloud": cloud.fields(provider, json.dumps(told.get("compute", told)))}


def made_up(where: Path) -> Iterator[dict[str, Any]]:
    """Yield what is collected of the demo's server, of blank records and of a disk by SCSI."""
    demo_machine.write(where / "demo", "1.0")
    yield of_tree(Root(str(where / "demo")))
    blank = b"".join(structure(kind, 0x60, handle=kind) for kind in range(126))
    machine(where / "blank", blank + END)
    yield of_tree(Root(str(where / "blank")))
    pages = {0x2F: {0: bytes(3)}, **{page: {6: bytes(4)} for page in (2, 3, 5)}}
    disks, health = smart_reports.sata("sda"), smart_reports.scsi(pages)
    place = {"pci_slot": "0000:3b:00.0", "enclosure": "32", "slot": "5", "device_id": "8"}
    disks += [{**disk, "raid": place} for disk in smart_reports.sata("0000:3b:00.0/32:5")]
    yield {"smart": ask_all(Root(), disks, lambda root, disk: health, 5.0)}


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bool]:
    """Return every path that is collected, and whether a capture has a value there."""
    found: dict[str, bool] = {}
    for source in (captured, made_up):
        for document in source(tmp_path_factory.mktemp(source.__name__)):
            for path, value in leaves(document, ""):
                is_seen = source is captured and value not in (None, [], {})
                found[path] = found.get(path, False) or is_seen
    return found


def test_every_field_that_is_collected_is_documented(collected):
    fields = documented()
    missing = [
        path
        for path in collected
        # What holds fields may be empty, and has no line of its own.
        if not any(is_at(path, field) or is_below(field, path) for field in fields)
    ]
    assert not missing, f"docs/facts.md lacks {', '.join(sorted(missing))}"


def test_a_field_is_documented_once():
    fields = documented()
    assert sorted({field for field in fields if fields.count(field) > 1}) == []


@needs_corpus
def test_a_field_that_is_documented_is_in_a_capture_or_it_is_said_why_not(collected):
    seen = [path for path, is_seen in collected.items() if is_seen]
    unseen = [
        field
        for field in documented()
        if not any(is_at(path, field) or is_below(path, field) for path in seen)
    ]
    excused = {
        holder: [field for field in unseen if is_below(field, holder)]
        for holder in NO_CAPTURE_SHOWS
    }
    gone = sorted(set(unseen) - {field for found in excused.values() for field in found})
    assert not gone, f"no collector returns {', '.join(gone)}"
    assert [holder for holder, found in excused.items() if not found] == []
