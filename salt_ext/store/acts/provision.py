"""
Open the installation of machines that are planned, each once and for a while; or revoke it.

What an installation is bound to is decided here and never widened: see
:mod:`salt_ext.store.provisioning`, which serves it.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa

from salt_ext.document.placeholders import uuid_spellings
from salt_ext.store.acts.act import Act
from salt_ext.store.clock import now
from salt_ext.store.database import Database, Row, rows
from salt_ext.store.provisioning import RUNNING, STATE
from salt_ext.store.reads.names import CALLED
from salt_ext.store.schema import INSTALLABLE, asset, expected, identifier, installation
from salt_ext.words.called import called
from salt_ext.words.cells import is_blank
from salt_ext.words.keys import (
    MOST,
    good_address,
    good_macs,
    good_uuid,
    is_instruction,
    why_no_address,
    why_no_macs,
    why_no_uuid,
)
from salt_ext.words.planned import hostname_of, why_no_layout

LOCK = 0x636D7076

PROFILE = r"[a-z0-9][a-z0-9._-]{0,99}"

LONGEST = timedelta(hours=24)
"""Nobody needs to install for longer, and until then a planned machine can be installed."""

SHOWN = 60
"""So many characters of a wrong value are told."""

SAID = ("profile", "disk_layout")
"""What a plan says in fields of people's own, without ``list.`` before them."""


class Refusal(NamedTuple):
    """An installation that is not opened: of which asset, why, and what to do about it."""

    asset_id: uuid.UUID
    name: str
    why: str
    todo: str


class Opened(NamedTuple):
    """What came of it: the installations that are open now, and those that were refused."""

    opened: list[Row]
    refused: list[Refusal]


def open_installations(
    database: Database,
    asset_ids: Sequence[uuid.UUID],
    act: Act,
    *,
    profile: str = "",
    valid: timedelta = timedelta(hours=1),
) -> Opened:
    """
    Open an installation of each asset that may be installed; with ``act.test`` of none.

    ``profile`` goes before that of the plan. Each row has what
    :func:`~salt_ext.store.provisioning.begin_installation` returns, and ``name``.
    """
    if not timedelta(0) < valid <= LONGEST:
        hours = int(LONGEST.total_seconds() // 3600)
        raise ValueError(f"an installation is open for at least a second and at most {hours}h")
    if profile and not re.fullmatch(PROFILE, profile):
        raise ValueError(f"profile is {profile!r}, but it must be a name of a-z 0-9 . _ -")
    done = Opened([], [])
    with database.begin() as link:
        # Two who open at the same time would not see each other's keys.
        wait_for_openers(link)
        moment = now(link)
        for one in _assets(link, asset_ids):
            name = called(one)
            plan = _plan(link, one, profile)
            keys = _keys(link, one["id"], plan)
            refusal = _refusal(link, one, plan, keys)
            if refusal is not None:
                done.refused.append(Refusal(one["id"], name, *refusal))
                continue
            row = {
                "id": uuid.uuid4(),
                "asset_id": one["id"],
                **keys,
                "plan": plan,
                "opened_at": moment,
                "opened_by": act.by,
                "reason": act.why,
                "expires_at": moment + valid,
            }
            if not act.test:
                link.execute(sa.insert(installation).values(**row))
            done.opened.append({**row, "name": name, "state": RUNNING[0]})
    return done


def revoke_installations(database: Database, asset_ids: Sequence[uuid.UUID], act: Act) -> list[Row]:
    """Revoke what is open of these assets, from now on; return it, each with its ``name``."""
    with database.begin() as link:
        wait_for_openers(link)
        found = revoke_running(link, asset_ids, act)
        names = {one["id"]: called(one) for one in _assets(link, asset_ids)}
    return [{**one, "name": names[one["asset_id"]]} for one in found]


def wait_for_openers(link: sa.Connection) -> None:
    """Let nobody else open or revoke an installation until the transaction ends."""
    link.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))


def revoke_running(link: sa.Connection, asset_ids: Sequence[uuid.UUID], act: Act) -> list[Row]:
    """Revoke what is open of these assets, as one who waited for openers; return it."""
    is_one = installation.c.asset_id.in_(asset_ids) & STATE.in_(RUNNING)
    found = rows(link.execute(_installations(is_one)))
    values = {"revoked_at": now(link), "revoked_by": act.by}
    if found and not act.test:
        ids = [one["id"] for one in found]
        revoke = sa.update(installation).where(installation.c.id.in_(ids))
        link.execute(revoke.values(**values))
    return [{**one, **values} for one in found]


def _assets(link: sa.Connection, asset_ids: Sequence[uuid.UUID]) -> list[Row]:
    statement = sa.select(asset.c.id, asset.c.lifecycle, *CALLED).where(asset.c.id.in_(asset_ids))
    return rows(link.execute(statement.order_by(asset.c.minion_id, asset.c.sn, asset.c.id)))


def _plan(link: sa.Connection, one: Row, profile: str) -> dict[str, Any]:
    """Return what people say of an asset, by field, and of each what was said last."""
    is_of = (expected.c.stands_as == one["id"]) | (expected.c.asset_id == one["id"])
    said = sa.select(expected.c.fields).where(is_of)
    order = (expected.c.imported_at, expected.c.source)
    plan: dict[str, Any] = {"sn": one["sn"], "hostname": one["hostname"] or one["minion_id"]}
    for fields in link.scalars(said.order_by(*order)):
        plan |= fields
    for name in SAID:
        plan[name] = plan.pop(f"list.{name}", None)
    plan["profile"] = profile or plan["profile"]
    return {name: value for name, value in plan.items() if not is_blank(value)}


