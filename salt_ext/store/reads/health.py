"""
Which machines report parts that fail, wear out or are missing.

PostgreSQL evaluates the paths of the rules, so that of a large fleet only faults are read.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONPATH

from salt_ext.document.keys import number as number_of
from salt_ext.store.database import Database, Row, rows
from salt_ext.store.disk_models import NO_RATES, PATHS, Rates, rates
from salt_ext.store.faults import RULES, SEVERITIES, WEARS, WORN, Finding
from salt_ext.store.hidden import MARK, NOTHING, Hidden
from salt_ext.store.parts import LONGEST
from salt_ext.store.prediction import Rate, compared
from salt_ext.store.reads.counters import by_part, counters, wearing, wears
from salt_ext.store.reads.filters import matching_ids
from salt_ext.store.reads.masking import masked, of_value
from salt_ext.store.schema import IS_ILL, asset, asset_facts, asset_seen, counter


@masked
def health(database: Database, *, filters: Mapping[str, Any] | None = None) -> list[Row]:
    """
    Return the faults, a row for each fault of a part, the worst part first.

    Each has ``severity`` (one of :data:`SEVERITIES`), ``section``, ``component``
    and ``says``. Of faults as severe, those of disks come in the order of ``prediction.py``.
    Detached and retired assets are left out. One statement reads the sections with a fault,
    by the index that has only these, another one the disks whose life is used soon, and a
    third how often the models of all those disks fail.
    """
    ids = matching_ids(database, filters) if filters else None
    with database.autocommit() as link:
        found = _found(link, database.hidden, ids)
        return _worst_first(found, database.hidden, _rates(link, found, database.hidden))


def _found(link: sa.Connection, hidden: Hidden, ids: sa.Select[Any] | None) -> list[Row]:
    """Return what rules found, to be judged; ``ids`` are the assets that are asked about."""
    judged = [
        (place, rule) for place, rule in enumerate(RULES) if rule.section not in hidden.unjudged
    ]
    if not judged:
        return []
    rules = sa.values(
        sa.column("number", sa.Integer),
        sa.column("section", sa.Text),
        sa.column("is_volatile", sa.Boolean),
        sa.column("path", sa.Text),
        name="rule",
    ).data([(place, *rule[:3]) for place, rule in judged])
    content = sa.case((rules.c.is_volatile, asset_facts.c.volatile), else_=asset_facts.c.facts)
    found = (
        sa.func.jsonb_path_query(content, sa.cast(rules.c.path, JSONPATH), "{}", sa.true())
        .table_valued(sa.column("item", asset_facts.c.facts.type))
        .render_derived("found")
    )
    of_part = counters(counter.c.component == found.c.item["key"].astext)
    statement = (
        sa.select(
            *(asset.c.id, asset.c.minion_id, asset.c.sn, asset_seen.c.last_seen),
            *(rules.c.number, found.c.item),
            sa.case((rules.c.is_volatile, of_part)).label("counters"),
        )
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
    if ids is not None:
        statement = statement.where(asset_facts.c.asset_id.in_(ids))
    ill = [
        {**row, "rule": RULES[row["number"]], "counters": by_part(row["counters"])}
        for row in rows(link.execute(statement))
    ]
    worn = [] if WEARS.section in hidden.unjudged else wearing(link, ids)
    told = {(row["id"], row["item"].get("key")) for row in ill if row["rule"] is WORN}
    return ill + [row for row in worn if (row["id"], row["item"]["key"]) not in told]


class Warned(NamedTuple):
    """A part that a rule warns of; its fields are columns of the table ``warning``."""

    asset_id: uuid.UUID
    rule: str
    part: str
    section: str
    severity: str
    serial: str | None
    says: str

    @property
    def key(self) -> tuple[uuid.UUID, str, str]:
        """What tells one warning from another."""
        return self.asset_id, self.rule, self.part


def warned(link: sa.Connection) -> list[Warned]:
    """Return what is critical or a warning now, the critical ones first."""
    found = []
    for row in _found(link, NOTHING, None):
        finding = _judged(row, NOTHING)
        if finding is not None and finding.severity in GRAVE:
            serial = _disk(row) or number_of(row["item"])
            part = (serial or finding.component)[:LONGEST]
            about = row["rule"].section, finding.severity, serial and part, finding.says
            found.append(Warned(row["id"], row["rule"].name, part, *about))
    return sorted(found, key=lambda one: GRAVE.index(one.severity))


GRAVE = SEVERITIES[:2]
"""What is a warning, and no notice."""


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
    ).label(f"found_{place}")
    for place, rule in enumerate(RULES)
] + [counters().label("counters")]
"""
What each rule finds in a section, as columns beside it, and how its counters have grown.

