"""Questions about the past of a large fleet."""

from alembic import op

revision = "0026"
down_revision = "0025"

# What the changes of a revision are, but for which part each is of and what that became: so a
# wave through the fleet has one number. Reports that are stored later have another one for the
# same changes, which only means that a diff looks at one machine of each.
ALIKE = """
CREATE FUNCTION cmdb_alike(id uuid, revision integer) RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT hashtextextended(
               coalesce(string_agg(json_build_array(
                   op, path, field,
                   CASE WHEN component IS NULL THEN old END,
                   CASE WHEN component IS NULL THEN new END)::text, '' ORDER BY position), ''), 0)
      FROM change AS one WHERE one.asset_id = $1 AND one.revision = $2
$$
"""


def upgrade() -> None:
    """Take the step."""
    op.execute(ALIKE)
    op.execute("ALTER TABLE revision ADD alike bigint")
    # In one statement, which writes the table anew: after an UPDATE it would be twice as large.
    op.execute("ALTER TABLE revision ALTER alike TYPE bigint USING cmdb_alike(asset_id, number)")
    op.execute(
        "COMMENT ON COLUMN revision.alike IS 'equal where the same has changed; null: unknown'"
    )
    op.execute("DROP FUNCTION cmdb_alike")
