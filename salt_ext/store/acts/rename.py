"""
Give an asset another name. With ``test`` nothing is done; the answer says what would be done.
"""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from salt_ext.document.diff import Change
from salt_ext.store import bulk, clock
from salt_ext.store.acts.act import Act, decided, locked
from salt_ext.store.database import Database, Row
from salt_ext.store.documents import current
from salt_ext.store.errors import StoreError
from salt_ext.store.identity.locking import lock_identity
from salt_ext.store.ingest import inbox
from salt_ext.store.ingest.listed import settle
from salt_ext.store.ingest.steps import revision_of, step
from salt_ext.store.ingest.writing import UPSERTS, dated
from salt_ext.store.schema import LIST_COLUMNS, asset, change, held, identifier, revision
from salt_ext.store.search import search_text, with_listed


def rename(database: Database, asset_id: uuid.UUID, name: str, act: Act) -> Row:
    """
    Give an asset another name; return ``old`` and ``new``. A taken name is refused.

    ``role`` in the answer is the database role that reports the machine, if the
    machine has no master. From then on the role may report it under both names.
    """
    with database.begin() as link:
        if not act.test:
            lock_identity(link)
        now = clock.now(link)
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
            .values(
                minion_id=name, search=with_listed(search_text(name, columns, facts), row.listed)
            )
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
        alias |= {"quality": "low", "disowned": False, "first_seen": now, "last_seen": None}
        bulk.insert(link, identifier, [alias], UPSERTS[identifier])
        bulk.insert(link, revision, [revision_of(link, seen, f"renamed by {act.by}: {act.why}")])
        renamed = Change("renamed", "minion_id", None, None, row.minion_id, name)
        of_revision = {"asset_id": asset_id, "revision": seen["revision"], "position": 0}
        news = {"recorded_at": seen["changed_at"], "class": "renamed"}
        bulk.insert(link, change, dated(link, [{**of_revision, **renamed._asdict(), **news}]))
        decided(link, "rename", act, row, names)
        settle(link, [asset_id], locked=True)
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
    Let the role that reports a machine without a master do so under its new name too.

    Then no other role can be the first to use the new name. The role also keeps the
    old name: the machine reports under that until it has learned the new one.
    Returns the role; None for a machine that has a master.
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
