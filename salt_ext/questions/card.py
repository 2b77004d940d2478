"""
What you must know of an asset when you are on call, on one screen.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from salt_ext import store
from salt_ext.lists.compare import contradicts, units
from salt_ext.lists.expected import said_of
from salt_ext.lists.headings import COMPARED, order
from salt_ext.lists.reconcile import is_misnamed
from salt_ext.words.match import same_sn

CHANGES, PROBLEMS, FINDINGS, BESIDE = 5, 4, 4, 2
"""How many of each a card has at most, so that the whole card fits on a screen."""


def card(database: store.Database, asset_id: uuid.UUID) -> dict[str, Any]:
    """
    Return what and where an asset is, how to reach it, and what is wrong with it.

    These are its columns as ``asset``, its place, BMC, switch ports and hypervisor, its
    ill parts, open problems, what people's list says as ``expected``, the last changes, and
    what is ``beside`` it in the rack.
    """
    found = store.asset_page(database, asset_id, CHANGES)
    row, ill = found["asset"], found["ill"]
    name, rack = row["minion_id"], row["rack"]
    is_seen = database.hidden.columns.isdisjoint(store.PLACE)
    standing = store.neighbours(database, row["site"], rack) if rack and is_seen else []
    wrong = store.problems(database, minion_id=name, limit=PROBLEMS) if name else ([], 0)
    facts = row.pop("facts")
    for unshown in ("volatile", "collected", "listed"):
        row.pop(unshown)
    return {
        "asset": row,
        "location": facts.get("location", {}),
        "bmc": facts.get("bmc", {}),
        "links": facts.get("lldp", []),
        "virtual": facts.get("virtual", {}),
        "ill": ill[:FINDINGS],
        "ill_total": len(ill),
        "problems": wrong[0],
        "problems_total": wrong[1],
        "expected": _expected(row, said_of(database, row) if found["is_said"] else None),
        "changes": found["changes"],
        "changes_total": store.count_changes(database, store.Wanted(asset_id)),
        "beside": _beside(asset_id, standing),
    }


def _expected(row: dict[str, Any], said: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return what people's list says of an asset, each field beside what the machine reports."""
    if said is None:
        return None
    is_machine = row["freshness"] != "unreported"
    fields = [
        {
            "field": field,
            "expected": value,
            # What never reported is what the list says: there is nothing to compare.
            "reported": row.get(field) if is_machine else None,
            "differs": differs(field, value, row),
        }
        for field, value in sorted(said["fields"].items(), key=lambda one: order(one[0]))
    ]
    about = ("source", "row", "imported_by", "imported_at")
    return {**{name: said[name] for name in about}, "fields": fields}


def differs(field: str, value: str, row: Mapping[str, Any]) -> bool:
    """
    Whether a list and the machine contradict each other; ``row`` has the columns of the asset.

    An unknown value does not, nor does what has never reported.
    """
    if row["freshness"] == "unreported":
        return False
    if field in ("minion_id", "hostname"):
        return is_misnamed(value, row)
    if field == "sn":
        return bool(row["sn"]) and not same_sn(value, row["sn"])
    return field in COMPARED and contradicts(field, value, row)


def _beside(asset_id: uuid.UUID, rack: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the next machines above and below an asset in its rack, by their units."""
    rack.sort(
        key=lambda one: (
            min(units(one["unit"]), default=0),
            one["unit"] or "",
            one["minion_id"] or "",
        )
    )
    here = next((number for number, one in enumerate(rack) if one["id"] == asset_id), None)
    if here is None:
        return []
    first = max(0, here - BESIDE)
    return [*rack[first:here], *rack[here + 1 : here + 1 + BESIDE]]
