"""
Reports that no machine of ours would send, each in a batch with good ones.

Every shape is refused, or stored as the machine says it. The good reports
beside it are stored, what was known stays, and a problem names the machine and
the field.
"""

import contextlib
import datetime
import decimal
import itertools
import random
import string
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from salt_ext import document, store
from salt_ext.facts import timestamp
from salt_ext.report import digests
from salt_ext.settings import resolve
from tests.machines import NOW, arrival, later, revisions, server


def nested(depth, kind):
    value = "deep"
    for _ in range(depth):
        value = {"a": value} if kind is dict else [value]
    return value


def recursive(kind):
    value = kind()
    if kind is dict:
        value["a"] = value
    else:
        value.append(value)
    return value


NO_DATA = {
    "a NUL": "a\0b",
    "half a surrogate pair": "\ud800",
    "the other half": "a\udfffb",
    "a pair in two halves": "\ud83d\ude00",
    "an integer of 65 bits": 2**63,
    "a negative integer of 65 bits": -(2**63) - 1,
    "an integer of ten thousand digits": 10**10_000,
    "not a number": float("nan"),
    "infinity": float("inf"),
    "minus infinity": float("-inf"),
    "a number that jsonb writes otherwise": 1e17,
    "minus zero": -0.0,
    "bytes": b"bytes",
    "a byte array": bytearray(b"bytes"),
    "a set": {1, 2},
    "a tuple": ("a", "b"),
    "a datetime": datetime.datetime(2026, 11, 21, tzinfo=datetime.timezone.utc),
    "a date": datetime.date(2026, 11, 21),
    "a decimal": decimal.Decimal("1.5"),
    "a complex number": 1j,
    "an object": object(),
    "a class": object,
    "mappings nested too deep": nested(40, dict),
    "lists nested too deep": nested(40, list),
    "more depth than can be printed": nested(100_000, list),
    "a mapping that holds itself": recursive(dict),
    "a list that holds itself": recursive(list),
    "a text of 10 MiB": "x" * (10 << 20),
    "a list of a million": [1234] * 1_000_000,
    "a number for a key": {1: "a"},
    "null for a key": {None: "a"},
    "a truth for a key": {True: "a"},
    "bytes for a key": {b"a": "a"},
    "a tuple for a key": {("a", "b"): "a"},
    "a NUL in a key": {"a\0b": "a"},
    "half a surrogate pair in a key": {"\udc80": "a"},
    "a key of ten thousand characters": {"a" * 10_000: "a"},
}
"""What may stand nowhere in a report, because no JSON, jsonb or screen takes it."""

PLACES = {
    "facts.system.family": lambda report, value: report["facts"]["system"].update(family=value),
    "facts.disks[0].model": lambda report, value: report["facts"]["disks"][0].update(model=value),
    "facts.memory.devices[1].speed": lambda report, value: report["facts"]["memory"]["devices"][
        1
    ].update(speed=value),
    "volatile.disks.S1.temperature": lambda report, value: report["volatile"].update(
        disks={"S1": {"temperature": value}}
    ),
    "errors.disks.message": lambda report, value: report["errors"].update(
        disks={"type": "OSError", "message": value, "traceback": ""}
    ),
    "partial[0]": lambda report, value: report["partial"].append(value),
    "previous_minion_id": lambda report, value: report.update(previous_minion_id=value),
    "extra": lambda report, value: report.update(extra=value),
}
"""Where it stands, under the name that the problem gives to the place."""

JSON = {
    "null": None,
    "true": True,
    "seven": 7,
    "half": 0.5,
    "an empty text": "",
    "a text": "text",
    "a long text": "text" * 1000,
    "an empty list": [],
    "a list": ["a"],
    "an empty mapping": {},
    "a mapping": {"a": {"b": "c"}},
    "a list of mappings": [{"a": "b"}],
}
RIGHT = {
    "schema": (),
    "mode": (),
    "digest": (),
    "collected_at": (),
    "facts": (),
    "volatile": ("an empty mapping", "a mapping"),
    "errors": ("an empty mapping", "a mapping"),
    "partial": ("an empty list", "a list"),
    "previous_minion_id": ("null", "a text"),
}
"""Which of them a field may have. The facts may be empty, but then the digest is another."""

