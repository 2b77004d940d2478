"""
Errors in a sentence: as a page, or as JSON for programs.
"""

from __future__ import annotations

from flask import Flask, Response, current_app, g, jsonify, render_template, request
from werkzeug.exceptions import HTTPException

from salt_ext import store
from salt_ext.questions.box import BoxError
from salt_ext.words import box
from salt_ext.words.nearest import unknown
from webui.heavy import Crowded
from webui.language import marked

RETRY_SECONDS = 10
API = "/api/"

FILES = (".json", ".ndjson")
"""How paths end that programs read; people open the other files in a browser."""

TITLES = {
    400: marked("This cannot be asked"),
    401: marked("Who are you?"),
    403: marked("Not for you"),
    404: marked("Not found"),
    405: marked("This page can only be read"),
    429: marked("Too often"),
    500: marked("Something broke here"),
    503: marked("The database is away"),
}


def register(app: Flask) -> None:
    """Register a handler for every kind of error."""
    app.register_error_handler(store.FilterError, _bad_question)
    app.register_error_handler(store.HiddenField, _hidden)
    app.register_error_handler(store.NotFound, _not_found)
    app.register_error_handler(store.StoreError, _store_error)
    app.register_error_handler(store.StatementFailed, _too_much)
    app.register_error_handler(store.Forbidden, _forbidden)
    app.register_error_handler(Crowded, _crowded)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _bug)


def answer(
    status: int, error: str, hint: str, title: str = "", typed: BoxError | None = None
) -> Response:
    """
    Return an error as JSON below ``/api/`` and for a file, or else as a page.

    ``typed`` is what cannot be understood in the search box: its place is told too.
    """
    if request.path.startswith(API) or request.path.endswith(FILES):
        place = {"text": typed.text, "start": typed.start, "end": typed.end} if typed else {}
        said = {"error": error, "hint": hint, **({"typed": place} if place else {})}
        response = jsonify(ok=False, **said, status=status, request_id=g.request_id)
    else:
        title = title or TITLES.get(status, marked("This did not work"))
        typed_in = [*box.pieces(typed.text, typed.start, typed.end)] if typed else []
        page = render_template(
            "error.html", title=title, status=status, error=error, hint=hint, typed=typed_in
        )
        response = Response(page, mimetype="text/html")
    response.status_code = status
    if status == 503:
        response.headers["Retry-After"] = str(RETRY_SECONDS)
    return response


def _bad_question(error: store.FilterError) -> Response:
    if isinstance(error, BoxError):
        hint = "correct what is marked; the page Help has the fields and the comparisons"
        return answer(400, error.sentence, hint, typed=error)
    return answer(400, str(error), "correct the address, or begin again with the whole list")


def _hidden(error: store.HiddenField) -> Response:
    return answer(403, str(error), "leave it out of the address, or log in as an auditor")


def _not_found(error: store.NotFound) -> Response:
    return answer(404, str(error), error.hint)


def _store_error(error: store.StoreError) -> Response:
    current_app.logger.warning("%s", error)
    # Anybody may see the page: where the store is stands in the log alone.
    return answer(503, error.public, error.hint)


def _too_much(error: store.StatementFailed) -> Response:
    current_app.logger.warning("%s", error, extra={"path": request.full_path})
    seconds = store.PAGES.statement_seconds
    hint = (
        f"ask for less: a filter, fewer rows, a shorter time; a page waits {seconds} seconds for"
        " the database, and files such as .csv longer"
    )
    return answer(503, error.public, hint, "This takes too long")


def _forbidden(error: store.Forbidden) -> Response:
    current_app.logger.warning("%s", error, extra={"path": request.full_path})
    return answer(503, error.public, error.hint, "The database refuses this")


def _crowded(error: Crowded) -> Response:
    hint = f"ask again in {RETRY_SECONDS} seconds"
    return answer(503, str(error.description), hint, "Too much at once")


def _http_error(error: HTTPException) -> Response:
    hint, title = getattr(error, "hint", ""), getattr(error, "title", "")
    said = error.description or error.name
    if error is request.routing_exception and error.code == 404 and request.path.startswith(API):
        said = _no_address(request.path)
    response = answer(error.code or 500, said, hint, title)
    # Keep the headers that belong to the status, such as Allow.
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            response.headers[name] = value
    return response


def _no_address(path: str) -> str:
    """Return the sentence about an address that the API does not have, with its neighbours."""
    rules = (rule.rule for rule in current_app.url_map.iter_rules())
    known = sorted(rule for rule in rules if rule.startswith(API))
    if below := [rule for rule in known if rule.startswith(path.rstrip("/") + "/")]:
        return f"{path} is no address itself; there are: {', '.join(below)}"
    folder = path[: path.rindex("/") + 1]
    return unknown("address", path, [one for one in known if one.startswith(folder)] or known)


def _bug(error: Exception) -> Response:
    current_app.logger.error(
        "%s failed", request.endpoint, exc_info=error, extra={"path": request.full_path}
    )
    return answer(
        500,
        "this page has a bug",
        f"the traceback is in the log of the web process under {g.request_id}; please report it",
    )
