"""
How changes print, of one asset and of the fleet.
"""

from __future__ import annotations

from salt_ext.commands.printing import layout
from salt_ext.commands.printing.layout import Answer
from salt_ext.words import changes, values
from salt_ext.words.called import called
from salt_ext.words.handovers import handover


def history(answer: Answer) -> list[str]:
    """Print the changes of an asset."""
    first = f"first report {layout.instant(answer['first_seen'])}"
    handed = [line for row in answer["handovers"] for line in _handover(row)]
    if not answer["changes"]:
        zone = f", {layout.in_zone()}" if handed else ""
        return [*handed, f"no changes{zone}; {first}"]
    lines = change_lines(answer["changes"])
    return [*lines, *handed, f"{_count(answer)}; {first}{layout.next_page(answer)}"]


def _handover(row: Answer) -> list[str]:
    """Return the line about a handover, and what differed then if that was asked for."""
    said = handover(row["mode"], row["source"], row["sections"])
    lines = [f"{layout.time(row['recorded_at'])}  {said}"]
    for one in map(changes.line, changes.worth_telling(row.get("changes") or ())):
        lines.append(f"  {one.symbol} {one.op}  {one.what}: {from_to(one)}")
    return lines


def feed(answer: Answer) -> list[str]:
    """Print the changes of the fleet."""
    if not answer["changes"]:
        return ["no changes"]
    lines = change_lines(answer["changes"], with_names=True)
    return [*lines, _count(answer) + layout.next_page(answer)]


def _count(answer: Answer) -> str:
    count = layout.count(len(answer["changes"]), answer["total"], "changes")
    return f"{count}, {layout.in_zone()}"


def change_lines(rows: list[Answer], *, with_names: bool = False) -> list[str]:
    """Return a line for each change."""
    lines = []
    for row in rows:
        one = changes.line(row)
        name = [called(row)] if with_names else []
        moved = [
            f"; {word} {row[key]['minion_id'] or 'a detached asset'}"
            for key, word in (("moved_from", "came from"), ("moved_to", "is now in"))
            if row.get(key)
        ]
        time = layout.time(row["recorded_at"])
        lines.append([time, *name, one.op, one.what, from_to(one) + "".join(moved)])
    return layout.columns(lines) if lines else []


def from_to(line: changes.Line) -> str:
    """Return the old value and the new one."""
    return f"{line.old or 'none'} → {line.new or 'none'}"


def diff(answer: Answer) -> list[str]:
    """Print what lies between two revisions."""
    old, new = answer["old"], answer["new"]
    if old is None:
        first = layout.instant(new["recorded_at"])
        return [f"{answer['asset']}  has only its first report, of {first}"]
    times = layout.span(old["recorded_at"], new["recorded_at"])
    lines = [f"{answer['asset']}  {times}", *_differences(answer["changes"])]
    if handed := [line for row in answer["handovers"] for line in _handover(row)]:
        more = f"salt-run cmdb.history {answer['asset']} handovers=True"
        lines += [*handed, f"what they tell otherwise is no difference here; see: {more}"]
    return lines


def comparison(answer: Answer) -> list[str]:
    """Print the differences between two assets."""
    return [f"{answer['asset']} → {answer['other']}", *_differences(answer["changes"])]


def _differences(rows: list[Answer]) -> list[str]:
    """Return the changes below a line for each section, and last how many of each kind."""
    lines = []
    section = None
    counts: dict[str, int] = {}
    for row in rows:
        if row["path"].partition(".")[0] != section:
            section = row["path"].partition(".")[0]
            lines.append(values.label(section))
        one = changes.line(row)
        lines.append(f"  {one.symbol} {one.op}  {one.what}: {from_to(one)}")
        counts[row["op"]] = counts.get(row["op"], 0) + 1
    lines.append(", ".join(f"{number} {op}" for op, number in counts.items()) or "no difference")
    return lines


def fleet_diff(answer: Answer) -> list[str]:
    """Print what became of the fleet."""
    lines = [layout.span(answer["from"], answer["to"])]
    if not answer["assets"]:
        return [*lines, "no difference"]
    number = layout.count(answer["assets"], answer["assets"], "assets")
    lines.append(f"{number} differ, {answer['new']} of them new")
    lines += layout.grid(
        ["section", "assets"], [[one["section"], one["assets"]] for one in answer["sections"]]
    )
    waves = [one for one in answer["waves"] if one["assets"] > 1]
    if waves:
        lines += ["", "the same on many"]
        lines += layout.columns(
            [
                [
                    f"  {one['assets']} x",
                    values.label(one["path"].rpartition(".")[2]),
                    one["op"],
                    values.label(one["field"]) if one["field"] else "",
                    _wave(one),
                ]
                for one in waves
            ]
        )
    for row in answer["rows"]:
        what = "new" if row["is_new"] else ""
        lines += ["", f"{row['name']}  {row['sn'] or ''}  {what}".rstrip()]
        lines += [] if row["is_new"] else _differences(row["changes"])
    if len(answer["rows"]) < answer["assets"] and answer["rows"]:
        lines += ["", f"next: after={answer['rows'][-1]['name']}"]
    return lines


def _wave(one: Answer) -> str:
    if one["old"] is None and one["new"] is None:
        return ""
    old, new = (
        values.value(item, one["path"].rpartition(".")[2]) if item is not None else "none"
        for item in (one["old"], one["new"])
    )
    return f"{old} → {new}"


def genealogy(answer: Answer) -> list[str]:
    """Print every place where a part was."""
    model = answer["stays"][0]["model"]
    lines = [f"{answer['serial']}  {model or ''}".rstrip() + f"  ({layout.in_zone()})"]
    for stay in answer["stays"]:
        until = layout.time(stay["until"]) if stay["until"] else "now"
        name = stay["minion_id"] or f"detached asset {stay['asset_id']}"
        place = f"{stay['path']} {stay['place']}".rstrip()
        lines.append(f"  {layout.time(stay['since'])} → {until}  {name}  {place}")
        lines += [f"    {line}" for line in change_lines(stay["changes"])]
    return lines
