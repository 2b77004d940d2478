"""Two heavy reads run, two wait a moment, and all others are told at once to come again."""

import contextlib
import threading
import time
from functools import partial

import pytest
from flask import Flask, Response

from tests.patience import PATIENCE_SECONDS
from webui import heavy
from webui.heavy import Crowded, Gate, admit


@pytest.fixture
def app():
    """An application with a heavy answer in pieces and a heavy one that fails."""
    app = Flask("test")
    heavy.register(app)

    def pieces():
        yield b"one"
        yield b"two"

    def fail():
        raise ValueError("no")

    app.add_url_rule("/file", "file", partial(admit, lambda: Response(pieces())))
    app.add_url_rule("/page", "page", partial(admit, lambda: "page"))
    app.add_url_rule("/bug", "bug", partial(admit, fail))
    return app


def is_free(app):
    """Whether all rooms are free."""
    gate = app.extensions["heavy"]
    for _ in range(heavy.RUNNING):
        gate.enter()
    for _ in range(heavy.RUNNING):
        gate.leave()
    return True


def test_the_third_waits_until_one_has_left():
    gate = Gate(running=1, waiting=1)
    gate.enter()
    entered = threading.Event()
    third = threading.Thread(target=lambda: (gate.enter(), entered.set()))
    third.start()
    assert not entered.is_set()
    gate.leave()
    assert entered.wait(PATIENCE_SECONDS)
    third.join()


def test_who_waited_in_vain_is_told_within_a_second():
    gate = Gate(running=1, waiting=1)
    gate.enter()
    for _ in range(2):  # the first to go has left the place where one waits
        began = time.monotonic()
        with pytest.raises(Crowded):
            gate.enter()
        assert 0.5 < time.monotonic() - began < PATIENCE_SECONDS
    assert heavy.WAIT_SECONDS < 1


def test_who_finds_all_places_taken_is_told_at_once(monkeypatch):
    monkeypatch.setattr(heavy, "WAIT_SECONDS", 2 * PATIENCE_SECONDS)
    gate = Gate(running=1, waiting=0)
    gate.enter()
    began = time.monotonic()
    with pytest.raises(Crowded):
        gate.enter()
    assert time.monotonic() - began < PATIENCE_SECONDS
    gate.leave()
    gate.enter()


def test_a_page_leaves_when_it_is_made(app):
    assert app.test_client().get("/page").text == "page"
    assert is_free(app)


def test_a_file_leaves_when_its_last_piece_was_taken(app):
    response = app.test_client().get("/file", buffered=False)
    inside = heavy.RUNNING - 1
    gate = app.extensions["heavy"]
    for _ in range(inside):
        gate.enter()
    with pytest.raises(Crowded):
        gate.enter()
    assert response.data == b"onetwo"
    gate.enter()


def test_a_reader_who_goes_away_makes_room(app):
    response = app.test_client().get("/file", buffered=False)
    response.close()
    assert is_free(app)


def test_a_file_that_is_only_asked_about_makes_room(app):
    app.test_client().head("/file").close()
    assert is_free(app)


def test_a_bug_makes_room(app):
    for _ in range(heavy.RUNNING + heavy.WAITING + 1):
        assert app.test_client().get("/bug").status_code == 500
    assert is_free(app)


def test_a_part_of_a_page_takes_a_room_and_leaves_it(app):
    gate = app.extensions["heavy"]
    for _ in range(heavy.RUNNING):
        gate.enter()
    with app.test_request_context("/"), pytest.raises(Crowded), heavy.room():
        pytest.fail("there was no room")
    gate.leave()
    gate.leave()
    with app.test_request_context("/"), heavy.room():
        pass
    assert is_free(app)


def test_a_part_of_what_is_a_heavy_read_already_takes_no_second_room(app):
    rooms = [heavy.room for _ in range(heavy.RUNNING + heavy.WAITING)]

    def view():
        with contextlib.ExitStack() as stack:
            for one in rooms:
                stack.enter_context(one())
            return "page"

    with app.test_request_context("/"):
        assert admit(view).data == b"page"
    assert is_free(app)
