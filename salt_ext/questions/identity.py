"""
Why an asset is this asset: its identifiers, what was decided about it, and what is undecided.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from salt_ext import store
from salt_ext.questions.quality import decides
from salt_ext.words.called import called
from salt_ext.words.shell import argument

CLAIMS = 3
"""Of so many held reports that claim an asset the choices are told; of others, that they wait."""


def identity(
    database: store.Database, asset_id: uuid.UUID, at: datetime | None = None, limit: int = 50
) -> dict[str, Any]:
    """
    Return the identifiers of an asset, now or at a moment, and the decisions until then.

    ``decisions`` are at most ``limit``, the last first; ``more`` says whether there are others.
    """
    row = store.overview(database, asset_id)
    made = store.decisions(database, asset_id=asset_id, until=at, limit=limit + 1)
    found = row["identifiers"]
    if at is not None:
        found = [
            one
            for one in found
            if one["first_seen"] <= at and (one["is_current"] or one["last_seen"] >= at)
        ]
    return {
        "minion_id": row["minion_id"],
        "name": row["minion_id"] or row["sn"] or called(row),
        "id": asset_id,
        "identifiers": found,
        "decisions": made[:limit],
        "more": len(made) > limit,
    }


def claims(database: store.Database, asset_id: uuid.UUID) -> list[dict[str, Any]]:
    """
    Return the reports that wait for a person and may be of this asset, the last first.

    Each has the ``command`` that shows what may be decided about it; the first :data:`CLAIMS`
    have the ``choices`` and the ``report`` of :func:`undecided` too.
    """
    waiting = store.claiming(database, asset_id)
    most = 0 if database.hidden else CLAIMS
    return [
        {
            **one,
            "command": decides(one["minion_id"]),
            **(undecided(database, one) if number < most else {"choices": []}),
        }
        for number, one in enumerate(waiting)
    ]


def undecided(database: store.Database, held: dict[str, Any]) -> dict[str, Any]:
    """
    Return what may be decided about a held report, a row of :func:`store.held_reports`.

    That is ``report``, the mark of what is decided about, and ``choices``: each with the asset
    that is its ``subject``, what it would do, and the ``command`` that shows this once more
    and, with a reason and ``test=False``, decides.
    """
    # The mark is of the row that was read before the choices: of no report newer than they are.
    name, mark = held["minion_id"], store.mark(held["evidence"])
    return {"report": mark, "choices": choices(database, name, mark)}


def choices(database: store.Database, minion_id: str, mark: str = "") -> list[dict[str, Any]]:
    """Return what may be decided about the held report of a minion."""
    return [
        {
            "choice": one.name,
            "subject": one.subject and {"id": one.subject.id, "name": one.subject.name()},
            "says": one.says,
            "command": command(one, minion_id, mark),
        }
        for one in store.choices(database, minion_id)
    ]


def command(one: store.Ruling, minion_id: str, mark: str = "") -> str:
    """Return the command that decides so about the held report of a minion."""
    words = ["salt-run cmdb.quarantine", one.name, argument(minion_id)]
    words += [f"as={one.subject.id}"] if one.subject else []
    words += [f"report={argument(mark)}"] if mark else []
    return " ".join((*words, "reason='...'", "test=False"))
