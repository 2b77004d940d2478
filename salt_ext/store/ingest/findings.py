"""
What became of the reports of a batch, what is wrong with them, and how long each took.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import sqlalchemy as sa

from salt_ext.report.checking import ReportError, TooMuch
from salt_ext.report.limits import USUAL, Limits
from salt_ext.report.order import Order
from salt_ext.store.ingest.arrivals import Arrival, Outcome
from salt_ext.store.ingest.precedence import USUAL as USUAL_TAKING
from salt_ext.store.ingest.precedence import Taking
from salt_ext.store.ingest.problems import Good, Problem, close, record
from salt_ext.store.ingest.spending import ROW_BYTES, Cost, charge
from salt_ext.words.sizes import beginning, size_bytes
from salt_ext.words.visible import visible

log = logging.getLogger(__name__)

NOTHING: Mapping[str, Cost] = {}


class Findings:
    """The outcomes and problems of a batch; :meth:`write` writes the problems at its end."""

    def __init__(
        self,
        limits: Limits = USUAL,
        seconds: dict[str, float] | None = None,
        taking: Taking = USUAL_TAKING,
    ) -> None:
        """Begin with nothing; :meth:`timed` adds to ``seconds``."""
        self.limits = limits
        self.taking = taking
        self.outcomes: list[Outcome] = []
        self.later: list[Arrival] = []
        """The reports that have to be stored after this batch."""
        self.problems: list[Problem] = []
        self.good: dict[str, Good] = {}
        """The stored reports, by minion id, that may show that a problem is over."""
        self.too_much: list[tuple[Arrival, Order]] = []
        """The reports that are refused for their size: their machines were heard."""
        self.seconds = {} if seconds is None else seconds
        """By minion id, the CPU time that was spent for one report alone."""

    @contextmanager
    def timed(self, minion_id: str) -> Iterator[None]:
        """Count the time of what is done within as that of a machine's report."""
        began = time.thread_time()
        try:
            yield
        finally:
            spent = time.thread_time() - began
            self.seconds[minion_id] = self.seconds.get(minion_id, 0.0) + spent

    def outcome(
        self,
        arrival: Arrival,
        status: str,
        detail: str,
        asset_id: uuid.UUID | None = None,
        name: str | None = None,
    ) -> None:
        """Note what became of a report; ``name`` is that of the asset, blank if it has none."""
        other = name if name != arrival.minion_id else None
        self.outcomes.append(Outcome(arrival.minion_id, status, detail, asset_id, other))

    def refuse(self, arrival: Arrival, error: ReportError) -> None:
        """Note that a report is refused, and why."""
        log.warning("Refused the report of %s", visible(f"{arrival.minion_id}: {error}"))
        self.problem(arrival, "report", error.field, str(error))
        self.outcome(arrival, "refused", str(error))

    def refuse_size(self, arrival: Arrival, order: Order, error: TooMuch) -> None:
        """Note that a report says more than one machine may."""
        self.refuse(arrival, error)
        self.too_much.append((arrival, order))

    def wait(self, arrival: Arrival, reason: str, seconds: float) -> None:
        """Note that a machine has used up its hour, so that its report has to wait."""
        self.problem(arrival, "report", "rate", reason)
        self.outcomes.append(
            Outcome(arrival.minion_id, "waiting", reason, wait_seconds=max(1.0, seconds))
        )

    def failed_collectors(self, arrival: Arrival) -> None:
        """Note the errors that a report tells of its own collectors, within the limits."""
        left = self.limits.max_error_bytes
        for collector, error in [*arrival.report["errors"].items()][: self.limits.max_errors]:
            message = beginning(f"{error.get('type')}: {error.get('message')}", left)
            left -= size_bytes(message)
            trace = beginning(str(error.get("traceback") or ""), left)
            left -= size_bytes(trace)
            self.problem(arrival, "collector", collector, message, trace)

    def problem(
        self, arrival: Arrival, kind: str, subject: str, message: str, trace: str = ""
    ) -> None:
        """Note something that an operator should know."""
        self.problems.append(
            Problem(kind, arrival.minion_id, subject, message, trace, arrival.received_at)
        )

    def costs(self, others: Mapping[str, Cost] = NOTHING) -> dict[str, Cost]:
        """Return, by minion id, what it costs to write these problems, beside other costs."""
        costs = dict(others)
        for one in self.problems:
            before = costs.get(one.minion_id, Cost(0, 0))
            text = sum(map(size_bytes, (one.subject, one.message, one.traceback)))
            costs[one.minion_id] = before._replace(bytes=before.bytes + ROW_BYTES + text)
        return costs

    def write(self, link: sa.Connection) -> None:
        """Close the problems that are over, then write the problems of this batch."""
        for step in self.steps():
            step(link)

    def steps(self) -> list[Callable[[sa.Connection], None]]:
        """
        Return what :meth:`write` does, if anything: each may have a transaction of its own.

        In one transaction two writers that close and record might wait for each other.
        """
        found: list[Callable[[sa.Connection], None]] = []
        if self.good:
            found.append(lambda link: close(link, self.good))
        if self.problems:
            found.append(lambda link: record(link, self.problems))
        return found

    def charge(self, link: sa.Connection) -> None:
        """Charge the machines for their problems; those of an hour used up are left out."""
        for minion_id, spent in charge(link, self.costs()).items():
            if reason := spent.over(self.limits):
                self._silence(minion_id, reason)

    def _silence(self, minion_id: str, reason: str) -> None:
        """Replace the problems of a machine by the one that it has used up its hour."""
        at = next(one.at for one in self.problems if one.minion_id == minion_id)
        self.problems = [one for one in self.problems if one.minion_id != minion_id]
        self.problems.append(Problem("report", minion_id, "rate", reason, "", at))
        self.good.pop(minion_id, None)