TIMES = {
    "a date": "2026-11-21",
    "no timezone": "2026-11-21T08:00:00.000",
    "an offset": "2026-11-21T08:00:00.000+01:00",
    "no fraction": "2026-11-21T08:00:00Z",
    "microseconds": "2026-11-21T08:00:00.000000Z",
    "a blank for the T": "2026-11-21 08:00:00.000Z",
    "year 0": "0000-01-01T00:00:00.000Z",
    "year 10000": "10000-01-01T00:00:00.000Z",
    "month 13": "2026-13-01T00:00:00.000Z",
    "day 30 of February": "2026-02-30T00:00:00.000Z",
    "hour 24": "2026-11-21T24:00:00.000Z",
    "second 60": "2026-12-31T23:59:60.000Z",
    "digits of another script": "\u0662\u0660\u0662\u0666-11-21T08:00:00.000Z",
    "a blank after it": "2026-11-21T08:00:00.000Z ",
    "a line after it": "2026-11-21T08:00:00.000Z\n",
    "seconds since the epoch": 1_800_000_000,
    "a day that never was": "2025-02-29T00:00:00.000Z",
    "a week": "2026-W47-6T08:00:00.000Z",
    "the year 9999": "9999-12-31T23:59:59.999Z",
    "the year that comes": timestamp(later(days=365).timestamp()),
    "a quarter of an hour from now": timestamp(later(minutes=20).timestamp()),
}

SECTIONS = {name: value for name, value in JSON.items() if not isinstance(value, (dict, list))}
DIGESTS = {
    "of other facts": "0" * 64,
    "in capitals": "A" * 64,
    "too short": "0" * 63,
    "too long": "0" * 65,
    "with a line after it": "0" * 64 + "\n",
    "in digits of another script": "\u0660" * 64,
    "of another kind": "sha256:" + "0" * 57,
}


class Shape(NamedTuple):
    """What is wrong, the field the problem must name, and what makes a report so."""

    name: str
    field: str
    spoil: object


def put(field, value):
    return lambda report: report.update({field: value})


def put_facts(facts, normal=False):
    """These facts with the digest that belongs to them."""

    def spoil(report):
        report["facts"] = document.normal(facts) if normal else facts
        report["digest"] = digests.of_facts(report["facts"])

    return spoil


def shapes():
    for what, value in NO_DATA.items():
        for place, spoil in PLACES.items():
            # A key is told with the place that has it, and depth with the place too deep.
            yield Shape(
                f"{what} in {place}",
                place,
                lambda report, value=value, spoil=spoil: spoil(report, value),
            )
    for field, right in RIGHT.items():
        for what, value in JSON.items():
            if what not in right:
                named = "digest" if field == "facts" and isinstance(value, dict) else field
                yield Shape(f"{what} for {field}", named, put(field, value))
        if field != "previous_minion_id":
            yield Shape(f"no {field}", field, lambda report, field=field: report.pop(field))
    for what, value in TIMES.items():
        yield Shape(f"collected at {what}", "collected_at", put("collected_at", value))
    for what, value in DIGESTS.items():
        yield Shape(f"a digest {what}", "digest", put("digest", value))
    for what, value in SECTIONS.items():
        yield Shape(f"{what} for a section", "facts.disks", put_facts({"disks": value}))
    for what, value in {"null": None, "a blank": "", "nothing": {}, "none": []}.items():
        yield Shape(f"{what} left in the facts", "facts", put_facts({"system": {"a": value}}))
    parts = [{"serial_number": "B"}, {"serial_number": "A"}]
    yield Shape("parts in no order", "facts", put_facts({"disks": parts}))
    yield Shape("parts and texts in a section", "facts.disks", put_facts({"disks": [{}, "a"]}))
    yield Shape("a schema to come", "schema", put("schema", 2))
    yield Shape("a schema of 1.0", "schema", put("schema", 1.0))
    yield Shape("a mode to come", "mode", put("mode", "telepathy"))
    yield Shape("a mode in capitals", "mode", put("mode", "AGENT"))
    yield Shape(
        "a name of 256 characters", "previous_minion_id", put("previous_minion_id", "a" * 256)
    )
    yield Shape("an error in words", "errors.disks", put("errors", {"disks": "broken"}))
    yield Shape("errors in a list", "errors.disks", put("errors", {"disks": [{}]}))
    yield Shape(
        "errors of too many collectors", "errors", put("errors", {f"c{n}": {} for n in range(1000)})
    )
    yield Shape("a number that is no field", "report", lambda report: report.update({7: "a"}))
    for field in ("minion_id", "duration_ms"):
        yield Shape(f"bytes for {field}", field, put(field, b"web01"))


