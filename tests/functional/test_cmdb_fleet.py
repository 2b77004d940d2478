"""The commands about what is silent, doubled, odd or ill, through Salt's own runner loader."""

import pytest
import salt.loader

from salt_ext.store import ingest
from tests.machines import NOW, arrival, dimm, later, server


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


def test_the_worst_machine_goes_first_and_a_good_one_is_not_told(cmdb, ward):
    answer, retcode, text = cmdb("health", exit_code=True)
    rows = as_dicts(answer)
    assert retcode == 1
    names = list(dict.fromkeys(row["minion_id"] for row in rows))
    assert names == ["web05", "web06", "web02", "web04", "web03"]
    told = {(row["minion_id"], row["severity"], row["component"], row["says"]) for row in rows}
    assert told == {
        ("web02", "critical", "nvme0n1 S64F000002", "says that it fails: reliability"),
        ("web03", "notice", "S64F000003", "4 sectors reallocated, 97 % of its life used"),
        ("web04", "critical", "mc0", "2 uncorrected errors, 12 corrected errors"),
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

    ingest(database, [arrival(machine(one, f"OLD{one}"), f"web{one:02d}") for one in range(1, 6)])
    # Two disks are replaced by new ones; a third one moves to the next machine.
    for number, serial in ((1, "NEW1"), (2, "NEW2"), (3, "NEW3")):
        facts = machine(number, serial)
        ingest(database, [arrival(facts, f"web{number:02d}", later(seconds=number))])
    moved = machine(4, "OLD4")
    moved["disks"].append({**moved["disks"][0], "name": "sdb", "serial_number": "OLD3"})
    ingest(database, [arrival(moved, "web04", later(seconds=9))])
    answer, _, text = cmdb("health", by="batch")
    [row] = as_dicts(answer)
    assert (row["section"], row["model"], row["firmware_version"]) == ("disks", "PM9A3", "GDC1")
    assert (row["gone"], row["failing"], row["in_use"], row["assets"]) == (2, 0, 6, 5)
    assert row["share_percent"] == 25.0
    assert row["machines"] == ["web01", "web02", "web03", "web04", "web05"]
    assert "SHARE PERCENT" in text
    assert cmdb("health", by="batch", since=NOW.strftime("%Y-%m-%d"), sn="none")[0]["total"] == 0


def test_a_disk_that_fails_now_counts_for_its_kind(cmdb, database):
    machines = [ill_server(one, passed=False) for one in (1, 2)]
    ingest(database, [arrival(one, f"web0{at}") for at, one in enumerate(machines, start=1)])
    [row] = as_dicts(cmdb("health", by="batch")[0])
    assert (row["model"], row["firmware_version"], row["failing"]) == ("PM9A3", None, 2)


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


def test_statistics_and_versions(cmdb, database, master_opts, outputter):
    ingest(database, [arrival(server(1), "web01")])
    answer, retcode, text = cmdb("stats")
    assert retcode == 0
    assert {row["table"] for row in answer["tables"]} >= {"asset", "change", "placement"}
    assert answer["heard_last_hour"] == 1
    assert "1 machine heard in the last hour" in text
    assert (answer["collectors"], text.splitlines()[-1]) == ([], "no collector fails")
    rows = {row["name"]: row["version"] for row in as_dicts(cmdb("version")[0])}
    assert set(rows) == {
        *("salt-cmdb", "Salt", "SQLAlchemy", "psycopg2", "Python", "PostgreSQL", "schema")
    }
    assert rows["schema"].endswith("the one that this salt-cmdb works with")
    master_opts["cmdb"] = {"database_url": "postgresql+psycopg2://u:secret@127.0.0.1:1/cmdb"}
    data = salt.loader.runner(master_opts)["cmdb.version"]()["data"]
    assert "retcode" not in data
    assert "cannot reach the database" in outputter(data)
    assert "secret" not in outputter(data)


def test_statistics_count_the_errors_by_collector(cmdb, database):
    for second, names in enumerate((["lldp", "smart"], ["lldp"])):
        for number in (1, 2):
            failed = arrival(server(number), f"web0{number}", later(seconds=second))
            error = {"type": "OSError", "message": "gone", "traceback": ""}
            found = names if number == 1 else ["lldp"]
            failed.report.update(errors=dict.fromkeys(found, error), partial=found)
            ingest(database, [failed])
    whole = {**server(2), "lldp": [{"name": "eno1", "port_id": "Eth1"}]}
    ingest(database, [arrival(whole, "web02", later(seconds=9))])
    answer, _, text = cmdb("stats")
    found = [(one["collector"], one["machines"], one["errors"]) for one in answer["collectors"]]
    # On web02 it is over.
    assert found == [("lldp", 1, 2), ("smart", 1, 1)]
    assert "COLLECTOR  MACHINES  ERRORS  LAST SEEN" in text


def test_the_doctor_says_what_to_do_below_each_check(cmdb):
    answer, _, text = cmdb("doctor")
    [engine] = [one for one in answer["checks"] if one["check"] == "engine"]
    lines = text.splitlines()
    at = next(number for number, line in enumerate(lines) if line.startswith("warn  engine"))
    # Nothing is cut, however long it is.
    assert lines[at].endswith(engine["detail"])
    assert lines[at + 1].strip() == engine["hint"]


@pytest.mark.parametrize(
    ("command", "args", "kwargs", "retcode", "says"),
    [
        ("status", [12345], {}, 2, "tgt arrived as 12345"),
        ("status", ["nobody"], {}, 3, "there is no asset 'nobody'"),
        ("status", [], {"sight": "dc1"}, 2, "did you mean 'site'"),
        ("missing", [], {"older_than": "soon"}, 3, "is neither a time nor a snapshot"),
        ("missing", [], {"limit": 0}, 2, "a whole number above 0"),
        ("duplicates", [], {"by": "mack"}, 2, "did you mean 'mac'"),
        ("duplicates", [], {"by": 7}, 2, "by arrived as 7"),
        ("odd", [], {"threshold": "few"}, 2, "threshold is a share such as 0.05"),
        ("odd", [], {"threshold": 0.7}, 2, "threshold is a share between 0 and 0.5"),
        ("odd", [], {"group_by": "modell"}, 2, "there is no field 'modell'"),
        ("odd", [], {"group_by": ""}, 2, "which group?"),
        ("health", [], {"by": "batsch"}, 2, "did you mean 'batch'"),
        ("health", [], {"by": "batch", "since": "2020-13-01"}, 2, "is not a time"),
        ("errors", [12345], {}, 2, "drops leading zeros"),
        ("errors", [], {"since": "2020-13-01"}, 2, "is not a time"),
        ("identity", [], {}, 2, "which asset?"),
        ("stats", [], {"all": True}, 2, "there is no option 'all'"),
        ("version", [], {"all": True}, 2, "there is no option 'all'"),
    ],
)
def test_wrong_input_gets_a_sentence(cmdb, command, args, kwargs, retcode, says):
    _, status, text = cmdb(command, *args, **kwargs)
    assert says in text
    assert status == retcode
    assert "Traceback" not in text


@pytest.mark.parametrize(
    "command", ["status", "missing", "duplicates", "odd", "health", "errors", "stats"]
)
def test_an_empty_store_is_no_error_and_one_that_is_away_is(cmdb, master_opts, outputter, command):
    assert cmdb(command)[1] == 0
    master_opts["cmdb"] = {"database_url": "postgresql+psycopg2://u:secret@127.0.0.1:1/cmdb"}
    data = salt.loader.runner(master_opts)[f"cmdb.{command}"]()["data"]
    assert data["retcode"] == 2
    assert "cannot reach the database at" in outputter(data)
    assert "secret" not in outputter(data)
