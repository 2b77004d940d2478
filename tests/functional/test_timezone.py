"""Times for people are in the zone of the setting, and say so; those for programs are in UTC."""

import csv
import html
import json
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import openpyxl
import pytest

from salt_ext import settings, store
from salt_ext.store import ingest
from tests.functional.conftest import commands
from tests.machines import NOW, arrival, server
from webui import create_app

BERLIN = "Europe/Berlin"
SUMMER = datetime(2025, 10, 24, 22, 30, tzinfo=timezone.utc)
WINTER = datetime(2025, 11, 2, 8, 5, tzinfo=timezone.utc)


@pytest.fixture
def past(database):
    """A machine that was first heard in summer time and has lost a module in winter time."""
    facts = server(1)
    ingest(database, [arrival(facts, "web01", SUMMER)])
    facts["memory"]["devices"][1] = {"locator": "A2", "present": False}
    ingest(database, [arrival(facts, "web01", WINTER)])


@pytest.fixture
def cmdb(master_opts, past):
    """Run a command in Berlin."""
    master_opts["cmdb"]["timezone"] = BERLIN
    return commands(master_opts)


def test_tables_are_in_the_zone_and_say_so(cmdb):
    since = {"since": "2025-10-01"}
    for _, _, text in (cmdb("history", "web01", **since), cmdb("changes", **since)):
        assert "2025-11-02 09:05:00  " in text
        assert f"1 change, times in {BERLIN}" in text
    assert "first report 2025-10-25 00:30:00 CEST" in cmdb("history", "web01")[2]
    assert "2025-10-25 00:30:00 CEST → 2025-11-02 09:05:00 CET" in cmdb("diff", "web01")[2]
    assert "2025-11-02 09:05:00 CET" in cmdb("show", "web01")[2]
    assert f"times in {BERLIN}" in cmdb("card", "web01")[2]
    parts = cmdb("components", serial=server(1)["memory"]["devices"][1]["serial_number"])
    assert f"(times in {BERLIN})\n  2025-10-25 00:30:00 → 2025-11-02 09:05:00" in parts[2]
    as_they_were = cmdb("report", as_of="2025-11-01")[2]
    assert "as they were at 2025-11-01 00:00:00 CET" in as_they_were


def test_programs_read_utc(cmdb):
    answer, _, _ = cmdb("history", "web01", since="2025-10-01")
    assert answer["first_seen"] == "2025-10-24T22:30:00Z"
    assert [row["recorded_at"] for row in answer["changes"]] == ["2025-11-02T08:05:00Z"]
    assert "+0" not in json.dumps(answer)


@pytest.mark.parametrize(
    ("since", "count"),
    [
        ("'2025-11-02 09:05'", 1),
        ("2025-11-02 09:05:01", 0),
        ("2025-11-02 09:04", 1),
        ("2025-11-02T08:05:00Z", 1),
        ("2025-11-02 08:05:01 UTC", 0),
        ("2025-11-02 10:05+02:00", 1),
        ("2025-11-02 10:05:01+0200", 0),
        ("2025-11-02", 1),
        ("2025-11-03", 0),
    ],
)
def test_times_that_people_write_are_in_the_zone_too(cmdb, since, count):
    answer, status, text = cmdb("changes", since=since.strip("'"))
    assert (status, answer["total"]) == (0, count), text


def test_filters_are_in_the_zone_too(cmdb):
    found = cmdb("list", first_seen__gte="2025-10-25")[0]
    assert found["total"] == 1
    assert cmdb("list", first_seen__gte="2025-10-25 00:30:01")[0]["total"] == 0
    assert cmdb("list", first_seen__lt="2025-10-25T00:00:00Z")[0]["total"] == 1
    assert cmdb("list", as_of="2025-10-25 00:30")[0]["total"] == 1
    assert cmdb("list", as_of="2025-10-25 00:29")[0]["total"] == 0


