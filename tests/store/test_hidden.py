"""What is hidden is in no answer of any read; an auditor is told all of it."""

import contextlib
import inspect
from functools import partial

import pytest

from salt_ext import store
from tests import hidden_fleet
from tests.hidden_fleet import VALUES
from tests.machines import arrival, later, server
from tests.postgres import open_store

NOW, DAYS_15, LONG_AGO = later(minutes=1), later(days=-15), later(days=-30)
PARTED = ("disks", "memory", "processors", "network", "gpus", "power_supplies")
TYPED = (
    *("web01", "QSN1", "qsn1x", "qmaker/qsn1", "QTAG1", "qhost1", "203.0.113.101", "QDIMM1"),
    *("02:0b:ad:c0:de:01", "QDISK1", "QDISK11", "qowner1", "qsite1", "QPART1", "nobody"),
    *("4c4c4544-0058-5910-805a-0badc0de0001", "0badc0de0badc0de0000000000000001"),
)
"""What people may look for: every kind of value, in several spellings, and slips."""


def files(database, at=None):
    """Everything that can be exported."""
    with store.extract(database, at=at) as extract:
        columns = sorted(extract.fields)
        told = [[*extract.assets(columns)], [*extract.judged(columns)]]
        told.append([*extract.changes(LONG_AGO)])
        told.append([*extract.problems(["minion_id", "subject", "message", "traceback"])])
        for section in PARTED:
            with contextlib.suppress(store.HiddenField):
                told.append([*extract.parts(section)])
        return told


def each(read, *asked, **options):
    """A read with each of some arguments."""
    return [partial(read, one, **options) for one in asked]


def reads(database, one, two):
    """By its name: each read of values, with every option that brings other values."""
    every = (name for name in store.__all__ if _is_read(name))
    ask = {name: partial(getattr(store, name), database) for name in every}
    wanted = store.Wanted
    listed = store.listable(database)
    every_id = [row["id"] for row in store.assets(database).rows]
    return {
        "asset_page": [partial(ask["asset_page"], it, 99) for it in every_id],
        "assets": [
            ask["assets"],
            partial(ask["assets"], columns=listed),
            partial(ask["assets"], at=later(days=-10)),
            *(partial(ask["assets"], sort=name, limit=2) for name in listed),
            *(partial(ask["assets"], text=text) for text in TYPED),
        ],
        "awaited": [ask["awaited"]],
        "baseline_of": each(ask["baseline_of"], one),
        "changes": [
            partial(ask["changes"], limit=9999),
            *each(ask["changes"], wanted(asset_id=one), *(wanted(component=it) for it in TYPED)),
        ],
        "changes_page": [partial(ask["changes_page"], wanted(), 3)],
        "check_baselines": [lambda: [*ask["check_baselines"]()]],
        "choices": each(ask["choices"], "web04"),
        "claiming": each(ask["claiming"], *every_id),
        "cloud_findings": [
            partial(ask["cloud_findings"], "prod", which) for which in store.CLOUD_LISTS
        ],
        "compare": [
            partial(ask["compare"], one, None, None),
            partial(ask["compare"], one, DAYS_15, None),
            partial(ask["compare"], two, DAYS_15, NOW),
        ],
        "compare_assets": [partial(ask["compare_assets"], one, two)],
        "components": each(ask["components"], *PARTED),
        "count_changes": [ask["count_changes"]],
        "count_classes": [ask["count_classes"]],
        "count_days": each(ask["count_days"], [LONG_AGO, DAYS_15]),
        "decisions": [partial(ask["decisions"], limit=99)],
        "differing": [partial(ask["differing"], LONG_AGO, NOW)],
        "document": [partial(ask["document"], one), partial(ask["document"], one, DAYS_15)],
        "duplicates": each(ask["duplicates"], *store.SHARED),
        "expected_machines": [ask["expected_machines"]],
        "expected_sources": [ask["expected_sources"]],
        "extract": [partial(files, database), partial(files, database, later(days=-10))],
        "facets": each(ask["facets"], *listed),
        "warnings": [ask["warnings"]],
        "failing_batches": each(ask["failing_batches"], LONG_AGO),
        "feed": [partial(ask["feed"], wanted(since=LONG_AGO), 999)],
        "fields": [ask["fields"]],
        "fleet_diff": [
            partial(ask["fleet_diff"], LONG_AGO, NOW),
            partial(ask["fleet_diff"], DAYS_15, NOW),
        ],
        "genealogy": each(ask["genealogy"], *TYPED),
        "handovers": [partial(ask["handovers"], one, whole=True)],
        "health": [ask["health"]],
        "held_reports": [ask["held_reports"]],
        "hint": each(ask["hint"], *({"minion_id": it} for it in TYPED))
        + [partial(ask["hint"], {}, text) for text in TYPED],
        "hint_of_changes": each(
            ask["hint_of_changes"],
            *(wanted(component=text) for text in TYPED),
            wanted(section="usb"),
        ),
        "installations": [ask["installations"]],
        "installed": [ask["installed"]],
        "listable": [ask["listable"]],
        "lookup": each(ask["lookup"], *TYPED),
        "losses": [ask["losses"]],
        "machines": [
            lambda columns=columns: [*ask["machines"](columns=columns)]
            for columns in ((), listed, ("sn",))
        ],
        "name_of": each(ask["name_of"], one, two),
        "names_of": each(ask["names_of"], every_id),
        "nearest_known": each(ask["nearest_known"], *TYPED),
        "neighbours": [partial(ask["neighbours"], "qsite2", "qrack2")],
        "odd": [partial(ask["odd"], name, threshold=0.4) for name in ("kind", "lifecycle")],
        "overview": each(ask["overview"], one, two),
        "padded": each(ask["padded"], 1),
        "problems": [partial(ask["problems"], is_open=False)],
        "reactions": [ask["reactions"]],
        "resolve": each(ask["resolve"], *TYPED),
        "said_of": each(ask["said_of"], one, two),
        "sections": [
            lambda name=name: [*ask["sections"]([one, two], [name])]
            for name in store.overview(database, one)["facts"]
        ],
        "snapshots": [ask["snapshots"]],
        "standing": [ask["standing"]],
        "suggestions": each(ask["suggestions"], "os", "minion_id", "disks.type"),
        "told_of": [
            partial(ask["told_of"], f"web0{number}", columns=columns)
            for number in (1, 2)
            for columns in ((), listed)
        ],
        "totals": [
            partial(ask["totals"], groupings=["kind"]),
            partial(ask["totals"], at=later(days=-10)),
        ],
        "unexpected": [ask["unexpected"]],
    }


