"""Reads at any size, parts, decisions, snapshots, and reports without a master."""

import json

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import BYTEA, JSONB

from salt_ext.store.migrations.as_of_0002.facts import (
    SEARCHED,
    digest,
    parts,
    placements,
    search_text,
)
from salt_ext.store.migrations.as_of_0002.keys import evidence

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Take the step."""
    op.create_table(
        "decision",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False, comment="a person, or salt-cmdb"),
        sa.Column("minion_id", sa.Text(), nullable=False, comment="the name that the report had"),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("asset_id", sa.UUID(), nullable=True),
        sa.Column(
            "other_asset_id",
            sa.UUID(),
            nullable=True,
            comment="the one that lost the name, or was merged",
        ),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column(
            "evidence",
            JSONB(none_as_null=True),
            nullable=False,
            comment="the keys that the report showed",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("decision_pkey")),
        comment="whose report it was, whenever that was more than the usual",
    )
    op.create_index(
        op.f("decision_asset_id_decided_at_idx"),
        "decision",
        ["asset_id", "decided_at"],
        unique=False,
    )
    op.create_index(
        op.f("decision_minion_id_decided_at_idx"),
        "decision",
        ["minion_id", "decided_at"],
        unique=False,
    )
    op.create_index(
        op.f("decision_other_asset_id_decided_at_idx"),
        "decision",
        ["other_asset_id", "decided_at"],
        unique=False,
    )
    op.create_table(
        "inbox",
        sa.Column("id", sa.UUID(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("minion_id", sa.Text(), nullable=False),
        sa.Column(
            "report", sa.Text(), nullable=False, comment="JSON as it came; nobody has read it"
        ),
        sa.Column(
            "received_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("sent_by", sa.Text(), server_default=sa.text("session_user"), nullable=False),
        sa.CheckConstraint("octet_length(report) <= 8388608", name=op.f("inbox_size_check")),
        sa.PrimaryKeyConstraint("id", name=op.f("inbox_pkey")),
        comment="reports of machines without a master, by roles that may do nothing else",
    )
    op.create_index(op.f("inbox_received_at_idx"), "inbox", ["received_at"], unique=False)
    op.create_table(
        "baseline",
        sa.Column("asset_id", sa.UUID(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False, comment="the document that is right"),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["asset_id"], ["asset.id"], name=op.f("baseline_asset_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("asset_id", name=op.f("baseline_pkey")),
        comment="what a person accepted as the hardware that an asset shall have",
    )
    op.create_table(
        "expected",
        sa.Column("id", sa.UUID(), nullable=False),
        sa.Column("sn", sa.Text(), nullable=True),
        sa.Column("minion_id", sa.Text(), nullable=True),
        sa.Column(
            "fields",
            JSONB(none_as_null=True),
            nullable=False,
            comment="what people say of it, by our field names",
        ),
        sa.Column("source", sa.Text(), nullable=False, comment="the file and the sheet"),
        sa.Column("row", sa.Integer(), nullable=True, comment="its number in the sheet"),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("imported_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("expected_pkey")),
        comment="the machines that people think they own",
    )
    op.create_index(op.f("expected_sn_idx"), "expected", ["sn"], unique=False)
    op.create_index(op.f("expected_minion_id_idx"), "expected", ["minion_id"], unique=False)
    op.create_table(
        "reporter",
        sa.Column("minion_id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("minion_id", name=op.f("reporter_pkey")),
        comment="which role reports a machine that has no master",
    )
    op.create_table(
        "snapshot",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_by", sa.Text(), nullable=False),
        sa.Column(
            "filters", JSONB(none_as_null=True), nullable=False, comment="which assets it is about"
        ),
        sa.Column("comment", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("snapshot_pkey")),
        comment="names for moments; nothing is copied",
    )
    op.create_table(
        "asset_was",
        sa.Column("asset_id", sa.UUID(), nullable=False),
        sa.Column(
            "until",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="when they became something else",
        ),
        sa.Column("minion_id", sa.Text(), nullable=True),
        sa.Column("lifecycle", sa.Text(), nullable=True),
        sa.Column("sn", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=True),
        sa.Column("temporary", sa.Boolean(), nullable=True),
        sa.Column("hostname", sa.Text(), nullable=True),
        sa.Column("site", sa.Text(), nullable=True),
        sa.Column("rack", sa.Text(), nullable=True),
        sa.Column("manufacturer", sa.Text(), nullable=True),
        sa.Column("product_name", sa.Text(), nullable=True),
        sa.Column("os", sa.Text(), nullable=True),
        sa.Column("processor_model", sa.Text(), nullable=True),
        sa.Column("processor_threads", sa.Integer(), nullable=True),
        sa.Column("memory_bytes", sa.BigInteger(), nullable=True),
        sa.Column("disk_count", sa.Integer(), nullable=True),
        sa.Column("disk_bytes", sa.BigInteger(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["asset_id"], ["asset.id"], name=op.f("asset_was_asset_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("asset_id", "until", name=op.f("asset_was_pkey")),
        comment="the list columns of an asset as they were before each change of them",
    )
    op.create_table(
        "part",
        sa.Column("asset_id", sa.UUID(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("section", sa.Text(), nullable=False),
        sa.Column("manufacturer", sa.Text(), nullable=True),
        sa.Column("model", sa.Text(), nullable=True),
        sa.Column("type", sa.Text(), nullable=True),
        sa.Column("firmware_version", sa.Text(), nullable=True),
        sa.Column("size_bytes", sa.BigInteger(), nullable=True),
        sa.Column("count", sa.Integer(), nullable=False, comment="how many of them the asset has"),
        sa.ForeignKeyConstraint(
            ["asset_id"], ["asset.id"], name=op.f("part_asset_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("asset_id", "number", name=op.f("part_pkey")),
        comment="which parts an asset has now, equal ones in one row: to filter and to count by",
    )
    op.create_index(
        op.f("part_section_firmware_version_asset_id_idx"),
        "part",
        ["section", "firmware_version", "asset_id"],
        unique=False,
    )
    op.create_index(
        op.f("part_section_manufacturer_asset_id_idx"),
        "part",
        ["section", "manufacturer", "asset_id"],
        unique=False,
    )
    op.create_index(
        op.f("part_section_model_firmware_version_asset_id_idx"),
        "part",
        ["section", "model", "firmware_version", "asset_id"],
        unique=False,
    )
    op.create_index(
        op.f("part_section_size_bytes_asset_id_idx"),
        "part",
        ["section", "size_bytes", "asset_id"],
        unique=False,
    )
    op.create_index(
        op.f("part_section_type_asset_id_idx"),
        "part",
        ["section", "type", "asset_id"],
        unique=False,
    )
    op.create_table(
        "placement",
        sa.Column("serial", sa.Text(), nullable=False, comment="what the part carries with it"),
        sa.Column("asset_id", sa.UUID(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False, comment="such as memory.devices"),
        sa.Column("place", sa.Text(), nullable=False, comment="slot or name; may be blank"),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "until", sa.DateTime(timezone=True), nullable=True, comment="null while it is there"
        ),
        sa.Column("model", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["asset_id"], ["asset.id"], name=op.f("placement_asset_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint(
            "serial", "asset_id", "path", "place", "since", name=op.f("placement_pkey")
        ),
        comment="where each part with a number of its own is, and where it was",
    )
    op.create_index(op.f("placement_asset_id_idx"), "placement", ["asset_id"], unique=False)
    op.add_column(
        "asset",
        sa.Column(
            "merged_into",
            sa.UUID(),
            nullable=True,
            comment="the asset that this temporary one turned out to be",
        ),
    )
    op.add_column(
        "asset",
        sa.Column(
            "search", sa.Text(), nullable=True, comment="all that free text is looked for in"
        ),
    )
    op.drop_index(op.f("asset_sn_idx"), table_name="asset")
    op.create_index(op.f("asset_address_id_idx"), "asset", ["address", "id"], unique=False)
    op.create_index(op.f("asset_disk_bytes_id_idx"), "asset", ["disk_bytes", "id"], unique=False)
    op.create_index(op.f("asset_disk_count_id_idx"), "asset", ["disk_count", "id"], unique=False)
    op.create_index(op.f("asset_first_seen_id_idx"), "asset", ["first_seen", "id"], unique=False)
    op.create_index(op.f("asset_hostname_id_idx"), "asset", ["hostname", "id"], unique=False)
    op.create_index(
        op.f("asset_kernel_release_id_idx"), "asset", ["kernel_release", "id"], unique=False
    )
    op.create_index(op.f("asset_kind_id_idx"), "asset", ["kind", "id"], unique=False)
    op.create_index(op.f("asset_lifecycle_id_idx"), "asset", ["lifecycle", "id"], unique=False)
    op.create_index(
        op.f("asset_manufacturer_id_idx"), "asset", ["manufacturer", "id"], unique=False
    )
    op.create_index(
        op.f("asset_memory_bytes_id_idx"), "asset", ["memory_bytes", "id"], unique=False
    )
    op.create_index(
        "asset_merged_into_idx",
        "asset",
        ["merged_into"],
        unique=False,
        postgresql_where=sa.text("merged_into IS NOT NULL"),
    )
    op.create_index(op.f("asset_os_id_idx"), "asset", ["os", "id"], unique=False)
    op.create_index(
        op.f("asset_processor_model_id_idx"), "asset", ["processor_model", "id"], unique=False
    )
    op.create_index(
        op.f("asset_processor_threads_id_idx"), "asset", ["processor_threads", "id"], unique=False
    )
    op.create_index(
        op.f("asset_product_name_id_idx"), "asset", ["product_name", "id"], unique=False
    )
    op.create_index(op.f("asset_rack_id_idx"), "asset", ["rack", "id"], unique=False)
    op.create_index(op.f("asset_site_id_idx"), "asset", ["site", "id"], unique=False)
    op.create_index(op.f("asset_sn_id_idx"), "asset", ["sn", "id"], unique=False)
    op.create_index(op.f("asset_temporary_id_idx"), "asset", ["temporary", "id"], unique=False)
    op.add_column(
        "asset_seen",
        sa.Column("revision", sa.Integer(), nullable=True, comment="number of the last revision"),
    )
    op.add_column("asset_seen", sa.Column("changed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "asset_seen",
        sa.Column(
            "detached_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="since when its name belongs to other hardware",
        ),
    )
    op.add_column(
        "asset_seen",
        sa.Column(
            "reports_as",
            sa.Text(),
            nullable=True,
            comment="the minion id it reports under, if not its name",
        ),
    )
    op.add_column(
        "asset_seen",
        sa.Column(
            "told_revision",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="the last revision that an event has told of",
        ),
    )
    op.add_column(
        "asset_seen",
        sa.Column(
            "told_freshness",
            sa.Text(),
            nullable=True,
            comment="what an event has told last; null: fresh",
        ),
    )
    op.create_index(
        op.f("asset_seen_changed_at_asset_id_idx"),
        "asset_seen",
        ["changed_at", "asset_id"],
        unique=False,
    )
    op.drop_index(op.f("change_recorded_at_asset_id_revision_position_idx"), table_name="change")
    op.drop_column("change", "recorded_at")
    op.add_column(
        "held",
        sa.Column(
            "evidence",
            JSONB(none_as_null=True),
            server_default="{}",
            nullable=False,
            comment="the keys that it shows",
        ),
    )
    op.alter_column("held", "evidence", server_default=None)
    op.add_column(
        "held",
        sa.Column(
            "rejected_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="since when a person wants no more of it",
        ),
    )
    op.create_index(
        "identifier_number_idx", "identifier", [sa.text("split_part(value, '/', 2)")], unique=False
    )
    op.add_column(
        "problem",
        sa.Column(
            "closed_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="since when it is no longer so",
        ),
    )
    op.create_index(
        "problem_open_idx",
        "problem",
        ["minion_id"],
        unique=False,
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.add_column(
        "problem",
        sa.Column(
            "told",
            sa.Boolean(),
            server_default=sa.false(),
            nullable=False,
            comment="whether an event has told of it",
        ),
    )
    op.execute("UPDATE problem SET told = true")
    op.create_index(
        "problem_untold_idx",
        "problem",
        ["last_seen"],
        unique=False,
        postgresql_where=sa.text("NOT told AND closed_at IS NULL"),
    )
    op.alter_column(
        "revision",
        "reason",
        existing_type=sa.TEXT(),
        nullable=True,
        comment="why identity gave it to this asset, if not as usual",
        existing_comment="why identity gave it to this asset",
    )
    op.create_index(
        op.f("revision_recorded_at_idx"),
        "revision",
        ["recorded_at"],
        unique=False,
    )
    op.execute("UPDATE revision SET digest = substring(digest FOR 16)")
    op.alter_column(
        "revision",
        "digest",
        existing_type=BYTEA(),
        existing_nullable=False,
        comment="of the whole document after it, 16 bytes",
        existing_comment="of the whole document after it",
    )
    op.drop_constraint(op.f("change_pkey"), "change", type_="primary")
    op.create_index(
        op.f("change_asset_id_revision_idx"), "change", ["asset_id", "revision"], unique=False
    )
    op.execute("""
        UPDATE asset_seen SET revision = asset.revision, changed_at = asset.changed_at,
                              told_revision = asset.revision,
                              detached_at = asset.detached_at
          FROM asset WHERE asset.id = asset_seen.asset_id""")
    op.alter_column("asset_seen", "revision", nullable=False)
    op.alter_column("asset_seen", "changed_at", nullable=False)
    op.drop_column("asset", "detached_at")
    op.drop_column("asset", "revision")
    op.drop_column("asset", "changed_at")
    op.rename_table("asset_facts", "asset_document")
    op.execute("ALTER INDEX asset_facts_pkey RENAME TO asset_document_pkey")
    op.create_table(
        "asset_facts",
        sa.Column("asset_id", sa.UUID(), nullable=False),
        sa.Column("section", sa.Text(), nullable=False),
        sa.Column(
            "facts",
            JSONB(none_as_null=True),
            nullable=False,
            comment="all that is known, in normal form",
        ),
        sa.Column(
            "volatile",
            JSONB(none_as_null=True),
            nullable=True,
            comment="the latest only; makes no history",
        ),
        sa.Column("digest", BYTEA(), nullable=False, comment="of the canonical text of facts"),
        sa.Column(
            "collected_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="last reported then; null: with the last report",
        ),
        sa.ForeignKeyConstraint(
            ["asset_id"], ["asset.id"], name="asset_facts_new_fkey", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("asset_id", "section", name=op.f("asset_facts_pkey")),
    )
    derive()
    remember_evidence()
    op.drop_table("asset_document")
    op.execute("""
        ALTER TABLE asset_facts
            RENAME CONSTRAINT asset_facts_new_fkey TO asset_facts_asset_id_fkey""")
    op.alter_column("asset", "search", nullable=False)


def remember_evidence() -> None:
    """Put beside each held report which keys it shows."""
    link = op.get_bind()
    for row in link.execute(sa.text("SELECT minion_id, report FROM held")).all():
        shown = json.dumps(evidence(row.minion_id, row.report))
        link.execute(
            sa.text("UPDATE held SET evidence = CAST(:shown AS jsonb) WHERE minion_id = :of"),
            {"shown": shown, "of": row.minion_id},
        )


BATCH = 500


def derive() -> None:
    """Make from the facts what this version keeps beside them."""
    link = op.get_bind()
    ids = link.execute(sa.text("SELECT id FROM asset ORDER BY id")).scalars().all()
    for start in range(0, len(ids), BATCH):
        found = link.execute(
            sa.text("""
                SELECT asset.*, document.facts, document.volatile, document.collected,
                       asset_seen.collected_at
                  FROM asset JOIN asset_document AS document ON document.asset_id = asset.id
                  JOIN asset_seen ON asset_seen.asset_id = asset.id
                 WHERE asset.id = ANY(CAST(:ids AS uuid[]))"""),
            {"ids": [str(one) for one in ids[start : start + BATCH]]},
        ).all()
        searches, sections, counted, placed = [], [], [], []
        for row in found:
            last = f"{row.collected_at:%Y-%m-%dT%H:%M:%S}"
            for section, facts in row.facts.items():
                volatile = row.volatile.get(section)
                then = row.collected.get(section)
                sections.append(
                    {
                        "a": row.id,
                        "section": section,
                        "facts": json.dumps(facts),
                        "volatile": volatile and json.dumps(volatile),
                        "digest": digest(facts),
                        "then": None if then is None or then.startswith(last) else then,
                    }
                )
            words = [row.minion_id, *(getattr(row, name) for name in SEARCHED)]
            searches.append({"id": row.id, "search": search_text(words, row.facts)})
            for number, (part, count) in enumerate(sorted(parts(row.facts).items(), key=str)):
                counted.append({**part._asdict(), "a": row.id, "n": number, "c": count})
            placed += [
                {
                    **one._asdict(),
                    "model": model,
                    "a": row.id,
                    "section": one.path.partition(".")[0],
                    "since": row.first_seen,
                }
                for one, model in placements(row.facts).items()
            ]
        link.execute(sa.text("UPDATE asset SET search = :search WHERE id = :id"), searches)
        for statement, rows in (
            (
                """INSERT INTO asset_facts (asset_id, section, facts, volatile, digest,
                                            collected_at)
                   VALUES (:a, :section, CAST(:facts AS jsonb), CAST(:volatile AS jsonb), :digest,
                           CAST(:then AS timestamptz))""",
                sections,
            ),
            (
                """INSERT INTO part (asset_id, number, section, manufacturer, model, type,
                                     firmware_version, size_bytes, count)
                   VALUES (:a, :n, :section, :manufacturer, :model, :type, :firmware_version,
                           :size_bytes, :c)""",
                counted,
            ),
            (
                """INSERT INTO placement (serial, asset_id, path, place, model, since)
                   SELECT :serial, :a, :path, :place, :model,
                          coalesce(max(revision.recorded_at), :since)
                     FROM revision JOIN change ON change.asset_id = revision.asset_id
                                              AND change.revision = revision.number
                    WHERE change.asset_id = :a AND change.new IS NOT NULL
                      AND (change.path = :section AND change.component IS NULL
                           OR change.path = :path AND change.component = :serial
                              AND (change.field IS NULL OR change.op = 'moved'))""",
                placed,
            ),
        ):
            if rows:
                link.execute(sa.text(statement), rows)
