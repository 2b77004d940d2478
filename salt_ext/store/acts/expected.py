"""
Keep what people say they own: a whole list, or what they say about one machine.

A list is known by its source. What it says anew takes the place of what it said
before, and of nothing else.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timezone
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from salt_ext.store import bulk
from salt_ext.store.columns import EXPECTED
from salt_ext.store.database import Database, Row, rows
from salt_ext.store.errors import NotFound
from salt_ext.store.identity.locking import lock_identity
from salt_ext.store.ingest.listed import resolve, write, write_all
from salt_ext.store.ingest.stand_ins import stand_in
from salt_ext.store.reads.resolve import resolve as resolve_asset
from salt_ext.store.said import SET, spoken
from salt_ext.store.schema import asset, expected, list_field
from salt_ext.store.text import is_text
from salt_ext.words.called import called
from salt_ext.words.keys import good_macs, good_uuid, macs_of, uuid_of, why_no_macs, why_no_uuid
from salt_ext.words.match import SHARED_KEY, Said, bare, match, same_sn, short
from salt_ext.words.nearest import nearest, unknown


class Imported(NamedTuple):
    """
    What came of a list that was imported.

    Of ``counts``, ``kept`` machines are stored now, of which ``known`` have reported;
    ``changed`` is of how many assets something else is said than before; ``dropped`` entries
    are no longer in the list of this source. ``types`` are those that its own fields have in
    all lists together.
    """

    counts: dict[str, int]
    types: dict[str, str]


def import_expected(
    database: Database,
    machines: Sequence[Row],
    *,
    source: str,
    by: str,
    types: Mapping[str, str] | None = None,
    test: bool = False,
) -> Imported:
    """
    Store a list in place of what its source said before.

    Each machine has ``sn``, ``minion_id``, ``fields``, ``row`` and ``awaited``; ``types``
    has the type of each field that no machine can fill: text, number or date. With ``test``
    all of it is undone.
    """
    with database.begin() as link:
        attempt = link.begin_nested()
        # Nobody appears or is renamed meanwhile: that would find the old rows.
        lock_identity(link)
        link.exec_driver_sql("SET LOCAL statement_timeout = 0")
        of_source = expected.c.source == source
        before = rows(link.execute(sa.delete(expected).where(of_source).returning(expected)))
        kept = [_row(one, source, by) for one in machines]
        _take_over(kept, before)
        if kept:
            bulk.insert(link, expected, kept)
            link.execute(NAMED_SINCE, {"source": source, "set": SET})
        _type(link, source, types or {})
        decided = _types(link, list_field.c.source == source)
        concerned = {one["asset_id"] for one in before if one["asset_id"] is not None}
        concerned |= resolve(link, kept)
        known = link.scalar(
            sa.select(sa.func.count()).where(of_source, expected.c.asset_id.is_not(None))
        )
        stand_in(link)
        if test:
            changed = write(link, sorted(concerned))
            attempt.rollback()
    names = {_name(one) for one in kept}
    counts = {
        "kept": len(kept),
        "known": known or 0,
        "changed": changed if test else write_all(database, concerned),
        "dropped": sum(_name(one) not in names for one in before),
    }
    return Imported(counts, decided)


def set_expected(
    database: Database,
    reference: str,
    fields: Row,
    *,
    by: str,
    awaited: bool | None = None,
    kind: str | None = None,
) -> Row | None:
    """
    Add to what is expected of a machine; return all that was ever set of it.

    It is meant by its SN or its name, or as everywhere by another identifier of it; what
    nobody knows may turn out to be its SN or its name, unless it is a UUID or a MAC.
    An empty text takes a field away again, and where none is left, None is returned.
    ``awaited`` tells whether it shall report, ``kind`` what it is while it does not; None
    leaves that as it is.
    """
    reference = _name_of(database, reference)
    with database.begin() as link:
        lock_identity(link)
        key = _key(link, reference)
        of_set = (expected.c.source == SET) & _is_called(reference)
        before = rows(
            link.execute(sa.delete(expected).where(of_set).returning(expected)),
        )
        if key in KEYS and len(before) > 1:
            several = ", ".join(str(one["sn"] or one["minion_id"]) for one in before)
            raise NotFound(f"{reference!r} means several machines: {several}", "use one of these")
        said: Row = {}
        for one in before:
            said |= one["fields"]
        if key == "hostname" and same_sn(said.get("sn"), reference):
            del said["sn"]
        if key in KEYS:
            said = {key: reference} | said | fields
        else:
            said |= fields | {key: reference}
        said = {name: value for name, value in said.items() if value != ""}
        concerned = {one["asset_id"] for one in before if one["asset_id"] is not None}
        row = None
        if said.keys() - {key} or not fields:
            row = _row(
                {
                    "sn": said.get("sn"),
                    "minion_id": said.get("minion_id") or said.get("hostname"),
                    "fields": said,
                    "row": None,
                    "awaited": all(one["awaited"] for one in before)
                    if awaited is None
                    else awaited,
                    "kind": kind or next((one["kind"] for one in before), EXPECTED),
                },
                SET,
                by,
            )
            _take_over([row], before)
            bulk.insert(link, expected, [row])
            concerned |= resolve(link, [row])
        _type(link, SET, _types_of_set(link))
        stand_in(link)
        if row is not None:
            row["reason"] = _doubt(link, row)
    write_all(database, concerned)
    return row


def _doubt(link: sa.Connection, row: Row) -> str:
    """Return why a row may mean another machine than was thought, blank if nothing says so."""
    means = link.execute(MEANS, {"id": row["id"]}).one_or_none()
    if means is not None and row["sn"] and not same_sn(row["sn"], means.sn):
        name = called(means._asdict())
        return f"it means {name}, which shows another SN; a plan of another machine needs its UUID"
    found = link.execute(OF_ITS_KEYS, {"id": row["id"]}).all()
    others = ", ".join(one.sn or one.minion_id or one.uuid or one.macs for one in found)
    return f"{SHARED_KEY}: {others}" if others else ""


def remove_expected(
    database: Database, reference: str, *, source: str = "", test: bool = False
) -> list[Row]:
    """
    Remove what is expected of a machine, by its SN or else its name or key; return what it was.

    Only where no row has the SN as it is given, one that lost its zeros is meant. With
    ``source`` what other lists say stays; with ``test`` everything does.
    """
    of_source = expected.c.source == source if source else sa.true()
    gone: list[Row] = []
    with database.begin() as link:
        lock_identity(link)
        meanings = (
            sa.func.lower(expected.c.sn) == reference.lower(),
            _has_sn(reference),
            sa.func.lower(expected.c.minion_id) == reference.lower(),
            _is_called(reference),
        )
        for is_it in meanings if is_text(reference) else ():
            gone = _removed(link, is_it & of_source, test)
            if gone:
                break
        else:
            names = sa.select(expected.c.sn, expected.c.minion_id).where(of_source)
            known = [one for row in link.execute(names) for one in row if one]
    if not gone:
        near = nearest(reference, known)
        where = f" in the list {source!r}" if source else ""
        raise NotFound(
            f"nobody expects a machine {reference!r}{where}",
            f"the nearest is {near!r}" if near else "see: salt-run cmdb.expected list",
        )
    return _forgotten(database, gone, test)


def remove_list(database: Database, source: str, *, test: bool = False) -> list[Row]:
    """Remove a whole list; return what was in it. With ``test`` it stays."""
    with database.begin() as link:
        lock_identity(link)
        link.exec_driver_sql("SET LOCAL statement_timeout = 0")
        gone = _removed(link, expected.c.source == source, test)
        sources = sa.select(expected.c.source).distinct().order_by(expected.c.source)
        known = [] if gone else link.scalars(sources).all()
        if gone and not test:
            _type(link, source, {})
    if not gone:
        raise NotFound(unknown("list", source, known), "see: salt-run cmdb.expected sources")
    return _forgotten(database, gone, test)


def _removed(link: sa.Connection, which: sa.ColumnElement[bool], test: bool) -> list[Row]:
    """Remove rows, and what stood in for them; return them. With ``test`` they stay."""
    every = sa.select(expected) if test else sa.delete(expected).returning(expected)
    gone = rows(link.execute(every.where(which)))
    if gone and not test:
        stand_in(link)
    return sorted(gone, key=lambda one: (one["source"], one["row"] or 0, one["sn"] or ""))


def _forgotten(database: Database, gone: list[Row], test: bool) -> list[Row]:
    """Take from the assets what was said in rows that are gone; return these rows."""
    if not test:
        write_all(database, {one["asset_id"] for one in gone if one["asset_id"] is not None})
    return gone


def _name_of(database: Database, reference: str) -> str:
    """Return the name of the machine that has this address, MAC or id; all other words as is."""
    with database.autocommit() as link:
        if any(_known_as(link, reference)):
            return reference
    try:
        meant = resolve_asset(database, reference)
    except NotFound:
        return reference
    with database.autocommit() as link:
        name = link.scalar(sa.select(asset.c.minion_id).where(asset.c.id == meant))
    return name or reference


def _key(link: sa.Connection, reference: str) -> str:
    """
    Return whether a word is the ``hostname`` of a machine, or the ``sn``, known or not.

    Or whether it is a ``uuid`` or a ``mac``. Raises :class:`NotFound` for a name that several
    machines have in their domains.
    """
    for key, (is_key, why_no) in KEYS.items():
        if is_key(reference):
            if why := why_no(reference):
                raise ValueError(f"{reference!r} names no machine: {why}")
            return key
    is_name, is_sn, is_known = _known_as(link, reference)
    if is_sn and not is_name:
        return "sn"
    alike = rows(link.execute(NAMED_ALIKE, {"short": short(reference)})) if is_known else []
    [found] = match([Said(0, {"hostname": reference})], alike)
    if len(alike) > 1 and found.machine is None:
        several = ", ".join(one["minion_id"] for one in alike)
        raise NotFound(f"{reference!r} means several machines: {several}", "use one of these names")
    return "hostname" if is_name or is_known else "sn"


def _known_as(link: sa.Connection, reference: str) -> tuple[bool, bool, bool]:
    """Return whether a list has rows of this name alone, and whether it is an SN, and a name."""
    words = {"bare": bare(reference), "short": short(reference), "name": reference, "set": SET}
    is_name, is_sn, is_known = link.execute(CALLED, words).one()
    return is_name, is_sn, is_known


KEYS: dict[str, tuple[Callable[[str], object], Callable[[str], str]]] = {
    "uuid": (uuid_of, why_no_uuid),
    "mac": (macs_of, why_no_macs),
}
"""The fields that are keys of a machine: whether a word is one, and why it names none."""


def _is_called(reference: str) -> sa.ColumnElement[bool]:
    """Return the condition for rows of which people say so: by SN or key, or by name without SN."""
    if uuid_of(reference):
        return expected.c.uuid == uuid_of(reference)
    if macs := macs_of(reference):
        return sa.func.string_to_array(expected.c.macs, " ").op("&&")(sa.cast(macs, ARRAY(sa.Text)))
    is_name = sa.func.lower(expected.c.minion_id) == reference.lower()
    return _has_sn(reference) | (expected.c.sn.is_(None) & is_name)


def _has_sn(sn: str) -> sa.ColumnElement[bool]:
    """Return the condition for rows of which the rule in :mod:`salt_ext.words.match` finds one."""
    return expected.c.bare_sn == bare(sn)


def _row(machine: Row, source: str, by: str) -> Row:
    """Return a row of ``expected`` for what a list says of a machine."""
    words = spoken({**machine, "source": source})
    return {
        "id": uuid.uuid4(),
        "sn": machine["sn"],
        "minion_id": machine["minion_id"],
        "fields": machine["fields"],
        "source": source,
        "row": machine["row"],
        "imported_at": datetime.now(timezone.utc),
        "imported_by": by,
        "bare_sn": bare(words["sn"]) or None,
        "short_name": short(words.get("minion_id")) or None,
        "short_hostname": short(words["hostname"]) or None,
        "uuid": good_uuid(words.get("uuid")) or None,
        "macs": " ".join(good_macs(words.get("mac"))) or None,
        "asset_id": None,
        "stands_as": None,
        "kind": machine.get("kind", EXPECTED),
        "awaited": machine.get("awaited", True),
    }


def _take_over(kept: Iterable[Row], before: Iterable[Row]) -> None:
    """Let each row mean the asset that it meant before, until that is decided anew."""
    former = {_name(one): one for one in before}
    for one in kept:
        if _name(one) in former:
            one |= {name: former[_name(one)][name] for name in ("asset_id", "stands_as")}


def _name(row: Row) -> tuple[str, str]:
    """Return what a row calls its machine, and by which column: its SN, or else its name or key."""
    for column in ("sn", "minion_id", "uuid", "macs"):
        if row[column]:
            return column, row[column].lower()
    return "", ""


def _type(link: sa.Connection, source: str, types: Mapping[str, str]) -> None:
    """Store the fields that this list has, each with the type that it has in all lists."""
    of_source = list_field.c.source == source
    before = link.scalars(sa.delete(list_field).where(of_source).returning(list_field.c.name))
    names = {*before, *types}
    if types:
        found = [{"source": source, "name": name, "type": one} for name, one in types.items()]
        bulk.insert(link, list_field, found)
    if names:
        link.execute(DECIDE, {"names": bulk.array(sorted(names))})


def types_of_others(database: Database, source: str) -> dict[str, str]:
    """Return the types of the fields that lists of other sources have."""
    with database.autocommit() as link:
        return _types(link, list_field.c.source != source)


def _types(link: sa.Connection, condition: sa.ColumnElement[bool]) -> dict[str, str]:
    statement = sa.select(list_field.c.name, list_field.c.type).where(condition)
    return {row.name: row.type for row in link.execute(statement)}


# A field is what most of its values are in all lists together: so no list makes another one's
# days a text by a word, and none its words days.
DECIDE = sa.text("""
UPDATE list_field SET type = decided.type
  FROM (SELECT name, CASE WHEN 2 * count(*) FILTER (WHERE is_day) > count(*) THEN 'date'
                          WHEN 10 * count(*) FILTER (WHERE is_number) >= 9 * count(*) THEN 'number'
                          ELSE 'text' END AS type
          FROM (SELECT name, jsonb_typeof(fields -> name) = 'number' AS is_number,
                       fields ->> name ~ '^\\d{4}-\\d\\d-\\d\\d$' AS is_day
                  FROM expected CROSS JOIN unnest(CAST(:names AS text[])) AS name
                 WHERE fields ->> name <> '') AS said
         GROUP BY name) AS decided
 WHERE list_field.name = decided.name AND list_field.type <> decided.type
