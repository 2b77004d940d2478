"""What a cloud has beside what reports, by the command: both lists, their history, and no guess."""

import pytest

from salt_ext import store
from salt_ext.document.placeholders import uuid_spellings
from tests.clouds import Cloud, guest, instance, uuid_of
from tests.machines import arrival, later, server


@pytest.fixture
def prod(master_opts, tmp_path):
    """A cloud that the settings name, which has what a test says."""
    cloud = Cloud(tmp_path / "instances")
    master_opts["cmdb"]["clouds"] = cloud.setting
    return cloud


@pytest.fixture
def machines(database):
    """Two machines of the cloud, the second with its UUID in the other byte order; one of none."""
    swapped = uuid_spellings(uuid_of(2))[1]
    reports = {"web01": guest(1), "web02": guest(2, swapped), "db01": server(3)}
    store.ingest(database, [arrival(facts, name) for name, facts in reports.items()])


def section(cmdb, name):
    return cmdb("get", name, "instance")[0].get("value")


def listed(cmdb, which):
    answer, _, _ = cmdb("cloud", "prod", list=which)
    return [dict(zip(answer["columns"], row, strict=True)) for row in answer["rows"]]


def test_both_lists_are_told_and_what_the_cloud_says_is_a_section_of_its_own(cmdb, prod, machines):
    prod.has(*(instance(number) for number in (1, 2, 7)))
    answer, status, text = cmdb("cloud", "prod")
    assert (status, answer["kind"]) == (0, "cloud")
    assert answer["counts"] == {
        "instances": 3,
        "deleted": 0,
        "matched": 2,
        "unreported": 1,
        "unlisted": 0,
        "tied": 0,
    }
    assert "3 instances, 2 of them report, 1 without a report, 0 reports without" in text
    assert section(cmdb, "web02") == {
        "cloud": "prod",
        "id": uuid_of(2),
        "name": "vm02",
        "state": "running",
        "project": instance(2)["project"],
        "host": "compute1",
        "flavor": "m1",
    }
    assert [row["name"] for row in listed(cmdb, "unreported")] == ["vm07"]
    assert listed(cmdb, "unlisted") == []


def test_a_migration_is_in_the_history_and_a_report_erases_nothing(cmdb, prod, machines, database):
    prod.has(instance(1), instance(2))
    cmdb("cloud", "prod")
    prod.has(instance(1, host="compute2"), instance(2))
    answer, _, _ = cmdb("cloud", "prod")
    assert answer["news"] == 1
    fewer = guest(1, operating_system={**server(1)["operating_system"], "kernel_release": "7"})
    store.ingest(database, [arrival(fewer, "web01", at=later(seconds=1))])
    assert section(cmdb, "web01")["host"] == "compute2"
    assert cmdb("get", "web01", "operating_system.kernel_release")[0]["value"] == "7"
    text = cmdb("history", "web01")[2]
    assert "compute1 → compute2" in text


def test_a_deleted_instance_is_told_once_and_stays(cmdb, prod, machines, database):
    prod.has(instance(1), instance(2))
    cmdb("cloud", "prod")
    tell(database)
    prod.has(instance(2))
    answer, status, text = cmdb("cloud", "prod", exit_code=True)
    assert status == 1
    assert "web01" in text
    assert "the cloud lists its instance no longer" in text
    assert section(cmdb, "web01")["state"] == "deleted"
    assert section(cmdb, "web01")["host"] == "compute1"
    kinds = [one.kind for one in tell(database)]
    assert kinds.count("deleted") == 1
    answer, _, _ = cmdb("cloud", "prod")
    assert (answer["news"], answer["counts"]["unlisted"]) == (0, 1)
    assert "deleted" not in [one.kind for one in tell(database)]
    [row] = listed(cmdb, "unlisted")
    assert (row["minion_id"], row["state"], row["freshness"]) == ("web01", "deleted", "fresh")


def test_what_is_first_told_as_deleted_is_told_too(cmdb, prod, machines, database):
    tell(database)
    prod.has(instance(1, state="deleted"), instance(2))
    answer, _, text = cmdb("cloud", "prod")
    assert (answer["counts"]["deleted"], answer["counts"]["unlisted"]) == (1, 1)
    assert f"web01  {uuid_of(1)}  the cloud lists its instance as deleted" in text
    [row] = listed(cmdb, "unlisted")
    assert (row["name"], row["state"]) == ("vm01", "deleted")
    assert [one.kind for one in tell(database)].count("deleted") == 1


