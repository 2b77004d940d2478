"""
How the comparison with a cloud prints.
"""

from __future__ import annotations

from salt_ext.commands.printing import layout
from salt_ext.commands.printing.layout import Answer
from salt_ext.questions.clouds import LISTS

TOLD = ("state", "project", "region", "zone", "host", "addresses")
"""What is told of an instance behind its name and id."""


def cloud(answer: Answer) -> list[str]:
    """Print both lists, what cannot be told apart, and how many there are of each."""
    counts = answer["counts"]
    lines = []
    for which, table in LISTS.items():
        rows, total = answer["lists"][which], counts[which]
        if not rows:
            continue
        cells = [_of_machine(row) if row["machine"] else _of_instance(row) for row in rows]
        lines += [f"{table.of}:", *(f"  {line}" for line in layout.columns(cells))]
        if len(rows) < total:
            lines.append(f"  {total - len(rows):,} more: list={which}")
        lines.append("")
    head = f"{answer['cloud']}, a test: nothing was stored" if answer["test"] else answer["cloud"]
    told = [
        f"{counts['instances']:,} instances",
        f"{counts['matched']:,} of them report",
        f"{counts['unreported']:,} without a report",
        f"{counts['unlisted']:,} reports without an instance",
    ]
    told += [f"{counts['tied']:,} machines that show one id"] if counts["tied"] else []
    told += [f"{counts['deleted']:,} listed as deleted"] if counts["deleted"] else []
    news = f"{answer['news']:,} with something new"
    return [*lines, f"{head}: {', '.join(told)}; {news}"]


def _of_instance(row: Answer) -> list[str]:
    told = [layout.cell(name, row[name]) for name in TOLD if row.get(name)]
    return [row.get("name") or "-", row.get("id") or "-", ", ".join(told)]


def _of_machine(row: Answer) -> list[str]:
    return [row["machine"], row.get("id") or "-", row["why"]]
