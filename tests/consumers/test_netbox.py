"""Machines pushed into a real NetBox 4.7."""

import pytest

from salt_ext import store
from salt_ext.feeds.push import configured, netbox_api, run, told
from salt_ext.feeds.push.target import PushFailed
from tests import postgres
from tests.consumers import netbox
from tests.machines import NOW, arrival, later, server

CARD = server(1)["network"][0]
EVERYTHING = "manufacturers,device_types,roles,sites,racks,platforms"


@pytest.fixture(scope="module")
def running(server_home):
    if why := netbox.why_not():
        pytest.skip(why)
    with netbox.served(server_home()) as served:
        yield served


@pytest.fixture
def dcim(running):
    """A NetBox with nothing in it."""
    running.empty()
    return running


@pytest.fixture
def pushed(database_url, dcim):
    """Run a push with options and wishes; return what is told of it."""

    def push(limit=1000, dry_run=False, adopt=False, recreate=False, force=False, **options):
        said = {"system": "netbox", "url": dcim.url, "token": dcim.token}
        said |= {"create_missing": EVERYTHING, **options}
        database = postgres.open_store(database_url, pushes={"dcim": said})
        what = configured.push_of(database.settings, "dcim")
        wishes = run.Wishes(dry_run, adopt, recreate, force)
        try:
            return told.content(what, wishes, run.push(database, what, wishes), limit)
        finally:
            database.close()

    return push


def machine(number, *, address=None, guest=False, **location):
    where = {"site": "fra1", "rack": "R07", "unit": str(number), **location}
    facts = server(number, location=where)
    facts["network"][0]["addresses"] = [f"{address or f'10.0.0.{number}'}/24"]
    if guest:
        facts["virtual"] = {"role": "guest", "hypervisor": "kvm"}
    return facts


def report(database, *numbers, at=NOW, **how):
    names = {number: f"web{number:02d}" for number in numbers}
    store.ingest(database, [arrival(machine(one, **how), name, at) for one, name in names.items()])


def rows(answer):
    return [(row["what"], row["name"]) for row in answer["rows"]]


def changes(row):
    return {one["field"]: (one["old"], one["new"]) for one in row["changes"]}


def device(dcim, name):
    [found] = dcim.every("dcim/devices", name=name)
    return found


def retire(database, name, state="retired"):
    act = store.Act("ops", "a test", False)
    store.set_lifecycle(database, store.resolve(database, name), state, act)


def test_a_machine_becomes_a_device_with_all_that_belongs_to_it(database, dcim, pushed):
    report(database, 1)
    dry = pushed(dry_run=True)
    assert rows(dry) == [("create", "web01")]
    assert dry["made_first"] == [
        "custom field cmdb_asset_id",
        "custom field cmdb_retired",
        "manufacturer Dell Inc.",
        "device type PowerEdge R750",
        "role Server",
        "site fra1",
        "rack R07",
        "platform Debian GNU/Linux 12 (bookworm)",
    ]
    assert dcim.every("dcim/devices") == dcim.every("dcim/sites") == []
    assert rows(pushed()) == [("create", "web01")]
    found = device(dcim, "web01")
    assert found["serial"] == "9XYZ001"
    assert found["device_type"]["model"] == "PowerEdge R750"
    assert found["device_type"]["manufacturer"]["name"] == "Dell Inc."
    assert (found["site"]["name"], found["rack"]["name"]) == ("fra1", "R07")
    assert (found["position"], found["face"]["value"]) == (1, "front")
    assert found["status"]["value"] == "active"
    assert found["primary_ip4"]["address"] == "10.0.0.1/24"
    [interface] = dcim.every("dcim/interfaces")
    assert (interface["name"], interface["mac_address"]) == (CARD["name"], CARD["mac"].upper())
    assert found["custom_fields"]["cmdb_asset_id"] == str(store.resolve(database, "web01"))


def test_a_second_push_writes_nothing_and_asks_for_the_pages_that_it_compares(database, pushed):
    report(database, 1, 2, 3)
    report(database, 4, guest=True)
    facts = machine(5)
    facts["network"][0].update(default_address="::10.0.0.5", addresses=[])
    store.ingest(database, [arrival(facts, "web05")])
    pushed()
    again = pushed()
    assert rows(again) == []
    assert again["unchanged"] == 5
    # Its custom fields, a page of devices, and a page of virtual machines.
    assert again["calls"] == 3


