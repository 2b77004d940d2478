"""
What to say of a word that does not exist: the nearest that does, and all there are.
"""

from __future__ import annotations

TYPE_CHECKING = False  # not typing.TYPE_CHECKING: the grain imports this file
if TYPE_CHECKING:
    from collections.abc import Iterable

MOST_LISTED = 100
"""Words of a sentence; a spreadsheet may have thousands of columns."""


def unknown(what: str, word: object, known: Iterable[object]) -> str:
    """
    Return the sentence that there is no ``what`` called ``word``.

    As in ``there is no field 'sit'; did you mean 'site'? There are: address, site, sn``.
    """
    from difflib import get_close_matches  # not at the top: few processes ever need it

    names = [str(one) for one in known]
    near = get_close_matches(str(word), names, n=1)
    listed = ", ".join(names[:MOST_LISTED]) or "none"
    if len(names) > MOST_LISTED:
        listed += f" and {len(names) - MOST_LISTED} more"
    hint = f"did you mean {near[0]!r}? There are: " if near else "there are: "
    return f"there is no {what} {word!r}; {hint}{listed}"
