"""What a report claims, and how far that agrees with what is known."""

import uuid

import pytest

from salt_ext.store.identity.claims import Asset, Claim, Proof, claim, compare, temporary, words
from salt_ext.store.identity.decide import decide
from tests.machines import server

A, B = (uuid.UUID(int=number) for number in (1, 2))
LAST = Proof(b"secret", "2026-11-29T08:00:00.000Z")
SN, SN2, BOARD, UUID = (
    *(("serial_number", "dell/1"), ("serial_number", "dell/2")),
    *(("board_serial_number", "dell/b1"), ("uuid", "u1")),
)


def test_a_claim_has_the_chassis_and_the_machine_id_beside_its_keys():
    facts = server(1, chassis=[{"manufacturer": "Dell Inc.", "serial_number": "CH4551S"}])
    facts["operating_system"]["machine_id"] = "3d1219c7c4c5404aaa1f6d2a48adfda4"
    found = claim("web01", None, facts)
    assert found.chassis == {"dell/ch4551s"}
    assert found.machine_id == "3d1219c7c4c5404aaa1f6d2a48adfda4"
    assert {kind for kind, _ in found.keys} == {
        *("serial_number", "board_serial_number", "uuid", "mac")
    }


@pytest.mark.parametrize(
    ("claimed", "known", "common", "same", "differ", "agrees"),
    [
        ((SN, UUID), (SN, UUID), (SN, UUID), ("serial_number", "uuid"), (), True),
        ((SN, UUID), (SN2, UUID), (UUID,), ("uuid",), ("serial_number",), False),
        ((SN, UUID), (UUID,), (UUID,), ("uuid",), (), True),
        ((SN,), (BOARD,), (), (), (), False),
        ((), (), (), (), (), False),
    ],
)
def test_a_claim_is_compared_kind_by_kind(claimed, known, common, same, differ, agrees):
    found = compare(Claim("web", None, claimed), Asset(A, "web", frozenset(known)))
    assert found[1:] == (common, same, differ, agrees)


def test_of_two_temporary_assets_that_of_the_present_name_is_the_machine():
    one = Claim("web", "old", (SN,), "m1")
    present, previous = (
        Asset(number, name, frozenset(), "m1", is_temporary=True)
        for number, name in ((A, "web"), (B, "old"))
    )
    assert temporary(one, [previous, present]) == present
    assert temporary(one, [previous]) is None
    previous = previous._replace(is_silent=True)
    assert temporary(one, [previous, present]) == present
    assert temporary(one, [previous]) == previous
    assert temporary(one, [previous._replace(machine_id="m2")]) is None
    assert temporary(one, [previous._replace(is_temporary=False)]) is None


def test_what_a_machine_says_it_was_does_not_settle_whose_keys_it_shows():
    one = Claim("new", "db", (SN, UUID), "m1", proof=LAST)
    db, web = Asset(B, "db", frozenset({SN}), proof=LAST), Asset(A, "web", frozenset({UUID, BOARD}))
    assert decide(one, [db]).action == "renamed"
    assert decide(one, [db, web]).action == "held"


def test_eight_keys_are_named_and_the_others_counted():
    keys = [("mac", str(number)) for number in range(10)]
    assert words(keys[:8]) == ", ".join(f"mac {number}" for number in range(8))
    assert words(keys[:9]) == ", ".join(f"mac {number}" for number in range(8)) + ", 1 more"
