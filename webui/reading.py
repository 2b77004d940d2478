"""
The store as the user of this request may read it.
"""

from __future__ import annotations

from flask import Flask, current_app, g

from salt_ext import store
from webui.access.who import is_auditor


def register(app: Flask) -> None:
    """Let pages say what is hidden."""
    app.add_template_global(hidden_names)


def hidden_names() -> tuple[str, ...]:
    """Return the names of the fields that are hidden from whoever asks."""
    return database().hidden.names


def database() -> store.Database:
    """Return the store, in which fields are hidden unless an auditor asks."""
    if "database" not in g:
        found: store.Database = current_app.extensions["database"]
        seen = found if is_auditor() else found.hiding(found.settings["hidden_fields"])
        g.database = seen.of_one_question()
    mine: store.Database = g.database
    return mine
