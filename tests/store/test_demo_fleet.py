"""The fleet of the demo: each thing that an inventory can tell has happened to one machine."""

import demo_fleet
from salt_ext import store


def test_each_story_is_told_by_the_question_for_it(database):
    demo_fleet.tell(database)
    told = {
        (row["minion_id"], row["op"], row["moved_from"] and row["moved_from"]["minion_id"])
        for row in store.changes(database, limit=100)
    }
    assert ("web06", "added", "web05") in told
    assert (demo_fleet.NEW_NAME, "renamed", None) in told
    [silent] = store.assets(database, filters={"freshness": "missing"}).rows
    assert silent["minion_id"] == demo_fleet.name(demo_fleet.IS_SILENT)
    [ill] = store.health(database)
    assert ill["minion_id"] == demo_fleet.name(demo_fleet.FAILS)
    problems, _ = store.problems(database)
    assert {(row["minion_id"], row["kind"]) for row in problems} == {
        (demo_fleet.CLONE, "identity"),
        (demo_fleet.name(demo_fleet.HAS_ERROR), "collector"),
    }
    odd = {name for row in store.odd(database) for name in row["machines"]}
    assert demo_fleet.name(demo_fleet.IS_ODD) in odd
