"""The machines that people expect and that have never reported."""

import pytest

from salt_ext import store
from salt_ext.feeds.reached import reached
from salt_ext.lists import expected, rows
from tests.machines import arrival, server


@pytest.fixture
def keep(database, tmp_path):
    """Import these lines as a list of this name."""

    def imported(*lines, source="list.csv"):
        path = tmp_path / "list.csv"
        path.write_text("\n".join(lines))
        return expected.keep(database, rows.read(str(path), "", {}), source=source, by="me")

    return imported


def waiting(database, **filters):
    return [one["minion_id"] or one["sn"] for one in store.awaited(database, filters=filters)]


LIST = (
    "SN,Name,Site,IP,Type,Owner,Cost",
    "9XYZ001,web01,dc1,,server,ann,5",
    "NEW1,db01,dc1,10.0.9.1/24 (eth0),服务器,bob,7",
    "NEW2,,dc2,,,carl,9",
    "SW1,sw01,dc1,10.0.9.2,交换机,bob,1",
    "PD1,pdu01,dc1,,PDU,bob,1",
    "SP1,,dc1,,spare,bob,1",
)


def test_what_was_never_heard_is_awaited_until_it_reports(database, keep):
    store.ingest(database, [arrival(server(1), "web01")])
    keep(*LIST)
    assert waiting(database) == ["db01", "NEW2"]
    facts = server(5)
    facts["system"]["serial_number"] = "NEW1"
    store.ingest(database, [arrival(facts, "db01.example.com")])
    assert waiting(database) == ["NEW2"]


def test_filters_are_compared_with_what_the_list_says(database, keep):
    keep(*LIST)
    assert waiting(database, site="dc1") == ["db01", "web01"]
    assert waiting(database, **{"list.owner": "carl"}) == ["NEW2"]
    assert waiting(database, **{"list.cost__gte": 7}) == ["db01", "NEW2"]
    assert waiting(database, minion_id__glob="db*") == ["db01"]
    # Of what never reported nobody knows how fresh it is.
    assert waiting(database, freshness="missing") == []
    assert waiting(database, memory_bytes__lt="1TiB") == []
    with pytest.raises(store.FilterError, match="did you mean 'site'"):
        waiting(database, sit="dc1")


def test_a_machine_of_several_lists_is_awaited_once_and_a_reason_counts_for_all(database, keep):
    keep(*LIST, source="one")
    keep("SN,Name", "NEW1,db01", ",db09", source="two")
    assert waiting(database, site__isnull="true") == ["db01", "db09"]
    assert waiting(database) == ["db01", "db09", "web01", "NEW2"]
    store.set_expected(database, "NEW1", {"reason": "spare"}, by="me", awaited=False)
    store.set_expected(database, "db09", {"reason": "broken"}, by="me", awaited=False)
    assert waiting(database) == ["web01", "NEW2"]
    # A word about something else does not take the reason away; a blank reason does.
    store.set_expected(database, "NEW1", {"list.owner": "eve"}, by="me")
    assert waiting(database) == ["web01", "NEW2"]
    store.set_expected(database, "NEW1", {"reason": ""}, by="me", awaited=True)
    assert waiting(database) == ["db01", "web01", "NEW2"]


def test_what_is_awaited_is_reached_by_the_address_of_the_list_or_its_name(database, keep):
    store.ingest(database, [arrival(server(1), "web01")])
    keep(*LIST, ",db02,dc1,,,,", ",db03,dc1,fe80::1; ssh 22,,,", ",db04,dc1,ask bob,,,")
    found, _ = reached(database)
    assert found == {
        # What a machine has reported itself goes before any list.
        "web01": "10.0.0.1",
        "db01": "10.0.9.1",
        "db02": "db02",
        "db03": "fe80::1",
        "db04": "db04",
    }
