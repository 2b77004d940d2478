"""
The view into which the output of a RAID tool is read, and how views are merged.

One command of a tool shows only some parts and fields. Each output is read into a
view: controllers, volumes and members with the fields that the output has. Whether
a state is good or bad is decided here, for the words of all tools.

A view has a fourth list, :data:`UNREAD`, when the output has lines that the reader of
the tool ought to understand and does not. They are told, and nothing is guessed of them.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False  # see root.py
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    Item = dict[str, Any]
    View = dict[str, list[Item]]
    Ask = Callable[..., str]
    """Runs the tool at hand with arguments and returns what it wrote."""

KEYS = {
    "controllers": ("id",),
    "volumes": ("controller", "id"),
    "members": ("controller", "enclosure", "slot", "volume", "name"),
}
NOTHING = frozenset(
    ("", "-", "--", "n/a", "na", "none", "unknown", "not available", "unavailable", "-unknown-")
)

HP = "5001438"  # the beginning of the addresses of HP's controllers and expanders

UNREAD = "unread"
"""The list of a view with the lines that were not understood, as ``{"line": ...}``."""

MAX_LINE = 300
MAX_UNREAD = 50

# The words of all tools, with the abbreviations of storcli. The worst word of a state
# counts: "Unconfigured(bad)", "Ready for Rebuild", "clean, FAILED".
WORDS = {
    "failed": """
        bad broken dead defunct ejected fail failed fatal fault faulty fbad fld
        inaccessible incomplete incompleted inoperable lost mis missing msng
        offline offln ofln removed ubad ubunsp unusable""",
    "degraded": """
        attention blocked cbshld cfshld conflict critical degrade degraded dgd dgrd ecc
        error failing failure hspshld impacted improperly inconsistent interim invalid osy
        overheated overheating partially pdgd predicted predictive rbld rebuild rebuilding
        rec recovering recovery replace shielded shld suboptimal ugshld ugunsp unsupported
        warning weakbat wrong""",
    "ok": """
        active assigned available avl background cac charged charging clean completed conf
        configured copyback cpybck dhs erase expanding expansion foreign free functional
        ghs good healthy hotspare hsp idle init initializing jbod journal learning
        migrating migration new normal ok okay oky onl online onln operational opt optimal
        optl passed passthrough raw rdy ready rebuilt recharging reconditioning sby spare
        standby transforming ucon uconf ugood unassigned unconfigured unused verify
        verifying""",
    # What the other words are said of. Alone they are neither good nor bad.
    "neutral": """
        a absent after at b before build by check checking compatible complete consistency
        dedicated delayed device disk down drive due failfast fix for formatting from full
        fully global hardware hot in inactive initialization initialized installed local
        migrate mostly need needs no non none not of on or parity paused pending physical
        present progress queued quick raid reenable replacement request requested reshaping
        resync resyncing sanitize scsi set slow smart sntze spin spinning spun started
        supported sync testing the to tolerant unknown up using verified volume waiting
        with write writemostly yet zmm""",
}
MEANINGS = {word: meaning for meaning, words in WORDS.items() for word in words.split()}
PHRASES = {
    "fault tolerant": "tolerant",
    "hot spare": "spare",
    "non operational": "inoperable",
    "non optimal": "suboptimal",
    "non raid": "jbod",
    "not compatible": "unusable",
    "not functional": "inoperable",
    "out of sync": "inconsistent",
    "pass through": "passthrough",
}
"""Words that mean something else together than each for itself."""

_WORDS = re.compile(r"[a-z]+")
_PROGRESS = re.compile(r"[,:(\s]*(\d{1,3})(?:\.\d{1,9})?\s?% ?(?:complete|done)?\)?", re.ASCII)
_QUANTITY = re.compile(r"\s*(\d{1,15}(?:\.\d{1,9})?)\s?([KMGTP]?)(i?)", re.ASCII)
_SECTORS = re.compile(r"\[0x([0-9a-fA-F]{1,14}) Sectors\]")
_PCI = re.compile(r"([0-9a-fA-F]{1,4}):([0-9a-fA-F]{1,2}):([0-9a-fA-F]{1,2})[:.]0?([0-7])")
_INTEGER = re.compile(r"\s*(\d{1,18})", re.ASCII)


def view() -> View:
    """Return an empty view."""
    return {kind: [] for kind in KEYS}


def merged(views: Iterable[View]) -> View:
    """
    Return one view with all that several views show.

    When two views have a value for the same field, the first one counts.
    """
    views = list(views)
    found: dict[str, dict[tuple[Any, ...], Item]] = {kind: {} for kind in KEYS}
    for one in views:
        for kind, key in KEYS.items():
            for item in one.get(kind, []):
                name = tuple(item.get(field) for field in key)
                _fill(found[kind].setdefault(name, {}), item)
    result = {
        kind: sorted(items.values(), key=lambda item, key=KEYS[kind]: order(item, key))  # type: ignore[misc]
        for kind, items in found.items()
    }
    rows = unread(*(item["line"] for one in views for item in one.get(UNREAD, ())))
    return {**result, UNREAD: rows} if rows else result


def unread(*texts: str) -> list[Item]:
    """Return the list :data:`UNREAD` of a view; how much is told of one output is bounded."""
    rows = dict.fromkeys(" ".join(text.split())[:MAX_LINE] for text in texts)
    return [{"line": row} for row in list(rows)[:MAX_UNREAD] if row]


def unknown_states(found: View) -> list[str]:
    """Return, as lines to be told, the states of parts that have a word nobody knows."""
    parts = [(kind[:-1], item) for kind in KEYS for item in found.get(kind, ())]
    parts += [("battery", item["battery"]) for item in found["controllers"] if "battery" in item]
    states = ((name, item.get("state")) for name, item in parts)
    return [f"{name} state: {state}" for name, state in states if state and not is_known(state)]


def _fill(item: Item, more: Item) -> None:
    """Add the fields that an item does not have yet, also in mappings directly below it."""
    for field, value in more.items():
        known = item.get(field)
        if isinstance(value, dict):
            item[field] = {**value, **known} if isinstance(known, dict) else dict(value)
        elif known is None or known == []:
            item[field] = value


def order(item: Item, key: tuple[str, ...]) -> list[tuple[int, str]]:
    """Return a sort key with which slot 2 comes before slot 10."""
    texts = [str(item.get(field) or "") for field in key]
    return [(len(text), text) if text.isdecimal() else (0, text) for text in texts]


def health(state: str | None, suspect: bool = False) -> str | None:
    """
    Return ``ok``, ``degraded`` or ``failed``; None for a state that is none of them, or not known.

    ``suspect`` means that the part works but predicts its own failure. A state with a
    word that nobody knows is never ``ok``.
    """
    words = _words(state)
    meanings = {MEANINGS.get(word) for word in words}
    if "failed" in meanings:
        return "failed"
    if suspect or "degraded" in meanings:
        return "degraded"
    # "Not Ready" and "Non-Initialized" are neither good nor broken.
    is_clear = None not in meanings and not {"not", "non"} & set(words)
    return "ok" if "ok" in meanings and is_clear else None


def is_known(state: str) -> bool:
    """Whether the words of a state say all that it says, and nothing has to be guessed."""
    words = _words(state)
    known = [word for word in words if word in MEANINGS]
    return bool(words) and (len(known) == len(words) or health(state) is not None)


def _words(state: str | None) -> list[str]:
    text = " ".join(_WORDS.findall((state or "").lower()))
    for phrase, word in PHRASES.items():
        text = text.replace(phrase, word)
    return text.split()


def judged(state: str | None, suspect: bool = False) -> Item:
    """Return ``state`` and ``health``, and a progress in the state as a volatile value."""
    if not state:
        return {"health": "degraded"} if suspect else {}
    progress = _PROGRESS.search(state)
    stable = _PROGRESS.sub("", state).strip(" ,:") if progress else state.strip()
    found: Item = {"state": stable or None, "health": health(stable, suspect)}
    if progress:
        found["volatile"] = {"progress_percent": int(progress[1])}
    return found


def lines(text: str) -> list[str]:
    """Return the lines of a text, each cut at MAX_LINE characters; no tool writes longer ones."""
    return [line[:MAX_LINE] for line in text.splitlines()]


def word(value: object) -> str | None:
    """Return a value as text, or None for the ways in which tools write "nothing"."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    text = str(value)[:MAX_LINE].strip()
    return None if text.lower() in NOTHING else text


