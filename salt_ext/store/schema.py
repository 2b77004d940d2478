"""
The tables.

Every id is a UUID, and the primary keys of most tables begin with ``asset_id``,
so that these tables could be spread over several servers by asset. ``placement``
is an exception: its key begins with the serial number of a part.

The values that every report changes are in ``asset_seen``. That table is narrow,
and no index contains a column that an unchanged report changes (the mode hardly
ever differs), so that PostgreSQL can write the new version of the row into the
same page (a HOT update). ``asset`` has an index on each of its columns, to sort
and to filter by; it is written only when one of them differs.
"""

from __future__ import annotations

import uuid

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSON, JSONB, JSONPATH, UUID

from salt_ext.document.classes import CLASSES
from salt_ext.store.faults import RULES, Rule

metadata = sa.MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "pk": "%(table_name)s_pkey",
    }
)

OPS = ("added", "removed", "changed", "moved", "replaced", "renamed")
"""What may happen to a part or a value, or to the name of its machine."""

LIFECYCLES = ("planned", "staged", "active", "maintenance", "retired")
"""The stages of life that people give to an asset; its freshness does not depend on them."""

INSTALLABLE = ("planned", "staged")
"""The stages of life in which a machine may be installed."""

Moment = sa.DateTime(timezone=True)
Json = JSONB(none_as_null=True)


def _asset_id(*, is_checked: bool = True) -> sa.Column[uuid.UUID]:
    """
    Return the column of the asset that a row is of.

    Unless it ``is_checked`` PostgreSQL does not look for that asset. A machine has fifty such
    rows, and to look for it fifty times takes as long as to write half of them; acts/purge.py
    removes them.
    """
    keys = [sa.ForeignKey("asset.id", ondelete="CASCADE")] if is_checked else []
    return sa.Column("asset_id", UUID, *keys, primary_key=True)


asset = sa.Table(
    "asset",
    metadata,
    sa.Column("id", UUID, primary_key=True),
    sa.Column("minion_id", sa.Text, comment="its name now; null once detached"),
    sa.Column("sn", sa.Text, comment="the serial number people know it by"),
    sa.Column("kind", sa.Text, nullable=False, comment="physical, virtual, container or network"),
    sa.Column("temporary", sa.Boolean, nullable=False, comment="has no key but its name"),
    sa.Column("lifecycle", sa.Text, nullable=False, server_default="active"),
    sa.Column("hostname", sa.Text),
    sa.Column("site", sa.Text),
    sa.Column("room", sa.Text),
    sa.Column("rack", sa.Text),
    sa.Column("unit", sa.Text),
    sa.Column("manufacturer", sa.Text),
    sa.Column("product_name", sa.Text),
    sa.Column("os", sa.Text),
    sa.Column("kernel_release", sa.Text),
    sa.Column("processor_model", sa.Text),
    sa.Column("processor_threads", sa.Integer),
    sa.Column("memory_bytes", sa.BigInteger),
    sa.Column("disk_count", sa.Integer),
    sa.Column("disk_bytes", sa.BigInteger),
    sa.Column("address", sa.Text, comment="the first address of the first interface"),
    sa.Column("first_seen", Moment, nullable=False),
    sa.Column(
        "unchanged_since",
        Moment,
        nullable=False,
        comment="when its list columns became what they are, kernel_release aside",
    ),
    sa.Column("merged_into", UUID, comment="the asset that this temporary one turned out to be"),
    sa.Column("search", sa.Text, nullable=False, comment="all that free text is looked for in"),
    sa.Column("listed", Json, comment="what people's lists say of it, by field"),
    sa.Column("from_list", sa.Text, comment="which of its places only a list says: site, rack"),
    sa.Index("asset_minion_id_key", "minion_id", unique=True),
    sa.Index(
        "asset_merged_into_idx",
        "merged_into",
        postgresql_where=sa.text("merged_into IS NOT NULL"),
    ),
    # As people write serial numbers and names: see expected.bare_sn.
    sa.Index("asset_bare_sn_idx", sa.text("ltrim(replace(lower(sn), ' ', ''), '0')")),
    sa.Index("asset_short_name_idx", sa.text("split_part(lower(minion_id), '.', 1)")),
    sa.Index("asset_short_hostname_idx", sa.text("split_part(lower(hostname), '.', 1)")),
    # The lines by which it is known, and which lists say: see search.py.
    sa.Index(
        "asset_known_idx",
        sa.text("string_to_array(split_part(search, '\n\x1d\n', 2), '\n')"),
        postgresql_using="gin",
    ),
)

PLACE = ("site", "room", "rack", "unit")
"""Where a machine stands: what it reports, or else what people's lists say."""

