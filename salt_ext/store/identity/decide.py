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

from collections.abc import Collection, Sequence

from salt_ext.store.identity.apart import is_apart
from salt_ext.store.identity.claims import (
    MAC,
    Asset,
    Claim,
    Key,
    Likeness,
    compare,
    is_gone,
    proves,
    same_system,
    says_it_was,
    temporary,
    without,
    words,
)
from salt_ext.store.identity.decision import Decision, duplicate, hold, tie, without_cards


def decide(
    claim: Claim, assets: Sequence[Asset], shared: Collection[Key] = frozenset()
) -> Decision:
    """
    Decide to whom a report belongs.

    ``assets`` are all assets that have its name, its previous name or one of its keys;
    ``shared`` are the keys that two live assets or more show. Such a key counts only
    for the asset that has the claimed name, or beside a key that is not shared.
    """
    before = temporary(claim, assets)
    if known := settled(claim, assets):
        merged = before.id if before is not None else None
        return Decision("known", known.id, f"same name and {words(claim.keys[:1])}", merged=merged)
    decision = _decide(claim, assets, shared)
    was = _previous(claim, assets)
    if was and was.is_temporary and not is_gone(claim, was) and decision.action != "known":
        # Else the machine would be two assets from now on.
        return _unproved(claim, was)
    if before is not None and decision.asset_id not in (None, before.id):
        decision = decision._replace(merged=before.id)
    if decision.action == "held":
        return decision
    return decision._replace(shared=_shared(claim, decision, assets))


def _decide(claim: Claim, assets: Sequence[Asset], shared: Collection[Key]) -> Decision:
    named = next((asset for asset in assets if asset.minion_id == claim.minion_id), None)
    proven = next((asset for asset in assets if proves(claim, asset)), None)
    theirs = frozenset(shared) - (named.keys if named else frozenset())
    # Whoever proves what it was has the keys of that for itself, whoever shows them too.
    own = proven.keys & theirs if proven else frozenset()
    alone, stripped = without(claim, assets, theirs - own)
    stripped = [
        one if proven is None or one.id == proven.id else one._replace(keys=one.keys - own)
        for one in stripped
    ]
    holder = next((one for one in stripped if named and one.id == named.id), None)
    if alone.keys:
        return _by_keys(claim, alone, holder, stripped, assets)
    return _without_keys(claim, holder, stripped)


def settled(claim: Claim, assets: Sequence[Asset]) -> Asset | None:
    """Return the asset whose name and keys are exactly those of the claim, else None."""
    return next(
        (
            one
            for one in assets
            if claim.keys and one.minion_id == claim.minion_id and one.keys == frozenset(claim.keys)
        ),
        None,
    )


def _shared(claim: Claim, decision: Decision, assets: Sequence[Asset]) -> tuple[Key, ...]:
    """Return the claimed keys that another live asset shows too."""
    over = (decision.asset_id, decision.detached, decision.merged)
    others = [one for one in assets if one.id not in over and not is_gone(claim, one)]
    theirs = frozenset[Key]().union(*(one.keys for one in others))
    # A network card may come from the other machine: it does not prove that both exist.
    return tuple(key for key in without_cards(claim.keys) if key in theirs)


def _by_keys(
    claim: Claim,
    alone: Claim,
    named: Asset | None,
    assets: Sequence[Asset],
    whole: Sequence[Asset],
) -> Decision:
    """
    Decide by the best of the claimed keys; of several assets with it, take the one so named.

    ``alone`` and ``assets`` are the claim and the assets without the keys that decide
    nothing alone; ``whole`` are the assets with all of their keys.
    """
    alike = [one for one in (compare(alone, asset) for asset in assets) if one.is_match()]
    best = next((key for key in alone.keys if any(key in one.common for one in alike)), None)
    owners = _likeliest(claim, best, alike)
    owner = next((one for one in owners if one.asset is named), owners[0] if owners else None)
    if owner is None:
        return _unknown_hardware(alone, named, assets)
    if owner.asset is named:
        return _same_name(alone, owner, alike)
    if len(owners) > 1:
        return tie(claim, owners)
    others = [one for one in alike if one is not owner]
    # Beside a key that is not shared, the shared ones count too.
    [asset] = [one for one in whole if one.id == owner.asset.id]
    return _other_name(claim, compare(claim, asset), others, named, assets)


def _likeliest(claim: Claim, best: Key | None, alike: Sequence[Likeness]) -> list[Likeness]:
    """Return the assets that have the best key, or fewer if something else tells them apart."""
    if best is not None and best[0] == MAC:
        # A card travels, so a machine is where its name or most of its cards are.
        owners = [one for one in alike if one.asset.minion_id == claim.minion_id]
        most = max(len(one.common) for one in alike)
        owners = owners or [one for one in alike if len(one.common) == most]
    else:
        owners = [one for one in alike if best in one.common]
    if len(owners) > 1:
        owners = [one for one in owners if not one.contradicts()] or owners
        said = [
            one for one in owners if says_it_was(claim, one.asset) and is_gone(claim, one.asset)
        ]
        owners = said or owners
    return owners


