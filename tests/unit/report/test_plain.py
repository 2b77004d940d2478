"""One quick look at a section, which must never find good what the slow ones refuse."""

from hypothesis import given, settings
from hypothesis import strategies as st

from salt_ext import document
from salt_ext.report.storable import fault, is_plain
from tests.machines import server

WORDS = st.sampled_from(["", "a", "sda", "0000:01:00.0", "ä", "x" * 255, "x" * 256])
LEAVES = st.one_of(
    WORDS,
    st.none(),
    st.booleans(),
    st.integers(-(2**63) - 1, 2**63),
    st.floats(),
    st.sampled_from([1e16, -0.0, 1e-7, (), b"", 2**63, -(2**63)]),
)
KEYS = st.one_of(
    WORDS, st.sampled_from(["serial_number", "name", "pci_slot", "size"]), st.integers()
)
VALUES = st.recursive(
    LEAVES,
    lambda below: st.one_of(
        st.lists(below, max_size=4),
        st.lists(st.dictionaries(KEYS, below, max_size=3), max_size=4),
        st.dictionaries(KEYS, below, max_size=4),
    ),
    max_leaves=30,
)


def is_good(value, depth=1):
    return fault(value, depth) is None and document.normal({"section": value})["section"] == value


@settings(max_examples=400, deadline=None)
@given(VALUES)
def test_what_one_look_finds_good_is_good(value):
    if is_plain(value, 1):
        assert is_good(value)


@settings(max_examples=200, deadline=None)
@given(VALUES)
def test_what_is_good_is_found_good_unless_it_is_no_section(value):
    if isinstance(value, dict | list) and is_good(value):
        assert is_plain(value, 1)


def test_one_look_is_enough_for_an_honest_report():
    for facts in (server(1), server(2)):
        for section, value in document.normal(facts).items():
            assert is_plain(value, 1), section


def test_levels_count_as_for_the_slow_look():
    for levels in range(14, 19):
        value = "deep"
        for _ in range(levels):
            value = {"a": value}
        assert is_plain(value, 1) == is_good(value)


def test_parts_that_only_their_text_tells_apart_stand_in_its_order():
    twins = [{"name": "a", "size": 2}, {"name": "a", "size": 1}]
    assert not is_plain(twins, 1)
    assert is_plain(document.normal({"section": twins})["section"], 1)
