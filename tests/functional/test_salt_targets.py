"""Whom Salt's own doors mean: the roster, node groups, and core's pillar.postgres on our view."""

import json
import re
from pathlib import Path

import pytest
import salt.config
import salt.loader
import salt.pillar
import salt.roster
import sqlalchemy as sa
import yaml
from salt.utils.minions import CkMinions, nodegroup_comp

from salt_ext import feeds, settings, store
from salt_ext.feeds.reached import ASKS_SILENT_TOO
from tests.machines import arrival, server

REPOSITORY = Path(__file__).parents[2]
EVERYBODY = {
    "lifecycle__in": ["active", "retired"],
    "freshness__in": ["fresh", "stale", "missing"],
}


def with_address(number, address, **sections):
    network = [{"name": "eth0", "kind": "physical", "default_address": address}]
    return server(number, network=network, **sections)


@pytest.fixture
def fleet(database):
    """Two machines that are well, one retired, one missing, and one whose name is no name."""
    said = {
        "web01": with_address(1, "10.0.0.1", location={"site": "fra1"}),
        "web02": with_address(2, "10.0.0.2", location={"site": "fra2"}),
        "gone01": with_address(3, "10.0.0.3", location={"site": "fra1"}),
        "mute01": with_address(4, "10.0.0.4", location={"site": "fra1"}),
        "-oProxyCommand=x": with_address(5, "10.0.0.5", location={"site": "fra1"}),
    }
    store.ingest(database, [arrival(facts, name) for name, facts in said.items()])
    act = store.Act("ops", "broken", test=False)
    store.set_lifecycle(database, store.resolve(database, "gone01"), "retired", act)
    with database.begin() as link:
        link.execute(
            sa.text(
                "UPDATE asset_seen SET last_seen = now() - interval '9 days' WHERE asset_id = :id"
            ),
            {"id": store.resolve(database, "mute01")},
        )
    return database


@pytest.fixture
def roster(master_opts, fleet):
    """A function that returns whom salt-ssh would log in to, and where."""

    def targets(tgt="*", tgt_type="glob", **options):
        one = salt.roster.Roster({**master_opts, **options}, "cmdb")
        return {name: entry["host"] for name, entry in one.targets(tgt, tgt_type).items()}

    return targets


def test_the_roster_has_no_retired_and_no_missing_machine(roster, caplog):
    assert roster() == {"web01": "10.0.0.1", "web02": "10.0.0.2"}
    assert "1 machines are not in the roster cmdb, such as -oProxyCommand=x" in caplog.text


def test_salt_ssh_never_logs_in_to_the_master_as_a_machine_without_a_network(roster, fleet):
    reports = [arrival(with_address(6, "127.0.0.1"), "lone01")]
    reports.append(arrival(with_address(7, "::ffff:127.0.0.1"), "lone02"))
    store.ingest(fleet, reports)
    assert set(roster()) == {"web01", "web02"}


def test_who_wants_them_asks_for_them_by_a_setting(roster, master_opts):
    master_opts["cmdb"]["roster_filters"] = EVERYBODY
    assert set(roster()) == {"web01", "web02", "gone01", "mute01"}
    master_opts["cmdb"]["roster_filters"] = {"site": "fra1"}
    assert set(roster()) == {"web01"}
    master_opts["cmdb"]["roster_filters"] = {"sitte": "fra1"}
    with pytest.raises(OSError, match="did you mean 'site'"):
        salt.loader.roster(master_opts, salt.loader.runner(master_opts))["cmdb.targets"]("*")


def test_collecting_asks_missing_machines_too_and_no_retired_one(roster, master_opts):
    assert set(roster(**{ASKS_SILENT_TOO: True})) == {"web01", "web02", "mute01"}
    master_opts["cmdb"]["roster_filters"] = {"freshness": "fresh"}
    assert set(roster(**{ASKS_SILENT_TOO: True})) == {"web01", "web02"}


