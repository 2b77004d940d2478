"""The commands status, missing, duplicates, odd and health: who is silent, doubled, odd or ill."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from salt_ext import store
from salt_ext.store import ingest
from salt_ext.store.schema import warning
from tests.machines import NOW, arrival, dimm, later, server

ONE = "1 of 4 SMART counters is not zero:"


def as_dicts(answer):
    return [dict(zip(answer["columns"], row, strict=True)) for row in answer["rows"]]


@pytest.fixture
def accept(tmp_path):
    """Accept the keys of minions, as the master keeps them."""

    def accepted(*names):
        keys = tmp_path / "pki_dir/minions"
        keys.mkdir(parents=True, exist_ok=True)
        for name in names:
            (keys / name).write_text("a key")

    return accepted


@pytest.fixture
def standing(database, accept):
    """A fresh machine, one silent for some hours, one for weeks, and a key that never reported."""
    ages = (("web01", {}), ("web02", {"hours": -5}), ("web03", {"days": -20}))
    for number, (name, age) in enumerate(ages, start=1):
        ingest(database, [arrival(server(number), name, later(**age))])
    accept("web01", "web02", "new01")


def test_the_status_has_the_shape_of_manage_status(cmdb, standing):
    answer, retcode, text = cmdb("status")
    names = {one: answer[one] for one in ("fresh", "stale", "missing", "never")}
    assert retcode == 0
    assert names == {
        "fresh": ["web01"],
        "stale": ["web02"],
        "missing": ["web03"],
        "never": ["new01"],
    }
    assert text.splitlines()[2] == "missing       1  web03"


def test_the_status_of_some(cmdb, standing):
    assert cmdb("status", "web*")[0]["never"] == []
    assert cmdb("status", "new*")[0]["never"] == ["new01"]
    assert cmdb("status", "new01")[0]["never"] == ["new01"]
    assert cmdb("status", "9XYZ002")[0]["stale"] == ["web02"]
    filtered = cmdb("status", sn="9XYZ001")[0]
    assert (filtered["fresh"], filtered["never"]) == (["web01"], [])


def test_what_is_missing_is_told_with_what_is_missing_of_it(cmdb, standing):
    answer, retcode, text = cmdb("missing", exit_code=True)
    assert retcode == 1
    assert {(row["minion_id"], row["what"]) for row in as_dicts(answer)} == {
        ("new01", "key without an asset"),
        ("web03", "silent"),
        ("web03", "asset without a key"),
    }
    assert "3 missing things" in text
    silent = as_dicts(cmdb("missing", older_than="2h")[0])
    assert ("web02", "silent") in {(row["minion_id"], row["what"]) for row in silent}
    assert cmdb("missing", "web01", exit_code=True)[1] == 0


def test_what_another_master_heard_last_is_not_without_a_key_here(cmdb, database):
    elsewhere = store.Listener(store.beat(database, "other_master", "1"), set)
    store.ingest(database, [arrival(server(1), "web01", later())], elsewhere)
    assert as_dicts(cmdb("missing")[0]) == []


def test_what_people_expect_and_nobody_heard_is_missing_until_there_is_a_reason(cmdb, tmp_path):
    path = tmp_path / "bought.csv"
    path.write_text(
        "SN,Name,Site,Type\nNEW1,db01,dc1,server\nNEW2,db02,dc2,\nSW1,sw01,dc1,switch\n"
    )
    assert cmdb("expected", "import", file=str(path))[1] == 0
    answer, _, text = cmdb("missing")
    what = {row["minion_id"]: row["what"] for row in as_dicts(answer)}
    assert what["db01"] == what["db02"] == "expected by bought.csv, never heard"
    assert "sw01" not in what
    assert "NEW1" in text
    assert [row["sn"] for row in as_dicts(cmdb("missing", site="dc1")[0])] == ["NEW1"]
    assert cmdb("expected", "set", "NEW1", reason="spare in room 4")[1] == 0
    assert [row["sn"] for row in as_dicts(cmdb("missing", site="dc1")[0])] == []
    listed = {row["sn"]: (row["status"], row["reason"]) for row in as_dicts(cmdb("expected")[0])}
    assert listed["SW1"] == ("not awaited", "switch")
    assert listed["NEW1"][0] == "not awaited"
    assert listed["NEW2"][0] == "never seen"
    [only] = as_dicts(cmdb("expected", "missing")[0])
    assert only["sn"] == "NEW2"


def test_a_machine_of_salt_ssh_needs_no_key(cmdb, database):
    ingest(database, [arrival(server(1), "web01", mode="ssh")])
    assert cmdb("missing")[0]["total"] == 0


def test_duplicates_are_groups_with_evidence(cmdb, database):
    twin = server(2)
    twin["operating_system"]["hostname"] = "web01"
    ingest(database, [arrival(server(1), "web01"), arrival(twin, "web02")])
    ingest(database, [arrival(server(3), "web03")])
    answer, retcode, text = cmdb("duplicates", by="hostname", exit_code=True)
    rows = as_dicts(answer)
    assert retcode == 1
    assert [(row["value"], row["minion_id"]) for row in rows] == [
        ("web01", "web01"),
        ("web01", "web02"),
    ]
    assert {row["sn"] for row in rows} == {"9XYZ001", "9XYZ002"}
    assert "2 assets that share a value" in text
    assert cmdb("duplicates", by="sn", exit_code=True)[1] == 0
    assert cmdb("duplicates", "web03")[0]["total"] == 0
    assert cmdb("duplicates", "web02")[0]["total"] == 2


def test_a_mac_on_two_machines_is_found_in_the_ledger(cmdb, database):
    mac = server(1)["network"][0]
    ingest(database, [arrival(server(1), "web01")])
    ingest(database, [arrival(server(2, network=[mac]), "web02", later(seconds=1))])
    rows = as_dicts(cmdb("duplicates", by="mac")[0])
    assert {(row["value"], row["minion_id"]) for row in rows} == {
        ("52:54:00:00:00:01", "web01"),
        ("52:54:00:00:00:01", "web02"),
    }
    assert {row["source"] for row in rows} == {"network.eno1.permanent_mac"}


def test_a_card_that_was_moved_is_no_duplicate(cmdb, database):
    moved = server(1)["network"][0]
    other = {**moved, "permanent_mac": "52:54:00:00:00:99"}
    ingest(database, [arrival(server(1), "web01"), arrival(server(2), "web02")])
    ingest(database, [arrival(server(1, network=[other]), "web01", later(seconds=1))])
    ingest(database, [arrival(server(2, network=[moved]), "web02", later(seconds=2))])
    assert cmdb("duplicates", by="mac")[0]["total"] == 0


@pytest.fixture
def alike(database):
    """Forty machines of one model; the last has another BIOS, disk and DIMM."""
    reports = []
    for number in range(1, 41):
        facts = server(number)
        if number == 40:
            facts["firmware"]["version"] = "1.2.0"
            facts["disks"][0]["firmware_version"] = "OLD1"
            facts["memory"]["devices"][1] = {
                **dimm("A2", "4F0040A2"),
                "manufacturer": "Hynix",
                "part_number": "HMA84",
            }
        reports.append(arrival(facts, f"web{number:02d}"))
    ingest(database, reports)


def test_the_odd_one_is_found_among_forty(cmdb, database, alike):
    answer, retcode, text = cmdb("odd")
    rows = {row["field"]: row for row in as_dicts(answer)}
    assert retcode == 0
    assert set(rows) == {"firmware.version", "disks", "memory"}
    assert rows["firmware.version"] | {"group": ""} == {
        "group": "",
        "field": "firmware.version",
        "value": "1.2.0",
        "usual": "1.9.2",
        "assets": 1,
        "of": 40,
        "machines": ["web40"],
    }
    assert rows["disks"]["value"] == "PM9A3 OLD1"
    assert rows["memory"]["value"] == "HMA84, M393A8G40AB2"
    assert "3 odd values" in text
    sizes = server(41)
    sizes["memory"]["installed_bytes"] = 64 << 30
    ingest(database, [arrival(sizes, "web41")])
    _, _, text = cmdb("odd")
    assert "memory_bytes      64 GiB" in text
    assert "128 GiB" in text
    assert cmdb("odd", threshold=0.01)[0]["total"] == 0
    # A group of one has nobody to differ from.
    assert cmdb("odd", group_by="product_name,sn")[0]["total"] == 0
    assert cmdb("odd", "web0*")[0]["total"] == 0


def ill_server(number, name="nvme0n1", **health):
    facts = server(number)
    facts["smart"] = [
        {
            "name": name,
            "serial_number": facts["disks"][0]["serial_number"],
            "protocol": "nvme",
            "passed": True,
            "health": {"failing": []},
            **health,
        }
    ]
    return facts


@pytest.fixture
def ward(database):
    """One machine that is well, and some that are ill in different ways."""
    failing = ill_server(2, passed=False, health={"failing": ["reliability"]})
    failing["disks"][0]["firmware_version"] = "GDC1"
    worn = ill_server(3, volatile={"percentage_used": 97, "reallocated": 4})
    memory = server(4)
    memory["memory"]["edac"] = [
        {
            "name": "mc0",
            "controller": "Skylake",
            "health": {"uncorrected_errors": True},
            "volatile": {"ce_count": 12, "ue_count": 2},
        }
    ]
    raid = server(5)
    raid["raid"] = {
        "controllers": [{"id": "megaraid:0", "battery": {"model": "BBU", "health": "failed"}}],
        "volumes": [
            {"controller": "megaraid:0", "id": "0", "state": "Degraded", "health": "degraded"}
        ],
        "members": [
            {"enclosure": "252", "slot": "3", "state": "Failed", "health": "failed"},
            {"enclosure": "252", "slot": "4", "state": "Online", "health": "ok"},
        ],
    }
    raid["md"] = [{"name": "md0", "raid_disks": 2, "health": {"degraded": 1}}]
    power = server(6)
    power["power_supplies"] = [
        {"location": "PSU 1", "status": "Present, OK", "plugged": True},
        {"location": "PSU 2", "status": "Present, Critical", "plugged": True},
        {"location": "PSU 3", "status": "Present, Non-critical", "plugged": True},
        {"location": "PSU 4", "status": "Present, OK", "plugged": False},
    ]
    machines = [ill_server(1), failing, worn, memory, raid, power]
    ingest(
        database,
        [arrival(facts, f"web{number:02d}") for number, facts in enumerate(machines, start=1)],
    )


def test_the_worst_part_goes_first_and_a_good_one_is_not_told(cmdb, ward):
    answer, retcode, text = cmdb("health", exit_code=True)
    rows = as_dicts(answer)
    assert retcode == 1
    assert [(row["severity"], row["minion_id"]) for row in rows] == [
        *(("critical", name) for name in ("web02", "web04", "web05", "web05", "web06")),
        *(("warning", name) for name in ("web05", "web05", "web06")),
        *(("notice", name) for name in ("web03", "web06")),
    ]
    told = {(row["minion_id"], row["severity"], row["component"], row["says"]) for row in rows}
    assert told == {
        ("web02", "critical", "nvme0n1 S64F000002", "says that it fails: reliability"),
        ("web03", "notice", "S64F000003", f"{ONE} 5 reallocated 4; 97 % of its life used"),
        ("web04", "critical", "mc0", "2 uncorrected errors"),
        ("web05", "critical", "252:3", "failed: Failed"),
        ("web05", "critical", "BBU", "failed"),
        ("web05", "warning", "0", "degraded: Degraded"),
        ("web05", "warning", "md0", "degraded: 1 missing of 2"),
        ("web06", "critical", "PSU 2", "status: Present, Critical"),
        ("web06", "warning", "PSU 3", "status: Present, Non-critical"),
        ("web06", "notice", "PSU 4", "is not plugged in"),
    }
    assert "web01" not in text
    assert cmdb("health", "web01", exit_code=True)[1] == 0
    assert {row[1] for row in cmdb("health", "9XYZ004")[0]["rows"]} == {"web04"}


def test_kinds_of_parts_that_fail_are_told_with_who_has_the_same(cmdb, database):
    def machine(number, serial):
        disk = {**server(number)["disks"][0], "serial_number": serial, "firmware_version": "GDC1"}
        return server(number, disks=[disk])

    year = later(days=-300)
    good = [arrival(server(one), f"web{one:02d}", year) for one in range(11, 41)]
    bad = [arrival(machine(one, f"OLD{one}"), f"web{one:02d}", year) for one in range(1, 6)]
    ingest(database, good + bad)
    # Four disks are replaced by others; another one moves to the next machine.
    for number in range(1, 5):
        facts = server(
            number, disks=[{**server(number)["disks"][0], "serial_number": f"N{number}"}]
        )
        ingest(database, [arrival(facts, f"web{number:02d}", later(days=-100, seconds=number))])
    moved = machine(6, "OLD5")
    ingest(database, [arrival(server(5, disks=[]), "web05", later(days=-99))])
    ingest(database, [arrival(moved, "web06", later(days=-98))])
    ingest(database, [arrival(server(one), f"web{one:02d}", later()) for one in range(11, 41)])
    answer, _, text = cmdb("health", by="batch")
    [row] = as_dicts(answer)
    assert (row["section"], row["model"], row["firmware_version"]) == ("disks", "PM9A3", "GDC1")
    assert (row["gone"], row["failing"], row["in_use"], row["assets"]) == (4, 0, 1, 1)
    assert row["times_low"] > 1
    assert row["machines"] == ["web06"]
    assert "TIMES LOW" in text
    assert cmdb("health", by="batch", since=NOW.strftime("%Y-%m-%d"), sn="none")[0]["total"] == 0


def test_a_kind_of_which_too_little_is_known_is_not_named(cmdb, database):
    for passed, at in ((True, NOW), (False, later(minutes=1))):
        machines = [ill_server(one, passed=passed) for one in (1, 2)]
        ingest(database, [arrival(one, f"web0{n}", at) for n, one in enumerate(machines, 1)])
    [row] = store.failing_batches(database, later(days=-1))
    assert (row["model"], row["firmware_version"], row["failing"]) == ("PM9A3", None, 2)
    answer, _, text = cmdb("health", by="batch")
    assert answer["total"] == 0
    assert "of 1 kind several parts failed, too few to tell whether it fails more often" in text


def test_how_often_warnings_came_true_is_told_by_rule_and_with_how_far_that_can_be_trusted(
    cmdb, database
):
    assert "warnings are kept since this version" in cmdb("health", by="warning")[2]
    machines = [arrival(ill_server(one, passed=False), f"web{one:02d}") for one in range(1, 6)]
    ingest(database, machines)
    store.maintain(database)
    long_ago = sa.update(warning).values(since=sa.func.now() - timedelta(days=60))
    went = warning.update().where(warning.c.part == "S64F000001")
    with database.begin() as link:
        link.execute(long_ago)
        link.execute(went.values(outcome="gone", until=warning.c.since + timedelta(days=9)))
    says = (
        "disk's own word: of 5 parts warned of more than 30 days ago 1 was replaced or gone within"
        " 30 days: 20 % (1 to 72 %)"
    )
    answer, _, text = cmdb("health")
    assert text.endswith(says)
    assert answer["warnings"][0]["came_true"] == 1
    answer, _, text = cmdb("health", by="warning")
    [row] = as_dicts(answer)
    assert row == {
        **{"rule": "disk's own word", "warned": 5, "came_true": 1},
        **{"percent": 20, "low": 1, "high": 72},
    }
    assert "CAME TRUE" in text


@pytest.mark.parametrize(
    ("command", "args", "kwargs", "retcode", "says"),
    [
        ("status", [12345], {}, 2, "tgt arrived as 12345"),
        ("status", ["nobody"], {}, 3, "there is no asset 'nobody'"),
        ("status", [], {"sight": "dc1"}, 2, "did you mean 'site'"),
        ("missing", [], {"older_than": "soon"}, 3, "is no time, and there is no snapshot"),
        ("missing", [], {"limit": 0}, 2, "a whole number from 1 to"),
        ("duplicates", [], {"by": "mack"}, 2, "did you mean 'mac'"),
        ("duplicates", [], {"by": 7}, 2, "by arrived as 7"),
        ("odd", [], {"threshold": "few"}, 2, "threshold is a share such as 0.05"),
        ("odd", [], {"threshold": 0.7}, 2, "threshold is a share between 0 and 0.5"),
        ("odd", [], {"group_by": "modell"}, 2, "there is no field 'modell'"),
        ("odd", [], {"group_by": ""}, 2, "which group?"),
        ("health", [], {"by": "warning", "site": "dc1"}, 2, "leave the filters out"),
        ("health", [], {"by": "batsch"}, 2, "did you mean 'batch'"),
        ("health", [], {"by": "batch", "since": "2020-13-01"}, 2, "is not a time"),
    ],
)
def test_wrong_input_gets_a_sentence(ask, command, args, kwargs, retcode, says):
    _, status, text = ask(command, *args, **kwargs)
    assert says in text
    assert status == retcode
    assert "Traceback" not in text
