"""
The versions of everything that works together on this master.
"""

from __future__ import annotations

import importlib.metadata
import platform

from salt_ext import __version__, store

PACKAGES = {"salt": "Salt", "SQLAlchemy": "SQLAlchemy", "psycopg2-binary": "psycopg2"}


def versions(database: store.Database) -> list[tuple[str, str]]:
    """Return names and versions; for a database that cannot be reached, the reason."""
    try:
        postgresql = str(store.server(database)["version_text"])
    except store.StoreError as error:
        postgresql = str(error)
    try:
        store.ping(database)
        schema = f"{store.HEAD}, the one that this salt-cmdb works with"
    except store.StoreUnreachable:
        schema = "unknown"
    except store.StoreError as error:
        schema = str(error)
    return [
        ("salt-cmdb", __version__),
        *((title, _installed(name) or "not a package") for name, title in PACKAGES.items()),
        ("Python", platform.python_version()),
        ("PostgreSQL", postgresql),
        ("schema", schema),
    ]


def _installed(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None
