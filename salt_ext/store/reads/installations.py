"""
Installations: which there are and what has become of them, and which are to be compared.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from salt_ext.store.aside import is_due
from salt_ext.store.database import Database, Row, rows
from salt_ext.store.hidden import MARK, Hidden
from salt_ext.store.provisioning import STATE
from salt_ext.store.reads.filters import matching_ids
from salt_ext.store.reads.masking import masked
from salt_ext.store.reads.names import CALLED, but
from salt_ext.store.said import OWN
from salt_ext.store.schema import asset, asset_facts, asset_seen, identifier, installation
from salt_ext.words.called import called
from salt_ext.words.nearest import unknown

STATES = ("open", "started", "done", "expired", "revoked", "closed")
"""What can have become of an installation, see :data:`~salt_ext.store.provisioning.STATE`."""

SHOWN = (
    *("id", "asset_id", "macs", "opened_at", "opened_by", "reason", "expires_at"),
    *("revoked_at", "revoked_by", "bound_uuid", "bound_mac", "first_get_at", "last_get_at", "gets"),
    *("done_at", "compared_at", "differences"),
)

PLANNED = ("sn", "hostname", "address", "profile", "disk_layout")
"""The fields of a plan that have columns of their own."""

MOST = 100
"""So many installations are compared at once; the others follow with the next look."""

COMPARING = "installed"
"""What is set aside for a machine that cannot be compared."""

SECTIONS = ("network", "bmc", "lvm")
"""The sections that tell more of a machine than its columns, for the comparison."""


@masked
def installations(
    database: Database,
    *,
    filters: Mapping[str, Any] | None = None,
    state: str = "",
    asset_id: uuid.UUID | None = None,
    limit: int | None = None,
) -> tuple[list[Row], int]:
    """
    Return installations, the newest first, and how many there are in all.

    Each has ``name`` and ``state``, what was planned, and ``differences``: the fields in which
    the first report was not as planned, each with ``planned`` and ``reported``; None while
    nothing was compared. Raises :class:`~salt_ext.store.errors.FilterError`, and ValueError for
    an unknown state.
    """
    if state and state not in STATES:
        raise ValueError(unknown("state", state, STATES))
    where: list[sa.ColumnElement[bool]] = [STATE.in_([state])] if state else []
    if filters:
        where.append(installation.c.asset_id.in_(matching_ids(database, filters)))
    if asset_id is not None:
        where.append(installation.c.asset_id == asset_id)
    planned = [installation.c.plan[name].astext.label(name) for name in PLANNED]
    # As people wrote it, and not in the byte order that is compared.
    uuid_said = sa.func.coalesce(installation.c.plan["uuid"].astext, installation.c.uuid)
    statement = (
        sa.select(
            *(installation.c[name] for name in SHOWN),
            *planned,
            uuid_said.label("uuid"),
            STATE,
            *(column.label(f"its_{column.name}") for column in CALLED),
        )
        .outerjoin(asset, asset.c.id == installation.c.asset_id)
        .where(*where)
        .order_by(installation.c.opened_at.desc(), installation.c.id)
    )
    with database.autocommit() as link:
        found = rows(link.execute(statement.limit(limit)))
        total = len(found)
        if limit is not None and len(found) == limit:
            every = sa.select(sa.func.count()).select_from(statement.order_by(None).subquery())
            total = link.scalar(every) or 0
    hidden = database.hidden
    for row in found:
        its = {column.name: row.pop(f"its_{column.name}") for column in CALLED}
        row["name"] = called(but(hidden, its if row["asset_id"] else {**row, "kind": "planned"}))
        row["differences"] = _shown(hidden, row["differences"])
        own = (name for name in PLANNED if f"{OWN}{name}" in hidden.columns)
        row |= dict.fromkeys(own, MARK)
    return found, total


def _shown(hidden: Hidden, differences: list[Row] | None) -> list[Row] | None:
    """Return differences, and of all that are hidden that there are some."""
    is_hidden = hidden.columns | hidden.kinds
    found = [one for one in differences or () if one["field"] not in is_hidden]
    if len(found) < len(differences or ()):
        found.append(dict.fromkeys(("field", "planned", "reported"), MARK))
    return None if differences is None else found


def installed(database: Database) -> list[Row]:
    """
    Return installations that are done and whose machine has reported since, the first ones first.

    Those whose comparison failed are left out until their machine reports again.
    Each has ``plan``, ``bound_uuid`` and ``bound_mac``, and of the machine its columns, what it
    shows as ``uuids`` and ``macs``, and ``facts`` by section: those of :data:`SECTIONS`.
    """
    statement = (
        sa.select(
            *(installation.c[name] for name in ("plan", "bound_uuid", "bound_mac")),
            installation.c.id.label("installation_id"),
            asset,
            *(_keys(kind).label(f"{kind}s") for kind in ("uuid", "mac")),
            sa.select(sa.func.jsonb_object_agg(asset_facts.c.section, asset_facts.c.facts))
            .where(
                asset_facts.c.asset_id == asset_seen.c.asset_id, asset_facts.c.section.in_(SECTIONS)
            )
            .scalar_subquery()
            .label("facts"),
        )
        .join(asset, asset.c.id == installation.c.asset_id)
        .join(asset_seen, asset_seen.c.asset_id == asset.c.id)
        .where(
            installation.c.done_at.is_not(None),
            installation.c.compared_at.is_(None),
            asset_seen.c.mode != "list",
            asset_seen.c.last_seen > installation.c.done_at,
            sa.text(is_due(COMPARING, "asset_seen")),
        )
        .order_by(installation.c.done_at, installation.c.id)
        .limit(MOST)
    )
    with database.autocommit() as link:
        return rows(link.execute(statement))


def _keys(kind: str) -> sa.ScalarSelect[Any]:
    """Return the keys of a kind that an asset shows now, in an array."""
    return (
        sa.select(sa.func.coalesce(sa.func.array_agg(identifier.c.value), "{}"))
        .where(
            identifier.c.asset_id == asset_seen.c.asset_id,
            identifier.c.kind == kind,
            identifier.c.last_seen.is_(None),
        )
        .correlate(asset_seen)
        .scalar_subquery()
    )
