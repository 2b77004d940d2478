"""
A resource: one table, as a page, as a file of each format and, in the API, for programs.

All of them ask the same question with the same options, and have the same columns.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from itertools import chain, islice
from typing import Any, NamedTuple

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from salt_ext import store
from salt_ext.exchange import FORMATS, stream
from salt_ext.questions.table import Table
from salt_ext.store import Database
from webui import timemode
from webui.access.log import counted
from webui.asked import Asked, Numbered
from webui.heavy import admit
from webui.reading import database
from webui.takes import takes

TYPES = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "ndjson": "application/x-ndjson",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

Ask = Callable[..., Table]


class Resource(NamedTuple):
    """
    What is shown where.

    ``ask`` gets the database, what was asked (of the type ``asked``), ``limit`` (None: all
    rows, for a file) and the variables of the path; it returns a table. ``more`` gets the
    same and the table, and returns what the template needs besides.
    """

    name: str
    """Of the endpoint ``<name>.page`` and of the files."""
    path: str
    asked: type[Asked]
    ask: Ask
    template: str = "resource.html"
    title: str = ""
    """What the page is called, marked for translation."""
    about: str = ""
    """What its rows are, and what to do about them; marked too."""
    has_past: bool = False
    more: Callable[..., Mapping[str, Any]] | None = None
    settled: Callable[[Database, Any], Asked] | None = None
    """Returns a question in its one form; the page of another form leads there."""

    def alone(self) -> Blueprint:
        """Return a blueprint that has nothing but this."""
        blueprint = Blueprint(self.name, __name__)
        self.register(blueprint)
        return blueprint

    def register(self, blueprint: Blueprint) -> None:
        """Add the page and the files to a blueprint."""
        page = takes(self.asked, has_past=self.has_past)(self.page)
        blueprint.add_url_rule(self.path, "page", page)
        for format_of in FORMATS:
            file = functools.partial(self.file, format_of)
            view = takes(self.asked, has_past=self.has_past, is_page=False)(file)
            blueprint.add_url_rule(f"{self.path}.{format_of}", format_of, view)

    def page(self, question: Asked, **path: Any) -> str | Response | AnyResponse:
        """Show the table."""
        if self.settled and (one := self.settled(database(), question)) != question:
            return redirect(timemode.to(f"{self.name}.page", one, **path))
        if self.is_of_the_past():
            return admit(self._page, question, **path)
        return self._page(question, **path)

    def is_of_the_past(self) -> bool:
        """Whether this request asks about the past, which costs more than the present."""
        return self.has_past and timemode.as_of() is not None

    def table(self, question: Asked, **path: Any) -> Table:
        """Return the page of the table that is asked for."""
        limit = getattr(question, "limit", None)
        if not isinstance(question, Numbered):
            return self.ask(database(), question, limit=limit, **path)
        end = question.start + question.limit
        table = self.ask(database(), question, limit=end, **path)
        before = question.start - question.limit
        return table._replace(
            rows=list(islice(table.rows, question.start, end)),
            first=question.start + 1,
            next=str(end) if table.total > end else None,
            previous=str(max(0, before)) if question.start else None,
        )

    def _page(self, question: Asked, **path: Any) -> str:
        table = self.table(question, **path)
        table = table._replace(rows=list(counted(table.rows)))
        more = self.more(database(), question, table, **path) if self.more else {}
        return render_template(
            self.template, resource=self, asked=question, table=table, path=path, **more
        )

    def file(self, format_of: str, question: Asked, **path: Any) -> Response:
        """Return all rows as a file; no more than ``_limit`` if the address says so."""
        limit = getattr(question, "limit", None) if "_limit" in request.args else None
        if limit is not None and not self.is_of_the_past():
            return self._file(format_of, question, limit, **path)
        return admit(self._file, format_of, question, limit, **path)

    def _file(self, format_of: str, question: Asked, limit: int | None, **path: Any) -> Response:
        patient = database().within(store.USUAL)
        table = self.ask(patient, question, limit=limit, **path)
        return as_file(self.name, format_of, table, patient)


def as_file(name: str, format_of: str, table: Table, database: Database) -> Response:
    """Return a table as a file that a browser saves."""
    cells = ([row.get(column) for column in table.columns] for row in counted(table.rows))
    pieces = stream(format_of, table.columns, cells, database.zone)
    # An error before the first piece is still answered as an error.
    begun = chain(list(islice(pieces, 1)), pieces)
    response = Response(begun, content_type=TYPES[format_of])
    at = timemode.as_of() or datetime.now(timezone.utc)
    filename = f"cmdb-{name}-{at:%Y%m%dT%H%MZ}.{format_of}"
    if format_of in ("csv", "xlsx"):
        response.headers["Content-Disposition"] = f'attachment; filename="{filename}"'
    return response
