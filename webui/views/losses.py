"""
What was lost, and what reactions did about it or were not permitted to do.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from salt_ext.questions import losses as asked_losses
from salt_ext.questions import reactions as asked_reactions
from salt_ext.questions.table import Table
from salt_ext.store import LOSS_STATES, REACTION_STATES, Database
from webui.asked import Filtered, Numbered
from webui.language import marked
from webui.resources import Resource
from webui.timemode import moment


class AskedLosses(Filtered, Numbered):
    """Losses of the assets that fit the filters."""

    state: Literal[("", *LOSS_STATES)] = Field(  # type: ignore[valid-type]
        "", description="Not confirmed yet, lost, or how it ended; all of them by default."
    )
    since: str = Field(
        "",
        max_length=200,
        description="Only what was lost since then: 7d, 2026-01-01 or the name of a snapshot.",
    )


class AskedReactions(Numbered):
    """What reactions do to machines."""

    state: Literal[("", *REACTION_STATES)] = Field(  # type: ignore[valid-type]
        "", description="Whether it is a wave, was refused, is permitted, or is over."
    )


def losses(database: Database, asked: AskedLosses, limit: int | None) -> Table:
    """Return the losses."""
    since = moment("since", asked.since) if asked.since else None
    return asked_losses.losses(
        database, state=asked.state, since=since, filters=asked.filters, limit=limit
    )


def reactions(database: Database, asked: AskedReactions, limit: int | None) -> Table:
    """Return the waves and reactions."""
    return asked_reactions.reactions(database, state=asked.state, limit=limit)


def states(_database: Database, asked: Any, _table: Table) -> dict[str, Any]:
    """Return the states to choose among; blank for all."""
    known = LOSS_STATES if isinstance(asked, AskedLosses) else REACTION_STATES
    return {"states": ("", *known)}


LOSSES = Resource(
    "losses",
    "/losses",
    AskedLosses,
    losses,
    "losses.html",
    marked("Losses"),
    marked(
        "Parts that are gone, and hardware that is less than it was. A loss is confirmed when a"
        " later collection shows it too; then an event tells of it."
    ),
    more=states,
)
REACTIONS = Resource(
    "reactions",
    "/reactions",
    AskedReactions,
    reactions,
    "losses.html",
    marked("Reactions and the brake"),
    marked(
        "What is done to machines with the permission of salt-run cmdb.brake, and what was"
        " refused. In a wave, when many machines lose parts of one kind, nothing is permitted"
        " until a person has looked."
    ),
    more=states,
)
RESOURCES = (LOSSES, REACTIONS)
