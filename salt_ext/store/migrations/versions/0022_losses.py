"""Losses that were confirmed, and what was done about them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, UUID

revision = "0022"
down_revision = "0021"

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Take the step."""
    op.add_column(
        "asset_facts",
        sa.Column(
            "whole_at", MOMENT, comment="last told as a whole then; null: when last reported"
        ),
    )
    op.create_table(
        "loss",
        sa.Column("asset_id", UUID, nullable=False),
        sa.Column("revision", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("position", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("path", sa.Text, nullable=False, comment="of the change that told of it"),
        sa.Column(
            "what", BYTEA, nullable=False, comment="equal when the same is lost again, 8 bytes"
        ),
        sa.Column("lost_at", MOMENT, nullable=False, comment="when that was recorded"),
        sa.Column("looked_at", sa.Integer, nullable=False, comment="up to which revision"),
        sa.Column("confirmed_at", MOMENT, comment="since when a later collection has shown it too"),
        sa.Column("ended_at", MOMENT, comment="since when it is no loss any more"),
        sa.Column("ending", sa.Text, comment="why not: see salt_ext/store/reads/losses.py"),
        sa.Column("untold", sa.Text, comment="lost or found: an event has to tell of it yet"),
        sa.ForeignKeyConstraint(
            ["asset_id"], ["asset.id"], name=op.f("loss_asset_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("asset_id", "revision", "position", name=op.f("loss_pkey")),
        comment="changes of the class loss, and what became of each",
    )
    op.create_index(
        "loss_open_idx", "loss", ["asset_id", "what"], postgresql_where=sa.text("ended_at IS NULL")
    )
    op.create_index(
        "loss_untold_idx", "loss", ["confirmed_at"], postgresql_where=sa.text("untold IS NOT NULL")
    )
    op.create_index(op.f("loss_lost_at_idx"), "loss", ["lost_at"])
    op.create_table(
        "reaction",
        sa.Column("id", UUID, nullable=False),
        sa.Column("asset_id", UUID, nullable=False),
        sa.Column("action", sa.Text, nullable=False, comment="what is done to it, such as drain"),
        sa.Column("asked_by", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("permitted_at", MOMENT, comment="null: it was refused"),
        sa.Column("held_group", ARRAY(sa.Text), comment="of its machine when it was permitted"),
        sa.Column("refused_at", MOMENT, comment="the last time"),
        sa.Column("refusal", sa.Text, comment="why, the last time"),
        sa.Column("released_at", MOMENT, comment="since when it is over"),
        sa.Column("released_by", sa.Text),
        sa.ForeignKeyConstraint(
            ["asset_id"], ["asset.id"], name=op.f("reaction_asset_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("reaction_pkey")),
        comment="what reactions to events have done, or were not permitted to do",
    )
    op.create_index(
        "reaction_open_idx",
        "reaction",
        ["asset_id", "action"],
        unique=True,
        postgresql_where=sa.text("released_at IS NULL"),
    )
    op.create_index(op.f("reaction_permitted_at_idx"), "reaction", ["permitted_at"])
    op.create_table(
        "wave",
        sa.Column("id", UUID, nullable=False),
        sa.Column("path", sa.Text, nullable=False, comment="of the parts that are lost"),
        sa.Column("machines", sa.Integer, nullable=False, comment="how many have lost some"),
        sa.Column("since", MOMENT, nullable=False),
        sa.Column("reset_at", MOMENT, comment="when a person permitted reactions again"),
        sa.Column("reset_by", sa.Text),
        sa.Column("reason", sa.Text),
        sa.PrimaryKeyConstraint("id", name=op.f("wave_pkey")),
        comment="times at which many machines lost parts of one kind: no reaction is permitted",
    )
    op.create_index(
        "wave_open_idx",
        "wave",
        ["path"],
        unique=True,
        postgresql_where=sa.text("reset_at IS NULL"),
    )
    op.create_index(op.f("wave_path_reset_at_idx"), "wave", ["path", "reset_at"])
