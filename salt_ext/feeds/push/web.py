"""
Requests to the server of a push: TLS, deadlines, and errors that tell no secret.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import requests

from salt_ext.feeds.push.target import Push, PushFailed
from salt_ext.servers import as_it_is
from salt_ext.words.visible import visible

CONNECT_SECONDS = 5
ANSWER_SECONDS = 120
"""A server may take long for a bulk of hundreds."""

NO_HEADERS: Mapping[str, str] = {}

MOST_SHOWN = 300
"""Characters of what a server says."""

MOST_BYTES = 32 << 20
"""An answer of a thousand objects has a few MiB; one that is packed can be any size."""

READ_AT_ONCE = 64 << 10

HIDDEN = "(the token)"
"""What stands in an answer where a server has repeated the token."""


class Server:
    """A session with the server of a push, whose requests are counted."""

    def __init__(self, push: Push) -> None:
        """Connect with the first request."""
        self.url = push.url
        self.calls = 0
        self._token = push.token
        self._session = requests.Session()
        # Given with each request: a variable such as REQUESTS_CA_BUNDLE goes over the session's.
        self._verify = push.options["ca_file"] or True

    def ask(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] = NO_HEADERS
    ) -> tuple[int, Any]:
        """
        Send a request; return the status and the JSON. Raises :class:`PushFailed`.

        ``headers`` are those that let us in.
        """
        url = self.url + path
        self.calls += 1
        try:
            with self._session.request(
                method,
                url,
                json=body,
                headers=headers,
                auth=as_it_is,
                verify=self._verify,
                timeout=(CONNECT_SECONDS, ANSWER_SECONDS),
                allow_redirects=False,  # who is sent elsewhere is not who we let in
                stream=True,
            ) as response:
                text = self._text_of(response)
        except requests.exceptions.SSLError as error:
            raise PushFailed(
                f"the certificate of {url} is not trusted: {self._reason(error)}",
                "name the file of its authority as ca_file in the setting pushes",
            ) from None
        except (requests.RequestException, OSError) as error:
            raise PushFailed(
                f"cannot reach {url}: {self._reason(error)}",
                "run it again when the server is there: what was written is known",
            ) from None
        status, said = response.status_code, self._said(response, text)
        if status in (401, 403):
            raise PushFailed(
                f"{url} does not let us in: {said}",
                "correct the token in the setting pushes, or give its user the rights",
            )
        if response.is_redirect:
            where = one_line(self._without_token(response.headers["Location"]))
            raise PushFailed(
                f"{url} sends us to {where}", "write the address of the API in the setting pushes"
            )
        if status >= 500:
            raise PushFailed(
                f"{url} answers {status}: {said}",
                "look at the log of that server, then run it again: what was written is known",
            )
        try:
            return status, json.loads(text) if text else None
        except (ValueError, RecursionError):
            raise PushFailed(
                f"{url} answers {status} and no JSON: {said}",
                "write the address of the API in the setting pushes",
            ) from None

    def _text_of(self, response: requests.Response) -> str:
        """Return the text of an answer, without our token if it repeats it."""
        body = bytearray()
        for some in response.iter_content(READ_AT_ONCE):
            body += some
            if len(body) > MOST_BYTES:
                raise PushFailed(
                    f"{response.url} answers with more than {MOST_BYTES >> 20} MiB",
                    "write the address of the API in the setting pushes",
                )
        return self._without_token(body.decode(errors="replace"))

    def _without_token(self, text: str) -> str:
        return text.replace(self._token, HIDDEN)

    def _said(self, response: requests.Response, text: str) -> str:
        is_page = "html" in response.headers.get("Content-Type", "")
        told = "" if is_page else one_line(text)
        return told or one_line(self._without_token(response.reason or "")) or "nothing"

    def _reason(self, error: Exception) -> str:
        """Return what is deepest in an error of requests: what is around it repeats it."""
        while error.args and isinstance(error.args[0], Exception):
            error = error.args[0]
        reason = str(getattr(error, "reason", None) or error)
        return one_line(self._without_token(reason.rpartition(": ")[2]))


def one_line(said: object) -> str:
    """Return what a server says as a line of a few words, in which all can be seen."""
    return visible(" ".join(str(said)[: 10 * MOST_SHOWN].split()))[:MOST_SHOWN]
