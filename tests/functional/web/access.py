"""Applications with a login, for the tests of who may read."""

import contextlib
import io
import json
from collections.abc import Iterator
from pathlib import Path

from argon2 import PasswordHasher
from bs4 import BeautifulSoup
from flask import Flask

from salt_ext import settings
from webui import create_app

PASSWORD = "correct horse battery"
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""The hash says itself how it was made; this one takes no time."""

USERS = {"alice": QUICK.hash(PASSWORD), "bob": QUICK.hash("bob's own password")}
PROXY = {"name": "X-Remote-User", "groups": "X-Remote-Groups", "proxies": ["127.0.0.1"]}
ELSEWHERE = {"REMOTE_ADDR": "203.0.113.7"}
PAGES = ("/", "/assets", "/assets.json", "/changes", "/problems", "/health.csv", "/nowhere")


@contextlib.contextmanager
def application(url: str, home: Path, **said: object) -> Iterator[Flask]:
    """An application with these settings, and a log of accesses and a key in a directory."""
    given = {
        "database_url": url,
        "cache_seconds": 0,
        "access_log": str(home / "access.log"),
        "session_key_file": str(home / "session.key"),
        **said,
    }
    app = create_app(settings.resolve(("test", given)))
    yield app
    app.extensions["database"].close()
    for handler in app.extensions["access_log"].handlers if given["access_log"] else ():
        handler.close()


def log_in(client, name="alice", password=PASSWORD, to="", **more):
    """Send the form of the login page as a browser does; return the answer."""
    page = client.get("/login", query_string={"next": to} if to else {}, **more)
    form = BeautifulSoup(page.text, "html.parser").find("form", action="/login")
    hidden = {one["name"]: one["value"] for one in form.find_all("input", type="hidden")}
    return client.post("/login", data={**hidden, "name": name, "password": password}, **more)


def logged(home: Path) -> list[dict]:
    """The lines of the access log."""
    text = (home / "access.log").read_bytes()
    return [json.loads(line) for line in io.BytesIO(text)]
