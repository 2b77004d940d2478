"""
Whose report is this? One pure function decides.

A report claims a name (the minion id that Salt authenticated) and carries keys
(the strong identifiers that ``facts.identity`` found, the best first). The
assets that have the name or one of the keys are the possible owners. Nothing
is merged on a guess: a report whose owner is not clear is held with its evidence.

The rules for people are in ``docs/identity.md``; the specification is the table
in ``tests/unit/store/test_decisions.py``.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from salt_ext.store.identity.claims import (
    MAC,
    Asset,
    Claim,
    Key,
    Likeness,
    compare,
    same_system,
    temporary,
    without,
    words,
)


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
    - ``rejected``: a person wants no more reports with this evidence; nothing is
      written.

    ``shared`` are keys found on two machines at once; from then on they are no keys.
    ``problem`` is a sentence for the operator when something is wrong.
    ``merged`` is an asset that turned out to be the same machine as ``asset_id``; it
    loses its name to that. :func:`decide` merges only temporary assets, which never
    showed a key; a person may merge others.
    """

    action: str
    asset_id: uuid.UUID | None
    reason: str
    detached: uuid.UUID | None = None
    shared: tuple[Key, ...] = ()
    problem: str | None = None
    merged: uuid.UUID | None = None


def decide(claim: Claim, assets: Sequence[Asset]) -> Decision:
    """
    Decide to whom a report belongs.

    ``assets`` are all assets that have its name, its previous name or one of its keys.
    """
    if known := settled(claim, assets):
        return Decision("known", known.id, f"same name and {words(claim.keys[:1])}")
    named = next((asset for asset in assets if asset.minion_id == claim.minion_id), None)
    if not claim.keys:
        return _without_keys(claim, named, assets)
    decision = _by_keys(claim, named, assets)
    before = temporary(claim, assets)
    if before is None or decision.asset_id in (None, before.id):
        return decision
    return decision._replace(merged=before.id)


def settled(claim: Claim, assets: Sequence[Asset]) -> Asset | None:
    """Return the only asset if its name and its keys are exactly those of the claim, else None."""
    if len(assets) != 1 or not claim.keys:
        return None
    [known] = assets
    is_so = known.minion_id == claim.minion_id and known.keys == frozenset(claim.keys)
    return known if is_so else None


def _by_keys(claim: Claim, named: Asset | None, assets: Sequence[Asset]) -> Decision:
    """Decide by the best of the claimed keys; of several assets with it, take the one so named."""
    alike = [one for one in (compare(claim, asset) for asset in assets) if one.is_match()]
    best = next((key for key in claim.keys if any(key in one.common for one in alike)), None)
    owners = [one for one in alike if best in one.common]
    owner = next((one for one in owners if one.asset is named), owners[0] if owners else None)
    if owner is None:
        return _unknown_hardware(claim, named, assets)
    if owner.asset is named:
        return _same_name(claim, owner, alike)
    if len(owners) > 1:
        return _tie(claim, owners)
    return _other_name(claim, owner, [one for one in alike if one is not owner], named, assets)


def _without_keys(claim: Claim, named: Asset | None, assets: Sequence[Asset]) -> Decision:
    """Decide about a machine that shows no key: by its name and its machine-id together."""
    if named is None:
        before = _previous(claim, assets)
        # If all keys of that asset are shared, the machine may be a clone of it: so the
        # asset must be silent.
        if before and not before.keys and (before.is_temporary or before.is_silent):
            return Decision("renamed", before.id, f"same machine-id, formerly {before.name()}")
        return Decision("new", None, "no key; known by its name and machine-id until it has one")
    if same_system(claim, named) is not False:
        # A machine-id that could not be read does not count as another one.
        return Decision("known", named.id, "no key in this report; same name and machine-id")
    if named.is_temporary:
        return _replaced(claim, named, "no key, and another machine-id under the same name")
    return _hold(
        claim,
        f"{claim.minion_id} reports another machine-id than before and no key that would"
        " tell whether it is the same machine",
    )


def _previous(claim: Claim, assets: Sequence[Asset]) -> Asset | None:
    """Return the asset of the previous name, if its machine-id is the claimed one."""
    return next(
        (one for one in assets if _says_it_was(claim, one) and same_system(claim, one)), None
    )


