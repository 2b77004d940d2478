"""The commands of reactions, through Salt's own loader: what is lost, and what may be done."""

import re

import pytest

from salt_ext import store
from tests.functional.conftest import in_rack
from tests.machines import arrival, later

OK, REFUSED, WRONG, UNKNOWN = range(4)


@pytest.fixture
def lossy(fleet, database):
    """The rack in which web01 has lost a module, which a later report confirms."""
    facts = in_rack(1, firmware={"vendor": "Dell Inc.", "version": "1.11.0"})
    facts["memory"]["devices"][1] = {"locator": "A2", "present": False}
    facts["memory"]["installed_bytes"] = 64 << 30
    store.ingest(database, [arrival(facts, "web01", later(seconds=9))])
    store.settle_losses(database)


def plain(text):
    """An answer without its moments, which are of this minute."""
    return re.sub(r"20\d\d-\d\d-\d\d[T ]\d\d:\d\d:\d\dZ?( UTC)?", "THEN", text)


def test_what_is_lost_is_listed_with_what_became_of_it(cmdb, lossy):
    answer, status, text = cmdb("losses", exit_code=True)
    assert status == REFUSED
    [row] = [dict(zip(answer["columns"], row, strict=True)) for row in answer["rows"]]
    assert (row["minion_id"], row["state"]) == ("web01", "lost")
    assert row["what"] == "Memory module A2"
    assert row["value"].replace("\u00a0", " ").startswith("64 GiB DDR4")
    assert text.endswith("1 lost part")
    assert cmdb("losses", state="back")[2] == "no lost parts"
    assert cmdb("losses", "web02", exit_code=True)[1] == OK


def test_a_permission_is_given_refused_and_released(cmdb, fleet):
    _, status, text = cmdb("brake", "web01", action="drain", reason="lost a module")
    assert (status, plain(text)) == (OK, "web01  drain permitted since THEN")
    answer, status, text = cmdb("brake", "web02", action="drain")
    assert (status, answer["result"], answer["is_permitted"]) == (REFUSED, False, False)
    assert plain(text) == (
        "web02  drain refused: web01 of the same rack (R07) is acted on: drain since THEN; when"
        " that is over: salt-run cmdb.brake web01 action=drain release=True"
    )
    _, status, text = cmdb("brake")
    assert status == OK
    states = [line.split()[:2] for line in text.splitlines() if not line.startswith(" ")]
    assert states[1:3] == [["refused", "web02"], ["permitted", "web01"]]
    assert plain(cmdb("brake", "web01", action="drain", release=True)[2]) == (
        "web01  drain released at THEN"
    )
    assert cmdb("brake", "web02", action="drain")[1] == OK
    _, status, text = cmdb("brake", "web01", action="drain", release=True)
    assert (status, text) == (REFUSED, "web01  drain was over already")


def test_a_reaction_to_an_event_is_refused_where_nothing_is_lost_by_now(cmdb, lossy, database):
    asked = {"action": "drain", "lost": True}
    _, status, text = cmdb("brake", "web02", **asked)
    nothing = "has lost nothing that a later collection shows too"
    assert (status, text) == (REFUSED, f"web02  drain refused: web02 {nothing}")
    assert cmdb("brake", "web01", test=True, **asked)[1] == OK
    # It is back, and no engine has looked at that yet.
    store.ingest(database, [arrival(in_rack(1), "web01", later(seconds=20))])
    _, status, text = cmdb("brake", "web01", **asked)
    assert (status, text) == (REFUSED, f"web01  drain refused: web01 {nothing}")
    assert store.reactions(database) == ([], 0)
    assert store.problems(database, kind="brake") == ([], 0)


def test_a_wave_refuses_all_until_it_is_reset(cmdb, lossy, database, master_opts):
    master_opts["cmdb"]["wave_machines"] = 1
    facts = in_rack(2)
    facts["memory"]["devices"][1] = {"locator": "A2", "present": False}
    store.ingest(database, [arrival(facts, "web02", later(seconds=10))])
    _, status, text = cmdb("brake", "web03", action="drain")
    assert status == REFUSED
    assert plain(text).startswith(
        "web03  drain refused: 2 machines have lost memory.devices since THEN: a broken collector"
        " is likely."
    )
    assert cmdb("brake")[2].splitlines()[1].startswith("tripped ")
    assert cmdb("brake", reset=True, reason="a broken dmidecode")[2] == (
        "2 machines that lost memory.devices: reactions permitted again"
    )
    assert cmdb("brake", reset=True, reason="again")[2] == "the brake was not tripped"
    assert cmdb("brake", "web03", action="drain")[1] == OK


def test_what_is_tried_out_keeps_nothing(cmdb, fleet):
    _, status, text = cmdb("brake", "web01", action="drain", test=True)
    assert (status, plain(text)) == (OK, "web01  drain would be permitted since THEN")
    assert cmdb("brake")[2] == "no reactions"


@pytest.mark.parametrize(
    ("args", "kwargs", "status", "says"),
    [
        (["wbe01"], {"action": "drain"}, UNKNOWN, "the nearest is 'web01'"),
        (["web01"], {}, WRONG, "action is '', but it must be a word such as action=drain"),
        (["web01"], {"action": "rm -rf /"}, WRONG, "must be a word such as action=drain"),
        ([], {"action": "drain"}, WRONG, "of which machine?"),
        ([], {"reset": True}, WRONG, "why? give reason="),
        (["web01"], {"reset": True, "reason": "x"}, WRONG, "reset=True is for all machines"),
        (["web01"], {"action": "drain", "release": True}, WRONG, "nothing was ever done to web01"),
    ],
)
def test_what_is_mistyped_permits_nothing(cmdb, fleet, args, kwargs, status, says):
    _, found, text = cmdb("brake", *args, **kwargs)
    assert (found, says in text) == (status, True), text
    assert cmdb("brake")[2] == "no reactions"


def test_a_retired_machine_is_refused_with_what_to_do(cmdb, fleet):
    cmdb("lifecycle", "web01", "retired", reason="sold")
    _, status, text = cmdb("brake", "web01", action="drain")
    assert status == WRONG
    assert "web01 is retired: nothing is to be done to it" in text


def test_a_setting_that_is_wrong_permits_nothing(cmdb, fleet, master_opts):
    master_opts["cmdb"]["reaction_group"] = "rak"
    _, status, text = cmdb("brake", "web01", action="drain")
    assert (status, "there is no field 'rak'; did you mean 'rack'?" in text) == (WRONG, True)