def test_a_guest_becomes_a_virtual_machine(database, dcim, pushed):
    report(database, 5, guest=True)
    pushed()
    [found] = dcim.every("virtualization/virtual-machines")
    assert (found["name"], found["site"]["name"]) == ("web05", "fra1")
    assert (found["vcpus"], found["memory"]) == (112, 128 * 1024)
    assert found["primary_ip4"]["address"].startswith("10.0.0.5/")
    kind = dcim.make("virtualization/cluster-types", name="kvm", slug="kvm")["id"]
    dcim.make("virtualization/clusters", name="fra1-kvm", type=kind)
    report(database, 6, guest=True)
    pushed(cluster="fra1-kvm")
    [other] = dcim.every("virtualization/virtual-machines", name="web06")
    assert other["cluster"]["name"] == "fra1-kvm"


def test_only_what_differs_is_written_and_what_people_did_stays(database, dcim, pushed):
    report(database, 1)
    pushed()
    before = device(dcim, "web01")
    role = dcim.make("dcim/device-roles", name="Database", slug="database")["id"]
    dcim.ask(
        "PATCH",
        f"dcim/devices/{before['id']}",
        {"role": role, "comments": "a person", "status": "staged", "asset_tag": "A-77"},
    )
    report(database, 1, at=later(seconds=1), rack="R08", unit="9", address="10.0.0.9")
    [row] = pushed()["rows"]
    assert changes(row) == {
        "rack": ("fra1 / R07", "fra1 / R08"),
        "position": (1, 9),
        "IPv4": ("10.0.0.1", "10.0.0.9"),
    }
    after = device(dcim, "web01")
    assert (after["rack"]["name"], after["position"]) == ("R08", 9)
    assert after["primary_ip4"]["address"].startswith("10.0.0.9/")
    kept = [after["role"]["name"], after["comments"], after["status"]["value"], after["asset_tag"]]
    assert kept == ["Database", "a person", "staged", "A-77"]
    # The address that we had made has moved: none is left behind.
    assert len(dcim.every("ipam/ip-addresses")) == 1
    assert rows(pushed()) == []


def test_what_is_retired_gets_the_status_and_is_active_again_when_it_returns(
    database, dcim, pushed
):
    report(database, 1, 2)
    pushed()
    retire(database, "web01")
    assert rows(pushed(force=True)) == [("retire", "web01")]
    found = device(dcim, "web01")
    assert found["status"]["value"] == "decommissioning"
    assert found["custom_fields"]["cmdb_retired"] is True
    assert rows(pushed()) == []
    retire(database, "web01", "active")
    assert rows(pushed()) == [("return", "web01")]
    found = device(dcim, "web01")
    assert (found["status"]["value"], found["custom_fields"]["cmdb_retired"]) == ("active", False)


def test_the_device_of_a_person_is_told_and_adopted_on_purpose(database, dcim, pushed):
    report(database, 1, 2)
    pushed()
    report(database, 3)
    theirs = device(dcim, "web02")
    alike = {"device_type": theirs["device_type"]["id"], "role": theirs["role"]["id"]}
    dcim.make("dcim/devices", name="web03", site=theirs["site"]["id"], comments="mine", **alike)
    [row] = pushed()["rows"]
    assert (row["what"], row["name"]) == ("not ours", "web03")
    assert "adopt=True" in row["why"]
    assert device(dcim, "web03")["serial"] == ""
    assert rows(pushed(adopt=True)) == [("adopt", "web03")]
    found = device(dcim, "web03")
    assert (found["serial"], found["comments"]) == ("9XYZ003", "mine")
    assert rows(pushed()) == []


def test_a_device_that_people_have_listed_is_found_by_its_serial_number(database, dcim, pushed):
    report(database, 1)
    pushed()
    report(database, 2)
    own = device(dcim, "web01")
    alike = {one: own[one]["id"] for one in ("device_type", "role", "site")}
    dcim.make("dcim/devices", name="R07-U2", serial="9XYZ002", asset_tag="A-2", **alike)
    [row] = pushed()["rows"]
    assert row["what"] == "not ours"
    assert "is called 'R07-U2' there and has its serial number" in row["why"]
    assert rows(pushed(adopt=True)) == [("adopt", "web02")]
    assert device(dcim, "web02")["asset_tag"] == "A-2"
    assert len(dcim.every("dcim/devices")) == 2


def test_names_and_serial_numbers_are_one_whatever_their_case_as_in_netbox(database, dcim, pushed):
    report(database, 1)
    pushed()
    own = device(dcim, "web01")
    alike = {one: own[one]["id"] for one in ("device_type", "role", "site")}
    dcim.make("dcim/devices", name="WEB02", **alike)
    dcim.make("dcim/devices", name="switch", serial="9XYZ003A", **alike)
    facts = machine(3)
    facts["system"]["serial_number"] = "9xyz003a"
    store.ingest(database, [arrival(facts, "web03")])
    report(database, 2, 4)
    done = pushed()
    assert done["counts"] == {"create": 1, "not ours": 2}
    why = {row["name"]: row["why"] for row in done["rows"]}
    assert "is called 'WEB02' there; with adopt" in why["web02"]
    assert "is called 'switch' there and has its serial number" in why["web03"]
    assert device(dcim, "web04")


