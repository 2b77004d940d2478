"""
The language of the pages: English is what stands in the code.
"""

from __future__ import annotations

from typing import Any

from flask import Flask


def register(app: Flask) -> None:
    """Let templates translate their texts."""
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_null_translations(newstyle=True)  # type: ignore[attr-defined]


def translated(text: str, **values: Any) -> str:
    """Return a text in the language of this request, with its ``%(name)s`` filled in."""
    return text % values if values else text


def marked(text: str) -> str:
    """Return a text as it is; the mark says that a template translates it later."""
    return text