def _keys(link: sa.Connection, asset_id: uuid.UUID, plan: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return by what the machine is known that may be installed.

    What the plan does not say is what the machine itself has reported, if there is one.
    """
    reported = _reported(link, asset_id)
    uuids = [plan["uuid"]] if "uuid" in plan else reported.get("uuid", [])
    macs = good_macs(plan["mac"]) if "mac" in plan else reported.get("mac", [])
    return {
        "uuid": good_uuid(uuids[0]) or None if len(uuids) == 1 else None,
        "macs": macs,
        "address": good_address(plan.get("address")) or None,
    }


def _reported(link: sa.Connection, asset_id: uuid.UUID) -> dict[str, list[str]]:
    """Return the UUIDs and MACs that an asset shows now, as far as they are its own."""
    is_own = (
        (identifier.c.asset_id == asset_id)
        & identifier.c.last_seen.is_(None)
        & ~identifier.c.disowned
        & identifier.c.kind.in_(("uuid", "mac"))
    )
    found: dict[str, list[str]] = {}
    statement = sa.select(identifier.c.kind, identifier.c.value).where(is_own)
    for row in link.execute(statement.order_by(identifier.c.value).limit(MOST)):
        found.setdefault(row.kind, []).append(row.value)
    return found


def _refusal(
    link: sa.Connection, one: Row, plan: Mapping[str, Any], keys: Mapping[str, Any]
) -> tuple[str, str] | None:
    """Return why an asset may not be installed, and what to do; None if it may."""
    name = called(one)
    plain = f"salt-run cmdb.expected set {plan.get('sn') or name}"
    if one["lifecycle"] not in INSTALLABLE:
        return (
            f"it is {one['lifecycle']}, not planned or staged",
            f"if its disks may be wiped: salt-run cmdb.lifecycle {name} staged reason='...'",
        )
    if is_instruction(plan.get("sn", "")):
        return (
            "its serial number is an instruction to cloud-init and not a number",
            "give the machine a serial number in its firmware or hypervisor",
        )
    if "uuid" in plan and (why := why_no_uuid(plan["uuid"])):
        return f"the UUID of its plan cannot be a key: {why}", f"{plain} uuid=..."
    if "mac" in plan and (why := why_no_macs(plan["mac"])):
        return f"the MAC of its plan cannot be a key: {why}", f"{plain} mac=..."
    if "address" in plan and (why := why_no_address(plan["address"])):
        return (
            f"the address of its plan cannot be that of a machine: {why}",
            f"{plain} address=..., the one that its installer asks from",
        )
    if not keys["uuid"] and not keys["macs"]:
        return (
            "neither its UUID nor a MAC is known, and a serial number alone is no key",
            f"{plain} uuid=... or mac=..., as its firmware, BMC or label shows them",
        )
    if not hostname_of(plan.get("hostname")):
        return (
            f"the plan has no host name that is one: {str(plan.get('hostname', 'none'))[:SHOWN]}",
            f"{plain} hostname=..., of letters, digits, hyphens and points",
        )
    if why := why_no_layout(layout := plan.get("disk_layout")):
        return (
            f"the disk layout {str(layout)[:SHOWN]} is none: {why}",
            f"{plain} disk_layout=lvm:sda",
        )
    if not re.fullmatch(PROFILE, str(plan.get("profile", ""))):
        return (
            "its profile has a name with other characters than a-z 0-9 . _ -"
            if "profile" in plan
            else "it has no profile",
            f"give profile=..., or: {plain} profile=...",
        )
    return _conflict(link, one["id"], keys)


def _conflict(
    link: sa.Connection, asset_id: uuid.UUID, keys: Mapping[str, Any]
) -> tuple[str, str] | None:
    """Return which other installation, or machine, has one of the keys; None if none has."""
    one = installation.c
    # A blank: that a UUID is None would be true of all installations without one.
    has_key = one.macs.overlap(keys["macs"]) | (one.uuid == (keys["uuid"] or ""))
    alike = (has_key | (one.asset_id == asset_id)) & STATE.in_(RUNNING)
    other = link.execute(_installations(alike).limit(1)).first()
    if other is not None and other.asset_id == asset_id:
        return (
            f"an installation of it is open until {other.expires_at:%Y-%m-%d %H:%M:%S} UTC",
            "wait, or revoke it: the same command with revoke=True",
        )
    if other is not None:
        name = _name(link, other.asset_id)
        return (
            f"the open installation of {name} has the same UUID or MAC",
            "correct one of both plans, or revoke that installation",
        )
    uuids = uuid_spellings(keys["uuid"]) if keys["uuid"] else ()
    shows = ((identifier.c.kind == "uuid") & identifier.c.value.in_(uuids)) | (
        (identifier.c.kind == "mac") & identifier.c.value.in_(keys["macs"])
    )
    machine = link.scalar(
        sa.select(identifier.c.asset_id)
        .join(asset, asset.c.id == identifier.c.asset_id)
        .where(
            shows,
            identifier.c.last_seen.is_(None),
            identifier.c.asset_id != asset_id,
            asset.c.lifecycle != "retired",
        )
        .limit(1)
    )
    if machine is None:
        return None
    name = _name(link, machine)
    return (
        f"{name} reports this UUID or MAC, and would be installed in its place",
        f"correct the plan; if it is the same machine, plan {name}, or first retire it",
    )


def _name(link: sa.Connection, asset_id: uuid.UUID) -> str:
    return called(_assets(link, [asset_id])[0])


def _installations(condition: sa.ColumnElement[bool]) -> sa.Select[Any]:
    return (
        sa.select(installation, STATE)
        .outerjoin(asset, asset.c.id == installation.c.asset_id)
        .where(condition)
        .order_by(installation.c.opened_at, installation.c.id)
    )
