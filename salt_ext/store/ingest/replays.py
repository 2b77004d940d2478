"""
Reports that were stored once and come again: they change nothing, whatever was stored since.

A cache that is restored from a backup, or is written again as a whole with a new time,
hands over what was stored long ago. Such a report is recognised by what was stored
and not by any clock: a revision knows the digest of its document and the span of
``collected_at`` in which reports said the same.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from salt_ext.report import digests
from salt_ext.report.order import Order
from salt_ext.store.bulk import OneByOne, array

# The span of a revision ends with the last report before the next one, that of the
# last revision with the last report. It is not known of revisions that were written
# before schema 0005: there only the report that made the revision is recognised.
STORED = sa.text("""
SELECT seen.asset_id, i.digest, i.collected_at, bool_or(one.digest = i.digest) AS says_so
  FROM unnest(CAST(:ids AS uuid[]), CAST(:digests AS bytea[]), CAST(:moments AS timestamptz[]))
       AS i(asset_id, digest, collected_at)
  JOIN asset_seen AS seen ON seen.asset_id = i.asset_id
 CROSS JOIN LATERAL (
       SELECT digest, collected_at, lead(number) OVER following AS next,
              lead(last_before) OVER following AS last_before
         FROM revision WHERE asset_id = seen.asset_id
       WINDOW following AS (PARTITION BY asset_id ORDER BY number)) AS one
 WHERE one.collected_at = i.collected_at
    OR one.digest = i.digest AND i.collected_at > one.collected_at
       AND i.collected_at
           <= CASE WHEN one.next IS NOT NULL THEN one.last_before ELSE seen.collected_at END
 GROUP BY seen.asset_id, i.digest, i.collected_at
""")


class Said(NamedTuple):
    """A report of an asset: what tells it from all others."""

    asset_id: uuid.UUID
    digest: bytes
    collected_at: datetime


def said(asset_id: uuid.UUID, report: Mapping[str, Any], order: Order) -> Said:
    """Return what tells a report of an asset from all others."""
    return Said(asset_id, digests.short(report["digest"]), order.collected_at)


class Replays:
    """Which reports were stored before; asked once for many, and once for each that is left."""

    def __init__(self, link: sa.Connection) -> None:
        """Begin with nothing known."""
        self._link = link
        self._known: dict[Said, bool | None] = {}

    def ask(self, reports: Iterable[Said]) -> None:
        """Ask the store about reports, in one statement."""
        asked = [one for one in dict.fromkeys(reports) if one not in self._known]
        if not asked:
            return
        columns = map(array, zip(*asked, strict=True))
        values = dict(zip(("ids", "digests", "moments"), columns, strict=True))
        self._known.update(dict.fromkeys(asked))
        for row in self._link.execute(STORED, values):
            one = Said(row.asset_id, bytes(row.digest), row.collected_at)
            self._known[one] = row.says_so

    def has(self, report: Said) -> bool:
        """
        Whether a report was stored before.

        What was reported in part has another digest than the document that it became a
        part of: there the moment tells.
        """
        self.ask([report])
        return self._known[report] is not None

    def has_exactly(self, report: Said) -> bool:
        """Whether a report was stored before, with this digest."""
        self.ask([report])
        return bool(self._known[report])


Holders = Mapping[str, Sequence[tuple[uuid.UUID, str | None]]]
"""By minion id: the assets that ever had that name, each with the name that it has now."""

HOLDERS = OneByOne("""
SELECT identifier.value AS name, asset.id, asset.minion_id
  FROM identifier JOIN asset ON asset.id = identifier.asset_id
 WHERE identifier.kind = 'minion_id' AND identifier.value = ANY(CAST(:names AS text[]))
   AND asset.merged_into IS NULL
 ORDER BY asset.id
""")


def former_holders(link: sa.Connection, names: Iterable[str]) -> Holders:
    """Return the assets that ever had these names."""
    found: dict[str, list[tuple[uuid.UUID, str | None]]] = {}
    for row in HOLDERS(link, {"names": array(names)}):
        found.setdefault(row.name, []).append((row.id, row.minion_id))
    return found
