"""The md arrays in ``/proc/mdstat``, for kernels and captured trees that have no more."""

from __future__ import annotations

from salt_ext.facts.sysfs import whole

TYPE_CHECKING = False  # see root.py
if TYPE_CHECKING:
    from typing import Any

    Facts = dict[str, Any]

STATES = {"F": "faulty", "S": "spare", "W": "write_mostly", "J": "journal", "R": "replacement"}
ACTIONS = {"recovery": "recover", "resync": "resync", "reshape": "reshape", "check": "check"}


def arrays(text: str) -> list[Facts]:
    """
    Return the arrays in an ``mdstat``, under the names that ``volumes.py`` uses.

    An array is a line such as ``md0 : active raid1 sda1[0] sdb1[1]`` and the
    indented lines below it.
    """
    found: list[Facts] = []
    for line in text.splitlines():
        words = line.split()
        if len(words) >= 3 and words[1] == ":" and words[0][:2] == "md":
            found.append(_array(words))
        elif found and words and line[:1].isspace():
            _more(found[-1], words)
        else:
            # The heading and the list of unused devices do not belong to an array.
            continue
    return found


def _array(words: list[str]) -> Facts:
    members = [member for word in words[3:] if (member := _member(word)) is not None]
    # Between the state and the members there may be "(read-only)" and the level.
    level = [word for word in words[3:5] if "[" not in word and word[:1] != "("]
    return {
        "name": words[0],
        "level": level[0] if level else None,
        "state": words[2],
        "members": members,
        "volatile": {"action": "idle"},
    }


def _member(word: str) -> Facts | None:
    """Return the member that a word such as ``sda1[0](F)`` describes, or None."""
    name, bracket, rest = word.partition("[")
    number, closed, flags = rest.partition("]")
    if not (name and bracket and closed and number.isdecimal()):
        return None
    words = [STATES[flag] for flag in flags if flag in STATES]
    return {"name": name, "state": ",".join(words) or "in_sync"}


def _more(array: Facts, words: list[str]) -> None:
    """Add to an array what one of its indented lines says."""
    for word, after in zip(words, [*words[1:], ""], strict=True):
        if after == "blocks" and (blocks := whole(word)) is not None:
            array["size_bytes"] = blocks * 1024
        elif word == "super":
            array["metadata_version"] = after
        elif word[:1] == "[" and word[-1:] == "]" and "/" in word:
            total, there = map(whole, word[1:-1].split("/", 1))
            if total is not None and there is not None:
                array["raid_disks"] = total
                array["health"] = {"degraded": max(0, total - there)}
        elif word in ACTIONS and after == "=":
            array["volatile"]["action"] = ACTIONS[word]
        elif word.partition("=")[0] in ACTIONS and word.partition("=")[2]:  # resync=DELAYED
            array["volatile"]["action"] = ACTIONS[word.partition("=")[0]]
