"""
An exception in words, whatever it is.

What a site's own function raises may itself raise when it is asked for its text, and the
text may hold what a database refuses. Neither must cost more than the function did.
"""

from __future__ import annotations


def message(exception: BaseException) -> str:
    """Return what an exception says."""
    try:
        return _carried(str(exception))
    except BaseException:  # the text is made by code that we do not know
        return "it has no text: its __str__ fails"


def sentence(exception: BaseException) -> str:
    """Return the type of an exception and what it says, as in ``KeyError: 'name'``."""
    return f"{type(exception).__name__}: {message(exception)}"


def trace(exception: BaseException) -> str:
    """Return the traceback of an exception, in several lines."""
    from traceback import format_exception  # not at the top: the grain imports this file

    try:
        return _carried("".join(format_exception(exception)))
    except Exception:  # as of a SyntaxError whose line is no text
        return f"Traceback (not readable)\n{sentence(exception)}\n"


def _carried(text: str) -> str:
    """Return a text without NUL and half surrogate pairs."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()
