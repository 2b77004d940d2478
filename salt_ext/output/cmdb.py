"""
How the answers of the runner ``cmdb`` print: aligned tables and plain sentences.

Each answer names this outputter; ``--out=json`` prints the data instead.
"""

from datetime import timezone, tzinfo
from typing import TYPE_CHECKING, Any

from salt_ext.commands.printing import (
    acts,
    asset,
    clouds,
    collect,
    feeds,
    fleet,
    history,
    layout,
    lists,
    operate,
    problems,
    push,
    reactions,
)
from salt_ext.settings import SettingsError, from_opts
from salt_ext.words import values
from salt_ext.words.times import zone_of
from salt_ext.words.visible import visible

if TYPE_CHECKING:
    from salt_ext._dunders import __opts__


def output(data: Any, **kwargs: Any) -> str:
    """
    Return an answer as text.

    CLI Example:

    .. code-block:: bash

        salt-run cmdb.report --out=cmdb
    """
    answer = data.get("cmdb") if isinstance(data, dict) else None
    if not isinstance(answer, dict) or answer.get("kind") not in KINDS:
        return str(data)
    layout.ZONE.set(_zone())
    lines = KINDS[answer["kind"]](answer)
    # Every error has one, and an answer that found nothing may say why.
    lines += [f"hint: {answer['hint']}"] if answer.get("hint") else []
    return "\n".join(map(_clean, lines))


def _zone() -> tzinfo:
    """Return the zone of the setting; where it has a mistake, the answer is about that."""
    try:
        return zone_of(from_opts(__opts__)["timezone"])
    except SettingsError:
        return timezone.utc


def _clean(line: str) -> str:
    """Return a line as it may be printed: a serial number must not move the cursor."""
    return visible(line.replace(values.NO_BREAK, " ").rstrip())


def _error(answer: layout.Answer) -> list[str]:
    return [f"ERROR: {answer['error']}"]


KINDS = {
    "accepted": acts.accepted,
    "asset": asset.asset,
    "baseline": acts.baseline,
    "baselines": acts.baselines,
    "card": asset.card,
    "changes": history.feed,
    "checks": operate.checks,
    "choices": problems.choices,
    "cloud": clouds.cloud,
    "collected": collect.collected,
    "comparison": history.comparison,
    "diff": history.diff,
    "disowned": acts.disowned,
    "error": _error,
    "facets": fleet.facets,
    "file": lists.file,
    "fleet_diff": history.fleet_diff,
    "genealogy": history.genealogy,
    "health": fleet.health,
    "history": history.history,
    "identity": problems.identity,
    "imported": lists.imported,
    "inventory": feeds.inventory,
    "lifecycle": acts.lifecycle,
    "odd": fleet.odd,
    "permission": reactions.permission,
    "problem": problems.problem,
    "provisioned": acts.provisioned,
    "pushed": push.pushed,
    "reconciled": lists.reconciled,
    "released": reactions.released,
    "renamed": acts.renamed,
    "report": fleet.report,
    "reset": reactions.reset,
    "ruled": problems.ruled,
    "ruled_many": problems.ruled_many,
    "stats": operate.stats,
    "status": fleet.status,
    "steps": operate.steps,
    "synced": collect.synced,
    "table": layout.table,
    "value": asset.value_alone,
}
