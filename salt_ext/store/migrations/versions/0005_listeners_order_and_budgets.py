"""Who listened, the order of reports, and what each machine may cost."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import BYTEA, UUID

revision = "0005"
down_revision = "0004"

Moment = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "master",
        sa.Column("number", sa.SmallInteger, sa.Identity(), nullable=False),
        sa.Column("name", sa.Text, nullable=False, comment="the id of the Salt master"),
        sa.Column("version", sa.Text, nullable=False, comment="of salt-cmdb"),
        sa.Column("started_at", Moment, nullable=False),
        sa.Column("beat_at", Moment, comment="the last heartbeat of its engine"),
        sa.Column("waiting", sa.Integer, nullable=False, comment="reports that are due"),
        sa.Column("waiting_since", Moment, comment="when the oldest of them came"),
        sa.Column("failure", sa.Text, comment="why nothing can be stored; null: all is well"),
        sa.PrimaryKeyConstraint("number", name="master_pkey"),
        sa.UniqueConstraint("name", name="master_name_key"),
        comment="the engines that store reports, and how each of them does",
    )
    op.create_table(
        "listening",
        sa.Column("master", sa.SmallInteger, nullable=False),
        sa.Column("since", Moment, nullable=False),
        sa.Column("until", Moment, nullable=False),
        sa.PrimaryKeyConstraint("master", "since", name="listening_pkey"),
        comment="when each master listened without a break; 0: before this was recorded",
    )
    # Nobody knows who listened before: all the time counts, as it did then, until the first
    # master is heard.
    op.execute("INSERT INTO listening VALUES (0, now() - interval '10 years', 'infinity')")
    op.create_table(
        "spent",
        sa.Column("minion_id", sa.Text, nullable=False),
        sa.Column("since", Moment, nullable=False, comment="when the hour began"),
        sa.Column("changes", sa.Integer, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("minion_id", name="spent_pkey"),
        comment="what the reports of each machine have cost in this hour",
    )
    op.add_column(
        "asset_seen", sa.Column("boot_id", UUID, comment="of the boot that the last report is of")
    )
    op.add_column(
        "asset_seen", sa.Column("since_boot_ms", sa.BigInteger, comment="when that was made")
    )
    op.add_column(
        "asset_seen",
        sa.Column("doubted_boot_id", UUID, comment="of a report that may be an old one"),
    )
    op.add_column("asset_seen", sa.Column("doubted_since_boot_ms", sa.BigInteger))
    op.add_column(
        "asset_seen",
        sa.Column("secret_hash", BYTEA, comment="of the secret that proves a rename"),
    )
    op.add_column(
        "asset_seen", sa.Column("master", sa.SmallInteger, comment="which master heard it last")
    )
    op.add_column(
        "asset_seen",
        sa.Column("position", Moment, comment="when its carrier was written, by that master"),
    )
    op.execute("UPDATE asset_seen SET position = last_seen")
    op.add_column(
        "revision",
        sa.Column("last_before", Moment, comment="collected_at of the last report before it"),
    )
    op.add_column("held", sa.Column("rule", sa.Text, comment="why it is held, in two words"))
    # Which keys two machines show is seen in the ledger itself; once said, it stayed for ever.
    op.alter_column(
        "identifier",
        "shared",
        new_column_name="disowned",
        comment="a person said: it only claims it",
        existing_comment="seen on two machines: no key",
    )
    op.execute("UPDATE identifier SET disowned = false WHERE disowned")
