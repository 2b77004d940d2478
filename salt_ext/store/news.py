"""
What no event has told yet: revisions, losses, problems, decisions of people, how fresh assets are.

The store itself remembers what was told. So nothing is lost when a process ends,
and nothing is repeated when it starts again. The news of a report is told after
the report was committed, whichever way it came in.
"""

from __future__ import annotations

import contextlib
import uuid
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa

from salt_ext.store import deliveries, share
from salt_ext.store.database import Database, Row, rows
from salt_ext.store.errors import FilterError
from salt_ext.store.identity.locking import lock_assets
from salt_ext.store.ingest.problems import lock_problems
from salt_ext.store.listening import became_silent
from salt_ext.store.losses import LOCK
from salt_ext.store.reads.filters import matching_ids
from salt_ext.store.reads.listing import freshness
from salt_ext.store.schema import asset, asset_seen, asset_was

MOST = 1000
"""At most so many assets, losses, decisions and problems in one call each; others follow."""

MOST_CHANGES = 100
"""At most so many changes of one asset are told; the others are only counted."""

SEVERAL = 10
"""More problems of one kind and one machine that are told at once share an event."""

OURS_FIRST_SECONDS = 60
"""A master waits so long before it tells news of a machine whose key it does not have."""


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


class Subscriber(NamedTuple):
    """A webhook, as far as the store knows it; each condition without a value fits all."""

    name: str
    events: Callable[[list[News]], Iterable[tuple[str, dict[str, Any]]]]
    """Makes of news the events that it is to have, each with its tag and its data."""
    filters: Mapping[str, Any] = {}
    """Which assets it is told of, as they are now: filters of the asset list."""
    classes: Collection[str] = ()
    """The classes of the changes that it is told of."""
    sections: Collection[str] = ()
    """Their sections, or paths such as ``memory.devices``."""
    fields: Collection[str] = ()
    """Their fields by the whole path, such as ``disks.firmware_version``."""


def tell(
    database: Database,
    say: Callable[[list[News]], object],
    ours: Callable[[], Collection[str]],
    subscribers: Iterable[Subscriber] = (),
    master: str = "",
) -> int:
    """
    Call ``say`` with what is new, remember that it was told, and return how many news there were.

    When ``say`` raises, nothing is remembered as told. ``ours`` returns the minions
    whose keys this master has. News of other minions is left to other masters for
    :data:`OURS_FIRST_SECONDS`. While another process tells, 0 is returned. News of a machine
    that has had its share stay untold for now: see :mod:`salt_ext.store.share`.

    What ``subscribers`` are to have waits for them from the same moment on. When it cannot be
    told what that is, a problem of ``master`` says so.
    """
    with database.begin() as link:
        if not link.scalar(sa.select(sa.func.pg_try_advisory_xact_lock(LOCK))):
            return 0
        resting = share.resting(link)
        assets = _assets(link, database.settings, resting)
        decisions = rows(link.execute(DECISIONS, {"most": MOST}))
        of_machines = {"resting": resting, "not_theirs": [*share.NO_MACHINES_KINDS]}
        problems = rows(link.execute(PROBLEMS, {"most": MOST, **of_machines}))
        losses = rows(link.execute(LOSSES, {"most": MOST, "resting": resting}))
        if not assets and not decisions and not problems and not losses:
            return 0
        names = ours()
        assets, decisions, problems, losses = (
            [one for one in found if _is_ours(one, names)]
            for found in (assets, decisions, problems, losses)
        )
        news = _news_of_assets(link, assets)
        news += [_loss(one) for one in losses]
        news += [_decision(one) for one in decisions if one["asset_id"] is not None]
        wrong = _in_groups(problems)
        news += [_problem(one) for one in wrong]
        for one in subscribers:
            try:
                wanted = _news_for(one, link, database, assets, news)
            except FilterError as error:
                why = f"the filters of the webhook {one.name}: {error}; it gets no events"
                deliveries.complain(link, one.name, why, master)
            else:
                deliveries.put(link, one.name, [*one.events(wanted)], master)
        say(news)
        if assets:
            lock_assets(link, (one["asset_id"] for one in assets))
            link.execute(TOLD, _columns(assets, "asset_id", "revision", "freshness"))
        if losses:
            link.execute(TOLD_LOSS, _columns(losses, "asset_id", "revision", "position"))
        if decisions:
            link.execute(TOLD_DECISION, _columns(decisions, "id"))
        if problems:
            lock_problems(link, (one["id"] for one in problems))
            link.execute(TOLD_PROBLEM, _columns(problems, "id"))
        wrong = [one for one in wrong if one["kind"] not in share.NO_MACHINES_KINDS]
        told = Counter(one["machine"] for one in [*assets, *losses, *wrong] if one["machine"])
        share.charge(link, told)
        return len(news)


