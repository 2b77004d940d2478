"""The servers of a real Nova, as its driver lists them, and every way in which that can fail."""

import json
import re
import uuid
from collections import Counter
from datetime import timedelta
from itertools import islice
from pathlib import Path

import pytest

from salt_ext import store
from salt_ext.clouds import configured, listing, run
from salt_ext.clouds.instance import CloudFailed
from salt_ext.document.placeholders import uuid_spellings
from salt_ext.settings import resolve
from tests.consumers import faulting
from tests.consumers import openstack as lab
from tests.machines import arrival
from tests.machines import server as hardware

pytest.importorskip("openstack", reason="openstacksdk, of the extra clouds, is not installed")

from salt_ext.clouds import openstack

pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")

MANUAL = Path(__file__).parents[2] / "docs/openstack.md"

LIVING, DELETED = 1250, 50
FEW = 60
"""Servers of the project whose listing is disturbed: all of them would take too long each time."""


def server(number, project, **fields):
    """Return the server of a number, which has a UUID of its own for ever."""
    its = {
        "uuid": str(uuid.uuid5(uuid.NAMESPACE_OID, f"server {number}")),
        "name": f"web{number:04}",
        "state": "stopped" if number % 9 == 8 else "active",
        "host": f"kvm-{number % 8}",
        "flavor": ("m1.small", "m1.large", "c2.huge")[number % 3],
        "mac": f"fa:16:3e:00:{number // 256:02x}:{number % 256:02x}",
        "address": f"10.20.{number // 256}.{number % 256}",
        "age": timedelta(minutes=LIVING + DELETED - number),
    }
    return lab.Server(project=project, **{**its, **fields})


def project_of(number):
    if number < FEW:
        return "few"
    return "bank" if number % 3 == 0 else "shop"


@pytest.fixture(scope="module")
def cloud(server_home):
    if why := lab.why_not():
        pytest.skip(why)
    nova, keystone = re.findall(r'^```yaml\n(".*?)^```', MANUAL.read_text(), re.M | re.S)
    with lab.served(server_home(), nova=nova, keystone=keystone) as served:
        served.projects = {name: served.project(name) for name in ("shop", "bank", "few")}
        served.user("inventory", served.projects["few"], "admin")
        served.user("salt-cmdb", served.projects["few"], "reader", "inventory")
        served.user("developer", served.projects["few"], "member")
        served.put(
            server(
                number,
                served.projects[project_of(number)],
                **({"state": "deleted"} if number >= LIVING else {}),
            )
            for number in range(LIVING + DELETED)
        )
        yield served


@pytest.fixture
def nova(cloud):
    """A proxy before Nova."""
    with faulting.before(cloud.compute_url) as proxy:
        yield proxy


@pytest.fixture
def few(nova, monkeypatch):
    """How to list the few servers of one project, in three pages, through the proxy."""
    monkeypatch.setattr(openstack, "PAGE", 25)
    own = {"user": "developer", "options": {"all_projects": False}}
    return {**own, "compute_endpoint_override": nova.url}


@pytest.fixture
def paris(cloud, tmp_path):
    """The cloud by a clouds.yaml with one login; ``region`` may be changed or have more."""

    def of(user="inventory", project="few", password=lab.PASSWORD, options=(), **region):
        auth = {"auth_url": cloud.auth_url, "username": user, "password": password}
        auth |= {"project_name": project, "user_domain_id": "default"}
        auth |= {"project_domain_id": "default"}
        said = {"auth": auth, "region_name": "RegionOne", **region}
        file = tmp_path / "clouds.yaml"
        file.write_text(json.dumps({"clouds": {"lab": said}}))  # which is YAML
        own = {"driver": "openstack", "cloud": "lab", "file": str(file), **dict(options)}
        settings = resolve(("test", {"clouds": {"paris": own}}))
        return configured.cloud_of(settings, "paris")

    return of


@pytest.fixture
def told(paris):
    """List all servers."""
    return lambda **how: listing.everything(paris(**how))


