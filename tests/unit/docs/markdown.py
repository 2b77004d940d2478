"""Tables and examples out of the documents, for the tests that compare them with the code."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]


def text(name: str) -> str:
    """Return a document of ``docs/``."""
    return (ROOT / "docs" / name).read_text()


def rows(name: str, *headings: str) -> list[list[str]]:
    """Return the cells of every row of the tables whose first column has one of the headings."""
    found = []
    heading = None
    for line in text(name).splitlines():
        if not line.startswith("|"):
            heading = None
            continue
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if heading is None:
            heading = cells[0]
        elif heading in headings and not set(cells[0]) <= set("-:"):
            found.append(cells)
    return found


def blocks(name: str, language: str) -> list[str]:
    """Return the code of every fenced block in a language."""
    return re.findall(rf"^```{language}\n(.*?)\n```$", text(name), re.DOTALL | re.MULTILINE)


def differences(named: list[str], there: set[str]) -> str:
    """Return what to change in a document that names things; nothing when it names all once."""
    wrong = {
        "add": there - set(named),
        "remove": set(named) - there,
        "name once": {one for one in named if named.count(one) > 1},
    }
    return "; ".join(f"{what} {', '.join(sorted(names))}" for what, names in wrong.items() if names)
