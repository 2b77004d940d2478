"""The outbox of the webhooks."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, UUID

revision = "0018"
down_revision = "0017"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "delivery",
        sa.Column("id", UUID, primary_key=True, comment="the same at each attempt"),
        sa.Column("number", sa.BigInteger, sa.Identity(), nullable=False, comment="their order"),
        sa.Column("webhook", sa.Text, nullable=False, comment="its name in the settings"),
        sa.Column("tag", sa.Text, nullable=False, comment="of the event"),
        sa.Column("data", JSONB(none_as_null=True), nullable=False, comment="of the event"),
        sa.Column("queued_at", MOMENT, nullable=False, comment="since when it is tried"),
        sa.Column("due_at", MOMENT, nullable=False, comment="when it may be tried next"),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("failure", sa.Text, comment="why the last attempt failed"),
        sa.Column("dead_at", MOMENT, comment="when it was given up"),
        comment="events that webhooks have not taken yet",
    )
    op.create_index(
        "delivery_waiting_idx",
        "delivery",
        ["webhook", "due_at", "number"],
        postgresql_where=sa.text("dead_at IS NULL"),
    )
