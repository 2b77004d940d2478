"""
Hosts of Zabbix, by its JSON-RPC API: 6.0 and later.

https://www.zabbix.com/documentation/6.0/en/manual/api
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from salt_ext.feeds.feed import Option
from salt_ext.feeds.handed import Handed
from salt_ext.feeds.push.target import (
    Fields,
    Found,
    Push,
    PushFailed,
    Refused,
    System,
    slices,
    text,
)
from salt_ext.feeds.push.web import NO_HEADERS, Server, one_line
from salt_ext.words.nearest import nearest

MARK = "cmdb_asset_id"
RETIRED = "cmdb_retired"
"""The tag of a host that we have switched off; what people switch off does not have it."""

AGENT = "1"
ON, OFF = 0, 1
MANUAL, DISABLED = 0, "-1"
EXISTS = 4
"""An operator of the filter by tags."""

READ_AT_ONCE = 1000
"""So many hosts are read with one request: PHP has 128 MB for its answer."""

INVENTORY = {
    "serialno_a": ("sn", None),
    "vendor": ("manufacturer", 64),
    "model": ("product_name", 64),
    "os": ("os", 128),
    "os_full": ("kernel_release", 255),
    "hardware": ("processor_model", 255),
    "site_rack": ("rack", 128),
    "location": ("site", None),
}
"""
Fields of Zabbix's inventory, our columns, and how much of a value goes in.

Of a serial number nothing is cut: another machine may have the rest of it.
"""

KEPT = ("interfaces", "parentTemplates", "tags", "inventory_mode")
"""What is kept of each host to change it: hosts are many, and their inventories have 70 fields."""

NO_ACCESS = re.compile(
    r"session terminated|not authori[sz]ed|(api )?token expired|no permissions to call|login name",
    re.I,
)
"""
How a sentence of Zabbix begins if it is not the machine that it refuses, but us.

