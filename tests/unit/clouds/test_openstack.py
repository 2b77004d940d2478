"""The login of OpenStack, before any cloud is asked."""

import pytest

pytest.importorskip("openstack")

from openstack.config import loader

from salt_ext.clouds.instance import CloudFailed
from salt_ext.clouds.openstack import instances


@pytest.mark.parametrize("name", ["prod", "defaults"])
def test_without_any_clouds_yaml_it_is_said_where_it_was_looked_for(monkeypatch, tmp_path, name):
    monkeypatch.setattr(loader, "CONFIG_FILES", [str(tmp_path / "clouds.yaml")])
    monkeypatch.delenv("OS_CLIENT_CONFIG_FILE", raising=False)
    with pytest.raises(CloudFailed, match="there is no clouds") as caught:
        next(instances({"cloud": name}))
    assert f"looked for in {tmp_path}" in str(caught.value)
