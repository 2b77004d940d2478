"""Questions that a million machines may be asked."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"

# Each note is a row of its own, so that no writer waits for another one.
NOTE = """
CREATE FUNCTION cmdb_tally() RETURNS trigger LANGUAGE plpgsql
SET search_path FROM CURRENT AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO tally (assets)
        SELECT count(*) FROM added WHERE merged_into IS NULL HAVING count(*) > 0;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO tally (assets)
        SELECT -count(*) FROM removed WHERE merged_into IS NULL HAVING count(*) > 0;
    ELSE
        INSERT INTO tally (assets) VALUES (CASE WHEN NEW.merged_into IS NULL THEN 1 ELSE -1 END);
    END IF;
    RETURN NULL;
END
$$
"""

TRIGGERS = (
    "CREATE TRIGGER tally_added AFTER INSERT ON asset REFERENCING NEW TABLE AS added"
    " FOR EACH STATEMENT EXECUTE FUNCTION cmdb_tally()",
    "CREATE TRIGGER tally_removed AFTER DELETE ON asset REFERENCING OLD TABLE AS removed"
    " FOR EACH STATEMENT EXECUTE FUNCTION cmdb_tally()",
    "CREATE TRIGGER tally_merged AFTER UPDATE OF merged_into ON asset FOR EACH ROW"
    " WHEN ((OLD.merged_into IS NULL) <> (NEW.merged_into IS NULL))"
    " EXECUTE FUNCTION cmdb_tally()",
)

COUNT = "INSERT INTO tally (assets) SELECT count(*) FROM asset WHERE merged_into IS NULL"


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "tally",
        sa.Column("assets", sa.BigInteger, nullable=False, comment="by how many there are more"),
        comment="the sum is the number of assets; where there is no row it is not kept",
    )
    op.create_index(op.f("asset_from_list_id_idx"), "asset", ["from_list", "id"])
    op.execute(NOTE)
    for trigger in TRIGGERS:
        op.execute(trigger)
    op.execute(COUNT)
