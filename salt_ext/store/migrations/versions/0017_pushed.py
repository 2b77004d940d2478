"""What was pushed into other systems."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, UUID

revision = "0017"
down_revision = "0016"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "pushed",
        sa.Column("asset_id", UUID, primary_key=True),
        sa.Column("push", sa.Text, primary_key=True, comment="its name in the setting pushes"),
        sa.Column("remote_id", sa.Text, nullable=False, comment="of the object, in that system"),
        sa.Column("wrote", JSONB, nullable=False, comment="its fields as they were written last"),
        sa.Column("written_at", MOMENT, nullable=False),
        sa.Column("retired_at", MOMENT, comment="since when it is switched off there"),
        comment="the objects in other systems that are ours, and what we wrote into them",
    )
