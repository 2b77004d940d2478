"""
Devices and virtual machines of NetBox, by its REST API; tried with 4.7.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from salt_ext.feeds.feed import Option
from salt_ext.feeds.handed import Handed
from salt_ext.feeds.push.netbox_addresses import Addresses, Place
from salt_ext.feeds.push.netbox_api import Api, Object
from salt_ext.feeds.push.netbox_kinds import (
    ADDRESSES,
    DEVICE,
    KINDS,
    MARK,
    RELATED,
    RETIRED,
    VIRTUAL,
    Kind,
    interface_of,
    rack_of,
    there_of,
    wanted_of,
)
from salt_ext.feeds.push.netbox_related import MAKEABLE, Name, Related, missing_of
from salt_ext.feeds.push.target import Fields, Found, Push, PushFailed, Refused, System

Value = TypeVar("Value")

MARKED = ["dcim.device", "virtualization.virtualmachine", "ipam.ipaddress"]
CUSTOM_FIELDS: Mapping[str, Mapping[str, Any]] = {
    MARK: {
        "type": "text",
        "object_types": MARKED,
        "label": "CMDB asset",
        "description": "The asset of salt-cmdb that this is; it finds it by this",
    },
    RETIRED: {
        "type": "boolean",
        "object_types": MARKED[:2],
        "label": "Retired by CMDB",
        "description": "Whether salt-cmdb has set the status, because the machine is gone",
    },
}

WRITTEN = {**DEVICE.written, **VIRTUAL.written, "role": "role", "cluster": "cluster"}
"""Our fields, and what NetBox calls them."""

COLUMNS = (
    *("kind", "sn", "manufacturer", "product_name", "site", "rack", "unit", "os"),
    *("processor_threads", "memory_bytes", "address"),
)

OPTIONS: Mapping[str, Option] = {
    "create_missing": Option(
        list,
        (),
        "What is made there when a machine needs it and NetBox has it not: " + ", ".join(MAKEABLE),
        MAKEABLE,
    ),
    "only_at_first": Option(
        list,
        (),
        "Fields that are written when a machine is made, and are people's afterwards, as `site`.",
        tuple(dict.fromkeys((*DEVICE.written, *VIRTUAL.written, *ADDRESSES))),
    ),
    "role": Option(str, "Server", "The role of what is made."),
    "site": Option(str, "", "The site of machines that tell none; NetBox wants one."),
    "cluster": Option(str, "", "The cluster of new virtual machines; else they are at a site."),
    "addresses": Option(
        str,
        "make",
        "`make`: of new machines; one that NetBox has already is told. `take`: that one too, if it"
        " is assigned to nothing. `none`: no addresses.",
        ("make", "take", "none"),
    ),
    "retired_status": Option(
        str,
        "decommissioning",
        "The status of machines that are handed out no more.",
        ("decommissioning", "offline"),
    ),
}


class NetBox:
    """The devices and virtual machines of one NetBox."""

    needs_address = False
    needs_interface = True
    bulk = 100
    columns = COLUMNS

    def __init__(self, push: Push) -> None:
        """Nothing is asked yet."""
        self._options = push.options
        self._at_first_only = set(push.options["only_at_first"])
        if "site" in self._at_first_only:
            # A rack is one of its site, and where the machine is people know.
            self._at_first_only |= {"rack", "position"}
        # What NetBox wants is never taken away, only changed.
        self.keeps = {*self._at_first_only, "device type", "site"}
        self._api = Api(push)
        self._related = Related(self._api, push.options["create_missing"])
        self._addresses = Addresses(self._api, push.options)
        self._at_first: dict[str, Fields] = {}
        self._made: dict[str, tuple[Kind, int]] = {}
        self._missing_fields: list[str] | None = None

    @property
    def calls(self) -> int:
        """How many requests were sent."""
        return self._api.calls

    def fields(self, machine: Handed) -> Fields:
        """Return what an object shall have, without what is people's after it was made."""
        row = {**machine.row, "site": machine.row["site"] or self._options["site"]}
        fields = wanted_of(row, machine.address)
        if self._options["addresses"] == "none":
            fields = {one: value for one, value in fields.items() if one not in ADDRESSES}
        if maker := row["manufacturer"]:
            self._related.makers.setdefault(fields.get("device type") or "", maker[:100].strip())
        fields = {
            one: value
            for one, value in fields.items()
            if value or one not in ("device type", "site")
        }
        self._addresses.current[str(row["id"])] = machine.address
        first = {"role": self._options["role"], "interface": interface_of(row)}
        if fields["kind"] == VIRTUAL.name and self._options["cluster"]:
            # A cluster may be in a site, and then its machines are in no other.
            fields.pop("site", None)
            first["cluster"] = self._options["cluster"]
        for name in [one for one in fields if one in self._at_first_only]:
            first[name] = fields.pop(name)
        self._at_first[str(row["id"])] = first
        return fields

    def ours(self) -> Iterable[Found]:
        """Yield all objects with our mark."""
        # NetBox takes no notice of a filter that it does not know, and gives everything.
        if MARK in self._lacking_fields():
            return
        marked = {f"cf_{MARK}__empty": "false"}
        for kind in KINDS:
            for one in self._api.read(kind.path, kind.asked, **marked):
                found = _found(kind, one)
                if found.fields["retired"]:
                    self._addresses.retired.add(found.fields["asset_id"])
                yield found

    def holders(self, wanted: Mapping[str, Fields]) -> Mapping[str, Found]:
        """
        Return what has the names in the same place, or else the serial numbers and no mark.

        In NetBox a name is one in its site or cluster only, and ``WEB01`` is ``web01``: its
        filters take no notice of the case either. A serial number that several have says nothing
        of any.
        """
        holders: dict[str, Found] = {}
        for kind in KINDS:
            of_kind = {
                name: self._whole(None, fields)
                for name, fields in wanted.items()
                if fields["kind"] == kind.name
            }
            names = _alike((name, name) for name in of_kind)
            for one in self._api.some(kind.path, kind.asked, "name", of_kind):
                for name in names.get(one["name"].casefold(), ()):
                    if _is_in(one, of_kind[name], kind.unique_in):
                        holders[name] = _found(kind, one)
            serials = {name: fields["serial"] for name, fields in of_kind.items()}
            told = {name: serial for name, serial in serials.items() if serial}
            wanting = _alike((serial, name) for name, serial in told.items())
            there = self._api.some(kind.path, kind.asked, "serial", told.values())
            having = _alike((one["serial"], _found(kind, one)) for one in there)
            for serial, found in having.items():
                claimants = wanting.get(serial, ())
                if len(found) == len(claimants) == 1 and not found[0].fields["asset_id"]:
                    holders.setdefault(claimants[0], found[0])
        return holders

    def lacking(self, steps: Sequence[tuple[Found | None, Fields]]) -> dict[int, str]:
        """Return what cannot be written for what NetBox has not got, by position, and why."""
        whole = [(found, self._whole(found, fields)) for found, fields in steps]
        named: dict[str, set[Name]] = {}
        for found, fields in whole:
            for kind, name in _related(found, fields).values():
                named.setdefault(kind, set()).add(name)
        for kind, names in named.items():
            self._related.look_up(kind, sorted(names))
        whys = [self._lack(found, fields) for found, fields in whole]
        return {at: why for at, why in enumerate(whys) if why}

    def made_first(self) -> Sequence[str]:
        """Return the custom fields and the objects that are made because machines need them."""
        fields = [f"custom field {one}" for one in self._lacking_fields()]
        return [*fields, *self._related.missing()]

    def _lack(self, found: Found | None, fields: Fields) -> str:
        if found and fields.get("kind"):
            return (
                f"NetBox has it as a {found.fields['kind']}, and it is a {fields['kind']} now:"
                f" clear its custom field {MARK} there, then with recreate=True a new one is made"
            )
        if not found and not fields.get("site") and not fields.get("cluster"):
            return "NetBox wants a site, and it tells none: give the push a site"
        if not found and fields["kind"] == DEVICE.name and not fields.get("device type"):
            return "NetBox wants a device type, and it tells no model"
        return self._related.lack(_related(found, fields).values())

    def create(self, wanted: Sequence[Fields]) -> Sequence[str]:
        """
        Make objects, and give them their addresses.

        Those of a bulk that was refused for an address are there already when what is left of
        it is asked for again.
        """
        self._need_custom_fields()
        for kind in KINDS:
            new = [
                (at, self._body(None, self._whole(None, fields)))
                for at, fields in enumerate(wanted)
                if fields["kind"] == kind.name and fields["asset_id"] not in self._made
            ]
            for (at, _), one in zip(new, self._bulk(self._api.create, kind, new), strict=True):
                self._made[wanted[at]["asset_id"]] = kind, one["id"]
        for kind in KINDS:
            self._put(
                kind,
                [
                    (
                        at,
                        self._made[fields["asset_id"]][1],
                        fields["asset_id"],
                        self._whole(None, fields),
                    )
                    for at, fields in enumerate(wanted)
                    if fields["kind"] == kind.name
                ],
            )
        made = [self._made[fields["asset_id"]] for fields in wanted]
        return [f"{kind.path}/{number}" for kind, number in made]

    def update(self, changes: Sequence[tuple[Found, Fields]]) -> None:
        """Change objects, and give them their addresses."""
        self._need_custom_fields()
        for kind in KINDS:
            of_kind = [
                (at, found, fields)
                for at, (found, fields) in enumerate(changes)
                if found.fields["kind"] == kind.name
            ]
            bodies = [(at, self._body(found, fields)) for at, found, fields in of_kind]
            self._bulk(self._api.change, kind, [one for one in bodies if len(one[1]) > 1])
            self._addresses.retired.update(
                found.fields["asset_id"] for _, found, fields in of_kind if fields.get("retired")
            )
            self._put(
                kind,
                [
                    (
                        at,
                        found.raw["id"],
                        fields.get("asset_id") or found.fields["asset_id"],
                        fields,
                    )
                    for at, found, fields in of_kind
                ],
            )

    def _whole(self, found: Found | None, fields: Fields) -> Fields:
        """Return what is written: of what is made also what is people's afterwards."""
        return fields if found else {**self._at_first.get(fields["asset_id"], {}), **fields}

    def _body(self, found: Found | None, fields: Fields) -> Object:
        """Return fields as NetBox takes them."""
        body: Object = {"id": found.raw["id"]} if found else {}
        for field, value in fields.items():
            if field == "name":
                body["name"] = value
            elif field == "serial":
                body["serial"] = value or ""
            elif field in WRITTEN:
                body[WRITTEN[field]] = value
            elif field in ADDRESSES and value is None and found:
                body[ADDRESSES[field]] = None
        for field, one in _related(found, fields).items():
            body[WRITTEN[field]] = self._related.id_of(*one)
        if "rack" in fields and not fields["rack"]:
            body |= {"position": None, "face": ""}
        elif fields.get("position") and not (found and found.raw["face"]):
            body["face"] = "front"
        custom = {}
        if "asset_id" in fields:
            custom[MARK] = fields["asset_id"]
        if "retired" in fields:
            custom[RETIRED] = fields["retired"]
            body["status"] = self._options["retired_status"] if fields["retired"] else "active"
        return {**body, "custom_fields": custom} if custom else body

    def _put(self, kind: Kind, objects: Sequence[tuple[int, int, str, Fields]]) -> None:
        """Give objects the addresses that they shall have and do not."""
        places = [
            Place(at, number, asset_id, field, fields[field], self._at_first[asset_id]["interface"])
            for at, number, asset_id, fields in objects
            for field in ADDRESSES
            if fields.get(field)
        ]
        primary = self._addresses.put(kind, places)
        self._bulk(
            self._api.change,
            kind,
            [(place.at, one) for place, one in zip(places, primary, strict=True)],
        )

    def _bulk(
        self, write: Callable[..., Any], kind: Kind, bodies: Sequence[tuple[int, Object]]
    ) -> list[Object]:
        """Write into NetBox; a refusal names the positions in the bulk of the caller."""
        try:
            return write(kind.path, [body for _, body in bodies]) or []
        except Refused as refusal:
            of = {bodies[at][0]: why for at, why in refusal.of.items()}
            raise Refused(str(refusal), of) from None

    def _lacking_fields(self) -> list[str]:
        if self._missing_fields is None:
            self._missing_fields = missing_of(self._api, CUSTOM_FIELDS)
        return self._missing_fields

    def _need_custom_fields(self) -> None:
        for name in self._lacking_fields():
            try:
                self._api.create("extras/custom-fields", [{"name": name, **CUSTOM_FIELDS[name]}])
            except Refused as refusal:
                raise PushFailed(
                    f"NetBox does not take the custom field {name}: {refusal}",
                    "make it there, or give the user of the token the right to",
                ) from None
        self._missing_fields = []


