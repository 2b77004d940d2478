"""
NetBox's REST API: pages, bulk writes, and what it refuses, object by object.

https://netboxlabs.com/docs/netbox/en/stable/integrations/rest-api/
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode, urlsplit

from salt_ext.feeds.push.target import Push, PushFailed, Refused
from salt_ext.feeds.push.web import Server, one_line

PAGE = 1000
"""Objects of one answer; NetBox's own limit, unless its operator has set another."""

AT_ONCE = 50
"""Values of a filter in one address."""

MOST_BYTES = 3000
"""
Of all filters in one address: gunicorn, NetBox's usual server, takes a line of 4,094.

A name of a hundred characters, the longest of those that are looked up, has 1,200 at most.
"""

MOST_PAGES = 10_000
"""Ten million objects: a list that is longer has no end."""

NEWER_TOKEN = "nbt_"  # noqa: S105 - not one, but how one begins

Object = dict[str, Any]


class Api:
    """What NetBox cannot do is :class:`PushFailed`, what it refuses :class:`Refused`."""

    def __init__(self, push: Push) -> None:
        """Nothing is asked yet."""
        self._server = Server(push)
        kind = "Bearer" if push.token.startswith(NEWER_TOKEN) else "Token"
        self._headers = {"Authorization": f"{kind} {push.token}"}

    @property
    def calls(self) -> int:
        """How many requests were sent."""
        return self._server.calls

    def read(self, path: str, fields: str, **filters: Any) -> Iterator[Object]:
        """
        Yield the objects that fit, with these fields and not one more.

        The fields that are left out cost NetBox most of its time: the context of a device.
        """
        asked = {"limit": PAGE, "start": 0, "fields": fields, **filters}
        query = urlencode(asked, doseq=True)
        for _ in range(MOST_PAGES):
            status, page = self._server.ask("GET", f"/api/{path}/?{query}", None, self._headers)
            found: Any = page.get("results") if isinstance(page, dict) else None
            if status != 200 or not _are_objects(found):
                raise _other(f"{status} to /api/{path}/: {said(page)}")
            yield from found
            # Of the next page's address only the query: the rest is what NetBox believes of
            # itself, and behind a proxy that is often wrong.
            query = urlsplit(str(page.get("next") or "")).query
            if not query or not found:
                return
        raise _other(f"to /api/{path}/ with a list that has no end")

    def some(
        self, path: str, fields: str, by: str, values: Iterable[Any], **filters: Any
    ) -> Iterator[Object]:
        """Yield the objects whose field has one of these values."""
        most = MOST_BYTES - len(urlencode(filters, doseq=True))
        for bulk in bulks(by, values, most):
            yield from self.read(path, fields, **{by: bulk}, **filters)

    def create(self, path: str, objects: Sequence[Object]) -> list[Object]:
        """Make objects, all or none; return them in this order."""
        return self._write("POST", path, objects) if objects else []

    def change(self, path: str, objects: Sequence[Object]) -> None:
        """Change the objects with these ids, all or none."""
        if objects:
            self._write("PATCH", path, objects)

    def _write(self, method: str, path: str, objects: Sequence[Object]) -> list[Object]:
        url = f"/api/{path}/"
        status, answer = self._server.ask(method, url, list(objects), self._headers)
        if status in (200, 201) and _are_objects(answer) and len(answer) == len(objects):
            return list(answer)
        if status in (400, 409):
            of = each(answer, objects)
            # Of a bulk NetBox says itself only how many it could not make.
            raise Refused("; ".join(dict.fromkeys(of.values())) or said(answer), of)
        raise _other(f"{status} to {method} {url}: {said(answer)}")


def bulks(by: str, values: Iterable[Any], most: int) -> Iterator[list[Any]]:
    """
    Yield the values of a filter, so many at a time as have this many bytes in an address.

    One that alone has more is left out: NetBox has nothing that is called so.
    """
    bulk: list[Any] = []
    size = 0
    for value in sorted(set(values)):
        own = len(urlencode({by: value})) + 1
        if own > most:
            continue
        if len(bulk) == AT_ONCE or size + own > most:
            yield bulk
            bulk, size = [], 0
        bulk.append(value)
        size += own
    if bulk:
        yield bulk


def _are_objects(answer: Any) -> bool:
    return isinstance(answer, list) and all(isinstance(one, dict) for one in answer)


def _other(what: str) -> PushFailed:
    """Return what is told of an answer that is none of NetBox's."""
    return PushFailed(
        f"NetBox answers {what}",
        "write the address of NetBox itself, as https://netbox.example.net",
    )


def each(answer: Any, objects: Sequence[Object]) -> dict[int, str]:
    """
    Return which of the objects a bulk was refused for, by position, and why.

    NetBox tells since 4.6: of new objects the position, of others the id. Before it told a
    list as long as the bulk, of which what is fine is empty; or nothing of the kind.
    """
    if isinstance(answer, list) and len(answer) == len(objects):
        return {at: said(one) for at, one in enumerate(answer) if one}
    errors = answer.get("errors") if isinstance(answer, Mapping) else None
    places = {one.get("id"): at for at, one in enumerate(objects)}
    found = {}
    for one in errors if isinstance(errors, list) else []:
        at = one.get("index", places.get(one.get("id"))) if isinstance(one, Mapping) else None
        if isinstance(at, int) and 0 <= at < len(objects):
            found[at] = said(one.get("errors"))
    return found


def said(answer: Any, field: str = "") -> str:
    """Return an error of NetBox in a line: its sentences, each with the field it is about."""
    if isinstance(answer, Mapping):
        if "detail" in answer:
            return said(answer["detail"], field)
        parts = [
            said(one, "" if name == "__all__" else one_line(name)) for name, one in answer.items()
        ]
    elif isinstance(answer, list):
        parts = [said(one, field) for one in answer]
    else:
        text = one_line(answer)
        parts = [f"{field}: {text}" if field else text]
    return "; ".join(one for one in parts if one) or "it does not say why"
