"""
Whose report is this: the table is the specification.

Each scenario is a sentence, what a report says, what is known, and what is
decided. ``docs/identity.md`` shows the same table to operators; a test compares.
"""

import re
import uuid
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import NamedTuple

import pytest

from salt_ext.store.identity.claims import Asset, Claim, Proof, claim
from salt_ext.store.identity.decide import decide
from salt_ext.store.identity.decision import RULES
from tests.machines import server

A, B, C, T = (uuid.UUID(int=number) for number in (1, 2, 3, 4))
SN, SN2 = ("serial_number", "dell/9xyz001"), ("serial_number", "dell/9xyz002")
BOARD, BOARD2 = ("board_serial_number", "dell/b1"), ("board_serial_number", "dell/b2")
BOARD3 = ("board_serial_number", "dell/b3")
UUID1, UUID2, UUID3 = ("uuid", "u1"), ("uuid", "u2"), ("uuid", "u3")
MAC, MAC2 = ("mac", "52:54:00:00:00:01"), ("mac", "52:54:00:00:00:02")
MAC3 = ("mac", "52:54:00:00:00:03")
CLOUD, CLOUD2 = ("cloud_instance_id", "aws/i-1"), ("cloud_instance_id", "aws/i-2")
ONE, TWO = (SN, BOARD, UUID1, MAC), (SN2, BOARD2, UUID2, MAC2)
NODE2 = (SN, BOARD2, UUID2, MAC2)
HUNDREDS = tuple(
    ("mac", f"00:11:22:33:{number >> 8:02x}:{number & 255:02x}") for number in range(300)
)
PARTS = frozenset(f"part{number}" for number in range(8))
LAST = Proof(b"secret", "2026-11-29T08:00:00.000Z")
"""What only a machine whose last report is stored can show."""
EARLIER = Proof(b"secret", "2026-11-29T07:00:00.000Z")
BOOT, OTHER_BOOT = "boot 1", "boot 2"
NOON = datetime(2026, 11, 29, 12, tzinfo=timezone.utc)


class Scenario(NamedTuple):
    says: Claim
    known: tuple
    action: str
    asset: uuid.UUID | None = None
    detached: uuid.UUID | None = None
    shared: tuple = ()
    merged: uuid.UUID | None = None
    theirs: tuple = ()
    """The keys that two live assets or more show."""


def says(name, keys, previous=None, machine_id="m1", **evidence):
    return Claim(name, previous, tuple(keys), machine_id, **evidence)


def proves(name, keys, previous, **evidence):
    return says(name, keys, previous, proof=LAST, **evidence)


def asset(asset_id, name, keys, machine_id="m1", **fields):
    return Asset(asset_id, name, frozenset(keys), machine_id, proof=LAST, **fields)


def silent(one):
    return one._replace(is_silent=True)


def detached(one):
    return one._replace(minion_id=None)


WEB, DB = asset(A, "web", ONE), asset(B, "db", TWO, "m2")
RUNNING = asset(
    *(A, "node1", (SN,)),
    last_seen=NOON + timedelta(hours=1),
    booted_at=NOON - timedelta(days=9),
    boot_id=OTHER_BOOT,
)
BOX = asset(T, "box", (), is_temporary=True)
CLONE, CLONE2 = asset(A, "web", (UUID1,)), asset(B, "twin", (UUID1,))
WITH_PARTS = asset(A, "web", ONE, chassis=frozenset({"dell/c1"}), parts=PARTS, is_silent=True)
JUNK = {"manufacturer": "To be filled by O.E.M.", "serial_number": "Default string"}


def junk(number, **card):
    """The facts of a machine whose maker filled in nothing, with one network card."""
    facts = server(number, system={**JUNK, "uuid": "03000200-0400-0500-0006-000700080009"})
    facts["baseboards"] = [{**JUNK, "serial_number": "0123456789"}]
    facts["network"][0].update(card)
    return facts


def guest(number):
    """The facts of a virtual machine that shows the serial number of its host."""
    facts = server(number, virtual={"role": "guest"}, baseboards=[])
    facts["system"].update(manufacturer="OpenStack Foundation", product_name="OpenStack Nova")
    facts["system"]["serial_number"] = "HOST4711"
    return facts


def stored(asset_id, name, facts, **fields):
    one = claim(name, None, facts)
    return asset(asset_id, name, one.keys, one.machine_id, **fields)


def swapped(facts):
    """The same facts as a firmware that writes the UUID in the other byte order shows them."""
    system = {**facts["system"], "uuid": "44454c4c-5800-1059-805a-b9c04f000001"}
    return {**facts, "system": system, "baseboards": []}


