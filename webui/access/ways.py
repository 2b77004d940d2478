"""
The ways of logging in that the settings have, checked: ``users``, ``header`` and ``oidc``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any
from urllib.parse import urlsplit

from argon2 import extract_parameters
from argon2.exceptions import InvalidHash
from flask import current_app, request
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from salt_ext.settings import Settings, SettingsError
from salt_ext.words.nearest import unknown

UNIX = "unix"
"""The name of whatever speaks through a Unix socket, among proxies."""

GROUP = "%"
"""What stands before the name of a group among ``auditors``, as in sudoers."""


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Header(_Model):
    """A header in which a proxy names who asks."""

    name: str = Field(pattern=r"^[A-Za-z0-9-]+$")
    groups: str = Field("", pattern=r"^[A-Za-z0-9-]*$")
    proxies: list[str] = Field(min_length=1)

    @field_validator("proxies")
    @classmethod
    def _are_networks(cls, given: list[str]) -> list[str]:
        for one in given:
            if one != UNIX:
                ip_network(one)
        return given

    @cached_property
    def networks(self) -> list[IPv4Network | IPv6Network]:
        """The addresses of the proxies."""
        return [ip_network(one) for one in self.proxies if one != UNIX]


class Oidc(_Model):
    """A provider of OpenID Connect."""

    discovery_url: str = Field(pattern=r"^https?://\S+$")
    client_id: str = Field(min_length=1)
    client_secret_file: str = Field(min_length=1)
    scope: str = Field("openid profile", pattern=r"\bopenid\b")
    name_claim: str = "preferred_username"
    groups_claim: str = "groups"

    @property
    def provider(self) -> str:
        """What people call the provider: its host."""
        return urlsplit(self.discovery_url).netloc


class Ways(_Model):
    """How people may log in; false if in no way at all."""

    users: dict[str, str] = {}
    header: Header | None = None
    oidc: Oidc | None = None
    auditors: list[str] = []
    public_url: str = Field("", pattern=r"^(https?://\S+)?$")

    @field_validator("users")
    @classmethod
    def _are_hashes(cls, given: dict[str, str]) -> dict[str, str]:
        for name, hashed in given.items():
            try:
                extract_parameters(hashed)
            except InvalidHash:
                raise ValueError(
                    f"{name} has no hash of argon2; python -m webui.password makes one"
                ) from None
        return given

    def __bool__(self) -> bool:
        """Whether there is any."""
        return bool(self.users or self.header or self.oidc)

    @property
    def has_sessions(self) -> bool:
        """Whether there is a page to log in at."""
        return bool(self.users or self.oidc)

    @property
    def origin(self) -> str:
        """Where people find the web UI, without a path; blank if that is not said."""
        parts = urlsplit(self.public_url)
        return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""

    def role(self, name: str, groups: Collection[str]) -> str:
        """Return the role of somebody with a name, in some groups."""
        return "auditor" if name in self.names or self.known(groups) else "viewer"

    @cached_property
    def names(self) -> set[str]:
        """The names of auditors."""
        return {one for one in self.auditors if not one.startswith(GROUP)}

    def known(self, groups: Collection[str]) -> list[str]:
        """Return those of some groups that are auditors'."""
        return sorted({one for one in groups if GROUP + one in self.auditors})

    def mark(self, name: str) -> str:
        """Return a mark of a user's password; another password has another one."""
        return hashlib.sha256(self.users[name].encode()).hexdigest()[:16]


def configured(settings: Settings) -> Ways:
    """Return the ways that the settings have. Raises :class:`SettingsError`, without secrets."""
    named = {name: settings[name] for name in ("auditors", "public_url")}
    login = settings["login"]
    if taken := named.keys() & login.keys():
        raise SettingsError(f"login: {min(taken)} is a setting of its own, beside login")
    try:
        ways = Ways.model_validate({**login, **named})
    except ValidationError as error:
        raise SettingsError(_sentence(error)) from None
    if ways.oidc and not ways.origin:
        raise SettingsError("login: oidc needs public_url, where the provider sends people back")
    return ways


def origin() -> str:
    """Return where people find the web UI; unless the settings say it, where this request did."""
    ways: Ways = current_app.extensions["ways"]
    return ways.origin or request.host_url.rstrip("/")


def _sentence(error: ValidationError) -> str:
    """Return the first thing that is wrong, in words; what was given may be a secret."""
    found = error.errors(include_url=False, include_input=False)
    # A name that is misspelt is also one that is missing.
    first = min(found, key=lambda one: one["type"] != "extra_forbidden")
    path = [str(one) for one in first["loc"]]
    where = ": ".join(path if path[0] in ("auditors", "public_url") else ["login", *path[:-1]])
    if first["type"] == "extra_forbidden":
        return f"{where}: {unknown('option', path[-1], _options(path[:-1]))}"
    if first["type"] == "missing":
        return f"{where}: {path[-1]} is missing"
    where = where if path[0] in ("auditors", "public_url") else f"{where}: {path[-1]}"
    return f"{where}: {first['msg'].removeprefix('Value error, ')}"


def _options(path: list[str]) -> list[str]:
    model: Any = {"header": Header, "oidc": Oidc}.get(path[0], Ways) if path else Ways
    return [one for one in model.model_fields if one not in ("auditors", "public_url")]
