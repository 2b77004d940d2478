"""
What no event has told yet: revisions, problems, and how fresh assets are.

The store itself remembers what was told. So nothing is lost when a process ends,
and nothing is repeated when it starts again. The news of a report is told after
the report was committed, whichever way it came in.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa

from salt_ext.store.database import Database, Row, rows
from salt_ext.store.listening import became_silent
from salt_ext.store.reads.listing import freshness
from salt_ext.store.schema import asset, asset_seen

MOST = 1000
"""At most so many assets, and so many problems, in one call; the rest follows with the next."""

MOST_CHANGES = 100
"""At most so many changes of one asset are told; the others are only counted."""

OURS_FIRST_SECONDS = 60
"""A master waits so long before it tells news of a machine whose key it does not have."""

LOCK = 0x636D6E77


class News(NamedTuple):
    """
    Something to tell: ``asset`` is the id, or the minion id of a machine without an asset.

    ``about`` has the columns of :data:`ABOUT`, by which people know the asset.
    ``detail`` is what belongs to this ``kind`` of news. ``changes`` are rows, and
    ``more`` is the number of changes beyond :data:`MOST_CHANGES`.
    """

    kind: str
    asset: str
    at: datetime
    about: Mapping[str, Any]
    detail: Mapping[str, Any]
    changes: Sequence[Row] = ()
    more: int = 0


def tell(
    database: Database,
    say: Callable[[list[News]], object],
    ours: Callable[[], Collection[str]],
) -> int:
    """
    Call ``say`` with what is new, remember that it was told, and return how many news there were.

    When ``say`` raises, nothing is remembered as told. ``ours`` returns the minions
    whose keys this master has. News of other minions is left to other masters for
    :data:`OURS_FIRST_SECONDS`. While another process tells, 0 is returned.
    """
    with database.begin() as link:
        if not link.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(LOCK))):
            return 0
        assets = _assets(link, database.settings)
        problems = rows(link.execute(PROBLEMS, {"most": MOST}))
        if not assets and not problems:
            return 0
        names = ours()
        assets = [one for one in assets if _is_ours(one, names)]
        problems = [one for one in problems if _is_ours(one, names)]
        news = _news_of_assets(link, assets) + [_problem(one) for one in problems]
        say(news)
        if assets:
            link.execute(TOLD, _columns(assets, "asset_id", "revision", "freshness"))
        if problems:
            link.execute(TOLD_PROBLEM, _columns(problems, "id"))
        return len(news)


def _columns(found: list[Row], *names: str) -> dict[str, list[Any]]:
    return {name: [_plain(row[name]) for row in found] for name in names}


def _plain(value: Any) -> Any:
    """Return a value that psycopg2 can put into an array: a UUID as text."""
    return str(value) if isinstance(value, uuid.UUID) else value


def _is_ours(row: Row, names: Collection[str]) -> bool:
    return row["minion_id"] in names or row["is_due"]


def _assets(link: sa.Connection, settings: Mapping[str, Any]) -> list[Row]:
    """Return the assets with a revision or a freshness that was not told yet, the oldest first."""
    seen = asset_seen.c
    now = freshness(settings)
    told = sa.func.coalesce(seen.told_freshness, "fresh")
    at = sa.case((seen.revision > seen.told_revision, seen.changed_at), else_=seen.last_seen)
    found = rows(
        link.execute(
            sa.select(
                seen.asset_id,
                seen.revision,
                seen.told_revision,
                seen.last_seen,
                now.label("freshness"),
                told.label("told_freshness"),
                at.label("at"),
                sa.func.now().label("now"),
                *(asset.c[name] for name in ABOUT),
            )
            .join(asset, asset.c.id == seen.asset_id)
            .where(
                (seen.revision > seen.told_revision) | (seen.detached_at.is_(None) & (now != told))
            )
            .order_by(at, seen.asset_id)
            .limit(MOST)
        )
    )
    ages = {"stale": settings["stale_after"], "missing": settings["missing_after"]}
    silent = {
        one["asset_id"]: ages[one["freshness"]]
        for one in found
        if one["revision"] == one["told_revision"] and one["freshness"] in ages
    }
    since = became_silent(link, silent) if silent else {}
    for one in found:
        one["at"] = since.get(one["asset_id"], one["at"])
        one["is_due"] = one["at"] < one["now"] - timedelta(seconds=OURS_FIRST_SECONDS)
    return sorted(found, key=lambda one: (one["at"], one["asset_id"]))


ABOUT = ("minion_id", "sn", "hostname", "site", "rack", "product_name", "lifecycle")


def _news_of_assets(link: sa.Connection, assets: list[Row]) -> list[News]:
    changed = [one for one in assets if one["revision"] > one["told_revision"] > 0]
    changes: dict[uuid.UUID, list[Row]] = {}
    if changed:
        asked = _columns(changed, "asset_id", "told_revision", "revision")
        for row in rows(link.execute(CHANGES, {**asked, "most": MOST_CHANGES})):
            changes.setdefault(row["asset_id"], []).append(row)
    return [one for row in assets for one in _news(row, changes.get(row["asset_id"], []))]


def _news(row: Row, changes: list[Row]) -> list[News]:
    """Return what is new of one asset."""
    about = {name: row[name] for name in ABOUT}
    asset_id = str(row["asset_id"])
    found = []
    if row["told_revision"] == 0:
        found.append(News("new", asset_id, row["at"], about, {"revision": row["revision"]}))
    names = [one for one in changes if one["op"] == "renamed"]
    if names and names[0]["old"] != names[-1]["new"]:
        detail = {"old": names[0]["old"], "new": names[-1]["new"]}
        found.append(News("renamed", asset_id, row["at"], about, detail))
    others = [one for one in changes if one["op"] != "renamed"]
    if others:
        detail = {"revision": row["revision"]}
        more = changes[0]["total"] - len(changes)
        found.append(News("changed", asset_id, row["at"], about, detail, others, more))
    if row["freshness"] not in (row["told_freshness"], "detached"):
        kind = "returned" if row["freshness"] == "fresh" else row["freshness"]
        detail = {"was": row["told_freshness"], "last_seen": row["last_seen"]}
        found.append(News(kind, asset_id, row["at"], about, detail))
    return found


def _problem(row: Row) -> News:
    is_held = (row["kind"], row["subject"]) == ("identity", "held")
    return News(
        "held" if is_held else "problem",
        str(row["asset_id"] or row["minion_id"]),
        row["last_seen"],
        {name: row[name] for name in ABOUT},
        {
            "problem_id": row["id"],
            "problem": row["kind"],
            "subject": row["subject"],
            "message": row["message"],
        },
    )


# At most so many changes of one asset are read, however many there are.
CHANGES = sa.text("""
SELECT i.asset_id, c.revision, c.op, c.path, c.component, c.field, c.old, c.new, c.total
  FROM unnest(CAST(:asset_id AS uuid[]), CAST(:told_revision AS integer[]),
              CAST(:revision AS integer[])) AS i(asset_id, told, revision)
 CROSS JOIN LATERAL (
       SELECT change.*, count(*) OVER () AS total FROM change
        WHERE change.asset_id = i.asset_id
          AND change.revision > i.told AND change.revision <= i.revision
        ORDER BY change.revision, change.position LIMIT :most) AS c
