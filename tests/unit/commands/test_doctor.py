"""What the doctor finds wrong, and what it lets pass."""

import tempfile
from pathlib import Path

import pytest

from salt_ext import settings
from salt_ext.commands.doctor import database, machines, master


@pytest.mark.parametrize(
    ("check", "status", "says"),
    [
        (database.version(150004, "15.4"), "ok", "15.4"),
        (database.version(140000, "14.0"), "ok", "14.0"),
        (database.version(130012, "13.12"), "fail", "too old"),
        (database.clock(5.0), "ok", "agree"),
        (database.clock(-5.0), "ok", "agree"),
        (database.clock(5.01), "warn", "5 s ahead of"),
        (database.clock(7.4), "warn", "7 s ahead of"),
        (database.clock(-90.0), "warn", "90 s behind"),
        (database.search(True, True), "ok", "pg_trgm"),
        (database.search(False, True), "warn", "reads every asset"),
        (database.search(False, False), "warn", "reads every asset"),
        (machines.machines({"a"}, []), "ok", "all 1 accepted keys"),
        (
            machines.machines({"a", "b", "c"}, {"b", "c"}),
            "warn",
            "2 of 3 accepted keys have no asset: b",
        ),
        (machines.waiting([], 0), "ok", "nothing waits"),
        (machines.waiting(["ssh01"], 3), "warn", "1 results of salt-ssh (ssh01) and 3 reports"),
        (master.authentication(3), "ok", "is 3"),
        (master.hooks(["json.dumps"]), "ok", "json.dumps can be loaded"),
        (master.hooks(["no.such.hook"]), "fail", "no.such.hook cannot be loaded, so reports are"),
        (master.authentication(0), "fail", "any minion can report as any other"),
        (master.authentication(None), "fail", "not known to this Salt"),
        (master.authentication(True), "fail", "any minion can report as any other"),
        (master.authentication("3"), "fail", "any minion can report as any other"),
        (database.encoding("cmdb", "UTF8"), "ok", "UTF8"),
        (database.encoding("cmdb", "SQL_ASCII"), "fail", "cmdb has the encoding SQL_ASCII"),
        (master.extension("1.2.3", True), "ok", "1.2.3"),
        (master.extension("1.2.3", False), "warn", "1.2.3 is not installed in Salt's Python"),
    ],
)
def test_a_check_says_what_it_found(check, status, says):
    assert check.status == status
    assert says in check.detail
    assert bool(check.hint) is (status != "ok")


RIGHTS = {
    **{"role": "cmdb", "is_standby": False, "is_read_only": False, "lacks": []},
    **dict.fromkeys(("superuser", "createrole", "createdb"), False),
}


@pytest.mark.parametrize(
    ("found", "status", "says", "remedy"),
    [
        ({}, "ok", "cmdb may write", ""),
        (
            {"superuser": True, "createdb": True},
            "warn",
            "needs: superuser, createdb",
            "grants=True",
        ),
        ({"is_standby": True}, "fail", "takes no writes", "primary"),
        ({"is_read_only": True}, "fail", "default_transaction_read_only", "ALTER ROLE cmdb"),
        ({"lacks": ["master", "spent"]}, "fail", "write master, spent", "cmdb.migrate grants=True"),
        ({"superuser": True, "is_standby": True}, "fail", "takes no writes", "primary"),
    ],
)
def test_a_role_must_be_able_to_write_and_no_more(found, status, says, remedy):
    check = database.role({**RIGHTS, **found})
    assert check.status == status
    assert says in check.detail
    assert remedy in check.hint


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
    check = master.credentials(master.passwords(options), master.files(opts, {}))
    assert check.status == status
    assert (str(secret) in check.detail) is (status == "warn")
    assert "cret" not in check.detail


def test_a_closed_directory_protects_what_is_in_it(config):
    opts, secret = config
    secret.chmod(0o644)
    secret.parent.chmod(0o700)
    assert master.credentials(["s%40cret"], master.files(opts, {})).status == "ok"


def test_the_file_of_the_web_process_is_looked_at_too(config):
    opts, secret = config
    secret.unlink()
    web = secret.with_name("web.yaml")
    web.write_text("database_url: postgresql+psycopg2://cmdb:s@cret@db/cmdb\n")
    check = master.credentials(["s%40cret"], master.files(opts, {"CMDB_SETTINGS": str(web)}))
    assert str(web) in check.detail
    assert check.hint == f"chmod o-rwx {web}"


def test_files_without_the_password_may_be_public(config):
    opts, secret = config
    secret.write_text("user: root\n")
    assert master.credentials(["s%40cret"], master.files(opts, {})).status == "ok"
