"""
The three PostgreSQL roles of the store, each with no more rights than it needs.

Roles belong to the whole server, not to one database. They cannot log in: the
administrator grants them to a role that can, as in ``GRANT cmdb_reader TO web``.
"""

from __future__ import annotations

import sqlalchemy as sa

from salt_ext.store.database import Database
from salt_ext.store.schema import metadata

VERSION = "alembic_version"


def _rights() -> dict[str, list[str]]:
    tables = ", ".join(table.name for table in metadata.sorted_tables)
    public = ", ".join(table.name for table in metadata.sorted_tables if table.name != "inbox")
    return {
        "cmdb_writer": [f"SELECT, INSERT, UPDATE, DELETE ON {tables}", f"SELECT ON {VERSION}"],
        "cmdb_reader": [f"SELECT ON {public}", f"SELECT ON {VERSION}"],
        # The server fills in the sender and the time of a report, not the sender.
        "cmdb_reporter": ["INSERT (minion_id, report) ON inbox", f"SELECT ON {VERSION}"],
    }


def grant(database: Database, *, test: bool = False) -> list[str]:
    """
    Make the roles ``cmdb_writer``, ``cmdb_reader`` and ``cmdb_reporter``, and give them rights.

    Returns the statements; with ``test`` none is executed. Rights that a role has
    and should not have are taken away.
    """
    with database.begin() as link:
        known = set(link.scalars(sa.text("SELECT rolname FROM pg_roles")))
        schema = link.scalar(sa.text("SELECT current_schema()"))
        steps = []
        for role, rights in _rights().items():
            if role not in known:
                steps.append(f"CREATE ROLE {role} NOLOGIN")
            steps.append(f'REVOKE ALL ON ALL TABLES IN SCHEMA "{schema}" FROM {role}')
            steps.append(f'GRANT USAGE ON SCHEMA "{schema}" TO {role}')
            steps += [f"GRANT {right} TO {role}" for right in rights]
        for step in steps if not test else ():
            link.exec_driver_sql(step)
    return steps
