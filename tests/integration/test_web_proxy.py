"""The web UI as it is run: gunicorn, and nginx in front with the configuration of the manual."""

import contextlib
import http.client
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
import requests
import yaml
from bs4 import BeautifulSoup

from salt_ext import store
from tests.functional.web.access import PASSWORD, USERS
from tests.patience import PATIENCE_SECONDS
from tests.postgres import open_store

MANUAL = Path(__file__).parents[2] / "docs/web/access.md"
BIN = Path(sys.executable).parent
OF_NGINX = ("alice", "the password that nginx asks for")


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def await_answer(ask, process, log):
    """Wait until something answers; fail when its process ends."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        assert process.poll() is None, log.read_text()
        with contextlib.suppress(OSError, requests.ConnectionError):
            return ask()
        time.sleep(0.05)
    pytest.fail(log.read_text())


@contextlib.contextmanager
def running(argv, home, ask, **environ):
    """Run a program until the end of the block; go on when it answers."""
    log = home / f"{Path(argv[0]).name}.log"
    with log.open("w") as file:
        process = subprocess.Popen(
            argv, cwd=home, env={**os.environ, **environ}, stdout=file, stderr=file
        )
    try:
        await_answer(ask, process, log)
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE_SECONDS)


@contextlib.contextmanager
def gunicorn(home, bind, **said):
    """Run the web UI with these settings."""
    home.mkdir(exist_ok=True)
    said = {"access_log": str(home / "access.log"), **said}
    said |= {"session_key_file": str(home / "session.key")}
    (home / "web.yaml").write_text(yaml.safe_dump(said))
    argv = [BIN / "gunicorn", "--config", "python:webui.server", "--bind", bind]

    def ask():
        if not bind.startswith("unix:"):
            return requests.get(f"http://{bind}/healthz", timeout=60)
        with socket.socket(socket.AF_UNIX) as one:
            return one.connect(bind.removeprefix("unix:"))

    repository = str(MANUAL.parents[2])
    with running(argv, home, ask, CMDB_SETTINGS=str(home / "web.yaml"), PYTHONPATH=repository):
        yield bind


@contextlib.contextmanager
def nginx(home, servers, port):
    """Run nginx with these servers."""
    binary = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if binary is None:
        pytest.skip("there is no nginx on this machine: apt-get install nginx-light")
    home.mkdir(exist_ok=True)
    places = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = "".join(f"{one}_temp_path {home}/{one};" for one in places)
    user = "user root;" if os.getuid() == 0 else ""
    text = f"daemon off; pid {home}/pid; {user} events {{}} http {{ access_log off; {paths}"
    (home / "nginx.conf").write_text(f"{text}\n{servers}\n}}\n")
    argv = [binary, "-p", str(home), "-c", str(home / "nginx.conf"), "-e", "stderr"]
    with running(argv, home, lambda: requests.get(f"http://127.0.0.1:{port}/", timeout=60)):
        yield f"http://127.0.0.1:{port}"


def of_the_manual(home, port, target):
    """The configuration of nginx in the manual, on a port of loopback and without TLS."""
    [block] = re.findall(r"^```nginx\n(.*?)^```$", MANUAL.read_text(), re.M | re.S)
    users = home / "cmdb.users"
    users.write_text("{}:{{PLAIN}}{}\n".format(*OF_NGINX))
    for old, new in (
        ("listen 443 ssl", f"listen 127.0.0.1:{port}"),
        ("/etc/nginx/cmdb.users", str(users)),
        ("http://127.0.0.1:8080", target),
    ):
        assert block.count(old) == 1, old
        block = block.replace(old, new)
    return block


class Site(NamedTuple):
    """Addresses: that of nginx, that of gunicorn behind it; and the store."""

    front: str
    back: str
    database: store.Database
    home: Path


def header(*proxies):
    return {"header": {"name": "X-Remote-User", "groups": "X-Remote-Groups", "proxies": [*proxies]}}


@pytest.fixture(scope="module")
def site(tmp_path_factory, new_database):
    """The web UI behind nginx; it knows a user of its own too."""
    home, url = tmp_path_factory.mktemp("site"), new_database()
    ports = free_port(), free_port()
    login = {**header("127.0.0.1"), "users": USERS}
    database = open_store(url)
    with (
        gunicorn(home, f"127.0.0.1:{ports[0]}", database_url=url, login=login) as bind,
        nginx(home, of_the_manual(home, ports[1], f"http://{bind}"), ports[1]) as front,
    ):
        yield Site(front, f"http://{bind}", database, home)
    database.close()


def test_whom_nginx_has_asked_may_read(site):
    assert requests.get(f"{site.front}/assets", timeout=60).status_code == 401
    wrong = requests.get(f"{site.front}/assets", auth=("alice", "wrong"), timeout=60)
    assert wrong.status_code == 401
    right = requests.get(f"{site.front}/assets", auth=OF_NGINX, timeout=60)
    assert right.status_code == 200
    assert "<bdi>alice</bdi>" in right.text


def test_nobody_passes_a_name_of_his_own_through_nginx(site):
    forged = {"X-Remote-User": "carol", "X-Remote-Groups": "cmdb-audit", "X_Remote_User": "carol"}
    answer = requests.get(f"{site.front}/assets", auth=OF_NGINX, headers=forged, timeout=60)
    assert "<bdi>alice</bdi>" in answer.text
    assert "carol" not in answer.text
    assert requests.get(f"{site.front}/assets", headers=forged, timeout=60).status_code == 401


def ask(address, peer, **headers):
    """Ask gunicorn itself, from another address of this machine."""
    place = address.removeprefix("http://")
    link = http.client.HTTPConnection(place, timeout=60, source_address=(peer, 0))
    link.request("GET", "/assets.json", headers=headers)
    answer = link.getresponse()
    text = answer.read().decode()
    link.close()
    return answer.status, text


def test_a_forged_header_from_elsewhere_is_refused_and_logged(site):
    status, text = ask(site.back, "127.0.0.2", **{"X-Remote-User": "alice"})
    assert status == 403
    assert "believed from the proxies alone" in text
    log = (site.home / "access.log").read_text().splitlines()
    assert any('"peer": "127.0.0.2"' in line and '"refused": "the header' in line for line in log)


def test_a_spelling_that_python_takes_for_the_header_is_dropped(site):
    assert ask(site.back, "127.0.0.1", X_Remote_User="alice")[0] == 401
    assert ask(site.back, "127.0.0.2", X_Remote_User="alice")[0] == 401


def test_a_token_goes_through_nginx_and_a_wrong_one_is_refused(site):
    token, _ = store.create_token(site.database, "grafana", "viewer", timedelta(days=1), by="me")
    address = f"{site.front}/assets.json"
    bearer = {"Authorization": f"Bearer {token}"}
    assert requests.get(address, headers=bearer, timeout=60).status_code == 200
    for headers in ({"Authorization": "Bearer cmdb_x"}, {"Authorization": "Bearer x:y"}):
        answer = requests.get(address, headers=headers, timeout=60)
        assert answer.status_code == 401
        assert answer.json()["error"] == "this token is not known"
    store.revoke_token(site.database, "grafana", by="me")
    answer = requests.get(address, headers=bearer, timeout=60)
    assert (answer.status_code, answer.json()["error"]) == (401, "the token grafana is revoked")


def test_a_session_is_good_in_every_worker(site):
    browser = requests.Session()
    page = BeautifulSoup(browser.get(f"{site.back}/login", timeout=60).text, "html.parser")
    hidden = {one["name"]: one["value"] for one in page.select("main input[type=hidden]")}
    form = {**hidden, "name": "alice", "password": PASSWORD}
    done = browser.post(f"{site.back}/login", data=form, timeout=60, allow_redirects=False)
    assert done.status_code == 303
    answers = {browser.get(f"{site.back}/assets.json", timeout=60).status_code for _ in range(20)}
    assert answers == {200}


PLAIN = "server { listen 127.0.0.1:%d; location / { proxy_pass %s; %s } }"


def test_without_a_login_what_comes_through_nginx_is_refused(tmp_path, new_database):
    ports = [free_port() for _ in range(4)]
    with gunicorn(tmp_path / "web", f"127.0.0.1:{ports[0]}", database_url=new_database()) as bind:
        target = f"http://{bind}"
        assert requests.get(f"{target}/assets", timeout=60).status_code == 200
        said = ("", "proxy_http_version 1.1; proxy_set_header X-Forwarded-For $remote_addr;")
        named = "proxy_http_version 1.1; proxy_set_header Host cmdb.example.net;"
        servers = [
            PLAIN % (port, target, one) for port, one in zip(ports[1:], [*said, named], strict=True)
        ]
        with nginx(tmp_path / "nginx", "\n".join(servers), ports[1]):
            for port in ports[1:]:
                answer = requests.get(f"http://127.0.0.1:{port}/assets.json", timeout=60)
                assert answer.status_code == 403
                assert "configure `login`" in answer.json()["hint"]
                probe = requests.get(f"http://127.0.0.1:{port}/healthz", timeout=60)
                assert probe.status_code == 200


@pytest.mark.parametrize("has_login", [False, True])
def test_behind_a_unix_socket_is_a_proxy(tmp_path, new_database, has_login):
    port = free_port()
    said = {"login": header("unix")} if has_login else {}
    bind = f"unix:{tmp_path}/socket"
    with gunicorn(tmp_path / "web", bind, database_url=new_database(), **said):
        named = "proxy_set_header X-Remote-User alice;" if has_login else ""
        servers = PLAIN % (port, f"http://{bind}:", f"proxy_http_version 1.1; {named}")
        with nginx(tmp_path / "nginx", servers, port) as front:
            answer = requests.get(f"{front}/assets", timeout=60)
            assert answer.status_code == (200 if has_login else 403)
            assert "<bdi>alice</bdi>" in answer.text or not has_login
