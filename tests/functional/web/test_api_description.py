"""What the API says of itself is so, whatever is asked: tried by schemathesis."""

import hypothesis
import schemathesis
from hypothesis import HealthCheck
from schemathesis.specs.openapi.checks import positive_data_acceptance

from salt_ext.store import ingest
from tests.machines import arrival, server

BOUNDED = hypothesis.settings(
    max_examples=15,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


def test_every_answer_is_one_that_the_description_has(app, database):
    ingest(database, [arrival(server(1)), arrival(server(2), "web02")])

    def on_this_machine(environ, start_response):
        environ.update(REMOTE_ADDR="127.0.0.1", HTTP_HOST="localhost")
        environ.pop("HTTP_ACCEPT_ENCODING", None)  # its own client unpacks nothing
        return app(environ, start_response)

    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", on_this_machine)
    tried = 0
    for found in schema.get_all_operations():

        @BOUNDED
        @hypothesis.given(case=found.ok().as_strategy())
        def answers(case):
            # Which names are fields, and which moments are over, only the store can tell.
            case.call_and_validate(excluded_checks=[positive_data_acceptance])

        answers()
        tried += 1
    assert tried == len(app.test_client().get("/api/v1/openapi.json").json["paths"])
