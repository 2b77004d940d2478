"""A cloud that does not tell all of its instances tells nothing, and no secret."""

import sys

import pytest

from salt_ext import settings
from salt_ext.clouds.configured import cloud_of
from salt_ext.clouds.instance import CloudFailed, Instance, harmless
from salt_ext.clouds.listing import everything
from tests.unit.clouds.made_up import PROJECT

OURS = "tests.unit.clouds.made_up.driver"


def cloud(**said):
    return cloud_of(settings.resolve(("/etc/salt/master", {"clouds": {"lab": said}})), "lab")


def refused(**said):
    with pytest.raises(settings.SettingsError) as caught:
        cloud(**said)
    return str(caught.value)


def test_a_function_of_the_site_lists_its_instances():
    found = everything(cloud(driver=OURS, count=3))
    assert [one.name for one in found] == ["vm0", "vm1", "vm2"]
    assert found[0].facts("lab") == {
        "cloud": "lab",
        "id": found[0].id,
        "name": "vm0",
        "state": "running",
        "project": PROJECT,
        "project_name": None,
        "flavor": None,
        "zone": None,
        "host": None,
        "image": None,
        "region": None,
        "created_at": None,
        "addresses": [],
    }


def test_an_error_after_a_thousand_instances_is_an_error_without_secrets():
    said = {"secret_error": "s3cr3t-of-ours", "url": "https://cmdb:hunter22@cloud:5000/v3"}
    with pytest.raises(CloudFailed) as caught:
        everything(cloud(driver=OURS, count=1000, **said))
    text = f"{caught.value} {caught.value.hint}"
    assert "the cloud lab did not list all of its instances: OSError: 401 for (not shown)" in text
    assert "no machine counts as gone" in text
    assert "s3cr3t" not in text
    assert "hunter22" not in text


def test_a_driver_that_is_not_there_is_a_mistake_in_the_settings():
    with pytest.raises(settings.SettingsError, match=r"clouds: lab: 'no\.such\.driver' cannot"):
        everything(cloud(driver="no.such.driver"))


def test_mistakes_in_the_setting_are_told_and_no_secret_is():
    assert "it needs a driver" in refused(region="x")
    assert "did you mean 'openstack'?" in refused(driver="openstak")
    assert "the driver openstack needs cloud" in refused(driver="openstack")
    assert "did you mean 'region'?" in refused(driver="ec2", region="x", regin="y")
    told = refused(driver="ec2", region="x", secret_key="sdb://vault/aws")
    assert "secret_key" in told
    assert "vault" not in told
    with pytest.raises(settings.SettingsError, match="did you mean 'lab'"):
        cloud_of(settings.resolve(("m", {"clouds": {"lab": {"driver": OURS}}})), "lba")
    with pytest.raises(settings.SettingsError) as caught:
        settings.resolve(("m", {"clouds": "password"}))
    assert "password" not in str(caught.value)


def test_what_another_system_says_of_an_instance_is_made_harmless():
    told = Instance(
        "i-1", name="a\x00b\x1b[31m" + "x" * 999, uuid="0" * 32, addresses=["", 7, None]
    )
    one = harmless(told)
    assert one.name.isprintable()
    assert len(one.name) == 255
    assert one.uuid is None
    assert one.addresses == ("7",)
    for wrong in (None, "", "x" * 256):
        with pytest.raises(CloudFailed, match="whose id is no id"):
            harmless(Instance(wrong))


def test_the_library_of_a_driver_that_is_not_installed_is_named_with_what_brings_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "keystoneauth1", None)  # as where nobody has installed it
    monkeypatch.delitem(sys.modules, "salt_ext.clouds.openstack", raising=False)
    with pytest.raises(settings.SettingsError, match=r"keystoneauth1.*salt-cmdb\[clouds\]"):
        everything(cloud(driver="openstack", cloud="paris"))
