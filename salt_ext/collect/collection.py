"""
What ``cmdb.collect`` does: ask machines by a mode, store what they answer, say what came of each.
"""

from __future__ import annotations

import contextlib
import logging
import math
import time
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Mapping
from datetime import datetime, timezone
from functools import cached_property
from typing import Any

from salt_ext import store
from salt_ext.collect.interruption import interruption
from salt_ext.collect.modes import Answer, Plan, Request, Unavailable, load
from salt_ext.facts import failure
from salt_ext.master import intake, kept
from salt_ext.master.cache import Cache
from salt_ext.words.match import same_name, short
from salt_ext.words.times import ago
from salt_ext.words.visible import indented, trace, visible

log = logging.getLogger(__name__)

STATUSES = ("not asked", "ok", "changed", "new", "held", "refused", "kept", "failed")
BAD = ("held", "refused", "kept", "failed")
"""Statuses of a machine that make the exit status of the command 1."""

FLUSH_SECONDS = 2.0
"""Answers are stored together when they come within this time, or when a batch is full."""


class Collection:
    """One run of the command: the mode, the status and the reason of each machine."""

    def __init__(
        self, opts: Mapping[str, Any], database: store.Database, show: Callable[[str], None]
    ) -> None:
        """Prepare a run with no machines yet; ``show`` is told how far it has come."""
        self.opts = opts
        self.database = database
        self._show = show
        self.modes: dict[str, str] = {}
        self.rows: dict[str, tuple[str, str]] = {}
        self.is_interrupted = False
        # Caches tell whole seconds, and the clock of the store is known but for milliseconds.
        self._began = math.floor(time.time()) - 1
        self._waiting: list[Answer] = []
        self._flushed = -math.inf

    def run(self, mode: str, plan: Plan, request: Request) -> None:
        """
        Ask the machines of a plan, and store their reports.

        A machine without an answer is ``failed``. When the mode itself failed, its
        error is the reason for all of them.
        """
        self.modes.update(dict.fromkeys(plan.names, mode))
        reason = "was not asked any more"
        try:
            with contextlib.closing(plan.answers) as answers:
                for answer in () if request.is_over() else answers:
                    self._take(answer, mode, plan)
                    self._show(self._so_far())
            self._close(mode)
        except store.StoreError as error:
            log.debug("The mode %s failed%s", visible(mode), trace(error))
            reason = _sentence(error)
        except Exception as error:
            reason = f"the mode {mode} failed: {failure.sentence(error)}"
            _tell(self.database, "mode", self.opts["id"], mode, reason, failure.trace(error))
        finally:
            self._flush(plan)
        if request.is_over():
            self.is_interrupted = True
            reason = "interrupted before it had answered"
        for name in plan.names:
            self.rows.setdefault(name, ("failed", reason))

    def preview(self, plans: Mapping[str, Plan], why: Mapping[str, str]) -> dict[str, Any]:
        """Return the content of an answer that only names who would be asked, and ``why``."""
        for mode, plan in plans.items():
            self.modes.update(dict.fromkeys(plan.names, mode))
            self.rows.update({name: ("not asked", why.get(name, "")) for name in plan.names})
        return self.answer()

    def counts(self) -> dict[str, int]:
        """Return how many machines have which status."""
        counts = Counter(status for status, _ in self.rows.values())
        return {status: counts[status] for status in STATUSES}

    def _so_far(self) -> str:
        counts = self.counts()
        parts = ", ".join(f"{count} {status}" for status, count in counts.items() if count)
        return f"{sum(counts.values()):,} of {len(self.modes):,} machines: {parts}"

    def answer(self) -> dict[str, Any]:
        """Return the content of the command's answer."""
        # In the order in which they were asked, but with the bad statuses at the end.
        names = sorted(self.modes, key=lambda name: self.rows[name][0] in BAD)
        machines = [
            {
                "minion_id": name,
                "mode": self.modes[name],
                "status": self.rows[name][0],
                "detail": self.rows[name][1],
            }
            for name in names
        ]
        counts = self.counts()
        return {
            "asked": len(self.modes),
            "counts": counts,
            "good": not any(counts[status] for status in BAD),
            "interrupted": self.is_interrupted,
            "machines": machines,
        }

    def _close(self, mode: str) -> None:
        """Note that a mode works, which may have failed before."""
        with contextlib.suppress(store.StoreError):
            store.close_problem(self.database, "mode", self.opts["id"], mode)

    def _take(self, answer: Answer, mode: str, plan: Plan) -> None:
        if answer.report is None:
            self.rows[answer.minion_id] = ("failed", answer.reason)
            if answer.traceback:
                about = answer.minion_id
                _tell(self.database, "report", about, mode, answer.reason, answer.traceback)
            return
        self._waiting.append(answer)
        is_full = len(self._waiting) >= self.database.settings["batch_size"]
        if is_full or time.monotonic() - self._flushed >= FLUSH_SECONDS:
            self._flush(plan)
            self._flushed = time.monotonic()

    def _flush(self, plan: Plan) -> None:
        """Store the answers that wait; when the store fails, keep them on the master."""
        answers, self._waiting = self._waiting, []
        if not answers:
            return
        reports = [(one.minion_id, one.report, one.received_at) for one in answers]
        try:
            outcomes = intake.take(
                self.database, reports, self._listener(), is_cached=plan.is_cached
            )
            ids = [one.asset_id for one in outcomes if one.asset_id is not None]
            # The engine reads the same cache. Where it was faster, ours are "unchanged".
            began = store.clock(self.database).moment(self._began)
            news = store.news_since(self.database, ids, began) if plan.is_cached else {}
        except store.StoreError as error:
            self._keep(answers, plan, str(error))
            return
        wait = {one.minion_id: one.detail for one in outcomes if one.status == "waiting"}
        if wait:
            late = [one for one in answers if one.minion_id in wait]
            self._keep(late, plan, next(iter(wait.values())))
        for one in outcomes:
            status = one.status
            if status == "waiting":
                continue
            if status == "unchanged":
                status = news.get(one.asset_id, "ok") if one.asset_id else "ok"
            self.rows[one.minion_id] = (status, one.detail if status in BAD else "")

    @cached_property
    def _cache(self) -> Cache:
        """The cache of this master, opened once for all flushes."""
        return Cache(self.opts)

    def _listener(self) -> store.Listener | None:
        """Return this master as the store knows it, if it does."""
        number = store.number_of(self.database, self.opts["id"])
        return store.Listener(number, self._cache.trusted) if number else None

    def _keep(self, answers: list[Answer], plan: Plan, reason: str) -> None:
        lost: list[str] = []
        sentence = f"waits in the master's cache: {reason}"
        if not plan.is_cached:
            sentence = f"kept on the master for cmdb.sync: {reason}"
            try:
                kept.keep(
                    self.opts,
                    [
                        store.Arrival(
                            one.minion_id,
                            one.report,
                            datetime.fromtimestamp(one.received_at, timezone.utc),
                        )
                        for one in answers
                    ],
                )
            except kept.Lost as error:
                lost = error.names
                self.rows.update(dict.fromkeys(lost, ("failed", f"{error}; {error.hint}")))
        for one in answers:
            if one.minion_id not in lost:
                self.rows[one.minion_id] = ("kept", sentence)


