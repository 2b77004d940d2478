"""History in less room."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Take the step."""
    op.execute(
        "CREATE TYPE change_op AS ENUM"
        " ('added', 'removed', 'changed', 'moved', 'replaced', 'renamed')"
    )
    # In one statement, so that the table is rewritten once.
    op.execute("""
        ALTER TABLE change
            ALTER op TYPE change_op USING op::change_op,
            ALTER old TYPE json USING old::text::json,
            ALTER new TYPE json USING new::text::json
    """)
    op.execute("ALTER TABLE revision ALTER digest TYPE bytea USING substring(digest FROM 1 FOR 8)")
    op.execute("COMMENT ON COLUMN revision.digest IS 'of the whole document after it, 8 bytes'")
    # With these columns an index alone can answer questions about one field of the parts, and
    # about manufacturer and type together.
    for old, new in (
        (("manufacturer",), ("manufacturer", "type")),
        (("size_bytes",), ("size_bytes", "count")),
    ):
        op.drop_index(f"part_section_{'_'.join(old)}_asset_id_idx", table_name="part")
        columns = ["section", *new, "asset_id"]
        op.create_index(f"part_{'_'.join(columns)}_idx", "part", columns)
    op.execute("ALTER TABLE asset_seen SET (fillfactor = 80)")
    op.create_index("asset_seen_mode_asset_id_idx", "asset_seen", ["mode", "asset_id"])
