"""How far a command has come, on a terminal and where there is none."""

import pytest

from salt_ext.commands.progress import counted, progress
from tests.terminal import terminal


def test_a_terminal_shows_how_many_rows_have_come_and_nothing_at_the_end():
    with terminal() as shown, progress() as show:
        assert list(counted(range(2500), show, "of 2,500 rows")) == list(range(2500))
    assert shown == ["\r1,000 of 2,500 rows\x1b[K\r2,000 of 2,500 rows\x1b[K\r\x1b[K"]


def test_the_line_is_empty_after_an_error_too():
    def rows():
        yield from range(1000)
        raise RuntimeError("no more")

    with terminal() as shown, pytest.raises(RuntimeError, match="no more"), progress() as show:
        list(counted(rows(), show, "rows"))
    assert shown == ["\r1,000 rows\x1b[K\r\x1b[K"]


def test_a_pipe_gets_nothing(capfd):
    with progress() as show:
        list(counted(range(2500), show, "rows"))
        show("packing the file")
    assert capfd.readouterr() == ("", "")
