"""A store of the first schema, with what the first version put in, and steps from it."""

import json
import uuid
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from salt_ext import store
from salt_ext.document import normal
from salt_ext.facts.identity import identify
from salt_ext.report import digests
from salt_ext.store.columns import list_columns
from tests.first_diff import diff
from tests.machines import NOW, dimm, later, report, server

MIGRATIONS = Path(store.__file__).parent / "migrations"
REVISIONS = [path.name[:4] for path in sorted(MIGRATIONS.glob("versions/[0-9]*.py"))]
COLUMNS = (
    *("sn", "kind", "temporary", "hostname", "site", "rack", "manufacturer", "product_name"),
    *("os", "kernel_release", "processor_model", "processor_threads", "memory_bytes"),
    *("disk_count", "disk_bytes", "address"),
)
"""Those that were made from the facts then."""


def id_of(name):
    return uuid.uuid5(uuid.NAMESPACE_DNS, name)


IDS = {name: id_of(name) for name in ("web01", "web02", "gone")}
STICK = {"location": "port 1", "model": "Ultra Fit", "serial_number": "STICK1"}


def story():
    """The documents of a machine in turn, with the minute of each."""
    first = server(1)
    moved = server(1)
    moved["memory"]["devices"][0] = dimm("B1", "4F0001A1")
    more = {**moved, "usb": [STICK]}
    last = {**more, "disks": [{**more["disks"][0], "serial_number": "NEWDISK"}]}
    last["firmware"] = {"vendor": "Dell Inc.", "version": "2.0"}
    return [(minutes * 10, normal(one)) for minutes, one in enumerate([first, moved, more, last])]


STORIES = {"web01": story(), "web02": [(0, server(2))], "gone": [(0, server(3))]}


def upgrade(url, schema):
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    engine = sa.create_engine(url)
    with engine.begin() as link:
        config.attributes["connection"] = link
        command.upgrade(config, schema)
    engine.dispose()


def fill_store(url):
    engine = sa.create_engine(url)
    with engine.begin() as link:
        for name, steps in STORIES.items():
            fill(link, name, steps)
        insert(
            link,
            "held",
            minion_id="web09",
            reason="two machines",
            candidates="[]",
            report=json.dumps(report(server(9), "web09")),
            first_seen=NOW,
            last_seen=NOW,
            count=3,
        )
        insert(
            link,
            "problem",
            id=uuid.uuid4(),
            kind="collector",
            minion_id="web02",
            subject="disks",
            message="no",
            traceback="",
            first_seen=NOW,
            last_seen=NOW,
            count=2,
        )
    engine.dispose()


def insert(link, table, **row):
    names = ", ".join(f'"{name}"' for name in row)
    values = ", ".join(f":{name}" for name in row)
    link.execute(sa.text(f"INSERT INTO {table} ({names}) VALUES ({values})"), row)


def fill(link, name, steps):
    asset_id = id_of(name)
    facts = steps[-1][1]
    found = identify(facts)
    at = [later(minutes=minutes) for minutes, _ in steps]
    columns = list_columns(facts, [one["kind"] for one in found["candidates"]])
    columns = {column: columns.get(column, False) for column in COLUMNS}
    insert(
        link,
        "asset",
        id=asset_id,
        minion_id=None if name == "gone" else name,
        revision=len(steps),
        first_seen=at[0],
        changed_at=at[-1],
        detached_at=at[-1] if name == "gone" else None,
        **columns,
    )
    insert(
        link,
        "asset_seen",
        asset_id=asset_id,
        digest=bytes.fromhex(digests.of_facts(facts)),
        collected_at=at[-1],
        last_seen=at[-1],
        volatile_at=at[-1],
        mode="agent",
    )
    insert(
        link,
        "asset_facts",
        asset_id=asset_id,
        facts=json.dumps(facts),
        volatile=json.dumps({"network": {"a": 1}}),
        collected=json.dumps(dict.fromkeys(facts, at[-1].strftime("%Y-%m-%dT%H:%M:%S.000Z"))),
    )
    for one in found["candidates"]:
        row = {key: one[key] for key in ("kind", "value", "source", "quality")}
        insert(link, "identifier", asset_id=asset_id, shared=False, first_seen=at[0], **row)
    insert(
        link,
        "identifier",
        asset_id=asset_id,
        kind="minion_id",
        value=name,
        source="salt",
        quality="low",
        shared=False,
        first_seen=at[0],
        last_seen=at[-1] if name == "gone" else None,
    )
    before = None
    for number, (moment, (_, now)) in enumerate(zip(at, steps, strict=True), 1):
        insert(
            link,
            "revision",
            asset_id=asset_id,
            number=number,
            recorded_at=moment,
            collected_at=moment,
            mode="agent",
            reason="same name",
            digest=bytes.fromhex(digests.of_facts(now)),
        )
        for position, one in enumerate(diff(before, now) if before else []):
            old_value, new_value = (
                None if value is None else json.dumps(value) for value in (one.old, one.new)
            )
            insert(
                link,
                "change",
                asset_id=asset_id,
                revision=number,
                position=position,
                recorded_at=moment,
                **{**one._asdict(), "old": old_value, "new": new_value},
            )
        before = now
