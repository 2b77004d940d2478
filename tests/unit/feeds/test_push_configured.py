"""What the setting ``pushes`` may say."""

import pytest

from salt_ext import settings
from salt_ext.feeds.push.configured import push_of
from salt_ext.settings import SettingsError

SECRET = "9f8e7d-the-token"
GOOD = {"system": "zabbix", "url": "https://zabbix.example.net/zabbix/", "token": SECRET}


def configured(said, name="monitoring"):
    return push_of(settings.resolve(("master", {"pushes": {"monitoring": said}})), name)


def test_a_push_has_all_options_of_its_system():
    found = configured({**GOOD, "filters": {"site": "dc1"}, "templates": ["ICMP Ping"]})
    assert found.url == "https://zabbix.example.net/zabbix"
    assert found.filters == {"site": "dc1"}
    assert list(found.options["templates"]) == ["ICMP Ping"]
    assert found.options["retire_percent"] == 20
    assert found.options["group"] == "CMDB"


WRONG = {
    "is str, not a mapping": SECRET,
    "it needs a token": {**GOOD, "token": ""},
    "it needs a url": {"system": "zabbix", "token": SECRET},
    "did you mean 'zabbix'": {**GOOD, "system": "zabix"},
    "url is no address such as https://": {**GOOD, "url": "zabbix.example.net"},
    "more than a host and a path": {**GOOD, "url": f"https://u:{SECRET}@zabbix.example.net"},
    "did you mean 'templates'": {**GOOD, "template": ["ICMP Ping"]},
    "no mapping such as": {**GOOD, "filters": f"site={SECRET}"},
    "a push keeps what is silent": {**GOOD, "filters": {"freshness": "fresh"}},
    "Salt did not find what token names in its sdb": {**GOOD, "token": "sdb://vault/zabbix"},
    "did you mean 'sites'": {**GOOD, "system": "netbox", "create_missing": ["site"]},
    "no key '(not shown)'": {**GOOD, f"token:{SECRET}": None},
    "1 to 65,535": {**GOOD, "port": 0},
    "there is no file /no/such/file": {**GOOD, "ca_file": "/no/such/file"},
    "system is list, but it must be a text": {**GOOD, "system": ["zabbix"]},
}


@pytest.mark.parametrize("sentence", WRONG)
def test_a_mistake_is_said_with_its_place_and_without_the_token(sentence):
    with pytest.raises(SettingsError) as error:
        configured(WRONG[sentence])
    assert sentence in str(error.value)
    assert str(error.value).startswith("master: pushes: monitoring")
    assert SECRET not in str(error.value)


def test_an_unknown_push_has_the_nearest_name():
    with pytest.raises(SettingsError, match="did you mean 'monitoring'"):
        configured(GOOD, "monitorin")


def test_a_setting_of_another_type_is_refused_without_its_value():
    with pytest.raises(SettingsError) as error:
        settings.resolve(("master", {"pushes": [GOOD]}))
    assert SECRET not in str(error.value)