SHAPES = list(shapes())


@pytest.fixture(scope="module")
def database(new_database):
    """One store for all of them: each shape has a machine of its own, which is known."""
    database = store.Database(resolve(("test", {"database_url": new_database()})))
    store.ingest(database, [arrival(server(2 * n), f"bad{n}") for n in range(len(SHAPES))])
    yield database
    database.close()


def everything(database, minion_id):
    """What the store has of a machine, but for when it was heard."""
    asset_id = store.resolve(database, minion_id)
    overview = store.overview(database, asset_id)
    # A machine was heard, too, whose report is refused only because it is too large.
    for one in (overview, *overview["identifiers"]):
        del one["last_seen"]
    return overview, revisions(database, asset_id)


def problems_of(database, minion_id):
    """The problems of a machine, but for that of a report which took long, as on slow machines."""
    rows, _ = store.problems(database, minion_id=minion_id)
    return [row for row in rows if row["subject"] != "pace"]


def updated(number, minion_id, **fields):
    """The next report of a machine; its firmware is another, so that it must be looked at."""
    facts = server(number, firmware={"vendor": "Dell Inc.", "version": "2.0"})
    return arrival(facts, minion_id, later(minutes=5), **fields)


def test_there_are_at_least_two_hundred_shapes():
    assert len({shape.name for shape in SHAPES}) == len(SHAPES) >= 200


@pytest.mark.parametrize("number", range(len(SHAPES)), ids=[shape.name for shape in SHAPES])
def test_a_malformed_report_is_refused_by_its_field_and_harms_nobody(database, number):
    shape = SHAPES[number]
    bad, good = f"bad{number}", f"good{number}"
    before = everything(database, bad)
    spoilt = updated(2 * number, bad)
    shape.spoil(spoilt.report)
    batch = [spoilt, arrival(server(2 * number + 1), good, later(minutes=5))]
    outcomes = {one.minion_id: one for one in store.ingest(database, batch)}
    assert outcomes[good].status == "new"
    assert outcomes[bad].status == "refused", outcomes[bad]
    assert everything(database, bad) == before
    [row] = problems_of(database, bad)
    assert row["kind"] == "report"
    assert row["subject"].startswith(shape.field) or shape.field.startswith(row["subject"])
    assert row["message"].startswith(row["subject"][:100])
    assert len(row["message"]) < 600
    assert row["message"].isprintable()
    assert "Traceback" not in row["message"] + outcomes[bad].detail
    assert row["traceback"] == ""
    assert problems_of(database, good) == []


