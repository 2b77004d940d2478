"""What a filter finds, and what it says when it cannot be understood."""

import pytest

from salt_ext import store
from salt_ext.settings import resolve
from tests.machines import NOW, arrival, later, server

GIB = 1 << 30


def disk(name, model, size, firmware=None):
    return {
        "name": name,
        "model": model,
        "serial_number": f"{model}-{size}-{name}",
        "size_bytes": size * GIB,
        **({"firmware_version": firmware} if firmware else {}),
    }


@pytest.fixture(scope="module")
def fleet(new_database):
    """Four machines: a and b in a site, c in another, d in none; 50% and x_y in their names."""
    database = store.Database(resolve(("test", {"database_url": new_database()})))
    machines = {
        "a-50%": server(
            1,
            location={"site": "dc1", "rack": "R1"},
            disks=[disk("sda", "PM9A3", 100, "1"), disk("sdb", "PM9A3", 100, "1")],
        ),
        "b-x_y": server(
            2,
            location={"site": "dc1", "rack": "R2"},
            disks=[disk("sda", "PM9A3", 200, "2"), disk("sdb", "HUS", 100, "1")],
        ),
        "c-back\\slash": server(
            3, location={"site": "dc2"}, disks=[{"name": "sda", "size_bytes": 300 * GIB}]
        ),
        "D-508": server(4, disks=[], virtual={"role": "guest"}),
    }
    del machines["D-508"]["memory"]
    store.ingest(database, [arrival(facts, name) for name, facts in machines.items()])
    yield database
    database.close()