def _without_keys(claim: Claim, named: Asset | None, assets: Sequence[Asset]) -> Decision:
    """Decide about a machine without a key of its own: by its name and its machine-id together."""
    if named is None:
        before = _previous(claim, assets)
        # If all keys of that asset are shared, the machine may be a clone of it.
        if before and not before.keys and is_gone(claim, before):
            return Decision("renamed", before.id, f"same machine-id, formerly {before.name()}")
        reason = "no key that it has alone; known by its name and machine-id until it has one"
        return Decision("new", None, reason)
    if same_system(claim, named) is not False:
        # A machine-id that could not be read does not count as another one.
        return Decision("known", named.id, "no key in this report; same name and machine-id")
    if named.is_temporary:
        return _replaced(claim, named, "no key, and another machine-id under the same name")
    return hold(
        claim,
        "unread",
        f"{claim.minion_id} reports another machine-id than before and no key that would"
        " tell whether it is the same machine",
    )


def _previous(claim: Claim, assets: Sequence[Asset]) -> Asset | None:
    """Return the asset of the previous name, if its machine-id is the claimed one."""
    return next(
        (one for one in assets if says_it_was(claim, one) and same_system(claim, one)), None
    )


def _unproved(claim: Claim, asset: Asset) -> Decision:
    """Hold a report that says what its machine was, while that is heard and nothing proves it."""
    return hold(
        claim,
        "unproved",
        f"{claim.minion_id} says it was {asset.name()}, which is live, and does not prove it",
    )


def _unknown_hardware(claim: Claim, named: Asset | None, assets: Sequence[Asset]) -> Decision:
    """Decide when no asset can be the machine by one of the claimed keys."""
    best = words(claim.keys[:1])
    if named is None:
        before = _previous(claim, assets)
        if before is not None and before.is_temporary:
            return Decision("renamed", before.id, f"formerly {before.name()}; now has {best}")
        if before is not None and not compare(claim, before).differ:
            return hold(
                claim,
                "unread",
                f"{claim.minion_id} says it was {before.name()} and has its machine-id, but shows"
                " none of its kinds of keys",
            )
        return Decision("new", None, f"first seen with {best}")
    like = compare(claim, named)
    if like.same or like.differ:
        if kinship := _kinship(claim, like):
            reason = f"{claim.minion_id} shows other keys than before, but {kinship}"
            return hold(claim, "board", reason)
        return _replaced(claim, named, f"other hardware: {best}", temporary(claim, assets))
    # No kind of key is known of both: keys appear when a firmware or a permission is fixed.
    is_same = same_system(claim, named)
    if is_same or named.machine_id is None:
        return Decision("known", named.id, f"same name; now has {best}")
    if named.is_temporary and is_same is False:
        return _replaced(claim, named, "other hardware, and another machine-id")
    return hold(
        claim,
        "unread",
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
        return hold(
            claim,
            "changed",
            f"{claim.minion_id} changed {' and '.join(owner.differ)}"
            + (" and its machine-id at once" if is_other_node else " at once")
            + f"; only {words(owner.common)} is as before",
        )
    rivals = [
        one
        for one in alike
        if owner.contradicts() and not one.contradicts() and without_cards(one.common)
    ]
    if rivals:
        return tie(claim, [owner, *rivals])
    return Decision("known", asset.id, f"same name and {match}")


def _other_name(
    claim: Claim,
    owner: Likeness,
    others: Sequence[Likeness],
    named: Asset | None,
    assets: Sequence[Asset],
) -> Decision:
    """Decide when the hardware is known under another name, or is detached."""
    asset, gone = owner.asset, is_gone(claim, owner.asset)
    apart = is_apart(claim, owner)
    rivals = [one for one in others if set(without_cards(one.common)) - asset.keys]
    if rivals and (gone or not apart or any(one.contradicts() for one in rivals)):
        return tie(claim, [owner, *rivals])
    # A temporary asset that is this same machine does not count as holder of the name.
    holder = None if named and named == temporary(claim, [named]) else named
    is_enough = not owner.has_card_only() or bool(same_system(claim, asset))
    if gone and owner.agrees and len(owner.same) > len(owner.differ) and is_enough:
        return _moved(claim, owner, holder)
    if apart:
        # The other keys decide; this one both machines have.
        both = without_cards(owner.common) or owner.common
        decision = _decide(*without(claim, assets, both), ())
        if decision.action == "held" and not gone:
            problem = f"{duplicate(claim, [asset], both)}; {decision.problem}"
            return decision._replace(problem=problem)
        return decision
    if not is_enough:
        return hold(
            claim,
            "card",
            f"all that {claim.minion_id} has of {asset.name()} is a network card, and cards move",
        )
    if gone:
        return hold(
            claim,
            "changed",
            f"{claim.minion_id} shows {words(owner.common)} of {asset.name()}, which is heard no"
            f" more, but another {' and '.join(owner.differ)}: a new board, or another machine",
        )
    problem = duplicate(claim, [asset], without_cards(owner.common) or owner.common)
    return hold(claim, "claimed", f"{problem}, and both are live")


def _moved(claim: Claim, owner: Likeness, holder: Asset | None) -> Decision:
    """Decide when the hardware of an asset that is gone reports under another name."""
    asset, match = owner.asset, words(owner.common[:1])
    if holder is None:
        was = f"{asset.minion_id} is silent" if asset.minion_id else "detached until now"
        return Decision("renamed", asset.id, f"{match}; {was}")
    if not compare(claim, holder).contradicts() and same_system(claim, holder) is not False:
        return hold(
            claim,
            "changed",
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
        return hold(
            claim,
            "taken",
            f"{claim.minion_id} is the name of a live machine with {words(sorted(named.keys))}, and"
            f" this is other hardware ({reason}); it takes the name when the other was silent for"
            " the rename grace",
        )
    return Decision("replaced", owner and owner.id, reason, detached=named.id)