def expect(database, *names):
    said = [
        {"sn": None, "minion_id": name, "fields": {"site": "fra1"}, "row": number, "awaited": True}
        for number, name in enumerate(names, 2)
    ]
    store.import_expected(database, said, source="list.csv", by="ops")


def test_the_roster_has_who_is_expected_under_a_name_that_means_nobody_else(
    roster, fleet, master_opts
):
    expect(fleet, "new01", "localhost", "gone01", "a b", "-F/etc/x", "web01")
    assert roster("new*") == {"new01": "new01"}
    assert set(roster()) == {"web01", "web02", "new01"}
    master_opts["cmdb"]["roster_filters"] = {"site": "fra2"}
    assert set(roster()) == {"web02"}
    master_opts["cmdb"]["roster_filters"] = EVERYBODY
    assert "new01" not in roster()


@pytest.fixture
def nodegroups(cmdb, fleet, master_opts, tmp_path):
    """A function that writes the groups into master.d, and what a command of Salt reads then."""
    drop_in = tmp_path / "master.d/cmdb.conf"
    drop_in.parent.mkdir()
    (tmp_path / "master").write_text(json.dumps({"root_dir": str(tmp_path)}))
    # Salt merges the files of master.d, and they replace what the main file has.
    (tmp_path / "master.d/own.conf").write_text("nodegroups: {own: L@db01}")
    keys = Path(master_opts["pki_dir"], "minions")
    for name in ("web01", "web02", "gone01", "db01"):
        (keys / name).write_text("a key")

    def groups(**said):
        master_opts["cmdb"]["nodegroups"] = said
        _, status, text = cmdb("inventory", "nodegroups", out_file=str(drop_in))
        assert status == 0, text
        read = salt.config.master_config(str(tmp_path / "master"))
        known = {**master_opts, "nodegroups": read["nodegroups"]}
        return {
            name: sorted(
                CkMinions(known).check_minions(
                    " ".join(nodegroup_comp(name, known["nodegroups"])), "compound"
                )["minions"]
            )
            for name in known["nodegroups"]
        }

    return groups


def test_node_groups_are_filters_and_those_of_the_site_stay(nodegroups):
    assert nodegroups(fra1={"site": "fra1"}, web="web*", nobody={"site": "fra9"}) == {
        "own": ["db01"],
        "fra1": ["web01"],
        "web": ["web01", "web02"],
        "nobody": [],
    }


def test_node_groups_have_retired_machines_if_asked_and_names_that_salt_knows(nodegroups):
    found = nodegroups(all={"freshness": "fresh", "lifecycle__in": "active,retired"})
    assert found["all"] == ["gone01", "web01", "web02"]


def test_the_file_of_node_groups_is_stable_and_for_salt_ssh_too(cmdb, fleet, master_opts, tmp_path):
    master_opts["cmdb"]["nodegroups"] = {"web": "web*", "fra 1": "site:fra1"}
    file = tmp_path / "groups.conf"
    first, _, _ = cmdb("inventory", "nodegroups", out_file=str(file))
    again, _, _ = cmdb("inventory", "nodegroups", out_file=str(file))
    assert (first["is_new"], again["is_new"]) == (True, False)
    assert yaml.safe_load(file.read_text()) == {
        "nodegroups": {"fra 1": "L@web01", "web": "L@web01,web02"},
        "ssh_list_nodegroups": {"fra 1": "web01", "web": "web01,web02"},
    }
    opts = {**master_opts, **yaml.safe_load(file.read_text())}
    assert set(salt.roster.Roster(opts, "cmdb").targets("web", "nodegroup")) == {"web01", "web02"}


