"""
The changes between two documents as the first version wrote them: key rule 1.

A copy, so that histories in tests are those that stores have. It ends where the
two versions do the same.
"""

from salt_ext.document import first, is_components, same
from salt_ext.document.diff import Change


def diff(a, b):
    changes = []
    for section in sorted(a.keys() | b.keys()):
        if section not in a:
            changes.append(Change("added", escape(section), None, None, None, b[section]))
        elif section not in b:
            changes.append(Change("removed", escape(section), None, None, a[section], None))
        else:
            changes.extend(values(escape(section), a[section], b[section]))
    return changes


def values(path, old, new):
    if same(old, new):
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            a, b, where = old.get(key), new.get(key), f"{path}.{escape(key)}"
            if is_components(a if b is None else b if a is None else [*listed(a), *listed(b)]):
                yield from components(where, a or [], b or [])
            else:
                yield from values(where, a, b)
    elif is_components(old) and is_components(new):
        yield from components(path, old, new)
    else:
        op = "added" if old is None else "removed" if new is None else "changed"
        yield Change(op, path, None, None, old, new)


def listed(value):
    return value if isinstance(value, list) else [None]


def components(path, old, new):
    before, after = first.keyed(old), first.keyed(new)
    for key, item in before.items():
        if key in after:
            yield from fields(path, key, item, after[key])
    gone = {key: item for key, item in before.items() if key not in after}
    come = {key: item for key, item in after.items() if key not in before}
    slots = by_place(come)
    for key, item in gone.items():
        slot = slots.pop(first.place(item), None)
        if slot is None:
            yield Change("removed", path, key, None, item, None)
            continue
        other = come.pop(slot)
        if other.get("present") is False:
            yield Change("removed", path, key, None, item, other)
        elif item.get("present") is False:
            yield Change("added", path, slot, None, item, other)
        elif first.number(item) != first.number(other):
            yield Change("replaced", path, slot, None, item, other)
        elif not same(item, other):
            yield Change("changed", path, slot, None, item, other)
    for key, item in come.items():
        yield Change("added", path, key, None, None, item)


def fields(path, key, old, new):
    changed = [
        one for one in sorted(old.keys() | new.keys()) if not same(old.get(one), new.get(one))
    ]
    places = [one for one in (*place_fields(old), *place_fields(new)) if one in changed]
    moved = places[-1] if places and first.number(new) else None
    for field in changed:
        op = "moved" if field == moved else "changed"
        yield Change(op, path, key, field, old.get(field), new.get(field))


def place_fields(item):
    return next((group for group in first.PLACES if item.get(group[-1]) is not None), ())


def by_place(items):
    places = {}
    for key, item in items.items():
        places.setdefault(first.place(item), []).append(key)
    return {where: keys[0] for where, keys in places.items() if where and len(keys) == 1}


def escape(key):
    return key.replace("~", "~0").replace(".", "~1")
