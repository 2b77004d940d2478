"""
The inventory for the bastion host JumpServer: as bodies of its API, and as the file it imports.

Each host has the id of our asset, which its API takes on creation; by it a later import
finds the same host again, whatever the machine is called by then. What is retired is told on
request, because a host that nobody tells of any more stays open there.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from salt_ext import store
from salt_ext.feeds.feed import NAME, Feed, Option, json_list
from salt_ext.feeds.handed import Handed, LeftOut
from salt_ext.feeds.login import for_login

COLUMNS = ("sn", "manufacturer", "product_name", "lifecycle", "freshness", "site", "rack")

MOST_BYTES = 10 << 20
"""The largest file that JumpServer imports."""

LONGEST = 128
"""Characters of the name of a host, and of that of a node."""

LONGEST_COMMENT = 500

HEADER = (
    *("id", "name", "address", "platform", "protocols", "nodes_display", "is_active"),
    "comment",
)
"""The names of the fields, which are the same in each language of its pages."""

OF_A_NUMBER = ("=", "@", "0")
"""Before a text that begins so JumpServer writes an apostrophe, and takes it off again."""

# Its import makes a double quote of every other one, before it reads a cell as JSON.
NOT_IN_A_NODE = re.compile("[\x00-\x1f\x7f/\\\\\"'`\u2018\u2019\u201c\u201d]+")


def read(database: store.Database, **asked: Any) -> Iterator[dict[str, Any]]:
    """
    Yield the machines; what is gone leaves its name to the machine that has it now.

    It is told apart by ``after``, which has a sign in it that no name of a machine has.
    """
    rows = store.machines(database, **asked)
    for _, alike in groupby(rows, key=lambda row: row["name"] or row["id"]):
        named = list(alike)
        is_used = not all(map(_is_gone, named))
        leaving = {
            row["id"]
            for row in named
            if row["name"] and _is_gone(row) and (is_used or not row["is_own"])
        }
        for row in named:
            if row["id"] in leaving:
                yield {**row, "namesakes": 1, "after": f"~{str(row['id'])[:8]}"}
            else:
                yield {**row, "namesakes": len(named) - len(leaving)}


def bodies(
    machines: Iterable[Handed], left_out: list[LeftOut], *, name: str, retired: bool, **said: Any
) -> Iterator[str]:
    """Yield a list of the bodies with which the API makes or changes a host."""
    hosts = _hosts(machines, left_out, **said)
    yield from json_list({**host, "platform": {"pk": host["platform"]}} for host in hosts)


def file(
    machines: Iterable[Handed], left_out: list[LeftOut], *, name: str, retired: bool, **said: Any
) -> Iterator[str]:
    """
    Yield the lines of the file to import; one that is too large for JumpServer is refused.

    All of it is ASCII: JumpServer guesses the encoding, and guesses wrong where few letters
    are of another alphabet.
    """
    size = 0
    for line in _lines(_hosts(machines, left_out, **said)):
        size += len(line)
        if size > MOST_BYTES:
            raise store.FilterError(
                f"the file would be larger than {MOST_BYTES >> 20} MiB, which JumpServer refuses:"
                " make one for each site, by a filter such as site=fra1"
            )
        yield line


def _lines(hosts: Iterable[dict[str, Any]]) -> Iterator[str]:
    text = io.StringIO(newline="")
    out = csv.writer(text)
    out.writerow(HEADER)
    for host in hosts:
        protocols = [f"{one['name']}/{one['port']}" for one in host["protocols"]]
        cells = {**host, "protocols": protocols, "is_active": str(host["is_active"])}
        out.writerow([_cell(cells[one]) for one in HEADER])
        yield text.getvalue()
        text.seek(0)
        text.truncate()
    yield text.getvalue()


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return json.dumps(value)
    text = str(value).encode("ascii", "replace").decode()
    return f"'{text}" if text.startswith(OF_A_NUMBER) else text


def _hosts(
    machines: Iterable[Handed],
    left_out: list[LeftOut],
    *,
    platform: int,
    protocol: str,
    port: int,
    root: str,
    nodes: Sequence[str],
) -> Iterator[dict[str, Any]]:
    for machine in for_login(machines, left_out):
        called = machine.name + machine.row.get("after", "")
        if len(called) > LONGEST:
            why = f"JumpServer takes names of at most {LONGEST} characters"
            left_out.append(LeftOut(machine.name, str(machine.row["id"]), why))
            continue
        yield {
            "id": str(machine.row["id"]),
            "name": called,
            "address": machine.address,
            "platform": platform,
            "protocols": [{"name": protocol, "port": port}],
            "nodes_display": [_node(root, (machine.row.get(one) for one in nodes))],
            "is_active": not _is_gone(machine.row),
            "comment": _comment(machine.row),
        }


def _is_gone(row: Mapping[str, Any]) -> bool:
    return row.get("lifecycle") == "retired" or row.get("freshness") == "detached"


def _node(root: str, values: Iterable[Any]) -> str:
    """Return a path in the tree; a value that is not known is no level of it."""
    levels = (NOT_IN_A_NODE.sub("-", str(one)).strip()[:LONGEST] for one in values if one)
    return "/".join([root, *filter(None, levels)])


def _comment(row: Mapping[str, Any]) -> str:
    """Return what people see beside the host; its first word is ours, so it is no formula."""
    model = " ".join(str(row[one]) for one in ("manufacturer", "product_name") if row.get(one))
    said = f"SN {row.get('sn') or 'unknown'}" + (f", {model}" if model else "")
    return re.sub(r"[\x00-\x1f\x7f]+", " ", said)[:LONGEST_COMMENT]


OPTIONS = {
    "platform": Option(
        int, 1, "The number of the platform in JumpServer; 1 is Linux.", most=1_000_000
    ),
    "protocol": Option(
        str,
        "ssh",
        "The protocol by which one logs in, in small letters.",
        pattern=r"[a-z][a-z0-9_]{0,30}",
    ),
    "port": Option(int, 22, "Its port."),
    "root": Option(
        str,
        "/Default",
        "The node below which all machines are, such as `/Default/cmdb`: the organization first.",
        pattern=r"(/[\w. -]{1,60}){1,9}",
    ),
    "nodes": Option(
        list,
        ("site", "rack"),
        "The fields whose values are the nodes below it, such as `site,list.team`.",
    ),
    "retired": Option(
        bool,
        False,
        "With `true` what is retired, missing or detached is there too, and what is retired or"
        " detached has `is_active: false`.",
    ),
    "name": NAME,
}

JSON = Feed(
    "JumpServer, by its API: bodies of POST and PUT /api/v1/assets/hosts/.",
    "application/json",
    bodies,
    ("address", *COLUMNS),
    OPTIONS,
    read=read,
)
CSV = Feed(
    "JumpServer, by its import of hosts: a file of at most 10 MiB.",
    "text/csv; charset=utf-8",
    file,
    ("address", *COLUMNS),
    OPTIONS,
    read=read,
)
