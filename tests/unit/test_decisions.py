"""Whose report is this: the table is the specification."""

import uuid

import pytest

from salt_ext.store.identity import Asset, Claim, claim, decide
from tests.machines import server

A, B = uuid.UUID(int=1), uuid.UUID(int=2)
SN, SN2 = ("serial_number", "dell/9xyz001"), ("serial_number", "dell/9xyz002")
BOARD, BOARD2 = ("board_serial_number", "dell/b1"), ("board_serial_number", "dell/b2")
UUID1, UUID2 = ("uuid", "u1"), ("uuid", "u2")
MAC, MAC2 = ("mac", "52:54:00:00:00:01"), ("mac", "52:54:00:00:00:02")
ONE, TWO = (SN, BOARD, UUID1, MAC), (SN2, BOARD2, UUID2, MAC2)


def asset(asset_id, name, keys, machine_id="m1", silent=False):
    return Asset(asset_id, name, frozenset(keys), machine_id, silent)


def says(name, keys, previous=None, machine_id="m1"):
    return Claim(name, previous, tuple(keys), machine_id)


SCENARIOS = {
    "a machine nobody knew": (says("web", ONE), [], "new", None),
    "the same machine again": (says("web", ONE), [asset(A, "web", ONE)], "known", A),
    "a known machine with a new board is the same by its serial": (
        says("web", (SN, BOARD2, UUID2, MAC2)),
        [asset(A, "web", ONE)],
        "known",
        A,
    ),
    "a known machine whose serial appears at last": (
        says("web", ONE),
        [asset(A, "web", (MAC,))],
        "known",
        A,
    ),
    "a known machine whose serial could not be read this time": (
        says("web", (MAC,)),
        [asset(A, "web", ONE)],
        "known",
        A,
    ),
    "one strong identifier may change": (
        says("web", (SN2, BOARD, UUID1, MAC)),
        [asset(A, "web", ONE)],
        "known",
        A,
    ),
    "two strong identifiers at once are held": (
        says("web", (SN2, BOARD2, UUID1, MAC)),
        [asset(A, "web", ONE)],
        "held",
        None,
    ),
    "a new machine with a free name beside another": (
        says("db", TWO),
        [asset(A, "web", ONE)],
        "new",
        None,
    ),
    "a new machine whose name a live machine has is held": (
        says("web", TWO),
        [asset(A, "web", ONE)],
        "held",
        None,
    ),
    "a new machine under the name of a silent one takes it": (
        says("web", TWO),
        [asset(A, "web", ONE, silent=True)],
        "replaced",
        None,
    ),
    "a known machine renamed to a free name says so": (
        says("new", ONE, previous="old"),
        [asset(A, "old", ONE)],
        "renamed",
        A,
    ),
    "a known machine renamed to a free name after silence": (
        says("new", ONE),
        [asset(A, "old", ONE, silent=True)],
        "renamed",
        A,
    ),
    "a known machine under another name while the old one lives is held": (
        says("new", ONE),
        [asset(A, "old", ONE)],
        "held",
        None,
    ),
    "a known machine renamed to the name of a live one keeps its old name": (
        says("db", ONE),
        [asset(A, "web", ONE, silent=True), asset(B, "db", TWO)],
        "known",
        A,
    ),
    "a serial does not move away from a live minion": (
        says("db", ONE),
        [asset(A, "web", ONE), asset(B, "db", TWO)],
        "held",
        None,
    ),
    "not even when the thief says it was the other": (
        says("db", ONE, previous="web"),
        [asset(A, "web", ONE), asset(B, "db", TWO)],
        "held",
        None,
    ),
    "who says it was the other must have all its keys": (
        says("new", (SN, BOARD2, UUID2, MAC2), previous="old"),
        [asset(A, "old", ONE)],
        "held",
        None,
    ),
    "hardware that moved under a name whose machine is silent too": (
        says("db", ONE),
        [asset(A, "web", ONE, silent=True), asset(B, "db", TWO, silent=True)],
        "replaced",
        A,
    ),
    "detached hardware that comes back under a free name": (
        says("spare", ONE),
        [asset(A, None, ONE)],
        "renamed",
        A,
    ),
    "detached hardware that comes back under the name of a live one is held": (
        says("db", ONE),
        [asset(A, None, ONE), asset(B, "db", TWO)],
        "held",
        None,
    ),
    "detached hardware that comes back under the name of a silent one": (
        says("db", ONE),
        [asset(A, None, ONE), asset(B, "db", TWO, silent=True)],
        "replaced",
        A,
    ),
    "a node that shows the serial of its enclosure is told apart by its board": (
        says("node2", (SN, BOARD2, UUID2, MAC2)),
        [asset(A, "node1", ONE)],
        "new",
        None,
    ),
    "a clone with other MACs is another machine": (
        says("clone", (UUID1, MAC2)),
        [asset(A, "web", (UUID1, MAC))],
        "new",
        None,
    ),
    "a known node whose key turns out to be shared stays itself": (
        says("node2", (SN, BOARD2)),
        [asset(A, "node1", (SN, BOARD)), asset(B, "node2", (BOARD2,))],
        "known",
        B,
    ),
    "between two that have the key the one of that name": (
        says("node2", (SN, BOARD2)),
        [asset(A, "node1", (SN, BOARD)), asset(B, "node2", (SN, BOARD2))],
        "known",
        B,
    ),
    "without any key and unknown it is new": (says("box", ()), [], "new", None),
    "without any key the same name and machine-id are the same": (
        says("box", ()),
        [asset(A, "box", ())],
        "known",
        A,
    ),
    "without any key a report of a known machine is still its": (
        says("web", ()),
        [asset(A, "web", ONE)],
        "known",
        A,
    ),
    "without any key another machine-id is other hardware": (
        says("box", (), machine_id="m2"),
        [asset(A, "box", ())],
        "replaced",
        None,
    ),
    "without any key another machine-id under the name of good hardware is held": (
        says("web", (), machine_id="m2"),
        [asset(A, "web", ONE)],
        "held",
        None,
    ),
    "without any key a rename is known by the machine-id": (
        says("new", (), previous="old"),
        [asset(A, "old", ())],
        "renamed",
        A,
    ),
    "a temporary asset gets its first key": (
        says("box", ONE),
        [asset(A, "box", ())],
        "known",
        A,
    ),
    "a temporary asset of another machine-id is not merged": (
        says("box", ONE, machine_id="m2"),
        [asset(A, "box", ())],
        "replaced",
        None,
    ),
    "other kinds of keys and another machine-id under one name are held": (
        says("web", (MAC,), machine_id="m2"),
        [asset(A, "web", (SN,))],
        "held",
        None,
    ),
}


