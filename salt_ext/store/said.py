"""
What people's lists say of an asset, out of the rows that mean it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from salt_ext.store.schema import PLACE
from salt_ext.words.cells import is_blank
from salt_ext.words.match import name_of

SET = "cmdb.expected set"
"""The source of what people say of one machine at a time."""

OWN = "list."
"""How the fields begin that people's lists have and no machine can fill."""

ABOUT = ("source", "row", "imported_at", "imported_by")
"""The columns of a row that tell who says so."""


def spoken(row: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return the fields of a kept row, with its own SN and name where the fields have none.

    A word by which people set something, and that nobody knows, may be either.
    """
    said = {"sn": row["sn"], "hostname": row["minion_id"], **row["fields"]}
    is_either = row["source"] == SET and not name_of(said)
    return {**said, "hostname": said["sn"]} if is_either else said


def machines(rows: Iterable[Mapping[str, Any]]) -> Iterable[list[Mapping[str, Any]]]:
    """
    Return the rows of each machine together: by its SN, or else its name, its UUID or a MAC.

    Each row has ``bare_sn``, ``uuid``, ``macs`` and its short ``name``. Where one row has the SN
    to a name or key, others mean the same machine by that alone.
    """
    said = list(rows)
    # Of a name or key, the machine that it means.
    known = {key: _called(row)[0] for row in said if row["bare_sn"] for key in _called(row)}
    found: dict[str, list[Mapping[str, Any]]] = {}
    for number, row in enumerate(said):
        keys = _called(row) or [f"row {number}"]
        own = keys[0] if row["bare_sn"] else next((known[k] for k in keys if k in known), keys[0])
        for key in keys:
            known.setdefault(key, own)
        found.setdefault(own, []).append(row)
    return found.values()


def _called(row: Mapping[str, Any]) -> list[str]:
    """Return by what a row calls its machine, the surest first."""
    called = {"sn": [row["bare_sn"]], "name": [row["name"]], "uuid": [row["uuid"]]}
    called["mac"] = (row["macs"] or "").split()
    return [f"{kind} {value}" for kind, values in called.items() for value in values if value]


def newest(rows: Iterable[Mapping[str, Any]]) -> dict[str, tuple[Any, Mapping[str, Any]]]:
    """
    Return what counts of several rows: by field the value, and the newest row that has one.

    These are the fields that no machine can fill, and where the machine stands.
    """
    found: dict[str, tuple[Any, Mapping[str, Any]]] = {}
    for row in sorted(rows, key=lambda one: (one["imported_at"], one["source"])):
        for name, value in row["fields"].items():
            if (name.startswith(OWN) or name in PLACE) and not is_blank(value):
                found[name] = value, row
    return found