SAME_MACHINE = {
    "a machine nobody knew": Scenario(says("web", ONE), (), "new"),
    "the same machine again": Scenario(says("web", ONE), (WEB,), "known", A),
    "a reinstalled machine has another machine-id and the same keys": Scenario(
        says("web", ONE, machine_id="m9"), (WEB,), "known", A
    ),
    "a new board: the same machine by its serial number": Scenario(
        says("web", NODE2), (WEB,), "known", A
    ),
    "a new board and another machine-id: it may be another node of an enclosure": Scenario(
        says("web", NODE2, machine_id="m9"), (WEB,), "held"
    ),
    "a new network card": Scenario(says("web", (SN, BOARD, UUID1, MAC2)), (WEB,), "known", A),
    "a serial number that appears at last": Scenario(
        says("web", ONE), (asset(A, "web", (MAC,)),), "known", A
    ),
    "a serial number that could not be read this time": Scenario(
        says("web", (MAC,)), (WEB,), "known", A
    ),
    "no key could be read this time": Scenario(says("web", ()), (WEB,), "known", A),
    "neither a key nor the machine-id could be read": Scenario(
        says("web", (), machine_id=None), (WEB,), "known", A
    ),
    "no key could be read, and the machine-id is another": Scenario(
        says("web", (), machine_id="m9"), (WEB,), "held"
    ),
    "one strong identifier changed, the better one": Scenario(
        says("web", (SN2, BOARD, UUID1, MAC)), (WEB,), "known", A
    ),
    "the serial number and the network card changed": Scenario(
        says("web", (SN2, BOARD, UUID1, MAC2)), (WEB,), "known", A
    ),
    "two strong identifiers changed at once": Scenario(
        says("web", (SN2, BOARD2, UUID1, MAC)), (WEB,), "held"
    ),
    "the serial number and a worse identifier changed at once": Scenario(
        says("web", (SN2, BOARD, UUID2, MAC)), (WEB,), "held"
    ),
    "keys of another kind than before, and the same machine-id": Scenario(
        says("web", (SN,)), (asset(A, "web", (MAC,)),), "known", A
    ),
    "keys of another kind than before, and another machine-id": Scenario(
        says("web", (MAC,), machine_id="m9"), (asset(A, "web", (SN,)),), "held"
    ),
    "keys of another kind than before, and no machine-id": Scenario(
        says("web", (MAC,), machine_id=None), (asset(A, "web", (SN,)),), "held"
    ),
    "hundreds of network cards": Scenario(
        says("web", (SN, *HUNDREDS)), (asset(A, "web", (SN, *HUNDREDS[::2])),), "known", A
    ),
    "the UUID in the other byte order": Scenario(
        claim("web", None, swapped(server(1))),
        (stored(A, "web", {**server(1), "baseboards": []}),),
        "known",
        A,
    ),
}

OTHER_HARDWARE = {
    "other hardware under the name of a live machine": Scenario(says("web", TWO), (WEB,), "held"),
    "other hardware under the name of a silent machine": Scenario(
        says("web", TWO), (silent(WEB),), "replaced", None, detached=A
    ),
    "other hardware with a network card of the live machine": Scenario(
        says("web", (SN2, BOARD2, UUID2, MAC)), (WEB,), "held"
    ),
    "other hardware with a network card of the silent machine": Scenario(
        says("web", (SN2, BOARD2, UUID2, MAC)), (silent(WEB),), "replaced", None, detached=A
    ),
    "the system disk of a silent machine in another one": Scenario(
        says("web", TWO, machine_id="m1"), (silent(WEB),), "replaced", None, detached=A
    ),
    "a board replaced with the serial number lost, most parts as before": Scenario(
        says("web", TWO[1:], chassis=frozenset({"dell/c1"}), parts=PARTS), (WITH_PARTS,), "held"
    ),
    "a board replaced, half of the parts as before, no chassis number": Scenario(
        says("web", TWO[1:], parts=frozenset(sorted(PARTS)[:4])), (WITH_PARTS,), "held"
    ),
    "a board replaced, and fewer than half of the parts are as before": Scenario(
        says("web", TWO[1:], parts=frozenset(sorted(PARTS)[:3])),
        (WITH_PARTS,),
        "replaced",
        None,
        detached=A,
    ),
    "all parts of a silent machine in another chassis": Scenario(
        says("web", TWO, chassis=frozenset({"dell/c2"}), parts=PARTS),
        (WITH_PARTS,),
        "replaced",
        None,
        detached=A,
    ),
    "known by its network card only, and the card was replaced": Scenario(
        says("web", (MAC2,)), (silent(asset(A, "web", (MAC,))),), "held"
    ),
    "known by its network card only, which is another, as is the machine-id": Scenario(
        says("web", (MAC2,), machine_id="m9"),
        (silent(asset(A, "web", (MAC,))),),
        "replaced",
        None,
        detached=A,
    ),
}

