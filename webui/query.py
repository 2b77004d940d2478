"""
The query of the asset list: read from an address, put into words, and written as addresses.

Fields and their comparisons have the grammar of the store's filters. Options of the
page begin with ``_``, so that no field can ever clash with one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone, tzinfo
from typing import Any
from urllib.parse import urlencode

from werkzeug.datastructures import MultiDict

from salt_ext import store
from salt_ext.words.nearest import unknown
from salt_ext.words.times import moment, past, timestamp
from salt_ext.words.values import label, value

OPTIONS = ("_col", "_sort", "_limit", "_from", "_as_of")
FORM = ("_field", "_op", "_value")
LIMIT = 100
MAX_LIMIT = 1000

WORDS = {
    "exact": "is",
    "not": "is not",
    "contains": "contains",
    "startswith": "starts with",
    "endswith": "ends with",
    "glob": "is like",
    "gt": "is over",
    "gte": "is at least",
    "lt": "is under",
    "lte": "is at most",
    "in": "is one of",
    "notin": "is none of",
    "isnull": "is empty",
    "notnull": "is not empty",
}
MOMENTS = ("first_seen", "changed_at", "last_seen")
MOMENT_WORDS = {"gt": "after", "gte": "since", "lt": "before", "lte": "up to"}
PROPER = ("OS", "SN")


@dataclass(frozen=True)
class Query:
    """What to list."""

    filters: Mapping[str, str | list[str]] = field(default_factory=dict)
    text: str = ""
    columns: tuple[str, ...] = ()
    """The usual ones when empty."""
    sort: str = "minion_id"
    limit: int = LIMIT
    cursor: str | None = None
    at: datetime | None = None
    """As of when, in the zone of people."""

    @property
    def shown(self) -> list[str]:
        """The columns of the list."""
        return list(self.columns) or store.usual_columns(self.at)

    @property
    def sentence(self) -> str:
        """The filter in words, for headings, bookmarks and printouts."""
        words = [words_of(name, given) for name, given in self.filters.items()]
        where = f" where {' and '.join(words)}" if words else ""
        matching = f" matching “{self.text}”" if self.text else ""
        then = f" as of {self.at:%Y-%m-%d %H:%M %Z}" if self.at else ""
        return f"Assets{where}{matching}{then}"

    @property
    def pills(self) -> list[tuple[str, Query]]:
        """Each condition in words, and the query without it."""
        found = []
        for name, given in self.filters.items():
            left = {key: item for key, item in self.filters.items() if key != name}
            found.append((words_of(name, given), replace(self, filters=left, cursor=None)))
        if self.text:
            found.append((f"matches “{self.text}”", replace(self, text="", cursor=None)))
        if self.at:
            words = f"as of {self.at:%Y-%m-%d %H:%M %Z}"
            found.append((words, replace(self, at=None, cursor=None)))
        return found

    def sorted_by(self, column: str) -> Query:
        """Return the query sorted by a column; if it is so already, in the reverse order."""
        turned = f"-{column}" if self.sort == column else column
        return replace(self, sort=turned, cursor=None)

    def page(self, cursor: str | None) -> Query:
        """Return the page of the query that a cursor leads to; without one, the first."""
        return replace(self, cursor=cursor)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The query as parameters of an address; default values are left out."""
        pairs = [
            (name, one)
            for name, given in self.filters.items()
            for one in (given if isinstance(given, list) else [given])
        ]
        if self.text:
            pairs.append(("q", self.text))
        if self.columns:
            pairs.append(("_col", ",".join(self.columns)))
        if self.sort != "minion_id":
            pairs.append(("_sort", self.sort))
        if self.limit != LIMIT:
            pairs.append(("_limit", str(self.limit)))
        if self.at:
            pairs.append(("_as_of", timestamp(self.at)))
        if self.cursor:
            pairs.append(("_from", self.cursor))
        return pairs

    @property
    def string(self) -> str:
        """The query as text that follows the path of an address, with its ``?``."""
        return f"?{urlencode(self.pairs)}" if self.pairs else ""


def parse(args: MultiDict[str, str], zone: tzinfo = timezone.utc) -> Query:
    """
    Return the query of an address; its times are in ``zone`` unless they say another one.

    Raises :class:`store.FilterError` for an unknown option.
    """
    filters: dict[str, str | list[str]] = {}
    for name, given in args.lists():
        if name.startswith("_") and name not in OPTIONS:
            raise store.FilterError(unknown("option", name, OPTIONS))
        if name not in (*OPTIONS, "q"):
            filters[name] = given if len(given) > 1 else given[0]
    columns = [one.strip() for given in args.getlist("_col") for one in given.split(",")]
    return Query(
        filters,
        " ".join(args.getlist("q")).strip(),
        tuple(dict.fromkeys(one for one in columns if one)),
        args.get("_sort") or "minion_id",
        number(args, "_limit", LIMIT, 1, MAX_LIMIT),
        args.get("_from") or None,
        _moment(args.get("_as_of"), zone),
    )


def _moment(text: str | None, zone: tzinfo) -> datetime | None:
    try:
        now = datetime.now(zone)
        return past(moment(text, now), text, now).astimezone(zone) if text else None
    except ValueError as error:
        raise store.FilterError(f"_as_of: {error}") from None


def number(args: MultiDict[str, str], name: str, usual: int, least: int, most: int) -> int:
    """Return an option that must be a number. Raises :class:`store.FilterError`."""
    text = args.get(name, str(usual))
    is_number = text.isascii() and text.isdigit() and len(text) <= len(str(most))
    if not (is_number and least <= int(text) <= most):
        raise store.FilterError(f"{name} is {text!r}, not a number from {least} to {most}")
    return int(text)


def from_form(args: MultiDict[str, str], zone: tzinfo = timezone.utc) -> Query | None:
    """Return the query of a filter form that was sent, or None when no form was sent."""
    if "_field" not in args:
        return None
    left = MultiDict((name, one) for name, one in args.items(multi=True) if name not in FORM)
    name, operator, given = (args.get(part, "").strip() for part in FORM)
    if operator in ("isnull", "notnull"):
        left[f"{name}__isnull"] = "false" if operator == "notnull" else "true"
    elif given:
        left.add(name if operator in ("", "exact") else f"{name}__{operator}", given)
    return replace(parse(left, zone), cursor=None)


def words_of(name: str, given: Any) -> str:
    """Return one condition in words."""
    field_name, _, operator = name.partition("__")
    operator = operator or "exact"
    title = label(field_name)
    title = title if title in PROPER else title.lower()
    if operator == "isnull":
        is_empty = str(given).lower() in ("1", "true", "yes")
        return f"{title} {WORDS['isnull' if is_empty else 'notnull']}"
    values = given if isinstance(given, list) else [given]
    if operator in ("in", "notin"):
        values = [one for text in values for one in text.split(",")]
    shown = " or ".join(_shown(field_name, one) for one in values)
    words = WORDS.get(operator, operator)
    if field_name in MOMENTS:
        words = MOMENT_WORDS.get(operator, words)
    return f"{title} {words} {shown}"


def _shown(field_name: str, given: str) -> str:
    if field_name.endswith("_bytes") and given.isascii() and given.isdigit():
        return value(int(given), field_name)
    if field_name in MOMENTS and given[:-1].isdigit():
        return f"{given} ago"
    return given
