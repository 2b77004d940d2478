"""
The reports in the master's cache, each under the minion id that Salt authenticated.

The bank ``mine`` holds the reports that ``cmdb.collect`` sent. For a minion that
never sent one, the bank ``grains`` holds its grains: with our grain ``cmdb``, or
Salt's own grains alone. Both banks are read through Salt's cache API, so every
driver of the master's option ``cache`` works.

Salt reads the old mine of a minion before it stores a new one. So an entry that is
damaged, as a file that was cut off is, keeps all later reports of that minion out until
it is removed. Nobody can write it meanwhile, so the engine may remove it.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from typing import Any

import salt.cache
import salt.key
import salt.utils.mine
import salt.utils.verify
import salt.version
from salt.exceptions import SaltCacheError, SaltDeserializationError

from salt_ext import settings
from salt_ext.master.feed import Unreadable
from salt_ext.report import core_grains, envelope
from salt_ext.report.sources import CMDB_GRAIN, CORE_GRAINS
from salt_ext.report.weighing import is_heavier

KINDS = ("mine", "grains")

BANKS_SINCE = (3008,)
"""From this Salt on the cache has a bank for each kind of data; before, one for each minion."""

AS_IT_IS = {"memcache_expire_seconds": 0, "key_cache": ""}
"""Master options that turn off Salt's memcache and key cache, whose answers may be old."""


