"""
Accept the hardware that an asset has as what it shall have.
"""

from __future__ import annotations

import uuid

from salt_ext.store import bulk
from salt_ext.store.acts.act import Act, decided, locked
from salt_ext.store.clock import now
from salt_ext.store.database import Database, Row
from salt_ext.store.losses import end_losses
from salt_ext.store.schema import baseline


def accept_baseline(database: Database, asset_id: uuid.UUID, act: Act) -> Row:
    """Accept the hardware that an asset has now as what it shall have; return the baseline."""
    with database.begin() as link:
        row = locked(link, asset_id, act)
        found = {
            "asset_id": asset_id,
            "revision": row.revision,
            "accepted_at": now(link),
            "accepted_by": act.by,
            "reason": act.why,
        }
        if not act.test:
            taken = bulk.taken("revision", "accepted_at", "accepted_by", "reason")
            bulk.insert(link, baseline, [found], taken)
            end_losses(link, asset_id, "accepted")
            decided(link, "baseline", act, row, {"revision": row.revision})
        return {**found, "minion_id": row.minion_id, "test": act.test}
