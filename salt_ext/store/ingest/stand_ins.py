"""
What people's lists have and no machine reports: assets that stand in for it.

A stand-in is an asset without a name, identifiers, facts or revisions, whose mode is
``list``. The first report of its machine makes the same asset a machine.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from salt_ext.document import encode
from salt_ext.store import bulk
from salt_ext.store.clock import now
from salt_ext.store.columns import EXPECTED, place_of, text_of
from salt_ext.store.database import Row, rows
from salt_ext.store.ids import new_id
from salt_ext.store.said import machines, newest, spoken
from salt_ext.store.schema import INSTALLABLE, LIST_COLUMNS, asset, asset_seen
from salt_ext.store.search import search_text, with_listed
from salt_ext.words.cells import is_blank, spelled
from salt_ext.words.match import KEYS, SUREST, Machine, Said, is_other, match

MODE = "list"

ACTIVE = "active"
"""The stage of life of an asset of which nobody has said another one."""

UNKNOWN: Row = {"lifecycle": ACTIVE, "is_said": False}
"""What is known of an asset that is none yet."""

LIFECYCLE = f"""
CASE WHEN asset.lifecycle = '{ACTIVE}' THEN excluded.lifecycle ELSE asset.lifecycle END
"""
"""A stage that somebody has set meanwhile stays."""

TEXTS = ("manufacturer", "product_name", "os", "processor_model", "address")
"""The columns that are shown as the list has them."""


def stand_in(link: sa.Connection) -> None:
    """Let an asset stand in for each machine that only lists have, and for nothing else."""
    _over(link)
    said = rows(link.execute(UNREPORTED))
    known = {row["id"]: row for row in rows(link.execute(STAND_INS))}
    at = now(link)
    stands: list[tuple[uuid.UUID, uuid.UUID]] = []
    needed: set[uuid.UUID] = set()
    changed: list[Row] = []
    # Rows that stood for one machine may be of two now: the one with an SN goes on as it was.
    for group in sorted(machines(said), key=lambda group: not any(one["bare_sn"] for one in group)):
        free = (one["stands_as"] for one in group if one["stands_as"] not in needed)
        own = next((one for one in free if one in known), None) or new_id()
        needed.add(own)
        stands += [(one["id"], own) for one in group if one["stands_as"] != own]
        columns = _columns(group, known.get(own, UNKNOWN))
        if own not in known or any(known[own][name] != columns[name] for name in columns):
            times = {"first_seen": at, "unchanged_since": at}
            changed.append({"id": own, **times, **columns})
    for one in changed:
        one["listed"] = None if one["listed"] is None else encode(one["listed"])
    if changed:
        told = changed[0].keys() - {"id", "first_seen", "unchanged_since"}
        bulk.insert(link, asset, changed, bulk.taken(*told) | {"lifecycle": LIFECYCLE})
        seen = [_seen(one["id"], at) for one in changed if one["id"] not in known]
        if seen:
            bulk.insert(link, asset_seen, seen)
    if stands:
        ids, assets = zip(*stands, strict=True)
        link.execute(STANDS, {"ids": bulk.array(ids), "assets": bulk.array(assets)})
    if over := known.keys() - needed:
        _remove(link, over)


def step_down(link: sa.Connection, row_ids: Iterable[uuid.UUID]) -> None:
    """Remove the assets that stood in for these rows, where they mean a machine now."""
    ids = {"rows": bulk.array(row_ids)}
    over = link.scalars(STOOD_IN, ids).all()
    if over:
        _over(link)
        _remove(link, over)


def _remove(link: sa.Connection, asset_ids: Iterable[uuid.UUID]) -> None:
    found = link.scalars(STANDING_IN, {"ids": bulk.array(asset_ids)})
    link.execute(REMOVE, {"ids": bulk.array(found)})


def _over(link: sa.Connection) -> None:
    """Let rows that mean a machine have no stand-in, and its installations be the machine's."""
    link.execute(TAKE_INSTALLATIONS)
    link.execute(OVER)


def successor(
    machine: Machine, alike: Sequence[Row], assets: Sequence[Machine]
) -> uuid.UUID | None:
    """
    Return the asset that has stood in for a machine which reports for the first time.

    ``alike`` are the rows that may mean it and those with the same stand-ins, ``assets`` the
    machines that they may mean too. By a key alone it is not what another row has an SN or UUID of.
    Of several it is the one that is meant by what is surest, and none where that is of several.
    """
    waiting = [one for one in alike if one["asset_id"] is None and one["stands_as"] is not None]
    meant: dict[str, set[uuid.UUID]] = {}
    for row in waiting:
        [found] = match([Said(0, spoken(row))], [*assets, machine])
        if found.machine is not machine:
            continue
        of_it = (spoken(one) for one in waiting if one["stands_as"] == row["stands_as"])
        if found.by not in KEYS or not any(is_other(one, machine) for one in of_it):
            meant.setdefault(found.by, set()).add(uuid.UUID(str(row["stands_as"])))
    surest = next((meant[by] for by in SUREST if by in meant), set())
    return next(iter(surest)) if len(surest) == 1 else None