@pytest.mark.parametrize(
    "report", [None, True, 7, "text", b"bytes", [], [{}], {}, {7: 7}, object()]
)
def test_what_is_no_report_at_all_is_refused(database, report):
    minion_id = f"none{type(report).__name__}{len(repr(report))}"
    [outcome] = store.ingest(database, [store.Arrival(minion_id, report, NOW)])
    assert outcome.status == "refused"
    [row] = problems_of(database, minion_id)
    assert row["subject"] in ("report", "schema")


@pytest.mark.parametrize("what", NO_DATA)
def test_errors_are_checked_even_when_the_facts_are_as_before(database, what):
    number = 20_000 + list(NO_DATA).index(what)
    store.ingest(database, [arrival(server(number), f"m{number}")])
    again = arrival(server(number), f"m{number}", later(minutes=5))
    error = {"type": "OSError", "message": NO_DATA[what], "traceback": ""}
    again.report["errors"] = {"disks": error}
    [outcome] = store.ingest(database, [again])
    [row] = problems_of(database, f"m{number}")
    if row["kind"] == "report":
        assert outcome.status == "refused"
        assert row["subject"].startswith("errors.disks.message")
    else:
        # It can be shown, and is cut to a size that can be read.
        assert (outcome.status, row["kind"]) == ("unchanged", "collector")
        assert len(row["message"]) <= 4000


TRUTHS = {
    "right to left": "\u202eabc\u202c",
    "zero width": "a\u200bb\u200dc\ufeff",
    "combining": "Z\u0351\u036b\u0343\u036a\u0302",
    "another plane": "\U0001f4be\U000e0041",
    "no characters": "\ufffe\uffff",
    "control characters": "\x01\x1b[31mred\x7f\x9b",
    "lines": "a\nb\r\nc\u2028d",
    "HTML": "<script>alert(1)</script>&amp;<img src=x onerror=alert(1)>",
    "SQL": "'; DROP TABLE asset; --",
    "escapes": '\\u0000 \\ " \\x00 %s %(a)s {0} ${HOME} `id`',
    "a formula": '=HYPERLINK("http://example.com")',
    "a path": "../../etc/shadow",
    "capital I with a dot": "\u0130\u0131\u1e9e",
    "the largest integer": 2**63 - 1,
    "the smallest integer": -(2**63),
    "a small number": 5e-324,
    "a number of sixteen digits": 9007199254740991.5,
    "a long text": "x" * 100_000,
    # More than a page of PostgreSQL, and than one entry of an index.
    "a list of many": [*range(2_500)],
    "a mapping of many": {f"k{n}": n for n in range(2_500)},
    "depth": nested(10, dict),
    "a key with dots": {"a.b": {"c~d": {"~1": 1, "": 2, " ": 3}}},
    "a key of another script": {"ключ \u202e": 1},
    "keys that differ by case": {"A": 1, "a": 2},
    "a text that is a number": ["1", 1, 1.0, True, "true"],
}
IDENTITIES = (
    ("system", "serial_number"),
    ("system", "uuid"),
    ("system", "manufacturer"),
    ("system", "product_name"),
    ("system", "asset_tag"),
    ("operating_system", "machine_id"),
    ("operating_system", "hostname"),
    ("operating_system", "pretty_name"),
    ("processors", "model"),
    ("processors", "threads"),
    ("memory", "installed_bytes"),
    ("virtual", "role"),
    ("virtual", "container"),
    ("virtual", "cloud"),
    ("location", "site"),
    ("disks", "serial_number"),
    ("disks", "size_bytes"),
    ("disks", "model"),
    ("disks", "name"),
    ("disks", "firmware"),
    ("network", "permanent_mac"),
    ("network", "addresses"),
    ("network", "name"),
    ("baseboards", "serial_number"),
    ("baseboards", "type"),
    ("chassis", "serial_number"),
    ("chassis", "type"),
)
RANDOM = "".join(random.Random(4).choices(string.ascii_letters + string.digits, k=4096))
"""A text that no index can compress, as long as a machine may send it."""


