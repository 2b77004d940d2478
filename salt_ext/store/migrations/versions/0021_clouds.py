"""What clouds say of their instances."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, UUID

revision = "0021"
down_revision = "0020"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "cloud",
        sa.Column("name", sa.Text, primary_key=True, comment="in the setting clouds"),
        sa.Column("driver", sa.Text, nullable=False),
        sa.Column("tried_at", MOMENT, nullable=False, comment="when it was asked last"),
        sa.Column("failure", sa.Text, comment="why that told nothing; null: all is well"),
        sa.Column("listed_at", MOMENT, comment="when it told all of its instances last"),
        sa.Column("counts", JSONB, comment="of what was found then"),
        comment="the clouds that were asked, and how the last time went",
    )
    op.create_table(
        "cloud_finding",
        sa.Column("cloud", sa.Text, sa.ForeignKey("cloud.name"), primary_key=True),
        sa.Column("list", sa.Text, primary_key=True, comment="unreported, unlisted or tied"),
        sa.Column("key", sa.Text, primary_key=True, comment="the id of the instance or the asset"),
        sa.Column("asset_id", UUID, sa.ForeignKey("asset.id", ondelete="CASCADE")),
        sa.Column("since", MOMENT, nullable=False, comment="which listing found it first"),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("facts", JSONB, nullable=False, comment="of the instance"),
        comment=(
            "instances without a report and reports without an instance, as of the last listing"
        ),
    )
    op.create_index("cloud_finding_asset_id_idx", "cloud_finding", ["asset_id"])
