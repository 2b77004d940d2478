"""Kept answers: young ones cost nothing, and who has to wait for one waits in a room."""

import contextlib
import threading

from webui.cached import Cache


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
        assert inside.wait(5), "the second reader took no room"
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
