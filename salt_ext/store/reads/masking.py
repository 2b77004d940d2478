"""
Answers without what is hidden: every read that returns values passes through :func:`masked`.

In a row a hidden value is replaced by the word ``hidden``, whether there is one or not; out of a
document, a list of identifiers and whatever else has many values it is left out. Sentences about
reports, in which any value may stand, are hidden as a whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from types import GeneratorType
from typing import Any, Concatenate, ParamSpec, TypeVar

from salt_ext.document import MAX_KEY, is_components
from salt_ext.document.diff import Change
from salt_ext.document.keys import keyed, place
from salt_ext.document.names import PLACES
from salt_ext.store.database import Database, Row
from salt_ext.store.hidden import MARK, Hidden

Asked = ParamSpec("Asked")
Answer = TypeVar("Answer")


def masked(
    read: Callable[Concatenate[Database, Asked], Answer],
) -> Callable[Concatenate[Database, Asked], Answer]:
    """Make a read leave out of its answer what its database hides, which mostly is nothing."""

    @wraps(read)
    def answer(database: Database, /, *args: Asked.args, **kwargs: Asked.kwargs) -> Any:
        found = read(database, *args, **kwargs)
        return of_answer(database.hidden, found) if database.hidden else found

    return answer


def of_answer(hidden: Hidden, value: Any) -> Any:
    """Return an answer, whatever it is made of, without what is hidden; None if that is all."""
    if isinstance(value, Change):
        return of_change(hidden, value)
    if isinstance(value, dict):
        return of_row(hidden, value)
    if isinstance(value, list):
        answers = ((one, of_answer(hidden, one)) for one in value)
        return [found for one, found in answers if found is not None or one is None]
    if isinstance(value, tuple):
        parts = [of_answer(hidden, one) for one in value]
        if not hasattr(value, "_fields"):
            return tuple(parts)
        is_gone = any(
            part is None and one is not None for part, one in zip(parts, value, strict=True)
        )
        return None if is_gone else type(value)(*parts)
    if isinstance(value, GeneratorType):
        return (found for one in value if (found := of_answer(hidden, one)) is not None)
    return value


def of_row(hidden: Hidden, row: Row) -> Row | None:
    """Return a row of an answer without what is hidden; None if the row is about that alone."""
    if row.keys() >= CHANGE:
        told = (row.get(name) for name in Change._fields)
        one = of_change(hidden, Change._make(told))
        if one is None:
            return None
        row = {name: getattr(one, name, value) for name, value in row.items()}
    if row.keys() >= IDENTIFIER and row["kind"] in hidden.kinds:
        return None
    if row.keys() >= SAID and row["field"] in hidden.columns:
        return None
    path = row.get("path") or row.get("what")
    if path and hidden.path(path):
        return None
    if path and not row.keys().isdisjoint(("model", "place", "moved_from")):
        row = _of_part(hidden, path, row)
    if row.get("volatile"):
        row = {**row, "volatile": of_volatile(hidden, row["facts"], row["volatile"])}
    return {
        name: MARK
        if name in hidden.columns
        or COPIES.get(name) in hidden.columns
        or KEYS.get(name) in hidden.kinds
        else BELOW[name](hidden, value)
        if name in BELOW and value
        else of_answer(hidden, value)
        for name, value in row.items()
    }


CHANGE = {"op", "path", "field", "old", "new"}
IDENTIFIER = {"kind", "value", "quality"}
SAID = {"field", "value", "source"}
"""By these columns rows are known that are about one field: changes, identifiers, lists' words."""

KEYS = {"uuid": "uuid", "bound_uuid": "uuid", "mac": "mac", "macs": "mac", "bound_mac": "mac"}
"""Columns and fields that have a key: the kind of identifier that it is."""

COPIES = {"bare_sn": "sn", "short_hostname": "hostname", "elsewhere": "minion_id"}
"""Columns that tell what another one tells."""

PLACE = tuple(field for group in PLACES for field in group)
KINDS = ("model", "part_number", "product_name", "product", "version", "type", "manufacturer")
"""The fields that a part may be called by beside its place."""


