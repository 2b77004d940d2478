"""No spelling of a password is shown with the URL that it stands in."""

import pytest

from salt_ext.settings import resolve
from salt_ext.store import Database, StoreError
from salt_ext.store.url import scrubbed, shown

SECRET = "s3cr3t"
SPELLINGS = [
    f"postgresql+psycopg2://u:{SECRET}@db1/cmdb",
    f"postgresql+psycopg2://u:{SECRET}%40{SECRET}@db1/cmdb",
    f"postgresql+psycopg2://u:a@{SECRET}@db1/cmdb",
    f"postgresql+psycopg2://u:a/{SECRET}@db1/cmdb",
    f"postgresql+psycopg2://u:a?{SECRET}@db1/cmdb",
    f"postgresql+psycopg2://u:a#{SECRET}@db1/cmdb",
    f"postgresql+psycopg2://u:a:{SECRET}@db1/cmdb",
    f"postgresql+psycopg2://u@db1/cmdb?password={SECRET}",
    f"postgresql+psycopg2:///cmdb?host=db1&user=u&password={SECRET}",
    f"postgresql+psycopg2:///cmdb?host=db1&passfile=/{SECRET}",
    f"postgresql+psycopg2:///cmdb?host=db1&options=-c%20x%3D{SECRET}",
    f"mysql://u:{SECRET}@db1/cmdb",
    f"host=db1 user=u password={SECRET}",
    f"u:{SECRET}@db1",
    SECRET,
]


def told(url):
    """What is said of a URL: how it is shown, or why it is refused."""
    try:
        return Database(resolve(("test", {"database_url": url}))).shown_url
    except StoreError as error:
        return f"{error} {error.hint} {error.public}"


@pytest.mark.parametrize("url", SPELLINGS)
def test_a_url_is_shown_without_its_password(url):
    assert SECRET not in shown(url)


@pytest.mark.parametrize("url", SPELLINGS)
def test_a_url_that_cannot_be_used_is_refused_without_its_password(url):
    said = told(url)
    assert SECRET not in said
    assert "%40 for @" in said or said.startswith("postgresql+psycopg2://")


def test_what_tells_where_the_store_is_is_shown():
    url = "postgresql+psycopg2://u:x@/cmdb?host=db1:5432,db2:5432&target_session_attrs=read-write"
    assert shown(url) == (
        "postgresql+psycopg2://u:***@/cmdb"
        "?host=db1%3A5432%2Cdb2%3A5432&target_session_attrs=read-write"
    )


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (
            f"postgresql+psycopg2://u:{SECRET}%40x@db1/cmdb",
            f'no "{SECRET}@x", {SECRET}%40x',
        ),
        (f"postgresql+psycopg2://u@db1/cmdb?password={SECRET}", f"password={SECRET} is wrong"),
        (f"postgresql+psycopg2://u@db1/cmdb?sslpassword={SECRET}%2F&password=b", f"{SECRET}/ or b"),
    ],
)
def test_what_libpq_says_is_without_the_password(url, said):
    assert SECRET not in scrubbed(said, url)
    assert "***" in scrubbed(said, url)


def test_a_short_password_leaves_the_other_words():
    url = "postgresql+psycopg2://u:a@db1/cmdb"
    assert scrubbed("a database has no table a", url) == "*** database has no table ***"
