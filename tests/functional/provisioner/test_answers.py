"""What a machine gets that is to be installed, from the first script to the last word."""

import json
import re
from datetime import timedelta

import pytest
import sqlalchemy as sa
import yaml

from salt_ext import store
from salt_ext.store.schema import installation
from tests.store.test_provisioning import ACT, MAC, OTHER_UUID, UUID, opened

KEYS = f"uuid={UUID}&mac={MAC}"
FILES = ("meta-data", "user-data", "vendor-data", "network-config")


def script(client, query=KEYS):
    answer = client.get(f"/ipxe?{query}")
    assert answer.status_code == 200, answer.text
    return answer.text


def token(text):
    [found] = set(re.findall(r"/([a-z2-7]{56})/", text))
    return found


def where(client):
    """What stands behind the token in an address: of the machine that is planned."""
    return f"{token(script(client))}/{UUID}/{MAC}"


def test_a_planned_machine_gets_a_script_with_a_token_that_it_completes_itself(client, database):
    opened(database, uuid=UUID, mac=MAC)
    text = script(client)
    assert text.startswith("#!ipxe\n")
    url = f"http://localhost/nocloud/{token(text)}/${{uuid}}/${{netX/mac}}/"
    assert f"vmlinuz initrd=initrd1 ds=nocloud-net;s={url} console=ttyS0\n" in text
    assert "initrd --name initrd1 http://10.0.0.1/debian12/initrd.gz\n" in text


def test_one_token_is_good_for_any_number_of_files_until_the_machine_says_done(client, database):
    opened(database, uuid=UUID, mac=MAC)
    keys = where(client)
    for _ in range(3):
        for name in FILES:
            assert client.get(f"/nocloud/{keys}/{name}").status_code == 200
    assert token(script(client)) == keys.partition("/")[0]
    assert client.post(f"/done/{keys}", data=b"instance_id=x").status_code == 200
    # It has not heard the answer.
    assert client.post(f"/done/{keys}").status_code == 200
    for name in FILES:
        assert client.get(f"/nocloud/{keys}/{name}").status_code == 410
    answer = client.get(f"/ipxe?{KEYS}")
    assert (answer.status_code, answer.mimetype) == (410, "text/plain")
    assert "installed already" in answer.text


def test_the_files_of_cloud_init_say_what_is_planned(client, database):
    row = opened(database, uuid=UUID, mac=MAC)
    keys = where(client)
    found = {name: client.get(f"/nocloud/{keys}/{name}").text for name in FILES}
    assert yaml.safe_load(found["meta-data"]) == {
        "instance-id": str(row["id"]),
        "local-hostname": "new1.example",
    }
    user = yaml.safe_load(found["user-data"])
    assert found["user-data"].startswith("#cloud-config\n")
    assert (user["hostname"], user["fqdn"]) == ("new1", "new1.example")
    assert user["phone_home"]["url"] == f"http://localhost/done/{keys}"
    network = yaml.safe_load(found["network-config"])
    assert network["ethernets"]["installed"] == {"match": {"macaddress": MAC}, "dhcp4": True}


@pytest.mark.parametrize(
    "name", ["0012", "0x1f", "123456", "on", "no", "10.5", "2024-01-01", "yes.example.net"]
)
@pytest.mark.parametrize("profile", ["debian12", "ubuntu2404"])
def test_a_name_that_yaml_would_take_for_another_kind_stays_a_name(client, database, name, profile):
    plan = {"hostname": name, "list.profile": profile, "list.disk_layout": "lvm:sda"}
    opened(database, uuid=UUID, mac=MAC, **plan)
    keys = where(client)
    meta, user = (yaml.safe_load(client.get(f"/nocloud/{keys}/{file}").text) for file in FILES[:2])
    assert meta["local-hostname"] == name
    user = user["autoinstall"]["user-data"] if "autoinstall" in user else user
    assert (user["hostname"], user["fqdn"]) == (name.partition(".")[0], name)


def test_autoinstall_takes_no_disk_by_a_link_which_it_would_never_find(client, database):
    said = {"list.profile": "ubuntu2404", "list.disk_layout": "lvm:disk/by-id/wwn-0x5000c500a1"}
    opened(database, uuid=UUID, mac=MAC, **said)
    answer = client.get(f"/ipxe?{KEYS}")
    assert (answer.status_code, "only by the name that the kernel" in answer.text) == (409, True)
    assert "disk_layout=lvm:sda" in answer.text


def test_an_installation_that_is_finished_does_not_fail_for_telling_it(client, database):
    opened(
        database,
        uuid=UUID,
        mac=MAC,
        **{"list.profile": "ubuntu2404", "list.disk_layout": "lvm:sda"},
    )
    user = yaml.safe_load(client.get(f"/nocloud/{where(client)}/user-data").text)
    [command] = user["autoinstall"]["late-commands"]
    assert command.endswith(" || true")


