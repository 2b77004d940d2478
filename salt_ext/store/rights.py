"""
Which rights each of the four roles of the store has, and whether a role has them.
"""

from __future__ import annotations

import sqlalchemy as sa

from salt_ext.store.schema import INSTALLATION_STATE, metadata

VERSION = "alembic_version"

TABLES = [table.name for table in metadata.sorted_tables]
VIEWS = ["cmdb_machines", "cmdb_all_machines"]
"""What other programs may rely on, by their own SQL."""

READ, WRITE = "SELECT", "SELECT, INSERT, UPDATE, DELETE"

RIGHTS: dict[str, dict[str, list[str]]] = {
    "cmdb_writer": {WRITE: TABLES, READ: [*VIEWS, VERSION]},
    # Of what waits in the inbox a reader may know how much it is.
    "cmdb_reader": {
        READ: [*(name for name in TABLES if name != "inbox"), *VIEWS, VERSION],
        "SELECT (id)": ["inbox"],
    },
    # The server fills in the sender and the time of a report, not the sender.
    "cmdb_reporter": {"INSERT (minion_id, report)": ["inbox"], READ: [VERSION]},
    # Of a machine it may know whether it may be installed; whom it serves is all that it writes.
    "cmdb_provisioner": {
        READ: ["installation", VERSION],
        "SELECT (id, lifecycle)": ["asset"],
        f"UPDATE ({', '.join(INSTALLATION_STATE)})": ["installation"],
    },
}
"""By role: its rights, and the tables that it has them on."""

LACKING = sa.text("""
SELECT i.name
  FROM unnest(CAST(:names AS text[])) AS i(name), unnest(CAST(:rights AS text[])) AS r(privilege)
 WHERE NOT coalesce(
           CASE WHEN r.privilege LIKE '%(%'
                THEN has_any_column_privilege(
                         :role, to_regclass(i.name), split_part(r.privilege, ' (', 1))
                ELSE has_table_privilege(:role, to_regclass(i.name), r.privilege)
           END, :without)
 GROUP BY i.name
 ORDER BY i.name
""")


def renew(link: sa.Connection, *, test: bool = False) -> list[str]:
    """
    Give those roles that have rights in this database the rights they lack since an upgrade.

    Returns a sentence for each of them; with ``test`` nothing is done. A role that has
    no rights here was made for another database, and gets none. Where we may not grant,
    nothing is done: ``cmdb.doctor`` tells.
    """
    renewed = []
    for role in sorted(known(link) & RIGHTS.keys()):
        if lacking(link, role, [VERSION], READ) or not _lacks(link, role):
            continue
        if not test:
            try:
                with link.begin_nested():
                    for statement in statements(link, role):
                        link.exec_driver_sql(statement)
                    if _lacks(link, role):  # who may not grant is warned and not refused
                        continue
            except sa.exc.ProgrammingError:
                continue
        renewed.append(f"rights of {role} renewed")
    return renewed


def lacking(
    link: sa.Connection, role: str, tables: list[str], rights: str, *, without: bool = False
) -> list[str]:
    """Return the tables on which a role lacks one of these rights; ``without``: of absent ones."""
    one_by_one = [rights] if "(" in rights else rights.split(", ")
    asked = {"names": tables, "rights": one_by_one, "role": role, "without": without}
    return list(link.scalars(LACKING, asked))


def _lacks(link: sa.Connection, role: str) -> bool:
    """Whether a role lacks a right on a table, or on all of its columns."""
    return any(lacking(link, role, tables, rights) for rights, tables in RIGHTS[role].items())


def statements(link: sa.Connection, role: str) -> list[str]:
    """Return what gives a role its rights, and takes away those it should not have."""
    schema = link.scalar(sa.text("SELECT current_schema()"))
    return [
        f'REVOKE ALL ON ALL TABLES IN SCHEMA "{schema}" FROM {role}',
        f'GRANT USAGE ON SCHEMA "{schema}" TO {role}',
        *(
            f"GRANT {right} ON {', '.join(names)} TO {role}"
            for right, names in RIGHTS[role].items()
        ),
    ]


def known(link: sa.Connection) -> set[str]:
    """Return the roles of the server."""
    return set(link.scalars(sa.text("SELECT rolname FROM pg_roles")))
