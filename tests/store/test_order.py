"""Reports that come late, again, or with a clock that is wrong: what is newer is stored, once."""

import uuid
from datetime import datetime, timedelta, timezone

import pytest
import sqlalchemy as sa

from salt_ext import store
from salt_ext.report import checking
from salt_ext.store import ingest
from salt_ext.store.ingest.touching import heard
from salt_ext.store.schema import asset_seen, revision
from tests.machines import arrival, later, revisions, server

BOOT, OTHER_BOOT = (str(uuid.UUID(int=number)) for number in (1, 2))


def facts(version):
    return server(1, firmware={"vendor": "Dell Inc.", "version": version})


def made(version, minutes, *, ahead=0, boot=BOOT, came=None, name="web01", **fields):
    """
    The report of a machine with this firmware, so many minutes after it booted.

    ``ahead`` is how many minutes its clock is ahead; ``came`` is when the report comes.
    """
    at = later(minutes=minutes + ahead)
    fields |= {"boot_id": boot, "since_boot_ms": minutes * 60_000} if boot else {}
    one = arrival(facts(version), name, at, **fields)
    came_at = later(minutes=minutes if came is None else came)
    return one._replace(received_at=came_at, position=came_at)


def statuses(database, *arrivals, **options):
    return [outcome.status for outcome in ingest(database, arrivals, **options)]


def version(database):
    return store.overview(database, store.resolve(database, "web01"))["facts"]["firmware"][
        "version"
    ]


def seen(database):
    """The row of the one asset that says when it was heard."""
    with database.begin() as link:
        return dict(link.execute(sa.select(asset_seen)).one()._mapping)


def numbers(database):
    return [one["number"] for one in revisions(database, store.resolve(database, "web01"))]


def master(database, name):
    return store.Listener(store.beat(database, name, "1"), set)


def test_a_clock_that_ran_ahead_and_was_set_right_loses_no_report(database):
    ingest(database, [made("1", 0), made("2", 10, ahead=9)])
    assert statuses(database, made("3", 12)) == ["changed"]
    assert statuses(database, made("3", 14)) == ["unchanged"]
    assert version(database) == "3"
    assert seen(database)["last_seen"] == later(minutes=14)
    assert store.problems(database) == ([], 0)


def test_a_clock_that_is_set_right_while_nothing_changes_makes_a_revision_without_changes(
    database,
):
    ingest(database, [made("1", 0), made("1", 10, ahead=9)])
    assert statuses(database, made("1", 12)) == ["unchanged"]
    [last, _] = revisions(database, store.resolve(database, "web01"))
    assert last["reason"] == "its clock was set back"
    assert store.changes(database) == []
    assert seen(database)["last_seen"] == later(minutes=12)


@pytest.mark.parametrize("boot", [BOOT, None], ids=["its boot is known", "no boot is known"])
@pytest.mark.parametrize("age", [0, 1, 2, 3])
def test_a_report_that_was_stored_changes_nothing_when_it_comes_again(database, boot, age):
    told = [
        made("1", 0, boot=boot),
        made("1", 20, boot=boot),
        made("2", 40, boot=boot),
        made("2", 60, boot=boot),
    ]
    for one in told:
        ingest(database, [one])
    before = seen(database)
    # The master's cache is written again as a whole, with a new time.
    again = told[age]._replace(received_at=later(hours=9), position=later(hours=9))
    [outcome] = ingest(database, [again])
    assert (outcome.status, outcome.detail) == ("unchanged", "already stored")
    assert seen(database) == {**before, "position": later(hours=9)}
    assert numbers(database) == [2, 1]
    assert store.problems(database) == ([], 0)


def test_an_old_report_of_another_masters_cache_is_never_the_present(database):
    """A copy that was never stored, of the boot before the last: it does not advance."""
    ingest(database, [made("1", 0, boot=OTHER_BOOT)])
    stale = made("2", 5, boot=OTHER_BOOT)
    ingest(database, [made("3", 60)])
    for hour in range(2, 6):
        one = stale._replace(received_at=later(hours=hour))
        assert statuses(database, one) == ["refused"]
    assert version(database) == "3"
    [problem], _ = store.problems(database)
    assert (problem["kind"], problem["subject"]) == ("report", "collected_at")
    assert "an old report, or the clock was set back" in problem["message"]
    assert statuses(database, made("3", 400)) == ["unchanged"]
    assert store.problems(database) == ([], 0)
    assert seen(database)["doubted_boot_id"] is None


