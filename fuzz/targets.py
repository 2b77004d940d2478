"""
What is fuzzed, and what must hold for any input.

A target takes bytes and returns what our code makes of them. No exception may
escape, nothing may be read outside of what was given, and the result must be
data that a report can carry.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import datetime, timezone
from itertools import cycle
from typing import Any, NamedTuple

from salt_ext import facts, settings
from salt_ext.document import encode, normal, placeholders
from salt_ext.document.diff import diff
from salt_ext.document.overlay import overlay
from salt_ext.document.volatile import with_volatile
from salt_ext.facts import (
    bmc,
    cloud,
    cpuinfo,
    dotted_path,
    ethtool,
    identity,
    ipmi,
    jedec,
    lldp,
    mdstat,
    network,
    operating_system,
    pci,
    pci_ids,
    rtnetlink,
    slow,
    smbios,
    sysfs,
    system,
    udev,
    virtual,
    volumes,
    vpd,
)
from salt_ext.facts.clean import clean, section_of
from salt_ext.facts.root import Root
from salt_ext.facts.smart import ata, behind, megaraid, nvme, scsi, sg, smartarray
from salt_ext.facts.smbios import fields, hpe
from salt_ext.report import checking, envelope, name_file
from salt_ext.words import changes

# Decoders by SMBIOS type: a decoder has the name, in lower case, of the constant with its type.
DECODERS = {
    number: getattr(fields, name.lower())
    for name, number in vars(fields).items()
    if isinstance(number, int) and hasattr(fields, name.lower())
} | {fields.HOST_INTERFACE: bmc.redfish, hpe.RACK_LOCATOR: hpe.rack_locator}
FROM_TABLES = (
    "system",
    "baseboards",
    "chassis",
    "firmware",
    "processors",
    "memory",
    "power_supplies",
    "batteries",
    "slots",
    "onboard_devices",
    "tpm",
)


class Target(NamedTuple):
    """A function to feed, and the files of the corpus that are like its input."""

    function: Callable[[bytes], Any]
    patterns: tuple[str, ...] = ()


class Strict(bytes):
    """Bytes that refuse any index outside of them, and any index from their end."""

    def __getitem__(self, key: Any) -> Any:
        """Refuse an index that Python counts from the end, and a slice that Python shortens."""
        at = (key.start, key.stop) if isinstance(key, slice) else (key,)
        if any(not 0 <= offset <= len(self) for offset in at) or key == len(self):
            raise IndexError(f"{key} is outside of {len(self)} bytes")
        return super().__getitem__(key)


class Table(Root):
    """A machine of which nothing is known but its SMBIOS table."""

    def __init__(self, entry: bytes, table: bytes) -> None:
        """Take the two files that the kernel shows."""
        super().__init__("/nowhere")
        self._files = {
            f"{smbios.DIRECTORY}/smbios_entry_point": entry,
            f"{smbios.DIRECTORY}/DMI": table,
        }

    def data(self, path: str, limit: int = 0) -> bytes | None:
        """Return one of the two files."""
        return self._files.get(path)


def smbios_table(data: bytes) -> Any:
    """Decode a table: each structure must lie within the table and after the one before."""
    version = (data[0] & 3, data[0] >> 2 & 15) if data else (3, 0)
    table = data[1:]
    found = smbios.structures(table, version)
    position = 0
    decoded: list[Any] = []
    for item in found.structures:
        start = position + len(item)
        assert table[position:start] == item.data(0, len(item)), "not where it should be"
        assert table.startswith(item._tail, start), "strings from somewhere else"
        strict = smbios.Structure(Strict(table[position:start]), item._tail)
        decoded.append(_decoded(strict, version))
        position = start + len(item._tail) + 2
    assert position <= len(table) + 2, "read beyond the end"
    return [found.problems, decoded]


def smbios_machine(data: bytes) -> Any:
    """Run every collector that reads the tables, and find out whose machine it is."""
    root = Table(data[:32], data[32:])
    defaults = settings.OPTIONS["collectors"].default
    sections = {name: dotted_path.load(defaults[name])(root) for name in FROM_TABLES}
    document = {name: clean(value) for name, value in sections.items() if value is not None}
    return {**document, "identity": identity.identify(document)}


def _decoded(item: smbios.Structure, version: tuple[int, int]) -> Any:
    # Any decoder may meet any structure: types are numbers that firmware writes.
    decoder = DECODERS.get(item.type) or list(DECODERS.values())[item.handle % len(DECODERS)]
    return decoder(item, version) if decoder is fields.system else decoder(item)


def texts(*functions: Callable[[str], Any]) -> Callable[[bytes], Any]:
    """Return a target that gives its input as one text to these functions."""

    def target(data: bytes) -> Any:
        text = data.decode("utf-8", "replace")
        return [function(text) for function in functions]

    return target


def values(data: bytes) -> Any:
    """Feed the functions that take a word or a line."""
    text = data.decode("utf-8", "replace")
    first, _, second = text.partition("\n")
    found = [
        sysfs.assignments(text),
        sysfs.ranges(sysfs.numbers(text)),
        sysfs.pci_slot(text),
        sysfs.bits(text),
        jedec.maker(text),
        udev.decoded(text),
        volumes.array_uuid(text),
        volumes.volume_names(first, second),
        volumes.lvm_uuid(text),
        network.ipv6(text),
        system.iso_date(text),
        identity.manufacturer(text),
        ipmi.with_prefix(first, second),
        placeholders.why_not_text(text),
        placeholders.why_not_serial(text),
        placeholders.why_not_uuid(text),
        placeholders.why_not_mac(text),
        placeholders.uuid_spellings(text),
    ]
    return found


def metadata(data: bytes) -> Any:
    """Feed the functions that read the answers of clouds and the DMI strings that hint at one."""
    text = data.decode("utf-8", "replace")
    found = []
    for provider in cloud.FIELDS:
        with suppress(cloud.MetadataError):  # raised when the text is no JSON object
            found.append(cloud.fields(provider, text))
    names = ("sys_vendor", "product_name", "product_serial", "product_uuid", "chassis_asset_tag")
    dmi = dict(zip(names, text.split("\n"), strict=False))
    return [found, virtual.hypervisor_in_dmi(dmi), virtual.cloud(dmi, True, text[:64])]


def disk_pages(data: bytes) -> Any:
    """Feed the functions that decode the answers of disks."""
    table = ata.attributes(data)
    pages = {number: scsi.parameters(data, number) for number in range(0x30)}
    return [
        vpd.unit_serial(data),
        vpd.unit_names(data),
        vpd.identify_device(data),
        vpd.rotation_rate(data),
        ata.registers(data),
        ata.status(ata.registers(data)),
        ata.smart_is_off(data),
        ata.judge(None, table, ata.thresholds(data[::-1])),
        ata.percentage_used(data),
        nvme.judge(data),
        scsi.is_asleep(data),
        scsi.judge(pages),
        sg.sense_key(data),
        megaraid.disks(data),
        len(smartarray.addresses(data)),
        behind.health(lambda cdb, length: sg.Reply(sg.GOOD, data, data), known=()),
    ]


def answers(data: bytes) -> Any:
    """Feed the functions that decode the answers of the BMC and of the kernel."""
    size = len(data) // 6
    parts = dict(
        zip(
            (ipmi.ADDRESS, ipmi.ADDRESS_SOURCE, ipmi.MAC, ipmi.NETMASK, ipmi.GATEWAY, ipmi.VLAN),
            (data[size * number : size * (number + 1)] for number in range(6)),
            strict=True,
        )
    )
    return [
        ipmi.device_id(data),
        ipmi.is_lan(data),
        ipmi.lan_parameters(parts),
        lan(data),
        ethtool.firmware_version(data),
        rtnetlink.parse(data),
        rtnetlink._is_last(data),
    ]


def lan(data: bytes) -> Any:
    """Ask a BMC about its LAN; it answers with the parts of the input, one after another."""
    parts = cycle(data.split(b"|"))
    with suppress(ipmi.RefusedError):
        return ipmi.lan(lambda netfn, command, question: next(parts))
    return None


def names_of_pci(data: bytes) -> Any:
    """Look for names in a text that claims to be a ``pci.ids``."""
    wanted = {"8086": ["1572", "0000"], "C 02": ["00"], "10de": [], "C 03": ["02"]}
    return pci_ids.search(data, wanted)


def _raid() -> Iterator[tuple[str, Target]]:
    """Yield a target for each RAID tool: for each module of the package that has a parser."""
    for module in pkgutil.iter_modules(importlib.import_module("salt_ext.facts.raid").__path__):
        loaded = importlib.import_module(f"salt_ext.facts.raid.{module.name}")
        parsers = [
            getattr(loaded, name) for name in ("parse", "parse_proc") if hasattr(loaded, name)
        ]
        if parsers:
            yield f"raid_{module.name}", Target(texts(*parsers), ("*/raid/**/*",))


def names_of_file(data: bytes) -> Any:
    """Read a name file: it says names that a report can carry, or that it is of no use."""
    with suppress(name_file.Unusable):
        names = name_file.parse(data)
        previous = names.previous("web01")
        return [[*map(list, names.names)], previous and previous.proof()]
    return None


SECTIONS = ("system", "baseboards", "chassis", "network", "virtual", "cloud", "smart", "licence")


def section(data: bytes) -> Any:
    """
    Report what a collector of a site or a command has found, whatever that is.

    When it is a section at all, the master takes the report, and tells what has changed.
    """
    try:
        found = section_of(json.loads(data))
    except (TypeError, ValueError, RecursionError):
        return None
    at = "2026-11-21T08:00:00.000Z"
    kept = slow.resting(slow.stamped(found, at), slow.stamped(found, at))
    document = facts.failed("grain", ValueError())
    document.update(dict.fromkeys(SECTIONS, kept))
    identity.identify(document)
    report = envelope.build(document, "web01", None, "agent")
    checking.check_header(report, datetime.now(timezone.utc))
    checked = checking.check_body(report)
    before = normal({"smart": [{"name": "sda", "serial_number": "S1"}], "licence": {"a": 1}})
    after = overlay(before, checked.facts, ["smart"])
    for change in diff(before, after):
        changes.line(change._asdict())
    with_volatile(after, report["volatile"])
    return report["digest"]


TARGETS = {
    "smbios": Target(smbios_table, ("*/smbios_bin/**/*", "*/smbios_synth/**/*")),
    "machine": Target(smbios_machine, ("*/smbios_bin/**/*",)),
    "cpuinfo": Target(texts(cpuinfo.describe, cpuinfo.counts), ("*/cpuinfo/**/*",)),
    "mdstat": Target(texts(mdstat.arrays), ("*/proc/**/*mdstat*",)),
    "os_release": Target(texts(operating_system.os_release)),
    "values": Target(values),
    "nvidia": Target(texts(pci.nvidia)),
    "pci_ids": Target(names_of_pci),
    "lldp": Target(texts(lldp.from_json, lldp.from_keyvalue), ("*/lldp/**/*",)),
    "lan_print": Target(texts(bmc.lan_print), ("*/ipmi/**/*lan*",)),
    "metadata": Target(metadata),
    "disk_pages": Target(disk_pages),
    "answers": Target(answers),
    "name_file": Target(names_of_file),
    "section": Target(section),
    **dict(_raid()),
}


def check(name: str, data: bytes) -> None:
    """Feed one target with one input; raises when that breaks what must hold."""
    encode(normal({"result": {"value": clean(_plain(TARGETS[name].function(data)))}}))


def _plain(value: Any) -> Any:
    """Return a result as plain data, because some functions return other types."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes)):
        return [_plain(item) for item in value]
    return value
