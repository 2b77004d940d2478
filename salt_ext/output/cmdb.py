"""
How the answers of the runner ``cmdb`` print: aligned tables and plain sentences.

It is chosen by the answers themselves; ``--out=json`` prints the data instead.
"""

from typing import Any

from salt_ext.printing import assets, history, layout, people, quality
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
    "accepted": people.accepted,
    "asset": assets.asset,
    "baseline": people.baseline,
    "baselines": people.baselines,
    "card": assets.card,
    "changes": history.feed,
    "checks": quality.checks,
    "choices": quality.choices,
    "collected": quality.collected,
    "comparison": history.comparison,
    "diff": history.diff,
    "error": _error,
    "facets": assets.facets,
    "file": people.file,
    "fleet_diff": history.fleet_diff,
    "genealogy": history.genealogy,
    "history": history.history,
    "identity": quality.identity,
    "imported": people.imported,
    "lifecycle": people.lifecycle,
    "odd": quality.odd,
    "problem": quality.problem,
    "reconciled": people.reconciled,
    "renamed": people.renamed,
    "report": assets.report,
    "ruled": quality.ruled,
    "stats": quality.stats,
    "status": assets.status,
    "steps": quality.steps,
    "synced": quality.synced,
    "table": layout.table,
    "value": assets.value_alone,
}
