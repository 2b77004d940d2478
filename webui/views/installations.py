"""
Installations: which machines may be installed, which were, and how they differ from their plans.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from salt_ext.questions import installations
from salt_ext.questions.table import Table
from salt_ext.store import INSTALLATION_STATES, Database
from webui.asked import Filtered, Numbered
from webui.language import marked
from webui.resources import Resource


class Asked(Filtered, Numbered):
    """Installations of the assets that fit the filters."""

    state: Literal[("", *INSTALLATION_STATES)] = Field(  # type: ignore[valid-type]
        "", description="What has become of them."
    )


def ask(database: Database, asked: Asked, limit: int | None) -> Table:
    """Return the installations, the newest first."""
    return installations.installations(database, asked.filters, asked.state, limit)


INSTALLATIONS = Resource(
    "installations",
    "/installations",
    Asked,
    ask,
    "installations.html",
    marked("Installations"),
    marked(
        "Machines that people let be installed, each once and for a while, and how the first"
        " report after that differs from what was planned."
    ),
    more=lambda database, asked, table: {"states": INSTALLATION_STATES},
)
RESOURCES = (INSTALLATIONS,)
