"""
How the inventory itself does: who stores reports, how much there is, what comes in.
"""

from __future__ import annotations

import platform
from typing import Any

from salt_ext import __version__, store
from salt_ext.questions.table import Table


def status(database: store.Database) -> dict[str, Any]:
    """
    Return what is told of the inventory itself.

    ``masters`` are the engines that store reports, each with ``is_silent``; ``size`` is what
    :func:`store.statistics` returns; ``modes`` are the ways in which assets report, with how
    fresh they are; ``versions`` are names with versions.
    """
    silent = store.SILENT_AFTER_SECONDS
    engines = [
        {**one, "is_silent": one["beat_age_seconds"] > silent} for one in store.masters(database)
    ]
    _, [modes] = store.totals(database, groupings=["mode"])
    return {
        "masters": engines,
        "size": store.statistics(database),
        "modes": modes,
        "versions": [
            ("salt-cmdb", __version__),
            ("Python", platform.python_version()),
            ("PostgreSQL", str(store.server(database)["version_text"])),
            ("schema", store.HEAD),
        ],
    }


def snapshots(database: store.Database, limit: int | None) -> Table:
    """Return the moments that have names, the last first."""
    rows, total = store.snapshots(database, limit or 1_000_000)
    return Table("snapshots", ("name", "taken_at", "taken_by", "comment"), rows, total)
