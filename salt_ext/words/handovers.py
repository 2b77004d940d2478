"""
What it means for people that another source tells a part of a machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from salt_ext.words.values import label

NAMES = {"grains": "Salt's grains", "cmdb_grain": "our grain"}


def handover(mode: str, source: str | None, sections: Iterable[str]) -> str:
    """Return a sentence: which sections a source tells from now on, and who told them before."""
    what = ", ".join(label(one) for one in sections)
    now = NAMES.get(mode, mode)
    if source is None:
        return f"first told by {now}: {what}"
    if source == mode:
        return f"told by other versions of the collectors: {what}"
    return f"now told by {now} instead of {NAMES.get(source, source)}: {what}"


def handovers(handed: Iterable[Sequence[str | None]] | None, mode: str) -> list[str]:
    """Return a sentence for each source, from pairs of source and section in their order."""
    return [
        handover(mode, source, [str(section) for _, section in pairs])
        for source, pairs in groupby(handed or (), key=lambda pair: pair[0])
    ]
