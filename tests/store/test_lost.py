"""The hardware that an asset has lost lately."""

from salt_ext import store
from tests.machines import arrival, later, server

ACT = store.Act("ops", "as it is", False)


def lost(database, name):
    page = store.asset_page(database, store.resolve(database, name), 9)
    return [(one["path"], one["serial"]) for one in page["lost"]]


def test_a_part_is_lost_until_its_own_machine_is_accepted_without_it(database):
    for number in (1, 2, 3):
        whole, less = server(number), {**server(number), "disks": []}
        store.ingest(database, [arrival(whole, f"web{number:02d}", later(days=-3))])
        store.ingest(database, [arrival(less, f"web{number:02d}", later(days=-2))])
    assert lost(database, "web01") == [("disks", "S64F000001")]
    for name in ("web02", "web03"):
        store.accept_baseline(database, store.resolve(database, name), ACT)
    assert lost(database, "web01") == [("disks", "S64F000001")]
    assert lost(database, "web02") == lost(database, "web03") == []
