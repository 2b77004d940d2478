"""The nearest known word, and what a slip of the finger may be."""

import pytest

from salt_ext.words.nearest import LONGEST, nearest, slips, unknown


@pytest.mark.parametrize(
    ("word", "known", "near"),
    [
        ("AMS1", ["ams2", "ams1"], "ams1"),
        ("ams1", ["AMS1", "ams11"], "AMS1"),
        ("dell", ["HPE", "Dell Inc.", "Dell Computer Corporation"], "Dell Inc."),
        ("amz1", ["fra1", "ams1"], "ams1"),
        ("Straße", ["STRASSE"], "STRASSE"),
        ("zzz", ["fra1", "ams1"], None),
        ("", ["fra1"], None),
        ("x", [], None),
    ],
)
def test_the_nearest_word(word, known, near):
    assert nearest(word, known) == near


def test_another_word_for_the_same_goes_before_a_similar_one():
    others = {"memory": "memory_bytes"}
    assert nearest("memory", ["memory.type", "memory_bytes"], others) == "memory_bytes"
    assert nearest("memory", ["memory.type"], others) == "memory.type"


def test_a_long_list_of_known_words_is_cut():
    said = unknown("column", "x", range(1000))
    assert said.endswith(", 99 and 900 more")


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("wbe01", "web01"),
        ("web1", "web01"),
        ("webb01", "web01"),
        ("wev01", "web01"),
        ("eb01", "web01"),
        ("WEB01", "web01"),
        ("web01", "WEB01"),
        ("9XYZO01", "9XYZ001"),
        ("10.0.0.117", "10.0.0.17"),
        ("52:54:0:00:00:01", "52:54:00:00:00:01"),
    ],
)
def test_a_slip_of_the_finger_leads_to_what_was_meant(typed, meant):
    assert meant in slips(typed)
    assert typed not in slips(typed)


def test_a_text_that_is_no_name_has_no_slips():
    assert slips("") == set()
    assert slips("x" * (LONGEST + 1)) == set()
    assert len(slips("x" * LONGEST)) < 10_000
