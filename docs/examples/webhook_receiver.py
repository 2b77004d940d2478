"""
A receiver of Salt CMDB's webhooks, in the standard library: a program to begin with.

    CMDB_WEBHOOK_SECRET=... python3 webhook_receiver.py 8099

It prints each event once, as a line of JSON.
"""

import hashlib
import hmac
import json
import os
import sys
from collections import OrderedDict
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECRET = os.environ["CMDB_WEBHOOK_SECRET"].encode()
LONGEST = 1 << 20
OLDEST = timedelta(minutes=5)
KNOWN: "OrderedDict[str, bool]" = OrderedDict()  # the ids of the last events, in order


class Receiver(BaseHTTPRequestHandler):
    """Takes events that are signed, of now, and new."""

    def do_POST(self) -> None:
        """Answer 200 for what was taken; with anything else it is sent again."""
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length) if 0 < length <= LONGEST else b""
        signature = "sha256=" + hmac.new(SECRET, body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(signature, self.headers.get("X-CMDB-Signature", "")):
            self.answer(403)
            return
        # Only now is it known who wrote this.
        event = json.loads(body)
        sent_at = datetime.fromisoformat(event["sent_at"].replace("Z", "+00:00"))
        if abs(datetime.now(timezone.utc) - sent_at) > OLDEST:
            self.answer(403)  # somebody who listened says it again, or a clock is wrong
            return
        if event["id"] not in KNOWN:  # else an answer of ours was lost, and it is sent again
            print(json.dumps(event), flush=True)
            KNOWN[event["id"]] = True
            if len(KNOWN) > 10_000:
                KNOWN.popitem(last=False)
        self.answer(200)

    def answer(self, status: int) -> None:
        """Answer with a status alone."""
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Write nothing beside the events."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver).serve_forever()
