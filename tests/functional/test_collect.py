"""cmdb.collect through Salt's runner loader, with modes from outside the package."""

import multiprocessing
import os
import signal
import threading
import time

import psutil
import pytest
import salt.loader

from salt_ext import store
from salt_ext.collect import pool
from salt_ext.collect import salt as salt_mode
from salt_ext.collect import ssh as ssh_mode
from salt_ext.collect.modes import Answer, Plan, Request, in_order, size_of
from salt_ext.master import kept
from tests.machines import arrival, later, now, report, server
from tests.patience import PATIENCE_SECONDS
from tests.terminal import terminal

HOUR = 3600


def machines(number):
    return [f"stub{one:04d}" for one in range(number)]


def stub_report(name):
    """What the machine of this name would say; some of them are ill."""
    number = int(name[4:])
    if number % 100 == 7:
        raise pool.Failed("Connection refused")
    if number % 100 == 8:
        raise RuntimeError("something nobody thought of")
    if number % 100 == 9:
        os._exit(1)
    return report(server(number), name, now(), mode="ssh")


def plan(opts, request):
    """A mode in which a stub answers in place of salt-ssh, through the real pool."""
    known = machines(opts["stub"]["number"])
    names = in_order(request, request.tgt if request.tgt_type == "list" else known)

    def answers():
        work = opts["stub"].get("work", stub_report)
        for one in pool.each(
            work, names, request.workers, request.timeout_seconds, request.is_over
        ):
            yield Answer(one.name, one.result, time.time(), one.reason, one.traceback)

    return Plan(names, answers(), is_cached=False)


def breaks(opts, request):
    def answers():
        yield Answer("one", report(server(1), "one", later()), time.time())
        raise RuntimeError("the transport broke")

    return Plan(["one", "two"], answers(), is_cached=False)


def cannot_plan(opts, request):
    raise RuntimeError("no such inventory")


@pytest.fixture
def collect(master_opts):
    """A function that runs the command with modes of ours; returns what it says."""
    here = "tests.functional.test_collect"
    master_opts["cmdb"]["modes"] = {"stub": f"{here}.plan", "breaks": f"{here}.breaks"}
    master_opts["cmdb"]["modes"]["cannot_plan"] = f"{here}.cannot_plan"
    master_opts["stub"] = {"number": 3}
    outputter = salt.loader.outputters(master_opts)["cmdb"]

    def run(*args, **kwargs):
        stub = kwargs.pop("stub", None)
        master_opts["stub"].update(stub or {})
        data = salt.loader.runner(master_opts)["cmdb.collect"](*args, **kwargs)["data"]
        return data["cmdb"], data.get("retcode", 0), outputter(data)

    return run


def statuses(answer):
    return {one["minion_id"]: one["status"] for one in answer["machines"]}


def test_a_mode_from_outside_is_asked_and_its_reports_are_stored(collect, database):
    answer, retcode, text = collect("*", mode="stub")
    assert retcode == 0
    assert set(statuses(answer).values()) == {"new"}
    assert text.splitlines()[-1] == "3 machines: 3 new"
    assert store.assets(database).total == 3
    assert store.overview(database, store.resolve(database, "stub0001"))["mode"] == "ssh"
    again, _, _ = collect("*", mode="stub")
    assert set(statuses(again).values()) == {"ok"}


def test_nobody_is_asked_in_a_test(collect, database):
    answer, retcode, text = collect("*", mode="stub", test=True, limit=2)
    assert retcode == 0
    assert statuses(answer) == {"stub0000": "not asked", "stub0001": "not asked"}
    assert "2 not asked" in text
    assert store.assets(database).total == 0


