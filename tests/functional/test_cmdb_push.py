"""The command that writes machines into other systems, without one: what it says, and hides."""

import json

import pytest

SECRET = "9f8e7d-the-token"
NOBODY = "http://127.0.0.1:1"


@pytest.fixture
def configured(master_opts):
    """A master with a push to where nobody is, and one with a slip."""
    good = {"system": "zabbix", "url": NOBODY, "token": SECRET}
    wrong = {**good, "url": f"https://u:{SECRET}@zabbix.example.net"}
    master_opts["cmdb"]["pushes"] = {"monitoring": good, "wrong": wrong}


def test_pushes_are_listed_with_what_is_wrong_with_them(cmdb, configured):
    answer, status, text = cmdb("push")
    assert status == 0
    rows = [dict(zip(answer["columns"], row, strict=True)) for row in answer["rows"]]
    assert [(row["push"], row["url"], row["objects"]) for row in rows] == [
        ("monitoring", NOBODY, 0),
        ("wrong", None, 0),
    ]
    assert "more than a host and a path" in rows[1]["note"]
    assert SECRET not in text + json.dumps(answer)


def test_a_push_that_cannot_begin_says_why_and_what_to_do(cmdb, configured):
    answer, status, text = cmdb("push", "monitoring")
    assert status == 2
    assert answer["error"].startswith(f"cannot reach {NOBODY}/api_jsonrpc.php")
    assert "run it again" in answer["hint"]
    for name in ("wrong", "monitorin"):
        answer, status, text = cmdb("push", name)
        assert (status, answer["kind"]) == (2, "error")
        assert SECRET not in text + json.dumps(answer)
    assert "did you mean 'monitoring'?" in text


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"dryrun": True}, "did you mean 'dry_run'?"),
        ({"dry_run": "yes"}, "dry_run is True or False"),
        ({"limit": 0}, "limit is 0"),
    ],
)
def test_a_slip_writes_nothing(cmdb, configured, options, sentence):
    answer, status, _ = cmdb("push", "monitoring", **options)
    assert status == 2
    assert sentence in answer["error"]


def test_the_settings_name_pushes_and_show_no_token(cmdb, configured):
    answer, _, text = cmdb("settings")
    assert SECRET not in text + json.dumps(answer)
    assert ["pushes", "monitoring, wrong", "configuration"] in answer["rows"]
