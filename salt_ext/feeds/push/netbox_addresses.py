"""
The addresses of machines in NetBox's IPAM, each on an interface of its machine.

An address that we made carries our mark: it goes with its machine, and to another one that has it
when its machine has it no more. One that others made is touched only if it is assigned to nothing
and the push says ``addresses: take``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from salt_ext.feeds.push.netbox_api import MOST_BYTES, Api, Object, bulks
from salt_ext.feeds.push.netbox_kinds import ADDRESSES, KINDS, MARK, Interface, Kind, host_of
from salt_ext.feeds.push.target import Refused
from salt_ext.feeds.push.web import one_line

PATH = "ipam/ip-addresses"
ASKED = "id,address,assigned_object_type,assigned_object_id,assigned_object,custom_fields"


class Place(NamedTuple):
    """A machine that shall have an address, by the position in its bulk."""

    at: int
    id: int
    """Of the device or virtual machine."""
    asset_id: str
    field: str
    """``IPv4`` or ``IPv6``."""
    address: str
    interface: Interface


class Addresses:
    """What is there of addresses, and what is made."""

    def __init__(self, api: Api, options: Mapping[str, Any]) -> None:
        """Nothing is asked yet."""
        self._api = api
        self._may_take = options["addresses"] == "take"
        self.current: dict[str, str] = {}
        """The address of each asset that is handed out."""
        self.retired: set[str] = set()
        """The assets that we have retired there."""

    def put(self, kind: Kind, places: Sequence[Place]) -> list[Object]:
        """
        Give machines of one kind their addresses; return the changes that make them primary.

        Raises :class:`Refused` before anything is written if one is taken.
        """
        if not places:
            return []
        marked = self._by_host(f"cf_{MARK}", {one.asset_id for one in places})
        mine = {
            (ip["custom_fields"][MARK], family_of(ip["address"])): ip
            for every in marked.values()
            for ip in every
        }
        there = self._by_host("address", {one.address for one in places}, vrf_id="null")
        refused: dict[int, str] = {}
        primary: dict[int, int] = {}
        changed: list[tuple[Place, Object]] = []
        new: list[Place] = []
        left: list[Object] = []
        for place in places:
            own = mine.get((place.asset_id, place.field))
            others = [ip for ip in there.get(place.address, ()) if not own or ip["id"] != own["id"]]
            if others:
                ip = others[0]
                if _owner(kind, ip) == place.id:
                    primary[place.at] = ip["id"]
                elif self._is_left(ip):
                    left.append(ip)
                    changed.append((place, {"id": ip["id"]}))
                else:
                    refused[place.at] = _taken(ip)
            elif own:
                same = host_of(own["address"]) == place.address
                changed.append((place, {"id": own["id"], **({} if same else _as_new(place))}))
            else:
                new.append(place)
        if refused:
            raise Refused("; ".join(refused.values()), refused)
        self._free(left)
        writing = [*(place for place, _ in changed), *new]
        interfaces = self._interfaces(kind, writing)
        bodies = [
            {**body, **_assigned(kind, interfaces[place.id], place)} for place, body in changed
        ]
        made = [
            {**_as_new(place), "status": "active", **_assigned(kind, interfaces[place.id], place)}
            for place in new
        ]
        self._write([place for place, _ in changed], self._api.change, bodies)
        answers = self._write(new, self._api.create, made)
        primary |= {place.at: body["id"] for place, body in changed}
        primary |= {place.at: one["id"] for place, one in zip(new, answers, strict=True)}
        return [{"id": one.id, ADDRESSES[one.field]: primary[one.at]} for one in places]

    def _is_left(self, ip: Object) -> bool:
        """Whether an address may go to another machine: nobody has it, or its machine is gone."""
        mark = _mark(ip)
        if ip["assigned_object_id"] is None:
            return self._may_take or mark is not None
        if mark in self.current:
            return self.current[mark] != host_of(ip["address"])
        # Of a machine that is silent, or of another push, nobody knows.
        return mark in self.retired

    def _free(self, left: Sequence[Object]) -> None:
        """Let these be the primary address of nobody: such a one NetBox gives to no other."""
        ids = {ip["id"] for ip in left}
        for kind in KINDS:
            owners = {_owner(kind, ip) for ip in left} - {None}
            there = self._api.some(kind.path, f"id,{','.join(ADDRESSES.values())}", "id", owners)
            freed = []
            for one in there:
                names = [name for name in ADDRESSES.values() if (one[name] or {}).get("id") in ids]
                freed.append({"id": one["id"], **dict.fromkeys(names)})
            try:
                self._api.change(kind.path, [one for one in freed if len(one) > 1])
            except Refused as refusal:
                # Its positions are not those of our machines.
                raise Refused(str(refusal)) from None

    def _write(self, places: Sequence[Place], write: Any, bodies: list[Object]) -> list[Object]:
        try:
            return write(PATH, bodies) or []
        except Refused as refusal:
            of = {places[at].at: why for at, why in refusal.of.items()}
            raise Refused(str(refusal), of) from None

    def _by_host(self, by: str, values: set[str], **filters: Any) -> dict[str, list[Object]]:
        found: dict[str, list[Object]] = {}
        for ip in self._api.some(PATH, ASKED, by, values, **filters):
            found.setdefault(host_of(ip["address"]), []).append(ip)
        return found

    def _interfaces(self, kind: Kind, places: Sequence[Place]) -> dict[int, int]:
        """Return the interface of each device or virtual machine; make it if it is not there."""
        wanted = {(one.id, one.interface.name): one.interface for one in places}
        names = {one.interface.name for one in places}
        there = (
            one
            for some in bulks("name", names, MOST_BYTES // 2)
            for one in self._api.some(
                kind.interfaces,
                f"id,name,{kind.parent}",
                f"{kind.parent}_id",
                {one.id for one in places if one.interface.name in some},
                name=some,
            )
        )
        found = {(one[kind.parent]["id"], one["name"]): one["id"] for one in there}
        new = [one for one in wanted if one not in found]
        bodies = []
        for number, name in new:
            body: Object = {kind.parent: number, "name": name}
            interface = wanted[number, name]
            if kind.has_types:
                body["type"] = interface.type
            if interface.mac:
                body["mac_address"] = interface.mac
            bodies.append(body)
        try:
            made = self._api.create(kind.interfaces, bodies)
        except Refused as refusal:
            of = {new[at][0]: why for at, why in refusal.of.items()}
            machines = {one.at: of[one.id] for one in places if one.id in of}
            raise Refused(str(refusal), machines) from None
        found |= {one: each["id"] for one, each in zip(new, made, strict=True)}
        return {number: found[number, name] for number, name in wanted}


def family_of(address: str) -> str:
    """Return the field that an address belongs to."""
    return "IPv6" if ":" in address else "IPv4"


def _as_new(place: Place) -> Object:
    whole = "128" if place.field == "IPv6" else "32"
    return {"address": f"{place.address}/{place.interface.prefix or whole}"}


def _assigned(kind: Kind, interface: int, place: Place) -> Object:
    return {
        "assigned_object_type": kind.assigned,
        "assigned_object_id": interface,
        "custom_fields": {MARK: place.asset_id},
    }


def _owner(kind: Kind, ip: Object) -> Any:
    """Return the id of the device or virtual machine whose interface has an address."""
    if ip["assigned_object_type"] != kind.assigned or not ip["assigned_object"]:
        return None
    return ip["assigned_object"][kind.parent]["id"]


def _mark(ip: Object) -> str | None:
    mark: str | None = ip["custom_fields"].get(MARK)
    return mark


def _taken(ip: Object) -> str:
    has = f"NetBox has {ip['address']} already (IP address {ip['id']})"
    if not ip["assigned_object"]:
        return f"{has}: assign it to this machine, or say addresses: take"
    of = ip["assigned_object"]
    owner = of.get("device") or of.get("virtual_machine") or of
    return f"{has}, and assigned to {one_line(owner.get('name') or owner.get('display'))}"
