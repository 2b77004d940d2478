"""What a push has to do: pure, from what shall be there, what is there and the ledger."""

import uuid
from datetime import datetime, timezone

import pytest

from salt_ext.feeds.push.plan import State, names_in_question, objects_of, plan
from salt_ext.feeds.push.target import Found
from salt_ext.store import Pushed

ONE, TWO, THREE = (uuid.UUID(int=number) for number in (1, 2, 3))
THEN = datetime(2026, 11, 1, tzinfo=timezone.utc)


def wanted(asset_id, name, **fields):
    return {"name": name, "asset_id": str(asset_id), "retired": False, **fields}


def there(number, name, mark=None, retired=False, **fields):
    own = {"name": name, "asset_id": mark and str(mark), "retired": retired}
    return Found(str(number), {**own, **fields})


def entry(asset_id, number, *, key=None, retired=False, **wrote):
    return Pushed(asset_id, key or asset_id, str(number), wrote, THEN if retired else None)


def planned(wishes=(), objects=(), ledger=(), kept=(), keeps=(), **options):
    """The plan for wishes and objects, and of its steps what is told."""
    entries = {one.asset_id: one for one in ledger}
    marked = [one for one in objects if one.fields["asset_id"]]
    state = State(
        {uuid.UUID(one["asset_id"]): one for one in wishes},
        set(kept),
        entries,
        objects_of(entries, marked),
        keeps,
    )
    names = names_in_question(state)
    holders = {one.fields["name"]: one for one in objects if one.fields["name"] in names}
    return plan(state, holders, **options)


def told(found):
    return [(step.what, step.name, dict(step.fields)) for step in found.steps]


def test_what_is_not_there_is_created_whole():
    found = planned([wanted(ONE, "web01", rack="R7")])
    assert told(found) == [("create", "web01", wanted(ONE, "web01", rack="R7"))]


def test_what_is_as_it_shall_be_is_not_touched():
    fields = {"rack": "R7"}
    found = planned(
        [wanted(ONE, "web01", **fields)],
        [there(10, "web01", ONE, **fields)],
        [entry(ONE, 10, **fields)],
    )
    assert told(found) == []
    assert [asset_id for asset_id, _ in found.unchanged] == [ONE]


def test_only_what_differs_is_written():
    found = planned(
        [wanted(ONE, "web01", rack="R8", site="dc1")],
        [there(10, "web01", ONE, rack="R7", site="dc1", owner="a person's")],
        [entry(ONE, 10, rack="R7", site="dc1")],
    )
    assert told(found) == [("update", "web01", {"rack": "R8"})]


def test_a_value_that_we_do_not_know_leaves_that_of_a_person():
    mine = planned(
        [wanted(ONE, "web01", rack=None)],
        [there(10, "web01", ONE, rack="R7")],
        [entry(ONE, 10, rack="R7")],
    )
    assert told(mine) == [("update", "web01", {"rack": None})]
    theirs = planned(
        [wanted(ONE, "web01", rack=None)],
        [there(10, "web01", ONE, rack="a person's")],
        [entry(ONE, 10, rack="R7")],
    )
    assert told(theirs) == []


def test_a_field_that_an_option_took_away_goes_as_an_unknown_value_does():
    found = planned(
        [wanted(ONE, "web01")],
        [there(10, "web01", ONE, rack="R7", groups=["CMDB", "theirs"])],
        [entry(ONE, 10, rack="R7", groups=["CMDB"])],
    )
    assert told(found) == [("update", "web01", {"rack": None, "groups": ["theirs"]})]


def test_a_field_that_a_system_keeps_stays_when_it_is_wanted_no_more():
    here = [there(10, "web01", ONE, rack="R7", site="dc1")], [entry(ONE, 10, rack="R7", site="dc1")]
    assert told(planned([wanted(ONE, "web01")], *here, keeps=["rack", "site"])) == []
    moved = planned([wanted(ONE, "web01", site="dc2")], *here, keeps=["rack", "site"])
    assert told(moved) == [("update", "web01", {"site": "dc2"})]


def test_of_a_list_only_our_elements_are_replaced():
    found = planned(
        [wanted(ONE, "web01", groups=["CMDB/dc2"])],
        [there(10, "web01", ONE, groups=["CMDB/dc1", "Linux"])],
        [entry(ONE, 10, groups=["CMDB/dc1"])],
    )
    assert told(found) == [("update", "web01", {"groups": ["CMDB/dc2", "Linux"]})]


def test_what_was_made_by_a_push_that_was_killed_is_found_by_its_mark():
    found = planned([wanted(ONE, "web01")], [there(10, "web01", ONE)])
    assert told(found) == []
    assert [(asset_id, one.id) for asset_id, one in found.unchanged] == [(ONE, "10")]


def test_an_object_of_a_person_is_told_and_taken_over_only_on_purpose():
    here = ([wanted(ONE, "web01", rack="R7")], [there(10, "web01", rack="other")])
    (step,) = planned(*here).steps
    assert (step.what, step.why) == (
        "not ours",
        "10 has this name there; with adopt=True it is taken over",
    )
    assert told(planned(*here, adopt=True)) == [
        ("adopt", "web01", {"asset_id": str(ONE), "rack": "R7"})
    ]


