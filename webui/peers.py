"""
From a value to the others that have it: the list of these assets, or the places of a part.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from salt_ext import store
from salt_ext.document.keys import is_empty
from webui.timemode import to

COLUMNS = {
    "system.manufacturer": "manufacturer",
    "system.product_name": "product_name",
    "operating_system.pretty_name": "os",
    "operating_system.kernel_release": "kernel_release",
    "operating_system.hostname": "hostname",
    "processors.model": "processor_model",
    "processors.threads": "processor_threads",
    "memory.installed_bytes": "memory_bytes",
    "location.site": "site",
    "location.room": "room",
    "location.rack": "rack",
    "location.unit": "unit",
}
"""By the path of a fact: the column of the list that is made of it."""

NUMBERS = ("serial_number", "wwn", "permanent_mac")
"""The fields of a part whose value leads to where the part was, if it is known by that."""


class Peers:
    """The addresses of one page of an asset."""

    def __init__(self, asset: Mapping[str, Any], *, is_past: bool) -> None:
        """Remember what the asset is like; of the past only what has a past leads somewhere."""
        self._asset = asset
        self._is_past = is_past
        address = to("assets.page")
        self._list = address + ("&" if "?" in address else "?")

    def of_column(self, column: str, value: Any) -> str:
        """Return the address of the assets with this value in a column of the list."""
        return self._where(column, value)

    def of_fact(self, path: str, value: Any) -> str:
        """Return the address of the assets with the same fact; blank if it is in no column."""
        column = COLUMNS.get(path)
        if column is None or value is None or self._asset.get(column) != value:
            return ""
        return self._where(column, value)

    def of_part(self, path: str, name: str, item: Mapping[str, Any], number: str | None) -> str:
        """
        Return the address of the machines with such a part, or of the places of this very one.

        ``number`` is the one that is the part's own.
        """
        value = item.get(name)
        if name in NUMBERS:
            is_own = number is not None and value == number and len(number) <= store.LONGEST_OF_PART
            return self._part(path.partition(".")[0], number) if number and is_own else ""
        column = store.PART_FILTERS.get((path, name))
        if column is None or self._is_past or value is None or is_empty(item):
            return ""
        if item.get("kind", "physical") != "physical" or len(str(value)) > store.LONGEST_OF_PART:
            return ""
        return self._where(column, value)

    def part(self, path: str, serial: str) -> str:
        """Return the address of the places of a part, by its own number; blank if there is none."""
        return self._part(path.partition(".")[0], serial)

    def rack(self) -> str:
        """Return the address of its rack; that of the assets of all such racks if it has none."""
        site, rack = self._asset["site"] or "-", self._asset["rack"]
        # A path cannot have these names in it.
        if "/" in site or {site, rack} & {".", ".."}:
            return self._where("rack", rack)
        return to("rack.page", site=site, name=rack)

    def _part(self, section: str, serial: str) -> str:
        return to("parts.page", section=section, serial=serial) if section in store.PLACED else ""

    def _where(self, column: str, value: Any) -> str:
        return self._list + _query(column, str(value))


@lru_cache(maxsize=4096)
def _query(column: str, value: str) -> str:
    return urlencode({column: value})
