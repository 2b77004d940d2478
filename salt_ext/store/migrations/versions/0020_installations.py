"""Installations of planned machines, and the keys by which lists know machines."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, UUID

revision = "0020"
down_revision = "0019"

MOMENT = sa.DateTime(timezone=True)
JSON = JSONB(none_as_null=True)

# Who may write these columns at all may fill them, and never change them again.
REFUSE = """
CREATE FUNCTION cmdb_installation_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE insufficient_privilege
    USING MESSAGE = 'an installation stays done, and of the machine that asked first';
END
$$
"""
STAYS = """
CREATE TRIGGER stays BEFORE UPDATE ON installation FOR EACH ROW
  WHEN ((OLD.bound_uuid IS NOT NULL AND OLD.bound_uuid IS DISTINCT FROM NEW.bound_uuid)
     OR (OLD.bound_mac IS NOT NULL AND OLD.bound_mac IS DISTINCT FROM NEW.bound_mac)
     OR (OLD.first_get_at IS NOT NULL AND OLD.first_get_at IS DISTINCT FROM NEW.first_get_at)
     OR (OLD.done_at IS NOT NULL AND OLD.done_at IS DISTINCT FROM NEW.done_at))
  EXECUTE FUNCTION cmdb_installation_stays()
"""


def upgrade() -> None:
    """Take the step."""
    op.add_column("expected", sa.Column("uuid", sa.Text, comment="the key uuid that people wrote"))
    op.add_column(
        "expected",
        sa.Column("macs", sa.Text, comment="the keys mac that people wrote, a blank between them"),
    )
    op.create_index("expected_uuid_idx", "expected", ["uuid"])
    op.create_index(
        "expected_macs_idx",
        "expected",
        [sa.text("string_to_array(macs, ' ')")],
        postgresql_using="gin",
    )
    op.create_table(
        "installation",
        sa.Column("id", UUID, primary_key=True),
        sa.Column(
            "asset_id",
            UUID,
            sa.ForeignKey("asset.id", ondelete="SET NULL"),
            comment="the machine; null once it is purged",
        ),
        sa.Column("uuid", sa.Text, comment="the key that its machine has to show; null: any"),
        sa.Column(
            "macs", ARRAY(sa.Text), nullable=False, comment="of which it shows one; empty: any"
        ),
        sa.Column("address", sa.Text, comment="that it has to have; null: any"),
        sa.Column("plan", JSON, nullable=False, comment="what people said of it then, by field"),
        sa.Column("opened_at", MOMENT, nullable=False),
        sa.Column("opened_by", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("revoked_at", MOMENT),
        sa.Column("revoked_by", sa.Text),
        sa.Column("bound_uuid", sa.Text, comment="of the machine that asked first"),
        sa.Column("bound_mac", sa.Text),
        sa.Column("first_get_at", MOMENT),
        sa.Column("last_get_at", MOMENT),
        sa.Column("gets", sa.Integer, nullable=False, server_default="0"),
        sa.Column("done_at", MOMENT, comment="when its machine said that it is installed"),
        sa.Column("compared_at", MOMENT, comment="when the first report after that was compared"),
        sa.Column("differences", JSON, comment="in which fields that report is not as planned"),
        comment="machines that may be installed, each once and for a while",
    )
    op.create_index("installation_asset_id_idx", "installation", ["asset_id"])
    op.create_index("installation_uuid_idx", "installation", ["uuid"])
    op.create_index("installation_macs_idx", "installation", ["macs"], postgresql_using="gin")
    op.create_index("installation_opened_at_idx", "installation", ["opened_at"])
    op.create_index(
        "installation_uncompared_idx",
        "installation",
        ["done_at"],
        postgresql_where=sa.text("done_at IS NOT NULL AND compared_at IS NULL"),
    )
    op.execute(REFUSE)
    op.execute(STAYS)
