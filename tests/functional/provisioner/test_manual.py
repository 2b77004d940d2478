"""What docs/provisioning.md says of settings and templates is so."""

import re

import yaml

from provisioner import create_app
from provisioner.profiles import Profile, configured
from provisioner.refusals import OVER
from salt_ext import settings
from tests.functional.provisioner.conftest import PROFILES
from tests.store.test_provisioning import MAC, UUID, opened
from tests.unit.docs import markdown

PAGE = "provisioning.md"


def test_the_profile_of_the_manual_is_one():
    [block] = markdown.blocks(PAGE, "yaml")
    said = yaml.safe_load(block)["cmdb_formula"]["provisioner"]["settings"]
    assert set(configured(settings.resolve(("manual", said)))) == {"rhel9"}


def test_the_manual_has_every_key_of_a_profile():
    named = re.findall(r"`(\w+)`", " ".join(row[0] for row in markdown.rows(PAGE, "key")))
    assert set(named) == set(Profile.model_fields) - {"name"}


def test_the_manual_has_every_status_and_address(app):
    statuses = {row[0] for row in markdown.rows(PAGE, "status")}
    assert statuses == {"400", "403", "404", "409", "410", "429", "503"}
    rooms = {f"/{rule.rule.split('/')[1]}" for rule in app.url_map.iter_rules()}
    text = markdown.text(PAGE)
    assert [room for room in rooms if room not in text] == []
    assert all(state in text for state in ("expired", "revoked", "no longer planned"))
    assert set(OVER) == {"done", "expired", "revoked", "closed"}


def test_the_template_of_the_manual_builds_on_ours(provision_settings, tmp_path, database):
    [block] = markdown.blocks(PAGE, "jinja")
    (tmp_path / "own").mkdir()
    (tmp_path / "own/kickstart.cfg").write_text(block)
    rhel = {**PROFILES["rhel9"], "gateway": None, "values": {"salt_master": "10.0.0.1; rm"}}
    said = {
        **provision_settings,
        "provision_templates": str(tmp_path / "own"),
        "provision_profiles": {"rhel9": rhel},
    }
    client = create_app(settings.resolve(("test", said))).test_client()
    opened(database, uuid=UUID, mac=MAC, **{"list.profile": "rhel9", "list.disk_layout": "lvm:sda"})
    script = client.get(f"/ipxe?uuid={UUID}&mac={MAC}").text
    token = script.partition("/kickstart/")[2].partition("/")[0]
    text = client.get(f"/kickstart/{token}/{UUID}/{MAC}").text
    assert "timezone Europe/Berlin --utc\n" in text
    assert "echo 'master: 10.0.0.1??rm'" in text
    assert "ignoredisk --only-use=sda\n" in text
