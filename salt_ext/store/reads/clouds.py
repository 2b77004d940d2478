"""
What machines tell of a cloud that they are in, and what clouds were found to have.
"""

from __future__ import annotations

import uuid
from collections.abc import Generator, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from salt_ext.facts import INSTANCE
from salt_ext.store.database import Database, Row, rows
from salt_ext.store.reads.listing import freshness
from salt_ext.store.reads.masking import masked, of_document
from salt_ext.store.schema import asset, asset_facts, asset_seen, cloud, cloud_finding, identifier

BATCH = 2000
"""So many rows are in memory at once."""

CLOUD_LISTS = ("unreported", "unlisted", "tied")
"""Instances without a report; reports without an instance; what cannot be told apart."""


class Guest(NamedTuple):
    """A machine that reports, as far as it tells of a cloud."""

    asset_id: uuid.UUID
    name: str | None
    lifecycle: str
    keys: Sequence[str] = ()
    """Its UUIDs, and ids of instances with the kind of their cloud: ``ec2/i-0abc``."""
    provider: str | None = None
    """Which kind of cloud its firmware names, or the metadata service of its cloud."""
    account: str | None = None
    """The account or project that the metadata service names."""
    region: str | None = None
    instance: dict[str, Any] | None = None
    """What a cloud, whichever it was, said of it last."""


# The ledger has an identifier that counts; what a container or a placeholder shows is not in it.
GUESTS = sa.text(f"""
SELECT asset.id AS asset_id, coalesce(asset.minion_id, asset.hostname, asset.sn) AS name,
       asset.lifecycle, known.keys,
       coalesce(virtual.facts #>> '{{cloud,provider}}', service.facts ->> 'provider') AS provider,
       service.facts ->> 'account_id' AS account, service.facts ->> 'region' AS region,
       told.facts AS instance
  FROM asset
  JOIN asset_seen AS seen ON seen.asset_id = asset.id
 CROSS JOIN LATERAL (
       SELECT coalesce(array_agg(value), '{{}}') AS keys FROM {identifier.name}
        WHERE asset_id = seen.asset_id AND kind IN ('uuid', 'cloud_instance_id')
          AND last_seen IS NULL AND NOT disowned) AS known
  LEFT JOIN {asset_facts.name} AS virtual
    ON virtual.asset_id = seen.asset_id AND virtual.section = 'virtual'
  LEFT JOIN {asset_facts.name} AS service
    ON service.asset_id = seen.asset_id AND service.section = 'cloud'
  LEFT JOIN {asset_facts.name} AS told
    ON told.asset_id = seen.asset_id AND told.section = '{INSTANCE}'
 WHERE asset.merged_into IS NULL AND seen.detached_at IS NULL
   AND (known.keys <> '{{}}' OR told.facts IS NOT NULL
        OR virtual.facts #>> '{{cloud,provider}}' IS NOT NULL)
 ORDER BY name, asset.id
""")  # noqa: S608 - constants of ours


def guests(database: Database) -> Generator[Guest, None, None]:
    """Yield the machines that may be instances of a cloud, in one statement, by their names."""
    with database.begin() as link:
        found = link.execute(GUESTS.execution_options(yield_per=BATCH))
        for row in found:
            yield Guest(*row)


def clouds(database: Database) -> list[Row]:
    """Return the clouds that were asked, and how the last time went."""
    with database.autocommit() as link:
        return rows(link.execute(sa.select(cloud).order_by(cloud.c.name)))


@masked
def cloud_findings(
    database: Database, name: str, which: str, limit: int | None = None
) -> tuple[list[Row], int]:
    """
    Return one of the :data:`CLOUD_LISTS` of a cloud as of its last listing, and how many it has.

    Each has ``facts`` of the instance, ``why`` it is left over and ``since`` when; where it is
    a machine, what the inventory knows of that.
    """
    of_list = (cloud_finding.c.cloud == name, cloud_finding.c.list == which)
    statement = (
        sa.select(
            *(cloud_finding.c[one] for one in ("key", "asset_id", "since", "why", "facts")),
            *(asset.c[one] for one in ("minion_id", "sn", "lifecycle")),
            asset_seen.c.last_seen,
            freshness(database.settings).label("freshness"),
        )
        .outerjoin(asset, asset.c.id == cloud_finding.c.asset_id)
        .outerjoin(asset_seen, asset_seen.c.asset_id == asset.c.id)
        .where(*of_list)
        .order_by(cloud_finding.c.facts["name"].astext, asset.c.minion_id, cloud_finding.c.key)
        .limit(limit)
    )
    counted = sa.select(sa.func.count()).select_from(cloud_finding).where(*of_list)
    with database.autocommit() as link:
        found = rows(link.execute(statement))
        total = len(found) if limit is None else int(link.scalar(counted) or 0)
    hidden = database.hidden
    for row in found:
        row["facts"] = of_document(hidden, {INSTANCE: row["facts"]}).get(INSTANCE, {})
        row["key"] = row["facts"].get("id") if row["asset_id"] is None else str(row["asset_id"])
    return found, total
