"""No part of a password of the database is shown, however it is spelled and wherever one looks."""

import json
import logging
import re
import time
import traceback

import pytest
import salt.loader

from salt_ext import settings, store
from salt_ext.settings import SettingsError
from tests import postgres
from tests.functional.conftest import commands
from tests.machines import arrival, server
from tests.patience import PATIENCE_SECONDS
from tests.writers import FORK
from webui import create_app

A, B = "s3cr3tA", "hunt3rB"
"""Two parts of one password: whatever stands between them, neither is shown."""

SECRETS = (A, B)
WHERE = "127.0.0.1:1/cmdb"
D = "postgresql+psycopg2://"

SIGNS = (*"@/:?#[]%&=+ '\"\\,;!$*", "@x/", "@x?y=", "://", "@x:1/", "%00", "\n", "\ud800")
URLS = {
    "plain": f"{D}u:{A}{B}@{WHERE}",
    "percent-encoded": f"{D}u:{A}%40%2F%3A%3F%23%25{B}@{WHERE}",
    "encoded letters": f"{D}u:%73%33cr3tA{B}@{WHERE}",
    **{f"with {sign!r} in it": f"{D}u:{A}{sign}{B}@{WHERE}" for sign in SIGNS},
    **{f"{sign!r} for two hosts": f"{D}u:{A}{sign}{B}@h1:1,h2:2/cmdb" for sign in ("@", "/")},
    "a parameter": f"{D}u@{WHERE}?password={A}{B}",
    "a parameter with an @": f"{D}u@{WHERE}?password={A}@{B}",
    "a parameter behind a password with an @": f"{D}u:{A}@{WHERE}?password={A}@{B}",
    "a parameter without a user": f"{D}127.0.0.1:1/cmdb?user=u&password={A}@{B}",
    "a parameter with a capital": f"{D}u@{WHERE}?Password={A}{B}",
    "a parameter twice": f"{D}u@{WHERE}?password={A}&password={B}",
    "of a key": f"{D}u@{WHERE}?sslkey=/none&sslpassword={A}{B}&sslmode=require",
    "several hosts": f"{D}/cmdb?host=127.0.0.1:1&host=127.0.0.2:1&user=u&password={A}{B}",
    "a list of hosts": f"{D}/cmdb?host=127.0.0.1,127.0.0.2&port=1,1&user=u&password={A}%26{B}",
    "in options": f"{D}u@{WHERE}?options=-c%20x.y%3D{A}{B}",
    "in a passfile": f"{D}u@{WHERE}?passfile=/nowhere/{A}{B}",
    "in a dsn": f"{D}?dsn=host%3D127.0.0.1%20password%3D{A}{B}",
    "in a plugin": f"{D}u@{WHERE}?plugin={A}{B}",
    "in the mode of ssl": f"{D}u@{WHERE}?sslmode=x%20password%3D{A}{B}",
    "libpq's words": f"host=127.0.0.1 port=1 user=u password={A}{B}",
    "libpq's words in quotes": f"host='127.0.0.1' user='u' password='{A} \\' {B}'",
    "libpq's words for a host": f"{D}/cmdb?host=127.0.0.1 password={A}{B}",
    "libpq's words for a database": f"{D}u@127.0.0.1:1/host=127.0.0.1 password={A}{B}",
    "libpq's URL": f"postgresql://u:{A}{B}@{WHERE}",
    "another driver": f"mysql://u:{A}{B}@{WHERE}",
    "no scheme": f"u:{A}@{B}@{WHERE}",
    "in the name": f"{D}u;password={A}{B}@{WHERE}",
    "alone": f"{A}{B}",
    "of ODBC": f"Driver=PostgreSQL;Server=127.0.0.1;Uid=u;Pwd={A}{B}",
}
FEW = [
    *("plain", "percent-encoded", "with '@' in it", "with '@x?y=' in it", "with '%00' in it"),
    *("a parameter with an @", "a parameter with a capital", "several hosts", "in a dsn"),
    *("libpq's words", "libpq's words for a host", "alone"),
]
"""Those that take different ways, for the doors that take long to open."""

VALUES = {
    "a mapping": {"drivername": D, "password": f"{A}{B}"},
    "a list": [f"{D}u:{A}{B}@{WHERE}"],
    "bytes": f"{D}u:{A}{B}@{WHERE}".encode(),
    "another name": {"database_uri": f"{D}u:{A}{B}@{WHERE}"},
    "a name of all": {f"database_url {D}u:{A}": f"{B}@{WHERE}"},
}


def check(*texts):
    for text in texts:
        for secret in SECRETS:
            assert secret not in str(text)


def everything(error):
    """What an exception tells, and what it came from."""
    return "".join(traceback.format_exception(error)) + str(vars(error))


@pytest.fixture(params=URLS.values(), ids=URLS)
def url(request, monkeypatch):
    monkeypatch.setenv("PGCONNECT_TIMEOUT", "2")
    return request.param


@pytest.fixture(params=FEW)
def one_of_few(request, monkeypatch):
    monkeypatch.setenv("PGCONNECT_TIMEOUT", "2")
    return URLS[request.param]


@pytest.fixture(params=VALUES, ids=VALUES)
def value(request):
    """Settings of a wrong type."""
    given = VALUES[request.param]
    return given if "name" in request.param else {"database_url": given}


def test_no_error_of_the_store_tells_it(url):
    with pytest.raises(store.StoreError) as error:
        store.ping(store.Database(settings.resolve(("test", {"database_url": url}))))
    check(everything(error.value), error.value.public, error.value.hint, store.shown_url(url))
    for word in ("127.0.0", "cmdb", "h1"):
        assert word not in error.value.public


DOORS = ("doctor", "settings", "version", "report", "sync", "migrate", "stats")


