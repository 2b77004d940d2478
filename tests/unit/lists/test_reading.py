"""Where the headings of a list are found, and how long a list may be."""

import pytest

from salt_ext.exchange import ExchangeError
from salt_ext.lists.reading import read_table


@pytest.fixture
def read(tmp_path):
    """Write lines into a file and read it as a list."""

    def table(*lines):
        path = tmp_path / "list.csv"
        path.write_text("\n".join(lines))
        return read_table(str(path))

    return table


def test_the_headings_are_the_first_row_with_two_that_mean_something(read):
    table = read("Server,of Berlin", "Serial,Colour,Site", "S1,red,dc1")
    assert (table.heading, table.headings) == (2, ["Serial", "Colour", "Site"])
    assert table.rows == [(3, ["S1", "red", "dc1"])]


def test_one_heading_is_enough_where_there_is_one_column(read):
    assert (read("Serial", "S1").heading, read("Berlin", "Serial", "S1").heading) == (1, 2)


@pytest.mark.parametrize(("above", "heading"), [(19, 20), (20, 1)])
def test_the_headings_are_looked_for_in_twenty_rows(read, above, heading):
    assert read(*["a title"] * above, "Serial,Site", "S1,dc1").heading == heading


def test_a_list_has_a_hundred_thousand_rows_at_most(read):
    assert len(read("Serial", *["S"] * 99_999).rows) == 99_999
    with pytest.raises(ExchangeError, match="has 100001 rows, more than 100000"):
        read("Serial", *["S"] * 100_000)


@pytest.mark.parametrize(
    ("cell", "read_as"), [("'=1+1", "=1+1"), ("'-5", "-5"), ("'S1", "'S1"), ("S'=1", "S'=1")]
)
def test_the_apostrophe_that_keeps_a_text_from_being_a_formula_is_no_part_of_it(
    read, cell, read_as
):
    assert read("Serial,Site", f"S1,{cell}").rows == [(2, ["S1", read_as])]
