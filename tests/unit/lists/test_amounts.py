"""Sizes and numbers of parts as people write them."""

import pytest

from salt_ext.lists.amounts import MAX_CHARACTERS, how_many, items, sizes

GIB = 1 << 30


@pytest.mark.parametrize(
    "text",
    [
        *("512G", "512GB", "512 GiB", "0.5T", "16*32G", "16x32G", "32G*16", "32G x 16", "32G×16"),  # noqa: RUF001
        *("512", "512.0", "16条32G", "32G*16条", "32GB DDR4 3200MHz*16", "16*32GB DDR4-3200 RDIMM"),
        *("512GB(16*32GB)", "(16*32GB)", "16*32G=512G", "32G*16，共512G", "３２Ｇ＊１６"),  # noqa: RUF001
        *("8*32G+16*16G", "8*32G；8*32G", "536870912 kB", "512GB ECC", "内存512G"),  # noqa: RUF001
    ],
)
def test_memory_is_read_in_many_spellings(text):
    assert sizes(text, "g")[1] == 512 * GIB


@pytest.mark.parametrize(
    ("text", "terabytes", "count"),
    [
        ("6*3.84TB", 23.04, 6),
        ("3.84T*6", 23.04, 6),
        ("2x480G SSD + 4x4T", 16.96, 6),
        ("2块480G SSD，4块4T SATA", 16.96, 6),  # noqa: RUF001
        ("480G SSD 2块", 0.96, 2),
        ("2*960GSSD", 1.92, 2),
        ("600G 10K SAS*4", 2.4, 4),
        ("4TB 7.2K 3.5寸 SATA 6Gb/s*12", 48, 12),
        ("SSD:480G*2 HDD:4T*12", 48.96, 14),
        ("RAID1: 2*480G; RAID5: 6*4T", 24.96, 8),
        ('4 x 1.2TB 10K 2.5" SAS', 4.8, 4),
        ("1,920GB", 1.92, 1),
    ],
)
def test_disks_are_added_up_and_counted(text, terabytes, count):
    assert sizes(text, "g")[0] == pytest.approx(terabytes * 1e12)
    assert how_many(text) == count


@pytest.mark.parametrize("text", ["", "much", "10.0.0.1", "2027-03-01", "SSD", "web01/web02"])
def test_what_is_no_size_is_none(text):
    assert sizes(text, "g") == []


@pytest.mark.parametrize(
    ("text", "count"),
    [("8", 8), ("8块", 8), ("8.0", 8), ("8*64", None), ("8 disks", 8), ("?", None)],
)
def test_parts_are_counted(text, count):
    assert how_many(text) == count


def test_a_bare_number_takes_the_unit_of_its_heading():
    assert sizes("2", "tb")[0] == 2e12


def test_a_cell_that_holds_a_story_is_read_in_a_moment():
    assert len(items("2*480G " * 100_000)) <= MAX_CHARACTERS // 7 + 1
    assert items("9" * 1_000_000) == items("9" * MAX_CHARACTERS)
