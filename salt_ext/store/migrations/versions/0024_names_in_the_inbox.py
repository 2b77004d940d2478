"""No report without a master has a name that no index can hold."""

from alembic import op

revision = "0024"
down_revision = "0023"


def upgrade() -> None:
    """Take the step."""
    # Nobody could store them, nor tell of them; they kept all others waiting.
    op.execute("DELETE FROM inbox WHERE char_length(minion_id) > 255")
    op.create_check_constraint(op.f("inbox_name_check"), "inbox", "char_length(minion_id) <= 255")
