"""
A small made-up fleet in which each thing has happened once that an inventory can tell.

Two dozen servers of one model have been asked by ssh for a month. No minions run for them:
their reports are handed to the store as ``cmdb.collect`` would hand them over.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

from benchmarks import fleet
from benchmarks.fleet import documents, models
from salt_ext import store

SERVERS = 24
FIRST = 10_000
"""Before the first of them: ``--fleet`` makes machines of the same kinds, from 1 on."""
MODEL = models.MODELS[0]._replace(slots=8, modules=8, disks=2)

GIVES_DISK, TAKES_DISK = 5, 6
RENAMED, NEW_NAME = 8, "app08"
FAILS = 11
HAS_ERROR = 14
IS_ODD = 17
IS_SILENT = 21
CLONED, CLONE = 3, "web03-copy"

ERROR = {
    "type": "TimeoutError",
    "message": "/opt/MegaRAID/storcli/storcli64 ran past 25 s",
    "traceback": "Traceback (most recent call last):\n"
    '  File "salt_ext/facts/raid/storcli.py", line 47, in read\n'
    "TimeoutError: /opt/MegaRAID/storcli/storcli64 ran past 25 s\n",
    "duration_ms": 25_004,
}
"""What a controller's tool left behind that did not answer."""


def name(number: int) -> str:
    """Return the minion id of a server."""
    return f"web{number:02d}"


def tell(database: store.Database) -> None:
    """Store the month of the fleet that ends now. Raises AssertionError if it was another."""
    now = datetime.now(timezone.utc)
    for ago, arrivals in _story():
        at = now - ago
        reports = [
            store.Arrival(minion_id, _report(number, at, facts, errors), at)
            for number, minion_id, facts, errors in arrivals
        ]
        for one in store.ingest(database, reports):
            if one.status == "refused" or (one.status == "held") != (one.minion_id == CLONE):
                raise AssertionError(f"{one.minion_id} is {one.status}: {one.detail}")


def sheet() -> str:
    """Return what people's list says of the first servers, as CSV; it is not quite right."""
    rows = ["Hostname,Serial No,Vendor,Model,RAM,Owner,Warranty until"]
    for number, ram, owner in ((1, "256G", "Ann"), (2, "8*32G", "李雷"), (3, "128G", "Ann")):
        serial = documents.of_model(_new(number), MODEL)["system"]["serial_number"]
        rows.append(f"{name(number)},{serial},戴尔,R750,{ram},{owner},2027-03-0{number}")
    return "\n".join([*rows, "web99,NOSUCH1,Dell,R750,256G,Ann,2028-01-01"])


Said = tuple[int, str, dict[str, Any], dict[str, Any]]
"""Number, minion id, facts and errors of a report."""


def _story() -> Iterator[tuple[timedelta, list[Said]]]:
    """Yield how long ago it was and what was reported then."""
    machines = {number: _new(number) for number in range(1, SERVERS + 1)}
    yield timedelta(days=30), [_said(one) for one in machines.values()]
    disk = machines[GIVES_DISK].drives.pop()
    yield timedelta(days=12), [_said(machines[GIVES_DISK])]
    machines[TAKES_DISK].drives.append(disk)
    yield timedelta(days=12, minutes=-40), [_said(machines[TAKES_DISK])]
    yield timedelta(days=9), [_said(machines.pop(IS_SILENT))]
    machines[RENAMED].name = NEW_NAME
    yield timedelta(days=2), [_said(machines[RENAMED])]
    failing = machines[FAILS].drives
    failing[1] = failing[1]._replace(is_failing=True)
    today = [_said(one) for one in machines.values()]
    today[HAS_ERROR - 1] = (*today[HAS_ERROR - 1][:3], {"raid": ERROR})
    yield timedelta(minutes=2), today
    clone = copy.deepcopy(machines[CLONED])
    clone.name, clone.installation = CLONE, SERVERS + 1
    yield timedelta(minutes=1), [_said(clone)]


def _new(number: int) -> models.Machine:
    own = FIRST + number
    machine = models.Machine(own, name(number), own, own, kernel=2, bios=1)
    machine.modules = [models.module(MODEL.dimm, own * 64 + slot) for slot in range(8)]
    machine.drives = [models.drive(MODEL.disk, own * 64 + bay) for bay in range(2)]
    if number == IS_ODD:
        machine.bios = 0
    return machine


def _said(machine: models.Machine) -> Said:
    return machine.number, machine.name, documents.of_model(machine, MODEL), {}


def _report(
    number: int, at: datetime, facts: dict[str, Any], errors: dict[str, Any]
) -> dict[str, Any]:
    report = fleet.report(number, at, facts, mode="ssh")
    return {**report, "errors": errors, "partial": sorted(errors)}
