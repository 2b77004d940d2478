"""
What a machine or a person's list said, as HTML: isolated, harmless, and folded where it is long.

These are functions and no macros because the page of a large machine has thousands of values.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from markupsafe import Markup, escape

from salt_ext.words.visible import visible

LONG, BEGINNING = 160, 60
"""Of a text of more characters than LONG the BEGINNING is shown; opened, all of it."""


def harmless(value: Any) -> Any:
    """
    Return what a template prints with its invisible characters made visible.

    Jinja does this with every value, so that no template can forget it.
    """
    return visible(value) if type(value) is str else value


def said(text: Any) -> Markup:
    """Return a text isolated, so that its direction of writing turns nothing else."""
    return Markup(_isolated(text))  # noqa: S704 - escaped


def folded(text: Any) -> Markup:
    """Return a text isolated; a long one shows its beginning, and opened all of it."""
    return Markup(html(text))  # noqa: S704 - escaped


def linked(text: Any, address: str) -> Markup:
    """Return a text folded, or as a link if there is an address and it is not long."""
    return Markup(html(text, address))  # noqa: S704 - escaped


def html(text: Any, address: str = "") -> str:
    """Return the same as HTML in a plain text, for whoever joins many of them."""
    if len(text) > LONG:
        summary = _isolated(f"{text[:BEGINNING]}…")
        return f"<details><summary>{summary}</summary>{_isolated(text)}</details>"
    return f'<a href="{escape(address)}">{_short(text)}</a>' if address else _short(text)


def _isolated(text: Any) -> str:
    return f"<bdi>{escape(harmless(text))}</bdi>"


# Most values stand on many pages: sizes, kinds, makers.
_short = lru_cache(maxsize=4096)(_isolated)