def test_hundreds_of_machines_cost_bounded_memory_and_leave_nothing_running(collect, database):
    before = threading.active_count()
    collect("*", mode="stub", workers=8)
    at_first = psutil.Process().memory_info().rss
    answer, retcode, text = collect("*", mode="stub", workers=16, stub={"number": 300})
    grown = psutil.Process().memory_info().rss - at_first
    assert retcode == 1
    assert answer["counts"]["failed"] == 9
    assert answer["counts"]["new"] + answer["counts"]["ok"] == 291
    reasons = {one["minion_id"]: one["detail"] for one in answer["machines"]}
    assert reasons["stub0107"] == "Connection refused"
    assert reasons["stub0108"] == "RuntimeError: something nobody thought of"
    assert reasons["stub0109"] == "its process ended without an answer"
    assert text.splitlines()[-2].startswith("stub0209")
    assert store.assets(database).total == 291
    assert threading.active_count() == before
    assert multiprocessing.active_children() == []
    assert grown < 15 << 20


def test_a_machine_that_hangs_costs_its_own_time_and_no_more(collect):
    def work(name):
        if name == "stub0001":
            signal.pause()
        return stub_report(name)

    began = time.monotonic()
    answer, retcode, _ = collect("*", mode="stub", timeout=1, workers=1, stub={"work": work})
    assert time.monotonic() - began < PATIENCE_SECONDS
    assert retcode == 1
    assert statuses(answer) == {"stub0000": "new", "stub0001": "failed", "stub0002": "new"}
    [hung] = [one for one in answer["machines"] if one["status"] == "failed"]
    assert hung["detail"] == "did not answer within 1 s"


def test_an_exception_that_cannot_be_put_into_words_costs_one_machine_its_report():
    class Speechless(Exception):
        def __str__(self):
            raise RuntimeError("no words")

    def work(name):
        raise Speechless

    [ended] = pool.each(work, ["one"], 1, 10, lambda: False)
    assert ended.reason == "Speechless: it has no text: its __str__ fails"
    assert "in work" in ended.traceback