def found(database, text="", **filters):
    page = store.assets(database, filters=filters, text=text, columns="minion_id")
    names = "".join(sorted(row["minion_id"][0].lower() for row in page.rows))
    assert page.total == len(names)
    return names


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({}, "abcd"),
        ({"site": "dc1"}, "ab"),
        ({"site": ["dc1", "dc2"]}, "abc"),
        ({"site": []}, ""),
        ({"site__in": "dc1,dc2"}, "abc"),
        ({"site__in": []}, ""),
        ({"site__in": "dc1, dc2"}, "abc"),
        ({"site__not": "dc1"}, "cd"),
        ({"site__not": ["dc1", "dc2"]}, "d"),
        ({"site__not": []}, "abcd"),
        ({"site__notin": "dc1,dc2"}, "d"),
        ({"site__isnull": True}, "d"),
        ({"site__isnull": "no"}, "abc"),
        ({"rack__isnull": "true"}, "cd"),
        ({"rack__isnull": "Yes"}, "cd"),
        ({"rack__isnull": 0}, "ab"),
        ({"rack__isnull": "false"}, "ab"),
        ({"site": "dc1", "rack": "R2"}, "b"),
        ({"minion_id__contains": "50%"}, "a"),
        ({"minion_id__contains": "_"}, "b"),
        ({"minion_id__contains": "\\"}, "c"),
        ({"minion_id__contains": "X_Y"}, "b"),
        ({"minion_id__startswith": "d-5"}, "d"),
        ({"minion_id__endswith": "0%"}, "a"),
        ({"minion_id__glob": "?-*%"}, "a"),
        ({"minion_id__glob": "*_*"}, "b"),
        ({"minion_id__glob": "*\\*"}, "c"),
        ({"minion_id__glob": "d*"}, ""),
        ({"minion_id": "'; DROP TABLE asset; --"}, ""),
        ({"memory_bytes": "128GiB"}, "abc"),
        ({"memory_bytes__gt": 128 * GIB}, ""),
        ({"memory_bytes__gte": "128GiB"}, "abc"),
        ({"memory_bytes__lte": "128GiB"}, "abc"),
        ({"memory_bytes__lt": "128GiB"}, ""),
        ({"memory_bytes__lt": "137438954kB"}, "abc"),
        ({"memory_bytes__lt": "137438953kB"}, ""),
        ({"memory_bytes__lt": "1TB"}, "abc"),
        ({"memory_bytes__isnull": "1"}, "d"),
        ({"memory_bytes__lt": "999999999999999999EiB"}, "abc"),
        ({"processor_threads__in": "112,7"}, "abcd"),
        ({"processor_threads__gt": 10**17}, ""),
        ({"disk_count": 2}, "ab"),
        ({"disk_count": 0}, "d"),
        ({"kind": "virtual"}, "d"),
        ({"temporary": "false"}, "abcd"),
        ({"freshness": "fresh"}, "abcd"),
        ({"freshness__not": "fresh"}, ""),
        ({"freshness__contains": "RES"}, "abcd"),
        ({"last_seen__gt": "1h"}, "abcd"),
        ({"first_seen__lt": "2020-01-01"}, ""),
        ({"disks.model": "PM9A3"}, "ab"),
        ({"disks.model": ["HUS", "none"]}, "b"),
        ({"disks.model__contains": "pm"}, "ab"),
        ({"disks.model__isnull": "true"}, "c"),
        ({"disks.model__notin": "PM9A3,HUS"}, "c"),
        ({"disks.model__not": "PM9A3"}, "bc"),
        ({"disks.size_bytes__gte": "200GiB"}, "bc"),
        ({"disks.size_bytes__gte": "200G"}, "bc"),
        ({"disks.size_bytes__gte": "0.2tib"}, "c"),
        ({"disks.size_bytes": " 200 gib "}, "b"),
        ({"disks.size_bytes": "200Gi"}, "b"),
        ({"disks.size_bytes__gte": "214.7GB"}, "bc"),
        ({"disks.count": 2}, "a"),
        ({"disks.count__gte": 1}, "abc"),
        # Of one part: no disk is a PM9A3 of 100 GiB with firmware 2.
        ({"disks.model": "PM9A3", "disks.firmware_version": "2"}, "b"),
        ({"disks.size_bytes": "100GiB", "disks.firmware_version": "2"}, ""),
        ({"disks.model": "HUS", "disks.size_bytes": "200GiB"}, ""),
        ({"disks.model": "PM9A3", "memory.manufacturer": "Samsung"}, "ab"),
        ({"memory.type": "DDR4", "site": "dc2"}, "c"),
    ],
    ids=str,
)
def test_a_filter_finds_what_it_says(fleet, filters, expected):
    assert found(fleet, **filters) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "abcd"),
        ("  ", "abcd"),
        ("A-50%", "a"),
        ("50%", "a"),
        ("%", "a"),
        ("x_y", "b"),
        ("\\", "c"),
        ("52:54:00:00:00:03", "c"),
        ("52:54:00:00:00:0", "abcd"),
        ("10.0.0.2", "b"),
        ("9xyz003", "c"),
        ("poweredge dc1", "ab"),
        ("DC1 web02", "b"),
        ("dc1 dc2", ""),
        ("/", "abcd"),
        ("nobody", ""),
        ("'", ""),
    ],
)
def test_free_text_finds_names_numbers_macs_and_addresses(fleet, text, expected):
    assert found(fleet, text) == expected


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ({"sit": "dc1"}, "no field 'sit'.*'site'"),
        ({"disks.modell": "x"}, "no field 'disks.modell'.*'disks.model'"),
        ({"disks": "x"}, "no field 'disks'"),
        ({"site__equals": "x"}, "site: there is no comparison 'equals'"),
        ({"site__contain": "x"}, "site: there is no comparison 'contain'.*'contains'"),
        ({"": "x"}, "no field ''"),
        ({"__in": "x"}, "no field ''"),
        ({"site": 7}, "site is a text, and 7 arrived as int"),
        ({"site": None}, "site is a text"),
        ({"site": "a\0"}, "NUL"),
        ({"site": "\udcff"}, "half a character"),
        ({"site__contains": "\udcff"}, "half a character"),
        ({"disks.model__glob": "\udcff"}, "half a character"),
        ({"memory_bytes": "much"}, "memory_bytes is a size such as 512GiB, 128G"),
        ({"memory_bytes": -1}, "memory_bytes is a size such as 512GiB, 128G"),
        ({"disks.size_bytes": "1QB"}, "disks.size_bytes is a size"),
        ({"processor_threads": "four"}, "processor_threads is a whole number"),
        ({"processor_threads": 10**19}, "processor_threads is a whole number"),
        ({"disks.count": "x"}, "disks.count is a whole number"),
        ({"temporary": "maybe"}, "temporary: there is no truth value 'maybe'"),
        ({"site__isnull": "maybe"}, "site__isnull: there is no truth value 'maybe'"),
        ({"last_seen__gt": "yesterday"}, "last_seen: 'yesterday' is not a time"),
    ],
    ids=str,
)
def test_a_filter_that_cannot_be_understood_says_why(fleet, filters, message):
    for ask in (store.assets, store.totals):
        with pytest.raises(store.FilterError, match=message):
            ask(fleet, filters=filters)


