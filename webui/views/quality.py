"""
What is not as it should be in the inventory itself, the reports that wait for a person first.

One page has the numbers and the beginning of each list; each list is a table of its own.
"""

from __future__ import annotations

from typing import Any, Literal

from flask import Blueprint, render_template
from pydantic import Field

from salt_ext.questions import problems, quality
from salt_ext.questions.table import Table
from salt_ext.store import PROBLEM_KINDS, SHARED, Database
from webui.asked import Asked, Filtered, Numbered
from webui.cached import kept_table
from webui.language import marked
from webui.reading import database
from webui.resources import Resource
from webui.takes import takes
from webui.views.clouds import CLOUDS

blueprint = Blueprint("quality", __name__)

SHOWN = 5
"""How many rows of each list stand on the page of all."""


class AskedHeld(Numbered):
    """Reports that wait for a person."""

    minion_id: str = Field("*", max_length=300, description="Of a minion id, or of a glob.")
    rule: str = Field("", max_length=50, description="Held for this reason only.")


class AskedDuplicates(Filtered, Numbered):
    """Assets that share a value, of which at least one fits the filters."""

    by: Literal[("", *SHARED)] = Field(  # type: ignore[valid-type]
        "", description="The kind of value; all of them by default."
    )


class AskedAssets(Filtered, Numbered):
    """Machines that fit the filters."""


class AskedProblems(Numbered):
    """What is wrong: collectors that failed, reports that were refused or held, doubts."""

    minion_id: str = Field("", max_length=300, description="Of a minion id, or of a glob.")
    kind: Literal[("", *PROBLEM_KINDS)] = Field(  # type: ignore[valid-type]
        "", description="What the problem is about."
    )
    closed: bool = Field(False, description="Those that are over, too.")


def held(database: Database, asked: AskedHeld, limit: int | None) -> Table:
    """Return the held reports."""
    return quality.held(database, asked.minion_id, asked.rule, limit)


def duplicates(database: Database, asked: AskedDuplicates, limit: int | None) -> Table:
    """Return the assets that share a value."""
    kinds = [asked.by] if asked.by else []

    def whole() -> Table:
        return quality.duplicates(database, kinds, asked.filters, None)

    return kept_table(asked.key, whole, limit)


def missing(database: Database, asked: AskedAssets, limit: int | None) -> Table:
    """Return the machines that are silent."""
    return quality.missing(database, asked.filters, limit)


def awaited(database: Database, asked: AskedAssets, limit: int | None) -> Table:
    """Return the machines that were never heard."""
    return quality.awaited(database, asked.filters, limit)


def unexpected(database: Database, asked: AskedAssets, limit: int | None) -> Table:
    """Return the machines that are on no list."""
    return quality.unexpected(database, asked.filters, limit)


def collectors(database: Database, _asked: Numbered, limit: int | None) -> Table:
    """Return the collectors that fail."""
    return quality.collectors(database, limit)


def kinds(_database: Database, _asked: AskedProblems, _table: Table) -> dict[str, Any]:
    """Return the kinds of problems to choose among; blank for all."""
    return {"kinds": ("", *PROBLEM_KINDS)}


def wrong(database: Database, asked: AskedProblems, limit: int | None) -> Table:
    """Return the problems."""
    return problems.problems(
        database,
        minion_id=asked.minion_id,
        kind=asked.kind,
        is_open=not asked.closed,
        limit=limit,
    )


HELD = Resource(
    "held",
    "/quality/held",
    AskedHeld,
    held,
    "held.html",
    marked("Held reports"),
    marked(
        "Nobody could tell which asset these reports belong to. They changed nothing; a person"
        " decides, on the master, with the command beside each."
    ),
)
DUPLICATES = Resource(
    "duplicates",
    "/quality/duplicates",
    AskedDuplicates,
    duplicates,
    title=marked("Assets that share a value"),
    about=marked(
        "A serial number, MAC, UUID or hostname that more than one asset shows now. Nothing is"
        " merged: salt-run cmdb.disown takes a value from the one that only claims it."
    ),
)
MISSING = Resource(
    "missing",
    "/quality/missing",
    AskedAssets,
    missing,
    title=marked("Silent machines"),
    about=marked(
        "They have not reported for longer than missing_after. Is the machine off, its minion"
        " stopped, its key gone? salt-run cmdb.lifecycle retires what is no more."
    ),
)
AWAITED = Resource(
    "awaited",
    "/quality/awaited",
    AskedAssets,
    awaited,
    title=marked("Expected and not found"),
    about=marked(
        "Machines that people's lists have and that have never reported. What can never report"
        " gets a reason: salt-run cmdb.expected set <SN> reason=spare."
    ),
)
UNEXPECTED = Resource(
    "unexpected",
    "/quality/unexpected",
    AskedAssets,
    unexpected,
    title=marked("Found and not expected"),
    about=marked("Machines that report and that are on no list, the newest first."),
)
COLLECTORS = Resource(
    "collectors",
    "/quality/collectors",
    Numbered,
    collectors,
    "collectors.html",
    marked("Collectors that fail"),
    marked("What they fail with stands among the problems, with the traceback."),
)
PROBLEMS = Resource(
    "problems",
    "/problems",
    AskedProblems,
    wrong,
    "problems.html",
    marked("Problems"),
    marked(
        "Collectors that failed or took too long, reports that were refused or held, values that"
        " are hardly true. Each ends by itself when it is no longer so."
    ),
    more=kinds,
)
RESOURCES = (HELD, DUPLICATES, MISSING, AWAITED, UNEXPECTED, COLLECTORS, PROBLEMS)


@blueprint.get("/quality")
@takes()
def page(_asked: Asked) -> str:
    """Show how many of each there are, and the first of them."""
    lists = [
        (resource, resource.asked(), resource.ask(database(), resource.asked(), SHOWN))
        for resource in (*RESOURCES, CLOUDS)
    ]
    if not lists[-1][2].total:  # most sites have no cloud
        lists.pop()
    return render_template("quality.html", lists=lists)
