"""
What people's lists say of each asset: which rows mean it, and what of them counts.

The rows are in ``expected``, each with the asset that it means. What counts is in
``asset.listed``: of each field, what the newest row says that has it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

import sqlalchemy as sa

from salt_ext.document import encode
from salt_ext.store import bulk
from salt_ext.store.clock import now
from salt_ext.store.columns import place_of
from salt_ext.store.database import Database, Row, rows
from salt_ext.store.ingest.stand_ins import stand_in, step_down, successor
from salt_ext.store.ingest.steps import former
from salt_ext.store.said import SET, newest, spoken
from salt_ext.store.schema import PLACE, asset_was
from salt_ext.store.search import with_listed
from salt_ext.words.match import (
    Machine,
    Said,
    bare,
    is_blank,
    match,
    rounded_to,
    same_sn,
    short,
    spelled,
)


def _looked_for(said: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return the SNs and names of rows or assets as both tables have them in an index."""
    sns: set[str] = set()
    names: set[str] = set()
    for one in said:
        sns.add(bare(one.get("sn")))
        names |= {short(one.get("minion_id")), short(one.get("hostname"))}
    return {"sns": bulk.array(sorted(sns - {""})), "names": bulk.array(sorted(names - {""}))}


def settle(link: sa.Connection, asset_ids: Iterable[uuid.UUID]) -> None:
    """
    Find the rows that mean these assets, which are new or called otherwise than before.

    A row whose SN a spreadsheet has rounded is not among them: to tell whether it could
    mean several assets all of them must be read, which is done when it is imported.
    """
    called = rows(link.execute(CALLED, {"ids": bulk.array(asset_ids)}))
    alike = rows(link.execute(ROWS_ALIKE, _looked_for(called)))
    if alike:
        write(link, resolve(link, alike))
        step_down(link, [one["id"] for one in alike])


def stood_in(link: sa.Connection, machine: Machine) -> uuid.UUID | None:
    """Return the asset that has stood in for a machine which reports for the first time."""
    alike = rows(link.execute(ROWS_ALIKE, _looked_for([machine])))
    if not any(one["stands_as"] for one in alike):
        return None
    assets = rows(link.execute(ASSETS_ALIKE, _looked_for(map(spoken, alike))))
    return successor(machine, alike, assets)


def resolve(link: sa.Connection, said: Sequence[Row]) -> set[uuid.UUID]:
    """
    Decide which asset each of these rows means; return the assets of which more or less is said.

    The rows of one list are looked at together: one of them at most means an asset.
    """
    words = [spoken(one) for one in said]
    if any(rounded_to(spelled(one["sn"])) for one in words):
        assets = rows(link.execute(ASSETS))
    else:
        assets = rows(link.execute(ASSETS_ALIKE, _looked_for(words)))
    meant: list[tuple[uuid.UUID, uuid.UUID | None]] = []
    concerned: set[uuid.UUID] = set()
    for _, of_source in groupby(sorted(said, key=itemgetter("source")), itemgetter("source")):
        listed = list(of_source)
        for row, machine in zip(listed, _meant(listed, assets), strict=True):
            asset_id = machine["id"] if machine is not None else None
            if asset_id != row["asset_id"]:
                meant.append((row["id"], asset_id))
            concerned |= {one for one in (asset_id, row["asset_id"]) if one is not None}
    if meant:
        ids, assets_meant = zip(*meant, strict=True)
        link.execute(MEANT, {"ids": bulk.array(ids), "assets": bulk.array(assets_meant)})
        link.execute(NAMED, {"ids": bulk.array(ids), "source": SET})
    return concerned