@pytest.mark.parametrize("text", ["\0", "a\0b", "\udcff"])
def test_words_that_no_text_can_hold_are_refused(fleet, text):
    with pytest.raises(store.FilterError, match="half a character"):
        store.assets(fleet, text=text)


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"filters": {"freshness": "fresh"}}, "freshness"),
        ({"filters": {"disks.model": "PM9A3"}}, "disks.model"),
        ({"filters": {"last_seen__gt": "1h"}}, "last_seen"),
        ({"columns": "minion_id,mode"}, "mode"),
        ({"sort": "-changed_at"}, "changed_at"),
    ],
    ids=str,
)
def test_what_is_known_of_the_present_only_is_not_asked_of_the_past(fleet, options, field):
    sentence = f"^{field} is known of the present only, and as_of is in the past$"
    with pytest.raises(store.FilterError, match=sentence):
        store.assets(fleet, at=NOW, **options)


def test_a_field_of_parts_is_no_column_and_no_order(fleet):
    for options in ({"columns": "disks.model"}, {"sort": "disks.model"}):
        with pytest.raises(store.FilterError, match=r"many of them: see cmdb\.components"):
            store.assets(fleet, **options)


def test_the_past_is_searched_and_filtered_as_it_was(database):
    store.ingest(database, [arrival(server(1, location={"site": "old"}), "a")])
    store.ingest(database, [arrival(server(1, location={"site": "new"}), "a", later(minutes=9))])
    at = later(minutes=8)
    for text, filters, then, now in (
        ("old", {}, 1, 0),
        ("NEW", {}, 0, 1),
        ("", {"site": "old"}, 1, 0),
        ("", {"site__glob": "o*"}, 1, 0),
        ("", {"site__in": "new,newer"}, 0, 1),
    ):
        assert store.assets(database, text=text, filters=filters, at=at).total == then
        assert store.assets(database, text=text, filters=filters).total == now


@pytest.mark.parametrize(
    "reference",
    ["", "nobody", "\0", "\udcff", "%", "_", "'", "00000000-0000-0000-0000-000000000000"],
)
def test_who_is_nobody_is_not_found(fleet, reference):
    with pytest.raises(store.NotFound, match="there is no asset"):
        store.resolve(fleet, reference)


@pytest.mark.parametrize(
    "reference",
    [
        "b-x_y",
        "9XYZ002",
        "9xyz002",
        "web02",
        "10.0.0.2",
        "52:54:00:00:00:02",
        "4c4c4544-0058-5910-805a-b9c04f000002",
    ],
)
def test_a_machine_is_found_by_any_of_its_numbers(fleet, reference):
    assert store.overview(fleet, store.resolve(fleet, reference))["minion_id"] == "b-x_y"
