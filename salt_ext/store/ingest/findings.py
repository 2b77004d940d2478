"""
What became of the reports of a batch, and what is wrong with them.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable

import sqlalchemy as sa

from salt_ext.report.checking import ReportError
from salt_ext.store.ingest.arrivals import Arrival, Outcome
from salt_ext.store.ingest.problems import Good, Problem, close, record
from salt_ext.words.visible import visible

log = logging.getLogger(__name__)

MOST_ERRORS = 100
"""At most so many errors of one report are kept; no machine has as many collectors."""


class Findings:
    """The outcomes and problems of a batch; :meth:`write` writes the problems at its end."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.outcomes: list[Outcome] = []
        self.problems: list[Problem] = []
        self.good: dict[str, Good] = {}
        """The stored reports, by minion id, that may show that a problem is over."""

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

    def failed_collectors(self, arrival: Arrival) -> None:
        """Note the errors that a report tells of its own collectors."""
        for collector, error in [*arrival.report["errors"].items()][:MOST_ERRORS]:
            if isinstance(collector, str) and isinstance(error, dict):
                message = f"{error.get('type')}: {error.get('message')}"
                trace = str(error.get("traceback") or "")
                self.problem(arrival, "collector", collector, message, trace)

    def problem(
        self, arrival: Arrival, kind: str, subject: str, message: str, trace: str = ""
    ) -> None:
        """Note something that an operator should know."""
        self.problems.append(
            Problem(kind, arrival.minion_id, subject, message, trace, arrival.received_at)
        )

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