RENAMES = {
    "a new machine with a free name": Scenario(says("db", TWO), (WEB,), "new"),
    "a new machine with a taken name": Scenario(says("web", TWO, machine_id="m2"), (WEB,), "held"),
    "renamed to a free name, and proves what it was": Scenario(
        proves("new", ONE, "web"), (WEB,), "renamed", A
    ),
    "renamed to a free name, and only says what it was": Scenario(
        says("new", ONE, previous="web"), (WEB,), "held"
    ),
    "a copy of the file with the name, taken before the last report": Scenario(
        says("new", ONE, previous="web", proof=EARLIER), (WEB,), "held"
    ),
    "one serial number of a live machine, and says that it was that machine": Scenario(
        says("new", (SN,), previous="web", machine_id=None), (WEB,), "held"
    ),
    "proves what it was, with a new network card": Scenario(
        proves("new", (SN, BOARD, UUID1, MAC2), "web"), (WEB,), "renamed", A
    ),
    "proves what it was, reinstalled with its files kept": Scenario(
        proves("new", ONE, "web", machine_id="m9"), (WEB,), "renamed", A
    ),
    "proves what it was, on other hardware: the disk moved": Scenario(
        proves("new", TWO, "web"), (WEB,), "new"
    ),
    "proves what it was, with a new board": Scenario(proves("new", NODE2, "web"), (WEB,), "held"),
    "renamed to the name of a live machine, and proves what it was": Scenario(
        proves("db", ONE, "web"), (WEB, DB), "known", A
    ),
    "renamed to a free name, its old name is silent": Scenario(
        says("new", ONE), (silent(WEB),), "renamed", A
    ),
    "renamed to a free name while its old name is heard, and does not say so": Scenario(
        says("new", ONE), (WEB,), "held"
    ),
    "renamed to the name of a live machine: kept under its old name": Scenario(
        says("db", ONE), (silent(WEB), DB), "known", A
    ),
    "the next report of a machine that is kept under its old name": Scenario(
        says("db", ONE), (WEB._replace(reports_as="db"), DB), "known", A
    ),
    "kept under its old name until the other machine is silent": Scenario(
        says("db", ONE), (WEB._replace(reports_as="db"), silent(DB)), "replaced", A, detached=B
    ),
    "kept under its old name, and reports under it again": Scenario(
        says("web", ONE), (WEB._replace(reports_as="db"),), "known", A
    ),
    "renamed to the name of a machine that is silent too": Scenario(
        says("db", ONE), (silent(WEB), silent(DB)), "replaced", A, detached=B
    ),
    "a serial number under the name of another live machine": Scenario(
        says("db", ONE), (WEB, DB), "held"
    ),
    "the same, and it says that it was the first": Scenario(
        says("db", ONE, previous="web"), (WEB, DB), "held"
    ),
    "says that it was a live machine, and has only one of its keys": Scenario(
        says("new", NODE2, previous="web"), (WEB,), "held"
    ),
    "says that it was a live machine, and has none of its keys": Scenario(
        says("new", TWO, previous="web"), (WEB,), "new"
    ),
    "says that it was a live machine, and has another machine-id": Scenario(
        says("new", ONE, previous="web", machine_id="m9"), (WEB,), "held"
    ),
    "says that it was a machine of which no kind of key is left to compare": Scenario(
        says("new", (SN,), previous="web"), (asset(A, "web", (MAC,)),), "held"
    ),
    "renamed with a new network card after silence": Scenario(
        says("new", (SN, BOARD, UUID1, MAC2)), (silent(WEB),), "renamed", A
    ),
    "renamed with a new board after silence": Scenario(says("new", NODE2), (silent(WEB),), "held"),
    "renamed with a new network card while its old name is heard": Scenario(
        says("new", (SN, BOARD, UUID1, MAC2)), (WEB,), "held"
    ),
    "known by its network card only, renamed after silence": Scenario(
        says("new", (MAC,)), (silent(asset(A, "web", (MAC,))),), "renamed", A
    ),
    "known by its network card only, which is in a machine of another machine-id": Scenario(
        says("new", (MAC,), machine_id="m9"), (silent(asset(A, "web", (MAC,))),), "held"
    ),
    "says what it was, has its network card and no machine-id": Scenario(
        says("new", (MAC,), previous="web", machine_id=None), (asset(A, "web", (MAC,)),), "held"
    ),
    "the name's silent holder may be the same machine": Scenario(
        says("db", (SN,)), (silent(WEB), silent(asset(B, "db", (MAC2,)))), "held"
    ),
    "detached hardware comes back under a free name": Scenario(
        says("spare", ONE), (detached(WEB),), "renamed", A
    ),
    "detached hardware comes back under the name of a live machine": Scenario(
        says("db", ONE), (detached(WEB), DB), "held"
    ),
    "detached hardware comes back under the name of a silent machine": Scenario(
        says("db", ONE), (detached(WEB), silent(DB)), "replaced", A, detached=B
    ),
    "detached hardware comes back with another board": Scenario(
        says("spare", NODE2), (detached(WEB),), "held"
    ),
}

