"""
How questions about the whole fleet print.
"""

from __future__ import annotations

from salt_ext.commands.printing import layout
from salt_ext.commands.printing.layout import MANY, Answer
from salt_ext.questions.health import said_of_warnings
from salt_ext.words import values


def odd(answer: Answer) -> list[str]:
    """Return a table in which each value has the unit of its field."""
    at = {name: place for place, name in enumerate(answer["columns"])}
    rows = [list(row) for row in answer["rows"]]
    for row in rows:
        field = row[at["field"]]
        for place in (at["value"], at["usual"]):
            is_size = field.endswith("_bytes") and row[place]
            row[place] = values.value(int(row[place]), field) if is_size else row[place]
    return layout.table({**answer, "rows": rows})


def health(answer: Answer) -> list[str]:
    """Return a table of health, and how often warnings came true."""
    told = [said_of_warnings(row) for row in answer.get("warnings", ())]
    return [*layout.table(answer), *([""] if told else []), *told]


def report(answer: Answer) -> list[str]:
    """Print the totals of the fleet and of its groups."""
    totals = answer["totals"]
    if not totals["assets"] and answer["as_of"]:
        return [f"no assets at {layout.instant(answer['as_of'])}"]
    if not totals["assets"] and answer["filters"]:
        return ["no assets"]
    if not totals["assets"]:
        return [
            "No machine has reported yet.",
            "On the master:  salt '*' state.apply cmdb      (installs the extension)",
            "                salt '*' cmdb.collect          (the first reports)",
        ]
    states = ", ".join(f"{totals[one]} {one}" for one in _freshness(totals))
    if answer["as_of"]:
        states = f"as they were at {layout.instant(answer['as_of'])}"
    lines = [
        f"{layout.count(totals['assets'], totals['assets'], 'assets')}: {states}",
        f"{totals['processor_threads']} threads, {values.binary(totals['memory_bytes'])} memory,"
        f" {values.decimal(totals['disk_bytes'])} disk",
    ]
    for group in answer["groups"]:
        columns = [*group["group_by"], "assets", *_freshness(totals)]
        columns += ["processor_threads", "memory_bytes", "disk_bytes"]
        rows = [[row[name] for name in columns] for row in group["rows"]]
        lines += ["", *layout.grid(columns, rows)]
    return lines


def _freshness(totals: Answer) -> list[str]:
    """Return the states of freshness that occur, and "fresh" always; none for the past."""
    if "fresh" not in totals:
        return []
    states = ("fresh", "stale", "missing", "detached", "unreported")
    return [one for one in states if totals[one] or one == "fresh"]


def facets(answer: Answer) -> list[str]:
    """Print the values of fields, each with its number of assets."""
    if not any(facet["assets"] for facet in answer["facets"]):
        return ["no assets"]
    lines: list[str] = []
    for facet in answer["facets"]:
        name, shown = facet["field"], facet["values"]
        lines += [""] if lines else []
        lines += layout.grid([name, "assets"], [[one["value"], one["assets"]] for one in shown])
        rest = facet["assets"] - sum(one["assets"] for one in shown)
        if rest:
            more = facet["distinct"] - sum(one["value"] is not None for one in shown)
            others = layout.count(more, more, "other values")
            lines.append(
                f"{layout.count(rest, rest, 'assets')} with {others}: give a larger limit="
            )
    return lines


def status(answer: Answer) -> list[str]:
    """Print how many machines are in which state, and who."""
    lines = []
    for state in ("fresh", "stale", "missing", "never"):
        names = answer[state]
        shown = [] if state == "fresh" else names[:MANY]
        left = len(names) - MANY if shown else 0
        more = f" and {left} more, with --out=json" if left > 0 else ""
        lines.append(f"{state:<8} {len(names):>6}  {', '.join(shown)}{more}")
    return lines
