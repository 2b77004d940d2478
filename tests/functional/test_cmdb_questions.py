"""Every argument of every command with a wrong value: refused with what is right, or hinted at."""

import inspect

import pytest

from salt_ext.store.reads.filters import OPERATORS
from tests.functional.test_manual import COMMANDS, NAMED

FILTERED = (
    *("baseline", "changes", "collect", "components", "duplicates", "export", "facets"),
    *(
        "fleet_diff",
        "health",
        "list",
        "losses",
        "missing",
        "odd",
        "reconcile",
        "report",
        "snapshot",
    ),
    "status",
)
FIRST = {"find": ["web01"], "components": ["disks"], "baseline": ["check"], "collect": ["*"]}
OK, WRONG, UNKNOWN = 0, 2, 3
"""Exit statuses: nothing found in an open set; not in a closed set; no such asset."""

FREE = {
    *("reason", "comment", "cursor", "after"),
    ("rename", "new"),
    ("expected", "source"),
    ("snapshot", "name"),
    ("expected", "sn"),
    ("get", "asset"),
    ("quarantine", "report"),
    ("token", "name"),
    # What a push does is tried with the systems that it writes into.
    ("push", "name"),
}
"""Arguments in which no value is a slip, and those that other tests try."""

WHEN = "is no time, and there is no snapshot"
TRUTH = "is True or False, not "
NUMBER = "must be a whole number from 1 to"
YAML = "the command line reads YAML"
NO_ASSET = "there is no asset 'wbe01'\nhint: the nearest is 'web01'"
NOT_CALLED = "hint: no asset is called 'wbe*'; the nearest is 'web*'"
SUFFIX = "end it with .csv, .json, .ndjson or .xlsx"
DISKS = "'disk'; did you mean 'disks'?"
TRY = {"reason": "x", "test": True}