SHARED_KEYS = {
    "a second node that shows the serial number of its enclosure": Scenario(
        says("node2", NODE2, machine_id="m2"), (WEB,), "new", shared=(SN,)
    ),
    "a third node and a fourth: the serial number is no key any more": Scenario(
        says("node3", (BOARD3, UUID3, MAC3), machine_id="m3"), (), "new"
    ),
    "a second node while the first is silent: it might be the first with a new board": Scenario(
        says("node2", NODE2, machine_id="m2"), (silent(WEB),), "held"
    ),
    "a second node of a product whose board comes first, the first silent": Scenario(
        says("node2", (BOARD2, UUID2, SN, MAC2), machine_id="m2"), (silent(WEB),), "new"
    ),
    "a known node reads the enclosure's serial number for the first time": Scenario(
        says("node2", (SN, BOARD2)),
        (asset(A, "node1", (SN, BOARD)), asset(B, "node2", (BOARD2,))),
        "known",
        B,
        shared=(SN,),
    ),
    "a node shows what it showed before": Scenario(
        says("node2", (SN, BOARD2)),
        (asset(A, "node1", (SN, BOARD)), asset(B, "node2", (SN, BOARD2))),
        "known",
        B,
        theirs=(SN,),
    ),
    "a node of two that share a serial number gets another board": Scenario(
        says("node2", (SN, BOARD3)),
        (asset(A, "node1", (SN, BOARD)), asset(B, "node2", (SN, BOARD2))),
        "known",
        B,
        shared=(SN,),
        theirs=(SN,),
    ),
    "a third node, which shows nothing but the serial number that two share": Scenario(
        says("node3", (SN,), machine_id="m3"),
        (asset(A, "node1", (SN, BOARD)), asset(B, "node2", (SN, BOARD2))),
        "new",
        shared=(SN,),
        theirs=(SN,),
    ),
    "a node of two that share a serial number, renamed after silence": Scenario(
        says("new", (SN, BOARD)),
        (silent(asset(A, "node1", (SN, BOARD))), asset(B, "node2", (SN, BOARD2))),
        "renamed",
        A,
        shared=(SN,),
    ),
    "the second of two nodes, while the first shows nothing but the serial number": Scenario(
        says("node2", (SN, BOARD2), machine_id="m2"), (asset(A, "node1", (SN,)),), "held"
    ),
    "the same once more, and the first has reported meanwhile: both exist": Scenario(
        says("node2", (SN, BOARD2), machine_id="m2", held_since=NOON),
        (asset(A, "node1", (SN,), last_seen=NOON + timedelta(hours=1)),),
        "new",
        shared=(SN,),
    ),
    "two machines that show the very same: the first has run while the second reported": Scenario(
        says("node2", (SN, MAC), machine_id=None, held_since=NOON, boot_id=BOOT),
        (RUNNING._replace(keys=frozenset({SN, MAC})),),
        "new",
        shared=(SN,),
    ),
    "the same: the second has run since before the first reported again": Scenario(
        says(
            *("node2", (SN, MAC), None, None),
            held_since=NOON,
            boot_id=BOOT,
            booted_at=NOON - timedelta(days=1),
        ),
        (RUNNING._replace(keys=frozenset({SN, MAC}), booted_at=NOON + timedelta(minutes=30)),),
        "new",
        shared=(SN,),
    ),
    "two nodes that boot all the time and show nothing but one serial number": Scenario(
        says("node2", (SN,), machine_id="m2", held_since=NOON, boot_id=BOOT),
        (RUNNING._replace(booted_at=NOON + timedelta(minutes=30)),),
        "new",
        shared=(SN,),
    ),
    "one serial number of a live machine, which has run meanwhile, and says it was that": Scenario(
        says("thief", (SN,), "web", machine_id=None, held_since=NOON, boot_id=BOOT),
        (RUNNING._replace(minion_id="web", keys=frozenset(ONE)),),
        "held",
    ),
    "a clone of everything, of a machine that has run meanwhile": Scenario(
        says("clone", (SN,), held_since=NOON, boot_id=BOOT), (RUNNING,), "held"
    ),
    "a card of a live machine beside one of its own, held until both have reported": Scenario(
        says("new", (MAC, MAC3), machine_id="m2", held_since=NOON),
        (asset(A, "web", (MAC, MAC2), last_seen=NOON + timedelta(hours=1)),),
        "new",
    ),
    "one machine with two systems, which take turns": Scenario(
        says("linux", ONE, machine_id="m2", held_since=NOON, boot_id=BOOT),
        (
            WEB._replace(
                last_seen=NOON + timedelta(hours=1),
                booted_at=NOON + timedelta(minutes=30),
                boot_id=OTHER_BOOT,
            ),
        ),
        "held",
    ),
    "the same boot under another name, and back, and again": Scenario(
        says("db", ONE, machine_id="m2", held_since=NOON, boot_id=BOOT),
        (
            WEB._replace(
                last_seen=NOON + timedelta(hours=1),
                booted_at=NOON - timedelta(days=9),
                boot_id=BOOT,
            ),
        ),
        "held",
    ),
    "nothing but the serial number of a live machine, which has reported meanwhile": Scenario(
        says("node2", (SN,), machine_id=None, held_since=NOON),
        (WEB._replace(last_seen=NOON + timedelta(hours=1)),),
        "held",
    ),
    "a stranger shows the serial number of a live machine beside its own keys": Scenario(
        says("db", (SN, *TWO[1:]), machine_id="m2"), (WEB, DB), "held"
    ),
    "the machine whose serial number a stranger shows": Scenario(
        says("web", (SN, BOARD3, UUID1, MAC)),
        (WEB, asset(B, "db", (SN, *TWO[1:]))),
        "known",
        A,
        shared=(SN,),
        theirs=(SN,),
    ),
    "the same, and it proves a new name": Scenario(
        proves("new", ONE, "web"),
        (WEB, asset(B, "db", (SN, *TWO[1:]))),
        "renamed",
        A,
        shared=(SN,),
        theirs=(SN,),
    ),
    "a known node that shares one key with one live machine, and one with another": Scenario(
        says("node2", (SN, BOARD3, UUID3)),
        (
            asset(A, "node1", (SN, BOARD)),
            asset(B, "node2", (BOARD3,)),
            asset(C, "app", (UUID3,)),
        ),
        "known",
        B,
        shared=(SN, UUID3),
    ),
    "a new node with the enclosure's serial number under the name of a silent machine": Scenario(
        says("db", (SN, BOARD3, UUID3, MAC3), machine_id="m3"),
        (WEB, silent(DB)),
        "replaced",
        None,
        detached=B,
        shared=(SN,),
    ),
    "a new node with the enclosure's serial number under the name of a live machine": Scenario(
        says("db", (SN, BOARD3, UUID3, MAC3), machine_id="m3"), (WEB, DB), "held"
    ),
    "one UUID on all boards of a maker": Scenario(
        says("db", (SN2, UUID1), machine_id="m2"),
        (asset(A, "web", (SN, UUID1)),),
        "new",
        shared=(UUID1,),
    ),
    "one UUID on all boards of a maker, the first machine silent": Scenario(
        says("db", (SN2, UUID1), machine_id="m2"), (silent(asset(A, "web", (SN, UUID1))),), "new"
    ),
    "the board of a live machine in one that has its serial number still": Scenario(
        says("web", (SN, BOARD2)),
        (asset(A, "web", (SN, BOARD)), asset(B, "db", (SN2, BOARD2))),
        "known",
        A,
        shared=(BOARD2,),
    ),
    "the board of a silent machine in one that has its serial number still": Scenario(
        says("web", (SN, BOARD2)),
        (asset(A, "web", (SN, BOARD)), silent(asset(B, "db", (SN2, BOARD2)))),
        "known",
        A,
    ),
    "a network card of a live machine in another": Scenario(
        says("db", (*TWO, MAC), machine_id="m2"), (WEB, DB), "known", B
    ),
    "the machine that the card was taken from": Scenario(
        says("web", (SN, BOARD, UUID1, MAC3)), (WEB, asset(B, "db", (*TWO, MAC))), "known", A
    ),
    "a new machine with a network card of a live one": Scenario(
        says("new", (SN2, BOARD2, UUID2, MAC), machine_id="m2"), (WEB,), "new"
    ),
    "a new machine with a network card of a silent one": Scenario(
        says("new", (SN2, BOARD2, UUID2, MAC), machine_id="m2"), (silent(WEB),), "new"
    ),
    "known by its cards only, and has one of another machine before its own": Scenario(
        says("web", (MAC2, MAC)), (asset(A, "web", (MAC,)), asset(B, "db", (MAC2,))), "known", A
    ),
    "known by its cards only, and has one of another machine after its own": Scenario(
        says("web", (MAC, MAC2)), (asset(A, "web", (MAC,)), asset(B, "db", (MAC2,))), "known", A
    ),
    "known by its cards only, renamed after silence with a card of another": Scenario(
        says("new", (MAC3, MAC, MAC2)),
        (silent(asset(A, "web", (MAC, MAC2))), asset(B, "db", (MAC3,), "m2")),
        "renamed",
        A,
    ),
    "nothing but a network card of a live machine": Scenario(
        says("new", (MAC,), machine_id="m2"), (WEB,), "held"
    ),
}