class Cache:
    """The reports in the master's cache, of minions whose key is accepted."""

    def __init__(
        self,
        opts: Mapping[str, Any],
        *,
        mends: bool = False,
        one_bank_each: bool | None = None,
    ) -> None:
        """
        Open the cache of the master that has these options.

        ``mends`` is whether a damaged mine is removed when it is read for the second time.
        ``one_bank_each`` is true for the layout with a bank for each minion; by
        default the layout is that of the Salt that runs.
        """
        self.opts = {**opts, **AS_IT_IS}
        self.cache = salt.cache.factory(self.opts)
        self.max_report_bytes = settings.from_opts(opts)["max_report_bytes"]
        self.keys = salt.key.get_key(self.opts)
        if one_bank_each is None:
            one_bank_each = salt.version.__saltstack_version__ < BANKS_SINCE
        self.one_bank_each = one_bank_each
        self.mends = mends
        self._damaged_at: dict[str, float] = {}
        """By minion id: when its mine was written, of those that were damaged when last read."""

    def versions(self, minion_ids: Iterable[str] | None = None) -> dict[str, tuple[float, ...]]:
        """
        Return by minion id when its mine and its grains were last written.

        Both are seconds since the epoch, 0.0 where there is no entry. Only minions
        with an accepted key and at least one entry are returned, of all minions or
        of ``minion_ids``.
        """
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
        """Return those ids that have an accepted key. An id that Salt does not allow has none."""
        if not hasattr(self.keys, "list_match"):  # before Salt 3008, where listing all is quick
            return self.accepted() & set(minion_ids)
        valid = [one for one in minion_ids if salt.utils.verify.valid_id(self.opts, one)]
        return set(self.keys.list_match(valid).get("minions") or ())

    def report(self, minion_id: str, version: tuple[float, ...]) -> tuple[Any, float] | None:
        """
        Return the report of a minion and when it was written, in seconds since the epoch.

        This is what cmdb.collect sent, or else a report made of the grains; None when
        there is neither. Raises :class:`Unreadable` when the entry cannot be read.
        """
        mine_at, grains_at = version
        sent = self._fetch("mine", minion_id, mine_at).get(envelope.MINE_FUNCTION)
        if isinstance(sent, dict) and salt.utils.mine.MINE_ITEM_ACL_ID in sent:
            sent = sent.get(salt.utils.mine.MINE_ITEM_ACL_DATA)
        if sent is not None:
            return sent, mine_at
        grains = self._fetch("grains", minion_id, grains_at)
        if self.one_bank_each:
            grains = grains.get("grains") or {}
        grain = grains.get("cmdb")
        if grain is None and not core_grains.used(grains):
            return None  # of a proxy minion that starts, the master knows the id alone
        what = "the grains" if grain is None else "the grain cmdb"
        used = core_grains.used(grains) if grain is None else grain
        if is_heavier(used, self.max_report_bytes):
            reason = (
                f"{what} of {minion_id} would make a report larger than max_report_bytes"
                f" ({self.max_report_bytes})"
            )
            return _refused(reason), grains_at
        try:
            if grain is None:
                return core_grains.report(used, minion_id, grains_at), grains_at
            return envelope.build(grain, minion_id, None, CMDB_GRAIN), grains_at
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            return _refused(f"{what} of {minion_id} cannot be read: {error!r:.200}"), grains_at

    def _place(self, kind: str, minion_id: str) -> tuple[str, str]:
        if self.one_bank_each:
            return f"minions/{minion_id}", "mine" if kind == "mine" else "data"
        return kind, minion_id

    def _with(self, kind: str, accepted: set[str]) -> set[str]:
        """Return the minions that have an entry: to read a missing one makes Salt log a warning."""
        if self.one_bank_each:
            return self._having(kind, accepted)
        return accepted & set(self.cache.list(kind) or ())

    def _having(self, kind: str, minion_ids: set[str]) -> set[str]:
        """Return the same by asking for each minion, without a list of all entries."""
        return {one for one in minion_ids if self.cache.contains(*self._place(kind, one))}

    def _fetch(self, kind: str, minion_id: str, written_at: float) -> dict[str, Any]:
        where = f"the {kind} of {minion_id} in the master's cache"
        try:
            value = self.cache.fetch(*self._place(kind, minion_id))
        except SaltDeserializationError as error:
            raise self._damaged(where, kind, minion_id, written_at) from error
        except Exception as error:  # each driver raises its own, as for a server that is away
            reason = str(error) if isinstance(error, SaltCacheError) else repr(error)
            raise Unreadable(
                f"{where} cannot be read: {reason}; when that is mended, the report is stored"
            ) from error
        if isinstance(value, dict):
            return value
        # No entry is {} or None. Salt would go on storing what is there and is no mapping.
        if written_at:
            raise self._damaged(where, kind, minion_id, written_at)
        return {}

    def _damaged(self, where: str, kind: str, minion_id: str, written_at: float) -> Unreadable:
        """Return what is to be said of an entry that is damaged; a second time, remove it."""
        if kind != "mine":
            return Unreadable(f"{where} are damaged; write them anew: {_anew(minion_id)}")
        place = self._place(kind, minion_id)
        remedy = f"remove it and let it report again: {flush(*place)}; {_again(minion_id)}"
        said = f"{where} is damaged and keeps all later reports out"
        is_known = self._damaged_at.get(minion_id) == written_at
        self._damaged_at[minion_id] = written_at
        if not (self.mends and is_known):
            return Unreadable(f"{said}; {remedy}")
        try:
            if float(self.cache.updated(*place) or 0) != written_at:
                return Unreadable(f"{said}; {remedy}")  # somebody wrote it meanwhile
            self.cache.flush(*place)
        except Exception as error:
            return Unreadable(f"{said}, and cannot be removed by the engine: {error}; {remedy}")
        del self._damaged_at[minion_id]
        return Unreadable(
            f"{where} was damaged and kept all later reports out: it is removed, and the next"
            f" report will be stored; to have it now: {_again(minion_id)}"
        )


def flush(bank: str, key: str) -> str:
    """Return the command that removes an entry of the cache."""
    return f"salt-run cache.flush {shlex.quote(bank)} {shlex.quote(key)}"


def _again(minion_id: str) -> str:
    return f"salt {shlex.quote(minion_id)} cmdb.collect"


def _anew(minion_id: str) -> str:
    return f"salt {shlex.quote(minion_id)} saltutil.refresh_pillar"


def _refused(reason: str) -> dict[str, Any]:
    """Return a report that the store refuses, with a reason."""
    return {"schema": envelope.SCHEMA, "mode": CORE_GRAINS, "refused": reason}
