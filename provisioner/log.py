"""
A line for each request: which machine asked for what, and what it got.

An address has the token and what a machine shows, so it is not in the log; its parts are, as
they may be said again.
"""

from __future__ import annotations

import logging
import sys

from flask import Flask, Response, g, request
from flask.logging import default_handler

from salt_ext.words.json_lines import JsonLines


class NoRequestLine(logging.Filter):
    """What gunicorn says of a request that is none, without that request: it may have a token."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Cut off what was sent; every record is kept."""
        said = record.getMessage()
        if said.startswith("Invalid request from"):
            record.msg, record.args = said.partition("'")[0].rstrip(" :"), ()
        return True


def register(app: Flask) -> None:
    """Log each request to standard output, and all else that is said to standard error."""
    default_handler.setFormatter(JsonLines())
    logger = logging.Logger("provisioner", logging.INFO)
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines())
    logger.addHandler(handler)
    app.extensions["request_log"] = logger

    @app.after_request
    def tell(response: Response) -> Response:
        why = g.get("refused", "")
        said = {
            "peer": request.remote_addr or "unix",
            "method": request.method[:20],
            "asked": (request.endpoint or "").rpartition(".")[2] or None,
            "status": response.status_code,
            **g.get("told", {}),
            **({"refused": why} if why else {}),
        }
        logger.info("refused" if why else "answered", extra=said)
        return response


def refused(why: str) -> None:
    """Tell the log why a machine gets nothing."""
    g.refused = why


def note(**told: object) -> None:
    """Tell the log something of the machine that asks."""
    g.told = {**g.get("told", {}), **told}
