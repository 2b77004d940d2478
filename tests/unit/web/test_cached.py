"""Kept answers: young ones cost nothing, and who has to wait for one waits in a room."""

import contextlib
import threading

from salt_ext.questions.table import Table
from tests.patience import PATIENCE_SECONDS
from webui.cached import MOST_ROWS, Cache


def test_an_answer_is_kept_for_some_seconds():
    cache, asked = Cache(60), []
    for _ in range(3):
        assert cache.get("a", lambda: asked.append(1) or "one").value == "one"
    assert len(asked) == 1
    assert cache.get("b", lambda: "two").value == "two"


def test_with_no_seconds_nothing_is_kept():
    cache, asked = Cache(0), []
    for _ in range(3):
        cache.get("a", lambda: asked.append(1))
    assert len(asked) == 3


def test_a_kept_answer_tells_its_age():
    cache = Cache(60)
    first, second = (cache.get("a", lambda: 1) for _ in range(2))
    assert first.age_seconds == 0
    assert 0 < second.age_seconds < 60


def test_only_who_asks_or_waits_takes_a_room():
    cache, inside, taken = Cache(60), threading.Event(), []

    @contextlib.contextmanager
    def room():
        taken.append(1)
        if len(taken) == 2:
            inside.set()
        yield

    def slow():
        assert inside.wait(PATIENCE_SECONDS), "the second reader took no room"
        return "found"

    readers = [threading.Thread(target=cache.get, args=("a", slow, room)) for _ in range(2)]
    for one in readers:
        one.start()
    for one in readers:
        one.join()
    assert len(taken) == 2
    assert cache.get("a", slow, room).value == "found"
    assert len(taken) == 2


def test_an_error_is_not_kept():
    cache = Cache(60)
    with contextlib.suppress(ValueError):
        cache.get("a", lambda: int("x"))
    assert cache.get("a", lambda: 1).value == 1


def table(rows):
    return Table("rows", ["x"], [{"x": 1}] * rows, rows)


def test_long_tables_make_room_for_each_other():
    cache, asked = Cache(60), []

    def ask(name):
        cache.get(name, lambda: asked.append(name) or table(MOST_ROWS // 2 - 1))

    for name in ("a", "b", "a", "c", "a", "b"):
        ask(name)
    assert asked == ["a", "b", "c", "b"]


def test_a_table_longer_than_all_that_may_be_kept_is_shown_and_not_kept():
    cache = Cache(60)
    assert cache.get("a", lambda: table(MOST_ROWS + 1)).value.total == MOST_ROWS + 1
    assert cache.get("b", lambda: "b").value == "b"
    assert cache.get("a", lambda: "asked again").value == "asked again"
