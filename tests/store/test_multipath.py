"""A path that is lost and found again, through the store: never a disk that was removed."""

import pytest

from salt_ext import store
from salt_ext.facts.disks import disks
from salt_ext.facts.volumes import multipath
from tests.machines import arrival, later, server
from tests.postgres import open_store
from tests.unit.facts.trees import san

LUN = "600508b4000000000000000000aa0001"


@pytest.mark.parametrize("held", [False, True])
def test_a_path_comes_and_goes_and_the_disk_stays(new_database, tmp_path, held):
    database = open_store(new_database())
    hours = iter(range(9))

    def after(letters, **states):
        """What the store tells of a report with these paths: changes, disks, faults."""
        hour = next(hours)
        root = san(tmp_path / str(hour), {LUN: letters}, "mpatha" if held else None, states=states)
        known = len(store.changes(database))
        facts = server(1, disks=disks(root), multipath=multipath(root))
        store.ingest(database, [arrival(facts, "san01", later(hours=hour))])
        changes = store.changes(database)
        told = [(one["op"], one["path"], one["field"]) for one in changes[: len(changes) - known]]
        (row,) = store.assets(database, columns=("disk_count", "disk_bytes")).rows
        ill = [(one["severity"], one["says"]) for one in store.health(database)]
        return told, (row["disk_count"], row["disk_bytes"]), ill

    changed, whole = [("changed", "disks", "paths")], (1, 1 << 40)
    assert after("abcd")[1:] == (whole, [])
    failed = [("warning", "1 of 4 paths failed: sdb transport-offline")]
    assert after("abcd", sdb="transport-offline") == (changed, whole, failed)
    assert after("acd") == (changed, whole, [])
    assert after("abcd") == (changed, whole, [])
    failed = [("critical", "2 of 2 paths failed: sda offline, sdb blocked")]
    assert after("ab", sda="offline", sdb="blocked") == (changed, whole, failed)
    assert after("ab") == (changed, whole, [])
    database.close()
