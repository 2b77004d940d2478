"""
Two fact documents in, changes out, and back.

A change belongs to a section, to a component and to a field of it, never to a
position in a list. ``apply(a, diff(a, b)) == b`` and ``undo(b, diff(a, b)) ==
a`` hold for every pair of documents in normal form, so the document of any
earlier time is the current one with the later changes undone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from salt_ext.document import (
    encode,
    identity,
    is_components,
    keyed,
    normal,
    place,
    place_fields,
    same,
)


class Change(NamedTuple):
    """
    One thing that became different.

    ``op`` is added, removed, changed, moved or replaced. ``path`` leads to a
    value (``firmware.version``) or to a list of components (``memory.devices``);
    then ``component`` is the key of one of them, and ``field`` the field that
    changed. Without ``field``, ``old`` and ``new`` are whole components or
    values. An emptied slot is the ``new`` of what was removed from it.
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
        # A section that was not there is more than an empty one: it comes and goes whole.
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
            a, b, where = old.get(key), new.get(key), f"{path}.{_escape(key)}"
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
    """Return a list as it is and anything else as a list that holds no components."""
    return value if isinstance(value, list) else [None]


def _components(
    path: str, old: list[dict[str, Any]], new: list[dict[str, Any]]
) -> Iterator[Change]:
    before, after = keyed(old), keyed(new)
    for key, item in before.items():
        if key in after:
            yield from _fields(path, key, item, after[key])
    gone = {key: item for key, item in before.items() if key not in after}
    come = {key: item for key, item in after.items() if key not in before}
    slots = _by_place(come)
    for key, item in gone.items():
        slot = slots.pop(place(item) or "", None)
        if slot is None:
            yield Change("removed", path, key, None, item, None)
            continue
        other = come.pop(slot)
        if other.get("present") is False:
            yield Change("removed", path, key, None, item, other)
        elif item.get("present") is False:
            yield Change("added", path, slot, None, item, other)
        elif identity(item) != identity(other):
            yield Change("replaced", path, slot, None, item, other)
        elif not same(item, other):  # else just its key is another
            yield Change("changed", path, slot, None, item, other)
    for key, item in come.items():
        yield Change("added", path, key, None, None, item)


def _fields(path: str, key: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
    fields = sorted(old.keys() | new.keys())
    changed = [one for one in fields if not same(old.get(one), new.get(one))]
    # A slot may take two fields to name; that a part moved is told once.
    places = [one for one in (*place_fields(old), *place_fields(new)) if one in changed]
    moved = places[-1] if places and identity(new) else None
    for field in changed:
        op = "moved" if field == moved else "changed"
        yield Change(op, path, key, field, old.get(field), new.get(field))


def _by_place(items: Mapping[str, dict[str, Any]]) -> dict[str, str]:
    """Return the key of each component by its place, where a place has only one."""
    places: dict[str, list[str]] = {}
    for key, item in items.items():
        places.setdefault(place(item) or "", []).append(key)
    return {where: keys[0] for where, keys in places.items() if where and len(keys) == 1}


def apply(document: Mapping[str, Any], changes: Iterable[Change]) -> dict[str, Any]:
    """Return the document with the changes made."""
    return _turn(document, changes)


def undo(document: Mapping[str, Any], changes: Iterable[Change]) -> dict[str, Any]:
    """Return the document as it was before the changes."""
    return _turn(document, (change._replace(old=change.new, new=change.old) for change in changes))


def _turn(document: Mapping[str, Any], changes: Iterable[Change]) -> dict[str, Any]:
    result: dict[str, Any] = _copy(document)
    by_list: dict[str, list[Change]] = {}
    for change in changes:
        if change.component is None:
            _put(result, change.path, change.new)
        else:
            by_list.setdefault(change.path, []).append(change)
    for path, rows in by_list.items():
        # Keys are those of the list before any of its changes.
        items = keyed(_get(result, path) or [])
        for change in rows:
            if change.field is not None:
                item = items[str(change.component)]
                if change.new is None:
                    item.pop(change.field, None)
                else:
                    item[change.field] = _copy(change.new)
        left = list(items.values())
        for change in rows:
            if change.field is None and change.old is not None:
                gone = encode(change.old)
                del left[next(i for i, item in enumerate(left) if encode(item) == gone)]
        for change in rows:
            if change.field is None and change.new is not None:
                left.append(_copy(change.new))
        _put(result, path, left)
    return normal(result)


def _escape(key: str) -> str:
    """Return a key as it stands in a path; the escapes are those of JSON Pointer."""
    return key.replace("~", "~0").replace(".", "~1")


def _names(path: str) -> list[str]:
    return [name.replace("~1", ".").replace("~0", "~") for name in path.split(".")]


def section_of(change: Change) -> str:
    """Return the section that a change is in."""
    return _names(change.path)[0]


def _get(document: Mapping[str, Any], path: str) -> Any:
    value: Any = document
    for name in _names(path):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _put(document: dict[str, Any], path: str, value: Any) -> None:
    """Set or, for None, remove the value at a path; an empty parent disappears with it."""
    *parents, last = _names(path)
    for name in parents:
        document = document.setdefault(name, {})
    if value is None:
        document.pop(last, None)
    else:
        document[last] = _copy(value)


def _copy(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_copy(item) for item in value]
    return value