VIRTUAL_MACHINES = {
    "a clone with the UUID and machine-id of a live machine and a card of its own": Scenario(
        says("clone", (UUID1, MAC2)), (asset(A, "web", (UUID1, MAC)),), "new", shared=(UUID1,)
    ),
    "a clone that says it was the original: it has the file with the name": Scenario(
        says("clone", (UUID1, MAC2), previous="web"), (asset(A, "web", (UUID1, MAC)),), "held"
    ),
    "a clone that says it was the original, with a machine-id of its own": Scenario(
        says("clone", (UUID1, MAC2), previous="web", machine_id="m9"),
        (asset(A, "web", (UUID1, MAC)),),
        "new",
        shared=(UUID1,),
    ),
    "a clone of everything": Scenario(
        says("clone", (UUID1, MAC)), (asset(A, "web", (UUID1, MAC)),), "held"
    ),
    "a clone of a machine that is silent, with a card of its own": Scenario(
        says("clone", (UUID1, MAC2)), (silent(asset(A, "web", (UUID1, MAC))),), "held"
    ),
    "a third clone of two all of whose keys are shared says that it was the first": Scenario(
        says("clone", (UUID1,), previous="web"),
        (CLONE, CLONE2),
        "new",
        shared=(UUID1,),
        theirs=(UUID1,),
    ),
    "a clone all of whose keys are shared, renamed after silence": Scenario(
        says("new", (UUID1,), previous="web"),
        (silent(CLONE), CLONE2),
        "renamed",
        A,
        shared=(UUID1,),
    ),
    "a clone all of whose keys are shared, reinstalled": Scenario(
        says("web", (UUID1,), machine_id="m9"), (CLONE, CLONE2), "known", A, theirs=(UUID1,)
    ),
    "machines of one template with one machine-id": Scenario(
        says("b", (UUID2, MAC2)), (asset(A, "a", (UUID1, MAC)),), "new"
    ),
    "a machine made again under its name, with another UUID and the same MAC": Scenario(
        says("web", (UUID2, MAC)), (asset(A, "web", (UUID1, MAC)),), "held"
    ),
    "a machine made again under its name after silence": Scenario(
        says("web", (UUID2, MAC)),
        (silent(asset(A, "web", (UUID1, MAC))),),
        "replaced",
        None,
        detached=A,
    ),
    "an instance id of the cloud that appears at last": Scenario(
        says("web", (CLOUD, UUID1, MAC)), (asset(A, "web", (UUID1, MAC)),), "known", A
    ),
    "two instances of the cloud with one UUID": Scenario(
        says("b", (CLOUD2, UUID1, MAC2)),
        (asset(A, "a", (CLOUD, UUID1, MAC)),),
        "new",
        shared=(UUID1,),
    ),
    "an instance renamed, its old name silent": Scenario(
        says("new", (CLOUD, UUID1, MAC)),
        (silent(asset(A, "a", (CLOUD, UUID1, MAC))),),
        "renamed",
        A,
    ),
    "two guests that show the serial number of their host": Scenario(
        claim("b", None, guest(2)), (stored(A, "a", guest(1)),), "new"
    ),
    "a guest with a card that its live host counts too": Scenario(
        says("guest", (UUID2, MAC), machine_id="m2"), (WEB,), "new"
    ),
    "a container shows the hardware of its host, none of which is a key": Scenario(
        claim("box", None, server(1, virtual={"role": "none", "container": "lxc"})),
        (stored(A, "web", server(1)),),
        "new",
    ),
}

