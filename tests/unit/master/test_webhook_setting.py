"""The setting ``webhooks``: each mistake is told with its place, and no secret is."""

import pytest

from salt_ext import settings
from salt_ext.master.webhooks.setting import webhooks

SECRET = "0123456789abcdef-the-secret"
GOOD = {"url": "https://hooks.example.net/T000/path-secret", "secret": SECRET}


def read(said, name="tickets"):
    return webhooks(settings.resolve(("test", {"webhooks": {name: said}})))


def test_without_conditions_a_webhook_has_all_events():
    [hook] = read(GOOD)
    assert hook.events == set(settings.OPTIONS["events"].default)
    assert (hook.format, hook.classes, hook.filters) == ("plain", (), {})
    assert hook.give_up_seconds == 86400


def test_conditions_on_changes_alone_ask_for_changes():
    [hook] = read({**GOOD, "class": "loss", "section": ["memory", "disks"]})
    assert hook.events == {"changed"}
    assert (hook.classes, hook.sections) == (("loss",), ("memory", "disks"))


def test_a_null_takes_a_webhook_away():
    assert read(None) == []


def test_only_the_server_of_its_address_is_shown():
    [hook] = read({**GOOD, "url": "https://host.example.net:8443/T000/B000"})
    assert hook.shown_url == "https://host.example.net:8443/…"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"urll": "x"}, "no key 'urll'; did you mean 'url'?"),
        ({f"secret:{SECRET}": None}, "no key '(not shown)'"),
        ({"class": "los"}, "no class 'los'; did you mean 'loss'?"),
        ({"events": ["chnged"]}, "no kind of event 'chnged'; did you mean 'changed'?"),
        ({"format": "saltgiu"}, "no format 'saltgiu'; did you mean 'saltgui'?"),
        ({"class": 3}, "class is 3, but it must be a text or a list of texts"),
        ({"events": ["new"], "class": "loss"}, "none of changed, lost, found is among its events"),
        ({"filters": "site=fra1"}, "filters is str, but it must be a mapping"),
        ({"url": ""}, "url is missing"),
        ({"url": "ftp://host/x"}, "url is no address such as https://host"),
        ({"url": "https://host:port/x"}, "url is no address such as https://host"),
        ({"url": "https://host/a b"}, "url is no address such as https://host"),
        ({"url": "https://u:T000@host/x"}, "url has a login, which is not sent"),
        ({"secret": ""}, "secret is missing"),
        ({"secret": "short"}, "secret is shorter than 16 characters"),
        ({"secret": "sdb://vault/webhook"}, "did not find what secret names in its sdb"),
        ({"headers": {"X-CMDB-Event": "x"}}, "headers: 'X-CMDB-Event' cannot be set"),
        ({"headers": {f"X-Auth:{SECRET}": None}}, "headers: (not shown) is no name of a header"),
        ({"headers": {"X-Auth:T000": None}}, "a blank belongs behind its colon"),
        ({"headers": {"X-Auth": "a\nb"}}, "headers: X-Auth has characters that no header can"),
        ({"ca_file": "/no/such/file"}, "there is no file /no/such/file"),
        ({"give_up": "soon"}, "give_up: 'soon' is not"),
        ({"give_up": "0s"}, "give_up is '0s', but it must be more than 0"),
    ],
)
def test_each_mistake_is_told_and_no_secret_is(change, words):
    with pytest.raises(settings.SettingsError) as caught:
        read({**GOOD, **change})
    assert words in str(caught.value)
    assert str(caught.value).startswith("webhooks: tickets")
    for secret in (SECRET, "path-secret", "T000"):
        assert secret not in str(caught.value)


@pytest.mark.parametrize("said", ["https://host/T000/path-secret", ["x"], 5])
def test_what_is_no_mapping_is_told_without_its_value(said):
    with pytest.raises(settings.SettingsError) as caught:
        read(said, "url")
    assert "must be a mapping" in str(caught.value)
    assert "path-secret" not in str(caught.value)


def test_a_name_that_may_be_a_secret_is_not_shown():
    with pytest.raises(settings.SettingsError) as caught:
        read(GOOD, f"secret:{SECRET}")
    assert str(caught.value).startswith("webhooks: (not shown) is no name")


def test_there_is_an_end_to_how_many_there_are():
    many = {f"hook{number}": GOOD for number in range(21)}
    with pytest.raises(settings.SettingsError, match="21 of them; there can be 20"):
        webhooks(settings.resolve(("test", {"webhooks": many})))