For one asset whose sections are read anyway: to plan a statement with the condition of the
index takes PostgreSQL longer than to look.
"""


def faults_of(
    link: sa.Connection, about: Row, sections: Iterable[Any], hidden: Hidden
) -> list[Row]:
    """
    Return the faults of an asset as :func:`health` does, the worst first.

    ``about`` are its columns, ``sections`` rows that have the columns OF_SECTION.
    """
    if about["detached_at"] is not None or about["lifecycle"] == "retired":
        return []
    named = {name: about[name] for name in ("id", "minion_id", "sn", "last_seen")}
    found = []
    for section in sections:
        grown = by_part(section.counters)
        for place, rule in enumerate(RULES):
            items = [] if rule.section in hidden.unjudged else getattr(section, f"found_{place}")
            found += [
                {**named, "rule": rule, "item": one, "counters": grown} for one in items or ()
            ]
        if section.section == WEARS.section not in hidden.unjudged:
            told = {row["item"]["key"] for row in found if row["rule"] is WORN}
            found += [
                {**named, **wears(part, of_part)}
                for part, of_part in grown.items()
                if part not in told
            ]
    return _worst_first(found, hidden, _rates(link, found, hidden))


def _rates(link: sa.Connection, found: list[Row], hidden: Hidden) -> Rates:
    """Return how often the models of the disks that were found fail; nothing where it is hidden."""
    if any(hidden.path(f"{path}.model") for path in PATHS):
        return NO_RATES
    disks = {(row["id"], key) for row in found if (key := _disk(row))}
    return rates(link, disks) if disks else NO_RATES


def _disk(row: Row) -> str | None:
    """Return the number of a disk of which something was found."""
    item = row["item"]
    return (item.get("key") or number_of(item)) if row["rule"].section == "smart" else None


LISTS = {"raid": tuple(f"raid.{name}" for name in ("controllers", "volumes", "members"))}
"""Where the items of a section may stand that has several lists."""


def _seen(hidden: Hidden, section: str, item: Row) -> Row:
    """Return an item, which a path found, without the names and numbers that are hidden."""
    lists = LISTS.get(section, (section,))
    for path in lists:
        item = of_value(hidden, path, item)
    is_closed = "key" in item and any(map(hidden.names_parts, lists))
    return {**item, "key": MARK} if is_closed else item


def _judged(row: Row, hidden: Hidden) -> Finding | None:
    """Return what a rule says of what it found."""
    rule, item = row["rule"], row["item"]
    grown = row["counters"].get(item.get("key"), {}) if rule.is_volatile else {}
    shown = _seen(hidden, rule.section, item) if hidden else item
    try:
        finding: Finding | None = rule.judge(
            {**shown, "counters": grown, "last_seen": row["last_seen"]}
        )
    except (AttributeError, LookupError, TypeError, ValueError):
        # A path does not see what stands beside what it finds; no collector of ours sends that,
        # and the faults of the other machines are told all the same.
        return None
    return finding


def _worst_first(found: list[Row], hidden: Hidden, known: Rates) -> list[Row]:
    """Return each item as a finding; the most severe and those with most evidence come first."""
    judged = []
    for row in found:
        rule, finding = row["rule"], _judged(row, hidden)
        if finding is None:
            continue
        if disk := _disk(row):
            finding = _of_model(finding, known.of_disks.get((row["id"], disk)), known.of_fleet)
        about = {name: row[name] for name in ("id", "minion_id", "sn")}
        judged.append((finding, {**about, "section": rule.section}))
    judged.sort(key=_rank)
    return [
        {**about, **{name: getattr(finding, name) for name in ("severity", "component", "says")}}
        for finding, about in judged
    ]


def _of_model(finding: Finding, rate: Rate | None, of_fleet: float) -> Finding:
    """Return a finding about a disk with how often its model fails, the fleet's if unknown."""
    if rate is None:
        return finding._replace(evidence=finding.evidence._replace(yearly_rate=of_fleet))
    words = filter(None, [finding.says, compared(rate, of_fleet)])
    evidence = finding.evidence._replace(yearly_rate=rate.yearly)
    return finding._replace(says="; ".join(words), evidence=evidence)


def _rank(judged: tuple[Finding, Row]) -> tuple[Any, ...]:
    finding, about = judged
    return (
        SEVERITIES.index(finding.severity),
        tuple(-one for one in finding.evidence),
        *(about["minion_id"] or "", about["section"], finding.component),
    )
