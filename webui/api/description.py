"""
The API's description of itself: OpenAPI 3.1, made from the models that check what is asked.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, current_app, jsonify, render_template
from pydantic import BaseModel
from spectree import Response as Answers
from spectree import SecurityScheme, SpecTree
from spectree.models import SecureType, SecuritySchemeData

from salt_ext.store import HEAD
from webui.api.envelope import PREFIX, Error
from webui.asked import Asked, Filtered
from webui.takes import takes

blueprint = Blueprint("api_description", __name__)

SPEC = SpecTree(
    "flask",
    title="salt-cmdb",
    description="What machines there are, what is in them and what changed. It only reads.",
    version="1",
    mode="strict",  # the paths that are described, and no page
    annotations=False,
    page_templates={},
    naming_strategy=lambda model: f"{model.__module__.rpartition('.')[2]}.{model.__name__}",
    validation_error_status=400,
    validation_error_model=Error,
    security_schemes=[
        SecurityScheme(
            name="token",
            data=SecuritySchemeData(
                type=SecureType.HTTP, scheme="bearer", description="cmdb.token"
            ),
        )
    ],
    security=[{}, {"token": []}],
)

ERRORS = {
    "400": "What is asked cannot be asked.",
    "401": "It is not known who asks.",
    "403": "Who asks may not.",
    "404": "There is no such thing.",
    "429": "Too often.",
    "503": "The database is away or refuses this, or other large questions are being answered.",
}

FILTERS = {
    "name": "filters",
    "in": "query",
    "required": False,
    "style": "form",
    "explode": True,
    "description": "Fields with __ and a comparison: site=dc1, memory_bytes__lt=64GiB.",
    "schema": {"type": "object", "additionalProperties": {"type": "string"}},
}


def described(
    view: Callable[..., Any],
    asked: type[Asked],
    answer: type[BaseModel],
    *,
    tag: str,
    media: str = "",
) -> Callable[..., Any]:
    """Let a view stand in the description: what it takes, what it answers, and if not in JSON."""
    answers = {f"HTTP_{status}": (Error, why) for status, why in ERRORS.items()}
    found: Callable[..., Any] = SPEC.validate(
        query=asked,
        resp=Answers("HTTP_304", HTTP_200=answer, **answers),
        tags=[tag],
        operation_id=view.__name__,
        skip_validation=True,
    )(view)
    found.filters = issubclass(asked, Filtered)  # type: ignore[attr-defined]
    found.media = media  # type: ignore[attr-defined]
    return found


@blueprint.get(f"{PREFIX}/openapi.json")
@takes(is_page=False)
def document(_asked: Asked) -> Response:
    """Return the description."""
    return jsonify(description())


def description() -> dict[str, Any]:
    """Return the description of the paths of this application."""
    made = current_app.extensions.get("openapi")
    if made is None:
        made = copy.deepcopy(SPEC.spec)
        made["info"]["x-schema-revision"] = HEAD
        views: list[Any] = list(current_app.view_functions.values())
        names = {view.__name__ for view in views if getattr(view, "filters", False)}
        media = {view.__name__: view.media for view in views if getattr(view, "media", "")}
        for path in made["paths"].values():
            for operation in path.values():
                if operation["operationId"] in names:
                    operation["parameters"].append(FILTERS)
                if operation["operationId"] in media:
                    kind = media[operation["operationId"]]
                    operation["responses"]["200"]["content"] = {kind: {}}
        current_app.extensions["openapi"] = made
    found: dict[str, Any] = made
    return found


@blueprint.get("/api")
@takes()
def page(_asked: Asked) -> str:
    """Show the description to people."""
    return render_template("api.html", description=description(), prefix=PREFIX)
