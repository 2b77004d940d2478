"""Numbers that are no part's own, and the rule by which a revision names parts."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

WORDS = "|".join(
    (
        r"n/a|na|none|null|nil|\(null\)|unknown|unknow|undefined|invalid|empty|\[empty\]|void|blank",
        r"no dimm|no serial|no serial number|none provided|default|default string|standard|oem|tbd",
        r"(to be filled|to be defined|tobefilled|filled by|not specified|not available).*",
        r"(not applicable|not provided|not present|not installed|not set|not used|oem.?define).*",
        r"(qm0000|drive-ide|drive-sata|drive-scsi|drive-virtio|vmware nvme|nvme_card).*",
        r"(persistent-disk-|local-ssd-|local-nvme-ssd-).*|.*o\.e\.m.*|sn-12345",
    )
)
"""What stands where a number is missing, and what hypervisors give to the disks of all guests."""

BARE = "|".join(
    (
        r"(.)\2*|[01]+|0*[0-9]{1,3}|(sn|serial|serialno|serialnumber)0*[0-9]{1,2}",
        r".*(12345678|0123456789abcdef|abcdefgh).*",
        r"0*(bad|dead|deadbeef|badf00d|baadf00d|badc0de|badcafe|cafebabe)0*",
    )
)
"""The same without punctuation."""

NOBODYS = rf"""
DELETE FROM placement
 WHERE lower(serial) ~ '^({WORDS})$' OR serial ~ '^[[:punct:][:space:]]*$'
    OR regexp_replace(lower(serial), '[[:punct:][:space:]]', '', 'g') ~ '^({BARE})$'
    OR path = 'disks' AND model = 'LOGICAL VOLUME' AND serial !~ '^[0-9a-f]{{32}}$'
    OR path = 'disks' AND model = 'PersistentDisk'
"""  # noqa: S608 - constants of ours

SEVERAL = """
DELETE FROM placement
 USING (SELECT serial, asset_id, path FROM placement WHERE until IS NULL
         GROUP BY serial, asset_id, path HAVING count(*) > 1) AS several
 WHERE placement.serial = several.serial AND placement.asset_id = several.asset_id
   AND placement.path = several.path
"""

ADDRESSES = """
UPDATE placement SET place = disk.item ->> 'hctl'
  FROM asset_facts, jsonb_path_query(asset_facts.facts, '$[*] ? (exists(@.hctl))') AS disk(item)
 WHERE asset_facts.section = 'disks' AND asset_facts.asset_id = placement.asset_id
   AND placement.path = 'disks' AND placement.until IS NULL
   AND placement.serial IN (disk.item ->> 'serial_number', disk.item ->> 'wwn')
"""

UNITS = """
UPDATE placement SET serial = disk.item ->> 'wwn'
  FROM asset_facts, jsonb_path_query(asset_facts.facts, '$[*] ? (exists(@.wwn))') AS disk(item)
 WHERE asset_facts.section = 'disks' AND asset_facts.asset_id = placement.asset_id
   AND placement.path = 'disks' AND placement.until IS NULL
   AND disk.item ->> 'wwn' ~ '^6[0-9a-f]{31}$'
   AND placement.serial = disk.item ->> 'serial_number'
"""


def upgrade() -> None:
    """Take the step."""
    op.add_column(
        "revision",
        sa.Column(
            "key_rule",
            sa.SmallInteger(),
            server_default="1",
            nullable=False,
            comment="how its changes name parts",
        ),
    )
    op.alter_column("revision", "key_rule", server_default=None)
    # What was believed to be a part's own, and how and where disks are now known.
    for statement in (NOBODYS, SEVERAL, ADDRESSES, UNITS):
        op.execute(statement)
