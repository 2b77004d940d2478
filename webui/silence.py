"""
A sentence above a page that may be old, because no engine stores reports.
"""

from __future__ import annotations

from flask import Flask

from salt_ext import store
from salt_ext.words.values import moment
from webui.format import since
from webui.reading import database


def register(app: Flask) -> None:
    """Let templates ask for the sentence."""
    app.add_template_global(silence)


def silence() -> str:
    """Return since when no engine works; blank while one does, and where none ever did."""
    last = store.nobody_since(database())
    if last is None:
        return ""
    at = last["beat_at"]
    when = moment(at, database().zone)
    return (
        f"No engine has stored reports since {when}, {since(at)}: what is shown may be"
        " old. On the master, salt-run cmdb.doctor says why."
    )
