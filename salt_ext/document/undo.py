"""
Changes made to a document, and undone: the way back to any earlier one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from salt_ext.document import encode, normal
from salt_ext.document.diff import Change, names_of
from salt_ext.document.names import RULE, RULES


def apply(
    document: Mapping[str, Any], changes: Iterable[Change], rule: int = RULE
) -> dict[str, Any]:
    """Return the document after the changes, which name components by a rule of :data:`RULES`."""
    return _turn(document, changes, rule)


def undo(
    document: Mapping[str, Any], changes: Iterable[Change], rule: int = RULE
) -> dict[str, Any]:
    """Return the document as it was before the changes."""
    back = (change._replace(old=change.new, new=change.old) for change in changes)
    return _turn(document, back, rule)


def _turn(document: Mapping[str, Any], changes: Iterable[Change], rule: int) -> dict[str, Any]:
    result: dict[str, Any] = _copy(document)
    by_list: dict[str, list[Change]] = {}
    for change in changes:
        if change.component is None:
            _put(result, change.path, change.new)
        else:
            by_list.setdefault(change.path, []).append(change)
    for path, rows in by_list.items():
        # A change names its component as it is named in the list before all changes.
        items = _get(result, path) or []
        named = RULES[rule](items)
        for change in rows:
            if change.field is not None:
                item = named[str(change.component)]
                if change.new is None:
                    item.pop(change.field, None)
                else:
                    item[change.field] = _copy(change.new)
        left = _without(
            items,
            [change.old for change in rows if change.field is None and change.old is not None],
        )
        for change in rows:
            if change.field is None and change.new is not None:
                left.append(_copy(change.new))
        _put(result, path, left)
    return normal(result)


def _without(items: list[dict[str, Any]], gone: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the items without those that are gone; of equal ones the first go."""
    if not gone:
        return items
    counts = Counter(map(encode, gone))
    left = []
    for item in items:
        text = encode(item)
        if counts[text] > 0:
            counts[text] -= 1
        else:
            left.append(item)
    return left


def _get(document: Mapping[str, Any], path: str) -> Any:
    value: Any = document
    for name in names_of(path):
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _put(document: dict[str, Any], path: str, value: Any) -> None:
    """Set the value at a path; None removes it. The caller's ``normal`` drops empty parents."""
    *parents, last = names_of(path)
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