@pytest.fixture
def failure(told):
    """Return what is said when the cloud cannot be listed, and the advice."""

    def fail(**how):
        with pytest.raises(CloudFailed) as caught:
            told(**how)
        said = f"{caught.value}\n{caught.value.hint}"
        assert "paris" in said
        assert listing.NOTHING_DONE in said
        assert lab.PASSWORD not in said
        return said

    return fail


def is_of_servers(path):
    return "/servers/detail?" in path


def test_each_server_is_told_with_what_the_inventory_keeps_of_it(cloud, few, told):
    found = {one.id: one for one in told(**{**few, "user": "inventory"})}
    assert Counter(one.state for one in found.values()) == {
        "running": FEW - FEW // 9,
        "stopped": FEW // 9,
    }
    one = found[server(7, "").uuid]
    assert one._asdict() == {
        "id": server(7, "").uuid,
        "uuid": server(7, "").uuid,
        "name": "web0007",
        "state": "running",
        "provider": "openstack",
        "project": cloud.projects["few"],
        "project_name": "few",
        "flavor": "m1.large",
        "zone": "nova",
        "host": "kvm-7",
        "image": None,
        "region": "RegionOne",
        "created_at": one.created_at,
        "addresses": ("10.20.0.7",),
    }
    assert one.created_at.endswith("Z")


def test_who_is_no_administrator_lists_its_own_project_if_that_is_said(few, told, failure):
    said = failure(**{**few, "options": {}})
    assert "(403)" in said
    assert "all_projects: false" in said
    found = told(**few)
    assert {one.project_name for one in found} == {"few"}
    assert len(found) == FEW
    assert {one.host for one in found} == {None}  # which Nova does not tell them


def test_the_role_of_the_manual_and_an_application_credential_are_enough(cloud, few, paris):
    made = cloud.application_credential("salt-cmdb", "few")
    auth = {"auth_url": cloud.auth_url, "application_credential_id": made[0]}
    auth["application_credential_secret"] = made[1]
    login = paris(auth_type="v3applicationcredential", auth=auth)
    found = [*islice(openstack.instances(login.options), 100)]
    assert {one.project_name for one in found} == {"few", "bank", "shop"}
    assert {one.host for one in found} == {f"kvm-{number}" for number in range(8)}


@pytest.mark.parametrize("keyword", ["password", "user"])
def test_a_wrong_login_is_said_and_no_secret(failure, keyword):
    said = failure(**{keyword: "not-this-one"})
    assert "refuses the name or the secret" in said
    assert "not-this-one" not in said
    assert "clouds.yaml" in said


def test_a_cloud_a_region_and_a_file_that_are_not_there_are_said(failure):
    assert "did you mean 'lab'?" in failure(options={"cloud": "labb"})
    assert "Mars" in failure(region_name="Mars")
    assert "there is no file /nowhere" in failure(options={"file": "/nowhere"})
    assert "no Nova" in failure(compute_endpoint_override="http://127.0.0.1:9/v2.1")


def in_page_two(answer):
    """Return a fault of the second page of servers: of status and body, ``answer`` makes others."""
    pages = []

    def fault(number, path, status, body):
        if is_of_servers(path):
            pages.append(path)
            if len(pages) == 2:
                return answer(status, body)
        return status, body

    return fault


