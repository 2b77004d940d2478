"""
The three roles of the store, each with as little as it needs.

Roles belong to the whole server. They cannot log in: whoever runs the database
makes them part of a login role, as in ``GRANT cmdb_reader TO web``.
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
        # Who sent a report, and when, is for the server to say.
        "cmdb_reporter": ["INSERT (minion_id, report) ON inbox", f"SELECT ON {VERSION}"],
    }


def grant(database: Database, *, test: bool = False) -> list[str]:
    """
    Make the roles ``cmdb_writer``, ``cmdb_reader`` and ``cmdb_reporter``, and give them rights.

    Returns the statements; with ``test`` none is executed. What a role had and
    should not have is taken away.
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