def _columns(found: list[Row], *names: str) -> dict[str, list[Any]]:
    return {name: [_plain(row[name]) for row in found] for name in names}


def _plain(value: Any) -> Any:
    """Return a value that psycopg2 can put into an array: a UUID as text."""
    return str(value) if isinstance(value, uuid.UUID) else value


def _is_ours(row: Row, names: Collection[str]) -> bool:
    return row["minion_id"] in names or row["is_due"]


def _assets(
    link: sa.Connection, settings: Mapping[str, Any], resting: Collection[str]
) -> list[Row]:
    """
    Return the assets with a revision or a freshness that was not told yet, the oldest first.

    ``machine`` is the minion id, also of an asset that has lost it: a machine that shows
    other hardware with each report has the news of all of it. It is empty where lists say all.
    """
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
                MACHINE.label("machine"),
                sa.func.now().label("now"),
                *(asset.c[name] for name in ABOUT),
            )
            .join(asset, asset.c.id == seen.asset_id)
            .where(
                (seen.revision > seen.told_revision) | (seen.detached_at.is_(None) & (now != told))
            )
            .where(MACHINE.not_in(resting) if resting else sa.true())
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


MACHINE = sa.func.coalesce(
    asset.c.minion_id,
    sa.select(asset_was.c.minion_id)
    .where(asset_was.c.asset_id == asset_seen.c.asset_id, asset_was.c.minion_id.is_not(None))
    .order_by(asset_was.c.until.desc())
    .limit(1)
    .correlate(asset_seen)
    .scalar_subquery(),
    "",
)

ABOUT = ("minion_id", "sn", "hostname", "site", "rack", "product_name", "lifecycle")


def _news_of_assets(
    link: sa.Connection,
    assets: list[Row],
    classes: Collection[str] = (),
    sections: Collection[str] = (),
    fields: Collection[str] = (),
) -> list[News]:
    changed = [one for one in assets if one["revision"] > one["told_revision"] > 0]
    changes: dict[uuid.UUID, list[Row]] = {}
    if changed:
        asked = _columns(changed, "asset_id", "told_revision", "revision")
        asked |= {"classes": [*classes], "sections": [*sections], "fields": [*fields]}
        for row in rows(link.execute(CHANGES, {**asked, "most": MOST_CHANGES})):
            changes.setdefault(row["asset_id"], []).append(row)
    return [one for row in assets for one in _news(row, changes.get(row["asset_id"], []))]


def _news_for(
    subscriber: Subscriber,
    link: sa.Connection,
    database: Database,
    assets: list[Row],
    news: list[News],
) -> list[News]:
    """Return what of the news a webhook is to have. Raises :class:`FilterError`."""
    if subscriber.filters:
        statement = matching_ids(database, subscriber.filters)
        of_news = statement.where(statement.selected_columns[0].in_(_assets_of(news)))
        fitting = {str(one) for one in link.scalars(of_news)}
        assets = [row for row in assets if str(row["asset_id"]) in fitting]
        news = [one for one in news if one.asset in fitting]
    conditions = subscriber.classes, subscriber.sections, subscriber.fields
    if not any(conditions):
        return news
    # Read anew: of many changes those that fit may be beyond the ones that were read.
    fits = {one.asset: one for one in _news_of_assets(link, assets, *conditions) if one.changes}
    told = (fits.get(one.asset) if one.kind == "changed" else one for one in news)
    return [one for one in told if one is not None and _fits(subscriber, one)]


def _fits(subscriber: Subscriber, one: News) -> bool:
    """Whether a loss fits the conditions of a webhook, as :data:`CHANGES` has them."""
    if one.kind not in OF_LOSSES:
        return True
    [row] = one.changes
    path = ".".join(filter(None, (row["path"], row["field"])))
    return (
        row["class"] in (subscriber.classes or [row["class"]])
        and _is_below(row["path"], subscriber.sections)
        and _is_below(path, subscriber.fields)
    )


