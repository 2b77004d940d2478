"""
The texts of the pages that can be translated, and what each catalog lacks of them.

``python -m tests.messages`` writes the missing ones to the end of each catalog, without a
translation, and takes away those that no page has any more.
"""

import ast
import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

import webui
from salt_ext import questions, store
from salt_ext.document.classes import CLASSES
from salt_ext.words import fields
from salt_ext.words.values import LABELS, label
from webui import menu, query
from webui.language import DIRECTORY, LANGUAGES

ROOT = Path(webui.__file__).parent
METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]
KEYWORDS = {"_": None, "gettext": None, "marked": None, "translated": None}
HEADER = """# The texts of the pages. Written by: python -m tests.messages
msgid ""
msgstr ""
"Language: {}\\n"
"Content-Type: text/plain; charset=utf-8\\n"

"""
OPTIONS = {"templates/**.html": {"trimmed": "true", "silent": "false"}}


def messages():
    """Return every text that a page may show in another language."""
    found = {
        text
        for _, _, text, _, _ in extract_from_dir(ROOT, METHODS, OPTIONS, keywords=KEYWORDS)
        if isinstance(text, str)
    }
    # What is named elsewhere, and translated where it is shown.
    found |= {text for _, text in menu.PAGES}
    found |= {*fields.MEANINGS.values(), *fields.PART_MEANINGS.values()}
    found |= {*LABELS.values(), *map(label, fields.MEANINGS), *map(label, fields.PART_MEANINGS)}
    found |= {
        *query.WORDS.values(),
        *query.MOMENT_WORDS.values(),
        *fields.GROUPS,
        fields.LISTS,
        fields.PARTS,
    }
    found |= {
        *store.OPS,
        *store.INSTALLATION_STATES,
        *store.FRESHNESS,
        *store.LIFECYCLES,
        *store.KINDS,
        *store.SEVERITIES,
    }
    found |= {*CLASSES.values(), *map(label, CLASSES)}
    found |= {*store.LOSS_STATES, *store.REACTION_STATES}
    found |= set(of_questions())
    return {text for text in found if text.strip()}


def of_questions():
    """Yield what the tables call their rows and their columns."""
    for path in Path(questions.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("Table", "cut"):
                if isinstance(node.args[0], ast.Constant):
                    yield node.args[0].value
            elif isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "").endswith(
                "COLUMNS"
            ):
                names = [one.value for one in ast.walk(node.value) if isinstance(one, ast.Constant)]
                yield from (label(name) for name in names if isinstance(name, str))


def update(name):
    """Write the catalog of a language with exactly the texts that there are."""
    path = DIRECTORY / f"{name}.po"
    with open(path, "rb") as file:
        before = read_po(file)
    known = {one.id: one.string for one in before}
    after = Catalog(locale=name.replace("-", "_"))
    for text in sorted(messages()):
        after.add(text, known.get(text, ""))
    with open(path, "wb") as file:
        file.write(HEADER.format(name).encode())
        write_po(file, after, width=100, omit_header=True, sort_output=True)
    missing = [one.id for one in after if one.id and not one.string]
    print(f"{path.name}: {len(after)} texts, {len(missing)} without a translation")


if __name__ == "__main__":
    for one in LANGUAGES[1:]:
        update(one)
    sys.exit(0)
