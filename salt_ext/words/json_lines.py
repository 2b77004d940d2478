"""
A log of which each line is one JSON object.

A line is ASCII whatever is told in it: what a machine calls itself, or what a stranger
asks for, can neither begin a line of its own nor move a terminal's cursor. What a record
has as ``extra`` becomes fields of its line, so that a log of accesses has this format too.
"""

from __future__ import annotations

import json
import logging
from datetime import datetime, timezone
from traceback import format_exception

TYPE_CHECKING = False  # not typing.TYPE_CHECKING: the grain imports from this room
if TYPE_CHECKING:
    from typing import Any

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
            **self.of_request(),
        }
        line |= {name: of for name, of in vars(record).items() if name not in OF_EVERY_RECORD}
        if record.exc_info and record.exc_info[1]:
            line["traceback"] = "".join(format_exception(record.exc_info[1]))
        return json.dumps(line, default=str)

    def of_request(self) -> dict[str, Any]:
        """Return what tells in which request something is logged; a server says how."""
        return {}
