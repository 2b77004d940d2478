"""
An instance as its cloud tells of it.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

from salt_ext.document.placeholders import why_not_uuid
from salt_ext.facts.clean import clean

LONGEST = 255
"""The most characters of a value. No name in a cloud is longer, and an index has a limit."""

LONGEST_REASON = 300
"""The most characters of what another system says of an error."""

MOST_ADDRESSES = 64

DELETED = "deleted"
"""The state of an instance that is no more. A cloud may list it for a while all the same."""


class CloudFailed(Exception):
    """A cloud did not tell all of its instances: a sentence, and what to do about it."""

    def __init__(self, reason: str, hint: str = "") -> None:
        """Take a sentence that shows no secret, and advice."""
        super().__init__(reason)
        self.hint = hint


class Instance(NamedTuple):
    """A virtual machine, or a whole one that a cloud rents out."""

    id: str
    """By which the cloud knows it, for ever."""
    name: str | None = None
    state: str | None = None
    """``running``, ``stopped``, ``deleted``, or the cloud's own word in small letters."""
    uuid: str | None = None
    """That of its SMBIOS; None where the cloud does not tell it."""
    provider: str | None = None
    """The cloud's kind, by the word that the facts of its machines have: ``openstack``, ``ec2``."""
    project: str | None = None
    """Whose it is: the id of a project, a tenant or an account."""
    project_name: str | None = None
    flavor: str | None = None
    zone: str | None = None
    host: str | None = None
    """The hypervisor that it runs on, where the cloud tells it."""
    image: str | None = None
    region: str | None = None
    created_at: str | None = None
    """As in ``2026-11-21T08:00:00Z``."""
    addresses: Sequence[str] = ()

    @property
    def is_deleted(self) -> bool:
        """Whether it is no more."""
        return self.state == DELETED

    def facts(self, cloud: str) -> dict[str, Any]:
        """Return what becomes the section ``instance`` of its machine's facts."""
        told = {name: getattr(self, name) for name in TOLD}
        return {"cloud": cloud, **told, "addresses": sorted(self.addresses)}


TOLD = (
    *("id", "name", "state", "project", "project_name", "flavor", "zone", "host", "image"),
    *("region", "created_at"),
)
"""What is kept of an instance, beside its addresses."""


def harmless(told: Instance) -> Instance:
    """
    Return an instance with values that every later step can carry.

    Another system made them: control characters go, and what is too long is cut. Raises
    :class:`CloudFailed` for one that has no usable id.
    """
    found: dict[str, Any] = {name: _text(value) for name, value in told._asdict().items()}
    if not found["id"] or len(str(told.id)) > LONGEST:
        raise CloudFailed(f"it lists an instance whose id is no id: {str(told.id)[:40]!r}")
    if found["uuid"] and why_not_uuid(found["uuid"]):
        found["uuid"] = None
    given = told.addresses if isinstance(told.addresses, (list, tuple)) else ()
    addresses = {text for one in given[:MOST_ADDRESSES] if (text := _text(one))}
    found["addresses"] = tuple(sorted(addresses))
    return Instance(**found)


def _text(value: Any) -> str | None:
    """Return a value as text; a word that thousands of instances have is in memory once."""
    if value is None or isinstance(value, (dict, list, tuple)):
        return None
    text = clean(str(value))
    return sys.intern(text[:LONGEST]) if isinstance(text, str) else None