def collect(
    opts: Mapping[str, Any],
    database: store.Database,
    mode: str,
    request: Request,
    show: Callable[[str], None],
    *,
    filters: Mapping[str, Any] | None = None,
    limit: int | None = None,
    test: bool = False,
) -> dict[str, Any]:
    """
    Ask machines for reports and store them; return the content of the command's answer.

    With the mode ``auto`` the store says which machines are due, and ``filters``
    selects among them. At most ``limit`` machines are asked, the stalest ones.
    With ``test`` nobody is asked. Raises :class:`store.StoreError`, as
    :class:`store.NotFound` when there is no machine to ask.

    ``show`` is called with a text that says how far the run has come.
    """
    with interruption() as is_over:
        request = request._replace(is_over=is_over)
        if mode == "auto":
            plans = _due(opts, database, request, filters, limit)
        else:
            plans = {mode: _plan(opts, database, mode, request, limit)}
        if not any(plan.names for plan in plans.values()):
            raise store.NotFound(
                f"no machine is meant by {request.tgt!r}",
                "for mode=salt it needs an accepted key on this master, for mode=ssh a place in the"
                " roster; what another master or one below a syndic has is asked there",
            )
        collection = Collection(opts, database, show)
        if test:
            return collection.preview(plans, _why_due(database, plans) if mode == "auto" else {})
        for name, plan in plans.items():
            collection.run(name, plan, request)
        return collection.answer()