""")


# A list has a row of that name without an SN; the word is an SN; it is a name.
# SELECT 1: Citus hands a row from the shards to the coordinator, and it must have a column.
CALLED = sa.text("""
SELECT EXISTS (SELECT 1 FROM expected WHERE sn IS NULL AND lower(minion_id) = lower(:name)),
       EXISTS (SELECT 1 FROM expected WHERE bare_sn = :bare AND source <> :set)
       OR EXISTS (SELECT 1 FROM asset JOIN asset_seen AS seen ON seen.asset_id = asset.id
                   WHERE seen.mode <> 'list'
                     AND ltrim(replace(lower(sn), ' ', ''), '0') = :bare),
       EXISTS (SELECT 1 FROM expected WHERE :short IN (short_name, short_hostname)
                                      AND bare_sn IS DISTINCT FROM :bare)
       OR EXISTS (SELECT 1 FROM asset WHERE minion_id IS NOT NULL
                     AND (split_part(lower(minion_id), '.', 1) = :short
                          OR split_part(lower(hostname), '.', 1) = :short))
""")

# A word that could have been an SN is the name that a list has now.
NAMED_SINCE = sa.text("""
UPDATE expected AS word SET minion_id = word.sn, sn = NULL, bare_sn = NULL,
       fields = (word.fields - 'sn') || jsonb_object(ARRAY['hostname', word.sn])
  FROM expected AS named
 WHERE word.source = :set AND word.minion_id IS NULL AND named.source = :source
   AND word.short_hostname IN (named.short_name, named.short_hostname)
   AND named.bare_sn IS DISTINCT FROM word.bare_sn
   AND NOT EXISTS (SELECT FROM expected AS other
                    WHERE other.source <> :set AND other.bare_sn = word.bare_sn)
   AND NOT EXISTS (SELECT FROM asset
                    WHERE asset.id = word.asset_id
                      AND ltrim(replace(lower(asset.sn), ' ', ''), '0') = word.bare_sn)
