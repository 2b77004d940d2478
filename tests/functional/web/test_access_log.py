"""The access log: who asked for what and got how much, in lines that nobody can break."""

import json

import pytest

from salt_ext.store import ingest
from tests.functional.web.access import ELSEWHERE, PASSWORD, USERS, application, log_in, logged
from tests.machines import arrival, server


@pytest.fixture
def client(database, database_url, tmp_path):
    ingest(database, [arrival(server(one), f"web{one:02d}") for one in (1, 2, 3)])
    with application(database_url, tmp_path, login={"users": USERS}) as app:
        yield app.test_client()


def test_a_line_tells_who_asked_for_what_and_how_much_they_got(client, tmp_path):
    log_in(client)
    response = client.get(
        "/assets.json?site=dc1&_limit=2", environ_overrides=ELSEWHERE, buffered=True
    )
    line = logged(tmp_path)[-1]
    assert line.pop("at").endswith("Z")
    assert line.pop("ms") > 0
    rows = len(response.json)
    assert line == {
        "level": "info",
        "logger": "access",
        "message": "answered",
        "request_id": response.headers["X-Request-ID"],
        "who": "alice",
        "role": "viewer",
        "way": "password",
        "peer": "203.0.113.7",
        "method": "GET",
        "path": "/assets.json?site=dc1&_limit=2",
        "status": 200,
        "rows": rows,
    }


@pytest.mark.parametrize("suffix", ["json", "csv", "ndjson", "xlsx"])
def test_the_rows_of_a_file_are_counted_when_it_is_sent(client, database, tmp_path, suffix):
    ill = {"name": "sda", "protocol": "nvme", "health": {"failing": ["spare"]}}
    ingest(database, [arrival({**server(4), "smart": [ill]}, "web04")])
    log_in(client)
    client.get(f"/health.{suffix}", buffered=True)
    assert logged(tmp_path)[-1]["rows"] == 1


HOSTILE = '/assets/\n{"who": "root"}\r\x1b[2J\u202e\u2028"\\'


def test_hostile_text_is_on_a_line_of_its_own(client, tmp_path):
    client.get(HOSTILE, headers={"User-Agent": "x\ty"}, buffered=True)
    client.open("/", method="GET\x0bx" * 40, buffered=True)
    client.get("/assets", query_string={"q": "\n" * 5000}, buffered=True)
    log = (tmp_path / "access.log").read_bytes()
    assert log.isascii()
    assert log.count(b"\n") == 3
    assert all(0x20 <= byte < 0x7F for byte in log.replace(b"\n", b""))
    lines = [json.loads(line) for line in log.splitlines()]
    assert [line["who"] for line in lines] == [None] * 3
    assert max(map(len, log.splitlines())) < 15000


def test_no_password_and_no_cookie_is_in_the_log(client, tmp_path):
    log_in(client, "alice", "something else")
    log_in(client, PASSWORD, "alice")  # the fields mixed up
    log_in(client)
    client.get("/", buffered=True).close()
    log = (tmp_path / "access.log").read_text()
    assert PASSWORD not in log
    assert "something else" not in log
    assert client.get_cookie("cmdb_session").value not in log


def test_an_answer_that_failed_is_logged_with_its_status(client, tmp_path):
    log_in(client)
    for address, status in (("/nowhere", 404), ("/assets?_nonsense=1", 400)):
        client.get(address, buffered=True)
        assert logged(tmp_path)[-1]["status"] == status
    client.post("/assets", buffered=True)
    assert logged(tmp_path)[-1]["status"] == 405


def test_exports_are_limited_and_pages_are_not(client):
    log_in(client)
    for _ in range(31):
        assert client.get("/health.csv?_nonsense=1").status_code == 400
    kinds = ("/health.csv", "/assets.ndjson", "/health.xlsx")
    answers = [client.get(kinds[one % 3], buffered=True) for one in range(31)]
    assert [one.status_code for one in answers] == [200] * 30 + [429]
    assert int(answers[-1].headers["Retry-After"]) >= 1
    assert client.get("/health.json").status_code == 200
    assert client.get("/assets").status_code == 200


def test_lines_go_to_standard_output_unless_told_otherwise(database_url, tmp_path, capsys):
    with application(database_url, tmp_path, access_log="-") as app:
        app.test_client().get("/healthz", buffered=True)
        assert json.loads(capsys.readouterr().out)["path"] == "/healthz"
    with application(database_url, tmp_path, access_log="") as app:
        app.test_client().get("/healthz", buffered=True)
        assert capsys.readouterr().out == ""
