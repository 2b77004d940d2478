"""A site's own functions that see each report before it is stored."""

import threading

import pytest

from salt_ext import store
from salt_ext.report.hooks import Amended, Refused
from salt_ext.store.ingest import hooking
from tests.machines import NOW, arrival, later, revisions, server

HERE = "tests.store.test_hooks"
ASKED = []
FOREVER = threading.Event()


@pytest.fixture(autouse=True)
def fresh(monkeypatch):
    ASKED.clear()
    monkeypatch.setattr(hooking, "_resting", {})
    monkeypatch.setattr(hooking, "HOOK_SECONDS", 0.2)


def counts(minion_id, report):
    ASKED.append((minion_id, report["facts"]["system"]["serial_number"]))


def places(minion_id, report):
    facts = {**report["facts"], "location": {"site": "ams1", "rack": None}}
    return Amended(facts, "the site is in the name")


def spoils(minion_id, report):
    report["facts"].clear()
    report.clear()


def refuses(minion_id, report):
    if minion_id.startswith("lab"):
        raise Refused("machines of the lab are not ours")


def raises(minion_id, report):
    return {}["no such key"]


class Speechless(Exception):
    def __str__(self):
        raise RuntimeError("no words")


class SpeechlessRefusal(Refused, Speechless):
    __str__ = Speechless.__str__


def raises_speechless(minion_id, report):
    raise Speechless


def refuses_speechless(minion_id, report):
    raise SpeechlessRefusal


def raises_what_no_text_can_hold(minion_id, report):
    raise ValueError("a\0b\udcff")


def ends(minion_id, report):
    raise SystemExit(3)


def hangs(minion_id, report):
    ASKED.append(minion_id)
    FOREVER.wait(30)


def returns_words(minion_id, report):
    return "ok"


def amends_badly(minion_id, report):
    return Amended({"disks": "many"}, "why not")


def amends_with_an_object(minion_id, report):
    return Amended({"system": {"a": object()}}, "why not")


def ingest(database, *arrivals):
    return [one.status for one in store.ingest(database, arrivals)]


def with_hooks(database, *names):
    database.settings["report_hooks"] = [f"{HERE}.{name}" for name in names]
    return database


def facts_of(database, name="web01"):
    return store.overview(database, store.resolve(database, name))["facts"]


def problems(database):
    return store.problems(database)[0]


def test_a_hook_sees_each_report_that_says_something_new(database):
    with_hooks(database, "counts")
    assert ingest(database, arrival(server(1)), arrival(server(2), "web02")) == ["new", "new"]
    assert ASKED == [("web01", "9XYZ001"), ("web02", "9XYZ002")]
    assert ingest(database, arrival(server(1), at=later(minutes=5))) == ["unchanged"]
    assert len(ASKED) == 2


def test_what_a_hook_amends_is_stored_and_the_next_report_is_known_to_be_the_same(database):
    with_hooks(database, "counts", "places")
    assert ingest(database, arrival(server(1))) == ["new"]
    assert facts_of(database)["location"] == {"site": "ams1"}
    assert ingest(database, arrival(server(1), at=later(minutes=5))) == ["unchanged"]
    assert len(ASKED) == 1  # the machine was touched, and nothing was compared
    changed = server(1, firmware={"vendor": "Dell Inc.", "version": "2.0"})
    assert ingest(database, arrival(changed, at=later(minutes=9))) == ["changed"]
    assert facts_of(database)["location"] == {"site": "ams1"}
    assert [row["path"] for row in store.changes(database)] == ["firmware.version"]


def test_a_hook_gets_a_copy(database):
    with_hooks(database, "spoils", "counts")
    assert ingest(database, arrival(server(1))) == ["new"]
    assert ASKED == [("web01", "9XYZ001")]


