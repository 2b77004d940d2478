"""
How the URL of a database is shown: where it is, and never its password, however that is written.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError

NOT_SHOWN = "a URL that is not shown, because its password cannot be told from the rest"

SHOWN_OPTIONS = ("host", "port", "sslmode", "target_session_attrs")
"""What is shown of the part behind the question mark: ``password`` can stand there too."""


def parsed(url: object) -> sa.URL | None:
    """Return the parts of a URL, or None where it is none or has an ``@`` too many."""
    try:
        found = sa.make_url(str(url))
    except ArgumentError:
        return None
    # SQLAlchemy takes all behind the first @ for the host: the rest of a password may be in it.
    return None if "@" in f"{found.host or ''}{found.database or ''}" else found


def shown(url: object) -> str:
    """Return a URL as people may see it."""
    found = parsed(url)
    if found is None:
        return NOT_SHOWN
    options = {name: found.query[name] for name in SHOWN_OPTIONS if name in found.query}
    return found.set(query=options).render_as_string(hide_password=True)
