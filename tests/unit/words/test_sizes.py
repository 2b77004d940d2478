import pytest

from salt_ext.words.sizes import beginning, size_bytes


@pytest.mark.parametrize(
    ("text", "size"), [("", 0), ("disk", 4), ("é", 2), ("硬盘", 6), ("🖴", 4), ("\udc80", 1)]
)
def test_a_text_has_the_bytes_that_it_has_in_utf8(text, size):
    assert size_bytes(text) == size


@pytest.mark.parametrize(
    ("most", "kept"),
    [(0, ""), (2, ""), (3, "硬"), (5, "硬"), (6, "硬盘"), (7, "硬盘a"), (9, "硬盘a")],
)
def test_the_beginning_of_a_text_ends_with_a_whole_character(most, kept):
    assert beginning("硬盘a", most) == kept