TABLE = [
    ("baseline", "action", ["chek"], {}, WRONG, "did you mean 'check'? There are: accept, show"),
    ("baseline", "tgt", ["show", "wbe01"], {}, UNKNOWN, NO_ASSET),
    ("baseline", "tgt", ["check", "wbe*"], {}, OK, NOT_CALLED),
    ("baseline", "section", ["show", "web01"], {"section": "disks"}, WRONG, "is for action check"),
    ("baseline", "section", ["check"], {"section": "disk"}, WRONG, DISKS),
    ("baseline", "exit_code", ["check"], {"exit_code": "Ture"}, WRONG, f"{TRUTH}'Ture'"),
    ("baseline", "test", ["accept", "web01"], {"test": "Ture"}, WRONG, f"{TRUTH}'Ture'"),
    ("brake", "machine", ["wbe01"], {"action": "drain"}, UNKNOWN, NO_ASSET),
    ("brake", "action", ["web01"], {"action": "rm -rf"}, WRONG, "a word such as action=drain"),
    ("brake", "lost", ["web01", "drain"], {"lost": "Ture"}, WRONG, f"{TRUTH}'Ture'"),
    ("brake", "release", ["web01", "drain"], {"release": "Ture"}, WRONG, f"{TRUTH}'Ture'"),
    ("brake", "reset", [], {"reset": "Ture"}, WRONG, f"{TRUTH}'Ture'"),
    ("brake", "test", ["web01", "drain"], {"test": "Ture"}, WRONG, f"{TRUTH}'Ture'"),
    ("brake", "limit", [], {"limit": 0}, WRONG, NUMBER),
    ("brake", "out_file", [], {"out_file": "x.doc"}, WRONG, SUFFIX),
    ("card", "asset", ["wbe01"], {}, UNKNOWN, NO_ASSET),
    ("changes", "tgt", ["wbe*"], {}, OK, NOT_CALLED),
    ("changes", "tgt", ["wbe01"], {}, UNKNOWN, NO_ASSET),
    ("changes", "since", [], {"since": "yesterday"}, UNKNOWN, WHEN),
    ("changes", "until", [], {"until": "yesterday"}, UNKNOWN, WHEN),
    (
        *("changes", "until", [], {"since": "7d", "until": "9d"}, WRONG),
        "the span is reversed: since=7d is after until=9d",
    ),
    ("errors", "until", [], {"since": "7d", "until": "9d"}, WRONG, "the span is reversed"),
    ("losses", "tgt", ["wbe*"], {}, OK, NOT_CALLED),
    ("losses", "state", [], {"state": "lots"}, WRONG, "did you mean 'lost'?"),
    ("losses", "since", [], {"since": "yesterday"}, UNKNOWN, WHEN),
    ("losses", "limit", [], {"limit": 0}, WRONG, NUMBER),
    ("losses", "exit_code", [], {"exit_code": "Ture"}, WRONG, f"{TRUTH}'Ture'"),
    ("losses", "out_file", [], {"out_file": "x.doc"}, WRONG, SUFFIX),
    ("list", "kwargs", [], {"limt": 5}, WRONG, "did you mean the option 'limit'?"),
    ("list", "kwargs", [], {"asof": "7d"}, WRONG, "did you mean the option 'as_of'?"),
    ("list", "kwargs", [], {"list.limt": 5}, WRONG, "there is no field 'list.limt'"),
    ("changes", "section", [], {"section": "disk"}, WRONG, DISKS),
    ("changes", "section", [], {"section": "memory.devics"}, OK, "nearest is 'memory.devices'"),
    ("changes", "component", [], {"component": "4F0001AZ"}, OK, "the nearest is '4F0001A2'"),
    ("changes", "limit", [], {"limit": 0}, WRONG, NUMBER),
    ("changes", "out_file", [], {"out_file": "x.doc"}, WRONG, SUFFIX),
    ("changes", "op", [], {"op": "add"}, WRONG, "did you mean 'added'?"),
    ("changes", "class", [], {"class": "los"}, WRONG, "did you mean 'loss'?"),
    ("changes", "kwargs", [], {"opp": "added"}, WRONG, "there is no field 'opp'"),
    ("cloud", "list", ["prod"], {"list": "unlistd"}, WRONG, "did you mean 'unlisted'?"),
    ("cloud", "name", [], {"list": "tied"}, WRONG, "of which cloud? there are: none"),
    ("cloud", "name", ["prod"], {"list": "tied"}, UNKNOWN, "'prod'"),
    ("cloud", "test", ["prod"], {"test": "Ture"}, WRONG, f"{TRUTH}'Ture'"),
    ("cloud", "force", ["prod"], {"force": "Ture"}, WRONG, f"{TRUTH}'Ture'"),
    ("cloud", "exit_code", [], {"exit_code": "Ture"}, WRONG, f"{TRUTH}'Ture'"),
    ("cloud", "limit", [], {"limit": 0}, WRONG, NUMBER),
    ("cloud", "out_file", ["prod"], {"out_file": "x.csv"}, WRONG, "out_file= is for list="),
    ("collect", "tgt", [""], {}, WRONG, "which machines?"),
    ("collect", "tgt", ["wbe*"], {}, UNKNOWN, NOT_CALLED),
    ("collect", "tgt_type", ["*"], {"tgt_type": "globb"}, WRONG, "did you mean 'glob'?"),
    ("collect", "mode", ["*"], {"mode": "sssh"}, WRONG, "did you mean 'ssh'?"),
    ("collect", "batch", ["*"], {"batch": "many"}, WRONG, "a number or a share as 10%"),
    ("collect", "workers", ["*"], {"workers": "many"}, WRONG, NUMBER),
    ("collect", "timeout", ["*"], {"timeout": "1m"}, WRONG, NUMBER),
    ("collect", "limit", ["*"], {"limit": 0}, WRONG, NUMBER),
    ("collect", "roster", ["*"], {"roster": 7, "mode": "ssh"}, WRONG, YAML),
    ("collect", "test", ["*"], {"test": "Ture"}, WRONG, f"{TRUTH}'Ture'"),
    ("collect", "kwargs", [], {"mode": "auto", "site": "DC1"}, UNKNOWN, "the nearest is 'dc1'"),
    ("components", "section", ["disk"], {}, WRONG, DISKS),
    ("components", "serial", [], {"serial": "S64F00000l"}, UNKNOWN, "the nearest is 'S64F000001'"),
    ("components", "tgt", ["disks"], {"tgt": "wbe*"}, OK, NOT_CALLED),
    ("components", "limit", ["disks"], {"limit": 0}, WRONG, NUMBER),
    ("components", "out_file", ["disks"], {"out_file": "x.doc"}, WRONG, SUFFIX),
    ("components", "kwargs", ["disks"], {"disks.model": "PM9A4"}, OK, "the nearest is 'PM9A3'"),
    ("diff", "asset", ["wbe01"], {}, UNKNOWN, NO_ASSET),
    ("diff", "other", ["web01", "wbe01"], {}, UNKNOWN, NO_ASSET),
    ("diff", "against", ["web01"], {"against": "before"}, UNKNOWN, WHEN),
    ("diff", "from", ["web01"], {"from": "before"}, UNKNOWN, WHEN),
    ("diff", "to", ["web01"], {"to": "before"}, UNKNOWN, WHEN),
    ("diff", "exit_code", ["web01"], {"exit_code": "Ture"}, WRONG, f"{TRUTH}'Ture'"),
    ("disown", "asset", ["wbe01", "uuid"], TRY, UNKNOWN, NO_ASSET),
    ("disown", "kind", ["web01", "sn"], TRY, WRONG, "cloud_instance_id, serial_number"),
    ("disown", "value", ["web01", "mac", "52:54:00:00:00:0l"], TRY, UNKNOWN, "52:54:00:00:00:01"),
    ("disown", "undo", ["web01", "mac"], {**TRY, "undo": "Ture"}, WRONG, f"{TRUTH}'Ture'"),
    ("disown", "test", ["web01", "mac"], {"test": "Ture"}, WRONG, f"{TRUTH}'Ture'"),
    ("doctor", "exit_code", [], {"exit_code": "Ture"}, WRONG, f"{TRUTH}'Ture'"),
    ("duplicates", "tgt", ["wbe*"], {}, OK, NOT_CALLED),
    ("duplicates", "by", [], {"by": "hostnam"}, WRONG, "did you mean 'hostname'?"),
    ("duplicates", "limit", [], {"limit": 0}, WRONG, NUMBER),
    ("duplicates", "exit_code", [], {"exit_code": "Ture"}, WRONG, f"{TRUTH}'Ture'"),
    ("duplicates", "out_file", [], {"out_file": "x.doc"}, WRONG, SUFFIX),
    ("errors", "tgt", ["wbe*"], {}, OK, NOT_CALLED),
    ("errors", "tgt", ["wbe01"], {}, OK, "no asset is called 'wbe01'; the nearest is 'web01'"),
    ("errors", "since", [], {"since": "yesterday"}, UNKNOWN, WHEN),
    ("errors", "until", [], {"until": "yesterday"}, UNKNOWN, WHEN),
    ("errors", "id", [], {"id": "7"}, WRONG, "is not an id such as cmdb.errors shows"),
    (
        "errors",
        "kind",
        [],
        {"kind": "colector"},
        WRONG,
        "did you mean 'collector'? There are: report",
    ),
    ("errors", "closed", [], {"closed": "Ture"}, WRONG, f"{TRUTH}'Ture'"),
    ("errors", "limit", [], {"limit": 0}, WRONG, NUMBER),
    ("errors", "out_file", [], {"out_file": "x.doc"}, WRONG, SUFFIX),
    ("expected", "action", ["lst"], {}, WRONG, "did you mean 'list'? There are: list, missing"),
    ("expected", "file", ["import"], {"file": "/nowhere.xlsx"}, WRONG, "cannot read /nowhere.xlsx"),
    ("expected", "sheet", ["list"], {"sheet": "x"}, WRONG, "sheet= is not for action list"),
    (
        "expected",
        "file",
        ["import", "/srv/list.xlsx"],
        {},
        WRONG,
        "action import: write file=/srv/list.xlsx",
    ),
    ("expected", "map", ["import"], {"file": "x", "map": "x"}, WRONG, "map is a mapping"),
    ("expected", "test", ["import"], {"file": "x", "test": "Ture"}, WRONG, f"{TRUTH}'Ture'"),
    ("expected", "limit", ["list"], {"limit": 0}, WRONG, NUMBER),
    ("export", "out_file", ["x.doc"], {}, WRONG, SUFFIX),
    ("export", "out_file", ["x.xls"], {}, WRONG, f"{SUFFIX}; did you mean .xlsx?"),
    ("export", "sheet", ["x.xlsx"], {"sheet": "disk"}, WRONG, DISKS),
    ("export", "tgt", ["OUT.csv"], {"tgt": "wbe*"}, OK, NOT_CALLED),
    ("export", "q", ["OUT.csv"], {"q": "dlel"}, OK, "the nearest is 'Dell'"),
    ("export", "as_of", ["x.csv"], {"as_of": "before"}, UNKNOWN, WHEN),
    ("facets", "fields", ["oss"], {}, WRONG, "did you mean 'os'?"),
    ("facets", "tgt", ["os", "wbe*"], {}, OK, NOT_CALLED),
    ("facets", "q", [], {"q": "dlel"}, OK, "no asset has the word 'dlel'; the nearest is 'Dell'"),
    ("facets", "limit", [], {"limit": 0}, WRONG, NUMBER),
    ("facets", "as_of", [], {"as_of": "before"}, UNKNOWN, WHEN),
    ("find", "text", ["wbe01"], {}, UNKNOWN, "the nearest is 'web01'"),
    ("find", "limit", ["web01"], {"limit": 0}, WRONG, NUMBER),
    ("fleet_diff", "from", [], {"from": "before"}, UNKNOWN, WHEN),
    ("fleet_diff", "to", [], {"from": "1d", "to": "before"}, UNKNOWN, WHEN),
    ("fleet_diff", "tgt", ["wbe*"], {"from": "1d"}, OK, NOT_CALLED),
    ("fleet_diff", "limit", [], {"from": "1d", "limit": 0}, WRONG, NUMBER),
    ("fleet_diff", "exit_code", [], {"from": "1d", "exit_code": "x"}, WRONG, f"{TRUTH}'x'"),
    ("fleet_diff", "out_file", [], {"from": "1d", "out_file": "x.doc"}, WRONG, SUFFIX),
    ("get", "path", ["web01", "memory.instaled_bytes"], {}, UNKNOWN, "did you mean 'installed"),
    ("get", "as_of", ["web01", "sn"], {"as_of": "before"}, UNKNOWN, WHEN),
    ("health", "tgt", ["wbe*"], {}, OK, NOT_CALLED),
    ("health", "by", [], {"by": "bach"}, WRONG, "did you mean 'batch'? There are: asset, batch"),
    ("health", "since", [], {"by": "batch", "since": "before"}, UNKNOWN, WHEN),
    (
        "health",
        "since",
        [],
        {"since": "90d"},
        WRONG,
        "since= is for by=batch, and this is by=asset",
    ),
    ("health", "limit", [], {"limit": 0}, WRONG, NUMBER),
    ("health", "exit_code", [], {"exit_code": "Ture"}, WRONG, f"{TRUTH}'Ture'"),
    ("health", "out_file", [], {"out_file": "x.doc"}, WRONG, SUFFIX),
    ("health", "kwargs", [], {"severity": "bad"}, WRONG, "there is no field 'severity'"),
    ("history", "asset", ["wbe01"], {}, UNKNOWN, NO_ASSET),
    ("history", "since", ["web01"], {"since": "before"}, UNKNOWN, WHEN),
    ("history", "until", ["web01"], {"until": "before"}, UNKNOWN, WHEN),
    ("history", "handovers", ["web01"], {"handovers": "Ture"}, WRONG, f"{TRUTH}'Ture'"),
    ("history", "section", ["web01"], {"section": "disk"}, WRONG, DISKS),
    ("history", "op", ["web01"], {"op": "lost"}, WRONG, "there is no op 'lost'"),
    ("history", "class", ["web01"], {"class": "removed"}, WRONG, "there is no class of changes"),
    ("history", "component", ["web01"], {"component": "4F0001AZ"}, OK, "nearest is '4F0001A2'"),
    ("history", "limit", ["web01"], {"limit": 0}, WRONG, NUMBER),
    ("history", "out_file", ["web01"], {"out_file": "x.doc"}, WRONG, SUFFIX),
    ("identity", "asset", ["wbe01"], {}, UNKNOWN, NO_ASSET),
    ("identity", "as_of", ["web01"], {"as_of": "before"}, UNKNOWN, WHEN),
    ("identity", "limit", ["web01"], {"limit": 0}, WRONG, NUMBER),
    ("lifecycle", "asset", ["wbe01", "active"], TRY, UNKNOWN, NO_ASSET),
    ("lifecycle", "state", ["web01", "gone"], TRY, WRONG, "planned, staged, active, maintenance"),
    ("lifecycle", "was", ["web01", "active"], {"was": "actve", **TRY}, WRONG, "mean 'active'"),
    ("lifecycle", "test", ["web01", "active"], {"test": "Ture"}, WRONG, f"{TRUTH}'Ture'"),
    ("list", "tgt", ["wbe*"], {}, OK, NOT_CALLED),
    ("list", "tgt", ["wbe01"], {}, UNKNOWN, NO_ASSET),
    ("list", "q", [], {"q": "dlel"}, OK, "no asset has the word 'dlel'; the nearest is 'Dell'"),
    ("list", "columns", [], {"columns": "model"}, WRONG, "did you mean 'product_name'?"),
    ("list", "sort", [], {"sort": "-ram"}, WRONG, "did you mean 'memory_bytes'?"),
    ("list", "limit", [], {"limit": 0}, WRONG, NUMBER),
    ("list", "as_of", [], {"as_of": "before"}, UNKNOWN, WHEN),
    ("list", "out_file", [], {"out_file": "x.doc"}, WRONG, SUFFIX),
    ("list", "kwargs", [], {"freshness__in": "fresh,stael"}, WRONG, "did you mean 'stale'?"),
    ("list", "kwargs", [], {"site": "DC1"}, OK, "no asset has site=DC1; the nearest is 'dc1'"),
    ("maintain", "test", [], {"test": "Ture"}, WRONG, f"{TRUTH}'Ture'; did you mean True?"),
    ("migrate", "test", [], {"test": "Ture"}, WRONG, f"{TRUTH}'Ture'"),
    ("migrate", "grants", [], {"grants": "Ture"}, WRONG, f"{TRUTH}'Ture'"),
    ("migrate", "distribute", [], {"distribute": "Ture"}, WRONG, f"{TRUTH}'Ture'"),
    ("missing", "tgt", ["wbe*"], {}, OK, NOT_CALLED),
    ("missing", "older_than", [], {"older_than": "before"}, UNKNOWN, WHEN),
    ("missing", "limit", [], {"limit": 0}, WRONG, NUMBER),
    ("missing", "exit_code", [], {"exit_code": "Ture"}, WRONG, f"{TRUTH}'Ture'"),
    ("missing", "out_file", [], {"out_file": "x.doc"}, WRONG, SUFFIX),
    ("odd", "tgt", ["wbe*"], {}, OK, NOT_CALLED),
    ("odd", "group_by", [], {"group_by": "model"}, WRONG, "did you mean 'product_name'?"),
    ("odd", "threshold", [], {"threshold": "few"}, WRONG, "a share such as 0.05, not 'few'"),
    ("odd", "threshold", [], {"threshold": 5}, WRONG, "a share between 0 and 0.5, not 5"),
    ("odd", "limit", [], {"limit": 0}, WRONG, NUMBER),
    ("odd", "out_file", [], {"out_file": "x.doc"}, WRONG, SUFFIX),
    ("purge", "class", [], {"class": "deleted", "older_than": "1d"}, WRONG, "mean 'detached'?"),
    ("purge", "older_than", [], {"class": "retired", "older_than": "x"}, WRONG, "is not a time"),
    ("purge", "test", [], {"class": "retired", "older_than": "1d", "test": "x"}, WRONG, TRUTH),
    (
        "quarantine",
        "action",
        ["acept", "nobody"],
        {},
        WRONG,
        "did you mean 'accept'? There are: list",
    ),
    ("quarantine", "minion_id", ["show", "nobody"], {}, UNKNOWN, "no report of 'nobody' is held"),
    ("quarantine", "rule", [], {"rule": "clamed"}, WRONG, "did you mean 'claimed'?"),
    ("quarantine", "as", ["accept", "x*"], {"as": "y"}, WRONG, "decide about one report at a time"),
    ("quarantine", "test", ["accept", "x"], {"test": "Flase"}, WRONG, "did you mean False?"),
    ("quarantine", "limit", [], {"limit": 0}, WRONG, NUMBER),
    ("reconcile", "file", ["/nowhere.xlsx"], {}, WRONG, "cannot read /nowhere.xlsx"),
    ("reconcile", "sheet", ["LIST.csv"], {"sheet": 7}, WRONG, YAML),
    ("reconcile", "map", ["x"], {"map": "x"}, WRONG, "map is a mapping"),
    ("reconcile", "out_file", ["LIST.csv"], {"out_file": "x.doc"}, WRONG, "x.doc"),
    ("reconcile", "tgt", ["LIST.csv"], {"tgt": "wbe*"}, OK, NOT_CALLED),
    ("reconcile", "limit", ["x"], {"limit": 0}, WRONG, NUMBER),
    ("reconcile", "exit_code", ["x"], {"exit_code": "Ture"}, WRONG, f"{TRUTH}'Ture'"),
    ("rename", "asset", ["wbe01"], {"new": "web07", **TRY}, UNKNOWN, NO_ASSET),
    ("rename", "test", ["web01"], {"new": "web07", "test": "Ture"}, WRONG, f"{TRUTH}'Ture'"),
    ("report", "tgt", ["wbe*"], {}, OK, NOT_CALLED),
    ("report", "group_by", [], {"group_by": "model"}, WRONG, "did you mean 'product_name'?"),
    ("report", "as_of", [], {"as_of": "before"}, UNKNOWN, WHEN),
    ("report", "kwargs", [], {"site": "DC1"}, OK, "no assets\nhint: no asset has site=DC1;"),
    ("show", "asset", ["wbe01"], {}, UNKNOWN, NO_ASSET),
    ("show", "section", ["web01", "disk"], {}, UNKNOWN, DISKS),
    ("show", "as_of", ["web01"], {"as_of": "before"}, UNKNOWN, WHEN),
    ("snapshot", "tgt", ["friday"], {"tgt": "wbe01"}, UNKNOWN, NO_ASSET),
    ("snapshot", "kwargs", ["friday"], {"kind": "fysical"}, WRONG, "did you mean 'physical'?"),
    ("status", "tgt", ["wbe*"], {}, OK, NOT_CALLED),
    ("status", "kwargs", [], {"site": "DC1"}, OK, "no asset has site=DC1; the nearest is 'dc1'"),
    ("inventory", "format", ["ansibel"], {}, WRONG, "did you mean 'ansible'?"),
    ("inventory", "tgt", ["targets", "wbe*"], {}, WRONG, "the nearest is 'web*'"),
    ("inventory", "tgt", ["targets", "wbe01"], {}, UNKNOWN, NO_ASSET),
    ("inventory", "q", ["targets"], {"q": "dlel"}, WRONG, "the nearest is 'Dell'"),
    ("inventory", "kwargs", ["targets"], {"site": "DC1"}, WRONG, "the nearest is 'dc1'"),
    ("inventory", "out_file", ["targets"], {"out_file": "/nowhere/x"}, WRONG, "/nowhere/x"),
    ("push", "dry_run", ["x"], {"dry_run": "Ture"}, WRONG, f"{TRUTH}'Ture'"),
    ("push", "adopt", ["x"], {"adopt": "Ture"}, WRONG, f"{TRUTH}'Ture'"),
    ("push", "recreate", ["x"], {"recreate": "Ture"}, WRONG, f"{TRUTH}'Ture'"),
    ("push", "force", ["x"], {"force": "Ture"}, WRONG, f"{TRUTH}'Ture'"),
    ("push", "exit_code", ["x"], {"exit_code": "Ture"}, WRONG, f"{TRUTH}'Ture'"),
    ("push", "limit", ["x"], {"limit": 0}, WRONG, NUMBER),
    ("webhook", "name", ["x"], {}, WRONG, "there is no webhook 'x'"),
    ("webhook", "test", [], {"test": "Ture"}, WRONG, f"{TRUTH}'Ture'"),
    ("webhook", "resend", [], {"resend": "Ture"}, WRONG, f"{TRUTH}'Ture'"),
    ("webhook", "limit", ["x"], {"limit": 0}, WRONG, "there is no webhook 'x'"),
    ("provision", "tgt", [], {}, WRONG, "which machines? give an SN"),
    ("provision", "tgt", ["wbe01"], TRY, UNKNOWN, NO_ASSET),
    ("provision", "tgt", ["wbe*"], TRY, UNKNOWN, NOT_CALLED),
    ("provision", "others", ["web01", "web02"], TRY, WRONG, "several by a filter such as sn__in="),
    ("provision", "tgt", ["wbe*"], TRY, UNKNOWN, "has no minion id: sn__glob='wbe*'"),
    ("provision", "kwargs", [], {**TRY, "site": "DC1"}, UNKNOWN, "the nearest is 'dc1'"),
    ("provision", "profile", ["web01"], {**TRY, "profile": "../x"}, WRONG, "must be a name of"),
    ("provision", "expires", ["web01"], {**TRY, "expires": "30"}, WRONG, "30"),
    ("provision", "expires", ["web01"], {**TRY, "expires": "48h"}, WRONG, "at most 24h"),
    ("provision", "test", ["web01"], {"test": "Ture"}, WRONG, f"{TRUTH}'Ture'"),
    ("provision", "revoke", ["web01"], {**TRY, "revoke": "Ture"}, WRONG, f"{TRUTH}'Ture'"),
    ("installations", "tgt", ["wbe01"], {}, UNKNOWN, NO_ASSET),
    ("installations", "tgt", ["wbe*"], {}, OK, NOT_CALLED),
    ("installations", "tgt", ["wbe*"], {}, OK, "has no minion id: sn__glob='wbe*'"),
    ("installations", "kwargs", [], {"stat": "done"}, WRONG, "did you mean the option 'state'?"),
    ("installations", "state", [], {"state": "opne"}, WRONG, "did you mean 'open'?"),
    ("installations", "kwargs", [], {"site": "DC1"}, OK, "the nearest is 'dc1'"),
    ("installations", "limit", [], {"limit": 0}, WRONG, NUMBER),
    ("installations", "out_file", [], {"out_file": "x.doc"}, WRONG, SUFFIX),
    ("token", "role", ["x"], {"role": "viewr", "out_file": "/x"}, WRONG, "mean 'viewer'"),
    ("token", "expires", ["x"], {"expires": "soon", "out_file": "/x"}, WRONG, "soon"),
    ("token", "out_file", ["x"], {"out_file": "/nowhere/x"}, WRONG, "/nowhere/x"),
    ("token", "revoke", ["x"], {"revoke": "Ture"}, WRONG, f"{TRUTH}'Ture'"),
]


