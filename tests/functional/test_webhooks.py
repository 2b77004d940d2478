"""Webhooks of a real store to real receivers, however these behave."""

import json
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
import salt.config
import salt.loader
import sqlalchemy as sa

from salt_ext import settings, store
from salt_ext.master import events
from salt_ext.master.webhooks import posting
from salt_ext.master.webhooks.sending import Senders
from salt_ext.master.webhooks.setting import webhooks
from tests.machines import arrival, server
from tests.postgres import open_store
from tests.receivers import (
    SECRET,
    Receiver,
    Rude,
    babble,
    certificate,
    dawdle,
    drip,
    hang,
    pour,
    speaks_tls,
)

EXAMPLE = Path(__file__).parents[2] / "docs/examples/webhook_receiver.py"
URL_SECRET = "T000-part-of-the-path"


@pytest.fixture(autouse=True)
def short_times(monkeypatch):
    monkeypatch.setattr(posting, "ANSWER_SECONDS", 1)


@pytest.fixture
def close_later():
    opened = []
    yield lambda one: opened.append(one) or one
    for one in opened:
        one.close()


@pytest.fixture
def receiver(close_later):
    return lambda *args, **named: close_later(Receiver(*args, **named))


@pytest.fixture
def rude(close_later):
    return lambda behave: close_later(Rude(behave))


def hook(url, **said):
    return {"url": url, "secret": SECRET, **said}


@pytest.fixture
def senders(database_url):
    """A function that returns the senders of these webhooks, as an engine makes them."""
    started = []

    def start(**hooks):
        found = Senders(
            store.Database(
                settings.resolve(("test", {"database_url": database_url, "webhooks": hooks}))
            ),
            "master01",
        )
        found.start()
        started.append(found)
        return found

    yield start
    # They end with their process, which goes on here: they would log that their store is gone.
    for one in started:
        for sender in one._senders:
            sender._send_all = threading.Event().wait


@pytest.fixture
def happens(database):
    """Let a machine appear, and the senders be told of it."""
    numbers = iter(range(1, 100))

    def happen(senders):
        number = next(numbers)
        name = f"web{number:02d}"
        store.ingest(database, [arrival(server(number), name)])
        events.send(
            database,
            lambda data, tag: None,
            lambda: {name},
            1 << 20,
            senders.subscribers,
            "master01",
        )
        senders.wake()
        return name

    return happen


def queue(database, name):
    rows, _ = store.deliveries_of(database, name, 50)
    return rows


def failure(database, name):
    return next((row["failure"] for row in queue(database, name) if row["failure"]), None)


def test_an_event_is_posted_signed_with_its_time_and_its_id(
    database, senders, happens, receiver, eventually
):
    good = receiver()
    happens(senders(tickets=hook(good.url, headers={"X-Team": "hardware"})))
    [event] = eventually(lambda: good.events)
    [(path, headers, _)] = good.posts
    assert path == "/hook"
    assert headers["X-CMDB-Event"] == event["event"] == "new"
    assert headers["X-Team"] == "hardware"
    assert event["schema"] == "cmdb.event/1"
    assert event["data"]["sn"] == "9XYZ001"
    assert event["tag"] == f"salt/cmdb/new/{event['data']['asset_id']}"
    assert event["attempt"] == 1
    eventually(lambda: not queue(database, "tickets"))


def test_a_failure_is_tried_again_under_the_same_id(senders, happens, receiver, eventually):
    moody = receiver(500, 503)
    happens(senders(tickets=hook(moody.url)))
    found = eventually(lambda: len(moody.events) == 3 and moody.events)
    assert len({one["id"] for one in found}) == 1
    assert [one["attempt"] for one in found] == [1, 2, 3]
    assert len({one["sent_at"] for one in found}) == 3


def test_a_redirect_is_not_followed(database, senders, happens, receiver, eventually):
    elsewhere = receiver()
    away = receiver(*[302] * 50, location=elsewhere.url)
    happens(senders(tickets=hook(away.url)))
    assert eventually(lambda: failure(database, "tickets")) == (
        "it answers 302, a redirect, and none is followed"
    )
    assert elsewhere.posts == []


@pytest.mark.parametrize(
    ("behave", "said"),
    [
        (hang, "it does not answer within 1 seconds"),
        (drip, "it does not answer within 1 seconds"),
        (babble, "it does not answer as HTTP does"),
    ],
)
def test_whatever_a_receiver_does_another_has_its_events_at_once(
    database, senders, happens, receiver, rude, eventually, behave, said
):
    bad, good = rude(behave), receiver()
    both = senders(bad=hook(bad.url), good=hook(good.url))
    began = time.monotonic()
    for _ in range(5):
        happens(both)
    eventually(lambda: len(good.events) == 5)
    assert eventually(lambda: failure(database, "bad")).startswith(said)
    assert bad.connections <= time.monotonic() - began + 2, "it is not tried without a pause"


