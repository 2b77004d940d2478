"""
Filters by which templates show a value. All of them return text, which templates escape.
"""

from __future__ import annotations

import json
from datetime import datetime, timezone, tzinfo
from functools import partial
from typing import Any

from flask import Flask

from salt_ext.words.times import ago
from salt_ext.words.values import binary, decimal, label, moment, value


def register(app: Flask, zone: tzinfo) -> None:
    """Register the filters for the templates, which show times in a zone."""
    for filter_ in (label, value, binary, decimal, count, since, pretty):
        app.add_template_filter(filter_)
    app.add_template_filter(partial(moment, zone=zone), "moment")
    app.jinja_env.globals["zone"] = str(zone)


def count(number: int) -> str:
    """Return a number with commas between its thousands."""
    return f"{number:,}"


def since(then: datetime) -> str:
    """Return how long ago a moment was."""
    return f"{ago(then, datetime.now(timezone.utc))} ago"


def pretty(value: Any) -> str:
    """Return a value as JSON that people can read."""
    return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True)