@pytest.mark.parametrize(
    ("command", "argument", "args", "kwargs", "retcode", "says"),
    [pytest.param(*row, id=f"{row[0]}-{row[1]}-{number}") for number, row in enumerate(TABLE)],
)
def test_a_wrong_value_is_refused_or_hinted_at(
    ask, tmp_path, command, argument, args, kwargs, retcode, says
):
    (tmp_path / "LIST.csv").write_text("SN\n9XYZ001\n")
    args = [str(tmp_path / one) if one.startswith(("OUT", "LIST")) else one for one in args]
    answer, status, text = ask(command, *args, **kwargs)
    assert (says in text, status) == (True, retcode), text
    # Programs read it too.
    assert says.partition("hint: ")[2].split("\n")[0] in answer.get("hint", "")


def test_every_argument_of_every_command_is_in_the_table():
    tried = {(command, argument) for command, argument, *_ in TABLE}
    missing = []
    for name, function in COMMANDS.items():
        arguments = {*inspect.signature(function).parameters, *NAMED.get(name, ())} - {"kwargs"}
        missing += [
            (name, one)
            for one in arguments
            if (name, one) not in tried and one not in FREE and (name, one) not in FREE
        ]
    assert sorted(missing) == []


def test_every_command_refuses_an_argument_that_it_does_not_have(ask):
    for name in COMMANDS:
        first = FIRST.get(name, [])
        given = {"from": "1d"} if name == "fleet_diff" else {}
        answer, status, text = ask(name, *first, **given, nonsense=1)
        assert status == WRONG, (name, text)
        assert "nonsense" in text or not (first or given), (name, text)
        assert answer["result"] is False


