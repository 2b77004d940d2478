"""
A fleet in which every value that can be hidden is one that stands nowhere else.

Each name of :data:`VALUES` hides the values that its patterns find, in every store, answer and
file: whoever sees one of them although its name is hidden sees too much.
"""

import re

from salt_ext import store
from salt_ext.lists import expected, rows
from tests.machines import NOW, arrival, in_time, later, server

VALUES = {
    "sn": r"qsn[0-9]",
    "system.uuid": r"4c4c4544-0058-5910-805a-0badc0de|44454c4c-5800-1059-805a-0badc0de",
    "hostname": r"qhost",
    "location": r"qsite|qroom|qrack|qunit",
    "list.owner": r"qowner",
    "manufacturer": r"qmaker",
    "product_name": r"qproduct",
    "os": r"qsystem",
    "kernel_release": r"9\.9\.9-q",
    "processor_model": r"qprocessor",
    "memory_bytes": r"\b(?:7771|7772|9991)\d{5,}",
    "address": r"203\.0\.113\.",
    "network.mac": r"02:?0b:?ad:?c0:?de|020badc0de",
    "disks.serial_number": r"qdisk[0-9]",
    "disks.model": r"qmodel",
    "disks.firmware_version": r"qware",
    "memory.serial_number": r"qdimm[0-9]",
    "memory.part_number": r"qpart",
    "chassis.asset_tag": r"qtag",
    "operating_system.machine_id": r"0badc0de0badc0de",
    "firmware.version": r"qbios",
    "bmc": r"qbmc",
    "smart": r"qsmart",
    "instance": r"qinstance",
}
"""By the name that hides them: a regular expression for values, in any case."""


def found(name, text):
    """The hidden values in a text."""
    return re.findall(VALUES[name], text, re.IGNORECASE)


def machine(number, disk=None, dimm=None, bios=1, place=1):
    """The facts of a machine; whatever can differ between its reports is a number."""
    disk, dimm = disk or number, dimm or number
    facts = server(number)
    facts["system"] |= {
        "manufacturer": "Qmaker Inc.",
        "product_name": "Qproduct 9",
        "serial_number": f"QSN{number}",
        "uuid": f"4c4c4544-0058-5910-805a-0badc0de{number:04x}",
    }
    facts["baseboards"] = [
        {"serial_number": f"QSN{number}-B", "manufacturer": "Qmaker Inc.", "type": "Motherboard"}
    ]
    facts["chassis"] = [
        {"serial_number": f"QSN{number}-C", "asset_tag": f"QTAG{number}", "type": "Rack"}
    ]
    facts["firmware"] = {"vendor": "AMI", "version": f"QBIOS{bios}"}
    facts["operating_system"] |= {
        "hostname": f"qhost{number}",
        "name": "Qsystem",
        "pretty_name": f"Qsystem {bios}",
        "kernel_release": f"9.9.9-q{bios}",
        "machine_id": f"0badc0de0badc0de{number:016x}",
    }
    facts["processors"] |= {"model": f"Qprocessor {number % 2}"}
    facts["processors"]["packages"] = [
        {"socket_designation": "CPU1", "version": f"Qprocessor {number % 2}"}
    ]
    facts["memory"] = {
        "installed_bytes": 777_100_000_000 + dimm,
        "devices": [
            {
                **{"locator": "A1", "present": True, "type": "DDR4", "manufacturer": "Samsung"},
                **{"serial_number": f"QDIMM{dimm}", "part_number": f"QPART{dimm}"},
                "size_bytes": 777_200_000_000 + dimm,
            }
        ],
    }
    facts["disks"] = [
        {
            **{"name": "sda", "model": f"QMODEL{disk % 3}", "firmware_version": f"QWARE{disk % 2}"},
            **{"serial_number": f"QDISK{disk}", "size_bytes": 999, "slot": "3"},
        }
    ]
    facts["network"] = [
        {
            **{"name": "eth0", "kind": "physical", "driver": "ixgbe", "pci_slot": "0000:01:00.0"},
            **dict.fromkeys(("mac", "permanent_mac"), f"02:0b:ad:c0:de:{disk:02x}"),
            "addresses": [f"203.0.113.{number}/24", f"203.0.113.{100 + disk}/24"],
            "default_address": f"203.0.113.{number}",
        }
    ]
    facts["smart"] = [
        {
            **{"name": "sda", "serial_number": f"QDISK{disk}", "passed": number > 2},
            "health": {"failing": ["qsmart_attribute"]} if number < 3 else {},
            "volatile": {"pending": 3, "power_on_hours": 10 + number, "state": "qsmart"},
        }
    ]
    facts["bmc"] = {
        **{"present": True, "mac": "02:00:00:00:00:01", "addresses": [f"qbmc{bios}"]},
        **{"hostname": f"qbmc-host{number}", "firmware_version": f"qbmc{bios}"},
    }
    facts["location"] = {name: f"q{name}{place}" for name in ("site", "room", "rack", "unit")}
    return facts


ERROR = {"type": "ValueError", "duration_ms": 1}
LEAKS = " ".join(("QSN1 QDISK1 qbmc1 qsite1 QBIOS1 QTAG1 QDIMM1", "203.0.113.1 02:0b:ad:c0:de:01"))
"""What the message of a collector may quote."""

LIST = """Serial,Name,Site,Rack,IP,Owner,Memory,UUID,MAC
QSN1,web01,qsite9,qrack9,203.0.113.1,qowner1,1 TB
QSN80,web80,qsite1,qrack1,203.0.113.80,qowner2,9991000000000,4c4c4544-0058-5910-805a-0badc0de0080,020badc0de80
QSN81,,qsite1,qrack1,203.0.113.81,qowner2,9991000000000
,sw-1,qsite1,qrack1,203.0.113.82,qowner3,
"""