def _plan(
    opts: Mapping[str, Any],
    database: store.Database,
    mode: str,
    request: Request,
    limit: int | None = None,
) -> Plan:
    """Return the plan of a mode; of more than ``limit`` machines it has the stalest ones."""
    run = load(database.settings["modes"], mode)
    try:
        plan = run(opts, request)
        if limit is None or len(plan.names) <= limit:
            return plan
        few = store.stalest_first(database, plan.names)[:limit]
        return run(opts, request._replace(tgt=few, tgt_type="list"))
    except (store.StoreError, store.FilterError):
        raise
    except Exception as error:
        reason = f"the mode {mode} failed: {failure.sentence(error)}"
        _tell(database, "mode", opts["id"], mode, reason, failure.trace(error))
        where = "the traceback is in the log of the master and in cmdb.errors"
        raise Unavailable(reason, where) from error


def _due(
    opts: Mapping[str, Any],
    database: store.Database,
    request: Request,
    filters: Mapping[str, Any] | None,
    limit: int | None,
) -> dict[str, Plan]:
    """Return by mode the plan to ask the machines that are due."""
    by_mode: dict[str, list[str]] = {}
    never = _never_heard(opts, database, filters, limit)
    for name, mode in never.items():
        by_mode.setdefault(mode, []).append(name)
    if limit is not None:
        limit -= len(never)
    for name, heard_by in store.due(database, filters=filters, limit=limit).items():
        # Whoever reports by itself is asked by Salt.
        mode = heard_by if database.settings["modes"].get(heard_by) else "salt"
        by_mode.setdefault(mode, []).append(name)
    if not by_mode:
        raise store.NotFound(
            "no machine is due", "all have reported lately; name some to ask them nevertheless"
        )
    plans = {}
    for mode, names in by_mode.items():
        try:
            plans[mode] = _plan(opts, database, mode, request._replace(tgt=names, tgt_type="list"))
        except store.StoreError as error:
            # One mode cannot be used; the machines of the other modes are still asked.
            plans[mode] = Plan(names, _none(names, _sentence(error)), is_cached=False)
    return plans


def _why_due(database: store.Database, plans: Mapping[str, Plan]) -> dict[str, str]:
    """Return why each machine of some plans is due: never heard, missing or stale."""
    at = datetime.now(timezone.utc)
    late = store.standing(database, filters={"freshness": ["stale", "missing"]})
    why = {
        row["reports_as"]: f"{row['freshness']}: last heard {ago(row['last_seen'], at)} ago"
        for row in late
    }
    return {name: why.get(name, "never heard") for plan in plans.values() for name in plan.names}


def _never_heard(
    opts: Mapping[str, Any],
    database: store.Database,
    filters: Mapping[str, Any] | None,
    limit: int | None,
) -> dict[str, str]:
    """
    Return the mode for each machine that people expect and that has never reported.

    Where a key is accepted that has its name, perhaps with a domain, Salt can ask it; a
    machine without one is asked by ssh.
    """
    expected = [one["minion_id"] for one in store.awaited(database, filters=filters)]
    accepted: dict[str, list[str]] = {}
    for name in Cache(opts).accepted() if expected else ():
        accepted.setdefault(short(name), []).append(name)
    found: dict[str, str] = {}
    for name in filter(None, expected):
        keys = [one for one in accepted.get(short(name), []) if same_name(name, one)]
        found.update({keys[0]: "salt"} if len(keys) == 1 else {name: "ssh"})
    return dict(list(found.items())[:limit])


def _none(names: Iterable[str], reason: str) -> Generator[Answer, None, None]:
    """Yield an answer without a report for each machine, because it cannot be asked."""
    for name in names:
        yield Answer(name, None, time.time(), reason)


def _tell(
    database: store.Database, kind: str, about: str, mode: str, reason: str, text: str
) -> None:
    """Write an exception that nobody foresaw into the log and among the problems."""
    log.error("%s: %s%s", visible(about), visible(reason), indented(text))
    # While the store is away the log alone has it.
    with contextlib.suppress(store.StoreError):
        store.record_problem(database, kind, about, mode, reason, text)


def _sentence(error: Exception) -> str:
    return f"{error}; {error.hint}" if isinstance(error, store.StoreError) else str(error)
