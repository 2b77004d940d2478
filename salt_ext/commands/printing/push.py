"""
How a push into another system prints.
"""

from __future__ import annotations

from salt_ext.commands.printing import layout
from salt_ext.commands.printing.layout import Answer
from salt_ext.words import values

DONE = {
    "rename": "renamed",
    "retire": "retired",
    "return": "returned",
    "update": "updated",
    "adopt": "adopted",
    "create": "created",
}
"""How each step is called once it is done; what is not done is called as it is."""

TOLD_BY_THE_WORD = ("asset_id", "retired")
"""Fields that say no more than that an object was adopted, retired or returned."""


def pushed(answer: Answer) -> list[str]:
    """Print a line for each machine with what was written, and how many there were."""
    is_dry = answer["dry_run"]
    rows = [
        [_word(row["what"], is_dry), row["name"] or "-", _told(row, is_dry)]
        for row in answer["rows"]
    ]
    lines = layout.columns(rows) if rows else []
    if answer["made_first"]:
        first = "would be made first" if is_dry else "made first"
        more = answer["made_first_total"] - len(answer["made_first"])
        names = [*map(values.value, answer["made_first"]), *([f"{more} more"] if more else [])]
        lines.insert(0, f"{first}: {', '.join(names)}")
    shown, total = len(answer["rows"]), answer["total"]
    if shown < total:
        lines.append(f"{shown} of {total} shown  ({total - shown} more with a larger limit=)")
    counts = [f"{number} {_word(what, is_dry)}" for what, number in answer["counts"].items()]
    counts.append(f"{answer['unchanged']} as they shall be")
    if answer["missing"]:
        counts.append(f"{answer['missing']} missing, which stay as they are")
    head = f"{answer['push']}, dry run: nothing was written" if is_dry else answer["push"]
    asked = layout.count(answer["calls"], answer["calls"], "requests")
    return [*lines, f"{head}: {', '.join(counts)} ({asked})"]


def _word(what: str, is_dry: bool) -> str:
    return f"would be {DONE[what]}" if is_dry and what in DONE else DONE.get(what, what)


def _told(row: Answer, is_dry: bool) -> str:
    """Return the fields that are written, old → new, and the reason; of a new one those it gets."""
    changes = [one for one in row["changes"] if one["field"] not in TOLD_BY_THE_WORD]
    told = [
        f"{one['field']}: {values.value(one['old'])} → {values.value(one['new'])}"
        for one in changes
    ]
    if row["what"] == "create":
        known = [one for one in changes if is_dry and one["new"] not in (None, [], row["name"])]
        told = [f"{one['field']}: {values.value(one['new'])}" for one in known]
    return "; ".join([*told, *([row["why"]] if row["why"] else [])])
