"""What changed: by class, by day, in waves, and whole."""

from datetime import datetime, timedelta, timezone

import pytest
import sqlalchemy as sa

from salt_ext import store
from salt_ext.store import ingest
from tests.kinds_of_change import DISK
from tests.machines import NOW, arrival, dimm, later, server

STICK = {"location": "0000:00:14.0 port 1", "vendor_id": "0951", "serial_number": "STICK"}


def text(node):
    return " ".join(node.get_text(" ").split())


def disks(number, count):
    return [
        {**DISK, "name": f"sd{place}", "serial_number": f"S64F{number:03d}{place:03d}"}
        for place in range(count)
    ]


def report(database, number, minutes, **sections):
    ingest(
        database, [arrival(server(number, **sections), f"web{number:02d}", later(minutes=minutes))]
    )


@pytest.fixture
def night(database):
    """Six machines got a USB stick, one lost a disk, one has its disks in another order."""
    for number in range(1, 9):
        report(database, number, -30, usb=[], disks=disks(number, 2))
    for number in range(1, 7):
        stick = {**STICK, "serial_number": f"STICK{number}"}
        report(database, number, -20 + number, usb=[stick], disks=disks(number, 2))
    report(database, 7, -5, usb=[], disks=disks(7, 1))
    turned = [{**one, "name": name} for one, name in zip(disks(8, 2), ("sdx", "sdy"), strict=True)]
    report(database, 8, -4, usb=[], disks=turned)
    return database


def entries(tree):
    return tree.select("main .feed")[0].find_all("li", recursive=False)


def test_what_happened_to_many_machines_is_one_line_that_opens(night, page):
    tree = page("/changes")
    lost, wave = entries(tree)
    assert "web07" in text(lost)
    assert "removed Disk" in text(lost)
    assert text(wave.summary).startswith("6 \N{MULTIPLICATION SIGN}")
    assert "added USB device" in text(wave.summary)
    names = [one.a.get_text() for one in wave.find_all("p", class_="run")]
    assert names == [f"web{number:02d}" for number in range(6, 0, -1)]


def test_five_machines_are_a_wave_and_four_are_not(database, page):
    for number in range(1, 5):
        report(database, number, -30, usb=[])
        report(database, number, -20, usb=[STICK])
    assert page("/changes").find("details", class_="wave") is None
    report(database, 5, -30, usb=[])
    report(database, 5, -20, usb=[STICK])
    assert text(page("/changes").find("details", class_="wave").summary).startswith(
        "5 \N{MULTIPLICATION SIGN}"
    )


def test_new_names_of_devices_are_left_out_counted_and_one_link_away(night, page):
    tree = page("/changes")
    assert "web08" not in text(tree.main)
    status = tree.find(role="status")
    assert text(status).startswith("7 changes · with 2 new names")
    tree = page(status.a["href"])
    assert text(tree.find(role="status")).startswith("9 changes")
    assert "web08" in text(tree.main)


def test_the_pill_of_a_class_has_the_number_that_its_page_has(night, page):
    pills = page("/changes").find("ul", {"aria-label": "Classes"}).find_all("a")
    counted = {text(one).rsplit(" ", 1)[0]: one for one in pills[1:]}
    assert counted.keys() == {"Loss", "Other", "Device name"}
    for pill in counted.values():
        tree = page(pill["href"])
        assert text(tree.find(role="status")).split()[0] == pill.b.get_text()
        assert tree.find("ul", {"aria-label": "Classes"}).find(attrs={"aria-current": True})
    assert text(page("/changes?class=loss").h1).startswith("Loss since")


