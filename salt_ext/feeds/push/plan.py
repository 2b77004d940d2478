"""
What a push has to do, from what shall be there, what is there, and what we wrote earlier.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from salt_ext.feeds.push.target import Fields, Found
from salt_ext.store import Pushed

ORDER = ("rename", "retire", "return", "update", "adopt", "create")
"""
What is done, in this order: names become free before they are given.

``rename`` gives another name to an object of ours, because a machine that has its name now
needs it.
"""

NOT_DONE = ("refused", "not ours", "deleted there")
"""What is told and not done."""


class Step(NamedTuple):
    """What is to be done with one machine, or why it is not."""

    what: str
    asset_id: uuid.UUID
    name: str
    found: Found | None = None
    """The object that is there."""
    fields: Fields = {}  # noqa: RUF012 - never written to
    """What is written: of a new object everything, else what differs."""
    why: str = ""


class Plan(NamedTuple):
    """All that is to be done, and what the ledger is told without that anything is."""

    steps: list[Step]
    unchanged: list[tuple[uuid.UUID, Found]]
    """Assets whose objects are as they shall be."""
    retired: list[tuple[uuid.UUID, Found]]
    """Those that are retired there already, while the ledger does not know it."""
    forgotten: list[uuid.UUID]
    """Those that are handed out no more, and whose objects are gone."""


class State(NamedTuple):
    """What is known before a push."""

    wanted: Mapping[uuid.UUID, Fields]
    """What shall be there."""
    kept: Collection[uuid.UUID]
    """What stays as it is: machines that are missing, or that cannot be told."""
    ledger: Mapping[uuid.UUID, Pushed]
    objects: Mapping[uuid.UUID, list[Found]]
    """What is there of each asset; more than one if a mark was copied."""
    keeps: Collection[str] = ()
    """Fields that stay as they are when they are wanted no more."""

    @property
    def active(self) -> list[uuid.UUID]:
        """The assets that have an object which is not retired, as far as the ledger knows."""
        return [key for key, entry in self.ledger.items() if entry.retired_at is None]

    @property
    def owners(self) -> dict[str, uuid.UUID]:
        """The assets of the objects that are ours, by the id there."""
        return {
            one.id: asset_id
            for asset_id, objects in self.objects.items()
            if asset_id in self.ledger or asset_id in self.wanted
            for one in objects
        }


def objects_of(
    ledger: Mapping[uuid.UUID, Pushed], found: Iterable[Found]
) -> dict[uuid.UUID, list[Found]]:
    """
    Return what is there of each asset: what the ledger names, or else all that carry its mark.

    What the ledger names counts only with the mark: with another server behind the same
    address, the same id is somebody else's object.
    """
    marked = defaultdict(list)
    for one in found:
        if mark := _id_of(one.fields["asset_id"]):
            marked[mark].append(one)
    objects = dict(marked)
    for asset_id, entry in ledger.items():
        marks = dict.fromkeys((entry.key, asset_id))
        candidates = [one for mark in marks for one in marked.get(mark, ())]
        named = [one for one in candidates if one.id == entry.remote_id]
        if entry.key != asset_id:
            objects.pop(entry.key, None)
        if named or candidates:
            objects[asset_id] = named[:1] or candidates
    return objects


def names_in_question(state: State) -> dict[str, Fields]:
    """Return the names that objects shall get which do not have them yet, and those objects."""
    return {
        fields["name"]: fields
        for asset_id, fields in state.wanted.items()
        if all(one.fields["name"] != fields["name"] for one in state.objects.get(asset_id, ()))
    }


def plan(
    state: State, holders: Mapping[str, Found], *, adopt: bool = False, recreate: bool = False
) -> Plan:
    """
    Return what is to be done.

    ``holders`` are the objects that stand in the place of a name in question. With ``adopt``
    those of somebody else are taken over. With ``recreate`` what people deleted there is made
    again.
    """
    found = Plan([], [], [], [])
    owners = state.owners
    renamed: set[str] = set()
    for asset_id, fields in state.wanted.items():
        entry, objects = state.ledger.get(asset_id), state.objects.get(asset_id, [])
        step = Step("refused", asset_id, fields["name"])
        if len(objects) > 1:
            ids = ", ".join(one.id for one in objects)
            why = f"several objects there carry the mark of this machine: {ids}; leave it to one"
            found.steps.append(step._replace(why=why))
            continue
        there = objects[0] if objects else None
        changes = fields
        if there:
            wrote = entry.wrote if entry else {}
            changes = differences(fields, there.fields, wrote, state.keeps)
            if not changes:
                found.unchanged.append((asset_id, there))
                continue
        holder = holders.get(fields["name"]) if "name" in changes else None
        if holder and not (there and holder.id == there.id):
            freeing = _freeing(state, owners.get(holder.id), step, holder)
            if freeing.what == "rename":
                if holder.id not in renamed:
                    renamed.add(holder.id)
                    found.steps.append(freeing)
            elif freeing.what == "not ours" and adopt and there is None:
                changes = differences(fields, holder.fields, {})
                found.steps.append(step._replace(what="adopt", found=holder, fields=changes))
                continue
            else:
                found.steps.append(freeing)
                continue
        if there:
            what = "return" if changes.get("retired") is False else "update"
            found.steps.append(step._replace(what=what, found=there, fields=changes))
        elif entry and entry.retired_at is None and not recreate:
            why = "with recreate=True it is made again"
            found.steps.append(step._replace(what="deleted there", why=why))
        else:
            found.steps.append(step._replace(what="create", fields=fields))
    _retire(state, found)
    found.steps.sort(key=place)
    return found


def place(step: Step) -> tuple[int, str]:
    """Return where a step stands among the others: what is not done comes last."""
    return (*ORDER, *NOT_DONE).index(step.what), step.name


def _freeing(state: State, owner: uuid.UUID | None, step: Step, holder: Found) -> Step:
    """Return how the name that a machine shall get becomes free, or why it does not."""
    has = "has this name there"
    if holder.fields["name"] != step.name:
        has = f"is called {holder.fields['name']!r} there"
        if holder.fields["name"].casefold() != step.name.casefold():
            has += " and has its serial number"
    why = f"{holder.id} {has}"
    if owner is None:
        if mark := holder.fields["asset_id"]:
            return step._replace(why=f"{why}, and the mark of asset {mark}")
        entry = state.ledger.get(step.asset_id)
        if entry and entry.remote_id == holder.id:
            why += ", and its mark was taken away"
        return step._replace(what="not ours", why=f"{why}; with adopt=True it is taken over")
    wanted = state.wanted.get(owner)
    if owner in state.kept or (wanted and wanted["name"] in (step.name, holder.fields["name"])):
        return step._replace(why=f"{why}, and stands for asset {owner}")
    other = {"name": f"{step.name[:50]}_{owner.hex[-8:]}"}
    return Step(
        "rename", owner, step.name, holder, other, f"asset {step.asset_id} has the name now"
    )


def _retire(state: State, found: Plan) -> None:
    """Add what is not handed out any more."""
    for asset_id in state.active:
        if asset_id in state.wanted or asset_id in state.kept:
            continue
        objects = state.objects.get(asset_id, [])
        if not objects:
            found.forgotten.append(asset_id)
        for one in objects[:1]:
            if one.fields["retired"]:
                found.retired.append((asset_id, one))
            else:
                step = Step("retire", asset_id, one.fields["name"], one, {"retired": True})
                found.steps.append(step)


def differences(
    wanted: Fields, there: Fields, wrote: Mapping[str, Any], keeps: Collection[str] = ()
) -> Fields:
    """
    Return the fields to write, so that an object has what is wanted and keeps what is not.

    A field that was written and is wanted no more, because an option has changed, is one that
    we do not know any more; but for those of ``keeps``.
    """
    changes: Fields = {}
    dropped: Fields = {
        name: [] if isinstance(value, list) else None
        for name, value in wrote.items()
        if name not in keeps
    }
    for name, value in {**dropped, **wanted}.items():
        old = there.get(name)
        if isinstance(value, list):
            others = set(old or ()) - set(wrote.get(name) or ())
            if others | set(value) != set(old or ()):
                changes[name] = sorted(others | set(value))
        elif value is None:
            # Somebody else's value stays; ours goes when we do not know it any more.
            if old is not None and wrote.get(name) == old:
                changes[name] = None
        elif value != old:
            changes[name] = value
    return changes


def _id_of(mark: str | None) -> uuid.UUID | None:
    try:
        return uuid.UUID(mark) if mark else None
    except ValueError:
        return None
