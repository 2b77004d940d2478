"""
Is everything on this master as it should be? Each check gives a sentence and what to do.

This module does not import Salt: what it needs of Salt comes in as arguments. A
check that raises an error counts as failed.
"""

from __future__ import annotations

import glob
import importlib.metadata
import os
import stat
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from salt_ext import store
from salt_ext.settings import Settings

OK, WARN, FAIL = "ok", "warn", "fail"

OLDEST_POSTGRESQL = 14
CLOCK_SKEW_SECONDS = 5
AUTH_VERSION = 3
READABLE_BY_OTHERS = stat.S_IROTH
NAMED = 5
"""How many machines a sentence names at most."""


class Check(NamedTuple):
    """What was looked at, ``ok``, ``warn`` or ``fail``, what was found and what to do."""

    check: str
    status: str
    detail: str
    hint: str = ""


def examine(
    opts: Mapping[str, Any],
    database: store.Database,
    accepted: Callable[[], Iterable[str]],
    unstored: Callable[[], list[str]],
) -> list[Check]:
    """
    Return all checks of a master.

    ``accepted`` returns the minions whose key is accepted, ``unstored`` the machines
    whose result of salt-ssh is kept on the master because it was not stored.
    """
    options = database.settings
    return [
        *_store(database, accepted, unstored),
        *_replica(options),
        _try("authentication", lambda: authentication(opts.get("minimum_auth_version"))),
        _try("credentials", lambda: credentials(passwords(options), files(opts, os.environ))),
        _try("engine", lambda: engine(opts.get("engines"))),
        _try("extension", lambda: extension(_installed(), opts.get("extension_modules") or "")),
    ]


def _store(
    database: store.Database,
    accepted: Callable[[], Iterable[str]],
    unstored: Callable[[], list[str]],
) -> list[Check]:
    """Return the checks of the database; when it cannot be reached, only two of them."""
    found: dict[str, Any] = {}

    def reach() -> Check:
        before = time.time()
        found.update(store.server(database))
        # The database read its clock at some moment between ``before`` and now.
        found["skew"] = found["clock"] - min(max(found["clock"], before), time.time())
        return Check("database", OK, f"{database.shown_url} answers")

    def schema() -> Check:
        store.ping(database)
        return Check("schema", OK, "is the one that this salt-cmdb works with")

    reached = _try("database", reach)
    if not found:
        return [reached, _try("waiting", lambda: waiting(unstored(), 0))]
    return [
        reached,
        _try("schema", schema),
        _try("postgresql", lambda: version(found["version"], found["version_text"])),
        _try("clock", lambda: clock(found["skew"])),
        _try("search", lambda: search(found["has_trigrams"], found["offers_trigrams"])),
        _try("role", lambda: role(found)),
        _try("machines", lambda: machines(set(accepted()), store.reporting(database))),
        _try("waiting", lambda: waiting(unstored(), store.inbox_size(database))),
    ]


def _replica(options: Settings) -> list[Check]:
    if not options["database_read_url"]:
        return []

    def reach() -> Check:
        replica = store.Database(options, read_only=True)
        store.ping(replica)
        return Check("read database", OK, f"{replica.shown_url} answers")

    return [_try("read database", reach)]


def _try(name: str, check: Callable[[], Check]) -> Check:
    try:
        return check()
    except store.StoreError as error:
        return Check(name, FAIL, str(error), error.hint)
    except Exception as error:
        return Check(name, FAIL, f"could not be checked: {type(error).__name__}: {error}")


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


def role(server: Mapping[str, Any]) -> Check:
    """Check that the master's role may not do what it never needs."""
    too_much = [name for name in ("superuser", "createrole", "createdb") if server[name]]
    if not too_much:
        return Check("role", OK, f"{server['role']} has no rights beyond its database")
    return Check(
        "role",
        WARN,
        f"{server['role']} has more rights than it needs: {', '.join(too_much)}",
        "use a role of its own in cmdb:database_url; salt-run cmdb.migrate grants=True makes them",
    )


def machines(accepted: set[str], known: Iterable[str]) -> Check:
    """Check that every minion with an accepted key has an asset."""
    missing = sorted(accepted - set(known))
    if not missing:
        return Check("machines", OK, f"all {len(accepted)} accepted keys have an asset")
    return Check(
        "machines",
        WARN,
        f"{len(missing)} of {len(accepted)} accepted keys have no asset: {_some(missing)}",
        f"salt -L {','.join(missing[:NAMED])} cmdb.collect; if held or refused: cmdb.errors",
    )


