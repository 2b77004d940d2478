"""Logging in and out in a real browser, with the keyboard alone and without JavaScript."""

import threading

import pytest
from axe_playwright_python.sync_playwright import Axe
from werkzeug.serving import make_server

from tests.browser.conftest import QuietHandler
from tests.functional.web.access import PASSWORD, USERS, application


@pytest.fixture(scope="module")
def door(new_database, tmp_path_factory):
    """The address of a UI over an empty store, at which one has to log in."""
    home = tmp_path_factory.mktemp("door")
    with application(new_database(), home, login={"users": USERS}, auditors=["alice"]) as app:
        server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=QuietHandler)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def page(chromium, door):
    """A page of a browser without JavaScript, one of a phone."""
    context = chromium.new_context(
        base_url=door, java_script_enabled=False, viewport={"width": 360, "height": 740}
    )
    page = context.new_page()
    page.set_default_timeout(10_000)
    yield page
    context.close()


def test_one_logs_in_by_the_keyboard_comes_where_one_wanted_and_logs_out(page):
    page.goto("/assets?q=web")
    assert page.title() == "Log in · salt-cmdb"
    page.get_by_label("Name").fill("alice")
    page.keyboard.press("Tab")
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    assert page.get_by_role("alert").text_content() == "Wrong name or password."
    page.get_by_label("Name").fill("alice")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/assets?q=web")
    assert page.locator(".who").inner_text().split() == ["Auditor", "alice", "Log", "out"]
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/login")
    page.goto("/assets")
    assert page.title() == "Log in · salt-cmdb"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1440])
def test_the_page_to_log_in_at_is_for_everybody(chromium, door, scheme, width):
    context = chromium.new_context(
        base_url=door, color_scheme=scheme, viewport={"width": width, "height": 800}
    )
    page = context.new_page()
    try:
        for step in ("/login", "in"):
            if step == "in":
                page.get_by_label("Name").fill("alice")
                page.get_by_label("Password").fill(PASSWORD)
                page.keyboard.press("Enter")
                page.wait_for_url("**/")
            else:
                page.goto(step)
            found = Axe().run(page)
            assert found.violations_count == 0, found.generate_report()
            assert page.evaluate("document.scrollingElement.scrollWidth") <= width
    finally:
        context.close()