def test_old_reports_of_two_caches_in_turn_are_never_the_present(database):
    ingest(database, [made("1", 0, boot=OTHER_BOOT)])
    older, old = made("2", 5, boot=OTHER_BOOT), made("3", 9, boot=OTHER_BOOT)
    ingest(database, [made("4", 60)])
    for hour, one in enumerate((old, older, old, older, old), 2):
        assert statuses(database, one._replace(received_at=later(hours=hour))) == ["refused"]
    assert version(database) == "4"


def test_an_old_report_of_the_same_boot_is_refused(database):
    ingest(database, [made("1", 0), made("3", 60)])
    assert statuses(database, made("2", 30, came=90)) == ["refused"]
    assert version(database) == "3"


@pytest.mark.parametrize("behind", [5, 60 * 24 * 365])
def test_a_clock_that_was_set_back_at_a_reboot_costs_one_report(database, behind):
    ingest(database, [made("1", 60)])
    first = made("2", 3, ahead=-behind, boot=OTHER_BOOT, came=63)
    second = made("2", 5, ahead=-behind, boot=OTHER_BOOT, came=65)
    assert statuses(database, first) == ["refused"]
    assert statuses(database, first) == ["refused"]
    assert statuses(database, second) == ["changed"]
    assert version(database) == "2"
    assert seen(database)["last_seen"] == later(minutes=65)
    [told] = [one for one in store.problems(database)[0] if one["kind"] == "report"] or [None]
    assert told is None
    # And what was stored before the reboot is still known.
    assert statuses(database, made("1", 60, came=90)) == ["unchanged"]
    assert version(database) == "2"


def test_what_was_stored_while_the_clock_ran_ahead_is_known_after_it_was_set_right(database):
    ahead = made("1", 10, ahead=9)
    ingest(database, [made("1", 0), ahead, made("1", 11), made("2", 13)])
    assert statuses(database, ahead._replace(received_at=later(minutes=20))) == ["unchanged"]
    assert version(database) == "2"


def test_a_virtual_machine_goes_on_from_a_snapshot(database):
    ingest(database, [made("1", 0), made("2", 60)])
    reverted = made("1", 120)
    reverted.report["since_boot_ms"] = 60_000
    assert statuses(database, reverted) == ["changed"]


def test_two_masters_that_have_the_same_reports_store_each_once(database):
    one, other = master(database, "one"), master(database, "other")
    reports = [made("1", 0), made("2", 10), made("2", 20)]
    for report in reports:
        ingest(database, [report], one)
    before = seen(database)
    for report in reports:
        late = report._replace(received_at=later(minutes=30), position=later(minutes=30))
        assert statuses(database, late, listener=other) == ["unchanged"]
    # The position of the other master's cache is no position of this one's.
    assert seen(database) == before
    assert store.positions(database, one.number) == {"web01": later(minutes=20).timestamp()}
    assert store.positions(database, other.number) == {}


def test_a_report_in_part_that_comes_again_changes_nothing(database):
    ingest(database, [made("1", 0)])
    part = made("1", 10)
    del part.report["facts"]["disks"]
    part = arrival(part.report["facts"], "web01", later(minutes=10))
    part.report.update(partial=["disks"], boot_id=BOOT, since_boot_ms=600_000)
    assert statuses(database, part, part._replace(received_at=later(minutes=20))) == [
        *("unchanged", "unchanged")
    ]
    assert seen(database)["last_seen"] == later(minutes=10)


def test_a_revision_of_before_schema_0005_knows_the_report_that_made_it(database):
    told = [made("1", 0), made("1", 20), made("2", 40)]
    ingest(database, told)
    with database.begin() as link:
        link.execute(sa.update(revision).values(last_before=None))
    late = [one._replace(received_at=later(hours=2)) for one in told]
    assert [statuses(database, one) for one in late] == [
        *(["unchanged"], ["refused"], ["unchanged"])
    ]
    assert version(database) == "2"


