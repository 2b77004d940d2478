"""Columns that stand one below the other on a terminal."""

from salt_ext.commands.printing.layout import columns, grid, width


def test_a_chinese_character_takes_two_places_and_a_mark_on_a_letter_none():
    assert [width(one) for one in ("dc1", "机房", "e\N{COMBINING ACUTE ACCENT}", "")] == [
        3,
        4,
        1,
        0,
    ]


def test_columns_stand_one_below_the_other_whatever_is_written_in_them():
    rows = [["机房一", 1, "R01"], ["dc1", 20, "R02"]]
    assert grid(["site", "assets", "rack"], rows) == [
        "SITE    ASSETS  RACK",
        "机房一       1  R01 ",
        "dc1         20  R02 ",
    ]
    assert columns([["机房", "a"], ["dc1", "b"]]) == ["机房  a", "dc1   b"]