def test_a_short_name_that_another_site_or_platform_has_keeps_nobody_out(database, dcim, pushed):
    squatter = machine(9, site="fra-1")
    squatter["operating_system"]["pretty_name"] = "debian gnu linux 12 bookworm"
    store.ingest(database, [arrival(squatter, "squatter")])
    pushed()
    report(database, 1, site="fra 1")
    assert rows(pushed()) == [("create", "web01")]
    found = device(dcim, "web01")
    assert found["site"]["name"] == "fra 1"
    assert found["site"]["slug"].startswith("fra-1-")
    assert found["platform"]["name"] == "Debian GNU/Linux 12 (bookworm)"
    assert rows(pushed()) == []


def test_a_device_of_the_same_name_at_another_site_is_another_one(database, dcim, pushed):
    report(database, 1)
    pushed()
    own = device(dcim, "web01")
    alike = {one: own[one]["id"] for one in ("device_type", "role")}
    site = dcim.make("dcim/sites", name="ams1", slug="ams1")["id"]
    dcim.make("dcim/devices", name="web02", site=site, **alike)
    report(database, 2)
    assert rows(pushed()) == [("create", "web02")]
    assert len(dcim.every("dcim/devices", name="web02")) == 2


def test_what_netbox_refuses_is_told_and_all_others_are_pushed(database, dcim, pushed):
    report(database, 1, 2, 3)
    facts = machine(4)
    facts["system"]["serial_number"] = "S" * 51
    names = ["n" * 65, "a b"]
    others = [arrival(machine(5 + at), name) for at, name in enumerate(names)]
    store.ingest(database, [arrival(facts, "web04"), *others])
    # In the unit of another one.
    report(database, 8, unit="1")
    done = pushed()
    assert sorted(name for what, name in rows(done) if what == "create") == [
        "web01",
        "web02",
        "web03",
    ]
    why = {row["name"]: row["why"] for row in done["rows"] if row["what"] == "refused"}
    assert why["web04"] == "serial: Ensure this field has no more than 50 characters."
    assert why["n" * 65] == "name: Ensure this field has no more than 64 characters."
    assert "U1.0 is already occupied" in why["web08"]
    assert len(dcim.every("dcim/devices")) == 3
    again = pushed()
    assert {row["name"]: row["why"] for row in again["rows"] if row["what"] == "refused"} == why


def test_an_address_of_somebody_else_is_told_and_taken_on_purpose(database, dcim, pushed):
    report(database, 1, 2)
    dcim.make("ipam/ip-addresses", address="10.0.0.2/24")
    done = pushed()
    [why] = [row["why"] for row in done["rows"] if row["what"] == "refused"]
    assert why.startswith("NetBox has 10.0.0.2/24 already")
    assert device(dcim, "web01")["primary_ip4"]
    assert device(dcim, "web02")["primary_ip4"] is None
    assert rows(pushed()) == [("refused", "web02")]
    assert rows(pushed(addresses="take")) == [("update", "web02")]
    assert device(dcim, "web02")["primary_ip4"]["address"] == "10.0.0.2/24"
    assert rows(pushed()) == []


def test_new_hardware_takes_the_name_and_the_address_of_what_it_replaces(database, dcim, pushed):
    report(database, 1, at=later(days=-2))
    pushed()
    other = machine(2, address="10.0.0.1")
    store.ingest(database, [arrival(other, "web01", later(seconds=1))])
    assert sorted(what for what, _ in rows(pushed())) == ["create", "rename", "retire"]
    new = device(dcim, "web01")
    assert (new["serial"], new["primary_ip4"]["address"]) == ("9XYZ002", "10.0.0.1/24")
    [old] = [one for one in dcim.every("dcim/devices") if one["id"] != new["id"]]
    assert (old["serial"], old["status"]["value"]) == ("9XYZ001", "decommissioning")
    assert old["primary_ip4"] is None
    assert rows(pushed()) == []


def test_machines_that_exchange_their_addresses_have_them_exchanged(database, dcim, pushed):
    report(database, 1, 2)
    pushed()
    for number, address in ((1, "10.0.0.2"), (2, "10.0.0.1")):
        report(database, number, at=later(seconds=1), address=address)
    assert rows(pushed()) == [("update", "web01"), ("update", "web02")]
    assert device(dcim, "web01")["primary_ip4"]["address"] == "10.0.0.2/24"
    assert device(dcim, "web02")["primary_ip4"]["address"] == "10.0.0.1/24"
    assert len(dcim.every("ipam/ip-addresses")) == 2
    assert rows(pushed()) == []


