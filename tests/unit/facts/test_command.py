"""Commands of a site as collectors: what they write is a section, and what goes wrong an error."""

import json

import pytest

from salt_ext import facts
from salt_ext.facts import command
from salt_ext.report import agent
from salt_ext.settings import SettingsError, from_opts, resolve


@pytest.fixture
def tool(tmp_path):
    """A function that writes a program with some output and returns its path."""

    def write(output, code=0, error=""):
        path = tmp_path / "tool"
        words = [f"cat <<'END'\n{output}\nEND" if output else "", f"echo '{error}' >&2"]
        path.write_text("\n".join(["#!/bin/sh", *words, f"exit {code}\n"]))
        path.chmod(0o755)
        return str(path)

    return write


def collected(path, parser="json", root="/", **said):
    found = {"command": [path], "parser": parser, **said}
    command.check("licence", found)
    return facts.collect(root, {"licence": json.dumps(found)})


def error_of(*arguments, **said):
    document = collected(*arguments, **said)
    assert "licence" not in document
    assert document["partial"] == ["licence"]
    return document["errors"]["licence"]


def test_json_is_a_section_as_it_is(tool):
    parts = [{"name": "a", "seats": 5}, {"name": "b", "seats": None}]
    assert collected(tool(json.dumps(parts)))["licence"] == parts
    assert collected(tool('{"key": "4711"}'))["licence"] == {"key": "4711"}


def test_key_value_lines_become_fields(tool):
    text = "# of the tool\nLicence key: 04711\n\nseats=5\n Valid-until = 2027 \nURL: http://a/?b=c"
    assert collected(tool(text), "key=value", numbers=["seats"])["licence"] == {
        "licence_key": "04711",
        "seats": 5,
        "valid_until": "2027",
        "url": "http://a/?b=c",
    }


def test_each_match_of_a_pattern_is_a_part_and_what_moves_is_volatile(tool):
    text = "slot 1 SN A1 31C\nslot 2 SN A2 33C\nbye"
    pattern = r"^slot (?P<slot>\d+) SN (?P<serial_number>\S+) (?P<temperature_celsius>\d+)C$"
    moving = ["temperature_celsius"]
    found = collected(tool(text), "regex", pattern=pattern, numbers=moving, volatile=moving)
    assert found["licence"] == [
        {"slot": "1", "serial_number": "A1", "volatile": {"temperature_celsius": 31}},
        {"slot": "2", "serial_number": "A2", "volatile": {"temperature_celsius": 33}},
    ]


def test_output_in_other_words_does_not_mean_that_all_parts_are_gone(tool):
    reason = error_of(tool("Slot one: A1"), "regex", pattern="slot (?P<slot>.)")["message"]
    assert reason == "nothing fits the pattern in: 'Slot one: A1'"


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ({"parser": "regex", "pattern": "slot (?P<slot>.)"}, ""),
        ({"parser": "key=value"}, " "),
        ({"parser": "key=value"}, "# no licences"),
        ({"parser": "json"}, ""),
    ],
)
def test_no_output_does_not_mean_that_there_is_nothing(tool, said, text):
    assert error_of(tool(text), **said)["type"] == "ValueError"


def test_json_can_say_that_there_is_nothing(tool):
    assert collected(tool("[]"))["licence"] == []
    assert collected(tool("{}"))["licence"] == {}


@pytest.mark.parametrize(
    ("parser", "text", "reason"),
    [
        ("json", "no JSON", "Expecting value"),
        ("json", "[1]", "not a mapping or a list of mappings"),
        ("key=value", "seats=5\nUsage", "line 2 is no key=value: 'Usage'"),
        ("key=value", "seats=5\nSeats=6", "line 2 has seats again"),
        ("key=value", "seats=5\n---=1", "line 2 has no name before its value: '---=1'"),
        ("key=value", "", "the command wrote nothing"),
        ("json", '{"a": 1, "volatile": "x"}', "volatile is str, not a dict"),
    ],
)
def test_what_the_parser_does_not_understand_is_an_error_with_the_line(tool, parser, text, reason):
    assert reason in error_of(tool(text), parser)["message"]


def test_a_command_that_fails_or_is_not_there_is_an_error(tool):
    error = error_of(tool("{}", 3, "no licence server"))
    assert error["message"] == "the command ended with code 3: no licence server"
    assert "Traceback" in error["traceback"]
    assert "no-such-tool is not installed" in error_of("no-such-tool")["message"]


def test_a_captured_tree_has_no_commands(tool, tmp_path):
    document = collected(tool("{}"), root=str(tmp_path))
    assert "licence" not in document
    assert document["errors"] == {}


