"""
A mode of ``cmdb.collect`` for machines that no network reaches: their documents are carried.

On such a machine ``python3 -m salt_ext.facts --slow > web01.json`` writes what it is; the file
is brought into a directory of the master, whose configuration names this file and that place::

    cmdb:
      modes:
        carried: carried.plan
    carried: /srv/carried

``salt-run cmdb.collect '*' mode=carried`` stores them under the names of the files.
"""

import json
import time
from fnmatch import fnmatchcase
from pathlib import Path

from salt_ext.collect.modes import Answer, Plan, in_order
from salt_ext.report import envelope


def plan(opts, request):
    """Return the machines whose documents are there, and how to read them."""
    files = {path.stem: path for path in Path(opts["carried"]).glob("*.json")}
    if request.tgt_type == "list":
        wanted = request.tgt
    else:
        wanted = [name for name in files if fnmatchcase(name, request.tgt)]
    names = in_order(request, files.keys() & set(wanted))
    return Plan(names, answers(files, names, request), is_cached=False)


def answers(files, names, request):
    """Yield the report of each machine, or why there is none."""
    for name in names:
        if request.is_over():
            return
        now = time.time()
        try:
            document = json.loads(files[name].read_text(encoding="utf-8"))
            yield Answer(name, envelope.build(document, name, None, "carried"), now)
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            yield Answer(name, None, now, f"{files[name]} is no document: {error!r:.200}")
