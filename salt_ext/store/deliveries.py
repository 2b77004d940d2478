"""
The outbox of the webhooks: events that wait to be sent, or could not be.

A delivery is put in by the transaction that marks its news as told, and taken out
when its receiver has taken it. In between it may be tried often, always under one
id. Whoever takes one has it for :data:`LEASE_SECONDS`; so several masters send
each delivery once, and a sender that dies in the midst loses none.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import sqlalchemy as sa

from salt_ext.store.bulk import insert
from salt_ext.store.clock import now as time_of
from salt_ext.store.database import Database, Row, rows
from salt_ext.store.errors import NotFound
from salt_ext.store.ingest.problems import Problem, closed, record
from salt_ext.store.schema import delivery

MOST_WAITING = 100_000
"""
At most so many deliveries of one webhook wait; what comes when so many do is not sent.

As many were given up are kept, the newest.
"""

LEASE_SECONDS = 60
"""So long a delivery is its sender's; longer than one attempt can take."""

LONGEST_RETRY_SECONDS = 300
"""A delivery that failed is tried again after 2, 4, 8 and so on up to so many seconds."""

MOST_LISTED = 1000


class Delivery(NamedTuple):
    """A delivery that is about to be sent."""

    id: uuid.UUID
    tag: str
    data: dict[str, Any]
    attempt: int


def put(
    link: sa.Connection,
    webhook: str,
    events: Sequence[tuple[str, dict[str, Any]]],
    master: str,
) -> None:
    """Let events, each with its tag and its data, wait for a webhook; too many are a problem."""
    if not events:
        return
    waiting = link.scalar(
        sa.select(sa.func.count()).where(
            delivery.c.webhook == webhook, delivery.c.dead_at.is_(None)
        )
    )
    room = max(0, MOST_WAITING - int(waiting or 0))
    at = time_of(link)
    if events[:room]:
        new = [
            {"id": uuid.uuid4(), "webhook": webhook, "tag": tag, "data": data}
            | {"queued_at": at, "due_at": at}
            for tag, data in events[:room]
        ]
        insert(link, delivery, new)
    if len(events) > room:
        why = f"{MOST_WAITING:,} events wait for the webhook {webhook}, which is as many as may"
        lost = f"{len(events) - room:,} more, now, will not be sent"
        complain(link, webhook, f"{why}; {lost}", master, at)


def complain(
    link: sa.Connection, webhook: str, message: str, master: str, at: datetime | None = None
) -> None:
    """Record what is wrong with a webhook as a problem of the master that saw it."""
    found = Problem("webhook", master, webhook, message, "", at or time_of(link))
    record(link, [found])


def complain_of_webhook(database: Database, webhook: str, message: str, master: str) -> None:
    """Record what is wrong with a webhook, in a transaction of its own."""
    with database.begin() as link:
        complain(link, webhook, message, master)


# Of those that are due the one that is due longest; a row that another sender takes is left out.
TAKE = sa.text(f"""
UPDATE delivery
   SET attempts = attempts + 1, due_at = now() + interval '{LEASE_SECONDS} seconds'
 WHERE id = (SELECT id FROM delivery
              WHERE webhook = :webhook AND dead_at IS NULL AND due_at <= now()
              ORDER BY due_at, number LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id, tag, data, attempts
""").columns(delivery.c.id, delivery.c.tag, delivery.c.data, delivery.c.attempts)  # noqa: S608


def take_delivery(
    database: Database, webhook: str, done: uuid.UUID | None = None
) -> Delivery | None:
    """
    Take a delivery that is due, for :data:`LEASE_SECONDS`; None when none is.

    ``done`` is the one that its receiver has taken meanwhile: it is taken out.
    """
    with database.begin() as link:
        if done is not None:
            link.execute(sa.delete(delivery).where(delivery.c.id == done))
        found = link.execute(TAKE, {"webhook": webhook}).one_or_none()
        return Delivery(*found) if found else None


UNDELIVERED = sa.text(f"""
UPDATE delivery
   SET failure = :failure,
       due_at = now() + least({LONGEST_RETRY_SECONDS}, 2 ^ least(attempts, 10))
                * interval '1 second'
 WHERE id = :id
""")  # noqa: S608 - a constant of ours


def undelivered(database: Database, id: uuid.UUID, failure: str) -> None:
    """Put back what could not be sent, for later."""
    with database.begin() as link:
        link.execute(UNDELIVERED, {"id": id, "failure": failure})