def test_a_command_is_no_line_for_a_shell(tool):
    path = tool("{}")
    assert collected(f"{path}; rm -rf /tmp/x")["errors"]["licence"]["type"] == "FileNotFoundError"
    found = {"command": f"{path} 'a b' $HOME", "parser": "json"}
    assert facts.collect("/", {"licence": json.dumps(found)})["licence"] == {}


def test_it_runs_with_the_slow_collectors_and_is_kept_as_they_are(tool, tmp_path):
    said = {"command": tool('{"seats": 5}'), "parser": "json"}
    opts = {"id": "web01", "cachedir": str(tmp_path), "cmdb": {"commands": {"licence": said}}}
    opts["cmdb"]["slow_collectors"] = dict.fromkeys(facts.SLOW_COLLECTORS)
    first = agent.slow_sections(opts)
    assert first["licence"]["seats"] == 5
    tool('{"seats": 6}')
    assert agent.slow_sections(opts) == first  # for slow_interval
    opts["cmdb"]["commands"]["licence"]["volatile"] = ["seats"]  # another command
    assert agent.slow_sections(opts)["licence"]["volatile"]["seats"] == 6
    opts["cmdb"]["commands"]["licence"] = None
    assert "licence" not in agent.slow_sections(opts)


@pytest.mark.parametrize(
    ("section", "said", "reason"),
    [
        ("../etc", {"command": "a", "parser": "json"}, "no name of a section"),
        ("Licence", {"command": "a", "parser": "json"}, "no name of a section"),
        ("licence", "a tool", "is str, not a mapping"),
        ("licence", {"parser": "json"}, "command must be a text or a list of texts"),
        ("licence", {"command": "'a", "parser": "json"}, "command must be"),
        ("licence", {"command": ["a", 1], "parser": "json"}, "command must be"),
        ("licence", {"command": "a"}, "parser must be one of json, key=value, regex"),
        ("licence", {"command": "a", "parser": "xml"}, "parser must be one of"),
        ("licence", {"command": "a", "parser": "regex"}, "the parser regex needs a pattern"),
        ("licence", {"command": "a", "parser": "json", "pattern": "a"}, "needs a pattern"),
        ("licence", {"command": "a", "parser": "regex", "pattern": "("}, "cannot be used"),
        ("licence", {"command": "a", "parser": "regex", "pattern": 7}, "cannot be used"),
        ("licence", {"command": "a", "parser": "regex", "pattern": "a"}, "no named group"),
        ("licence", {"command": "a", "parser": "json", "numbers": "a"}, "a list of fields"),
        ("licence", {"command": "a", "parser": "json", "version": 0}, "version must be a whole"),
        ("licence", {"command": "a", "parser": "json", "version": "2"}, "version must be a whole"),
        ("licence", {"command": "a", "parser": "json", "timeout": 9}, "has timeout; it can have"),
    ],
)
def test_a_command_that_cannot_be_meant_is_a_wrong_setting(section, said, reason):
    with pytest.raises(SettingsError, match="pillar: commands: ") as refusal:
        resolve(("pillar", {"commands": {section: said}}))
    assert reason in str(refusal.value)


def test_a_command_of_the_pillar_goes_over_that_of_the_file():
    said = {"command": "a", "parser": "json"}
    opts = {"cmdb": {"commands": {"a": said, "b": said}}}
    opts["pillar"] = {"cmdb": {"commands": {"a": None}}}
    assert from_opts(opts)["commands"] == {"a": None, "b": said}


@pytest.mark.parametrize("section", ["smart", "usb"])
def test_a_command_in_the_place_of_our_collector_has_its_own_version(tool, tmp_path, section):
    said = {"command": tool('[{"name": "sda"}]'), "parser": "json"}
    none = {"collectors": dict.fromkeys(facts.COLLECTORS)}
    none["slow_collectors"] = dict.fromkeys(facts.SLOW_COLLECTORS)
    ours = {**facts.COLLECTORS, **facts.SLOW_COLLECTORS}[section]
    where = "collectors" if section in facts.COLLECTORS else "slow_collectors"
    opts = {"id": "web01", "cachedir": str(tmp_path), "cmdb": none}
    opts["cmdb"][where][section] = ours
    assert agent.whole_document(opts)["versions"] in ({section: facts.VERSIONS[section]}, {})
    opts["cmdb"]["commands"] = {section: said}
    assert section not in agent.document(opts)  # nothing but the command fills it
    found = agent.whole_document(opts)
    assert found[section][0]["name"] == "sda"
    assert found["versions"] == {}
    said["version"] = 3
    for _ in range(2):  # the second time it is what was kept
        assert agent.whole_document(opts)["versions"] == {section: 3}
    assert agent.report(opts)["versions"] == f"{section}=3"
    opts["cmdb"]["commands"] = {section: None}  # as a pillar may say
    back = agent.whole_document(opts)
    assert back.get(section) != found[section]
    assert section in back or section in back["partial"]
