"""
One run of a push: it reads, plans, writes in bulk, and keeps the ledger.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from salt_ext import store
from salt_ext.feeds.handed import LeftOut, handed
from salt_ext.feeds.push.configured import SYSTEMS
from salt_ext.feeds.push.plan import (
    NOT_DONE,
    Plan,
    State,
    Step,
    names_in_question,
    objects_of,
    place,
    plan,
)
from salt_ext.feeds.push.target import (
    Fields,
    Found,
    Push,
    PushFailed,
    Refused,
    Target,
    slices,
)
from salt_ext.store import Database, Pushed, Written

MOST_REFUSED = 100
"""After so many machines that a system has refused, something else is wrong."""

SAY_FORCE = "look at its filters; if all of them shall be retired, say force=True"


class Wishes(NamedTuple):
    """What a person says to one run."""

    dry_run: bool = False
    adopt: bool = False
    recreate: bool = False
    force: bool = False


class Done(NamedTuple):
    """What one run has done, or with ``dry_run`` would do."""

    steps: list[Step]
    unchanged: int
    missing: int
    """Machines that were silent for long: they stay as they are."""
    left_out: list[LeftOut]
    calls: int
    made_first: Sequence[str] = ()
    """What is made there because machines need it."""
    brake: str = ""
    """Why a run without ``force`` would write nothing."""


def push(
    database: Database, what: Push, wishes: Wishes, show: Callable[[str], None] = lambda text: None
) -> Done:
    """
    Push the machines into the system; with ``dry_run`` find out what that would do.

    Raises :class:`PushFailed` and :class:`store.StoreError`. What was written until then is in
    the ledger, or is found by its mark: the next run goes on from there.
    """
    target = SYSTEMS[what.system].target(what)
    this = f"the push {what.name!r}"
    with contextlib.nullcontext() if wishes.dry_run else store.alone(database, this):
        show(f"reading {what.url}")
        state, left_out, missing = _state(database, what, target)
        in_question = names_in_question(state)
        holders = target.holders(in_question) if in_question else {}
        found = plan(state, holders, adopt=wishes.adopt, recreate=wishes.recreate)
        steps = _without_lacking(target, found.steps)
        made_first = target.made_first()
        brake = "" if wishes.force else _brake(what, state, steps)
        if not wishes.dry_run:
            if brake:
                raise PushFailed(f"{brake}; nothing was written", SAY_FORCE)
            _keep_what_is_known(database, what, state, found)
            steps = _write(database, what, target, state, steps, show)
    same = len(found.unchanged)
    return Done(steps, same, missing, left_out, target.calls, made_first, brake)


def _state(database: Database, what: Push, target: Target) -> tuple[State, list[LeftOut], int]:
    """Return what is known before the push, who is left out, and how many are missing."""
    rows = store.machines(
        database,
        # What is missing is not retired: it is kept as it is.
        filters={**store.SILENT_TOO, **what.filters},
        columns=list(dict.fromkeys(["freshness", "address", *target.columns])),
        name=what.options["name"],
        has_interface=target.needs_interface,
    )
    left_out: list[LeftOut] = []
    wanted: dict[uuid.UUID, Fields] = {}
    missing = set()
    # All are read before the target is asked anything: the database does not wait for it.
    for machine in list(handed(rows, left_out, needs_address=target.needs_address)):
        asset_id = machine.row["id"]
        if machine.row["freshness"] == "missing":
            missing.add(asset_id)
            continue
        own = {"name": machine.name, "asset_id": str(asset_id), "retired": False}
        wanted[asset_id] = {**own, **target.fields(machine)}
    kept = {*missing, *(uuid.UUID(one.asset_id) for one in left_out)}
    ledger = store.pushed_of(database, what.name)
    objects = objects_of(ledger, target.ours())
    return State(wanted, kept, ledger, objects, target.keeps), left_out, len(missing)


def _without_lacking(target: Target, steps: list[Step]) -> list[Step]:
    """Return the steps; those that the system lacks something for are refused beforehand."""
    to_do = [step for step in steps if step.what not in NOT_DONE]
    lacking = target.lacking([(step.found, step.fields) for step in to_do])
    told = [
        step._replace(what="refused", why=lacking[at]) if at in lacking else step
        for at, step in enumerate(to_do)
    ]
    return sorted([*told, *(step for step in steps if step.what in NOT_DONE)], key=place)


def _brake(what: Push, state: State, steps: Sequence[Step]) -> str:
    """
    Return why so many machines are not retired at once; blank where they are few.

    More often a filter is wrong than all of them.
    """
    retiring = sum(step.what == "retire" for step in steps)
    share = what.options["retire_percent"]
    if retiring <= 1 or retiring * 100 <= share * len(state.active):
        return ""
    return (
        f"{retiring} of {len(state.active)} machines would be retired in {what.name}, more than"
        f" the {share} % of retire_percent"
    )


def _keep_what_is_known(database: Database, what: Push, state: State, found: Plan) -> None:
    """Write into the ledger what it does not know of objects that need no change."""
    known = [
        Written(asset_id, there.id, state.wanted[asset_id])
        for asset_id, there in found.unchanged
        if not _is_known(state.ledger.get(asset_id), there.id, state.wanted[asset_id])
    ]
    known += [_retired(state, asset_id, there.id) for asset_id, there in found.retired]
    _keep(database, what, state, known, found.forgotten)


def _is_known(entry: Pushed | None, remote_id: str, fields: Fields) -> bool:
    return (
        entry is not None
        and entry.key == entry.asset_id
        and entry.retired_at is None
        and (entry.remote_id, entry.wrote) == (remote_id, fields)
    )


def _keep(
    database: Database,
    what: Push,
    state: State,
    written: Sequence[Written],
    forgotten: Sequence[uuid.UUID] = (),
) -> None:
    """Write into the ledger; what stood under an asset that was merged goes to what it is now."""
    touched = [*forgotten, *(one.asset_id for one in written)]
    entries = [state.ledger[one] for one in touched if one in state.ledger]
    old = [one.key for one in entries if one.key != one.asset_id or one.asset_id in forgotten]
    store.keep_pushed(database, what.name, written, old)


def _write(
    database: Database,
    what: Push,
    target: Target,
    state: State,
    steps: Sequence[Step],
    show: Callable[[str], None],
) -> list[Step]:
    """Do the steps; return them, those that the system refused with its sentence."""
    done = [step for step in steps if step.what in NOT_DONE]
    to_do = [step for step in steps if step.what not in NOT_DONE]
    tried = refused = 0
    try:
        for _, alike in groupby(to_do, key=lambda step: step.what):
            for bulk in slices(list(alike), target.bulk):
                for written, refusal in _taken(target, bulk):
                    done += written
                    tried += len(written)
                    refused += bool(refusal)
                    show(f"{tried:,} of {len(to_do):,} machines written")
                    if refusal:
                        done[-1] = written[0]._replace(what="refused", why=refusal)
                        _stop_if_all_are(refused, tried, refusal)
                    else:
                        _keep(database, what, state, _entries(state, written))
    except PushFailed as failure:
        so_far = f"{tried - refused:,} of {len(to_do):,} machines had been written"
        raise PushFailed(f"{failure}; {so_far}", failure.hint) from None
    return sorted(done, key=place)


def _taken(target: Target, steps: Sequence[Step]) -> Iterator[tuple[Sequence[Step], str]]:
    """
    Yield the steps that were done together, and each that was refused with the reason.

    A bulk that is refused as a whole is halved until the machine is found that it was for,
    unless the system tells which ones it was for.
    """
    try:
        yield _together(target, steps), ""
    except Refused as refusal:
        if refusal.of:
            yield from (([steps[at]], why) for at, why in sorted(refusal.of.items()))
            rest = [step for at, step in enumerate(steps) if at not in refusal.of]
            yield from _taken(target, rest) if rest else ()
        elif len(steps) == 1:
            yield steps, str(refusal)
        else:
            half = len(steps) // 2
            yield from _taken(target, steps[:half])
            yield from _taken(target, steps[half:])


def _together(target: Target, steps: Sequence[Step]) -> Sequence[Step]:
    """Do steps of one kind in one call; return them with the objects that they are about."""
    if steps[0].found is None:
        ids = target.create([step.fields for step in steps])
        return [
            step._replace(found=Found(one, step.fields))
            for step, one in zip(steps, ids, strict=True)
        ]
    target.update([(step.found, step.fields) for step in steps if step.found])
    return steps


def _stop_if_all_are(refused: int, tried: int, refusal: str) -> None:
    if refused > MOST_REFUSED and refused * 2 > tried:
        raise PushFailed(
            f"{refused} of {tried} machines were refused, the last one with: {refusal}",
            "that is about all of them: look at the options of the push",
        )


def _entries(state: State, steps: Sequence[Step]) -> list[Written]:
    """Return what the ledger has to know of steps that were done."""
    return [
        _retired(state, step.asset_id, step.found.id)
        if step.what == "retire"
        else Written(step.asset_id, step.found.id, state.wanted[step.asset_id])
        for step in steps
        if step.found and step.what != "rename"
    ]


def _retired(state: State, asset_id: uuid.UUID, remote_id: str) -> Written:
    """Return an entry with what we wrote: when the machine returns, that is still ours."""
    return Written(asset_id, remote_id, state.ledger[asset_id].wrote, True)
