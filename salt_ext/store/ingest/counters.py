"""
Counters of parts that tell of wear and errors: how each of them grows from report to report.

Of volatile values only the latest are stored. Of these counters it is known besides since when,
from which value and by how much at last; but only of those that are not zero, which few are.
They are looked at when volatile values are written, and a row is written when one differs.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Any, NamedTuple

import sqlalchemy as sa

from salt_ext.document import MAX_KEY, encode, is_components
from salt_ext.document.keys import keyed
from salt_ext.store.bulk import OneByOne, array


class Watched(NamedTuple):
    """Where in a section the parts with counters are, and which counters are watched."""

    within: tuple[str, ...]
    """The path of the list of parts in the section."""
    names: tuple[str, ...]
    is_of_boot: bool
    """Whether they count from each boot on, and not for the life of the part."""


WATCHED = {
    "smart": Watched(
        (),
        (
            *("reallocated", "reported_uncorrectable", "pending", "uncorrectable"),
            *("media_errors", "uncorrected_reads", "uncorrected_writes", "percentage_used"),
        ),
        is_of_boot=False,
    ),
    "memory": Watched(("edac",), ("ce_count", "ue_count"), is_of_boot=True),
}
"""The sections with counters that matter."""

MOST = 1000
"""Counters of one section of a machine; beyond that they are not watched."""


class Reading(NamedTuple):
    """The counters in the volatile values of one section of a report."""

    asset_id: uuid.UUID
    section: str
    counts: Mapping[tuple[str, str], int]
    """By part and name, those that are not zero."""
    silent: list[str] | None
    """
    The parts that are there and tell no counter now, such as a disk that sleeps.

    None where the section is told in part, so that the others may be there too.
    """
    boot_id: str | None
    at: datetime
    read_before: datetime
    """When volatile values of the machine were written last."""


def counts(section: str, volatile: Any) -> tuple[dict[tuple[str, str], int], set[str]]:
    """
    Return the watched counters of a section that are not zero, and the parts that tell any.

    What is no positive integer of 64 bits is no counter, whatever a machine sends.
    """
    of_parts = _at(volatile, WATCHED[section].within)
    if not isinstance(of_parts, dict):
        return {}, set()
    told = {
        (part, name): values[name]
        for part, values in of_parts.items()
        if isinstance(values, dict)
        for name in WATCHED[section].names
        if type(values.get(name)) is int and 0 <= values[name] < 2**63
    }
    grown = ((key, value) for key, value in told.items() if value)
    return dict(islice(grown, MOST)), {part for part, _ in told}


def silent(section: str, facts: Any, volatile: Any, told: set[str]) -> list[str]:
    """
    Return the parts that are there and tell no counter.

    ``facts`` is the whole section where it changed; None: its parts are as before, and the
    volatile values name all of them that matter.
    """
    parts = _at(volatile if facts is None else facts, WATCHED[section].within)
    if is_components(parts):
        return sorted({key[:MAX_KEY] for key in keyed(parts)} - told)
    return sorted(parts.keys() - told) if isinstance(parts, dict) else []


def _at(value: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value


_PATH = " ".join(
    f"WHEN '{section}' THEN CAST('{{{','.join(one.within)}}}' AS text[])"
    for section, one in WATCHED.items()
)

SAID = f"stored.volatile #> (CASE i.section {_PATH} END || i.component || i.name)"

# The reading before is among the volatile values, which are written after this. So what was
# zero until now grows; what nobody had read does not. A counter that falls, or counts from
# another boot, starts anew. Rows that do not differ are not even locked.
READ = """
unnest(CAST(:ids AS uuid[]), CAST(:sections AS text[]), CAST(:components AS text[]),
       CAST(:names AS text[]), CAST(:boot_ids AS uuid[]), CAST(:counts AS bigint[]),
       CAST(:moments AS timestamptz[]), CAST(:read_before AS timestamptz[]))
    AS i(asset_id, section, component, name, boot_id, value, at, read_at)
