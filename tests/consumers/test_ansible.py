"""
Ansible, unmodified, takes the machines of a store by the script of the manual.

What machines say of themselves would run a program on the machine that deploys, if Ansible took
it for a template; the file that this program would make is looked for after each run.
"""

import contextlib
import http.server
import json
import os
import shutil
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from salt_ext import store
from salt_ext.lists import expected, rows
from tests.consumers import obtained
from tests.consumers.deployed import deployed
from tests.integration.test_ssh import SSHD, home, port  # noqa: F401 - fixtures
from tests.machines import arrival, server
from tests.unit.docs import markdown

SCRIPT = Path(__file__).parents[2] / "docs/examples/ansible_inventory.py"
BAD_NAMES = ("web 3", 'web"4', "web\n5", "-e", "web[1:3]", "localhost")
UNREACHABLE = 4
LATEST = "ansible-core>=2.18"
ANSIBLES = [
    LATEST,
    pytest.param(
        "ansible-core==2.15.*",
        marks=pytest.mark.skipif(sys.version_info >= (3, 12), reason="2.15 knows 3.11 at most"),
    ),
]
PLAYBOOK = """
- hosts: web01
  gather_facts: false
  tasks:
    - copy: {content: "{{ cmdb_sn }}\\n", dest: "{{ playbook_dir }}/sn"}
- hosts: "%s"
  gather_facts: false
  tasks:
    - debug: {var: "hostvars[inventory_hostname]"}
    - copy:
        content: "{{ cmdb_product_name }} {{ cmdb_list.owner }} {{ cmdb_hostname }}"
        dest: "{{ playbook_dir }}/said"
"""


def machine(number, **sections):
    network = [{"name": "eth0", "kind": "physical", "default_address": f"10.0.0.{number}"}]
    return server(number, network=network, **sections)


class Control:
    """The machine that deploys: the script, what it asks for, and a file that must not appear."""

    def __init__(self, folder):
        """Copy the script there."""
        self.home = folder
        self.marker = folder / "marker"
        self.template = f"{{{{ lookup('pipe', 'touch {self.marker}') }}}}"
        self.script = Path(shutil.copy(SCRIPT, folder))
        self.environ = {
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_HOME": str(folder / "ansible"),
        }

    def ask(self, **settings):
        """Say where the inventory is."""
        text = "\n".join(f"{name} = {value}" for name, value in settings.items())
        self.script.with_suffix(".ini").write_text(f"[cmdb]\n{text}\n")

    def run(self, *command, **environ):
        """Run a program there; return its CompletedProcess."""
        environ = {**os.environ, **self.environ, **environ}
        return obtained.run(*command, cwd=self.home, env=environ)

    def listed(self, *arguments, **environ):
        """What the script answers."""
        return self.run(sys.executable, self.script, *(arguments or ("--list",)), **environ)

    def ansible(self, release, program, *arguments, inventory=None):
        """Run a program of a release of Ansible with the script as its inventory."""
        programs = obtained.environment("ansible", release)
        return self.run(programs / program, "-i", inventory or self.script, *arguments)

    def play(self, release, hosts, inventory=None):
        """Run the playbook; all machines are this one."""
        (self.home / "play.yml").write_text(PLAYBOOK % hosts)
        python = ("--connection=local", f"--extra-vars=ansible_python_interpreter={sys.executable}")
        return self.ansible(release, "ansible-playbook", *python, "play.yml", inventory=inventory)


@pytest.fixture(scope="module")
def control(tmp_path_factory):
    return Control(tmp_path_factory.mktemp("control"))


@pytest.fixture(scope="module")
def database(postgres, control, tmp_path_factory):
    """A store with an ordinary machine, one full of templates, and names that are none."""
    database = postgres.new_store()
    evil = control.template
    hostile = machine(2, location={"site": evil, "rack": evil})
    hostile["operating_system"] |= {"hostname": evil, "pretty_name": evil}
    hostile["system"] |= {"product_name": evil, "manufacturer": evil}
    machines = {"web01": machine(1, location={"site": "fra1"}), "web02": hostile}
    machines |= {name: machine(number) for number, name in enumerate(BAD_NAMES, start=10)}
    store.ingest(database, [arrival(facts, name) for name, facts in machines.items()])
    store.beat(database, "master1", "0.1.0")
    path = tmp_path_factory.mktemp("lists") / "list.csv"
    path.write_text(f'SN,Owner\n9XYZ001,ann\n9XYZ002,"{evil}"\n')
    expected.keep(database, rows.read(str(path), "", {}), source="list", by="me")
    yield database
    database.close()


@pytest.fixture(scope="module")
def served(database, tmp_path_factory):
    """The address of the web, as it is deployed."""
    with deployed(database, tmp_path_factory.mktemp("web")) as running:
        yield f"http://127.0.0.1:{running.port}"


