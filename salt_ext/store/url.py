"""
How the URL of a database is shown: where it is, and never its password, however that is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import quote, quote_plus, unquote

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError

NOT_SHOWN = "a URL that is not shown, because its password cannot be told from the rest"
HIDDEN = "***"

SHOWN_OPTIONS = ("host", "port", "sslmode", "target_session_attrs")
"""What is shown of the part behind the question mark: ``password`` can stand there too."""

SECRET_OPTIONS = ("password", "sslpassword")
"""The parameters of libpq that are secrets."""

PLAIN = re.compile(r"[\w.,:/@%\[\]~+-]*")
"""What names of servers, roles and databases look like: no blank and ``=``, as in libpq's words."""

PORT_AND_QUERY = re.compile(r"\d+(/[^?]*)?\?\w+=")
"""What seems to be a password behind a host: ``db1:5432/cmdb?password=a@b``."""


def parsed(url: object) -> sa.URL | None:
    """Return the parts of a URL, or None where it is none or its password may be elsewhere too."""
    text = str(url)
    try:
        found = sa.make_url(text)
        unquote(text).encode()
    except (ArgumentError, ValueError):
        return None
    # SQLAlchemy takes all behind the first @ for the host: the rest of a password may be in it.
    # A question mark and an @ further on belong to such a password, or to the next parameter.
    behind = text.partition("@")[2] if found.password is not None else ""
    if "@" in f"{found.host or ''}{found.database or ''}{behind}" or "%00" in text:
        return None
    if PORT_AND_QUERY.match(str(found.password or "")):
        return None
    # What SQLAlchemy and psycopg2 take apart themselves may hold whole URLs and DSNs.
    if found.query.keys() & {"dsn", "plugin"}:
        return None
    return found if all(PLAIN.fullmatch(name) for name in _names(found)) else None


def _names(found: sa.URL) -> Iterator[str]:
    """Yield the parts of a URL that are shown and stand in messages of libpq."""
    yield from (found.username or "", found.host or "", found.database or "")
    for option in SHOWN_OPTIONS:
        given = found.query.get(option, ())
        yield from [given] if isinstance(given, str) else given


def shown(url: object) -> str:
    """Return a URL as people may see it."""
    found = parsed(url)
    if found is None:
        return NOT_SHOWN
    options = {name: found.query[name] for name in SHOWN_OPTIONS if name in found.query}
    return found.set(query=options).render_as_string(hide_password=True)


def secrets(url: object) -> list[str]:
    """Return the passwords in a URL, decoded."""
    found = parsed(url)
    return [] if found is None else list(dict.fromkeys(_secrets(found)))


def _secrets(found: sa.URL) -> Iterator[str]:
    if found.password:
        yield str(found.password)
    for name, given in found.query.items():
        if name.lower() in SECRET_OPTIONS:
            yield from [given] if isinstance(given, str) else given


def spellings(secret: str) -> set[str]:
    """Return the ways in which a password may stand in a URL or in a message."""
    return {secret, quote(secret, safe=""), quote(secret), quote_plus(secret), unquote(secret)}


def scrubbed(text: str, url: object) -> str:
    """Return a text, such as one of libpq, without the passwords of a URL."""
    for secret in secrets(url):
        for form in sorted(spellings(secret), key=len, reverse=True):
            text = re.sub(rf"(?<!\w){re.escape(form)}(?!\w)", HIDDEN, text)
    return text