def test_an_answer_without_an_end_is_not_read(database, senders, happens, rude, eventually):
    endless = rude(pour)
    happens(senders(tickets=hook(endless.url)))
    eventually(lambda: endless.connections)
    eventually(lambda: not queue(database, "tickets"))
    assert endless.connections == 1


def test_salt_api_has_taken_what_it_says_it_has(database, senders, happens, receiver, eventually):
    master_away = receiver(says=b'{"success": false}')
    master_runs = receiver(says=b'{"success": true}')
    both = senders(
        away=hook(master_away.url, format="saltgui"), gui=hook(master_runs.url, format="saltgui")
    )
    happens(both)
    assert eventually(lambda: failure(database, "away")) == "it answers that it did not take it"
    [(path, _, _)] = eventually(lambda: master_runs.posts)
    assert path == "/hook/cmdb/new"
    eventually(lambda: not queue(database, "gui"))


def test_what_is_read_of_an_answer_has_an_end_and_a_time(
    database, senders, happens, rude, eventually
):
    slow, endless = rude(dawdle), rude(pour)
    both = senders(
        slow=hook(slow.url, format="saltgui"), endless=hook(endless.url, format="saltgui")
    )
    happens(both)
    for name in ("slow", "endless"):
        eventually(lambda name=name: failure(database, name))


def test_what_speaks_no_tls_gets_nothing(database, senders, happens, rude, eventually):
    plain = rude(babble)
    happens(senders(tickets=hook(f"https://127.0.0.1:{plain.port}/hook")))
    assert "it does not speak TLS" in eventually(lambda: failure(database, "tickets"))


def test_a_certificate_must_be_known_and_a_site_can_name_its_own(
    database, senders, happens, receiver, eventually, tmp_path
):
    made = certificate(tmp_path / "certificate.pem")
    mine = receiver(certificate=made)
    both = senders(stranger=hook(mine.url), friend=hook(mine.url, ca_file=str(made)))
    happens(both)
    eventually(lambda: mine.events)
    assert eventually(lambda: failure(database, "stranger")).startswith(
        "its certificate is not valid: "
    )
    assert len(mine.posts) == 1


