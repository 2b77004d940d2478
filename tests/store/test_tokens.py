"""Tokens of programs: known by their hashes alone, and over when they are said to be."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from salt_ext import store

YEAR = timedelta(days=365)


def create(database, name="grafana", role="viewer", valid=YEAR):
    return store.create_token(database, name, role, valid, by="alice")


def test_a_token_is_found_by_itself_and_by_nothing_else(database):
    text, row = create(database, role="auditor")
    found = store.token_of(database, text)
    assert (found["name"], found["role"], found["state"]) == ("grafana", "auditor", "valid")
    assert found["expires_at"] - found["created_at"] == YEAR
    assert found.keys() >= row.keys()
    wrong = text[:-1] + ("A" if text[-1] != "A" else "B")
    for other in ("", "cmdb_", wrong, text.upper(), f"{text} ", found["hash"], "\0", "\udcff"):
        assert store.token_of(database, other) is None, other


def test_each_token_has_256_bits_and_says_what_it_is_for(database):
    made = {create(database, f"t{number}")[0] for number in range(20)}
    assert len(made) == 20
    assert {(one[:5], len(one)) for one in made} == {("cmdb_", 5 + 43)}


def test_no_token_stands_in_the_database(database):
    text, _ = create(database)
    with database.begin() as link:
        rows = link.execute(sa.text("SELECT CAST(t AS text) FROM token AS t")).scalars().all()
    assert len(rows) == 1
    assert text not in rows[0]
    assert text.removeprefix("cmdb_") not in rows[0]
    assert "hash" not in store.tokens(database)[0][0]


def test_an_expired_token_is_expired_by_the_clock_of_the_database(database):
    text, _ = create(database)
    with database.begin() as link:
        link.execute(sa.text("UPDATE token SET expires_at = now()"))
    assert store.token_of(database, text)["state"] == "expired"
    assert [one["state"] for one in store.tokens(database)[0]] == ["expired"]


def test_a_revoked_token_is_over_at_once_and_its_name_is_free(database):
    text, _ = create(database)
    done = store.revoke_token(database, "grafana", by="bob")
    assert done["revoked_by"] == "bob"
    assert "hash" not in done
    assert store.token_of(database, text)["state"] == "revoked"
    other, _ = create(database)
    assert store.token_of(database, other)["state"] == "valid"
    assert store.tokens(database)[1] == 2


def test_a_name_that_is_taken_is_refused(database):
    create(database)
    with pytest.raises(store.StoreError, match="there is a token 'grafana' already") as caught:
        create(database)
    assert "salt-run cmdb.token grafana revoke=True" in caught.value.hint
    assert store.tokens(database)[1] == 1


def test_an_unknown_name_cannot_be_revoked_and_the_nearest_is_named(database):
    create(database)
    with pytest.raises(store.NotFound, match="did you mean 'grafana'"):
        store.revoke_token(database, "grafena", by="bob")


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"name": ""}, "cannot name a token"),
        ({"name": "a b"}, "cannot name a token"),
        ({"name": "-x"}, "cannot name a token"),
        ({"role": "audit"}, "auditor"),
        ({"valid": timedelta(0)}, "at least a second"),
        ({"valid": timedelta(days=4000)}, "at most 3660 days"),
    ],
)
def test_what_cannot_be_a_token_is_refused(database, given, why):
    with pytest.raises(ValueError, match=why):
        create(database, **given)
    assert store.tokens(database)[1] == 0


def test_the_role_of_the_web_may_look_at_tokens_and_make_none(database):
    create(database)
    store.grant(database)
    with database.begin() as link:
        link.execute(sa.text("SET LOCAL ROLE cmdb_reader"))
        assert link.scalar(sa.text("SELECT name FROM token")) == "grafana"
        rights = "SELECT has_table_privilege('token', :privilege)"
        for privilege in ("INSERT", "UPDATE", "DELETE"):
            assert link.scalar(sa.text(rights), {"privilege": privilege}) is False
