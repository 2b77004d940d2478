"""
Permission for a reaction that hurts a machine: so many machines an hour, one of a group.

It is the same permission for whatever is done: an ``action`` is a word by which people know
it. Who has a permission keeps it until it is released, and so does the machine's group.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from salt_ext.store import brake
from salt_ext.store.acts.act import Act, decided, locked
from salt_ext.store.database import Database, Row, rows
from salt_ext.store.errors import StoreError
from salt_ext.store.losses import settle_losses
from salt_ext.store.reads.listing import Listing, joined, listing
from salt_ext.store.schema import PLACE, asset, loss, reaction, wave
from salt_ext.words.called import called
from salt_ext.words.nearest import unknown
from salt_ext.words.times import timestamp


def permit_reaction(
    database: Database, asset_id: uuid.UUID, action: str, act: Act, *, lost: bool = False
) -> Row:
    """
    Return whether an action on a machine is permitted: ``is_permitted``, ``since`` and ``why`` not.

    Who has the permission already is not asked again. With ``lost`` it is only for a machine that
    has lost something by what is stored by now; a refusal for that is no problem, because
    anybody may send events. With a test nothing is kept.
    """
    if lost and not act.test:
        settle_losses(database, asset_id)
    # Before the lock: what the group is may be asked of the store by another connection.
    source, group = listing(database, None), database.settings["reaction_group"]
    hidden = database.hidden.columns
    fields = [one for one in group_fields(group) if one == group or one not in hidden]
    for field in fields:
        source.field(field)
    with database.begin() as link:
        if not act.test:
            brake.lock(link)
        machine = _machine(link, asset_id)
        now = link.scalars(sa.select(sa.func.clock_timestamp())).one()
        if lost and not link.scalar(sa.select(_lost(asset_id))):
            why = f"{machine['name']} has lost nothing that a later collection shows too"
            return {**machine, "action": action, "is_permitted": False, "since": None, "why": why}
        known = _open(link, asset_id, action)
        if known is not None and known.permitted_at is not None:
            return {**machine, "action": action, "is_permitted": True, "since": known.permitted_at}
        waves = brake.open_waves(link) if act.test else brake.tripped(link, database.settings)
        why = brake.says(waves) if waves else ""
        why = why or _spent(link, database.settings["reactions_per_hour"], asset_id, now)
        holders = _holders(link, asset_id) if fields and not why else []
        groups = _groups(link, source, fields, asset_id, holders) if fields and not why else {}
        why = why or _held(asset_id, fields, holders, groups)
        if not act.test and not waves:
            _keep(link, machine, action, act, known, now, why, groups.get(asset_id))
        return {
            **machine,
            "action": action,
            "is_permitted": not why,
            "since": None if why else now,
            "why": why,
        }


def release_reaction(database: Database, asset_id: uuid.UUID, action: str, act: Act) -> Row:
    """
    Note that an action on a machine is over; return since when, and whether it was on until now.

    Raises :class:`StoreError`.
    """
    with database.begin() as link:
        brake.lock(link)
        machine = _machine(link, asset_id)
        of_asset = sa.select(reaction).where(reaction.c.asset_id == asset_id)
        found = rows(link.execute(of_asset.order_by(reaction.c.released_at.desc().nulls_first())))
        known = {one["action"]: one for one in reversed(found)}
        if not known:
            raise StoreError(
                f"nothing was ever done to {machine['name']}, so there is nothing to release",
                "see what is: salt-run cmdb.brake",
            )
        if action not in known:
            raise StoreError(
                unknown(f"action on {machine['name']}", action, known),
                "see what is done to which machine: salt-run cmdb.brake",
            )
        one = known[action]
        at = one["released_at"] or link.scalars(sa.select(sa.func.clock_timestamp())).one()
        if not act.test and one["permitted_at"] is None:
            link.execute(sa.delete(reaction).where(reaction.c.id == one["id"]))
        elif not act.test and one["released_at"] is None:
            link.execute(
                sa.update(reaction)
                .where(reaction.c.id == one["id"])
                .values(released_at=at, released_by=act.by)
            )
        if not act.test:
            brake.forget_refused(link)
        return {
            **machine,
            "action": action,
            "released_at": at,
            "since": one["permitted_at"],
            "was_held": one["permitted_at"] is not None and one["released_at"] is None,
        }


def reset_brake(database: Database, act: Act) -> list[Row]:
    """Permit reactions again after a wave; return the waves that a person has looked into."""
    with database.begin() as link:
        brake.lock(link)
        found = brake.open_waves(link)
        if found and not act.test:
            link.execute(
                sa.update(wave)
                .where(wave.c.reset_at.is_(None))
                .values(reset_at=sa.func.now(), reset_by=act.by, reason=act.why)
            )
            paths = ", ".join(one["path"] for one in found)
            decided(link, "brake", act, None, {"reset": paths})
            brake.close(link, brake.WAVE)
        return found


def _machine(link: sa.Connection, asset_id: uuid.UUID) -> Row:
    """Return a machine that something can be done to. Raises StoreError for any other."""
    row = locked(link, asset_id, Act("", "", True))
    name = called(dict(row._mapping))
    if row.lifecycle == "retired":
        raise StoreError(
            f"{name} is retired: nothing is to be done to it",
            f"if it is in use again: salt-run cmdb.lifecycle {name} active reason='...'",
        )
    return {"asset_id": asset_id, "minion_id": row.minion_id, "sn": row.sn, "name": name}


def _lost(asset_id: uuid.UUID) -> sa.Exists:
    """Return SQL for whether a machine has lost something, confirmed and not over."""
    is_lost = loss.c.confirmed_at.is_not(None) & loss.c.ended_at.is_(None)
    return sa.select(loss.c.asset_id).where(loss.c.asset_id == asset_id, is_lost).exists()


def _open(link: sa.Connection, asset_id: uuid.UUID, action: str) -> Any:
    return link.execute(
        sa.select(reaction).where(
            reaction.c.asset_id == asset_id,
            reaction.c.action == action,
            reaction.c.released_at.is_(None),
        )
    ).one_or_none()


def _keep(
    link: sa.Connection,
    machine: Row,
    action: str,
    act: Act,
    known: Any,
    now: datetime,
    why: str,
    group: Sequence[str] | None,
) -> None:
    """Keep what was decided, and tell of a refusal."""
    kept: dict[str, Any] = {"asked_by": act.by, "reason": act.why}
    if why:
        kept |= {"refused_at": now, "refusal": why}
    else:
        kept |= {"permitted_at": now, "held_group": group}
    if known is None:
        about = {"id": uuid.uuid4(), "asset_id": machine["asset_id"], "action": action}
        link.execute(sa.insert(reaction).values(**about, **kept))
    else:
        link.execute(sa.update(reaction).where(reaction.c.id == known.id).values(**kept))
    if why:
        brake.refuse(link, f"{action} of {machine['name']} was refused: {why}")
    brake.forget_refused(link)


def _spent(link: sa.Connection, most: int, asset_id: uuid.UUID, now: datetime) -> str:
    """Return why no more machines may be acted on within this hour, if so."""
    hour = timedelta(hours=1)
    found = link.execute(
        sa.select(reaction.c.asset_id, sa.func.max(reaction.c.permitted_at).label("at"))
        .where(reaction.c.permitted_at > now - hour)
        .group_by(reaction.c.asset_id)
    ).all()
    if len(found) < most or any(row.asset_id == asset_id for row in found):
        return ""
    if not most:
        return "reactions_per_hour is 0, so that nothing is permitted"
    # When so many of them are an hour old that one more is permitted.
    over_at = sorted(row.at for row in found)[len(found) - most] + hour
    return (
        f"{len(found)} of at most {most} machines were acted on within this hour; the next may be"
        f" at {timestamp(over_at)}"
    )


def group_fields(name: str) -> tuple[str, ...]:
    """Return the fields that tell groups apart: a rack is one of its room, and that of its site."""
    return PLACE[: PLACE.index(name) + 1] if name in PLACE else (name,) if name else ()


def _holders(link: sa.Connection, asset_id: uuid.UUID) -> list[Row]:
    """Return what is done to other machines, and of which group each was when that began."""
    about = (asset.c[name] for name in ("id", "minion_id", "sn"))
    kept = (reaction.c[name] for name in ("action", "permitted_at", "held_group"))
    return rows(
        link.execute(
            sa.select(*about, *kept)
            .join(reaction, reaction.c.asset_id == asset.c.id)
            .where(
                reaction.c.permitted_at.is_not(None),
                reaction.c.released_at.is_(None),
                reaction.c.asset_id != asset_id,
                asset.c.lifecycle != "retired",
            )
            .order_by(reaction.c.permitted_at)
        )
    )


def _groups(
    link: sa.Connection,
    source: Listing,
    fields: Sequence[str],
    asset_id: uuid.UUID,
    holders: list[Row],
) -> dict[uuid.UUID, list[str]]:
    """Return the present group of a machine and of those that are acted on."""
    columns = [source.field(field).label(f"value{n}") for n, field in enumerate(fields)]
    asked = sa.select(source.key.label("id"), *columns)
    ids = {asset_id, *(one["id"] for one in holders)}
    found = link.execute(joined(asked, source, [source.key.in_(ids)]))
    known = {key: [_plain(value) for value in values] for key, *values in found}
    return {one: known.get(one, [""] * len(fields)) for one in ids}


def _held(
    asset_id: uuid.UUID,
    fields: Sequence[str],
    holders: list[Row],
    groups: dict[uuid.UUID, list[str]],
) -> str:
    """
    Return which other machine of the group of this one is acted on, as a sentence.

    That machine may report another group meanwhile: it holds both, this one and its present one.
    """
    for one in holders:
        mine, then = groups[asset_id], one["held_group"] or []
        is_now = _are_one(groups[one["id"]], mine)
        # By another setting it was of a group that cannot be compared.
        if not is_now and not (len(then) == len(mine) and _are_one(then, mine)):
            continue
        # What has neither name nor number is called by its id: "detached" finds no machine.
        name = one["minion_id"] or one["sn"] or str(one["id"])
        where = (
            f"of the same {fields[-1]} ({mine[-1]})"
            if mine[-1]
            else f"of no known {fields[-1]} either, which counts as one group,"
        )
        when = "" if is_now else " when that began"
        return (
            f"{name} {where}{when} is acted on: {one['action']} since"
            f" {timestamp(one['permitted_at'])}; when that is over: salt-run cmdb.brake {name}"
            f" action={one['action']} release=True"
        )
    return ""


def _plain(value: Any) -> str:
    return "" if value is None else " ".join(str(value).split())


def _are_one(group: Sequence[str], other: Sequence[str]) -> bool:
    """
    Whether two groups may be one: two spellings are, and a site or room that nobody knows is any.

    Machines of which the group itself is not known are one group.
    """
    *above, own = zip(map(str.casefold, group), map(str.casefold, other), strict=True)
    return own[0] == own[1] and all(not one or not two or one == two for one, two in above)