def _unknown_hardware(claim: Claim, named: Asset | None, assets: Sequence[Asset]) -> Decision:
    """Decide when no asset can be the machine by one of the claimed keys."""
    best = words(claim.keys[:1])
    if named is None:
        before = _previous(claim, assets)
        if before is not None and before.is_temporary:
            return Decision("renamed", before.id, f"formerly {before.name()}; now has {best}")
        if before is not None and not compare(claim, before).differ:
            return _hold(
                claim,
                f"{claim.minion_id} says it was {before.name()} and has its machine-id, but shows"
                " none of its kinds of keys",
            )
        return Decision("new", None, f"first seen with {best}")
    like = compare(claim, named)
    if like.same or like.differ:
        if kinship := _kinship(claim, like):
            return _hold(claim, f"{claim.minion_id} shows other keys than before, but {kinship}")
        return _replaced(claim, named, f"other hardware: {best}", temporary(claim, assets))
    # No kind of key is known of both: keys appear when a firmware or a permission is fixed.
    is_same = same_system(claim, named)
    if is_same or named.machine_id is None:
        return Decision("known", named.id, f"same name; now has {best}")
    if named.is_temporary and is_same is False:
        return _replaced(claim, named, "other hardware, and another machine-id")
    return _hold(
        claim,
        f"{claim.minion_id} reports other kinds of keys than before and not its machine-id",
    )


def _kinship(claim: Claim, like: Likeness) -> str | None:
    """Return why a machine with other keys may be the one so named with a new board or card."""
    asset = like.asset
    if like.differ == (MAC,) and same_system(claim, asset):
        return "its machine-id is as before and it was known by its network cards only"
    kept = len(claim.parts & asset.parts)
    other_chassis = bool(claim.chassis and asset.chassis and not claim.chassis & asset.chassis)
    if other_chassis or not kept or 2 * kept < len(asset.parts):
        return None
    return (
        f"{kept} of its {len(asset.parts)} disks, memory modules and power supplies are as before:"
        " its board may have been replaced"
    )


def _same_name(claim: Claim, owner: Likeness, alike: Sequence[Likeness]) -> Decision:
    """Decide when the asset so named has the best key; hold the report if too much else changed."""
    asset, match = owner.asset, words(owner.common[:1])
    changed = owner.contradicts()
    # When only the board was replaced, the disks stay, and with them the machine-id.
    is_other_node = len(owner.differ) >= len(owner.same) and same_system(claim, asset) is False
    if (len(changed) >= 2 and not owner.agrees) or is_other_node:
        return _hold(
            claim,
            f"{claim.minion_id} changed {' and '.join(owner.differ)}"
            + (" and its machine-id at once" if is_other_node else " at once")
            + f"; only {words(owner.common)} is as before",
        )
    rivals = [
        one
        for one in alike
        if owner.contradicts() and not one.contradicts() and _without_cards(one.common)
    ]
    if rivals:
        return _tie(claim, [owner, *rivals])
    # A network card may come from the other machine: it does not prove that both exist.
    others = [one for one in alike if one.asset is not asset and not _is_gone(claim, one.asset)]
    shared = _without_cards(
        one for one in claim.keys if any(one in other.common for other in others)
    )
    return Decision(
        "known",
        asset.id,
        f"same name and {match}",
        shared=shared,
        problem=_duplicate(claim, [one.asset for one in others], shared) if shared else None,
    )


def _other_name(
    claim: Claim,
    owner: Likeness,
    others: Sequence[Likeness],
    named: Asset | None,
    assets: Sequence[Asset],
) -> Decision:
    """Decide when the hardware is known under another name, or is detached."""
    asset = owner.asset
    is_gone = _is_gone(claim, asset)
    is_apart = _is_apart(claim, owner, is_gone)
    rivals = [one for one in others if set(_without_cards(one.common)) - asset.keys]
    if rivals and (is_gone or not is_apart or any(one.contradicts() for one in rivals)):
        return _tie(claim, [owner, *rivals])
    # A temporary asset that is this same machine does not count as holder of the name.
    holder = None if named and named == temporary(claim, [named]) else named
    is_proof = not owner.has_card_only() or bool(same_system(claim, asset))
    if is_gone and owner.agrees and len(owner.same) > len(owner.differ) and is_proof:
        return _moved(claim, owner, holder)
    if holder is None and _says_it_was(claim, asset) and not owner.differ and is_proof:
        reason = f"{words(owner.common[:1])}; says it was {asset.name()}"
        return Decision("renamed", asset.id, reason)
    if is_apart:
        return _apart(claim, owner, is_gone, assets)
    if not is_proof:
        return _hold(
            claim,
            f"all that {claim.minion_id} has of {asset.name()} is a network card, and cards move",
        )
    if is_gone:
        return _hold(
            claim,
            f"{claim.minion_id} shows {words(owner.common)} of {asset.name()}, which is heard no"
            f" more, but another {' and '.join(owner.differ)}: a new board, or another machine",
        )
    problem = _duplicate(claim, [asset], _without_cards(owner.common) or owner.common)
    return _hold(claim, f"{problem}, and both are live")


