"""
What the files of a large store cost: the list, the whole workbook, people's list compared.

Each command runs in a process of its own through Salt's loader, as ``salt-run`` does it. The
processor time is its own and PostgreSQL's; the memory is its largest, of which Salt has the
first part before the command begins.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import large
from benchmarks.facts import machine
from benchmarks.fleet.documents import SITES
from benchmarks.ingest_table import _table as table
from benchmarks.postgres import Server
from benchmarks.processes import cpu_seconds
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


def measure(running: Server, assets: int, directory: Path) -> dict[str, Any]:
    """Return what each command costs; the store is built where it is not there."""
    database = large.built(running, assets)
    postmaster = running.pid()
    some = running.ask(
        f"SELECT sn, minion_id, site FROM asset WHERE sn IS NOT NULL LIMIT {LISTED}", large.NAME
    )
    write_table(str(directory / "people.csv"), ("SN", "Hostname", "Site"), some)
    rows = []
    for name, (command, options) in COMMANDS.items():
        arguments = [command, json.dumps(options), database.url]
        began = cpu_seconds(postmaster)
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.files", "--one", *arguments],
            stdout=subprocess.PIPE,
            check=True,
            cwd=directory,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        )
        server = {"postgres_seconds": round(cpu_seconds(postmaster) - began, 1)}
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
    parser = large.parser("python -m benchmarks.files", __doc__)
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        command, options, url = arguments.one
        print(json.dumps(run(command, json.loads(options), url)))
        return
    with (
        tempfile.TemporaryDirectory(prefix="cmdb-bench-") as name,
        large.server(arguments) as running,
    ):
        result = measure(running, arguments.assets, Path(name))
    print(json.dumps(result, indent=2) if arguments.json else markdown(result))


if __name__ == "__main__":
    main()
