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
from salt_ext.document.placeholders import uuid_spellings
from salt_ext.store import bulk
from salt_ext.store.clock import now
from salt_ext.store.columns import place_of
from salt_ext.store.database import Database, Row, rows
from salt_ext.store.identity.locking import Again, lock_assets, lock_identity
from salt_ext.store.ingest.stand_ins import stand_in, step_down, successor
from salt_ext.store.ingest.steps import former
from salt_ext.store.said import SET, newest, spoken
from salt_ext.store.schema import PLACE, asset_was
from salt_ext.store.search import with_listed
from salt_ext.words.cells import is_blank, spelled
from salt_ext.words.keys import good_macs, good_uuid, uuid_of
from salt_ext.words.match import (
    Machine,
    Match,
    Said,
    bare,
    match,
    rounded_to,
    same_sn,
    shares_key,
    short,
)


def _spellings(one: Mapping[str, Any]) -> dict[str, set[str]]:
    """Return the SN, names and keys of a row or an asset as both tables have them in an index."""
    found = {
        "sns": {bare(one.get("sn"))},
        "names": {short(one.get("minion_id")), short(one.get("hostname"))},
        "uuids": {good_uuid(one.get("uuid")), *map(uuid_of, one.get("uuids") or ())},
        "macs": {*good_macs(one.get("mac")), *(one.get("macs") or ())},
    }
    return {name: values - {""} for name, values in found.items()}