def test_work_ends_by_itself_when_whoever_began_it_is_no_more(tmp_path):
    note = tmp_path / "pid"

    def work(name):
        note.write_text(str(os.getpid()))
        signal.pause()

    first = os.fork()
    if not first:
        list(pool.each(work, ["one"], 1, 0.5, lambda: False))
        os._exit(0)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (note.exists() and note.read_text()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(first, signal.SIGKILL)
    os.waitpid(first, 0)
    while psutil.pid_exists(int(note.read_text())):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_ctrl_c_ends_it_soon_and_what_had_come_is_stored(collect, database):
    parent = os.getpid()

    def work(name):
        if name == "stub0002":
            os.kill(parent, signal.SIGINT)
            signal.pause()
        return stub_report(name)

    handler = signal.getsignal(signal.SIGINT)
    began = time.monotonic()
    answer, retcode, text = collect("*", mode="stub", workers=1, stub={"work": work, "number": 9})
    assert time.monotonic() - began < PATIENCE_SECONDS
    assert retcode == 1
    assert answer["interrupted"] is True
    assert answer["counts"]["new"] == 2
    assert statuses(answer)["stub0008"] == "failed"
    assert text.endswith("(interrupted)")
    assert store.assets(database).total == 2
    assert multiprocessing.active_children() == []
    assert signal.getsignal(signal.SIGINT) == handler


def test_a_terminal_shows_how_far_it_is(collect):
    with terminal() as shown:
        collect("*", mode="stub")
    assert "\r1 of 3 machines: 1 new\x1b[K" in shown[0]
    assert shown[0].endswith("\r\x1b[K")


def test_what_a_broken_mode_had_brought_is_stored(collect, database):
    answer, retcode, _ = collect("*", mode="breaks")
    assert retcode == 1
    assert statuses(answer) == {"one": "new", "two": "failed"}
    assert "the transport broke" in answer["machines"][-1]["detail"]
    assert store.assets(database).total == 1


def test_what_nobody_foresaw_keeps_its_traceback_until_it_is_over(collect, database, caplog):
    ill = {"number": 1, "work": lambda name: {}["no such key"]}
    collect("*", mode="stub", stub=ill)
    [row], _ = store.problems(database, minion_id="stub0000")
    assert (row["kind"], row["subject"]) == ("report", "stub")
    assert row["message"] == "KeyError: 'no such key'"
    assert row["traceback"].startswith("Traceback")
    assert "in <lambda>" in row["traceback"]
    assert "  | KeyError: 'no such key'" in caplog.text
    collect("*", mode="stub", stub={"work": stub_report})
    assert store.problems(database, minion_id="stub0000") == ([], 0)


@pytest.mark.parametrize("mode", ["breaks", "cannot_plan"])
def test_a_mode_that_breaks_is_a_problem_of_the_master_with_its_traceback(
    collect, database, master_opts, caplog, mode
):
    collect("*", mode=mode)
    [row], _ = store.problems(database, minion_id=master_opts["id"])
    assert (row["kind"], row["subject"]) == ("mode", mode)
    assert "RuntimeError" in row["traceback"]
    assert "  | RuntimeError" in caplog.text
    where = "tests.functional.test_collect.plan"
    master_opts["cmdb"]["modes"][mode] = where  # somebody mends it
    collect("*", mode=mode)
    assert store.problems(database, minion_id=master_opts["id"]) == ([], 0)


def test_results_that_cannot_be_stored_are_kept_for_a_sync(collect, master_opts, database):
    url = master_opts["cmdb"]["database_url"]
    master_opts["cmdb"]["database_url"] = "postgresql+psycopg2://nobody@127.0.0.1:1/cmdb"
    answer, retcode, text = collect("*", mode="stub")
    assert retcode == 1
    assert set(statuses(answer).values()) == {"kept"}
    assert "kept on the master for cmdb.sync: cannot reach the database" in text
    assert kept.names(master_opts) == machines(3)
    master_opts["cmdb"]["database_url"] = url
    salt.loader.runner(master_opts)["cmdb.sync"]()
    assert store.assets(database).total == 3


@pytest.fixture
def accepted(tmp_path):
    keys = tmp_path / "pki_dir/minions"
    keys.mkdir(parents=True, exist_ok=True)
    return keys


def test_auto_asks_those_who_are_due_each_as_it_was_heard_of_last(
    collect, database, accepted, master_opts
):
    ages = {"web01": (3, "agent"), "web02": (9, "ssh"), "web03": (0, "ssh"), "web04": (200, "ssh")}
    for number, (name, (hours, mode)) in enumerate(ages.items(), start=1):
        at = later(hours=-hours)
        store.ingest(database, [arrival(server(number), name, at, mode=mode)])
    master_opts["cmdb"]["modes"]["ssh"] = "tests.functional.test_collect.plan"
    answer, retcode, _ = collect(mode="auto", test=True)
    assert retcode == 0
    asked = [(one["minion_id"], one["mode"]) for one in answer["machines"]]
    assert asked == [("web04", "ssh"), ("web02", "ssh"), ("web01", "salt")]
    # Each with the reason.
    why = [one["detail"].partition(":")[0] for one in answer["machines"]]
    assert why == ["missing", "stale", "stale"]
    assert answer["machines"][1]["detail"].startswith("stale: last heard ")
    answer, _, _ = collect(mode="auto", test=True, limit=1)
    assert list(statuses(answer)) == ["web04"]
    answer, _, _ = collect("*1", mode="auto", test=True)
    assert list(statuses(answer)) == ["web01"]
    answer, retcode, text = collect("web03", mode="auto")
    assert retcode == 3
    assert "no machine is due" in text


def test_auto_asks_first_whom_people_expect_and_nobody_has_heard(
    collect, database, accepted, master_opts
):
    store.ingest(database, [arrival(server(1), "web01", later(hours=-9), mode="ssh")])
    row = {"sn": None, "fields": {}, "row": 2}
    names = ("db01", "db02", "web01")
    store.import_expected(
        database, [{**row, "minion_id": name} for name in names], source="bought", by="me"
    )
    (accepted / "db02.example.com").touch()
    master_opts["cmdb"]["modes"]["ssh"] = "tests.functional.test_collect.plan"
    answer, _, _ = collect(mode="auto", test=True)
    asked = [(one["minion_id"], one["mode"]) for one in answer["machines"]]
    # Salt can ask the one whose key is accepted, under the name of the key.
    assert sorted(asked) == [("db01", "ssh"), ("db02.example.com", "salt"), ("web01", "ssh")]
    why = {one["minion_id"]: one["detail"].partition(":")[0] for one in answer["machines"]}
    never = "never heard"
    assert why == {"db01": never, "db02.example.com": never, "web01": "stale"}
    answer, _, _ = collect(mode="auto", test=True, limit=1)
    assert list(statuses(answer)) == ["db01"]
    assert list(statuses(collect("web*", mode="auto", test=True)[0])) == ["web01"]


def test_where_nobody_is_due_the_answer_says_why(collect, database):
    _, retcode, text = collect(mode="auto")
    assert retcode == 3
    assert "all have reported lately" in text


def test_a_machine_whose_mode_cannot_be_used_does_not_stop_the_others(collect, database, accepted):
    store.ingest(database, [arrival(server(1), "web01", later(hours=-9), mode="ssh")])
    store.ingest(database, [arrival(server(2), "web02", later(hours=-9), mode="agent")])
    answer, retcode, _ = collect(mode="auto")
    assert retcode == 1
    details = {one["minion_id"]: one["detail"] for one in answer["machines"]}
    assert "Roster file" in details["web01"]
    assert details["web02"] == "has no accepted key on this master"


@pytest.mark.parametrize(
    ("args", "kwargs", "retcode", "says"),
    [
        ((), {}, 2, "which machines?"),
        ((7,), {}, 2, "leading zeros"),
        (("*",), {"mode": "telnet"}, 2, "there is no mode 'telnet'; there are: auto, breaks,"),
        (("*",), {"mode": 7}, 2, "mode arrived as 7"),
        (("*",), {"batch": "many"}, 2, "batch is 'many'"),
        (("*",), {"batch": "0%"}, 2, "batch is '0%'"),
        (("*",), {"workers": 0}, 2, "workers is 0"),
        (("*",), {"timeout": "soon"}, 2, "timeout is 'soon'"),
        (("*",), {"limit": -1}, 2, "limit is -1"),
        (("*",), {"worker": 3}, 2, "did you mean 'workers'?"),
        (("*",), {"tgt_type": "globe"}, 2, "no tgt_type 'globe'"),
        (("*",), {"mode": "ssh"}, 2, "Roster file"),
        (("*",), {"mode": "ssh", "roster": "nothing"}, 2, "there is no roster 'nothing'"),
        (("a*",), {"mode": "auto", "tgt_type": "pcre"}, 2, "tgt is a glob"),
        (("a*",), {"mode": "auto", "colour": "red"}, 2, "there is no field 'colour'"),
        (("nobody*",), {}, 3, "no machine is meant by 'nobody*'"),
        (("*",), {"mode": "auto"}, 3, "no machine is due"),
    ],
)
def test_wrong_arguments_get_a_sentence(collect, accepted, args, kwargs, retcode, says):
    _, found, text = collect(*args, **kwargs)
    assert says in text
    assert found == retcode
    assert "Traceback" not in text


def test_a_mode_that_cannot_be_imported_says_so(collect, master_opts):
    master_opts["cmdb"]["modes"]["x"] = "nowhere.at_all"
    _, retcode, text = collect("*", mode="x")
    assert retcode == 2
    assert "modes: x: 'nowhere.at_all' cannot be used" in text


def test_a_mode_whose_module_raises_is_a_sentence(collect, master_opts, tmp_path, monkeypatch):
    (tmp_path / "mode_with_a_slip.py").write_text("no_such_name\n")
    monkeypatch.syspath_prepend(tmp_path)
    master_opts["cmdb"]["modes"]["x"] = "mode_with_a_slip.plan"
    _, retcode, text = collect("*", mode="x")
    assert retcode == 2
    assert "cannot be used: NameError: name 'no_such_name' is not defined" in text
    assert "fault in salt-cmdb" not in text


def test_a_batch_is_a_number_or_a_share():
    assert [size_of(one, 70) for one in (50, "10%", "1%", "100%")] == [50, 7, 1, 70]


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"stderr": "Permission denied (publickey).", "retcode": 255}, "let it accept the key /k"),
        ({"stdout": "The host key needs to be accepted, ..."}, "accept it once by ssh ops@h"),
        ({"stderr": "", "stdout": "'cmdb.collect' is not available."}, "did not come along"),
        ({"stderr": "SALT_ARGV: ['x']\nssh: connect to host h: No route\n"}, "No route"),
        ("Target 'x' did not return any data", "did not return any data"),
        ({}, "returned nothing"),
    ],
)
def test_what_salt_ssh_says_becomes_a_reason(answer, says):
    target = {"user": "ops", "host": "h", "priv": "/k"}
    assert says in ssh_mode._reason(answer, target)


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("'cmdb.collect' is not available.", "install it: salt web01 state.apply cmdb"),
        ("ERROR: the master did not take the report", "the master did not take the report"),
        ({"sent": True}, "says that it has sent its report, which is not in the master's cache"),
        ("", "returned nothing"),
        (None, "returned nothing"),
    ],
)
def test_what_a_minion_returns_instead_of_reporting_becomes_a_reason(value, says):
    assert says in salt_mode._reason("web01", {"return": value})


