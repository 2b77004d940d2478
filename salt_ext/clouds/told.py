"""
What is told of a run, for people and programs alike.
"""

from __future__ import annotations

from typing import Any

from salt_ext import store
from salt_ext.clouds.configured import Cloud, cloud_of
from salt_ext.clouds.run import Done
from salt_ext.questions.clouds import COLUMNS, LISTS, row_of
from salt_ext.settings import SettingsError


def content(cloud: Cloud, done: Done, limit: int, *, test: bool) -> dict[str, Any]:
    """Return a run as data: what was counted, and the first of each list."""
    lists = {name: [one for one in done.findings if one.list == name] for name in LISTS}
    return {
        "cloud": cloud.name,
        "driver": cloud.driver,
        "test": test,
        "counts": dict(done.counts),
        "news": done.news,
        "lists": {
            name: [
                {"machine": one.machine, "asset_id": one.asset_id, "why": one.why, **one.facts}
                for one in found[:limit]
            ]
            for name, found in lists.items()
        },
    }


def overview(database: store.Database) -> list[dict[str, Any]]:
    """Return the clouds of the setting, and those that only the store knows any more."""
    known = {row["name"]: row_of(row) for row in store.clouds(database)}
    rows = []
    for name in sorted({*database.settings["clouds"], *known}):
        row = {**dict.fromkeys(COLUMNS), "cloud": name, **known.get(name, {})}
        try:
            row["driver"] = cloud_of(database.settings, name).driver
        except SettingsError as error:
            row["failure"] = str(error)
        rows.append(row)
    return rows
