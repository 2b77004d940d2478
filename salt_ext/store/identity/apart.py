"""
Whether two machines show the same key, or one machine shows it under two names.
"""

from __future__ import annotations

from salt_ext.report.envelope import CLOCK_TOLERANCE
from salt_ext.store.identity.claims import (
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
    live machine has only one. And if it was heard while this report was held, both
    exist, provided that they do not show the very same.
    """
    asset = owner.asset
    if _was_heard_meanwhile(claim, asset):
        # Two systems of one machine take turns; two machines run at the same time.
        if frozenset(claim.keys) == asset.keys:
            return _run_at_once(claim, asset)
        has_own = bool(set(claim.keys) - asset.keys)
        return has_own or same_system(claim, asset) is False or _run_at_once(claim, asset)
    if not owner.differ or says_it_was(claim, asset):
        return False
    most_differ = len(owner.differ) >= len(owner.same)
    if is_gone(claim, asset):
        return most_differ and not owner.agrees
    return most_differ or same_system(claim, asset) is False


def _was_heard_meanwhile(claim: Claim, asset: Asset) -> bool:
    """Whether a live asset has reported since a report with the claimed keys was first held."""
    return (
        not is_gone(claim, asset)
        and (claim.boot_id is None or claim.boot_id != asset.boot_id)
        and claim.held_since is not None
        and asset.last_seen is not None
        and asset.last_seen > claim.held_since
    )


def _run_at_once(claim: Claim, asset: Asset) -> bool:
    """
    Whether two machines run at the same time: another boot was heard since the claimed one began.

    Where the claimed boot is not known: whether the machine of the asset, with another
    system, has run ever since before such a report was first held.
    """
    if claim.booted_at is not None and asset.last_seen is not None and asset.boot_id is not None:
        return claim.booted_at < asset.last_seen - CLOCK_TOLERANCE
    return (
        same_system(claim, asset) is False
        and claim.held_since is not None
        and asset.booted_at is not None
        and asset.booted_at < claim.held_since
    )