LIST_COLUMNS = (
    "sn",
    "kind",
    "temporary",
    "hostname",
    "site",
    "room",
    "rack",
    "unit",
    "manufacturer",
    "product_name",
    "os",
    "kernel_release",
    "processor_model",
    "processor_threads",
    "memory_bytes",
    "disk_count",
    "disk_bytes",
    "address",
)
"""The columns of asset that are made from its facts."""

KEPT_COLUMNS = ("minion_id", "lifecycle", *LIST_COLUMNS)
"""The columns whose former values are kept."""

WAS_COLUMNS = tuple(name for name in KEPT_COLUMNS if name != "kernel_release")
"""
The kept columns that are also columns of ``asset_was``.

The kernel release is not: it changes ten times as often as the others, and its
former values are in ``change``.
"""

for _name in (*KEPT_COLUMNS[1:], "first_seen", "from_list"):
    sa.Index(None, asset.c[_name], asset.c.id)

# Triggers on asset write it, in rows that nobody else writes: see tally.py.
tally = sa.Table(
    "tally",
    metadata,
    sa.Column("assets", sa.BigInteger, nullable=False, comment="by how many there are more"),
    comment="the sum is the number of assets; where there is no row it is not kept",
)

asset_was = sa.Table(
    "asset_was",
    metadata,
    _asset_id(),
    sa.Column("until", Moment, primary_key=True, comment="when they became something else"),
    sa.Column("since", Moment, nullable=False, comment="when they became what they were"),
    *(sa.Column(name, asset.c[name].type) for name in WAS_COLUMNS),
    sa.Index("asset_was_short_hostname_idx", sa.text("split_part(lower(hostname), '.', 1)")),
    sa.Index(None, "address"),
    comment="the list columns of an asset as they were before each change of them",
)

# A tenth of each page is left free (fillfactor 90). Only the migration can set this:
# SQLAlchemy has storage parameters since 2.1, and with Python 3.10 there is 2.0 only.
# PostgreSQL cleans a page, and writes that to its log (WAL), when less than this space
# is free, and always when less than a tenth is free. New rows would fill each page to exactly
# that, so that every touch cleans its page; so they have a filling, which the first touch
# drops: from then on a page takes many touches until it has to be cleaned.
# Of a new version of a row PostgreSQL logs what lies between the first byte that differs and
# the last one. So what every report changes stands together, the slowest at the end.
asset_seen = sa.Table(
    "asset_seen",
    metadata,
    _asset_id(),
    sa.Column("position", Moment, comment="when its carrier was written, by that master"),
    sa.Column("collected_at", Moment, nullable=False, comment="by the clock of the machine"),
    sa.Column("last_seen", Moment, nullable=False, comment="by the clock of the master"),
    sa.Column("since_boot_ms", sa.BigInteger, comment="when that was made"),
    sa.Column(
        "mode",
        sa.Text,
        nullable=False,
        comment="the best source that was heard, as it was heard last",
    ),
    sa.Column("mode_seen", Moment, comment="when that was; null: at last_seen"),
    sa.Column("digest", BYTEA, nullable=False, comment="of the facts as last reported"),
    sa.Column("volatile_at", Moment, nullable=False, comment="when volatile was last written"),
    sa.Column("revision", sa.Integer, nullable=False, comment="number of the last revision"),
    sa.Column("changed_at", Moment, nullable=False),
    sa.Column("detached_at", Moment, comment="since when its name belongs to other hardware"),
    sa.Column("reports_as", sa.Text, comment="the minion id it reports under, if not its name"),
    sa.Column(
        "told_revision",
        sa.Integer,
        nullable=False,
        server_default="0",
        comment="the last revision that an event has told of",
    ),
    sa.Column("told_freshness", sa.Text, comment="what an event has told last; null: fresh"),
    sa.Column("boot_id", UUID, comment="of the boot that the last report is of"),
    sa.Column("doubted_boot_id", UUID, comment="of a report that may be an old one"),
    sa.Column("doubted_since_boot_ms", sa.BigInteger),
    sa.Column("secret_hash", BYTEA, comment="of the secret that proves a rename"),
    sa.Column("master", sa.SmallInteger, comment="which master heard it last"),
    sa.Column(
        "filling",
        sa.Text,
        server_default=sa.text("repeat(' ', 40)"),
        comment="keeps room for new versions of rows; null once the row was touched",
    ),
    sa.Index(None, "changed_at", "asset_id"),
    sa.Index(None, "mode", "asset_id"),
)

master = sa.Table(
    "master",
    metadata,
    sa.Column("number", sa.SmallInteger, sa.Identity(), primary_key=True),
    sa.Column("name", sa.Text, nullable=False, comment="the id of the Salt master"),
    sa.Column("version", sa.Text, nullable=False, comment="of salt-cmdb"),
    sa.Column("started_at", Moment, nullable=False),
    sa.Column("beat_at", Moment, comment="the last heartbeat of its engine"),
    sa.Column("waiting", sa.Integer, nullable=False, comment="reports that are due"),
    sa.Column("waiting_since", Moment, comment="when the oldest of them came"),
    sa.Column("failure", sa.Text, comment="why nothing can be stored; null: all is well"),
    sa.UniqueConstraint("name"),
    comment="the engines that store reports, and how each of them does",
)

