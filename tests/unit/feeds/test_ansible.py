"""The inventory for Ansible."""

import json
import re

import pytest

from salt_ext.feeds.ansible import FEED
from tests.hostile import TEXTS
from tests.unit.feeds.made_up import fed, row


def inventory(*rows, **options):
    text, left_out = fed(FEED, rows, **options)
    return json.loads(text), left_out


def unmarked(value, path=""):
    """Where in a value texts stand that Ansible would take for templates."""
    if isinstance(value, str):
        return [path]
    if not isinstance(value, dict) or set(value) == {"__ansible_unsafe"}:
        return []
    return [one for key in value for one in unmarked(value[key], f"{path}.{key}")]


def test_a_machine_has_its_address_its_variables_and_its_groups():
    found, _ = inventory(row(1, "web01", sn="9XYZ001", site="fra1", rack="R07"), row(2, "db01"))
    assert found["all"] == {"hosts": ["web01", "db01"]}
    assert found["site_fra1"] == {"hosts": ["web01"]}
    of_one = found["_meta"]["hostvars"]["web01"]
    assert of_one["ansible_host"] == of_one["ansible_ssh_host"] == "10.0.0.1"
    assert of_one["cmdb_sn"] == {"__ansible_unsafe": "9XYZ001"}
    assert "rack_R07" not in found


def test_an_inventory_of_nobody_is_one():
    assert inventory() == ({"_meta": {"hostvars": {}}, "all": {"hosts": []}}, {})


@pytest.mark.parametrize("text", TEXTS)
def test_whatever_a_machine_says_is_no_template(text):
    fields = "list.owner,processor_model,list.owner"
    columns = {one: text for one in FEED.columns if one != "address"}
    said = row(1, "web01", processor_model=text, **columns, **{"list.owner": text})
    found, _ = inventory(said, fields=fields, group_by="site,list.owner")
    of_one = found["_meta"]["hostvars"]["web01"]
    assert unmarked(of_one) == [".ansible_host", ".ansible_ssh_host"]
    assert of_one["cmdb_list"]["owner"] == {"__ansible_unsafe": text}
    # As Ansible itself checks them.
    assert all(re.fullmatch(r"[^\W\d]\w*", one) for one in found)


def test_numbers_stay_numbers_and_what_is_not_known_is_null():
    found, _ = inventory(row(1, "web01", memory_bytes=64, rack=None), fields="memory_bytes")
    of_one = found["_meta"]["hostvars"]["web01"]
    assert (of_one["cmdb_memory_bytes"], of_one["cmdb_rack"]) == (64, None)


def test_two_values_may_make_one_group_and_each_machine_has_its_own():
    found, _ = inventory(row(1, "web01", site="fra-1"), row(2, "web02", site="fra 1"))
    assert found["site_fra_1"] == {"hosts": ["web01", "web02"]}
    told = [one["cmdb_site"] for one in found["_meta"]["hostvars"].values()]
    assert told == [{"__ansible_unsafe": "fra-1"}, {"__ansible_unsafe": "fra 1"}]


def test_a_group_is_called_as_people_call_it():
    rows = (row(1, "web01", site="北京", os="Debian GNU/Linux 12 (bookworm)"), row(2, "web02"))
    found, _ = inventory(*rows)
    assert {"site_北京", "os_Debian_GNU_Linux_12_bookworm"} == set(found) - {"_meta", "all"}


@pytest.mark.parametrize(
    "name",
    [
        *("a b", 'a"b', "a\nb", "-e", "web[1:3]", "{{ 7*7 }}", "", "all", "localhost", "10.9.9.9"),
        *("localhost4", "localhost6.localdomain6", "x.LocalHost", "ip6-loopback", "_outbound"),
        *("127.1", "2130706433", "0x7f000001", "017700000001", "127.0x1", "127.0.0.1."),
    ],
)
def test_a_machine_with_a_bad_name_is_left_out_and_the_others_are_served(name):
    found, left_out = inventory(row(1, name), row(2, "web02"))
    assert found["all"]["hosts"] == list(found["_meta"]["hostvars"]) == ["web02"]
    assert list(left_out) == [name]


@pytest.mark.parametrize("name", ["site_fra1", "site_iad1", "kind_web", "list_team_a", "site"])
def test_no_machine_takes_the_place_of_a_group_by_its_name(name):
    rows = (row(1, "web01", site="fra1"), row(2, name, site="fra1"), row(3, "rack_R07"))
    found, left_out = inventory(*rows, group_by="site,kind,list.team")
    assert found["site_fra1"]["hosts"] == ["web01"]
    assert found["all"]["hosts"] == ["web01", "rack_R07"]
    assert "group_by" in left_out[name]


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.9.9.9/8", "::1/128", "0.0.0.0", "::", "::%eth0"),
        *("::ffff:127.0.0.1", "::ffff:7f00:1", "::ffff:0.0.0.0", "::ffff:0:0"),
    ],
)
def test_a_play_for_a_machine_without_a_network_does_not_run_on_the_one_that_deploys(address):
    found, left_out = inventory(row(1, "web01", address=address), row(2, "web02"))
    assert found["all"]["hosts"] == ["web02"]
    assert "loopback" in left_out["web01"]