PLACEHOLDERS = {
    "nothing but placeholders and a network card": Scenario(
        claim("a", None, junk(1)), (stored(A, "a", junk(1)),), "known", A
    ),
    "two machines with the same placeholders": Scenario(
        claim("b", None, junk(2)), (stored(A, "a", junk(1)),), "new"
    ),
    "a machine with placeholders and the USB adapter of another": Scenario(
        claim("b", None, junk(1, bus="usb")), (stored(A, "a", junk(1)),), "new"
    ),
    "a machine with a good serial number and the chassis serial number of another": Scenario(
        says("b", (SN2,), machine_id="m2", chassis=frozenset({"dell/c1"})),
        (asset(A, "a", (SN,), chassis=frozenset({"dell/c1"})),),
        "new",
    ),
}

TEMPORARY = {
    "a machine nobody knew, without a key": Scenario(says("box", ()), (), "new"),
    "without a key: the same name and machine-id": Scenario(says("box", ()), (BOX,), "known", T),
    "without a key: the same name, the machine-id could not be read": Scenario(
        says("box", (), machine_id=None), (BOX,), "known", T
    ),
    "without a key: the same name, another machine-id": Scenario(
        says("box", (), machine_id="m9"), (BOX,), "replaced", None, detached=T
    ),
    "without a key: another name, the same machine-id, and proves what it was": Scenario(
        proves("new", (), "box"), (BOX,), "renamed", T
    ),
    "without a key: another name, the same machine-id, and only says what it was": Scenario(
        says("new", (), previous="box"), (BOX,), "held"
    ),
    "without a key: the same, and what it was is silent": Scenario(
        says("new", (), previous="box"), (silent(BOX),), "renamed", T
    ),
    "without a key: another name, another machine-id, and says what it was": Scenario(
        says("new", (), previous="box", machine_id="m9"), (BOX,), "new"
    ),
    "the first key, of nobody": Scenario(says("box", ONE), (BOX,), "known", T),
    "the first key, of nobody, but the machine-id is another": Scenario(
        says("box", ONE, machine_id="m9"), (BOX,), "replaced", None, detached=T
    ),
    "the first key, of nobody, and the machine-id could not be read": Scenario(
        says("box", ONE, machine_id=None), (BOX,), "held"
    ),
    "the first key together with a new name": Scenario(
        proves("new", ONE, "box"), (BOX,), "renamed", T
    ),
    "the first key together with a new name, which only says what it was": Scenario(
        says("new", ONE, previous="box"), (BOX,), "held"
    ),
    "the first key together with the name of a silent machine": Scenario(
        proves("db", ONE, "box"), (BOX, silent(DB)), "replaced", T, detached=B
    ),
    "the first key is that of a detached asset": Scenario(
        says("box", ONE), (BOX, detached(WEB)), "renamed", A, merged=T
    ),
    "the first key is that of a silent asset": Scenario(
        says("box", ONE), (BOX, silent(WEB)), "renamed", A, merged=T
    ),
    "the first key is that of a live asset, which it proves it was": Scenario(
        proves("box", ONE, "web"), (BOX, WEB), "renamed", A, merged=T
    ),
    "the first key is that of a live asset, which it only says it was": Scenario(
        says("box", ONE, previous="web"), (BOX, WEB), "held"
    ),
    "the first key is that of a live asset": Scenario(says("box", ONE), (BOX, WEB), "held"),
    "the first keys tell it apart from a live asset": Scenario(
        says("box", NODE2), (BOX, WEB), "known", T, shared=(SN,)
    ),
    "the first key is that of a silent asset, but the machine-id is another": Scenario(
        says("box", ONE, machine_id="m9"), (BOX, silent(WEB)), "replaced", A, detached=T
    ),
    "the first key is that of a silent asset, and the machine-id could not be read": Scenario(
        says("box", ONE, machine_id=None), (BOX, silent(WEB)), "held"
    ),
    "back under the name and with the keys it had before it was temporary": Scenario(
        proves("web", ONE, "box"), (BOX, WEB), "known", A, merged=T
    ),
    "a new name after it was temporary under another": Scenario(
        proves("new", ONE, "box"), (BOX, silent(WEB)), "renamed", A, merged=T
    ),
    "the same, and it only says what it was": Scenario(
        says("new", ONE, previous="box"), (BOX, silent(WEB)), "held"
    ),
}

