"""The doctor on a real database, and how a check that cannot be made looks."""

import pytest

from salt_ext.master import kept
from tests.machines import arrival, server


@pytest.fixture
def doctor(runners):
    """Run the doctor; return each check by name, and the exit status."""

    def run(**kwargs):
        answer = runners["cmdb.doctor"](**kwargs)["data"]
        assert answer["cmdb"]["kind"] == "checks", answer
        checks = answer["cmdb"]["checks"]
        return {one["check"]: one for one in checks}, answer.get("retcode", 0)

    return run


def test_it_checks_the_master_from_database_to_keys(doctor, master_opts):
    master_opts["engines"] = [{"cmdb": {}}]
    checks, retcode = doctor()
    assert retcode == 0
    assert list(checks) == [
        *("database", "schema", "postgresql", "clock", "search", "role", "machines", "waiting"),
        *("authentication", "credentials", "engine", "extension"),
    ]
    ill = {name: one["status"] for name, one in checks.items() if one["status"] != "ok"}
    # The tests' own server has no pg_trgm and their role is its superuser.
    assert ill == {"search": "warn", "role": "warn"}
    assert doctor(exit_code=True)[1] == 1


def test_what_is_wrong_on_this_master_is_found(doctor, master_opts, tmp_path):
    accepted = tmp_path / "pki_dir/minions"
    accepted.mkdir(parents=True, exist_ok=True)
    (accepted / "web01").write_text("a key")
    master_opts["minimum_auth_version"] = 0
    kept.keep(master_opts, [arrival(server(1), "ssh01")])
    checks, _ = doctor()
    assert checks["authentication"]["status"] == "fail"
    assert "no asset: web01" in checks["machines"]["detail"]
    assert "ssh01" in checks["waiting"]["detail"]
    assert checks["engine"]["status"] == "warn"


def test_a_database_that_is_away_is_one_failed_check(doctor, master_opts):
    master_opts["cmdb"] = {"database_url": "postgresql+psycopg2://cmdb:s3cret@127.0.0.1:1/cmdb"}
    checks, retcode = doctor(exit_code=True)
    assert retcode == 1
    assert checks["database"]["status"] == "fail"
    assert "start PostgreSQL" in checks["database"]["hint"]
    assert "s3cret" not in str(checks)
    assert checks["authentication"]["status"] == "ok"


def test_a_database_without_a_schema_is_told_what_to_do(doctor, master_opts, new_database):
    master_opts["cmdb"] = {"database_url": new_database(empty=True)}
    checks, _ = doctor()
    assert checks["database"]["status"] == "ok"
    assert checks["schema"]["status"] == "fail"
    assert "cmdb.migrate" in checks["schema"]["hint"]


def test_a_replica_that_is_away_is_found(doctor, master_opts):
    master_opts["cmdb"]["database_read_url"] = "postgresql+psycopg2://cmdb@127.0.0.1:1/cmdb"
    assert doctor()[0]["read database"]["status"] == "fail"


def test_a_check_that_fails_itself_is_a_failed_check(doctor, master_opts):
    master_opts["engines"] = 5
    checks, _ = doctor()
    assert checks["engine"]["status"] == "fail"
    assert "could not be checked: TypeError" in checks["engine"]["detail"]