@pytest.fixture
def site(control, database, served):
    """The machine that deploys, with a token of its own."""
    token, _ = store.create_token(
        database, f"ansible{os.urandom(4).hex()}", "viewer", timedelta(days=1), by="test"
    )
    (control.home / "token").write_text(f"{token}\n")
    query = "fields=list.owner&group_by=site,os,list.owner"
    control.ask(url=served, token_file=control.home / "token", query=query)
    control.marker.unlink(missing_ok=True)
    return control


@pytest.mark.parametrize("release", ANSIBLES)
def test_ansible_lists_the_machines_and_runs_nothing_that_one_says(site, release):
    done = site.ansible(release, "ansible-inventory", "--list")
    assert done.returncode == 0, done.stderr
    known = json.loads(done.stdout)["_meta"]["hostvars"]
    assert set(known) == {"web01", "web02"}
    # As Salt's roster "ansible" takes it from here.
    assert known["web01"]["ansible_ssh_host"] == "10.0.0.1"
    graph = site.ansible(release, "ansible-inventory", "--graph").stdout
    assert "@site_fra1:\n  |  |--web01" in graph
    assert "@list_owner_ann:\n  |  |--web01" in graph
    done = site.play(release, "all")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (site.home / "sn").read_text() == "9XYZ001\n"
    assert not site.marker.exists()


def test_a_play_has_what_a_machine_says_as_it_says_it(site):
    done = site.play(LATEST, "web02")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (site.home / "said").read_text() == " ".join([site.template] * 3)
    assert not site.marker.exists()


@pytest.mark.parametrize("release", ANSIBLES)
def test_without_the_marks_ansible_would_have_run_it(site, release):
    unmarked = json.loads(
        site.listed().stdout,
        object_hook=lambda one: one.get("__ansible_unsafe", one),
    )
    (site.home / "unmarked.json").write_text(json.dumps(unmarked))
    script = site.home / "unmarked"
    script.write_text(f"#!/bin/sh\ncat {site.home}/unmarked.json\n")
    script.chmod(0o755)
    site.play(release, "web02", inventory=script)
    assert site.marker.exists()


def test_who_is_left_out_is_counted_on_stderr(site):
    done = site.listed()
    assert done.returncode == 0
    assert f"{len(BAD_NAMES)} machines are left out" in done.stderr
    # Ansible shows it too.
    assert "machines are left out" in site.ansible(LATEST, "ansible-inventory", "--graph").stderr


def test_two_assets_of_one_name_are_left_out_and_the_others_are_served(site, database):
    facts = machine(30)
    facts["operating_system"]["hostname"] = "twin"
    other = machine(31)
    other["operating_system"]["hostname"] = "twin"
    store.ingest(database, [arrival(facts, "web30"), arrival(other, "web31")])
    found = site.listed(SALT_CMDB_QUERY="name=hostname&minion_id__in=web01,web30,web31")
    assert json.loads(found.stdout)["all"]["hosts"] == ["web01"]
    assert "2 machines are left out" in found.stderr


def test_a_person_looks_at_one_machine(site):
    assert json.loads(site.listed("--host", "web01").stdout)["cmdb_list"] == {
        "owner": {"__ansible_unsafe": "ann"}
    }
    done = site.listed("--host", "web99")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith("\nweb99 is not in the inventory\n")


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"SALT_CMDB_QUERY": "sitte=fra1"}, "did you mean 'site'"),
        ({"SALT_CMDB_QUERY": "fra1"}, "query is no text like site=fra1"),
        ({"SALT_CMDB_URL": "http://127.0.0.1:1"}, "cannot be asked: "),
        ({"SALT_CMDB_URL": "http://cmdb.example.net"}, "for everybody to read: ask by https"),
        ({"SALT_CMDB_TOKEN_FILE": "/nowhere"}, "the token cannot be read"),
    ],
)
def test_what_cannot_be_asked_is_a_sentence_and_no_inventory(site, said, why):
    done = site.listed(**said)
    assert (done.returncode, done.stdout) == (1, "")
    assert why in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_token_is_refused_and_shown_nowhere(site):
    (site.home / "token").write_text("cmdb_wrong")
    done = site.listed()
    assert (done.returncode, done.stdout) == (1, "")
    assert " answers 401: " in done.stderr
    assert "cmdb_wrong" not in done.stderr


class Elsewhere(http.server.HTTPServer):
    """A server that sends whoever asks to another place of its own, and keeps what was asked."""

    asked: list[str]

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}"


class Sending(http.server.BaseHTTPRequestHandler):
    server: Elsewhere

    def do_GET(self):
        self.server.asked.append(self.path.partition("?")[0])
        self.send_response(302)
        self.send_header("Location", f"{self.server.url}/thief")
        self.end_headers()

    def log_message(self, *_):
        """Say nothing."""


def test_a_token_goes_nowhere_but_to_the_inventory(site):
    with Elsewhere(("127.0.0.1", 0), Sending) as elsewhere:
        elsewhere.asked = []
        threading.Thread(target=elsewhere.serve_forever, daemon=True).start()
        done = site.listed(SALT_CMDB_URL=elsewhere.url)
        elsewhere.shutdown()
    assert (done.returncode, done.stdout) == (1, "")
    assert " answers 302: " in done.stderr
    assert elsewhere.asked == ["/api/v1/inventory/ansible"]


