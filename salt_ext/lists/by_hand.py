"""
Values that people set by hand, one machine at a time: words of few, numbers and sizes.

A cell of a list may say anything; who types a command learns at once what was a slip.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from salt_ext import store
from salt_ext.lists.amounts import how_many, sizes
from salt_ext.lists.compare import KINDS
from salt_ext.lists.headings import plain
from salt_ext.lists.typed import SILENT
from salt_ext.words.keys import why_no_macs, why_no_uuid
from salt_ext.words.nearest import unknown

SIZES = ("memory_bytes", "disk_bytes")
NUMBERS = ("processor_threads", "disk_count")

KEYS = {"uuid": why_no_uuid, "mac": why_no_macs}

MACHINES = ("server", "服务器")
"""What people call a machine, which says nothing of its kind."""


def checked(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields as they may be set. Raises ValueError with the word that is nearest."""
    found = {name: value for name, value in fields.items() if value != ""}
    for name in SIZES:
        if name in found and not sizes(str(found[name]), "g"):
            raise ValueError(f"{name} is {found[name]!r}, but it must be a size such as 384GiB")
    for name in NUMBERS:
        if name in found and how_many(str(found[name])) is None:
            raise ValueError(f"{name} is {found[name]!r}, but it must be a number such as 8")
    for name, why_no in KEYS.items():
        if name in found and (why := why_no(found[name])):
            raise ValueError(f"{name} is {found[name]!r}, which names no machine: {why}")
    if "kind" in found:
        words = {word for names in (SILENT | KINDS).values() for word in map(plain, names)}
        if plain(found["kind"]) not in {*words, *MACHINES, *store.KINDS}:
            raise ValueError(unknown("kind", found["kind"], ("server", *store.KINDS)))
    if "lifecycle" in found:
        found["lifecycle"] = str(found["lifecycle"]).lower()
        if found["lifecycle"] not in store.LIFECYCLES:
            raise ValueError(unknown("lifecycle", found["lifecycle"], store.LIFECYCLES))
    return {**fields, **found}
