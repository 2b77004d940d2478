"""Both lists are exact: what has no report, and what reports and has no instance."""

import time

from salt_ext.clouds.compare import compare
from salt_ext.document.placeholders import uuid_spellings
from tests.unit.clouds.made_up import PROJECT, cloud, machine, server

FORMER = {"cloud": "prod", "id": "gone", "name": "vm", "state": "running"}


def names(found):
    return [one.name for one in found]


def test_a_machine_is_the_instance_whose_uuid_it_shows_in_either_byte_order():
    first, second, third = server(1), server(2), server(3)
    swapped = uuid_spellings(second.uuid)[1]
    found = compare(cloud(), [first, second, third], [machine(1, first.uuid), machine(2, swapped)])
    assert [(one.name, other.name) for one, other in found.matched] == [
        ("web1", "vm1"),
        ("web2", "vm2"),
    ]
    assert names(found.unreported) == ["vm3"]
    assert not found.unlisted
    assert not found.ties


def test_an_id_counts_with_the_kind_of_its_cloud_only():
    one = server(1, uuid=None, provider="ec2")._replace(id="i-0abc")
    found = compare(cloud(), [one], [machine(1, "hetzner/i-0abc"), machine(2, "ec2/i-0abc")])
    assert [other.name for other, _ in found.matched] == ["web2"]


def test_what_was_an_instance_of_this_cloud_and_is_listed_no_more_is_told_as_deleted():
    found = compare(cloud(), [server(1)], [machine(1, instance=FORMER)])
    [left] = found.unlisted
    assert (left.machine.name, left.facts["state"]) == ("web1", "deleted")
    assert "no longer" in left.why


def test_what_a_login_sees_no_longer_is_not_called_deleted():
    listed = [server(1, region="south"), server(2, state="deleted", project="p2", region="north")]
    places = {
        1: {"project": "p1"},
        2: {"project": PROJECT, "region": "north"},
        3: {"project": "p2", "region": "north"},
        4: {"project": PROJECT},
        5: {"project": "p1", "state": "deleted"},
        6: {},
    }
    machines = [machine(one, instance={**FORMER, **place}) for one, place in places.items()]
    found = {one.machine.name: one for one in compare(cloud(), listed, machines).unlisted}
    assert {name: one.facts and one.facts["state"] for name, one in found.items()} == {
        "web1": None,
        "web2": None,
        **dict.fromkeys(("web3", "web4", "web5", "web6"), "deleted"),
    }
    assert found["web1"].why.endswith("deleted, or its login no longer sees that project")
    assert found["web2"].why.endswith("deleted, or its login no longer sees that region")
    assert "p1" not in found["web1"].why
    believed = compare(cloud(), listed, machines, is_believed=True).unlisted
    assert {one.facts["state"] for one in believed} == {"deleted"}


def test_what_a_cloud_lists_as_deleted_is_matched_and_has_no_instance():
    one = server(1, state="deleted")
    found = compare(cloud(), [one, server(2, state="deleted")], [machine(1, one.uuid)])
    assert [other.state for _, other in found.matched] == ["deleted"]
    assert [left.machine.name for left in found.unlisted] == ["web1"]
    assert not found.unreported


def test_a_machine_of_another_cloud_or_account_or_region_is_never_called_missing():
    told = {"provider": "openstack", "account": PROJECT}
    others = [
        machine(1, instance={**FORMER, "cloud": "other"}, **told),
        machine(2, provider="openstack", account="another"),
        machine(3, provider="ec2", account=PROJECT),
        machine(4, provider="openstack"),
        machine(5, **told, region="north"),
        machine(6),
        machine(7, **told, lifecycle="retired"),
    ]
    listed = [server(1, region="south")]
    assert not compare(cloud(), listed, others).unlisted
    ours = [machine(8, **told), machine(9, **told, region="south")]
    found = compare(cloud(), listed, [*others, *ours])
    assert [left.machine.name for left in found.unlisted] == ["web8", "web9"]
    assert [left.facts for left in found.unlisted] == [None, None]


def test_all_machines_of_a_kind_of_cloud_are_of_this_one_where_the_setting_says_so():
    left = [machine(1, provider="openstack"), machine(2, provider="ec2")]
    found = compare(cloud(provider="openstack"), [], left)
    assert [one.machine.name for one in found.unlisted] == ["web1"]


def test_a_machine_that_shows_another_id_now_is_left_over_though_its_instance_lives():
    one = server(1)
    found = compare(cloud(), [one], [machine(1, instance={**FORMER, "id": one.id})])
    [left] = found.unlisted
    assert left.facts is None
    assert "shows no longer" in left.why
    assert names(found.unreported) == ["vm1"]


def test_two_machines_that_show_one_uuid_are_told_and_neither_is_the_instance():
    one = server(1)
    found = compare(cloud(), [one], [machine(1, one.uuid), machine(2, one.uuid)])
    [tie] = found.ties
    assert (names(tie.instances), names(tie.machines)) == (["vm1"], ["web1", "web2"])
    assert not [*found.matched, *found.unreported, *found.unlisted]


def test_two_instances_with_one_uuid_are_told_and_neither_is_the_machine():
    one = server(1)
    clone = server(2, uuid=one.uuid)
    found = compare(cloud(), [one, clone], [machine(1, one.uuid)])
    [tie] = found.ties
    assert (names(tie.instances), names(tie.machines)) == (["vm1", "vm2"], ["web1"])
    assert not [*found.matched, *found.unreported, *found.unlisted]


def test_a_machine_that_shows_the_ids_of_two_instances_is_told():
    one, other = server(1), server(2, uuid=None)
    found = compare(cloud(), [one, other], [machine(1, one.uuid, f"openstack/{other.id}")])
    assert {names(tie.instances)[0] for tie in found.ties} == {"vm1", "vm2"}
    assert not found.matched


def test_a_hundred_thousand_that_all_show_one_uuid_cost_no_more_than_others():
    one = server(0)
    many = [server(number, uuid=one.uuid) for number in range(20_000)]
    machines = [machine(number, one.uuid) for number in range(20_000)]
    before = time.thread_time()
    found = compare(cloud(), many, machines)
    assert time.thread_time() - before < 10
    assert sum(len(tie.machines) for tie in found.ties) == 20_000
