"""
Fact documents and reports of machines that tests make up.

They are like those of the made-up fleet, but small, and with numbers that people can read.
"""

import copy
import hashlib
from datetime import datetime, timedelta, timezone

import sqlalchemy as sa

from benchmarks.fleet import documents, hardware, models
from salt_ext import store
from salt_ext.facts import timestamp
from salt_ext.report import envelope
from salt_ext.store import Arrival
from salt_ext.store.schema import change, revision

NOW = datetime.now(timezone.utc).replace(microsecond=0)

DIMM = models.Dimm("Samsung", "M393A8G40AB2", 64, "DDR4", 3200)
DISK = models.Disk("PM9A3", 3_840_755_982_336, "sata", "S64F", ("GDC5602Q",), "002538")
MODEL = models.MODELS[0]._replace(dimm=DIMM, slots=2, modules=2, disk=DISK, disks=1, ports=1)
SECTIONS = (
    *("operating_system", "virtual", "system", "baseboards", "chassis", "firmware"),
    *("processors", "memory", "disks", "network"),
)
"""The sections that most tests are about; a test gives all others itself."""
SECRET = "what every machine of the tests keeps in the file with its name"


def few(facts, *names):
    return {name: facts[name] for name in names}


def dimm(slot, serial, size_gib=64):
    kind = DIMM._replace(size_gib=size_gib)
    return hardware.memory_device(slot, models.Module(kind, serial))


def server(number=1, **sections):
    """The fact sections of an ordinary physical server; each number is another machine."""
    machine = models.Machine(
        *(number, f"web{number:02d}", number, number),
        modules=[models.Module(DIMM, f"4F{number:04d}{slot}") for slot in ("A1", "A2")],
        drives=[models.Drive(DISK, f"S64F{number:06d}")],
    )
    facts = documents.of_model(machine, MODEL)
    facts["operating_system"] |= documents.system(documents.SYSTEMS[0], kernel=3)
    facts["system"] |= {
        "serial_number": f"9XYZ{number:03d}",
        "uuid": f"4c4c4544-0058-5910-805a-b9c04f{number:06x}",
    }
    facts["baseboards"][0]["serial_number"] = f".9XYZ{number:03d}.CNIVC00{number:05d}."
    # Only a few fields of these sections, because tests often write their own.
    facts["firmware"] = few(facts["firmware"], "vendor", "version")
    facts["memory"] = few(facts["memory"], "installed_bytes", "devices")
    [disk], [card] = facts["disks"], facts["network"]
    facts["disks"] = [few(disk, "name", "model", "serial_number", "size_bytes")]
    mac = f"52:54:00:00:{number >> 8 & 255:02x}:{number & 255:02x}"
    card |= {"mac": mac, "permanent_mac": mac, "addresses": card["addresses"][:1]}
    return copy.deepcopy({**{name: facts[name] for name in SECTIONS}, **sections})


def report(facts, minion_id="web01", at=NOW, previous=None, mode="agent", last=None, **fields):
    """
    The report of these facts, as the minion would make it.

    A machine that was renamed proves it when it knows when its ``last`` report under
    the previous name was made.
    """
    document = documents.collected(facts, at)
    fields.setdefault("secret_hash", hashlib.sha256(SECRET.encode()).hexdigest())
    if last is not None:
        fields["proof"] = {"secret": SECRET, "collected_at": timestamp(last.timestamp())}
    return {**envelope.build(document, minion_id, previous, mode), **fields}


def arrival(facts, minion_id="web01", at=NOW, previous=None, **fields):
    """The report of these facts, as the engine hands it to the store."""
    return Arrival(minion_id, report(facts, minion_id, at, previous, **fields), at)


def now():
    """For reports through a master's cache, which are judged by the clock however late it is."""
    return datetime.now(timezone.utc)


def later(**delta):
    return NOW + timedelta(**delta)


def reporting(database):
    """The minion ids that reports of the assets came with last."""
    found = [store.overview(database, row["id"]) for row in store.assets(database, limit=1000).rows]
    return {one["reports_as"] or one["minion_id"] for one in found} - {None}


def revisions(database, asset_id):
    """Every revision of an asset, the newest first."""
    of_asset = sa.select(revision).where(revision.c.asset_id == asset_id)
    with database.begin() as link:
        found = link.execute(of_asset.order_by(revision.c.number.desc()))
        return [dict(row._mapping) for row in found]


def in_time(database):
    """Let all changes be such as were stored when they were recorded, however long ago."""
    with database.begin() as link:
        link.execute(sa.update(change).values(stored_at=None))
