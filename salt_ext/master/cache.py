"""
The reports that Salt has put into the master's cache, under ids that it authenticated.

The bank ``mine`` holds what ``cmdb.collect`` sent and the bank ``grains`` the
grains of minions that never sent anything: ours, or Salt's alone. All of it is
read by Salt's own cache API, so every driver of the master's option ``cache``
will do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import salt.cache
import salt.key
import salt.utils.mine
import salt.utils.verify
import salt.version
from salt.exceptions import SaltCacheError

from salt_ext.master.feed import Unreadable
from salt_ext.report import core_grains, envelope

KINDS = ("mine", "grains")

BANKS_SINCE = (3008,)
"""From this Salt on the cache has a bank for each kind; before, a bank for each minion."""

AS_IT_IS = {"memcache_expire_seconds": 0, "key_cache": ""}
"""Master options by which Salt would answer from a memory of its own, which may be old."""


class Cache:
    """The reports in the master's cache, of minions whose key is accepted."""

    def __init__(self, opts: Mapping[str, Any], *, one_bank_each: bool | None = None) -> None:
        """Use the cache of these master options, in the layout of this Salt by default."""
        self.opts = {**opts, **AS_IT_IS}
        self.cache = salt.cache.factory(self.opts)
        self.keys = salt.key.get_key(self.opts)
        if one_bank_each is None:
            one_bank_each = salt.version.__saltstack_version__ < BANKS_SINCE
        self.one_bank_each = one_bank_each

    def versions(self, minion_ids: Iterable[str] | None = None) -> dict[str, tuple[float, ...]]:
        """Return when the mine and the grains of each accepted minion were last written."""
        if minion_ids is None:
            accepted = self.accepted()
            present = {kind: self._with(kind, accepted) for kind in KINDS}
        else:
            accepted = self.trusted(minion_ids)
            present = {kind: self._having(kind, accepted) for kind in KINDS}
        return {
            minion_id: tuple(
                float(self.cache.updated(*self._place(kind, minion_id)) or 0)
                if minion_id in present[kind]
                else 0.0
                for kind in KINDS
            )
            for minion_id in present["mine"] | present["grains"]
        }

    def accepted(self) -> set[str]:
        """Return the minions whose key is accepted."""
        return set(self.keys.list_status("accepted").get("minions") or ())

    def trusted(self, minion_ids: Iterable[str]) -> set[str]:
        """Return which of these have an accepted key; an id that could be no minion's has none."""
        if not hasattr(self.keys, "list_match"):  # before Salt 3008 the list is the way, and quick
            return self.accepted() & set(minion_ids)
        valid = [one for one in minion_ids if salt.utils.verify.valid_id(self.opts, one)]
        return set(self.keys.list_match(valid).get("minions") or ())

    def report(self, minion_id: str, version: tuple[float, ...]) -> tuple[Any, float] | None:
        """
        Return what a minion sent by cmdb.collect, else the report of its grains, and its time.

        Raises :class:`Unreadable` when its entry is damaged or cannot be had.
        """
        mine_at, grains_at = version
        sent = self._fetch("mine", minion_id).get(envelope.MINE_FUNCTION)
        if isinstance(sent, dict) and salt.utils.mine.MINE_ITEM_ACL_ID in sent:
            sent = sent.get(salt.utils.mine.MINE_ITEM_ACL_DATA)
        if sent is not None:
            return sent, mine_at
        grains = self._fetch("grains", minion_id)
        if self.one_bank_each:
            grains = grains.get("grains") or {}
        grain = grains.get("cmdb")
        if not grains:
            return None
        try:
            if grain is None:
                return core_grains.report(grains, minion_id, grains_at), grains_at
            return envelope.build(grain, minion_id, None, "grains"), grains_at
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            # Refused by the store, with this sentence.
            reason = f"the grain cmdb is malformed: {error!r}"
            return {"schema": envelope.SCHEMA, "mode": "grains", "digest": reason}, grains_at

    def _place(self, kind: str, minion_id: str) -> tuple[str, str]:
        if self.one_bank_each:
            return f"minions/{minion_id}", "mine" if kind == "mine" else "data"
        return kind, minion_id

    def _with(self, kind: str, accepted: set[str]) -> set[str]:
        """Return the minions that have an entry: asking for one that is missing logs a warning."""
        if self.one_bank_each:
            return self._having(kind, accepted)
        return accepted & set(self.cache.list(kind) or ())

    def _having(self, kind: str, minion_ids: set[str]) -> set[str]:
        """Return the same for a few, without a list of all."""
        return {one for one in minion_ids if self.cache.contains(*self._place(kind, one))}

    def _fetch(self, kind: str, minion_id: str) -> dict[str, Any]:
        try:
            value = self.cache.fetch(*self._place(kind, minion_id))
        except Exception as error:  # what a damaged entry raises depends on the driver
            reason = str(error) if isinstance(error, SaltCacheError) else repr(error)
            raise Unreadable(
                f"the report of {minion_id} in the master's cache cannot be read: {reason};"
                f" let it report again: salt {minion_id} cmdb.collect"
            ) from error
        return value if isinstance(value, dict) else {}
