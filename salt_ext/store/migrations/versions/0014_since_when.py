"""Since when the list columns of an asset are as they are, and were as they were."""

from alembic import op

revision = "0014"
down_revision = "0013"

SINCE = """
CREATE FUNCTION cmdb_since(id uuid, before timestamptz) RETURNS timestamptz
LANGUAGE sql STABLE AS $$
    SELECT greatest(asset.first_seen, (SELECT max(until) FROM asset_was
                                        WHERE asset_id = asset.id AND until < $2))
      FROM asset WHERE asset.id = $1
$$
"""


def upgrade() -> None:
    """Take the step."""
    op.execute(SINCE)
    for column, since, comment in (
        ("asset_was.since", "cmdb_since(asset_id, until)", "when they became what they were"),
        (
            "asset.unchanged_since",
            "cmdb_since(id, 'infinity')",
            "when its list columns became what they are, kernel_release aside",
        ),
    ):
        table, name = column.split(".")
        op.execute(f"ALTER TABLE {table} ADD {name} timestamptz")
        # In one statement, which writes the table anew: after an UPDATE it would be twice as large.
        op.execute(
            f"ALTER TABLE {table} ALTER {name} TYPE timestamptz USING {since},"
            f" ALTER {name} SET NOT NULL"
        )
        op.execute(f"COMMENT ON COLUMN {column} IS '{comment}'")
    op.execute("DROP FUNCTION cmdb_since")