NO_VALUES = {
    **dict.fromkeys(
        (
            *("attention", "due", "heard_elsewhere", "news_since", "positions"),
            *("stalest_first", "troubled", "unknown_of"),
        ),
        "names of machines, moments and numbers alone",
    ),
    **dict.fromkeys(
        ("clock", "failing_collectors", "inbox_size", "masters", "nobody_since", "number_of"),
        "about the store and its writers, and not about a machine",
    ),
    **dict.fromkeys(("ping", "server", "statistics", "tokens", "token_of"), "about the store"),
    **dict.fromkeys(("as_of_moment", "beside", "moment_of"), "moments"),
    "assets_with_keys": "ids of assets, for lists that a command on the master reads",
    "asking": "names and kinds of fields",
    "check_section": "it answers nothing",
    "clouds": "about clouds, and not about a machine",
    "guests": "what is compared with clouds, for a command on the master",
    "count_losses": "numbers alone",
    **dict.fromkeys(
        ("deliveries_of", "pushed_of", "pushes", "webhook_queues"),
        "what is sent to other systems, for commands on the master",
    ),
    "types_of_others": "names and types of columns, for the import of a list",
}
"""Reads that tell no value of a machine, each with the reason."""

ACTS = {
    *("permit_reaction", "release_reaction", "reset_brake", "settle_brake", "settle_losses"),
    *("accept_baseline", "beat", "close_problem", "complain_of_webhook", "create_token"),
    *("alone", "disown", "give_up_deliveries", "grant", "keep_pushed"),
    *("fail_listing", "keep_listing", "tell_instances"),
    *("resend_deliveries", "settle_webhook", "take_delivery", "undelivered"),
    *("begin_installation", "finish_installation", "serve_installation"),
    *("open_installations", "revoke_installations"),
    *(
        "fail_comparison",
        "keep_comparison",
        "import_expected",
        "ingest",
        "maintain",
        "migrate",
        "purge",
        "record_failure",
    ),
    *("record_problem", "remove_expected", "remove_list", "rename", "revoke_token", "rule"),
    *("set_expected", "set_lifecycle", "submit", "take_inbox", "take_snapshot", "tell"),
}
"""What writes. The web, from whose users fields are hidden, can write nothing."""


