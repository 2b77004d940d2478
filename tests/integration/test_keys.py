"""A key that is rejected or deleted: what its minion sent is not stored any more."""

from datetime import datetime, timezone

import pytest

from salt_ext import store
from tests.machines import report, server


@pytest.fixture
def stranger(fleet):
    """A minion with an accepted key, and the mine that it once sent."""
    # No daemon: its key and its cache are all that the master has of any minion.
    accepted = fleet.pki("minions") / "web09"
    accepted.write_text((fleet.pki("minions") / "web02").read_text())
    yield "web09"
    fleet.run("salt-key", "--yes", "--delete", "web09")


def send(fleet, minion_id, version):
    at = datetime.now(timezone.utc)
    facts = server(9, firmware={"vendor": "Dell Inc.", "version": version})
    fleet.cache.store("mine", minion_id, {"cmdb.report": report(facts, minion_id, at=at)})


def version_of(fleet, minion_id):
    try:
        found = store.overview(fleet.database, store.resolve(fleet.database, minion_id))
    except store.NotFound:
        return None
    return found["facts"]["firmware"]["version"]


@pytest.mark.parametrize("command", ["--delete", "--reject"])
def test_a_key_that_goes_takes_what_waits_with_it_and_leaves_what_is_stored(
    fleet, eventually, stranger, command
):
    send(fleet, stranger, f"1{command}")
    eventually(lambda: version_of(fleet, stranger) == f"1{command}")
    fleet.gate.close()
    try:
        send(fleet, stranger, f"2{command}")
        all_of_it = ["--include-accepted"] if command == "--reject" else []
        done = fleet.run("salt-key", "--yes", command, stranger, *all_of_it)
        assert done.returncode == 0, done.stderr
    finally:
        fleet.gate.open()
    send(fleet, stranger, f"3{command}")  # Salt would not let it, any more
    new = fleet.flash(f"9.{command}")
    fleet.collect(fleet.web01)
    eventually(lambda: fleet.bios_version(fleet.web01) == new)
    assert version_of(fleet, stranger) == f"1{command}"