def test_a_kickstart_wipes_the_disk_of_the_plan_and_no_other(client, database):
    opened(database, uuid=UUID, mac=MAC, **{"list.profile": "rhel9", "list.disk_layout": "lvm:sdb"})
    lines = client.get(f"/kickstart/{where(client)}").text.splitlines()
    # A token may have any letters.
    assert {line for line in lines if "sd" in line and not line.startswith("curl ")} == {
        "ignoredisk --only-use=sdb",
        "clearpart --all --initlabel --drives=sdb",
    }
    assert "autopart --type=lvm" in lines


def test_a_planned_address_outside_of_the_network_of_the_profile_is_told(client, database):
    opened(database, uuid=UUID, mac=MAC, address="127.0.0.1", **{"list.profile": "rhel9"})
    answer = client.get(f"/ipxe?{KEYS}")
    assert (answer.status_code, "is not in 10.0.0.0/24" in answer.text) == (409, True)


def test_without_a_disk_in_the_plan_there_is_no_kickstart(client, database):
    opened(database, uuid=UUID, mac=MAC, **{"list.profile": "rhel9"})
    answer = client.get(f"/kickstart/{where(client)}")
    assert answer.status_code == 409
    assert "nothing wipes a disk that nobody has named" in answer.text


def test_an_installer_of_the_site_gets_all_as_json(client, database):
    row = opened(database, uuid=UUID, mac=MAC, **{"list.disk_layout": "plain:nvme0n1"})
    answer = client.get(f"/json/{where(client)}")
    # Its addresses have the token in them.
    assert answer.headers["Cache-Control"] == "no-store"
    said = answer.json
    assert said["installation"] == str(row["id"])
    assert said["disk_layout"] == {"name": "plain", "disk": "nvme0n1"}
    assert said["profile"]["packages"] == ["salt-minion"]


@pytest.mark.parametrize(
    ("uuid", "mac"), [(OTHER_UUID, MAC), (UUID, "52:54:00:00:00:09")], ids=["uuid", "mac"]
)
def test_another_machine_with_that_token_gets_nothing(client, database, uuid, mac):
    opened(database, uuid=UUID, mac=MAC)
    one = token(script(client))
    for path in ("kickstart", "json", "nocloud"):
        name = "/user-data" if path == "nocloud" else ""
        answer = client.get(f"/{path}/{one}/{uuid}/{mac}{name}")
        assert (answer.status_code, answer.mimetype) == (403, "text/plain")
    assert client.post(f"/done/{one}/{uuid}/{mac}").status_code == 403
    assert client.get(f"/json/{one}/{UUID}/{MAC}").status_code == 200


def test_a_machine_planned_by_its_mac_alone_is_bound_to_the_uuid_that_asked_first(client, database):
    opened(database, mac=MAC)
    one = token(script(client))
    answer = client.get(f"/ipxe?uuid={OTHER_UUID}&mac={MAC}")
    assert (answer.status_code, "the UUID of" in answer.text) == (403, True)
    assert client.get(f"/json/{one}/{OTHER_UUID}/{MAC}").status_code == 403


def test_a_planned_address_is_that_from_which_the_machine_asks(client, database):
    opened(database, uuid=UUID, mac=MAC, address="10.0.0.5")
    assert client.get(f"/ipxe?{KEYS}").status_code == 403
    there = {"REMOTE_ADDR": "10.0.0.5"}
    assert client.get(f"/ipxe?{KEYS}", environ_base=there).status_code == 200


def test_anaconda_that_sends_the_macs_of_another_machine_gets_nothing(client, database):
    opened(database, uuid=UUID, mac=MAC, **{"list.disk_layout": "lvm:sda", "list.profile": "rhel9"})
    path = f"/kickstart/{where(client)}"
    for number, value, status in ((0, f"eth0 {MAC}", 200), (1, "eth0 52:54:00:00:00:09", 403)):
        headers = {f"X-RHN-Provisioning-MAC-{number}": value}
        assert client.get(path, headers=headers).status_code == status


def test_a_machine_that_nobody_has_opened_is_unknown(client):
    answer = client.get(f"/ipxe?{KEYS}&serial=9XYZ001")
    assert answer.status_code == 404
    assert f"UUID {UUID} MAC {MAC} from 127.0.0.1 serial 9XYZ001" in answer.text
    assert "salt-run cmdb.provision" in answer.text


