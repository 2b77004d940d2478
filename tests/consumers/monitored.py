"""
A Prometheus and an Alertmanager over a store with machines, configured by the manual.

``docs/monitoring.md`` has the files; only addresses, paths and waits are put in their places.
"""

import contextlib
import http.server
import json
import os
import re
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

import yaml

from tests.consumers import obtained
from tests.patience import PATIENCE_SECONDS
from tests.postgres import free_port
from tests.unit.docs import markdown

FIELDS = "memory_bytes,temporary,list.%E7%8F%AD"
HEADING = re.compile(r"(?:# |\{\{/\* )(.+?)(?: \*/\}\})?$")


def manual():
    """Return the blocks of the manual by what stands in their first lines."""
    page = "monitoring.md"
    found = [*markdown.blocks(page, "yaml"), *markdown.blocks(page, "text")]
    return {HEADING.match(block.split("\n", 1)[0])[1]: block for block in found}


def jobs_beside():
    """Return the jobs that the manual adds to those of its prometheus.yml."""
    beside = [text for name, text in manual().items() if name.startswith("More of scrape_configs")]
    return [job for text in beside for job in yaml.safe_load(text)]


def until(ask, what):
    """Return the first answer that is true; wait for it."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError):
            if found := ask():
                return found
        assert time.monotonic() < end, f"not within {PATIENCE_SECONDS} s: {what}"
        time.sleep(0.1)


def ask(url):
    """Return the JSON at an address."""
    with urllib.request.urlopen(url, timeout=60) as answer:
        return json.load(answer)


class Chat(http.server.ThreadingHTTPServer):
    """What Alertmanager sends its messages to."""

    def __init__(self):
        """Listen on a port of its own."""
        self.messages = []
        super().__init__(("127.0.0.1", 0), Message)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/hooks/operations"

    def text(self):
        """Return all that was sent."""
        return "\n".join(f"{one['title']}\n{one['text']}" for one in [*self.messages])


class Message(http.server.BaseHTTPRequestHandler):
    """One message in the form of Slack."""

    server: "Chat"

    def do_POST(self):
        """Keep it."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.messages += body["attachments"]
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *_):
        """Say nothing."""


AT_LOOPBACK = {
    "source_labels": ["__address__"],
    "regex": r"10\.0\.0\.(.*)",
    "target_label": "__address__",
    "replacement": "127.0.0.$1",
}
"""A rule for the exporters of machines, which are on this one: no feed has such an address."""


