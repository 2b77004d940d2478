"""
What is stored of the assets of a batch, and what a report makes of it.

Most reports that change something change one section of twenty. The other sections
are neither read, nor compared, nor written: their digests show that they are as
before.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from typing import Any, NamedTuple

import sqlalchemy as sa

from salt_ext.document import encode
from salt_ext.document.diff import Change, diff
from salt_ext.document.overlay import overlay
from salt_ext.report import digests
from salt_ext.report.checking import Checked
from salt_ext.report.order import Order
from salt_ext.store import bulk
from salt_ext.store.identity.locking import VERSION
from salt_ext.store.ingest.spending import Spent, spent
from salt_ext.store.schema import asset_facts

NO_VERSIONS: Mapping[uuid.UUID, str] = {}


class Told(NamedTuple):
    """Who told a section: the mode and the version of the collector; None: nobody did."""

    source: str | None
    version: int | None
    is_equal: bool = False
    """Whether who tells it from now on is a source of the same sort."""
    in_part: bool = False
    """Whether who tells it from now on has yet to tell the whole."""
    is_begun: bool = False
    """Whether that is who has told it in part before: then only what is added is a handover."""


NO_HANDOVER: Mapping[str, Told] = {}


class Before(NamedTuple):
    """An asset as it is stored before a report; ``columns`` has those of the table ``asset``."""

    id: uuid.UUID
    minion_id: str | None
    columns: sa.RowMapping
    digest: bytes
    order: Order
    doubted: Order | None
    """A report that may be an old one, or the first after the clock was set back."""
    master: int | None
    last_seen: datetime
    volatile_at: datetime
    revision: int
    changed_at: datetime
    digests: Mapping[str, str]
    """By section: the digest of its canonical text, in hexadecimal."""
    absent: Mapping[str, datetime]
    """The sections that its last report did not tell: when that was that told each of them last."""
    whole: Mapping[str, datetime]
    """The sections that were told in part last: when each was told as a whole last."""
    version: str
    """A text that differs after anybody has written the asset."""
    mode: str
    """The best source that was heard, as it was heard last."""
    mode_seen: datetime
    """When that was."""
    sources: Mapping[str, str]
    """By section: which mode told it, where that is not ``mode``."""
    versions: Mapping[str, int]
    """By section: the version of its collector, where that is not 1; see :meth:`is_half_told`."""

    def source(self, section: str) -> str:
        """Return which mode told a section."""
        return self.sources.get(section, self.mode)

    def collector(self, section: str) -> int:
        """Return which version of its collector told a section."""
        return abs(self.versions.get(section, 1))

    def is_half_told(self, section: str) -> bool:
        """
        Whether whoever tells a section has taken it over, and told it in part only since then.

        What else is known of it is of the source before. It is stored as a negative version.
        """
        return self.versions.get(section, 1) < 0

    def told_at(self, section: str) -> datetime:
        """Return when a section was collected last, by the clock of the machine."""
        return self.absent.get(section, self.order.collected_at)


class Document(NamedTuple):
    """
    What is known after a report.

    ``facts`` are all facts, ``texts`` the canonical text of each section, ``digests``
    those of the sections that are reported, ``digest`` that of the whole. ``old`` and
    ``new`` are the sections that changed, before and after the report. Those that are
    ``handed`` over differ because another source tells them now.
    """

    facts: dict[str, Any]
    texts: dict[str, bytes]
    digests: dict[str, str]
    digest: str
    old: dict[str, Any]
    new: dict[str, Any]
    handed: frozenset[str] = frozenset()

    def changes(self) -> list[Change]:
        """Return what has changed on the machine."""
        old, new = (
            {name: value for name, value in one.items() if name not in self.handed}
            for one in (self.old, self.new)
        )
        return diff(old, new)


BEFORE = f"""
SELECT asset.*, seen.digest, seen.collected_at, seen.last_seen, seen.volatile_at, seen.revision,
       seen.changed_at, seen.boot_id, seen.since_boot_ms, seen.doubted_boot_id,
       seen.doubted_since_boot_ms, seen.master, seen.mode,
       coalesce(seen.mode_seen, seen.last_seen) AS mode_seen,
       stored.digests, stored.absent, stored.whole, stored.sources, stored.versions, {VERSION}
  FROM asset
  JOIN asset_seen AS seen ON seen.asset_id = asset.id
 CROSS JOIN LATERAL (
       SELECT json_object_agg(section, encode(digest, 'hex')) AS digests,
              json_object_agg(section, extract(epoch FROM collected_at))
              FILTER (WHERE collected_at IS NOT NULL) AS absent,
              json_object_agg(section, extract(epoch FROM whole_at))
              FILTER (WHERE whole_at IS NOT NULL) AS whole,
              json_object_agg(section, source) FILTER (WHERE source IS NOT NULL) AS sources,
              json_object_agg(section, version) FILTER (WHERE version IS NOT NULL) AS versions
         FROM {asset_facts.name} WHERE asset_id = seen.asset_id) AS stored
 WHERE asset"""  # noqa: S608 - constants of ours

BY_NAME = bulk.OneByOne(f"{BEFORE}.minion_id = ANY(CAST(:names AS text[]))")
BY_ID = sa.text(f"{BEFORE}.id = ANY(CAST(:ids AS uuid[]))")

LOAD = bulk.Prepared(f"""
SELECT facts.asset_id, facts.section, facts.facts
  FROM {asset_facts.name} AS facts
  JOIN unnest(CAST(:ids AS uuid[]), CAST(:sections AS text[])) AS i(asset_id, section)
    ON i.asset_id = facts.asset_id AND i.section = facts.section
