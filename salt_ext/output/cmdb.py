"""
How the answers of the runner ``cmdb`` print: aligned tables and plain sentences.

It is chosen by the answers themselves; ``--out=json`` prints the data instead.
"""

from typing import Any

from salt_ext.commands.printing import acts, assets, history, layout, problems
from salt_ext.words import values


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
    return "\n".join(_clean(line) for line in KINDS[answer["kind"]](answer))


def _clean(line: str) -> str:
    """Return a line without control characters: a serial number must not move the cursor."""
    line = line.replace(values.NO_BREAK, " ").rstrip()
    return "".join(one if one.isprintable() else "�" for one in line)


def _error(answer: layout.Answer) -> list[str]:
    return [f"ERROR: {answer['error']}"] + ([f"hint: {answer['hint']}"] if answer["hint"] else [])


KINDS = {
    "accepted": acts.accepted,
    "asset": assets.asset,
    "baseline": acts.baseline,
    "baselines": acts.baselines,
    "card": assets.card,
    "changes": history.feed,
    "checks": problems.checks,
    "choices": problems.choices,
    "collected": problems.collected,
    "comparison": history.comparison,
    "diff": history.diff,
    "error": _error,
    "facets": assets.facets,
    "file": acts.file,
    "fleet_diff": history.fleet_diff,
    "genealogy": history.genealogy,
    "history": history.history,
    "identity": problems.identity,
    "imported": acts.imported,
    "lifecycle": acts.lifecycle,
    "odd": problems.odd,
    "problem": problems.problem,
    "reconciled": acts.reconciled,
    "renamed": acts.renamed,
    "report": assets.report,
    "ruled": problems.ruled,
    "stats": problems.stats,
    "status": assets.status,
    "steps": problems.steps,
    "synced": problems.synced,
    "table": layout.table,
    "value": assets.value_alone,
}
