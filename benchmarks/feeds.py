"""
What the inventory in each format costs with 100,000 assets, as a program gets it from the web.

Each is asked for once by a process of its own that has answered a small question before. CPU is
that of the process and of PostgreSQL together; memory is the most above what it had then.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from prometheus_client import REGISTRY

from benchmarks import large, processes
from benchmarks.ingest_table import _table as table
from benchmarks.postgres import Server
from salt_ext import settings
from salt_ext.feeds import FEEDS
from webui import create_app

PATH = "/api/v1/inventory/"
NEEDED: dict[str, Any] = {"port": 9100}
"""Options that have no default."""

OTHERWISE = {
    "prometheus, oob=true": ("prometheus", {"oob": "true"}),
    # Of all machines it is larger than JumpServer takes, and refused.
    "jumpserver_csv, one of six sites": ("jumpserver_csv", {"site": "fra1"}),
}
IN_PARTS = ("jumpserver_csv",)
NODEGROUPS = {"physical": "kind:physical", "virtual": "kind:virtual"}

CPU_SECONDS, STATEMENTS, MEBIBYTES = 5, 3, 300


def measure(running: Server, assets: int) -> dict[str, Any]:
    """Return everything that is measured; build the store if it is not there."""
    database = large.built(running, assets)
    about = large.about(running, database)
    database.close()
    rows = []
    for feed, address in addresses().items():
        with multiprocessing.get_context("spawn").Pool(1) as alone:
            cost = alone.apply(_cost, (database.url, running.pid(), address))
        rows.append({"feed": feed, **cost})
        large.say(f"{feed}: {cost['cpu_s']} s of CPU, {cost['mebibytes']} MiB")
    return {**about, "feeds": rows}


def addresses() -> dict[str, str]:
    """Return the address of each feed in whole, and of those that are asked for otherwise."""
    asked: dict[str, tuple[str, dict[str, str]]] = {
        name: (name, {}) for name in FEEDS if name not in IN_PARTS
    }
    asked |= OTHERWISE
    found = {}
    for said, (name, options) in asked.items():
        needed = {one: NEEDED[one] for one, option in FEEDS[name].options.items() if needs(option)}
        found[said] = f"{PATH}{name}?{urlencode({**needed, **options})}"
    return found


def needs(option: Any) -> bool:
    """Whether somebody must say it."""
    return option.default is None


def _cost(url: str, postmaster: int, address: str) -> dict[str, Any]:
    given = {"database_url": url, "nodegroups": NODEGROUPS, "access_log": ""}
    client = create_app(settings.resolve(("benchmark", given))).test_client()
    for _ in _pieces(client, f"{address}&lifecycle=planned"):
        pass
    idle = processes.resident_mebibytes(os.getpid())
    processes.forget_peak(os.getpid())
    theirs, ours = processes.cpu_seconds(postmaster), time.process_time()
    statements = statements_of_all()
    sent = sum(map(len, _pieces(client, address)))
    ours = time.process_time() - ours
    theirs = processes.cpu_seconds(postmaster) - theirs
    statements = statements_of_all() - statements
    mebibytes = processes.peak_mebibytes(os.getpid()) - idle
    return {
        "web_s": round(ours, 2),
        "postgres_s": round(theirs, 2),
        "cpu_s": round(ours + theirs, 2),
        "statements": statements,
        "mebibytes": round(mebibytes),
        "sent_mebibytes": round(sent / (1 << 20), 1),
        "ok": ours + theirs <= CPU_SECONDS and statements <= STATEMENTS and mebibytes <= MEBIBYTES,
    }


def statements_of_all() -> int:
    """Return how many statements all requests of this process have made."""
    return sum(
        int(sample.value)
        for family in REGISTRY.collect()
        for sample in family.samples
        if sample.name == "cmdb_web_request_statements_sum"
    )


def _pieces(client: Any, address: str) -> Iterator[bytes]:
    """Yield an answer as it is sent, compressed, and keep nothing of it."""
    response = client.get(address, headers={"Accept-Encoding": "gzip"})
    if response.status_code != 200:
        raise AssertionError(f"{address}: {response.status_code} {response.text[:200]}")
    yield from response.response


COLUMNS = {
    "feed": "feed",
    "web, s of CPU": "web_s",
    "PostgreSQL": "postgres_s",
    "together": "cpu_s",
    "statements": "statements",
    "MiB above idle": "mebibytes",
    "MiB sent": "sent_mebibytes",
}


def markdown(result: dict[str, Any]) -> str:
    """Return the result as a table."""
    rows = [
        [*(row[name] for name in COLUMNS.values()), "yes" if row["ok"] else "**no**"]
        for row in result["feeds"]
    ]
    return f"{large.where(result)}\n\n{table([*COLUMNS, 'ok'], rows)}"


def main() -> None:
    """Run the command line; the exit status is 1 when something costs more than it may."""
    arguments = large.parser("./dev bench feeds", __doc__).parse_args()
    with large.server(arguments) as running:
        result = measure(running, arguments.assets)
    print(json.dumps(result, indent=2) if arguments.json else markdown(result))
    sys.exit(not all(row["ok"] for row in result["feeds"]))


if __name__ == "__main__":
    main()
