"""What one list's words do to another list's days and numbers: nothing."""

import pytest

from salt_ext import store
from salt_ext.lists import expected, rows

DAYS = ("SN;Warranty;Price", *(f"S{n};2020-0{n}-01;{n},000" for n in range(1, 10)))


@pytest.fixture
def keep(database, tmp_path):
    """Import these lines as a list of this name."""

    def imported(*lines, source="fleet.csv"):
        path = tmp_path / "list.csv"
        path.write_text("\n".join(lines))
        return expected.keep(database, rows.read(str(path), "", {}), source=source, by="me")

    return imported


def found(database, **filters):
    page = store.assets(database, columns="sn,list.warranty,list.price", filters=filters, limit=99)
    return {row["sn"]: (row["list.warranty"], row["list.price"]) for row in page.rows}


def test_a_word_among_the_days_of_another_list_is_kept_named_and_compared_with_no_day(
    database, keep
):
    keep(*DAYS)
    done = keep("SN;维保到期", "S1;永久", "X1;永久", source="p.csv")
    assert done["counts"]["kept as words"] == 2
    assert done["rows"][0] == [
        "list.csv",
        2,
        "S1",
        None,
        "list.warranty: 永久 is no day; kept as a word",
    ]
    assert found(database)["S1"] == ("永久", 1000)
    over = [f"S{number}" for number in range(2, 10)]
    assert sorted(found(database, **{"list.warranty__lt": "90d"})) == over
    assert found(database, **{"list.warranty__gt": "2020-09-01"}) == {}
    assert sorted(found(database, **{"list.warranty__contains": "永久"})) == ["S1", "X1"]
    keep("SN;维保到期", "S1;2020-01-01", source="p.csv")
    assert len(found(database, **{"list.warranty__lt": "90d"})) == 9


def test_a_word_makes_no_text_of_the_numbers_of_another_list(database, keep):
    keep(*DAYS)
    done = keep("SN;Price", "S1;面议", source="p.csv")
    assert done["rows"][0][4] == "list.price: 面议 is no number; kept as a word"
    assert sorted(found(database, **{"list.price__gte": 8000})) == ["S8", "S9"]


def test_a_text_is_compared_neither_with_days_nor_with_numbers(database, keep):
    keep("SN;Warranty;Price", "S1;永久;much", "S2;三年;less")
    for field, value in (
        ("list.warranty__lt", "90d"),
        ("list.warranty__gte", "2027-03-01"),
        ("list.price__gt", 1000),
        ("list.price__lt", "1000"),
    ):
        with pytest.raises(store.FilterError, match="is a text and cannot be compared with"):
            found(database, **{field: value})
    # A day that a later list has does not make days of all the words before.
    keep("SN;Warranty", "S3;2027-03-01", source="late.csv")
    with pytest.raises(store.FilterError, match="is a text"):
        found(database, **{"list.warranty__lt": "90d"})
    keep("SN;Warranty", *(f"S{number};2027-03-01" for number in range(3, 9)), source="late.csv")
    assert len(found(database, **{"list.warranty__lte": "2027-03-01"})) == 6


def test_the_list_whose_words_make_a_text_of_another_ones_numbers_is_told_which(database, keep):
    keep(*DAYS)
    words = [f"X{number};A-{number}" for number in range(5)]
    done = keep("SN;Price", *words, source="p.csv")
    assert done["rows"][0][4] == ("list.price: A-0 is no number; too few are: list.price is a text")
    with pytest.raises(store.FilterError, match="is a text"):
        found(database, **{"list.price__gt": 1})
    assert "kept as words" not in keep("SN;Price", *words, source="p.csv")["counts"]
    assert found(database, **{"list.price": "A-3"}).keys() == {"X3"}
