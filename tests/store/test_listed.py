"""What people's lists say of the machines: fields of their own, and where the machines stand."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone

import pytest
import sqlalchemy as sa

from salt_ext import store
from salt_ext.lists import expected, rows
from tests.citus import one_server
from tests.machines import arrival, later, server

COLUMNS = "minion_id,site,rack,unit,from_list,list.owner,list.warranty,list.cost"


def numbered(number, sn, **sections):
    facts = server(number, **sections)
    facts["system"]["serial_number"] = sn
    return facts


@pytest.fixture
def keep(database, tmp_path):
    """Import these lines as a list of this name."""

    def imported(*lines, source="list.csv"):
        path = tmp_path / "list.csv"
        path.write_text("\n".join(lines))
        return expected.keep(database, rows.read(str(path), "", {}), source=source, by="me")

    return imported


@pytest.fixture
def fleet(database):
    """Three machines: one knows its site, two know no place."""
    facts = {
        "web01": numbered(1, "SN1"),
        "web02": numbered(2, "SN2", location={"site": "dc9", "unit": 7}),
        "web03": numbered(3, "0SN3"),
    }
    store.ingest(database, [arrival(one, name) for name, one in facts.items()])
    return database


def table(database, columns=COLUMNS, **filters):
    """The machines that report."""
    names = columns.split(",")
    filters = {"minion_id__isnull": "false", **filters}
    page = store.assets(database, columns=columns, filters=filters)
    return {row["minion_id"]: [row[name] for name in names[1:]] for row in page.rows}


def names(database, **filters):
    return sorted(table(database, "minion_id", **filters))


SHEET = (
    "SN,机房,Rack,U,Owner,Warranty,Cost",
    "SN1,dc1,R1,12,ann,2027/3/1,12.5",
    "SN2,dc1,R2,,bob,2026-12-01,7",
    "SN3,dc2,R3,3,carl,-,1",
)


def test_a_list_places_what_says_nothing_of_its_place_and_keeps_its_own_columns(fleet, keep):
    done = keep(*SHEET)
    assert done["counts"] == {"kept": 3, "known": 3, "changed": 3, "dropped": 0, "left out": 0}
    assert table(fleet) == {
        "web01": ["dc1", "R1", "U12", "site, rack, unit", "ann", "2027-03-01", 12.5],
        # The list has it in another site: its rack is no rack there.
        "web02": ["dc9", None, "7", None, "bob", "2026-12-01", 7],
        "web03": ["dc2", "R3", "U03", "site, rack, unit", "carl", None, 1],
    }
    assert names(fleet, site="dc1") == ["web01"]
    [neighbour] = store.neighbours(fleet, "dc1", "R1")
    assert (neighbour["minion_id"], neighbour["unit"]) == ("web01", "U12")
    # The same list again says nothing new.
    assert keep(*SHEET)["counts"]["changed"] == 0


def in_days(days):
    return (datetime.now(timezone.utc) + timedelta(days=days)).strftime("%Y-%m-%d")


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({"list.owner": "ann"}, ["web01"]),
        ({"list.owner": ["ann", "bob"]}, ["web01", "web02"]),
        ({"list.owner__not": "ann"}, ["web02", "web03"]),
        ({"list.owner__in": "ann,carl"}, ["web01", "web03"]),
        ({"list.owner__notin": "ann,carl"}, ["web02"]),
        ({"list.owner__contains": "A"}, ["web01", "web03"]),
        ({"list.owner__startswith": "B"}, ["web02"]),
        ({"list.owner__endswith": "L"}, ["web03"]),
        ({"list.owner__glob": "?nn"}, ["web01"]),
        ({"list.warranty__isnull": "true"}, ["web03"]),
        ({"list.warranty__isnull": "false"}, ["web01", "web02"]),
        ({"list.warranty__lt": "90d"}, ["web02"]),
        ({"list.warranty__gte": "90d"}, ["web01"]),
        ({"list.warranty__lt": "-1d"}, []),
        ({"list.warranty__gt": "-30d"}, ["web01", "web02"]),
        ({"list.warranty": in_days(200).replace("-", "/")}, ["web01"]),
        ({"list.cost__gt": "7"}, ["web01"]),
        ({"list.cost__lte": 7}, ["web02", "web03"]),
        ({"list.cost": 12.5}, ["web01"]),
        ({"from_list": "rack"}, ["web02"]),
        ({"unit": "7"}, ["web02"]),
    ],
)
def test_fields_of_lists_have_the_whole_grammar(fleet, keep, filters, found):
    keep(
        "SN,Owner,Warranty,Cost,Rack",
        f"SN1,ann,{in_days(200)},12.5,R1",
        f"SN2,bob,{in_days(10)},7,R2",
        "0SN3,carl,n/a,1,",
    )
    filters = {"from_list__contains": "rack"} | filters if "from_list" in filters else filters
    if "from_list" in filters:
        found = ["web01", "web02"]
    assert names(fleet, **filters) == found


@pytest.mark.parametrize(
    ("filters", "says"),
    [
        ({"list.ower": "x"}, "did you mean 'list.owner'"),
        ({"list.warranty__lt": "soon"}, "write 2027-03-01, 90d for in 90 days"),
        ({"list.cost": "much"}, "is a number, and 'much' is not one"),
        ({"list.owner": 7}, "list.owner is a text"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_the_nearest(fleet, keep, filters, says):
    keep(*SHEET)
    with pytest.raises(store.FilterError, match=says):
        names(fleet, **filters)


def test_fields_of_lists_are_counted_sorted_and_written(fleet, keep):
    keep(*SHEET)
    [owners, costs] = store.facets(fleet, "list.owner,list.cost")
    assert [one["value"] for one in owners["values"]] == ["ann", "bob", "carl"]
    assert [one["value"] for one in costs["values"]] == [1, 7, 12.5]
    _, [groups] = store.totals(fleet, groupings=["list.owner,site"])
    assert [(one["list.owner"], one["site"], one["assets"]) for one in groups] == [
        ("ann", "dc1", 1),
        ("bob", "dc9", 1),
        ("carl", "dc2", 1),
    ]
    assert "list.warranty" in store.listable(fleet)
    with store.extract(fleet) as source:
        [first, *_] = source.assets(["minion_id", "list.owner", "list.cost"])
    assert first == {"minion_id": "web01", "list.owner": "ann", "list.cost": 12.5}


@pytest.mark.parametrize("sort", ["list.cost", "-list.cost", "list.warranty", "-list.owner"])
def test_a_list_sorted_by_such_a_field_goes_on_page_by_page(fleet, keep, sort):
    keep(*SHEET)
    whole = [row["minion_id"] for row in store.assets(fleet, columns="minion_id", sort=sort).rows]
    paged, cursor = [], None
    while True:
        page = store.assets(fleet, columns="minion_id", sort=sort, limit=1, cursor=cursor)
        paged += [row["minion_id"] for row in page.rows]
        if (cursor := page.next) is None:
            break
    assert paged == whole
    assert len(whole) == 3


def test_each_cell_is_that_of_the_newest_list_that_has_one(fleet, keep):
    keep("SN,Owner,Cost", "SN1,ann,1", "SN2,bob,2", source="finance")
    keep("SN,Rack,Owner", "SN1,R1,", "SN2,R2,zoe", source="floor plan")
    assert table(fleet, "minion_id,rack,list.owner,list.cost")["web01"] == ["R1", "ann", 1]
    assert table(fleet, "minion_id,rack,list.owner,list.cost")["web02"] == ["R2", "zoe", 2]
    # What the later list no longer says, the earlier one says again.
    keep("SN,Rack", "SN2,R2", source="floor plan")
    assert table(fleet, "minion_id,rack,list.owner")["web02"] == ["R2", "bob"]
    assert table(fleet, "minion_id,rack,list.owner")["web01"] == [None, "ann"]
    keep("SN,Cost", "SN2,9", source="finance")
    assert names(fleet, **{"list.cost": 9}) == ["web02"]
    with pytest.raises(store.FilterError, match=r"there is no field 'list\.owner'"):
        names(fleet, **{"list.owner": "ann"})


def test_what_was_set_by_hand_is_a_list_of_its_own(fleet, keep):
    keep(*SHEET)
    store.set_expected(fleet, "SN1", {"list.owner": "eve", "list.cost": 3}, by="me")
    assert table(fleet, "minion_id,list.owner,list.cost,rack")["web01"] == ["eve", 3, "R1"]
    store.set_expected(fleet, "SN1", {"list.owner": ""}, by="me")
    assert table(fleet, "minion_id,list.owner,list.cost")["web01"] == ["ann", 3]
    store.remove_expected(fleet, "SN1")
    assert table(fleet)["web01"] == [None] * 7


def test_a_column_that_lists_do_not_agree_about_is_text(fleet, keep):
    keep("SN,Asset No", "SN1,100", "SN2,20", source="one")
    assert names(fleet, **{"list.asset_number__gt": 50}) == ["web01"]
    keep("SN,Asset No", "SN3,A7", source="two")
    assert table(fleet, "minion_id,list.asset_number") == {
        "web01": ["100"],
        "web02": ["20"],
        "web03": ["A7"],
    }


def test_a_machine_takes_what_is_said_of_it_when_it_appears_or_is_renamed(database, keep):
    keep("SN,Name,Site,Owner", "SN1,,dc1,ann", ",db07,dc2,bob", source="all")
    store.ingest(database, [arrival(numbered(1, "SN1"), "x1"), arrival(server(2), "y1")])
    assert table(database, "minion_id,site,list.owner") == {
        "x1": ["dc1", "ann"],
        "y1": [None, None],
    }
    y1 = store.resolve(database, "y1")
    store.rename(database, y1, "db07", store.Act("me", "its name", False))
    assert table(database, "minion_id,site,list.owner")["db07"] == ["dc2", "bob"]
    # Nothing of that is a change of the machine.
    assert {one["op"] for one in store.changes(database, store.Wanted(y1))} == {"renamed"}
    assert store.count_changes(database, store.Wanted(store.resolve(database, "x1"))) == 0


def test_a_report_that_changes_keeps_the_place_that_only_the_list_knows(fleet, keep):
    keep(*SHEET)
    facts = numbered(1, "SN1")
    facts["operating_system"]["pretty_name"] = "Debian 13"
    store.ingest(fleet, [arrival(facts, "web01", later(minutes=5))])
    assert table(fleet, "minion_id,os,site,from_list")["web01"] == [
        *("Debian 13", "dc1", "site, rack, unit"),
    ]
    facts["location"] = {"site": "dc5"}
    store.ingest(fleet, [arrival(facts, "web01", later(minutes=6))])
    assert table(fleet, "minion_id,site,rack,from_list")["web01"] == ["dc5", None, None]
    facts["location"] = {"site": "DC1"}
    store.ingest(fleet, [arrival(facts, "web01", later(minutes=7))])
    assert table(fleet, "minion_id,site,rack,from_list")["web01"] == ["DC1", "R1", "rack, unit"]


def test_the_past_is_as_it_was_before_the_import(fleet, keep):
    before = datetime.now(timezone.utc)
    keep(*SHEET)
    page = store.assets(fleet, columns="minion_id,site", at=before)
    assert [row["site"] for row in page.rows] == [None, "dc9", None]
    with pytest.raises(store.FilterError, match="known of the present only"):
        store.assets(fleet, columns="list.owner", at=before)


def test_people_s_words_are_found_and_tell_where_they_are_from(fleet, keep):
    keep(*SHEET, "NEW1,dc1,R9,1,dora,,")
    assert [row["minion_id"] for row in store.assets(fleet, text="CARL", columns="minion_id").rows]
    [hit], _ = store.lookup(fleet, "ann")
    assert (hit["what"], hit["minion_id"], hit["place"]) == ("list.owner", "web01", "list.csv")
    [hit], _ = store.lookup(fleet, "NEW1")
    assert (hit["what"], hit["sn"], hit["minion_id"]) == ("sn", "NEW1", None)
    [hit], _ = store.lookup(fleet, "dor")
    assert hit["value"] == "dora"
    asset = store.overview(fleet, store.resolve(fleet, "web02"))
    said = {one["field"]: (one["value"], one["source"], one["row"]) for one in asset["listed"]}
    # What the machine says otherwise stands beside it.
    assert said["site"] == ("dc1", "list.csv", 3)
    assert asset["site"] == "dc9"
    assert said["list.owner"] == ("bob", "list.csv", 3)


@pytest.mark.parametrize("named", ["", "db09"])
def test_a_machine_that_shows_the_number_of_another_takes_nothing_of_it(fleet, keep, named):
    # The list may have a name that the machine does not have, and a liar does.
    lines = ("SN,Name,Site,Owner", f"SN1,{named},dc1,ann")
    keep(*lines)
    hostile = numbered(66, "SN1")
    hostile["system"]["manufacturer"] = "Other"
    hostile["operating_system"]["hostname"] = "db09"
    for turn in range(2):
        store.ingest(fleet, [arrival(hostile, f"evil{turn}", later(minutes=turn + 1))])
        found = table(fleet, "minion_id,site,list.owner")
        assert found["web01"] == ["dc1", "ann"]
        assert [one for one in found.values() if one[1]] == [["dc1", "ann"]]
        # Not when the list is imported again either.
        keep(*lines)
        assert table(fleet, "minion_id,list.owner")["web01"] == ["ann"]


def test_a_machine_that_calls_itself_as_another_ones_row_takes_nothing_of_it(database, keep):
    keep("Name,Owner", "db01,ann")
    store.ingest(database, [arrival(server(1), "db01.prod")])
    other = server(2)
    other["operating_system"]["hostname"] = "db01"
    store.ingest(database, [arrival(other, "evil", later(minutes=1))])
    assert names(database, **{"list.owner": "ann"}) == ["db01.prod"]
    keep("Name,Owner", "db01,ann")
    assert names(database, **{"list.owner": "ann"}) == ["db01.prod"]


def test_a_name_means_the_machine_that_has_it_now(database, keep):
    keep("Name,Owner,Rack", "web01,ann,R1")
    store.ingest(database, [arrival(server(1), "web01")])
    assert names(database, **{"list.owner": "ann"}) == ["web01"]
    other = server(2)
    other["operating_system"]["hostname"] = "web01"
    store.ingest(database, [arrival(other, "web01", later(days=90))])
    page = store.assets(database, columns="minion_id,sn,list.owner,rack")
    assert [(row["minion_id"], row["sn"], row["list.owner"], row["rack"]) for row in page.rows] == [
        ("web01", "9XYZ002", "ann", "R1"),
        (None, "9XYZ001", None, None),
    ]


def test_a_row_that_a_spreadsheet_has_rounded_finds_its_machine_later(database, keep):
    keep("SN,Owner", "1234567890123450000,ann")
    store.ingest(database, [arrival(numbered(1, "1234567890123456789"), "web01")])
    assert table(database, "minion_id,list.owner") == {"web01": [None]}
    done = {row["step"]: row["rows"] for row in store.maintain(database)}
    assert done["machines that rows of people's lists mean now, found"] == 1
    assert table(database, "minion_id,list.owner") == {"web01": ["ann"]}
    # The next time there is nothing to do.
    assert store.maintain(database)[-1]["rows"] == 0


@one_server("what maintain does fails by a trigger, which Citus refuses on its tables")
def test_what_maintain_cannot_do_keeps_no_row_of_a_list_waiting(database):
    store.set_expected(database, "9XYZ001", {"site": "dc1"}, by="alice")
    store.ingest(database, [arrival(server(1), "web01")])
    with database.begin() as link:
        link.execute(sa.text("UPDATE expected SET asset_id = NULL"))
        link.execute(
            sa.text("""
            CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RAISE EXCEPTION 'an error that nobody foresaw'; END $$;
            CREATE TRIGGER poison BEFORE DELETE ON disk_model EXECUTE FUNCTION poison()
            """)
        )
    with pytest.raises(sa.exc.DBAPIError, match="nobody foresaw"):
        store.maintain(database)
    [row] = store.expected_machines(database)
    assert row["asset_id"] == store.resolve(database, "web01")


def test_what_a_removed_machine_had_is_awaited_again(fleet, keep):
    keep(*SHEET)
    web03 = store.resolve(fleet, "web03")
    act = store.Act("me", "sold", False)
    store.set_lifecycle(fleet, web03, "retired", act)
    store.purge(fleet, "retired", later(days=365), act)
    assert names(fleet) == ["web01", "web02"]
    assert [one["sn"] for one in store.awaited(fleet)] == ["SN3"]


def test_a_list_that_is_imported_while_machines_report_misses_none(database, keep):
    lines = ["SN,Rack,Owner", *(f"SN{number},R{number},o{number}" for number in range(40))]
    facts = [numbered(number, f"SN{number}") for number in range(40)]

    def report(number):
        store.ingest(database, [arrival(facts[number], f"m{number}")])

    with ThreadPoolExecutor(4) as pool:
        reports = [pool.submit(report, number) for number in range(40)]
        imports = [pool.submit(keep, *lines) for _ in range(3)]
        for one in (*reports, *imports):
            one.result()
    found = table(database, "minion_id,rack,list.owner")
    assert found == {f"m{number}": [f"R{number}", f"o{number}"] for number in range(40)}
