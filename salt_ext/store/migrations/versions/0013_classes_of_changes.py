"""What sort of news each change is, and an index that finds the newest of a sort."""

from alembic import op

revision = "0013"
down_revision = "0012"

CLASS = """
CREATE TYPE change_class AS ENUM
    ('loss', 'replaced', 'added', 'firmware', 'moved', 'renamed', 'software', 'other',
     'device_name')
"""

# The rule of salt_ext/document/classes.py as it was then, but for what depends on the other
# changes of the report.
OF_CHANGE = """
CREATE FUNCTION cmdb_class_of(
    op change_op, path text, component text, field text, old json, new json
) RETURNS change_class LANGUAGE plpgsql STABLE AS $$
DECLARE
    names text[] := string_to_array(path, '.');
    section text := names[1];
    is_whole boolean := component IS NOT NULL AND field IS NULL;
    before jsonb := CASE WHEN json_typeof(old) = 'object' THEN old::jsonb ELSE '{}' END;
    after jsonb := CASE WHEN json_typeof(new) = 'object' THEN new::jsonb ELSE '{}' END;
    fields text[] := ARRAY[coalesce(field, names[array_upper(names, 1)])];
    software text[] := '{addresses,default_address,driver,flags,hctl,mac,master,microcode,mtu,name,
        numa_node,numa_nodes,online,plugged,slaves,sriov,status,total_bytes,vlan_id,
        vulnerabilities,wake_up_type}';
    amounts text[] := '{installed_bytes,memory_bytes,persistent_bytes,size_bytes,sockets,cores,
        threads,core_count,core_enabled,thread_count}';
    upon_cards text[] := '{bond,bridge,virtual,vlan}';
    is_of_hardware boolean := section = ANY('{baseboards,batteries,chassis,disks,firmware,gpus,
        memory,network,pci,power_supplies,processors,system,tpm}');
    is_set boolean := names[2:] && software OR path = 'network' AND coalesce(
        before ->> 'kind' = ANY(upon_cards) OR after ->> 'kind' = ANY(upon_cards), false);
    part jsonb := CASE WHEN op = 'added' THEN after ELSE before END;
    is_less boolean;
    is_more boolean;
BEGIN
    IF component IS NULL AND names[2] IS NULL
       AND coalesce(old::text, '[]') IN ('[]', '{}') AND coalesce(new::text, '[]') IN ('[]', '{}')
    THEN RETURN NULL; END IF;
    IF is_whole THEN
        fields := ARRAY(SELECT key FROM (SELECT jsonb_object_keys(before || after)) AS i(key)
                         WHERE before -> key IS DISTINCT FROM after -> key);
    END IF;
    IF path IN ('minion_id', 'operating_system.hostname') THEN RETURN 'renamed'; END IF;
    IF section IN ('operating_system', 'lvm', 'md', 'multipath') THEN RETURN 'software'; END IF;
    IF section = 'firmware'
       OR fields <@ '{firmware_version,firmware_package,microcode,vbios}'
    THEN RETURN 'firmware'; END IF;
    IF component IS NOT NULL AND op IN ('changed', 'moved') THEN
        IF op = 'moved' OR fields <@ '{bank_locator,locator,socket_designation,location,
            location_in_chassis,controller,enclosure,slot,pci_slot}'
        THEN RETURN 'moved'; END IF;
        IF fields <@ '{name,hctl}' THEN RETURN 'device_name'; END IF;
    END IF;
    IF is_of_hardware AND NOT is_set THEN
        IF is_whole THEN
            SELECT bool_or(n < o), bool_or(n > o) INTO is_less, is_more
              FROM (SELECT CASE WHEN jsonb_typeof(before -> one) = 'number'
                                THEN (before ->> one)::numeric END,
                           CASE WHEN jsonb_typeof(after -> one) = 'number'
                                THEN (after ->> one)::numeric END
                      FROM unnest(amounts) AS i(one)) AS i(o, n);
        ELSIF fields <@ amounts AND json_typeof(old) = 'number' AND json_typeof(new) = 'number'
        THEN
            is_less := new::text::numeric < old::text::numeric;
            is_more := new::text::numeric > old::text::numeric;
        END IF;
    END IF;
    IF is_whole AND op IN ('removed', 'replaced', 'added')
       AND coalesce(part -> 'present' <> 'false', true)
       AND coalesce(part -> 'populated' <> 'false', true)
       AND (is_of_hardware AND NOT is_set
            OR path IN ('raid.controllers', 'raid.members') AND NOT part ? 'raid_device')
    THEN
        RETURN CASE WHEN op = 'removed' OR op = 'replaced' AND is_less THEN 'loss'
                    ELSE op::text END;
    END IF;
    IF is_less THEN RETURN 'loss'; END IF;
    IF is_more THEN RETURN 'added'; END IF;
    IF is_of_hardware AND (is_set OR fields <@ software) THEN RETURN 'software'; END IF;
    RETURN 'other';
END $$
"""

