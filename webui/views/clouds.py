"""
What clouds have that does not report, and what reports that they have not.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from salt_ext.questions import clouds
from salt_ext.questions.table import Table
from salt_ext.store import CLOUD_LISTS, Database
from webui.asked import Numbered
from webui.language import marked
from webui.resources import Resource


class AskedCloud(Numbered):
    """One list of a cloud."""

    list: Literal[("", *CLOUD_LISTS)] = Field(  # type: ignore[valid-type]
        "",
        description="Instances without a report, reports without an instance, or shared ids;"
        " the first that is not empty by default.",
    )


def asked(database: Database, _asked: Numbered, limit: int | None) -> Table:
    """Return the clouds."""
    return clouds.clouds(database, limit)


def left_over(database: Database, asked: AskedCloud, limit: int | None, cloud: str) -> Table:
    """Return a list of a cloud."""
    return clouds.left_over(database, cloud, asked.list, limit)


def lists(database: Database, _asked: AskedCloud, _table: Table, cloud: str) -> dict[str, Any]:
    """Return what each list of a cloud is and how long, to choose among."""
    counts = clouds.counts_of(database, cloud)
    return {"lists": [(name, table.of, counts[name]) for name, table in clouds.LISTS.items()]}


CLOUDS = Resource(
    "clouds",
    "/clouds",
    Numbered,
    asked,
    "clouds.html",
    marked("Clouds"),
    marked(
        "What each cloud listed beside what reports. A listing that was not whole changes"
        " nothing: then the numbers are those of the one before."
    ),
)
CLOUD = Resource(
    "cloud",
    "/clouds/<cloud>",
    AskedCloud,
    left_over,
    "cloud.html",
    marked("Cloud"),
    marked("As of the last time that salt-run cmdb.cloud listed all of its instances."),
    more=lists,
)
RESOURCES = (CLOUDS, CLOUD)