def test_a_line_of_netrc_does_not_take_the_place_of_a_header(
    senders, happens, receiver, eventually, tmp_path, monkeypatch
):
    (tmp_path / "netrc").write_text("default login somebody password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    mine = receiver()
    happens(senders(tickets=hook(mine.url, headers={"Authorization": "Bearer ours"})))
    [(_, headers, _)] = eventually(lambda: mine.posts)
    assert headers["Authorization"] == "Bearer ours"


def test_a_head_that_drips_over_tls_ends_in_time_too(
    database, senders, happens, rude, eventually, tmp_path
):
    made = certificate(tmp_path / "certificate.pem")
    slow = rude(lambda client: drip(speaks_tls(client, made)))
    url = slow.url.replace("http:", "https:")
    happens(senders(tickets=hook(url, ca_file=str(made))))
    why = eventually(lambda: failure(database, "tickets"))
    assert why == "it does not answer within 1 seconds"


def test_secrets_may_stand_in_salts_sdb(monkeypatch, tmp_path):
    monkeypatch.setenv("CMDB_HOOK_SECRET", SECRET)
    (tmp_path / "master").write_text(
        f"""
root_dir: {tmp_path}
osenv: {{driver: env}}
cmdb:
  webhooks:
    tickets: {{url: 'https://host/', secret: 'sdb://osenv/CMDB_HOOK_SECRET'}}
"""
    )
    opts = salt.config.master_config(str(tmp_path / "master"))
    [found] = webhooks(settings.from_opts(opts))
    assert found.secret == SECRET


def test_where_nobody_listens_the_event_waits(database, senders, happens, eventually):
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    happens(senders(tickets=hook(f"http://127.0.0.1:{port}/{URL_SECRET}")))
    assert eventually(lambda: failure(database, "tickets")) == "Connection refused"


def test_no_url_and_no_secret_is_in_a_log_a_problem_or_an_answer(
    database, senders, happens, eventually, caplog, runners_with
):
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    hooks = {"tickets": hook(f"http://127.0.0.1:{port}/{URL_SECRET}", give_up="1s")}
    with caplog.at_level(logging.DEBUG):
        happens(senders(**hooks))
        eventually(lambda: store.problems(database, kind="webhook")[1])
        run = runners_with(hooks)
        answers = [
            run["cmdb.webhook"](),
            run["cmdb.webhook"]("tickets"),
            run["cmdb.webhook"]("tickets", test=True),
            run["cmdb.settings"](),
            run["cmdb.errors"](),
        ]
    said = json.dumps(answers) + caplog.text
    assert "Connection refused" in said
    assert "tickets" in said
    for secret in (SECRET, URL_SECRET):
        assert secret not in said


@pytest.fixture
def runners_with(master_opts):
    """A function that returns the runner's functions of a master with these webhooks."""

    def load(hooks):
        opts = {**master_opts, "cmdb": {**master_opts["cmdb"], "webhooks": hooks}}
        return salt.loader.runner(opts)

    return load


def test_the_command_lists_tries_and_sends_again(
    database, senders, happens, receiver, eventually, runners_with
):
    moody = receiver(*[500] * 3)
    hooks = {"tickets": hook(moody.url, give_up="1s")}
    happens(senders(**hooks))
    command = runners_with(hooks)["cmdb.webhook"]

    def given_up():
        return command()["data"]["cmdb"]["rows"][0][5]

    eventually(given_up)
    [row] = command("tickets")["data"]["cmdb"]["rows"]
    assert (row[1], row[5]) == ("given up", "it answers 500")
    tried = command("tickets", test=True)["data"]
    while tried.get("retcode"):  # the receiver refuses three times in all
        assert tried["cmdb"]["rows"] == [["tickets", "it answers 500"]]
        tried = command("tickets", test=True)["data"]
    assert tried["cmdb"]["rows"] == [["tickets", "it took the sample"]]
    assert moody.events[-1]["event"] == "test"
    before = len(moody.posts)
    assert command("tickets", resend=True)["data"]["cmdb"]["rows"] == [["tickets", 1]]
    eventually(lambda: len(moody.posts) > before)
    eventually(lambda: command()["data"]["cmdb"]["rows"][0][3:6] == [0, None, 0])


@pytest.mark.parametrize(
    ("args", "named", "said"),
    [
        (("ticket",), {}, "there is no webhook 'ticket'; did you mean 'tickets'?"),
        ((), {"resend": True}, "which webhook?"),
        (("tickets",), {"tst": True}, "there is no option 'tst'; did you mean 'test'?"),
        (("wrong",), {"test": True}, "there is no field 'sit'; did you mean 'site'?"),
        (("section",), {"test": True}, "there is no section 'mmory'; did you mean 'memory'?"),
        (("tickets",), {"resend": True}, "no event of the webhook tickets was given up"),
    ],
)
def test_the_command_says_what_it_cannot_do(runners_with, args, named, said):
    url = "http://127.0.0.1:9/"
    hooks = {
        "tickets": hook(url),
        "wrong": hook(url, filters={"sit": "fra1"}),
        "section": hook(url, section="mmory"),
    }
    answer = runners_with(hooks)["cmdb.webhook"](*args, **named)["data"]
    assert said in answer["cmdb"]["error"]
    assert answer["retcode"] in (2, 3)


def test_two_masters_send_each_event_once(database_url, senders, happens, receiver, eventually):
    good = receiver()
    first, second = (senders(tickets=hook(good.url)) for _ in range(2))
    for _ in range(30):
        happens(first)
        second.wake()
    other = open_store(database_url)
    eventually(lambda: not queue(other, "tickets"))
    other.close()
    ids = [one["id"] for one in good.events]
    assert len(ids) == len(set(ids)) == 30


def test_the_example_of_a_receiver_prints_each_event_once_and_refuses_strangers(
    database, senders, happens, eventually, tmp_path
):
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    said = (tmp_path / "events").open("w+")
    example = subprocess.Popen(
        [sys.executable, EXAMPLE, str(port)],
        env={**os.environ, "CMDB_WEBHOOK_SECRET": SECRET},
        stdout=said,
    )
    try:
        url = f"http://127.0.0.1:{port}/"
        happens(senders(tickets=hook(url)))
        lines = lambda: (tmp_path / "events").read_text().splitlines()  # noqa: E731
        eventually(lines)
        event = json.loads(lines()[0])
        assert event["data"]["sn"] == "9XYZ001"
        eventually(lambda: not queue(database, "tickets"))
        # It was sent, and its sender does not know: the same once more.
        execute(database, event)
        eventually(lambda: not queue(database, "tickets"))
        assert len(lines()) == 1
        happens(senders(stranger=hook(url, secret="another secret, as long")))
        assert eventually(lambda: failure(database, "stranger")) == "it answers 403"
        assert len(lines()) == 1
    finally:
        example.kill()
        example.wait()
        said.close()


def execute(database, event):
    """Put an event that was delivered into the outbox once more."""
    with database.begin() as link:
        link.execute(
            sa.text(
                "INSERT INTO delivery (id, webhook, tag, data, queued_at, due_at)"
                " VALUES (:id, 'tickets', :tag, CAST(:data AS jsonb), now(), now())"
            ),
            {"id": event["id"], "tag": event["tag"], "data": json.dumps(event["data"])},
        )