listening = sa.Table(
    "listening",
    metadata,
    sa.Column("master", sa.SmallInteger, primary_key=True, autoincrement=False),
    sa.Column("since", Moment, primary_key=True),
    sa.Column("until", Moment, nullable=False),
    comment="when each master listened without a break; 0: before this was recorded",
)

spent = sa.Table(
    "spent",
    metadata,
    sa.Column("minion_id", sa.Text, primary_key=True),
    sa.Column("since", Moment, nullable=False, comment="when the hour began"),
    sa.Column("changes", sa.Integer, nullable=False),
    sa.Column("bytes", sa.BigInteger, nullable=False),
    comment="what the reports of each machine have cost in this hour",
)

asset_facts = sa.Table(
    "asset_facts",
    metadata,
    _asset_id(is_checked=False),
    sa.Column("section", sa.Text, primary_key=True),
    sa.Column("facts", Json, nullable=False, comment="all that is known, in normal form"),
    sa.Column("volatile", Json, comment="the latest only; makes no history"),
    sa.Column("digest", BYTEA, nullable=False, comment="of the canonical text of facts"),
    sa.Column("collected_at", Moment, comment="last reported then; null: with the last report"),
    sa.Column("whole_at", Moment, comment="last told as a whole then; null: when last reported"),
    sa.Column("source", sa.Text, comment="which mode told it; null: that of asset_seen"),
    sa.Column(
        "version", sa.SmallInteger, comment="of the collector, negative: told in part; null: 1"
    ),
)


def finds(rule: Rule) -> sa.ColumnElement[bool]:
    """Whether a section has an item that a rule finds; each such section is in an index."""
    content = asset_facts.c.volatile if rule.is_volatile else asset_facts.c.facts
    path = sa.cast(sa.literal(rule.path, sa.Text), JSONPATH)
    return sa.and_(asset_facts.c.section == rule.section, content.bool_op("@?")(path))


IS_ILL = sa.or_(*map(finds, RULES))
"""Whether a section tells of a fault."""

# PostgreSQL itself keeps it up to date: a path is evaluated when one of its sections is written.
sa.Index("asset_facts_ill_idx", asset_facts.c.asset_id, postgresql_where=IS_ILL)

other_source = sa.Table(
    "other_source",
    metadata,
    _asset_id(),
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("last_seen", Moment, nullable=False, comment="by the clock of the master"),
    sa.Column("collected_at", Moment, nullable=False, comment="by its own clock"),
    sa.Column("digest", BYTEA, nullable=False, comment="of the facts as last reported"),
    sa.Column("boot_id", UUID),
    sa.Column("since_boot_ms", sa.BigInteger),
    comment="the sources beside the best one of an asset, and when each was heard",
)

identifier = sa.Table(
    "identifier",
    metadata,
    _asset_id(),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, primary_key=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("quality", sa.Text, nullable=False),
    sa.Column("disowned", sa.Boolean, nullable=False, comment="a person said: it only claims it"),
    sa.Column("first_seen", Moment, nullable=False),
    sa.Column("last_seen", Moment, comment="null while the machine still reports it"),
    sa.Index(None, "value", "kind"),
    # The value of a serial number begins with the maker: dell/9xyz1k2.
    sa.Index("identifier_number_idx", sa.text("split_part(value, '/', 2)")),
    sa.Index(
        "identifier_short_name_idx",
        sa.text("split_part(lower(value), '.', 1)"),
        postgresql_where=sa.text("kind = 'minion_id'"),
    ),
)

revision = sa.Table(
    "revision",
    metadata,
    _asset_id(),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("recorded_at", Moment, nullable=False, comment="by the clock of the master"),
    sa.Column("collected_at", Moment, nullable=False, comment="by the clock of the machine"),
    sa.Column("mode", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, comment="why identity gave it to this asset, if not as usual"),
    sa.Column("digest", BYTEA, nullable=False, comment="of the whole document after it, 8 bytes"),
    sa.Column("last_before", Moment, comment="collected_at of the last report before it"),
    sa.Column("key_rule", sa.SmallInteger, nullable=False, comment="how its changes name parts"),
    sa.Column("alike", sa.BigInteger, comment="equal where the same has changed; null: unknown"),
    sa.Index(None, "recorded_at"),
)