def tell(database):
    news = []
    store.tell(database, news.extend, lambda: ["web01", "web02", "db01"])
    return news


@pytest.mark.parametrize("said", [{"fail": "500 in page two"}, {"id": None}, {"nonsense": 1}])
def test_a_listing_that_breaks_off_changes_nothing_and_is_a_problem(cmdb, prod, machines, said):
    prod.has(instance(1), instance(2), instance(7))
    cmdb("cloud", "prod")
    prod.has(instance(2, host="compute9"), said)
    _, status, text = cmdb("cloud", "prod")
    assert status == 2
    assert "the cloud prod did not list all of its instances" in text
    assert "no machine counts as gone" in text
    assert "Traceback" not in text
    assert section(cmdb, "web01")["state"] == "running"
    assert section(cmdb, "web02")["host"] == "compute1"
    assert [row["name"] for row in listed(cmdb, "unreported")] == ["vm07"]
    problem = cmdb("errors", kind="cloud")[0]
    assert [row[4] for row in problem["rows"]] == ["prod"]
    overview = cmdb("cloud")[0]
    [row] = [dict(zip(overview["columns"], one, strict=True)) for one in overview["rows"]]
    assert row["instances"] == 3
    assert "did not list" in row["failure"]
    prod.has(instance(1), instance(2), instance(7))
    assert cmdb("cloud", "prod")[1] == 0
    assert cmdb("errors", kind="cloud")[0]["rows"] == []


def test_a_cloud_that_had_instances_and_lists_none_is_believed_with_force_only(
    cmdb, prod, machines
):
    prod.has(instance(1))
    cmdb("cloud", "prod")
    prod.has()
    answer, status, _ = cmdb("cloud", "prod")
    assert status == 2
    assert (
        "1 machines are instances of the cloud prod, which lists no instance at all"
        in answer["error"]
    )
    assert "force=True" in answer["hint"]
    assert section(cmdb, "web01")["state"] == "running"
    assert cmdb("cloud", "prod", force=True)[1] == 0
    assert section(cmdb, "web01")["state"] == "deleted"
    # It is known now that there is nothing: the schedule need not say so each time.
    assert cmdb("cloud", "prod")[1] == 0


def test_a_login_that_sees_fewer_projects_calls_nothing_deleted(cmdb, prod, machines, database):
    prod.has(instance(1, project="p1"), instance(2))
    cmdb("cloud", "prod")
    tell(database)
    prod.has(instance(2))
    answer, status, text = cmdb("cloud", "prod")
    assert (status, answer["news"], answer["counts"]["unlisted"]) == (0, 0, 1)
    assert "the cloud lists nothing of its project any more" in text
    assert section(cmdb, "web01")["state"] == "running"
    assert "deleted" not in [one.kind for one in tell(database)]
    # A deleted one is enough to see that the project is still seen.
    prod.has(instance(2), instance(9, project="p1", state="deleted"))
    cmdb("cloud", "prod")
    assert section(cmdb, "web01")["state"] == "deleted"


def test_of_two_clouds_that_list_one_instance_the_first_keeps_it(cmdb, prod, machines, database):
    other = Cloud(prod.path.with_name("others"))
    prod.setting["other"] = {**prod.setting["prod"], "file": str(other.path)}
    prod.has(instance(1), instance(2))
    other.has(instance(1, host=None), instance(2, host=None))
    cmdb("cloud", "prod")
    answer, status, _ = cmdb("cloud", "other")
    assert (status, answer["counts"]["matched"], answer["news"]) == (0, 2, 0)
    assert cmdb("cloud", "prod")[0]["news"] == 0
    assert section(cmdb, "web01")["cloud"] == "prod"
    # What the first one has no longer, the second one may have.
    prod.has(instance(2))
    cmdb("cloud", "prod")
    assert cmdb("cloud", "other")[0]["news"] == 1
    assert (section(cmdb, "web01")["cloud"], section(cmdb, "web01")["state"]) == (
        "other",
        "running",
    )
    assert cmdb("cloud", "prod")[0]["news"] == 0
    # A cloud that is in the setting no more keeps nothing.
    del prod.setting["prod"]
    assert cmdb("cloud", "other")[0]["news"] == 1
    assert section(cmdb, "web02")["cloud"] == "other"


