"""
What is hidden from whom a database answers: from names of fields to all that tells the same.

``Database.hiding(names)`` hides fields, and every read passes through what is here: on the way
in by :meth:`Hidden.check`, on the way out by ``reads/masking``. Without names all is as ever.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from salt_ext.document.names import NUMBERS, PLACES
from salt_ext.store.errors import HiddenField
from salt_ext.words.hidable import COLUMNS, OWN

MARK = "hidden"
"""What stands in a row in place of a value, whether there is one or not."""

ALIKE: tuple[tuple[str, ...], ...] = (
    # The UUID of a Dell and of an HPE spells the serial number; the serial number of a guest on
    # VMware is its UUID.
    (
        *("sn", "system.serial_number", "baseboards.serial_number", "chassis.serial_number"),
        "system.uuid",
    ),
    ("hostname", "operating_system.hostname"),
    ("site", "location.site"),
    ("room", "location.room"),
    ("rack", "location.rack"),
    ("unit", "location.unit"),
    ("manufacturer", "system.manufacturer", "baseboards.manufacturer", "chassis.manufacturer"),
    ("product_name", "system.product_name"),
    (
        *("os", "operating_system.pretty_name", "operating_system.name"),
        *("operating_system.id", "operating_system.version_id"),
    ),
    ("kernel_release", "operating_system.kernel_release"),
    ("processor_model", "processors.model", "processors.packages.version"),
    (
        *("processor_threads", "processors.threads", "processors.online"),
        *("processors.thread_count", "processors.cpus"),
    ),
    (
        *("memory_bytes", "memory.installed_bytes", "memory.total_bytes", "memory.size_bytes"),
        "processors.memory_bytes",
    ),
    ("disk_count", "disks"),
    ("disk_bytes", "disks.size_bytes", "raid.size_bytes", "multipath.size_bytes"),
    ("address", "network.addresses", "network.default_address", "instance.addresses"),
    ("network.mac", "network.permanent_mac"),
    ("disks.serial_number", "smart.serial_number", "raid.members.serial_number"),
    ("disks.wwn", "disks.eui64", "disks.nguid", "disks.uuid"),
    ("virtual.cloud.instance_id", "cloud.instance_id", "instance.id"),
)
"""Fields that tell the same: who hides one of a line hides the others with it."""

ALSO: dict[str, tuple[str, ...]] = {
    # Dell and others call a BMC after the serial number of its machine.
    "system.serial_number": ("bmc.hostname", "bmc.redfish"),
    "disks.serial_number": ("multipath.wwid",),
    "system.product_name": ("system.sku_number",),
    "rack": ("system.enclosure.rack_name",),
    # The id of an instance is its UUID in many clouds.
    "system.uuid": ("bmc.guid", "instance.id"),
    # The kernel may count errors of a module under the name of its slot.
    "memory.devices.locator": ("memory.locator",),
    "memory.devices.bank_locator": ("memory.bank_locator",),
    # A disk by several paths has its worldwide name in the names of what lies on it.
    "disks.wwn": (
        *("disks.name", "smart.name", "raid.wwn", "lvm.devices"),
        *("multipath.name", "multipath.wwid", "multipath.wwn"),
    ),
}
"""What is hidden with a field because it may tell it, though it is not the same."""

IDENTIFIERS: dict[str, tuple[str, ...]] = {
    "serial_number": ("system.serial_number", "system.manufacturer"),
    "board_serial_number": ("baseboards.serial_number", "baseboards.manufacturer"),
    "chassis_serial_number": ("chassis.serial_number", "chassis.manufacturer"),
    "asset_tag": ("chassis.asset_tag",),
    "uuid": ("system.uuid",),
    "mac": ("network.permanent_mac",),
    "machine_id": ("operating_system.machine_id",),
    "cloud_instance_id": ("virtual.cloud.instance_id", "virtual.cloud.provider"),
}
"""The facts that each kind of identifier is made of: ``dell/9xyz1k2`` tells the maker too."""

NAMING = frozenset((*NUMBERS, *(field for group in PLACES for field in group)))
"""The fields by which the parts of a list are known: see ``document/keys``."""

ANYWHERE = r"(?:\..+)?"
END = r"(?:\.|$)"
ESCAPED_DOT = r"\."


@dataclass(frozen=True)
class Hidden:
    """
    What is hidden; false when nothing is.

    A path is that of a value in the document, without the keys of parts, and a name hides a
    field wherever it stands in its section: ``memory.serial_number`` that of
    ``memory.devices``. The patterns are regular expressions that Python and PostgreSQL read alike.
    """

    names: tuple[str, ...] = ()
    columns: frozenset[str] = frozenset()
    sections: frozenset[str] = frozenset()
    """Sections of which something is hidden."""
    kinds: frozenset[str] = frozenset()
    """Kinds of identifiers."""
    pattern: str = ""
    """Fits the paths that are hidden."""
    keys: str = ""
    """Fits the paths of lists whose parts are known by something that is hidden."""
    fields: frozenset[str] = frozenset()
    """The section and the last name of each path."""
    unjudged: frozenset[str] = frozenset()
    """Sections of which more is hidden than what parts are known by: nothing in them is judged."""

    def __bool__(self) -> bool:
        """Whether anything is hidden."""
        return bool(self.names)

    def path(self, path: str) -> bool:
        """Whether the value at a path of the document is hidden, or what it is in."""
        return _fits(self.pattern, path)

    def any(self, path: str, fields: Iterable[str]) -> bool:
        """Whether one of these fields of the value at a path is hidden."""
        return any(self.path(f"{path}.{field}") for field in fields)

    def tells(self, section: str, field: str) -> bool:
        """Whether a field is hidden somewhere in a section."""
        return f"{section}.{field}" in self.fields or self.path(f"{section}.{field}")

    def names_parts(self, path: str) -> bool:
        """Whether the keys of the parts in the list at a path tell something that is hidden."""
        return _fits(self.keys, path)

    def note(self) -> str:
        """Return what to say where something was looked for, and not in what is hidden."""
        return f"{', '.join(self.names)}: hidden from viewers and not searched, ask an auditor"

    def refusal(self, name: str) -> HiddenField:
        """Return the error for whoever asks about a hidden field."""
        return HiddenField(f"{name} is hidden from viewers: ask an auditor")

    def check(self, *names: str) -> None:
        """Raise :class:`HiddenField` if one of these columns or paths is hidden."""
        for name in names:
            if name in self.columns or self.path(name):
                raise self.refusal(name)


NOTHING = Hidden()


def hidden(names: Iterable[str]) -> Hidden:
    """Return what is hidden with these names, which are those of ``words.hidable``."""
    return _hidden(tuple(sorted(set(names))))


@lru_cache(maxsize=16)
def _hidden(names: tuple[str, ...]) -> Hidden:
    if not names:
        return NOTHING
    closed = set(names)
    while more := _told_by(closed) - closed:
        closed |= more
    columns = {one for one in closed if one in COLUMNS or one.startswith(OWN)}
    paths = sorted(closed - columns)
    pattern = _any(paths)
    lists = [path.rpartition(".") for path in paths]
    return Hidden(
        names,
        frozenset(columns),
        frozenset(path.partition(".")[0] for path in paths),
        frozenset(
            kind
            for kind, made_of in IDENTIFIERS.items()
            if any(_fits(pattern, path) for path in made_of)
        ),
        pattern,
        _any(within for within, dot, field in lists if dot and field in NAMING),
        frozenset(f"{within.partition('.')[0]}.{field}" for within, _, field in lists),
        frozenset(
            (within or field).partition(".")[0]
            for within, dot, field in lists
            if not dot or field not in NAMING
        ),
    )


def _told_by(closed: set[str]) -> set[str]:
    """Return the names that tell what these tell."""
    pattern = _any(sorted(closed))
    found = {name for group in ALIKE if any(_fits(pattern, one) for one in group) for name in group}
    return found.union(*(others for name, others in ALSO.items() if name in closed))


def _fits(pattern: str, path: str) -> bool:
    # To PostgreSQL a dot is any character, a line break too.
    return bool(pattern) and re.match(pattern, path, re.DOTALL) is not None


def _any(paths: Iterable[str]) -> str:
    """Return the pattern for values at any of these paths and below, anywhere in their sections."""
    each = []
    for path in dict.fromkeys(paths):
        section, *words = (re.escape(word) for word in path.split("."))
        each.append(section + (rf"{ANYWHERE}\.{ESCAPED_DOT.join(words)}" if words else ""))
    return f"^(?:{'|'.join(each)}){END}" if each else ""
