"""
The problems of machines and reports, and the held reports that wait for a person.
"""

from __future__ import annotations

from flask import Blueprint, render_template, request

from salt_ext import store
from salt_ext.words.nearest import unknown
from webui.views import database

blueprint = Blueprint("problems", __name__)

LIMIT = 200
OPTIONS = ("minion_id",)


@blueprint.get("/problems")
def page() -> str:
    """Show the problems seen last, of all machines or of one, and the held reports."""
    for name in request.args:
        if name not in OPTIONS:
            raise store.FilterError(unknown("option", name, OPTIONS))
    minion_id = request.args.get("minion_id") or None
    problems, total = store.problems(database(), minion_id=minion_id, limit=LIMIT)
    held, _ = store.held_reports(database(), minion_id or "*", limit=LIMIT)
    return render_template(
        "problems.html", problems=problems, total=total, held=held, minion_id=minion_id
    )
