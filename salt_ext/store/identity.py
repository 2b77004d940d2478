"""
Whose report is this? One pure function decides.

A report claims a name (the minion id that Salt authenticated) and carries keys
(the strong identifiers that ``facts.identity`` found, the best first). The
assets that have the name or one of the keys are the possible owners. Nothing
is merged on a guess: what cannot be told is held with its evidence.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from salt_ext.facts.identity import KEYS, identify, uuid_spellings

Key = tuple[str, str]
"""The kind and the value of an identifier."""


class Claim(NamedTuple):
    """What a report says about whose it is; ``keys`` stand in order, the best first."""

    minion_id: str
    previous_minion_id: str | None
    keys: tuple[Key, ...]
    machine_id: str | None = None


class Asset(NamedTuple):
    """What is known of an asset that has the claimed name or one of the claimed keys."""

    id: uuid.UUID
    minion_id: str | None
    keys: frozenset[Key]
    machine_id: str | None = None
    is_silent: bool = False
    """Not heard for longer than the grace of a rename."""


class Decision(NamedTuple):
    """
    What to do with a report.

    ``action`` is one of

    - ``new``: a machine nobody knew;
    - ``known``: it belongs to ``asset_id``, which keeps its name;
    - ``renamed``: it belongs to ``asset_id``, which takes the claimed name;
    - ``replaced``: other hardware under the claimed name. It belongs to
      ``asset_id`` or, without one, to a new asset; ``detached`` loses the name;
    - ``held``: nothing is written but the report itself, for a person to decide.

    ``shared`` are keys found on two machines at once; they are keys no longer.
    ``problem`` is a sentence for the operator when something is wrong.
    """

    action: str
    asset_id: uuid.UUID | None
    reason: str
    detached: uuid.UUID | None = None
    shared: tuple[Key, ...] = ()
    problem: str | None = None


def claim(minion_id: str, previous_minion_id: str | None, facts: Mapping[str, Any]) -> Claim:
    """Return what a report claims; its keys are judged here and not on the machine."""
    found = identify(facts)["candidates"]
    return Claim(
        minion_id,
        previous_minion_id if previous_minion_id != minion_id else None,
        tuple(key(c["kind"], c["value"]) for c in found if c["kind"] in KEYS),
        next((c["value"] for c in found if c["kind"] == "machine_id"), None),
    )


def key(kind: str, value: str) -> Key:
    """Return a key so that both spellings of a UUID, which firmwares mix, are one."""
    return kind, min(uuid_spellings(value)) if kind == "uuid" else value


def decide(claim: Claim, assets: Sequence[Asset]) -> Decision:
    """Decide to whom a report belongs, given every asset with its name or one of its keys."""
    named = next((asset for asset in assets if asset.minion_id == claim.minion_id), None)
    if not claim.keys:
        return _without_keys(claim, named, assets)
    owner, match = _owner(claim, assets)
    if owner is None or match is None:
        return _unknown_hardware(claim, named)
    if owner is named:
        return _same_name(claim, owner, match)
    return _other_name(claim, owner, match, named)


def _owner(claim: Claim, assets: Sequence[Asset]) -> tuple[Asset | None, Key | None]:
    """Return the asset that has the best claimed key; between several, the one so named."""
    for match in claim.keys:
        owners = [asset for asset in assets if match in asset.keys]
        if owners:
            owners.sort(key=lambda asset: (asset.minion_id != claim.minion_id, asset.is_silent))
            return owners[0], match
    return None, None


def _without_keys(claim: Claim, named: Asset | None, assets: Sequence[Asset]) -> Decision:
    """A machine that shows no key is known by its name and its machine-id together."""
    if named is None:
        previous = next(
            (
                asset
                for asset in assets
                if asset.minion_id
                and asset.minion_id == claim.previous_minion_id
                and not asset.keys
                and asset.machine_id is not None
                and asset.machine_id == claim.machine_id
            ),
            None,
        )
        if previous is not None:
            return Decision(
                "renamed", previous.id, f"same machine-id, formerly {previous.minion_id}"
            )
        return Decision("new", None, "no key; known by its name and machine-id until it has one")
    if named.machine_id is None or named.machine_id == claim.machine_id:
        return Decision("known", named.id, "no key in this report; same name and machine-id")
    if named.keys:
        return _hold(
            claim,
            f"{claim.minion_id} reports another machine-id than before and no key that would"
            " tell whether it is the same machine",
        )
    return _replaced(claim, named, "no key, and another machine-id under the same name")


def _unknown_hardware(claim: Claim, named: Asset | None) -> Decision:
    if named is None:
        return Decision("new", None, f"first seen with {_words(claim.keys[0])}")
    kinds = {kind for kind, _ in claim.keys} & {kind for kind, _ in named.keys}
    if not kinds:
        # Nothing to compare: keys appear when a firmware or a permission is mended.
        if named.machine_id is None or named.machine_id == claim.machine_id:
            return Decision("known", named.id, f"same name; now has {_words(claim.keys[0])}")
        if not named.keys:
            return _replaced(claim, named, "other hardware, and another machine-id")
        return _hold(
            claim,
            f"{claim.minion_id} reports other kinds of keys and another machine-id than before",
        )
    return _replaced(claim, named, f"other hardware: {_words(claim.keys[0])}")


def _same_name(claim: Claim, owner: Asset, match: Key) -> Decision:
    """The machine of this name has a claimed key; it is held when two better ones changed."""
    known = {kind for kind, _ in owner.keys}
    better = {kind for kind, _ in claim.keys[: claim.keys.index(match)]} & known - {match[0]}
    if len(better) >= 2:
        return _hold(
            claim,
            f"{claim.minion_id} changed {' and '.join(sorted(better))} at once;"
            f" only {_words(match)} is as before",
        )
    return Decision("known", owner.id, f"same name and {_words(match)}")


def _other_name(claim: Claim, owner: Asset, match: Key, named: Asset | None) -> Decision:
    """The hardware is known under another name, or under none."""
    if owner.minion_id is None:
        if named is None:
            return Decision("renamed", owner.id, f"detached until now; {_words(match)}")
        return _replaced(claim, named, f"{_words(match)} was detached until now", owner)
    differ = _differing_kinds(claim, owner)
    came_from = claim.previous_minion_id == owner.minion_id and not differ
    if named is None:
        if owner.is_silent:
            return Decision("renamed", owner.id, f"{_words(match)}; {owner.minion_id} is silent")
        if came_from:
            return Decision("renamed", owner.id, f"{_words(match)}; says it was {owner.minion_id}")
        return _shared_or_held(claim, owner, None, differ)
    if _differing_kinds(claim, named) and not set(claim.keys) & named.keys:
        if owner.is_silent and named.is_silent:
            return _replaced(claim, named, f"{_words(match)} came from {owner.minion_id}", owner)
        if owner.is_silent:
            return Decision(
                "known",
                owner.id,
                f"{_words(match)}; keeps its name",
                problem=f"the machine with {_words(match)} was {owner.minion_id} and reports as"
                f" {claim.minion_id}, which is the name of another live machine;"
                f" it is kept as {owner.minion_id}: give one of them another minion id",
            )
    return _shared_or_held(claim, owner, named, differ)


def _shared_or_held(
    claim: Claim, owner: Asset, named: Asset | None, differ: frozenset[str]
) -> Decision:
    """Two live machines show one key: their other keys tell them apart, or a person does."""
    shared = tuple(one for one in claim.keys if one in owner.keys)
    left = [one for one in claim.keys if one not in owner.keys]
    problem = (
        f"duplicate identity: {claim.minion_id} and {owner.minion_id} both report"
        f" {', '.join(_words(one) for one in shared)}"
    )
    # A machine that says it was the other one is not taken for a second one.
    if left and differ and claim.previous_minion_id != owner.minion_id:
        rest = "they are told apart by " + _words(left[0])
        if named is None:
            return Decision("new", None, rest, shared=shared, problem=f"{problem}; {rest}")
        if set(left) & named.keys:
            return Decision("known", named.id, rest, shared=shared, problem=f"{problem}; {rest}")
    return _hold(claim, f"{problem}, and both are live")


def _differing_kinds(claim: Claim, asset: Asset) -> frozenset[str]:
    """Return the kinds of key that both have and of which no value is the same."""
    mine, theirs = _by_kind(claim.keys), _by_kind(asset.keys)
    return frozenset(kind for kind in mine.keys() & theirs.keys() if not mine[kind] & theirs[kind])


def _by_kind(keys: Sequence[Key] | frozenset[Key]) -> dict[str, set[str]]:
    kinds: dict[str, set[str]] = {}
    for kind, value in keys:
        kinds.setdefault(kind, set()).add(value)
    return kinds


def _replaced(claim: Claim, named: Asset, reason: str, owner: Asset | None = None) -> Decision:
    """Other hardware under a name: it takes the name once the old machine is silent."""
    if not named.is_silent and named.keys:
        return _hold(
            claim,
            f"{claim.minion_id} is the name of a live machine, and this is other hardware"
            f" ({reason}); it takes the name when the other was silent for the rename grace",
        )
    return Decision("replaced", owner and owner.id, reason, detached=named.id)


def _hold(claim: Claim, reason: str) -> Decision:
    keys = ", ".join(_words(one) for one in claim.keys) or "no key"
    return Decision("held", None, reason, problem=f"{reason}; it shows {keys}")


def _words(one: Key) -> str:
    return f"{one[0]} {one[1]}"
