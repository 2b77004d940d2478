"""
What a year of a fleet takes on disk, ours and Salt's.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from itertools import groupby, islice
from typing import Any

from benchmarks import fleet
from benchmarks.postgres import Server
from salt_ext import store

ASSETS, QUICK_ASSETS = 10_000, 1_000
BATCH = 100
REPORTS_PER_YEAR = 365 * 24 * 4  # one every 15 minutes
HISTORY = ("asset_was", "change", "decision", "placement", "revision")
"""
The tables that grow with every change. All others hold the present state.

In ``placement``, the stays that have not ended are present state too.
"""


def measure(server: Server, assets: int, bytes_per_row: float) -> dict[str, Any]:
    """Store a year of changed reports; return sizes for 10,000 assets, scaled up from fewer."""
    name = "year"
    database = server.new_store(name)
    before = fleet.START - timedelta(hours=1)
    _ingest(database, ((before, number, fleet.machine(number)) for number in range(1, assets + 1)))
    at_first = server.table_bytes(name)
    began = time.monotonic()
    reports = _ingest(database, fleet.year(assets))
    seconds = time.monotonic() - began
    database.close()
    scale = ASSETS / assets
    sizes = server.table_bytes(name)
    tables = {
        table: {
            "rows": round(scale * server.ask(f"SELECT count(*) FROM {table}", name)[0][0]),
            "bytes_at_first": round(scale * at_first[table]),
            "bytes": round(scale * sizes[table]),
        }
        for table in HISTORY
    }
    ended, stays = server.ask("SELECT count(until), count(*) FROM placement", name)[0]
    placement = tables["placement"]
    placement["bytes"] = round(placement["bytes"] * ended / stays)
    placement["rows"], placement["bytes_at_first"] = round(scale * ended), 0
    now = [size for table, size in sizes.items() if table not in HISTORY]
    changed = round(scale * reports)
    return {
        "assets": ASSETS,
        "measured_assets": assets,
        "changed_reports": changed,
        "per_second_with_the_making_of_the_reports": round(reports / seconds),
        "history_bytes": sum(one["bytes"] for one in tables.values()),
        "history_bytes_at_first": sum(one["bytes_at_first"] for one in tables.values()),
        "history_tables": tables,
        "current_bytes": round(scale * sum(now)),
        "pgjsonb_changed_only_bytes": round(bytes_per_row * changed),
        "pgjsonb_bytes": round(bytes_per_row * ASSETS * REPORTS_PER_YEAR),
    }


def _ingest(database: store.Database, stream: Iterable[tuple[datetime, int, fleet.Facts]]) -> int:
    """Store a stream in batches; return how many reports it had."""
    count = 0
    for batch in _batches(stream):
        for outcome in store.ingest(database, batch):
            if outcome.status in ("held", "refused"):
                raise AssertionError(f"{outcome.minion_id} is {outcome.status}: {outcome.detail}")
        count += len(batch)
    return count


def _batches(
    stream: Iterable[tuple[datetime, int, fleet.Facts]],
) -> Iterator[list[store.Arrival]]:
    # No batch is of several days: what was silent is judged by the moment of its first report.
    for _, day in groupby(stream, lambda one: one[0].date()):
        while batch := list(islice(day, BATCH)):
            reports = [(fleet.report(number, at, facts), at) for at, number, facts in batch]
            yield [store.Arrival(one["minion_id"], one, at) for one, at in reports]