""")

PROBLEMS = sa.text(f"""
SELECT problem.id, problem.minion_id, problem.kind, problem.subject, problem.message,
       problem.last_seen, problem.last_seen < now() - interval '{OURS_FIRST_SECONDS} seconds'
       AS is_due, asset.id AS asset_id,
       {", ".join(f"asset.{name}" for name in ABOUT if name != "minion_id")}
  FROM problem LEFT JOIN asset ON asset.minion_id = problem.minion_id
 WHERE NOT problem.told AND problem.closed_at IS NULL
 ORDER BY problem.last_seen LIMIT :most
""")  # noqa: S608 - constants of ours

# Rows are locked in the order of the names, the same order in which reports are stored.
TOLD = sa.text("""
WITH told AS (
SELECT seen.asset_id, i.revision, nullif(nullif(i.freshness, 'fresh'), 'detached') AS freshness
  FROM unnest(CAST(:asset_id AS uuid[]), CAST(:revision AS integer[]),
              CAST(:freshness AS text[])) AS i(asset_id, revision, freshness)
  JOIN asset_seen AS seen ON seen.asset_id = i.asset_id
  JOIN asset ON asset.id = i.asset_id
 ORDER BY asset.minion_id COLLATE "C", asset.id
   FOR UPDATE OF seen)
UPDATE asset_seen SET told_revision = told.revision, told_freshness = told.freshness
  FROM told WHERE asset_seen.asset_id = told.asset_id
""")

TOLD_PROBLEM = sa.text("""
WITH told AS (
SELECT id FROM problem WHERE id = ANY(CAST(:id AS uuid[]))
 ORDER BY minion_id COLLATE "C", kind COLLATE "C", subject COLLATE "C"
   FOR UPDATE)
UPDATE problem SET told = true FROM told WHERE problem.id = told.id
""")
