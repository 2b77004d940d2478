"""The index that has the sections with a fault, and nothing else."""

import random

import pytest
import sqlalchemy as sa

from salt_ext import store
from salt_ext.store.faults import RULES
from salt_ext.store.schema import IS_ILL, asset_facts, finds
from tests.machines import arrival, later, server
from tests.postgres import open_store

INDEX = "asset_facts_ill_idx"


@pytest.fixture(scope="module")
def database(new_database):
    """One store for all of them: nothing in it depends on the order."""
    database = open_store(new_database())
    yield database
    database.close()


def plan(database, condition):
    """How PostgreSQL reads the sections that fit, if it may not read all of them."""
    statement = sa.select(asset_facts.c.asset_id).where(condition)
    with database.begin() as link:
        link.exec_driver_sql("SET LOCAL enable_seqscan = off")
        text = statement.compile(link, compile_kwargs={"literal_binds": True})
        return "\n".join(link.exec_driver_sql(f"EXPLAIN {text}").scalars())


def states(chance):
    """One state of the sections that rules look into; about half of them are ill."""
    ill = [chance.random() < 0.5 for _ in range(6)]
    counters = {"pending": 1} if ill[0] else {"pending": 0, "power_on_hours": chance.random()}
    return {
        "smart": [{"name": "sda", "passed": not ill[1], "volatile": counters}],
        "memory": server()["memory"]
        | {"edac": [{"name": "mc0", "volatile": {"ce_count": 0, "ue_count": int(ill[2])}}]},
        "md": [{"name": "md0", "raid_disks": 2, **({"health": {"degraded": 1}} if ill[3] else {})}],
        "power_supplies": [{"name": "PSU1", "status": "Critical" if ill[4] else "OK"}],
        "raid": {"volumes": [{"id": "0", "health": "failed" if ill[5] else "ok"}]},
    }


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: f"{rule.section} {rule.path[:30]}")
def test_each_rule_is_a_condition_of_the_index(database, rule):
    assert INDEX in plan(database, finds(rule))


def test_a_fleet_is_read_by_the_index(database):
    assert INDEX in plan(database, IS_ILL)


def test_what_falls_ill_and_recovers_is_told_as_if_all_sections_were_read(database):
    chance = random.Random(14)
    for hour in range(0, 25 * 6, 25):  # volatile values are written again after a day
        reports = [
            arrival(server(number, **states(chance)), f"web{number:02d}", later(hours=hour))
            for number in range(1, 21)
        ]
        assert {one.status for one in store.ingest(database, reports)} <= {
            "new",
            "changed",
            "unchanged",
        }
        found = store.health(database)
        of_some = store.health(database, filters={"minion_id__in": "web01,web02,web03"})
        assert {row["section"] for row in found} == set(states(chance))
        assert of_some == [row for row in found if row["minion_id"] in ("web01", "web02", "web03")]
        with database.begin() as link:
            definition = link.scalar(sa.text(f"SELECT pg_get_indexdef('{INDEX}'::regclass)"))
            link.exec_driver_sql(f"DROP INDEX {INDEX}")
        assert store.health(database) == found
        with database.begin() as link:
            link.exec_driver_sql(definition)
