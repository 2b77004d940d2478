"""
What kind of server the store is on, and what its role may do there: for ``cmdb.doctor``.
"""

from __future__ import annotations

import sqlalchemy as sa

from salt_ext.store.database import Database, Row

SERVER = sa.text("""
SELECT current_setting('server_version_num')::int AS version,
       current_setting('server_version') AS version_text,
       extract(epoch FROM clock_timestamp())::float AS clock,
       current_user AS role,
       rolsuper AS superuser, rolcreaterole AS createrole, rolcreatedb AS createdb,
       EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_trgm') AS has_trigrams,
       EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_trgm') AS offers_trigrams
  FROM pg_roles
 WHERE rolname = current_user
""")


def server(database: Database) -> Row:
    """Return the server's version and clock, the rights of our role, and whether it has pg_trgm."""
    with database.begin_unchecked() as link:
        return dict(link.execute(SERVER).one()._mapping)
