"""Assets that stand in for what only people's lists have."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Take the step."""
    op.add_column(
        "expected",
        sa.Column(
            "stands_as",
            UUID,
            comment="the asset that stands in for it while no machine reports it",
        ),
    )
    op.create_foreign_key(
        "expected_stands_as_fkey", "expected", "asset", ["stands_as"], ["id"], ondelete="SET NULL"
    )
    op.create_index("expected_stands_as_idx", "expected", ["stands_as"])
    op.add_column(
        "expected",
        sa.Column(
            "kind",
            sa.Text,
            nullable=False,
            server_default="expected",
            comment="what it is, if it never reports: switch, pdu, spare",
        ),
    )
