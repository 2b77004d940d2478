"""
Which machine is which instance, and what is left over on both sides.

A machine is the instance whose id it shows: the id by which its cloud knows it, or the UUID of
its SMBIOS, in either byte order. Its name and its addresses say nothing: both are given again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from salt_ext.clouds.configured import Cloud
from salt_ext.clouds.instance import DELETED, Instance
from salt_ext.document.placeholders import uuid_spellings
from salt_ext.store import Guest

RETIRED = "retired"


class LeftOver(NamedTuple):
    """A machine of which the cloud has no instance, or no longer."""

    machine: Guest
    why: str
    facts: Mapping[str, Any] | None = None
    """Of an instance that was listed and is deleted since; None where nobody knows that."""
    instance: Instance | None = None
    """One that is listed as deleted."""


class Tie(NamedTuple):
    """Machines and instances of which one would be the other's more than once."""

    instances: Sequence[Instance]
    machines: Sequence[Guest]


class Compared(NamedTuple):
    """A cloud beside the inventory."""

    matched: Sequence[tuple[Guest, Instance]]
    unreported: Sequence[Instance]
    """Instances without a report."""
    unlisted: Sequence[LeftOver]
    """Reports without an instance."""
    ties: Sequence[Tie]


def compare(
    cloud: Cloud,
    instances: Sequence[Instance],
    machines: Iterable[Guest],
    *,
    is_believed: bool = False,
) -> Compared:
    """
    Return which machines are which instances of a cloud, and what is left over.

    ``is_believed`` is a listing of which a person says that what it does not have is deleted.
    """
    holders: dict[str, list[int]] = {}
    for number, one in enumerate(instances):
        for key in keys_of(one):
            holders.setdefault(key, []).append(number)
    listed = {one.id for one in instances if not one.is_deleted}
    scopes = _scopes(instances)
    claims = _Claims()
    unlisted: list[LeftOver] = []
    for machine in machines:
        found = {key: at for key in map(_canonical, machine.keys) if (at := holders.get(key))}
        if found:
            claims.take(machine, found)
        elif belongs(cloud, machine, scopes) and machine.lifecycle != RETIRED:
            unlisted.append(_gone(machine, listed, None if is_believed else scopes))
    ties = claims.ties(instances, holders)
    tied = {one.id for tie in ties for one in tie.instances}
    matched, unreported = [], []
    for number, instance in enumerate(instances):
        if instance.id in tied:
            continue
        if number in claims.of:
            [machine] = claims.of[number]
            matched.append((machine, instance))
            if instance.is_deleted and machine.lifecycle != RETIRED:
                why = "the cloud lists its instance as deleted"
                unlisted.append(LeftOver(machine, why, instance=instance))
        elif not instance.is_deleted:
            unreported.append(instance)
    return Compared(matched, unreported, unlisted, ties)


class _Claims:
    """Which machines show the ids of which instances."""

    def __init__(self) -> None:
        self.of: dict[int, list[Guest]] = {}
        """By the number of an instance."""
        self._contested: set[int] = set()
        self._shared: dict[str, list[Guest]] = {}
        """By an id that several instances have."""

    def take(self, machine: Guest, found: Mapping[str, Sequence[int]]) -> None:
        """Note a machine; ``found`` are the instances that have each id which it shows."""
        numbers = {at[0] for at in found.values() if len(at) == 1}
        shared = [key for key, at in found.items() if len(at) > 1]
        for number in numbers:
            self.of.setdefault(number, []).append(machine)
        for key in shared:
            self._shared.setdefault(key, []).append(machine)
        if shared or len(numbers) > 1:
            self._contested |= numbers

    def ties(
        self, instances: Sequence[Instance], holders: Mapping[str, Sequence[int]]
    ) -> list[Tie]:
        """Return what cannot be told apart."""
        ties = [
            Tie([instances[number] for number in holders[key]], machines)
            for key, machines in self._shared.items()
        ]
        self._contested |= {number for key in self._shared for number in holders[key]}
        return ties + [
            Tie([instances[number]], machines)
            for number, machines in self.of.items()
            if len(machines) > 1 or number in self._contested
        ]


def keys_of(instance: Instance) -> Iterator[str]:
    """Yield by what a machine can show that it is this instance."""
    if instance.provider:
        yield f"{instance.provider}/{instance.id}".lower()
    if instance.uuid:
        yield _canonical(instance.uuid)


def _canonical(key: str) -> str:
    """Return a key as both sides write it: of the two byte orders of a UUID the first one."""
    return key.lower() if "/" in key else min(uuid_spellings(key))


Scope = tuple[str | None, str]
"""A kind of cloud, None for whichever, and a project of it."""

Scopes = Mapping[Scope, Collection[str | None]]


def _scopes(instances: Iterable[Instance]) -> Scopes:
    """Return the projects in which a listing has instances, each with its regions."""
    found: dict[Scope, set[str | None]] = {}
    for one in instances:
        if one.project:
            for kind in {one.provider, None}:
                found.setdefault((kind, one.project), set()).add(one.region)
    return found


def _has_of(scopes: Scopes, scope: Scope, region: str | None) -> bool:
    """Whether a listing has instances of a project, and of the region if there is one."""
    regions = scopes.get(scope, ())
    return bool(regions) and (region is None or None in regions or region in regions)


def belongs(cloud: Cloud, machine: Guest, scopes: Scopes) -> bool:
    """
    Whether a machine is known to be of this cloud, so that it would have to be listed.

    It is if a former run matched it with an instance of this cloud, and no later one with
    another cloud's; if its metadata service names a project, and a region if any, of which
    the cloud lists instances; or if the setting says that all machines of this kind of cloud
    are of this one. Of all others nobody knows: they are of another cloud, or of none.
    """
    if machine.instance is not None:
        return bool(machine.instance.get("cloud") == cloud.name)
    if not machine.provider:
        return False
    if machine.provider == cloud.provider:
        return True
    return _has_of(scopes, (machine.provider, machine.account or ""), machine.region)


def _gone(machine: Guest, listed: Collection[str], scopes: Scopes | None) -> LeftOver:
    """
    Return why a machine is left over; ``scopes`` is None if the listing is believed.

    A login sees what it may see. Only where it still lists something of the project, and of
    the region, is what it lists no longer deleted.
    """
    known = machine.instance
    if known is None:
        return LeftOver(machine, "the cloud lists no instance with its id")
    if known.get("id") in listed:
        return LeftOver(machine, "it shows no longer the id of its instance")
    project = known.get("project")
    if scopes is not None and project and not is_gone(known):
        for place, region in (("project", None), ("region", known.get("region"))):
            if not _has_of(scopes, (None, project), region):
                # No names: whoever reads it may not be meant to see them.
                why = f"the cloud lists nothing of its {place} any more"
                return LeftOver(
                    machine, f"{why}: deleted, or its login no longer sees that {place}"
                )
    gone = {**known, "state": DELETED}
    return LeftOver(machine, "the cloud lists its instance no longer", gone)


def is_gone(known: Mapping[str, Any]) -> bool:
    """Whether an instance is no more, by what is kept of it."""
    return bool(known.get("state") == DELETED)