def test_keys_of_two_open_installations_are_ambiguous_and_both_are_named(client, database):
    opened(database, "NEW1", uuid=UUID)
    opened(database, "NEW2", mac=MAC)
    answer = client.get(f"/ipxe?{KEYS}")
    assert answer.status_code == 409
    assert "new1.example with" in answer.text
    assert "new2.example with" in answer.text


def test_an_installation_that_is_over_answers_nobody_nor_when_it_is_planned_again(client, database):
    row = opened(database, uuid=UUID, mac=MAC)
    keys = where(client)
    store.set_lifecycle(database, row["asset_id"], "active", ACT)
    assert client.get(f"/json/{keys}").status_code == 410
    store.set_lifecycle(database, row["asset_id"], "planned", ACT)
    answer = client.get(f"/json/{keys}")
    assert (answer.status_code, "revoked" in answer.text) == (410, True)


def test_an_installation_ends_by_itself(client, database):
    opened(database, uuid=UUID, mac=MAC, valid=timedelta(microseconds=1))
    answer = client.get(f"/ipxe?{KEYS}")
    assert (answer.status_code, "too long" in answer.text) == (410, True)


def test_a_token_that_we_have_not_signed_is_none(client, database):
    opened(database, uuid=UUID, mac=MAC)
    one = token(script(client))
    forged = one[:-1] + ("a" if one[-1] != "a" else "b")
    for wrong in (forged, "a" * 56, "a", one.upper() + "a", "é" * 56):
        assert client.get(f"/json/{wrong}/{UUID}/{MAC}").status_code == 404


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("hostname", "web 01; rm -rf", "no host name that is one: web?01??rm?-rf"),
        ("disk_layout", "lvm:$(x)", "the disk layout lvm:??x? is none: it names no disk"),
        ("disk_layout", "zfs:sda", "the disk layout zfs:sda is none: there is no layout of this"),
    ],
)
def test_what_is_wrong_with_a_plan_is_said_on_the_console(client, database, field, value, why):
    row = opened(database, uuid=UUID, mac=MAC)
    # As an older version has opened it: ours opens no such plan.
    with database.begin() as link:
        is_it = installation.c.id == row["id"]
        link.execute(
            sa.update(installation).where(is_it).values(plan={**row["plan"], field: value})
        )
    answer = client.get(f"/ipxe?{KEYS}")
    assert (answer.status_code, why in answer.text) == (409, True), answer.text
    assert why in client.get(f"/why?{KEYS}").text
    assert "cmdb.provision ... revoke=True and salt-run cmdb.provision ... again" in answer.text


def test_a_profile_that_is_not_set_is_named_with_the_nearest(client, database):
    opened(database, uuid=UUID, mac=MAC, **{"list.profile": "debian11"})
    answer = client.get(f"/ipxe?{KEYS}")
    assert (answer.status_code, "did you mean 'debian12'?" in answer.text) == (409, True)
    assert "did you mean ?debian12??" in client.get(f"/why?{KEYS}").text


def test_what_boots_first_asks_for_the_machine_and_then_why(client):
    text = client.get("/boot.ipxe").text
    assert text.startswith("#!ipxe\n")
    assert "http://localhost/ipxe?${shown} || chain" in text


def test_why_is_a_script_that_says_it_on_the_console(client, database):
    answer = client.get(f"/why?{KEYS}")
    assert (answer.status_code, answer.text[:6]) == (200, "#!ipxe")
    assert (
        f"echo salt-cmdb: 404 no installation is open for UUID {UUID} MAC {MAC} from 127.0.0.1\n"
        in answer.text
    )
    opened(database, uuid=UUID, mac=MAC)
    assert "may be installed" in client.get(f"/why?{KEYS}").text


@pytest.mark.parametrize("path", ["/", "/ipxe/", "/nocloud/x/y/z/evil", "/kickstart", "//ipxe"])
def test_there_is_no_other_address(client, path):
    assert client.get(path).status_code in (400, 404)


def test_only_done_is_posted(client):
    answer = client.post("/ipxe")
    assert (answer.status_code, answer.mimetype) == (405, "text/plain")
    assert client.get(f"/done/{'a' * 56}/{UUID}/{MAC}").status_code == 405


def test_while_the_store_is_away_that_is_said_and_nothing_else(app, client, provision_settings):
    app.extensions["database"].close()
    broken = {**provision_settings, "database_url": "postgresql+psycopg2://x:secret@127.0.0.1:1/x"}
    from provisioner import create_app
    from salt_ext import settings

    away = create_app(settings.resolve(("test", broken))).test_client()
    answer = away.get(f"/ipxe?{KEYS}")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    assert "127.0.0.1" not in answer.text
    assert "secret" not in answer.text
    assert away.get(f"/why?{KEYS}").text.startswith("#!ipxe\n")
    assert away.get("/readyz").status_code == 503
    assert json.dumps(answer.text)