def _found(kind: Kind, one: Object) -> Found:
    # A whole object is some kilobytes, and there may be a hundred thousand.
    kept = {name: one[name] for name in ("id", "face") if name in one}
    return Found(f"{kind.path}/{one['id']}", there_of(kind, one), kept)


def _alike(pairs: Iterable[tuple[str, Value]]) -> dict[str, list[Value]]:
    """Return what belongs to each text, whatever its case."""
    found: dict[str, list[Value]] = {}
    for text, value in pairs:
        found.setdefault(text.casefold(), []).append(value)
    return found


def _is_in(one: Object, place: Fields, places: Sequence[str]) -> bool:
    """Whether an object is at the site or in the cluster that a machine shall be in."""
    return all((one[by] or {}).get("name") == place[by] for by in places if place.get(by))


def _related(found: Found | None, fields: Fields) -> dict[str, tuple[str, Name]]:
    """Return what fields refer to: by field the list, and how the object is called there."""
    site = fields.get("site") or (found.fields["site"] if found else None) or ""
    names = {}
    for field, kind in RELATED.items():
        if value := fields.get(field):
            is_rack = field == "rack"
            name = value.removeprefix(rack_of(site, "")) if is_rack else value
            names[field] = kind, (name, site if is_rack else "")
    return names


SYSTEM = System(OPTIONS, NetBox)
