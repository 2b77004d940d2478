"""
The envelope in which a runner's answer reaches ``salt-run``, orchestrate and the screen.

Salt demands the shape: ``data`` must be a mapping of mappings with a true
``result`` in it, otherwise a step of an orchestration fails without an error.
``retcode`` may be in ``data`` only when it is not 0.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import tzinfo
from typing import Any

from salt_ext.clouds.instance import CloudFailed
from salt_ext.commands.progress import counted, progress
from salt_ext.feeds.push.target import PushFailed
from salt_ext.questions.table import Table
from salt_ext.settings import SettingsError, from_opts
from salt_ext.store import Database, FilterError, NotFound, StoreError
from salt_ext.words.plain import plain
from salt_ext.words.visible import trace

log = logging.getLogger(__name__)

DIFFERENT, ERROR, NOT_FOUND = 1, 2, 3
"""Exit statuses beside 0."""


def answer(
    opts: Mapping[str, Any],
    kind: str,
    ask: Callable[[Database], dict[str, Any]],
    *,
    write: bool = False,
    differs: Callable[[dict[str, Any]], bool] | None = None,
) -> dict[str, Any]:
    """
    Ask the store; return its answer, or the error, in Salt's envelope.

    ``opts`` are the options of the master. ``kind`` says how the answer prints.
    ``ask`` gets the store, read-only unless ``write``, and returns the content of
    the answer. ``differs`` gets this content and returns whether the exit status is 1.
    """

    def content() -> dict[str, Any]:
        return ask(Database(from_opts(opts), read_only=not write))

    return envelope(kind, content, differs)


def envelope(
    kind: str,
    ask: Callable[[], dict[str, Any]],
    differs: Callable[[dict[str, Any]], bool] | None = None,
) -> dict[str, Any]:
    """Return the envelope with the content that ``ask`` returns, or with the error it raises."""
    try:
        content = ask()
    except NotFound as error:
        return _failure(NOT_FOUND, str(error), error.hint)
    except (StoreError, PushFailed, CloudFailed) as error:
        return _failure(ERROR, str(error), error.hint)
    except (SettingsError, FilterError, ValueError) as error:
        return _failure(ERROR, str(error), "")
    except Exception as error:
        # Not log.exception, which would put the traceback on the operator's screen.
        log.debug("A cmdb command failed%s", trace(error))
        return _failure(
            ERROR,
            f"a fault in salt-cmdb: {type(error).__name__}: {error}",
            "run it again with --log-level=debug for the traceback, and report it",
        )
    body = {"result": True, "kind": kind, **plain(content)}
    data: dict[str, Any] = {"cmdb": body}
    if differs is not None and differs(content):
        body["result"] = False
        data["retcode"] = DIFFERENT
    return {"outputter": "cmdb", "data": data}


def _failure(retcode: int, error: str, hint: str) -> dict[str, Any]:
    body = {"result": False, "kind": "error", "error": error, "hint": hint}
    return {"outputter": "cmdb", "data": {"retcode": retcode, "cmdb": body}}


def or_why(content: dict[str, Any], found: object, why: Callable[[], str]) -> dict[str, Any]:
    """Return the content of an answer; if nothing was found, with a ``hint`` that says why."""
    hint = "" if found else why()
    return {**content, "hint": hint} if hint else content


def table(
    columns: Sequence[str], rows: Sequence[dict[str, Any]], total: int, of: str
) -> dict[str, Any]:
    """Return the content of a table; ``of`` says what its rows are."""
    cells = [[row[name] for name in columns] for row in rows]
    return {"columns": list(columns), "rows": cells, "total": total, "of": of}


def of_table(zone: tzinfo, found: Table, out_file: str = "") -> dict[str, Any]:
    """Return the content of an answer for a table, or write all of its rows into a file."""
    if out_file:
        of = f"of {found.total:,} rows" if found.exact else "rows"
        done = file(zone, out_file, found.columns, found.rows, of)
    else:
        rows = [[row[name] for name in found.columns] for row in found.rows]
        done = {"columns": list(found.columns), "rows": rows, "total": found.total, "of": found.of}
        done |= {} if found.exact else {"exact": False}
        done |= {"next": found.next} if found.next else {}
    return {**done, "hint": found.hint} if found.hint else done


def file(
    zone: tzinfo,
    path: str,
    columns: Sequence[str],
    rows: Iterable[Mapping[str, Any]],
    of: str = "rows",
) -> dict[str, Any]:
    """
    Write all rows of a table into a file; return the content of an answer that names it.

    ``zone`` is that of the times in it, where people read them.
    ``of`` stands behind the number of rows that a terminal shows meanwhile.
    """
    # Imported here, because most answers go to the screen and need no files.
    from salt_ext.exchange import write_table

    with progress() as show:
        cells = ([row[name] for name in columns] for row in counted(rows, show, of))
        return {"kind": "file", **write_table(path, columns, cells, zone)}