def _meant(listed: Sequence[Row], assets: Sequence[Machine]) -> list[Machine | None]:
    """
    Return for each row of one list the asset that it means.

    A row stays with its asset while that shows its SN, and when nothing else tells which
    of several it means: so no machine takes what is said of another by a claim alone.
    """
    said = [Said(number, spoken(row)) for number, row in enumerate(listed)]
    attached = [one for one in assets if one["minion_id"] is not None]
    found = match(said, attached)
    if len(attached) < len(assets):
        # What lost its name to other hardware is meant only where nothing else is.
        found = [
            one if one.machine or one.is_repeated else other
            for one, other in zip(found, match(said, assets), strict=True)
        ]
    by_id = {one["id"]: one for one in assets}
    taken = {id(one.machine) for one in found}
    meant: list[Machine | None] = []
    for row, words, one in zip(listed, said, found, strict=True):
        own = by_id.get(row["asset_id"])
        stays = own is not None and id(own) not in taken and _stays(words, own, one.machine)
        meant.append(None if one.is_repeated else own if stays else one.machine)
    return meant


def _stays(row: Said, own: Machine, other: Machine | None) -> bool:
    """Whether a row stays with its asset although it seems to mean another one, or none."""
    if other is None:
        return match([row], [own])[0].machine is not None
    sn = row.values.get("sn")
    return own["minion_id"] is not None and not is_blank(sn) and same_sn(sn, own["sn"])


def write(link: sa.Connection, asset_ids: Iterable[uuid.UUID]) -> int:
    """
    Write what the lists say of these assets, and where they stand; return how many changed.

    The assets are locked, so that no report writes them meanwhile.
    """
    ids = {"ids": bulk.array(asset_ids)}
    link.execute(LOCK, ids)
    said: dict[uuid.UUID, list[Row]] = {}
    for row in rows(link.execute(SAID, ids)):
        said.setdefault(row["asset_id"], []).append(row)
    moment = now(link)
    changed: list[Row] = []
    was: list[Row] = []
    for before in rows(link.execute(PLACED, ids)):
        words = newest(said.get(before["id"], ()))
        listed = {name: value for name, (value, _) in words.items()} or None
        location = before["location"] if isinstance(before["location"], dict) else {}
        place = place_of(location, listed or {})
        if listed == before["listed"] and all(before[name] == place[name] for name in place):
            continue
        if any(before[name] != place[name] for name in PLACE):
            was.append(former(before, max(moment, before["changed_at"])))
            before["unchanged_since"] = was[-1]["until"]
        search = with_listed(before["search"], listed)
        kept = {name: before[name] for name in ("id", "unchanged_since")}
        changed.append({**kept, "listed": listed, "search": search, **place})
    if was:
        # Of two changes at the same moment, the columns before the first one are kept.
        bulk.insert(link, asset_was, was, {})
    if changed:
        for one in changed:
            one["listed"] = None if one["listed"] is None else encode(one["listed"]).decode()
        columns = {name: bulk.array([one[name] for one in changed]) for name in changed[0]}
        link.execute(UPDATE, columns)
    return len(changed)


def write_all(database: Database, asset_ids: Iterable[uuid.UUID]) -> int:
    """Write what is said of these assets, some at a time; return how many changed."""
    ids = sorted(asset_ids)
    changed = 0
    for first in range(0, len(ids), AT_ONCE):
        with database.begin() as link:
            changed += write(link, ids[first : first + AT_ONCE])
    return changed


AT_ONCE = 1000
"""So many assets are written in one transaction: a report of one of them waits for no more."""


def rematch(database: Database) -> int:
    """
    Match the rows anew that mean no asset; return of how many assets more is said now.

    There are some whose machine appeared under a number that their list has rounded, and
    those that an earlier edition has stored. Nobody waits for this: a machine that appears
    meanwhile finds its rows itself.
    """
    with database.begin() as link:
        concerned = resolve(link, rows(link.execute(UNMATCHED)))
        stand_in(link)
    return write_all(database, concerned)


UNMATCHED = sa.text("""
SELECT id, sn, minion_id, fields, source, asset_id FROM expected
 WHERE asset_id IS NULL ORDER BY source, row, id
""")

