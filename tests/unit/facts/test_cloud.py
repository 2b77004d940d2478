"""Metadata services of clouds, played by a server on loopback. No other address is asked."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import given
from hypothesis import strategies as st

from salt_ext.facts import cloud
from salt_ext.facts.cloud import MetadataError, ask, fields, metadata
from tests.corpus import corpus_files, corpus_name, needs_corpus
from tests.patience import PATIENCE_SECONDS
from tests.unit.facts.trees import tree

EC2 = {
    "accountId": "012345678900",
    "availabilityZone": "eu-central-1b",
    "imageId": "ami-0123",
    "instanceId": "i-abcdef",
    "instanceType": "m5.large",
    "privateIp": "10.0.0.1",
    "region": "eu-central-1",
}
NOVA = {
    "uuid": "d8e02d56-2648-49a3-bf97-6be8f1204f38",
    "name": "web01",
    "availability_zone": "nova",
    "project_id": "f7ac731cc11f40efbc03a9f9e1d1d21f",
    "random_seed": "secret",
    "admin_pass": "secret",
}
GOOGLE = {
    "instance/id": "2589221140676718026",
    "instance/machine-type": "projects/161958465613/machineTypes/n1-standard-1",
    "instance/zone": "projects/161958465613/zones/us-east1-b",
    "instance/name": "instance-1",
    "project/project-id": "fair-kingdom-308514",
}


class Service:
    """A metadata service: (method, path) to a function of the request's headers."""

    def __init__(self, answers):
        self.asked = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self):
                service.asked.append((self.command, self.path))
                answer = answers.get((self.command, self.path), lambda headers: (404, b""))
                answer = answer(self.headers)
                if callable(answer):
                    answer(self.wfile)
                    return
                status, body, *headers = answer
                self.send_response(status)
                for name, value in headers:
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_PUT = answer

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.address = self.server.server_address[:2]
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def serve():
    services = []

    def start(answers):
        services.append(Service(answers))
        return services[-1]

    yield start
    for service in services:
        service.close()


def needs(header, value, body):
    """Answer only a request that carries a header, as each provider asks for one."""
    return lambda headers: (200, body) if headers.get(header) == value else (401, b"")


def json_of(document):
    return json.dumps(document).encode()


@pytest.mark.parametrize(
    ("provider", "header", "document"),
    [
        ("ec2", "X-aws-ec2-metadata-token", EC2),
        (
            "alibaba",
            "X-aliyun-ecs-metadata-token",
            {
                "instance-id": "i-abcdef",
                "instance-type": "m5.large",
                "region-id": "eu-central-1",
                "zone-id": "eu-central-1b",
                "image-id": "ami-0123",
                "owner-account-id": "012345678900",
            },
        ),
    ],
)
def test_a_service_with_tokens_is_asked_for_one_first(serve, provider, header, document):
    service = serve(
        {
            ("PUT", "/latest/api/token"): needs(f"{header}-ttl-seconds", "60", b"secret=="),
            ("GET", "/latest/dynamic/instance-identity/document"): needs(
                header, "secret==", json_of(document)
            ),
        }
    )
    assert metadata(provider, service.address) == {
        "provider": provider,
        "instance_id": "i-abcdef",
        "instance_type": "m5.large",
        "region": "eu-central-1",
        "zone": "eu-central-1b",
        "image_id": "ami-0123",
        "account_id": "012345678900",
    }
    assert len(service.asked) == 2


def test_google_is_asked_field_by_field(serve):
    service = serve(
        {
            ("GET", f"/computeMetadata/v1/{path}"): needs(
                "Metadata-Flavor", "Google", text.encode()
            )
            for path, text in GOOGLE.items()
        }
    )
    assert metadata("gce", service.address) == {
        "provider": "gce",
        "instance_id": "2589221140676718026",
        "instance_type": "n1-standard-1",
        "zone": "us-east1-b",
        "region": "us-east1",
        "name": "instance-1",
        "account_id": "fair-kingdom-308514",
    }


def test_azure_says_nothing_without_its_header(serve):
    document = {
        "vmId": "1234",
        "vmSize": "Standard_D2s_v3",
        "location": "westeurope",
        "zone": "",
        "customData": "secret",
    }
    path = "/metadata/instance/compute?api-version=2021-02-01"
    service = serve({("GET", path): needs("Metadata", "true", json_of(document))})
    found = metadata("azure", service.address)
    assert found["instance_id"] == "1234"
    assert found["region"] == "westeurope"
    assert found["zone"] is None
    assert "secret" not in str(found)


