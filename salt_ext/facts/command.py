"""
A command of the site as a collector: what the command writes is a section of the facts.

The setting ``commands`` names it for its section, so that no line of Python is
needed. It runs as every slow collector does, in a process of its own with a deadline.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Mapping
from typing import Any

from salt_ext.facts import MAX_VERSION, is_version, tools
from salt_ext.facts.root import Root

Section = dict[str, Any] | list[dict[str, Any]]

KEYS = ("command", "parser", "pattern", "numbers", "volatile", "version")
"""What may be said of a command; the last four may be left out."""

PAIR = re.compile(r"\s*([^=:]*[^=:\s])\s*[=:]\s*(.*)").fullmatch
NO_NAME = re.compile(r"\W+")
WHOLE = re.compile(r"-?\d{1,18}").fullmatch


def check(section: str, said: Any) -> None:
    """Raise ValueError with a sentence when this is no command that can be run."""
    if not isinstance(said, dict):
        raise ValueError(f"{section} is {type(said).__name__}, not a mapping")
    if wrong := sorted(set(map(str, said)) - set(KEYS)):
        raise ValueError(f"{section} has {', '.join(wrong)}; it can have {', '.join(KEYS)}")
    if not _words(said.get("command")):
        raise ValueError(f"{section}: command must be a text or a list of texts")
    if said.get("parser") not in PARSERS:
        raise ValueError(f"{section}: parser must be one of {', '.join(PARSERS)}")
    for name in ("numbers", "volatile"):
        if not _are_texts(said.get(name, [])):
            raise ValueError(f"{section}: {name} must be a list of fields")
    if not is_version(said.get("version", 1)):
        raise ValueError(f"{section}: version must be a whole number from 1 to {MAX_VERSION}")
    if (said["parser"] == "regex") != ("pattern" in said):
        raise ValueError(f"{section}: the parser regex needs a pattern, and no other has one")
    if "pattern" in said:
        try:
            named = re.compile(said["pattern"]).groupindex
        except (re.error, TypeError) as error:
            raise ValueError(f"{section}: the pattern cannot be used: {error}") from None
        if not named:
            raise ValueError(f"{section}: the pattern has no named group, as in (?P<name>...)")


def collector(said: Mapping[str, Any]) -> Callable[[Root], Section | None]:
    """Return the collector that runs a command; on a captured tree it returns None."""

    def collect(root: Root) -> Section | None:
        if not root.is_live:
            return None
        output = tools.run(_words(said["command"]))
        if isinstance(output, str):
            raise FileNotFoundError(output)
        if output.code:
            line = output.error_text.strip().partition("\n")[0]
            raise ChildProcessError(f"the command ended with code {output.code}: {line[:200]}")
        if not output.text.strip():
            raise ValueError("the command wrote nothing; that there is nothing is [] in JSON")
        found = PARSERS[said["parser"]](output.text, said)
        return (
            [_shaped(one, said) for one in found]
            if isinstance(found, list)
            else _shaped(found, said)
        )

    collect.version = said.get("version", 1)  # type: ignore[attr-defined]
    return collect


def _words(command: Any) -> list[str]:
    """Return a command as a list of words; empty for what is none. There is no shell."""
    if isinstance(command, str):
        try:
            return shlex.split(command)
        except ValueError:
            return []
    return command if _are_texts(command) else []


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in value)


def _json(text: str, _: Mapping[str, Any]) -> Section:
    """Read a mapping or a list of mappings. Raises ValueError for anything else."""
    found = json.loads(text)
    if isinstance(found, dict):
        return found
    if isinstance(found, list) and all(isinstance(one, dict) for one in found):
        return found
    raise ValueError(f"the JSON is {type(found).__name__}, not a mapping or a list of mappings")


def _key_value(text: str, _: Mapping[str, Any]) -> Section:
    """Read lines such as ``Licence key: 4711`` as ``licence_key``; others are an error."""
    found: dict[str, Any] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        pair = PAIR(line)
        if pair is None:
            raise ValueError(f"line {number} is no key=value: {line[:200]!r}")
        key = NO_NAME.sub("_", pair[1].lower()).strip("_")
        if not key:
            raise ValueError(f"line {number} has no name before its value: {line[:200]!r}")
        if key in found:
            raise ValueError(f"line {number} has {key} again: use a pattern to read several parts")
        found[key] = pair[2].strip()
    if not found:
        raise ValueError("no line is a key=value, there are comments only")
    return found


def _matches(text: str, said: Mapping[str, Any]) -> Section:
    """
    Read each match of the pattern as a part.

    An output in which nothing fits raises ValueError: that the words of a tool are others now
    does not mean that all parts are gone.
    """
    found = [one.groupdict() for one in re.finditer(said["pattern"], text, re.MULTILINE)]
    if not found:
        raise ValueError(f"nothing fits the pattern in: {text.strip()[:200]!r}")
    return found


PARSERS: dict[str, Callable[[str, Mapping[str, Any]], Section]] = {
    "json": _json,
    "key=value": _key_value,
    "regex": _matches,
}


def _shaped(item: dict[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item with its numbers as numbers, and what changes by itself under volatile."""
    numbers = frozenset(said.get("numbers", ()))
    item = {key: _number(value) if key in numbers else value for key, value in item.items()}
    moving = {key: item.pop(key) for key in said.get("volatile", ()) if key in item}
    return {**item, "volatile": moving} if moving else item


def _number(value: Any) -> Any:
    """Return a text of digits as an integer, and everything else as it is."""
    return int(value) if isinstance(value, str) and WHOLE(value.strip()) else value
