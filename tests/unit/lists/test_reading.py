"""Where the headings of a list are found, and how long a list may be."""

import pytest

from salt_ext.exchange import ExchangeError
from salt_ext.lists.reading import read_file
from salt_ext.lists.tables import tables


@pytest.fixture
def read(tmp_path):
    """Write lines into a file and read it as a list."""

    def table(*lines):
        path = tmp_path / "list.csv"
        path.write_text("\n".join(lines))
        [grid] = read_file(str(path)).sheets
        [found] = tables(grid, {})
        return found

    return table


def test_the_headings_are_the_first_row_with_two_that_mean_something(read):
    table = read("Server,of Berlin", "Serial,Colour,Site", "S1,red,dc1")
    assert (table.heading, table.headings) == (2, ["Serial", "Colour", "Site"])
    assert table.rows == [(3, ["S1", "red", "dc1"])]


def test_one_heading_is_enough_where_there_is_one_column(read):
    assert (read("Serial", "S1").heading, read("Berlin", "Serial", "S1").heading) == (1, 2)


def test_titles_may_stand_above_the_headings(read):
    assert read(*["a title"] * 19, "Serial,Site", "S1,dc1").heading == 20


def test_a_list_has_a_hundred_thousand_rows_at_most(read):
    assert len(read("Serial", *["S"] * 99_999).rows) == 99_999
    with pytest.raises(ExchangeError, match="has more than 100000 rows"):
        read("Serial", *["S"] * 100_000)


def test_a_list_has_a_thousand_columns_at_most(read):
    assert len(read("Serial,Site", "S1" + "," * 1500).rows) == 1
    with pytest.raises(ExchangeError, match="line 2 has 1002 columns, more than 1000"):
        read("Serial,Site", "S1" + "," * 1001 + "x")


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_columns_are_split_by_what_gives_the_most_headings(read, separator):
    lines = ["servers, racks, and a few, more, things", "Serial{0}Site", "S1{0}dc1, the old one"]
    lines[2] = lines[2].replace(",", "") if separator == "," else lines[2]
    table = read(*(one.format(separator) for one in lines))
    assert (table.heading, table.headings) == (2, ["Serial", "Site"])


def test_a_line_for_excel_says_what_splits_columns(read):
    table = read("sep=;", "Serial;Site", "S1;dc1")
    assert (table.heading, table.rows) == (2, [(3, ["S1", "dc1"])])


@pytest.mark.parametrize(
    ("cell", "read_as"), [("'=1+1", "=1+1"), ("'-5", "-5"), ("'S1", "'S1"), ("S'=1", "S'=1")]
)
def test_the_apostrophe_that_keeps_a_text_from_being_a_formula_is_no_part_of_it(
    read, cell, read_as
):
    assert read("Serial,Site", f"S1,{cell}").rows == [(2, ["S1", read_as])]