Further on in a sentence it repeats what a machine has told.
"""


OPTIONS: Mapping[str, Option] = {
    "group": Option(
        str, "CMDB", "The host group of all of them; those of a site are in one below it."
    ),
    "templates": Option(list, (), "Names of templates that each host is linked to."),
    "tags": Option(
        list, ("site", "rack", "lifecycle"), "Columns that become tags, as `cmdb_site`."
    ),
    "inventory": Option(
        list,
        (),
        "More fields of the inventory and the columns for them, as `asset_tag=list.asset_number`.",
    ),
    "port": Option(int, 10050, "The port of the agent of new hosts."),
    "visible_name": Option(
        str,
        "name",
        "What people see: the `name`, or the `name_sn` with the serial number behind it.",
        ("name", "name_sn"),
    ),
}


NO_DATABASE = re.compile(r"error connecting to database|database is not working", re.I)


class NoAccess(PushFailed):
    """We may not call that."""


class Zabbix:
    """The hosts of one Zabbix."""

    needs_address = True
    needs_interface = False
    keeps = ()
    bulk = 500

    def __init__(self, push: Push) -> None:
        """Nothing is asked yet."""
        self._options = push.options
        self._api = _Api(push)
        self._group_ids: dict[str, str] = {}
        self._no_groups: dict[str, str] = {}
        self._template_ids: dict[str, str] | None = None
        self._inventory = {**INVENTORY, **_own_inventory(push.options["inventory"])}
        used = [column for column, _ in self._inventory.values()]
        self.columns = list(dict.fromkeys(["sn", *used, *push.options["tags"]]))

    @property
    def calls(self) -> int:
        """How many requests were sent."""
        return self._api.calls

    def fields(self, machine: Handed) -> Fields:
        """Return what a host shall have."""
        row = machine.row
        is_long = self._options["visible_name"] == "name_sn" and row["sn"]
        return {
            "visible name": f"{machine.name} ({row['sn']})" if is_long else machine.name,
            "address": machine.address,
            "groups": [_group_of(self._options["group"], row["site"])],
            "templates": sorted(self._templates()),
            **{f"tag cmdb_{one}": text(row[one], 255) for one in self._options["tags"]},
            **{
                f"inventory {name}": text(row[column], most)
                for name, (column, most) in self._inventory.items()
            },
        }

    def ours(self) -> Iterable[Found]:
        """Yield the hosts with our mark."""
        marked = {"tags": [{"tag": MARK, "operator": EXISTS, "value": ""}]}
        hosts = self._api.read("host.get", {"output": ["hostid"], **marked})
        yield from self._hosts("hostids", sorted((one["hostid"] for one in hosts), key=int))

    def holders(self, wanted: Mapping[str, Fields]) -> Mapping[str, Found]:
        """Return the hosts with these names."""
        bulks = slices(sorted(wanted), READ_AT_ONCE)
        hosts = (one for some in bulks for one in self._read({"filter": {"host": some}}))
        return {one.fields["name"]: one for one in hosts}

    def lacking(self, steps: Sequence[tuple[Found | None, Fields]]) -> Mapping[int, str]:
        """Nothing: what a host needs is made, and templates were looked up."""
        return {}

    def made_first(self) -> Sequence[str]:
        """Nothing that is told: groups are made on the way."""
        return ()

    def create(self, wanted: Sequence[Fields]) -> Sequence[str]:
        """Make hosts."""
        self._need_groups(wanted)
        hosts = [self._params(fields, None) for fields in wanted]
        return [str(one) for one in self._api.write("host.create", hosts)["hostids"]]

    def update(self, changes: Sequence[tuple[Found, Fields]]) -> None:
        """Change hosts."""
        self._need_groups([fields for _, fields in changes])
        hosts = [self._params(fields, found) for found, fields in changes]
        self._api.write("host.update", hosts)

    def _hosts(self, by: str, ids: Sequence[str]) -> Iterator[Found]:
        for some in slices(ids, READ_AT_ONCE):
            yield from self._read({by: some})

    def _read(self, which: Mapping[str, Any]) -> Iterator[Found]:
        groups = "hostgroups" if self._api.version >= (6, 2) else "groups"
        select_groups = "selectHostGroups" if groups == "hostgroups" else "selectGroups"
        asked = {
            "output": ["hostid", "host", "name", "status", "inventory_mode"],
            "selectInterfaces": ["interfaceid", "type", "main", "ip"],
            select_groups: ["groupid", "name"],
            "selectParentTemplates": ["templateid", "name"],
            "selectTags": ["tag", "value"],
            "selectInventory": "extend",
        }
        for host in self._api.read("host.get", {**which, **asked}):
            host["groups"] = host.pop(groups)
            self._group_ids.update((one["name"], one["groupid"]) for one in host["groups"])
            kept = {name: host[name] for name in KEPT}
            yield Found(host["hostid"], _fields_of(host), kept)

    def _params(self, fields: Fields, found: Found | None) -> dict[str, Any]:
        """Return fields as host.create and host.update take them."""
        host: dict[str, Any] = found.raw if found else {}
        params: dict[str, Any] = {"hostid": found.id} if found else {}
        if "name" in fields:
            # Two hosts cannot have one visible name either.
            params |= {"host": fields["name"], "name": fields["name"]}
        if "visible name" in fields:
            params["name"] = fields["visible name"]
        if "address" in fields:
            params["interfaces"] = self._interfaces(fields["address"], host.get("interfaces", []))
        if "groups" in fields:
            params["groups"] = [{"groupid": self._group_ids[one]} for one in fields["groups"]]
        if "templates" in fields:
            params |= self._linked(fields["templates"], host.get("parentTemplates", []))
        if fields.get("retired") is not None and (found or fields["retired"]):
            params["status"] = OFF if fields["retired"] else ON
        tags = {"asset_id": MARK, "retired": RETIRED} | {
            one: one.removeprefix("tag ") for one in fields if one.startswith("tag ")
        }
        if written := {tag: fields[one] for one, tag in tags.items() if one in fields}:
            kept = [one for one in host.get("tags", []) if one["tag"] not in written]
            values = {tag: "yes" if value is True else value for tag, value in written.items()}
            params["tags"] = kept + [
                {"tag": tag, "value": value} for tag, value in values.items() if value
            ]
        inventory = {
            one.removeprefix("inventory "): fields[one] or ""
            for one in fields
            if one.startswith("inventory ")
        }
        if inventory:
            params["inventory"] = inventory
            if host.get("inventory_mode", DISABLED) == DISABLED:
                params["inventory_mode"] = MANUAL
        return params

    def _interfaces(self, address: str, there: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return all interfaces of a host: its main one of the agent with this address."""
        kept: list[dict[str, Any]] = [{"interfaceid": one["interfaceid"]} for one in there]
        for one, old in zip(kept, there, strict=True):
            if _is_main_agent(old):
                one["ip"] = address
                return kept
        port = str(self._options["port"])
        agent = {"type": 1, "main": 1, "useip": 1, "ip": address, "dns": "", "port": port}
        return [*kept, agent]

    def _linked(self, names: list[str], there: list[dict[str, Any]]) -> dict[str, Any]:
        ids = {**{one["name"]: one["templateid"] for one in there}, **self._templates()}
        gone = [{"templateid": one["templateid"]} for one in there if one["name"] not in names]
        linked = {"templates": [{"templateid": ids[one]} for one in names]}
        # Without templates_clear the items of a template stay when it is unlinked.
        return {**linked, "templates_clear": gone} if gone else linked

    def _templates(self) -> dict[str, str]:
        """Return the templates of the option by the name that people see, with their ids."""
        if self._template_ids is None:
            self._template_ids = self._found_templates(self._options["templates"])
        return self._template_ids

    def _found_templates(self, names: Sequence[str]) -> dict[str, str]:
        if not names:
            return {}
        asked = {"output": ["templateid", "host", "name"]}
        every = self._api.read("template.get", asked)
        by_name = {one[key]: one for one in every for key in ("host", "name")}
        for name in names:
            if name not in by_name:
                near = nearest(name, by_name)
                hint = f"did you mean {near!r}?" if near else "correct the option templates"
                raise PushFailed(f"there is no template {name!r} that we may see", hint)
        return {by_name[one]["name"]: by_name[one]["templateid"] for one in names}

    def _need_groups(self, fields: Sequence[Fields]) -> None:
        """
        Find out the ids of groups, and make those that are not there.

        Raises :class:`Refused` for the hosts whose group cannot be made.
        """
        names = {one for each in fields for one in each.get("groups", ())}
        unknown = sorted(names - self._group_ids.keys() - self._no_groups.keys())
        if unknown:
            asked = {"output": ["groupid", "name"], "filter": {"name": unknown}}
            for one in self._api.read("hostgroup.get", asked):
                self._group_ids[one["name"]] = one["groupid"]
        for name in unknown:
            if name not in self._group_ids:
                self._make_group(name)
        whys = {
            at: self._no_groups[one]
            for at, each in enumerate(fields)
            for one in each.get("groups", ())
            if one in self._no_groups
        }
        if whys:
            raise Refused("; ".join(dict.fromkeys(whys.values())), whys)

    def _make_group(self, name: str) -> None:
        """Make a group, or keep why it cannot be made: a machine can report any site."""
        try:
            made = self._api.write("hostgroup.create", [{"name": name}])
        except (Refused, NoAccess) as refusal:
            # In Zabbix only a super admin may.
            self._no_groups[name] = (
                f"there is no host group {name!r} that we may see, and we cannot make it:"
                f" {refusal}; make it there, and let the user of the token write it"
            )
        else:
            self._group_ids[name] = str(made["groupids"][0])


