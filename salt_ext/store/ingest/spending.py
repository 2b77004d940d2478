"""
What the reports of each machine have cost in this hour, and when one has to wait.

The hour of a machine begins with the first report that costs something, by the
clock of the store. It is kept by the minion id that reports and not by the asset: a
minion that makes a new asset with each report pays for all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from salt_ext.report.limits import Limits
from salt_ext.store import bulk
from salt_ext.words.times import timestamp

ROW_BYTES = 300
"""What a row takes beside its texts and with its entries in indexes, about."""


class Cost(NamedTuple):
    """What one report writes: rows of history, and bytes of all kinds."""

    changes: int
    bytes: int


class Spent(NamedTuple):
    """What the reports of a machine have cost since its hour began, and for how long that goes."""

    since: datetime
    changes: int
    bytes: int
    seconds_left: float

    def over(self, limits: Limits) -> str | None:
        """Return which limit is used up, in words; None while none is."""
        used = [
            f"{value} {words} ({name} is {most})"
            for value, words, name, most in (
                (self.changes, "rows of history", "changes_per_hour", limits.changes_per_hour),
                (self.bytes, "bytes", "bytes_per_hour", limits.bytes_per_hour),
            )
            if value >= most
        ]
        if not used:
            return None
        minutes = -int(-self.seconds_left // 60)
        return (
            f"since {timestamp(self.since)} its reports have written {' and '.join(used)};"
            f" the latest waits, and is stored in {minutes} minutes"
        )


IN_ITS_HOUR = "spent.since > now() - interval '1 hour' AND spent.since <= now()"
"""SQL: whether a row of ``spent`` is of the present hour, and not of a clock that ran ahead."""

SECONDS_LEFT = "extract(epoch FROM spent.since + interval '1 hour' - now())"

CHARGE = bulk.Prepared(f"""
INSERT INTO spent (minion_id, since, changes, bytes)
SELECT minion_id, now(), changes, bytes
  FROM unnest(CAST(:minion_ids AS text[]), CAST(:changes AS integer[]), CAST(:bytes AS bigint[]))
       AS i(minion_id, changes, bytes)
    ON CONFLICT (minion_id) DO UPDATE
   SET since = CASE WHEN {IN_ITS_HOUR} THEN spent.since ELSE excluded.since END,
       changes = excluded.changes + CASE WHEN {IN_ITS_HOUR} THEN spent.changes ELSE 0 END,
       bytes = excluded.bytes + CASE WHEN {IN_ITS_HOUR} THEN spent.bytes ELSE 0 END
RETURNING minion_id, since, changes, bytes, {SECONDS_LEFT} AS seconds_left
""")  # noqa: S608 - constants of ours


SPENT = bulk.OneByOne(f"""
SELECT minion_id, since, changes, bytes, {SECONDS_LEFT} AS seconds_left
  FROM spent WHERE minion_id = ANY(CAST(:minion_ids AS text[])) AND {IN_ITS_HOUR}
""")  # noqa: S608 - constants of ours


def spent(link: sa.Connection, minion_ids: Iterable[str]) -> dict[str, Spent]:
    """Return what the reports of these machines have cost in this hour, where it is anything."""
    rows = SPENT(link, {"minion_ids": bulk.array(minion_ids)})
    return {row.minion_id: _spent(row) for row in rows}


def charge(link: sa.Connection, costs: Mapping[str, Cost]) -> dict[str, Spent]:
    """Add to what machines have spent, by minion id; return what each has spent now."""
    if not costs:
        return {}
    # In one order, so that two writers do not wait for each other.
    names = sorted(costs)
    rows = CHARGE(
        link,
        {
            "minion_ids": bulk.array(names),
            "changes": bulk.array(costs[name].changes for name in names),
            "bytes": bulk.array(costs[name].bytes for name in names),
        },
    )
    return {row.minion_id: _spent(row) for row in rows}


def _spent(row: Any) -> Spent:
    return Spent(row.since, row.changes, row.bytes, float(row.seconds_left))
