"""
What waits for a person: the held reports and the open problems of each kind, with some names.
"""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from salt_ext.store.bulk import array
from salt_ext.store.database import Database, Row, rows

NAMED = 5
"""How many machines of each kind are named."""

OWN_BUSINESS = ("collector", "doubt")
"""Problems that keep no report from being stored."""

KINDS = sa.text(f"""
SELECT 'held' AS kind, count(*) AS machines,
       (array_agg(minion_id ORDER BY minion_id))[1:{NAMED}] AS names
  FROM held
 WHERE rejected_at IS NULL
HAVING count(*) > 0
UNION ALL
SELECT kind, count(DISTINCT minion_id), (array_agg(DISTINCT minion_id))[1:{NAMED}]
  FROM problem
 WHERE closed_at IS NULL AND NOT (kind = 'identity' AND subject = 'held')
 GROUP BY kind
 ORDER BY kind
""")  # noqa: S608 - a constant of ours

TROUBLED = sa.text(f"""
SELECT DISTINCT minion_id FROM problem
 WHERE closed_at IS NULL AND kind NOT IN {OWN_BUSINESS!r}
   AND minion_id = ANY(CAST(:names AS text[]))
 UNION
SELECT minion_id FROM held WHERE minion_id = ANY(CAST(:names AS text[]))
""")  # noqa: S608 - a constant of ours


def attention(database: Database) -> list[Row]:
    """
    Return for each ``kind`` of open problem how many ``machines`` have one, and some ``names``.

    The kind ``held`` is that of the reports that a person has to decide about.
    """
    with database.autocommit() as link:
        return rows(link.execute(KINDS))


def troubled(database: Database, minion_ids: Iterable[str]) -> set[str]:
    """Return those of these machines whose reports are held, or have an open problem: they wait."""
    with database.autocommit() as link:
        return set(link.scalars(TROUBLED, {"names": array(minion_ids)}))
