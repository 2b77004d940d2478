"""A report that the store cannot take, staged in PostgreSQL itself, and its neighbours."""

import psycopg2
import pytest
import sqlalchemy as sa

from salt_ext import store
from tests.citus import one_server
from tests.machines import arrival, later, server
from tests.postgres import Server, execute, open_store
from tests.store.old_store import upgrade

pytestmark = one_server("reports fail by a trigger, which Citus refuses on its tables")

POISON = """
CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT minion_id FROM asset WHERE id = NEW.asset_id) = 'bad' THEN {0}; END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER poison BEFORE INSERT ON asset_seen FOR EACH ROW EXECUTE FUNCTION poison();
"""
SLEEPS = "PERFORM pg_sleep(60)"
ENDS_THE_SESSION = "PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(60)"
EATS_MEMORY = "RAISE EXCEPTION 'no memory is left' USING ERRCODE = '53200'"
CANNOT_ENCODE = "RAISE EXCEPTION 'no such character' USING ERRCODE = '22P05'"
BREAKS = "RAISE EXCEPTION 'an error that nobody foresaw'"


@pytest.fixture
def poison(database):
    """A function that makes the store choke on the reports of the machine ``bad``."""

    def stage(how):
        with database.begin() as link:
            link.execute(sa.text(POISON.format(how)))

    return stage


def cure(database):
    with database.begin() as link:
        link.execute(sa.text("DROP TRIGGER poison ON asset_seen"))


def batch(*names, minutes=0):
    """The first reports of machines, each of another one."""
    return [
        arrival(server(1 + sum(map(ord, name))), name, later(minutes=minutes)) for name in names
    ]


def problems_of(database, name):
    rows, _ = store.problems(database, minion_id=name)
    return [(row["kind"], row["subject"], row["message"]) for row in rows]


def statuses(outcomes):
    return {one.minion_id: one.status for one in outcomes}


@pytest.mark.parametrize(
    "name", ["", "nul\0", "n" * 256, "".join(map(chr, range(0x4E00, 0x4E00 + 3000))), "\ud800"]
)
def test_a_name_that_cannot_be_stored_is_refused_and_its_neighbours_are_stored(database, name):
    bad, refused = batch("bad")[0]._replace(minion_id=name), {"refused": "x\0y"}
    mute = batch("mute")[0]._replace(report=refused)
    outcomes = store.ingest(database, [*batch("a1"), bad, mute, *batch("z1")])
    assert statuses(outcomes) == {"a1": "new", name: "refused", "mute": "refused", "z1": "new"}
    [told] = [one.detail for one in outcomes if one.minion_id == "mute"]
    assert told == "grains: holds a NUL character"


@pytest.mark.parametrize("names", [("a1", "bad", "z1"), ("a1", "a2", "bad")], ids=["mid", "last"])
@pytest.mark.parametrize(
    ("how", "says"),
    [
        (SLEEPS, "took longer than it may"),
        (ENDS_THE_SESSION, "ended the session"),
        (EATS_MEMORY, "not enough memory"),
        (CANNOT_ENCODE, "no such character"),
        (BREAKS, "an error that nobody foresaw"),
    ],
    ids=["time-out", "lost session", "memory", "encoding", "a bug"],
)
def test_a_report_that_cannot_be_stored_is_set_aside_and_its_neighbours_are_stored(
    database, poison, names, how, says
):
    poison(how)
    outcomes = store.ingest(database, batch(*names))
    assert statuses(outcomes) == {**dict.fromkeys(names, "new"), "bad": "refused"}
    [bad] = [one for one in outcomes if one.minion_id == "bad"]
    assert bad.wait_seconds == 600
    [(kind, subject, message)] = problems_of(database, "bad")
    assert (kind, subject) == ("report", "store")
    assert says in message
    if how not in (CANNOT_ENCODE, BREAKS):
        assert bad.detail.startswith("set aside: ")
        assert "salt bad cmdb.facts " in message


def test_one_that_was_set_aside_is_stored_when_it_can_be_and_its_problem_closes(database, poison):
    poison(EATS_MEMORY)
    store.ingest(database, batch("a1", "bad", "z1"))
    cure(database)
    [outcome] = store.ingest(database, batch("bad", minutes=1))
    assert outcome.status == "new"
    assert problems_of(database, "bad") == []


