"""
How gunicorn runs the application: ``gunicorn --config python:provisioner.server``.

Every setting of gunicorn can be given on its command line as well, and goes over the one here.
"""

from __future__ import annotations

from provisioner.log import NoRequestLine
from salt_ext.words.json_lines import JsonLines

wsgi_app = "provisioner:create_app()"
bind = "127.0.0.1:8480"
workers = 1
threads = 8
timeout = 60
limit_request_line = 1024
limit_request_fields = 40
limit_request_field_size = 1024
control_socket_disable = True
logconfig_dict = {
    "formatters": {"json": {"()": JsonLines}},
    "filters": {"no_request_line": {"()": NoRequestLine}},
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "filters": ["no_request_line"],
            "formatter": "json",
            "stream": "ext://sys.stderr",
        }
    },
    "root": {"level": "INFO", "handlers": ["stderr"]},
    "loggers": {
        "gunicorn.error": {"level": "INFO", "handlers": [], "propagate": True},
        # The application has a log of requests of its own.
        "gunicorn.access": {"level": "CRITICAL", "handlers": [], "propagate": False},
    },
}
