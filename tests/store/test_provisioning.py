"""What is answered to a machine that asks to be installed, and what it may change."""

import threading
import uuid
from datetime import timedelta

import pytest
import sqlalchemy as sa

from salt_ext import store
from tests.machines import arrival, server
from tests.postgres import open_store

UUID = "4c4c4544-0058-5910-805a-b9c04f000001"
SWAPPED = "44454C4C-5800-1059-805A-B9C04F000001"
OTHER_UUID = "4c4c4544-0058-5910-805a-b9c04f000099"
MAC, OTHER_MAC = "52:54:00:00:00:01", "52:54:00:00:00:02"
ACT = store.Act("alice", "new racks, CHG-1", test=False)


def plan(database, sn="NEW1", lifecycle="planned", **fields):
    """Let people plan a machine; return the id of the asset that stands in for it."""
    said = {"hostname": f"{sn.lower()}.example", "list.profile": "debian12", **fields}
    store.set_expected(database, sn, said, by="alice")
    asset_id = store.resolve(database, sn)
    store.set_lifecycle(database, asset_id, lifecycle, ACT)
    return asset_id


def opened(database, sn="NEW1", valid=timedelta(hours=1), **fields):
    """The open installation of a machine that is planned so."""
    done = store.open_installations(database, [plan(database, sn, **fields)], ACT, valid=valid)
    assert done.refused == []
    return done.opened[0]


def begin(database, uuid=UUID, mac=MAC, address=""):
    return store.begin_installation(database, store.Shown(uuid, mac, address))


def serve(database, row, uuid=UUID, mac=MAC, address=""):
    return store.serve_installation(database, row["id"], store.Shown(uuid, mac, address))


def finish(database, row, uuid=UUID, mac=MAC):
    return store.finish_installation(database, row["id"], store.Shown(uuid, mac))


def stored(database):
    with database.begin() as link:
        return dict(link.execute(sa.text("SELECT * FROM installation")).one()._mapping)


def test_the_planned_machine_is_known_by_both_keys_however_they_are_written(database):
    row = opened(database, uuid=UUID, mac="52-54-00-00-00-01 5254.0000.0002")
    for number in (UUID, SWAPPED, UUID.replace("-", "").upper()):
        for mac in (MAC, "52-54-00-00-00-01", "525400000001"):
            found = begin(database, number, mac)
            assert (found.state, found.installation["id"]) == ("open", row["id"])
    assert found.installation["plan"]["profile"] == "debian12"
    assert found.installation["plan"]["hostname"] == "new1.example"


@pytest.mark.parametrize(
    ("shown", "differs"),
    [((OTHER_UUID, MAC), ("uuid",)), ((UUID, "52:54:00:00:00:09"), ("mac",))],
)
def test_one_key_of_two_is_another_machine(database, shown, differs):
    opened(database, uuid=UUID, mac=MAC)
    found = begin(database, *shown)
    assert (found.state, found.differs) == ("foreign", differs)
    assert stored(database)["gets"] == 0


@pytest.mark.parametrize(
    "shown", [("", MAC), (UUID, ""), (UUID, "no mac"), (UUID, f"{MAC} {MAC[:-1]}2")]
)
def test_who_shows_only_one_key_is_nobody(database, shown):
    opened(database, uuid=UUID)
    assert begin(database, *shown).state == "unknown"


def test_where_an_address_is_planned_it_has_to_agree(database):
    row = opened(database, uuid=UUID, mac=MAC, address="10.0.0.5/24")
    assert begin(database, address="10.0.0.6").differs == ("address",)
    assert begin(database).differs == ("address",)
    assert begin(database, address="10.0.0.5").state == "open"
    assert begin(database, address="::ffff:10.0.0.5").state == "open"
    assert serve(database, row, address="10.0.0.6").state == "foreign"


def test_who_asks_first_is_who_may_ask_again(database):
    row = opened(database, mac=f"{MAC} {OTHER_MAC}")
    assert begin(database).state == "open"
    assert begin(database, OTHER_UUID).differs == ("uuid",)
    assert serve(database, row, OTHER_UUID).state == "foreign"
    # The same machine by its other port.
    assert serve(database, row, mac=OTHER_MAC).state == "open"
    kept = stored(database)
    assert (kept["bound_mac"], kept["gets"]) == (MAC, 2)
    assert kept["first_get_at"] < kept["last_get_at"]


def test_a_machine_that_is_planned_by_its_uuid_is_bound_to_the_mac_it_shows(database):
    row = opened(database, uuid=UUID)
    assert begin(database).state == "open"
    assert serve(database, row, mac=OTHER_MAC).differs == ("mac",)


def test_two_installations_with_a_key_each_are_ambiguous_and_neither_is_bound(database):
    opened(database, "NEW1", uuid=UUID)
    opened(database, "NEW2", mac=MAC)
    found = begin(database)
    assert found.state == "ambiguous"
    assert {one["plan"]["sn"] for one in found.candidates} == {"NEW1", "NEW2"}
    with database.begin() as link:
        assert link.scalar(sa.text("SELECT sum(gets) FROM installation")) == 0


def test_an_id_that_nobody_gave_out_is_unknown(database):
    opened(database, uuid=UUID)
    assert serve(database, {"id": uuid.uuid4()}).state == "unknown"


