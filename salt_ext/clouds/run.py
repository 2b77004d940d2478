"""
One run: list everything, compare it with the machines, keep what the cloud said and what is left.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from salt_ext import store
from salt_ext.clouds.compare import RETIRED, Compared, compare, is_gone
from salt_ext.clouds.configured import Cloud
from salt_ext.clouds.instance import CloudFailed, Instance
from salt_ext.clouds.listing import NOTHING_DONE, everything
from salt_ext.document import normal
from salt_ext.facts import INSTANCE
from salt_ext.store import Database, Finding, Guest

FEW = 10
"""So many machines may always be called deleted by one listing, if it has any instance."""


class Done(NamedTuple):
    """What one run has found."""

    counts: Mapping[str, int]
    findings: Sequence[Finding]
    news: int
    """Of how many machines the cloud said something new."""


def reconcile(
    database: Database,
    cloud: Cloud,
    master: str,
    *,
    test: bool = False,
    force: bool = False,
    show: Callable[[str], None] = lambda text: None,
) -> Done:
    """
    Compare a cloud with the machines and keep what was found; with ``test`` nothing is kept.

    ``master`` is the one that asks. With ``force`` what is listed no longer is deleted, however
    much it is.
    Raises :class:`CloudFailed`, which is kept as a problem, and :class:`store.StoreError`.
    """
    this = f"the comparison with the cloud {cloud.name!r}"
    with contextlib.nullcontext() if test else store.alone(database, this):
        try:
            instances = everything(cloud, show)
            machines = list(store.guests(database))
            show("comparing")
            found = compare(cloud, instances, machines, is_believed=force)
            if not force:
                _doubt(cloud, machines, found, is_empty=not instances)
        except CloudFailed as error:
            if not test:
                store.fail_listing(database, cloud.name, cloud.driver, master, str(error))
            raise
        told = dict(_told(cloud, found, database.settings["clouds"]))
        # A machine that shows the ids of several instances is told once.
        findings = [*{(one.list, one.key): one for one in _findings(cloud, found)}.values()]
        counts = _counts(instances, found, findings)
        news = len(told)
        if not test:
            show(f"writing what is new of {news:,} machines")
            news = store.tell_instances(database, cloud.name, told.items())
            store.keep_listing(database, cloud.name, cloud.driver, counts, findings)
    return Done(counts, findings, news)


def _doubt(cloud: Cloud, machines: Sequence[Guest], found: Compared, *, is_empty: bool) -> None:
    """
    Raise CloudFailed for a listing that lacks most of what was there: so does a wrong login.

    What it lists as deleted it does not lack.
    """
    had = sum(1 for one in machines if one.lifecycle != RETIRED and _lives_in(cloud, one))
    lost = sum(1 for one in found.unlisted if one.facts and _lives_in(cloud, one.machine))
    if is_empty and had:
        lacks = "no instance at all"
    elif lost > FEW and lost * 2 > had:
        lacks = f"those of {lost:,} no longer"
    else:
        return
    raise CloudFailed(
        f"{had:,} machines are instances of the cloud {cloud.name}, which lists {lacks};"
        f" {NOTHING_DONE}",
        "are login, project and region right? test=True force=True shows what would be called"
        " deleted; if it is, say force=True",
    )


def _lives_in(cloud: Cloud, machine: Guest) -> bool:
    """Whether a machine is, as far as is known, a living instance of a cloud."""
    known = machine.instance
    return known is not None and known.get("cloud") == cloud.name and not is_gone(known)


def _told(
    cloud: Cloud, found: Compared, clouds: Collection[str]
) -> Iterator[tuple[Any, Mapping[str, Any]]]:
    """
    Yield what is new of each machine by what the cloud says; ``clouds`` are those of the setting.

    Many clouds tell hosts to administrators alone: a login that is told of none erases none.
    """
    tells_hosts = any(instance.host for _, instance in found.matched)
    for machine, instance in found.matched:
        known = machine.instance or {}
        if _is_told_by_another(cloud, known, instance, clouds):
            continue
        if not tells_hosts and (known.get("cloud"), known.get("id")) == (cloud.name, instance.id):
            instance = instance._replace(host=known.get("host"))
        if (facts := _normal(instance.facts(cloud.name))) != machine.instance:
            yield machine.asset_id, facts
    for left in found.unlisted:
        if left.facts is not None and left.facts != left.machine.instance:
            yield left.machine.asset_id, left.facts


def _is_told_by_another(
    cloud: Cloud, known: Mapping[str, Any], instance: Instance, clouds: Collection[str]
) -> bool:
    """
    Whether another cloud of the setting has said of this very instance that it lives.

    Two logins may list one project, or two names mean one host: the first keeps what both
    list. It is not the same one where it has moved to another host of no project.
    """
    is_other = known.get("cloud") != cloud.name and known.get("cloud") in clouds
    is_same = known.get("id") == instance.id and (
        known.get("project") == instance.project
        if known.get("project") or instance.project
        else known.get("host") == instance.host
    )
    return is_other and is_same and not is_gone(known)


def _normal(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the section of a machine as the store has it."""
    section: dict[str, Any] = normal({INSTANCE: dict(facts)})[INSTANCE]
    return section


def _counts(
    instances: Sequence[Instance], found: Compared, findings: Sequence[Finding]
) -> dict[str, int]:
    live = sum(not one.is_deleted for one in instances)
    left = Counter(one.list for one in findings)
    return {
        "instances": live,
        "deleted": len(instances) - live,
        "matched": sum(not one.is_deleted for _, one in found.matched),
        **{name: left[name] for name in store.CLOUD_LISTS},
    }


def _findings(cloud: Cloud, found: Compared) -> Iterator[Finding]:
    for instance in found.unreported:
        facts = _normal(instance.facts(cloud.name))
        yield Finding("unreported", instance.id, "no machine reports its id", facts)
    for left in found.unlisted:
        known = left.facts or left.machine.instance or {}
        if left.instance:
            known = _normal(left.instance.facts(cloud.name))
        yield _of_machine("unlisted", left.machine, left.why, known)
    for tie in found.ties:
        facts = _normal(tie.instances[0].facts(cloud.name))
        # No names: whoever reads it may not be meant to see them.
        why = "several machines show its id, or several instances have it"
        yield from (_of_machine("tied", machine, why, facts) for machine in tie.machines)


def _of_machine(which: str, machine: Guest, why: str, facts: Mapping[str, Any]) -> Finding:
    return Finding(which, str(machine.asset_id), why, facts, machine.asset_id, machine.name)