def _looked_for(said: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return the SNs, names and keys of rows or assets as SQL takes them."""
    asked: dict[str, set[str]] = {"sns": set(), "names": set(), "uuids": set(), "macs": set()}
    for one in said:
        for name, values in _spellings(one).items():
            asked[name] |= values
    return {name: bulk.array(sorted(values)) for name, values in asked.items()}


def _alike(link: sa.Connection, words: Sequence[Mapping[str, Any]]) -> list[Row]:
    """Return the assets that these words may mean, with the keys that they show."""
    asked = _looked_for(words)
    asked["spellings"] = bulk.array(
        one
        for word in words
        if (uuid := good_uuid(word.get("uuid")))
        for one in uuid_spellings(uuid)
    )
    return rows(link.execute(ASSETS_ALIKE, asked))


def settle(link: sa.Connection, asset_ids: Iterable[uuid.UUID], *, locked: bool) -> None:
    """
    Find the rows that mean these assets, which are new or called otherwise than before.

    Without the lock of identity :class:`Again` is raised where there may be such rows: another
    machine of that name could appear meanwhile, and neither writer would see the other's.

    A row whose SN a spreadsheet has rounded is not among them: to tell whether it could
    mean several assets all of them must be read, which is done when it is imported.
    """
    called = rows(link.execute(CALLED, {"ids": bulk.array(asset_ids)}))
    alike = rows(link.execute(ROWS_ALIKE, _looked_for(called)))
    if alike and not locked:
        raise Again
    if alike:
        write(link, resolve(link, alike))
        step_down(link, [one["id"] for one in alike])


def stood_in(link: sa.Connection, machine: Machine) -> uuid.UUID | None:
    """Return the asset that has stood in for a machine which reports for the first time."""
    alike = rows(link.execute(ROWS_ALIKE, _looked_for([machine])))
    stand_ins = {one["stands_as"] for one in alike} - {None}
    if not stand_ins:
        return None
    alike = rows(link.execute(ROWS_OF_STAND_INS, {"ids": bulk.array(stand_ins)}))
    assets = _alike(link, [spoken(one) for one in alike])
    return successor(machine, alike, assets)


def listed_among(link: sa.Connection, machines: Sequence[Machine]) -> set[int]:
    """Return which of these machines, by position, a row of people's lists may mean."""
    by_word: dict[tuple[str, str], set[int]] = {}
    for number, one in enumerate(machines):
        for name, values in _spellings(one).items():
            for value in values:
                by_word.setdefault((name, value), set()).add(number)
    found: set[int] = set()
    for row in link.execute(SPELLINGS_ALIKE, _looked_for(machines)):
        words = [("sns", row.bare_sn), ("names", row.short_name), ("names", row.short_hostname)]
        words += [("uuids", row.uuid), *(("macs", mac) for mac in (row.macs or "").split(" "))]
        found.update(*(by_word.get(word, ()) for word in words))
    return found


def resolve(link: sa.Connection, said: Sequence[Row]) -> set[uuid.UUID]:
    """
    Decide which asset each of these rows means; return the assets of which more or less is said.

    The rows of one list are looked at together: one of them at most means an asset.
    """
    words = [spoken(one) for one in said]
    if any(rounded_to(spelled(one["sn"])) for one in words):
        assets = rows(link.execute(ASSETS))
    else:
        assets = _alike(link, words)
    meant: list[tuple[uuid.UUID, uuid.UUID | None, uuid.UUID | None]] = []
    concerned: set[uuid.UUID] = set()
    for _, of_source in groupby(sorted(said, key=itemgetter("source")), itemgetter("source")):
        listed = list(of_source)
        for row, machine in zip(listed, _meant(listed, assets), strict=True):
            asset_id = machine["id"] if machine is not None else None
            if asset_id != row["asset_id"]:
                meant.append((row["id"], row["asset_id"], asset_id))
            concerned |= {one for one in (asset_id, row["asset_id"]) if one is not None}
    if meant:
        ids, before, after = (bulk.array(column) for column in zip(*meant, strict=True))
        link.execute(MEANT, {"ids": ids, "assets": after})
        link.execute(MOVE_INSTALLATIONS, {"ids": ids, "before": before})
        link.execute(NAMED, {"ids": ids, "source": SET})
    return concerned


def _meant(listed: Sequence[Row], assets: Sequence[Machine]) -> list[Machine | None]:
    """
    Return for each row of one list the asset that it means.

    A row stays with its asset while that shows its SN, or its UUID or MAC and no other machine
    its SN, and when nothing else tells which of several it means: so no machine takes what is said
    of another by a claim alone. It does not stay by a host name that is the minion id of others.
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
        stays = own is not None and id(own) not in taken and _stays(words, own, one)
        meant.append(None if one.is_repeated else own if stays else one.machine)
    return meant


def _stays(row: Said, own: Machine, other: Match) -> bool:
    """Whether a row stays with its asset although it seems to mean another one, or none."""
    if other.machine is None:
        alone = match([row], [own])[0]
        is_of_others = alone.by == "hostname" and other.by == "minion_id"
        return alone.machine is not None and not is_of_others
    sn = row.values.get("sn")
    has_sn = not is_blank(sn) and same_sn(sn, own["sn"])
    is_own = has_sn or (other.by != "sn" and shares_key(row.values, own))
    return own["minion_id"] is not None and is_own


def write(link: sa.Connection, asset_ids: Iterable[uuid.UUID]) -> int:
    """
    Write what the lists say of these assets, and where they stand; return how many changed.

    The assets are locked, so that no report writes them meanwhile.
    """
    asset_ids = set(asset_ids)
    lock_assets(link, asset_ids)
    ids = {"ids": bulk.array(asset_ids)}
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
        # Else a machine that takes the place of its stand-in now would be overwritten by it.
        lock_identity(link)
        concerned = resolve(link, rows(link.execute(UNMATCHED)))
        stand_in(link)
        # At once: a row that means an asset is not looked at again, if this ends before.
        return write(link, sorted(concerned))


UNMATCHED = sa.text("""
SELECT id, sn, minion_id, fields, source, asset_id FROM expected
 WHERE asset_id IS NULL ORDER BY source, row, id
""")

KEYS = """
       ARRAY(SELECT value FROM identifier
              WHERE asset_id = seen.asset_id AND kind = 'uuid' AND last_seen IS NULL
                AND NOT disowned)
       AS uuids,
       ARRAY(SELECT value FROM identifier
              WHERE asset_id = seen.asset_id AND kind = 'mac' AND last_seen IS NULL
                AND NOT disowned)
       AS macs
"""

CALLED = sa.text(f"""
SELECT sn, minion_id, hostname, {KEYS}
  FROM asset JOIN asset_seen AS seen ON seen.asset_id = asset.id
 WHERE seen.asset_id = ANY(CAST(:ids AS uuid[]))
""")  # noqa: S608 - constants of ours

ASSETS = sa.text(f"""
SELECT id, sn, minion_id, hostname, {KEYS}
  FROM asset JOIN asset_seen AS seen ON seen.asset_id = asset.id
 WHERE seen.mode <> 'list'
 ORDER BY id
""")  # noqa: S608 - constants of ours

# Each spelling is looked up by an index of its own: see schema.asset and schema.expected.
ALIKE = """
bare_sn = ANY(CAST(:sns AS text[]))
    OR short_name = ANY(CAST(:names AS text[]))
    OR short_hostname = ANY(CAST(:names AS text[]))
    OR uuid = ANY(CAST(:uuids AS text[]))
    OR string_to_array(macs, ' ') && CAST(:macs AS text[])
"""

ROWS_ALIKE = sa.text(f"""
SELECT id, sn, minion_id, fields, source, asset_id, stands_as FROM expected
 WHERE {ALIKE}
 ORDER BY source, row, id
""")  # noqa: S608 - constants of ours

SPELLINGS_ALIKE = sa.text(f"""
SELECT bare_sn, short_name, short_hostname, uuid, macs FROM expected WHERE {ALIKE}
""")  # noqa: S608 - constants of ours

ROWS_OF_STAND_INS = sa.text("""
SELECT id, sn, minion_id, fields, source, asset_id, stands_as FROM expected
 WHERE stands_as = ANY(CAST(:ids AS uuid[]))
 ORDER BY source, row, id
""")

ASSETS_ALIKE = sa.text(f"""
WITH alike AS (
SELECT id FROM asset
 WHERE ltrim(replace(lower(sn), ' ', ''), '0') = ANY(CAST(:sns AS text[]))
    OR split_part(lower(minion_id), '.', 1) = ANY(CAST(:names AS text[]))
    OR split_part(lower(hostname), '.', 1) = ANY(CAST(:names AS text[]))
 UNION
SELECT asset_id FROM identifier
 WHERE value = ANY(CAST(:spellings AS text[]) || CAST(:macs AS text[]))
   AND kind IN ('uuid', 'mac') AND last_seen IS NULL AND NOT disowned)
SELECT asset.id, sn, minion_id, hostname, {KEYS}
  FROM alike
  JOIN asset ON asset.id = alike.id
  JOIN asset_seen AS seen ON seen.asset_id = asset.id
 WHERE seen.mode <> 'list'
 ORDER BY asset.id
""")  # noqa: S608 - constants of ours

MEANT = sa.text("""
UPDATE expected SET asset_id = i.asset_id
  FROM unnest(CAST(:ids AS uuid[]), CAST(:assets AS uuid[])) AS i(id, asset_id)
 WHERE expected.id = i.id
""")

# What is to be installed by a row goes with it to the machine that has its SN.
MOVE_INSTALLATIONS = sa.text("""
WITH moved AS MATERIALIZED (
SELECT i.before, expected.asset_id, expected.bare_sn
  FROM unnest(CAST(:ids AS uuid[]), CAST(:before AS uuid[])) AS i(id, before)
  JOIN expected ON expected.id = i.id AND expected.asset_id IS NOT NULL)
UPDATE installation SET asset_id = moved.asset_id
  FROM moved
 WHERE installation.asset_id = moved.before AND installation.compared_at IS NULL
   AND ltrim(replace(lower(installation.plan ->> 'sn'), ' ', ''), '0') = moved.bare_sn
""")

# A word that could have been an SN is the name of the machine that is called so.
NAMED = sa.text("""
UPDATE expected SET minion_id = expected.sn, sn = NULL, bare_sn = NULL,
       fields = (fields - 'sn') || jsonb_object(ARRAY['hostname', expected.sn])
  FROM asset
 WHERE asset.id = expected.asset_id AND expected.id = ANY(CAST(:ids AS uuid[]))
   AND expected.source = :source AND expected.minion_id IS NULL
   AND ltrim(replace(lower(asset.sn), ' ', ''), '0') IS DISTINCT FROM expected.bare_sn
   AND short_hostname IN (split_part(lower(asset.minion_id), '.', 1),
                          split_part(lower(asset.hostname), '.', 1))
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
    ON location.asset_id = seen.asset_id AND location.section = 'location'
 WHERE seen.asset_id = ANY(CAST(:ids AS uuid[]))
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
