"""Changes between two documents, forwards and backwards."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from salt_ext.document import encode, normal
from salt_ext.store.diff import Change, apply, diff, merge, undo

A3 = {"serial_number": "4F2A11", "locator": "A3", "size_bytes": 64}
B1 = {"serial_number": "77AA01", "locator": "B1", "size_bytes": 64}
EMPTY_A3 = {"locator": "A3", "present": False}


def dimms(*items):
    return normal({"memory": {"devices": list(items)}})


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        pytest.param(
            dimms(A3, B1),
            dimms(EMPTY_A3, B1),
            [Change("removed", "memory.devices", "4F2A11", None, A3, EMPTY_A3)],
            id="a DIMM that leaves its slot empty was removed",
        ),
        pytest.param(
            dimms(EMPTY_A3, B1),
            dimms(A3, B1),
            [Change("added", "memory.devices", "4F2A11", None, EMPTY_A3, A3)],
            id="a DIMM that fills a slot was added",
        ),
        pytest.param(
            dimms(A3),
            dimms({**A3, "locator": "C1"}),
            [Change("moved", "memory.devices", "4F2A11", "locator", "A3", "C1")],
            id="the same serial in another slot was moved",
        ),
        pytest.param(
            dimms(A3),
            dimms({**A3, "serial_number": "NEW"}),
            [Change("replaced", "memory.devices", "NEW", None, A3, {**A3, "serial_number": "NEW"})],
            id="another serial in the same slot was replaced",
        ),
        pytest.param(
            dimms(A3),
            dimms({**A3, "speed_mts": 2933}),
            [Change("changed", "memory.devices", "4F2A11", "speed_mts", None, 2933)],
            id="only the field that changed is told",
        ),
        pytest.param(
            {"firmware": {"version": "1.9.2"}},
            {"firmware": {"version": "1.11.0"}},
            [Change("changed", "firmware.version", None, None, "1.9.2", "1.11.0")],
            id="a value of a section",
        ),
        pytest.param(
            {"gpus": []},
            {},
            [Change("removed", "gpus", None, None, [], None)],
            id="a section that is gone is more than an empty one",
        ),
        pytest.param(
            {"system": {"on": True}},
            {"system": {"on": 1}},
            [Change("changed", "system.on", None, None, True, 1)],
            id="true and one are different",
        ),
    ],
)
def test_diff_names_what_happened(a, b, expected):
    assert diff(a, b) == expected


def test_another_order_is_no_change():
    assert diff(dimms(A3, B1), dimms(B1, A3)) == []


def test_parts_without_a_serial_stay_in_their_slots_when_one_between_them_goes():
    a = dimms({"locator": "A1"}, {"locator": "A2"}, {"locator": "A3"})
    b = dimms({"locator": "A1"}, {"locator": "A3"})
    assert [(c.op, c.component) for c in diff(a, b)] == [("removed", "A2")]


words = st.sampled_from(["A1", "A2", "A3", "X", "Y", "0"])
scalars = st.one_of(words, st.integers(-2, 2), st.booleans(), st.floats(-1, 1))
parts = st.fixed_dictionaries(
    {},
    optional={
        "serial_number": words,
        "locator": words,
        "bank_locator": words,
        "name": words,
        "present": st.booleans(),
        "size_bytes": scalars,
        "a.b~c": st.lists(scalars, max_size=2),
    },
)
values = st.recursive(
    scalars | st.lists(scalars, max_size=3) | st.lists(parts, max_size=4),
    lambda inner: st.dictionaries(st.sampled_from(["p", "q", "r.s", "~1"]), inner, max_size=3),
    max_leaves=8,
)
sections = st.one_of(
    st.lists(parts, max_size=5), st.dictionaries(st.sampled_from(["p", "q", "r.s"]), values)
)
documents = st.dictionaries(
    st.sampled_from(["memory", "disks", "own.section"]), sections, max_size=3
).map(normal)


@settings(max_examples=500, deadline=None)
@given(documents, documents)
def test_a_diff_leads_from_one_document_to_the_other_and_back(a, b):
    changes = diff(a, b)
    assert encode(apply(a, changes)) == encode(b)
    assert encode(undo(b, changes)) == encode(a)


@settings(max_examples=200, deadline=None)
@given(documents)
def test_equal_documents_have_no_changes(a):
    assert diff(a, normal(a)) == []


def test_a_section_that_was_not_reported_stays_as_it_was_known():
    known = {"system": {"serial_number": "S"}, "disks": [{"serial_number": "D"}]}
    assert merge(known, {"disks": []}, []) == {"system": {"serial_number": "S"}, "disks": []}


def test_a_partial_section_adds_and_takes_nothing_away():
    known = {"disks": [{"serial_number": "D", "name": "sda", "wwn": "w"}, {"name": "sdb"}]}
    reported = {"disks": [{"name": "sda", "size_bytes": 7}, {"name": "sdc"}]}
    assert merge(known, reported, ["disks"]) == normal(
        {
            "disks": [
                {"serial_number": "D", "name": "sda", "wwn": "w", "size_bytes": 7},
                {"name": "sdb"},
                {"name": "sdc"},
            ]
        }
    )