def _is_gone(claim: Claim, asset: Asset) -> bool:
    """
    Whether no other machine can be the one that reports as this asset.

    The asset is detached or silent, or its last report came under the claimed name.
    """
    return asset.minion_id is None or asset.is_silent or asset.reports_as == claim.minion_id


def _says_it_was(claim: Claim, asset: Asset) -> bool:
    """Whether the report names the asset as its former one, and shows no other machine-id."""
    return (
        claim.previous_minion_id is not None
        and claim.previous_minion_id == asset.minion_id
        and same_system(claim, asset) is not False
    )


def _is_apart(claim: Claim, owner: Likeness, is_gone: bool) -> bool:
    """
    Whether other keys show that the report is not of the machine that owns this key.

    If the owner is gone, the best key must differ too: it may have come back with
    another board. If the owner is live, another machine-id is enough, because a
    live machine has only one.
    """
    if not owner.differ or _says_it_was(claim, owner.asset):
        return False
    most_differ = len(owner.differ) >= len(owner.same)
    if is_gone:
        return most_differ and not owner.agrees
    return most_differ or same_system(claim, owner.asset) is False


def _apart(claim: Claim, owner: Likeness, is_gone: bool, assets: Sequence[Asset]) -> Decision:
    """Decide by the other keys, when two machines have these keys in common."""
    shared = _without_cards(owner.common)
    decision = decide(*without(claim, assets, shared))
    if is_gone:
        return decision
    problem = _duplicate(claim, [owner.asset], shared)
    if decision.action == "held":
        return decision._replace(problem=f"{problem}; {decision.problem}")
    left = words([one for one in claim.keys if one not in shared][:1])
    problem = f"{problem}; they are told apart by {left}"
    return decision._replace(
        shared=shared + decision.shared,
        problem=f"{problem}; {decision.problem}" if decision.problem else problem,
    )


def _moved(claim: Claim, owner: Likeness, holder: Asset | None) -> Decision:
    """Decide when the hardware of an asset that is gone reports under another name."""
    asset, match = owner.asset, words(owner.common[:1])
    if holder is None:
        was = f"{asset.minion_id} is silent" if asset.minion_id else "detached until now"
        return Decision("renamed", asset.id, f"{match}; {was}")
    if not compare(claim, holder).contradicts() and same_system(claim, holder) is not False:
        return _hold(
            claim,
            f"{match} is that of {asset.name()}, but nothing tells that the machine which was"
            f" {holder.name()} until now is another",
        )
    if holder.is_silent or holder.is_temporary:
        return _replaced(claim, holder, f"{match} came from {asset.name()}", asset)
    if asset.minion_id is None:
        return _replaced(claim, holder, f"{match} was detached until now", asset)
    return Decision(
        "known",
        asset.id,
        f"{match}; keeps its name",
        problem=f"the machine with {match} was {asset.minion_id} and reports as"
        f" {claim.minion_id}, which is the name of another live machine with"
        f" {words(sorted(holder.keys))}; it is kept as {asset.minion_id}:"
        " give one of them another minion id",
    )


def _replaced(claim: Claim, named: Asset, reason: str, owner: Asset | None = None) -> Decision:
    """Give a name to other hardware if the machine of that name is silent; else hold the report."""
    if not named.is_silent and not named.is_temporary:
        return _hold(
            claim,
            f"{claim.minion_id} is the name of a live machine with {words(sorted(named.keys))}, and"
            f" this is other hardware ({reason}); it takes the name when the other was silent for"
            " the rename grace",
        )
    return Decision("replaced", owner and owner.id, reason, detached=named.id)


def _tie(claim: Claim, alike: Sequence[Likeness]) -> Decision:
    """Hold a report whose keys belong to several assets."""
    claims = sorted(f"{words(one.common)} of {one.asset.name()}" for one in alike)
    return _hold(claim, f"{claim.minion_id} shows {' and '.join(claims)}")


def _duplicate(claim: Claim, assets: Sequence[Asset], keys: Sequence[Key]) -> str:
    names = ", ".join(sorted(asset.name() for asset in assets))
    return f"duplicate identity: {claim.minion_id} and {names} both report {words(keys)}"


def _without_cards(keys: Iterable[Key]) -> tuple[Key, ...]:
    return tuple(one for one in keys if one[0] != MAC)


def _hold(claim: Claim, reason: str) -> Decision:
    return Decision(
        "held", None, reason, problem=f"{reason}; it shows {words(claim.keys) or 'no key'}"
    )
