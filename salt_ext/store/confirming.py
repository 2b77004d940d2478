"""
When a loss or a difference counts: a later collection has shown it too.

That is a later report of the same sort of source in which the collector of the section ran
and told the whole. So a section counts as of the moment when it was last told so: a report
in which its collector failed leaves that moment as it was, and so does one that saw a part.
"""

from __future__ import annotations

from salt_ext.report.sources import POORER

_RANKS = "CAST('{" + ",".join(POORER) + "}' AS text[])"


def _rank(mode: str) -> str:
    """Return SQL for how good a source is, as :func:`salt_ext.report.sources.rank` has it."""
    return f"coalesce(array_position({_RANKS}, {mode}), 0)"


SOURCES = """
  LEFT JOIN asset_facts AS facts
         ON facts.asset_id = seen.asset_id AND facts.section = {section}
  LEFT JOIN other_source AS other
         ON other.asset_id = seen.asset_id AND other.source = facts.source
        AND facts.source <> seen.mode"""
"""SQL that joins ``facts``, a section of an asset that is ``seen``, with who tells it."""

WELL_AT = "coalesce(facts.whole_at, facts.collected_at, other.collected_at, seen.collected_at)"
"""SQL for when that section was last told as a whole, by the clock of the machine."""

SHOWN_BEFORE = f"""
(SELECT max(number) FROM revision
  WHERE revision.asset_id = {{asset_id}} AND revision.collected_at < {WELL_AT})
"""  # noqa: S608 - constants of ours
"""
SQL for the last revision that is older than that collection; null if none is.

What this revision shows and the collection shows too is confirmed.
"""


def is_as_good(mode: str) -> str:
    """Return SQL for whether the section is told by a source as good as the mode in a column."""
    return f"{_rank('coalesce(facts.source, seen.mode)')} <= {_rank(mode)}"
