"""
Rows of a list that are no machines: totals and signatures, below the machines or between them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import islice
from typing import Any

from salt_ext.words.cells import spelled, text
from salt_ext.words.match import named

SUMS = "合 ?计|合 ?計|总 ?计|總 ?計|小 ?计|小 ?計|共计|累计|总数|汇总"
ENGLISH_SUMS = "(?:grand |sub-? ?)?totals?|sum"
SIGNATURES = (
    *("制 ?表", "製 ?表", "制单", "编制", "填表", "填报", "审 ?核", "審核", "复核", "审批", "审定"),
    *("批准", "核准", "盘点", "监盘", "经办", "签字", "签名", "签章", "盖章"),
    *("(?:prepared|checked|approved|reviewed|signed) by", "signature"),
)
TOTAL = re.compile(
    rf".{{0,40}}(?:{SUMS})(?:[\s:(=\d].*)?"
    rf"|(?:.{{0,40}}\s)?(?:{ENGLISH_SUMS})(?:[\s:(=].*)?"
    rf"|(?:{'|'.join(SIGNATURES)})(?:人|日期)?(?:[\s:(].*)?",
    re.DOTALL,
)
"""What stands in place of a name, as :func:`spelled` has it: ``小计``, ``Total: 5``, ``审核人``."""

COUNT = re.compile(r"\d{1,5}")
"""How many machines there are may stand where a total has no serial number."""

LONGEST = 100


def total_of(values: Mapping[str, Any]) -> str | None:
    """Return the word that makes a row a total or a signature; None for a row of a machine."""
    called = [one for one in named(values) if one]
    # A total may stand in the first column, and how many machines there are in that of names.
    first = [text(one) for one in (islice(values.values(), 1) if called else values.values())]
    words = [*called, *first]
    totals = [one for one in words if TOTAL.fullmatch(spelled(one[:LONGEST]))]
    others = [one for one in called if one not in totals and not COUNT.fullmatch(one)]
    return totals[0][:LONGEST] if totals and not others else None
