"""
Salt's own PostgreSQL returners, loaded as a master loads them, and their tables.

The columns and indexes are those that the documentation of each returner asks for.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import salt.config
import salt.loader

NAMES = ("pgjsonb", "postgres")
DATABASES = {name: f"salt_{name}" for name in NAMES}


def tables(name: str) -> str:
    """Return the statements that make the tables of a returner."""
    is_jsonb = name == "pgjsonb"
    kind = "jsonb" if is_jsonb else "text"
    columns = f"""
        CREATE TABLE jids (jid varchar(255) PRIMARY KEY, load {kind} NOT NULL);
        CREATE TABLE salt_returns (
            fun varchar(50) NOT NULL, jid varchar(255) NOT NULL, return {kind} NOT NULL,
            id varchar(255) NOT NULL, success varchar(10) NOT NULL, full_ret {kind} NOT NULL,
            alter_time timestamptz DEFAULT now());
        CREATE INDEX ON salt_returns (id);
        CREATE INDEX ON salt_returns (jid);
        CREATE INDEX ON salt_returns (fun);
        CREATE SEQUENCE seq_salt_events_id;
        CREATE TABLE salt_events (
            id bigint NOT NULL UNIQUE DEFAULT nextval('seq_salt_events_id'),
            tag varchar(255) NOT NULL, data {kind} NOT NULL,
            alter_time timestamptz DEFAULT now(), master_id varchar(255) NOT NULL);
        CREATE INDEX ON salt_events (tag);
    """
    if not is_jsonb:
        return columns + "CREATE INDEX ON salt_returns (alter_time);"
    documents = (("jids", "load"), ("salt_returns", "return"), ("salt_returns", "full_ret"))
    for table, column in (*documents, ("salt_events", "data")):
        columns += f"CREATE INDEX ON {table} USING gin ({column}) WITH (fastupdate = on);"
    return columns


def load(socket_directory: str, directory: Path) -> dict[str, Callable[[Any], None]]:
    """Return ``pgjsonb.returner`` and so on by name; each module writes to its own database."""
    opts = salt.config.master_config(None)
    opts["id"] = "master"
    for name in ("cachedir", "extension_modules", "pki_dir", "root_dir", "sock_dir"):
        opts[name] = str(directory / name)
    for name in NAMES:
        where = {"host": socket_directory, "user": "postgres", "db": DATABASES[name], "port": 5432}
        where["pass" if name == "pgjsonb" else "passwd"] = "unused"
        opts.update({f"returner.{name}.{key}": value for key, value in where.items()})
    loaded = salt.loader.returners(opts, functions={})
    wanted = [f"{name}.{door}" for name in NAMES for door in ("returner", "event_return")]
    return {one: loaded[one] for one in wanted}


def as_return(report: dict[str, Any]) -> dict[str, Any]:
    """Return a report as the return of the job that asked the minion for it."""
    return {
        "fun": "cmdb.collect",
        "fun_args": [],
        "jid": "2026" + report["digest"][:16],
        "id": report["minion_id"],
        "success": True,
        "retcode": 0,
        "return": report,
    }


def as_events(reports: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return reports as the events that a master hands over at once."""
    returns = [as_return(report) for report in reports]
    return [{"tag": f"salt/job/{one['jid']}/ret/{one['id']}", "data": one} for one in returns]