def _is_below(path: str, wanted: Collection[str]) -> bool:
    return not wanted or any(f"{path}.".startswith(f"{one}.") for one in wanted)


def _assets_of(news: list[News]) -> set[uuid.UUID]:
    """Return the ids of the assets that news are of; some are of a machine without an asset."""
    found = set()
    for one in news:
        with contextlib.suppress(ValueError):
            found.add(uuid.UUID(one.asset))
    return found


def _ends_instance(change: Row) -> bool:
    """Whether by this change a cloud tells that an instance is no more, be it the first word."""
    if change["path"] == "instance":
        return isinstance(change["new"], dict) and change["new"].get("state") == "deleted"
    return (change["path"], change["new"]) == ("instance.state", "deleted")


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
    gone = [one for one in others if _ends_instance(one)]
    if gone:
        detail = {"revision": row["revision"], "was": gone[-1]["old"]}
        found.append(News("deleted", asset_id, row["at"], about, detail))
    if row["freshness"] not in (row["told_freshness"], "detached"):
        kind = "returned" if row["freshness"] == "fresh" else row["freshness"]
        detail = {"was": row["told_freshness"], "last_seen": row["last_seen"]}
        found.append(News(kind, asset_id, row["at"], about, detail))
    return found


OF_LOSSES = ("lost", "found")


def _loss(row: Row) -> News:
    """Return that a part is lost, or found again; its one change is that which told of the loss."""
    detail = {name: row[name] for name in ("revision", "lost_at", "confirmed_at")}
    if row["kind"] == "found":
        detail |= {"ending": row["ending"]}
    about = {name: row[name] for name in ABOUT}
    return News(row["kind"], str(row["asset_id"]), row["at"], about, detail, [row])


def _decision(row: Row) -> News:
    """Return what a person decided about an asset's stage of life, or how it was installed."""
    evidence = row["evidence"]
    if row["action"] == "installed":
        detail = {"installation": evidence["installation"], "profile": row["profile"]}
        detail |= {"differences": row["differences"] or []}
    else:
        detail = {"old": evidence["old"], "new": evidence["new"]}
        detail |= {"by": row["decided_by"], "reason": row["reason"]}
    about = {name: row[name] for name in ABOUT}
    return News(row["action"], str(row["asset_id"]), row["at"], about, detail)


def _in_groups(problems: list[Row]) -> list[Row]:
    """Return problems with ``more``, 0; of many of one machine and kind the last, with how many."""
    groups: dict[Any, list[Row]] = {}
    for one in problems:
        groups.setdefault((one["machine"], one["kind"], _is_held(one)), []).append(one)
    return [
        {**one, "more": len(group) - len(shown)}
        for group in groups.values()
        for shown in [group if len(group) <= SEVERAL else group[-1:]]
        for one in shown
    ]


def _is_held(row: Row) -> bool:
    return (row["kind"], row["subject"]) == ("identity", "held")


def _problem(row: Row) -> News:
    return News(
        "held" if _is_held(row) else "problem",
        str(row["asset_id"] or row["minion_id"]),
        row["last_seen"],
        {name: row[name] for name in ABOUT},
        {
            "problem_id": row["id"],
            "problem": row["kind"],
            "subject": row["subject"],
            "message": row["message"],
            "more": row["more"],
        },
    )


# At most so many changes of one asset are read, however many there are.
CHANGES = sa.text("""
SELECT asset_id, revision, op, path, component, field, old, new, class, total
  FROM (SELECT change.*, count(*) OVER (PARTITION BY change.asset_id) AS total,
               row_number() OVER (PARTITION BY change.asset_id
                                  ORDER BY change.revision, change.position) AS number
          FROM unnest(CAST(:asset_id AS uuid[]), CAST(:told_revision AS integer[]),
                      CAST(:revision AS integer[])) AS i(asset_id, told, revision)
          JOIN change ON change.asset_id = i.asset_id
           AND change.revision > i.told AND change.revision <= i.revision
         WHERE (CAST(:classes AS text[]) = '{}'
                OR CAST(change.class AS text) = ANY(CAST(:classes AS text[])))
           AND (CAST(:sections AS text[]) = '{}'
                OR EXISTS (SELECT FROM unnest(CAST(:sections AS text[])) AS s(path)
                            WHERE starts_with(change.path || '.', s.path || '.')))
           AND (CAST(:fields AS text[]) = '{}'
                OR EXISTS (SELECT FROM unnest(CAST(:fields AS text[])) AS f(path)
                            WHERE starts_with(concat_ws('.', change.path, change.field) || '.',
                                              f.path || '.')))) AS c
 WHERE number <= :most
 ORDER BY asset_id, revision, position
""")