def test_one_that_fails_while_nobody_else_reports_is_not_set_aside_yet(database, poison):
    poison(EATS_MEMORY)
    suspects = store.Suspects()
    for _ in range(3):
        with pytest.raises(store.Unstored, match="the reports of bad could not be") as error:
            store.ingest(database, batch("bad"), suspects=suspects)
        assert error.value.minion_ids == ("bad",)
        assert "start PostgreSQL" not in error.value.hint
        assert "salt bad cmdb.facts" in error.value.hint
    [(_, _, message)] = problems_of(database, "bad")
    assert "set aside" not in message
    assert statuses(store.ingest(database, batch("a1"), suspects=suspects)) == {"a1": "new"}
    [outcome] = store.ingest(database, batch("bad"), suspects=suspects)
    assert outcome.status == "refused"
    assert "set aside" in outcome.detail


def test_a_suspect_is_tried_alone_and_before_the_others(database, poison):
    poison(EATS_MEMORY)
    suspects = store.Suspects()
    with pytest.raises(store.Unstored):
        store.ingest(database, batch("bad"), suspects=suspects)
    outcomes = store.ingest(database, batch("a1", "bad", "z1"), suspects=suspects)
    assert statuses(outcomes) == {"a1": "new", "bad": "refused", "z1": "new"}
    assert "bad" not in suspects


def test_when_every_report_fails_nobody_is_set_aside(database, poison):
    with database.begin() as link:
        link.execute(sa.text(POISON.replace("= 'bad'", "<> ''").format(EATS_MEMORY)))
    names = [f"web{number:02d}" for number in range(20)]
    with pytest.raises(store.Unstored) as error:
        store.ingest(database, batch(*names))
    assert 0 < len(error.value.minion_ids) < 10, "it gives up soon"
    for name in names:
        assert all("set aside" not in message for _, _, message in problems_of(database, name))


def test_whom_another_session_blocks_waits_and_the_others_are_stored(database, database_url):
    store.ingest(database, batch("a1", "busy", "z1"))
    uri = database_url.replace("+psycopg2", "")
    lock = psycopg2.connect(uri)
    with lock, lock.cursor() as cursor:
        cursor.execute(
            "SELECT FROM asset_seen JOIN asset ON asset.id = asset_id"
            " WHERE minion_id = 'busy' FOR UPDATE OF asset_seen"
        )
        outcomes = store.ingest(database, batch("a1", "busy", "z1", minutes=1))
    lock.close()
    assert statuses(outcomes) == {"a1": "unchanged", "busy": "waiting", "z1": "unchanged"}
    assert problems_of(database, "busy") == []
    [outcome] = store.ingest(database, batch("busy", minutes=1))
    assert outcome.status == "unchanged"


@pytest.fixture
def own_server(server_home):
    """A server that a test may stop."""
    server = Server(server_home() / "own").initialise().start()
    yield server
    server.stop()


def test_a_database_that_goes_away_sets_nobody_aside(own_server):
    database = own_server.new_store()
    store.ingest(database, batch("a1", "b1"))
    own_server.stop()
    suspects = store.Suspects()
    with pytest.raises(store.StoreUnreachable) as error:
        store.ingest(database, batch("a1", "b1", "c1", minutes=1), suspects=suspects)
    assert not isinstance(error.value, store.Unstored)
    own_server.start()
    assert all(name not in suspects for name in ("a1", "b1", "c1"))
    assert statuses(
        store.ingest(database, batch("a1", "b1", "c1", minutes=1), suspects=suspects)
    ) == {
        "a1": "unchanged",
        "b1": "unchanged",
        "c1": "new",
    }
    assert store.problems(database)[1] == 0
    database.close()


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_name_that_the_database_cannot_hold_stops_no_other(postgresql, encoding):
    name = f"other_{encoding.lower()}"
    execute(
        postgresql,
        f"CREATE DATABASE {name} ENCODING '{encoding}' LOCALE 'C' TEMPLATE template0",
    )
    parts = psycopg2.extensions.parse_dsn(postgresql)
    database = open_store(f"postgresql+psycopg2://{parts['user']}@/{name}?host={parts['host']}")
    upgrade(database.url, "head")  # cmdb.migrate refuses it; older versions did not
    outcomes = store.ingest(database, batch("a1", "机器", "z1"))
    assert (statuses(outcomes)["a1"], statuses(outcomes)["z1"]) == ("new", "new")
    if encoding == "LATIN1":  # SQL_ASCII takes any bytes
        assert statuses(outcomes)["机器"] == "refused"
        rows, _ = store.problems(database)
        assert [row["minion_id"] for row in rows] == [r"\u673a\u5668"]
    database.close()
