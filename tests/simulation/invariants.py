"""
What must hold, each day and at the end.
"""

from collections import Counter

from salt_ext import store
from tests.simulation.judge import claimed
from tests.simulation.machine import DAY

SLACK = 1.0
EARLY, LATE = 0.8, 1.2
"""Between these shares of an age nothing is said about freshness: engines look every few hours."""

SEEN = """
SELECT asset.id, asset.minion_id, asset.temporary, asset.merged_into, seen.reports_as,
       extract(epoch FROM seen.last_seen)::float AS last_seen,
       extract(epoch FROM seen.collected_at)::float AS collected_at
  FROM asset LEFT JOIN asset_seen AS seen ON seen.asset_id = asset.id
"""

HISTORY = """
SELECT asset_id, number, digest, reason,
       EXISTS (SELECT FROM change WHERE change.asset_id = revision.asset_id
                  AND change.revision = revision.number) AS has_changes
  FROM revision ORDER BY asset_id, number
"""


NUMBERS = """
SELECT (SELECT sum(assets) FROM tally)::bigint AS kept,
       (SELECT count(*) FROM asset WHERE merged_into IS NULL) AS counted
"""


def daily(judge, world):
    """Check names, times and freshness of every asset."""
    at = judge.store.now
    if not at:
        return
    rows = {row["id"]: row for row in judge.store.rows(SEEN)}
    for kept in list(judge.assets.values()):
        row = rows.get(kept.id)
        if row is None or row["merged_into"] is not None:
            del judge.assets[kept.id]
            if row is None:
                judge.find("no change lost", at, f"the asset {kept.name} is gone", kept.machine)
            continue
        _name(judge, world, kept, row, at)
        if not kept.machine.is_evil:
            _times(judge, kept, row, at)
    _freshness(judge, world, at)


def _name(judge, world, kept, row, at):
    if row["minion_id"] == kept.name:
        return
    if row["minion_id"] is not None:
        text = f"the asset {kept.name} is called {row['minion_id']} without a report of its machine"
        judge.find("names", at, text, kept.machine)
        kept.name = row["minion_id"]
        return
    if kept.detached:
        return
    machine = kept.machine
    taker = judge.of_name(kept.name)
    is_own = taker is not None and taker.machine is machine
    why = judge.may_be_taken(world, kept, at) or (row["temporary"] and "it is temporary")
    if machine.is_live and not is_own and not why:
        others = (taker.machine,) if taker else ()
        text = f"the asset {kept.name} of the live machine {machine.number} is detached"
        judge.find("one asset, one machine", at, text, machine, *others)
    machine.tell(at, f"its asset {kept.name} is detached: {why or 'its own new asset'}")
    kept.detached = True


def _times(judge, kept, row, at):
    """``last_seen`` is when the last new report came, by the clock of the store."""
    first, last = kept.last.made_at - kept.jumped - SLACK, kept.heard_at + SLACK
    if not first <= row["last_seen"] <= last:
        by = row["last_seen"] - kept.heard_at if row["last_seen"] > last else None
        text = (
            f"{kept.name} is seen {by:.0f} s after its last new report #{kept.last.number}"
            if by is not None
            else f"{kept.name} is seen {first - row['last_seen']:.0f} s before its last new report"
            f" #{kept.last.number} was made"
        )
        judge.find_once(kept, "freshness", at, text)
    if abs(row["collected_at"] - claimed(kept.last)) > 0.001:
        text = f"{kept.name} keeps another moment than that of its last report #{kept.last.number}"
        judge.find_once(kept, "the last report", at, text)


def _freshness(judge, world, at):
    """Only listened time makes a machine stale; only a new report makes it fresh."""
    stale_after = judge.store.database.settings["stale_after"]
    page = store.assets(judge.store.database, columns="minion_id,freshness", limit=100_000)
    fresh = {row["id"]: row["freshness"] for row in page.rows}
    for kept in judge.assets.values():
        state = fresh.get(kept.id)
        if state in (None, "detached") or kept.machine.is_evil:
            continue
        silent = judge.listened(kept.master, kept.heard_at, at)
        if state == "fresh" and silent > LATE * stale_after:
            text = f"{kept.name} is fresh, {silent / 3600:.1f} listened hours after its last report"
            judge.find_once(kept, "freshness", at, text)
        if state != "fresh" and silent < EARLY * stale_after:
            text = f"{kept.name} is {state}, {silent / 3600:.1f} listened hours after its report"
            judge.find_once(kept, "freshness", at, text)