def test_a_return_is_a_hint_and_no_answer():
    asked = salt_mode._Asked(timeout_seconds=60)
    asked.add(["web01"])
    # Any minion may say so in the name of another.
    asked.heard({"web01": {"return": {"sent": True}}, "db01": {"return": {"sent": True}}})
    old = time.time() - 60
    assert asked.answered([("web01", report(server(1)), old)]) == []
    assert asked.answered([("web01", report(server(1), mode="grains"), time.time())]) == []
    # What is no report goes on to the store, which says what is wrong with it.
    [answer] = asked.answered([("web01", "no report at all", time.time())])
    assert answer.report == "no report at all"
    asked.add(["web01"])
    assert asked.given_up("web01").report is None


def test_our_roster_has_the_addresses_that_machines_reported(master_opts, database):
    store.ingest(database, [arrival(server(1), "web01"), arrival(server(2), "db01")])
    master_opts["roster_defaults"] = {"user": "ops"}
    targets = salt.loader.roster(master_opts, utils=salt.loader.utils(master_opts))["cmdb.targets"]
    assert targets("web*") == {"web01": {"host": "10.0.0.1", "user": "ops"}}
    assert sorted(targets(["db01", "web01"], "list")) == ["db01", "web01"]
    request = Request("*", "glob", 1, 1, 9, "cmdb", lambda: False)
    assert ssh_mode.plan(master_opts, request).names == ["db01", "web01"]


