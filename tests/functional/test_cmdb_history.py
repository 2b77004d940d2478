"""The commands about what changed: history, changes, diff, fleet_diff and snapshot."""

import csv
from datetime import datetime, timezone

import pytest

from salt_ext.store import ingest
from tests.functional.conftest import BEFORE, in_rack
from tests.machines import arrival


def test_a_history_says_what_was_pulled_and_when(ask):
    answer, _, text = ask("history", "web01")
    assert answer["total"] == 3
    assert "removed" in text
    assert "Memory module A2" in text
    assert "4F0001A2 → empty" in text
    assert "1.9.2 → 1.11.0" in text


def test_a_diff_groups_by_section_and_can_be_a_gate(ask):
    _, retcode, text = ask("diff", "web01", exit_code=True)
    assert retcode == 1
    assert "~ changed  Firmware › Version: 1.9.2 → 1.11.0" in text  # noqa: RUF001
    assert "− removed  Memory module A2: 64 GiB" in text  # noqa: RUF001
    assert text.endswith("2 changed, 1 removed")
    _, retcode, text = ask("diff", "web02", exit_code=True)
    assert retcode == 0
    assert "only its first report" in text


def test_changes_come_page_by_page_and_none_twice(ask):
    whole = ask("changes")[0]["changes"]
    pages, cursor = [], ""
    while cursor is not None:
        answer, _, text = ask("changes", limit=1, cursor=cursor)
        pages += answer["changes"]
        cursor = answer["next"]
        assert len(pages) <= len(whole)
        assert (f"(next: cursor={cursor})" in text) is (cursor is not None)
    assert pages == whole
    assert len(whole) > 2
    first = ask("history", "web01", limit=1)[0]
    second = ask("history", "web01", limit=1, cursor=first["next"])[0]
    assert first["changes"] != second["changes"]


def test_a_history_is_narrowed_by_section_component_and_time(ask):
    assert len(ask("history", "web01", section="firmware")[0]["changes"]) == 1
    assert len(ask("history", "web01", component="4F0001A2")[0]["changes"]) == 1
    assert ask("history", "web01", until=BEFORE)[0]["changes"] == []


def test_a_fleet_diff_in_a_file_is_a_gate_all_the_same(ask, tmp_path):
    _, retcode, _ = ask(
        "fleet_diff", **{"from": BEFORE}, exit_code=True, out_file=str(tmp_path / "x.csv")
    )
    assert retcode == 1
    lines = (tmp_path / "x.csv").read_text("utf-8-sig").splitlines()
    ops = [row[2] for row in csv.reader(lines)]
    assert sorted(set(ops[1:])) == ["changed", "removed"]


def test_what_is_reported_right_after_a_snapshot_is_later_than_it(cmdb, fleet, database):
    cmdb("snapshot", "before")
    # A master's cache tells the second in which a report came, and no more.
    at = datetime.now(timezone.utc).replace(microsecond=0)
    facts = in_rack(2)
    facts["memory"]["devices"][1] = {"locator": "A2", "present": False}
    ingest(database, [arrival(facts, "web02", at)])
    assert cmdb("fleet_diff", **{"from": "before"}, exit_code=True)[1] == 1
    assert cmdb("diff", "web02", against="before", exit_code=True)[1] == 1
    assert cmdb("diff", "web03", against="before", exit_code=True)[1] == 0


@pytest.mark.parametrize(
    ("command", "args", "kwargs", "retcode", "says"),
    [
        ("history", ["web01"], {"since": "yesterday"}, 3, "is no time, and there is no snapshot"),
        ("history", ["web01"], {"since": "99999999999w"}, 2, "is not a time"),
        ("diff", ["web01"], {"from": "2020-01-01"}, 3, "its first report was at"),
        ("diff", ["web01"], {"form": "7d"}, 2, "did you mean 'from'"),
        ("changes", [], {"cursor": "abc"}, 2, "the cursor is none"),
        ("changes", [], {"cursor": "W10="}, 2, "the cursor is none"),
        ("history", ["web01"], {"until": "soon"}, 3, "is no time, and there is no snapshot"),
    ],
)
def test_wrong_input_gets_a_sentence(ask, command, args, kwargs, retcode, says):
    _, status, text = ask(command, *args, **kwargs)
    assert says in text
    assert status == retcode
    assert "Traceback" not in text
