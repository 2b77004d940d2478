"""
What is stored of the assets of a batch, and what a report makes of it.

Most reports that change something change one section of twenty. The others are
neither read, nor compared, nor written: the digest of a section says that it is
as before.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa

from salt_ext.document import encode
from salt_ext.document.diff import merge
from salt_ext.report import envelope
from salt_ext.report.checking import Checked
from salt_ext.store import bulk
from salt_ext.store.identity.locking import VERSION
from salt_ext.store.schema import asset_facts

Marks = dict[str, str]
"""Section: the digest of its canonical text."""


NO_VERSIONS: Mapping[uuid.UUID, str] = {}


class Merged(NamedTuple):
    """
    What is known after a report.

    ``facts`` is all of it, ``texts`` the canonical text of each section and
    ``digest`` that of the whole; ``old`` and ``new`` are the sections that
    changed, before and after.
    """

    facts: dict[str, Any]
    texts: dict[str, bytes]
    digest: str
    old: dict[str, Any]
    new: dict[str, Any]


BEFORE = f"""
SELECT asset.*, seen.digest, seen.collected_at, seen.last_seen, seen.volatile_at, seen.revision,
       seen.changed_at, stored.marks, stored.absent, {VERSION}
  FROM asset
  JOIN asset_seen AS seen ON seen.asset_id = asset.id
 CROSS JOIN LATERAL (
       SELECT json_object_agg(section, encode(digest, 'hex')) AS marks,
              array_agg(section) FILTER (WHERE collected_at IS NOT NULL) AS absent
         FROM {asset_facts.name} WHERE asset_id = asset.id) AS stored
 WHERE asset"""  # noqa: S608 - a name of our own schema


BY_NAME = sa.text(f"{bulk.ONE_BY_ONE}{BEFORE}.minion_id = ANY(CAST(:names AS text[]))")


BY_ID = sa.text(f"{BEFORE}.id = ANY(CAST(:ids AS uuid[]))")


def named(link: sa.Connection, minion_ids: Iterable[str]) -> dict[str, Any]:
    """Return the assets with these names as they are stored, each as :meth:`Stored.before`."""
    rows = link.execute(BY_NAME, {"names": bulk.array(minion_ids)})
    return {row.minion_id: row for row in rows}


LOAD = sa.text(f"""
SELECT facts.asset_id, facts.section, facts.facts
  FROM {asset_facts.name} AS facts
  JOIN unnest(CAST(:ids AS uuid[]), CAST(:sections AS text[])) AS i(asset_id, section)
    ON i.asset_id = facts.asset_id AND i.section = facts.section
""")  # noqa: S608 - a name of our own schema


class Stored:
    """What is stored of the assets of a batch; sections are read when they are needed."""

    def __init__(
        self,
        link: sa.Connection,
        ids: Iterable[uuid.UUID],
        named: Iterable[Any] = (),
        versions: Mapping[uuid.UUID, str] = NO_VERSIONS,
    ) -> None:
        """
        Read each asset with its times, and of its sections ``marks`` and ``absent``.

        What was read of it before it was locked is used if its version is still so.
        """
        self._link = link
        self._befores = {row.id: row for row in named if row.version == versions.get(row.id)}
        if others := [one for one in ids if one not in self._befores]:
            for row in link.execute(BY_ID, {"ids": bulk.array(others)}):
                self._befores[row.id] = row
        self._sections: dict[uuid.UUID, dict[str, Any]] = {}

    def before(self, asset_id: uuid.UUID | None) -> Any:
        """
        Return the asset as it is stored, None for one that is not.

        ``absent`` are the sections that its last report did not have.
        """
        return self._befores.get(asset_id) if asset_id is not None else None

    def load_all(self, reports: Mapping[uuid.UUID, Checked]) -> None:
        """Read the sections that differ from a report, of many assets in one statement."""
        pairs = [
            (asset_id, name)
            for asset_id, one in reports.items()
            for name, mark in self._marks(asset_id).items()
            if one.marks.get(name) != mark
        ]
        self._sections.update({asset_id: {} for asset_id in reports})
        if pairs:
            ids, sections = map(bulk.array, zip(*pairs, strict=True))
            for row in self._link.execute(LOAD, {"ids": ids, "sections": sections}):
                self._sections[row.asset_id][row.section] = row.facts

    def merge(self, asset_id: uuid.UUID | None, report: Checked) -> Merged:
        """Return what is known of an asset, or of a new one, after a report."""
        if asset_id is None or self.before(asset_id) is None:
            return merged(report, {}, {})
        if asset_id not in self._sections:
            self.load_all({asset_id: report})
        return merged(report, self._marks(asset_id), self._sections[asset_id])

    def _marks(self, asset_id: uuid.UUID) -> Marks:
        before = self._befores.get(asset_id)
        return before.marks or {} if before is not None else {}


def merged(report: Checked, marks: Mapping[str, str], stored: Mapping[str, Any]) -> Merged:
    """
    Return what is known after a report.

    ``marks`` are those of what is stored, and ``stored`` the sections of it that
    differ or were not reported.
    """
    differs = {
        name: report.facts[name] for name, mark in report.marks.items() if mark != marks.get(name)
    }
    old = {name: stored[name] for name in differs if name in stored}
    overlaid = [name for name in report.partial if name in old]
    new = merge(old, differs, overlaid) if overlaid else differs
    absent = {name: value for name, value in stored.items() if name not in report.facts}
    texts = {
        **report.texts,
        **{name: encode(new[name]) for name in overlaid},
        **{name: encode(value) for name, value in absent.items()},
    }
    facts = {**report.facts, **absent, **new}
    for name in overlaid:
        if envelope.mark(texts[name]) == marks[name]:
            del old[name], new[name]
    digest = envelope.digest_of(texts) if texts != report.texts else report.digest
    return Merged(facts, texts, digest, old, new)
