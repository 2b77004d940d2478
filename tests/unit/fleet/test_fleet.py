"""The made-up fleet that the benchmarks measure with."""

import hashlib
import json
from datetime import timedelta
from itertools import groupby

import pytest

import demo_machine
from benchmarks import fleet
from benchmarks.fleet import documents, models
from salt_ext import document, settings
from salt_ext.document import keys as part_keys
from salt_ext.document.volatile import split
from salt_ext.facts import collect
from salt_ext.facts.identity import KEYS, identify
from salt_ext.report import checking

MACHINES, DAYS = 200, 365
FAST = settings.resolve()["collectors"]
PART_LISTS = ("disks", "gpus", "network", "power_supplies")


@pytest.fixture(scope="module")
def year():
    """The reports of a year as (time, machine, canonical bytes of the facts)."""
    return [(at, number, document.encode(one)) for at, number, one in fleet.year(MACHINES, DAYS)]


@pytest.fixture(scope="module")
def stories(year):
    """The documents of each machine in turn."""
    found = {number: [fleet.machine(number)] for number in range(1, MACHINES + 1)}
    for _, number, text in year:
        found.setdefault(number, []).append(json.loads(text))
    return found


def serials(facts):
    parts = [*facts["memory"]["devices"], *(one for name in PART_LISTS for one in facts[name])]
    return [one for one in map(part_keys.number, parts) if one]


def test_the_fleet_is_the_same_everywhere(year):
    # A new digest here means that figures cannot be compared with older ones.
    first = hashlib.sha256(b"".join(document.encode(fleet.machine(n)) for n in range(1, 26)))
    assert first.hexdigest()[:16] == "d8826bb607bd8167"
    assert (
        hashlib.sha256(b"".join(text for _, _, text in year)).hexdigest()[:16] == "6eb586902f8c2ece"
    )


@pytest.mark.parametrize("number", range(1, 26))
def test_documents_are_in_normal_form(number):
    facts = fleet.machine(number)
    assert document.encode(document.normal(facts)) == document.encode(facts)
    assert split(facts) == (facts, {})


def test_a_server_has_a_document_of_about_13_kilobytes():
    sizes = [len(document.encode(fleet.machine(number))) for number in range(1, 26)]
    assert 12_500 < sizes[0] < 14_500
    assert 12_500 < sum(sizes) / len(sizes) < 14_500


def test_no_two_machines_share_a_key_or_a_part():
    keys, parts = [], []
    for number in range(1, 1001):
        facts = fleet.machine(number)
        found = identify(facts)
        assert found["primary"]["quality"] == "high"
        assert not found["rejected"]
        keys += [(one["kind"], one["value"]) for one in found["candidates"] if one["kind"] in KEYS]
        parts += serials(facts)
    assert len(keys) == len(set(keys))
    assert len(parts) == len(set(parts))


@pytest.mark.parametrize("number", range(1, 26))
def test_reports_pass_the_checks_of_the_master(number):
    report = fleet.report(number, fleet.START)
    order = checking.check_header(report, fleet.START)
    assert order.collected_at == fleet.START
    assert order.since_boot_ms == report["volatile"]["operating_system"]["uptime_seconds"] * 1000
    checking.check_body(report)
    assert report["facts"] == fleet.machine(number)
    assert report["volatile"]["operating_system"]["uptime_seconds"] >= 0


def test_a_renamed_machine_reports_the_name_it_had_before(stories):
    name, facts = next(
        (story[0]["operating_system"]["hostname"], facts)
        for number, story in stories.items()
        for facts in story
        if facts["operating_system"]["hostname"] != story[0]["operating_system"]["hostname"]
    )
    number = next(number for number, story in stories.items() if facts in story)
    report = fleet.report(number, fleet.START, facts)
    assert report["previous_minion_id"] == name
    assert report["minion_id"] == facts["operating_system"]["hostname"] != name
    assert fleet.report(number, fleet.START)["previous_minion_id"] is None


