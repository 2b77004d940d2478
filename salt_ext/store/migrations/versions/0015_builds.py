"""What each asset is built of, in one row."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import UUID

revision = "0015"
down_revision = "0014"

FILL = """
INSERT INTO build
SELECT asset.id, kinds.disks, kinds.memory, kinds.network, kinds.gpus, kinds.power_supplies,
       left(firmware.facts ->> 'version', 200), left(firmware.facts ->> 'mode', 200),
       left(firmware.facts ->> 'secure_boot', 200), left(bmc.facts ->> 'firmware_version', 200)
  FROM asset
  LEFT JOIN (
       SELECT asset_id,
              left(max(kinds) FILTER (WHERE section = 'disks'), 2000) AS disks,
              left(max(kinds) FILTER (WHERE section = 'memory'), 2000) AS memory,
              left(max(kinds) FILTER (WHERE section = 'network'), 2000) AS network,
              left(max(kinds) FILTER (WHERE section = 'gpus'), 2000) AS gpus,
              left(max(kinds) FILTER (WHERE section = 'power_supplies'), 2000) AS power_supplies
         FROM (SELECT asset_id, section, string_agg(DISTINCT
                      concat_ws(' ', model, firmware_version) COLLATE "C", ', ') AS kinds
                 FROM part WHERE model IS NOT NULL GROUP BY asset_id, section) AS each
        GROUP BY asset_id) AS kinds ON kinds.asset_id = asset.id
  LEFT JOIN asset_facts AS firmware
    ON firmware.asset_id = asset.id AND firmware.section = 'firmware'
  LEFT JOIN asset_facts AS bmc ON bmc.asset_id = asset.id AND bmc.section = 'bmc'
"""


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "build",
        sa.Column(
            "asset_id", UUID, sa.ForeignKey("asset.id", ondelete="CASCADE"), primary_key=True
        ),
        sa.Column("disks", sa.Text, comment="the models and firmwares of its disks, in one text"),
        sa.Column("memory", sa.Text),
        sa.Column("network", sa.Text),
        sa.Column("gpus", sa.Text),
        sa.Column("power_supplies", sa.Text),
        sa.Column("firmware_version", sa.Text),
        sa.Column("firmware_mode", sa.Text),
        sa.Column("secure_boot", sa.Text, comment="true or false"),
        sa.Column("bmc_firmware_version", sa.Text),
        comment="what an asset is built of, in one row: to find the one that is not as the others",
    )
    op.execute(FILL)
