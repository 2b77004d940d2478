"""What is said when nothing was found: which part of the question nothing fits, and the nearest."""

import pytest

from salt_ext import store
from salt_ext.settings import resolve
from tests.machines import arrival, later, server

SWAPPED_UUID = "44454c4c-0000-1035-8058-c7c04f435331"
UUID = "4c4c4544-0000-3510-8058-c7c04f435331"


@pytest.fixture(scope="module")
def fleet(new_database):
    """Three machines in two sites; web01 has lost a module since it first reported."""
    database = store.Database(resolve(("test", {"database_url": new_database()})))
    machines = {
        "web01": server(1, location={"site": "ams1", "rack": "R01"}),
        "web02": server(2, location={"site": "ams1", "rack": "R02"}),
        "db07": server(3, location={"site": "fra1", "rack": "R01"}),
    }
    machines["db07"]["system"]["uuid"] = UUID
    machines["db07"]["operating_system"]["hostname"] = "Db-Server07"
    machines["web02"]["system"]["manufacturer"] = "戴尔 Dell"
    store.ingest(database, [arrival(facts, name) for name, facts in machines.items()])
    machines["web01"]["memory"]["devices"][1] = {"locator": "A2", "present": False}
    store.ingest(database, [arrival(machines["web01"], "web01", later(seconds=1))])
    yield database
    database.close()


@pytest.mark.parametrize(
    ("filters", "says"),
    [
        ({"site": "AMS1"}, "no asset has site=AMS1; the nearest is 'ams1'"),
        ({"site__in": "amz1, fra1"}, "no asset has site__in=amz1; the nearest is 'ams1'"),
        (
            {"site": ["amz1", "frb1"]},
            "site=amz1; the nearest is 'ams1'; and no asset has site=frb1",
        ),
        ({"site": "zzz"}, "no asset has site=zzz; there are: ams1, fra1"),
        ({"site": ""}, "no asset has a blank site; site__isnull=true finds those without one"),
        ({"rack": "R1"}, "no asset has rack=R1; the nearest is 'R01'"),
        ({"manufacturer": "dell"}, "the nearest is 'Dell Inc.'"),
        ({"manufacturer__startswith": "dall"}, "the nearest is 'Dell'"),
        ({"manufacturer__contains": "戴尔公司"}, "the nearest is '戴尔'"),
        ({"os__contains": "debain"}, "no asset has os__contains=debain; the nearest is 'Debian'"),
        ({"os__glob": "debian*"}, "no asset has os__glob=debian*; the nearest is 'Debian*'"),
        ({"os__endswith": "(bookwrom)"}, "the nearest is '(bookworm)'"),
        ({"minion_id": "wbe01"}, "no asset has minion_id=wbe01; the nearest is 'web01'"),
        ({"minion_id": "WEB02"}, "the nearest is 'web02'"),
        ({"hostname": "db-server07"}, "the nearest is 'Db-Server07'"),
        ({"minion_id__glob": "wbe*"}, "no asset is called 'wbe*'; the nearest is 'web*'"),
        ({"minion_id__glob": "*70"}, "no asset is called '*70'"),
        ({"minion_id__startswith": "wbe"}, "the nearest is 'web'"),
        ({"sn": "9XYZOO1"}, "no asset has sn=9XYZOO1"),
        ({"sn": "9XYZ0O1"}, "the nearest is '9XYZ001'"),
        ({"sn": "9xyz001"}, "the nearest is '9XYZ001'"),
        ({"address": "10.0.0.11"}, "the nearest is '10.0.0.1'"),
        ({"processor_threads": 7}, "no asset has processor_threads=7; they are from "),
        ({"memory_bytes__gt": "9T"}, "no asset has memory_bytes__gt=9T; they are from 128"),
        ({"lifecycle": "retired"}, "no asset has lifecycle=retired"),
        ({"last_seen__lt": "900d"}, "no asset has last_seen__lt=900d"),
        ({"temporary": "true"}, "no asset has temporary=true"),
        ({"memory.manufacturer": "Samsong"}, "the nearest is 'Samsung'"),
        ({"memory.manufacturer": "SAMSUNG"}, "the nearest is 'Samsung'"),
        ({"memory.size_bytes__gt": "9T"}, "memory.size_bytes__gt=9T; they are from 64"),
    ],
    ids=str,
)
def test_a_filter_that_nothing_fits_is_named_with_the_nearest_value(fleet, filters, says):
    assert store.assets(fleet, filters=filters).total in (0, 1)
    assert says in store.hint(fleet, filters).replace("\N{NO-BREAK SPACE}", " ")


