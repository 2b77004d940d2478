"""The provisioner in front of a real store."""

import pytest

from provisioner import create_app
from salt_ext import settings

PROFILES = {
    "debian12": {
        "installer": "cloud-init",
        "kernel": "http://10.0.0.1/debian12/vmlinuz",
        "initrd": ["http://10.0.0.1/debian12/initrd.gz"],
        "arguments": "console=ttyS0",
        "packages": ["salt-minion"],
        "ssh_keys": ["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ ops@example.net"],
    },
    "rhel9": {
        "installer": "kickstart",
        "kernel": "http://10.0.0.1/rhel9/vmlinuz",
        "initrd": ["http://10.0.0.1/rhel9/initrd.img"],
        "arguments": "inst.repo=http://10.0.0.1/rhel9",
        "gateway": "10.0.0.1/24",
        "nameservers": ["10.0.0.53"],
        "packages": ["salt-minion"],
    },
    "ubuntu2404": {
        "installer": "autoinstall",
        "kernel": "http://10.0.0.1/ubuntu/vmlinuz",
        "initrd": ["http://10.0.0.1/ubuntu/initrd"],
    },
}


@pytest.fixture
def provision_settings(tmp_path, database_url):
    return {
        "database_url": database_url,
        "provision_profiles": PROFILES,
        "provision_key_file": str(tmp_path / "provision.key"),
    }


@pytest.fixture
def app(provision_settings):
    return create_app(settings.resolve(("test", provision_settings)))


@pytest.fixture
def client(app):
    return app.test_client()
