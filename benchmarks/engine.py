"""
How fast reports go from a master's cache to the store, as by the engine, without a master.
"""

from __future__ import annotations

import gc
import math
import tempfile
import time
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import salt.config

from benchmarks import fleet
from benchmarks.postgres import Server
from salt_ext.facts import timestamp
from salt_ext.master import intake
from salt_ext.master.cache import Cache
from salt_ext.report.envelope import MINE_FUNCTION


def measure(server: Server, machines: int, rounds: int) -> dict[str, float]:
    """Return reports per second of a look and a drain: for each phase the median of all rounds."""
    database = server.new_store("engine")
    reports = [fleet.report(number, fleet.START) for number in range(1, machines + 1)]
    others = [
        fleet.report(number, fleet.START, fleet.changed(number))
        for number in range(1, machines + 1)
    ]
    gc.freeze()  # no master has these documents for the garbage collector to look through
    rates: dict[str, list[float]] = {"new": [], "unchanged": [], "changed": []}
    with tempfile.TemporaryDirectory(prefix="cmdb-bench-") as directory:
        cache = Cache(_master(Path(directory), [one["minion_id"] for one in reports]))
        feed = intake.feed(cache, database)
        for number in range(rounds):
            for phase in ("unchanged", "changed"):
                if phase == "changed":
                    reports, others = others, reports
                _send(cache, reports)
                began = time.monotonic()
                feed.look()
                count = feed.drain()
                rate = count / (time.monotonic() - began)
                if count != machines:
                    raise AssertionError(f"{count} of {machines} reports were due")
                is_first = number == 0 and phase == "unchanged"
                rates["new" if is_first else phase].append(rate)
    database.close()
    return {
        "machines": machines,
        **{phase: round(sorted(some)[len(some) // 2]) for phase, some in rates.items()},
    }


def _master(directory: Path, minion_ids: list[str]) -> dict[str, Any]:
    """Return the options of a master that has accepted the keys of these minions."""
    opts: dict[str, Any] = salt.config.master_config(None)
    for name in ("cachedir", "extension_modules", "pki_dir", "root_dir", "sock_dir"):
        opts[name] = str(directory / name)
    accepted = directory / "pki_dir/minions"
    accepted.mkdir(parents=True)
    for minion_id in minion_ids:
        (accepted / minion_id).write_text("a key")
    return opts


def _send(cache: Cache, reports: list[dict[str, Any]]) -> None:
    """Put reports of now into the cache as a master does; return when that second has ended."""
    for report in reports:
        now = datetime.now(timezone.utc)
        made = {
            "collected_at": timestamp(now.timestamp()),
            "since_boot_ms": int((now - fleet.START).total_seconds() * 1000),
        }
        sent = {MINE_FUNCTION: {**report, **made}}
        cache.cache.store(*cache._place("mine", report["minion_id"]), sent)
    # Caches give whole seconds: a report whose second has not ended would be read again.
    time.sleep(math.ceil(time.time()) - time.time() + 0.01)