def _is_read(name):
    function = getattr(store, name)
    if not inspect.isfunction(function):
        return False
    return [*inspect.signature(function).parameters][:1] == ["database"]


@pytest.fixture(scope="module")
def fleet(new_database, tmp_path_factory):
    """A store with the fleet, and the ids of two of its machines."""
    database = open_store(new_database())
    ids = hidden_fleet.fill(database, tmp_path_factory.mktemp("lists"))
    yield database, *ids
    database.close()


def told(question):
    """All that an answer says, as text; a refusal and a hint are answers too."""
    try:
        said = _text(question())
    except store.HiddenField as refused:
        said = str(refused)
    except store.NotFound as nothing:
        said = f"{nothing}; {nothing.hint}"
    # Hints and errors repeat what was asked.
    asked = _text((question.args, question.keywords)) if isinstance(question, partial) else ""
    for typed in TYPED:
        if f"{typed}, " in asked or f"{typed}\n" in asked:
            for repeated in (repr(typed), f"component={typed}", f"minion_id={typed}"):
                said = said.replace(repeated, "", 1)
    return said


def _text(value):
    if isinstance(value, dict):
        return "".join(f"{_text(key)}: {_text(one)}\n" for key, one in value.items())
    if isinstance(value, (list, tuple, set, frozenset)):
        return "".join(f"{_text(one)}, " for one in value)
    return value if isinstance(value, str) else repr(value)


def test_every_read_of_the_surface_is_tried_or_has_a_reason(fleet):
    asked = {name for name in store.__all__ if _is_read(name)}
    assert asked == {*reads(*fleet), *NO_VALUES, *ACTS}


def test_an_auditor_is_told_every_value_that_can_be_hidden(fleet):
    everything = "".join(told(one) for each in reads(*fleet).values() for one in each)
    assert [name for name in VALUES if not hidden_fleet.found(name, everything)] == []


@pytest.mark.parametrize("hides", VALUES)
def test_no_read_tells_what_is_hidden(fleet, hides):
    database, *ids = fleet
    seen = {}
    for name, questions in reads(database.hiding([hides]), *ids).items():
        for question in questions:
            if values := hidden_fleet.found(hides, told(question)):
                seen.setdefault(name, []).append((question, values[:3]))
    assert seen == {}


def test_no_read_tells_anything_when_all_is_hidden(fleet):
    database, *ids = fleet
    said = ""
    for questions in reads(database.hiding(VALUES), *ids).values():
        said += "".join(told(question) for question in questions)
    assert [one for name in VALUES for one in hidden_fleet.found(name, said)] == []


def test_pages_of_changes_go_on_behind_what_is_hidden_within_a_value(database):
    """It was taken for the end: what came before it was on no page and in no file."""

    def report(minute, virtual_functions, firmware):
        card = {"name": "eth0", "kind": "physical", "sriov": {"num": virtual_functions, "total": 8}}
        facts = server(1, network=[card], firmware={"version": firmware})
        store.ingest(database, [arrival(facts, "web01", later(minutes=minute))])

    report(0, 1, "1.0")
    for minute in range(1, 4):
        report(minute, 1, f"1.{minute}")
    for minute in range(4, 8):
        report(minute, minute, "1.3")
    viewer = database.hiding(["network.sriov.num"])
    for limit in (1, 2, 99):
        told, cursor, count = [], "", 0
        while cursor is not None:
            page, cursor = store.changes_page(viewer, store.Wanted(), limit, cursor)
            assert page or cursor is None
            told += [(row["path"], row["new"]) for row in page]
            count += 1
        assert told == [("firmware.version", f"1.{number}") for number in (3, 2, 1)]
    assert len(store.changes(database)) == 7
