"""
What the files of a large store cost: the list, the whole workbook, people's list compared.

Each command runs in a process of its own through Salt's loader, as ``salt-run`` does it. The
processor time is its own and PostgreSQL's; the memory is its largest, of which Salt has the
first part before the command begins.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import queries
from benchmarks.facts import machine
from benchmarks.fleet import multiply
from benchmarks.fleet.documents import SITES
from benchmarks.ingest_table import _table as table
from benchmarks.postgres import Server
from salt_ext.exchange import write_table

HALF = ",".join(SITES[: len(SITES) // 2])
LISTED = 100
"""Machines in people's list; all others are unknown to it."""

COMMANDS = {
    "`list out_file=`": ("list", {"out_file": "list.xlsx"}),
    "`export` of half of them": ("export", {"out_file": "half.xlsx", "site__in": HALF}),
    "`reconcile out_file=`": ("reconcile", {"file": "people.csv", "out_file": "reconciled.xlsx"}),
}


def run(command: str, options: dict[str, str], url: str) -> dict[str, Any]:
    """Run one command in this process; return what it cost."""
    # Imported here: they are a part of what is measured.
    import salt.config
    import salt.loader

    runners = Path(__file__).parents[1] / "salt_ext" / "runners"
    opts = salt.config.master_config(None)
    opts.update(cachedir=os.getcwd(), extension_modules=os.getcwd(), runner_dirs=[str(runners)])
    opts["cmdb"] = {"database_url": url}
    function = salt.loader.runner(opts)[f"cmdb.{command}"]
    before = _mebibytes()
    own = time.process_time()
    answer = function(**options)["data"]["cmdb"]
    if not answer["result"]:
        raise AssertionError(answer)
    return {
        "cpu_seconds": round(time.process_time() - own, 1),
        "mebibytes_before": before,
        "mebibytes": _mebibytes(),
        "file_mebibytes": round(Path(options["out_file"]).stat().st_size / (1 << 20)),
        "rows": answer["counts"]["unknown"] if "counts" in answer else answer["rows"],
    }


def _mebibytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10


def _seconds_of(running: Server) -> float:
    """Return the processor time of a server, with that of its processes that have ended."""
    postmaster = Path(running.directory, "postmaster.pid").read_text().split()[0]
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if postmaster in (stat.parent.name, fields[1]):
                ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def measure(running: Server, assets: int, directory: Path) -> dict[str, Any]:
    """Return what each command costs; the store is built where it is not there."""
    if (queries.NAME,) not in running.ask("SELECT datname FROM pg_database"):
        multiply.build(running, queries.NAME, assets).close()
    database = running.database(queries.NAME)
    some = running.ask(
        f"SELECT sn, minion_id, site FROM asset WHERE sn IS NOT NULL LIMIT {LISTED}", queries.NAME
    )
    write_table(str(directory / "people.csv"), ("SN", "Hostname", "Site"), some)
    rows = []
    for name, (command, options) in COMMANDS.items():
        arguments = [command, json.dumps(options), database.url]
        began = _seconds_of(running)
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.files", "--one", *arguments],
            stdout=subprocess.PIPE,
            check=True,
            cwd=directory,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        )
        server = {"postgres_seconds": round(_seconds_of(running) - began, 1)}
        rows.append({"command": name, **json.loads(done.stdout), **server})
    return {"machine": machine(), "postgres": running.about(), "files": rows}


def markdown(result: dict[str, Any]) -> str:
    """Return the result as a table."""
    on = result["machine"]
    columns = {
        "command": "command",
        "rows": "rows",
        "CPU s": "cpu_seconds",
        "PostgreSQL's CPU s": "postgres_seconds",
        "MiB before": "mebibytes_before",
        "MiB": "mebibytes",
        "file MiB": "file_mebibytes",
    }
    rows = [[row[name] for name in columns.values()] for row in result["files"]]
    return (
        f"Linux {on['kernel']}, {on['cpus']} x {on['processor']}, Python {on['python']}, PostgreSQL"
        f" {result['postgres']['version']}, load {on['load']}.\n\n" + table(list(columns), rows)
    )


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.files", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="20,000 assets instead of 100,000")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--keep", type=Path, metavar="DIR", help="the server's directory, as of benchmarks.queries"
    )
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        command, options, url = arguments.one
        print(json.dumps(run(command, json.loads(options), url)))
        return
    with tempfile.TemporaryDirectory(prefix="cmdb-bench-") as name:
        directory = arguments.keep or Path(name, "pg")
        directory.mkdir(parents=True, exist_ok=True)
        bindir = max(queries.DEBIAN.glob("*/bin"), default=None)
        with queries.server(directory.resolve(), bindir) as running:
            assets = queries.QUICK_ASSETS if arguments.quick else queries.ASSETS
            result = measure(running, assets, Path(name))
    print(json.dumps(result, indent=2) if arguments.json else markdown(result))


if __name__ == "__main__":
    main()
