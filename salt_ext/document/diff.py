"""
The changes between two fact documents; ``document/undo.py`` applies and undoes them.

A change names a section, a component and a field of it, never a position in a
list. ``apply(a, diff(a, b)) == b`` and ``undo(b, diff(a, b)) == a`` hold for
every pair of documents in normal form. So the document of any earlier time is
the present one with the later changes undone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from salt_ext.document import is_components, same
from salt_ext.document.keys import (
    is_empty,
    keyed,
    may_be_same,
    number,
    of_several,
    partners,
    places,
    slot_fields,
)
from salt_ext.document.names import named


class Change(NamedTuple):
    """
    One difference between two documents.

    ``op`` is added, removed, changed, moved or replaced. ``path`` leads to a
    value (``firmware.version``) or to a list of components (``memory.devices``).
    In a list, ``component`` is the key of one component, and ``field`` the field
    of it that changed. When ``field`` is None, ``old`` and ``new`` are whole
    components or values. When a part was removed and its slot is listed as
    empty, ``new`` is the empty slot; when one was added, ``old`` is.
    """

    op: str
    path: str
    component: str | None
    field: str | None
    old: Any
    new: Any


def diff(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[Change]:
    """Return the changes from ``a`` to ``b``, both in normal form."""
    changes: list[Change] = []
    for section in sorted(a.keys() | b.keys()):
        # An absent section is not an empty one, so it is added or removed as a whole.
        if section not in a:
            changes.append(Change("added", _escape(section), None, None, None, b[section]))
        elif section not in b:
            changes.append(Change("removed", _escape(section), None, None, a[section], None))
        else:
            changes.extend(_values(_escape(section), a[section], b[section]))
    return changes


def _values(path: str, old: Any, new: Any) -> Iterator[Change]:
    if same(old, new):
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            a, b = old.get(key), new.get(key)
            if same(a, b):
                continue
            where = f"{path}.{_escape(key)}"
            if is_components(a if b is None else b if a is None else [*_list(a), *_list(b)]):
                yield from _components(where, a or [], b or [])
            else:
                yield from _values(where, a, b)
    elif is_components(old) and is_components(new):
        yield from _components(path, old, new)
    else:
        op = "added" if old is None else "removed" if new is None else "changed"
        yield Change(op, path, None, None, old, new)


def _list(value: Any) -> list[Any]:
    """Return a list as it is, and anything else as a list that is not one of components."""
    return value if isinstance(value, list) else [None]


def _components(
    path: str, old: list[dict[str, Any]], new: list[dict[str, Any]]
) -> Iterator[Change]:
    before, after = keyed(old), keyed(new)
    here, there = named(old), named(new)
    for key, item in before.items():
        other = after.get(key)
        if other is None or same(item, other):
            continue
        if is_empty(item) != is_empty(other):  # a part that is known by its slot
            yield Change("added" if is_empty(item) else "removed", path, key, None, item, other)
        elif here.get(key) is item and there.get(key) is other:
            yield from _fields(path, key, item, other)
        else:  # the key would not lead back to them
            yield Change("changed", path, key, None, item, other)
    gone = {key: item for key, item in before.items() if key not in after}
    come = {key: item for key, item in after.items() if key not in before}
    found = partners(gone, come)
    nobodys = of_several(old) | of_several(new) if found else set()
    for key, item in gone.items():
        if key not in found:
            yield Change("removed", path, key, None, item, None)
            continue
        slot = found[key]
        other = come.pop(slot)
        if is_empty(other) and not is_empty(item):
            yield Change("removed", path, key, None, item, other)
        elif is_empty(item) and not is_empty(other):
            yield Change("added", path, slot, None, item, other)
        elif not may_be_same(item, other, nobodys):
            yield Change("replaced", path, slot, None, item, other)
        elif same(item, other):  # only the key differs
            continue
        elif name := _common(item, other, here, there):
            yield from _fields(path, name, item, other)
        else:
            yield Change("changed", path, slot, None, item, other)
    for key, item in come.items():
        yield Change("added", path, key, None, None, item)


def _common(
    item: dict[str, Any],
    other: dict[str, Any],
    here: Mapping[str, dict[str, Any]],
    there: Mapping[str, dict[str, Any]],
) -> str:
    """Return the place that leads to a part in both lists; blank without one."""
    leading = (name for name in places(item) if here.get(name) is item and there.get(name) is other)
    return next(leading, "")


def _fields(path: str, key: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
    fields = sorted(old.keys() | new.keys())
    changed = [one for one in fields if not same(old.get(one), new.get(one))]
    # A slot can have two fields, such as bank and locator. Only one of them says "moved".
    slots = [one for one in (*slot_fields(old), *slot_fields(new)) if one in changed]
    places = [one for one in slots if one in old and one in new]
    moved = places[-1] if places and number(new) else None
    for field in changed:
        op = "moved" if field == moved else "changed"
        yield Change(op, path, key, field, old.get(field), new.get(field))


def _escape(key: str) -> str:
    """Return a key as it stands in a path; the escapes are those of JSON Pointer."""
    return key.replace("~", "~0").replace(".", "~1")


def names_of(path: str) -> list[str]:
    """Return the names of the fields that a path leads through."""
    return [name.replace("~1", ".").replace("~0", "~") for name in path.split(".")]


def section_of(change: Change) -> str:
    """Return the section that a change is in."""
    return names_of(change.path)[0]
