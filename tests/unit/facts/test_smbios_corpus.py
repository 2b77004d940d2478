"""Every SMBIOS table of the corpus, fact by fact, against what dmidecode reads in it."""

import json
from collections import Counter
from functools import cache

import pytest

from salt_ext.facts import smbios
from salt_ext.facts.smbios import fields
from tests.corpus import corpus_files, corpus_name, needs_corpus
from tests.unit.facts.smbios_tables import split_dump

FILES = corpus_files("*/smbios_bin/**/*", "*/smbios_synth/**/*")
LISTS = {
    "baseboards": (fields.BASEBOARD, fields.baseboard),
    "chassis": (fields.CHASSIS, fields.chassis),
    "processors": (fields.PROCESSOR, fields.processor),
    "slots": (fields.SLOT, fields.slot),
    "memory_arrays": (fields.MEMORY_ARRAY, fields.memory_array),
    "memory_devices": (fields.MEMORY_DEVICE, fields.memory_device),
    "power_supplies": (fields.POWER_SUPPLY, fields.power_supply),
    "onboard_devices": (fields.ONBOARD_DEVICE, fields.onboard_device),
}


@cache
def expectations(path):
    return json.loads(path.read_text(encoding="utf-8"))


def known_about(path):
    """Return (the expectations of its source, the one of this file)."""
    for parent in path.parents:
        if (parent / "expected.json").exists():
            known = expectations(parent / "expected.json")
            return known, known.get(path.relative_to(parent).as_posix(), {})
    return {}, {}


def expectation(path):
    """Yield (source, facts to expect, {path: what a rebuilt table says instead})."""
    known, entry = known_about(path)
    if "dmidecode_3_4" in entry:
        yield "dmidecode_3_4", entry["dmidecode_3_4"], {}
    captured = (entry.get("peer") or {}).get("dmidecode_on_the_machine")
    if captured:
        yield "on the machine", captured, {}
    if "facts_of" in entry:
        read_back = {
            where: value
            for where, _, value in entry["facts_that_differ_when_dmidecode_3_4_reads_it_back"]
        }
        text = next(
            document
            for name, document in known.items()
            if name.partition("/")[2] == entry["facts_of"]
            and "dmidecode_on_the_machine" in document
        )
        yield "text", text["dmidecode_on_the_machine"], read_back


def version_of(path, entry):
    """Return the version a table is read by, which a bare one does not say itself."""
    if entry:
        return smbios.entry_point(entry).version
    return tuple(known_about(path)[1].get("smbios_version_assumed") or smbios.ASSUMED_VERSION)


def decoded(tables):
    """Return our facts in the shape of the corpus."""
    facts = {
        name: [decode(item) for item in tables.of(kind)] for name, (kind, decode) in LISTS.items()
    }
    facts["bios"] = next(map(fields.bios, tables.of(fields.BIOS)), None)
    facts["system"] = next(
        (fields.system(item, tables.version) for item in tables.of(fields.SYSTEM)),
        None,
    )
    ipmi = [fields.ipmi(item) for item in tables.of(fields.IPMI)]
    facts["ipmi"] = ipmi[-1] if ipmi else None
    facts["oem_strings"] = [
        text for item in tables.of(fields.OEM_STRINGS) for text in fields.oem_strings(item)
    ]
    # The same facts as dmidecode words them.
    if facts["bios"]:
        facts["bios"]["firmware_revision"] = facts["bios"]["embedded_controller_revision"]
    for item in facts["power_supplies"]:
        for name in ("plugged", "hot_replaceable"):
            if item[name] is not None:
                item[name] = "Yes" if item[name] else "No"
    for item in facts["onboard_devices"]:
        item["status"] = {True: "Enabled", False: "Disabled", None: None}[item["enabled"]]
    return facts


def flat(value, where, instead=()):
    """Yield (path, value) of every leaf; ``instead`` replaces what is at some paths."""
    if where in instead:
        yield where, instead[where]
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from flat(item, f"{where}.{name}", instead)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from flat(item, f"{where}[{number}]", instead)
    else:
        yield where, value


def agree(expected, ours):
    if expected is None or expected == "Not Specified":
        return ours in (None, "Not Specified")
    if not isinstance(expected, str):
        return expected == ours
    if "<OUT OF SPEC>" in expected:  # dmidecode 3.4 does not know the code; we may
        return True
    if expected == "<BAD INDEX>":
        return ours is None
    return (expected.strip() or None) == ours


@cache
def compare(path):
    """Return (number of facts that agree by kind, those that do not)."""
    entry, table = split_dump(path.read_bytes())
    tables = smbios.structures(table, version_of(path, entry))
    facts = decoded(tables)
    ours = {where: value for kind in facts for where, value in flat(facts[kind], kind)}
    right, wrong = Counter(), []
    for source, document, read_back in expectation(path):
        for kind in facts:
            size = len if isinstance(facts[kind], list) else bool
            if size(document[kind]) != size(facts[kind]):
                wrong.append((source, kind, size(document[kind]), size(facts[kind])))
            for where, wanted in flat(document[kind], kind, read_back):
                if agree(wanted, ours.get(where)):
                    right[kind] += 1
                else:
                    wrong.append((source, where, wanted, ours.get(where)))
        if source != "text":  # a rebuilt table has not every structure
            types = Counter(str(item.type) for item in tables.structures)
            if types == document["types"]:
                right["structures"] += types.total()
            else:
                wrong.append((source, "types", document["types"], dict(types)))
    return right, wrong


@needs_corpus
@pytest.mark.parametrize("path", FILES, ids=corpus_name)
def test_every_fact_is_the_one_that_dmidecode_reads(path):
    assert compare(path)[1] == []


@needs_corpus
def test_the_corpus_has_more_than_a_thousand_facts():
    right = sum((compare(path)[0] for path in FILES), Counter())
    for kind, number in sorted(right.items()):
        print(f"{kind}: {number} facts")
    print(f"in all {right.total()} facts of {len(FILES)} files")
    assert right.total() > 1000
