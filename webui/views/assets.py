"""
The list of assets: filtered, sorted, in pages; as a page and as JSON.
"""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from salt_ext import store
from salt_ext.words.values import label
from webui import query
from webui.access.log import counted
from webui.reading import database

blueprint = Blueprint("assets", __name__)

NUMBERS = ("processor_threads", "memory_bytes", "disk_bytes", "disk_count")


def _read(question: query.Query) -> store.Page:
    page = store.assets(
        database(),
        filters=question.filters,
        text=question.text,
        columns=question.columns,
        sort=question.sort,
        limit=question.limit,
        cursor=question.cursor,
        at=question.at,
    )
    return page._replace(rows=list(counted(page.rows)))


def _hint(question: query.Query, page: store.Page) -> str:
    """Return why nothing was found; blank if something was."""
    return "" if page.total else store.hint(database(), question.filters, question.text)


@blueprint.get("/assets")
def page() -> str | AnyResponse:
    """Show a page of the list."""
    sent = query.from_form(request.args, database().zone)
    if sent is not None:
        # The form's own parameters never stay in an address that people pass on.
        return redirect(url_for("assets.page") + sent.string)
    question = query.parse(request.args, database().zone)
    page = _read(question)
    linked = "minion_id" if "minion_id" in question.shown else question.shown[0]
    nameless = [row["id"] for row in page.rows if row[linked] is None]
    return render_template(
        "assets.html",
        question=question,
        page=page,
        hint=_hint(question, page),
        linked=linked,
        names=store.names_of(database(), nameless),
        numbers=NUMBERS,
        fields=sorted(store.fields(database()), key=label),
        listable=sorted(store.listable(database()), key=label),
        words=query.WORDS,
    )


@blueprint.get("/assets.json")
def data() -> Response:
    """Return the same page of the list as JSON, for programs."""
    question = query.parse(request.args, database().zone)
    page = _read(question)
    found = {"total": page.total, "exact": page.exact, "rows": page.rows, "next": page.next}
    hint = _hint(question, page)
    return jsonify(ok=True, **found, **({"hint": hint} if hint else {}))


page.asked = query.Query  # type: ignore[attr-defined]
data.asked = query.Query  # type: ignore[attr-defined]
