"""
What the web costs with 100,000 assets and a year of history, through gunicorn as it is deployed.

Three tables: what a request of each page and API path costs, beside what it may; how fast
``/healthz`` answers while 16 readers ask for what is heavy; and how much memory a file of all
assets takes in each format.
"""

from __future__ import annotations

import itertools
import json
import math
import multiprocessing
import os
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks import large, processes
from benchmarks.ingest_table import _table as table
from benchmarks.pages import FILE, HEAVY, Budget, Page, pages
from benchmarks.postgres import Server
from benchmarks.reads import Sample
from benchmarks.web_server import Answer, Web, get, web
from salt_ext.exchange import FORMATS

WARMING = 3
FEWEST, MOST = 5, 1000
"""How often an address of a kind is asked for."""
SECONDS = 4
"""The time for all requests of one kind; slow ones are made at least FEWEST times."""

READERS = 16
NICE = 10
AGAIN_SECONDS = 0.5
"""After this time a reader who was told to come again does so, whatever he was told."""
PROBES = 300
PROBE_BUDGET_MS = 100

FILE_BUDGET_MEBIBYTES = 64


def measure(running: Server, assets: int, directory: Path) -> dict[str, Any]:
    """Return everything that is measured; build the store if it is not there."""
    database = large.built(running, assets)
    about = large.about(running, database)
    wanted = pages(Sample(database))
    database.close()
    with (
        web(database.url, directory, workers=1) as one,
        web(database.url, directory, workers=1, CMDB_CACHE_SECONDS="0") as forgetful,
    ):
        costs = list(_costs(one, forgetful, running, wanted))
        files = list(_files(one))
    with web(database.url, directory, workers=2) as two:
        probes = _probes(two)
    return {**about, "pages": costs, "files": files, "probes": probes}


def _costs(
    of: Web, forgetful: Web, running: Server, wanted: list[Page]
) -> Iterator[dict[str, Any]]:
    """
    Yield what each page costs; the first is what the others are compared with.

    Those of which answers are kept are asked of a process that keeps none, too.
    """
    first = None
    for page in wanted:
        row = _cost(of, running, page)
        row["unkept_ms"] = _cost(forgetful, running, page)["cpu_ms"] if page.is_kept else None
        first = row["cpu_ms"] if first is None else first
        row["to_first"] = round(row["cpu_ms"] / first, 1)
        large.say(f"{row['page']}: {row['cpu_ms']} ms CPU, p95 {row['p95_ms']} ms")
        yield row


def _cost(of: Web, running: Server, page: Page) -> dict[str, Any]:
    with of.link() as link:
        for address in itertools.islice(itertools.cycle(page.addresses), WARMING):
            get(link, address)
        plain = [get(link, one, gzip=False).bytes for one in page.addresses[:WARMING]]
        statements, postmaster = of.statements(), running.pid()
        began = time.monotonic()
        web_cpu, server_cpu = processes.cpu_seconds(of.pid), processes.cpu_seconds(postmaster)
        answers: list[Answer] = []
        for address in itertools.islice(itertools.cycle(page.addresses), MOST):
            answers.append(get(link, address))
            if len(answers) >= FEWEST and time.monotonic() - began > SECONDS:
                break
        web_cpu = processes.cpu_seconds(of.pid) - web_cpu
        server_cpu = processes.cpu_seconds(postmaster) - server_cpu
        statements = of.statements() - statements
    times = sorted(one.seconds for one in answers)
    count = len(answers)
    cost = {
        "page": page.name,
        "requests": count,
        "status": max(one.status for one in answers),
        "web_ms": round(1000 * web_cpu / count, 1),
        "postgres_ms": round(1000 * server_cpu / count, 1),
        "cpu_ms": round(1000 * (web_cpu + server_cpu) / count, 2),
        "budget_ms": page.budget.cpu_ms,
        "statements": round(statements / count, 1),
        "kilobytes": round(statistics.mean(plain) / 1000, 1),
        "gzip_kilobytes": round(statistics.mean(one.bytes for one in answers) / 1000, 1),
        "p95_ms": round(1000 * times[math.ceil(0.95 * count) - 1], 1),
    }
    return {**cost, "ok": _is_within(cost, page.budget)}


def _is_within(cost: dict[str, Any], budget: Budget) -> bool:
    limits = (
        (cost["cpu_ms"], budget.cpu_ms),
        (cost["statements"], budget.statements),
        (cost["kilobytes"], budget.kilobytes),
    )
    return cost["status"] < 400 and all(most is None or it <= most for it, most in limits)


