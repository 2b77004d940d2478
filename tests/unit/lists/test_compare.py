"""Whether a cell contradicts a machine, field by field."""

from time import process_time

import pytest

from salt_ext.lists.compare import RULES, equal, units
from salt_ext.lists.headings import meaning


@pytest.mark.parametrize(
    ("field", "ours", "theirs"),
    [
        ("memory_bytes", "128", 128 << 30),
        ("memory_bytes", "128GB", 128 << 30),
        ("disk_bytes", "2*480G + 3.84T", 4_800_000_000_000),
        ("disk_bytes", "much", 1),
        ("disk_count", "6*3.84T", 6),
        ("disk_count", 6.0, 6),
        ("manufacturer", "戴尔", "Dell Inc."),
        ("manufacturer", "Acme", "Acme Computers Ltd."),
        ("product_name", "R750", "PowerEdge R750"),
        ("os", "Rocky 9", "Rocky Linux 9.5 (Blue Onyx)"),
        ("os", "Linux", "Rocky Linux 9.5 (Blue Onyx)"),
        ("processor_model", "6330*2", "Intel(R) Xeon(R) Gold 6330 CPU @ 2.00GHz"),
        ("processor_threads", 112.0, 112),
        ("processor_threads", "112线程", 112),
        ("address", "10.0.0.9；10.0.0.1", "10.0.0.1"),  # noqa: RUF001
        ("site", "ams1机房", "ams1"),
        ("rack", " r01 ", "R01"),
        ("rack", "R-1", "R01"),
        ("rack", "A01机柜", "A01"),
        ("rack", "A01-U12", "A01"),
        ("rack", "A01-12U", "A01"),
        ("unit", "12U", "U12"),
        ("unit", "U12-13", "U12"),
        ("unit", 12, "U12"),
        ("unit", "12~13", "12"),
        ("unit", "5", "U05"),
        ("unit", "top", "U05"),
        ("kind", "物理机", "physical"),
        ("kind", "服务器", "virtual"),
    ],
)
def test_what_people_write_is_understood(field, ours, theirs):
    assert equal(field, ours, theirs)


@pytest.mark.parametrize(
    ("field", "ours", "theirs"),
    [
        ("memory_bytes", "64", 128 << 30),
        ("disk_bytes", "6*3.84TB", 3_840_000_000_000),
        ("disk_count", "5", 6),
        ("rack", "R0", "R01"),
        ("rack", "R02", "R01"),
        ("rack", "A011", "A01"),
        ("site", "dc1", "dc10"),
        ("room", "2.14", "2.15"),
        ("unit", "U14-15", "U12"),
        ("product_name", "R750", "PowerEdge R750xs"),
        ("manufacturer", "HPE", "Dell Inc."),
        ("manufacturer", "Acme", "Dell Inc."),
        ("processor_threads", 56, 112),
        ("address", "10.0.0.11", "10.0.0.1"),
        ("kind", "虚拟机", "physical"),
    ],
)
def test_what_differs_is_different(field, ours, theirs):
    assert not equal(field, ours, theirs)


@pytest.mark.parametrize(("amount", "is_same"), [("106GB", True), ("106.1GB", False)])
def test_a_size_may_differ_by_six_percent(amount, is_same):
    assert equal("memory_bytes", amount, 100 * 10**9) is is_same


@pytest.mark.parametrize(
    ("text", "found"),
    [("U12-13", {12, 13}), ("13-12U", {12, 13}), ("U05", {5}), ("1-42", set(range(1, 43)))],
)
def test_a_range_of_units_is_all_of_them(text, found):
    assert units(text) == found


@pytest.mark.parametrize("text", ["9", "(", "6330 ", "2*", "16*32G ", "硬盘", "0", " "])
def test_a_cell_without_end_is_compared_in_a_moment(text):
    story = text * 40_000
    began = process_time()
    for field in RULES:
        equal(field, story, 7 if field in ("memory_bytes", "disk_bytes") else story[:500])
        equal(field, story, 7)
    meaning(story)
    # Each would take minutes if its cost grew with the square of the length.
    assert process_time() - began < 10
