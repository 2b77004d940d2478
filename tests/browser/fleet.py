"""
A fleet to look at: ordinary machines with some months of history, and one of each kind that is not.

It is told in some seconds with 200 machines; ``CMDB_BROWSER_MACHINES=2000`` makes it as large as
one wants it.
"""

from __future__ import annotations

import copy
import itertools
import os
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from benchmarks import fleet
from salt_ext import store
from salt_ext.store import Arrival
from tests.machines import arrival, later, server

MACHINES = int(os.environ.get("CMDB_BROWSER_MACHINES", "200"))
"""How many ordinary machines; whoever looks for faults that only a large fleet has wants 2000."""
DAYS = 120
HISTORIES = 200
"""So many of them have a history. The others report once: their days would all be the same."""

SITE, RACK = "ber1", "R07"
HELD, OTHER_HELD = "app03", 990
LOSES, TAKES, ILL, POOR, SILENT, DETACHED = "app01", "app02", "app05", "app06", "app07", "app08"
TWINS = range(901, 931)
"""Machines of one model in one place; what is special has a number among theirs."""

SCRIPT = "<script>alert(document.domain)</script>\"'><img src=x onerror=alert(1)>"
BIDI = "عقدة \u202e3102-gpj.exe\u200b \u2066\u05e9\u05dc"
LONG = "Supermicro-" + "X" * 240
SAID = {"hostile": SCRIPT, "bidi": BIDI, "long": LONG}
"""What a machine that is called so says wherever it may say anything."""

ERROR = {
    "type": "TimeoutError",
    "message": "/opt/MegaRAID/storcli/storcli64 ran past 25 s",
    "traceback": 'Traceback (most recent call last):\n  File "storcli.py", line 47, in read\n',
    "duration_ms": 25_004,
}
LISTED = (
    {"sn": None, "minion_id": "pdu-r07-a", "kind": "pdu", "row": 2, "fields": {"site": SITE}},
    {"sn": "LISTED1", "minion_id": "db-to-come", "row": 3, "fields": {"site": SITE, "rack": RACK}},
    {"sn": "9XYZ902", "minion_id": "app02", "row": 4, "fields": {"list.owner": "李雷"}},
    {"sn": "9XYZ904", "minion_id": "app04", "row": 5, "fields": {"site": "lon1"}},
)


def tell(database: store.Database, machines: int = MACHINES) -> None:
    """Store the fleet and its history, which end now."""
    batches = [*_ordinary(machines), *_special()]
    for _, day in itertools.groupby(sorted(batches, key=_when), lambda one: _when(one).date()):
        store.ingest(database, list(day))
    _decide(database)


def _when(one: Arrival) -> datetime:
    return one.received_at


def _ordinary(machines: int) -> Iterator[Arrival]:
    """Yield the reports of those that nothing is special about."""
    start = later(days=-DAYS, minutes=-10)
    for at, number, facts in fleet.story(min(machines, HISTORIES), DAYS, start):
        # Numbers from 901 on are of the special machines.
        report = fleet.report(number, at, facts)
        yield Arrival(report["minion_id"], report, at)
    for number in range(10_001, 10_001 + machines - HISTORIES):
        report = fleet.report(number, later(minutes=-10))
        yield Arrival(report["minion_id"], report, later(minutes=-10))


def _special() -> Iterator[Arrival]:
    """Yield the reports of one machine of each other kind."""
    names = {name_of(number): number for number in TWINS}
    machines = {name: twin(number) for name, number in names.items()}
    for name, facts in machines.items():
        yield arrival(facts, name, later(days=-100))
    for number, (name, said) in enumerate(SAID.items(), 950):
        yield arrival(talking(number, said), f"{name}-{said}"[:200], later(days=-3))
        changed = talking(number, said)
        changed["firmware"]["version"] = f"2 {said}"
        yield arrival(changed, f"{name}-{said}"[:200], later(minutes=-6))
    [disk] = machines[LOSES]["disks"]
    machines[LOSES]["disks"] = []
    machines[LOSES]["memory"]["devices"][1] = {"locator": "A2", "present": False}
    yield arrival(machines[LOSES], LOSES, later(days=-12))
    machines[TAKES]["disks"].append({**disk, "name": "sdb", "slot": "1"})
    yield arrival(machines[TAKES], TAKES, later(days=-12, minutes=40))
    yield arrival(machines.pop(SILENT), SILENT, later(days=-9))
    machines[ILL]["smart"] = [ill(machines[ILL]["disks"][0])]
    machines[POOR]["memory"] = poor(machines[POOR]["memory"])
    last = {name: arrival(facts, name, later(minutes=-5)) for name, facts in machines.items()}
    last["app09"].report.update(errors={"raid": ERROR}, partial=["raid"])
    yield from last.values()
    for name, number in ((HELD, OTHER_HELD), (DETACHED, OTHER_HELD + 1)):
        yield arrival(twin(number), name, later(minutes=-4))


def _decide(database: store.Database) -> None:
    """Do what people do: accept, split, import, take a snapshot."""
    act = store.Act("ops", "as it was delivered", False)
    store.accept_baseline(database, store.resolve(database, ILL), act)
    store.set_lifecycle(database, store.resolve(database, "app04"), "maintenance", act)
    store.rule(database, DETACHED, "split", by="ops", why="another machine")
    store.import_expected(database, [dict(one) for one in LISTED], source="rooms.xlsx", by="ann")
    store.take_snapshot(database, "before-the-move", by="ops", filters={"site": SITE}, comment="")


def name_of(number: int) -> str:
    """Return the minion id of a twin: app01 is the first."""
    return f"app{number - TWINS[0] + 1:02d}"


def twin(number: int) -> dict[str, Any]:
    """Return the facts of a machine of the rack, which is like all others of it."""
    place = {"site": SITE, "rack": RACK, "unit": f"U{number % 40 + 1:02d}"}
    facts: dict[str, Any] = server(number, location=place)
    return facts


def talking(number: int, said: str) -> dict[str, Any]:
    """Return the facts of a machine that says this everywhere."""
    facts: dict[str, Any] = server(number, location={"site": said, "rack": said, "unit": "U01"})
    facts["operating_system"] |= {"hostname": said, "pretty_name": said}
    facts["system"] |= {"product_name": said, "manufacturer": said}
    facts["firmware"] = {"vendor": said, "version": said}
    facts["disks"][0] |= {"model": said, "serial_number": f"{said}-{number}", "slot": said}
    facts["memory"]["devices"][0] |= {"locator": said, "manufacturer": said}
    facts["smart"] = [ill(facts["disks"][0]) | {"name": said}]
    return facts


def ill(disk: dict[str, Any]) -> dict[str, Any]:
    """Return what SMART says of a disk that is about to fail."""
    return {
        **{"name": "sda", "serial_number": disk["serial_number"], "protocol": "nvme"},
        **{"passed": False, "health": {"failing": ["available_spare"]}},
        "volatile": {"percentage_used": 103, "temperature_celsius": 61},
    }


def poor(memory: dict[str, Any]) -> dict[str, Any]:
    """Return half of this memory."""
    less = copy.deepcopy(memory)
    less["devices"][1] = {"locator": "A2", "present": False}
    return {**less, "installed_bytes": memory["installed_bytes"] // 2}