def test_an_error_of_a_machine_is_printed_in_full_however_long(collect):
    reason = f"{'the console says much ' * 40}\nand then: no route to host"

    def work(name):
        raise pool.Failed(reason)

    _, retcode, text = collect("*", mode="stub", stub={"work": work, "number": 1})
    assert retcode == 1
    assert text.splitlines()[0] == f"stub0000  stub  failed  {' '.join(reason.split())}"


def test_a_sync_names_every_machine_and_says_why_in_full(master_opts, runners, outputter, database):
    names = [f"ssh{number:03d}.a-long-domain.example.com" for number in range(40)]
    broken = [arrival(server(number), name) for number, name in enumerate(names)]
    for one in broken[1:]:
        one.report["errors"] = {"smart": "x" * 300}
    kept.keep(master_opts, broken)
    answer = runners["cmdb.sync"]()["data"]
    reasons = {one["minion_id"]: one["detail"] for one in answer["cmdb"]["machines"]}
    assert sorted(reasons) == names[1:]
    lines = outputter(answer).splitlines()
    assert lines[0] == "STATUS   REPORTS"
    assert lines[3:] == [f"{name}  refused  {reasons[name]}" for name in names[1:]]
    assert outputter(runners["cmdb.sync"]()["data"]) == "no reports to store"
