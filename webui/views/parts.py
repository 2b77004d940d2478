"""
The kinds of parts of the fleet, and one part: where it is and was.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from salt_ext.questions import parts
from salt_ext.questions.table import Table
from salt_ext.store import Database
from salt_ext.words.changes import line
from webui.asked import Filtered, Numbered
from webui.language import marked
from webui.resources import Resource


class AskedKinds(Filtered, Numbered):
    """Parts of a section, on the assets that fit the filters."""

    section: Literal["disks", "memory", "processors", "network", "gpus", "power_supplies"] = Field(
        "disks", description="The section that has such parts."
    )


def kinds(database: Database, asked: AskedKinds, limit: int | None) -> Table:
    """Return the kinds of parts."""
    return parts.kinds(database, asked.section, asked.filters, limit)


def stays(
    database: Database, _asked: Numbered, limit: int | None, section: str, serial: str
) -> Table:
    """Return where a part is and was; the section is that of the first place."""
    return parts.stays(database, serial, limit)


def lines(
    _database: Database, _asked: Numbered, table: Table, section: str, serial: str
) -> dict[str, Any]:
    """Return what changed on the part at each of its places."""
    told = {
        (one["asset_id"], one["revision"], one["position"]): (row["minion_id"], one)
        for row in table.rows
        for one in row["changes"]
    }
    newest = sorted(told.values(), key=lambda pair: pair[1]["recorded_at"], reverse=True)
    changed = [(name, one, line(one)) for name, one in newest]
    return {"serial": serial, "changed": changed}


KINDS = Resource(
    "kinds",
    "/parts",
    AskedKinds,
    kinds,
    "parts.html",
    marked("Parts"),
    marked("Models and firmwares, and how many of them there are in how many machines."),
)
PART = Resource(
    "parts",
    "/parts/<section>/<path:serial>",
    Numbered,
    stays,
    "part.html",
    marked("One part"),
    more=lines,
)
RESOURCES = (KINDS, PART)
