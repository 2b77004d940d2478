"""
What ssh knows of the machines, as a file for ``Include`` in ``~/.ssh/config``.

The key of a machine is kept under its name and not under its address, so that an address that
goes to another machine is noticed. Everything else that a name stands for is made of the name
or begins with ``sn-``: a machine may call itself ``github.com``, but nobody shall get there
by that name. A machine on the way to the others is reached as it is without this file, unless
Salt has checked that one has its name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from salt_ext.feeds.feed import NAME, Feed, Option
from salt_ext.feeds.handed import NAME as USABLE
from salt_ext.feeds.handed import Handed, LeftOut
from salt_ext.feeds.login import for_login, means_another

HOP = r"([A-Za-z0-9_.-]+@)?([A-Za-z0-9_][A-Za-z0-9_.-]*|\[[0-9A-Fa-f:]+\])(:[0-9]{1,5})?"
"""A machine on the way, as ``ProxyJump`` takes it."""

AS_A_HOP = "it calls itself as a machine on the way to others (proxy_jump)"


class _Machine(NamedTuple):
    name: str
    address: str
    asset_id: str
    others: tuple[str, ...]
    """What it might be called besides."""


def write(
    machines: Iterable[Handed],
    left_out: list[LeftOut],
    *,
    user: str,
    port: int,
    proxy_jump: str,
    key_alias: str,
    name: str,
) -> Iterator[str]:
    """Yield a block for each machine; of two that want one name besides, neither gets it."""
    hops = {_host(hop) for hop in proxy_jump.split(",")}
    said = []
    for machine in for_login(machines, left_out):
        if machine.name.lower() in hops and not machine.row["is_own"]:
            left_out.append(LeftOut(machine.name, str(machine.row["id"]), AS_A_HOP))
        else:
            said.append(_machine(machine))
    # ssh compares the names of keys without their case.
    names = Counter(one.name.lower() for one in said)
    wanted = names + Counter(other.lower() for one in said for other in one.others)
    options = [f"    User {user}"] if user else []
    options += [f"    Port {port}"] if port else []
    for one in said:
        if names[one.name.lower()] > 1:
            left_out.append(LeftOut(one.name, one.asset_id, "another name differs only by case"))
            continue
        called = [one.name, *(other for other in one.others if wanted[other.lower()] == 1)]
        aliases = (other for other in called[1:] if other.lower() not in hops)
        lines = [
            f"Host {' '.join([one.name, *aliases])}",
            f"    HostName {one.address}",
            f"    HostKeyAlias {one.asset_id if key_alias == 'id' else one.name}",
            *options,
        ]
        # By way of itself ssh would start itself without end.
        if proxy_jump and hops.isdisjoint([one.address, *(other.lower() for other in called)]):
            lines.append(f"    ProxyJump {proxy_jump}")
        yield "\n".join(lines) + "\n"


def _host(hop: str) -> str:
    """Return the machine of ``user@machine:port``."""
    place = hop.rpartition("@")[2].lower()
    return place[1:].partition("]")[0] if place.startswith("[") else place.partition(":")[0]


def _machine(one: Handed) -> _Machine:
    short = one.name.partition(".")[0]
    serial = f"sn-{one.row['sn']}" if one.row.get("sn") else ""
    others = (
        other
        for other in (short, serial)
        if other != one.name and USABLE.fullmatch(other) and not means_another(other, one.address)
    )
    return _Machine(one.name, one.address, str(one.row["id"]), tuple(others))


FEED = Feed(
    "ssh, by `Include` in `~/.ssh/config`.",
    "text/plain; charset=utf-8",
    write,
    ("address", "sn"),
    {
        "user": Option(
            str,
            "",
            "Who logs in: letters, digits and `_ . @ -`.",
            pattern=r"[A-Za-z0-9_][A-Za-z0-9_.@-]*",
        ),
        "port": Option(int, 0, "The port of ssh, if it is another one than usual."),
        "proxy_jump": Option(
            str,
            "",
            "The machine by way of which the others are reached, such as `ops@bastion:2222`.",
            pattern=f"{HOP}(,{HOP})*",
        ),
        "key_alias": Option(
            str,
            "name",
            "By what the key of a machine is known: its `name`, or the `id` of the asset, which"
            " is the same after it was renamed.",
            ("name", "id"),
        ),
        "name": NAME,
    },
)