def with_value(number, section, field, value):
    facts = server(number)
    items = facts.setdefault(section, {})
    (items[0] if isinstance(items, list) else items)[field] = value
    return facts


def test_what_is_strange_and_data_is_stored_as_it_is(database):
    number = 30_000
    for what, value in {**TRUTHS, "a text no index takes": RANDOM}.items():
        arrivals = []
        for section, field in IDENTITIES:
            number += 1
            facts = with_value(number, section, field, value)
            arrivals.append(arrival(facts, f"m{number}"))
        before = {one.minion_id: document.normal(one.report["facts"]) for one in arrivals}
        outcomes = store.ingest(database, arrivals)
        assert {one.status for one in outcomes} <= {"new", "held"}, (what, outcomes)
        for outcome in outcomes:
            if outcome.status == "new":
                row = store.overview(database, outcome.asset_id)
                assert document.encode(row["facts"]) == document.encode(before[outcome.minion_id])
        stored = [one for one in outcomes if one.status == "new"]
        assert len(stored) > len(IDENTITIES) // 2
        # And out again, through a history that fits its digests.
        changed = [
            arrival(server(30_000_000 + number), one.minion_id, later(days=3)) for one in stored[:3]
        ]
        store.ingest(database, changed)
        for one in stored[:3]:
            store.compare(database, one.asset_id, NOW, None)


def test_strange_values_come_and_go_and_the_history_fits_its_digests(database):
    minion_id = "strange"
    values = [*TRUTHS.values(), RANDOM]
    for step, value in enumerate(values):
        facts = server(40_000, odd={"value": value}, parts=[{"serial_number": value, "a": value}])
        [outcome] = store.ingest(database, [arrival(facts, minion_id, later(minutes=step))])
        assert outcome.status in ("new", "changed")
    asset_id = store.resolve(database, minion_id)
    for step in range(len(values)):
        _, at, _ = store.compare(database, asset_id, NOW, later(minutes=step))
        assert at["number"] == step + 1


def test_twin_serials_are_stored_and_told(database):
    facts = server(41_000)
    for device in facts["memory"]["devices"]:
        device["serial_number"] = "4F00AB77"
    facts["disks"] += facts["disks"]
    [outcome] = store.ingest(database, [arrival(facts, "twins")])
    assert outcome.status == "new"
    row = store.overview(database, outcome.asset_id)
    assert [one["locator"] for one in row["facts"]["memory"]["devices"]] == ["A1", "A2"]
    assert len(row["facts"]["disks"]) == 2
    told = {row["subject"]: row["message"] for row in problems_of(database, "twins")}
    assert set(told) == {"facts.memory.devices", "facts.disks"}
    assert "4F00AB77" in told["facts.memory.devices"]


