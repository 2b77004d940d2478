"""Where machines stand, and what people's lists say of them beside what they report."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB, UUID

revision = "0008"
down_revision = "0007"

OWN_COLUMNS = {
    "owner": "list.owner",
    "asset_tag": "list.asset_number",
    "purchased": "list.purchase_date",
    "warranty_until": "list.warranty",
    "note": "list.remarks",
}
"""What the columns of people's lists that no machine can fill were called, and are called now."""


def upgrade() -> None:
    """Take the step."""
    op.alter_column("asset", "kind", comment="physical, virtual, container or network")
    for table in ("asset", "asset_was"):
        op.add_column(table, sa.Column("room", sa.Text))
        op.add_column(table, sa.Column("unit", sa.Text))
    for name in ("room", "unit"):
        op.create_index(f"asset_{name}_id_idx", "asset", [name, "id"])
    # What former rows of asset_was had there is not known: it stays empty.
    op.execute("""
        UPDATE asset SET room = left(facts.facts->>'room', 500),
                         unit = left(facts.facts->>'unit', 500)
          FROM asset_facts AS facts
         WHERE facts.asset_id = asset.id AND facts.section = 'location'
           AND jsonb_typeof(facts.facts) = 'object'""")
    op.add_column(
        "asset", sa.Column("listed", JSONB, comment="what people's lists say of it, by field")
    )
    op.add_column(
        "asset",
        sa.Column("from_list", sa.Text, comment="which of its places only a list says: site, rack"),
    )
    for name, expression in (
        ("asset_bare_sn_idx", "ltrim(replace(lower(sn), ' ', ''), '0')"),
        ("asset_short_name_idx", "split_part(lower(minion_id), '.', 1)"),
        ("asset_short_hostname_idx", "split_part(lower(hostname), '.', 1)"),
    ):
        op.create_index(name, "asset", [sa.text(expression)])
    _expected()


def _expected() -> None:
    for old, new in OWN_COLUMNS.items():
        op.execute(f"""
            UPDATE expected
               SET fields = fields - '{old}' || jsonb_build_object('{new}', fields->'{old}')
             WHERE fields ? '{old}'""")  # noqa: S608 - constants of this step
    # A list was called by its path and sheet; another folder does not make it another list.
    op.execute("UPDATE expected SET source = regexp_replace(source, '^.*/', '')")
    op.alter_column(
        "expected",
        "fields",
        comment="what people say of it, by field",
        existing_comment="what people say of it, by our field names",
    )
    op.alter_column(
        "expected",
        "source",
        comment="which list says so",
        existing_comment="the file and the sheet",
    )
    op.add_column(
        "expected",
        sa.Column("asset_id", UUID, comment="which asset it turned out to be"),
    )
    op.add_column(
        "expected",
        sa.Column(
            "awaited",
            sa.Boolean,
            nullable=False,
            server_default=sa.true(),
            comment="false: it will never report, or a person gave a reason why not",
        ),
    )
    op.create_foreign_key(
        "expected_asset_id_fkey", "expected", "asset", ["asset_id"], ["id"], ondelete="SET NULL"
    )
    op.create_index("expected_asset_id_idx", "expected", ["asset_id"])
    op.create_index("expected_source_idx", "expected", ["source"])
    for name, comment, value in (
        (
            "bare_sn",
            "without case, blanks and leading zeros",
            "ltrim(replace(lower(sn), ' ', ''), '0')",
        ),
        (
            "short_name",
            "the minion id without case and domain",
            "split_part(lower(coalesce(fields ->> 'minion_id', minion_id)), '.', 1)",
        ),
        (
            "short_hostname",
            "the hostname without case and domain",
            "split_part(lower(fields ->> 'hostname'), '.', 1)",
        ),
    ):
        op.add_column("expected", sa.Column(name, sa.Text, comment=comment))
        op.execute(f"UPDATE expected SET {name} = nullif({value}, '')")  # noqa: S608 - ours
        op.create_index(f"expected_{name}_idx", "expected", [name])
    op.create_table(
        "list_field",
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False, comment="list.owner"),
        sa.Column("type", sa.Text, nullable=False, comment="text, number or date"),
        sa.PrimaryKeyConstraint("source", "name", name="list_field_pkey"),
        comment="the columns of people's lists that no machine can fill",
    )
    op.execute("""
        INSERT INTO list_field
        SELECT DISTINCT source, name, 'text'
          FROM expected CROSS JOIN jsonb_object_keys(fields) AS name
         WHERE name LIKE 'list.%'""")