class _Api:
    """JSON-RPC: what Zabbix cannot do is :class:`PushFailed`, what it refuses :class:`Refused`."""

    def __init__(self, push: Push) -> None:
        self._server = Server(push)
        self._path = "" if push.url.endswith(".php") else "/api_jsonrpc.php"
        self._token = push.token
        self._version: tuple[int, int] | None = None

    @property
    def calls(self) -> int:
        return self._server.calls

    @property
    def version(self) -> tuple[int, int]:
        """The version of Zabbix: 6.4 as (6, 4)."""
        if self._version is None:
            found = re.match(r"(\d+)\.(\d+)", str(self._call("apiinfo.version", {})))
            if not found:
                raise PushFailed(
                    f"{self._server.url} is no API of Zabbix",
                    "write the address of its frontend, as https://zabbix.example.net/zabbix",
                )
            self._version = (int(found[1]), int(found[2]))
        return self._version

    def read(self, method: str, params: Any) -> Any:
        """Call a method that must work."""
        try:
            return self.write(method, params)
        except Refused as refusal:
            raise PushFailed(
                f"Zabbix refuses {method}: {refusal}", "correct the options of the push"
            ) from None

    def write(self, method: str, params: Any) -> Any:
        """Call a method that Zabbix may refuse for one of the machines in it."""
        if self.version < (6, 4):
            return self._call(method, params, auth=self._token)
        return self._call(method, params, {"Authorization": f"Bearer {self._token}"})

    def _call(
        self, method: str, params: Any, headers: Mapping[str, str] = NO_HEADERS, **auth: str
    ) -> Any:
        body = {"jsonrpc": "2.0", "id": self.calls, "method": method, "params": params, **auth}
        _, answer = self._server.ask("POST", self._path, body, headers)
        answer = answer if isinstance(answer, dict) else {}
        error = answer.get("error")
        if not isinstance(error, dict):
            return answer.get("result")
        said = one_line(error.get("data") or error.get("message") or "it does not say why")
        if NO_ACCESS.match(said):
            raise NoAccess(
                f"Zabbix does not let us call {method}: {said}",
                "correct the token in the setting pushes, or the role of its user",
            )
        if NO_DATABASE.match(said):
            raise PushFailed(
                f"Zabbix cannot do {method}: {said}",
                "run it again when its database is there: what was written is known",
            )
        raise Refused(said)


