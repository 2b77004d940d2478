"""No text of a machine or of a person's list breaks a page, a file or an answer, or lies on it."""

import csv
import io
import json
import re
from xml.etree import ElementTree

import openpyxl
import pytest
from bs4 import BeautifulSoup
from bs4.element import NavigableString

from salt_ext import settings, store
from salt_ext.store import ingest
from salt_ext.words.visible import is_seen
from tests.hostile import MARK, TEXTS
from tests.machines import arrival, later, server
from webui import RESOURCES, create_app

BLOCKS = ("bdi", "title", "option", "pre", "text")
"""Elements whose text turns nothing beside it; a picture and a choice hold no others."""

OWN = re.compile(r"on\w+|style|srcdoc", re.IGNORECASE)


def evil(number, text, round_=0):
    facts = server(number, location={"site": text, "room": text, "rack": text, "unit": text})
    facts["system"].update(manufacturer=text, product_name=text, serial_number=text)
    facts["operating_system"].update(hostname=text, pretty_name=text)
    facts["disks"][0].update(name=text, model=text, firmware_version=f"{text}{round_}")
    facts["disks"].append({"name": f"{text}2", "serial_number": f"{text}s", "model": text})
    facts["memory"]["devices"][0].update(manufacturer=text, part_number=text, locator=text)
    facts["network"][0].update(name=text, driver=text)
    facts["own"] = {text: {text: [text, round_]}}
    facts["smart"] = [{"name": text, "health": {"failing": [text]}}]
    return facts


def reports(round_):
    at = later(minutes=round_ - 30)
    for number, text in enumerate(TEXTS, 1):
        # What would be no name for Salt is no name of a machine.
        name = text[:200] if number % 2 else f"web{number:03}"
        one = arrival(evil(number, text, round_), name, at)
        error = {"type": text, "message": text, "traceback": f"Traceback\n{text}"}
        one.report.update(errors={text: error}, partial=[text])
        yield one


@pytest.fixture(scope="module")
def evils(new_database):
    """A client over machines that say every hostile text wherever they can, twice."""
    options = settings.resolve(("test", {"database_url": new_database(), "cache_seconds": 0}))
    database = store.Database(options)
    for round_ in (0, 1):
        for one in reports(round_):
            ingest(database, [one])
    for number, text in enumerate(TEXTS):
        said = {"site": text, f"list.note{number % 9}": text}
        store.set_expected(database, f"web{number:03}", said, by=text)
    app = create_app(options)
    app.extensions["limits"].enabled = False
    yield app.test_client()
    app.extensions["database"].close()
    database.close()


def pages(client):
    """Every page that has a text of a machine, the pages of some machines, and their files."""
    found = [
        "/",
        "/quality",
        "/reports",
        "/status",
        "/help",
        "/assets?_limit=1000&_col=minion_id,room",
    ]
    found += [one.path for one in RESOURCES if "<" not in one.path]
    found += ["/changes?since=30d&class=all&_limit=1000", "/parts?section=memory&_limit=1000"]
    found += ["/reports/groups?group_by=rack,unit&_limit=1000", "/assets?_facet=site&_facet=rack"]
    found += ["/health?_limit=1000", "/problems?_limit=1000", "/racks?_limit=1000"]
    rows = client.get("/api/v1/assets?_limit=1000").json["rows"]
    assert len(rows) >= len(TEXTS) * 0.9
    for row in rows[::4]:
        found += [
            f"/a/{row['id']}{page}" for page in ("", "/identity", "/card", "/raw", "/changes")
        ]
    return list(dict.fromkeys(found))


def faults(soup):
    """Yield what a machine made of a page, and its texts that stand free."""
    for element in soup.find_all(True):
        if "evil" in element.name or element.name in ("script", "iframe", "base", "object"):
            yield f"<{element.name}>"
        yield from (f"{name}=" for name in element.attrs if OWN.fullmatch(name))
        for name in ("href", "src", "action"):
            address = element.get(name, "")
            if not address.startswith(("/", "#", "?")) and address:
                yield f"{name}={address[:60]}"
    for text in soup.find_all(string=re.compile(MARK)):
        if type(text) is NavigableString and not any(text.find_parent(one) for one in BLOCKS):
            yield f"free: {text.strip()[:60]} in <{text.parent.name}>"


def test_no_page_is_broken_or_deceives(evils):
    wrong, shown = {}, 0
    for address in pages(evils):
        response = evils.get(address)
        assert response.status_code == 200, (address, response.text[-600:])
        hidden = {one for one in response.text if not is_seen(one)} - {"\n"}
        found = {f"unseen {one!r}" for one in hidden}
        found |= set(faults(BeautifulSoup(response.data, "html.parser")))
        if found:
            wrong[address] = sorted(found)[:5]
        shown += response.text.count(MARK)
    assert wrong == {}
    assert shown > 10_000


def test_every_file_is_whole_and_nothing_in_it_runs(evils):
    for resource in RESOURCES:
        if "<" in resource.path or resource.name == "compare":
            continue
        lines = [json.loads(one) for one in evils.get(f"{resource.path}.ndjson").text.splitlines()]
        assert json.loads(evils.get(f"{resource.path}.json").text) == lines, resource.name
        written = evils.get(f"{resource.path}.csv").data.decode("utf-8-sig")
        table = list(csv.reader(io.StringIO(written, newline="")))
        assert {len(row) for row in table} == {len(table[0])}, resource.name
        assert len(table) == len(lines) + 1, resource.name
        # Behind our mark no cell begins with what runs; a formula in one would begin the cell.
        cells = [cell for row in table[1:] for cell in row]
        assert not [one for one in cells if one[:1] in ("=", "+", "@", "\t", "\r")]
        assert not [one for one in written if not is_seen(one) and one not in "\r\n\t"]
        book = openpyxl.load_workbook(io.BytesIO(evils.get(f"{resource.path}.xlsx").data))
        assert book.active.max_row in (len(lines) + 1, 1), resource.name
        kinds = {cell.data_type for row in book.active.iter_rows(min_row=2) for cell in row}
        assert "f" not in kinds, resource.name


def test_every_answer_for_programs_has_the_texts_as_they_are(evils):
    rows = evils.get("/api/v1/assets?_limit=1000").json["rows"]
    sites = {row["site"] for row in rows}
    assert len(sites) >= len(TEXTS) * 0.9
    for text in sorted(one for one in sites if one):
        answer = evils.get("/api/v1/assets/count", query_string={"site": text})
        assert answer.json["total"] >= 1, text[:80]
    ElementTree.fromstring(evils.get("/api/v1/changes.atom?since=30d&_limit=1000").data)


def test_a_link_made_of_any_text_leads_to_what_it_counts(evils):
    soup = BeautifulSoup(evils.get("/reports/groups?group_by=site&_limit=1000").data, "html.parser")
    rows = soup.tbody.find_all("tr")
    assert len(rows) >= len(TEXTS) * 0.9
    for row in rows:
        page = BeautifulSoup(evils.get(row.a["href"]).data, "html.parser")
        status = " ".join(page.find(role="status").get_text(" ").split())
        assert status.startswith(f"Assets: {row.a.get_text()}"), row.get_text()[:80]