def test_node_groups_are_one_statement_however_many_there_are(fleet, master_opts):
    groups = {f"group{number}": {"site": f"fra{number}"} for number in range(20)}
    options = settings.resolve(("test", {**master_opts["cmdb"], "nodegroups": groups}))
    database = store.Database(options, read_only=True).of_one_question()
    statements = store.count_statements()
    made = feeds.make(database, "nodegroups", {}, {})
    # One for the fields that lists have, and what looks at the schema.
    assert statements.count <= 3
    assert made.machines == 2
    assert yaml.safe_load(made.body)["nodegroups"]["group1"] == "L@web01"


def test_without_any_group_it_is_told_where_to_set_them_and_the_file_stays(cmdb, fleet, tmp_path):
    file = tmp_path / "groups.conf"
    file.write_text("nodegroups: {web: L@web01}")
    _, status, text = cmdb("inventory", "nodegroups", out_file=str(file))
    assert status == 2
    assert "no node groups are set here" in text
    assert "CMDB_SETTINGS" in text
    assert file.read_text() == "nodegroups: {web: L@web01}"


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        ({"web": {"sitte": "fra1"}}, "nodegroups: web: there is no field 'sitte'"),
        ({"web": "sitte:fra1"}, "nodegroups: web: there is no field 'sitte'"),
        ({"web": {"site": "fra1"}}, "nodegroups: web: site is asked for twice"),
        ({"web": 7}, "nodegroups: web is 7, but it must be filters or a text"),
    ],
)
def test_a_wrong_group_is_named(cmdb, fleet, master_opts, groups, said):
    master_opts["cmdb"]["nodegroups"] = groups
    _, status, text = cmdb("inventory", "nodegroups", site="fra1")
    assert status == 2
    assert said in text


def blocks():
    """The YAML of the manual's page."""
    text = (REPOSITORY / "docs/salt.md").read_text()
    return [yaml.safe_load(one) for one in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)]


def test_what_the_manual_configures_is_taken(cmdb, fleet, master_opts):
    says = [{"sn": "9XYZ001", "minion_id": "web01", "fields": {"list.role": "web"}, "row": 2}]
    types = {"list.role": "text"}
    store.import_expected(fleet, says, source="list.csv", by="ops", types=types)
    pillars = [entry for one in blocks() for entry in one.get("ext_pillar", ()) if "cmdb" in entry]
    assert len(pillars) == 2
    for entry in pillars:
        opts = {**master_opts, "ext_pillar": [entry], "pillar_roots": {"base": []}}
        assert salt.pillar.get_pillar(opts, {}, "web01").compile_pillar()
    for one in blocks():
        master_opts["cmdb"] |= one.get("cmdb", {})
    assert set(master_opts["cmdb"]) == {"database_url", "roster_filters", "nodegroups"}
    _, status, text = cmdb("inventory", "nodegroups")
    assert status == 0, text
    assert yaml.safe_load(text)["nodegroups"]["web"] == "L@web01"
    assert set(salt.roster.Roster(master_opts, "cmdb").targets("*", "glob")) == {"web01"}


def test_cores_pillar_postgres_reads_the_view(master_opts, fleet, database_url):
    url = sa.make_url(database_url)
    master_opts["postgres"] = {
        "host": url.query.get("host") or url.host,
        "user": url.username,
        "pass": url.password or "",
        "db": url.database,
        "port": url.port or 5432,
    }
    [manual] = [one for one in blocks() if "postgres" in one]
    master_opts["ext_pillar"] = manual["ext_pillar"]
    master_opts["pillar_roots"] = {"base": []}

    def compiled(minion_id):
        return salt.pillar.get_pillar(master_opts, {}, minion_id).compile_pillar()

    asset = compiled("web01")["cmdb_asset"]
    assert (asset["sn"], asset["site"], asset["freshness"]) == ("9XYZ001", "fra1", "fresh")
    assert compiled("gone01") == compiled("mute01") == compiled("stranger") == {}
    master_opts["postgres"]["host"] = "127.0.0.1"
    master_opts["postgres"]["port"] = 1
    [said] = compiled("web01")["_errors"]
    assert said.startswith("Failed to load ext_pillar postgres")