""")

MEANS = sa.text("""
SELECT asset.id, asset.minion_id, asset.hostname, asset.sn
  FROM expected JOIN asset ON asset.id = expected.asset_id
 WHERE expected.id = :id
""")

# Rows of another machine, or of another one that is waited for, with a key of a row.
OF_ITS_KEYS = sa.text("""
SELECT other.sn, other.minion_id, other.uuid, other.macs
  FROM expected AS own
  JOIN expected AS other ON other.uuid = own.uuid
    OR string_to_array(other.macs, ' ') && string_to_array(own.macs, ' ')
 WHERE own.id = :id
   AND coalesce(other.asset_id, other.stands_as) IS DISTINCT FROM
       coalesce(own.asset_id, own.stands_as)
 ORDER BY other.source, other.row, other.id LIMIT 5
""")

NAMED_ALIKE = sa.text("""
SELECT sn, minion_id, hostname FROM asset
 WHERE minion_id IS NOT NULL AND (split_part(lower(minion_id), '.', 1) = :short
                                  OR split_part(lower(hostname), '.', 1) = :short)
 ORDER BY minion_id LIMIT 10
""")

# Of what people say of one machine at a time, there is no column that could tell.
TYPES = sa.text("""
SELECT field.key, CASE WHEN bool_and(jsonb_typeof(field.value) = 'number') THEN 'number'
                       WHEN bool_and(field.value #>> '{}' ~ '^\\d{4}-\\d\\d-\\d\\d$') THEN 'date'
                       ELSE 'text' END AS type
  FROM expected CROSS JOIN jsonb_each(expected.fields) AS field
 WHERE expected.source = :source AND starts_with(field.key, 'list.')
 GROUP BY field.key
""")


def _types_of_set(link: sa.Connection) -> dict[str, str]:
    return {row.key: row.type for row in link.execute(TYPES, {"source": SET})}
