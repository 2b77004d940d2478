"""The pages of clouds: what was found the last time, and why the time after that told nothing."""

import pytest

from salt_ext import store
from tests.clouds import guest, instance, uuid_of
from tests.machines import arrival


@pytest.fixture
def cloud(database):
    """A cloud with an instance that does not report, and a machine whose instance is deleted."""
    store.ingest(database, [arrival(guest(1), "web01")])
    gone = {"cloud": "prod", "id": uuid_of(1), "name": "vm01", "state": "deleted"}
    more = {**instance(7), "cloud": "prod", "name": "<b>vm07</b>"}
    one = store.resolve(database, "web01")
    findings = [
        store.Finding("unreported", uuid_of(7), "no machine reports its id", more),
        store.Finding("unlisted", str(one), "the cloud lists its instance no longer", gone, one),
    ]
    counts = {"instances": 2, "matched": 1, "unreported": 1, "unlisted": 1, "tied": 0, "deleted": 0}
    store.keep_listing(database, "prod", "openstack", counts, findings)


def test_the_clouds_and_both_lists_of_each_are_pages(client, cloud):
    page = client.get("/clouds").text
    assert "/clouds/prod?list=unlisted" in page
    assert "openstack" in page
    unreported = client.get("/clouds/prod").text
    assert "&lt;b&gt;vm07&lt;/b&gt;" in unreported
    assert "compute1" in unreported
    unlisted = client.get("/clouds/prod?list=unlisted").text
    assert "web01" in unlisted
    assert "lists its instance no longer" in unlisted
    assert "There are none" in client.get("/clouds/prod?list=tied").text
    assert 'href="/clouds"' in client.get("/quality").text
    rows = client.get("/api/v1/clouds/prod?list=unlisted").json["rows"]
    assert [(row["minion_id"], row["state"], row["freshness"]) for row in rows] == [
        ("web01", "deleted", "fresh")
    ]


def test_the_lists_say_how_long_they_are_and_the_first_that_is_not_empty_opens(
    page, cloud, database
):
    one = store.resolve(database, "web01")
    told = {**instance(1), "cloud": "quiet", "name": "vm01"}
    counts = {"instances": 1, "matched": 1, "unreported": 0, "unlisted": 0, "tied": 1}
    finding = store.Finding("tied", str(one), "two machines show one id", told, one)
    store.keep_listing(database, "quiet", "ec2", counts, [finding])
    soup = page("/clouds/quiet")
    tabs = [" ".join(tab.get_text(" ").split()) for tab in soup.select("ul.pills a")]
    assert tabs == [
        "instances without a report 0",
        "reports without an instance 0",
        "machines that show one id 1",
    ]
    assert "show one id" in soup.select_one("ul.pills a[aria-current]").text
    assert "two machines show one id" in soup.tbody.text
    assert page("/reports").find("a", href="/clouds")


def test_a_listing_that_failed_is_told_and_the_numbers_stay(client, cloud, database):
    store.fail_listing(database, "prod", "openstack", "master", "500 in page two")
    page = client.get("/clouds").text
    assert "500 in page two" in page
    [row] = client.get("/api/v1/clouds").json["rows"]
    assert (row["unreported"], row["unlisted"], row["failure"]) == (1, 1, "500 in page two")


def test_a_cloud_that_was_never_asked_is_named_with_the_nearest(client, cloud):
    response = client.get("/clouds/prdo")
    assert response.status_code == 404
    assert "did you mean &#39;prod&#39;" in response.text
    assert client.get("/clouds/prod?list=gone").status_code == 400


def test_an_asset_shows_what_its_cloud_says(client, cloud, database):
    one = store.resolve(database, "web01")
    store.tell_instances(database, "prod", [(one, {**instance(1), "cloud": "prod"})])
    page = client.get(f"/a/{one}").text
    assert "compute1" in page
    assert "cloud" in page
    store.tell_instances(database, "prod", [(one, {**instance(1), "cloud": "prod", "host": "c2"})])
    assert "compute1" in client.get(f"/a/{one}/changes").text
