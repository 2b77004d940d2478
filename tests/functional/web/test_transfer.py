"""How answers travel: compressed, in pieces, and not twice."""

import gzip
import re

import pytest

from salt_ext import settings, store
from tests.machines import arrival, server
from webui import create_app, hashed

GZIP = {"Accept-Encoding": "gzip"}


@pytest.fixture
def client(database, database_url):
    store.ingest(database, [arrival(server(number), f"web{number:02}") for number in range(1, 9)])
    app = create_app(settings.resolve(("test", {"database_url": database_url})))
    yield app.test_client()
    app.extensions["database"].close()


def test_a_page_is_compressed_for_who_takes_it(client):
    plain, packed = client.get("/assets"), client.get("/assets", headers=GZIP)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert len(packed.data) < len(plain.data) / 3
    assert int(packed.headers["Content-Length"]) == len(packed.data)


def test_both_forms_of_a_page_say_that_there_are_two(client):
    for headers in ({}, GZIP, {"Accept-Encoding": "gzip;q=0"}):
        response = client.get("/assets", headers=headers)
        assert "Accept-Encoding" in response.headers["Vary"]
        assert ("Content-Encoding" in response.headers) == (headers == GZIP)


@pytest.mark.parametrize("suffix", ["csv", "ndjson"])
def test_a_file_is_compressed_while_it_is_sent(client, suffix):
    plain = client.get(f"/health.{suffix}")
    packed = client.get(f"/health.{suffix}", headers=GZIP)
    assert packed.is_streamed
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data


def test_a_workbook_is_not_compressed_again(client):
    response = client.get("/health.xlsx", headers=GZIP)
    assert "Content-Encoding" not in response.headers
    assert response.data.startswith(b"PK")


def test_a_page_that_the_reader_has_is_not_sent_again(client):
    first = client.get("/problems", headers=GZIP)
    again = client.get("/problems", headers=GZIP | {"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    assert again.headers["ETag"] == first.headers["ETag"]
    other = client.get("/problems", headers={"If-None-Match": 'W/"another"'})
    assert other.status_code == 200


def test_what_could_not_be_answered_is_never_kept(client):
    response = client.get("/nowhere", headers={"If-None-Match": "*"})
    assert response.status_code == 404
    assert "ETag" not in response.headers


def test_style_sheets_are_kept_for_ever_under_an_address_with_their_digest(client):
    page = client.get("/").text
    addresses = re.findall(r'"(/static/[^"]+)"', page)
    assert addresses
    for address in addresses:
        response = client.get(address)
        assert response.status_code == 200
        assert "immutable" in response.headers["Cache-Control"]
        assert "max-age=31536000" in response.headers["Cache-Control"]
        assert "no-cache" not in response.headers["Cache-Control"]


def test_another_style_sheet_has_another_address(tmp_path, monkeypatch):
    monkeypatch.setattr(hashed, "DIRECTORY", tmp_path)
    (tmp_path / "one.css").write_text("a {}")
    (tmp_path / "two.css").write_text("b {}")
    assert hashed.digest_of("one.css") != hashed.digest_of("two.css")


def test_a_page_of_before_an_upgrade_gets_the_style_of_now_and_does_not_keep_it(client):
    response = client.get("/static/0123456789ab/style.css")
    assert response.status_code == 200
    assert "no-cache" in response.headers["Cache-Control"]
    assert "immutable" not in response.headers["Cache-Control"]


@pytest.mark.parametrize("name", ["../__init__.py", "%2e%2e/__init__.py", "nothing.css", "..", "/"])
def test_no_other_file_is_served(client, name):
    assert client.get(f"/static/0/{name}").status_code == 404
