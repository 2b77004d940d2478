"""The commands about what went wrong and who is who: errors and identity."""

import pytest

from salt_ext import store
from salt_ext.store import ingest
from tests.machines import NOW, arrival, later, server


def test_errors_are_listed_and_one_is_shown_with_its_traceback(cmdb, database, fleet):
    bad = arrival(server(3), "web03")
    bad.report["digest"] = "0" * 64
    error = {"type": "OSError", "message": "gone", "traceback": "Traceback: line 1\nline 2"}
    failed = arrival(server(2), "web02", later(seconds=2))
    failed.report.update(errors={"smart": error}, partial=["smart"])
    ingest(database, [bad, failed])
    answer, _, text = cmdb("errors")
    assert answer["total"] == 2
    assert "digest: does not belong to the facts" in text
    [row] = [row for row in answer["rows"] if row[2] == "web02"]
    _, _, text = cmdb("errors", id=row[-1])
    assert "Traceback: line 1\n  line 2" in text


def test_errors_that_are_over_are_shown_on_request(cmdb, database):
    error = {"type": "OSError", "message": "gone", "traceback": "line 1"}
    failed = arrival({**server(1), "lldp": []}, "web01")
    failed.report.update(errors={"lldp": error}, partial=["lldp"])
    ingest(database, [failed])
    assert cmdb("errors", "web01")[0]["total"] == 1
    assert cmdb("errors", "9XYZ001")[0]["total"] == 1
    assert cmdb("errors", "web*")[0]["total"] == 1
    assert cmdb("errors", "db*")[0]["total"] == 0
    assert cmdb("errors", until="2020-01-01")[0]["total"] == 0
    lldp = [{"name": "eno1", "port_id": "Eth1/1"}]
    ingest(database, [arrival({**server(1), "lldp": lldp}, "web01", later(seconds=1))])
    assert cmdb("errors", "web01")[0]["total"] == 0
    answer, _, text = cmdb("errors", "web01", closed=True)
    assert answer["columns"][-1] == "closed_at"
    assert answer["rows"][0][-1] is not None
    assert "CLOSED" in text


def test_an_error_is_readable_in_full_however_long(cmdb, database):
    message = f"{'sdb did not answer; ' * 20}{'x' * 250}\nask its maker"
    failed = arrival(server(1), "web01")
    failed.report.update(
        errors={"smart": {"type": "OSError", "message": message, "traceback": ""}},
        partial=["smart"],
    )
    ingest(database, [failed])
    answer, _, text = cmdb("errors")
    heading, first, *_ = lines = text.splitlines()
    at = heading.index("MESSAGE")
    column = [line[at : heading.index("  ID")] for line in lines[1:-1]]
    assert "".join("".join(column).split()) == "".join(f"OSError: {message}".split())
    assert first.endswith(answer["rows"][0][-1])
    assert lines[-1] == "1 problem"


def test_the_identity_of_another_time(cmdb, database):
    ingest(database, [arrival(server(1), "web01")])
    card = {**server(1)["network"][0], "permanent_mac": "52:54:00:00:00:99"}
    ingest(database, [arrival(server(1, network=[card]), "web01", later(seconds=2))])

    def macs(**options):
        answer, _, _ = cmdb("identity", "web01", **options)
        return {one["value"] for one in answer["identifiers"] if one["kind"] == "mac"}

    then = NOW.strftime("%Y-%m-%d %H:%M:%S")
    assert macs(as_of=then) == {"52:54:00:00:00:01"}
    assert macs() == {"52:54:00:00:00:01", "52:54:00:00:00:99"}


@pytest.fixture
def many(database):
    """Three machines under new names, which show what live machines show; one of them twice."""
    for number in (1, 2, 3):
        ingest(database, [arrival(server(number), f"web{number:02d}")])
        ingest(database, [arrival(server(number), f"db{number:02d}", later(seconds=1))])
    ingest(database, [arrival(server(4), "web01", later(seconds=2))])
    return database