TIES = {
    "the serial number of one asset and the board of another under a third name": Scenario(
        says("new", (SN, BOARD2)), (silent(WEB), silent(DB)), "held"
    ),
    "the serial number of a live machine on the board of this name": Scenario(
        says("db", (SN, BOARD2)), (WEB, DB), "held"
    ),
    "the serial number of a detached asset on a machine known by its board": Scenario(
        says("db", (SN, BOARD2)), (detached(WEB), asset(B, "db", (BOARD2,))), "held"
    ),
    "the serial number of this name on the board that a live asset is known by": Scenario(
        says("web", NODE2, machine_id="m1"), (WEB, asset(B, "db", TWO[1:])), "held"
    ),
    "a key that two silent assets have": Scenario(
        says("new", (BOARD,)), (silent(WEB), silent(asset(B, "db", (SN2, BOARD)))), "held"
    ),
    "a key that a live and a silent asset have": Scenario(
        says("new", (BOARD,)), (WEB, silent(asset(B, "db", (SN2, BOARD)))), "held"
    ),
    "three assets with a key each": Scenario(
        says("new", (SN, BOARD2, UUID3)),
        (silent(WEB), silent(DB), silent(asset(C, "app", (UUID3,)))),
        "held",
    ),
}

TOPICS = {
    "The same machine": SAME_MACHINE,
    "Other hardware under a name": OTHER_HARDWARE,
    "Renames": RENAMES,
    "Keys on several machines": SHARED_KEYS,
    "Virtual machines and containers": VIRTUAL_MACHINES,
    "Placeholders": PLACEHOLDERS,
    "Temporary assets": TEMPORARY,
    "Ties": TIES,
}
SCENARIOS = {sentence: one for topic in TOPICS.values() for sentence, one in topic.items()}
every_scenario = pytest.mark.parametrize("scenario", SCENARIOS.values(), ids=SCENARIOS.keys())


