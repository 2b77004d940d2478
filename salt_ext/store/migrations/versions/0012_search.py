"""Every number and address of a machine is found, in few steps."""

from alembic import op
from sqlalchemy import text

revision = "0012"
down_revision = "0011"

KNOWN, LISTED = r"E'\n\x1d\n'", r"E'\n\x1e\n'"

# What search.numbers yields, in its order; an interface may have thousands of addresses.
NUMBERS = r"""
SELECT asset_id, string_agg(left(value, 500), E'\n' ORDER BY place, value) AS lines
  FROM (SELECT DISTINCT f.asset_id, one.place,
               lower(CASE WHEN one.is_address THEN split_part(one.value #>> '{}', '/', 1)
                          ELSE one.value #>> '{}' END) AS value
          FROM asset_facts AS f,
       LATERAL (SELECT 1, false, jsonb_path_query(f.facts, '$.uuid')
                 WHERE f.section = 'system'
                UNION ALL
                SELECT 3, false, jsonb_path_query(f.facts, '$.keyvalue() ? (@.key == "mac" ||
                                 @.key == "hostname" || @.key == "guid").value')
                 WHERE f.section = 'bmc' AND jsonb_typeof(f.facts) = 'object'
                UNION ALL
                SELECT 3, true, jsonb_path_query(f.facts, '$.**.addresses[*]')
                 WHERE f.section = 'bmc'
                UNION ALL
                SELECT 3, false, jsonb_path_query(f.facts, '$.other_channels[*].mac')
                 WHERE f.section = 'bmc'
                UNION ALL
                SELECT 3, false, jsonb_path_query(f.facts, '$.redfish.hostname')
                 WHERE f.section = 'bmc'
                UNION ALL
                SELECT 4, false, jsonb_path_query(f.facts, '$[*].keyvalue() ? (@.key == "wwn" ||
                                 @.key == "eui64" || @.key == "nguid" || @.key == "uuid").value')
                 WHERE f.section IN ('disks', 'gpus') AND jsonb_typeof(f.facts) = 'array'
                   AND NOT jsonb_path_exists(f.facts, '$[*] ? (@.type() != "object")')
                UNION ALL
                SELECT 5, false, jsonb_path_query(f.facts, '$[*].permanent_mac')
                 WHERE f.section = 'network'
                UNION ALL
                SELECT 5, false, jsonb_path_query(f.facts, '$[*].mac')
                 WHERE f.section = 'network'
                UNION ALL
                SELECT 6, true, jsonb_path_query(f.facts, '$[*].addresses[*]')
                 WHERE f.section = 'network') AS one(place, is_address, value)
         WHERE jsonb_typeof(one.value) = 'string'
        UNION ALL
        -- Of what may be a placeholder, only what identity accepted.
        SELECT asset_id, 2, CASE kind WHEN 'asset_tag' THEN value
                                      ELSE substr(value, strpos(value, '/') + 1) END
          FROM identifier
         WHERE last_seen IS NULL AND kind IN ('asset_tag', 'cloud_instance_id')) AS all_of_them
 WHERE value <> ''
 GROUP BY asset_id
"""

SEARCH = f"""
UPDATE asset
   SET search = left(concat_ws(E'\\n', lower(CASE WHEN from_list ~ 'site' THEN NULL ELSE site END),
                               lower(CASE WHEN from_list ~ 'rack' THEN NULL ELSE rack END),
                               lower(manufacturer), lower(product_name), lower(os))
                     || {KNOWN}
                     || concat_ws(E'\\n', lower(minion_id), lower(hostname), lower(sn),
                                  lower(address), numbers.lines), 6000)
                || CASE WHEN search LIKE '%' || {LISTED} || '%'
                        THEN {LISTED} || (
                            SELECT string_agg(left(line, 500), E'\\n' ORDER BY number)
                              FROM unnest(string_to_array(split_part(search, {LISTED}, 2), E'\\n'))
                                   WITH ORDINALITY AS lines(line, number)) ELSE '' END
  FROM (SELECT id, lines FROM asset LEFT JOIN ({NUMBERS}) AS each ON asset_id = id) AS numbers
 WHERE numbers.id = asset.id
"""  # noqa: S608 - constants of this step


def upgrade() -> None:
    """Take the step."""
    op.execute("DROP INDEX IF EXISTS asset_search_idx")  # cmdb.migrate makes it again
    op.execute(SEARCH)
    lines = "string_to_array(split_part(search, '\n\x1d\n', 2), '\n')"
    op.create_index("asset_known_idx", "asset", [text(lines)], postgresql_using="gin")
    for name, table, column in (
        ("asset_was_short_hostname_idx", "asset_was", "split_part(lower(hostname), '.', 1)"),
        ("asset_was_address_idx", "asset_was", "address"),
    ):
        op.create_index(name, table, [text(column)])
    op.create_index(
        "identifier_short_name_idx",
        "identifier",
        [text("split_part(lower(value), '.', 1)")],
        postgresql_where=text("kind = 'minion_id'"),
    )