def test_a_guest_without_a_project_is_of_the_host_that_it_has_moved_to(cmdb, prod, machines):
    other = Cloud(prod.path.with_name("others"))
    prod.setting["other"] = {**prod.setting["prod"], "file": str(other.path)}
    prod.has(instance(1, project=None, host="kvm1"))
    other.has(instance(1, project=None, host="kvm2"))
    cmdb("cloud", "prod")
    assert cmdb("cloud", "other")[0]["news"] == 1
    assert section(cmdb, "web01")["host"] == "kvm2"


def test_a_listing_that_lacks_more_than_half_is_believed_with_force_only(cmdb, prod, database):
    count = 23
    fleet = {f"vm{number:02d}": guest(number) for number in range(1, count)}
    store.ingest(database, [arrival(facts, name) for name, facts in fleet.items()])
    everything = [instance(number) for number in range(1, count)]
    prod.has(*everything)
    cmdb("cloud", "prod")
    prod.has(*everything[:10])
    answer, status, text = cmdb("cloud", "prod")
    assert status == 2
    assert "22 machines are instances of the cloud prod, which lists those of 12 no longer" in text
    assert "force=True" in answer["hint"]
    assert section(cmdb, "vm22")["state"] == "running"
    assert len(cmdb("errors", kind="cloud")[0]["rows"]) == 1
    tested, status, _ = cmdb("cloud", "prod", test=True, force=True)
    assert (status, tested["counts"]["unlisted"]) == (0, 12)
    # What the cloud itself lists as deleted it does not lack.
    prod.has(*everything[:10], *({**one, "state": "deleted"} for one in everything[10:12]))
    assert cmdb("cloud", "prod")[1] == 0
    assert section(cmdb, "vm12")["state"] == section(cmdb, "vm22")["state"] == "deleted"


def test_a_test_stores_nothing(cmdb, prod, machines):
    prod.has(instance(1), instance(7))
    answer, status, text = cmdb("cloud", "prod", test=True)
    assert (status, answer["counts"]["matched"], answer["news"]) == (0, 1, 1)
    assert "a test: nothing was stored" in text
    assert section(cmdb, "web01") is None
    prod.has({"fail": "x"})
    assert cmdb("cloud", "prod", test=True)[1] == 2
    assert cmdb("errors", kind="cloud")[0]["rows"] == []
    overview = cmdb("cloud")[0]
    assert [row[2] for row in overview["rows"]] == [None]


def test_a_cloud_makes_nobody_fresh(cmdb, prod, database):
    store.ingest(database, [arrival(guest(1), "web01", at=later(days=-30))])
    before = database_seen(database)
    prod.has(instance(1))
    cmdb("cloud", "prod")
    assert section(cmdb, "web01")["host"] == "compute1"
    assert database_seen(database) == before


def database_seen(database):
    return [(row["minion_id"], row["last_seen"], row["mode"]) for row in store.standing(database)]


def test_no_report_of_a_machine_may_say_what_its_cloud_says(cmdb, prod, machines, database):
    prod.has(instance(1))
    cmdb("cloud", "prod")
    forged = guest(1, instance={"cloud": "prod", "id": "another", "host": "mine"})
    [outcome] = store.ingest(database, [arrival(forged, "web01", at=later(seconds=5))])
    assert outcome.status == "refused"
    assert "no machine of itself" in outcome.detail
    assert section(cmdb, "web01")["host"] == "compute1"


def test_machines_that_share_an_id_are_told_and_get_nothing(cmdb, prod, database):
    swapped = uuid_spellings(uuid_of(1))[1]
    clones = {"web01": guest(1), "web02": guest(2)}
    store.ingest(database, [arrival(facts, name) for name, facts in clones.items()])
    prod.has(instance(1), instance(2, uuid=swapped))
    answer, _, text = cmdb("cloud", "prod")
    assert answer["counts"]["tied"] == 2
    assert "web01" in text
    assert "several machines show its id, or several instances have it" in text
    assert section(cmdb, "web01") is None
    assert {row["minion_id"] for row in listed(cmdb, "tied")} == {"web01", "web02"}


def test_no_collector_of_a_site_may_fill_what_clouds_say(cmdb, master_opts):
    master_opts["cmdb"]["collectors"] = {"instance": "site.instance"}
    answer, status, _ = cmdb("cloud")
    assert status == 2
    assert "the section instance is what clouds say" in answer["error"]


def test_the_doctor_is_told_of_a_cloud_that_does_not_list(cmdb, prod, machines):
    prod.has({"fail": "500 in page two"})
    cmdb("cloud", "prod")
    checks = cmdb("doctor")[0]["checks"]
    [found] = [one for one in checks if one["check"] == "clouds"]
    assert "could not list all instances" in str(found)
