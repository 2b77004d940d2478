"""The instances of a real moto server beside what reports: several pages, and terminated ones."""

import subprocess
import time

import pytest
import requests

from salt_ext import store
from salt_ext.clouds import configured, run
from salt_ext.clouds.instance import CloudFailed
from tests.consumers import faulting, obtained
from tests.machines import arrival, later, server
from tests.postgres import free_port, open_store

pytest.importorskip("boto3", reason="boto3, of the extra clouds, is not installed")

import boto3
from botocore.config import Config

from salt_ext.clouds import ec2
from tests.patience import PATIENCE_SECONDS

SECRET = "a-secret-key-of-ours"
REGION, ACCOUNT = "eu-central-1", "123456789012"
LIVING, TERMINATED = 230, 20
REPORTING = 210
"""So many of the living instances report; of the terminated ones all do."""

EACH, PAGE = 10, 10
"""Instances of a reservation, and reservations of a page: moto counts these, EC2 the instances."""


@pytest.fixture(scope="module")
def url(server_home):
    """The address of a moto server."""
    programs = obtained.environment("moto", "moto[server]==5.2.*")
    port = free_port()
    command = [programs / "moto_server", "-H", "127.0.0.1", "-p", str(port)]
    with open(server_home() / "moto.log", "w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
    address = f"http://127.0.0.1:{port}"
    try:
        until = time.monotonic() + PATIENCE_SECONDS
        while not answers(address):
            assert process.poll() is None, log.name
            assert time.monotonic() < until, log.name
            time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait()


def answers(address):
    try:
        return requests.get(f"{address}/moto-api/data.json", timeout=5).ok
    except requests.ConnectionError:
        return False


@pytest.fixture(scope="module")
def client(url):
    keys = {"aws_access_key_id": "AKIA", "aws_secret_access_key": SECRET}
    return boto3.client("ec2", endpoint_url=url, region_name=REGION, **keys)


@pytest.fixture(scope="module")
def fleet(client):
    """The ids of the instances, the terminated ones last."""
    image = client.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    made: list[dict] = []
    while len(made) < LIVING + TERMINATED:
        answer = client.run_instances(ImageId=image, MinCount=EACH, MaxCount=EACH)
        made += answer["Instances"]
    ids = [one["InstanceId"] for one in made]
    client.create_tags(Resources=ids[:1], Tags=[{"Key": "Name", "Value": "shop <1>"}])
    client.stop_instances(InstanceIds=ids[1:2])
    client.terminate_instances(InstanceIds=ids[LIVING:])
    return ids


@pytest.fixture(autouse=True)
def small_pages(monkeypatch):
    monkeypatch.setattr(ec2, "PAGE", PAGE)
    # Nothing of the machine's own login may be used.
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, "/nowhere")


@pytest.fixture
def database(database_url):
    opened = open_store(database_url, clouds={})
    yield opened
    opened.close()


def cloud(database, url, **said):
    said = {"driver": "ec2", "region": REGION, "access_key": "AKIA", "secret_key": SECRET, **said}
    database.settings["clouds"] = {"aws": {"url": url, **said}}
    return configured.cloud_of(database.settings, "aws")


def guest(number, instance, **service):
    """The facts of an instance of EC2; of what its metadata service says what is given."""
    facts = server(number)
    facts["system"] |= {"manufacturer": "Amazon EC2", "product_name": "t3.large"}
    facts["baseboards"] = facts["chassis"] = []
    place = {"provider": "ec2", "instance_id": instance, "instance_type": "t3.large"}
    facts["virtual"] = {"role": "guest", "hypervisor": "amazon", "evidence": ["x"], "cloud": place}
    if service:
        facts["cloud"] = {"provider": "ec2", "instance_id": instance, **service}
    return facts


def report(database, ids, first=0, **service):
    made = [
        arrival(guest(number, one, **service), f"vm{number:04}", later(minutes=-5))
        for number, one in enumerate(ids, first)
    ]
    store.ingest(database, made)


def left(found, which):
    return {one.machine or one.facts["id"] for one in found.findings if one.list == which}


