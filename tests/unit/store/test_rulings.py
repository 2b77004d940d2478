"""What always holds of decisions, and what a person may decide."""

import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salt_ext.store.identity.claims import Asset, Claim, without
from salt_ext.store.identity.decide import decide
from salt_ext.store.identity.rulings import rulings
from tests.unit.store.test_decisions import (
    BOX,
    DB,
    MAC,
    NODE2,
    ONE,
    SCENARIOS,
    SN,
    TWO,
    UUID1,
    WEB,
    A,
    B,
    T,
    asset,
    detached,
    every_scenario,
    says,
    silent,
)

NEW = uuid.UUID(int=99)
KINDS = ("cloud_instance_id", "serial_number", "board_serial_number", "uuid", "mac")
NAMES = st.sampled_from(["web", "db", "box"])
MACHINE_IDS = st.sampled_from([None, "m1", "m2"])
KEYS = st.lists(st.tuples(st.sampled_from(KINDS), st.sampled_from("12")), unique=True, max_size=5)
CLAIMS = st.builds(
    Claim,
    NAMES,
    st.one_of(st.none(), NAMES),
    KEYS.map(lambda keys: tuple(sorted(keys, key=lambda key: (KINDS.index(key[0]), key[1])))),
    MACHINE_IDS,
    parts=st.frozensets(st.sampled_from("abc")),
)


@st.composite
def fleets(draw):
    """Assets as the store has them: each name once, temporary ones without a key."""
    names = draw(st.permutations(["web", "db", "box", None, None]))[: draw(st.integers(0, 4))]
    fleet = []
    for number, name in enumerate(names):
        keys = frozenset(draw(KEYS))
        fleet.append(
            Asset(
                uuid.UUID(int=number),
                name,
                keys,
                draw(MACHINE_IDS),
                is_silent=draw(st.booleans()),
                is_temporary=not keys and draw(st.booleans()),
                reports_as=draw(st.one_of(st.none(), NAMES)),
                parts=draw(st.frozensets(st.sampled_from("abc"))),
            )
        )
    return fleet


def learn(claim, assets, decision):
    """What the store knows after a decision, and the claim as it reads it the next time."""
    claim, assets = without(claim, assets, decision.shared)
    asset_id = decision.asset_id or NEW
    before = next((one for one in assets if one.id == asset_id), Asset(NEW, None, frozenset()))
    name = before.minion_id if decision.action == "known" and before.minion_id else claim.minion_id
    gone = (decision.detached, decision.merged)
    after = [
        one._replace(minion_id=None) if one.id in gone else one
        for one in assets
        if one.id not in (asset_id, decision.merged)
    ]
    after.append(
        before._replace(
            id=asset_id,
            minion_id=name,
            keys=frozenset(claim.keys) or before.keys,
            machine_id=claim.machine_id or before.machine_id,
            is_silent=False,
            is_temporary=before.is_temporary and not claim.keys,
            reports_as=claim.minion_id if claim.minion_id != name else None,
            parts=claim.parts,
        )
    )
    return claim, after


@given(CLAIMS, fleets())
def test_a_decision_is_about_an_asset_that_has_a_claimed_name_or_key(claim, fleet):
    decision = decide(claim, fleet)
    names = {claim.minion_id, claim.previous_minion_id}
    for asset_id in (decision.asset_id, decision.detached, decision.merged):
        if asset_id is not None:
            one = next(one for one in fleet if one.id == asset_id)
            assert one.keys & set(claim.keys) or (one.minion_id and one.minion_id in names)
    assert set(decision.shared) <= set(claim.keys)


@given(CLAIMS, fleets(), st.randoms())
def test_the_order_in_which_assets_are_read_decides_nothing(claim, fleet, random):
    shuffled = random.sample(fleet, len(fleet))
    assert decide(claim, shuffled) == decide(claim, fleet)
    assert rulings(claim, shuffled) == rulings(claim, fleet)


@given(CLAIMS, fleets())
def test_no_machine_that_has_keys_is_merged_or_loses_its_name_while_it_is_live(claim, fleet):
    decision = decide(claim, fleet)
    for one in fleet:
        if one.id == decision.merged:
            assert one.is_temporary
            assert one.machine_id == claim.machine_id is not None
        if one.id == decision.detached:
            assert one.is_silent or one.is_temporary


@given(CLAIMS, fleets())
def test_a_network_card_alone_moves_no_asset(claim, fleet):
    decision = decide(claim, fleet)
    owner = next((one for one in fleet if one.id == decision.asset_id), None)
    if decision.action in ("renamed", "replaced") and owner is not None and owner.keys:
        common = owner.keys & set(claim.keys)
        is_system = None is not owner.machine_id == claim.machine_id
        assert is_system or any(kind != "mac" for kind, _ in common)


@given(CLAIMS, fleets())
def test_what_was_decided_once_is_known_from_then_on(claim, fleet):
    decision = decide(claim, fleet)
    if decision.action == "held":
        return
    claim, after = learn(claim, fleet, decision)
    for _ in range(2):
        again = decide(claim, after)
        assert (again.action, again.asset_id) == ("known", decision.asset_id or NEW)
        claim, after = learn(claim, after, again)


HELD = {sentence: one for sentence, one in SCENARIOS.items() if one.action == "held"}


@pytest.mark.parametrize("scenario", HELD.values(), ids=HELD.keys())
def test_after_a_ruling_the_same_report_is_known(scenario):
    executed = 0
    for ruling in rulings(scenario.says, scenario.known):
        if ruling.decision.action != "rejected":
            claim, after = learn(scenario.says, scenario.known, ruling.decision)
            again = decide(claim, after)
            asset_id = ruling.decision.asset_id or NEW
            assert (again.action, again.asset_id) == ("known", asset_id), ruling
            executed += 1
    assert executed >= 2


