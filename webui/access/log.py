"""
The access log: one line of JSON for each request, in the format of all our logs.

It tells who asked for what and how much they got, and what was refused and why. Tokens,
cookies and passwords are in none of it: no header is, and no form.
"""

from __future__ import annotations

import logging
import logging.handlers
import re
import sys
import time
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Any, TypeVar

from flask import Flask, Response, g, request

from salt_ext.settings import SettingsError
from webui.access.who import who
from webui.log import JsonLines
from webui.sent import when_sent

LONGEST_ADDRESS = 2000

TOKEN = re.compile(r"cmdb_[\w-]{8,}")
"""Somebody may put a token into an address, where it is of no use and still a secret."""
STANDARD_OUTPUT = "-"

Row = TypeVar("Row")


def register(app: Flask, path: str) -> None:
    """Log each request to a file or to standard output. Raises :class:`SettingsError`."""
    if not path:
        return
    logger = app.extensions["access_log"] = logging.Logger("access", logging.INFO)
    logger.addHandler(_handler(path))

    def tell(response: Response) -> Response:
        # A file is told of when all of it is sent: how much that is, is not known before.
        when_sent(response, partial(_tell, logger, _said(response), g._get_current_object()))
        return response

    app.after_request(tell)


def counted(rows: Iterable[Row]) -> Iterator[Row]:
    """Return rows that are counted for the log as they are read, be it after the request."""
    return _counted(rows, g._get_current_object())


def _counted(rows: Iterable[Row], told: Any) -> Iterator[Row]:
    told.rows = getattr(told, "rows", 0)
    for row in rows:
        told.rows += 1
        yield row


def note_rows(number: int) -> None:
    """Tell the log how many machines an answer has that is no table."""
    g.rows = number


def _handler(path: str) -> logging.Handler:
    handler: logging.Handler
    if path == STANDARD_OUTPUT:
        handler = logging.StreamHandler(sys.stdout)
    else:
        try:
            # logrotate may move the file away.
            handler = logging.handlers.WatchedFileHandler(path, encoding="ascii")
        except OSError as error:
            raise SettingsError(f"access_log: {path}: {error.strerror}") from None
    handler.setFormatter(JsonLines())
    return handler


def _said(response: Response) -> dict[str, Any]:
    """Return what is known before the answer is sent."""
    asking = who()
    # The query of the way back from an OIDC provider has its code.
    is_login = (request.endpoint or "").startswith("login.")
    address = request.full_path if request.query_string and not is_login else request.path
    address = TOKEN.sub("cmdb_...", address)
    return {
        "request_id": g.get("request_id"),
        "who": asking.name if asking else None,
        "role": asking.role if asking else None,
        "way": asking.way if asking else None,
        "peer": request.remote_addr or "unix",
        "method": request.method[:20],
        "path": (request.script_root + address)[:LONGEST_ADDRESS],
        "status": response.status_code,
    }


def _tell(logger: logging.Logger, said: dict[str, Any], told: Any) -> None:
    said["ms"] = round((time.perf_counter() - told.began_at) * 1000, 1)
    said["rows"] = getattr(told, "rows", None)
    if refused := getattr(told, "refused", ""):
        said["refused"] = refused
    logger.info("refused" if refused else "answered", extra=said)
