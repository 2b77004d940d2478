"""
The machines that are handed out to other programs.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, array

from salt_ext.store.database import Database, Row
from salt_ext.store.reads.filters import matching
from salt_ext.store.reads.listing import joined, listing
from salt_ext.store.schema import asset, asset_facts, asset_seen

UNLESS_ASKED = {"lifecycle__not": "retired", "freshness__in": ["fresh", "stale"]}
"""
Who is handed out unless the filters say it themselves.

Not what is retired, what was silent for long while somebody listened, hardware whose name
belongs to another, and what only people's lists have.
"""

SILENT_TOO = {"freshness__in": ["fresh", "stale", "missing"]}
"""A filter for those too that were silent for long."""

NAMES = ("minion_id", "hostname")
"""By what machines can be named."""

BATCH = 2000
"""So many rows are in memory at once."""

OF_BMC = (
    # Blank where a BMC tells no address. For each machine one look into an index: a join would
    # read the facts of all sections.
    sa.select(sa.func.coalesce(asset_facts.c.facts["addresses"][0].astext, ""))
    .where(
        asset_facts.c.asset_id == asset_seen.c.asset_id,
        asset_facts.c.section == "bmc",
        asset_facts.c.facts.has_key("present"),
    )
    .correlate(asset, asset_seen)
    .scalar_subquery()
)
"""The address of a machine's BMC; null where it has none."""

INTERFACE = (
    sa.select(
        sa.func.jsonb_path_query_first(
            asset_facts.c.facts,
            sa.text("'$[*] ? (@.addresses[*] starts with $start)'"),
            sa.func.jsonb_build_object("start", asset.c.address + "/"),
        )
    )
    .where(asset_facts.c.asset_id == asset_seen.c.asset_id, asset_facts.c.section == "network")
    .correlate(asset, asset_seen)
    .scalar_subquery()
)
"""The interface with a machine's address, with all that the facts tell of it."""


def handed_out(filters: Mapping[str, Any]) -> dict[str, Any]:
    """Return filters with those of :data:`UNLESS_ASKED` that they do not speak of."""
    asked = {name.partition("__")[0] for name in filters}
    usual = {
        name: value for name, value in UNLESS_ASKED.items() if name.partition("__")[0] not in asked
    }
    return {**usual, **filters}


def machines(
    database: Database,
    *,
    filters: Mapping[str, Any] | None = None,
    text: str = "",
    columns: Sequence[str] = (),
    name: str = "minion_id",
    is_oob: bool = False,
    has_interface: bool = False,
    groups: Mapping[str, tuple[Mapping[str, Any], str]] | None = None,
) -> Generator[Row, None, None]:
    """
    Yield the machines that fit the filters, in one statement, ordered by name and id.

    Each has ``id``, its ``name``, and the columns. The name is that by which Salt knows it;
    of what Salt does not know the host name, or else the SN. With ``name="hostname"`` it is
    what the machine calls itself. ``is_own`` says that Salt has checked the name, and
    ``namesakes`` how many of these machines have it. With ``is_oob`` only those that have a BMC
    are yielded, and their ``address`` is the BMC's: out of band. With ``has_interface`` each has
    ``interface`` too: what the facts tell of the one that has the address.

    With ``groups``, filters and a text by the name of each, the machines are instead those that
    fit one of them, and ``groups`` of each machine are the names of all that it fits.
    """
    source = listing(database, None)
    fields = {column: source.field(column) for column in columns}
    if has_interface:
        # All that the facts tell of it is in it, whatever that may be.
        if "network" in database.hidden.sections:
            raise database.hidden.refusal("interface")
        fields["interface"] = INTERFACE
    if is_oob:
        database.hidden.check("bmc.addresses")
        fields["address"] = OF_BMC
    ways = ("hostname",) if name == "hostname" else (NAMES[0], "hostname", "sn")
    known = [
        source.field(way) for way in ways if way == ways[0] or way not in source.hidden.columns
    ]
    named = sa.func.coalesce(*(sa.func.nullif(column, "") for column in known))
    minion_id = source.field("minion_id")
    ordered = named.collate("C")
    if groups is None:
        conditions = matching(source, handed_out(filters or {}), text)
    else:
        each = {
            group: sa.and_(sa.true(), *matching(source, handed_out(asked), words))
            for group, (asked, words) in groups.items()
        }
        fields["groups"] = _fitting(each)
        conditions = [sa.or_(sa.false(), *each.values())]
    statement = joined(
        sa.select(
            source.key.label("id"),
            named.label("name"),
            sa.func.coalesce(named == minion_id, False).label("is_own"),
            sa.func.count().over(partition_by=ordered).label("namesakes"),
            *(field.label(column) for column, field in fields.items()),
        ),
        source,
        conditions,
    ).order_by(ordered, source.key)
    with database.begin() as link:
        found = link.execute(statement.execution_options(yield_per=BATCH))
        names = tuple(found.keys())
        for batch in found.partitions():
            for row in batch:
                if not is_oob or row.address is not None:
                    yield dict(zip(names, row, strict=True))


def _fitting(each: Mapping[str, sa.ColumnElement[bool]]) -> sa.ColumnElement[Any]:
    """Return the names of those conditions that a row fits."""
    names: Any = [sa.case((fits, sa.literal(name, sa.Text))) for name, fits in each.items()]
    found = sa.func.array_remove(array(names, type_=sa.Text()), None)
    return sa.type_coerce(found, ARRAY(sa.Text))
