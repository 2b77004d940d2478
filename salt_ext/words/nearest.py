"""
The nearest known word to a word that is unknown, and the sentence that names it.
"""

from __future__ import annotations

TYPE_CHECKING = False  # not typing.TYPE_CHECKING: the grain imports this file
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MOST_LISTED = 100
"""How many known words are listed; a spreadsheet may have thousands of columns."""

LONGEST = 60
"""Characters; of a longer text nobody can say where it slipped."""


def unknown(
    what: str, word: object, known: Iterable[object], others: Mapping[str, str] | None = None
) -> str:
    """
    Return the sentence that says that there is no ``what`` called ``word``.

    For example ``there is no field 'sit'; did you mean 'site'? There are: address, site, sn``.
    ``others`` has the known words by other words that mean the same.
    """
    names = [str(one) for one in known]
    near = nearest(word, names, others)
    listed = ", ".join(names[:MOST_LISTED]) or "none"
    if len(names) > MOST_LISTED:
        listed += f" and {len(names) - MOST_LISTED} more"
    hint = f"did you mean {near!r}? There are: " if near is not None else "there are: "
    return f"there is no {what} {word!r}; {hint}{listed}"


def nearest(
    word: object, known: Iterable[str], others: Mapping[str, str] | None = None
) -> str | None:
    """
    Return the known word that was meant, or None when none is near.

    What differs in upper and lower case only goes first; then a word of ``others``,
    what begins with the word, and what has most letters in common with it.
    """
    from difflib import (
        SequenceMatcher,
        get_close_matches,
    )  # not at the top: few processes ever need it

    text = str(word).casefold()
    names: dict[str, str] = {}
    for name in known:
        names.setdefault(name.casefold(), name)
    if text in names:
        return names[text]
    meant = {word: name for word, name in (others or {}).items() if name in names.values()}
    if text in meant:
        return meant[text]
    if len(text) > 2 and (longer := [one for one in names if one.startswith(text)]):
        return names[min(longer, key=len)]
    # Of equally near words the first: get_close_matches alone would return the last.
    near = get_close_matches(text, [*names, *meant], n=10)
    if not near:
        return None

    def distance(one: str) -> tuple[bool, float, str]:
        # Letters that changed places are a lesser slip than one too many or too few.
        return sorted(one) != sorted(text), -SequenceMatcher(None, one, text).ratio(), one

    best = min(near, key=distance)
    return names.get(best) or meant[best]


def slips(word: str) -> set[str]:
    """
    Return every text that a slip of the finger makes of a word, or the other way round.

    That is one character too many, too few or wrong, two that changed places, or
    another case of the whole word. The word itself is not among them.
    """
    if not 0 < len(word) <= LONGEST:
        return set()
    letters = "0123456789-._:/"
    letters += "abcdefghijklmnopqrstuvwxyz" if word.upper() != word else ""
    letters += "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if word.lower() != word else ""
    splits = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    found = {word.lower(), word.upper(), word.capitalize()}
    found.update(head + tail[1:] for head, tail in splits if tail)
    found.update(head + tail[1] + tail[0] + tail[2:] for head, tail in splits if len(tail) > 1)
    found.update(head + one + tail for head, tail in splits for one in letters)
    found.update(head + one + tail[1:] for head, tail in splits if tail for one in letters)
    return found - {word, ""}
