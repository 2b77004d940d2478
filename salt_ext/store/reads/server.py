"""
What kind of server the store is on, and what its role may do there: for ``cmdb.doctor``.
"""

from __future__ import annotations

import sqlalchemy as sa

from salt_ext.store.database import Database, Row
from salt_ext.store.rights import READ, TABLES, VERSION, WRITE, lacking

SERVER = sa.text("""
SELECT current_setting('server_version_num')::int AS version,
       current_setting('server_version') AS version_text,
       extract(epoch FROM clock_timestamp())::float AS clock,
       current_database() AS database,
       current_setting('server_encoding') AS encoding,
       pg_is_in_recovery() AS is_standby,
       current_setting('default_transaction_read_only')::boolean AS is_read_only,
       current_user AS role,
       rolsuper AS superuser, rolcreaterole AS createrole, rolcreatedb AS createdb,
       EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_trgm') AS has_trigrams,
       EXISTS (SELECT FROM pg_available_extensions WHERE name = 'pg_trgm') AS offers_trigrams
  FROM pg_roles
 WHERE rolname = current_user
""")


def server(database: Database) -> Row:
    """
    Return the server's version, clock and encoding, the rights of our role, whether it has pg_trgm.

    ``lacks`` names the tables of the store that are there and that our role may not
    read and write.
    """
    with database.begin_unchecked() as link:
        found = dict(link.execute(SERVER).one()._mapping)
        role = found["role"]
        found["lacks"] = lacking(link, role, TABLES, WRITE, without=True)
        found["lacks"] += lacking(link, role, [VERSION], READ, without=True)
    return found
