"""Twice as large a report takes twice the work, whatever is in it: no shape makes it quadratic."""

import sys

import pytest

from salt_ext.document import keys, normal
from salt_ext.document.diff import diff
from salt_ext.document.overlay import overlay
from salt_ext.document.undo import undo
from salt_ext.document.volatile import split, with_volatile
from salt_ext.facts.identity import identify
from salt_ext.report import checking, digests
from salt_ext.report.weighing import is_heavier
from salt_ext.store.columns import list_columns
from salt_ext.store.identity.claims import claim
from salt_ext.store.parts import parts, placements
from salt_ext.store.search import search_text
from tests.machines import report

FEW, MANY = 200, 400


def lines_run(work, *arguments):
    """How many lines of Python are run: the work, whatever else this computer does."""
    count = 0

    def note(frame, event, argument):
        nonlocal count
        count += event == "line"
        return note

    keys._may_be_own.cache_clear()  # what was judged before would cost nothing
    before = sys.gettrace()
    sys.settrace(note)
    try:
        work(*arguments)
    finally:
        sys.settrace(before)
    return count


def nested(depth, value):
    for _ in range(depth):
        value = {"a": value}
    return value


def disks(serial, place):
    return lambda n: {
        "disks": [{"serial_number": serial(i), "name": place(i), "model": "m"} for i in range(n)]
    }


SHAPES = {
    "equal parts": lambda n: {"x": [{"a": 1}] * n},
    "other equal parts": lambda n: {"x": [{"b": 1}] * n},
    "one serial number": disks(lambda i: "S", lambda i: f"sd{i % 3}"),
    "one place": disks(lambda i: f"S{i}", lambda i: "sd"),
    "their own": disks(lambda i: f"S{i}", lambda i: f"sd{i}"),
    "numbers that cannot be read": disks(lambda i: "00000000", lambda i: f"sd{i}"),
    "others in their places": disks(lambda i: f"T{i}", lambda i: f"sd{i}"),
    "keys that others get": lambda n: {
        "x": [
            *({"serial_number": f"k7#{i}"} for i in range(n // 2)),
            *({"serial_number": "k7", "v": i} for i in range(n // 2)),
        ]
    },
    "one serial number and names of their own": lambda n: {
        "disks": [{"serial_number": "K1A2", "wwn": f"6005{i:012x}"} for i in range(n)]
    },
    "disks of one controller": lambda n: {
        "disks": [
            {"name": f"sd{i}", "hctl": f"0:0:{i}:0", "pci_slot": "0000:03:00.0"} for i in range(n)
        ]
    },
    "the same at another host number": lambda n: {
        "disks": [
            {"name": f"sd{n - i}", "hctl": f"7:0:{i}:0", "pci_slot": "0000:03:00.0"}
            for i in range(n)
        ]
    },
    "one address": lambda n: {
        "disks": [{"name": f"sd{i}", "hctl": "0:0:0:0", "size_bytes": i} for i in range(n)]
    },
    "empty slots": lambda n: {
        "memory": {"devices": [{"locator": f"s{i}", "present": False} for i in range(n)]}
    },
    "full slots": lambda n: {
        "memory": {"devices": [{"locator": f"s{i}", "serial_number": f"n{i}"} for i in range(n)]}
    },
    "cards": lambda n: {
        "network": [
            {"name": f"e{i}", "kind": "physical", "permanent_mac": f"00:1b:21:00:{i >> 8:02x}:01"}
            for i in range(n)
        ]
    },
    "addresses": lambda n: {
        "network": [{"name": "e", "addresses": [f"10.0.{i}" for i in range(n)]}]
    },
    "a wide mapping": lambda n: {"x": {f"k{i}": i for i in range(n)}},
    "many lists": lambda n: {"x": {f"k{i}": [{"a": i}] for i in range(n)}},
    "a deep list": lambda n: {"x": nested(12, [{"a": i} for i in range(n)])},
    "parts of parts": lambda n: {
        "usb": [{"serial_number": f"u{i}", "below": [{"serial_number": "q"}]} for i in range(n)]
    },
    "boards and chassis": lambda n: {
        "baseboards": [{"type": "x", "serial_number": "s", "manufacturer": "Dell"}] * n,
        "chassis": [{"type": "multi-system", "serial_number": f"s{i}"} for i in range(n)],
    },
}


def is_linear(work, few, many):
    return lines_run(work, *many) <= 2.3 * lines_run(work, *few) + 200


def check(facts):
    said = report({}) | {"facts": facts, "digest": digests.of_facts(facts)}
    checking.check_body(said)


def doubts(facts):
    for section, value in facts.items():
        list(checking._twins(value, section))


WORK = {
    "normal": normal,
    "identify": identify,
    "claim": lambda facts: claim("web01", None, facts),
    "parts": parts,
    "placements": placements,
    "columns": lambda facts: search_text("a", list_columns(facts, ["serial_number"]), facts),
    "volatile": lambda facts: with_volatile(*split(facts)),
    "check": check,
    "doubts": doubts,
    "weigh": lambda facts: is_heavier(facts, 4 << 20),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_a_report_of_any_shape_is_read_in_linear_work(shape):
    few, many = normal(SHAPES[shape](FEW)), normal(SHAPES[shape](MANY))
    assert [name for name, work in WORK.items() if not is_linear(work, [few], [many])] == []


PAIRS = [
    ("equal parts", "other equal parts"),
    ("equal parts", "their own"),
    ("one serial number", "their own"),
    ("their own", "others in their places"),
    ("their own", "numbers that cannot be read"),
    ("numbers that cannot be read", "their own"),
    ("their own", "one place"),
    ("one place", "their own"),
    ("keys that others get", "equal parts"),
    ("empty slots", "full slots"),
    ("full slots", "empty slots"),
    ("disks of one controller", "the same at another host number"),
    ("disks of one controller", "one address"),
    ("one serial number", "one serial number and names of their own"),
    ("a wide mapping", "many lists"),
    ("a deep list", "equal parts"),
]


@pytest.mark.parametrize(("one", "other"), PAIRS, ids=[" to ".join(pair) for pair in PAIRS])
def test_two_reports_of_any_shapes_are_compared_in_linear_work(one, other):
    few, many = (
        (normal(SHAPES[one](number)), normal(SHAPES[other](number))) for number in (FEW, MANY)
    )
    assert is_linear(diff, few, many)
    assert is_linear(lambda a, b: overlay(a, b, list(b)), few, many)
    changes = [(pair[1], diff(*pair)) for pair in (few, many)]
    assert is_linear(undo, *changes)


def test_what_is_too_large_is_weighed_no_longer_than_what_is_nearly_so():
    heavy = lines_run(is_heavier, {"a": [{"b": 1}] * 2_000_000}, 10_000)
    assert heavy < 100
    knot = {}
    knot["a"] = knot
    assert is_heavier(knot, 10_000)
    assert not is_heavier({"a": [{"b": "c"}] * 10}, 10_000)
