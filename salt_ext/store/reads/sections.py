"""
Sections of the facts of many assets.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import sqlalchemy as sa

from salt_ext.store.database import Database
from salt_ext.store.reads.masking import of_value
from salt_ext.store.schema import asset_facts

BATCH = 500
"""Assets that are read at once."""


def sections(
    database: Database, asset_ids: Iterable[uuid.UUID], names: Iterable[str]
) -> Iterator[tuple[uuid.UUID, str, Any]]:
    """Yield asset, name and facts of each of these sections that these assets have."""
    wanted = list(names)
    hidden = database.hidden
    hidden.check(*wanted)
    rest = iter(asset_ids)
    while some := list(islice(rest, BATCH)):
        of_these = asset_facts.c.asset_id.in_(some) & asset_facts.c.section.in_(wanted)
        columns = (asset_facts.c.asset_id, asset_facts.c.section, asset_facts.c.facts)
        with database.autocommit() as link:
            found = link.execute(sa.select(*columns).where(of_these)).all()
        for row in found:
            yield row.asset_id, row.section, of_value(hidden, row.section, row.facts)
