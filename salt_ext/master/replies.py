"""
What the engine answers machines about their reports.

A machine that reports under a new name has to know when the master knows it by that name,
and one whose report was held or refused has a log in which somebody may look for the
reason. Most reports need no answer.

An answer is the job ``cmdb.answered``, published to a list of minions: nobody but the
master can publish it. Every minion can read what is published, so an answer says what
became of a report, whose moment it names, and the name that the machine itself is stored
under. It has no reasons, no keys and no names of other machines.
"""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

import salt.client

from salt_ext import store
from salt_ext.report.storable import TIME

FUNCTION = "cmdb.answered"
MODES = ("agent", "salt")
"""The modes of reports that the extension on a minion sent; nobody else has the function."""

STORED = ("new", "changed", "unchanged")

AGAIN_SECONDS = 600
"""The same answer is given again after this time, to a machine that still waits for it."""

SOONEST_SECONDS = 60
"""Between two answers to one machine: each goes to the whole fleet."""

PAUSE_SECONDS = 1
"""Between two rounds of answers; whoever has to wait is answered in the next round."""

MOST_IN_JOB = 200
"""Machines that one job answers: a job is sent to every minion, and is small."""

PUBLISH_TIMEOUT_SECONDS = 5

MOST_MACHINES = 10_000
"""Of so many machines it is known what they were answered; the longest known are forgotten."""


class Answer(NamedTuple):
    """
    What became of a report: stored, held, refused or waiting.

    ``name`` is the name that the machine is stored under by it, blank for none.
    """

    status: str
    name: str


class Replies:
    """The answers that machines wait for, and those that were given."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with nothing; ``clock`` returns seconds."""
        self.clock = clock
        self.waiting: dict[str, tuple[Answer, str]] = {}
        """By minion id: the answer, and the moment of the report."""
        self._given: dict[str, tuple[Answer, float]] = {}
        self._not_before = -math.inf

    def note(
        self,
        reports: Iterable[tuple[str, Any, float]],
        outcomes: Iterable[store.Outcome],
    ) -> None:
        """Note what became of reports, and whom that has to be told."""
        became = {one.minion_id: one for one in outcomes}
        for minion_id, report, _ in reports:
            if minion_id in became and _can_hear(report):
                self._note(minion_id, report, became[minion_id])

    def _note(self, minion_id: str, report: Mapping[str, Any], outcome: store.Outcome) -> None:
        # The answer to an earlier report would be of no use to the machine.
        self.waiting.pop(minion_id, None)
        answer = _answer(outcome)
        if answer is None:
            return
        asks = bool(report.get("previous_minion_id"))
        given, at = self._given.get(minion_id, (Answer("stored", minion_id), -math.inf))
        if answer != given or (asks and self.clock() - at >= AGAIN_SECONDS):
            self.waiting[minion_id] = (answer, report["collected_at"])
        _shorten(self.waiting)

    def due(self) -> dict[str, dict[str, str]]:
        """Return the answers that can be given now: by minion id, as the machine gets it."""
        now = self.clock()
        if now < self._not_before:
            return {}
        return {
            minion_id: {**answer._asdict(), "collected_at": moment}
            for minion_id, (answer, moment) in self.waiting.items()
            if minion_id not in self._given or now - self._given[minion_id][1] >= SOONEST_SECONDS
        }

    def given(self, minion_ids: Iterable[str]) -> None:
        """Note that these machines were given the answers that waited for them."""
        now = self.clock()
        for minion_id in minion_ids:
            answer, _ = self.waiting.pop(minion_id)
            self._given.pop(minion_id, None)
            self._given[minion_id] = (answer, now)
        self._not_before = now + PAUSE_SECONDS
        _shorten(self._given)


def send(replies: Replies, opts: Mapping[str, Any]) -> None:
    """Publish the answers that are due; raises what Salt raises, and they stay due."""
    due = replies.due()
    names = iter(due)
    while some := [*itertools.islice(names, MOST_IN_JOB)]:
        with salt.client.get_local_client(mopts=opts) as client:
            answers = {name: due[name] for name in some}
            client.run_job(
                some, FUNCTION, arg=[answers], tgt_type="list", timeout=PUBLISH_TIMEOUT_SECONDS
            )
        replies.given(some)


def _answer(outcome: store.Outcome) -> Answer | None:
    """Return the answer; None about an old report, which says nothing of the present name."""
    if outcome.status not in STORED:
        return Answer(outcome.status, "")
    name = outcome.minion_id if outcome.name is None else outcome.name
    return Answer("stored", name) if name and outcome.asset_id is not None else None


def _can_hear(report: Any) -> bool:
    """Whether the machine has the function, and its report a moment by which it knows it."""
    # The first edition had neither the function nor this field.
    if not isinstance(report, dict) or "secret_hash" not in report:
        return False
    moment = report.get("collected_at")
    return report.get("mode") in MODES and isinstance(moment, str) and bool(TIME(moment))


def _shorten(known: dict[str, Any]) -> None:
    """Forget the oldest of too many machines."""
    while len(known) > MOST_MACHINES:
        del known[next(iter(known))]
