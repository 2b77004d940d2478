"""
From a value to the others that have it: the list of these assets, or the places of a part.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote, urlencode

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


SERIAL = "SERIAL"
"""What stands in the place of a serial number in an address that is made once."""


class Peers:
    """The addresses of one page of an asset."""

    def __init__(self, asset: Mapping[str, Any], *, is_past: bool) -> None:
        """Remember what the asset is like; of the past only what has a past leads somewhere."""
        self._asset = asset
        self._is_past = is_past
        address = to("assets.page")
        self._list = address + ("&" if "?" in address else "?")
        self._parts: dict[str, tuple[str, str]] = {}

    def of_column(self, column: str, value: Any) -> str:
        """Return the address of the assets with this value in a column of the list."""
        return self._where(column, value)

    def of_fact(self, path: str, value: Any) -> str:
        """Return the address of the assets with the same fact; blank if it is in no column."""
        column = COLUMNS.get(path)
        if column is None or value is None or self._asset.get(column) != value:
            return ""
        return self._where(column, value)

    def of_parts(self, path: str, names: Iterable[str]) -> set[str]:
        """Return those fields of parts of which :meth:`of_part` may know an address."""
        return {name for name in names if name in NUMBERS or (path, name) in store.PART_FILTERS}

    def of_part(self, path: str, name: str, item: Mapping[str, Any], number: str | None) -> str:
        """
        Return the address of the machines with such a part, or of the places of this very one.

        ``number`` is the one that is the part's own.
        """
        value = item.get(name)
        if value is None or len(str(value)) > store.LONGEST_OF_PART or is_empty(item):
            return ""
        if name in NUMBERS:
            return self.part(path, number) if number is not None and value == number else ""
        if self._is_past or item.get("kind", "physical") != "physical":
            return ""
        return self._where(store.PART_FILTERS[path, name], value)

    def part(self, path: str, serial: str) -> str:
        """Return the address of the places of a part, by its own number; blank if there is none."""
        section = path.partition(".")[0]
        if section not in store.PLACED or serial == store.MARK:
            return ""
        if section not in self._parts:
            # Made once: a server has a hundred parts.
            before, after = to("parts.page", section=section, serial=SERIAL).split(SERIAL, 1)
            self._parts[section] = before, after
        before, after = self._parts[section]
        return before + quote(serial, safe="") + after

    def rack(self) -> str:
        """Return the address of its rack; that of the assets of all such racks if it has none."""
        site, rack = self._asset["site"] or "-", self._asset["rack"]
        # A path cannot have these names in it.
        if "/" in site or {site, rack} & {".", ".."}:
            return self._where("rack", rack)
        return to("rack.page", site=site, name=rack)

    def _where(self, column: str, value: Any) -> str:
        return self._list + _query(column, str(value))


@lru_cache(maxsize=4096)
def _query(column: str, value: str) -> str:
    return urlencode({column: value})