def _files(of: Web) -> Iterator[dict[str, Any]]:
    """Yield what a file of all assets takes, in each format."""
    [worker] = of.workers()
    idle = processes.resident_mebibytes(worker)
    for format_of in FORMATS:
        processes.forget_peak(worker)
        with of.link() as link:
            answer = get(link, f"{FILE}.{format_of}", gzip=False)
        more = processes.peak_mebibytes(worker) - idle
        large.say(f"{format_of}: {more:.0f} MiB more than {idle:.0f}")
        yield {
            "format": format_of,
            "status": answer.status,
            "seconds": round(answer.seconds, 1),
            "mebibytes": round(answer.bytes / (1 << 20), 1),
            "idle_mebibytes": round(idle, 1),
            "more_mebibytes": round(more, 1),
            "budget_mebibytes": FILE_BUDGET_MEBIBYTES,
            "ok": answer.status == 200 and more <= FILE_BUDGET_MEBIBYTES,
        }


def _probes(of: Web) -> dict[str, Any]:
    """Return how fast ``/healthz`` is while others ask for what is heavy."""
    # A process of its own, and one that gives way: these readers have machines of their own.
    is_over = multiprocessing.Event()
    answers: multiprocessing.SimpleQueue[list[Answer]] = multiprocessing.SimpleQueue()
    readers = multiprocessing.Process(target=_read, args=(of, is_over, answers))
    readers.start()
    times = []
    for _ in range(PROBES):
        is_over.wait(0.05)
        with of.link() as link:
            times.append(get(link, "/healthz").seconds)
    is_over.set()
    answered = answers.get()
    readers.join()
    times.sort()
    p99 = round(1000 * times[math.ceil(0.99 * len(times)) - 1], 1)
    refused = [one.seconds for one in answered if one.retry_after]
    return {
        "probes": len(times),
        "p50_ms": round(1000 * statistics.median(times), 1),
        "p99_ms": p99,
        "max_ms": round(1000 * times[-1], 1),
        "budget_ms": PROBE_BUDGET_MS,
        "ok": p99 <= PROBE_BUDGET_MS,
        "answered": sum(one.status == 200 for one in answered),
        "refused": len(refused),
        "refused_within_ms": round(1000 * max(refused, default=0)),
    }


def _read(of: Web, is_over: Any, answers: Any) -> None:
    """Ask for what is heavy, as many readers do at once, until it is over."""
    os.nice(NICE)
    answered: list[Answer] = []

    def read(first: int) -> None:
        for address in itertools.islice(itertools.cycle(HEAVY), first, None):
            if is_over.is_set():
                return
            with of.link() as link:
                answer = get(link, address)
            answered.append(answer)
            if answer.retry_after:
                is_over.wait(AGAIN_SECONDS)

    readers = [threading.Thread(target=read, args=[number]) for number in range(READERS)]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    answers.put(answered)


def markdown(result: dict[str, Any]) -> str:
    """Return the result as tables."""
    of_pages = {
        "page": "page",
        "web ms": "web_ms",
        "PostgreSQL ms": "postgres_ms",
        "CPU ms": "cpu_ms",
        "when not kept": "unkept_ms",
        "budget ms": "budget_ms",
        "to /healthz": "to_first",
        "statements": "statements",
        "kB": "kilobytes",
        "gzip kB": "gzip_kilobytes",
        "p95 ms": "p95_ms",
        "ok": "ok",
    }
    of_files = {
        "file": "format",
        "seconds": "seconds",
        "MiB": "mebibytes",
        "memory, MiB": "more_mebibytes",
        "budget MiB": "budget_mebibytes",
        "ok": "ok",
    }
    probes = result["probes"]
    return "\n\n".join(
        [
            large.where(result),
            _table(of_pages, result["pages"]),
            f"`/healthz` while {READERS} readers ask for what is heavy: p50 {probes['p50_ms']} ms,"
            f" p99 {probes['p99_ms']} ms (budget {probes['budget_ms']} ms), at most"
            f" {probes['max_ms']} ms, of {probes['probes']}. {probes['answered']} heavy reads were"
            f" answered and {probes['refused']} told to come again, each within"
            f" {probes['refused_within_ms']} ms.",
            _table(of_files, result["files"]),
        ]
    )


def _table(columns: dict[str, str], rows: list[dict[str, Any]]) -> str:
    words = [{**row, "ok": "yes" if row["ok"] else "**no**"} for row in rows]
    return table(list(columns), [[row[name] for name in columns.values()] for row in words])


def main() -> None:
    """Run the command line; the exit status is 1 when something costs more than it may."""
    arguments = large.parser("./dev bench web", __doc__).parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="cmdb-bench-") as directory,
        large.server(arguments) as running,
    ):
        result = measure(running, arguments.assets, Path(directory))
    print(json.dumps(result, indent=2) if arguments.json else markdown(result))
    rows = [*result["pages"], *result["files"], result["probes"]]
    sys.exit(not all(row["ok"] for row in rows))


if __name__ == "__main__":
    main()
