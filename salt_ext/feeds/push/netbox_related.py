"""
The objects that a machine in NetBox refers to: its site, rack, device type and so on.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from salt_ext.feeds.push.netbox_api import Api, Object
from salt_ext.feeds.push.target import PushFailed, Refused

MADE = "Made by salt-cmdb"
"""The description of what we make, so that people know it."""

Name = tuple[str, str]
"""What an object is called, and for a rack the site that it is in, else an empty text."""


class List(NamedTuple):
    """A list of NetBox that machines refer to."""

    one: str
    path: str
    name: str = "name"
    """Its field with the name that we know."""
    in_site: bool = False
    has_slug: bool = True


LISTS = {
    "manufacturers": List("manufacturer", "dcim/manufacturers"),
    "device_types": List("device type", "dcim/device-types", "model"),
    "roles": List("role", "dcim/device-roles"),
    "sites": List("site", "dcim/sites"),
    "racks": List("rack", "dcim/racks", in_site=True, has_slug=False),
    "platforms": List("platform", "dcim/platforms"),
    "clusters": List("cluster", "virtualization/clusters", has_slug=False),
}

MAKEABLE = tuple(one for one in LISTS if one != "clusters")
"""What can be made of a name alone: a cluster has a type that nobody tells us."""


class Related:
    """What is known of these lists: each name is looked up once."""

    def __init__(self, api: Api, may_make: Collection[str]) -> None:
        """``may_make`` are the lists to which may be added what is not there."""
        self._api = api
        self._may_make = may_make
        self._ids: dict[str, dict[Name, int | None]] = {one: {} for one in LISTS}
        self.makers: dict[str, str] = {}
        """The manufacturer of each device type, as its machines tell it."""

    def look_up(self, kind: str, names: Iterable[Name]) -> None:
        """Find out which of these are there."""
        known = self._ids[kind]
        new = {one for one in names if one not in known}
        if not new:
            return
        listed = LISTS[kind]
        fields = f"id,{listed.name}{',site' if listed.in_site else ''}"
        found = self._api.some(listed.path, fields, listed.name, {name for name, _ in new})
        for one in sorted(found, key=lambda each: int(each["id"])):
            site = one["site"]["name"] if listed.in_site else ""
            # Of two racks with one name, or two makers of one model, the older one counts.
            if known.get((one[listed.name], site)) is None:
                known[one[listed.name], site] = one["id"]
        known.update({one: None for one in new if one not in known})

    def lack(self, names: Iterable[tuple[str, Name]]) -> str:
        """Return which of these neither are there nor can be made; empty if none."""
        lacking = [one for kind, name in names for one in self._lacking(kind, name)]
        if not lacking:
            return ""
        what = ", ".join(dict.fromkeys(f"no {text}" for text, _ in lacking))
        kinds = ", ".join(dict.fromkeys(kind for _, kind in lacking if kind))
        may = f", or add to create_missing: {kinds}" if kinds else ""
        return f"NetBox has {what}; make there what lacks{may}"

    def _lacking(self, kind: str, name: Name) -> Iterator[tuple[str, str]]:
        """Yield what lacks, and the list that create_missing would have to name for it."""
        self.look_up(kind, [name])
        if self._ids[kind][name] is not None:
            return
        listed = LISTS[kind]
        text = f"{listed.one} {name[0]!r}" + (f" in site {name[1]!r}" if name[1] else "")
        maker = self.makers.get(name[0])
        if kind == "device_types" and not maker:
            yield f"{text} and is told no manufacturer of it", ""
        elif kind not in self._may_make:
            yield text, kind if kind in MAKEABLE else ""
        elif kind == "device_types" and maker:
            yield from self._lacking("manufacturers", (maker, ""))
        elif listed.in_site:
            yield from self._lacking("sites", (name[1], ""))

    def missing(self) -> list[str]:
        """Return what was looked up, is not there and would be made, as people call it."""
        return [
            f"{LISTS[kind].one} {name[0]}"
            for kind in MAKEABLE
            for name, there in list(self._ids[kind].items())
            if there is None and not self.lack([(kind, name)])
        ]

    def id_of(self, kind: str, name: Name) -> int:
        """Return the id of an object, which is made if it is not there."""
        found = self._ids[kind].get(name)
        if found is None:
            found = self._ids[kind][name] = self._make(kind, name)
        return found

    def _make(self, kind: str, name: Name) -> int:
        listed = LISTS[kind]
        made: Object = {listed.name: name[0], "description": MADE}
        if listed.in_site:
            made["site"] = self.id_of("sites", (name[1], ""))
        if kind == "device_types":
            made["manufacturer"] = self.id_of("manufacturers", (self.makers[name[0]], ""))
        bodies = [made]
        if listed.has_slug:
            short = slug(name[0])
            # Another name may have the short one already, and nobody can take one in advance
            # that nobody can guess.
            bodies = [{**made, "slug": one} for one in (short, ended(short, secrets.token_hex(4)))]
        for body in bodies:
            try:
                return int(self._api.create(listed.path, [body])[0]["id"])
            except Refused as refusal:
                why = f"NetBox does not take the {listed.one} {name[0]!r}: {refusal}"
        raise Refused(why)


def slug(name: str) -> str:
    """Return the short name that NetBox wants beside a name: lower case and ASCII."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    short = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")
    if plain == name and short:
        return short[:100]
    # What ASCII has no letters for would be the same for many names.
    return ended(short, hashlib.sha256(name.encode()).hexdigest()[:8])


def ended(short: str, end: str) -> str:
    """Return a short name with eight characters behind it, in the hundred that NetBox takes."""
    return f"{short[:90]}-{end}".strip("-")


def missing_of(api: Api, wanted: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """
    Return which of these custom fields NetBox has not got.

    Raises :class:`PushFailed` if one is there that is not for the objects that we mark.
    """
    missing = list(wanted)
    for one in api.some("extras/custom-fields", "name,type,object_types", "name", wanted):
        name = one["name"]
        missing.remove(name)
        lacking = set(wanted[name]["object_types"]) - set(one["object_types"])
        is_other = one["type"]["value"] != wanted[name]["type"]
        if lacking or is_other:
            raise PushFailed(
                f"NetBox has a custom field {name} that is "
                + ("of another type" if is_other else f"not for {', '.join(sorted(lacking))}"),
                f"make it one of type {wanted[name]['type']} for "
                f"{', '.join(wanted[name]['object_types'])}",
            )
    return missing