def test_the_roster_ansible_of_salt_takes_the_addresses_by_it(site):
    """Salt asks ansible-inventory, which prints the marks as they are, and reads its stderr too."""
    programs = obtained.environment("ansible", LATEST)
    roster = "import json, sys, salt.config, salt.loader;"
    roster += "opts = salt.config.master_config(None) | {'roster_file': sys.argv[1]};"
    roster += "print(json.dumps(salt.loader.roster(opts)['ansible.targets']('web01')))"
    path = f"{programs}:{os.environ['PATH']}"
    # As the manual says: the roster forgets the address of who is in two groups.
    said = {"SALT_CMDB_QUERY": "group_by=site", "ANSIBLE_INVENTORY_PLUGIN_SCRIPT_STDERR": "false"}
    done = site.run(sys.executable, "-c", roster, site.script, PATH=path, **said)
    assert json.loads(done.stdout)["web01"]["host"] == "10.0.0.1", done.stderr


@pytest.mark.skipif(SSHD is None, reason="there is no sshd: install openssh-server")
def test_a_machine_that_reports_the_address_of_another_is_not_believed(
    site,
    database,
    home,  # noqa: F811
    port,  # noqa: F811
):
    (known,) = markdown.blocks("ansible.md", "yaml")
    there = machine(40)["network"]
    facts = {"honest": server(40, network=there), "thief": server(41, network=there)}
    store.ingest(database, [arrival(one, name) for name, one in facts.items()])
    key = (home / "host.pub").read_text().rsplit(" ", 1)[0]
    (home / "known").write_text(f"honest {key}\n")
    (site.home / "group_vars").mkdir()
    (site.home / "group_vars/all.yml").write_text(
        f"{known}\nansible_port: {port}\nansible_ssh_private_key_file: {home}/client\n"
        f"ansible_ssh_extra_args: -o UserKnownHostsFile={home}/known\n"
    )
    # Where 10.0.0.40 is in this test.
    there = ("-e", "ansible_ssh_host=127.0.0.1")
    found = {
        name: site.ansible(LATEST, "ansible", name, *there, "-m", "raw", "-a", "echo here")
        for name in facts
    }
    shutil.rmtree(site.home / "group_vars")
    # Not "here": root may have a shell that is none.
    assert found["honest"].returncode != UNREACHABLE, found["honest"].stdout
    assert found["thief"].returncode == UNREACHABLE
    assert "Host key verification failed" in found["thief"].stdout + found["thief"].stderr


@contextlib.contextmanager
def away(postgres):
    postgres.stop()
    try:
        yield
    finally:
        postgres.start()


@pytest.mark.parametrize("release", ANSIBLES)
def test_while_the_database_is_away_a_play_does_not_begin(site, postgres, release):
    (config,) = markdown.blocks("ansible.md", "ini")[-1:]
    with away(postgres):
        done = site.listed()
        assert (done.returncode, done.stdout) == (1, "")
        assert " answers 503: " in done.stderr
        # Ansible alone says it and goes on with nobody.
        done = site.play(release, "all")
        assert (done.returncode, " answers 503: " in done.stderr) == (0, True)
        (site.home / "ansible.cfg").write_text(config)
        done = site.play(release, "all")
        (site.home / "ansible.cfg").unlink()
        assert done.returncode != 0
        assert " answers 503: " in done.stderr
    assert site.listed().returncode == 0


@pytest.fixture
def master(site, database):
    """The same on a master without a web: its salt-run is found as any program is."""
    root = site.home / "root"
    for name in ("var/cache/salt/master/proc", "var/cache/salt/master/jobs", "var/run/salt/master"):
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / "etc/salt/pki/master/minions").mkdir(parents=True, exist_ok=True)
    options = {"root_dir": str(root), "cmdb": {"database_url": database.url}}
    (site.home / "master").write_text(json.dumps(options))
    programs = site.home / "bin"
    programs.mkdir(exist_ok=True)
    salt_run = Path(sys.executable).parent / "salt-run"
    (programs / "salt-run").write_text(
        f'#!/bin/sh\nexec {sys.executable} {salt_run} --config-dir={site.home} "$@"\n'
    )
    (programs / "salt-run").chmod(0o755)
    site.ask(query="fields=list.owner&minion_id__in=web01,web02&site=fra1&site=fra2")
    return {"PATH": f"{programs}:{os.environ['PATH']}"}


def test_on_a_master_without_a_web_the_script_asks_salt_run(site, master):
    done = site.listed(**master)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["all"]["hosts"] == ["web01"]


def test_what_salt_run_cannot_do_is_a_sentence_and_no_inventory(site, master):
    done = site.listed(**master, SALT_CMDB_QUERY="sitte=fra1")
    assert (done.returncode, done.stdout) == (1, "")
    assert "did you mean 'site'" in done.stderr
    done = site.listed(PATH="/nowhere")
    assert (done.returncode, done.stdout) == (1, "")
    assert "neither an url is said nor is there salt-run" in done.stderr
