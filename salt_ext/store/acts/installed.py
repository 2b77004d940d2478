"""
What a comparison of an installed machine with its plan has found: kept, and told by an event.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

import sqlalchemy as sa

from salt_ext.store.acts.act import Act, decided
from salt_ext.store.aside import KIND, name_of, take_back
from salt_ext.store.database import Database, Row
from salt_ext.store.ingest.gathering import ENGINE
from salt_ext.store.ingest.isolation import record_failure
from salt_ext.store.reads.installations import COMPARING
from salt_ext.store.schema import asset, installation

AS_PLANNED = "as planned"


def keep_comparison(
    database: Database, installation_id: uuid.UUID, differences: Sequence[Mapping[str, str]]
) -> bool:
    """
    Keep in which fields a machine is not as it was planned; return whether nobody has before.

    Each difference has ``field``, ``planned`` and ``reported``.
    """
    one = installation.c
    with database.begin() as link:
        is_new = (one.id == installation_id) & one.compared_at.is_(None)
        compared = {"compared_at": sa.func.now(), "differences": [*differences]}
        done = sa.update(installation).where(is_new).values(**compared)
        asset_id = link.execute(done.returning(one.asset_id)).scalar_one_or_none()
        if asset_id is None:
            return False
        row = link.execute(sa.select(asset).where(asset.c.id == asset_id)).one()
        fields = ", ".join(str(difference["field"]) for difference in differences)
        why = f"not as planned: {fields}" if fields else AS_PLANNED
        act = Act(ENGINE, why, test=False)
        evidence = {"installation": str(installation_id)}
        decided(link, "installed", act, row, evidence, is_news=True)
        take_back(link, COMPARING, [name_of(asset_id, row.minion_id)])
        return True


def fail_comparison(database: Database, machine: Row, error: Exception) -> None:
    """Keep that a machine could not be compared; ``machine`` has the columns of its asset."""
    name = name_of(machine["id"], machine["minion_id"])
    record_failure(database, KIND, name, COMPARING, error)
