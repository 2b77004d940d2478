"""
Whether two machines show the same key, or one machine shows it under two names.
"""

from __future__ import annotations

from salt_ext.report.envelope import CLOCK_TOLERANCE
from salt_ext.store.identity.claims import (
    MAC,
    Asset,
    Claim,
    Likeness,
    is_gone,
    same_system,
    says_it_was,
)


def is_apart(claim: Claim, owner: Likeness) -> bool:
    """
    Whether something tells that the report is not of the machine that owns this key.

    If the owner is gone, the best key must differ too: it may have come back with
    another board. If the owner is live, another machine-id is enough, because a
    live machine has only one.
    """
    if _both_exist(claim, owner.asset):
        return True
    if not owner.differ or says_it_was(claim, owner.asset):
        return False
    most_differ = len(owner.differ) >= len(owner.same)
    if is_gone(claim, owner.asset):
        return most_differ and not owner.agrees
    return most_differ or same_system(claim, owner.asset) is False


def _both_exist(claim: Claim, asset: Asset) -> bool:
    """
    Whether a live asset has reported since this report was held first, and is another machine.

    A machine that was renamed reports under its old name no more. But one may have
    been renamed back meanwhile, or have two systems that take turns: therefore something
    must differ beside the name.
    """
    if (
        claim.held_since is None
        or asset.last_seen is None
        or asset.last_seen <= claim.held_since
        or claim.previous_minion_id == asset.minion_id
        or claim.boot_id == asset.boot_id is not None
        or is_gone(claim, asset)
    ):
        return False
    system = same_system(claim, asset)
    if system is not True and _run_at_once(claim, asset):
        return True
    if set(claim.keys) - asset.keys:
        return True
    # All that two systems of one machine have in common are its network cards, too.
    has_card = any(kind == MAC for kind, _ in claim.keys)
    return system is False and (frozenset(claim.keys) != asset.keys or not has_card)


def _run_at_once(claim: Claim, asset: Asset) -> bool:
    """Whether two boots are of two machines, because one was heard while the other went on."""
    if claim.boot_id is None or asset.boot_id is None:
        return False
    it_went_on = bool(asset.booted_at and claim.held_since and asset.booted_at < claim.held_since)
    this_went_on = bool(
        claim.booted_at and asset.last_seen and claim.booted_at < asset.last_seen - CLOCK_TOLERANCE
    )
    return it_went_on or this_went_on
