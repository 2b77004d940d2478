"""Each record of the web process is one harmless line of JSON."""

import io
import json
import logging

import pytest

from webui.log import JsonLines

HOSTILE = 'x\n{"level": "info"}\r\x1b[2J\u202e\x00\u2028\ud800'


@pytest.fixture
def file():
    return io.StringIO()


@pytest.fixture
def log(file):
    """A log that writes into the file."""
    handler = logging.StreamHandler(file)
    handler.setFormatter(JsonLines())
    logger = logging.Logger("webui.test")
    logger.addHandler(handler)
    return logger


def test_a_line_says_when_how_bad_whose_and_what(log, file):
    log.warning("%d assets", 7)
    line = json.loads(file.getvalue())
    assert line.pop("at").endswith("Z")
    assert line == {"level": "warning", "logger": "webui.test", "message": "7 assets"}


def test_what_is_told_besides_is_a_field(log, file):
    log.info("read", extra={"who": "anna", "rows": 100, "agent": HOSTILE})
    line = json.loads(file.getvalue())
    assert (line["who"], line["rows"], line["agent"]) == ("anna", 100, HOSTILE)


def test_the_traceback_of_a_bug_is_one_field(log, file):
    try:
        raise RuntimeError(HOSTILE)
    except RuntimeError as error:
        log.error("it failed", exc_info=error)
    line = json.loads(file.getvalue())
    assert line["message"] == "it failed"
    assert line["traceback"].startswith("Traceback (most recent call last):\n")
    assert line["traceback"].endswith(f"RuntimeError: {HOSTILE}\n")


def test_hostile_text_writes_no_line_of_its_own_and_moves_no_cursor(log, file):
    log.error("asked for %s", HOSTILE)
    assert file.getvalue().count("\n") == 1
    assert file.getvalue().removesuffix("\n").isprintable()
    assert file.getvalue().isascii()
    assert json.loads(file.getvalue())["message"] == f"asked for {HOSTILE}"
