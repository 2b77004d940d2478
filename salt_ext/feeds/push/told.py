"""
What is told of a push, for people and programs alike.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from salt_ext import store
from salt_ext.feeds.push.configured import push_of
from salt_ext.feeds.push.plan import ORDER, Step
from salt_ext.feeds.push.run import SAY_FORCE, Done, Wishes
from salt_ext.feeds.push.target import Push
from salt_ext.settings import SettingsError


def content(what: Push, wishes: Wishes, done: Done, limit: int) -> dict[str, Any]:
    """Return a run as data: what was counted, and of the first machines what was done."""
    steps = done.steps
    rows = [
        {
            "what": step.what,
            "name": step.name,
            "asset_id": step.asset_id,
            "remote_id": step.found.id if step.found else None,
            "changes": [
                {"field": name, "old": _old(step, name), "new": value}
                for name, value in step.fields.items()
                if step.what in ORDER
            ],
            "why": step.why,
        }
        for step in steps
    ]
    rows += [
        {
            "what": "left out",
            "name": one.name,
            "asset_id": one.asset_id,
            "remote_id": None,
            "changes": [],
            "why": one.why,
        }
        for one in done.left_out
    ]
    return {
        "push": what.name,
        "system": what.system,
        "url": what.url,
        "dry_run": wishes.dry_run,
        "counts": dict(Counter(row["what"] for row in rows)),
        "unchanged": done.unchanged,
        "missing": done.missing,
        "calls": done.calls,
        "made_first": list(done.made_first[:limit]),
        "made_first_total": len(done.made_first),
        "rows": rows[:limit],
        "total": len(rows),
        **({"hint": f"{done.brake}: {SAY_FORCE}"} if done.brake else {}),
    }


def _old(step: Step, name: str) -> Any:
    return step.found.fields.get(name) if step.found and step.what != "create" else None


def overview(database: store.Database) -> list[dict[str, Any]]:
    """Return the pushes of the setting, and those that only the ledger knows any more."""
    known = {row["push"]: row for row in store.pushes(database)}
    nothing = {"objects": 0, "retired": 0, "written_at": None}
    rows = []
    for name in sorted({*database.settings["pushes"], *known}):
        row = {"push": name, "system": None, "url": None, "note": None}
        row |= known.get(name, nothing)
        try:
            found = push_of(database.settings, name)
            row |= {"system": found.system, "url": found.url}
        except SettingsError as error:
            row["note"] = str(error)
        rows.append(row)
    return rows
