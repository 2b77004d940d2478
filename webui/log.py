"""
The log of the process: one JSON object on each line of standard error.

A line is ASCII whatever is told in it: what a machine calls itself, or what a stranger
asks for, can neither begin a line of its own nor move a terminal's cursor. What a record
has as ``extra`` becomes fields of its line, so every log of this process, that of accesses
too, has this one format.
"""

from __future__ import annotations

import json
import logging
from datetime import datetime, timezone
from traceback import format_exception
from typing import Any

from flask import g, has_request_context
from flask.logging import default_handler

OF_EVERY_RECORD = {*logging.makeLogRecord({}).__dict__, "asctime", "message", "taskName"}


class JsonLines(logging.Formatter):
    """A log record as JSON: when, how bad, whose, what, in which request, with which traceback."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a record."""
        at = datetime.fromtimestamp(record.created, timezone.utc)
        line: dict[str, Any] = {
            "at": f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if has_request_context() and "request_id" in g:
            line["request_id"] = g.request_id
        line |= {name: of for name, of in vars(record).items() if name not in OF_EVERY_RECORD}
        if record.exc_info and record.exc_info[1]:
            line["traceback"] = "".join(format_exception(record.exc_info[1]))
        return json.dumps(line, default=str)


def register() -> None:
    """Write what the application logs so, unless the server that runs it has a log of its own."""
    default_handler.setFormatter(JsonLines())
