"""What a machine calls itself is one line that can be seen."""

import logging

import pytest

from salt_ext.master.intake import say
from salt_ext.store import Outcome
from salt_ext.words.visible import visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("web01", "web01"),
        ("机房 é", "机房 é"),
        ("a\nERROR: b", "a�ERROR: b"),
        ("\x1b[2Ja", "�[2Ja"),
        ("R\u202e750", "R�750"),
        ("fra2\u200b", "fra2�"),
        (7, "7"),
    ],
)
def test_what_cannot_be_seen_is_shown_as_a_sign(text, shown):
    assert visible(text) == shown


def test_a_machine_writes_no_line_of_its_own_into_the_log(caplog):
    with caplog.at_level(logging.DEBUG, logger="salt_ext"):
        say([Outcome("web01\nforged", "refused", "facts.x\x1b[2J\nforged: is deep")])
    assert [record.getMessage() for record in caplog.records] == [
        "web01�forged is refused: facts.x�[2J�forged: is deep"
    ]