@given(CLAIMS, fleets())
def test_after_any_ruling_the_same_report_is_known(claim, fleet):
    for ruling in rulings(claim, fleet):
        if ruling.decision.action != "rejected":
            usable, after = learn(claim, fleet, ruling.decision)
            again = decide(usable, after)
            assert (again.action, again.asset_id) == ("known", ruling.decision.asset_id or NEW)


@every_scenario
def test_a_ruling_says_what_it_does(scenario):
    for ruling in rulings(scenario.says, scenario.known):
        said = " ".join(ruling.says)
        assert ruling.decision.reason
        for one in scenario.known:
            if one.id in (ruling.decision.asset_id, *ruling.decision[3:4], ruling.decision.merged):
                assert one.name() in said
        for kind, value in ruling.decision.shared[:8]:
            assert f"{kind} {value}" in said


def named(claim, *known):
    return [
        (one.name, one.decision.action, one.decision.asset_id, one.subject and one.subject.id)
        for one in rulings(claim, known)
    ]


def test_a_serial_number_on_two_names_may_be_either_asset_or_one_of_its_own_or_both_in_one():
    assert named(says("db", ONE), WEB, DB) == [
        ("accept", "replaced", A, A),
        ("accept", "known", B, B),
        ("split", "replaced", None, None),
        ("merge", "renamed", A, B),
        ("reject", "rejected", None, None),
    ]


def test_to_accept_hardware_under_the_name_of_another_detaches_the_other():
    accept = rulings(says("db", ONE), [WEB, DB])[0]
    assert accept.decision.detached == B
    assert accept.says[0].startswith("The report is of web (serial_number dell/9xyz001, ")
    assert "db (serial_number dell/9xyz002" in accept.says[1]
    assert "loses the name db" in accept.says[1]
    assert accept.says[-1] == "It is called db from now on, not web."


def test_to_split_makes_the_common_keys_no_keys():
    split = next(one for one in rulings(says("new", ONE), [WEB]) if one.name == "split")
    assert split.decision.shared == ONE
    assert split.decision.action == "new"


def test_to_split_leaves_a_network_card_a_key_where_better_ones_tell_the_machines_apart():
    [_, split, _] = rulings(says("web", (*TWO[:3], MAC)), [WEB])
    assert split.name == "split"
    assert split.decision.shared == ()
    assert split.decision.detached == A


def test_to_accept_merges_the_temporary_asset_of_the_same_machine():
    rules = rulings(says("box", ONE), [BOX, WEB])
    assert [(one.name, one.decision.asset_id, one.decision.merged) for one in rules] == [
        ("accept", A, T),
        ("accept", T, None),
        ("split", T, None),
        ("reject", None, None),
    ]
    assert any("merged into it" in sentence for sentence in rules[0].says)


def test_to_give_the_keys_of_a_live_machine_to_another_is_warned_of():
    accept = rulings(says("web", TWO, machine_id="m2"), [WEB, detached(DB)])[0]
    assert accept.decision.asset_id == B
    assert any("make sure that it is not running" in sentence for sentence in accept.says)


def test_a_report_without_keys_is_of_the_machine_so_named_or_of_a_new_one():
    assert [one[:3] for one in named(says("web", (), machine_id="m9"), WEB)] == [
        ("accept", "known", A),
        ("split", "replaced", None),
        ("reject", "rejected", None),
    ]


def test_a_silent_node_of_an_enclosure_is_said_to_be_silent():
    accept = rulings(says("node2", NODE2), [silent(asset(A, "node1", (SN, UUID1)))])[0]
    assert accept.says[0].endswith("silent).")
    assert accept.says[-1] == "It is known by uuid u1 no longer."


@given(st.randoms())
def test_machines_without_a_common_identifier_are_never_mixed_up(random):
    """Whatever they are called, whatever of them can be read, and whoever is silent meanwhile."""
    machines = [
        says(f"m{n}", [(kind, f"{kind}{n}") for kind in KINDS[1:]], machine_id=f"m{n}")
        for n in range(3)
    ]
    # One has placeholders for serial numbers, one shows nothing at all.
    machines += [
        says("m3", [("mac", "mac3")], machine_id="m3"),
        says("m4", (), machine_id="m4"),
    ]
    fleet, owner = [], {}
    for step in range(25):
        number = random.randrange(len(machines))
        one = machines[number]
        if random.random() < 0.2:
            name = random.choice(["m0", "m1", "m2", "new"])
            before = random.choice([None, one.minion_id])
            one = machines[number] = one._replace(minion_id=name, previous_minion_id=before)
        if random.random() < 0.2:
            gone = random.randrange(5)
            fleet = [silent(it) if n == gone else it for n, it in enumerate(fleet)]
        seen = tuple(key for key in one.keys if random.random() < 0.8)
        one = one._replace(keys=seen)
        decision = decide(one, fleet)
        if decision.action == "held":
            continue
        # One machine may be two assets, if it never showed a key of both; two are never one.
        sharing = {owner[it.id] for it in fleet if it.keys & set(decision.shared)}
        assert sharing <= {number}
        _, fleet = learn(one, fleet, decision)
        asset_id = decision.asset_id or uuid.UUID(int=1000 + step)
        fleet = [
            it._replace(id=asset_id, is_temporary=not seen) if it.id == NEW else it for it in fleet
        ]
        assert owner.setdefault(asset_id, number) == number, decision
        assert decision.merged is None or owner[decision.merged] == number