def test_both_lists_are_exact_over_several_pages_with_terminated_instances(database, url, fleet):
    report(database, [*fleet[:REPORTING], *fleet[LIVING:]])
    ours = {"account_id": ACCOUNT, "region": REGION}
    report(database, ["i-0deadbeef00000001"], 5000, **ours)
    report(database, ["i-0deadbeef00000002"], 5001, **{**ours, "account_id": "999999999999"})
    report(database, ["i-0deadbeef00000003"], 5002, **{**ours, "region": "us-east-1"})
    report(database, ["i-0deadbeef00000004"], 5003)
    with faulting.before(url) as proxy:
        found = run.reconcile(database, cloud(database, proxy.url), "master")
    assert len(proxy.asked) == 3
    assert found.counts == {
        "instances": LIVING,
        "deleted": TERMINATED,
        "matched": REPORTING,
        "unreported": LIVING - REPORTING,
        "unlisted": TERMINATED + 1,
        "tied": 0,
    }
    assert left(found, "unreported") == {*fleet[REPORTING:LIVING]}
    gone = {f"vm{REPORTING + number:04}" for number in range(TERMINATED)}
    assert left(found, "unlisted") == {*gone, "vm5000"}
    facts = store.overview(database, store.resolve(database, "vm0000"))["facts"]["instance"]
    assert (facts["name"], facts["state"]) == ("shop <1>", "running")
    assert (facts["project"], facts["region"], facts["id"]) == (ACCOUNT, REGION, fleet[0])
    assert {"flavor", "zone", "image", "created_at", "addresses"} <= facts.keys()
    stopped = store.overview(database, store.resolve(database, "vm0001"))["facts"]["instance"]
    assert stopped["state"] == "stopped"
    again = run.reconcile(database, cloud(database, url), "master")
    assert (again.news, again.counts) == (0, found.counts)


def test_a_region_without_instances_is_no_reason_to_call_all_of_them_gone(database, url, fleet):
    report(database, fleet[:3])
    run.reconcile(database, cloud(database, url), "master")
    with pytest.raises(CloudFailed, match=r"3 machines are instances .* lists no instance at all"):
        run.reconcile(database, cloud(database, url, region="eu-north-1"), "master")
    assert store.cloud_findings(database, "aws", "unlisted") == ([], 0)


def test_a_server_that_is_away_is_told_without_a_secret(database, fleet):
    nobody = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(CloudFailed) as caught:
        run.reconcile(database, cloud(database, nobody), "master")
    text = f"{caught.value} {caught.value.hint}"
    assert "Could not connect" in text
    assert SECRET not in text
    [row] = store.clouds(database)
    assert SECRET not in row["failure"]
    assert row["listed_at"] is None


def from_page_two(answer):
    """A fault of each page behind the first, however often it is asked for."""
    return lambda number, path, status, body: answer(body) if number > 1 else (status, body)


REFUSAL = b"""<?xml version="1.0"?><Response><Errors><Error><Code>AuthFailure</Code>
<Message>not able to validate the provided access credentials</Message></Error></Errors></Response>
"""
FAULTS = {
    "500": from_page_two(lambda body: (500, b"")),
    "half a page": from_page_two(lambda body: (200, body[: len(body) // 2])),
    "a body that breaks off": from_page_two(lambda body: (200, len(body) // 2)),
    "nothing": from_page_two(lambda body: (200, b"")),
    "another page": from_page_two(lambda body: (200, b"<html/>")),
    "silence": from_page_two(lambda body: (200, None)),
    "no list": from_page_two(lambda body: (200, b"<DescribeInstancesResponse/>")),
    "AuthFailure": lambda number, path, status, body: (401, REFUSAL),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_page_that_breaks_off_makes_no_machine_missing(database, url, fleet, monkeypatch, name):
    report(database, fleet[:3])
    run.reconcile(database, cloud(database, url), "master")
    before = store.cloud_findings(database, "aws", "unreported")
    monkeypatch.setattr(ec2, "ASKING", ec2.ASKING.merge(Config(read_timeout=2)))
    with faulting.before(url) as proxy:
        proxy.fault = FAULTS[name]
        with pytest.raises(CloudFailed) as caught:
            run.reconcile(database, cloud(database, proxy.url), "master")
        assert len(proxy.asked) >= (1 if name == "AuthFailure" else 2)
    text = f"{caught.value} {caught.value.hint}"
    assert "did not list all of its instances" in text
    assert SECRET not in text
    if name == "AuthFailure":
        assert "look at access_key and secret_key" in text
    else:
        assert f"EC2 listed {EACH * PAGE} instances, and then: " in text
    assert store.cloud_findings(database, "aws", "unreported") == before
    assert store.cloud_findings(database, "aws", "unlisted") == ([], 0)
    facts = store.overview(database, store.resolve(database, "vm0000"))["facts"]["instance"]
    assert facts["state"] == "running"
    [problem] = store.problems(database, kind="cloud")[0]
    assert (problem["minion_id"], problem["subject"]) == ("master", "aws")


def test_a_login_that_is_not_there_says_where_to_look(database, url):
    for said in ({"access_key": "", "secret_key": ""}, {"access_key": "", "profile": "nobody"}):
        with pytest.raises(CloudFailed) as caught:
            run.reconcile(database, cloud(database, url, **{"secret_key": "", **said}), "master")
        assert "the profile" in caught.value.hint
