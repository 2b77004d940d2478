"""
The commands that bring reports in.
"""

from typing import TYPE_CHECKING, Any

from salt_ext import store
from salt_ext.collect.collection import collect as collect_now
from salt_ext.collect.modes import Request
from salt_ext.commands import answers
from salt_ext.commands.answers import answer
from salt_ext.commands.arguments import (
    Misused,
    check_truths,
    count,
    filters_of,
    nothing_else,
    text,
)
from salt_ext.commands.progress import progress
from salt_ext.master.sync import sync as sync_now

if TYPE_CHECKING:
    from salt_ext._dunders import __opts__

__virtualname__ = "cmdb"

OPTIONS = ("tgt", "tgt_type", "mode", "batch", "workers", "timeout", "limit", "roster", "test")


def __virtual__() -> str:
    """Make this file a part of the runner ``cmdb``."""
    return __virtualname__


def collect(
    tgt: Any = "",
    tgt_type: str = "glob",
    mode: str = "salt",
    batch: Any = None,
    workers: Any = None,
    timeout: Any = None,
    limit: Any = None,
    roster: str = "",
    test: bool = False,
    **kwargs: Any,
) -> dict[str, Any]:
    """
    Ask machines for reports now, store them, and say what came of each.

    The exit status is 1 when a machine failed, or its report was not stored; the
    answer names each such machine with the reason. Ctrl-C ends the command and
    keeps the reports that have arrived.

    tgt
        The machines: a glob of minion ids, or what ``tgt_type`` says.
    tgt_type
        As for ``salt`` and ``salt-ssh``: ``glob``, ``list``, ``pcre``, ``grain``,
        ``compound``, ``nodegroup`` and so on.
    mode
        ``salt`` asks minions through the master. ``ssh`` logs in to machines of
        a roster, brings the collectors along and leaves nothing there. ``auto``
        asks the machines that are stale or missing, the stalest first, each in the
        way of its last report; everything else is then a filter, such as
        ``site=dc1``. The setting ``modes`` names further ways.
    batch
        How many minions are asked at a time: a number, or a share as ``10%``.
    workers
        How many machines are logged in to at a time by ssh.
    timeout
        How many seconds one machine may take.
    limit
        Ask so many machines at most, the stalest of them.
    roster
        For ssh: ``flat``, ``cmdb`` for the addresses that the store knows, the name
        of any other roster of Salt, or the path of a flat one.
    test
        True says who would be asked, and asks nobody.

    Comparisons stand behind the field, as in ``memory_bytes__lt=256GiB``: ``exact``,
    ``not``, ``gt``, ``gte``, ``lt``, ``lte``, ``contains``, ``notcontains``,
    ``startswith``, ``endswith``, ``glob``, ``in``, ``notin`` and ``isnull``.

    CLI Example:

    .. code-block:: bash

        salt-run cmdb.collect '*' batch=10%
        salt-run cmdb.collect 'G@os:Debian' tgt_type=compound
        salt-run cmdb.collect 'rack12-*' mode=ssh workers=32
        salt-run cmdb.collect mode=auto limit=500 site=dc1
    """

    def ask(database: store.Database) -> dict[str, Any]:
        check_truths(test=test)
        filters = {}
        if mode == "auto":
            if tgt_type != "glob":
                raise Misused("with mode=auto tgt is a glob; use filters, such as site=dc1")
            filters = filters_of(tgt or "*", kwargs)
        else:
            nothing_else(kwargs, *OPTIONS)
        settings = database.settings
        request = Request(
            tgt=_target(tgt, tgt_type, mode),
            tgt_type=text("tgt_type", tgt_type),
            batch=_batch(settings["collect_batch"] if batch is None else batch),
            workers=count("workers", settings["collect_workers"] if workers is None else workers),
            timeout_seconds=count(
                "timeout", settings["collect_timeout_seconds"] if timeout is None else timeout
            ),
            roster=text("roster", roster),
            is_over=lambda: False,
        )
        most = None if limit is None else count("limit", limit)
        with progress() as show:
            try:
                return collect_now(
                    __opts__,
                    database,
                    text("mode", mode),
                    request,
                    show,
                    filters=filters,
                    limit=most,
                    test=bool(test),
                )
            except store.NotFound as nobody:
                named = {"minion_id__glob": tgt} if tgt and tgt_type == "glob" else {}
                nobody.hint = store.hint(database, filters or named) or nobody.hint
                raise

    return answer(
        __opts__, "collected", ask, write=True, differs=lambda content: not content["good"]
    )


def _target(tgt: Any, tgt_type: str, mode: str) -> Any:
    """Return the target as modes take it: with ``tgt_type=list``, as a list of names."""
    if tgt_type == "list":
        names = tgt.split(",") if isinstance(tgt, str) else tgt
        if isinstance(names, list) and all(isinstance(one, str) for one in names):
            tgt = [one.strip() for one in names if one.strip()]
    elif not isinstance(tgt, str):
        tgt = text("tgt", tgt)
    if not tgt and mode != "auto":
        raise Misused("which machines? give a glob such as 'web*', or mode=auto")
    return tgt


def _batch(batch: Any) -> int | str:
    """Return how many minions are asked at a time: a number, or a share such as ``10%``."""
    share = batch.removesuffix("%") if isinstance(batch, str) else ""
    if share != batch and share.isdecimal() and 0 < int(share) <= 100:
        return str(batch)
    if isinstance(batch, str):
        raise Misused(f"batch is {batch!r}, but it must be a number or a share as 10%")
    return count("batch", batch)


def sync(**kwargs: Any) -> dict[str, Any]:
    """
    Store what waits on the master: kept results of salt-ssh, the inbox, the reports in its cache.

    No minion is asked. The engine does the same all the time, but for the kept
    results. The answer names each machine whose report was held or refused, and why.

    CLI Example:

    .. code-block:: bash

        salt-run cmdb.sync
    """

    def ask(database: store.Database) -> dict[str, Any]:
        nothing_else(kwargs)
        found = sync_now(__opts__, database)
        counts = found["counts"]
        rows = [{"status": one, "reports": counts[one]} for one in counts if counts[one]]
        return {**found, **answers.table(["status", "reports"], rows, len(rows), "statuses")}

    return answer(__opts__, "synced", ask, write=True)
