"""
What the process that serves installations asks of the store, and the little that it writes.

Who boots from the network shows its UUID, one of its MACs and the address that it asks from;
:func:`begin_installation` finds the one installation that is open for it and binds it to
these keys. From then on every request names the installation by its id, which the caller
knows from a token of its own making, and shows the same keys: :func:`serve_installation`,
and at the end :func:`finish_installation`. Nothing else opens, closes or widens an installation.

The role ``cmdb_provisioner`` may do all of this and nothing more.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from salt_ext.store.database import Database, Row, rows
from salt_ext.store.schema import INSTALLABLE, asset, installation
from salt_ext.words.keys import macs_of, uuid_of
from salt_ext.words.spellings import bare_address

RUNNING = ("open", "started")
"""The states of an installation in which its machine is answered."""

MOST = 100
"""So many installations with one of the keys are looked at, the newest first."""

STATE = sa.case(
    (installation.c.revoked_at.is_not(None), "revoked"),
    (installation.c.done_at.is_not(None), "done"),
    (sa.func.coalesce(asset.c.lifecycle, "").not_in(INSTALLABLE), "closed"),
    (installation.c.expires_at <= sa.func.now(), "expired"),
    (installation.c.first_get_at.is_not(None), "started"),
    else_="open",
).label("state")
"""
What has become of an installation.

``closed``: its machine was purged, or nobody plans it any more.
"""


class Shown(NamedTuple):
    """What a machine that asks shows of itself, however it writes it; blank is not shown."""

    uuid: str
    mac: str
    address: str = ""
    """From where it asks; it counts only where the plan has an address."""


class Served(NamedTuple):
    """
    Whether a machine may be installed, and as what.

    ``state`` is one of

    ``open``
        It may; ``installation`` is its row, with what people have planned in ``plan``.
    ``unknown``
        No installation has one of these keys, or this id.
    ``foreign``
        The installation is another machine's: ``differs`` names what does not agree with its
        plan, or with the machine that it is bound to: ``uuid``, ``mac``, ``address``.
    ``ambiguous``
        Several open installations have one of these keys; they are ``candidates``.
    ``done``, ``expired``, ``revoked``, ``closed``
        It is over; ``installation`` is the newest that the machine had.
    """

    state: str
    installation: Row | None = None
    candidates: Sequence[Row] = ()
    differs: tuple[str, ...] = ()


def begin_installation(database: Database, shown: Shown) -> Served:
    """
    Find the one open installation for a machine, bind it to what the machine shows, and count.

    Both the UUID and the MAC must be shown. An installation that has one of both and not
    the other is another machine's, and two of which each has one are ambiguous: nothing is
    guessed.
    """
    shown = _keys(shown)
    if not (shown.uuid and shown.mac):
        return Served("unknown")
    has_key = (installation.c.uuid == shown.uuid) | installation.c.macs.contains([shown.mac])
    with database.begin() as link:
        alike = rows(link.execute(_rows(has_key)))
        running = [one for one in alike if one["state"] in RUNNING]
        if len(running) > 1:
            return Served("ambiguous", candidates=running)
        if running:
            return _served(link, running[0], shown)
        over = [one for one in alike if not _differs(one, shown)]
        return Served(over[0]["state"], over[0]) if over else Served("unknown")


def serve_installation(database: Database, installation_id: uuid.UUID, shown: Shown) -> Served:
    """Tell whether a machine may have another file of this installation, and count."""
    with database.begin() as link:
        return _of_id(link, installation_id, _keys(shown))


def finish_installation(database: Database, installation_id: uuid.UUID, shown: Shown) -> Served:
    """
    Note that a machine is installed; from then on it is answered ``done``.

    The state of this answer is still ``open``, and that of each later one: a machine that did
    not hear the answer says it again.
    """
    with database.begin() as link:
        found = _of_id(link, installation_id, _keys(shown))
        if found.state == "open":
            is_it = installation.c.id == installation_id
            link.execute(sa.update(installation).where(is_it).values(done_at=sa.func.now()))
        return found._replace(state="open") if found.state == "done" else found


def _of_id(link: sa.Connection, installation_id: uuid.UUID, shown: Shown) -> Served:
    found = rows(link.execute(_rows(installation.c.id == installation_id)))
    return _served(link, found[0], shown) if found else Served("unknown")


def _served(link: sa.Connection, row: Row, shown: Shown) -> Served:
    """Bind a running installation to the machine that asks, unless it is another's."""
    if differs := _differs(row, shown):
        return Served("foreign", row, differs=differs)
    if row["state"] not in RUNNING:
        return Served(row["state"], row)
    one = installation.c
    bound: dict[str, Any] = {
        "bound_uuid": sa.func.coalesce(one.bound_uuid, shown.uuid),
        "bound_mac": sa.func.coalesce(one.bound_mac, shown.mac),
        # The row is locked. In coalesce() Citus takes no function of time.
        "first_get_at": row["first_get_at"] or sa.func.now(),
        "last_get_at": sa.func.now(),
        "gets": one.gets + 1,
    }
    link.execute(sa.update(installation).where(one.id == row["id"]).values(**bound))
    return Served("open", row)


def _rows(condition: sa.ColumnElement[bool]) -> sa.Select[Any]:
    """Return the installations that fit, locked, the newest first, each with its ``state``."""
    return (
        sa.select(installation, STATE)
        .outerjoin(asset, asset.c.id == installation.c.asset_id)
        .where(condition)
        .order_by(installation.c.opened_at.desc(), installation.c.id)
        .limit(MOST)
        .with_for_update(of=installation)
    )


def _keys(shown: Shown) -> Shown:
    macs = macs_of(shown.mac)
    mac = macs[0] if len(macs) == 1 else ""
    return Shown(uuid_of(shown.uuid), mac, bare_address(shown.address))


def _differs(row: Mapping[str, Any], shown: Shown) -> tuple[str, ...]:
    """
    Return what a machine shows otherwise than planned, or than the one that asked first.

    Of several planned MACs it may show another one later: it has booted by another port.
    """
    allowed = {
        "uuid": [row["uuid"] or row["bound_uuid"]],
        "mac": row["macs"] or [row["bound_mac"]],
        "address": [row["address"]],
    }
    needed = ("uuid", "mac")
    return tuple(
        name
        for name, value in shown._asdict().items()
        if (any(allowed[name]) and value not in allowed[name]) or (name in needed and not value)
    )
