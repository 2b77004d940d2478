"""
The checks of the database: its version, clock and encoding, and what our role may do there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from salt_ext import store
from salt_ext.commands.doctor.check import FAIL, OK, WARN, Check

OLDEST_POSTGRESQL = 14
CLOCK_SKEW_SECONDS = 5


def version(number: int, text: str) -> Check:
    """Check the version of PostgreSQL, such as 150004."""
    if number // 10000 >= OLDEST_POSTGRESQL:
        return Check("postgresql", OK, f"version {text}")
    return Check(
        "postgresql",
        FAIL,
        f"version {text} is too old",
        f"use PostgreSQL {OLDEST_POSTGRESQL} or later",
    )


def clock(skew_seconds: float) -> Check:
    """Check how far the database's clock is from the master's."""
    if abs(skew_seconds) <= CLOCK_SKEW_SECONDS:
        return Check("clock", OK, "the clocks of the database and the master agree")
    direction = "ahead of" if skew_seconds > 0 else "behind"
    return Check(
        "clock",
        WARN,
        f"the database's clock is {abs(skew_seconds):.0f} s {direction} the master's",
        "let both keep time by NTP",
    )


def search(has_trigrams: bool, offers_trigrams: bool) -> Check:
    """Check whether free text has an index."""
    if has_trigrams:
        return Check("search", OK, "pg_trgm is there")
    return Check(
        "search",
        WARN,
        "pg_trgm is not there: free text reads every asset",
        "a superuser runs in the database: CREATE EXTENSION pg_trgm; then salt-run cmdb.migrate"
        if offers_trigrams
        else "install PostgreSQL's contrib modules on its server",
    )


def encoding(database: str, found: str) -> Check:
    """Check that every character of a report can be stored."""
    if found == store.ENCODING:
        return Check("encoding", OK, f"is {found}")
    return Check(
        "encoding",
        FAIL,
        f"the database {database} has the encoding {found}: reports with other characters"
        " cannot be stored",
        store.new_database(database),
    )


def role(server: Mapping[str, Any]) -> Check:
    """Check that the master's role may write, and may not do what it never needs."""
    name = server["role"]
    if server["is_standby"]:
        return Check(
            "role",
            FAIL,
            "the server is a standby, which takes no writes",
            "name the primary in cmdb:database_url, or both: docs/operations.md, Failover",
        )
    if server["is_read_only"]:
        return Check(
            "role",
            FAIL,
            f"{name} may not write: default_transaction_read_only is on",
            "use a role that may write in cmdb:database_url, or turn it off where it was turned on:"
            f" ALTER ROLE {name} or ALTER DATABASE, SET default_transaction_read_only = off",
        )
    if server["lacks"]:
        return Check(
            "role",
            FAIL,
            f"{name} may not read and write {', '.join(server['lacks'])}",
            "with the role that owns the tables in cmdb:database_url run: salt-run cmdb.migrate"
            f" grants=True; then in the database: GRANT cmdb_writer TO {name}",
        )
    too_much = [one for one in ("superuser", "createrole", "createdb") if server[one]]
    if not too_much:
        return Check("role", OK, f"{name} may write, and has no rights beyond its database")
    return Check(
        "role",
        WARN,
        f"{name} has more rights than it needs: {', '.join(too_much)}",
        "use a role of its own in cmdb:database_url; salt-run cmdb.migrate grants=True makes them",
    )
