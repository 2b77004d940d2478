"""
The question of the list of assets: what an address asks, in words, and without each of its parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import Field, field_validator

from salt_ext.questions import box
from salt_ext.store import Database
from salt_ext.words.values import label, value
from webui.asked import MAX_LIMIT, Filtered, Paged, Past
from webui.language import translated as _
from webui.timemode import as_of

WORDS = {
    "exact": "is",
    "not": "is not",
    "contains": "contains",
    "notcontains": "does not contain",
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


class Assets(Filtered, Past, Paged):
    """A list of assets."""

    limit: int = Field(50, alias="_limit", ge=1, le=MAX_LIMIT, description="How many rows at most.")
    q: str = Field(
        "",
        max_length=1000,
        description="Words that must all be found in the name, serial number, model or address.",
    )
    columns: tuple[str, ...] = Field(
        (), alias="_col", description="Fields to show instead of the usual ones."
    )
    sort: str = Field(
        "minion_id",
        alias="_sort",
        max_length=100,
        description="A field, with - before it for the largest or newest first.",
    )
    facet: tuple[str, ...] = Field(
        (), alias="_facet", description="Fields whose values are counted beside the page."
    )
    field: str = Field(
        "",
        alias="_field",
        max_length=100,
        description="The field whose values the form of the page suggests.",
    )

    @field_validator("columns", "facet", mode="before")
    @classmethod
    def _names(cls, given: Iterable[str]) -> tuple[str, ...]:
        """Return names that stand in one text with commas, or in several."""
        names = (one.strip() for text in given for one in text.split(","))
        return tuple(dict.fromkeys(one for one in names if one))

    @property
    def text(self) -> str:
        """The words that are searched."""
        return self.q.strip()

    @property
    def whole(self) -> Assets:
        """The same question for a file: all assets, and nothing that only the page has."""
        return super().whole.but(facet=(), field="")

    def where(self, filters: Mapping[str, Any]) -> Assets:
        """Return the same question with these filters alone, from its first page on."""
        options = {name: getattr(self, name) for name in type(self).model_fields}
        return type(self).model_validate({**options, "cursor": "", **filters})

    @property
    def sentence(self) -> str:
        """The filter in words, for headings, bookmarks and printouts."""
        words = [words_of(name, given) for name, given in self.filters.items()]
        said = [_("Assets")]
        if words:
            said.append(_("where %(conditions)s", conditions=f" {_('and')} ".join(words)))
        if self.text:
            said.append(_("matching “%(words)s”", words=self.text))
        return " ".join(said)

    @property
    def pills(self) -> list[tuple[str, Assets]]:
        """Each condition in words, and the question without it."""
        found = []
        for name, given in self.filters.items():
            left = {key: item for key, item in self.filters.items() if key != name}
            found.append((words_of(name, given), self.where(left)))
        if self.text:
            found.append((_("matches “%(words)s”", words=self.text), self.but(q="")))
        return found


def settled(database: Database, asked: Assets) -> Assets:
    """
    Return a question in its one form: what the search box takes as fields becomes filters.

    Raises :class:`salt_ext.questions.box.BoxError`.
    """
    boxed = box.read(database, asked.q, asked.filters, as_of())
    if boxed.filters == asked.filters:
        return asked
    return asked.where(boxed.filters).but(q=boxed.text)


def added(asked: Assets, name: str, operator: str, given: str) -> Assets:
    """Return a question with one more condition, as the filter form sends it."""
    if operator in ("isnull", "notnull"):
        key, given = f"{name}__isnull", "false" if operator == "notnull" else "true"
    elif given:
        key = name if operator in ("", "exact") else f"{name}__{operator}"
    else:
        return asked.but(field=name)
    before = asked.filters.get(key, [])
    values = [*(before if isinstance(before, list) else [before]), given]
    return asked.where({**asked.filters, key: values if before else given}).but(field="")


def field_of(name: str) -> str:
    """Return the field that a filter is on."""
    return name.partition("__")[0]


def words_of(name: str, given: Any) -> str:
    """Return one condition in words."""
    field_name, __, operator = name.partition("__")
    operator = operator or "exact"
    title = _(label(field_name))
    title = title if title in PROPER else title.lower()
    if operator == "isnull":
        is_empty = str(given).lower() in ("1", "true", "yes")
        return f"{title} {_(WORDS['isnull' if is_empty else 'notnull'])}"
    values = given if isinstance(given, list) else [given]
    if operator in ("in", "notin"):
        values = [one for text in values for one in text.split(",")]
    shown = f" {_('or')} ".join(_shown(field_name, one) for one in values)
    words = WORDS.get(operator, operator)
    if field_name in MOMENTS:
        words = MOMENT_WORDS.get(operator, words)
    return f"{title} {_(words)} {shown}"


def _shown(field_name: str, given: str) -> str:
    if field_name.endswith("_bytes") and given.isascii() and given.isdigit():
        return value(int(given), field_name)
    if field_name in MOMENTS and given[:-1].isdigit():
        return _("%(age)s ago", age=given)
    return given