def at_end(judge, world):
    """Check that everybody is visible, that every document and every revision is right."""
    daily(judge, world)
    at = judge.store.now
    _documents(judge, at)
    _revisions(judge, at)
    _everybody(judge, world, at)
    for row in judge.store.rows(NUMBERS):
        if row["kept"] not in (None, row["counted"]):
            text = f"{row['counted']} assets are there, and their kept number is {row['kept']}"
            judge.find("numbers that are kept", at, text)


def _documents(judge, at):
    for kept in _sample(judge.assets.values(), 300):
        _, facts = store.document(judge.store.database, kept.id)
        if facts != kept.facts:
            sections = sorted(
                name for name in {*facts, *kept.facts} if facts.get(name) != kept.facts.get(name)
            )
            text = f"{kept.name} is not what it last reported: {', '.join(sections)}"
            judge.find("no change lost", at, text, kept.machine)


def _revisions(judge, at):
    found = {}
    for row in judge.store.rows(HISTORY):
        mine = found.setdefault(row["asset_id"], [])
        digest = bytes(row["digest"])
        if mine and mine[-1] == digest:
            if not row["has_changes"] and row["reason"] is None:
                kept = judge.assets.get(row["asset_id"])
                text = f"revision {row['number']} of {kept and kept.name} changes nothing"
                judge.find("no false change", at, text, *([kept.machine] if kept else []))
        else:
            mine.append(digest)
    for kept in judge.assets.values():
        mine = found.get(kept.id, [])
        if mine != kept.digests:
            text = f"{kept.name} has {len(mine)} documents in its history, not {len(kept.digests)}"
            judge.find("history", at, text, kept.machine)
    for kept in _sample(judge.assets.values(), 60):
        for moment in judge.store.rows(
            "SELECT recorded_at FROM revision WHERE asset_id = %(id)s", id=kept.id
        ):
            # Each step back is compared with the digest of its revision.
            try:
                store.document(judge.store.database, kept.id, moment["recorded_at"])
            except store.StoreError as error:
                judge.find_once(kept, "history", at, f"{kept.name}: {error}")


def _sample(items, most):
    items = list(items)
    return items[:: max(1, len(items) // most)]


def _everybody(judge, world, at):
    """Each live machine is visible: by its asset, or as one that waits for a person."""
    rows = {row["id"]: row for row in judge.store.rows(SEEN)}
    held = {row["minion_id"]: row for row in judge.store.rows("SELECT * FROM held")}
    problems = Counter()
    open_problems = {}
    for row in judge.store.rows("SELECT * FROM problem WHERE closed_at IS NULL"):
        open_problems.setdefault(row["minion_id"], []).append(row)
    judge.held_at_end = []
    for machine in world.fleet.live():
        if machine.is_evil:
            continue
        kept = judge.of_machine.get(machine.number)
        wrong = open_problems.get(machine.name, [])
        for row in wrong:
            problems[row["kind"], row["subject"]] += 1
        is_own = (
            kept is not None
            and kept.machine is machine
            and kept.heard_at > world.quiet_from + DAY / 2
            and kept.id in rows
        )
        if is_own:
            row = rows[kept.id]
            if machine.name in (row["minion_id"], row["reports_as"]):
                if row["minion_id"] != machine.name and not wrong:
                    text = f"{machine.name} is kept as {row['minion_id']} and no problem says so"
                    judge.find("nobody is invisible", at, text, machine)
                bad = [one for one in wrong if one["kind"] in ("report", "doubt", "collector")]
                for one in bad:
                    text = f"a problem stays open: {one['kind']} {one['subject']}: {one['message']}"
                    judge.find("problems close", at, text[:300], machine)
                continue
        if machine.name in held and any(one["kind"] == "identity" for one in wrong):
            row = held[machine.name]
            judge.held_at_end.append((machine, row))
            if not machine.causes:
                text = f"{machine.name} is held without a cause: {row['reason'][:200]}"
                judge.find("held for a reason", at, text, machine)
            continue
        text = f"{machine.name} reports, and is neither an asset nor held"
        judge.find("nobody is invisible", at, text, machine)
    judge.problems_at_end = problems
