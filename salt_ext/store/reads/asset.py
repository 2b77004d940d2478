"""
Everything that is known of one asset.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import aggregate_order_by

from salt_ext.document.hardware import HARDWARE
from salt_ext.facts.identity import KEYS
from salt_ext.store.database import Database, Row, rows
from salt_ext.store.errors import Merged, NotFound
from salt_ext.store.reads import history, problems
from salt_ext.store.reads.health import OF_SECTION, faults_of
from salt_ext.store.reads.held import claimed
from salt_ext.store.reads.listing import freshness_after
from salt_ext.store.reads.masking import masked
from salt_ext.store.reads.names import names_of
from salt_ext.store.said import ABOUT, newest
from salt_ext.store.schema import (
    KEPT_COLUMNS,
    asset,
    asset_facts,
    asset_seen,
    baseline,
    expected,
    held,
    identifier,
    other_source,
    placement,
)

SHOWN = (
    *(asset.c[name] for name in ("id", *KEPT_COLUMNS, "first_seen", "from_list")),
    *(asset_seen.c[name] for name in ("last_seen", "mode", "mode_seen", "collected_at")),
    *(asset_seen.c[name] for name in ("changed_at", "revision", "reports_as", "detached_at")),
)
"""The columns that say something about the machine; the store needs the others for itself."""

LEDGER = ("kind", "value", "source", "quality", "disowned", "first_seen", "last_seen")
"""The columns of an identifier that are shown."""

_other = identifier.alias("other")

OTHERS = [
    sa.select(sa.func.array_agg(aggregate_order_by(other_source.c[name], other_source.c.source)))
    .where(other_source.c.asset_id == asset_seen.c.asset_id)
    .scalar_subquery()
    .label(label)
    for label, name in (
        ("others", "source"),
        ("others_seen", "last_seen"),
        ("others_collected", "collected_at"),
    )
]
"""The sources beside the best one of an asset, and the times of each."""

# The other assets that show a key of this one are found first, wherever their rows are.
_own = sa.select(identifier.c.value).where(identifier.c.asset_id == sa.bindparam("asset_id"))
_shown = (
    sa.select(_other.c.kind, _other.c.value)
    .join(asset, asset.c.id == _other.c.asset_id)
    .where(
        _other.c.value.in_(_own),
        _other.c.asset_id != sa.bindparam("asset_id"),
        _other.c.last_seen.is_(None),
        ~_other.c.disowned,
        asset.c.minion_id.is_not(None),
    )
    .cte("shown")
    .prefix_with("MATERIALIZED")
)
SHARED = sa.and_(
    identifier.c.kind.in_(KEYS),
    identifier.c.last_seen.is_(None),
    ~identifier.c.disowned,
    sa.exists().where(_shown.c.value == identifier.c.value, _shown.c.kind == identifier.c.kind),
)
"""Whether a key is shown by another machine too: then it decides for neither alone."""

LEDGER_OF = (
    sa.select(*(identifier.c[name] for name in LEDGER), SHARED.label("shared"))
    .where(identifier.c.asset_id == sa.bindparam("asset_id"))
    .order_by(identifier.c.kind, identifier.c.first_seen)
)


@masked
def overview(database: Database, asset_id: uuid.UUID) -> Row:
    """
    Return all of one asset: list columns, facts, volatile values, times and identifiers.

    ``sources`` has by section the mode that told it. ``mode`` is the best one, which was
    heard at ``mode_seen``, or at ``last_seen`` where that is None; ``other_sources`` has
    when each of the others was.
    ``listed`` is what people's lists say of it: each field with its value and who says so.
    """
    with database.autocommit() as link:
        row = _row(link, database, asset_id)
        return {
            **_overview(row, link.execute(SECTIONS, {"asset_id": asset_id}).all()),
            "listed": _listed(link, asset_id) if row["listed"] else [],
            "identifiers": _ledger(link, row),
        }


def name_of(database: Database, asset_id: uuid.UUID) -> str:
    """Return what an asset is called. Raises :class:`NotFound`, or :class:`Merged`."""
    with database.autocommit() as link:
        here = (asset.c.id == asset_id, asset.c.merged_into.is_(None))
        if link.scalar(sa.select(sa.true()).where(*here)) is None:
            raise _nobody(link, asset_id)
    return names_of(database, [asset_id])[asset_id]


@masked
def asset_page(
    database: Database, asset_id: uuid.UUID, limit: int, until: datetime | None = None
) -> Row:
    """
    Return all that one page shows of an asset.

    These are ``asset`` (what :func:`overview` returns, without identifiers and what lists
    say), its parts that are ``ill``, the newest ``changes``, those until a moment if it is
    given, each with the ``mode`` and ``reason`` of its report, whether there are ``more`` of
    them, the open ``problems``, how many reports that are ``held`` may be of it, whether it
    ``is_said`` to be something by people's lists, and its hardware that is ``lost``: each part
    with ``path``, ``place``, ``serial`` and ``until``.
    """
    with database.autocommit() as link:
        row = _row(link, database, asset_id, is_page=True)
        others, waiting, is_said, lost = (row.pop(one.name) for one in BESIDE)
        found = history.of_asset(
            link, [asset_id, *(others or ())], limit + 1, database.hidden, until
        )
        sections = link.execute(WITH_FAULTS, {"asset_id": asset_id}).all()
        return {
            "asset": _overview(row, sections),
            "ill": faults_of(link, row, sections, database.hidden),
            "changes": found[:limit],
            "more": len(found) > limit,
            "problems": problems.open_of(link, row["minion_id"]),
            "held": waiting,
            "is_said": is_said,
            "lost": [_lost(*one) for one in lost or ()],
        }


LOST_DAYS = 30
"""So long a part that is gone counts as lost, unless a person accepts the machine without it."""


def _beside() -> list[sa.Label[Any]]:
    """Return what the page of an asset needs besides, as columns of the same statement."""
    other = asset.alias("merged")
    there, back = placement.alias("there"), placement.alias("back")
    mine = asset_seen.c.asset_id
    when = sa.select(baseline.c.accepted_at).where(baseline.c.asset_id == mine)
    accepted = when.correlate(asset_seen).scalar_subquery()
    # Which of its parts are somewhere now is found first, wherever their rows are.
    its = sa.select(placement.c.serial).where(placement.c.asset_id == sa.bindparam("asset_id"))
    somewhere = (
        sa.select(back.c.serial)
        .where(back.c.serial.in_(its), back.c.until.is_(None))
        .cte("somewhere")
        .prefix_with("MATERIALIZED")
    )
    until = sa.func.extract("epoch", placement.c.until)
    gone = (
        sa.select(
            sa.func.json_agg(
                aggregate_order_by(
                    sa.func.json_build_array(
                        *(placement.c.path, placement.c.place, placement.c.serial, until)
                    ),
                    placement.c.until.desc(),
                    placement.c.place,
                )
            )
        )
        .where(
            placement.c.asset_id == mine,
            placement.c.until > sa.func.now() - timedelta(days=LOST_DAYS),
            placement.c.until > sa.func.coalesce(accepted, sa.text("'-infinity'")),
            sa.func.split_part(placement.c.path, ".", 1).in_(HARDWARE),
            # It is nowhere else, and nothing else is in its place.
            ~sa.exists().where(somewhere.c.serial == placement.c.serial),
            ~sa.exists().where(
                there.c.asset_id == placement.c.asset_id,
                there.c.path == placement.c.path,
                there.c.place == placement.c.place,
                there.c.until.is_(None),
            ),
        )
        .correlate(asset_seen)
    )
    return [
        sa.select(sa.func.array_agg(other.c.id))
        .where(other.c.merged_into == asset.c.id)
        .scalar_subquery()
        .label("merged"),
        sa.select(sa.func.count())
        .select_from(held)
        .where(claimed(asset.c.id), held.c.rejected_at.is_(None))
        .scalar_subquery()
        .label("held"),
        sa.exists()
        .where((expected.c.asset_id == asset.c.id) | (expected.c.stands_as == asset.c.id))
        .label("is_said"),
        gone.scalar_subquery().label("lost"),
    ]


BESIDE = _beside()


def _lost(path: str, place: str, serial: str, until: float) -> Row:
    """Return a part that is gone, from a row of JSON."""
    moment = datetime.fromtimestamp(float(until), timezone.utc)
    return {"path": path, "place": place, "serial": serial, "until": moment}


def _row(
    link: sa.Connection, database: Database, asset_id: uuid.UUID, *, is_page: bool = False
) -> Row:
    """Return the columns of an asset, for a page with BESIDE. Raises :class:`NotFound`."""
    ages = (database.settings["stale_after"], database.settings["missing_after"])
    row = link.execute(_of_asset(*ages, is_page=is_page), {"asset_id": asset_id}).one_or_none()
    if row is None:
        raise _nobody(link, asset_id)
    return dict(row._mapping)


@lru_cache(maxsize=16)
def _of_asset(stale_after: int, missing_after: int, *, is_page: bool) -> sa.Select[Any]:
    """Return the statement of :func:`_row`; to make it takes as long as to run it."""
    fresh = freshness_after(stale_after, missing_after).label("freshness")
    return (
        sa.select(*SHOWN, fresh, asset.c.listed, *OTHERS, *(BESIDE if is_page else ()))
        .join(asset_seen, asset_seen.c.asset_id == asset.c.id)
        .where(asset.c.id == sa.bindparam("asset_id"))
    )


KEPT = ("section", "facts", "volatile", "collected_at", "source")
"""The columns of a section that say something about the machine."""

SECTIONS = sa.select(*(asset_facts.c[name] for name in KEPT)).where(
    asset_facts.c.asset_id == sa.bindparam("asset_id")
)
WITH_FAULTS = SECTIONS.add_columns(*OF_SECTION)


def _overview(row: Row, sections: Sequence[Any]) -> Row:
    """Return an asset with its facts, which are in its sections."""
    about = {**row}
    others, *times = (about.pop(one.name) or () for one in OTHERS)
    seen, collected = (dict(zip(others, one, strict=True)) for one in times)
    if about["mode"] == "list":
        # Nobody has heard what stands in for a row of a list.
        about |= dict.fromkeys(("last_seen", "collected_at", "detached_at"))
    return {
        **about,
        "sources": {one.section: one.source or row["mode"] for one in sections},
        "other_sources": seen,
        "facts": {one.section: one.facts for one in sections},
        "volatile": {one.section: one.volatile for one in sections if one.volatile is not None},
        "collected": {
            one.section: one.collected_at or collected.get(one.source, row["collected_at"])
            for one in sections
        },
    }


def _ledger(link: sa.Connection, row: Row) -> list[Row]:
    """Return the identifiers of an asset, present and former."""
    return [
        {
            **one._mapping,
            "last_seen": one.last_seen or row["last_seen"],
            "is_current": one.last_seen is None,
        }
        for one in link.execute(LEDGER_OF, {"asset_id": row["id"]})
    ]


def _nobody(link: sa.Connection, asset_id: uuid.UUID) -> NotFound:
    """Return the error about an id that no asset has, or only one that was merged."""
    into = link.scalar(sa.select(asset.c.merged_into).where(asset.c.id == asset_id))
    if into is None:
        return NotFound(f"there is no asset {asset_id}", "look for it in the list of assets")
    return Merged(f"asset {asset_id} turned out to be another one", f"see the asset {into}", into)


def _listed(link: sa.Connection, asset_id: uuid.UUID) -> list[Row]:
    """Return what people's lists say of an asset: field, value, and who says so."""
    said = rows(
        link.execute(
            sa.select(expected).where(
                (expected.c.asset_id == asset_id) | (expected.c.stands_as == asset_id)
            )
        )
    )
    return [
        {"field": name, "value": value, **{one: row[one] for one in ABOUT}}
        for name, (value, row) in sorted(newest(said).items())
    ]
