"""
The setting ``webhooks``: who is told what, checked word by word.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from salt_ext import servers
from salt_ext.document.classes import CLASSES
from salt_ext.settings import OPTIONS, SettingsError
from salt_ext.store import Subscriber
from salt_ext.words.durations import seconds
from salt_ext.words.nearest import unknown

MOST = 20
"""So many webhooks at most; each has a thread of its own."""

SHORTEST_SECRET = 16
"""Characters; a shorter secret could be guessed from one signed body."""

FORMATS = ("plain", "saltgui")

CONDITIONS = ("class", "section", "field")
"""Conditions on single changes; they apply to the events :data:`OF_CHANGES`."""

OF_CHANGES = ("changed", "lost", "found")

KEYS = (
    "url",
    "secret",
    "format",
    "events",
    *CONDITIONS,
    "filters",
    "headers",
    "ca_file",
    "give_up",
)

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
HEADER = re.compile(r"[A-Za-z0-9-]{1,60}")
HEADER_VALUE = re.compile(r"[ -~]{0,1000}")


class Webhook(NamedTuple):
    """A program that is told of events."""

    name: str
    url: str
    secret: str
    format: str
    events: frozenset[str]
    classes: tuple[str, ...]
    sections: tuple[str, ...]
    fields: tuple[str, ...]
    filters: Mapping[str, Any]
    headers: Mapping[str, str]
    ca_file: str
    give_up_seconds: float

    @property
    def shown_url(self) -> str:
        """Its server; the rest of many a URL is as good as a password."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}/…"


def webhooks(settings: Mapping[str, Any]) -> list[Webhook]:
    """Return the webhooks of the settings. Raises :class:`SettingsError`; no secret is in it."""
    given = {name: said for name, said in settings["webhooks"].items() if said is not None}
    if len(given) > MOST:
        raise SettingsError(f"webhooks: {len(given)} of them; there can be {MOST}")
    return [_webhook(name, said) for name, said in given.items()]


def subscriber(hook: Webhook, events: Any) -> Subscriber:
    """Return a webhook as the store knows it; ``events`` makes events of news."""

    def wanted(news: list[Any]) -> Any:
        return events([one for one in news if one.kind in hook.events])

    return Subscriber(hook.name, wanted, hook.filters, hook.classes, hook.sections, hook.fields)


def _webhook(name: Any, said: Any) -> Webhook:
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise SettingsError(
            f"webhooks: {servers.shown(name)} is no name; write up to 40 letters, digits, and . _ -"
        )
    where = f"webhooks: {name}"
    if not isinstance(said, Mapping):
        raise SettingsError(f"{where} is {type(said).__name__}, but it must be a mapping")
    servers.check_keys(where, said, KEYS)
    conditions = {key: _words(where, key, said.get(key, ())) for key in CONDITIONS}
    _known(where, "class", conditions["class"], CLASSES)
    kinds = OPTIONS["events"].default
    usual = ("changed",) if any(conditions.values()) else kinds
    events = _words(where, "events", said.get("events", usual))
    _known(where, "kind of event", events, kinds)
    form = said.get("format", "plain")
    _known(where, "format", [form], FORMATS)
    if any(conditions.values()) and not set(events) & set(OF_CHANGES):
        asked = ", ".join(key for key in CONDITIONS if conditions[key])
        raise SettingsError(
            f"{where}: {asked} is a condition on changes, and none of {', '.join(OF_CHANGES)}"
            " is among its events"
        )
    return Webhook(
        name,
        _url(where, said.get("url")),
        _secret(where, said.get("secret")),
        form,
        frozenset(events),
        conditions["class"],
        conditions["section"],
        conditions["field"],
        _mapping(where, "filters", said.get("filters", {})),
        _headers(where, said.get("headers", {})),
        servers.ca_file(where, said.get("ca_file", "")),
        _duration(where, said.get("give_up", "1d")),
    )


def _known(where: str, what: str, words: Collection[Any], known: Collection[str]) -> None:
    for word in words:
        if word not in known:
            raise SettingsError(f"{where}: {unknown(what, word, known)}")


def _words(where: str, key: str, said: Any) -> tuple[str, ...]:
    """Return one text, or a list of them, as a tuple."""
    words = [said] if isinstance(said, str) else said
    if not isinstance(words, (list, tuple)) or not all(isinstance(one, str) for one in words):
        raise SettingsError(f"{where}: {key} is {said!r}, but it must be a text or a list of texts")
    return tuple(words)


def _url(where: str, said: Any) -> str:
    if not said:
        raise SettingsError(f"{where}: url is missing: where its events are sent to")
    url = servers.address(where, said)
    if "@" in urlsplit(url).netloc:
        raise SettingsError(
            f"{where}: url has a login, which is not sent: write it into headers, as"
            " Authorization: Basic ..."
        )
    return url


def _secret(where: str, said: Any) -> str:
    if not said:
        raise SettingsError(
            f"{where}: secret is missing: each event is signed with it, so that its receiver knows"
            " whom it is from; make one with: openssl rand -hex 32"
        )
    text = servers.text(where, "secret", said)
    if len(text) < SHORTEST_SECRET:
        raise SettingsError(f"{where}: secret is shorter than {SHORTEST_SECRET} characters")
    return text


def _mapping(where: str, key: str, said: Any) -> Mapping[str, Any]:
    if not isinstance(said, Mapping) or not all(isinstance(name, str) for name in said):
        raise SettingsError(f"{where}: {key} is {type(said).__name__}, but it must be a mapping")
    return said


def _headers(where: str, said: Any) -> dict[str, str]:
    """Return more headers; the value of one, which may be a password, is in no error."""
    found = {}
    for name, value in _mapping(where, "headers", said).items():
        if not HEADER.fullmatch(name):
            raise SettingsError(
                f"{where}: headers: {servers.shown(name)} is no name of a header; a blank belongs"
                " behind its colon"
            )
        if name.casefold().startswith(("x-cmdb-", "content-")):
            raise SettingsError(f"{where}: headers: {name!r} cannot be set")
        text = servers.text(where, f"headers: {name}", value)
        if not HEADER_VALUE.fullmatch(text):
            raise SettingsError(f"{where}: headers: {name} has characters that no header can have")
        found[name] = text
    return found


def _duration(where: str, said: Any) -> float:
    try:
        found = seconds(said)
    except (ValueError, TypeError) as error:
        raise SettingsError(f"{where}: give_up: {error}") from None
    if found <= 0:
        raise SettingsError(f"{where}: give_up is {said!r}, but it must be more than 0")
    return found
