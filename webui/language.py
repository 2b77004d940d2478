"""
The language of the pages: English, which stands in the code, or Simplified Chinese.

A browser says which one it wants, unless the setting ``language`` names one for all. The
translations are in ``languages/``, a catalog (.po) for each language but English.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from babel.messages.pofile import read_po
from flask import Flask, Response, current_app, g, has_request_context, request
from jinja2 import pass_context
from jinja2.runtime import Context
from markupsafe import Markup

from salt_ext.settings import SettingsError
from salt_ext.words.nearest import unknown
from webui.said import harmless

LANGUAGES = ("en", "zh-CN")
DIRECTORY = Path(__file__).parent / "languages"


def register(app: Flask) -> None:
    """Let templates translate their texts. Raises :class:`SettingsError`."""
    wanted = app.extensions["settings"]["language"]
    if wanted and wanted not in LANGUAGES:
        raise SettingsError(unknown("language", wanted, LANGUAGES))
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        _translation,
        lambda one, many, number: _translation(one if number == 1 else many),
        newstyle=True,
    )
    # What is filled into a text becomes a part of it before Jinja sees it.
    known: dict[str, Any] = app.jinja_env.globals
    known.update({name: _with_harmless(known[name]) for name in ("gettext", "ngettext")})
    app.add_template_global(language)
    app.after_request(_vary)


def _with_harmless(translate: Callable[..., str]) -> Callable[..., str]:
    """Return a function of Jinja's whose values cannot hide or turn anything."""

    @pass_context
    def translated_with(context: Context, *texts: Any, **values: Any) -> str:
        if not values and "%" not in texts[0]:
            # Most texts have nothing to fill in, and a page has a hundred of them.
            return Markup(_translation(*texts))  # noqa: S704 - ours
        for name in values:
            values[name] = harmless(values[name])
        return translate(context, *texts, **values)

    return translated_with


def language() -> str:
    """Return the language of this request, as HTML names it."""
    if not has_request_context():
        return LANGUAGES[0]
    found: str | None = g.get("language")
    if found is None:
        wanted = current_app.extensions["settings"]["language"]
        found = wanted or request.accept_languages.best_match(LANGUAGES) or LANGUAGES[0]
        g.language = found
    return found


def translated(text: str, **values: Any) -> str:
    """Return a text in the language of this request, with its ``%(name)s`` filled in."""
    found = _translation(text)
    return found % values if values else found


def marked(text: str) -> str:
    """Return a text as it is; the mark says that a template translates it later."""
    return text


def _translation(text: str) -> str:
    return catalog(language()).get(text, text)


@cache
def catalog(name: str) -> dict[str, str]:
    """Return the translations into a language, by their English texts."""
    if name == LANGUAGES[0]:
        return {}
    with open(DIRECTORY / f"{name}.po", "rb") as file:
        return {str(one.id): str(one.string) for one in read_po(file) if one.id and one.string}


def _vary(response: Response) -> Response:
    if response.mimetype == "text/html" and not current_app.extensions["settings"]["language"]:
        response.vary.add("Accept-Language")
    return response
