"""Requests to the server of a push: who is trusted, and what an error tells."""

import contextlib
import gzip
import http.server
import json
import threading
from urllib.parse import parse_qs, urlsplit

import pytest

from salt_ext.feeds.push import netbox_api
from salt_ext.feeds.push.netbox_addresses import Addresses, Place
from salt_ext.feeds.push.netbox_api import Api
from salt_ext.feeds.push.netbox_kinds import DEVICE, Interface
from salt_ext.feeds.push.target import Push, PushFailed, Refused
from salt_ext.feeds.push.web import Server
from salt_ext.feeds.push.zabbix import OPTIONS, Zabbix
from tests.receivers import certificate, speaks_tls

SECRET = "9f8e7d-the-token"


@contextlib.contextmanager
def serving(answer, trusted_by=None, asked=None):
    """Serve one answer to all requests; yield the URL and the requests; ``asked`` gets paths."""
    requests = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"null"
            requests.append((dict(self.headers), json.loads(body)))
            if asked is not None:
                asked.append(self.path)
            status, headers, text = answer(json.loads(body)) if callable(answer) else answer
            text = text if isinstance(text, bytes) else text.encode()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            with contextlib.suppress(OSError):
                self.wfile.write(text)

        do_GET = do_POST

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if trusted_by:
        server.socket = speaks_tls(server.socket, trusted_by)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        scheme = "https" if trusted_by else "http"
        yield f"{scheme}://127.0.0.1:{server.server_port}", requests
    finally:
        server.shutdown()
        server.server_close()


def push(url, **options):
    usual = {name: option.default for name, option in OPTIONS.items()}
    return Push("p", "zabbix", url, SECRET, {}, {"ca_file": "", **usual, **options})


def ask(url, **options):
    return Server(push(url, **options)).ask("POST", "/api", {}, {"Authorization": SECRET})


def failure(url, **options):
    with pytest.raises(PushFailed) as error:
        ask(url, **options)
    text = f"{error.value} {error.value.hint}"
    assert SECRET not in text
    return text


FINE = (200, {"Content-Type": "application/json"}, "{}")


def test_a_certificate_that_nobody_knows_is_refused_before_the_token_is_sent(tmp_path):
    made = certificate(tmp_path / "server.pem")
    with serving(FINE, made) as (url, requests):
        assert "is not trusted" in failure(url)
        assert requests == []
        assert ask(url, ca_file=str(made)) == (200, {})
        assert requests[0][0]["Authorization"] == SECRET


def test_who_is_sent_elsewhere_does_not_go_there_with_the_token():
    with serving(FINE) as (other, seen):
        with serving((307, {"Location": other}, "")) as (url, _):
            assert f"sends us to {other}" in failure(url)
        assert seen == []


def test_a_line_of_netrc_does_not_take_the_place_of_the_token(tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with serving(FINE) as (url, requests):
        ask(url)
        assert requests[0][0]["Authorization"] == SECRET


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ((503, {"Content-Type": "text/html"}, "<html>" * 1000), "answers 503: Service Unavailable"),
        ((403, {}, "no token"), "does not let us in: no token"),
        ((404, {"Content-Type": "text/html"}, "<html>"), "answers 404 and no JSON: Not Found"),
        ((200, {}, "x" * 5000), "answers 200 and no JSON: xxx"),
    ],
)
def test_what_is_no_answer_is_told_in_a_sentence(answer, told):
    with serving(answer) as (url, _):
        text = failure(url)
    assert told in text
    assert len(text) < 600


@pytest.mark.parametrize(
    "answer",
    [
        (403, {}, f"bad credentials: Token {SECRET}\x1b[2J\nfine"),
        (502, {}, f"Token {SECRET}\x1b[2J\nfine"),
        (302, {"Location": f"https://else.example/?token={SECRET}\x1b"}, ""),
        (404, {}, f"{SECRET}\x1b"),
    ],
)
def test_a_token_that_a_server_repeats_is_not_shown_and_what_it_says_is_one_line(answer):
    with serving(answer) as (url, _):
        text = failure(url)
    assert "(the token)" in text
    assert text.isprintable()


def test_a_token_in_an_error_of_zabbix_or_netbox_is_not_shown():
    told = {"error": {"data": f"Invalid auth={SECRET}\x1b[2J\nfine"}}
    with serving((200, {}, json.dumps(told))) as (url, _), pytest.raises(PushFailed) as error:
        list(Zabbix(push(url)).ours())
    answer = {"detail": f"No {SECRET}\x1b[2J\nfine", SECRET: ["Wrong"]}
    with serving((400, {}, json.dumps(answer))) as (url, _), pytest.raises(Refused) as refusal:
        Api(push(url)).create("dcim/sites", [{}])
    for one in (error, refusal):
        text = str(one.value)
        assert "(the token)<U+001B>[2J fine" in text
        assert SECRET not in text
        assert text.isprintable()


def test_an_answer_that_is_packed_and_has_no_end_is_not_read_to_it():
    bomb = gzip.compress(b"[" + b"0," * (17 << 20))
    packed = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    with serving((200, packed, bomb)) as (url, _):
        assert "answers with more than 32 MiB" in failure(url)


@pytest.mark.parametrize("answer", ["[" * 100_000, '{"a":' * 100_000, "9" * 10_000])
def test_what_no_program_can_read_is_told(answer):
    with serving((200, {}, answer)) as (url, _):
        assert "no JSON" in failure(url)


