"""
The web with a login, as it is deployed: nobody reads it without a token.
"""

import contextlib

import yaml

from benchmarks.web_server import web
from tests.functional.web.access import USERS


@contextlib.contextmanager
def deployed(database, folder, workers=1, **options):
    """Run it over a store, with its settings and its key in a folder."""
    settings = {
        "database_url": database.url,
        "cache_seconds": 0,
        "login": {"users": USERS},
        "session_key_file": str(folder / "session.key"),
        **options,
    }
    file = folder / "web.yaml"
    file.write_text(yaml.safe_dump(settings))
    with web(database.url, folder, workers=workers, CMDB_SETTINGS=str(file)) as running:
        yield running
