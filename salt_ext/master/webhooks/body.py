"""
What goes over the wire: the body of one attempt, where it goes, and the headers that prove it.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from salt_ext.document import encode
from salt_ext.master.webhooks.setting import Webhook
from salt_ext.store import Delivery
from salt_ext.words.plain import plain

SCHEMA = "cmdb.event/1"

MANY = "salt/cmdb/many/"
"""What the tag of an event begins with that many machines share."""


def body(taken: Delivery, at: datetime) -> bytes:
    """
    Return the body of one attempt.

    The time of the attempt is in what is signed: a receiver that refuses an old body and a
    known id cannot be told the same twice by somebody who listened.
    """
    said = {
        "schema": SCHEMA,
        "id": taken.id,
        "event": taken.data["kind"],
        "tag": taken.tag,
        "sent_at": at,
        "attempt": taken.attempt,
        "data": taken.data,
    }
    return encode(plain(said))


def address(hook: Webhook, taken: Delivery) -> str:
    """
    Return the URL that an event is posted to.

    salt-api makes the tag of the event on its own bus from what follows ``/hook`` there, so
    the kind is put behind the URL. The asset is not: its name may be anything.
    """
    if hook.format != "saltgui":
        return hook.url
    many = "many/" if taken.tag.startswith(MANY) else ""
    return f"{hook.url.rstrip('/')}/cmdb/{many}{taken.data['kind']}"


def headers(hook: Webhook, taken: Delivery, content: bytes) -> Mapping[str, str]:
    """Return the headers of an attempt; the id is that of all attempts to send this event."""
    kind: Any = taken.data["kind"]
    return {
        **hook.headers,
        "Content-Type": "application/json",
        "User-Agent": "salt-cmdb",
        "X-CMDB-Delivery": str(taken.id),
        "X-CMDB-Event": kind,
        "X-CMDB-Signature": f"sha256={signature(hook.secret, content)}",
    }


def signature(secret: str, content: bytes) -> str:
    """Return the HMAC of a body with SHA-256, in hexadecimal digits."""
    return hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()


def now() -> datetime:
    """Return the time by the clock of the master."""
    return datetime.now(timezone.utc)


def sample(at: datetime) -> tuple[str, dict[str, Any]]:
    """Return the tag and the data of an event with which a receiver can be tried."""
    said = "a sample; nothing has changed"
    return "salt/cmdb/test/sample", {"kind": "test", "at": plain(at), "words": said}
