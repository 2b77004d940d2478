"""What is shown and wrong is refused, is said again as harmless words, and is nowhere else."""

import json
import sys
from io import StringIO
from logging import StreamHandler

import pytest

from provisioner import create_app
from salt_ext import settings
from salt_ext.settings import SettingsError
from salt_ext.words.json_lines import JsonLines
from tests.store.test_provisioning import MAC, OTHER_UUID, UUID, opened

KEYS = f"uuid={UUID}&mac={MAC}"
INSTRUCTION = "ds=nocloud;s=http://user:pass@10.0.0.1/"


@pytest.fixture
def lines(app):
    """A function that returns the log of requests."""
    text = StringIO()
    handler = StreamHandler(text)
    handler.setFormatter(JsonLines())
    app.extensions["request_log"].addHandler(handler)
    return lambda: [json.loads(line) for line in text.getvalue().splitlines()]


@pytest.mark.parametrize(
    "query",
    [
        "",
        f"uuid={UUID}",
        f"mac={MAC}",
        f"{KEYS}&serial=A&c=1",
        f"{KEYS}&serial=A&uuid={OTHER_UUID}",
        f"{KEYS}&serial=A&mac={MAC}",
        f"{KEYS}&serial=A&serial=B",
        f"{KEYS}&UUID={UUID}",
        f"{KEYS}&serial_hex=xyz",
        f"uuid={UUID}x&mac={MAC}",
        f"uuid={{{UUID}}}&mac={MAC}",
        f"uuid={UUID.replace('-', '')}&mac={MAC}",
        f"uuid={UUID}&mac={MAC},{MAC}",
        f"uuid={UUID}&mac={MAC}%0a",
        f"uuid={UUID}%00&mac={MAC}",
        f"uuid={UUID}&mac=00:00:00:00:00:00",
        f"uuid=03000200-0400-0500-0006-000700080009&mac={MAC}",
        f"uuid=00000000-0000-0000-0000-000000000000&mac={MAC}",
    ],
)
def test_a_query_is_taken_literally_or_not_at_all(client, database, query):
    opened(database, uuid=UUID, mac=MAC)
    answer = client.get(f"/ipxe?{query}")
    assert (answer.status_code, answer.mimetype) == (400, "text/plain")
    assert answer.text.startswith("salt-cmdb: 400 ")
    assert "#!ipxe" in client.get(f"/why?{query}").text


@pytest.mark.parametrize(
    "serial",
    [
        INSTRUCTION,
        "DS=nocloud-net;s=http://user:pass@10.0.0.1/",
        "http://user:pass@10.0.0.1/",
        "To be filled by O.E.M.",
        "0123456789",
    ],
)
def test_a_serial_number_that_is_none_is_not_said_again(client, database, lines, serial):
    opened(database, uuid=UUID, mac=MAC)
    query = {"uuid": OTHER_UUID, "mac": "52:54:00:00:00:09", "serial": serial}
    said = [client.get(path, query_string=query).text for path in ("/ipxe", "/why")]
    told = json.dumps([*said, *lines()])
    for word in ("pass", "10.0.0.1", "filled by O.E.M", "0123456789"):
        assert word not in told
    assert all("not shown: " in text for text in said)


def test_a_serial_number_writes_no_command_on_a_console(client):
    query = {"uuid": UUID, "mac": MAC, "serial": "X9\n&& shell || sanboot ${net0/ip} ; 'é\x1b[2J"}
    text = client.get("/why", query_string=query).text
    [line] = [line for line in text.splitlines() if "404" in line]
    assert not {"&&", "||", ";"} & set(line.split())
    assert "$" not in line.replace("${", "")
    assert text.isascii()


def test_a_serial_number_in_hexadecimal_digits_is_the_same_number(client):
    answer = client.get(f"/ipxe?{KEYS}&serial_hex={b'9XYZ&001'.hex()}")
    assert "serial 9XYZ?001" in answer.text


def test_a_line_of_the_log_says_who_got_what_and_has_no_token(client, database, lines):
    row = opened(database, uuid=UUID, mac=MAC)
    text = client.get(f"/ipxe?{KEYS}&serial=9XYZ001").text
    token = text.partition("/nocloud/")[2].partition("/")[0]
    client.get(f"/json/{token}/{OTHER_UUID}/{MAC}")
    first, second = lines()
    assert first["status"] == 200
    assert (first["asked"], first["serial"]) == ("ipxe", "9XYZ001")
    assert first["installation"] == second["installation"] == str(row["id"])
    assert (second["status"], second["uuid"]) == (403, OTHER_UUID)
    assert second["message"] == "refused"
    assert token not in json.dumps(lines())