def test_what_is_installed_is_answered_so_and_not_installed_again(database):
    row = opened(database, uuid=UUID, mac=MAC)
    begin(database)
    assert finish(database, row, OTHER_UUID).state == "foreign"
    assert finish(database, row).state == "open"
    assert finish(database, row).state == "open", "it says it again"
    assert begin(database).state == serve(database, row).state == "done"
    assert stored(database)["gets"] == 2
    # Another machine learns nothing of it.
    assert begin(database, OTHER_UUID).state == "unknown"
    assert serve(database, row, OTHER_UUID).state == "foreign"


def test_after_an_hour_it_is_over(database):
    row = opened(database, uuid=UUID, mac=MAC)
    begin(database)
    with database.begin() as link:
        link.execute(sa.text("UPDATE installation SET expires_at = now()"))
    assert begin(database).state == serve(database, row).state == "expired"
    assert finish(database, row).state == "expired"
    assert opened(database, uuid=UUID, mac=MAC)["id"] == begin(database).installation["id"]


@pytest.mark.parametrize("stage", ["retired", "active", "maintenance"])
def test_a_machine_that_is_planned_no_more_is_answered_no_more(database, stage):
    row = opened(database, uuid=UUID, mac=MAC)
    begin(database)
    store.set_lifecycle(database, row["asset_id"], stage, ACT._replace(test=True))
    assert serve(database, row).state == "open"
    store.set_lifecycle(database, row["asset_id"], stage, ACT)
    assert begin(database).state == serve(database, row).state == "revoked"
    assert stored(database)["revoked_by"] == "alice"


def test_a_machine_that_is_planned_again_needs_another_installation(database):
    row = opened(database, uuid=UUID, mac=MAC)
    begin(database)
    store.set_lifecycle(database, row["asset_id"], "staged", ACT)
    assert serve(database, row).state == "open"
    store.set_lifecycle(database, row["asset_id"], "retired", ACT)
    store.set_lifecycle(database, row["asset_id"], "planned", ACT)
    assert begin(database).state == serve(database, row).state == "revoked"
    assert finish(database, row).state == "revoked"
    [again] = store.open_installations(database, [row["asset_id"]], ACT).opened
    assert begin(database).installation["id"] == again["id"]
    assert serve(database, row).state == "revoked"


def test_a_machine_that_was_purged_is_answered_no_more(database):
    row = opened(database, uuid=UUID, mac=MAC)
    store.remove_expected(database, "NEW1")
    assert begin(database).state == serve(database, row).state == "closed"


def test_what_was_revoked_is_over_at_once(database):
    row = opened(database, uuid=UUID, mac=MAC)
    [revoked] = store.revoke_installations(database, [row["asset_id"]], ACT)
    assert (revoked["id"], revoked["revoked_by"]) == (row["id"], "alice")
    assert begin(database).state == serve(database, row).state == "revoked"
    assert store.revoke_installations(database, [row["asset_id"]], ACT) == []


def test_of_two_machines_that_ask_at_the_same_time_one_is_bound(database):
    opened(database, mac=MAC)
    answers = []
    numbers = [f"4c4c4544-0058-5910-805a-b9c04f0000{number:02x}" for number in range(8)]
    asking = [
        threading.Thread(target=lambda one=one: answers.append(begin(database, one).state))
        for one in numbers
    ]
    for one in asking:
        one.start()
    for one in asking:
        one.join()
    assert sorted(answers) == ["foreign"] * 7 + ["open"]
    assert stored(database)["gets"] == 1


def test_the_provisioner_serves_and_can_do_nothing_else_nor_undo_what_is_done(
    database, database_url
):
    store.ingest(database, [arrival(server(1))])
    row = opened(database, uuid=OTHER_UUID, mac=OTHER_MAC)
    store.grant(database)
    with database.begin() as link:
        link.exec_driver_sql("DROP ROLE IF EXISTS boot")
        link.exec_driver_sql("CREATE ROLE boot LOGIN IN ROLE cmdb_provisioner")
    url = sa.make_url(database_url).set(username="boot")
    boot = open_store(url.render_as_string(hide_password=False))
    try:
        assert begin(boot, OTHER_UUID, OTHER_MAC).state == "open"
        assert serve(boot, row, OTHER_UUID, OTHER_MAC).state == "open"
        assert finish(boot, row, OTHER_UUID, OTHER_MAC).state == "open"
        for statement in (
            "SELECT * FROM asset",
            "SELECT minion_id FROM asset",
            "SELECT * FROM asset_facts",
            "SELECT * FROM expected",
            "SELECT * FROM token",
            "UPDATE asset SET lifecycle = 'planned'",
            "UPDATE installation SET expires_at = now() + interval '1 year'",
            "UPDATE installation SET revoked_at = NULL",
            "UPDATE installation SET uuid = 'x', macs = '{}'",
            "UPDATE installation SET plan = '{}'",
            "UPDATE installation SET compared_at = now()",
            "UPDATE installation SET done_at = NULL",
            "UPDATE installation SET done_at = now() + interval '1 year'",
            "UPDATE installation SET bound_uuid = NULL",
            "UPDATE installation SET bound_uuid = 'x'",
            "UPDATE installation SET bound_mac = NULL, done_at = done_at",
            "UPDATE installation SET first_get_at = NULL",
            "DELETE FROM installation",
            "INSERT INTO installation SELECT * FROM installation",
        ):
            with pytest.raises(store.StoreError, match="may not do that"), boot.begin() as link:
                link.exec_driver_sql(statement)
    finally:
        boot.close()
        with database.begin() as link:
            link.exec_driver_sql("DROP ROLE boot")