def waiting(unstored: list[str], inbox: int) -> Check:
    """Check that no kept results of salt-ssh and no reports in the inbox wait."""
    parts = []
    if unstored:
        parts.append(f"{len(unstored)} results of salt-ssh ({_some(unstored)})")
    if inbox:
        parts.append(f"{inbox} reports in the inbox")
    if not parts:
        return Check("waiting", OK, "nothing waits to be stored")
    return Check("waiting", WARN, f"not stored yet: {' and '.join(parts)}", "salt-run cmdb.sync")


def authentication(minimum: Any) -> Check:
    """Check that a minion cannot speak in another one's name to the master."""
    if isinstance(minimum, int) and minimum >= AUTH_VERSION:
        return Check("authentication", OK, f"minimum_auth_version is {minimum}")
    return Check(
        "authentication",
        FAIL,
        f"minimum_auth_version is {minimum}: any minion can report as any other",
        f"set minimum_auth_version: {AUTH_VERSION} on the master; update minions older than that",
    )


def credentials(secrets: Iterable[str], paths: Iterable[str]) -> Check:
    """Check that no file with a database password can be read by everybody."""
    spelled = {f":{form}@" for secret in secrets for form in (secret, unquote(secret)) if secret}
    open_files = [path for path in paths if is_public(path) and _holds(path, spelled)]
    if not open_files:
        return Check("credentials", OK, "no password of the database is readable by others")
    return Check(
        "credentials",
        WARN,
        f"everybody can read the database's password in {', '.join(open_files)}",
        f"chmod o-rwx {' '.join(open_files)}",
    )


def passwords(options: Settings) -> list[str]:
    """Return the passwords in the URLs, as they are spelled there."""
    urls = (options["database_url"], options["database_read_url"])
    return [secret for url in urls if (secret := urlsplit(url).password)]


def files(opts: Mapping[str, Any], environ: Mapping[str, str]) -> list[str]:
    """Return the files that may hold the settings of the master and of the web process."""
    main = str(opts.get("conf_file") or "")
    include = opts.get("include") or []
    patterns = [
        str(opts.get("default_include") or ""),
        *([include] if isinstance(include, str) else include),
    ]
    found = [main, environ.get("CMDB_SETTINGS") or ""]
    for pattern in filter(None, patterns):
        found += sorted(glob.glob(os.path.join(os.path.dirname(main), pattern)))
    return [path for path in dict.fromkeys(found) if os.path.isfile(path)]


def is_public(path: str) -> bool:
    """Whether everybody can read a file, by its mode and that of each directory above it."""
    path = os.path.realpath(path)
    if not os.stat(path).st_mode & READABLE_BY_OTHERS:
        return False
    while path != os.path.dirname(path):
        path = os.path.dirname(path)
        if not os.stat(path).st_mode & stat.S_IXOTH:
            return False
    return True


def _holds(path: str, words: set[str]) -> bool:
    with open(path, encoding="utf-8", errors="replace") as file:
        text = file.read()
    return any(word in text for word in words)


def engine(engines: Any) -> Check:
    """Check that the master starts the engine."""
    entries = [one if isinstance(one, dict) else {one: None} for one in engines or ()]
    for entry in entries:
        for name, options in entry.items():
            other = options.get("engine_module") if isinstance(options, dict) else None
            if (other or name) == "cmdb":
                return Check("engine", OK, "the engine cmdb is configured")
    return Check(
        "engine",
        WARN,
        "the engine cmdb is not configured: nothing is stored but by cmdb.sync",
        "add `cmdb: {}` to `engines` in the master's configuration and restart the master",
    )


def extension(installed: str, extension_modules: str) -> Check:
    """Check that this Salt finds the extension: installed by pip, or synced by Salt."""
    if installed:
        return Check("extension", OK, f"salt-cmdb {installed} is installed in Salt's Python")
    wanted = [os.path.join(extension_modules, room, "cmdb.py") for room in ("grains", "modules")]
    missing = [path for path in wanted if not os.path.isfile(path)]
    if not missing:
        return Check("extension", OK, f"is synced to {extension_modules}")
    return Check(
        "extension",
        WARN,
        f"salt-cmdb is neither installed in Salt's Python nor synced: no {', '.join(missing)}",
        "salt-pip install 'salt-cmdb[master]', or salt-run saltutil.sync_all",
    )


def _installed() -> str:
    """Return the version of the package that Salt's loader finds by its entry point, if any."""
    for point in importlib.metadata.entry_points(group="salt.loader"):
        if point.value.partition(":")[0] == "salt_ext" and point.dist is not None:
            return point.dist.version
    return ""


def _some(names: list[str]) -> str:
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return ", ".join(names[:NAMED]) + more
