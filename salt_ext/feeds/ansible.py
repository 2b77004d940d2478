"""
The inventory for Ansible, as its scripts answer ``--list``.

Ansible takes ``{{ … }}`` in a variable for a template and runs what it calls, on the machine
that deploys. So every text is marked as unsafe, which makes it a text and nothing else.

https://docs.ansible.com/ansible/latest/dev_guide/developing_inventory.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

from salt_ext.feeds.feed import COLUMNS, FIELDS, NAME, Feed, Option
from salt_ext.feeds.handed import Handed, LeftOut
from salt_ext.feeds.login import for_login
from salt_ext.words.plain import simple

GROUPED = ("site", "kind", "os", "lifecycle")
OF_LISTS = "list."
"""How the fields begin that people's lists have."""

AS_A_GROUP = "its name begins as those of groups do (group_by)"

encode = json.JSONEncoder(separators=(",", ":")).encode


def write(
    machines: Iterable[Handed],
    left_out: list[LeftOut],
    *,
    group_by: Sequence[str],
    fields: Sequence[str],
    name: str,
) -> Iterator[str]:
    """Yield the variables of each machine, then the groups."""
    names: list[str] = []
    groups: dict[str, list[str]] = {}
    # A play for a group would run on the machine of that name instead, and on it alone.
    as_groups = tuple(_group(field, "_") + "_" for field in group_by)
    yield '{"_meta":{"hostvars":{'
    for machine in for_login(machines, left_out):
        if f"{machine.name}_".startswith(as_groups):
            left_out.append(LeftOut(machine.name, str(machine.row["id"]), AS_A_GROUP))
            continue
        yield ",\n" if names else "\n"
        yield f"{encode(machine.name)}:{encode(_variables(machine, fields))}"
        names.append(machine.name)
        for group in {_group(field, machine.row.get(field)) for field in group_by} - {""}:
            groups.setdefault(group, []).append(machine.name)
    yield '}},\n"all":' + encode({"hosts": names})
    for group in sorted(groups):
        yield f",\n{encode(group)}:{encode({'hosts': groups[group]})}"
    yield "}\n"


def _variables(machine: Handed, fields: Sequence[str]) -> dict[str, Any]:
    """
    Return what Ansible knows of a machine.

    The address is as :func:`salt_ext.feeds.handed.address_of` has written it, so it is no
    template; Salt's roster ``ansible`` would not understand the mark.
    """
    row = machine.row
    told = {one: _unsafe(row[one]) for one in (*COLUMNS, *fields) if one in row}
    lists = {
        one.removeprefix(OF_LISTS): told.pop(one) for one in fields if one.startswith(OF_LISTS)
    }
    return {
        "ansible_host": machine.address,
        "ansible_ssh_host": machine.address,
        "cmdb_asset_id": _unsafe(row["id"]),
        **{f"cmdb_{one}": value for one, value in told.items()},
        **({"cmdb_list": lists} if lists else {}),
    }


def _unsafe(value: Any) -> Any:
    """Return a value that Ansible never takes for a template."""
    value = value if isinstance(value, str) else simple(value)
    return {"__ansible_unsafe": value} if isinstance(value, str) else value


@lru_cache(maxsize=4096)
def _group(field: str, value: Any) -> str:
    """Return the name of the group of a value; two values may have one, as Ansible does it."""
    if value is None or value == "":
        return ""
    return re.sub(r"\W+", "_", f"{field}_{value}").rstrip("_")


FEED = Feed(
    "Ansible, by the script docs/examples/ansible_inventory.py.",
    "application/json",
    write,
    ("address", *COLUMNS),
    {
        "group_by": Option(
            list,
            GROUPED,
            "The fields whose values make groups: `site=fra1` is the group `site_fra1`.",
        ),
        "fields": FIELDS,
        "name": NAME,
    },
)
