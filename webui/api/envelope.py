"""
What every answer of the API looks like.
"""

from __future__ import annotations

import hashlib
from typing import Any

from flask import Response, g, jsonify, request
from pydantic import BaseModel, ConfigDict, Field

from salt_ext.questions.table import Table
from webui import timemode
from webui.access.log import counted
from webui.access.ways import origin
from webui.asked import Asked

PREFIX = "/api/v1"


class Rows(BaseModel):
    """A page of a table."""

    model_config = ConfigDict(extra="forbid")

    ok: bool = Field(description="True.")
    of: str = Field(description="What a row is.")
    columns: list[str] = Field(description="The columns that people see, in their order.")
    rows: list[dict[str, Any]] = Field(
        description="The values by the names of the columns, and ids besides; times are in UTC."
    )
    total: int = Field(description="How many rows there are in all.")
    exact: bool = Field(description="False: there are more than that.")
    first: int = Field(description="The number of the first of these rows.")
    next: str | None = Field(description="The cursor of the next page.")
    previous: str | None = Field(description="The cursor of the page before.")
    next_url: str | None = Field(description="The address of the next page.")
    age_seconds: float = Field(description="How old the answer is, if it was kept.")
    hint: str = Field(description="Why there are no rows, if the question says why.")


class Value(BaseModel):
    """An answer that is no table."""

    model_config = ConfigDict(extra="allow")

    ok: bool = Field(description="True.")


class Typed(BaseModel):
    """What was typed into the search box, and from where to where it cannot be understood."""

    model_config = ConfigDict(extra="forbid")

    text: str
    start: int
    end: int


class Error(BaseModel):
    """What is wrong, and what to do about it."""

    model_config = ConfigDict(extra="forbid")

    ok: bool = Field(description="False.")
    error: str
    hint: str
    status: int
    request_id: str = Field(description="Under it the log of the process has more.")
    typed: Typed | None = Field(None, description="Where q cannot be understood, if that is it.")


def of_table(table: Table, question: Asked) -> Response:
    """Return a page of a table; the address of the next page is in ``Link`` too."""
    rows = [dict(row) for row in counted(table.rows)]
    following = None
    if table.next:
        here = request.endpoint or ""
        address = timemode.to(here, question.at(table.next), **(request.view_args or {}))
        following = origin() + address
    response = value(
        of=table.of,
        columns=list(table.columns),
        rows=rows,
        total=table.total,
        exact=table.exact,
        first=table.first,
        next=table.next,
        previous=table.previous,
        next_url=following,
        age_seconds=round(table.age_seconds, 1),
        hint=table.hint,
    )
    if following:
        response.headers["Link"] = f'<{following}>; rel="next"'
    return response


def value(**content: Any) -> Response:
    """Return an answer; who has it already, by its ETag, gets 304 and no body."""
    response = jsonify(ok=True, **content)
    # What only says how old the rest is makes no other answer.
    is_old = content.get("age_seconds")
    told = jsonify(ok=True, **{**content, "age_seconds": 0.0}) if is_old else response
    digest = hashlib.blake2b(told.get_data() + reader(), digest_size=12).hexdigest()
    response.set_etag(digest, weak=True)
    response.make_conditional(request)
    return response


def reader() -> bytes:
    """Return who reads: what one may see is never confirmed to another."""
    return repr(g.get("who")).encode()