@every_scenario
def test_decision(scenario):
    decision = decide(scenario.says, scenario.known, scenario.theirs)
    decided = Scenario(
        scenario.says,
        scenario.known,
        decision.action,
        decision.asset_id,
        decision.detached,
        decision.shared,
        decision.merged,
        scenario.theirs,
    )
    assert decided == scenario, decision
    assert decision.reason


@every_scenario
def test_what_is_held_is_a_problem_that_names_the_machine_and_its_keys(scenario):
    decision = decide(scenario.says, scenario.known, scenario.theirs)
    assert (decision.rule in RULES) == (decision.action == "held")
    named = scenario.says.keys if decision.action == "held" else ()
    for text in (scenario.says.minion_id, *(f"{kind} {value}" for kind, value in named[:8])):
        assert not named or text in str(decision.problem)


def test_a_conflict_names_both_machines():
    decision = decide(says("db", ONE), [WEB, DB])
    for word in ("web", "db", "dell/9xyz001", "52:54:00:00:00:01"):
        assert word in str(decision.problem)


def test_a_machine_kept_under_its_old_name_is_a_problem_that_names_both_sides():
    decision = decide(says("db", ONE), [silent(WEB), DB])
    for word in ("web", "db", "dell/9xyz001", "dell/9xyz002"):
        assert word in str(decision.problem)


def test_hundreds_of_network_cards_do_not_fill_the_screen():
    problem = str(decide(says("new", (SN, *HUNDREDS), previous="web"), [WEB]).problem)
    assert "293 more" in problem
    assert len(problem) < 700


def test_both_spellings_of_a_uuid_are_one_key():
    one = claim("web", None, server(1))
    assert one.keys != (again := claim("web", None, swapped(server(1)))).keys
    assert set(again.keys) < set(one.keys)


def test_a_previous_name_that_is_the_present_one_says_nothing():
    assert claim("web", "web", server(1)).previous_minion_id is None


def test_a_claim_counts_the_parts_that_stay_when_a_board_is_replaced():
    assert claim("web", None, server(1)).parts == {"4F0001A1", "4F0001A2", "S64F000001"}
    assert claim("web", None, guest(1)).parts == frozenset()


def test_operators_read_the_same_table():
    """To renew it: ``python -m tests.unit.store.test_decisions``, between the two marks."""
    text = (Path(__file__).parents[3] / "docs" / "identity.md").read_text(encoding="utf-8")
    assert text.split("<!-- scenarios -->\n")[1] == table()


def test_operators_read_why_a_report_may_be_held():
    text = (Path(__file__).parents[3] / "docs" / "identity.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", text, re.MULTILINE)
    assert dict(row for row in rows if row[0] in RULES) == RULES
    used = {decide(one.says, one.known, one.theirs).rule for one in SCENARIOS.values()}
    assert used - {None} == set(RULES)


RESULTS = {
    "new": "a new asset",
    "known": "its asset, which keeps its name",
    "renamed": "its asset, which takes the name",
    "replaced": "takes the name; the other is detached",
    "held": "**held**",
}


def table():
    """The scenarios in Markdown."""
    lines = []
    for topic, scenarios in TOPICS.items():
        lines += [f"### {topic}", "", "| the report | what becomes of it |", "|---|---|"]
        for sentence, one in scenarios.items():
            result = RESULTS[one.action]
            if one.shared:
                result += "; keys shared: " + ", ".join(kind for kind, _ in one.shared)
            if one.merged:
                result += "; the temporary asset is merged into it"
            lines.append(f"| {sentence} | {result} |")
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    print(table(), end="")