def test_an_address_that_two_machines_have_stays_with_the_first(database, dcim, pushed):
    report(database, 1)
    pushed()
    report(database, 2, address="10.0.0.1")
    [row] = pushed()["rows"]
    assert row["what"] == "refused"
    assert row["why"].endswith("and assigned to web01")
    assert device(dcim, "web01")["primary_ip4"]
    assert device(dcim, "web02")["primary_ip4"] is None


def test_what_netbox_has_not_got_is_told_before_anything_is_written(database, dcim, pushed):
    report(database, 1)
    for dry_run in (True, False):
        [row] = pushed(dry_run=dry_run, create_missing="manufacturers,device_types,roles")["rows"]
        assert row["what"] == "refused"
        assert row["why"] == (
            "NetBox has no site 'fra1', no rack 'R07' in site 'fra1', no platform 'Debian GNU/Linux"
            " 12 (bookworm)'; make there what lacks, or add to create_missing: sites, racks,"
            " platforms"
        )
    assert dcim.every("dcim/devices") == []


def test_a_move_to_a_site_takes_the_rack_of_that_site(database, dcim, pushed):
    report(database, 1)
    pushed()
    report(database, 1, at=later(seconds=1), site="ams1")
    pushed()
    found = device(dcim, "web01")
    assert (found["site"]["name"], found["rack"]["name"]) == ("ams1", "R07")
    assert {one["site"]["name"] for one in dcim.every("dcim/racks")} == {"fra1", "ams1"}


def test_a_machine_that_tells_no_rack_any_more_leaves_it(database, dcim, pushed):
    report(database, 1)
    pushed()
    report(database, 1, at=later(seconds=1), rack=None, unit=None)
    assert rows(pushed()) == [("update", "web01")]
    found = device(dcim, "web01")
    assert (found["rack"], found["position"], found["face"]) == (None, None, None)
    assert rows(pushed()) == []


def test_what_is_peoples_after_the_first_time_is_not_written_again(database, dcim, pushed):
    options = {"only_at_first": "site,rack,position"}
    report(database, 1)
    pushed(**options)
    assert device(dcim, "web01")["rack"]["name"] == "R07"
    report(database, 1, at=later(seconds=1), site="ams1")
    assert rows(pushed(**options)) == []


def test_hostile_texts_come_back_as_they_are(database, dcim, pushed):
    place = {"site": "fra <b>1</b> é 中", "rack": "R'7\"\u202e", "unit": "U12-14"}
    facts = machine(1, **place)
    facts["system"]["product_name"] = "{{ 7*7 }}, null & =1\nx"
    facts["operating_system"]["pretty_name"] = "#?&=%00"
    store.ingest(database, [arrival(facts, "web01")])
    assert rows(pushed()) == [("create", "web01")]
    found = device(dcim, "web01")
    assert (found["site"]["name"], found["rack"]["name"]) == (place["site"], place["rack"])
    assert found["device_type"]["model"] == "{{ 7*7 }}, null & =1\nx"
    # Of a unit that is none nothing is written.
    assert found["position"] is None
    assert rows(pushed()) == []


def test_many_machines_are_read_page_by_page(database, pushed, monkeypatch):
    report(database, *range(1, 6))
    pushed()
    monkeypatch.setattr(netbox_api, "PAGE", 2)
    again = pushed()
    assert (again["unchanged"], rows(again)) == (5, [])
    # Its custom fields (a full page, and an empty one), three of devices, one of machines.
    assert again["calls"] == 6


def test_a_custom_field_of_somebody_else_is_not_taken_for_ours(database, dcim, pushed):
    report(database, 1)
    others = {"type": "integer", "object_types": ["dcim.device"]}
    dcim.make("extras/custom-fields", name="cmdb_asset_id", **others)
    with pytest.raises(PushFailed, match="cmdb_asset_id that is of another type"):
        pushed()


def test_a_machine_that_became_a_guest_is_told(database, dcim, pushed):
    report(database, 1)
    pushed()
    report(database, 1, at=later(seconds=1), guest=True)
    answer = pushed()
    if rows(answer):  # else identity has made another asset of it
        [why] = [row["why"] for row in answer["rows"] if row["what"] == "refused"]
        assert "clear its custom field cmdb_asset_id" in why


def test_a_wrong_token_is_said_and_no_secret_is_shown(database, dcim, pushed):
    report(database, 1)
    with pytest.raises(PushFailed, match="does not let us in") as failure:
        pushed(token="nbt_aaaaaaaaaaaa.wrong")
    assert "nbt_" not in f"{failure.value}{failure.value.hint}"
    with pytest.raises(PushFailed, match="cannot reach"):
        pushed(url=f"http://127.0.0.1:{postgres.free_port()}")
