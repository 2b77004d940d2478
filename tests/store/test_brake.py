"""The brake: so many machines an hour, never two of one group, none in a wave; whoever asks."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa

from salt_ext import store
from salt_ext.master import events
from salt_ext.store.errors import StoreError
from salt_ext.store.schema import reaction, wave
from tests.machines import NOW, arrival, later, server
from tests.store.test_losses import with_settings, without

ACT = store.Act("ops", "a module is gone", False)
TRY = store.Act("ops", "", True)
MIB = 1 << 20


def standing(number, rack):
    return server(number, location={"site": "dc1", "rack": rack})


@pytest.fixture
def fleet(database):
    """Eight machines: two in a rack, five in racks of their own, one nobody knows where."""
    racks = ["R1", "r1 ", "R2", "R3", "R4", "R5", "R6"]
    found = [standing(number, rack) for number, rack in enumerate(racks, 1)]
    found.append(server(8))
    store.ingest(database, [arrival(one, f"web{n:02d}") for n, one in enumerate(found, 1)])
    return database


def ask(database, name, action="drain", act=ACT):
    return store.permit_reaction(database, store.resolve(database, name), action, act)


def release(database, name, action="drain"):
    return store.release_reaction(database, store.resolve(database, name), action, ACT)


def permitted(database, *names):
    return [ask(database, name)["is_permitted"] for name in names]


def problems(database):
    rows, _ = store.problems(database, kind="brake")
    return [(row["subject"], row["message"], row["count"]) for row in rows]


def an_hour_passes(database):
    with database.begin() as link:
        for row in link.execute(sa.select(reaction)).mappings().all():
            times = {name: row[name] for name in ("permitted_at", "refused_at") if row[name]}
            old = {name: moment - timedelta(minutes=61) for name, moment in times.items()}
            link.execute(sa.update(reaction).where(reaction.c.id == row["id"]).values(old))


def sweep(database):
    found = []
    names = {f"web{number:02d}" for number in range(1, 1001)}
    events.send(database, lambda data, tag: found.append((tag, data)), lambda: names, MIB)
    return found


def test_never_two_of_one_group_at_a_time(fleet):
    assert ask(fleet, "web01")["is_permitted"]
    refused = ask(fleet, "web02")
    assert not refused["is_permitted"]
    assert refused["why"].startswith("web01 of the same rack (r1) is acted on: drain since 20")
    assert "salt-run cmdb.brake web01 action=drain release=True" in refused["why"]
    assert permitted(fleet, "web03") == [True]
    release(fleet, "web01")
    assert permitted(fleet, "web02") == [True]


def test_a_machine_that_reports_another_group_meanwhile_holds_both(fleet):
    assert ask(fleet, "web01")["is_permitted"]
    store.ingest(fleet, [arrival(standing(1, "R2"), "web01", later(minutes=1))])
    assert permitted(fleet, "web02", "web03", "web04") == [False, False, True]
    why = ask(fleet, "web02")["why"]
    assert why.startswith("web01 of the same rack (r1) when that began is acted on: drain since")
    release(fleet, "web01")
    assert permitted(fleet, "web02", "web03") == [True, True]


def test_who_has_the_permission_has_it_and_another_action_of_its_own_is_no_other_machine(fleet):
    first = ask(fleet, "web01")
    again = ask(fleet, "web01")
    assert (again["is_permitted"], again["since"]) == (True, first["since"])
    assert ask(fleet, "web01", "pxe")["is_permitted"]
    release(fleet, "web01", "drain")
    assert not ask(fleet, "web02")["is_permitted"]
    release(fleet, "web01", "pxe")
    assert ask(fleet, "web02")["is_permitted"]


def test_so_many_machines_an_hour_whether_they_are_released_or_not(fleet):
    names = ["web01", "web03", "web04", "web05", "web06"]
    assert permitted(fleet, *names) == [True] * 5
    for name in names:
        release(fleet, name)
    refused = ask(fleet, "web07")
    assert refused["why"].startswith("5 of at most 5 machines were acted on within this hour; the")
    assert permitted(fleet, "web01") == [True]  # one of the five
    an_hour_passes(fleet)
    assert permitted(fleet, "web07") == [True]


def test_machines_of_no_known_group_are_one_group(fleet):
    store.ingest(fleet, [arrival(server(9), "web09")])
    assert permitted(fleet, "web08") == [True]
    why = ask(fleet, "web09")["why"]
    assert why.startswith("web08 of no known rack either, which counts as one group, is acted on")


def test_the_group_is_any_field_of_the_list_and_may_be_none(fleet):
    by_site = with_settings(fleet, reaction_group="site")
    assert [ask(by_site, name)["is_permitted"] for name in ("web01", "web03")] == [True, False]
    none = with_settings(fleet, reaction_group="")
    assert [ask(none, name)["is_permitted"] for name in ("web02", "web03")] == [True, True]
    with pytest.raises(store.FilterError, match="did you mean 'rack'"):
        ask(with_settings(fleet, reaction_group="rak"), "web04")


def test_a_rack_is_one_of_its_room_and_site_where_both_are_known(database):
    places = [
        {"site": "fra1", "room": "A", "rack": "R07"},
        {"site": "fra2", "room": "A", "rack": "R07"},
        {"site": "fra1", "room": "B", "rack": "R07"},
        {"site": "FRA1", "rack": "r07"},
        {"rack": "R07"},
    ]
    found = [server(number, location=place) for number, place in enumerate(places, 1)]
    store.ingest(database, [arrival(one, f"web{n:02d}") for n, one in enumerate(found, 1)])
    names = ("web01", "web02", "web03", "web04", "web05")
    assert permitted(database, *names) == [True, True, True, False, False]
    assert "of the same rack (r07) is acted on" in ask(database, "web04")["why"]


def test_none_is_permitted_where_the_setting_says_so(fleet):
    refused = ask(with_settings(fleet, reactions_per_hour=0), "web01")
    assert refused["why"] == "reactions_per_hour is 0, so that nothing is permitted"


def test_many_refusals_are_one_problem_which_is_over_when_nobody_waits(fleet):
    ask(fleet, "web01")
    for _ in range(3):
        ask(fleet, "web02")
    [(subject, message, count)] = problems(fleet)
    assert (subject, count) == ("refused", 3)
    assert message.startswith("drain of web02 was refused: web01 of the same rack (r1)")
    release(fleet, "web01")
    assert len(problems(fleet)) == 1  # web02 has not asked again
    ask(fleet, "web02")
    assert problems(fleet) == []


def test_who_was_refused_and_asks_no_more_is_forgotten_after_an_hour(fleet):
    permitted(fleet, "web01", "web02")
    an_hour_passes(fleet)
    store.settle_brake(fleet)
    assert problems(fleet) == []
    assert [row["state"] for row in store.reactions(fleet)[0]] == ["permitted"]


def test_what_was_never_permitted_cannot_be_released_and_twice_is_once(fleet):
    with pytest.raises(StoreError, match="nothing was ever done to web01"):
        release(fleet, "web01")
    ask(fleet, "web01")
    with pytest.raises(StoreError, match="no action on web01 'drian'; did you mean 'drain'"):
        release(fleet, "web01", "drian")
    at = release(fleet, "web01")["released_at"]
    assert release(fleet, "web01")["released_at"] == at


def test_a_retired_machine_is_not_acted_on_and_holds_its_group_no_more(fleet):
    ask(fleet, "web01")
    store.set_lifecycle(fleet, store.resolve(fleet, "web01"), "retired", ACT)
    assert permitted(fleet, "web02") == [True]
    with pytest.raises(StoreError, match="web01 is retired: nothing is to be done to it"):
        ask(fleet, "web01")


def keyless(facts):
    return {name: facts[name] for name in facts if name not in ("system", "baseboards", "network")}


def test_who_turns_out_to_be_another_machine_has_its_permissions(fleet):
    store.ingest(fleet, [arrival(keyless(standing(7, "R9")), "new", later(days=2))])
    assert permitted(fleet, "new") == [True]
    ask(fleet, "web07", "reboot")
    before = store.resolve(fleet, "new")
    [outcome] = store.ingest(fleet, [arrival(standing(7, "R6"), "new", later(days=3))])
    assert outcome.asset_id != before, "merged"
    done = {(row["asset_id"], row["action"]) for row in store.reactions(fleet)[0]}
    assert done == {(outcome.asset_id, "drain"), (outcome.asset_id, "reboot")}
    assert release(fleet, "new")["was_held"]


def test_of_what_both_of_two_had_one_is_left_when_they_are_merged(fleet):
    store.ingest(fleet, [arrival(keyless(standing(7, "R9")), "new", later(days=2))])
    assert permitted(fleet, "web07", "new") == [True, True]
    store.ingest(fleet, [arrival(standing(7, "R6"), "new", later(days=3))])
    assert release(fleet, "new")["was_held"]
    assert not release(fleet, "new")["was_held"]


def test_a_holder_without_a_name_is_called_by_its_id(fleet):
    assert permitted(fleet, "web08") == [True]
    first = store.resolve(fleet, "web08")
    with fleet.begin() as link:
        link.execute(
            sa.text("UPDATE asset SET minion_id = NULL, sn = NULL WHERE id = :id"), {"id": first}
        )
    store.ingest(fleet, [arrival(server(9), "web09", later(days=1))])
    assert f"cmdb.brake {first} action=drain release=True" in ask(fleet, "web09")["why"]


def test_to_try_it_out_keeps_nothing(fleet):
    assert ask(fleet, "web01", act=TRY)["is_permitted"]
    assert store.reactions(fleet) == ([], 0)
    ask(fleet, "web02")
    assert not ask(fleet, "web01", act=TRY)["is_permitted"]
    assert problems(fleet) == []


def test_many_threads_cannot_outrun_it(database):
    found = [arrival(standing(n, f"R{n % 40}"), f"web{n:02d}") for n in range(1, 81)]
    store.ingest(database, found)
    names = [one.minion_id for one in found] * 2
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda name: ask(database, name), names))
    granted = {one["minion_id"] for one in answers if one["is_permitted"]}
    racks = [
        row["rack"]
        for row in store.assets(database, columns=["rack", "minion_id"], limit=100).rows
        if row["minion_id"] in granted
    ]
    assert len(granted) == 5
    assert len(set(racks)) == 5
    [(subject, _, count)] = problems(database)
    assert (subject, count > 100) == ("refused", True)


ASKER = """
import sys
from salt_ext import store
from salt_ext.settings import resolve
database = store.Database(resolve(("test", {"database_url": sys.argv[1]})))
act = store.Act("ops", "x", False)
for name in sys.argv[2:]:
    if store.permit_reaction(database, store.resolve(database, name), "drain", act)["is_permitted"]:
        print(name)
