"""
How renames, changes of the lifecycle, disowned keys, baselines and open installations print.
"""

from __future__ import annotations

from salt_ext.commands.printing import history, layout
from salt_ext.commands.printing.layout import Answer
from salt_ext.words import changes


def renamed(answer: Answer) -> list[str]:
    """Print a rename, and what is left to do."""
    done = "would be renamed" if answer["test"] else "renamed"
    return [
        f"{answer['old']} {done} to {answer['new']}",
        "what remains to be done:",
        *(f"  {number}. {step}" for number, step in enumerate(answer["steps"], 1)),
    ]


def lifecycle(answer: Answer) -> list[str]:
    """Print a change of the lifecycle."""
    name = answer["name"]
    if answer["old"] == answer["new"]:
        return [f"{name} is {answer['new']} already"]
    would = "would be: " if answer["test"] else ""
    return [f"{name}  {would}{answer['old']} → {answer['new']}"]


def disowned(answer: Answer) -> list[str]:
    """Print which keys a machine only claims, or which are its own again."""
    would = "would be " if answer["test"] else ""
    name = answer["minion_id"] or answer["asset_id"]
    state = "none of its keys any more" if answer["disowned"] else "its own again"
    lines = [f"{name}  {answer['key']} {one}: {would}{state}" for one in answer["values"]]
    if not answer["test"]:
        lines.append(
            "problems that are over close within the hour, or with: salt-run cmdb.maintain"
        )
    return lines


def accepted(answer: Answer) -> list[str]:
    """Print that a baseline was accepted."""
    would = "would be " if answer["test"] else ""
    name = answer["minion_id"] or answer["asset_id"]
    return [f"{name}  revision {answer['revision']} {would}accepted as its baseline"]


def baseline(answer: Answer) -> list[str]:
    """Print a baseline and what deviates from it."""
    name = answer["minion_id"] or answer["asset_id"]
    head = (
        f"{name}  revision {answer['revision']}, accepted {layout.instant(answer['accepted_at'])}"
        f" by {answer['accepted_by']}: {answer['reason']}"
    )
    return [head, *_deviations(answer["deviations"])]


def _deviations(rows: list[Answer]) -> list[str]:
    lines = []
    for row in rows:
        one = changes.line(row)
        doubt = "" if row["is_confirmed"] or row["state"] == "added" else "  (not confirmed yet)"
        lines.append(f"  {one.symbol} {row['state']}  {one.what}: {history.from_to(one)}{doubt}")
    return lines or ["  as accepted"]


def baselines(answer: Answer) -> list[str]:
    """Print the assets that deviate from their baselines."""
    lines = []
    for one in answer["assets"]:
        name = one["minion_id"] or one["asset_id"]
        head = f"{name}  {one['sn'] or ''}  {one['lifecycle']}"
        lines += [head, *_deviations(one["deviations"])]
    return [
        *lines,
        f"{layout.count(answer['checked'], answer['checked'], 'baselines')} checked,"
        f" {answer['bad']} not as accepted",
    ]


PROVISIONED = ("name", "sn", "profile", "uuid", "macs", "address", "disk_layout", "expires_at")


def provisioned(answer: Answer) -> list[str]:
    """Print which machines may be installed, which not and why, and what to do next."""
    opened = [{**one, "macs": ", ".join(one["macs"])} for one in answer["opened"]]
    lines = []
    for one in answer["refused"]:
        lines += [f"{one['name']}  refused: {one['why']}", f"  {one['todo']}"]
    if opened:
        rows = [[one[name] or None for name in PROVISIONED] for one in opened]
        lines += layout.grid([*PROVISIONED], rows)
    would = " would be opened" if answer["test"] else " open"
    number = layout.count(len(opened), len(opened), "installations")
    refused = f", {len(answer['refused'])} refused" if answer["refused"] else ""
    steps = [f"  {number}. {step}" for number, step in enumerate(answer["steps"], 1)]
    return [*lines, f"{number}{would}{refused}", *(["what to do next:", *steps] if steps else [])]