def test_an_address_may_not_ask_for_ever(client):
    statuses = [client.get("/boot.ipxe").status_code for _ in range(130)]
    assert statuses.count(200) == 120
    assert statuses[-1] == 429


def test_nobody_sends_more_than_a_little(client, database):
    opened(database, uuid=UUID, mac=MAC)
    path = f"/done/{'a' * 56}/{UUID}/{MAC}"
    assert client.post(path, data=b"x" * (17 << 10)).status_code in (404, 413)
    assert client.get("/boot.ipxe?x=1").status_code == 400


def test_the_name_by_which_a_machine_came_has_to_be_one(client):
    answer = client.get("/boot.ipxe", headers={"Host": "a||shell"})
    assert answer.status_code == 400
    answer = client.get("/boot.ipxe", headers={"Host": "[fd00::1]:8480"})
    assert "chain --autofree http://[fd00::1]:8480/ipxe?" in answer.text


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"kernle": "http://x/"}, "there is no key 'kernle'; did you mean 'kernel'?"),
        ({"installer": "fai"}, "installer: Input should be 'kickstart', "),
        ({"kernel": "http://user:pass@x/k"}, "kernel: "),
        ({"kernel": "http://x/${uuid}"}, "kernel: "),
        ({"arguments": "a\nshell"}, "arguments: "),
        ({"gateway": "10.0.0.1"}, "as in 10.0.0.1/24"),
        ({"packages": ["%post"]}, "packages: 0: "),
        ({"ssh_keys": ['x y"\n']}, "ssh_keys: 0: "),
    ],
)
def test_a_profile_that_is_wrong_starts_nothing(provision_settings, said, words):
    good = {"installer": "kickstart", "kernel": "http://x/k"}
    wrong = {**provision_settings, "provision_profiles": {"one": {**good, **said}}}
    with pytest.raises(SettingsError) as caught:
        create_app(settings.resolve(("test", wrong)))
    assert f"test: provision_profiles: one: {words}" in str(caught.value) or (
        str(caught.value).startswith("test: provision_profiles: one") and words in str(caught.value)
    )
    assert "pass" not in str(caught.value).replace(words, "")


def test_templates_of_the_site_go_before_ours_and_build_on_them(
    provision_settings, tmp_path, database
):
    folder = tmp_path / "templates"
    (folder / "debian12").mkdir(parents=True)
    (folder / "vendor-data").write_text("#cloud-config\nfor: all\n")
    own = '{% extends "ours/meta-data" %}'
    (folder / "debian12/meta-data").write_text(own)
    (folder / "debian12/vendor-data").write_text("#cloud-config\nfor: {{ profile.name }}\n")
    (folder / "network-config").write_text("{{ ''.__class__.__mro__ }}")
    (folder / "user-data").write_text("{{ machine.plan.rack_that_nobody_planned }}")
    said = {**provision_settings, "provision_templates": str(folder)}
    client = create_app(settings.resolve(("test", said))).test_client()
    opened(database, uuid=UUID, mac=MAC)
    token = client.get(f"/ipxe?{KEYS}").text.partition("/nocloud/")[2].partition("/")[0]

    def file(name):
        return client.get(f"/nocloud/{token}/{UUID}/{MAC}/{name}")

    assert file("meta-data").text.startswith("instance-id: ")
    assert file("vendor-data").text == "#cloud-config\nfor: debian12\n"
    for name in ("network-config", "user-data"):
        answer = file(name)
        assert (answer.status_code, answer.text[:45]) == (
            503,
            f"salt-cmdb: 503 the template {name} cannot be"[:45],
        )
    assert "rack_that_nobody_planned" in file("user-data").text
    for text, why in (
        ("{{ profile.parse_raw('1') }}", "parse_raw"),
        ("{{ profile.model_fields }}", "model_fields"),
        ('{{ 1 + "2" }}', "TypeError"),
        ('{% include "user-data" %}', "RecursionError"),
    ):
        (folder / "user-data").write_text(text)
        answer = file("user-data")
        assert (answer.status_code, why in answer.text) == (503, True), answer.text


def test_a_folder_of_templates_has_to_be_there(provision_settings):
    said = {**provision_settings, "provision_templates": "/nowhere/at/all"}
    with pytest.raises(SettingsError, match="there is no folder /nowhere/at/all"):
        create_app(settings.resolve(("test", said)))


def test_neither_salt_nor_the_web_ui_is_loaded():
    from subprocess import run

    code = "import provisioner, sys; sys.exit(sorted({'salt', 'webui'} & set(sys.modules)))"
    assert run([sys.executable, "-c", code], capture_output=True).stderr.strip() == b"[]"
