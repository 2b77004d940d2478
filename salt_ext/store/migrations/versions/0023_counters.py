"""Counters that grow, and warnings that came true or did not."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

revision = "0023"
down_revision = "0022"

MOMENT = sa.DateTime(timezone=True)

NUMBERS = "('serial_number', 'wwn', 'eui64', 'nguid', 'permanent_mac', 'uuid')"

FIRMWARE_NOW = f"""
UPDATE placement SET firmware_version = left(part.firmware_version, 200)
  FROM (SELECT facts.asset_id, facts.section, item ->> 'firmware_version' AS firmware_version,
               left(number.value, 200) AS serial
          FROM asset_facts AS facts
         CROSS JOIN LATERAL jsonb_array_elements(
               CASE WHEN jsonb_typeof(facts.facts) = 'array' THEN facts.facts ELSE '[]' END)
               AS items(item)
         CROSS JOIN LATERAL jsonb_each_text(
               CASE WHEN jsonb_typeof(item) = 'object' THEN item ELSE '{{}}' END)
               AS number(field, value)
         WHERE item ->> 'firmware_version' <> '' AND number.field IN {NUMBERS}) AS part
 WHERE placement.asset_id = part.asset_id AND placement.path = part.section
   AND placement.serial = part.serial AND placement.until IS NULL
"""  # noqa: S608 - constants of ours

FIRMWARE_THEN = f"""
UPDATE placement SET firmware_version = left(change.old ->> 'firmware_version', 200)
  FROM change
 CROSS JOIN LATERAL json_each_text(
       CASE WHEN json_typeof(change.old) = 'object' THEN change.old ELSE '{{}}' END)
       AS number(field, value)
 WHERE change.op IN ('removed', 'replaced') AND change.field IS NULL
   AND change.old ->> 'firmware_version' <> '' AND number.field IN {NUMBERS}
   AND placement.asset_id = change.asset_id AND placement.path = change.path
   AND placement.serial = left(number.value, 200) AND placement.until = change.recorded_at
"""  # noqa: S608 - constants of ours


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "counter",
        sa.Column(
            "asset_id", UUID, sa.ForeignKey("asset.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("section", sa.Text, primary_key=True, comment="smart or memory"),
        sa.Column("component", sa.Text, primary_key=True, comment="the key of the part"),
        sa.Column("name", sa.Text, primary_key=True, comment="such as reallocated or ce_count"),
        sa.Column("boot_id", UUID, comment="of the boot from which it counts; null: for life"),
        sa.Column("first_value", sa.BigInteger, nullable=False),
        sa.Column("first_at", MOMENT, nullable=False, comment="when it was read first"),
        sa.Column("value", sa.BigInteger, nullable=False),
        sa.Column("at", MOMENT, nullable=False, comment="since when it is that"),
        sa.Column("grown_by", sa.BigInteger, comment="at last; null: it has not grown"),
        sa.Column("grown_since", MOMENT, comment="when it was read last before it grew by that"),
        comment="counters of wear and errors that are not zero, and how they grow",
    )
    op.add_column(
        "placement",
        sa.Column("firmware_version", sa.Text, comment="the last that was known there"),
    )
    op.execute(FIRMWARE_NOW)
    op.execute(FIRMWARE_THEN)
    op.create_table(
        "disk_model",
        sa.Column("model", sa.Text, primary_key=True),
        sa.Column("years", sa.Float, nullable=False, comment="its disks were in use, all together"),
        sa.Column(
            "failed",
            sa.Integer,
            nullable=False,
            comment="by the rule of salt_ext/store/failures.py",
        ),
        comment="how often the disks of each model fail here",
    )
    op.create_table(
        "warning",
        sa.Column(
            "asset_id", UUID, sa.ForeignKey("asset.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("rule", sa.Text, primary_key=True, comment="by its name, such as disk counters"),
        sa.Column("part", sa.Text, primary_key=True, comment="its own number, or else its name"),
        sa.Column("since", MOMENT, primary_key=True),
        sa.Column("section", sa.Text, nullable=False),
        sa.Column("severity", sa.Text, nullable=False, comment="critical or warning, at first"),
        sa.Column("serial", sa.Text, comment="its own number; null: it has none"),
        sa.Column("says", sa.Text, nullable=False, comment="the evidence, as it was at first"),
        sa.Column("until", MOMENT, comment="null: it is warned of still"),
        sa.Column("outcome", sa.Text, comment="replaced, gone, moved, over or retired"),
        comment="warnings of parts, and what became of each",
    )
    op.create_index(
        "warning_open_idx", "warning", ["asset_id"], postgresql_where=sa.text("until IS NULL")
    )
    op.create_index(op.f("warning_serial_idx"), "warning", ["serial"])
