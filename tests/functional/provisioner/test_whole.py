"""A machine from its plan to the comparison with it: commands, what it asks, and its report."""

import re

from salt_ext import store
from salt_ext.lists.installed import compare_installed
from tests.machines import arrival, now, server

UUID, MAC = "4c4c4544-0058-5910-805a-b9c04f000001", "52:54:00:00:00:01"  # of server(1)


def test_a_machine_is_planned_installed_and_compared(cmdb, client, database):
    plan = {"uuid": UUID, "mac": MAC, "hostname": "web01", "profile": "debian12", "site": "fra1"}
    assert cmdb("expected", "set", "9XYZ001", **plan)[1] == 0
    assert client.get(f"/ipxe?uuid={UUID}&mac={MAC}").status_code == 404
    assert cmdb("lifecycle", "9XYZ001", "planned", reason="new rack")[1] == 0
    assert cmdb("provision", "9XYZ001", reason="new rack")[1] == 0

    script = client.get(f"/ipxe?uuid={UUID}&mac={MAC}").text
    [token] = set(re.findall(r"/([a-z2-7]{56})/", script))
    files = f"/nocloud/{token}/{UUID}/{MAC}/"
    assert 'fqdn: "web01"\n' in client.get(f"{files}user-data").text
    assert client.post(f"/done/{token}/{UUID}/{MAC}").status_code == 200

    facts = server(1, location={"site": "dc1"})
    store.ingest(database, [arrival(facts, "web01", now())])
    assert compare_installed(database) == 1
    _, status, text = cmdb("installations")
    assert status == 0
    assert re.search(
        r"^web01 +9XYZ001 +done +debian12 .* 3 .* site: fra1 planned, dc1 reported", text, re.M
    ), text
    assert client.get(f"{files}user-data").status_code == 410
