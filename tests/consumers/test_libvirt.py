"""The domains of libvirt's own test host beside what reports, by the Python that has libvirt."""

import os
import sys
import uuid

import pytest

from salt_ext import store
from salt_ext.clouds import configured, libvirt, run
from salt_ext.clouds.instance import CloudFailed
from salt_ext.document.placeholders import uuid_spellings
from tests.consumers import obtained
from tests.machines import arrival, server
from tests.postgres import open_store

DEFAULT = "6695eb01-f6a4-8304-79aa-97f2502e193f"
"""The UUID of the one domain that ``test:///default`` has."""

HOST = "<node>{}<cpu><mhz>2000</mhz><model>x</model><active>4</active><sockets>1</sockets>"
HOST += "<cores>4</cores><threads>1</threads></cpu><memory>8192000</memory></node>"
DOMAIN = """<domain type='test'><name>{name}</name><uuid>{uuid}</uuid><memory>1024</memory>
<vcpu>1</vcpu><os><type>hvm</type></os></domain>"""


@pytest.fixture(autouse=True)
def library(monkeypatch):
    """The distribution's Python finds the library, as if it were installed."""
    if not os.access(libvirt.PYTHON, os.X_OK):
        pytest.skip("this machine has no Python of its distribution")
    home = obtained.unpacked("python3-libvirt")
    monkeypatch.setenv("PYTHONPATH", str(home / "usr/lib/python3/dist-packages"))
    monkeypatch.setenv("LD_LIBRARY_PATH", obtained.libraries(home))


@pytest.fixture
def database(database_url):
    opened = open_store(database_url, clouds={})
    yield opened
    opened.close()


def cloud(database, url, **said):
    database.settings["clouds"] = {"kvm1": {"driver": "libvirt", "url": url, **said}}
    return configured.cloud_of(database.settings, "kvm1")


def guest(number, shown):
    facts = server(number)
    facts["system"] |= {"manufacturer": "QEMU", "serial_number": None, "uuid": shown}
    facts["baseboards"] = facts["chassis"] = []
    facts["virtual"] = {"role": "guest", "hypervisor": "kvm", "evidence": ["x"], "cloud": None}
    return facts


def names(found, which):
    return [one.machine or one.facts["name"] for one in found.findings if one.list == which]


def test_the_domain_of_the_test_host_is_the_machine_that_shows_its_uuid(database):
    told = cloud(database, "test:///default")
    found = run.reconcile(database, told, "master")
    assert names(found, "unreported") == ["test"]
    swapped = uuid_spellings(DEFAULT)[1]
    store.ingest(database, [arrival(guest(1, swapped), "vm1"), arrival(server(2), "metal")])
    found = run.reconcile(database, told, "master")
    assert (found.counts["matched"], found.findings) == (1, [])
    facts = store.overview(database, store.resolve(database, "vm1"))["facts"]["instance"]
    assert (facts["cloud"], facts["id"], facts["state"]) == ("kvm1", DEFAULT, "running")
    assert facts["host"]


def test_a_domain_that_is_undefined_is_told_and_its_machine_stays(database, tmp_path):
    shown = {
        f"vm{number}": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{number}")) for number in (1, 2, 3)
    }
    file = tmp_path / "node.xml"

    def has(*those):
        domains = "".join(DOMAIN.format(name=name, uuid=shown[name]) for name in those)
        file.write_text(HOST.format(domains))

    store.ingest(database, [arrival(guest(at, shown[f"vm{at}"]), f"vm{at}") for at in (1, 2)])
    has("vm1", "vm2", "vm3")
    told = cloud(database, f"test://{file}")
    assert names(run.reconcile(database, told, "master"), "unreported") == ["vm3"]
    has("vm2", "vm3")
    found = run.reconcile(database, told, "master")
    assert names(found, "unlisted") == ["vm1"]
    assert names(found, "unreported") == ["vm3"]
    facts = store.overview(database, store.resolve(database, "vm1"))["facts"]
    assert facts["instance"]["state"] == "deleted"


@pytest.mark.parametrize(
    ("url", "said", "sentence"),
    [
        ("test:///nowhere.xml", {}, "libvirt said: "),
        ("qemu+tcp://127.0.0.1:1/system", {}, "unable to connect to server"),
        ("test:///default", {"python": "/nowhere/python"}, "there is no program /nowhere/python"),
        ("nonsense://", {}, "libvirt said: "),
    ],
)
def test_a_host_that_cannot_be_asked_makes_no_machine_missing(database, url, said, sentence):
    told = cloud(database, "test:///default")
    store.ingest(database, [arrival(guest(1, DEFAULT), "vm1")])
    run.reconcile(database, told, "master")
    with pytest.raises(CloudFailed) as caught:
        run.reconcile(database, cloud(database, url, **said), "master")
    assert sentence in str(caught.value)
    facts = store.overview(database, store.resolve(database, "vm1"))["facts"]
    assert facts["instance"]["state"] == "running"
    assert store.cloud_findings(database, "kvm1", "unlisted") == ([], 0)


def test_a_list_that_breaks_off_is_no_list():
    for text in ("", '{"name": "a"}\n', '{"name": "a"}\n{"domains": 2}\n', '{"domains": 0}\n{"na'):
        with pytest.raises(CloudFailed, match="did not tell all"):
            libvirt._lines(text)
    assert libvirt._lines('{"name": "a"}\n{"domains": 1}\n') == [{"name": "a"}]


def test_a_python_without_the_library_says_what_to_install(database, monkeypatch):
    monkeypatch.delenv("PYTHONPATH")
    told = cloud(database, "test:///default", python=sys.executable)
    with pytest.raises(CloudFailed, match="install python3-libvirt"):
        run.reconcile(database, told, "master")