@pytest.mark.parametrize("name", ["database_url", "database_read_url"])
def test_no_command_tells_it(storeless_opts, one_of_few, name, capfd):
    storeless_opts["cmdb"] = {"database_url": f"{D}u@{WHERE}", name: one_of_few}
    storeless_opts["engines"] = ["cmdb"]
    run = commands(storeless_opts)
    for door in DOORS:
        answer, _, text = run(door)
        check(json.dumps(answer), text)
    check(*capfd.readouterr())


def test_a_setting_of_a_wrong_type_is_not_shown(storeless_opts, value, monkeypatch):
    with pytest.raises(SettingsError) as error:
        settings.resolve(("test", value))
    check(everything(error.value))
    storeless_opts["cmdb"] = value
    run = commands(storeless_opts)
    for door in DOORS:
        answer, code, text = run(door)
        assert code
        check(json.dumps(answer), text)


@pytest.mark.parametrize(
    "text",
    [
        f"database_url: '{D}u:{A}{B}@{WHERE}\nevents: []",
        f'database_url: "{D}u:{A}\\{B}@{WHERE}"',
        f"database_url: {D}u:{A}: {B}@{WHERE}",
        f"database_url: [{D}u:{A}{B}",
        f"database_url: *{A}",
        f"database_url: !{A} x",
        f"database_url: &{A} 1\nevents: &{A} 2\nroot: *{B}",
        f"database_url: {{password: {A}{B}}}",
        f"{A}{B}",
    ],
)
def test_a_file_that_cannot_be_read_is_not_shown(tmp_path, text):
    path = tmp_path / "web.yaml"
    path.write_text(text)
    with pytest.raises(SettingsError) as error:
        settings.from_environ({"CMDB_SETTINGS": str(path)})
    check(everything(error.value))


def test_no_page_tells_it_nor_where_the_database_is(url, caplog):
    try:
        app = create_app(settings.resolve(("test", {"database_url": url})))
    except store.StoreError as error:
        check(everything(error))
        return
    for address in ("/", "/assets", "/assets.json", "/readyz", "/find?q=x", "/a/x", "/problems"):
        response = app.test_client().get(address)
        check(response.text, response.headers)
        for word in ("127.0.0", "psycopg2", "u@", "Traceback"):
            assert word not in response.text
    check(caplog.text)


def run_engine(opts, log):
    """Run the engine until this process is killed; everything that is logged is in a file."""
    logging.basicConfig(filename=log, level=logging.DEBUG, force=True)
    salt.loader.engines(opts, {}, {}, {})["cmdb.start"]()


def test_no_log_of_the_engine_tells_it(storeless_opts, one_of_few, tmp_path):
    storeless_opts["cmdb"] = {"database_url": one_of_few, "sweep_seconds": 0}
    log = tmp_path / "log"
    log.touch()
    engine = FORK.Process(target=run_engine, args=(storeless_opts, log))
    engine.start()
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not re.search("(ERROR|CRITICAL):.*\n", log.read_text()):
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.01)
    engine.kill()
    engine.join()
    check(log.read_text())


def test_a_returner_does_not_tell_it(minion_opts, url):
    minion_opts["cmdb"] = {**minion_opts["cmdb"], "database_url": url}
    returner = salt.loader.returners(minion_opts, {})["cmdb.returner"]
    report = arrival(server(1)).report
    with pytest.raises((RuntimeError, store.StoreError)) as error:
        returner({"id": "web01", "fun": "cmdb.collect", "return": report, "jid": "1"})
    check(everything(error.value))


@pytest.fixture(scope="module")
def guarded(server_home):
    """A server that asks for a password, and the login role u with it."""
    one = postgres.Server(server_home() / "guarded").initialise().start()
    postgres.execute(one.uri, f"CREATE ROLE u LOGIN SUPERUSER PASSWORD '{A}@{B}'")
    one.stop()
    (one.data / "pg_hba.conf").write_text(
        "host all postgres 127.0.0.1/32 trust\nhost all all 127.0.0.1/32 scram-sha-256\n"
    )
    yield one.start()
    one.stop()


@pytest.mark.parametrize(
    "spelling",
    ["{d}u:{good}@{where}", "{d}u@{where}?password={good}", "{d}/postgres?{words}&password={good}"],
)
@pytest.mark.parametrize("is_right", [True, False])
def test_a_server_that_asks_for_it_tells_nothing(guarded, spelling, is_right, monkeypatch):
    password = f"{A}%40{B}" if is_right else f"{A}%40{B}x"
    url = spelling.format(
        d=D,
        good=password,
        where=f"127.0.0.1:{guarded.port}/postgres",
        words=f"host=127.0.0.1&port={guarded.port}&user=u",
    )
    _is_refused(url, is_right)


@pytest.mark.parametrize("is_right", [True, False])
@pytest.mark.parametrize("door", ["PGPASSWORD", "PGPASSFILE"])
def test_what_libpq_finds_elsewhere_is_not_told(guarded, door, is_right, monkeypatch, tmp_path):
    password = f"{A}@{B}" if is_right else f"{A}@{B}x"
    if door == "PGPASSFILE":
        path = tmp_path / "pgpass"
        path.write_text(f"*:*:*:*:{password}\n")
        path.chmod(0o600)
        password = str(path)
    monkeypatch.setenv(door, password)
    _is_refused(f"{D}u@127.0.0.1:{guarded.port}/postgres", is_right)


def _is_refused(url, is_right):
    database = store.Database(settings.resolve(("test", {"database_url": url})))
    check(database.shown_url)
    with pytest.raises(store.StoreError) as error:
        store.ping(database)
    check(everything(error.value), error.value.public)
    assert ("has no schema yet" in str(error.value)) is is_right
    database.close()
