"""
The problems of machines and reports, and the held reports that wait for a person.
"""

from __future__ import annotations

from flask import Blueprint, render_template

from salt_ext import store
from webui.asked import Asked
from webui.reading import database
from webui.takes import takes

blueprint = Blueprint("problems", __name__)

LIMIT = 200


class OfMachine(Asked):
    """Problems of all machines, or of one."""

    minion_id: str = ""


@blueprint.get("/problems")
@takes(OfMachine)
def page(asked: OfMachine) -> str:
    """Show the problems seen last, of all machines or of one, and the held reports."""
    minion_id = asked.minion_id or None
    problems, total = store.problems(database(), minion_id=minion_id, limit=LIMIT)
    held, _ = store.held_reports(database(), minion_id or "*", limit=LIMIT)
    return render_template(
        "problems.html", problems=problems, total=total, held=held, minion_id=minion_id
    )
