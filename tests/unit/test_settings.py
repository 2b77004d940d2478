"""Every option once, and what is said of one that is wrong."""

from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from salt_ext import facts, settings
from salt_ext.settings import SettingsError, from_environ, from_opts, resolve
from salt_ext.words.times import ago, moment

NOW = datetime(2026, 11, 21, 8, 0, tzinfo=timezone.utc)


def test_a_pillar_goes_over_the_configuration_and_that_over_the_defaults():
    options = from_opts(
        {
            "cmdb": {"root": "/a", "collectors": {"disks": None, "own": "my.own"}},
            "pillar": {"cmdb": {"root": "/b"}},
        }
    )
    assert options["root"] == "/b"
    assert options.sources["root"] == "pillar"
    assert options.sources["collectors"] == "configuration"
    assert options.sources["stale_after"] == "default"
    assert options["collectors"]["disks"] is None
    assert options["collectors"]["own"] == "my.own"
    assert options["collectors"]["memory"]


def test_durations_are_seconds():
    assert resolve()["stale_after"] == 7200
    assert resolve(("x", {"stale_after": "15m", "missing_after": 90}))["stale_after"] == 900


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"collector": {}}, "did you mean 'collectors'"),
        ({"zzz": 1}, "there are: database_url"),
        ({"database_url": 7}, "must be a text"),
        ({"sweep_seconds": "5"}, "must be a whole number"),
        ({"sweep_seconds": True}, "must be a whole number"),
        ({"batch_size": 0}, "batch_size is 0, but it must be at least 1"),
        ({"sweep_seconds": -1}, "must be at least 0"),
        ({"max_report_bytes": 10}, "must be at least 65536"),
        ({"stale_after": -5}, "must not be negative"),
        ({"collectors": []}, "must be a mapping"),
        ({"collectors": {"Own": "my.own"}}, "collectors: 'Own' is no name of a section: small"),
        ({"collectors": {1: "my.own"}}, "'1' is no name of a section"),
        ({"slow_collectors": {"../own": "my.own"}}, "slow_collectors: '../own' is no name"),
        ({"slow_collectors": {"x" * 41: "my.own"}}, "is no name of a section"),
        ({"collectors": {"own": 5}}, "own is int, not the dotted path of a function, or null"),
        ({"slow_collectors": {"own": {"command": "a"}}}, "own is dict, not the dotted path"),
        ({"location": {"since": NOW}}, "location cannot be reported: datetime is not data"),
        ({"location": {"volatile": "x"}}, "location cannot be reported: volatile is str"),
        ({"location": {"site": "a"}, "collectors": {"location": "my.own"}}, "location is what"),
        ({"stale_after": "soon"}, "not a duration such as"),
        ({"stale_after": []}, "stale_after"),
        ([], "not a mapping"),
    ],
)
def test_what_is_wrong_is_named_with_its_source(values, says):
    with pytest.raises(SettingsError, match="the master") as error:
        resolve(("the master", values))
    assert says in str(error.value)


@pytest.mark.parametrize("field", facts.HEADER)
@pytest.mark.parametrize("option", ["collectors", "slow_collectors", "commands"])
def test_what_every_document_has_is_no_section(option, field):
    said = {"command": "a", "parser": "json"} if option == "commands" else "my.own"
    with pytest.raises(SettingsError, match=f"a: {option}: {field} is a field of every document"):
        resolve(("a", {option: {field: said}}))


def test_a_collector_may_tell_the_location_where_people_do_not():
    assert resolve(("a", {"collectors": {"location": "my.own"}}))["collectors"]["location"]


def test_the_web_process_reads_a_file_and_then_its_environment(tmp_path):
    path = tmp_path / "cmdb.yaml"
    path.write_text("cmdb:\n  database_url: a\n  stale_after: 1h\n")
    options = from_environ({"CMDB_SETTINGS": str(path), "CMDB_DATABASE_URL": "b", "HOME": "/"})
    assert options["database_url"] == "b"
    assert options["stale_after"] == 3600
    assert options.sources["stale_after"] == str(path)


@pytest.mark.parametrize(
    ("content", "says"), [("- a", "not a mapping"), ("a: [", "not YAML"), (None, "No such file")]
)
def test_a_settings_file_that_is_none_is_named(tmp_path, content, says):
    path = tmp_path / "cmdb.yaml"
    if content is not None:
        path.write_text(content)
    with pytest.raises(SettingsError, match=says):
        from_environ({"CMDB_SETTINGS": str(path)})


def test_a_variable_of_no_setting_is_refused():
    with pytest.raises(SettingsError, match="did you mean 'database_url'"):
        from_environ({"CMDB_DATABASE_URI": "x"})


def test_the_documentation_is_that_of_the_settings():
    page = Path(__file__).parents[2] / "docs" / "configuration.md"
    assert page.read_text() == settings.markdown()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("24h", NOW - timedelta(hours=24)),
        ("7d", NOW - timedelta(days=7)),
        ("2026-11-01", datetime(2026, 11, 1, tzinfo=timezone.utc)),
        ("2026-11-01 10:00", datetime(2026, 11, 1, 10, tzinfo=timezone.utc)),
        ("2026-11-01T10:00:05Z", datetime(2026, 11, 1, 10, 0, 5, tzinfo=timezone.utc)),
    ],
)
def test_a_moment_is_so_long_ago_or_a_date(text, expected):
    assert moment(text, NOW) == expected


@pytest.mark.parametrize("text", ["", "yesterday", "7", "-1d", "99999999999999d", "2026-13-01"])
def test_what_is_no_moment_is_refused_with_an_example(text):
    with pytest.raises(ValueError, match="write 24h, 7d"):
        moment(text, NOW)


@pytest.mark.parametrize(
    ("delta", "text"),
    [
        (timedelta(seconds=5), "5s"),
        (timedelta(minutes=5), "5m"),
        (timedelta(hours=47), "1d"),
        (timedelta(seconds=-3), "0s"),
    ],
)
def test_how_long_ago(delta, text):
    assert ago(NOW - delta, NOW) == text
