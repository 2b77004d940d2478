"""
What can be decided about a report, and the sentences that say why it is held.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from salt_ext.store.identity.claims import MAC, Asset, Claim, Key, Likeness, words


class Decision(NamedTuple):
    """
    What to do with a report.

    ``action`` is one of

    - ``new``: a machine nobody knew;
    - ``known``: it belongs to ``asset_id``, which keeps its name;
    - ``renamed``: it belongs to ``asset_id``, which takes the claimed name;
    - ``replaced``: other hardware under the claimed name. It belongs to
      ``asset_id`` or, without one, to a new asset; ``detached`` loses the name;
    - ``held``: nothing is written but the report itself, for a person to decide;
      ``rule`` is one of :data:`RULES`;
    - ``rejected``: a person wants no more reports with this evidence; nothing is
      written.

    ``problem`` is a sentence for the operator when something is wrong.
    ``shared`` are the keys that another live machine shows too: while both do, they
    decide for neither alone.
    ``merged`` is an asset that turned out to be the same machine as ``asset_id``; it
    loses its name to that. :func:`decide` merges only temporary assets, which never
    showed a key; a person may merge others.
    """

    action: str
    asset_id: uuid.UUID | None
    reason: str
    detached: uuid.UUID | None = None
    problem: str | None = None
    merged: uuid.UUID | None = None
    shared: tuple[Key, ...] = ()
    rule: str | None = None


RULES = {
    "claimed": "it shows what a live machine shows, and not that it was that machine",
    "taken": "its name is that of another live machine",
    "changed": "too much of the machine is not as before to be sure that it is the same",
    "board": "most parts are those of a machine that shows other keys: a new board?",
    "unproved": "it says what it was, and does not prove it",
    "unread": "nothing that it shows can be compared with what is known",
    "card": "all that it has of another machine is a network card",
    "several": "its keys are those of several assets",
}
"""Why a report may be held: a word to choose by, and what it means."""


def tie(claim: Claim, alike: Sequence[Likeness]) -> Decision:
    """Hold a report whose keys belong to several assets."""
    claims = sorted(f"{words(one.common)} of {one.asset.name()}" for one in alike)
    return hold(claim, "several", f"{claim.minion_id} shows {' and '.join(claims)}")


def duplicate(claim: Claim, assets: Sequence[Asset], keys: Sequence[Key]) -> str:
    """Return the sentence that a machine and some assets report the same keys."""
    names = ", ".join(sorted(asset.name() for asset in assets))
    return f"duplicate identity: {claim.minion_id} and {names} both report {words(keys)}"


def without_cards(keys: Iterable[Key]) -> tuple[Key, ...]:
    """Return the keys that do not move with a network card."""
    return tuple(one for one in keys if one[0] != MAC)


def hold(claim: Claim, rule: str, reason: str) -> Decision:
    """Hold a report for a reason; ``rule`` is one of :data:`RULES`."""
    problem = f"{reason}; it shows {words(claim.keys) or 'no key'}"
    return Decision("held", None, reason, problem=problem, rule=rule)
