"""
The checks of the engines: whether each of them still works.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from salt_ext import store
from salt_ext.commands.doctor.check import FAIL, OK, WARN, Check, ago, some
from salt_ext.master.heartbeat import EVERY_SECONDS

LOG = "the master's log says why: grep -i cmdb {log_file}"
START = "systemctl start salt-master"
RESTART = "systemctl restart salt-master"
LATE_SECONDS = 3 * EVERY_SECONDS
"""An engine that works and tells so later than this is busy, unless its master is not there."""


class Master(NamedTuple):
    """What is known of this master without the store."""

    name: str
    """Its id."""
    is_configured: bool
    """Whether its configuration has the engine."""
    pid: int | None
    """Its process: None when that is not known, 0 when it does not run."""
    is_listening: bool
    """Whether anything answers at its port: it may run in another container."""
    version: str
    """Of the salt-cmdb that asks."""
    log_file: str


def this_master(opts: Mapping[str, Any], version: str) -> Master:
    """Return what is known of the master with these options."""
    return Master(
        str(opts.get("id") or ""),
        is_configured(opts.get("engines")),
        process(str(opts.get("pidfile") or ""), "/proc"),
        is_listening(str(opts.get("interface") or ""), int(opts.get("ret_port") or 4506)),
        version,
        str(opts.get("log_file") or "/var/log/salt/master"),
    )


def is_configured(engines: Any) -> bool:
    """Whether the master is told to start the engine."""
    entries = [one if isinstance(one, dict) else {one: None} for one in engines or ()]
    for entry in entries:
        for name, options in entry.items():
            other = options.get("engine_module") if isinstance(options, dict) else None
            if (other or name) == "cmdb":
                return True
    return False


def process(pid_file: str, proc: str) -> int | None:
    """
    Return the process of a pid file, 0 when it is gone, None when nobody can tell.

    Without the file nobody can: the master may run in another container, or without one.
    """
    try:
        with open(pid_file, encoding="ascii") as file:
            pid = int(file.read())
        if not os.path.isdir(f"{proc}/self"):
            return None
        with open(f"{proc}/{pid}/cmdline", "rb") as file:
            is_salt = b"salt" in file.read()
        with open(f"{proc}/{pid}/stat", encoding="ascii", errors="replace") as file:
            is_dead = file.read().rpartition(")")[2].split()[0] in ("Z", "X")
        return pid if is_salt and not is_dead else 0
    except (FileNotFoundError, ProcessLookupError):
        return 0 if os.path.isfile(pid_file) else None
    except (OSError, ValueError):
        return None


def is_listening(interface: str, port: int) -> bool:
    """Whether a connection to the port at which minions report is taken."""
    host = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(interface, interface)  # noqa: S104
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


def engine(master: Master, known: Sequence[Mapping[str, Any]] | None) -> Check:
    """
    Check that the engine of this master works: ``known`` are the masters of the store.

    It is None while the store cannot be asked: then nobody knows.
    """
    log = LOG.format(log_file=master.log_file)
    own = next((row for row in known or () if row["name"] == master.name), None)
    if not master.is_configured and (own is None or _is_silent(own)):
        return Check(
            "engine",
            WARN,
            "the engine cmdb is not configured: nothing is stored but by cmdb.sync",
            "add `cmdb: {}` to `engines` in the master's configuration and restart the master",
        )
    if master.pid == 0:
        return Check("engine", FAIL, "the master does not run, and its engine with it", START)
    if known is None:
        return Check(
            "engine",
            WARN,
            "whether the engine works is not known: the store cannot be asked",
            "mend the database first",
        )
    if own is None:
        return Check(
            "engine",
            FAIL,
            f"the engine is configured and has never worked on {master.name}",
            f"{RESTART}; if that does not help, {log}",
        )
    if _is_silent(own):
        return _silent(master, own, log)
    # A master that is stopped removes the file with its process.
    if not master.pid and not master.is_listening and own["beat_age_seconds"] > LATE_SECONDS:
        return Check(
            "engine",
            FAIL,
            "nothing answers at the master's port, and its engine has not worked for"
            f" {ago(own['beat_age_seconds'])}: the master does not run",
            START,
        )
    if own["failure"]:
        return Check(
            "engine", FAIL, f"the engine cannot store: {own['failure']}", f"mend it; {log}"
        )
    if not master.is_configured:
        return Check(
            "engine",
            WARN,
            "the engine works, and is no longer configured: the next start of the master ends it",
            "add `cmdb: {}` to `engines` in the master's configuration",
        )
    if own["version"] and own["version"] != master.version:
        return Check(
            "engine",
            WARN,
            f"the engine is salt-cmdb {own['version']}, and {master.version} is installed",
            RESTART,
        )
    return Check("engine", OK, f"the engine worked {ago(own['beat_age_seconds'])} ago")


def _silent(master: Master, own: Mapping[str, Any], log: str) -> Check:
    since = f"the engine has not worked for {ago(own['beat_age_seconds'])}"
    if master.pid:
        return Check(
            "engine",
            FAIL,
            f"{since}: the master runs (process {master.pid}), so its engine is stuck or has ended",
            "look at its process: ps -ww -eo pid,stat,etime,args | grep '[E]ngine('"
            f" (T is stopped, no line has ended); {log}; then: {RESTART}",
        )
    return Check(
        "engine",
        FAIL,
        f"{since}: the master is stopped, or its engine is stuck",
        "see if it runs: ps -ww -eo pid,stat,etime,args | grep -e '[s]alt-master'"
        f" -e '[e]ngines.cmdb'; {START} or restart; {log}",
    )


def _is_silent(row: Mapping[str, Any]) -> bool:
    return bool(row["beat_age_seconds"] > store.SILENT_AFTER_SECONDS)


def others(master: Master, known: Sequence[Mapping[str, Any]]) -> Check:
    """Check that the engines of all other masters work."""
    other = [row for row in known if row["name"] != master.name]
    silent = [row for row in other if _is_silent(row)]
    failing = [row for row in other if row["failure"] and not _is_silent(row)]
    if silent:
        names = [f"{row['name']} for {ago(row['beat_age_seconds'])}" for row in silent]
        return Check(
            "other masters",
            WARN,
            f"{len(silent)} of {len(other)} have not worked: {some(names)}",
            "run salt-run cmdb.doctor there; one that is gone for good is forgotten by this in the"
            f" database: {_forget(str(silent[0]['name']))}",
        )
    if failing:
        names = [f"{row['name']}: {row['failure']}" for row in failing]
        return Check(
            "other masters",
            WARN,
            f"{len(failing)} of {len(other)} cannot store: {some(names)}",
            "run salt-run cmdb.doctor there",
        )
    return Check("other masters", OK, f"all {len(other)} work" if other else "there are none")


def _forget(name: str) -> str:
    quoted = name.replace("'", "''")
    return f"DELETE FROM master WHERE name = '{quoted}'"  # noqa: S608 - a person runs it