def fill(database, directory):
    """
    Fill a store with the fleet; return the ids of web01 and web02.

    There are changes of every field, a part that went to another machine, an older source, a
    held report and its decision, problems that quote values, lists of people, a stand-in, a
    baseline with deviations, snapshots with filters, and an asset that lost its name.
    """
    old = later(days=-20)
    store.ingest(database, [arrival(machine(n), f"web{n:02d}", old) for n in (1, 2, 3, 4, 5)])
    first = store.resolve(database, "web01")
    act = store.Act("ops", "as it was delivered", False)
    store.accept_baseline(database, first, act)
    store.set_lifecycle(database, first, "maintenance", act)
    store.take_snapshot(
        database,
        "before",
        by="ops",
        filters={"sn": "QSN1", "site__startswith": "qsite", "address": "203.0.113.1"},
        comment="before the change",
    )
    for at, facts in (
        (later(days=-9), machine(1, disk=7, dimm=7, bios=2, place=2)),
        (later(days=-8), machine(1, disk=7, dimm=7, bios=3, place=2)),
    ):
        failed = arrival(facts, "web01", at)
        errors = {
            name: {**ERROR, "message": f"cannot read {LEAKS}", "traceback": f"in {LEAKS}"}
            for name in ("usb", "lldp")
        }
        failed.report.update(errors=errors, partial=["usb", "lldp"])
        store.ingest(database, [failed])
    # The disk and the module of web01 are in web02 now.
    store.ingest(database, [arrival(machine(2, disk=1, dimm=1), "web02", later(days=-7))])
    # A disk and a module of web03 are nowhere.
    without = {name: one for name, one in machine(3).items() if name not in ("bmc", "smart")}
    without["disks"] = []
    without["memory"]["devices"][0] = {"locator": "A1", "present": False}
    store.ingest(database, [arrival(without, "web03", later(days=-6))])
    store.ingest(database, [arrival({**without, "bmc": {}, "smart": []}, "web03", later(days=-5))])
    # Other hardware under the name of web04: held. A twin of web05: its keys are shared.
    for number in (4, 5, 6):
        store.ingest(database, [arrival(machine(number), f"web{number:02d}", later(hours=-1))])
    store.ingest(database, [arrival(machine(44), "web04", later(minutes=-40))])
    store.ingest(database, [arrival(machine(5), "web55", later(minutes=-30))])
    # What was decided once.
    store.ingest(database, [arrival(machine(66), "web06", later(minutes=-20))])
    store.rule(database, "web06", "split", by="ops", why="another machine")
    store.disown(database, first, "mac", act, value="02:0b:ad:c0:de:07", own=False)
    store.rename(database, store.resolve(database, "web03"), "web33", act)
    path = directory / "list.csv"
    path.write_text(LIST)
    expected.keep(database, rows.read(str(path), "", {}), source="list", by="ops")
    store.set_expected(database, "sw-1", {"list.owner": "qowner4"}, by="ops", kind="switch")
    store.set_expected(database, "web02", {"site": "qsite8", "list.owner": "qowner5"}, by="ops")
    store.ingest(database, [arrival(machine(1, disk=7, dimm=7, bios=3, place=2), "web01", NOW)])
    second = store.resolve(database, "web02")
    _fill_cloud(database, first, second)
    # What is done to them, and what is not permitted.
    store.settle_losses(database)
    for name in ("web01", "web02", "web05", "web33"):
        store.permit_reaction(database, store.resolve(database, name), "drain", act)
    _install(database, act)
    in_time(database)
    return first, second


def _fill_cloud(database, first, second):
    """A cloud moved the instance of a machine, has deleted that of another, and has one more."""
    told = {"cloud": "prod", "id": "4c4c4544-0058-5910-805a-0badc0de0001", "name": "qinstance1"}
    told |= {"addresses": ["203.0.113.1"], "host": "qinstance-host1", "state": "running"}
    for host in ("qinstance-host1", "qinstance-host2"):
        facts = {**told, "host": host}
        store.tell_instances(database, "prod", [(first, facts), (second, facts)])
    findings = [
        store.Finding("unreported", told["id"], "no machine reports its id", told),
        store.Finding("unlisted", str(second), "it is listed no longer", told, second, "web02"),
        store.Finding("tied", str(first), "2 machines have one id", told, first, "web01"),
    ]
    store.keep_listing(database, "prod", "openstack", {"instances": 3}, findings)


def _install(database, act):
    """Let a planned machine be installed, of which every key and value is another one then."""
    planned = store.resolve(database, "QSN80")
    store.set_lifecycle(database, planned, "planned", act)
    [row] = store.open_installations(database, [planned], act, profile="qprofile").opened
    shown = store.Shown("4c4c4544-0058-5910-805a-0badc0de0080", "02:0b:ad:c0:de:80", row["address"])
    store.begin_installation(database, shown)
    store.finish_installation(database, row["id"], shown)
    fields = ("sn", "hostname", "uuid", "mac", "address", "product_name", "memory_bytes")
    values = ("QSN9", "qhost9", "4c4c4544-0058-5910-805a-0badc0de0009", "02:0b:ad:c0:de:09")
    values += ("203.0.113.9", "Qproduct 7", "7771000000000")
    found = [
        {"field": field, "planned": value, "reported": value}
        for field, value in zip(fields, values, strict=True)
    ]
    assert store.keep_comparison(database, row["id"], found)