""")  # noqa: S608 - constants of ours


class Named(NamedTuple):
    """What is stored under a name: its asset, and what its reports have cost in this hour."""

    asset: Before | None
    spent: Spent | None


def named(link: sa.Connection, minion_ids: Iterable[str]) -> dict[str, Named]:
    """Return what is stored under each of these names."""
    names = [*minion_ids]
    assets = {row.minion_id: _before(row) for row in BY_NAME(link, {"names": bulk.array(names)})}
    costs = spent(link, names)
    return {name: Named(assets.get(name), costs.get(name)) for name in names}


def _before(row: sa.Row[Any]) -> Before:
    return Before(
        row.id,
        row.minion_id,
        row._mapping,
        bytes(row.digest),
        Order(row.collected_at, row.boot_id and str(row.boot_id), row.since_boot_ms),
        row.doubted_boot_id
        and Order(row.collected_at, str(row.doubted_boot_id), row.doubted_since_boot_ms),
        row.master,
        row.last_seen,
        row.volatile_at,
        row.revision,
        row.changed_at,
        row.digests or {},
        _moments(row.absent),
        _moments(row.whole),
        row.version,
        row.mode,
        row.mode_seen,
        row.sources or {},
        row.versions or {},
    )


def _moments(epochs: Mapping[str, float] | None) -> dict[str, datetime]:
    return {name: datetime.fromtimestamp(at, timezone.utc) for name, at in (epochs or {}).items()}


class Stored:
    """What is stored of the assets of a batch; sections are read when they are needed."""

    def __init__(
        self,
        link: sa.Connection,
        ids: Iterable[uuid.UUID],
        named: Iterable[Before] = (),
        versions: Mapping[uuid.UUID, str] = NO_VERSIONS,
    ) -> None:
        """
        Read each asset, its times, and the digests of its sections.

        ``named`` are assets that were read before they were locked. One of them is
        used if its version is still the same in ``versions``.
        """
        self._link = link
        self._befores = {one.id: one for one in named if one.version == versions.get(one.id)}
        if others := [one for one in ids if one not in self._befores]:
            for row in link.execute(BY_ID, {"ids": bulk.array(others)}):
                self._befores[row.id] = _before(row)
        self._sections: dict[uuid.UUID, dict[str, Any]] = {}

    def before(self, asset_id: uuid.UUID | None) -> Before | None:
        """Return an asset as it is stored; None if there is no such asset."""
        return self._befores.get(asset_id) if asset_id is not None else None

    def load_all(self, reports: Mapping[uuid.UUID, Checked]) -> None:
        """Read, for many assets in one statement, the stored sections that differ from a report."""
        pairs = [
            (asset_id, name)
            for asset_id, one in reports.items()
            if (before := self._befores.get(asset_id)) is not None
            for name in _needed(before, one)
        ]
        self._sections.update({asset_id: {} for asset_id in reports})
        if pairs:
            ids, sections = map(bulk.array, zip(*pairs, strict=True))
            for row in LOAD(self._link, {"ids": ids, "sections": sections}):
                self._sections[row.asset_id][row.section] = row.facts

    def after(
        self,
        asset_id: uuid.UUID | None,
        report: Checked,
        handed: Mapping[str, Told] = NO_HANDOVER,
    ) -> Document:
        """
        Return what is known of an asset, or of a new one, after a report.

        ``handed`` are the sections that another source told before, and which.
        """
        before = self.before(asset_id)
        if before is None:
            return document_after(report, {}, {})
        needed = _needed(before, report)
        if not needed <= self._sections.get(before.id, {}).keys():
            self.load_all({before.id: report})
        stored = {name: self._sections[before.id][name] for name in needed}
        return document_after(report, before.digests, stored, handed)


def _needed(before: Before, report: Checked) -> set[str]:
    """Return the stored sections that differ from a report or are not in it."""
    said = report.digests
    return {name for name, digest in before.digests.items() if said.get(name) != digest}


def document_after(
    report: Checked,
    known: Mapping[str, str],
    stored: Mapping[str, Any],
    handed: Mapping[str, Told] = NO_HANDOVER,
) -> Document:
    """
    Return what is known after a report.

    ``known`` has the digests of all stored sections; ``stored`` has the stored
    sections that differ from the report or are not in it, ``handed`` those that another
    source told before.
    """
    differs = {
        name: report.facts[name]
        for name, digest in report.digests.items()
        if digest != known.get(name)
    }
    old = {name: stored[name] for name in differs if name in stored}
    in_part = [name for name in report.partial if name in old]
    apart = {name for name, told in handed.items() if not told.is_equal}
    new = overlay(old, differs, in_part, apart) if in_part else differs
    absent = {name: value for name, value in stored.items() if name not in report.facts}
    texts = {
        **report.texts,
        **{name: encode(new[name]) for name in in_part},
        **{name: encode(value) for name, value in absent.items()},
    }
    facts = {**report.facts, **absent, **new}
    found = {**report.digests, **{name: digests.of_section(texts[name]) for name in in_part}}
    for name in in_part:
        if found[name] == known[name]:
            del old[name], new[name]
    digest = digests.of_sections(texts) if texts != report.texts else report.digest
    differing = {
        name
        for name, told in handed.items()
        if name in new and (not told.is_begun or _adds(old[name], new[name]))
    }
    return Document(facts, texts, found, digest, old, new, frozenset(differing))


def _adds(old: Any, new: Any) -> bool:
    """Whether a section has parts or fields that it did not have."""
    return any(one.op == "added" for one in diff({"section": old}, {"section": new}))
