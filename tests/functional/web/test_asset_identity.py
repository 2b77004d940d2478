"""Why an asset is this asset: the ledger, decisions, and what a person has to decide."""

import csv
import io
import shlex
from urllib.parse import urlsplit

import pytest
from salt.utils.args import parse_input

from salt_ext import store
from salt_ext.store import ingest
from tests.machines import NOW, arrival, later, server


def text(node):
    return " ".join(node.get_text(" ").split())


@pytest.fixture
def asset_id(database):
    """A machine that had another name before."""
    ingest(database, [arrival(server(1), "old01", later(hours=-2))])
    ingest(database, [arrival(server(1), "old01", later(minutes=-5))])
    ingest(database, [arrival(server(1), "web01", NOW, previous="old01", last=later(minutes=-5))])
    return store.resolve(database, "web01")


@pytest.fixture
def merged(database):
    """Two ids: a machine without keys, and the one that it turned out to be."""
    keyless = {name: server(1)[name] for name in ("operating_system", "memory", "disks")}
    ingest(database, [arrival(server(1), "old", later(days=-9))])
    ingest(database, [arrival(keyless, "new", later(days=-5))])
    lost = store.resolve(database, "new")
    ingest(database, [arrival(server(1), "new", later(days=-2))])
    kept = store.resolve(database, "new")
    assert kept != lost
    return lost, kept


def test_the_ledger_says_kind_value_source_and_quality(page, asset_id):
    soup = page(f"/a/{asset_id}/identity")
    row = next(row for row in soup.tbody("tr") if "dell/9xyz001" in text(row))
    assert text(row).startswith("Serial number dell/9xyz001 system.serial_number high ")
    assert text(row).endswith(" current")
    assert "old01 · until" in text(soup.find(id="names")).replace("old01", "old01 ·")
    assert "Former names old01" in text(soup.find(id="names"))
    assert "renamed" in text(soup.find(id="decisions"))


def test_the_ledger_is_the_same_in_each_format(client, page, asset_id):
    address = f"/a/{asset_id}/identity"
    shown = [text(row.th) for row in page(address).find(id="identifiers").tbody("tr")]
    told = client.get(f"{address}.json").json
    assert [one["value"] for one in told["identifiers"]] == shown
    assert [one["action"] for one in told["decisions"]] == ["renamed"]
    assert told["claims"] == []
    written = io.StringIO(client.get(f"{address}.csv").data.decode("utf-8-sig"))
    assert [row["value"] for row in csv.DictReader(written)] == shown


def test_what_identified_it_then_is_told_as_of_then(page, asset_id):
    soup = page(f"/a/{asset_id}/identity?_as_of=1h")
    assert "web01" not in text(soup.find(id="identifiers"))
    assert "old01" in text(soup.find(id="identifiers"))
    assert "the usual" in text(soup.find(id="decisions"))
    tabs = soup.find("nav", attrs={"aria-label": "Pages of this asset"})
    assert all("_as_of=1h" in link["href"] for link in tabs.find_all("a"))


def test_a_held_report_names_the_command_that_decides_and_the_command_does_it(
    page, client, database, asset_id, runners
):
    [held] = ingest(database, [arrival(server(2), "web01", later(minutes=1))])
    assert held.status == "held"
    soup = page(f"/a/{asset_id}/identity")
    commands = [text(one) for one in soup.find(id="claims").find_all("code")]
    assert commands[0].startswith("salt-run cmdb.quarantine accept web01 as=")
    assert all(one.endswith("reason='...' test=False") for one in commands)
    split = next(one for one in commands if " split " in one)
    # As a shell, and then Salt, read what somebody has copied and given a reason.
    _, function, *words = shlex.split(split.replace("...", "new box"))
    args, options = parse_input(words, condition=False)
    answer = runners[function](*args, **options)
    assert answer["data"]["cmdb"]["outcome"]["status"] == "new"
    assert page(f"/a/{asset_id}/identity").find(id="claims") is None
    assert client.get(f"/a/{asset_id}/identity.json").json["claims"] == []


@pytest.mark.parametrize("below", ["", "/identity", "/card", "/raw", ".json", "/identity.json"])
def test_an_asset_that_turned_out_to_be_another_leads_to_it(client, merged, below):
    lost, kept = merged
    response = client.get(f"/a/{lost}{below}")
    assert response.status_code == 302
    assert urlsplit(response.headers["Location"]).path == f"/a/{kept}{below}"
    assert client.get(f"/a/{kept}{below}").status_code == 200


@pytest.mark.parametrize("below", ["/identity", "/card", "/raw"])
def test_an_id_of_nobody_is_not_found(page, below):
    assert "there is no asset" in text(page(f"/a/00000000-0000-0000-0000-000000000000{below}", 404))


def test_what_only_a_list_has_has_shown_no_identifier(database, page):
    rows = [{"sn": None, "minion_id": "pdu1", "fields": {"site": "dc1"}, "kind": "pdu", "row": 2}]
    store.import_expected(database, rows, source="power.csv", by="ann")
    [row] = store.assets(database).rows
    for below in ("/identity", "/card", "/raw"):
        assert page(f"/a/{row['id']}{below}")