@pytest.mark.parametrize(
    ("answer", "told_of_it"),
    [
        pytest.param(lambda status, body: (500, b"{}"), "it answered 500", id="500"),
        pytest.param(lambda status, body: (503, b"busy"), "it answered 503", id="503"),
        pytest.param(lambda status, body: (401, b"{}"), "", id="a token that expires"),
        pytest.param(lambda status, body: (200, len(body) // 2), "IncompleteRead", id="cut"),
        pytest.param(
            lambda status, body: (200, body[: len(body) // 2]), "not what Nova", id="half of JSON"
        ),
        pytest.param(lambda status, body: (200, b"{}"), "not what Nova", id="no servers"),
        pytest.param(lambda status, body: (200, b"[1]"), "not what Nova", id="another shape"),
        pytest.param(lambda status, body: (200, None), "no answer came in time", id="silence"),
    ],
)
def test_page_two_breaks(nova, few, told, failure, answer, told_of_it):
    nova.fault = in_page_two(answer)
    if told_of_it:
        said = failure(**few, api_timeout=5)
        assert told_of_it in said
        assert "Nova listed 25 servers, and then" in said
    else:  # openstacksdk logs in again, and asks for that page again
        assert len(told(**few)) == FEW


def test_a_page_that_was_cut_and_still_is_json_costs_no_server(nova, few, told):
    def shorten(content):
        del content["servers"][10:]  # its link leads past those that are missing

    nova.fault = in_page_two(lambda status, body: (status, faulting.changed(body, shorten)))
    assert len(told(**few)) == FEW

    def last(content):
        shorten(content)
        del content["servers_links"]

    nova.fault = in_page_two(lambda status, body: (status, faulting.changed(body, last)))
    assert len(told(**few)) == FEW


def test_a_page_that_comes_again_and_again_is_no_list(nova, few, failure):
    first = []

    def repeat(number, path, status, body):
        if is_of_servers(path):
            first.append(body)
            return status, first[0]
        return status, body

    nova.fault = repeat
    assert "the same page" in failure(**few)


def test_a_token_that_is_refused_for_good_is_said(nova, few, failure):
    nova.fault = lambda number, path, status, body: (
        (401, b"{}") if is_of_servers(path) else (status, body)
    )
    assert "(401)" in failure(**few)


def test_servers_of_a_cell_that_does_not_answer_are_not_gone(cloud, few, failure):
    number = LIVING + DELETED
    away = [server(number, cloud.projects["few"], host="far-1")]
    with cloud.cell_away(away) as url:
        # Nova itself says nothing of it: it answers 200 and lists the servers of other cells.
        assert "a cell of its Nova does not answer" in failure(compute_endpoint_override=url)
        own = {**few, "compute_endpoint_override": url}
        assert "a cell of its Nova does not answer" in failure(**own)


def guest(number, project=None, shown=None):
    """
    Return what the agent of a server tells; every other one has the UUID in the other byte order.

    With a project its metadata service answers.
    """
    shown = shown or uuid_spellings(server(number, "").uuid)[number % 2]
    facts = hardware(number)
    names = {"manufacturer": "OpenStack Foundation", "product_name": "OpenStack Nova"}
    facts["system"] |= {**names, "serial_number": shown, "uuid": shown}
    facts["baseboards"] = facts["chassis"] = []
    place = {"provider": "openstack", "instance_id": shown, "instance_type": None}
    facts["virtual"] = {"role": "guest", "hypervisor": "kvm", "evidence": ["x"], "cloud": place}
    if project:
        facts["cloud"] = {"provider": "openstack", "instance_id": shown, "account_id": project}
    return facts


def report(database, facts_by_name):
    reports = [arrival(facts, name) for name, facts in facts_by_name.items()]
    for at in range(0, len(reports), 100):
        outcomes = store.ingest(database, reports[at : at + 100])
        assert {one.status for one in outcomes} == {"new"}


def left(found, which):
    return {
        one.machine or one.facts["name"]: one.why for one in found.findings if one.list == which
    }


def section(database, name):
    return store.overview(database, store.resolve(database, name))["facts"].get("instance")


def test_both_lists_are_exact(cloud, nova, paris, database):
    silent = {number for number in range(LIVING) if number % 25 == 0}
    reporting = {*range(LIVING + 10)} - silent
    ours = cloud.projects["shop"]
    elsewhere = "0123456789abcdef0123456789abcdef"
    others = {
        "unknown1": guest(2001, ours),
        "unknown2": guest(2002, ours),
        "elsewhere": guest(2003, elsewhere),  # a project that this cloud has not
        "mute": guest(2004),  # may be of any cloud
        "iron": hardware(2005),
    }
    report(database, {f"web{number:04}": guest(number) for number in sorted(reporting)} | others)
    found = run.reconcile(database, paris(compute_endpoint_override=nova.url), "master")
    pages = [path for path in nova.asked if is_of_servers(path) and "deleted=" not in path]
    assert len(pages) == LIVING // lab.LONGEST_PAGE + 2  # and one that says that there is no more
    assert found.counts == {
        "instances": LIVING,
        "deleted": DELETED,
        "matched": LIVING - len(silent),
        "unreported": len(silent),
        "unlisted": 10 + 2,
        "tied": 0,
    }
    assert left(found, "unreported") == {
        f"web{number:04}": "no machine reports its id" for number in silent
    }
    assert left(found, "unlisted") == {
        **{
            f"web{number:04}": "the cloud lists its instance as deleted"
            for number in range(LIVING, LIVING + 10)
        },
        **dict.fromkeys(("unknown1", "unknown2"), "the cloud lists no instance with its id"),
    }
    for number in (101, 102):  # in one byte order and in the other
        known = section(database, f"web{number:04}")
        assert known["id"] == server(number, "").uuid
        assert known["host"] == f"kvm-{number % 8}"
        assert known["project_name"] == project_of(number)
        assert known["project"] == cloud.projects[project_of(number)]


@pytest.fixture
def watched(database, few, paris):
    """A store that has all servers of the few but two, and was compared with them once."""
    report(database, {f"web{number:04}": guest(number) for number in range(FEW - 2)})
    found = run.reconcile(database, paris(**few), "master")
    assert (found.counts["matched"], found.counts["unlisted"]) == (FEW - 2, 0)
    return database


@pytest.mark.parametrize("answer", [(500, b"{}"), (200, 1000), (200, b"{}")])
def test_of_a_listing_that_breaks_nothing_is_stored_and_nothing_is_gone(
    watched, nova, few, paris, answer
):
    before = section(watched, "web0007")
    unreported = store.cloud_findings(watched, "paris", "unreported")
    nova.fault = in_page_two(lambda status, body: answer)
    with pytest.raises(CloudFailed, match="Nova listed 25 servers, and then"):
        run.reconcile(watched, paris(**few), "master")
    assert section(watched, "web0007") == before
    assert store.cloud_findings(watched, "paris", "unlisted") == ([], 0)
    assert store.cloud_findings(watched, "paris", "unreported") == unreported
    [row] = store.clouds(watched)
    assert "Nova listed 25 servers, and then" in row["failure"]
    nova.fault = None
    assert run.reconcile(watched, paris(**few), "master").counts["unlisted"] == 0
    assert store.clouds(watched)[0]["failure"] is None


def test_a_migration_and_a_deletion_are_told_with_what_was_before(cloud, watched, few, paris):
    admin = paris(**{**few, "user": "inventory"})
    run.reconcile(watched, admin, "master")
    assert section(watched, "web0003")["host"] == "kvm-3"
    cloud.change("web0003", host="kvm-9", node="kvm-9")
    cloud.change("web0004", vm_state="deleted", deleted=4 + 1)
    try:
        found = run.reconcile(watched, admin, "master")
    finally:
        cloud.change("web0003", host="kvm-3", node="kvm-3")
        cloud.change("web0004", vm_state="active", deleted=0)
    assert found.news == 2
    assert section(watched, "web0003")["host"] == "kvm-9"
    assert section(watched, "web0004")["state"] == "deleted"
    assert left(found, "unlisted") == {"web0004": "the cloud lists its instance as deleted"}


def test_a_login_that_is_told_no_hosts_erases_none(watched, few, paris):
    assert "host" not in section(watched, "web0003")
    run.reconcile(watched, paris(**{**few, "user": "inventory"}), "master")
    assert run.reconcile(watched, paris(**few), "master").news == 0
    assert section(watched, "web0003")["host"] == "kvm-3"