def integer(value: object) -> int | None:
    """Return the number at the start of a text such as ``30C (86.00 F)``."""
    match = _INTEGER.match(word(value) or "")
    return int(match[1]) if match else None


def size_bytes(value: object, base: int = 1024) -> int | None:
    """
    Return a size such as ``558.375 GB`` or ``223.570 GB [0x1bf244b0 Sectors]`` in bytes.

    ``base`` is what the tool means by K in KB, MB and so on: 1024 for most tools,
    1000 for the others. KiB, MiB and so on are always powers of 1024.
    """
    text = word(value) or ""
    match = _QUANTITY.match(text)
    if match is None:
        return None
    unit = 1024 if match[3] else base
    written = round(float(match[1]) * unit ** " KMGTP".index(match[2] or " "))
    return exactly(written, _SECTORS.search(text)) or None  # 0 means that there is no size


def exactly(written: int, sectors: re.Match[str] | int | None) -> int:
    """Return the size of so many sectors, of 512 or 4096 bytes, whichever is nearer to written."""
    if sectors is None:
        return written
    count = sectors if isinstance(sectors, int) else int(sectors[1], 16)
    return min((count * 512, count * 4096), key=lambda size: abs(size - written))


def disk_wwn(value: object) -> str | None:
    """
    Return the WWN of a disk in lower case.

    Only one that begins with 5 is a disk's own, if it is not of HP, which makes none.
    Others, such as 3000..., are given to the bay of a SATA disk by what it is attached to.
    """
    wwn = (word(value) or "").lower().removeprefix("0x")
    return wwn if wwn.startswith("5") and not wwn.startswith(HP) else None


