"""
Ask minions over Salt's own channel: publish ``cmdb.collect``, take the reports from the cache.

Any accepted minion can forge a return, so a return is only a hint to look: the
report is what the master's cache then has of that minion. At most a batch of
minions is asked at a time. When some have answered, the next ones are asked; a
minion that is down takes one place until its timeout and delays no other.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any

import salt.client
import salt.config
import salt.utils.event
import salt.utils.minions
from salt.exceptions import SaltClientError, SaltReqTimeoutError

from salt_ext import store
from salt_ext.collect.modes import Answer, Plan, Request, Unavailable, in_order, size_of
from salt_ext.master.cache import Cache
from salt_ext.master.feed import Feed, Unreadable
from salt_ext.report.sources import OF_GRAINS
from salt_ext.words.nearest import unknown

FUNCTION = "cmdb.collect"
TARGET_TYPES = (
    *("compound", "glob", "grain", "grain_pcre", "ipcidr", "list", "nodegroup", "pcre"),
    *("pillar", "pillar_exact", "pillar_pcre", "range"),
)
LOOK_SECONDS = 0.5
"""How long to wait for an event before the next look at timeouts and the cache."""
GRACE_SECONDS = 1.0
"""How long after the return of a minion its report may still appear in the cache."""


def plan(opts: Mapping[str, Any], request: Request) -> Plan:
    """Plan to ask the minions that a target means to ``salt``. Raises FilterError."""
    if request.tgt_type not in TARGET_TYPES:
        raise store.FilterError(unknown("tgt_type", request.tgt_type, TARGET_TYPES))
    # Not greedy: a minion of which no grains are known does not match a grain.
    found = salt.utils.minions.CkMinions(opts).check_minions(
        request.tgt, request.tgt_type, greedy=False
    )
    missing = set(found.get("missing") or ()) if request.tgt_type == "list" else set()
    names = in_order(request, {*found["minions"], *missing})
    return Plan(names, _ask(opts, request, names, missing), is_cached=True)


def _explained(opts: Mapping[str, Any], answer: Answer) -> Answer:
    """Add that a machine is a syndic, which Salt notes when it has returned something."""
    if not (Path(opts["cachedir"]) / "syndics" / answer.minion_id).is_file():
        return answer
    where = "it is a syndic: what is below it reports to its own master; ask there"
    return answer._replace(reason=f"{answer.reason}; {where}")


class _Asked:
    """The minions that were asked and have not answered yet."""

    def __init__(self, timeout_seconds: int) -> None:
        self.timeout_seconds = timeout_seconds
        self.since: dict[str, int] = {}
        self.until: dict[str, float] = {}
        self.said: dict[str, str] = {}

    def add(self, names: list[str]) -> None:
        """Note the minions that are about to be asked, in whole seconds as in the cache."""
        self.since.update(dict.fromkeys(names, math.floor(time.time())))
        self.until.update(dict.fromkeys(names, time.monotonic() + self.timeout_seconds))

    def heard(self, returns: Mapping[str, Any]) -> None:
        """Note the minions that returned: from now on only their reports are waited for."""
        for name in returns.keys() & self.since.keys():
            self.said[name] = _reason(name, returns[name])
            self.until[name] = min(self.until[name], time.monotonic() + GRACE_SECONDS)

    def overdue(self) -> list[str]:
        now = time.monotonic()
        return [name for name, until in self.until.items() if until <= now]

    def answered(self, found: list[tuple[str, Any, float]]) -> list[Answer]:
        """Return an answer for each report that was sent because we asked."""
        answers = []
        for name, report, at in found:
            if isinstance(report, Unreadable):
                self.said[name] = str(report)
            # Grains are in the cache without being asked for. What is no report at all
            # is refused by the store, which tells why.
            elif at >= self.since[name] and not _is_of_grains(report):
                answers.append(Answer(name, report, at))
                self.forget(name)
        return answers

    def given_up(self, name: str) -> Answer:
        reason = self.said.get(name) or f"did not answer within {self.timeout_seconds} s"
        self.forget(name)
        return Answer(name, None, time.time(), reason)

    def forget(self, name: str) -> None:
        del self.since[name], self.until[name]
        self.said.pop(name, None)


def _is_of_grains(report: Any) -> bool:
    return isinstance(report, dict) and report.get("mode") in OF_GRAINS


def _ask(
    opts: Mapping[str, Any], request: Request, names: list[str], missing: set[str]
) -> Generator[Answer, None, None]:
    for name in sorted(missing):
        yield Answer(name, None, time.time(), "has no accepted key on this master")
    waiting = deque(name for name in names if name not in missing)
    size = size_of(request.batch, len(waiting))
    asked = _Asked(request.timeout_seconds)
    found: list[tuple[str, Any, float]] = []
    feed = Feed(Cache(opts), found.extend, size)
    jobs: set[str] = set()
    with (
        salt.utils.event.get_master_event(opts, opts["sock_dir"], listen=True) as bus,
        salt.client.get_local_client(mopts=_of_its_user(opts)) as client,
    ):
        while (waiting or asked.since) and not request.is_over():
            free = min(len(waiting), size - len(asked.since))
            # Not one by one: each publication goes to all minions.
            if free and free >= min(len(waiting), max(1, size // 4)):
                batch = [waiting.popleft() for _ in range(free)]
                asked.add(batch)
                jobs.add(_publish(client, batch, request.timeout_seconds))
            returns = _returns(bus, jobs)
            asked.heard(returns)
            overdue = asked.overdue()
            feed.look([*(returns.keys() & asked.since.keys()), *overdue])
            feed.drain()
            yield from asked.answered(found)
            found.clear()
            for name in overdue:
                if name in asked.since:
                    yield _explained(opts, asked.given_up(name))


def _of_its_user(opts: Mapping[str, Any]) -> dict[str, Any]:
    """
    Return the options with the user of the master, whose key its clients show.

    An orchestration has put who started it in this place: ``Reactor`` has no key.
    """
    return {**opts, "user": salt.config.master_config(opts["conf_file"])["user"]}


def _publish(client: Any, names: list[str], timeout_seconds: int) -> str:
    """Ask minions; return the id of the job. Raises :class:`Unavailable`."""
    try:
        job = client.run_job(names, FUNCTION, tgt_type="list", timeout=timeout_seconds)
    except (SaltClientError, SaltReqTimeoutError) as error:
        raise Unavailable(f"the minions cannot be asked: {error}", "start the master") from error
    return str(job.get("jid"))


def _returns(bus: Any, jobs: set[str]) -> dict[str, Any]:
    """Return by minion id what was returned for our jobs; wait LOOK_SECONDS for the first."""
    returns = {}
    event = bus.get_event(wait=LOOK_SECONDS, tag="salt/job/", full=True)
    while event is not None:
        parts = str(event.get("tag")).split("/")
        if len(parts) == 5 and parts[2] in jobs and parts[3] == "ret":
            returns[parts[4]] = event.get("data")
        event = bus.get_event(tag="salt/job/", full=True, no_block=True)
    return returns


def _reason(name: str, data: Any) -> str:
    """Return why a minion that has returned may have sent no report."""
    value = data.get("return") if isinstance(data, dict) else None
    if isinstance(value, dict) and value.get("sent"):
        return "says that it has sent its report, which is not in the master's cache"
    text = " ".join(str("" if value is None else value).split())[:300]
    if f"{FUNCTION}' is not available" in text:
        return f"has no salt-cmdb; install it: salt {name} state.apply cmdb"
    return text.removeprefix("ERROR: ") or "returned nothing"
