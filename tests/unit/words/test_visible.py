"""What a machine calls itself is one line that can be seen."""

import logging

import pytest

from salt_ext.master.intake import say
from salt_ext.store import Outcome
from salt_ext.words.visible import INDENT, trace, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("web01", "web01"),
        ("机房 é", "机房 é"),
        ("a\nERROR: b", "a<U+000A>ERROR: b"),
        ("\x1b[2Ja", "<U+001B>[2Ja"),
        ("R\u202e750", "R<U+202E>750"),
        ("fra2\u200b", "fra2<U+200B>"),
        ("fra2\u3164", "fra2<U+3164>"),
        ("R\ufe0f\u2800", "R<U+FE0F><U+2800>"),
        ("128\u00a0GiB", "128\u00a0GiB"),
        (7, "7"),
    ],
)
def test_what_cannot_be_seen_is_shown_as_a_sign(text, shown):
    assert visible(text) == shown


def test_a_machine_writes_no_line_of_its_own_into_the_log(caplog):
    with caplog.at_level(logging.DEBUG, logger="salt_ext"):
        say([Outcome("web01\nforged", "refused", "facts.x\x1b[2J\nforged: is deep")])
    assert [record.getMessage() for record in caplog.records] == [
        "web01<U+000A>forged is refused: facts.x<U+001B>[2J<U+000A>forged: is deep"
    ]


def test_no_line_of_a_traceback_can_be_taken_for_one_of_the_log():
    try:
        raise ValueError("x\n[ERROR] forged\x1b[2J\r[ERROR] \u202eforged\x9b\u2028[ERROR]")
    except ValueError as error:
        lines = trace(error).split("\n")
    assert lines[0] == ""
    assert "ValueError: x" in lines[-2]
    assert all(line.startswith(INDENT) and line.isprintable() for line in lines[1:])
    assert lines[-1] == (
        f"{INDENT}[ERROR] forged<U+001B>[2J<U+000D>[ERROR] <U+202E>forged<U+009B><U+2028>[ERROR]"
    )