CALLED = sa.text("""
SELECT sn, minion_id, hostname FROM asset WHERE id = ANY(CAST(:ids AS uuid[]))
""")

ASSETS = sa.text("""
SELECT id, sn, minion_id, hostname
  FROM asset JOIN asset_seen AS seen ON seen.asset_id = asset.id
 WHERE seen.mode <> 'list'
 ORDER BY id
""")

# Each spelling is looked up by an index of its own: see schema.asset and schema.expected.
ROWS_ALIKE = sa.text("""
SELECT id, sn, minion_id, fields, source, asset_id, stands_as FROM expected
 WHERE bare_sn = ANY(CAST(:sns AS text[]))
    OR short_name = ANY(CAST(:names AS text[]))
    OR short_hostname = ANY(CAST(:names AS text[]))
 ORDER BY source, row, id
""")

ASSETS_ALIKE = sa.text("""
SELECT id, sn, minion_id, hostname
  FROM asset JOIN asset_seen AS seen ON seen.asset_id = asset.id
 WHERE seen.mode <> 'list'
   AND (ltrim(replace(lower(sn), ' ', ''), '0') = ANY(CAST(:sns AS text[]))
        OR split_part(lower(minion_id), '.', 1) = ANY(CAST(:names AS text[]))
        OR split_part(lower(hostname), '.', 1) = ANY(CAST(:names AS text[])))
 ORDER BY id
""")

MEANT = sa.text("""
UPDATE expected SET asset_id = i.asset_id
  FROM unnest(CAST(:ids AS uuid[]), CAST(:assets AS uuid[])) AS i(id, asset_id)
 WHERE expected.id = i.id
""")

# A word that could have been an SN is the name of the machine that is called so.
NAMED = sa.text("""
UPDATE expected SET minion_id = expected.sn, sn = NULL, bare_sn = NULL,
       fields = (fields - 'sn') || jsonb_build_object('hostname', expected.sn)
  FROM asset
 WHERE asset.id = expected.asset_id AND expected.id = ANY(CAST(:ids AS uuid[]))
   AND expected.source = :source AND expected.minion_id IS NULL
   AND ltrim(replace(lower(asset.sn), ' ', ''), '0') IS DISTINCT FROM expected.bare_sn
   AND short_hostname IN (split_part(lower(asset.minion_id), '.', 1),
                          split_part(lower(asset.hostname), '.', 1))
""")

LOCK = sa.text("""
SELECT seen.asset_id FROM asset_seen AS seen JOIN asset ON asset.id = seen.asset_id
 WHERE seen.asset_id = ANY(CAST(:ids AS uuid[]))
 ORDER BY asset.minion_id COLLATE "C", asset.id
   FOR UPDATE OF seen
""")

SAID = sa.text("""
SELECT asset_id, fields, source, imported_at FROM expected
 WHERE asset_id = ANY(CAST(:ids AS uuid[]))
""")

PLACED = sa.text("""
SELECT asset.*, seen.changed_at, location.facts AS location
  FROM asset
  JOIN asset_seen AS seen ON seen.asset_id = asset.id
  LEFT JOIN asset_facts AS location
    ON location.asset_id = asset.id AND location.section = 'location'
 WHERE asset.id = ANY(CAST(:ids AS uuid[]))
""")

UPDATE = sa.text("""
UPDATE asset SET listed = CAST(i.listed AS jsonb), search = i.search, site = i.site,
       room = i.room, rack = i.rack, unit = i.unit, from_list = i.from_list,
       unchanged_since = i.unchanged_since
  FROM unnest(CAST(:id AS uuid[]), CAST(:listed AS text[]), CAST(:search AS text[]),
              CAST(:site AS text[]), CAST(:room AS text[]), CAST(:rack AS text[]),
              CAST(:unit AS text[]), CAST(:from_list AS text[]),
              CAST(:unchanged_since AS timestamptz[]))
       AS i(id, listed, search, site, room, rack, unit, from_list, unchanged_since)
 WHERE asset.id = i.id
""")
