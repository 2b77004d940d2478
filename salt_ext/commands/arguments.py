"""
Checks of the arguments that people type behind a command.

Salt reads the command line as YAML: ``0012345`` arrives as a number and ``NO``
as False. Where an argument is wrong, a function raises :class:`Misused` with a
sentence that says what to write instead.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from collections.abc import Set as AbstractSet
from datetime import datetime, timezone
from typing import Any

import salt.utils.args
import salt.utils.user

from salt_ext import store
from salt_ext.words.durations import seconds
from salt_ext.words.nearest import nearest, slips, unknown

LARGEST_COUNT = 10_000_000


OPTIONS = frozenset(
    (
        *("limit", "sort", "columns", "cursor", "as_of", "out_file", "group_by", "exit_code"),
        *("since", "until", "section", "component", "class", "older_than"),
    )
)
"""The options of commands that take filters beside them."""

OPTIONS_AND_STATE = OPTIONS | {"state"}
"""Those of commands that list what is open or over."""


class Misused(ValueError):
    """An argument that a command cannot use."""


def assets_of(
    database: store.Database,
    tgt: Any,
    kwargs: dict[str, Any],
    options: AbstractSet[str] = OPTIONS,
) -> dict[str, Any]:
    """
    Return the filters among the arguments, and ``tgt`` as another filter.

    ``tgt`` is an identifier of one asset; with ``*``, ``?`` or ``[..]`` in it, a glob of
    minion ids. ``options`` are those that a slip of the finger may be meant to be.
    """
    if store.is_glob(text("tgt", tgt)):
        return filters_of(tgt, kwargs, options)
    return {**filters_of("*", kwargs, options), "id": str(asset_of(database, tgt))}


def asset_of(database: store.Database, asset: Any) -> uuid.UUID:
    """Return the id of the asset with this identifier. Raises :class:`store.NotFound` too."""
    if isinstance(asset, int) and not isinstance(asset, bool):
        alike = store.padded(database, asset)
        if alike:
            names = [str(row["sn"] or row["minion_id"]) for row in alike]
            raise Misused(
                f"the asset arrived as the number {asset}: the command line reads YAML and drops"
                f""" leading zeros; write '"{names[0]}"' with both pairs of quotes; with these"""
                f" digits there is: {', '.join(names)}"
            )
    return store.resolve(database, reference(asset))


def filters_of(
    tgt: Any, kwargs: dict[str, Any], options: AbstractSet[str] = OPTIONS
) -> dict[str, Any]:
    """Return the filters among the arguments; ``tgt`` is a glob of minion ids."""
    filters: dict[str, Any] = salt.utils.args.clean_kwargs(**kwargs)
    for name in filters:
        # A slip in an option arrives as a field, and no field is so near to one.
        if meant := slips(name) & options:
            raise Misused(f"there is no field {name!r}; did you mean the option {min(meant)!r}?")
    if tgt != "*":
        filters["minion_id__glob"] = tgt
    return filters


def nothing_else(kwargs: dict[str, Any], *valid: str) -> None:
    """Refuse arguments that the command does not know."""
    for name in salt.utils.args.clean_kwargs(**kwargs):
        raise Misused(unknown("option", name, valid))


def reference(asset: Any) -> str:
    """Return the identifier of an asset, which must be text and not empty."""
    if asset == "":
        raise Misused("which asset? give a minion id, a serial number or another identifier")
    if not isinstance(asset, str):
        raise Misused(
            f"the asset arrived as {asset!r}, which is no text: the command line reads YAML and"
            f""" drops leading zeros; write '"..."' with both pairs of quotes"""
        )
    return asset


def text(name: str, value: Any) -> str:
    """Return an argument that must be text."""
    if not isinstance(value, str):
        raise Misused(
            f"{name} arrived as {value!r}, which is no text: the command line reads YAML and"
            f""" drops leading zeros; write {name}='"..."' with both pairs of quotes"""
        )
    return value


def duration(name: str, value: Any) -> int:
    """Return the seconds of a duration, which must have a unit."""
    if isinstance(value, int) and not isinstance(value, bool):
        raise Misused(f"{name} is {value}, and of what? write {value}w, {value}d or {value}h")
    return seconds(text(name, value))


def listed(names: str) -> list[str]:
    """Return names that were given as one text with commas between them."""
    return [one.strip() for one in names.split(",") if one.strip()]


def check_truths(**values: Any) -> None:
    """Refuse arguments that are neither True nor False: a text would always count as True."""
    for name, value in values.items():
        if not isinstance(value, int) or value not in (True, False):
            near = nearest(value, ("True", "False"))
            hint = f"; did you mean {near}?" if near else ""
            raise Misused(f"{name} is True or False, not {value!r}{hint}")


def one_of(name: str, value: Any, words: Collection[str]) -> str:
    """Return an argument that must be one of some words; ``name`` says what they are."""
    if value not in words:
        raise Misused(unknown(name, value, words))
    return str(value)


def count(name: str, value: Any) -> int:
    """Return an argument that must be a whole number above 0."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= LARGEST_COUNT:
        raise Misused(
            f"{name} is {value!r}, but it must be a whole number from 1 to {LARGEST_COUNT:,}"
        )
    return value


def uuid_of(value: Any) -> uuid.UUID:
    """Return an argument that must be a UUID."""
    try:
        return uuid.UUID(str(value))
    except ValueError:
        raise Misused(f"{value!r} is not an id such as cmdb.errors shows") from None


def who() -> str:
    """Return the user who runs this command, also behind sudo; it is kept with decisions."""
    return str(salt.utils.user.get_specific_user())


def now() -> datetime:
    """Return the time by the clock of the master."""
    return datetime.now(timezone.utc)
