"""The commands about what went wrong and who is who: errors and identity."""

import pytest

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


@pytest.mark.parametrize(
    ("command", "args", "kwargs", "retcode", "says"),
    [
        ("errors", [], {"id": "7"}, 2, "is not an id"),
        ("errors", [12345], {}, 2, "drops leading zeros"),
        ("errors", [], {"since": "2020-13-01"}, 2, "is not a time"),
        ("identity", [], {}, 2, "which asset?"),
    ],
)
def test_wrong_input_gets_a_sentence(ask, command, args, kwargs, retcode, says):
    _, status, text = ask(command, *args, **kwargs)
    assert says in text
    assert status == retcode
    assert "Traceback" not in text
