"""
The racks, and what stands in one of them.
"""

from __future__ import annotations

from typing import Any

from salt_ext.questions import groups, rack
from salt_ext.questions.table import Table
from salt_ext.store import Database, NotFound
from webui.asked import Asked, Filtered, Numbered, Past
from webui.language import marked
from webui.resources import Resource
from webui.timemode import as_of

NOWHERE = "-"
"""The site of an address whose racks are of no site."""


class AskedRacks(Filtered, Numbered, Past):
    """Racks of the assets that fit the filters."""


class AskedRack(Past):
    """One rack, now or as of a moment."""


def all_of_them(database: Database, asked: AskedRacks, limit: int | None) -> Table:
    """Return the racks, the fullest first."""
    filters = {"rack__isnull": "false", **asked.filters}
    found = groups.groups(database, "site,rack", filters, limit, as_of())
    return found._replace(of=marked("racks"))


def one(database: Database, _asked: Asked, limit: int | None, site: str, name: str) -> Table:
    """Return what is in a rack. Raises :class:`NotFound` for one that has nothing."""
    found = rack.rack(database, None if site == NOWHERE else site, name, as_of())
    if not found.total:
        raise NotFound(f"nothing stands in a rack {name!r} of {site!r}", "see: /racks")
    return found


def elevation(
    _database: Database, _asked: Asked, table: Table, site: str, name: str
) -> dict[str, Any]:
    """Return the machines by their units, for the picture."""
    placed, unplaced, height = rack.places(list(table.rows))
    return {
        "site": None if site == NOWHERE else site,
        "name": name,
        "placed": placed,
        # Machines that claim the very same units would hide each other: the first is drawn.
        "drawn": list({(one.unit, one.height): one for one in reversed(placed)}.values()),
        "unplaced": unplaced,
        "height": height,
    }


RACKS = Resource(
    "racks",
    "/racks",
    AskedRacks,
    all_of_them,
    "racks.html",
    marked("Racks"),
    marked("As machines and people's lists say where they stand."),
    has_past=True,
)
RACK = Resource(
    "rack",
    "/racks/<site>/<path:name>",
    AskedRack,
    one,
    "rack.html",
    marked("Rack"),
    has_past=True,
    more=elevation,
)
RESOURCES = (RACKS, RACK)