def test_a_refused_report_is_a_problem_with_the_reason_and_its_neighbours_are_stored(database):
    with_hooks(database, "refuses")
    assert ingest(database, arrival(server(1), "lab01"), arrival(server(2), "web02")) == [
        "refused",
        "new",
    ]
    [row] = problems(database)
    assert (row["kind"], row["minion_id"]) == ("report", "lab01")
    assert row["message"] == f"{HERE}.refuses: refuses it: machines of the lab are not ours"


def test_a_refusal_without_words_refuses_all_the_same(database):
    with_hooks(database, "refuses_speechless")
    assert ingest(database, arrival(server(1))) == ["refused"]
    [row] = problems(database)
    assert (
        row["message"]
        == f"{HERE}.refuses_speechless: refuses it: it has no text: its __str__ fails"
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("raises", "KeyError: 'no such key'"),
        ("raises_speechless", "Speechless: it has no text"),
        ("raises_what_no_text_can_hold", "ValueError: ab?"),
        ("ends", "RuntimeError: ended by SystemExit"),
        ("returns_words", "TypeError: returned str, not None or Amended"),
        ("amends_badly", "ReportError: facts.disks: is 'many', neither a mapping nor a list"),
        ("amends_with_an_object", "TypeError: object is not data"),
        ("is_nowhere", "AttributeError: module 'tests.store.test_hooks' has no attribute"),
    ],
)
def test_a_hook_that_fails_costs_no_report_and_is_told_until_it_is_mended(database, name, message):
    with_hooks(database, name, "counts")
    assert ingest(database, arrival(server(1))) == ["new"]
    assert ASKED == [("web01", "9XYZ001")]
    assert facts_of(database)["system"]["serial_number"] == "9XYZ001"
    [row] = problems(database)
    assert (row["kind"], row["subject"]) == ("hook", f"{HERE}.{name}")
    assert row["message"].startswith(f"{HERE}.{name}: {message}")
    assert "Traceback" in row["traceback"]
    with_hooks(database, "counts")
    assert ingest(database, arrival(server(1), at=later(minutes=5))) == ["unchanged"]
    assert len(problems(database)) == 1  # nothing has shown it yet
    changed = server(1, firmware={"vendor": "Dell Inc.", "version": "2.0"})
    assert ingest(database, arrival(changed, at=later(minutes=9))) == ["changed"]
    assert problems(database) == []


def test_a_hook_whose_module_ends_the_process_does_not_end_the_engine(
    database, tmp_path, monkeypatch
):
    (tmp_path / "hook_of_a_script.py").write_text("import sys\nsys.exit(3)\n")
    monkeypatch.syspath_prepend(tmp_path)
    database.settings["report_hooks"] = ["hook_of_a_script.hook"]
    assert ingest(database, arrival(server(1))) == ["new"]
    [row] = problems(database)
    assert "hook_of_a_script calls sys.exit() when it is imported" in row["message"]


def test_a_hook_that_hangs_holds_up_one_report_and_not_the_fleet(database):
    with_hooks(database, "hangs")
    fleet = [arrival(server(number), f"web{number:02d}") for number in range(1, 30)]
    assert set(ingest(database, *fleet)) == {"new"}
    assert ASKED == ["web01"]
    rows = {row["minion_id"]: row["message"] for row in problems(database)}
    assert "had no answer within 0.2 s, and is not called for 600 s" in rows["web01"]
    assert "it hung before and is not called for" in rows["web02"]
    FOREVER.set()


def test_a_report_that_is_held_can_be_accepted_though_a_hook_amended_it(database):
    with_hooks(database, "places")
    ingest(database, arrival(server(1)))
    clone = server(1)
    clone["operating_system"]["machine_id"] = "c" * 32
    assert ingest(database, arrival(clone, "copy", NOW)) == ["held"]
    store.rule(database, "copy", "split", by="ops", why="a clone")
    assert facts_of(database, "copy")["location"] == {"site": "ams1"}
    assert len(revisions(database, store.resolve(database, "copy"))) == 1
