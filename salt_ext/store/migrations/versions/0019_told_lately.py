"""How much was told of each machine in this hour."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "told_lately",
        sa.Column("minion_id", sa.Text, primary_key=True),
        sa.Column(
            "since", sa.DateTime(timezone=True), nullable=False, comment="when the hour began"
        ),
        sa.Column("number", sa.Integer, nullable=False, comment="of news"),
        comment="how much was told of each machine in this hour",
    )
