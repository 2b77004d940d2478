"""
Whether two machines show the same key, or one machine shows it under two names.
"""

from __future__ import annotations

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
        if frozenset(claim.keys) == asset.keys:
            # Two systems of one machine take turns; two machines run at the same time.
            return same_system(claim, asset) is False and _ran_meanwhile(claim, asset)
        return bool(set(claim.keys) - asset.keys) or same_system(claim, asset) is False
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


def _ran_meanwhile(claim: Claim, asset: Asset) -> bool:
    """Whether the machine of an asset has run ever since before such a report was first held."""
    return (
        claim.held_since is not None
        and asset.booted_at is not None
        and asset.booted_at < claim.held_since
    )
