"""What ./dev fuzz begins with holds already, with or without the fuzzer."""

import json
import pkgutil

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzz import seeds
from fuzz.targets import TARGETS, Strict, check
from salt_ext.facts import raid


@pytest.mark.parametrize("name", TARGETS)
def test_a_target_stands_what_fuzzing_begins_with(name, tmp_path):
    assert seeds.write(name, tmp_path)
    for path in tmp_path.iterdir():
        check(name, path.read_bytes())


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=20, deadline=None)
@given(data=st.binary(max_size=400))
def test_a_target_stands_any_bytes(name, data):
    check(name, data)


NAMES = st.sampled_from(["volatile", "serial_number", "name", "slot", "hctl", "model", "cloud", ""])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just("x" * 300),
    lambda below: st.lists(below) | st.dictionaries(NAMES | st.text(), below),
    max_leaves=20,
)
PART = st.dictionaries(NAMES, JSON)


@settings(max_examples=100, deadline=None)
@given(found=PART | st.lists(PART))
def test_whatever_a_collector_returns_costs_no_more_than_its_section(found):
    check("section", json.dumps(found).encode())


@pytest.mark.parametrize("key", [-1, 5, slice(-2, 4), slice(0, 5)])
def test_a_read_outside_of_a_structure_is_noticed(key):
    with pytest.raises(IndexError, match="outside of 4 bytes"):
        Strict(b"abcd")[key]
    assert Strict(b"abcd")[1:4] == b"bcd"


def test_every_raid_parser_is_fuzzed():
    tools = {f"raid_{module.name}" for module in pkgutil.iter_modules(raid.__path__)}
    assert tools - set(TARGETS) == {"raid_view"}