class Monitoring:
    """Both programs; ``home`` stands for /etc."""

    def __init__(self, home, web_port, token):
        """Write the manual's files into a directory, with waits of a second."""
        programs = obtained.unpacked("prometheus", "prometheus-alertmanager")
        self.programs = programs / "usr/bin"
        self.home = home
        self.chat = Chat()
        self.port, self.alerts_port = free_port(), free_port()
        self.moved = {
            "/etc/prometheus/": f"{home}/",
            "/etc/alertmanager/": f"{home}/",
            "127.0.0.1:8080": f"127.0.0.1:{web_port}",
            "127.0.0.1:9090": f"127.0.0.1:{self.port}",
            "127.0.0.1:9093": f"127.0.0.1:{self.alerts_port}",
            # The exporter that answers is Prometheus itself. Numbers, truths and a heading in
            # Chinese are labels too.
            "port=9100": f"port={self.port}&fields={FIELDS}",
            "http://chat.example.com/hooks/operations": self.chat.url,
        }
        (home / "salt-cmdb.token").write_text(token)
        (home / "cmdb").mkdir()  # Prometheus watches only what is there when it starts
        for name, block in manual().items():
            if name.startswith("/etc/") and not name.startswith("/etc/salt/"):
                (home / name.rsplit("/", 1)[1]).write_text(self._here(block))
        main = yaml.safe_load((home / "prometheus.yml").read_text())
        beside = yaml.safe_load(self._here(yaml.safe_dump(jobs_beside(), allow_unicode=True)))
        for job in beside:
            for source in job.get("http_sd_configs", ()):
                source["refresh_interval"] = "1s"
        main["scrape_configs"] += beside
        for job in main["scrape_configs"]:
            if job["job_name"] in ("node", "node-file"):
                job["relabel_configs"].append(AT_LOOPBACK)
        (home / "prometheus.yml").write_text(yaml.safe_dump(main))
        self._place_alertmanager(programs)

    def _place_alertmanager(self, programs):
        """
        Let Debian's Alertmanager find its own templates.

        It looks where the package installs them, and nothing is installed: so a copy looks where
        it runs, by a path of the same length.
        """
        installed = b"/usr/share/prometheus/alertmanager"
        there = programs / installed.decode().lstrip("/")
        self.templates = there if there.is_dir() else self.home
        here = (b"./" * len(installed))[: len(installed)]
        program = (self.programs / "prometheus-alertmanager").read_bytes()
        self.alertmanager = self.home / "alertmanager"
        self.alertmanager.write_bytes(program.replace(installed, here))
        self.alertmanager.chmod(0o755)

    def _here(self, text):
        for there, here in self.moved.items():
            text = text.replace(there, here)
        # So that nobody waits; but not the spans that rules look back over, in brackets.
        waits = r"((?:interval|wait|timeout|for): )\d+[smh]\b"
        return re.sub(waits, r"\g<1>1s", text)

    def check(self, program, *arguments):
        """Let one of their own tools judge a file; return what it says."""
        done = obtained.run(self.programs / program, *arguments, cwd=self.home)
        return done.returncode, f"{done.stdout}{done.stderr}"

    @contextlib.contextmanager
    def running(self):
        """Run both."""
        with (
            self._runs(
                self.alertmanager,
                self.templates,
                f"--config.file={self.home}/alertmanager.yml",
                f"--storage.path={self.home}/alerts",
                f"--web.listen-address=127.0.0.1:{self.alerts_port}",
                "--cluster.listen-address=",
            ),
            self._runs(
                self.programs / "prometheus",
                self.home,
                f"--config.file={self.home}/prometheus.yml",
                f"--storage.tsdb.path={self.home}/data",
                f"--web.listen-address=127.0.0.1:{self.port}",
                "--log.level=warn",
            ),
        ):
            until(lambda: self.samples("up"), self.said())
            yield self
        self.chat.shutdown()
        self.chat.server_close()

    @contextlib.contextmanager
    def _runs(self, program, directory, *arguments):
        with (self.home / f"{program.name}.log").open("ab") as log:
            process = subprocess.Popen([program, *arguments], stdout=log, stderr=log, cwd=directory)
        try:
            yield process
        finally:
            os.kill(process.pid, signal.SIGTERM)
            process.wait(PATIENCE_SECONDS)

    def said(self):
        """Return where the logs are."""
        return f"see {self.home}/*.log"

    def targets(self, job):
        """Return the targets of a job by their labels ``instance``."""
        found = ask(f"http://127.0.0.1:{self.port}/api/v1/targets?state=active")
        return {
            one["labels"]["instance"]: one
            for one in found["data"]["activeTargets"]
            if one["scrapePool"] == job
        }

    def samples(self, query):
        """Return what a query finds now: label sets and values."""
        address = f"http://127.0.0.1:{self.port}/api/v1/query?"
        found = ask(address + urllib.parse.urlencode({"query": query}))
        return [(one["metric"], float(one["value"][1])) for one in found["data"]["result"]]

    def number(self, query):
        """Return the sum of what a query finds."""
        return sum(value for _, value in self.samples(query))

    def alerts(self, name):
        """Return the labels of Alertmanager's alerts of a name."""
        found = ask(f"http://127.0.0.1:{self.alerts_port}/api/v2/alerts")
        return [one["labels"] for one in found if one["labels"]["alertname"] == name]
