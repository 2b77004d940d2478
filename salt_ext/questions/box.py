"""
What somebody typed into the search box, as filters and words.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from salt_ext import store
from salt_ext.words import box
from salt_ext.words.box import Slip, Term

NAME_LIKE = "minion_id__glob"
"""The filter that a word with ``*`` or ``?`` in it means."""


class Boxed(NamedTuple):
    """The filters, and the words that are searched, in a text that has quotes where need be."""

    filters: dict[str, Any]
    text: str


class BoxError(store.FilterError):
    """A text that cannot be understood, and from where to where in it the reason stands."""

    def __init__(self, sentence: str, text: str = "", start: int = 0, end: int = 0) -> None:
        """Keep the text and the place."""
        super().__init__(f"{sentence}: character {start + 1} of {text!r}" if text else sentence)
        self.sentence = sentence
        self.text = text
        self.start = start
        self.end = end


def read(
    database: store.Database,
    text: str,
    filters: Mapping[str, Any] | None = None,
    at: datetime | None = None,
) -> Boxed:
    """
    Return what a text asks together with other filters. Raises :class:`BoxError`.

    Whatever can be understood is taken by the store: fields and values are checked here.
    """
    given = dict(filters or {})
    try:
        terms = box.terms(text)
        if not any(one.field or box.is_pattern(one) for one in terms):
            return Boxed(given, box.as_text([one.value for one in terms]))
        asking = store.asking(database, at)
        searched = []
        for term in terms:
            database.hidden.check(term.field)
            meant = _meant(term, asking)
            if not meant:
                searched.append(term.value)
            for name in meant.keys() & given.keys():
                field = name.partition("__")[0]
                raise term.slip(f"{field} is asked for twice; for either write {field}:one,other")
            given.update(meant)
        return Boxed(given, box.as_text(searched))
    except Slip as slip:
        raise BoxError(str(slip), text, slip.start, slip.end) from None


def _meant(term: Term, asking: store.Asking) -> dict[str, Any]:
    """Return the filters that a term means; none for a word. Raises :class:`Slip`."""
    if not term.field:
        return {NAME_LIKE: term.value} if box.is_pattern(term) else {}
    meant = box.filters(term, asking.kinds)
    try:
        asking.check(meant)
    except store.FilterError as error:
        raise Slip(str(error), term.at, term.end) from None
    return meant
