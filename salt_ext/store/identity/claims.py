"""
What a report claims to be, what is known of an asset, and how far the two agree.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from salt_ext.facts.identity import KEYS, identify, uuid_spellings
from salt_ext.store.parts import placements

Key = tuple[str, str]
"""The kind and the value of an identifier."""

MAC = "mac"
"""The only kind of key that moves to another machine: with its network card."""

PART_PATHS = ("disks", "memory.devices", "power_supplies")
"""The parts that stay when a board is replaced."""

MOST_WORDS = 8


class Proof(NamedTuple):
    """What proves that a machine had a name: the hash of its secret, and when it last reported."""

    secret_hash: bytes
    collected_at: str


class Claim(NamedTuple):
    """What a report says about the machine that it is of; ``keys`` has the best key first."""

    minion_id: str
    previous_minion_id: str | None
    keys: tuple[Key, ...]
    machine_id: str | None = None
    chassis: frozenset[str] = frozenset()
    """Serial numbers of the chassis: evidence beside others, never a key."""
    parts: frozenset[str] = frozenset()
    """Serial numbers of disks, memory modules and power supplies; empty for a virtual machine."""
    proof: Proof | None = None
    """What the machine shows to prove that its previous name was its own."""
    boot_id: str | None = None
    booted_at: datetime | None = None
    """By the clock of the store, as that of an asset."""
    held_since: datetime | None = None
    """Since when a report with the same keys under this name is held."""


class Asset(NamedTuple):
    """What is known of an asset that has a claimed name or one of the claimed keys."""

    id: uuid.UUID
    minion_id: str | None
    keys: frozenset[Key]
    """The keys that it shows now, whoever else shows them."""
    machine_id: str | None = None
    is_silent: bool = False
    """It was not heard for ``rename_grace``, or the key of its minion was removed."""
    is_temporary: bool = False
    """It has never shown a key, neither a shared nor any other one."""
    reports_as: str | None = None
    """The minion id that it last reported under, where that is not its name."""
    chassis: frozenset[str] = frozenset()
    parts: frozenset[str] = frozenset()
    proof: Proof | None = None
    """What a report must show to prove that it is of this machine."""
    last_seen: datetime | None = None
    boot_id: str | None = None
    booted_at: datetime | None = None

    def name(self) -> str:
        """Return the name of the asset, for people to read."""
        return self.minion_id or f"detached asset {self.id}"


class Likeness(NamedTuple):
    """What an asset has in common with a claim; keys and kinds of key are in order, best first."""

    asset: Asset
    common: tuple[Key, ...]
    same: tuple[str, ...]
    """The kinds of key that both have, and of which a value is the same."""
    differ: tuple[str, ...]
    """The kinds of key that both have, and of which no value is the same."""
    agrees: bool
    """Whether the best kind of key that both have is the same."""

    def is_match(self) -> bool:
        """Whether the asset may be the machine; a MAC alone counts only if no other key differs."""
        return bool(self.common) and not (self.has_card_only() and self.differ)

    def has_card_only(self) -> bool:
        """Whether a network card is all that they have in common."""
        return self.same == (MAC,)

    def contradicts(self) -> tuple[str, ...]:
        """Return the kinds of key that differ, except network cards: they move between machines."""
        return tuple(kind for kind in self.differ if kind != MAC)


def claim(
    minion_id: str,
    previous_minion_id: str | None,
    facts: Mapping[str, Any],
    found: Mapping[str, Any] | None = None,
    *,
    with_parts: bool = True,
    shown: Mapping[str, Any] | None = None,
) -> Claim:
    """
    Return what a report claims; its keys are judged here and not on the machine.

    ``found`` is the answer of :func:`identify` about these facts, if the caller has
    it. ``with_parts`` is needed only where it is not clear whose the report is.
    ``shown`` is the ``proof`` in the report.
    """
    found = found or identify(facts)
    candidates = found["candidates"]
    return Claim(
        minion_id,
        previous_minion_id if previous_minion_id != minion_id else None,
        tuple(key(one["kind"], one["value"]) for one in candidates if one["kind"] in KEYS),
        next((one["value"] for one in candidates if one["kind"] == "machine_id"), None),
        frozenset(one["value"] for one in candidates if one["kind"] == "chassis_serial_number"),
        part_serials(facts, found) if with_parts else frozenset(),
        _proof(shown),
    )


def _proof(shown: Mapping[str, Any] | None) -> Proof | None:
    """Return what a report shows to prove its previous name; None if it shows nothing of use."""
    secret, collected_at = (shown or {}).get("secret"), (shown or {}).get("collected_at")
    if not isinstance(secret, str) or not isinstance(collected_at, str) or not secret:
        return None
    return Proof(hashlib.sha256(secret.encode()).digest(), collected_at)


def key(kind: str, value: str) -> Key:
    """Return a key; the two byte orders of a UUID, which firmwares mix, become the same key."""
    return kind, min(uuid_spellings(value)) if kind == "uuid" else value


def evidence(claim: Claim) -> dict[str, Any]:
    """Return keys, machine-id and previous name of a claim, to keep as evidence of a decision."""
    return {
        "keys": [list(key) for key in claim.keys],
        "machine_id": claim.machine_id,
        "previous_minion_id": claim.previous_minion_id,
    }


def part_serials(facts: Mapping[str, Any], found: Mapping[str, Any]) -> frozenset[str]:
    """Return the serial numbers of the parts that a machine keeps; ``found`` as for a claim."""
    # The disks of a guest get their serial numbers from the host, often the same ones
    # on every guest.
    if found["is_virtual"]:
        return frozenset()
    return frozenset(one.serial for one in placements(facts) if one.path in PART_PATHS)


def without(
    claim: Claim, assets: Iterable[Asset], keys: Iterable[Key]
) -> tuple[Claim, list[Asset]]:
    """Return a claim and assets without these keys."""
    gone = frozenset(keys)
    left = tuple(one for one in claim.keys if one not in gone)
    return claim._replace(keys=left), [one._replace(keys=one.keys - gone) for one in assets]


def compare(claim: Claim, asset: Asset) -> Likeness:
    """Compare the keys of a claim and of an asset, kind by kind."""
    mine, theirs = _by_kind(claim.keys), _by_kind(asset.keys)
    both = {kind: bool(mine[kind] & theirs[kind]) for kind in mine if kind in theirs}
    return Likeness(
        asset,
        tuple(one for one in claim.keys if one in asset.keys),
        tuple(kind for kind, is_same in both.items() if is_same),
        tuple(kind for kind, is_same in both.items() if not is_same),
        next(iter(both.values()), False),
    )


def same_system(claim: Claim, asset: Asset) -> bool | None:
    """Return whether both have the same machine-id; None when either machine-id is not known."""
    if claim.machine_id is None or asset.machine_id is None:
        return None
    return claim.machine_id == asset.machine_id


def says_it_was(claim: Claim, asset: Asset) -> bool:
    """Whether the report names the asset as its former one, and shows no other machine-id."""
    return (
        claim.previous_minion_id is not None
        and claim.previous_minion_id == asset.minion_id
        and same_system(claim, asset) is not False
    )


def proves(claim: Claim, asset: Asset) -> bool:
    """
    Whether the report proves that its machine had the name of the asset until now.

    It shows the secret that the last report under that name had the hash of, and the
    moment of that report. A clone that was taken earlier, or whose original went on
    reporting, has another moment. Keys prove nothing: others know them.
    """
    return (
        claim.proof is not None
        and claim.previous_minion_id == asset.minion_id
        and claim.proof == asset.proof
    )


def is_gone(claim: Claim, asset: Asset) -> bool:
    """
    Whether no other machine can be the one that reports as this asset.

    The asset is detached or silent, its last report came under the claimed name, or
    the report proves that its machine had that name.
    """
    return (
        asset.minion_id is None
        or asset.is_silent
        or asset.reports_as == claim.minion_id
        or proves(claim, asset)
    )


def temporary(claim: Claim, assets: Iterable[Asset]) -> Asset | None:
    """
    Return the temporary asset that this machine was before it showed a key, or None.

    That asset has the machine-id of the claim, and its name is that of the claim or,
    if nobody else can have it, the previous name of the claim.
    """
    names = [claim.minion_id, claim.previous_minion_id]
    found = [
        one
        for one in assets
        if one.is_temporary
        and one.minion_id is not None
        and one.minion_id in names
        and same_system(claim, one)
        and (one.minion_id == claim.minion_id or is_gone(claim, one))
    ]
    return min(found, key=lambda one: names.index(one.minion_id), default=None)


def words(keys: Iterable[Key]) -> str:
    """Return keys as text for people, not all of them: a machine may have hundreds of MACs."""
    texts = [f"{kind} {value}" for kind, value in keys]
    if len(texts) > MOST_WORDS:
        texts[MOST_WORDS:] = [f"{len(texts) - MOST_WORDS} more"]
    return ", ".join(texts)


def _by_kind(keys: Iterable[Key]) -> dict[str, set[str]]:
    kinds: dict[str, set[str]] = {}
    for kind, value in keys:
        kinds.setdefault(kind, set()).add(value)
    return kinds
