"""
What people do to assets and to what is kept of them; who, when and why stays for ever.

With ``test`` nothing is done: the answer is what would be.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any, NamedTuple

import sqlalchemy as sa

from salt_ext.document.diff import Change
from salt_ext.store import bulk
from salt_ext.store.columns import search_text
from salt_ext.store.database import Database, NotFound, Row, StoreError
from salt_ext.store.documents import current
from salt_ext.store.identity.owners import lock_identity
from salt_ext.store.ingest import inbox
from salt_ext.store.ingest.steps import keep_columns, revision_of, step
from salt_ext.store.ingest.writing import UPSERTS
from salt_ext.store.schema import (
    LIST_COLUMNS,
    asset,
    asset_seen,
    change,
    decision,
    held,
    identifier,
    revision,
)
from salt_ext.words.nearest import unknown

LIFECYCLES = ("planned", "staged", "active", "maintenance", "retired")
"""What people say of an asset; how fresh its reports are is another thing."""


class Act(NamedTuple):
    """Who does something, why, and whether it is only tried out."""

    by: str
    why: str
    test: bool


def rename(database: Database, asset_id: uuid.UUID, name: str, act: Act) -> Row:
    """
    Give an asset another name; return ``old`` and ``new``. A taken name is refused.

    ``role`` in the answer is the one that reports it, where it has no master; it
    may do so under both names from then on.
    """
    now = datetime.now(timezone.utc)
    with database.begin() as link:
        if not act.test:
            lock_identity(link)
        row = locked(link, asset_id, act)
        _refuse_name(link, row, name)
        role = _take_role_along(link, row.minion_id, name, now, act)
        names = {"old": row.minion_id, "new": name}
        found = {"asset_id": asset_id, **names, "role": role, "test": act.test}
        if act.test:
            return found
        seen = step(link, asset_id, now, reports_as=None)
        facts = link.scalar(sa.select(current(asset_id))) or {}
        columns = {one: getattr(row, one) for one in LIST_COLUMNS}
        link.execute(
            sa.update(asset)
            .where(asset.c.id == asset_id)
            .values(minion_id=name, search=search_text(name, columns, facts))
        )
        link.execute(
            sa.update(identifier)
            .where(
                identifier.c.asset_id == asset_id,
                identifier.c.kind == "minion_id",
                identifier.c.last_seen.is_(None),
            )
            .values(last_seen=seen["last_seen"])
        )
        alias = {"asset_id": asset_id, "kind": "minion_id", "value": name, "source": "salt"}
        alias |= {"quality": "low", "shared": False, "first_seen": now, "last_seen": None}
        bulk.insert(link, identifier, [alias], UPSERTS[identifier])
        bulk.insert(link, revision, [revision_of(link, seen, f"renamed by {act.by}: {act.why}")])
        renamed = Change("renamed", "minion_id", None, None, row.minion_id, name)
        number = {"asset_id": asset_id, "revision": seen["revision"], "position": 0}
        bulk.insert(link, change, [{**number, **renamed._asdict()}])
        decided(link, "rename", act, row, names)
        return found


def _refuse_name(link: sa.Connection, row: Any, name: str) -> None:
    if row.minion_id is None:
        raise StoreError(
            f"asset {row.id} is detached: it has no name that could be changed",
            "it takes the name that its machine reports under",
        )
    if row.minion_id == name:
        raise StoreError(f"{name} is its name already", "give another one as new=")
    owner = link.execute(sa.select(asset).where(asset.c.minion_id == name)).one_or_none()
    if owner is not None:
        number = f"with the serial number {owner.sn}" if owner.sn else f"with the id {owner.id}"
        raise StoreError(
            f"{name} is the name of another asset, {number}",
            "rename or retire that one first, or choose another name",
        )
    if link.scalar(sa.select(held.c.minion_id).where(held.c.minion_id == name)):
        raise StoreError(
            f"a machine reports as {name} already, and its report is held",
            f"decide about it first: salt-run cmdb.quarantine show {name}",
        )


def _take_role_along(
    link: sa.Connection, old: str, new: str, now: datetime, act: Act
) -> str | None:
    """
    Let the role that reports a machine without a master do so under its new name.

    Nobody else can then be the first to use that name. The former one stays its
    own too: the machine reports under it until it has learned the new one.
    """
    role = inbox.role_of(link, old)
    if role is None:
        return None
    owner = inbox.role_of(link, new) if act.test else inbox.bind(link, new, role, now)
    if owner not in (None, role):
        raise StoreError(
            f"{new} is reported by the database role {owner}, and {old} by {role}",
            "choose another name",
        )
    return role


def set_lifecycle(database: Database, asset_id: uuid.UUID, state: str, act: Act) -> Row:
    """Say where an asset is in its life; return ``old`` and ``new``."""
    if state not in LIFECYCLES:
        raise ValueError(unknown("state", state, LIFECYCLES))
    now = datetime.now(timezone.utc)
    with database.begin() as link:
        row = locked(link, asset_id, act)
        if state != row.lifecycle and not act.test:
            keep_columns(link, asset_id, max(now, row.changed_at))
            link.execute(sa.update(asset).where(asset.c.id == asset_id).values(lifecycle=state))
            decided(link, "lifecycle", act, row, {"old": row.lifecycle, "new": state})
        return {
            "asset_id": asset_id,
            "minion_id": row.minion_id,
            "old": row.lifecycle,
            "new": state,
            "test": act.test,
        }


def locked(link: sa.Connection, asset_id: uuid.UUID, act: Act) -> Any:
    """Return an asset with what was seen of it; unless it is a test, nobody else writes it."""
    mine = sa.select(asset_seen.c.asset_id).where(asset_seen.c.asset_id == asset_id)
    if not act.test:
        # Read in the next statement: one that waited for a lock reads old rows.
        link.execute(mine.with_for_update())
    row = link.execute(
        sa.select(asset, asset_seen.c.revision, asset_seen.c.changed_at)
        .join(asset_seen, asset_seen.c.asset_id == asset.c.id)
        .where(asset.c.id == asset_id)
    ).one_or_none()
    if row is None:
        raise NotFound(f"there is no asset {asset_id}", "look for it in the list of assets")
    return row


def _says(evidence: Mapping[str, Any]) -> str:
    if "old" in evidence:
        return f"{evidence['old']} → {evidence['new']}"
    return ", ".join(f"{name} {value}" for name, value in evidence.items())


def decided(
    link: sa.Connection, action: str, act: Act, row: Any, evidence: Mapping[str, Any]
) -> None:
    """Remember who did what to an asset, or to none, when and why."""
    link.execute(
        sa.insert(decision).values(
            id=uuid.uuid4(),
            decided_at=datetime.now(timezone.utc),
            decided_by=act.by,
            minion_id=(row.minion_id or str(row.id)) if row is not None else "",
            action=action,
            asset_id=row.id if row is not None else None,
            reason=f"{_says(evidence)}: {act.why}",
            evidence=dict(evidence),
        )
    )