def test_last_night_is_from_yesterday_evening_to_this_morning(database, app, page):
    zone = app.extensions["database"].zone
    today = datetime.now(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    moments = {"before": -7, "begin": -6, "end": 7.9, "after": 8.1}
    for number, hours in enumerate(moments.values(), 1):
        report(database, number, -3 * 24 * 60)
        report(database, number, 1, firmware={"version": "2"})
        _recorded(database, f"web{number:02d}", today + timedelta(hours=hours))
    tree = page("/changes?since=last-night")
    names = {one.get_text() for one in tree.select(".run a")}
    assert names == {"web02", "web03"}
    assert "(last night)" in text(tree.h1)
    assert "18:00" in text(tree.h1)


def _recorded(database, name, at):
    """Let the last report of a machine have been stored at another moment."""
    with database.begin() as link:
        link.execute(
            sa.text(
                "UPDATE change SET recorded_at = :at FROM asset"
                " WHERE asset.id = asset_id AND minion_id = :name"
            ),
            {"at": at, "name": name},
        )


def test_each_day_has_a_heading_and_each_report_its_time_beside_its_age(database, page):
    report(database, 1, -3 * 24 * 60)
    report(database, 1, -2 * 24 * 60, firmware={"version": "2"})
    report(database, 1, -24 * 60, firmware={"version": "3"})
    days = page("/changes?since=7d").select("main section h2")
    dates = [(NOW - timedelta(days=back)).date() for back in (1, 2)]
    assert [text(one) for one in days] == [f"{one:%A}, {one}" for one in dates]
    run = page("/changes?since=7d").find("p", class_="run")
    assert run.time.get_text() == f"{later(minutes=-24 * 60):%H:%M}"
    assert text(run).endswith("1d ago")


@pytest.mark.parametrize("limit", [3, 17, 20, 24, 25, 39, 100])
def test_pages_never_cut_a_report_in_silence(database, page, limit):
    counts = {"web01": 20, "web02": 4, "web03": 15}
    for number, count in enumerate(counts.values(), 1):
        report(database, number, -60, disks=[])
        report(database, number, -30 + number, disks=disks(number, count))
    told, address = {}, f"/changes?_limit={limit}"
    while address:
        tree = page(address)
        for run in tree.select("main .feed > li"):
            more = run.find("p", class_="left")
            shown = len(run.select(".changes > li"))
            told[run.a.get_text()] = shown + (int(text(more).split()[0]) if more else 0)
            if more:
                whole = page(more.a["href"])
                assert len(whole.select("main .changes > li")) == counts[run.a.get_text()]
        assert len(tree.select("main .feed > li"))
        following = tree.find("a", rel="next")
        address = following and following["href"]
    assert told == counts


@pytest.mark.parametrize("limit", [15, 35, 100])
def test_a_report_of_many_changes_shows_some_and_leads_to_all_of_them(database, page, limit):
    report(database, 1, -60, disks=[])
    report(database, 1, -30, disks=disks(1, 40))
    tree = page(f"/changes?_limit={limit}")
    assert len(tree.select("main .changes > li")) == 12
    assert tree.find("a", rel="next") is None
    more = tree.find("p", class_="left")
    assert text(more) == "28 more of this report"
    assert len(page(more.a["href"]).select("main .changes > li")) == 40


def test_filters_of_assets_sections_and_operations_narrow_the_changes(night, page):
    assert text(page("/changes?minion_id=web07").find(role="status")).startswith("1 change")
    assert text(page("/changes?minion_id=web07").h1).endswith("of assets where minion is web07")
    assert text(page("/changes?section=usb").find(role="status")).startswith("6 changes")
    assert text(page("/changes?op=removed").find(role="status")).startswith("1 change")


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("class=los", "did you mean 'loss'"),
        ("op=remove", "did you mean 'removed'"),
        ("sinse=1h", "sinse"),
        ("section=dsks", "did you mean 'disks'"),
        ("since=1h&until=2h", "the span is reversed"),
        ("since=last-night&until=1h", "leave until"),
        ("since=yesterdy", "no time"),
    ],
)
def test_a_word_that_is_not_known_is_refused_with_the_nearest(night, client, question, said):
    response = client.get(f"/changes?{question}")
    assert response.status_code in (400, 404)
    assert said in response.text.replace("&#39;", "'")


def test_files_have_all_changes_of_the_same_question(night, client):
    rows = client.get("/changes.json?class=loss,other&_limit=1000").json
    assert len(rows) == 7
    assert {row["class"] for row in rows} == {"loss", "other"}
    lines = client.get("/changes.csv?class=loss").text.strip().splitlines()
    assert len(lines) == 2
    assert "web07" in lines[1]


def test_an_asset_has_its_changes_with_the_same_pieces(night, page, client):
    asset_id = store.resolve(night, "web07")
    tree = page(f"/a/{asset_id}/changes")
    assert "web07" in text(tree.h1)
    assert text(tree.find(role="status")).startswith("1 change")
    assert client.get("/a/00000000-0000-0000-0000-000000000001/changes").status_code == 404
    assert client.get("/a/00000000-0000-0000-0000-000000000001/changes.csv").status_code == 404


def test_the_past_has_the_changes_up_to_then(night, page):
    at = (NOW - timedelta(minutes=10)).astimezone(timezone.utc)
    tree = page(f"/changes?_as_of={at:%Y-%m-%dT%H:%M:%SZ}")
    assert "web07" not in text(tree.main)
    assert text(tree.find("details", class_="wave").summary).startswith("6 \N{MULTIPLICATION SIGN}")


def test_what_a_machine_says_is_isolated(database, page):
    report(database, 1, -60, firmware={"version": "1"})
    report(database, 1, -30, firmware={"version": "\u202e2"})
    [new] = page("/changes").select("ins")
    assert new.bdi.get_text() == "<U+202E>2"


def test_a_module_that_is_gone_is_lost_once(database, page):
    facts = server(1)
    memory = {**facts["memory"], "devices": [dimm("A1", "4F0001A1")]}
    memory["installed_bytes"] //= 2
    report(database, 1, -60)
    report(database, 1, -30, memory=memory)
    assert text(page("/changes?class=loss").find(role="status")).startswith("1 change")
