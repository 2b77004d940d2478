"""
The four PostgreSQL roles of the store, each with no more rights than it needs.

Roles belong to the whole server, not to one database. They cannot log in: the
administrator grants them to a role that can, as in ``GRANT cmdb_reader TO web``.
"""

from __future__ import annotations

from salt_ext.store.database import Database
from salt_ext.store.rights import RIGHTS, known, statements


def grant(database: Database, *, test: bool = False) -> list[str]:
    """
    Make the roles of :data:`~salt_ext.store.rights.RIGHTS`, and give them these rights.

    Returns the statements; with ``test`` none is executed. Rights that a role has
    and should not have are taken away.
    """
    with database.begin() as link:
        there = known(link)
        steps = []
        for role in RIGHTS:
            if role not in there:
                steps.append(f"CREATE ROLE {role} NOLOGIN")
            steps += statements(link, role)
        for step in steps if not test else ():
            link.exec_driver_sql(step)
    return steps
