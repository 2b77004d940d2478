"""What the doctor finds wrong, and what it lets pass."""

import tempfile
from pathlib import Path

import pytest

from salt_ext import settings
from salt_ext.commands import doctor


@pytest.mark.parametrize(
    ("check", "status", "says"),
    [
        (doctor.version(150004, "15.4"), "ok", "15.4"),
        (doctor.version(140000, "14.0"), "ok", "14.0"),
        (doctor.version(130012, "13.12"), "fail", "too old"),
        (doctor.clock(5.0), "ok", "agree"),
        (doctor.clock(-5.0), "ok", "agree"),
        (doctor.clock(5.01), "warn", "5 s ahead of"),
        (doctor.clock(7.4), "warn", "7 s ahead of"),
        (doctor.clock(-90.0), "warn", "90 s behind"),
        (doctor.search(True, True), "ok", "pg_trgm"),
        (doctor.search(False, True), "warn", "reads every asset"),
        (doctor.search(False, False), "warn", "reads every asset"),
        (doctor.machines({"a"}, ["a", "b"]), "ok", "all 1 accepted keys"),
        (doctor.machines({"a", "b", "c"}, ["a"]), "warn", "2 of 3 accepted keys have no asset: b"),
        (doctor.waiting([], 0), "ok", "nothing waits"),
        (doctor.waiting(["ssh01"], 3), "warn", "1 results of salt-ssh (ssh01) and 3 reports"),
        (doctor.authentication(3), "ok", "is 3"),
        (doctor.authentication(0), "fail", "any minion can report as any other"),
        (doctor.authentication(None), "fail", "any minion can report as any other"),
        (doctor.engine(["cmdb"]), "ok", "configured"),
        (doctor.engine([{"logstash": {}}, {"cmdb": {}}]), "ok", "configured"),
        (doctor.engine([{"inventory": {"engine_module": "cmdb"}}]), "ok", "configured"),
        (doctor.engine([{"logstash": {}}]), "warn", "not configured"),
        (doctor.engine(None), "warn", "not configured"),
        (doctor.extension("1.2.3", ""), "ok", "1.2.3"),
        (doctor.extension("", "/nowhere"), "warn", "/nowhere/grains/cmdb.py"),
    ],
)
def test_a_check_says_what_it_found(check, status, says):
    assert check.status == status
    assert says in check.detail
    assert bool(check.hint) is (status != "ok")


def test_a_role_with_more_rights_than_it_needs_is_named():
    rights = {"role": "postgres", "superuser": True, "createrole": False, "createdb": True}
    check = doctor.role(rights)
    assert check.status == "warn"
    assert "postgres has more rights than it needs: superuser, createdb" in check.detail
    assert doctor.role({**rights, "superuser": False, "createdb": False}).status == "ok"


def test_a_synced_extension_is_found(tmp_path):
    for room in ("grains", "modules"):
        (tmp_path / room).mkdir()
        (tmp_path / room / "cmdb.py").touch()
    assert doctor.extension("", str(tmp_path)).status == "ok"


@pytest.fixture
def config():
    """A master's configuration with a password in a file of master.d."""
    # Not in pytest's directory, which is closed: nothing in it is readable by others.
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        home.chmod(0o755)
        (home / "master.d").mkdir(mode=0o755)
        (home / "master").write_text("user: root\n")
        secret = home / "master.d/cmdb.conf"
        secret.write_text("cmdb:\n  database_url: postgresql+psycopg2://cmdb:s%40cret@db/cmdb\n")
        yield {"conf_file": str(home / "master"), "default_include": "master.d/*.conf"}, secret


@pytest.mark.parametrize(("mode", "status"), [(0o644, "warn"), (0o640, "ok"), (0o600, "ok")])
def test_a_password_that_everybody_can_read_is_found(config, mode, status):
    opts, secret = config
    secret.chmod(mode)
    options = settings.resolve(("x", {"database_url": "postgresql+psycopg2://u:s%40cret@db/x"}))
    check = doctor.credentials(doctor.passwords(options), doctor.files(opts, {}))
    assert check.status == status
    assert (str(secret) in check.detail) is (status == "warn")
    assert "cret" not in check.detail


def test_a_closed_directory_protects_what_is_in_it(config):
    opts, secret = config
    secret.chmod(0o644)
    secret.parent.chmod(0o700)
    assert doctor.credentials(["s%40cret"], doctor.files(opts, {})).status == "ok"


def test_the_file_of_the_web_process_is_looked_at_too(config):
    opts, secret = config
    secret.unlink()
    web = secret.with_name("web.yaml")
    web.write_text("database_url: postgresql+psycopg2://cmdb:s@cret@db/cmdb\n")
    check = doctor.credentials(["s%40cret"], doctor.files(opts, {"CMDB_SETTINGS": str(web)}))
    assert str(web) in check.detail
    assert check.hint == f"chmod o-rwx {web}"


def test_files_without_the_password_may_be_public(config):
    opts, secret = config
    secret.write_text("user: root\n")
    assert doctor.credentials(["s%40cret"], doctor.files(opts, {})).status == "ok"