def test_a_report_of_the_first_edition_is_ordered_by_its_volatile_values(database):
    def first_edition(version, minutes, ahead=0):
        one = made(version, minutes, ahead=ahead)
        del one.report["boot_id"], one.report["since_boot_ms"]
        one.report["volatile"]["operating_system"] = {
            "boot_id": BOOT,
            "uptime_seconds": minutes * 60,
        }
        return one

    ingest(database, [first_edition("1", 0), first_edition("2", 10, ahead=9)])
    assert statuses(database, first_edition("3", 12)) == ["changed"]
    # And the same machine with this edition.
    assert statuses(database, made("3", 15)) == ["unchanged"]
    assert statuses(database, made("4", 20)) == ["changed"]


def test_what_was_stored_before_a_restart_of_the_database_was_ordered_by_boots_is_known(database):
    ingest(database, [made("1", 0, boot=None)])
    assert statuses(database, made("1", 0)) == ["unchanged"]
    assert seen(database)["boot_id"] == uuid.UUID(BOOT)


def test_the_name_that_a_machine_had_tells_nothing_that_was_not_stored(database):
    """Whatever a clock says: what is held is never reported as unchanged."""
    ingest(database, [made("1", 0, name="m1")])
    renamed = made("1", 20, ahead=9, name="m2", previous="m1", last=later(minutes=0))
    assert statuses(database, renamed) == ["changed"]
    victim = made("1", 22, name="m1")
    assert statuses(database, victim) == ["held"]
    assert [one["minion_id"] for one in store.held_reports(database)[0]] == ["m1"]
    assert statuses(database, made("1", 0, came=30, name="m1")) == ["unchanged"]


def test_a_held_report_is_not_accepted_over_a_newer_one(database):
    ingest(database, [made("1", 0, name="m1")])
    held = made("2", 10, name="m2")
    assert statuses(database, held) == ["held"]
    ingest(database, [made("3", 20, name="m1")])
    with pytest.raises(store.StoreError, match=r"what is stored of m1 is newer") as refused:
        store.rule(database, "m2", "accept", by="alice", why="renamed")
    assert "salt m2 cmdb.collect" in refused.value.hint
    assert statuses(database, made("2", 30, name="m2")) == ["held"]
    assert store.rule(database, "m2", "accept", by="alice", why="renamed").status == "changed"
    assert store.resolve(database, "m2")


def test_a_machine_whose_report_is_too_large_was_heard(database):
    one = master(database, "one")
    ingest(database, [made("1", 0)], one)
    digest = seen(database)["digest"]

    def hear(arrival):
        order = checking.check_header(arrival.report, arrival.received_at)
        with database.begin() as link:
            heard(link, [(arrival, order)], one.number)
        row = seen(database)
        assert row["digest"] == digest
        return row["last_seen"], row["position"]

    assert hear(made("2", 10)) == (later(minutes=10), later(minutes=10))
    assert hear(made("2", 10, came=30)) == (later(minutes=10), later(minutes=10))
    assert hear(made("2", 40, boot=OTHER_BOOT)) == (later(minutes=40), later(minutes=40))
    # It is stored when it is small again.
    assert statuses(database, made("2", 50, boot=OTHER_BOOT)) == ["changed"]


def test_moments_are_by_the_clock_of_the_store_whatever_the_master_says(database):
    before = datetime.now(timezone.utc)
    clock = store.clock(database)
    written = clock.ours - 7
    assert clock.moment(written) == clock.now - timedelta(seconds=7)
    jumped = clock._replace(ours=clock.ours + 86_400)
    assert jumped.moment(jumped.ours - 7) == clock.now - timedelta(seconds=7)
    assert clock.moment(clock.ours + 86_400) == clock.now  # written before the clock was set back
    assert before <= clock.now <= datetime.now(timezone.utc)


def test_a_chronicle_never_goes_back(database):
    ingest(database, [made("1", 0), made("2", 10)])
    late = made("3", 12, came=5)
    assert statuses(database, late) == ["changed"]
    last = revisions(database, store.resolve(database, "web01"))[0]
    assert last["recorded_at"] == later(minutes=10)
    assert seen(database)["last_seen"] == later(minutes=10)