def test_the_year_is_told_in_the_order_of_time(year):
    times = [at for at, _, _ in year]
    assert times == sorted(times)
    assert fleet.START <= times[0] < times[-1] < fleet.START + timedelta(days=DAYS)
    assert len({(at, number) for at, number, _ in year}) == len(year)


def test_every_report_of_the_year_differs_from_the_one_before(stories):
    for story in stories.values():
        assert all(len(list(same)) == 1 for _, same in groupby(story))


def test_a_machine_changes_eight_times_a_year(year):
    assert 8.1 < len(year) / MACHINES < 8.8


def test_machines_come_and_go(year, stories):
    new = [number for number in stories if number > MACHINES]
    assert 5 <= len(new) <= 20
    assert min(new) == MACHINES + 1
    last = {number: at for at, number, _ in year}
    silent = [at for at in last.values() if at < fleet.START + timedelta(days=DAYS - 150)]
    assert 2 <= len(silent) <= 12


def test_parts_fail_move_and_are_replaced(stories):
    owners, spares = {}, set()
    for number, story in stories.items():
        for facts in story:
            for serial in serials(facts):
                owners.setdefault(serial, set()).add(number)
        spares |= set(serials(story[-1])) - set(serials(story[0]))
    moved = {serial for serial, numbers in owners.items() if len(numbers) > 1}
    assert len(moved) >= 5
    assert len(spares - moved) >= 10
    failing = [one for story in stories.values() for facts in story for one in facts["smart"]]
    assert any(not one["passed"] for one in failing)


def test_most_of_the_fleet_takes_a_new_kernel_within_days(stories):
    kernels = {
        number: {facts["operating_system"]["kernel_release"] for facts in story}
        for number, story in stories.items()
        if number <= MACHINES
    }
    assert sum(len(seen) for seen in kernels.values()) / MACHINES > 4


@pytest.fixture(scope="module")
def collected(tmp_path_factory):
    """What our collectors find in the tree of the demo's server."""
    where = tmp_path_factory.mktemp("tree")
    demo_machine.write(where, demo_machine.MODEL.bios_versions[0])
    return collect(str(where), FAST)


@pytest.fixture(scope="module")
def made_up():
    """The document of a machine of the same model."""
    model = demo_machine.MODEL
    new = models.Machine(
        *(1, "demo-server", 1, 1),
        modules=[models.module(model.dimm, slot) for slot in range(model.slots)],
        drives=[models.Drive(model.disk, demo_machine.DISK_SERIAL_NUMBER)],
    )
    return documents.of_model(new, model)


WORDS = {
    "system": ("manufacturer", "product_name", "wake_up_type"),
    "baseboards": ("manufacturer", "product_name", "version", "type"),
    "chassis": ("manufacturer", "type", "height_u", "number_of_power_cords"),
    "firmware": ("vendor", "version", "rom_size_bytes", "mode"),
    "processors": ("sockets", "cores", "threads", "isa", "model", "vendor", "family", "flags"),
    "disks": ("name", "model", "serial_number", "firmware_version", "size_bytes", "transport"),
}


@pytest.mark.parametrize("section", WORDS)
def test_made_up_documents_speak_as_collectors_do(section, collected, made_up):
    theirs, ours = (
        one[section][0] if isinstance(one[section], list) else one[section]
        for one in (collected, made_up)
    )
    said = WORDS[section]
    assert {name: ours[name] for name in said} == {name: theirs[name] for name in said}


def test_made_up_memory_modules_are_told_as_collectors_tell_them(collected, made_up):
    [theirs], [ours] = collected["memory"]["arrays"], made_up["memory"]["arrays"]
    for name in ("location", "use", "error_correction", "number_of_devices"):
        assert ours[name] == theirs[name]
    assert made_up["memory"]["installed_bytes"] == collected["memory"]["installed_bytes"]
    theirs, ours = collected["memory"]["devices"][0], made_up["memory"]["devices"][0]
    own = {"serial_number", "type_detail", "voltage_mv"}
    assert set(ours) <= set(theirs)
    assert {name: ours[name] for name in set(ours) - own} == {
        name: theirs[name] for name in set(ours) - own
    }