def has_stand_ins(link: sa.Connection) -> bool:
    """Whether any asset stands in for a machine."""
    return link.execute(ANY).first() is not None


def begin(link: sa.Connection, asset_id: uuid.UUID, at: datetime) -> None:
    """Let a stand-in become a machine: it is first seen with its first report."""
    times = {"first_seen": at, "unchanged_since": at}
    link.execute(sa.update(asset).where(asset.c.id == asset_id).values(**times))


def _columns(group: Sequence[Mapping[str, Any]], before: Row) -> Row:
    """
    Return the columns of an asset that stands in for the machine of some rows.

    Its stage of life is what somebody has said of it, or else what the lists plan.
    """
    fields: dict[str, Any] = {}
    for row in group:
        fields |= {name: value for name, value in row["fields"].items() if not is_blank(value)}
    listed = {name: value for name, (value, _) in newest(group).items()} or None
    names = [row["minion_id"] for row in group if row["minion_id"]]
    kinds = [row["kind"] for row in group if row["kind"] != EXPECTED]
    stage = spelled(fields.get("lifecycle"))
    is_open = before["lifecycle"] == ACTIVE and not before["is_said"]
    keys = [key for row in group for key in (row["uuid"], *(row["macs"] or "").split()) if key]
    columns: Row = {
        **dict.fromkeys(LIST_COLUMNS),
        **{name: text_of(str(fields[name])) for name in TEXTS if name in fields},
        "minion_id": None,
        "sn": next((text_of(row["sn"]) for row in group if row["sn"]), None),
        "hostname": text_of(names[-1]) if names else None,
        "kind": kinds[-1] if kinds else EXPECTED,
        "temporary": False,
        "lifecycle": stage if is_open and stage in INSTALLABLE else before["lifecycle"],
        **place_of({}, listed or {}),
        "listed": listed,
    }
    return {**columns, "search": with_listed(search_text(None, columns, {}, keys), listed)}


def _seen(asset_id: uuid.UUID, at: datetime) -> Mapping[str, Any]:
    times = ("collected_at", "last_seen", "volatile_at", "changed_at", "detached_at")
    return {
        "asset_id": asset_id,
        **dict.fromkeys(times, at),
        "mode": MODE,
        "digest": b"",
        "revision": 0,
    }


ANY = sa.text("SELECT FROM asset_seen WHERE mode = 'list' LIMIT 1")

OVER = sa.text("""
UPDATE expected SET stands_as = NULL WHERE asset_id IS NOT NULL AND stands_as IS NOT NULL
""")

# Not by a row without the SN that another row still waits with.
TAKE_INSTALLATIONS = sa.text("""
WITH turned_out AS MATERIALIZED (
SELECT stands_as, asset_id FROM expected
 WHERE asset_id IS NOT NULL AND stands_as IS NOT NULL
   AND NOT EXISTS (SELECT FROM expected AS other
                    WHERE other.stands_as = expected.stands_as AND other.asset_id IS NULL
                      AND other.bare_sn IS NOT NULL))
UPDATE installation SET asset_id = turned_out.asset_id
  FROM turned_out WHERE installation.asset_id = turned_out.stands_as
""")

STOOD_IN = sa.text("""
SELECT stands_as FROM expected
 WHERE id = ANY(CAST(:rows AS uuid[])) AND asset_id IS NOT NULL AND stands_as IS NOT NULL
""")

UNREPORTED = sa.text("""
SELECT id, sn, minion_id, fields, source, imported_at, kind, stands_as, bare_sn, uuid, macs,
       coalesce(short_name, short_hostname) AS name
  FROM expected WHERE asset_id IS NULL
 ORDER BY imported_at, source, row, id
""")

STAND_INS = sa.text("""
SELECT asset.*,
       EXISTS (SELECT FROM decision
                WHERE decision.asset_id = asset.id AND decision.action = 'lifecycle') AS is_said
  FROM asset JOIN asset_seen AS seen ON seen.asset_id = asset.id
 WHERE seen.mode = 'list'
""")

STANDS = sa.text("""
UPDATE expected SET stands_as = i.asset_id
  FROM unnest(CAST(:ids AS uuid[]), CAST(:assets AS uuid[])) AS i(id, asset_id)
 WHERE expected.id = i.id
""")

# Only what still stands in: a machine may have reported as it.
STANDING_IN = sa.text("""
SELECT asset_id FROM asset_seen WHERE mode = 'list' AND asset_id = ANY(CAST(:ids AS uuid[]))
""")

REMOVE = sa.text("""
DELETE FROM asset
 WHERE asset.id = ANY(CAST(:ids AS uuid[]))
   AND NOT EXISTS (SELECT FROM expected WHERE expected.stands_as = asset.id)
""")
