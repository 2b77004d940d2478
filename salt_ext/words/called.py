"""
What an asset is called where people read of it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

MACHINES = ("physical", "virtual", "container", "network")
"""The kinds of what has reported; every other kind only people's lists have."""


def called(asset: Mapping[str, Any]) -> str:
    """
    Return the minion id of an asset, or else what people call it.

    A machine whose name belongs to other hardware now is called by its SN, or ``detached``.
    What has never reported has the name, the SN, or else the kind and the place that a list
    has of it. Where nothing but minion id and SN is known, the asset is taken for a machine.
    """
    if asset.get("minion_id"):
        return str(asset["minion_id"])
    if asset.get("kind", MACHINES[0]) in MACHINES:
        return str(asset.get("sn") or "detached")
    place = [asset["kind"], *(asset.get(name) for name in ("site", "room", "rack", "unit"))]
    return str(asset.get("hostname") or asset.get("sn") or " ".join(filter(None, place)))
