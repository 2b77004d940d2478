"""
One path for each table, that of its page.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import Blueprint, Response

from webui.api.description import described
from webui.api.envelope import PREFIX, Rows, of_table
from webui.asked import Asked
from webui.heavy import admit
from webui.resources import Resource
from webui.takes import takes


def blueprint_of(resources: Iterable[Resource]) -> Blueprint:
    """Return the paths of these tables."""
    blueprint = Blueprint("api", __name__, url_prefix=PREFIX)
    for resource in resources:
        view = takes(resource.asked, has_past=resource.has_past, is_page=False)(_view(resource))
        path = resource.path.replace("/a/", "/assets/", 1)
        blueprint.add_url_rule(path, resource.name, view)
    return blueprint


def _view(resource: Resource) -> Any:
    """Return the view of a table."""

    def answer(question: Asked, **path: Any) -> Response:
        return of_table(resource.table(question, **path), question)

    def view(question: Asked, **path: Any) -> Response:
        if resource.is_of_the_past():
            return admit(answer, question, **path)
        return answer(question, **path)

    view.__name__ = resource.name
    view.__doc__ = f"{resource.title}.\n\n{resource.about}"
    return described(view, resource.asked, Rows, tag="tables")
