"""
Questions that people ask again and again, and the fleet counted by any fields.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl

from flask import Blueprint, current_app, render_template
from pydantic import Field
from werkzeug.datastructures import MultiDict

from salt_ext.questions import groups
from salt_ext.questions.table import Table
from salt_ext.settings import Settings, SettingsError
from salt_ext.store import Database
from webui.asked import Asked, Filtered, Numbered, Past
from webui.language import marked
from webui.resources import Resource
from webui.takes import takes
from webui.timemode import as_of

blueprint = Blueprint("reports", __name__)


class AskedGroups(Filtered, Numbered, Past):
    """The assets that fit the filters, counted."""

    group_by: str = Field("site", max_length=200, description="Fields, with commas.")


def counted(database: Database, asked: AskedGroups, limit: int | None) -> Table:
    """Return the groups, the largest first."""
    return groups.groups(database, asked.group_by, asked.filters, limit, as_of())


GROUPS = Resource(
    "groups",
    "/reports/groups",
    AskedGroups,
    counted,
    "groups.html",
    marked("The fleet, counted"),
    marked("How many assets each group has, how fresh they are, and what they have together."),
    has_past=True,
)
RESOURCES = (GROUPS,)


@blueprint.get("/reports")
@takes()
def page(_asked: Asked) -> str:
    """Show the questions of the setting ``reports``."""
    return render_template("reports.html", presets=presets(current_app.extensions["settings"]))


def presets(settings: Settings) -> list[dict[str, Any]]:
    """
    Return the questions of the setting ``reports``, each with the values of its address.

    Raises :class:`SettingsError` for one that has no title, or asks nothing.
    """
    found = []
    for name, one in settings["reports"].items():
        if one is None:
            continue
        is_whole = isinstance(one, dict) and isinstance(one.get("title"), str)
        if not is_whole or not {"query", "group_by"} & one.keys():
            raise SettingsError(f"reports: {name} needs a title, and a query of a list or group_by")
        pairs = MultiDict(parse_qsl(str(one.get("query", "")), keep_blank_values=True))
        if "group_by" in one:
            pairs["group_by"] = str(one["group_by"])
        endpoint = "groups.page" if "group_by" in one else "assets.page"
        found.append({"title": one["title"], "about": one.get("about", ""), "endpoint": endpoint})
        found[-1]["values"] = pairs.to_dict(flat=False)
    return found
