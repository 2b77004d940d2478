"""The first schema."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import BYTEA, JSONB

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "asset",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column(
            "minion_id", sa.Text(), nullable=True, comment="its name now; null once detached"
        ),
        sa.Column("sn", sa.Text(), nullable=True, comment="the serial number people know it by"),
        sa.Column("kind", sa.Text(), nullable=False, comment="physical, virtual or container"),
        sa.Column("temporary", sa.Boolean(), nullable=False, comment="has no key but its name"),
        sa.Column("lifecycle", sa.Text(), server_default="active", nullable=False),
        sa.Column("hostname", sa.Text(), nullable=True),
        sa.Column("site", sa.Text(), nullable=True),
        sa.Column("rack", sa.Text(), nullable=True),
        sa.Column("manufacturer", sa.Text(), nullable=True),
        sa.Column("product_name", sa.Text(), nullable=True),
        sa.Column("os", sa.Text(), nullable=True),
        sa.Column("kernel_release", sa.Text(), nullable=True),
        sa.Column("processor_model", sa.Text(), nullable=True),
        sa.Column("processor_threads", sa.Integer(), nullable=True),
        sa.Column("memory_bytes", sa.BigInteger(), nullable=True),
        sa.Column("disk_count", sa.Integer(), nullable=True),
        sa.Column("disk_bytes", sa.BigInteger(), nullable=True),
        sa.Column(
            "address", sa.Text(), nullable=True, comment="the first address of the first interface"
        ),
        sa.Column("revision", sa.Integer(), nullable=False, comment="number of the last revision"),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "detached_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="since when its name belongs to other hardware",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("asset_pkey")),
    )
    op.create_index("asset_minion_id_key", "asset", ["minion_id"], unique=True)
    op.create_index(op.f("asset_sn_idx"), "asset", ["sn"], unique=False)
    op.create_table(
        "held",
        sa.Column("minion_id", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("candidates", JSONB(), nullable=False, comment="assets that claim the report"),
        sa.Column("report", JSONB(), nullable=False),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("minion_id", name=op.f("held_pkey")),
    )
    op.create_table(
        "problem",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="collector, report or identity"),
        sa.Column("minion_id", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False, comment="which collector, field or key"),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("traceback", sa.Text(), nullable=False),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("problem_pkey")),
        sa.UniqueConstraint(
            "minion_id", "kind", "subject", name=op.f("problem_minion_id_kind_subject_key")
        ),
    )
    op.create_index(op.f("problem_last_seen_idx"), "problem", ["last_seen"], unique=False)
    op.create_table(
        "asset_facts",
        sa.Column("asset_id", sa.UUID(), nullable=False),
        sa.Column("facts", JSONB(), nullable=False, comment="all that is known, in normal form"),
        sa.Column("volatile", JSONB(), nullable=False, comment="the latest only; makes no history"),
        sa.Column(
            "collected", JSONB(), nullable=False, comment="section: when it was last reported"
        ),
        sa.ForeignKeyConstraint(
            ["asset_id"], ["asset.id"], name=op.f("asset_facts_asset_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("asset_id", name=op.f("asset_facts_pkey")),
    )
    op.create_table(
        "asset_seen",
        sa.Column("asset_id", sa.UUID(), nullable=False),
        sa.Column("digest", BYTEA(), nullable=False, comment="of the facts as last reported"),
        sa.Column(
            "collected_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="by the clock of the machine",
        ),
        sa.Column(
            "last_seen",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="by the clock of the master",
        ),
        sa.Column(
            "volatile_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="when volatile was last written",
        ),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["asset_id"], ["asset.id"], name=op.f("asset_seen_asset_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("asset_id", name=op.f("asset_seen_pkey")),
    )
    op.execute("ALTER TABLE asset_seen SET (fillfactor = 60)")
    op.create_table(
        "change",
        sa.Column("asset_id", sa.UUID(), nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("op", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("component", sa.Text(), nullable=True),
        sa.Column("field", sa.Text(), nullable=True),
        sa.Column("old", JSONB(), nullable=True),
        sa.Column("new", JSONB(), nullable=True),
        sa.ForeignKeyConstraint(
            ["asset_id"], ["asset.id"], name=op.f("change_asset_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("asset_id", "revision", "position", name=op.f("change_pkey")),
    )
    op.create_index(
        op.f("change_recorded_at_asset_id_revision_position_idx"),
        "change",
        ["recorded_at", "asset_id", "revision", "position"],
        unique=False,
    )
    op.create_table(
        "identifier",
        sa.Column("asset_id", sa.UUID(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("quality", sa.Text(), nullable=False),
        sa.Column("shared", sa.Boolean(), nullable=False, comment="seen on two machines: no key"),
        sa.Column("first_seen", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "last_seen",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="null while the machine still reports it",
        ),
        sa.ForeignKeyConstraint(
            ["asset_id"], ["asset.id"], name=op.f("identifier_asset_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("asset_id", "kind", "value", name=op.f("identifier_pkey")),
    )
    op.create_index(
        op.f("identifier_value_kind_idx"), "identifier", ["value", "kind"], unique=False
    )
    op.create_table(
        "revision",
        sa.Column("asset_id", sa.UUID(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="by the clock of the master",
        ),
        sa.Column(
            "collected_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="by the clock of the machine",
        ),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column(
            "reason", sa.Text(), nullable=False, comment="why identity gave it to this asset"
        ),
        sa.Column("digest", BYTEA(), nullable=False, comment="of the whole document after it"),
        sa.ForeignKeyConstraint(
            ["asset_id"], ["asset.id"], name=op.f("revision_asset_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("asset_id", "number", name=op.f("revision_pkey")),
    )