def test_nothing_but_the_fields_is_kept_of_openstack(serve):
    path = "/openstack/latest/meta_data.json"
    service = serve({("GET", path): lambda headers: (200, json_of(NOVA))})
    assert metadata("openstack", service.address) == {
        "provider": "openstack",
        "instance_id": NOVA["uuid"],
        "zone": "nova",
        "name": "web01",
        "account_id": NOVA["project_id"],
    }


def test_a_redirect_is_not_followed(serve):
    other = serve({("GET", "/"): lambda headers: (200, b"{}")})
    where = ("Location", f"http://127.0.0.1:{other.address[1]}/")
    service = serve({("GET", "/x"): lambda headers: (302, b"", where)})
    with pytest.raises(MetadataError, match="with 302"):
        ask(service.address, "/x")
    assert other.asked == []


def test_no_proxy_is_used(serve, monkeypatch):
    proxy = serve({})
    service = serve({("GET", "/x"): lambda headers: (200, b"direct")})
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.address[1]}")
    assert ask(service.address, "/x") == "direct"
    assert proxy.asked == []


def test_a_service_that_is_not_there_is_an_error_at_once(serve):
    service = Service({})
    service.close()
    with pytest.raises(MetadataError, match="does not answer"):
        metadata("openstack", service.address)


def test_a_service_that_says_nothing_or_drips_is_left_at_the_deadline(serve):
    quiet = threading.Event()

    def silent(stream):
        quiet.wait(600)

    def drips(stream):
        stream.write(b"HTTP/1.0 200 OK\r\n\r\n")
        for _ in range(30_000):  # ten minutes
            if quiet.wait(0.02):
                break
            stream.write(b"x")
            stream.flush()

    service = serve(
        {("GET", "/silent"): lambda headers: silent, ("GET", "/drips"): lambda headers: drips}
    )
    try:
        for path in ("/silent", "/drips"):
            began = time.monotonic()
            with pytest.raises(MetadataError):
                ask(service.address, path)
            assert time.monotonic() - began < PATIENCE_SECONDS
    finally:
        quiet.set()


def test_an_endless_answer_is_refused(serve):
    body = b"x" * (cloud.LIMIT_BYTES + 1)
    service = serve({("GET", "/x"): lambda headers: (200, body)})
    with pytest.raises(MetadataError, match="more than"):
        ask(service.address, "/x")


def test_an_answer_that_is_not_http_is_an_error(serve):
    service = serve({("GET", "/x"): lambda headers: lambda stream: stream.write(b"SSH-2.0\r\n")})
    with pytest.raises(MetadataError):
        ask(service.address, "/x")


def test_a_token_that_would_add_headers_is_refused(serve):
    service = serve({("PUT", "/latest/api/token"): lambda headers: (200, b"a\r\nb")})
    with pytest.raises(MetadataError, match="token"):
        metadata("ec2", service.address)


@given(
    st.sampled_from(sorted(cloud.FIELDS)),
    st.text()
    | st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=8,
    ).map(json.dumps),
)
def test_any_text_is_fields_or_an_error(provider, text):
    try:
        found = fields(provider, text)
    except MetadataError:
        return
    assert set(found) == set(cloud.FIELDS[provider])


def test_a_captured_tree_has_no_service(tmp_path):
    root = tree(tmp_path, {"sys/class/dmi/id/sys_vendor": "Amazon EC2\n"})
    assert cloud.cloud(root) is None


CAPTURED = [
    pytest.param(path, id=corpus_name(path)) for path in corpus_files("*/cloud/*metadata*.txt")
]
OURS = {"aws": "ec2", "azure": "azure", "gcp": "gce"}


@needs_corpus
@pytest.mark.parametrize("path", CAPTURED)
def test_captured_metadata_have_the_fields(path):
    expected = json.loads((path.parents[1] / "expected.json").read_text())
    provider = OURS[expected[f"cloud/{path.name}"]["provider"]]
    document = json.loads(path.read_text())
    if provider == "gce":
        # Captured as an identity token; our paths ask for the same values one by one.
        assert {"instance_id", "zone"} <= set(document["google"]["compute_engine"])
        return
    found = fields(provider, json.dumps(document.get("compute", document)))
    assert found["instance_id"]
    assert found["instance_type"]
    assert found["region"]