def test_filters_that_fit_something_each_are_not_blamed(fleet):
    assert store.hint(fleet, {"site": "ams1", "minion_id": "db07"}) == ""
    assert store.hint(fleet, {"site": "fra1", "rack": "R9"}).startswith("no asset has rack=R9")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("dlel", "no asset has the word 'dlel'; the nearest is 'Dell'"),
        ("web01 amz1", "no asset has the word 'amz1'; the nearest is 'ams1'"),
        ("wbe01", "no asset has the word 'wbe01'; the nearest is 'web01'"),
        ("qqqqqq", "no asset has the word 'qqqqqq'"),
        ("web01", ""),
    ],
)
def test_a_word_that_is_nowhere_is_named_with_the_nearest(fleet, text, says):
    assert store.hint(fleet, {}, text) == says


@pytest.mark.parametrize(
    ("typed", "near"),
    [("wbe01", "web01"), ("9XYZ0001", "9XYZ001"), ("52:54:00:00:00:0l", "52:54:00:00:00:01")],
)
def test_an_asset_that_is_unknown_is_told_with_the_nearest(fleet, typed, near):
    with pytest.raises(store.NotFound) as unknown:
        store.resolve(fleet, typed)
    assert unknown.value.hint == f"the nearest is {near!r}"


def test_a_part_that_is_unknown_is_told_with_the_nearest(fleet):
    serial = server(2)["memory"]["devices"][0]["serial_number"]
    with pytest.raises(store.NotFound) as unknown:
        store.genealogy(fleet, serial + "x")
    assert unknown.value.hint == f"the nearest is {serial!r}"
    assert store.nearest_known(fleet, serial[1:]) == serial
    assert store.nearest_known(fleet, "nothing like it") is None


@pytest.mark.parametrize("typed", [UUID, SWAPPED_UUID, UUID.upper(), SWAPPED_UUID.replace("-", "")])
def test_a_uuid_is_known_in_both_byte_orders(fleet, typed):
    assert store.resolve(fleet, typed) == store.resolve(fleet, "db07")
    rows, _ = store.lookup(fleet, typed)
    assert {row["minion_id"] for row in rows} == {"db07"}


@pytest.mark.parametrize("typed", ["52-54-00-00-00-01", "5254.0000.0001", "525400000001"])
def test_a_mac_is_known_as_switches_write_it(fleet, typed):
    assert store.resolve(fleet, typed) == store.resolve(fleet, "web01")


def test_a_uuid_is_disowned_in_either_byte_order(fleet):
    act = store.Act("root", "", True)
    db07 = store.resolve(fleet, "db07")
    for typed in (UUID, SWAPPED_UUID):
        assert store.disown(fleet, db07, "uuid", act, value=typed, own=False)["values"] == [UUID]
    with pytest.raises(store.NotFound) as unknown:
        store.disown(fleet, db07, "uuid", act, value=UUID[:-1] + "2", own=False)
    assert f"the nearest is {UUID!r}" in unknown.value.hint


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ({"component": "4f0001a2"}, "component=4f0001a2; the nearest is '4F0001A2'"),
        ({"component": "ZZZ"}, "no change there is of component=ZZZ; there are: 4F0001A2"),
        ({"section": "memory.devics"}, "section=memory.devics; the nearest is 'memory.devices'"),
        ({"section": "disks"}, "no change there is of section=disks"),
        ({"filters": {"site": "amz1"}}, "no asset has site=amz1; the nearest is 'ams1'"),
    ],
    ids=str,
)
def test_changes_that_are_none_are_explained(fleet, wanted, says):
    wanted = store.Wanted(**wanted)
    assert store.changes(fleet, wanted) == []
    assert says in store.hint_of_changes(fleet, wanted)


def test_a_section_is_one_of_ours_or_one_that_a_machine_reports(fleet, database):
    store.check_section(fleet, "memory.devices")
    with pytest.raises(store.FilterError, match="there is no section 'disk'; did you mean 'disks'"):
        store.check_section(fleet, "disk")
    store.ingest(database, [arrival({**server(1), "coffee": {"cups": 3}}, "web01")])
    store.check_section(database, "coffee.cups")
    with pytest.raises(store.FilterError):
        store.check_section(fleet, "coffee")
