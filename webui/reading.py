"""
The store as the user of this request may read it.
"""

from __future__ import annotations

from flask import current_app

from salt_ext import store


def database() -> store.Database:
    """Return the store that the application reads from."""
    found: store.Database = current_app.extensions["database"]
    return found
