"""
The checks of this master's own configuration and files. This module does not import Salt.
"""

from __future__ import annotations

import glob
import importlib.metadata
import os
import shlex
import stat
from collections.abc import Iterable, Mapping
from typing import Any

from salt_ext import store
from salt_ext.commands.doctor.check import FAIL, OK, WARN, Check
from salt_ext.facts import dotted_path, failure
from salt_ext.settings import Settings

AUTH_VERSION = 3
READABLE_BY_OTHERS = stat.S_IROTH


def authentication(minimum: Any) -> Check:
    """Check that a minion cannot speak in another one's name to the master."""
    if isinstance(minimum, int) and not isinstance(minimum, bool) and minimum >= AUTH_VERSION:
        return Check("authentication", OK, f"minimum_auth_version is {minimum}")
    said = "not known to this Salt" if minimum is None else minimum
    return Check(
        "authentication",
        FAIL,
        f"minimum_auth_version is {said}: any minion can report as any other",
        f"set minimum_auth_version: {AUTH_VERSION} on the master, on the newest Salt of its series;"
        f" update minions older than that",
    )


def hooks(paths: Iterable[str]) -> Check:
    """Check that the functions which are to see each report are there."""
    for path in paths:
        try:
            dotted_path.load(path)
        except Exception as error:
            return Check(
                "report hooks",
                FAIL,
                f"{path} cannot be loaded, so reports are stored without it:"
                f" {failure.message(error)}",
                "install it for the Python of the master, or take it out of report_hooks;"
                " then restart the master",
            )
    return Check("report hooks", OK, f"{', '.join(paths)} can be loaded")


def credentials(secrets: Iterable[str], paths: Iterable[str]) -> Check:
    """Check that no file with a database password can be read by everybody."""
    spelled = {
        text
        for secret in secrets
        for form in store.spellings(secret)
        for text in (f":{form}@", f"password={form}")
    }
    open_files = [path for path in paths if is_public(path) and _holds(path, spelled)]
    if not open_files:
        return Check("credentials", OK, "no password of the database is readable by others")
    return Check(
        "credentials",
        WARN,
        f"everybody can read the database's password in {', '.join(open_files)}",
        f"chmod o-rwx {' '.join(map(shlex.quote, open_files))}",
    )


def passwords(options: Settings) -> list[str]:
    """Return the passwords in the URLs."""
    urls = (options["database_url"], options["database_read_url"])
    return [secret for url in urls for secret in store.url_secrets(url)]


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


def extension(version: str, is_installed: bool) -> Check:
    """Check that pip has installed the extension, so that each program of Salt finds it."""
    if is_installed:
        return Check("extension", OK, f"salt-cmdb {version} is installed in Salt's Python")
    return Check(
        "extension",
        WARN,
        f"salt-cmdb {version} is not installed in Salt's Python: not each program of Salt finds it",
        "salt-pip install 'salt-cmdb[master]'",
    )


def is_installed() -> bool:
    """Whether Salt's loader finds the package by its entry point."""
    points = importlib.metadata.entry_points(group="salt.loader")
    return any(point.value.partition(":")[0] == "salt_ext" for point in points)
