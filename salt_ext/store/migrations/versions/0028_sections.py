"""The changes of a section that has few of its class are found in an index."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"

IS_RARE = """
class IS NOT NULL
AND (class <> 'software' OR split_part(path, '.', 1) <> 'operating_system')
AND (class <> 'firmware' OR split_part(path, '.', 1)
     NOT IN ('bmc', 'disks', 'firmware', 'processors'))
"""


def upgrade() -> None:
    """Take the step."""
    op.create_index(
        "change_section_idx",
        "change",
        ["class", sa.text("split_part(path, '.', 1)"), "recorded_at"],
        postgresql_where=sa.text(IS_RARE),
    )