# While many machines lose parts of one kind, these losses wait for a person: see brake.py.
LOSSES = sa.text(f"""
SELECT loss.asset_id, loss.revision, loss.position, loss.untold AS kind,
       coalesce(loss.ended_at, loss.confirmed_at) AS at, loss.lost_at, loss.confirmed_at,
       loss.ending, change.op, change.path, change.component, change.field, change.old,
       change.new, change.class, coalesce(asset.minion_id, '') AS machine,
       coalesce(loss.ended_at, loss.confirmed_at)
       < now() - interval '{OURS_FIRST_SECONDS} seconds' AS is_due,
       {", ".join(f"asset.{name}" for name in ABOUT)}
  FROM loss
  JOIN asset ON asset.id = loss.asset_id
  JOIN change ON change.asset_id = loss.asset_id AND change.revision = loss.revision
   AND change.position = loss.position
 WHERE loss.untold IS NOT NULL
   AND coalesce(asset.minion_id, '') <> ALL(CAST(:resting AS text[]))
   AND NOT EXISTS (SELECT FROM wave WHERE wave.path = loss.path AND wave.reset_at IS NULL)
 ORDER BY loss.confirmed_at, loss.asset_id, loss.revision, loss.position
 LIMIT :most
""")  # noqa: S608 - constants of ours

# An asset that was purged meanwhile has no columns: nobody is told of it any more.
DECISIONS = sa.text(f"""
SELECT decision.id, decision.decided_at AS at, decision.decided_by, decision.reason,
       decision.action, decision.evidence, installation.differences,
       installation.plan ->> 'profile' AS profile, asset.id AS asset_id, asset.id IS NULL
       OR decision.decided_at < now() - interval '{OURS_FIRST_SECONDS} seconds' AS is_due,
       {", ".join(f"asset.{name}" for name in ABOUT)}
  FROM decision
  LEFT JOIN asset ON asset.id = decision.asset_id
  LEFT JOIN installation
    ON installation.id = CASE WHEN decision.action = 'installed'
                              THEN CAST(decision.evidence ->> 'installation' AS uuid) END
 WHERE NOT decision.told
 ORDER BY decision.decided_at, decision.id LIMIT :most
""")  # noqa: S608 - constants of ours

PROBLEMS = sa.text(f"""
SELECT problem.id, problem.minion_id, problem.minion_id AS machine, problem.kind,
       problem.subject, problem.message, problem.last_seen,
       problem.kind = 'brake'
       OR problem.last_seen < now() - interval '{OURS_FIRST_SECONDS} seconds' AS is_due,
       asset.id AS asset_id,
       {", ".join(f"asset.{name}" for name in ABOUT if name != "minion_id")}
  FROM problem LEFT JOIN asset ON asset.minion_id = problem.minion_id
 WHERE NOT problem.told AND problem.closed_at IS NULL
   AND (problem.minion_id <> ALL(CAST(:resting AS text[]))
        OR problem.kind = ANY(CAST(:not_theirs AS text[])))
 ORDER BY problem.last_seen, problem.subject LIMIT :most
""")  # noqa: S608 - constants of ours

TOLD = sa.text("""
UPDATE asset_seen AS seen
   SET told_revision = i.revision,
       told_freshness = CASE WHEN i.freshness NOT IN ('fresh', 'detached') THEN i.freshness END
  FROM unnest(CAST(:asset_id AS uuid[]), CAST(:revision AS integer[]),
              CAST(:freshness AS text[])) AS i(asset_id, revision, freshness)
 WHERE seen.asset_id = i.asset_id
""")

TOLD_LOSS = sa.text("""
UPDATE loss SET untold = NULL
  FROM unnest(CAST(:asset_id AS uuid[]), CAST(:revision AS integer[]), CAST(:position AS integer[]))
       AS i(asset_id, revision, position)
 WHERE loss.asset_id = i.asset_id AND loss.revision = i.revision AND loss.position = i.position
""")

TOLD_DECISION = sa.text("UPDATE decision SET told = true WHERE id = ANY(CAST(:id AS uuid[]))")

TOLD_PROBLEM = sa.text("UPDATE problem SET told = true WHERE id = ANY(CAST(:id AS uuid[]))")
