"""
The checks of what machines send: what waits in the master's cache, what is refused, what is held.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from salt_ext import store
from salt_ext.commands.doctor.check import FAIL, NAMED, OK, WARN, Check, ago, some
from salt_ext.master.feed import Source, Unreadable

LAG_SWEEPS = 5
"""A report that waits no longer than this many looks through the cache is on its way."""

LEAST_LAG_SECONDS = 30
LONG_LAG_SECONDS = 300
MOST_READ = 1000
"""At most so many entries of the cache are read to find out whether a report waits in them."""


class Kind(NamedTuple):
    """How a kind of problem is told."""

    check: str
    said: str
    hint: str


KINDS = {
    "held": Kind(
        "held",
        "reports are held, because it cannot be told whose they are",
        "a person decides: salt-run cmdb.quarantine",
    ),
    "report": Kind(
        "reports",
        "machines have reports that are refused, set aside or late",
        "salt-run cmdb.errors says why, and what to do",
    ),
    "identity": Kind(
        "identity",
        "machines show what another one shows too",
        "salt-run cmdb.errors says which, salt-run cmdb.duplicates all of them",
    ),
    "cloud": Kind(
        "clouds",
        "masters could not list all instances of a cloud, and compared nothing",
        "salt-run cmdb.errors kind=cloud says which and why",
    ),
    "engine": Kind(
        "faults",
        "masters have met a fault in salt-cmdb",
        "salt-run cmdb.errors has the traceback; please report it",
    ),
    "sweep": Kind(
        "set aside",
        "machines have what the engine cannot work on; the others go on",
        "salt-run cmdb.errors kind=sweep has the traceback; please report it",
    ),
}
"""By kind of problem; another kind is told by its own name."""


class Cached(NamedTuple):
    """What the cache has and the store does not."""

    waiting: dict[str, float]
    """By minion id: when the report that waits was written, seconds since the epoch."""
    unreadable: dict[str, str]
    """By minion id: why its entry cannot be read, and what to do."""
    unclear: list[str]
    """Those that the store has of a time that is still to come."""


def cached(
    source: Source,
    positions: Mapping[str, float],
    silent_seconds: float,
    now: float,
) -> Cached:
    """
    Compare the cache of this master with the store.

    ``positions`` is by minion id when its last stored report was written. What is old is
    read too: a damaged entry lets nothing newer in.
    """
    versions = source.versions()
    suspects = {
        minion_id: version
        for minion_id, version in versions.items()
        if max(version) > positions.get(minion_id, 0) or max(version) < now - silent_seconds
    }
    found = Cached({}, {}, sorted(one for one in versions if positions.get(one, 0) > now + 1))
    # The oldest first: who waits longest counts.
    for number, minion_id in enumerate(sorted(suspects, key=lambda one: max(suspects[one]))):
        version = suspects[minion_id]
        if number >= MOST_READ:
            if max(version) > positions.get(minion_id, 0):
                found.waiting[minion_id] = max(version)
            continue
        try:
            entry = source.report(minion_id, version)
        except Unreadable as error:
            found.unreadable[minion_id] = str(error)
            continue
        if entry is None or entry[1] <= positions.get(minion_id, 0):
            continue
        found.waiting[minion_id] = entry[1]
    return found


def not_overtaken(found: Cached, elsewhere: Mapping[str, float]) -> Cached:
    """
    Leave out what another master has overtaken: a machine reports to both, or moved there.

    ``elsewhere`` is by minion id when another master heard it last.
    """
    left = {name: at for name, at in found.waiting.items() if at > elsewhere.get(name, 0)}
    return found._replace(waiting=left)


def lag(found: Cached, troubled: Collection[str], sweep_seconds: float, now: float) -> Check:
    """
    Check how long reports have waited in the cache.

    Those of ``troubled`` machines do not count: why they wait is a problem of their own.
    """
    waiting = {name: at for name, at in found.waiting.items() if name not in troubled}
    names = sorted(waiting, key=lambda name: waiting[name])
    age = max(0, now - waiting[names[0]]) if names else 0
    said = f"{len(names)} reports wait in the cache, the oldest for {ago(age)}"
    if age > max(LEAST_LAG_SECONDS, LAG_SWEEPS * sweep_seconds):
        return Check(
            "lag",
            FAIL if age > max(LONG_LAG_SECONDS, 4 * LAG_SWEEPS * sweep_seconds) else WARN,
            f"{said}: {some(names)}",
            "the check of the engine says why; salt-run cmdb.sync stores them now",
        )
    if found.unclear:
        return Check(
            "lag",
            WARN,
            f"of {len(found.unclear)} machines the store has a report of a time to come, so whether"
            f" a newer one waits is not known: {some(found.unclear)}",
            "this master's clock was ahead when it came; salt-run cmdb.sync stores what is newer",
        )
    return Check("lag", OK, said if names else "no report waits in the cache")


def damaged(found: Cached) -> Check:
    """Check that every entry of the cache that was looked at can be read."""
    if not found.unreadable:
        return Check("cache", OK, "what was looked at can be read")
    first = min(found.unreadable)
    return Check(
        "cache",
        FAIL,
        f"of {len(found.unreadable)} machines the entry cannot be read: "
        + some(sorted(found.unreadable)),
        found.unreadable[first],
    )


def attention(rows: Iterable[Mapping[str, Any]]) -> list[Check]:
    """Check what waits for a person: a line for each kind of open problem that matters."""
    found = list(rows)
    checks = [_problem(row) for row in found if row["kind"] not in store.OWN_BUSINESS]
    if checks:
        return checks
    beside = [f"; {row['machines']} machines have a {row['kind']} problem" for row in found]
    return [Check("problems", OK, "".join(["no report is refused or held", *beside]))]


def _problem(row: Mapping[str, Any]) -> Check:
    name = str(row["kind"])
    kind = KINDS.get(
        name, Kind(name, f"machines have such a problem ({name})", "salt-run cmdb.errors")
    )
    number = int(row["machines"])
    return Check(kind.check, WARN, f"{number} {kind.said}: {some(row['names'], number)}", kind.hint)


def machines(accepted: set[str], missing: Collection[str]) -> Check:
    """Check that every minion with an accepted key has an asset; ``missing`` have none."""
    if not missing:
        return Check("machines", OK, f"all {len(accepted)} accepted keys have an asset")
    names = sorted(missing)
    return Check(
        "machines",
        WARN,
        f"{len(names)} of {len(accepted)} accepted keys have no asset: {some(names)}",
        f"salt -L {','.join(names[:NAMED])} cmdb.collect; if held or refused: cmdb.errors",
    )


def waiting(unstored: Sequence[str], inbox: int) -> Check:
    """Check that no kept results of salt-ssh and no reports in the inbox wait."""
    parts = []
    if unstored:
        parts.append(f"{len(unstored)} results of salt-ssh ({some(unstored)})")
    if inbox:
        parts.append(f"{inbox} reports in the inbox")
    if not parts:
        return Check("waiting", OK, "nothing waits to be stored")
    return Check("waiting", WARN, f"not stored yet: {' and '.join(parts)}", "salt-run cmdb.sync")
