"""
The short grammar of the search box: ``site:fra1 ram>=256 -os:debian "two words" web01``.

What stands in it are terms, which must all be true: words that are searched, and fields
with a value. A term becomes filters of the store's grammar, so that the box can ask
nothing that an address cannot. What cannot be understood is a :class:`Slip` at its place.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from typing import Any, NamedTuple

from salt_ext.words.fields import FIELDS
from salt_ext.words.nearest import nearest
from salt_ext.words.spellings import normal_forms

MOST_TERMS = 30

SIGNS = {":": "contains", "=": "exact", "!=": "not", ">": "gt", ">=": "gte", "<": "lt", "<=": "lte"}
"""The signs between a field and its value, and the comparisons of filters."""

TERM = re.compile(r"(-?)([^\W\d][\w.]*)(!=|>=|<=|[:=<>])", re.UNICODE)
TOKEN = re.compile(r'(?:"[^"]*"|[^\s"])+')
QUOTED = re.compile(r'"([^"]*)"')
WILD = re.compile(r"[*?]")
DAY = re.compile(r"(\d{4})-(\d\d)-(\d\d)")
AGE = re.compile(r"\d+(?:\.\d+)?[smhdw]?")
PLAIN = re.compile(r"\d{1,6}(?:\.\d{1,6})?")

SECTIONS = {
    "cpu": "processors",
    "dimm": "memory",
    "disk": "disks",
    "gpu": "gpus",
    "nic": "network",
    "psu": "power_supplies",
}
"""What people call one part of a section."""

PART_FIELDS = {"firmware": "firmware_version", "size": "size_bytes", "vendor": "manufacturer"}
"""What else people call the fields of parts, behind the dot."""

INVERSE = {"gt": "lte", "gte": "lt", "lt": "gte", "lte": "gt"}
"""What is true where another comparison is not."""

OF_AGES = {"gt": "lt", "gte": "lte", "lt": "gt", "lte": "gte"}
"""What a moment is for whom its age is compared: less than 7 days ago is after that moment."""

JOINTS = {
    "AND": "all terms must be true anyway: leave AND out",
    "OR": "for one of two values write field:one,other",
    "NOT": "to leave something out write -field:value",
}


class Slip(ValueError):
    """What cannot be understood: a sentence, and from where to where it stands in the text."""

    def __init__(self, sentence: str, start: int, end: int) -> None:
        """Take the sentence and the place."""
        super().__init__(sentence)
        self.start = start
        self.end = end


class Term(NamedTuple):
    """A word, or a field with its value, and where it stands in the text."""

    value: str
    start: int
    end: int
    field: str = ""
    """As it was typed; blank for a word that is searched."""
    comparison: str = ""
    is_left_out: bool = False
    is_quoted: bool = False
    at: int = 0
    """Where the value begins."""

    def slip(self, sentence: str) -> Slip:
        """Return the error that this term cannot be understood."""
        return Slip(sentence, self.start, self.end)


def terms(text: str) -> list[Term]:
    """Return the terms of a text. Raises :class:`Slip`."""
    if text.count('"') % 2:
        start = text.rindex('"')
        raise Slip('a second " is missing', start, len(text))
    found = [_term(one[0], one.start()) for one in TOKEN.finditer(text)]
    if len(found) > MOST_TERMS:
        raise found[MOST_TERMS].slip(f"these are more than {MOST_TERMS} terms")
    return found


def words(text: str) -> list[str]:
    """Return the words that are searched: what stands in quotes is one of them."""
    return [one for one in (_unquoted(token[0]) for token in TOKEN.finditer(text)) if one]


def as_text(searched: list[str]) -> str:
    """Return words as a text in which :func:`terms` finds these words again, and nothing else."""
    plain = (one.replace('"', "") for one in searched)
    return " ".join(one if _is_plain(one) else f'"{one}"' for one in plain if one.strip())


def _is_plain(word: str) -> bool:
    """Whether a word means itself without quotes."""
    try:
        found = terms(word)
    except Slip:
        return False
    return [one.value for one in found if not one.field] == [word] and not is_pattern(found[0])


def is_pattern(term: Term) -> bool:
    """Whether a term has ``*`` or ``?`` in it that stand for any characters."""
    return not term.is_quoted and WILD.search(term.value) is not None


def filters(term: Term, kinds: Mapping[str, str]) -> dict[str, Any]:
    """
    Return the filters that a term with a field means.

    ``kinds`` are the fields by name, and what values each has: ``text``, ``word``,
    ``truth``, ``number``, ``size``, ``moment`` or ``day``. Raises :class:`Slip`.
    """
    name = _field(term, kinds)
    comparison, value = _compared(term, name, kinds[name])
    if comparison == "day":
        return _within_day(term, name)
    return {name if comparison == "exact" else f"{name}__{comparison}": value}


def _term(token: str, start: int) -> Term:
    end = start + len(token)
    found = TERM.match(token)
    if found is None or normal_forms(token):
        return _word(token, start)
    sign, field, comparison = found.groups()
    rest = token[found.end() :]
    at = start + found.end()
    value = _unquoted(rest)
    if not rest:
        raise Slip(f"which {field}? A value is missing", start, end)
    return Term(value, start, end, field, SIGNS[comparison], sign == "-", rest.startswith('"'), at)


def _word(token: str, start: int) -> Term:
    end = start + len(token)
    if token in JOINTS:
        raise Slip(JOINTS[token], start, end)
    if token[0] == "-" and not normal_forms(token):
        raise Slip("what is left out needs a field, as in -name:web", start, end)
    value = _unquoted(token)
    if not value.strip():
        raise Slip("there is nothing between the quotes", start, end)
    return Term(value, start, end, is_quoted=token.startswith('"'), at=start)


def _unquoted(token: str) -> str:
    return QUOTED.sub(r"\1", token)


def _field(term: Term, kinds: Mapping[str, str]) -> str:
    """Return the field that a term names, by our name or by a word of people."""
    typed = term.field.lower()
    section, dot, field = typed.partition(".")
    of_part = f"{SECTIONS.get(section, section)}.{PART_FIELDS.get(field, field)}"
    for name in (typed, FIELDS.get(typed, ""), of_part if dot else "", f"list.{typed}"):
        if name in kinds:
            return name
    near = nearest(typed, kinds, FIELDS)
    start = term.start + term.is_left_out
    raise Slip(
        f"there is no field {term.field!r}"
        + (f"; did you mean {near!r}?" if near else "; the page Help has all of them"),
        start,
        start + len(term.field),
    )


def _compared(term: Term, name: str, kind: str) -> tuple[str, Any]:
    """Return the comparison and the value of a term."""
    comparison, value = term.comparison, term.value
    is_equal = comparison in ("contains", "exact", "not")
    is_out = term.is_left_out != (comparison == "not")
    if term.is_left_out and comparison == "not":
        raise term.slip("it is left out twice: write it without the minus, or = in place of !=")
    if term.is_left_out and "." in name and not name.startswith("list."):
        raise term.slip(
            f"an asset has many {name.partition('.')[0]}, of which others are no {value}:"
            " only a field of the asset itself can be left out"
        )
    if is_equal and value == "" and term.is_quoted:
        return "isnull", "false" if is_out else "true"
    if kind == "moment":
        return _moment(term, is_equal=is_equal)
    given = _values(term, kind, name)
    if not is_equal:
        return INVERSE[comparison] if is_out else comparison, given
    if kind == "text" and comparison == "contains" and not is_pattern(term):
        return "notcontains" if is_out else "contains", given
    if is_pattern(term) and kind in ("text", "word") and comparison == "contains":
        if is_out:
            raise term.slip(f"* and ? cannot be left out: write -{term.field}: with a piece of it")
        return "glob", given
    return "not" if is_out else "exact", given


def _values(term: Term, kind: str, name: str) -> Any:
    """Return the value, or the values between which commas stand outside of quotes."""
    values = [term.value] if term.is_quoted else term.value.split(",")
    values = [one for one in values if one] or [term.value]
    if kind in ("word", "truth"):
        values = [one.lower() for one in values]
    if kind == "size":
        unit = "GB" if name.startswith("disk") else "GiB"
        values = [f"{one}{unit}" if PLAIN.fullmatch(one) else one for one in values]
    return values if len(values) > 1 else values[0]


def _moment(term: Term, *, is_equal: bool) -> tuple[str, str]:
    """Return a comparison with a moment; of a time span the age is compared."""
    if is_equal:
        if term.is_left_out or term.comparison == "not":
            raise term.slip(f"write {term.field}<... or {term.field}>... instead")
        return ("gte", term.value) if AGE.fullmatch(term.value) else ("day", term.value)
    comparison = INVERSE[term.comparison] if term.is_left_out else term.comparison
    if AGE.fullmatch(term.value):
        return OF_AGES[comparison], term.value
    return comparison, term.value


def _within_day(term: Term, name: str) -> dict[str, Any]:
    found = DAY.fullmatch(term.value)
    try:
        if found is None:
            raise ValueError
        next_day = date(int(found[1]), int(found[2]), int(found[3])) + timedelta(days=1)
    except (ValueError, OverflowError):
        raise Slip(
            f"{term.value!r} is neither a day such as 2026-11-01 nor a time span such as 7d",
            term.at,
            term.end,
        ) from None
    return {f"{name}__gte": term.value, f"{name}__lt": next_day.isoformat()}


def pieces(text: str, start: int, end: int) -> Iterator[tuple[str, bool]]:
    """Yield a text in pieces, and of each whether it is what cannot be understood."""
    for piece, is_wrong in ((text[:start], False), (text[start:end], True), (text[end:], False)):
        if piece:
            yield piece, is_wrong
