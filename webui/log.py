"""
The log of the process: lines of JSON, each with the request that it belongs to.
"""

from __future__ import annotations

from flask import g, has_request_context
from flask.logging import default_handler

from salt_ext.words import json_lines


class JsonLines(json_lines.JsonLines):
    """Lines that have the id of their request, which the answer's headers have too."""

    def of_request(self) -> dict[str, str]:
        """Return the id of the request, when there is one."""
        return {"request_id": g.request_id} if has_request_context() and "request_id" in g else {}


def register() -> None:
    """Write what the application logs so, unless the server that runs it has a log of its own."""
    default_handler.setFormatter(JsonLines())
