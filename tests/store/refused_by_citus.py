"""
What Citus refuses and has refused of our statements: a list that grows.

Each rule has the sentence of Citus, and how else it is said. A statement is looked at as text,
with one blank between its words.
"""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from salt_ext.store.distribution import DISTRIBUTED, LOCAL, REFERENCE, wanted

_KINDS = wanted()
SPREAD = "|".join(name for name, kind in _KINDS.items() if kind == DISTRIBUTED)
WHOLE = "|".join(name for name, kind in _KINDS.items() if kind == REFERENCE)
ALONE = "|".join(sorted(LOCAL))
_OF_CITUS = re.compile(rf"\b({SPREAD}|{WHOLE})\b")


class Rule(NamedTuple):
    """What Citus says, what to write instead, and whether a statement is so."""

    said: str
    instead: str
    is_broken: Callable[[str], object]


def _finds(*patterns: str) -> Callable[[str], bool]:
    """Return whether a statement has all of these."""
    compiled = [re.compile(one) for one in patterns]
    return lambda statement: all(one.search(statement) for one in compiled)


def _laterals(text: str) -> Iterator[str]:
    """Yield what each subquery after LATERAL says itself, without what is in parentheses there."""
    for found in re.finditer(r"\bLATERAL \(", text):
        depth, said = 1, ""
        for letter in text[found.end() :]:
            depth += (letter == "(") - (letter == ")")
            if depth == 0:
                break
            said += letter if depth == 1 else ""
        yield said


RULES = (
    Rule(
        "could not run distributed query with FOR UPDATE/SHARE commands",
        "lock_assets() of identity/locking.py locks several assets; one is asset_id = a value",
        lambda text: (
            re.search(rf"\bFROM ({SPREAD})\b.* FOR (NO KEY )?(UPDATE|SHARE)\b", text)
            and not re.search(r"WHERE (\w+\.)?asset_id = [^=]* FOR UPDATE$", text)
        ),
    ),
    Rule(
        "only reference tables may be queried when targeting a reference table with multi"
        " shard UPDATE/DELETE queries with multiple tables",
        "read the ids first, and give them to the statement that writes",
        _finds(rf"^(UPDATE|DELETE FROM) ({WHOLE})\b", rf"\b(FROM|JOIN|USING) ({SPREAD})\b"),
    ),
    Rule(
        "STABLE functions used in UPDATE queries cannot be called with column references",
        "a moment less a moment is IMMUTABLE, and so is to compare two intervals; values may"
        " be made before they are sent",
        _finds(
            rf"(^|\()(UPDATE|DELETE FROM) ({SPREAD}|{WHOLE})\b",
            r"(?<!\bnow\(\) )[+-] (CAST\(\S+ AS )?interval\b"
            r"|\b(concat|concat_ws|format|jsonb_build_object)\(",
        ),
    ),
    Rule(
        "non-IMMUTABLE functions are not allowed in CASE or COALESCE statements",
        "give the moment as a value: see clock.now()",
        _finds(
            rf"(^|\()UPDATE ({SPREAD}|{WHOLE})\b",
            r"\bCASE\b((?!\bEND\b).)*\bnow\(\)|\bcoalesce\([^()]*\bnow\(\)",
        ),
    ),
    Rule(
        "functions used in the DO UPDATE SET clause of INSERTs on distributed tables must be"
        " marked IMMUTABLE",
        "the new row has the moment: excluded.since",
        _finds(rf"^INSERT INTO ({SPREAD}|{WHOLE})\b", r"\bDO UPDATE((?!RETURNING).)*\bnow\(\)"),
    ),
    Rule(
        "complex joins are only supported when all distributed tables are co-located and joined"
        " on their distribution columns",
        "join asset_seen, and name asset_seen.asset_id in the subquery",
        _finds(rf"\bFROM ({SPREAD})( AS \w+)? WHERE (\w+\.)?asset_id = (asset\.id|i\.asset_id)\b"),
    ),
    Rule(
        "cannot push down this subquery: Limit clause is currently unsupported when a lateral"
        " subquery references a column from a table function",
        "number the rows of each asset by row_number() OVER (PARTITION BY asset_id ...)",
        _finds(
            rf"\bLATERAL \(((?!\) AS ).)*\bFROM ({SPREAD})\b((?!\) AS ).)*\bi\.\w+"
            r"((?!\) AS ).)*\b(LIMIT|OFFSET)\b"
        ),
    ),
    Rule(
        "cannot perform a lateral outer join when a distributed subquery references a reference"
        " table",
        "ask for what is there, and add what is not there afterwards",
        _finds(rf"\bAS i ?\([^)]*\) LEFT JOIN (LATERAL \(.*FROM )?({SPREAD})\b"),
    ),
    Rule(
        "correlated subqueries are not supported when the FROM clause contains a subquery"
        " without FROM",
        "name the value in a subquery of its own around the tables",
        lambda text: any(" FROM " not in one for one in _laterals(text)),
    ),
    Rule(
        "recursive CTEs are only supported when they contain a filter on the distribution column",
        "compare all rows, without leaps: see matches() of reads/patterns.py",
        _finds(r"\bWITH RECURSIVE\b", rf"\b(FROM|JOIN) ({SPREAD})\b"),
    ),
    Rule(
        "relation delivery is not distributed",
        "read the table of the coordinator first, and then write",
        _finds(rf"^(UPDATE|DELETE FROM) ({SPREAD}|{WHOLE})\b", rf"\b(FROM|JOIN|USING) ({ALONE})\b"),
    ),
)


def plain(statement: str) -> str:
    """Return a statement as the rules read it: without PREPARE, settings and comments."""
    text = " ".join(re.sub(r"--[^\n]*", "", statement).replace('"', "").split())
    text = re.sub(r"^(SET LOCAL [^;]*; ?)+", "", text)
    return re.sub(r"^PREPARE \w+ AS ", "", text)


def refused(statement: str) -> list[Rule]:
    """Return the rules that a statement breaks."""
    text = plain(statement)
    if not _OF_CITUS.search(text):
        return []
    return [rule for rule in RULES if rule.is_broken(text)]
