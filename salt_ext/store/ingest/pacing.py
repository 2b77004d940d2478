"""
How long each machine waits after a report, by the CPU time that the report took.
"""

from __future__ import annotations

from collections.abc import Mapping

from salt_ext.report.limits import PACE
from salt_ext.store.clock import now
from salt_ext.store.database import Database
from salt_ext.store.ingest.arrivals import Outcome
from salt_ext.store.ingest.problems import Problem, record

TOLD_SECONDS = 60
"""A machine that waits longer than this is told of."""


def paced(
    database: Database,
    outcomes: list[Outcome],
    own: Mapping[str, float],
    whole: float,
) -> list[Outcome]:
    """
    Return outcomes with the time for which each machine has to wait.

    ``own`` has, by minion id, the CPU time that was spent for its report alone,
    ``whole`` is that of the batch. What was spent for all is shared out in the same
    proportions. A machine that has to wait for more than a minute is told of.
    """
    if not own:
        return outcomes
    pace = PACE * max(1.0, whole / sum(own.values()))
    slow = {name: pace * seconds for name, seconds in own.items() if pace * seconds > TOLD_SECONDS}
    if slow:
        with database.begin() as link:
            at = now(link)
            told = (
                ("report", name, "pace", _sentence(wait), "", at) for name, wait in slow.items()
            )
            record(link, [Problem(*one) for one in told])
    return [
        one._replace(wait_seconds=max(one.wait_seconds, pace * own[one.minion_id]))
        if one.minion_id in own
        else one
        for one in outcomes
    ]


def _sentence(wait_seconds: float) -> str:
    return (
        f"its report took {wait_seconds / PACE:.1f} s of the master's time, so that the next one"
        f" is read in {wait_seconds / 60:.0f} minutes at the earliest"
    )