OF_REVISION = """
CREATE FUNCTION cmdb_recorded_at(id uuid, revision integer) RETURNS timestamptz
LANGUAGE sql STABLE AS $$
    SELECT recorded_at FROM revision AS one WHERE one.asset_id = $1 AND one.number = $2
$$
"""

# What the other changes of the same report decide.
EMPTY_SLOTS = """
UPDATE change SET class = NULL
 WHERE component IS NOT NULL AND field IS NULL AND (old IS NULL) <> (new IS NULL)
   AND 'false' IN ((coalesce(old, new) -> 'present')::text,
                   (coalesce(old, new) -> 'populated')::text)
   AND EXISTS (SELECT FROM change AS other
                WHERE other.asset_id = change.asset_id AND other.revision = change.revision
                  AND other.path = change.path AND other.op = 'moved')
"""
TOLD_TWICE = """
UPDATE change SET class = NULL
  FROM change AS disk
 WHERE change.path = 'smart' AND disk.path = 'disks'
   AND disk.asset_id = change.asset_id AND disk.revision = change.revision
   AND disk.op = change.op AND disk.component IS NOT DISTINCT FROM change.component
   AND disk.field IS NOT DISTINCT FROM change.field
"""
SUMS = """
UPDATE change SET class = 'other'
 WHERE component IS NULL AND class IN ('loss', 'added')
   AND EXISTS (SELECT FROM change AS part
                WHERE part.asset_id = change.asset_id AND part.revision = change.revision
                  AND part.component IS NOT NULL AND part.field IS NULL
                  AND part.op IN ('removed', 'replaced', 'added')
                  AND part.class IN ('loss', 'replaced', 'added')
                  AND split_part(part.path, '.', 1) = split_part(change.path, '.', 1))
"""


def upgrade() -> None:
    """Take the step."""
    for statement in (CLASS, OF_CHANGE, OF_REVISION):
        op.execute(statement)
    op.execute("ALTER TABLE change ADD class change_class, ADD recorded_at timestamptz")
    # In one statement, which writes the table anew: after an UPDATE it would be twice as large.
    op.execute("""
        ALTER TABLE change
            ALTER class TYPE change_class
            USING cmdb_class_of(op, path, component, field, old, new),
            ALTER recorded_at TYPE timestamptz USING cmdb_recorded_at(asset_id, revision),
            ALTER recorded_at SET NOT NULL
    """)
    op.execute(
        "COMMENT ON COLUMN change.class IS"
        " 'what sort of news it is; null: it tells nobody anything'"
    )
    op.execute("COMMENT ON COLUMN change.recorded_at IS 'as its revision'")
    op.execute("DROP FUNCTION cmdb_class_of, cmdb_recorded_at")
    for statement in (EMPTY_SLOTS, TOLD_TWICE, SUMS):
        op.execute(statement)
    op.execute(
        "CREATE INDEX change_class_recorded_at_idx ON change (class, recorded_at)"
        " WHERE class IS NOT NULL"
    )