def pci_slot(address: str | None) -> str | None:
    """Return ``0000:3b:00.0`` for ``00:3b:00:00``; None for what is no address."""
    match = _PCI.fullmatch(address or "")
    if match is None:
        return None
    domain, bus, device, function = (int(part, 16) for part in match.groups())
    return f"{domain:04x}:{bus:02x}:{device:02x}.{function:x}"


def level(value: object) -> str | None:
    """
    Return ``RAID10`` for ``RAID 1+0``, ``raid10``, ``RAID-10`` and ``10``.

    A remark after the number, as in ``6 Reed-Solomon`` and ``RAID 6 (ADG)``, is no part of it.
    """
    text = word(value)
    if text is None:
        return None
    number = text.upper().removeprefix("RAID").lstrip(" -").replace("+", "")
    number = number.partition(" ")[0].partition("(")[0]
    return f"RAID{number}" if number[:1].isdigit() else text


def counters(**values: object) -> Item:
    """Return ``{"volatile": ...}`` with the values that are numbers; {} when there are none."""
    known = {name: integer(value) for name, value in values.items()}
    numbers = {name: value for name, value in known.items() if value is not None}
    return {"volatile": numbers} if numbers else {}


def joined(*parts: Item) -> Item:
    """Return one item made of several, without None; the volatile values of all are kept."""
    item: Item = {}
    for part in parts:
        volatile = {**item.get("volatile", {}), **part.get("volatile", {})}
        item.update(part)
        if volatile:
            item["volatile"] = volatile
    return {field: value for field, value in item.items() if value is not None}
