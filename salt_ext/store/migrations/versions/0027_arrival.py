"""
What every report changes stands together in its row, and new rows keep room in their page.

The many rows of a new machine are not checked to be of an asset.
"""

from alembic import op

revision = "0027"
down_revision = "0026"

# Each column takes the place of another one, whose values it has from then on: so the table is
# written once, and what is in a view stays where it is.
REORDER = """
ALTER TABLE asset_seen
    ALTER digest DROP NOT NULL,
    ALTER volatile_at DROP NOT NULL,
    ALTER digest TYPE timestamptz USING position,
    ALTER position TYPE bytea USING digest,
    ALTER volatile_at TYPE bigint USING since_boot_ms,
    ALTER since_boot_ms TYPE timestamptz USING volatile_at,
    ALTER position SET NOT NULL,
    ALTER since_boot_ms SET NOT NULL
"""

SWAPPED = (("digest", "position"), ("volatile_at", "since_boot_ms"))

COMMENTS = {
    "digest": "of the facts as last reported",
    "position": "when its carrier was written, by that master",
    "volatile_at": "when volatile was last written",
    "since_boot_ms": "when that was made",
    "filling": "keeps room for new versions of rows; null once the row was touched",
}


# Their names are of several times.
CHECKS = """
SELECT conrelid::regclass::text AS name, conname FROM pg_constraint
 WHERE contype = 'f' AND confrelid = 'asset'::regclass
   AND conrelid IN ('asset_facts'::regclass, 'part'::regclass, 'placement'::regclass)
"""

# To check a key of another table costs each new machine more than all that it writes there, so
# what goes with an asset goes when the asset does.
GONE = """
CREATE FUNCTION cmdb_asset_gone() RETURNS trigger LANGUAGE plpgsql
SET search_path FROM CURRENT AS $$
BEGIN
    DELETE FROM asset_facts USING removed WHERE asset_facts.asset_id = removed.id;
    DELETE FROM part USING removed WHERE part.asset_id = removed.id;
    DELETE FROM placement USING removed WHERE placement.asset_id = removed.id;
    RETURN NULL;
END
$$
"""
WHEN_GONE = (
    "CREATE TRIGGER asset_gone AFTER DELETE ON asset REFERENCING OLD TABLE AS removed"
    " FOR EACH STATEMENT EXECUTE FUNCTION cmdb_asset_gone()"
)


def upgrade() -> None:
    """Take the step."""
    for table, check in op.get_bind().exec_driver_sql(CHECKS).all():
        op.drop_constraint(check, table, type_="foreignkey")
    op.execute(GONE)
    op.execute(WHEN_GONE)
    op.execute(REORDER)
    for one, other in SWAPPED:
        op.execute(f"ALTER TABLE asset_seen RENAME {one} TO swapped")
        op.execute(f"ALTER TABLE asset_seen RENAME {other} TO {one}")
        op.execute(f"ALTER TABLE asset_seen RENAME swapped TO {other}")
    # Only rows that are new have the filling: the others have moved apart.
    op.execute("ALTER TABLE asset_seen ADD COLUMN filling text")
    op.execute("ALTER TABLE asset_seen ALTER filling SET DEFAULT repeat(' ', 40)")
    for name, comment in COMMENTS.items():
        op.execute(f"COMMENT ON COLUMN asset_seen.{name} IS '{comment}'")