# The newest of those that were given up are kept, so that one can send them again.
GIVE_UP = sa.text("""
UPDATE delivery SET dead_at = now()
 WHERE webhook = :webhook AND dead_at IS NULL AND attempts > 0
   AND queued_at < now() - :age * interval '1 second'
RETURNING failure
""")
FORGET = sa.text(f"""
DELETE FROM delivery
 WHERE id IN (SELECT id FROM delivery WHERE webhook = :webhook AND dead_at IS NOT NULL
               ORDER BY dead_at DESC, number DESC OFFSET {MOST_WAITING})
""")  # noqa: S608 - a constant of ours


def give_up_deliveries(database: Database, webhook: str, age_seconds: float, master: str) -> int:
    """Give up what has been tried for too long; return how many deliveries these are."""
    with database.begin() as link:
        found = list(link.scalars(GIVE_UP, {"webhook": webhook, "age": age_seconds}))
        if not found:
            return 0
        link.execute(FORGET, {"webhook": webhook})
        dead = link.scalar(
            sa.select(sa.func.count()).where(
                delivery.c.webhook == webhook, delivery.c.dead_at.is_not(None)
            )
        )
        why = next((one for one in reversed(found) if one), "its sender died")
        complain(
            link,
            webhook,
            f"{dead:,} events could not be delivered to the webhook {webhook}: {why};"
            f" salt-run cmdb.webhook {webhook} resend=True sends them again",
            master,
        )
        return len(found)


def settle_webhook(database: Database, webhook: str) -> None:
    """Close the problem of a webhook whose receiver takes events, unless some were given up."""
    dead = sa.exists().where(delivery.c.webhook == webhook, delivery.c.dead_at.is_not(None))
    with database.begin() as link:
        # Citus joins no table of the coordinator in an UPDATE of one that is on all servers.
        if not link.scalar(sa.select(dead)):
            link.execute(closed("webhook", webhook))


def resend_deliveries(database: Database, webhook: str) -> int:
    """Let what was given up wait once more, as if it were new; return how many these are."""
    with database.begin() as link:
        done = link.execute(
            sa.update(delivery)
            .where(delivery.c.webhook == webhook, delivery.c.dead_at.is_not(None))
            .values(dead_at=None, queued_at=sa.func.now(), due_at=sa.func.now(), attempts=0)
        )
        if not done.rowcount:
            raise NotFound(
                f"no event of the webhook {webhook} was given up",
                f"salt-run cmdb.webhook {webhook} lists those that wait",
            )
        link.execute(closed("webhook", webhook))
        return done.rowcount


STATE = sa.case(
    (delivery.c.dead_at.is_not(None), "given up"),
    (delivery.c.attempts > 0, "failed"),
    else_="waiting",
).label("state")


def deliveries_of(database: Database, webhook: str, limit: int) -> tuple[list[Row], int]:
    """Return the deliveries of a webhook, the oldest first, and how many there are in all."""
    columns = (delivery.c[name] for name in ("id", "tag", "queued_at", "attempts", "due_at"))
    here = delivery.c.webhook == webhook
    with database.autocommit() as link:
        found = rows(
            link.execute(
                sa.select(*columns, STATE, delivery.c.failure)
                .where(here)
                .order_by(delivery.c.number)
                .limit(min(limit, MOST_LISTED))
            )
        )
        total = link.scalar(sa.select(sa.func.count()).select_from(delivery).where(here))
        return found, int(total or 0)


QUEUES = sa.text("""
SELECT webhook, count(*) FILTER (WHERE dead_at IS NULL) AS waiting,
       min(queued_at) FILTER (WHERE dead_at IS NULL) AS waiting_since,
       count(*) FILTER (WHERE dead_at IS NOT NULL) AS given_up,
       (array_agg(failure ORDER BY due_at DESC) FILTER (WHERE failure IS NOT NULL))[1] AS failure
  FROM delivery
 GROUP BY webhook
""")


def webhook_queues(database: Database, webhooks: Collection[str]) -> Iterable[Row]:
    """Return a row for each webhook: how many of its events wait, and were given up."""
    with database.autocommit() as link:
        found = {row["webhook"]: row for row in rows(link.execute(QUEUES))}
    empty = {"waiting": 0, "waiting_since": None, "given_up": 0, "failure": None}
    for name in webhooks:
        yield {"webhook": name, **empty, **found.pop(name, {})}
    yield from found.values()