def _fields_of(host: Mapping[str, Any]) -> Fields:
    """Return a host of Zabbix as it is compared."""
    tags: dict[str, str] = {}
    for one in host["tags"]:
        tags.setdefault(one["tag"], one["value"])
    inventory = host["inventory"] or {}  # an empty one is a list
    main = (one["ip"] for one in host["interfaces"] if _is_main_agent(one))
    return {
        "name": host["host"],
        "asset_id": tags.get(MARK),
        "retired": RETIRED in tags,
        "visible name": host["name"],
        "address": next(main, None),
        "groups": sorted(one["name"] for one in host["groups"]),
        "templates": sorted(one["name"] for one in host["parentTemplates"]),
        **{f"tag {tag}": value for tag, value in tags.items() if value and tag.startswith("cmdb_")},
        **{f"inventory {name}": value for name, value in inventory.items() if value},
    }


def _own_inventory(said: Sequence[str]) -> dict[str, tuple[str, None]]:
    """Return the fields of Zabbix's inventory that the option names, with their columns."""
    found = {}
    for one in said:
        name, equals, column = (part.strip() for part in one.partition("="))
        if not (name and equals and column):
            raise PushFailed(
                f"{one!r} names no field of the inventory and its column",
                "write it as asset_tag=list.asset_number in the setting pushes",
            )
        found[name] = (column, None)
    return found


def _is_main_agent(interface: Mapping[str, Any]) -> bool:
    return str(interface["type"]) == AGENT and str(interface["main"]) == "1"


def _group_of(group: str, site: str | None) -> str:
    """Return the group of a site: a slash in its name would be a group below another."""
    own = re.sub(r"\s+", " ", (site or "").replace("/", "-")).strip()
    return f"{group}/{own}"[:255].strip() if own else group


SYSTEM = System(OPTIONS, Zabbix)