"""

OVER = OneByOne("""
DELETE FROM counter
 USING unnest(CAST(:told_ids AS uuid[]), CAST(:told_sections AS text[]), CAST(:kept AS text[]))
       AS told(asset_id, section, kept)
 WHERE counter.asset_id = told.asset_id AND counter.section = told.section
   AND NOT CAST(told.kept AS jsonb) ?| ARRAY[counter.component,
                                             counter.component || chr(10) || counter.name]
""")

GROWS = "(i.value > counter.value AND i.boot_id IS NOT DISTINCT FROM counter.boot_id)"
MOVED = OneByOne(f"""
UPDATE counter
   SET first_value = CASE WHEN {GROWS} THEN counter.first_value ELSE i.value END,
       first_at = CASE WHEN {GROWS} THEN counter.first_at ELSE i.at END,
       grown_by = CASE WHEN {GROWS} THEN i.value - counter.value END,
       grown_since = CASE WHEN {GROWS} THEN greatest(counter.at, i.read_at) END,
       value = i.value,
       at = greatest(counter.at, i.at),
       boot_id = i.boot_id
  FROM {READ}
 WHERE counter.asset_id = i.asset_id AND counter.section = i.section
   AND counter.component = i.component AND counter.name = i.name
   AND (i.value, i.boot_id) IS DISTINCT FROM (counter.value, counter.boot_id)
""")  # noqa: S608 - constants of ours

BEGUN = OneByOne(f"""
INSERT INTO counter (asset_id, section, component, name, boot_id, first_value, first_at, value, at,
                     grown_by, grown_since)
SELECT asset_id, section, component, name, boot_id,
       coalesce(old, value), CASE WHEN old IS NULL THEN at ELSE read_at END,
       value, at, nullif(value - old, 0), CASE WHEN value > old THEN read_at END
  FROM (SELECT seen.asset_id, i.section, i.component, i.name, i.boot_id, i.value, i.at, i.read_at,
               CASE WHEN jsonb_typeof({SAID}) = 'number' THEN
               CASE WHEN CAST({SAID} AS numeric) BETWEEN 0 AND i.value
                    THEN CAST({SAID} AS bigint) END END AS old
          FROM {READ}
          JOIN asset_seen AS seen ON seen.asset_id = i.asset_id
          LEFT JOIN asset_facts AS stored
            ON stored.asset_id = seen.asset_id AND stored.section = i.section
         WHERE NOT EXISTS (SELECT FROM counter
                            WHERE counter.asset_id = seen.asset_id
                              AND counter.section = i.section
                              AND counter.component = i.component AND counter.name = i.name)
       ) AS begun
ON CONFLICT DO NOTHING
""")  # noqa: S608 - constants of ours


def count(link: sa.Connection, readings: list[Reading]) -> None:
    """Note how counters have grown, before the volatile values that tell so are written."""
    if told := [one for one in readings if one.silent is not None]:
        OVER(
            link,
            {
                "told_ids": array(one.asset_id for one in told),
                "told_sections": array(one.section for one in told),
                "kept": array(encode(_kept(one)).decode() for one in told),
            },
        )
    if rows := [*_rows(readings)]:
        columns = map(array, zip(*rows, strict=True))
        about = dict(zip(COLUMNS, columns, strict=True))
        MOVED(link, about)
        BEGUN(link, about)


COLUMNS = (
    *("ids", "sections", "components", "names", "boot_ids", "counts"),
    *("moments", "read_before"),
)


def _kept(one: Reading) -> list[str]:
    """Return the parts that tell nothing now, and the counters that are not zero."""
    return [*(one.silent or ()), *(f"{part}\n{name}" for part, name in one.counts)]


def _rows(readings: list[Reading]) -> Iterator[tuple[Any, ...]]:
    for one in readings:
        boot_id = one.boot_id if WATCHED[one.section].is_of_boot else None
        for (part, name), value in one.counts.items():
            yield (
                *(one.asset_id, one.section, part, name, boot_id, value),
                *(one.at, min(one.read_before, one.at)),
            )