# The largest table of the history, so it is kept narrow. It has no primary key: a
# change is only written together with its revision. An index that is not unique stores
# each revision once for all of its changes. json takes less room than jsonb, and
# nobody searches in the values. The moment stands here too, so that the newest of a class
# are found in an index, whatever the span.
change = sa.Table(
    "change",
    metadata,
    sa.Column("asset_id", UUID, sa.ForeignKey("asset.id", ondelete="CASCADE"), nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("op", sa.Enum(*OPS, name="change_op"), nullable=False),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("component", sa.Text),
    sa.Column("field", sa.Text),
    sa.Column("old", JSON(none_as_null=True)),
    sa.Column("new", JSON(none_as_null=True)),
    sa.Column(
        "class",
        sa.Enum(*CLASSES, name="change_class"),
        comment="what sort of news it is; null: it tells nobody anything",
    ),
    sa.Column("recorded_at", Moment, nullable=False, comment="as its revision"),
    sa.Column("stored_at", Moment, comment="if that was half a minute after recorded_at, or later"),
    sa.Index(None, "asset_id", "revision"),
    # Without the changes of no class. Those of one moment are sorted when they are read.
    sa.Index(None, "class", "recorded_at", postgresql_where=sa.text("class IS NOT NULL")),
    # For the feed: few changes are stored late.
    sa.Index(
        None,
        "class",
        "stored_at",
        postgresql_where=sa.text("class IS NOT NULL AND stored_at IS NOT NULL"),
    ),
    # Without those of which every fleet has so many that the above finds them soon: they are
    # four fifths of all.
    sa.Index(
        "change_section_idx",
        "class",
        sa.text("split_part(path, '.', 1)"),
        "recorded_at",
        postgresql_where=sa.text(
            "class IS NOT NULL"
            " AND (class <> 'software' OR split_part(path, '.', 1) <> 'operating_system')"
            " AND (class <> 'firmware' OR split_part(path, '.', 1)"
            " NOT IN ('bmc', 'disks', 'firmware', 'processors'))"
        ),
    ),
)

OF_REVISION = sa.and_(
    change.c.asset_id == revision.c.asset_id, change.c.revision == revision.c.number
)
"""Joins changes with their revisions."""

# The whole section, not its changes: whatever wrote it, and whatever compares, undoes it.
handover = sa.Table(
    "handover",
    metadata,
    _asset_id(),
    sa.Column("revision", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("section", sa.Text, primary_key=True),
    sa.Column("source", sa.Text, comment="which mode had told it; null: it was not known"),
    sa.Column("version", sa.SmallInteger, comment="of the collector then; null: 1"),
    sa.Column("old", JSON(none_as_null=True), comment="the section as it was known before"),
    comment="sections that another source tells since a revision: no changes of the machine",
)

# A row is written together with the change that tells of the loss. What was lost before there
# was this table is in it no more: nobody is told of it late.
loss = sa.Table(
    "loss",
    metadata,
    _asset_id(),
    sa.Column("revision", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("path", sa.Text, nullable=False, comment="of the change that told of it"),
    sa.Column("what", BYTEA, nullable=False, comment="equal when the same is lost again, 8 bytes"),
    sa.Column("lost_at", Moment, nullable=False, comment="when that was recorded"),
    sa.Column("looked_at", sa.Integer, nullable=False, comment="up to which revision"),
    sa.Column("confirmed_at", Moment, comment="since when a later collection has shown it too"),
    sa.Column("ended_at", Moment, comment="since when it is no loss any more"),
    sa.Column("ending", sa.Text, comment="why not: see salt_ext/store/reads/losses.py"),
    sa.Column("untold", sa.Text, comment="lost or found: an event has to tell of it yet"),
    sa.Index("loss_open_idx", "asset_id", "what", postgresql_where=sa.text("ended_at IS NULL")),
    sa.Index("loss_untold_idx", "confirmed_at", postgresql_where=sa.text("untold IS NOT NULL")),
    sa.Index(None, "lost_at"),
    comment="changes of the class loss, and what became of each",
)

OF_LOSS = sa.and_(
    change.c.asset_id == loss.c.asset_id,
    change.c.revision == loss.c.revision,
    change.c.position == loss.c.position,
)
"""Joins losses with the changes that told of them."""

reaction = sa.Table(
    "reaction",
    metadata,
    sa.Column("id", UUID, primary_key=True),
    sa.Column("asset_id", UUID, sa.ForeignKey("asset.id", ondelete="CASCADE"), nullable=False),
    sa.Column("action", sa.Text, nullable=False, comment="what is done to it, such as drain"),
    sa.Column("asked_by", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("permitted_at", Moment, comment="null: it was refused"),
    sa.Column("held_group", ARRAY(sa.Text), comment="of its machine when it was permitted"),
    sa.Column("refused_at", Moment, comment="the last time"),
    sa.Column("refusal", sa.Text, comment="why, the last time"),
    sa.Column("released_at", Moment, comment="since when it is over"),
    sa.Column("released_by", sa.Text),
    sa.Index(
        "reaction_open_idx",
        "asset_id",
        "action",
        unique=True,
        postgresql_where=sa.text("released_at IS NULL"),
    ),
    sa.Index(None, "permitted_at"),
    comment="what reactions to events have done, or were not permitted to do",
)

wave = sa.Table(
    "wave",
    metadata,
    sa.Column("id", UUID, primary_key=True),
    sa.Column("path", sa.Text, nullable=False, comment="of the parts that are lost"),
    sa.Column("machines", sa.Integer, nullable=False, comment="how many have lost some"),
    sa.Column("since", Moment, nullable=False),
    sa.Column("reset_at", Moment, comment="when a person permitted reactions again"),
    sa.Column("reset_by", sa.Text),
    sa.Column("reason", sa.Text),
    sa.Index("wave_open_idx", "path", unique=True, postgresql_where=sa.text("reset_at IS NULL")),
    sa.Index(None, "path", "reset_at"),
    comment="times at which many machines lost parts of one kind: no reaction is permitted",
)

OF_HANDOVER = sa.and_(
    handover.c.asset_id == revision.c.asset_id, handover.c.revision == revision.c.number
)
"""Joins handovers with their revisions."""

part = sa.Table(
    "part",
    metadata,
    _asset_id(is_checked=False),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("section", sa.Text, nullable=False),
    sa.Column("manufacturer", sa.Text),
    sa.Column("model", sa.Text),
    sa.Column("type", sa.Text),
    sa.Column("firmware_version", sa.Text),
    sa.Column("size_bytes", sa.BigInteger),
    sa.Column("count", sa.Integer, nullable=False, comment="how many of them the asset has"),
    sa.Index(None, "section", "model", "firmware_version", "asset_id"),
    sa.Index(None, "section", "manufacturer", "type", "asset_id"),
    sa.Index(None, "section", "type", "asset_id"),
    sa.Index(None, "section", "firmware_version", "asset_id"),
    sa.Index(None, "section", "size_bytes", "count", "asset_id"),
    comment="which parts an asset has now, equal ones in one row: to filter and to count by",
)

counter = sa.Table(
    "counter",
    metadata,
    _asset_id(),
    sa.Column("section", sa.Text, primary_key=True, comment="smart or memory"),
    sa.Column("component", sa.Text, primary_key=True, comment="the key of the part"),
    sa.Column("name", sa.Text, primary_key=True, comment="such as reallocated or ce_count"),
    sa.Column("boot_id", UUID, comment="of the boot from which it counts; null: for life"),
    sa.Column("first_value", sa.BigInteger, nullable=False),
    sa.Column("first_at", Moment, nullable=False, comment="when it was read first"),
    sa.Column("value", sa.BigInteger, nullable=False),
    sa.Column("at", Moment, nullable=False, comment="since when it is that"),
    sa.Column("grown_by", sa.BigInteger, comment="at last; null: it has not grown"),
    sa.Column("grown_since", Moment, comment="when it was read last before it grew by that"),
    comment="counters of wear and errors that are not zero, and how they grow",
)

# A part is known by its own number where it has one, so that it is followed when its name changes.
warning = sa.Table(
    "warning",
    metadata,
    _asset_id(),
    sa.Column("rule", sa.Text, primary_key=True, comment="by its name, such as disk counters"),
    sa.Column("part", sa.Text, primary_key=True, comment="its own number, or else its name"),
    sa.Column("since", Moment, primary_key=True),
    sa.Column("section", sa.Text, nullable=False),
    sa.Column("severity", sa.Text, nullable=False, comment="critical or warning, at first"),
    sa.Column("serial", sa.Text, comment="its own number; null: it has none"),
    sa.Column("says", sa.Text, nullable=False, comment="the evidence, as it was at first"),
    sa.Column("until", Moment, comment="null: it is warned of still"),
    sa.Column("outcome", sa.Text, comment="replaced, gone, moved, over or retired"),
    sa.Index("warning_open_idx", "asset_id", postgresql_where=sa.text("until IS NULL")),
    sa.Index(None, "serial"),
    comment="warnings of parts, and what became of each",
)

build = sa.Table(
    "build",
    metadata,
    _asset_id(),
    sa.Column("disks", sa.Text, comment="the models and firmwares of its disks, in one text"),
    sa.Column("memory", sa.Text),
    sa.Column("network", sa.Text),
    sa.Column("gpus", sa.Text),
    sa.Column("power_supplies", sa.Text),
    sa.Column("firmware_version", sa.Text),
    sa.Column("firmware_mode", sa.Text),
    sa.Column("secure_boot", sa.Text, comment="true or false"),
    sa.Column("bmc_firmware_version", sa.Text),
    comment="what an asset is built of, in one row: to find the one that is not as the others",
)

PART_FIELDS = ("manufacturer", "model", "type", "firmware_version", "size_bytes")

placement = sa.Table(
    "placement",
    metadata,
    sa.Column("serial", sa.Text, primary_key=True, comment="what the part carries with it"),
    _asset_id(is_checked=False),
    sa.Column("path", sa.Text, primary_key=True, comment="such as memory.devices"),
    sa.Column("place", sa.Text, primary_key=True, comment="slot or name; may be blank"),
    sa.Column("since", Moment, primary_key=True),
    sa.Column("until", Moment, comment="null while it is there"),
    sa.Column("model", sa.Text),
    sa.Column("firmware_version", sa.Text, comment="the last that was known there"),
    sa.Index(None, "asset_id"),
    comment="where each part with a number of its own is, and where it was",
)

UNCHECKED = (asset_facts, part, placement)
"""
The tables of the rows that are not checked to be of an asset.

A trigger removes them with their asset. Citus has no triggers: there only ``acts/purge.py`` does.
"""

disk_model = sa.Table(
    "disk_model",
    metadata,
    sa.Column("model", sa.Text, primary_key=True),
    sa.Column("years", sa.Float, nullable=False, comment="its disks were in use, all together"),
    sa.Column(
        "failed", sa.Integer, nullable=False, comment="by the rule of salt_ext/store/failures.py"
    ),
    comment="how often the disks of each model fail here",
)

decision = sa.Table(
    "decision",
    metadata,
    sa.Column("id", UUID, primary_key=True),
    sa.Column("decided_at", Moment, nullable=False),
    sa.Column("decided_by", sa.Text, nullable=False, comment="a person, or salt-cmdb"),
    sa.Column("minion_id", sa.Text, nullable=False, comment="the name that the report had"),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("asset_id", UUID),
    sa.Column("other_asset_id", UUID, comment="the one that lost the name, or was merged"),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("evidence", Json, nullable=False, comment="the keys that the report showed"),
    sa.Column(
        "told",
        sa.Boolean,
        nullable=False,
        server_default=sa.true(),
        comment="false: an event has to tell of it yet",
    ),
    sa.Index(None, "asset_id", "decided_at"),
    sa.Index("decision_untold_idx", "decided_at", postgresql_where=sa.text("NOT told")),
    sa.Index(None, "other_asset_id", "decided_at"),
    sa.Index(None, "minion_id", "decided_at"),
    comment="whose report it was, whenever that was more than the usual",
)

snapshot = sa.Table(
    "snapshot",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("taken_at", Moment, nullable=False),
    sa.Column("taken_by", sa.Text, nullable=False),
    sa.Column("filters", Json, nullable=False, comment="which assets it is about"),
    sa.Column("comment", sa.Text, nullable=False),
    comment="names for moments; nothing is copied",
)

baseline = sa.Table(
    "baseline",
    metadata,
    _asset_id(),
    sa.Column("revision", sa.Integer, nullable=False, comment="the document that is right"),
    sa.Column("accepted_at", Moment, nullable=False),
    sa.Column("accepted_by", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    comment="what a person accepted as the hardware that an asset shall have",
)

expected = sa.Table(
    "expected",
    metadata,
    sa.Column("id", UUID, primary_key=True),
    sa.Column("sn", sa.Text),
    sa.Column("minion_id", sa.Text),
    sa.Column("fields", Json, nullable=False, comment="what people say of it, by field"),
    sa.Column("source", sa.Text, nullable=False, comment="which list says so"),
    sa.Column("row", sa.Integer, comment="its number in the sheet"),
    sa.Column("imported_at", Moment, nullable=False),
    sa.Column("imported_by", sa.Text, nullable=False),
    sa.Column("bare_sn", sa.Text, comment="without case, blanks and leading zeros"),
    sa.Column("short_name", sa.Text, comment="the minion id without case and domain"),
    sa.Column("short_hostname", sa.Text, comment="the hostname without case and domain"),
    sa.Column(
        "asset_id",
        UUID,
        sa.ForeignKey("asset.id", ondelete="SET NULL"),
        comment="which asset it turned out to be",
    ),
    sa.Column(
        "stands_as",
        UUID,
        sa.ForeignKey("asset.id", ondelete="SET NULL"),
        comment="the asset that stands in for it while no machine reports it",
    ),
    sa.Column(
        "kind",
        sa.Text,
        nullable=False,
        server_default="expected",
        comment="what it is, if it never reports: switch, pdu, spare",
    ),
    sa.Column(
        "awaited",
        sa.Boolean,
        nullable=False,
        server_default=sa.true(),
        comment="false: it will never report, or a person gave a reason why not",
    ),
    sa.Column("uuid", sa.Text, comment="the key uuid that people wrote"),
    sa.Column("macs", sa.Text, comment="the keys mac that people wrote, a blank between them"),
    sa.Index(None, "sn"),
    sa.Index(None, "minion_id"),
    sa.Index(None, "asset_id"),
    sa.Index(None, "stands_as"),
    sa.Index(None, "source"),
    sa.Index(None, "bare_sn"),
    sa.Index(None, "short_name"),
    sa.Index(None, "short_hostname"),
    sa.Index(None, "uuid"),
    sa.Index("expected_macs_idx", sa.text("string_to_array(macs, ' ')"), postgresql_using="gin"),
    comment="the machines that people think they own",
)

list_field = sa.Table(
    "list_field",
    metadata,
    sa.Column("source", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True, comment="list.owner"),
    sa.Column("type", sa.Text, nullable=False, comment="text, number or date"),
    comment="the columns of people's lists that no machine can fill",
)

inbox = sa.Table(
    "inbox",
    metadata,
    sa.Column("id", UUID, primary_key=True, server_default=sa.func.gen_random_uuid()),
    sa.Column("minion_id", sa.Text, nullable=False),
    sa.Column("report", sa.Text, nullable=False, comment="JSON as it came; nobody has read it"),
    sa.Column("received_at", Moment, nullable=False, server_default=sa.func.now()),
    sa.Column("sent_by", sa.Text, nullable=False, server_default=sa.text("session_user")),
    sa.CheckConstraint("octet_length(report) <= 8388608", "size"),
    sa.CheckConstraint("char_length(minion_id) <= 255", "name"),
    sa.Index(None, "received_at"),
    comment="reports of machines without a master, by roles that may do nothing else",
)

reporter = sa.Table(
    "reporter",
    metadata,
    sa.Column("minion_id", sa.Text, primary_key=True),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("since", Moment, nullable=False),
    comment="which role reports a machine that has no master",
)

held = sa.Table(
    "held",
    metadata,
    sa.Column("minion_id", sa.Text, primary_key=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("candidates", Json, nullable=False, comment="assets that claim the report"),
    sa.Column("report", Json, nullable=False),
    sa.Column("evidence", Json, nullable=False, comment="the keys that it shows"),
    sa.Column("first_seen", Moment, nullable=False),
    sa.Column("last_seen", Moment, nullable=False),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("rejected_at", Moment, comment="since when a person wants no more of it"),
    sa.Column("rule", sa.Text, comment="why it is held, in two words"),
)

PROBLEM_KINDS = (
    "report",
    "collector",
    "doubt",
    "identity",
    "hook",
    "engine",
    "mode",
    "webhook",
    "news",
    "brake",
    "cloud",
    "sweep",
)
"""What a problem may be about."""

problem = sa.Table(
    "problem",
    metadata,
    sa.Column("id", UUID, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False, comment="collector, report or identity"),
    sa.Column("minion_id", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False, comment="which collector, field or key"),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("traceback", sa.Text, nullable=False),
    sa.Column("first_seen", Moment, nullable=False),
    sa.Column("last_seen", Moment, nullable=False),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("closed_at", Moment, comment="since when it is no longer so"),
    sa.Column(
        "told",
        sa.Boolean,
        nullable=False,
        server_default=sa.false(),
        comment="whether an event has told of it",
    ),
    sa.UniqueConstraint("minion_id", "kind", "subject"),
    sa.Index(None, "last_seen"),
    sa.Index("problem_open_idx", "minion_id", postgresql_where=sa.text("closed_at IS NULL")),
    sa.Index(
        "problem_untold_idx",
        "last_seen",
        postgresql_where=sa.text("NOT told AND closed_at IS NULL"),
    ),
)

# An event has a row for each webhook that is to have it, until its receiver has taken it.
delivery = sa.Table(
    "delivery",
    metadata,
    sa.Column("id", UUID, primary_key=True, comment="the same at each attempt"),
    sa.Column("number", sa.BigInteger, sa.Identity(), nullable=False, comment="their order"),
    sa.Column("webhook", sa.Text, nullable=False, comment="its name in the settings"),
    sa.Column("tag", sa.Text, nullable=False, comment="of the event"),
    sa.Column("data", Json, nullable=False, comment="of the event"),
    sa.Column("queued_at", Moment, nullable=False, comment="since when it is tried"),
    sa.Column("due_at", Moment, nullable=False, comment="when it may be tried next"),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("failure", sa.Text, comment="why the last attempt failed"),
    sa.Column("dead_at", Moment, comment="when it was given up"),
    sa.Index(
        "delivery_waiting_idx",
        "webhook",
        "due_at",
        "number",
        postgresql_where=sa.text("dead_at IS NULL"),
    ),
    comment="events that webhooks have not taken yet",
)

told_lately = sa.Table(
    "told_lately",
    metadata,
    sa.Column("minion_id", sa.Text, primary_key=True),
    sa.Column("since", Moment, nullable=False, comment="when the hour began"),
    sa.Column("number", sa.Integer, nullable=False, comment="of news"),
    comment="how much was told of each machine in this hour",
)

ROLES = ("viewer", "auditor")
"""What a login or a token may see: all but hidden fields, or all."""

token = sa.Table(
    "token",
    metadata,
    sa.Column(
        "hash", sa.Text, primary_key=True, comment="SHA-256 of the token, which is kept nowhere"
    ),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False, comment="viewer or auditor"),
    sa.Column("created_at", Moment, nullable=False),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("revoked_at", Moment),
    sa.Column("revoked_by", sa.Text),
    sa.Index("token_name_idx", "name", unique=True, postgresql_where=sa.text("revoked_at IS NULL")),
    comment="programs that may read the inventory over HTTP",
)

# Without a foreign key: what stands for a purged asset has yet to be retired there.
pushed = sa.Table(
    "pushed",
    metadata,
    sa.Column("asset_id", UUID, primary_key=True),
    sa.Column("push", sa.Text, primary_key=True, comment="its name in the setting pushes"),
    sa.Column("remote_id", sa.Text, nullable=False, comment="of the object, in that system"),
    sa.Column("wrote", Json, nullable=False, comment="its fields as they were written last"),
    sa.Column("written_at", Moment, nullable=False),
    sa.Column("retired_at", Moment, comment="since when it is switched off there"),
    comment="the objects in other systems that are ours, and what we wrote into them",
)

# Its key may be of an asset that is gone: the installation is closed then, and not forgotten.
installation = sa.Table(
    "installation",
    metadata,
    sa.Column("id", UUID, primary_key=True),
    sa.Column(
        "asset_id",
        UUID,
        sa.ForeignKey("asset.id", ondelete="SET NULL"),
        comment="the machine; null once it is purged",
    ),
    sa.Column("uuid", sa.Text, comment="the key that its machine has to show; null: any"),
    sa.Column("macs", ARRAY(sa.Text), nullable=False, comment="of which it shows one; empty: any"),
    sa.Column("address", sa.Text, comment="that it has to have; null: any"),
    sa.Column("plan", Json, nullable=False, comment="what people said of it then, by field"),
    sa.Column("opened_at", Moment, nullable=False),
    sa.Column("opened_by", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("expires_at", Moment, nullable=False),
    sa.Column("revoked_at", Moment),
    sa.Column("revoked_by", sa.Text),
    sa.Column("bound_uuid", sa.Text, comment="of the machine that asked first"),
    sa.Column("bound_mac", sa.Text),
    sa.Column("first_get_at", Moment),
    sa.Column("last_get_at", Moment),
    sa.Column("gets", sa.Integer, nullable=False, server_default="0"),
    sa.Column("done_at", Moment, comment="when its machine said that it is installed"),
    sa.Column("compared_at", Moment, comment="when the first report after that was compared"),
    sa.Column("differences", Json, comment="in which fields that report is not as planned"),
    sa.Index(None, "asset_id"),
    sa.Index(None, "uuid"),
    sa.Index(None, "macs", postgresql_using="gin"),
    sa.Index(None, "opened_at"),
    sa.Index(
        "installation_uncompared_idx",
        "done_at",
        postgresql_where=sa.text("done_at IS NOT NULL AND compared_at IS NULL"),
    ),
    comment="machines that may be installed, each once and for a while",
)

INSTALLATION_STATE = (
    "bound_uuid",
    "bound_mac",
    "first_get_at",
    "last_get_at",
    "gets",
    "done_at",
)
"""The columns of ``installation`` that the process which serves installations may write."""

cloud = sa.Table(
    "cloud",
    metadata,
    sa.Column("name", sa.Text, primary_key=True, comment="in the setting clouds"),
    sa.Column("driver", sa.Text, nullable=False),
    sa.Column("tried_at", Moment, nullable=False, comment="when it was asked last"),
    sa.Column("failure", sa.Text, comment="why that told nothing; null: all is well"),
    sa.Column("listed_at", Moment, comment="when it told all of its instances last"),
    sa.Column("counts", Json, comment="of what was found then"),
    comment="the clouds that were asked, and how the last time went",
)

# Of a machine that is purged nothing is left over any more.
cloud_finding = sa.Table(
    "cloud_finding",
    metadata,
    sa.Column("cloud", sa.Text, sa.ForeignKey("cloud.name"), primary_key=True),
    sa.Column("list", sa.Text, primary_key=True, comment="unreported, unlisted or tied"),
    sa.Column("key", sa.Text, primary_key=True, comment="the id of the instance or the asset"),
    sa.Column("asset_id", UUID, sa.ForeignKey("asset.id", ondelete="CASCADE")),
    sa.Column("since", Moment, nullable=False, comment="which listing found it first"),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("facts", Json, nullable=False, comment="of the instance"),
    sa.Index(None, "asset_id"),
    comment="instances without a report and reports without an instance, as of the last listing",
)
