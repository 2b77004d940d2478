"""What a person is told to type arrives as it is meant."""

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st
from salt.utils.args import parse_input

from salt_ext.words.shell import argument


@pytest.mark.parametrize("name", ["web01", "web01.example.net", "rack7-a", "Srv_1.b-2"])
def test_a_usual_name_is_typed_as_it_is(name):
    assert argument(name) == name


@given(
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
    | st.sampled_from(["no", "NULL", "0123", "1e5", "1e234567", "12:30", "a=b", "~", "[x]", "#x"])
)
def test_whatever_the_name_is_salt_gets_it_from_a_shell(name):
    [word] = shlex.split(argument(name))
    assert parse_input([word], condition=False) == ([name], {})
