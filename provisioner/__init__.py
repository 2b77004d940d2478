"""
What a machine asks that is to be installed: ``gunicorn --config python:provisioner.server``.

Whoever boots from the network shows its UUID and its MAC. If exactly one installation is open
for these keys (``salt-run cmdb.provision``), the machine gets a script that starts the
installer of its profile, and in it a token for all that the installer asks after that. In
the store it writes which machine it served and that it is done, and nothing else.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from flask import Flask

from provisioner import limits, log, refusals, views
from provisioner.profiles import configured
from provisioner.rendering import environment
from provisioner.token import Tokens
from salt_ext import store
from salt_ext.settings import Settings, from_environ

MOST_SENT_BYTES = 16 << 10
"""Nobody sends more: what cloud-init tells when it is done has the public keys of its host."""


def create_app(settings: Settings | None = None) -> Flask:
    """Return the application; by default with the settings of the environment."""
    app = Flask(__name__, static_folder=None, template_folder=None)
    app.url_map.merge_slashes = False
    settings = from_environ(os.environ) if settings is None else settings
    app.config["MAX_CONTENT_LENGTH"] = MOST_SENT_BYTES
    parts: Mapping[str, Any] = {
        "database": store.Database(settings, limits=store.PAGES),
        "profiles": configured(settings),
        "templates": environment(settings["provision_templates"]),
        "tokens": Tokens(settings["provision_key_file"]),
    }
    app.extensions.update(parts)
    log.register(app)
    refusals.register(app)
    app.register_blueprint(views.blueprint)
    limits.register(app)
    return app
