"""
The tables.

``asset_id`` leads every key and every id is a uuid, so that the tables could be
spread over several machines by it; nothing but the ledger and the minion id
looks across assets. What changes with every report stands in ``asset_seen``,
which is narrow and has no index on what changes, so that such an update stays
on its page (HOT).
"""

from __future__ import annotations

import uuid

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import BYTEA, JSONB, UUID

metadata = sa.MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "pk": "%(table_name)s_pkey",
    }
)

Moment = sa.DateTime(timezone=True)
Json = JSONB(none_as_null=True)


def _asset_id() -> sa.Column[uuid.UUID]:
    key = sa.ForeignKey("asset.id", ondelete="CASCADE")
    return sa.Column("asset_id", UUID, key, primary_key=True)


asset = sa.Table(
    "asset",
    metadata,
    sa.Column("id", UUID, primary_key=True),
    sa.Column("minion_id", sa.Text, comment="its name now; null once detached"),
    sa.Column("sn", sa.Text, comment="the serial number people know it by"),
    sa.Column("kind", sa.Text, nullable=False, comment="physical, virtual or container"),
    sa.Column("temporary", sa.Boolean, nullable=False, comment="has no key but its name"),
    sa.Column("lifecycle", sa.Text, nullable=False, server_default="active"),
    sa.Column("hostname", sa.Text),
    sa.Column("site", sa.Text),
    sa.Column("rack", sa.Text),
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
    sa.Column("revision", sa.Integer, nullable=False, comment="number of the last revision"),
    sa.Column("first_seen", Moment, nullable=False),
    sa.Column("changed_at", Moment, nullable=False),
    sa.Column("detached_at", Moment, comment="since when its name belongs to other hardware"),
    sa.Index("asset_minion_id_key", "minion_id", unique=True),
    sa.Index(None, "sn"),
)

LIST_COLUMNS = (
    "sn",
    "kind",
    "temporary",
    "hostname",
    "site",
    "rack",
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

# With room left on each page, which only the migration can say: SQLAlchemy knows
# storage parameters from 2.1 on, and Python 3.10 has 2.0.
asset_seen = sa.Table(
    "asset_seen",
    metadata,
    _asset_id(),
    sa.Column("digest", BYTEA, nullable=False, comment="of the facts as last reported"),
    sa.Column("collected_at", Moment, nullable=False, comment="by the clock of the machine"),
    sa.Column("last_seen", Moment, nullable=False, comment="by the clock of the master"),
    sa.Column("volatile_at", Moment, nullable=False, comment="when volatile was last written"),
    sa.Column("mode", sa.Text, nullable=False),
)

asset_facts = sa.Table(
    "asset_facts",
    metadata,
    _asset_id(),
    sa.Column("facts", Json, nullable=False, comment="all that is known, in normal form"),
    sa.Column("volatile", Json, nullable=False, comment="the latest only; makes no history"),
    sa.Column("collected", Json, nullable=False, comment="section: when it was last reported"),
)

identifier = sa.Table(
    "identifier",
    metadata,
    _asset_id(),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("value", sa.Text, primary_key=True),
    sa.Column("source", sa.Text, nullable=False),
    sa.Column("quality", sa.Text, nullable=False),
    sa.Column("shared", sa.Boolean, nullable=False, comment="seen on two machines: no key"),
    sa.Column("first_seen", Moment, nullable=False),
    sa.Column("last_seen", Moment, comment="null while the machine still reports it"),
    sa.Index(None, "value", "kind"),
)

revision = sa.Table(
    "revision",
    metadata,
    _asset_id(),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("recorded_at", Moment, nullable=False, comment="by the clock of the master"),
    sa.Column("collected_at", Moment, nullable=False, comment="by the clock of the machine"),
    sa.Column("mode", sa.Text, nullable=False),
    sa.Column("reason", sa.Text, nullable=False, comment="why identity gave it to this asset"),
    sa.Column("digest", BYTEA, nullable=False, comment="of the whole document after it"),
)

change = sa.Table(
    "change",
    metadata,
    _asset_id(),
    sa.Column("revision", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("recorded_at", Moment, nullable=False),
    sa.Column("op", sa.Text, nullable=False),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("component", sa.Text),
    sa.Column("field", sa.Text),
    sa.Column("old", Json),
    sa.Column("new", Json),
    sa.Index(None, "recorded_at", "asset_id", "revision", "position"),
)

held = sa.Table(
    "held",
    metadata,
    sa.Column("minion_id", sa.Text, primary_key=True),
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("candidates", Json, nullable=False, comment="assets that claim the report"),
    sa.Column("report", Json, nullable=False),
    sa.Column("first_seen", Moment, nullable=False),
    sa.Column("last_seen", Moment, nullable=False),
    sa.Column("count", sa.Integer, nullable=False),
)

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
    sa.UniqueConstraint("minion_id", "kind", "subject"),
    sa.Index(None, "last_seen"),
)
