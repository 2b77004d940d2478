"""Which source each section is of, and what was known before another one took over."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import BYTEA, JSON, UUID

revision = "0006"
down_revision = "0005"

Moment = sa.DateTime(timezone=True)

OF_CORE_GRAINS = (
    *("disks", "firmware", "memory", "network", "operating_system", "processors", "system"),
    "virtual",
)
"""The sections that a report of Salt's own grains could have until now."""


def upgrade() -> None:
    """Take the step. No table is written anew: a null says what was always so."""
    op.add_column(
        "asset_facts",
        sa.Column("source", sa.Text, comment="which mode told it; null: that of asset_seen"),
    )
    op.add_column(
        "asset_facts",
        sa.Column(
            "version", sa.SmallInteger, comment="of the collector, negative: told in part; null: 1"
        ),
    )
    op.alter_column(
        "asset_seen",
        "mode",
        existing_type=sa.Text(),
        existing_nullable=False,
        comment="the best source that was heard, as it was heard last",
    )
    op.add_column(
        "asset_seen",
        sa.Column("mode_seen", Moment, comment="when that was; null: at last_seen"),
    )
    op.alter_column(
        "asset",
        "kind",
        existing_type=sa.Text(),
        existing_nullable=False,
        comment="physical, virtual, container or network",
    )
    op.create_table(
        "other_source",
        sa.Column("asset_id", UUID, nullable=False),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("last_seen", Moment, nullable=False, comment="by the clock of the master"),
        sa.Column("collected_at", Moment, nullable=False, comment="by its own clock"),
        sa.Column("digest", BYTEA, nullable=False, comment="of the facts as last reported"),
        sa.Column("boot_id", UUID),
        sa.Column("since_boot_ms", sa.BigInteger),
        sa.PrimaryKeyConstraint("asset_id", "source", name="other_source_pkey"),
        sa.ForeignKeyConstraint(
            ["asset_id"],
            ["asset.id"],
            name="other_source_asset_id_fkey",
            ondelete="CASCADE",
        ),
        comment="the sources beside the best one of an asset, and when each was heard",
    )
    # As that of asset_seen: most writes are of times.
    op.execute("ALTER TABLE other_source SET (fillfactor = 90)")
    op.create_table(
        "handover",
        sa.Column("asset_id", UUID, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("section", sa.Text, nullable=False),
        sa.Column("source", sa.Text, comment="which mode had told it; null: it was not known"),
        sa.Column("version", sa.SmallInteger, comment="of the collector then; null: 1"),
        sa.Column("old", JSON(none_as_null=True), comment="the section as it was known before"),
        sa.PrimaryKeyConstraint("asset_id", "revision", "section", name="handover_pkey"),
        sa.ForeignKeyConstraint(
            ["asset_id"],
            ["asset.id"],
            name="handover_asset_id_fkey",
            ondelete="CASCADE",
        ),
        comment="sections that another source tells since a revision: no changes of the machine",
    )
    # Until now our grain and Salt's own had one name. What only ours has tells them apart.
    sections = sa.bindparam("sections", list(OF_CORE_GRAINS), sa.ARRAY(sa.Text))
    op.get_bind().execute(
        sa.text(
            "UPDATE asset_seen SET mode = 'cmdb_grain' WHERE mode = 'grains' AND EXISTS ("
            "SELECT FROM asset_facts WHERE asset_facts.asset_id = asset_seen.asset_id"
            " AND section <> ALL (:sections))"
        ).bindparams(sections)
    )
