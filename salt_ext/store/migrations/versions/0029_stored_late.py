"""When a change was stored, if that was late: so the feed tells it to those who had read on."""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"


def upgrade() -> None:
    """Take the step."""
    op.add_column(
        "change",
        sa.Column(
            "stored_at",
            sa.DateTime(timezone=True),
            comment="if that was half a minute after recorded_at, or later",
        ),
    )
    op.create_index(
        "change_class_stored_at_idx",
        "change",
        ["class", "stored_at"],
        postgresql_where=sa.text("class IS NOT NULL AND stored_at IS NOT NULL"),
    )
