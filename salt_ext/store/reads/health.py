"""
Which machines report parts that fail, wear out or are missing.

PostgreSQL evaluates the paths of the rules, so that of a large fleet only faults are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONPATH

from salt_ext.store.database import Database, Row, rows
from salt_ext.store.faults import RULES, SEVERITIES
from salt_ext.store.hidden import MARK, Hidden
from salt_ext.store.reads.filters import matching_ids
from salt_ext.store.reads.masking import masked, of_value
from salt_ext.store.schema import IS_ILL, asset, asset_facts, asset_seen


@masked
def health(database: Database, *, filters: Mapping[str, Any] | None = None) -> list[Row]:
    """
    Return the faults, a row for each fault of a part, the worst asset first.

    Each has ``severity`` (one of :data:`SEVERITIES`), ``section``, ``component``
    and ``says``. Detached and retired assets are left out. One statement reads the
    sections with a fault, by the index that has only these.
    """
    hidden = database.hidden
    judged = [
        (number, rule) for number, rule in enumerate(RULES) if rule.section not in hidden.unjudged
    ]
    if not judged:
        return []
    rules = sa.values(
        sa.column("number", sa.Integer),
        sa.column("section", sa.Text),
        sa.column("is_volatile", sa.Boolean),
        sa.column("path", sa.Text),
        name="rule",
    ).data([(number, *rule[:3]) for number, rule in judged])
    content = sa.case((rules.c.is_volatile, asset_facts.c.volatile), else_=asset_facts.c.facts)
    found = (
        sa.func.jsonb_path_query(content, sa.cast(rules.c.path, JSONPATH), "{}", sa.true())
        .table_valued(sa.column("item", asset_facts.c.facts.type))
        .render_derived("found")
    )
    statement = (
        sa.select(asset.c.id, asset.c.minion_id, asset.c.sn, rules.c.number, found.c.item)
        .select_from(
            asset_facts.join(rules, rules.c.section == asset_facts.c.section)
            .join(found, sa.true())
            .join(asset, asset.c.id == asset_facts.c.asset_id)
            .join(asset_seen, asset_seen.c.asset_id == asset_facts.c.asset_id)
        )
        .where(
            IS_ILL,
            asset_seen.c.detached_at.is_(None),
            asset.c.lifecycle != "retired",
        )
    )
    if filters:
        ids = matching_ids(database, filters)
        statement = statement.where(asset_facts.c.asset_id.in_(ids))
    with database.autocommit() as link:
        return _worst_first(rows(link.execute(statement)), hidden)


OF_SECTION = [
    sa.case(
        (
            asset_facts.c.section == rule.section,
            sa.func.jsonb_path_query_array(
                asset_facts.c.volatile if rule.is_volatile else asset_facts.c.facts,
                sa.cast(rule.path, JSONPATH),
                "{}",
                sa.true(),
            ),
        )
    ).label(f"found_{number}")
    for number, rule in enumerate(RULES)
]
"""
What each rule finds in a section, as columns beside it.

For one asset whose sections are read anyway: to plan a statement with the condition of the
index takes PostgreSQL longer than to look.
"""


def faults_of(about: Row, sections: Iterable[Any], hidden: Hidden) -> list[Row]:
    """
    Return the faults of an asset as :func:`health` does, the worst first.

    ``about`` are its columns, ``sections`` rows that have the columns OF_SECTION.
    """
    if about["detached_at"] is not None or about["lifecycle"] == "retired":
        return []
    named = {name: about[name] for name in ("id", "minion_id", "sn")}
    found = [
        {**named, "number": number, "item": item}
        for section in sections
        for number, column in enumerate(OF_SECTION)
        if RULES[number].section not in hidden.unjudged
        for item in getattr(section, column.name) or ()
    ]
    return _worst_first(found, hidden)


LISTS = {"raid": tuple(f"raid.{name}" for name in ("controllers", "volumes", "members"))}
"""Where the items of a section may stand that has several lists."""


def _seen(hidden: Hidden, section: str, item: Row) -> Row:
    """Return an item, which a path found, without the names and numbers that are hidden."""
    lists = LISTS.get(section, (section,))
    for path in lists:
        item = of_value(hidden, path, item)
    is_closed = "key" in item and any(map(hidden.names_parts, lists))
    return {**item, "key": MARK} if is_closed else item


def _worst_first(found: list[Row], hidden: Hidden) -> list[Row]:
    """Return each item as a finding; assets with the most severe and most findings come first."""
    judged = []
    for row in found:
        rule = RULES[row["number"]]
        finding = rule.judge(_seen(hidden, rule.section, row["item"]) if hidden else row["item"])
        about = {name: row[name] for name in ("id", "minion_id", "sn")}
        judged.append({**about, "section": rule.section, **finding._asdict()})
    counts: dict[Any, list[int]] = {}
    for row in judged:
        grave = counts.setdefault(row["id"], [0] * len(SEVERITIES))
        grave[SEVERITIES.index(row["severity"])] -= 1
    judged.sort(
        key=lambda row: (
            counts[row["id"]],
            row["minion_id"] or "",
            SEVERITIES.index(row["severity"]),
            row["section"],
            row["component"],
        )
    )
    return judged