@pytest.mark.parametrize(
    "page", [{"results": [1]}, {"results": {"a": 1}}, {"results": None}, {}, [], None]
)
def test_an_answer_of_another_form_is_told_in_a_sentence(page):
    with serving((200, {}, json.dumps(page))) as (url, _), pytest.raises(PushFailed) as error:
        list(Api(push(url)).read("dcim/sites", "id"))
    assert "NetBox answers 200 to /api/dcim/sites/" in str(error.value)


def test_a_list_that_names_a_next_page_for_ever_comes_to_an_end(monkeypatch):
    monkeypatch.setattr(netbox_api, "MOST_PAGES", 5)
    page = {"results": [], "next": "http://x/api/?limit=1000&start=5"}
    with serving((200, {}, json.dumps(page))) as (url, requests):
        assert list(Api(push(url)).read("dcim/sites", "id")) == []
        assert len(requests) == 1
    page["results"] = [{"id": 1}]
    with serving((200, {}, json.dumps(page))) as (url, requests):
        with pytest.raises(PushFailed, match="a list that has no end"):
            list(Api(push(url)).read("dcim/sites", "id"))
        assert len(requests) == 5


def test_an_interface_that_netbox_refuses_is_told_of_its_own_machine():
    refusal = {"detail": "1 of 2", "errors": [{"index": 1, "errors": {"name": ["Wrong."]}}]}

    def answer(body):
        is_read = body is None
        text = json.dumps({"results": []} if is_read else refusal)
        return (200 if is_read else 400), {}, text

    card = Interface("eth0", "other", None, None)
    places = [
        Place(4, 40, "a", "IPv4", "10.0.0.4", card),
        Place(7, 70, "b", "IPv4", "10.0.0.7", card),
    ]
    with serving(answer) as (url, _), pytest.raises(Refused) as refused:
        Addresses(Api(push(url)), {"addresses": "make"}).put(DEVICE, places)
    assert refused.value.of == {7: "name: Wrong."}


def test_each_address_that_netbox_is_asked_fits_into_a_line_of_its_server():
    asked = []

    def answer(body):
        return 200, {}, json.dumps({"results": []} if body is None else [{"id": 1}] * len(body))

    names = [f"机房{number}" + "一" * 20 for number in range(50)]
    longest, none = "😀" * 100, "x" * 5000
    with serving(answer, asked=asked) as (url, _):
        list(Api(push(url)).some("dcim/racks", "id,name,site", "name", [*names, longest, none]))
        places = [
            Place(
                at,
                10**9 + at,
                str(at),
                "IPv4",
                f"10.0.0.{at}",
                Interface("网" * 60 + name[:8], "other", None, None),
            )
            for at, name in enumerate(names)
        ]
        Addresses(Api(push(url)), {"addresses": "make"}).put(DEVICE, places)
    queries = [parse_qs(urlsplit(one).query) for one in asked]
    racks = [
        name
        for one, query in zip(asked, queries, strict=True)
        if "racks" in one
        for name in query["name"]
    ]
    assert sorted(racks) == sorted([*names, longest])
    pairs = {
        (number, name)
        for one, query in zip(asked, queries, strict=True)
        if one.startswith("/api/dcim/interfaces/?")
        for number in query["device_id"]
        for name in query["name"]
    }
    assert {(str(one.id), one.interface.name) for one in places} <= pairs
    assert max(map(len, asked)) < 4094 - len("GET  HTTP/1.1\r\n")


def test_nobody_there_is_told():
    told = "cannot reach http://127.0.0.1:1/api: [Errno 111] Connection refused"
    assert told in failure("http://127.0.0.1:1")


@pytest.mark.parametrize("version", ["6.0.14", "7.0.5", "7.4.0"])
def test_each_zabbix_is_asked_in_its_own_words(version):
    """As its documentation says; only 6.0 is tried with the real one."""

    def answer(body):
        is_list_of_ids = body["params"].get("output") == ["hostid"]
        result = [{"hostid": "1"}] if is_list_of_ids else []
        result = version if body["method"] == "apiinfo.version" else result
        return 200, {"Content-Type": "application/json"}, json.dumps({"result": result})

    with serving(answer) as (url, requests):
        assert list(Zabbix(push(url)).ours()) == []
    (first, asked), _, (second, query) = requests
    assert "auth" not in asked
    assert "Authorization" not in first
    is_old = version.startswith("6.0")
    assert query.get("auth") == (SECRET if is_old else None)
    assert second.get("Authorization") == (None if is_old else f"Bearer {SECRET}")
    assert ("selectGroups" in query["params"]) is is_old
    assert ("selectHostGroups" in query["params"]) is not is_old


def test_only_the_beginning_of_a_sentence_of_zabbix_ends_a_push():
    of_a_machine = {
        f'Value "{words}" is too long for field "serialno_a" - 65 characters.'
        for words in ("no permissions to call", "database is not working", "token expired")
    }
    of_all = {
        'No permissions to call "host.create".',
        "Session terminated, re-login, please.",
        "Not authorized.",
        "Not authorised.",
        "API token expired.",
        "Error connecting to database.",
    }

    def answer(body):
        if body["method"] == "apiinfo.version":
            return 200, {}, json.dumps({"result": "6.0.14"})
        return 200, {}, json.dumps({"error": {"data": body["params"][0]["host"]}})

    with serving(answer) as (url, _):
        target = Zabbix(push(url))
        for sentence in of_a_machine | of_all:
            with pytest.raises(PushFailed if sentence in of_all else Refused):
                target.create([{"name": sentence}])
