"""
The minions whose key the master has accepted.

Salt judges each key when it is asked for one, and looks at the whole path of each file for
that: seven seconds for 100,000 keys. Where keys are files, as they are by default, it is
asked about those alone that were not accepted the last time. Whether the others are still
there is seen from the names in the directories.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Mapping
from typing import Any

import salt.key
import salt.utils.verify

MOST_ASKED = 1000
"""When more keys than this are unknown, all are listed: that is quicker than one by one."""

LONGEST_NAME_BYTES = 255
"""No file has a longer name, and Salt raises an error when it is asked for the key of one."""


class AcceptedKeys:
    """The accepted keys of a master, of which it is remembered what Salt said."""

    def __init__(self, opts: Mapping[str, Any]) -> None:
        """Take the options of a master."""
        self.opts = opts
        self.keys = salt.key.get_key(opts)
        self._known: set[str] = set()
        """Those that Salt called accepted, and whose file was there the last time."""
        is_files = opts.get("keys.cache_driver", "localfs_key") == "localfs_key"
        base = opts["cluster_pki_dir" if opts.get("cluster_id") else "pki_dir"]
        self._accepted = os.path.join(base, self.keys.ACC) if is_files else None
        self._others = [os.path.join(base, one) for one in (self.keys.PEND, self.keys.REJ)]
        """A key that is in one of these too is not accepted."""

    def all(self) -> set[str]:
        """Return the minions whose key is accepted."""
        if self._accepted is None:
            return self._listed()
        names = _names(self._accepted).difference(*map(_names, self._others))
        self._known &= names
        unknown = {one for one in names - self._known if self._can_be_asked(one)}
        self._known |= self._listed() if len(unknown) > MOST_ASKED else self._asked(unknown)
        return set(self._known)

    def of(self, minion_ids: Iterable[str]) -> set[str]:
        """Return those of these ids whose key is accepted. An id that Salt forbids has none."""
        minion_ids = set(minion_ids)
        known = {one for one in minion_ids & self._known if self._is_there(one)}
        asked = self._asked(minion_ids - known)
        self._known |= asked
        return known | asked

    def _is_there(self, minion_id: str) -> bool:
        return (
            self._accepted is not None
            and os.path.isfile(os.path.join(self._accepted, minion_id))
            and not any(os.path.exists(os.path.join(one, minion_id)) for one in self._others)
        )

    def _listed(self) -> set[str]:
        return set(self.keys.list_status("accepted").get("minions") or ())

    def _asked(self, minion_ids: set[str]) -> set[str]:
        """Ask Salt about each of these keys."""
        if not minion_ids:
            return set()
        if not hasattr(self.keys, "cache"):  # before Salt 3008, which can only list them
            return self._listed() & minion_ids
        valid = [one for one in minion_ids if self._can_be_asked(one)]
        return set(self.keys.list_match(valid).get("minions") or ())

    def _can_be_asked(self, minion_id: str) -> bool:
        """Whether Salt can be asked about an id, which may come from a forged event."""
        try:
            is_name = len(os.fsencode(minion_id)) <= LONGEST_NAME_BYTES
        except UnicodeEncodeError:
            return False
        # Beside keys, the directory has hidden files of Salt's own.
        is_key = is_name and not minion_id.startswith(".")
        return is_key and salt.utils.verify.valid_id(self.opts, minion_id)


def _names(directory: str) -> set[str]:
    with contextlib.suppress(FileNotFoundError):
        return set(os.listdir(directory))
    return set()