def test_the_same_id_without_the_mark_is_not_ours():
    """Another server behind the same address has other objects under the same ids."""
    (step,) = planned([wanted(ONE, "web01")], [there(10, "web01")], [entry(ONE, 10)]).steps
    assert step.what == "not ours"
    assert "its mark was taken away" in step.why


def test_the_mark_of_an_asset_that_this_push_did_not_write_is_left_alone():
    (step,) = planned([wanted(ONE, "web01")], [there(10, "web01", TWO)], adopt=True).steps
    assert step.what == "refused"
    assert str(TWO) in step.why


def test_a_copy_of_our_object_is_not_ours():
    found = planned(
        [wanted(ONE, "web01")],
        [there(11, "copy", ONE), there(10, "web01", ONE)],
        [entry(ONE, 10)],
    )
    assert told(found) == []
    assert found.unchanged[0][1].id == "10"


def test_the_only_object_with_the_mark_is_ours_when_that_of_the_ledger_is_gone():
    found = planned([wanted(ONE, "web01")], [there(11, "web01", ONE)], [entry(ONE, 10)])
    assert told(found) == []
    assert found.unchanged[0][1].id == "11"


def test_two_objects_with_one_mark_and_no_ledger_are_told():
    objects = [there(10, "web01", ONE), there(11, "copy", ONE)]
    (step,) = planned([wanted(ONE, "web01")], objects).steps
    assert step.what == "refused"
    assert "10, 11" in step.why


def test_what_a_person_deleted_is_told_and_made_again_only_on_purpose():
    here = ([wanted(ONE, "web01")], [], [entry(ONE, 10)])
    assert [step.what for step in planned(*here).steps] == ["deleted there"]
    assert [step.what for step in planned(*here, recreate=True).steps] == ["create"]


def test_what_is_handed_out_no_more_is_retired_once():
    mine, gone = there(10, "web01", ONE), there(11, "web02", TWO, retired=True)
    found = planned([], [mine, gone], [entry(ONE, 10), entry(TWO, 11), entry(THREE, 12)])
    assert told(found) == [("retire", "web01", {"retired": True})]
    assert [asset_id for asset_id, _ in found.retired] == [TWO]
    assert found.forgotten == [THREE]
    again = planned([], [mine], [entry(ONE, 10, retired=True)])
    assert told(again) == []


def test_what_is_missing_or_left_out_is_kept_as_it_is():
    found = planned([], [there(10, "web01", ONE)], [entry(ONE, 10)], kept=[ONE])
    assert told(found) == []
    assert found.forgotten == []


def test_what_comes_back_is_switched_on_again():
    found = planned(
        [wanted(ONE, "web01")], [there(10, "web01", ONE, retired=True)], [entry(ONE, 10)]
    )
    assert told(found) == [("return", "web01", {"retired": False})]


@pytest.mark.parametrize("is_retired", [True, False])
def test_new_hardware_takes_the_name_of_the_old(is_retired):
    old = there(10, "web01", ONE, retired=is_retired)
    found = planned([wanted(TWO, "web01")], [old], [entry(ONE, 10, retired=is_retired)])
    other = f"web01_{ONE.hex[-8:]}"
    steps = [(what, fields["name"]) for what, _, fields in told(found) if "name" in fields]
    assert steps == [("rename", other), ("create", "web01")]
    assert ("retire" in [step.what for step in found.steps]) is not is_retired


def test_two_machines_can_change_their_names_with_each_other():
    found = planned(
        [wanted(ONE, "web02"), wanted(TWO, "web01")],
        [there(10, "web01", ONE), there(11, "web02", TWO)],
        [entry(ONE, 10), entry(TWO, 11)],
    )
    assert [(step.what, step.fields["name"]) for step in found.steps] == [
        ("rename", f"web01_{ONE.hex[-8:]}"),
        ("rename", f"web02_{TWO.hex[-8:]}"),
        ("update", "web01"),
        ("update", "web02"),
    ]


def test_a_name_of_what_is_kept_is_not_taken_away():
    found = planned([wanted(TWO, "web01")], [there(10, "web01", ONE)], [entry(ONE, 10)], kept=[ONE])
    (step,) = found.steps
    assert step.what == "refused"
    assert str(ONE) in step.why


def test_the_object_of_what_was_merged_goes_to_what_it_is_now():
    found = planned([wanted(TWO, "web01")], [there(10, "web01", ONE)], [entry(TWO, 10, key=ONE)])
    assert told(found) == [("update", "web01", {"asset_id": str(TWO)})]


def test_a_name_that_changes_its_case_alone_is_no_obstacle_to_itself():
    own = there(10, "web01", ONE)
    state = State({ONE: wanted(ONE, "WEB01")}, set(), {ONE: entry(ONE, 10)}, {ONE: [own]})
    assert told(plan(state, {"WEB01": own})) == [("update", "WEB01", {"name": "WEB01"})]


def test_a_machine_that_is_called_so_in_another_case_is_not_renamed():
    own = there(10, "WEB01", ONE)
    wishes = {ONE: wanted(ONE, "WEB01"), TWO: wanted(TWO, "web01")}
    found = plan(State(wishes, set(), {}, {ONE: [own]}), {"web01": own})
    [step] = found.steps
    assert (step.what, step.asset_id) == ("refused", TWO)
    assert "is called 'WEB01' there, and stands for asset" in step.why