@pytest.mark.parametrize("command", ["list", "export"])
def test_a_workbook_is_in_the_zone(cmdb, tmp_path, command):
    path = str(tmp_path / "assets.xlsx")
    columns = {"columns": "minion_id,first_seen"} if command == "list" else {}
    assert cmdb(command, out_file=path, **columns)[1] == 0
    headings, row = (
        openpyxl.load_workbook(path).worksheets[0].iter_rows(max_row=2, values_only=True)
    )
    name = f"first_seen ({BERLIN})" if command == "list" else f"First seen ({BERLIN})"
    assert row[headings.index(name)] == datetime(2025, 10, 25, 0, 30)
    if command == "export":
        about = dict(openpyxl.load_workbook(path)["Read me"].iter_rows(values_only=True))
        written = about[f"Written at ({BERLIN})"].replace(tzinfo=ZoneInfo(BERLIN))
        assert abs(written - datetime.now(timezone.utc)) < timedelta(minutes=5)


def test_our_own_sheets_are_known_in_any_zone(cmdb, tmp_path):
    path = str(tmp_path / "assets.xlsx")
    cmdb("export", out_file=path)
    answer, status, text = cmdb("reconcile", path)
    assert (status, answer["counts"]["ok"]) == (0, 1), text
    assert "Changes, Problems, Read me: cmdb.export wrote it" in text


def test_comma_separated_values_are_for_people_and_json_is_for_programs(cmdb, tmp_path):
    written = {}
    for suffix in ("csv", "json"):
        path = tmp_path / f"changes.{suffix}"
        cmdb("changes", since="2025-10-01", out_file=str(path))
        written[suffix] = path.read_text(encoding="utf-8-sig")
    headings, row = csv.reader(written["csv"].splitlines())
    assert row[headings.index(f"recorded_at ({BERLIN})")] == "2025-11-02 09:05:00"
    assert json.loads(written["json"])[0]["recorded_at"] == "2025-11-02T08:05:00Z"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("Europe/Belin", "there is no time zone 'Europe/Belin'; did you mean 'Europe/Berlin'"),
        ("europe/berlin", "did you mean 'Europe/Berlin'"),
        ("Berlin", "did you mean 'Europe/Berlin'"),
        ("../../etc/passwd", "there is no time zone '../../etc/passwd'"),
        ("/etc/localtime", "there is no time zone"),
        ("Europe", "there is no time zone 'Europe'"),
        ("", "there is no time zone ''"),
        (1, "there is no time zone '1'"),
    ],
)
def test_a_zone_that_does_not_exist_is_an_error(cmdb, master_opts, name, says):
    master_opts["cmdb"]["timezone"] = name
    answer, status, text = cmdb("list")
    assert (status, says in answer["error"]) == (2, True), text
    assert text.startswith("ERROR: configuration: timezone: ")


def test_pages_are_in_the_zone(database, past):
    options = {"database_url": database.url, "timezone": BERLIN}
    client = create_app(settings.resolve(("test", options))).test_client()
    page = html.unescape(client.get("/changes?since=2025-10-25").text)
    assert "Changes since 2025-10-25 00:00 CEST" in page
    assert "2025-11-02 09:05 CET" in page
    assert f"Times are {BERLIN}." in page
    then = html.unescape(client.get("/assets?_as_of=2025-11-01").text)
    assert "as of 2025-11-01 00:00 CET" in then
    asset_id = store.resolve(database, "web01")
    shown = client.get(f"/a/{asset_id}.json").json["asset"]
    assert shown["first_seen"] == "2025-10-24T22:30:00Z"
    assert "+00:00" not in client.get("/assets.json?_col=first_seen,last_seen").text


def test_utc_is_what_is_usual(database, past, ask):
    assert "times in UTC" in ask("changes", since="30d")[2]
    client = create_app(settings.resolve(("test", {"database_url": database.url}))).test_client()
    assert "Times are UTC." in client.get("/changes").text
    assert NOW.tzinfo is timezone.utc
