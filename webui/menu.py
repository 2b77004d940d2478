"""
The menu of every page.
"""

from __future__ import annotations

from flask import Flask

PAGES = (
    ("overview.page", "Overview"),
    ("assets.page", "Assets"),
    ("changes.page", "Changes"),
    ("kinds.page", "Parts"),
    ("racks.page", "Racks"),
    ("health.page", "Health"),
    ("odd.page", "Odd"),
    ("quality.page", "Quality"),
    ("reports.page", "Reports"),
    ("status.page", "Status"),
    ("help.page", "Help"),
)
"""The endpoint of each page, and what it is called."""


def register(app: Flask) -> None:
    """Let templates show the menu."""
    app.jinja_env.globals["menu"] = PAGES
