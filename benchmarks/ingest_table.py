"""
The results of the ingest benchmark, as tables for docs/benchmarks.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from benchmarks.year import REPORTS_PER_YEAR

MIB = 1 << 20
TIB = 1 << 40


def markdown(result: dict[str, Any]) -> str:
    """Return all tables, ready to be pasted."""
    tables = [_where(result), _ours(result), _unchanged(result), _others(result)]
    if "year" in result:
        tables += [_year(result["year"]), _engine(result["engine"])]
    return "\n\n".join(tables)


def _where(result: dict[str, Any]) -> str:
    on, postgres = result["machine"], result["postgres"]
    return (
        f"Linux {on['kernel']}, {on['cpus']} x {on['processor']}, Python {on['python']}, PostgreSQL"
        f" {postgres['version']} with its defaults (fsync {postgres['fsync']}, synchronous_commit"
        f" {postgres['synchronous_commit']}), {result['machines']} machines with"
        f" {result['document_bytes']} bytes each, {result['rounds']} rounds, load {on['load']}."
    )


def _ours(result: dict[str, Any]) -> str:
    rows = []
    for phase in ("unchanged", "refreshed", "changed", "new"):
        for batch, one in result[phase].items():
            two = result["two_writers"][phase].get(batch, {})
            rows.append(
                (
                    phase,
                    batch,
                    one["per_second"],
                    one["ratio_pgjsonb"],
                    one["ratio_postgres"],
                    two.get("per_second"),
                    two.get("ratio_pgjsonb"),
                    one["wal_bytes"],
                    one["disk_bytes"],
                )
            )
    head = (
        "reports", "batch", "per second", "to pgjsonb", "to postgres", "two writers", "to pgjsonb",
        "WAL bytes", "disk bytes",
    )  # fmt: skip
    return _table(head, rows)


def _unchanged(result: dict[str, Any]) -> str:
    told = ", ".join(f"{when} {size:g}" for when, size in result["unchanged_wal_bytes"].items())
    return f"WAL bytes of an unchanged report, one by one: {told}."


def _others(result: dict[str, Any]) -> str:
    rows: list[Sequence[Any]] = []
    for name, one in result["returners"].items():
        if "per_second" in one:
            rows.append((name, 1, *_figures(one)))
        else:
            rows += [(name, batch, *_figures(each)) for batch, each in one.items()]
    rows += [("COPY, jsonb", batch, *_figures(each)) for batch, each in result["copy"].items()]
    return _table(("writer", "batch", "per second", "WAL bytes", "disk bytes"), rows)


def _figures(one: dict[str, Any]) -> tuple[Any, ...]:
    return one["per_second"], one.get("wal_bytes"), one.get("disk_bytes")


def _year(year: dict[str, Any]) -> str:
    scaled = year["measured_assets"] != year["assets"]
    measured = f", scaled up from {year['measured_assets']}" if scaled else ""
    rows: list[Sequence[Any]] = [
        (name, one["rows"], _mib(one["bytes_at_first"]), _mib(one["bytes"]))
        for name, one in year["history_tables"].items()
    ]
    first, after = year["history_bytes_at_first"], year["history_bytes"]
    changed, every = year["changed_reports"], year["assets"] * REPORTS_PER_YEAR
    rows += [
        ("**history**", None, _mib(first), f"**{_mib(after)}**"),
        ("what is now", None, None, _mib(year["current_bytes"])),
        ("pgjsonb, changed reports only", changed, None, _mib(year["pgjsonb_changed_only_bytes"])),
        ("pgjsonb, every report", every, None, f"{year['pgjsonb_bytes'] / TIB:.1f} TiB"),
    ]
    caption = (
        f"A year of {year['assets']} assets{measured}, a report every 15 minutes,"
        f" {year['changed_reports']} of them changed; sizes with indexes:"
    )
    return caption + "\n\n" + _table(("table", "rows", "on the first day", "after the year"), rows)


def _mib(size: int) -> str:
    return f"{size / MIB:.1f} MiB"


def _engine(engine: dict[str, Any]) -> str:
    rates = ", ".join(f"{engine[phase]} {phase}" for phase in ("unchanged", "changed", "new"))
    return (
        f"The engine, from the cache of {engine['machines']} minions, reports per second: {rates}."
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|---|" + "--:|" * (len(head) - 1)]
    for row in rows:
        cells = (
            "-" if cell is None else f"{cell:g}" if _is_float(cell) else str(cell) for cell in row
        )
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _is_float(cell: object) -> bool:
    return isinstance(cell, float)
