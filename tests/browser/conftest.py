"""A real browser on a real server: Debian's Chromium through Playwright."""

import contextlib
import os
import shutil
import threading
from typing import NamedTuple

import pytest
from flask import Flask
from playwright.sync_api import sync_playwright
from werkzeug.serving import WSGIRequestHandler, make_server

from salt_ext import settings, store
from salt_ext.store import ingest
from tests.browser.fleet import tell
from tests.machines import NOW, arrival, later, server
from webui import create_app

BINARIES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox",  # tests run as root in containers
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)


class QuietHandler(WSGIRequestHandler):
    """Requests belong into no test report."""

    def log(self, *_):
        pass


# Not for the whole session: Playwright runs an event loop in this thread, which
# the suites after this one could not bear.
@pytest.fixture(scope="package")
def chromium():
    binary = next(filter(None, map(shutil.which, BINARIES)), None)
    if binary is None:
        pytest.skip("there is no Chromium on this machine: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=binary, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def site(new_database):
    """The address of the UI over three machines, one of which lost a memory module."""
    configured = settings.resolve(("test", {"database_url": new_database()}))
    database = store.Database(configured)
    dc1, dc2 = {"site": "dc1", "rack": "R07"}, {"site": "dc2"}
    ingest(database, [arrival(server(1, location=dc1), at=later(hours=-1))])
    ingest(database, [arrival(server(2, location=dc1), "web02", at=later(hours=-3))])
    ingest(database, [arrival(server(3, location=dc2), "web03", at=NOW)])
    facts = server(1, location=dc1)
    facts["memory"]["devices"][1] = {"locator": "A2", "present": False}
    facts["memory"]["installed_bytes"] = 64 << 30
    ingest(database, [arrival(facts, at=later(minutes=-2))])
    with served(configured) as (url, _app):
        yield url
    database.close()


class Fleet(NamedTuple):
    """A UI over the made-up fleet: its address, the application and the store."""

    url: str
    app: Flask
    database: store.Database


@pytest.fixture(scope="package")
def fleet(new_database):
    """The UI over some hundred machines of which one is of each kind."""
    configured = settings.resolve(("test", {"database_url": new_database()}))
    database = store.Database(configured)
    tell(database)
    with served(configured) as (url, app):
        yield Fleet(url, app, database)
    database.close()


@contextlib.contextmanager
def served(configured):
    """Serve the UI with these settings; yield its address and the application."""
    app = create_app(configured)
    listening = make_server("127.0.0.1", 0, app, threaded=True, request_handler=QuietHandler)
    thread = threading.Thread(target=listening.serve_forever, name=f"webui of {os.getpid()}")
    thread.start()
    yield f"http://127.0.0.1:{listening.server_port}", app
    listening.shutdown()
    thread.join()
    listening.server_close()
    app.extensions["database"].close()


@pytest.fixture
def open_page(chromium, site):
    """
    A function that opens the UI, with options of a browser context.

    When the test ends, nothing may have been asked of another origin and the
    browser may have complained about nothing.
    """
    contexts, elsewhere, complaints = [], [], []

    def open_(path="/", **options):
        context = chromium.new_context(base_url=site, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("request", lambda one: one.url.startswith(site) or elsewhere.append(one.url))
        page.on("console", lambda one: complaints.append(one.text))
        page.on("pageerror", lambda one: complaints.append(str(one)))
        page.goto(path)
        return page

    yield open_
    for context in contexts:
        context.close()
    assert elsewhere == []
    assert complaints == []