def of_document(hidden: Hidden, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document without what is hidden."""
    return {
        section: of_value(hidden, section, value) if section in hidden.sections else value
        for section, value in facts.items()
        if not hidden.path(section)
    }


def of_value(hidden: Hidden, path: str, value: Any) -> Any:
    """Return the value at a path of a document without what is hidden."""
    if isinstance(value, dict):
        return {
            name: of_value(hidden, f"{path}.{name}", one)
            for name, one in value.items()
            if not hidden.path(f"{path}.{name}")
        }
    if isinstance(value, list):
        return [of_value(hidden, path, one) for one in value]
    return value


def of_volatile(hidden: Hidden, facts: Mapping[str, Any], latest: Mapping[str, Any]) -> Row:
    """Return the volatile values of a document, under the keys that its parts have left."""
    return {
        section: _latest(hidden, section, facts.get(section), values)
        for section, values in latest.items()
        if not hidden.path(section)
    }


def _latest(hidden: Hidden, path: str, facts: Any, latest: Any) -> Any:
    if not isinstance(latest, dict):
        return latest
    if is_components(facts):
        before, after = keyed(facts), keyed(of_value(hidden, path, facts))
        return {
            left[:MAX_KEY]: _latest(hidden, path, item, latest[key[:MAX_KEY]])
            for (key, item), left in zip(before.items(), after, strict=True)
            if key[:MAX_KEY] in latest
        }
    below = facts if isinstance(facts, dict) else {}
    return {
        name: _latest(hidden, f"{path}.{name}", below.get(name), one)
        for name, one in latest.items()
        if not hidden.path(f"{path}.{name}")
    }


def of_change(hidden: Hidden, one: Change) -> Change | None:
    """Return a change without what is hidden; None if it is a change of that alone."""
    path = one.path if one.field is None else f"{one.path}.{one.field}"
    if hidden.path(path):
        return None
    old, new = (of_value(hidden, path, value) for value in (one.old, one.new))
    if old == new and one.op in ("changed", "moved"):
        return None
    component = one.component
    if component is not None and hidden.names_parts(one.path):
        items = (new, old) if one.field is None else ()
        places = (place(item) for item in items if isinstance(item, dict))
        component = next(filter(None, places), MARK)
    return one._replace(component=component, old=old, new=new)


def _of_part(hidden: Hidden, path: str, row: Row) -> Row:
    """Return a row about a part without its number, its place and its model, if hidden."""
    if row.get("serial") and hidden.names_parts(path):
        row = {**row, "serial": MARK}
    if row.get("model") and hidden.any(path, KINDS):
        row = {**row, "model": MARK}
    if hidden.any(path, PLACE if row.get("op") else (*PLACE, *KINDS)):
        row = {**row, **({"place": MARK} if row.get("place") else {})}
        for name in ("moved_from", "moved_to"):
            row |= {name: {**row[name], "place": MARK}} if row.get(name) else {}
    return row


def _by_field(hidden: Hidden, said: Any) -> Any:
    """Return what lists say by field, or filters, without the hidden ones."""
    return {
        name: one
        for name, one in said.items()
        if name.partition("__")[0] not in hidden.columns and KEYS.get(name) not in hidden.kinds
    }


def _by_section(hidden: Hidden, told: Any) -> Any:
    """Return what is told of sections without the hidden ones."""
    if isinstance(told, dict):
        return {name: one for name, one in told.items() if not hidden.path(name)}
    return [one for one in told if not hidden.path(_section(one))]


def _section(told: Any) -> str:
    """Return the section of a row, of a pair of source and section, or the section itself."""
    found = told["section"] if isinstance(told, dict) else told
    return str(found[1] if isinstance(found, list) else found)


def _of_evidence(hidden: Hidden, shown: Any) -> Any:
    """Return what a report or an asset shows of its identity without the hidden identifiers."""
    if isinstance(shown, list):
        return [_of_evidence(hidden, one) for one in shown]
    keys = [key for key in shown.get("keys", ()) if _kind(key) not in hidden.kinds]
    left = {name: one for name, one in shown.items() if name not in hidden.kinds}
    return {**left, **({"keys": keys} if "keys" in shown else {})}


def _kind(key: Any) -> str:
    """Return the kind of a key, which is a pair or the text of one."""
    return str(key.partition(" ")[0] if isinstance(key, str) else key[0])


def _of_sentence(hidden: Hidden, text: Any) -> Any:
    """Return what the store has written about identity, unless identifiers are hidden."""
    return MARK if hidden.kinds else text


def _nothing(hidden: Hidden, text: Any) -> Any:
    """Hide a text of a machine, in which any value may stand."""
    return MARK


def _as_it_is(hidden: Hidden, value: Any) -> Any:
    return value


BELOW: Mapping[str, Callable[[Hidden, Any], Any]] = {
    "facts": of_document,
    "volatile": _as_it_is,
    "fields": _by_field,
    "filters": _by_field,
    "sources": _by_section,
    "collected": _by_section,
    "sections": _by_section,
    "handed": _by_section,
    "evidence": _of_evidence,
    "candidates": _of_evidence,
    "reason": _of_sentence,
    "message": _nothing,
    "refusal": _nothing,
    "traceback": _nothing,
    # Of a document that is known but for one value: whoever tries the values sees which it is.
    "digest": _nothing,
}
"""How the values are masked that stand under these names; ``volatile`` was with its facts."""
