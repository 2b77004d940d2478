"""
A key that a machine only claims: from now on it is none of that machine's.
"""

from __future__ import annotations

import uuid

import sqlalchemy as sa

from salt_ext.facts.identity import KEYS
from salt_ext.store.acts.act import Act, decided, locked
from salt_ext.store.database import Database, Row
from salt_ext.store.errors import NotFound
from salt_ext.store.identity.locking import lock_identity
from salt_ext.store.reads.asset import SHARED
from salt_ext.store.schema import identifier
from salt_ext.words.nearest import nearest, unknown
from salt_ext.words.spellings import spellings


def disown(
    database: Database, asset_id: uuid.UUID, kind: str, act: Act, *, value: str = "", own: bool
) -> Row:
    """
    Say that an asset only claims its keys of a kind, or with ``own`` that they are its own again.

    ``value`` is one of them, blank for all that another machine shows too. They do not
    count for this asset from now on, whatever it reports, and decide for the other
    machine again. Returns the ``values``. Raises ValueError for an unknown kind, and
    :class:`NotFound` when the asset shows none.
    """
    if kind not in KEYS:
        raise ValueError(unknown("kind of key", kind, KEYS))
    with database.begin() as link:
        if not act.test:
            lock_identity(link)
        row = locked(link, asset_id, act)
        where = [
            identifier.c.asset_id == asset_id,
            identifier.c.kind == kind,
            identifier.c.disowned == own,
        ]
        if value:
            where.append(identifier.c.value.in_(spellings(value)))
        elif not own:
            where.append(SHARED)
        asked = sa.select(identifier.c.value).where(*where).order_by("value")
        values = [*link.scalars(asked, {"asset_id": asset_id})]
        if not values:
            name = row.minion_id or asset_id
            of_kind = sa.select(identifier.c.value).where(
                identifier.c.asset_id == asset_id, identifier.c.kind == kind
            )
            near = nearest(value, link.scalars(of_kind)) if value else None
            raise NotFound(
                f"{name} has no such {kind}{_which(own, value)}",
                (f"the nearest is {near!r}; " if near else "")
                + f"see which keys it shows with: salt-run cmdb.identity {name}",
            )
        if not act.test:
            chosen = sa.update(identifier).where(*where[:2], identifier.c.value.in_(values))
            link.execute(chosen.values(disowned=not own))
            evidence = {kind: ", ".join(values)}
            decided(link, "own" if own else "disown", act, row, evidence)
        return {
            "asset_id": asset_id,
            "minion_id": row.minion_id,
            "key": kind,
            "values": values,
            "disowned": not own,
            "test": act.test,
        }


def _which(own: bool, value: str) -> str:
    if own:
        return " that is disowned"
    return f" {value}" if value else " that another machine shows too"
