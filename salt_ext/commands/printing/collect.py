"""
How it prints what became of each machine that was asked.
"""

from __future__ import annotations

from salt_ext.commands.printing import layout
from salt_ext.commands.printing.layout import Answer


def collected(answer: Answer) -> list[str]:
    """Print what became of each machine that was asked."""
    lines = _machines(answer, "mode", "status")
    counts = [f"{number} {status}" for status, number in answer["counts"].items() if number]
    end = " (interrupted)" if answer["interrupted"] else ""
    total = layout.count(answer["asked"], answer["asked"], "machines")
    return [*lines, f"{total}: {', '.join(counts)}{end}"]


def synced(answer: Answer) -> list[str]:
    """Print how many reports had which status, and why some were not stored."""
    if not answer["rows"]:
        return ["no reports to store"]
    return [*layout.grid(answer["columns"], answer["rows"]), *_machines(answer, "status")]


def _machines(answer: Answer, *keys: str) -> list[str]:
    """Return a line for each machine: its name, what is asked of it, and the reason in full."""
    rows = [
        [one["minion_id"], *(one[key] for key in keys), " ".join(one["detail"].split())]
        for one in answer["machines"]
    ]
    return layout.columns(rows) if rows else []
