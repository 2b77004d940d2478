"""
Which sections of a report count: a poorer source changes nothing that a better one knows.

That is decided for each section. Where another source takes a section over, it is a
handover: what differs then is how the two look, and no change of the machine. The
same holds when the version of a collector rises. A report that saw only a part of a section
begins a handover, and the first one that saw the whole ends it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import sqlalchemy as sa

from salt_ext.report import digests
from salt_ext.report.checking import Checked
from salt_ext.report.envelope import MODES
from salt_ext.report.order import Order
from salt_ext.report.sources import CORE_GRAINS, rank
from salt_ext.settings import resolve
from salt_ext.store.identity.claims import Asset, Claim, same_system
from salt_ext.store.identity.decision import Decision
from salt_ext.store.ingest.before import Before, Told
from salt_ext.store.schema import other_source


class Taking(NamedTuple):
    """What a master takes, and by which rules."""

    modes: frozenset[str]
    """The modes that it knows."""
    missing_after: timedelta
    """For so long the better source of a section must have been silent."""
    hooks: tuple[str, ...] = ()
    """The dotted paths of the functions that each report is shown to."""


def taking(settings: Mapping[str, Any]) -> Taking:
    """Return what a master with these settings takes; the modes that they add are known."""
    missing_after = timedelta(seconds=settings["missing_after"])
    modes = frozenset((*MODES, *settings["modes"]))
    return Taking(modes, missing_after, tuple(settings["report_hooks"]))


USUAL = taking(resolve())


def is_poorer(mode: str, before: Before | None) -> bool:
    """Whether an asset is known from a better source than a report in this mode."""
    return before is not None and rank(mode) > rank(before.mode)


def is_better(mode: str, before: Before | None) -> bool:
    """Whether an asset is known from poorer sources only than a report in this mode."""
    return before is not None and rank(mode) < rank(before.mode)


RESPELLED = ("board", "changed", "taken", "unread")
"""The rules by which a report is held whose keys are not those that its asset had before."""


def is_about_one(claim: Claim, asset: Asset, verdict: Decision) -> bool:
    """
    Whether a verdict has doubts about the machine of this asset only, and not its machine-id.

    Then a poorer source may have spelled its keys in another way.
    """
    is_other = verdict.action == "replaced" and verdict.asset_id is None
    is_held = verdict.action == "held" and verdict.rule in RESPELLED
    return (is_other or is_held) and same_system(claim, asset) is not False


def weighed(
    report: Checked, mode: str, before: Before, is_silent: Callable[[str], bool]
) -> tuple[Checked, Mapping[str, Told]]:
    """
    Return a report without the sections that do not count, and who told those it takes over.

    ``is_silent`` tells of a section whether who told it has been missing for so long that
    a poorer source may take its place, or an equal one with an older collector.
    """
    handed: dict[str, Told] = {}
    # Of Salt's own grains there is never more than a part: nobody waits for the whole.
    ignored, partial = set(), frozenset(report.partial if mode != CORE_GRAINS else ())
    for section in report.facts:
        version, in_part = report.versions.get(section, 1), section in partial
        if section not in before.digests:
            if rank(mode) != rank(before.mode) or version != 1:
                handed[section] = Told(None, None, in_part=in_part)
            continue
        source, was = before.source(section), before.collector(section)
        # Of equals the newer collector knows better as long as it is heard, unless it saw only
        # a part; within one mode another one is all that there is.
        is_lesser = mode != source and (version < was or (in_part and version > was))
        worse = rank(mode) - rank(source) or int(is_lesser)
        if worse > 0 and not is_silent(section):
            ignored.add(section)
        elif worse or version != was:
            handed[section] = Told(source, was, rank(mode) == rank(source), in_part)
        elif before.is_half_told(section):
            handed[section] = Told(source, was, is_equal=True, in_part=in_part, is_begun=in_part)
    return (_without(report, ignored) if ignored else report), handed


def versions_of(report: Checked, handed: Mapping[str, Told]) -> dict[str, int]:
    """Return the versions to store of the sections of a report, as :class:`Before` has them."""
    begun = [name for name, told in handed.items() if told.in_part]
    return {**report.versions, **{name: -report.versions.get(name, 1) for name in begun}}


def _without(report: Checked, ignored: set[str]) -> Checked:
    left = [name for name in report.facts if name not in ignored]
    texts = {name: report.texts[name] for name in left}
    return report._replace(
        facts={name: report.facts[name] for name in left},
        texts=texts,
        digests={name: report.digests[name] for name in left},
        digest=digests.of_sections(texts),
    )


class Other(NamedTuple):
    """What is known of a source beside the best one of an asset."""

    last_seen: datetime
    order: Order


def others(link: sa.Connection, before: Before) -> dict[str, Other]:
    """Return the sources beside the best one of an asset, by their modes."""
    found = link.execute(sa.select(other_source).where(other_source.c.asset_id == before.id))
    return {
        row.source: Other(
            row.last_seen,
            Order(row.collected_at, row.boot_id and str(row.boot_id), row.since_boot_ms),
        )
        for row in found
    }