class TestClocks:
    """A clock that is wrong is told, and never silences a machine."""

    def test_a_first_report_of_a_year_ago_is_stored_with_both_times_and_told(self, database):
        slow = arrival(server(42_000), "slow", later(days=-365))._replace(received_at=NOW)
        [outcome] = store.ingest(database, [slow])
        assert outcome.status == "new"
        row = store.overview(database, outcome.asset_id)
        assert (row["collected_at"], row["last_seen"]) == (later(days=-365), NOW)
        assert row["freshness"] == "fresh"
        [problem] = problems_of(database, "slow")
        assert problem["subject"] == "collected_at"
        assert "set the clock" in problem["message"]

    @pytest.mark.parametrize("changed", [True, False])
    def test_a_clock_set_back_a_year_does_not_silence_the_machine(self, database, changed):
        minion_id, number = f"back{changed}", 43_000 + changed
        facts = server(number)
        store.ingest(database, [arrival(facts, minion_id)])
        for minutes in (15, 30):
            if changed:
                facts["firmware"] = {"version": str(minutes)}
            collected_at = later(days=-365, minutes=minutes)
            late = arrival(facts, minion_id, collected_at)
            late = late._replace(received_at=later(minutes=minutes))
            [outcome] = store.ingest(database, [late])
            assert outcome.status == ("changed" if changed else "unchanged")
            row = store.overview(database, outcome.asset_id)
            assert row["last_seen"] == later(minutes=minutes)
            assert row["collected_at"] == collected_at
            assert document.encode(row["facts"]) == document.encode(document.normal(facts))
        [problem] = problems_of(database, minion_id)
        assert problem["subject"] == "collected_at"
        # And set right again.
        facts["firmware"] = {"version": "right"}
        [outcome] = store.ingest(database, [arrival(facts, minion_id, later(minutes=45))])
        assert outcome.status == "changed"

    def test_a_report_that_was_only_late_is_refused_and_told(self, database):
        store.ingest(database, [arrival(server(44_000), "late", later(minutes=5))])
        old = arrival(server(44_000, firmware={"version": "0"}), "late", later(minutes=1))
        for received_at in (later(minutes=1), later(minutes=6)):
            [outcome] = store.ingest(database, [old._replace(received_at=received_at)])
            assert outcome.status == "refused"
        [problem] = problems_of(database, "late")
        assert "not newer" in problem["message"]

    def test_an_old_grain_does_not_undo_a_newer_report(self, database):
        store.ingest(database, [arrival(server(45_000), "grain", later(minutes=5))])
        facts = server(45_000, firmware={"version": "0"})
        grain = arrival(facts, "grain", later(days=-3), mode="grains")
        before = store.overview(database, store.resolve(database, "grain"))
        [outcome] = store.ingest(database, [grain._replace(received_at=later(minutes=10))])
        assert outcome.status == "unchanged"
        assert store.overview(database, store.resolve(database, "grain")) == before


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters(), max_size=20),
    st.binary(max_size=5),
    st.sampled_from(list(TRUTHS.values())[:12]),
    st.datetimes(),
)
KEYS = st.one_of(
    st.text(st.characters(), max_size=8),
    st.sampled_from(["serial_number", "name", "locator", "uuid", "present", "volatile", "a.b"]),
    st.integers(),
)
ANYTHING = st.recursive(
    SCALARS,
    lambda below: st.one_of(
        st.lists(below, max_size=4),
        st.dictionaries(KEYS, below, max_size=4),
        st.tuples(below),
    ),
    max_leaves=12,
)
FACTS = st.dictionaries(
    st.sampled_from(["system", "disks", "memory", "network", "virtual", "operating_system", "x"]),
    ANYTHING,
    max_size=4,
)
HEADER = st.sampled_from([*RIGHT, "minion_id", "duration_ms", "extra"])


@settings(max_examples=100, deadline=None, suppress_health_check=[*HealthCheck])
@given(field=HEADER, value=ANYTHING, facts=st.none() | FACTS)
def test_whatever_a_report_holds_it_is_judged_and_its_neighbour_is_stored(
    database, field, value, facts
):
    number = next(NUMBERS)
    bad, good = f"any{number}", f"beside{number}"
    store.ingest(database, [arrival(server(number), bad)])
    spoilt = updated(number, bad)
    if facts is None:
        spoilt.report[field] = value
    else:
        spoilt.report["facts"] = facts
        with contextlib.suppress(Exception):
            put_facts(facts, normal=True)(spoilt.report)
    batch = [spoilt, arrival(server(number + 1), good)]
    outcomes = {one.minion_id: one for one in store.ingest(database, batch)}
    assert outcomes[good].status == "new"
    told = problems_of(database, bad)
    assert outcomes[bad].status in ("changed", "unchanged", "held", "refused")
    if outcomes[bad].status == "refused":
        assert told[0]["subject"] != "store", told[0]["traceback"]
    else:
        store.compare(database, store.resolve(database, bad), NOW, None)


NUMBERS = itertools.count(1_000_000, 2)
