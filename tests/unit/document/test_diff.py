"""Changes between two documents, forwards and backwards."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import fleet
from salt_ext.document import encode, normal
from salt_ext.document.diff import Change, diff
from salt_ext.document.names import RULE, RULES
from salt_ext.document.overlay import overlay
from salt_ext.document.undo import apply, undo
from salt_ext.facts import smbios
from salt_ext.facts.smbios import fields
from tests import first_diff
from tests.corpus import corpus_files, needs_corpus
from tests.unit.facts.smbios_tables import split_dump

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
            dimms({**A3, "bank_locator": "P0"}),
            dimms({**A3, "bank_locator": "P1", "locator": "C1"}),
            [
                Change("changed", "memory.devices", "4F2A11", "bank_locator", "P0", "P1"),
                Change("moved", "memory.devices", "4F2A11", "locator", "A3", "C1"),
            ],
            id="a move between slots that take two fields to name is one move",
        ),
        pytest.param(
            dimms({**A3, "bank_locator": "P0"}),
            dimms({**A3, "bank_locator": "P1"}),
            [Change("moved", "memory.devices", "4F2A11", "bank_locator", "P0", "P1")],
            id="the same slot of another bank is another slot",
        ),
        pytest.param(
            dimms(A3, B1),
            dimms({**A3, "locator": "B1"}, {**B1, "locator": "A3"}),
            [
                Change("moved", "memory.devices", "4F2A11", "locator", "A3", "B1"),
                Change("moved", "memory.devices", "77AA01", "locator", "B1", "A3"),
            ],
            id="two DIMMs that change places are two moves",
        ),
        pytest.param(
            dimms({"locator": "A3", "size_bytes": 64}),
            dimms(A3),
            [
                Change(
                    "replaced",
                    "memory.devices",
                    "4F2A11",
                    None,
                    {"locator": "A3", "size_bytes": 64},
                    A3,
                )
            ],
            id="a serial that appears may be that of another part",
        ),
        pytest.param(
            dimms(A3, {**A3, "locator": "B1"}),
            dimms(A3),
            [Change("removed", "memory.devices", "B1", None, {**A3, "locator": "B1"}, None)],
            id="one of two parts with one serial goes",
        ),
        pytest.param(
            dimms(A3),
            dimms(A3, {**A3, "locator": "B1", "size_bytes": 32}),
            [
                Change(
                    "added",
                    "memory.devices",
                    "B1",
                    None,
                    None,
                    {**A3, "locator": "B1", "size_bytes": 32},
                )
            ],
            id="a second part with the same serial comes",
        ),
        pytest.param(
            {"raid": [{"name": "c0", "disks": [{"serial_number": "S1"}]}]},
            {"raid": [{"name": "c0", "disks": [{"serial_number": "S2"}]}]},
            [
                Change(
                    "changed",
                    "raid",
                    "c0",
                    "disks",
                    [{"serial_number": "S1"}],
                    [{"serial_number": "S2"}],
                )
            ],
            id="a list of parts inside a part is a field of it",
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


def test_parts_of_a_section_that_had_none_come_and_go_one_by_one():
    some, none = dimms(A3, B1), {"memory": {"total_bytes": 1}}
    with_total = {"memory": {**some["memory"], "total_bytes": 1}}
    assert [(one.op, one.component) for one in diff(none, with_total)] == [
        ("added", "4F2A11"),
        ("added", "77AA01"),
    ]
    assert [(one.op, one.component) for one in diff(with_total, none)] == [
        ("removed", "4F2A11"),
        ("removed", "77AA01"),
    ]
    words = {"memory": {"devices": ["a"], "total_bytes": 1}}
    assert [(one.op, one.component) for one in diff(words, with_total)] == [("changed", None)]


def test_another_order_is_no_change():
    assert diff(dimms(A3, B1), dimms(B1, A3)) == []


def test_parts_without_a_serial_stay_in_their_slots_when_one_between_them_goes():
    a = dimms({"locator": "A1"}, {"locator": "A2"}, {"locator": "A3"})
    b = dimms({"locator": "A1"}, {"locator": "A3"})
    assert [(c.op, c.component) for c in diff(a, b)] == [("removed", "A2")]


words = st.sampled_from(["A1", "A2", "A3", "X", "Y", "0", "nvme0n2"])
scalars = st.one_of(words, st.integers(-2, 2), st.booleans(), st.floats(-1, 1))
parts = st.fixed_dictionaries(
    {},
    optional={
        "serial_number": words,
        "locator": words,
        "bank_locator": words,
        "name": words,
        "wwn": words,
        "hctl": words,
        "pci_slot": words,
        "model": words,
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
def test_a_diff_leads_from_one_document_to_the_other_and_back_by_each_rule(a, b):
    for rule, changes in ((1, first_diff.diff(a, b)), (RULE, diff(a, b))):
        assert encode(apply(a, changes, rule)) == encode(b)
        assert encode(undo(b, changes, rule)) == encode(a)


def test_each_rule_for_keys_is_tried():
    assert RULES.keys() == {1, RULE}


OPS = {"added", "removed", "changed", "moved", "replaced"}


def leads_there_and_back(a, b):
    """The ops of a difference that was checked both ways."""
    changes = diff(a, b)
    assert encode(apply(a, changes)) == encode(b)
    assert encode(undo(b, changes)) == encode(a)
    assert len([one for one in changes if one.op == "moved"]) == len(
        {(one.path, one.component) for one in changes if one.op == "moved"}
    )
    ops = {one.op for one in changes}
    assert ops <= OPS
    return ops


@settings(max_examples=300, deadline=None)
@given(st.lists(parts, max_size=5), st.randoms(use_true_random=False))
def test_parts_that_are_moved_lost_and_swapped_are_told_both_ways(items, chance):
    after = [dict(item) for item in items if chance.random() < 0.8]
    for item in after:
        if chance.random() < 0.5:
            other = chance.choice(after)
            field = chance.choice(["locator", "serial_number", "bank_locator"])
            item[field], other[field] = other.get(field), item.get(field)
    leads_there_and_back(dimms(*items), dimms(*after))


def test_the_changes_of_a_year_lead_from_each_document_to_the_next_and_back():
    documents = {number: [fleet.machine(number)] for number in range(1, 41)}
    for _, number, facts in fleet.year(40):
        documents.setdefault(number, []).append(facts)
    ops = set()
    for steps in documents.values():
        for a, b in pairwise(steps):
            ops |= leads_there_and_back(a, b)
        ops |= leads_there_and_back(steps[0], steps[-1])
    for a, b in pairwise(list(documents.values())):  # and from one machine to another
        leads_there_and_back(a[0], b[0])
    assert ops == OPS


LISTS = {
    "baseboards": (fields.BASEBOARD, fields.baseboard),
    "chassis": (fields.CHASSIS, fields.chassis),
    "processors": (fields.PROCESSOR, fields.processor),
    "slots": (fields.SLOT, fields.slot),
    "power_supplies": (fields.POWER_SUPPLY, fields.power_supply),
}


def captured(path):
    """The lists of parts in a captured SMBIOS table, in normal form."""
    entry, table = split_dump(path.read_bytes())
    version = smbios.entry_point(entry).version if entry else smbios.ASSUMED_VERSION
    tables = smbios.structures(table, version)
    facts = {
        name: [decode(item) for item in tables.of(kind)] for name, (kind, decode) in LISTS.items()
    }
    modules = tables.of(fields.MEMORY_DEVICE)
    return normal({**facts, "memory": {"devices": list(map(fields.memory_device, modules))}})


@needs_corpus
def test_the_changes_between_captured_machines_lead_there_and_back():
    documents = [captured(path) for path in corpus_files("*/smbios_bin/**/*")]
    assert sum(map(bool, documents)) > 10
    ops = set()
    for a, b in pairwise(documents):
        ops |= leads_there_and_back(a, b)
    assert ops >= {"added", "removed", "changed"}


def test_the_changes_of_a_list_stand_in_its_order():
    # Not in that of a set, which is another in every process.
    serials = [f"S{number}" for number in range(40)]
    a, b = (
        normal({"disks": [{"serial_number": one, "size_bytes": size} for one in serials]})
        for size in (1, 2)
    )
    assert [one.component for one in diff(a, b)] == sorted(serials)


@settings(max_examples=200, deadline=None)
@given(documents)
def test_equal_documents_have_no_changes(a):
    assert diff(a, normal(a)) == []


def test_thousands_of_equal_parts_cost_what_others_do():
    # With a cost that grows with their square this would take minutes.
    many = 20_000
    a, b = ({"x": [{"a": number}] * many} for number in (1, 2))
    changes = diff(a, b)
    assert [one.component for one in changes[:3]] == ["#1", "#2", "#3"]
    assert apply(a, changes) == b
    assert undo(b, changes) == a


def test_a_section_that_was_not_reported_stays_as_it_was_known():
    known = {"system": {"serial_number": "S"}, "disks": [{"serial_number": "D"}]}
    assert overlay(known, {"disks": []}, []) == {"system": {"serial_number": "S"}, "disks": []}


def test_a_partial_section_adds_and_takes_nothing_away():
    known = {"disks": [{"serial_number": "D", "name": "sda", "wwn": "w"}, {"name": "sdb"}]}
    reported = {"disks": [{"name": "sda", "size_bytes": 7}, {"name": "sdc"}]}
    assert overlay(known, reported, ["disks"]) == normal(
        {
            "disks": [
                {"serial_number": "D", "name": "sda", "wwn": "w", "size_bytes": 7},
                {"name": "sdb"},
                {"name": "sdc"},
            ]
        }
    )


@pytest.mark.parametrize(
    ("known", "reported", "expected"),
    [
        pytest.param(A3, {"locator": "A3"}, A3, id="a serial that could not be read this time"),
        pytest.param({"locator": "A3"}, A3, A3, id="a serial that could not be read before"),
        pytest.param(A3, EMPTY_A3, EMPTY_A3, id="a slot that is seen empty"),
        pytest.param(EMPTY_A3, A3, A3, id="a slot that was empty"),
    ],
)
def test_a_slot_that_a_partial_section_tells_of_is_as_it_tells(known, reported, expected):
    now = overlay(dimms(known, B1), dimms(reported), ["memory"])
    assert now == dimms(expected, B1)


@pytest.mark.parametrize("says_present", [True, False])
def test_a_part_that_moved_is_in_its_new_slot_alone_after_a_partial_section(says_present):
    here, there = ({**A3, "locator": name} for name in ("A1", "A2"))
    if says_present:
        here, there = ({**one, "present": True} for one in (here, there))
    empty = [{"locator": name, "present": False} for name in ("A1", "A2")]
    now = overlay(dimms(here, empty[1]), dimms(empty[0], there), ["memory"])
    assert now == dimms(empty[0], there)


@pytest.mark.parametrize(
    ("known", "reported"),
    [([{"name": "a"}], {"a": 1}), ({"a": 1}, [{"name": "a"}]), (["a"], [{"name": "a"}]), (1, "1")],
)
def test_what_is_of_another_kind_takes_the_place_of_what_was_known(known, reported):
    assert overlay({"x": {"y": known}}, {"x": {"y": reported}}, ["x"]) == {"x": {"y": reported}}
