"""Filters that can find nothing because of a slip: what is refused, and what is said instead."""

import pytest

from salt_ext import store
from salt_ext.report.envelope import MODES
from salt_ext.settings import resolve
from salt_ext.store.columns import KINDS
from salt_ext.words.fields import COMPARISONS
from tests.machines import arrival, server

CLOSED = {
    "freshness": store.FRESHNESS,
    "lifecycle": store.LIFECYCLES,
    "kind": KINDS,
    "mode": MODES,
}


@pytest.fixture(scope="module")
def fleet(new_database):
    """Three machines in two sites; the setting ``modes`` names a way of the site's own."""
    url = new_database()
    database = store.Database(resolve(("test", {"database_url": url, "modes": {"redfish": "a.b"}})))
    machines = {
        "web01": server(1, location={"site": "ams1", "rack": "R01"}),
        "web02": server(2, location={"site": "ams1", "rack": "R02"}),
        "db07": server(3, location={"site": "fra1", "rack": "R01"}),
    }
    store.ingest(database, [arrival(facts, name) for name, facts in machines.items()])
    yield database
    database.close()


def refusal(database, **filters):
    """The sentence with which the filters are refused."""
    with pytest.raises(store.FilterError) as refused:
        store.assets(database, filters=filters)
    return str(refused.value)


@pytest.mark.parametrize("field", CLOSED)
@pytest.mark.parametrize(
    "comparison", ["", "__not", "__in", "__notin", "__contains", "__startswith", "__glob"]
)
def test_a_word_outside_of_a_closed_set_is_refused_with_the_set(fleet, field, comparison):
    words = CLOSED[field]
    for wrong in (words[0] + "x", words[0].upper(), "zzz", ""):
        if any(_fits(comparison, word, wrong) for word in words):
            continue
        said = refusal(fleet, **{field + comparison: wrong})
        assert said.startswith(f"{field}: there is no value {wrong!r}; ")
        assert ", ".join(words) in said


def _fits(comparison, word, value):
    text = {"__contains": str.__contains__, "__startswith": str.startswith}.get(comparison)
    return text(word, value.lower()) if text else False


@pytest.mark.parametrize(
    ("filters", "near"),
    [
        ({"freshness": "dwon"}, None),
        ({"freshness": "Fresh"}, "fresh"),
        ({"freshness__in": "fresh,stael"}, "stale"),
        ({"freshness": ["fresh", "mising"]}, "missing"),
        ({"freshness__notin": "detatched"}, "detached"),
        ({"lifecycle__not": "retierd"}, "retired"),
        ({"kind": "phys"}, "physical"),
        ({"kind__glob": "virtul*"}, "virtual"),
        ({"mode": "sssh"}, "ssh"),
        ({"mode": "redfihs"}, "redfish"),
    ],
    ids=str,
)
def test_the_nearest_word_of_a_closed_set_is_named(fleet, filters, near):
    said = refusal(fleet, **filters)
    assert (f"did you mean {near!r}?" in said) if near else ("there are: fresh" in said)


def test_a_way_that_a_site_has_added_is_a_mode(fleet):
    assert store.assets(fleet, filters={"mode": "redfish"}).total == 0


def test_a_closed_set_is_the_same_in_the_past(fleet):
    at = store.clock(fleet).now
    with pytest.raises(store.FilterError, match="lifecycle: there is no value 'gone'"):
        store.assets(fleet, filters={"lifecycle": "gone"}, at=at)


@pytest.mark.parametrize("field", CLOSED)
def test_words_without_an_order_are_not_more_or_less(fleet, field):
    for comparison in ("gt", "gte", "lt", "lte"):
        said = refusal(fleet, **{f"{field}__{comparison}": CLOSED[field][0]})
        assert said.startswith(f"{field}: there is no comparison {comparison!r}; ")
        assert "exact, not, in, notin, isnull, contains" in said
    assert "there is no comparison 'contains'" in refusal(fleet, temporary__contains="tr")


def test_a_truth_is_refused_with_its_words(fleet):
    said = refusal(fleet, temporary="ture")
    assert said == (
        "temporary: there is no truth value 'ture'; did you mean 'true'?"
        " There are: true, yes, 1, false, no, 0"
    )
    assert refusal(fleet, site__isnull="flase").startswith("site__isnull: there is no truth value")


@pytest.mark.parametrize("typed", COMPARISONS)
def test_comparisons_of_other_languages_lead_to_ours(fleet, typed):
    said = refusal(fleet, **{f"memory_bytes__{typed}": "1"})
    assert f"did you mean {COMPARISONS[typed]!r}? There are: exact, not, gt, gte, lt," in said


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("memory__lt", "memory_bytes"),
        ("ram__lt", "memory_bytes"),
        ("MEMORY_BYTES", "memory_bytes"),
        ("memory_byte__gt", "memory_bytes"),
        ("disks__gt", "disk_count"),
        ("disk__gt", "disk_bytes"),
        ("cpus", "processor_threads"),
        ("model", "product_name"),
        ("modle", "product_name"),
        ("memry__gt", "memory_bytes"),
        ("kernal", "kernel_release"),
        ("serial_numer", "sn"),
        ("vendor", "manufacturer"),
        ("serial", "sn"),
        ("Site", "site"),
        ("sit", "site"),
        ("ip", "address"),
        ("host_name", "hostname"),
        ("minionid", "minion_id"),
        ("last_sen__lt", "last_seen"),
        ("disk.model", "disks.model"),
        ("disks.modle", "disks.model"),
        ("memory.size", "memory.size_bytes"),
    ],
)
def test_the_field_that_was_meant_is_named(fleet, typed, meant):
    assert f"did you mean {meant!r}?" in refusal(fleet, **{typed: "1"})


@pytest.mark.parametrize(
    "field", ["network.manufacturer", "gpus.manufacturer", "processors.size_bytes"]
)
def test_a_field_of_parts_that_no_fact_fills_is_none(fleet, field):
    said = refusal(fleet, **{field: "1"})
    assert said.startswith(f"there is no field {field!r}; ")
    listed = said.lower().partition("there are: ")[2].split(", ")
    assert {one.partition(".")[0] for one in listed} == {field.partition(".")[0]}
    assert field not in listed
