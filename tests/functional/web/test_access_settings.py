"""Settings of logging in: what is wrong is named, and what is secret is not shown."""

import re

import pytest

from salt_ext import settings
from salt_ext.settings import SettingsError
from tests.functional.web.access import USERS
from webui.access.ways import configured

OIDC = {
    "discovery_url": "https://sso.example.net/.well-known/openid-configuration",
    "client_id": "cmdb",
    "client_secret_file": "/etc/salt-cmdb/oidc.secret",
}
HTTPS = "https://cmdb.example.net"


def ways(**said):
    return configured(settings.resolve(("test", said)))


WRONG = {
    "login: users: alice: Input should be a valid string": {"login": {"users": {"alice": 7}}},
    "login: users: alice has no hash of argon2; python -m webui.password makes one": {
        "login": {"users": {"alice": "hunter2"}}
    },
    "login: there is no option 'oicd'; did you mean 'oidc'?": {"login": {"oicd": OIDC}},
    "login: oidc needs public_url, where the provider sends people back": {"login": {"oidc": OIDC}},
    "login: auditors is a setting of its own, beside login": {"login": {"auditors": ["alice"]}},
    "auditors: 0: Input should be a valid string": {"auditors": [7]},
    "public_url: String should match pattern": {"public_url": "cmdb.example.net"},
}


@pytest.mark.parametrize("why", WRONG)
def test_what_is_wrong_is_named_and_what_was_given_is_not_shown(why):
    with pytest.raises(SettingsError, match=f"^{re.escape(why)}") as caught:
        ways(**WRONG[why])
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("name", ["discovery_url", "client_id", "client_secret_file"])
def test_what_oidc_needs_is_asked_for_by_its_name(name):
    said = {key: value for key, value in OIDC.items() if key != name}
    with pytest.raises(SettingsError, match=f"^login: oidc: {name} is missing$"):
        ways(login={"oidc": said}, public_url=HTTPS)


def test_a_login_that_is_no_mapping_is_refused_without_showing_it():
    with pytest.raises(SettingsError, match="login is str, but it must be a mapping"):
        ways(login="alice: hunter2")


def test_the_settings_that_the_master_shows_have_no_hash(cmdb, master_opts):
    master_opts["cmdb"]["login"] = {"users": USERS}
    rows = dict(row[:2] for row in cmdb("settings")[0]["rows"])
    assert rows["login"] == "users"
