"""
All instances of a cloud, or none: a list that is not whole says nothing about any machine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from salt_ext.clouds.configured import DRIVERS, Cloud
from salt_ext.clouds.instance import CloudFailed, Instance, harmless
from salt_ext.facts import dotted_path, failure
from salt_ext.settings import SettingsError

MOST = 1_000_000
"""A cloud that goes on listing is a loop in its pages."""

SHOWN_EVERY = 1000

NOTHING_DONE = "nothing was compared, and no machine counts as gone"

SECRET_WORDS = ("key", "password", "secret", "token", "credential", "passphrase")


def everything(cloud: Cloud, show: Callable[[str], None] = lambda text: None) -> list[Instance]:
    """
    Return all instances that a cloud has, each once.

    Raises :class:`CloudFailed` for whatever goes wrong, be it with the last instance of the last
    page; then nothing may be made of those before it.
    """
    try:
        driver = dotted_path.load(cloud.path)
    except Exception as error:  # a module of the site may raise anything when it is imported
        why = failure.sentence(error)
        if isinstance(error, ModuleNotFoundError) and cloud.driver in DRIVERS:
            why += "; the master's Python needs salt-cmdb[clouds]"
        raise SettingsError(f"clouds: {cloud.name}: {cloud.path!r} cannot be used: {why}") from None
    found: dict[str, Instance] = {}
    try:
        for told in driver(cloud.options):
            one = harmless(told)
            found[one.id] = one
            if len(found) > MOST:
                raise CloudFailed(f"it lists more than {MOST:,} instances")
            if len(found) % SHOWN_EVERY == 0:
                show(f"{len(found):,} instances listed")
    except CloudFailed as error:
        raise _failed(cloud, str(error), error.hint) from None
    except Exception as error:  # each cloud's library has errors of its own
        raise _failed(cloud, failure.sentence(error)) from None
    return list(found.values())


def _failed(cloud: Cloud, why: str, hint: str = "") -> CloudFailed:
    why = without_secrets(why, cloud.options)
    advice = hint or f"look at clouds: {cloud.name} in the settings, and whether the cloud answers"
    return CloudFailed(
        f"the cloud {cloud.name} did not list all of its instances: {why}; {NOTHING_DONE}",
        without_secrets(advice, cloud.options),
    )


def without_secrets(text: str, options: Mapping[str, Any]) -> str:
    """Return a text without those values of the options that may be secrets."""
    for secret in filter(None, map(_secret, options, options.values())):
        text = text.replace(secret, "(not shown)")
    return text


def _secret(name: Any, value: Any) -> str | None:
    """Return what is secret of an option: the whole value, or the password in an address."""
    if not isinstance(value, str):
        return None
    if any(word in str(name).lower() for word in SECRET_WORDS):
        return value
    try:
        return urlsplit(value).password
    except ValueError:
        return None
