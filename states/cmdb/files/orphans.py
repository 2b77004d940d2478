"""
Print the packages that pip brought for salt-cmdb[master], and that nothing else needs.

pip marks what somebody asked for by name with a file REQUESTED. What lies in another folder came
with Salt, and is Salt's.
"""

import re
from importlib.metadata import distributions


def name(text):
    """Return the name at the beginning of a requirement, as packages are compared by it."""
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", text)[0]).lower()


packages = {name(one.name): one for one in distributions()}
needs = {key: {name(line) for line in one.requires or ()} for key, one in packages.items()}
ours = packages.pop("salt-cmdb", None)
place = ours and ours.locate_file("")
extra = re.compile(r"""extra\s*==\s*["']master["']""")
waiting = [name(line) for line in (ours and ours.requires) or () if extra.search(line)]
orphans = set()
while waiting:
    key = waiting.pop()
    one = packages.get(key)
    is_asked_for = one and one.read_text("REQUESTED") is not None
    if one and key not in orphans and one.locate_file("") == place and not is_asked_for:
        orphans.add(key)
        waiting += needs[key]
while needed := {key for key in orphans for one in packages.keys() - orphans if key in needs[one]}:
    orphans -= needed
print(",".join(sorted(orphans)))