def test_a_question_with_an_answer_has_no_hint(ask):
    for name, args in (("list", []), ("report", []), ("status", ["web*"]), ("find", ["web01"])):
        answer, status, _ = ask(name, *args)
        assert (status, "hint" in answer) == (OK, False), name


@pytest.mark.parametrize(
    ("filters", "status", "says"),
    [
        ({"list.owner": "web taem"}, OK, "list.owner=web taem; the nearest is 'web team'"),
        ({"list.owner__contains": "wbe"}, OK, "no asset has list.owner__contains=wbe"),
        ({"list.ower": "x"}, WRONG, "there is no field 'list.ower'; did you mean 'list.owner'?"),
        ({"list.price__gt": 900}, OK, "no asset has list.price__gt=900"),
        ({"list.price": "much"}, WRONG, "list.price is a number"),
    ],
    ids=str,
)
def test_what_people_say_is_asked_for_with_the_same_care(
    cmdb, fleet, tmp_path, filters, status, says
):
    path = tmp_path / "list.csv"
    path.write_text("SN,Owner,Price\n9XYZ001,web team,100\n9XYZ002,db team,200\n")
    cmdb("expected", "import", file=str(path))
    _, retcode, text = cmdb("list", **filters)
    assert (retcode, says in text) == (status, True), text


def test_an_empty_store_is_not_blamed_on_the_question(cmdb):
    assert "No machine has reported yet." in cmdb("report")[2]
    assert cmdb("list")[2] == "no assets"


@pytest.mark.parametrize("command", FILTERED)
def test_the_help_of_a_command_with_filters_has_every_comparison(command):
    documented = inspect.getdoc(COMMANDS[command])
    assert [one for one in OPERATORS if f"``{one}``" not in documented] == []
