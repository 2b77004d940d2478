"""
What people's lists say of an asset, out of the rows that mean it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from salt_ext.store.schema import PLACE
from salt_ext.words.match import is_blank, name_of

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
