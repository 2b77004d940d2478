"""
What a person may decide about a report that is held, and what each choice would do.

A ruling carries a decision, which the store executes as if ``identity.decide``
had made it; only the decision ``rejected`` is never made by ``identity.decide``.
After any other decision the same report, when it comes again, is ``known`` and
needs no person.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from salt_ext.facts.identity import KEYS
from salt_ext.store.identity.claims import (
    Asset,
    Claim,
    Likeness,
    compare,
    same_system,
    temporary,
    words,
)
from salt_ext.store.identity.decision import Decision


class Ruling(NamedTuple):
    """
    A choice: ``name`` is accept, split, merge or reject; ``says`` tells what would happen.

    ``subject`` is the asset that the choice is about: the accepted one, the merged
    one, or the temporary asset that a split keeps.
    """

    name: str
    decision: Decision
    says: tuple[str, ...]
    subject: Asset | None = None


def rulings(claim: Claim, assets: Sequence[Asset]) -> list[Ruling]:
    """
    Return what may be decided about a report; the arguments are those of ``identity.decide``.

    Of several candidates the one with the best key comes first.
    """
    candidates = _candidates(claim, assets)
    named = next((one for one in assets if one.minion_id == claim.minion_id), None)
    before = temporary(claim, assets)
    found = [accept(claim, one.asset, assets) for one in candidates]
    found.append(_split(claim, candidates, named, before))
    if candidates and candidates[0].is_match():
        best = candidates[0].asset
        found += [
            _merge(claim, best, one.asset, named)
            for one in candidates[1:]
            # To accept the best candidate merges the temporary asset into it anyway.
            if one.asset is not before
        ]
    found.append(_reject(claim))
    return found


def _candidates(claim: Claim, assets: Sequence[Asset]) -> list[Likeness]:
    """Return the assets that the report may belong to, the one with the best key first."""
    rank = {key: number for number, key in enumerate(claim.keys)}

    def order(one: Likeness) -> tuple[int, bool, str]:
        best = rank[one.common[0]] if one.is_match() else len(rank)
        return best, one.asset.minion_id != claim.minion_id, str(one.asset.id)

    names = {claim.minion_id, claim.previous_minion_id} - {None}
    alike = (compare(claim, asset) for asset in assets)
    return sorted((one for one in alike if one.common or one.asset.minion_id in names), key=order)


def accept(claim: Claim, asset: Asset, assets: Sequence[Asset]) -> Ruling:
    """Return the ruling that the report is of this one of the assets around it."""
    named = next((one for one in assets if one.minion_id == claim.minion_id), None)
    before = temporary(claim, assets)
    merged = before if before is not asset else None
    detached = named if named not in (asset, merged) else None
    return _Given(claim, asset, merged, detached).ruling(
        "accept", f"accepted as {asset.name()}", [f"The report is of {_who(asset)}."], asset
    )


def _merge(claim: Claim, asset: Asset, other: Asset, named: Asset | None) -> Ruling:
    """Return the ruling that the report is of this asset, and the other is the same machine."""
    detached = named if named not in (asset, other) else None
    return _Given(claim, asset, other, detached).ruling(
        "merge",
        f"{other.name()} is the same machine as {asset.name()}",
        [f"The report is of {_who(asset)}."],
        other,
    )


def _split(
    claim: Claim, candidates: Sequence[Likeness], named: Asset | None, before: Asset | None
) -> Ruling:
    """Return the ruling that the report is of a machine of its own, whatever keys others share."""
    others = [one for one in candidates if one.is_match() and one.asset is not before]
    shared = tuple(key for key in claim.keys if any(key in one.common for one in others))
    says = ["The report is of a machine of its own" + (f": {_who(before)}." if before else ".")]
    if shared:
        names = ", ".join(one.asset.name() for one in others)
        says.append(
            f"It shares {words(shared)} with {names}: while both show them, they decide for"
            " neither alone."
        )
    detached = named if named is not before else None
    given = _Given(claim, before, None, detached).ruling(
        "split", "a machine of its own", says, before
    )
    return given._replace(decision=given.decision._replace(shared=shared))


def _reject(claim: Claim) -> Ruling:
    return Ruling(
        "reject",
        Decision("rejected", None, "rejected"),
        (
            f"The report of {claim.minion_id} is dropped.",
            "Another with the same evidence is only counted:"
            f" {words(claim.keys) or 'no key'}, machine-id {claim.machine_id or 'unknown'}.",
        ),
    )


class _Given(NamedTuple):
    """The asset that gets a report (None for a new one), and the two that may lose their name."""

    claim: Claim
    asset: Asset | None
    merged: Asset | None
    detached: Asset | None

    def ruling(self, name: str, reason: str, says: list[str], subject: Asset | None) -> Ruling:
        """Return the ruling that does this; its first sentences are ``says``."""
        decision = Decision(
            self._action(),
            self.asset and self.asset.id,
            reason,
            detached=self.detached and self.detached.id,
            merged=self.merged and self.merged.id,
        )
        return Ruling(name, decision, (*says, *self._says()), subject)

    def _action(self) -> str:
        if self.detached is not None:
            return "replaced"
        if self.asset is None:
            return "new"
        return "known" if self.asset.minion_id == self.claim.minion_id else "renamed"

    def _says(self) -> list[str]:
        claim, asset, says = self.claim, self.asset, []
        if self.merged is not None:
            says.append(
                f"{_who(self.merged)} is merged into it: its history stays, under this machine."
            )
        if self.detached is not None:
            says.append(
                f"{_who(self.detached)} loses the name {claim.minion_id} and is detached, with its"
                " history."
            )
        for one in (self.merged, self.detached):
            if one is not None and not one.is_silent and same_system(claim, one) is False:
                says.append(
                    f"{one.name()} was heard within the rename grace and has another machine-id:"
                    " make sure that it is not running."
                )
        if asset is None:
            says.append(f"A new asset takes the name {claim.minion_id}.")
        elif asset.minion_id != claim.minion_id:
            says.append(f"It is called {claim.minion_id} from now on, not {asset.name()}.")
        if asset is not None and claim.keys:
            gained = [key for key in claim.keys if key not in asset.keys]
            lost = sorted(asset.keys - set(claim.keys))
            if gained:
                says.append(f"It is known by {words(gained)} from now on.")
            if lost:
                says.append(f"It is known by {words(lost)} no longer.")
        return says


def _who(asset: Asset) -> str:
    """Return an asset's name with its keys, the best first."""
    keys = sorted(asset.keys, key=lambda key: (KEYS.index(key[0]), key[1]))
    silent = ", silent" if asset.is_silent and asset.minion_id else ""
    return f"{asset.name()} ({words(keys) or 'no key'}{silent})"
