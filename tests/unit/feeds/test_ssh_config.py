"""What ssh is told; tests/consumers/test_ssh.py has what it makes of it."""

import re

import pytest

from salt_ext.feeds.ssh_config import FEED
from salt_ext.store import FilterError
from tests.hostile import TEXTS
from tests.unit.feeds.made_up import fed, row


def hosts(*rows, **options):
    """The names of each block."""
    text, _ = fed(FEED, rows, **options)
    return [line.split()[1:] for line in text.splitlines() if line.startswith("Host ")]


def test_a_machine_is_known_by_its_name_its_short_name_and_its_serial_number():
    text, left_out = fed(FEED, [row(1, "web01.fra1.example.com", sn="9XYZ001")])
    assert text == (
        "Host web01.fra1.example.com web01 sn-9XYZ001\n"
        "    HostName 10.0.0.1\n"
        "    HostKeyAlias web01.fra1.example.com\n"
    )
    assert not left_out


def test_of_two_that_want_one_name_neither_gets_it():
    rows = (row(1, "web01.fra1", sn="S1"), row(2, "web01.iad1", sn="s1"), row(3, "sn-s2", sn=None))
    assert hosts(*rows, row(4, "db01", sn="S2")) == [
        ["web01.fra1"],
        ["web01.iad1"],
        ["sn-s2"],
        ["db01"],
    ]
    # The name of a machine is never taken away from it.
    assert hosts(row(1, "web01.fra1"), row(2, "web01")) == [["web01.fra1"], ["web01"]]


def test_names_that_ssh_does_not_tell_apart_are_left_out():
    text, left_out = fed(FEED, [row(1, "Web01"), row(2, "web01"), row(3, "web02")])
    assert "HostKeyAlias web02" in text
    assert set(left_out) == {"Web01", "web01"}


@pytest.mark.parametrize(
    "text", [*TEXTS, "*", "a b", "a\n    ProxyCommand touch marker", "a*", "!x"]
)
def test_whatever_a_machine_says_adds_no_line_no_option_and_no_pattern(text):
    written, _ = fed(FEED, [row(1, "web01", sn=text, hostname=text), row(2, text, address=text)])
    first, *rest = written.splitlines()
    assert first.split()[:2] == ["Host", "web01"]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+", name) for name in first.split()[1:])
    assert rest == ["    HostName 10.0.0.1", "    HostKeyAlias web01"]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("user", "ops\n    ProxyCommand touch marker"),
        ("user", "-oProxyCommand=x"),
        ("user", "%h"),
        ("user", "a b"),
        ("port", "22\nProxyCommand x"),
        ("port", 70000),
        ("proxy_jump", "bastion,-oProxyCommand=x"),
        ("proxy_jump", "bastion\n    ProxyCommand x"),
        ("proxy_jump", "bastion other"),
        ("key_alias", "hostname"),
    ],
)
def test_what_a_reader_asks_for_can_be_nothing_else(option, value):
    with pytest.raises(FilterError, match=option):
        fed(FEED, [row(1, "web01")], **{option: value})


def test_options_are_in_every_block_and_no_machine_is_reached_by_way_of_itself():
    asked = {"user": "ops", "port": 2222, "proxy_jump": "ops@bastion:22,[fd00::9]"}
    rows = (row(1, "web01"), row(2, "Bastion.fra1"), row(3, "other", address="fd00::9"))
    text, _ = fed(FEED, rows, **asked)
    blocks = text.split("Host ")[1:]
    assert all("    User ops\n    Port 2222\n" in one for one in blocks)
    assert ["ProxyJump ops@bastion:22,[fd00::9]" in one for one in blocks] == [True, False, False]


def test_nobody_stands_for_a_machine_on_the_way_but_one_whose_name_salt_has_checked():
    rows = (
        row(1, "web01.fra1"),
        # What it calls itself, and what an operator has accepted.
        row(2, "Bastion.fra1", is_own=False),
        row(3, "gate", is_own=True),
        row(4, "bastion.lab"),
    )
    text, left_out = fed(FEED, rows, proxy_jump="ops@bastion,gate:22,bastion.fra1")
    called = [line for line in text.splitlines() if line.startswith("Host ")]
    assert called == ["Host web01.fra1 web01", "Host gate", "Host bastion.lab"]
    assert "proxy_jump" in left_out["Bastion.fra1"]


def test_a_key_may_be_known_by_the_asset():
    text, _ = fed(FEED, [row(7, "web01")], key_alias="id")
    assert "HostKeyAlias 00000000-0000-0000-0000-000000000007\n" in text


def test_a_machine_without_a_network_is_not_the_one_on_which_ssh_runs():
    text, left_out = fed(FEED, [row(1, "web01", address="127.0.0.1")])
    assert (text, list(left_out)) == ("", ["web01"])
