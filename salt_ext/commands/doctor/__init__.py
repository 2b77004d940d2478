"""
Is everything on this master as it should be? Each check gives a sentence and what to do.

A check that is green knows: what could not be found out is never ok. This package does
not import Salt: what it needs of Salt comes in as arguments. A check that raises an error
counts as failed.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

from salt_ext import __version__, store
from salt_ext.commands.doctor import configured, database, engine, machines, master
from salt_ext.commands.doctor.check import OK, Check, attempt, attempt_all
from salt_ext.master.feed import Source
from salt_ext.settings import Settings

__all__ = ["Cache", "Check", "examine"]


class Cache(Source, Protocol):
    """The cache of this master, and whose key it has accepted."""

    def accepted(self) -> Iterable[str]:
        """Return the minions whose key is accepted."""


def examine(
    opts: Mapping[str, Any],
    where: store.Database,
    cache: Callable[[], Cache],
    unstored: Callable[[], list[str]],
) -> list[Check]:
    """
    Return all checks of a master.

    ``cache`` opens the cache of the master; ``unstored`` returns the machines whose
    result of salt-ssh is kept on the master because it was not stored.
    """

    def this() -> engine.Master:
        return engine.this_master(opts, __version__)

    hooks = where.settings["report_hooks"]
    return [
        *_store(where, this, cache, unstored),
        *_replica(where.settings),
        attempt("settings", lambda: configured.settings(where.settings)),
        *([attempt("report hooks", lambda: master.hooks(hooks))] if hooks else []),
        attempt("authentication", lambda: master.authentication(opts.get("minimum_auth_version"))),
        attempt("credentials", lambda: _credentials(where.settings, opts)),
        attempt("extension", lambda: master.extension(__version__, master.is_installed())),
    ]


def _store(
    where: store.Database,
    this: Callable[[], engine.Master],
    cache: Callable[[], Cache],
    unstored: Callable[[], list[str]],
) -> list[Check]:
    """Return the checks of the database, and of what goes through it while it can be used."""
    found: dict[str, Any] = {}

    def reach() -> Check:
        before = time.time()
        found.update(store.server(where))
        # The database read its clock at some moment between ``before`` and now.
        found["skew"] = found["clock"] - min(max(found["clock"], before), time.time())
        return Check("database", OK, f"{where.shown_url} answers")

    def schema() -> Check:
        store.ping(where)
        return Check("schema", OK, "is the one that this salt-cmdb works with")

    checks = [attempt("database", reach)]
    if found:
        checks += [
            attempt("schema", schema),
            attempt(
                "postgresql", lambda: database.version(found["version"], found["version_text"])
            ),
            attempt("encoding", lambda: database.encoding(found["database"], found["encoding"])),
            attempt("clock", lambda: database.clock(found["skew"])),
            attempt(
                "search", lambda: database.search(found["has_trigrams"], found["offers_trigrams"])
            ),
            attempt("role", lambda: database.role(found)),
        ]
    if not found or checks[1].status != OK:
        return [
            *checks,
            attempt("engine", lambda: engine.engine(this(), None)),
            attempt("waiting", lambda: machines.waiting(unstored(), 0)),
        ]
    return [*checks, *_traffic(where, this, cache, unstored)]


def _traffic(
    where: store.Database,
    this: Callable[[], engine.Master],
    cache: Callable[[], Cache],
    unstored: Callable[[], list[str]],
) -> list[Check]:
    """Return the checks of the engines, of what waits, and of what is refused or held."""

    def engines() -> list[Check]:
        known = store.masters(where)
        return [engine.engine(this(), known), engine.others(this(), known)]

    def keys() -> Check:
        accepted = set(cache().accepted())
        return machines.machines(accepted, store.unknown_of(where, accepted))

    return [
        attempt("filters", lambda: configured.filters(where)),
        *attempt_all("engine", engines),
        *attempt_all("lag", lambda: _cached(where, this().name, cache())),
        *attempt_all("problems", lambda: machines.attention(store.attention(where))),
        attempt("machines", keys),
        attempt("waiting", lambda: machines.waiting(unstored(), store.inbox_size(where))),
    ]


def _cached(where: store.Database, name: str, cache: Cache) -> list[Check]:
    """Return the checks of what the cache of this master has and the store has not."""
    now = time.time()
    number = store.number_of(where, name)
    silent_seconds = where.settings["stale_after"]
    found = machines.cached(cache, store.positions(where, number), silent_seconds, now)
    found = machines.not_overtaken(found, store.heard_elsewhere(where, number, found.waiting))
    troubled = store.troubled(where, found.waiting)
    return [
        machines.lag(found, troubled, where.settings["sweep_seconds"], now),
        machines.damaged(found),
    ]


def _replica(options: Settings) -> list[Check]:
    if not options["database_read_url"]:
        return []

    def reach() -> Check:
        replica = store.Database(options, read_only=True)
        store.ping(replica)
        return Check("read database", OK, f"{replica.shown_url} answers")

    return [attempt("read database", reach)]


def _credentials(options: Settings, opts: Mapping[str, Any]) -> Check:
    return master.credentials(master.passwords(options), master.files(opts, os.environ))
