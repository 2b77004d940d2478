"""
Which masters store reports, and when each of them last said so: for ``cmdb.doctor`` and the web.

All ages are by the clock of the store, which every master's heartbeat is by too.
"""

from __future__ import annotations

import sqlalchemy as sa

from salt_ext.store.database import Database, Row, rows

SILENT_AFTER_SECONDS = 120
"""A master whose last heartbeat is older than this is stopped, or its engine is stuck."""

MASTERS = sa.text("""
SELECT number, name, version, started_at, beat_at, waiting, waiting_since, failure,
       extract(epoch FROM clock_timestamp() - beat_at)::float AS beat_age_seconds
  FROM master
 WHERE beat_at IS NOT NULL
 ORDER BY name
""")

LAST_BEAT = sa.text("""
SELECT max(beat_at) AS beat_at, extract(epoch FROM clock_timestamp() - max(beat_at))::float AS age
  FROM master
""")


def masters(database: Database) -> list[Row]:
    """Return all masters with ``beat_age_seconds``: how long ago each of them last beat."""
    with database.autocommit() as link:
        return rows(link.execute(MASTERS))


def nobody_since(database: Database) -> Row | None:
    """
    Return when the last engine beat (``beat_at``) and its ``age``, if that is too long ago.

    None while an engine works, and where none ever did: such a store is filled by commands.
    """
    with database.autocommit() as link:
        last = link.execute(LAST_BEAT).one()
    if last.age is None or last.age <= SILENT_AFTER_SECONDS:
        return None
    return dict(last._mapping)