@pytest.mark.parametrize(
    ("report", "assets", "action", "asset_id"), SCENARIOS.values(), ids=SCENARIOS.keys()
)
def test_decision(report, assets, action, asset_id):
    decision = decide(report, assets)
    assert (decision.action, decision.asset_id) == (action, asset_id), decision
    assert decision.reason


@pytest.mark.parametrize(
    ("report", "assets", "action", "asset_id"), SCENARIOS.values(), ids=SCENARIOS.keys()
)
def test_the_order_in_which_assets_are_read_decides_nothing(report, assets, action, asset_id):
    assert decide(report, assets) == decide(report, assets[::-1])


def test_what_is_held_names_the_keys_and_both_machines():
    decision = decide(says("db", ONE), [asset(A, "web", ONE), asset(B, "db", TWO)])
    for word in ("web", "db", "dell/9xyz001", "52:54:00:00:00:01"):
        assert word in str(decision.problem)


def test_a_shared_key_is_named_so_that_it_is_a_key_no_longer():
    decision = decide(says("node2", (SN, BOARD2)), [asset(A, "node1", (SN, BOARD))])
    assert decision.shared == (SN,)
    assert "duplicate identity" in str(decision.problem)


def test_both_spellings_of_a_uuid_are_one_key():
    facts = server(1)
    one = claim("web", None, facts)
    swapped = dict(facts["system"], uuid="44454c4c-5800-1059-805a-b9c04f000001")
    assert one.keys == claim("web", None, {**facts, "system": swapped}).keys


def test_a_previous_name_that_is_the_present_one_says_nothing():
    assert claim("web", "web", server(1)).previous_minion_id is None
