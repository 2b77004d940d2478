"""Strings and numbers at the bounds of what later steps can carry."""

import pytest

from salt_ext.facts.clean import clean


@pytest.mark.parametrize(
    ("value", "cleaned"),
    [
        (2**63 - 1, 2**63 - 1),
        (2**63, str(2**63)),
        (-(2**63), -(2**63)),
        (-(2**63) - 1, str(-(2**63) - 1)),
        (1e16 - 2, 1e16 - 2),
        (1e16, 10**16),
        (-1e16, -(10**16)),
        (1e30, str(10**30 + 19884624838656)),
        (float("nan"), None),
        (float("-inf"), None),
        ("x" * 4096, "x" * 4096),
        ("x" * 4097, "x" * 4096),
        (" a\0b\x1bc\n", "abc"),
        ("\ud800", "?"),
        (b"\xff", "\ufffd"),
        ((1, "", None), [1, None, None]),
        ("ds=nocloud;s=http://user:pass@10.0.0.1/", "ds=nocloud;(not shown)"),
        (" DS=nocloud-net;h=x;s=http://10.0.0.1/token/", "DS=nocloud-net;(not shown)"),
    ],
)
def test_a_value_is_what_msgpack_and_postgresql_can_carry(value, cleaned):
    assert clean(value) == cleaned
    assert type(clean(value)) is type(cleaned)


def test_minus_zero_is_zero():
    assert str(clean(-0.0)) == "0.0"


def test_sixteen_containers_may_stand_in_one_another_and_no_more():
    value = "deep"
    for _ in range(16):
        value = [value]
    assert clean(value) == value
    with pytest.raises(ValueError, match="nested deeper than 16"):
        clean([value])


@pytest.mark.parametrize("value", [{1}, object(), {1: "a"}, {None: "a"}])
def test_what_is_no_data_is_an_error(value):
    with pytest.raises(TypeError):
        clean(value)
