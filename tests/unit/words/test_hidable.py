"""The names of fields that can be hidden."""

import pytest

from salt_ext import settings
from salt_ext.clouds.instance import TOLD
from salt_ext.store.schema import LIST_COLUMNS
from salt_ext.words.hidable import COLUMNS, SECTIONS, hidable
from tests.unit.docs.test_facts import documented


@pytest.mark.parametrize(
    ("name", "means"),
    [
        ("sn", "sn"),
        ("list.owner", "list.owner"),
        ("bmc", "bmc"),
        ("disks.serial", "disks.serial_number"),
        ("disks.serial_number", "disks.serial_number"),
        ("disks.paths.address", "disks.paths.address"),
        ("bmc.address", "bmc.addresses"),
        ("memory.devices.sn", "memory.devices.serial_number"),
        ("ours.anything", "ours.anything"),
    ],
)
def test_a_field_is_named_as_the_list_or_the_facts_have_it(name, means):
    assert hidable(name, ["ours"]) == means


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("snn", "there is no field to hide 'snn'; did you mean 'sn'?"),
        ("service_tag", "did you mean 'sn'?"),
        ("disks.serail", "there is no field of disks 'serail'; did you mean 'serial_number'?"),
        ("dsks.serial", "there is no section 'dsks'; did you mean 'disks'?"),
        ("bcm", "did you mean 'bmc'?"),
        ("minion_id", "there is no field to hide 'minion_id'"),
        ("disks.", "there is no field of disks ''"),
        ("list.", "there is no"),
        ("", "there is no"),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(name, says):
    with pytest.raises(ValueError, match="there is no") as refused:
        hidable(name)
    assert says in str(refused.value)


def test_settings_have_the_names_in_one_form_and_say_where_a_wrong_one_stands():
    names = {"hidden_fields": ["sn", "disks.serial"]}
    assert settings.resolve(("web", names))["hidden_fields"] == ["sn", "disks.serial_number"]
    ours = {"hidden_fields": ["ours.key"], "collectors": {"ours": "site.ours"}}
    assert settings.resolve(("web", ours))["hidden_fields"] == ["ours.key"]
    with pytest.raises(settings.SettingsError, match=r"^web: hidden_fields: .* mean 'sn'\?"):
        settings.resolve(("web", {"hidden_fields": ["snn"]}))


def test_each_column_that_is_made_of_facts_can_be_hidden():
    assert {*COLUMNS} == {*LIST_COLUMNS} - {"kind", "temporary"}


def test_the_sections_have_the_fields_that_the_manual_describes():
    described: dict[str, set[str]] = {
        "location": {"site", "room", "rack", "unit"},
        "instance": {"cloud", "addresses", *TOLD},
    }
    ours = {*settings.OPTIONS["collectors"].default, *settings.OPTIONS["slow_collectors"].default}
    for path in documented():
        section, *words = (word.removesuffix("[]") for word in path.split("."))
        if section in ours:
            words = [word for word in words if word != "volatile" and not word.startswith("<")]
            described.setdefault(section, set()).update(words)
    assert {name: {*fields} for name, fields in SECTIONS.items()} == described