"""


def test_several_processes_cannot_outrun_it_either(database):
    found = [arrival(standing(n, f"R{n % 20}"), f"web{n:02d}") for n in range(1, 41)]
    store.ingest(database, found)
    names = [one.minion_id for one in found]
    url = database.settings["database_url"]
    askers = [
        subprocess.Popen(
            [sys.executable, "-c", ASKER, url, *names[at:], *names[:at]],
            stdout=subprocess.PIPE,
            text=True,
        )
        for at in (0, 10, 20, 30)
    ]
    granted = {name for one in askers for name in one.communicate()[0].split()}
    assert [one.returncode for one in askers] == [0] * 4
    assert len(granted) == 5


def lose(database, machines, minute=1):
    at = later(minutes=minute)
    store.ingest(
        database, [arrival(without("A2", number=one), f"web{one:02d}", at) for one in machines]
    )


@pytest.fixture
def many(database):
    return reported(database, 120)


def reported(database, number):
    store.ingest(database, [arrival(server(n), f"web{n:02d}") for n in range(1, number + 1)])
    sweep(database)
    return database


def test_a_thousand_losses_in_a_minute_trip_the_brake_and_are_one_problem(database):
    many = reported(database, 1000)
    lose(many, range(1, 1001))
    lose(many, range(1, 1001), 2)
    told = sweep(many)
    assert [one["kind"] for _, one in told if one["kind"] in ("lost", "found")] == []
    [problem] = [one for _, one in told if one["kind"] == "problem"]
    assert problem["problem"] == "brake"
    assert problem["message"].startswith("1,000 machines have lost memory.devices since 20")
    for number in (1, 2, 3):
        assert not ask(many, f"web{number:02d}")["is_permitted"]
    [(subject, _, _)] = problems(many)
    assert subject == "wave"
    assert sweep(many) == []


def test_it_is_tripped_by_whoever_asks_first_even_before_an_engine_has_looked(many):
    lose(many, range(1, 12))
    refused = ask(many, "web01")
    assert "a broken collector is likely" in refused["why"]
    assert [row["state"] for row in store.reactions(many)[0]] == ["tripped"]


def test_as_many_as_may_and_kinds_apart_do_not_trip_it(many):
    lose(many, range(1, 11))
    at = later(minutes=1)
    gone = [arrival({**server(n), "disks": []}, f"web{n:02d}", at) for n in range(11, 21)]
    store.ingest(many, gone)
    assert ask(many, "web01")["is_permitted"]


def test_a_person_resets_it_and_what_is_lost_still_is_told_then(many):
    lose(many, range(1, 121))
    lose(many, range(1, 121), 2)
    sweep(many)
    # The collector of most of them works again.
    whole = [arrival(server(n), f"web{n:02d}", later(minutes=3)) for n in range(3, 121)]
    store.ingest(many, whole)
    [found] = store.reset_brake(many, store.Act("ops", "a broken dmidecode", False))
    assert (found["path"], found["machines"]) == ("memory.devices", 120)
    # The reports were made up to some minutes after this test began.
    with many.begin() as link:
        link.execute(sa.update(wave).values(reset_at=later(minutes=5)))
    assert problems(many) == []
    lost = [one["minion_id"] for _, one in sweep(many) if one["kind"] == "lost"]
    assert sorted(lost) == ["web01", "web02"]
    assert ask(many, "web01")["is_permitted"]
    [row] = [row for row in store.reactions(many)[0] if row["state"] == "reset"]
    assert (row["asked_by"], row["reason"]) == ("ops", "a broken dmidecode")


def test_after_a_reset_a_new_wave_trips_it_again(many):
    lose(many, range(1, 61))
    sweep(many)
    store.reset_brake(many, ACT)
    assert store.reset_brake(many, ACT) == []
    with many.begin() as link:
        link.execute(sa.update(wave).values(reset_at=NOW + timedelta(minutes=5)))
    sweep(many)
    assert problems(many) == []
    lose(many, range(61, 121), 10)
    sweep(many)
    [(subject, _, _)] = problems(many)
    assert subject == "wave"


def test_what_a_machine_has_lost_is_looked_into_for_it_alone_however_many_others_wait(fleet):
    for minute, parts in enumerate([("A2",)] * 2, 1):
        for number in (1, 3):
            facts = without(*parts, number=number, location={"site": "dc1", "rack": f"R{number}"})
            at = later(minutes=minute)
            store.ingest(fleet, [arrival(facts, f"web{number:02d}", at)])
    asset_id = store.resolve(fleet, "web03")
    assert store.permit_reaction(fleet, asset_id, "drain", ACT, lost=True)["is_permitted"]
    found, _ = store.losses(fleet)
    assert {row["minion_id"]: row["state"] for row in found} == {
        "web01": "unconfirmed",
        "web03": "lost",
    }