def test_many_held_reports_are_decided_in_one_command_with_a_preview(cmdb, many):
    answer, _, text = cmdb("quarantine")
    assert [row[1] for row in answer["rows"]].count("claimed") == 3
    assert "taken" in text
    answer, _, text = cmdb("quarantine", "accept", "db*", rule="claimed")
    assert [one["status"] for one in answer["reports"]] == ["would be decided"] * 3
    assert "It is called db01 from now on, not web01" in text
    assert "3 would be decided: accept; 0 left out" in text
    assert "nothing was done" in text
    assert store.held_reports(many)[1] == 4
    assert "why? give reason=" in cmdb("quarantine", "accept", "db*", test=False)[2]
    _, retcode, text = cmdb("quarantine", "accept", "db*", test=False, reason="CHG-4711")
    assert retcode == 0
    assert "3 decided: accept; 0 left out" in text
    assert [row["minion_id"] for row in store.held_reports(many)[0]] == ["web01"]
    assert {row["minion_id"] for row in store.assets(many).rows} >= {"db01", "db02", "db03"}


def test_a_held_report_that_is_too_old_ends_no_decision_about_many(cmdb, many):
    [row] = store.assets(many, filters={"minion_id": "web02"}).rows
    ingest(many, [arrival(server(2), "web02", later(seconds=9))])
    _, _, text = cmdb("quarantine", "accept", "db*", test=False, reason="CHG-4711")
    assert "db02  left out\n  the held report of db02 is of" in text
    assert "2 decided: accept; 1 left out" in text
    assert [one["minion_id"] for one in store.held_reports(many, "db*")[0]] == ["db02"]
    assert store.resolve(many, "web02") == row["id"]


def test_what_is_not_clear_is_left_out_of_a_decision_about_many_and_told(cmdb, database):
    ingest(database, [arrival(server(1), "web01"), arrival(server(2), "web02")])
    both = server(1, baseboards=[])
    both["system"]["uuid"] = server(2)["system"]["uuid"]
    ingest(database, [arrival(both, "new", later(seconds=1))])
    _, _, text = cmdb("quarantine", "accept", "*")
    assert "new  left out\n  2 assets may be meant" in text
    assert "0 would be decided: accept; 1 left out" in text


def test_a_key_that_a_machine_only_claims_is_disowned_and_owned_again(cmdb, database):
    stranger = server(2, baseboards=[])
    stranger["system"]["serial_number"] = server(1)["system"]["serial_number"]
    ingest(database, [arrival(server(1), "web01")])
    ingest(database, [arrival(stranger, "web02", later(seconds=1))])
    _, _, text = cmdb("errors", "web01")
    assert "salt-run cmdb.disown web02 serial_number" in text
    of = ("disown", "web02", "serial_number")
    _, _, text = cmdb(*of, test=True)
    assert text == "web02  serial_number dell/9xyz001: would be none of its keys any more"
    _, _, text = cmdb(*of, reason="copied")
    assert text.startswith("web02  serial_number dell/9xyz001: none of its keys any more\n")
    assert "salt-run cmdb.maintain" in text
    _, _, text = cmdb("identity", "web02")
    assert "DISOWNED" in text
    assert "copied" in text
    _, retcode, text = cmdb(*of, reason="copied")
    assert (retcode, "cmdb.identity" in text) == (3, True)
    _, _, text = cmdb(*of, undo=True, reason="no, it is its own")
    assert text.startswith("web02  serial_number dell/9xyz001: its own again\n")


@pytest.mark.parametrize(
    ("command", "args", "kwargs", "retcode", "says"),
    [
        ("errors", [], {"id": "7"}, 2, "is not an id"),
        ("errors", [12345], {}, 2, "drops leading zeros"),
        ("errors", [], {"since": "2020-13-01"}, 2, "is not a time"),
        ("identity", [], {}, 2, "which asset?"),
        ("quarantine", ["list"], {"rule": "claim"}, 2, "did you mean 'claimed'"),
        ("quarantine", ["accept", "*"], {"as": "web01"}, 2, "as= means one asset"),
        ("quarantine", ["accept", "nothere*"], {}, 3, "no report of 'nothere*' is held"),
        ("quarantine", ["show", "web*"], {}, 2, "show takes one minion id"),
        ("disown", ["web01", "serial"], {"test": True}, 2, "there is no kind of key 'serial'"),
    ],
)
def test_wrong_input_gets_a_sentence(ask, command, args, kwargs, retcode, says):
    _, status, text = ask(command, *args, **kwargs)
    assert says in text
    assert status == retcode
    assert "Traceback" not in text
