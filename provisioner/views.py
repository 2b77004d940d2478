"""
The addresses: first what iPXE asks, then what an installer asks with its token.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

from flask import Blueprint, Response, abort, current_app, jsonify, request

from provisioner import log, refusals, shown
from provisioner.machine import Machine, machine, profile_of
from provisioner.plain import plain
from provisioner.profiles import Profile
from provisioner.refusals import Denied
from provisioner.rendering import render
from salt_ext import store

blueprint = Blueprint("provisioner", __name__)

HOST = re.compile(r"[A-Za-z0-9.-]+(:[0-9]+)?|\[[0-9A-Fa-f:.]+\](:[0-9]+)?")

IPXE_UUID, IPXE_MAC = "${uuid}", "${netX/mac}"
"""In a script of iPXE the machine puts in itself what it is: nobody else's script fits it."""

KEYS = "<token>/<uuid>/<mac>"
NO_STORE = "no-store"
CLOUD_INIT_FILES = ("meta-data", "user-data", "vendor-data", "network-config")


@blueprint.get("/boot.ipxe")
def boot() -> Response:
    """Return what iPXE runs first: it asks for this machine, or shows why it gets nothing."""
    _no_query()
    return _text(render("boot.ipxe", {"base": _base()}))


@blueprint.get("/ipxe")
def ipxe() -> Response:
    """Return what starts the installer of a machine."""
    return _text(_installer())


@blueprint.get("/why")
def why() -> Response:
    """Return a script that shows on the console why a machine gets nothing from ``/ipxe``."""
    try:
        _installer()
        lines = ["salt-cmdb: this machine may be installed, but what it loads did not start"]
        lines.append("see what iPXE says above, and kernel and initrd of the profile")
    except Denied as denied:
        log.refused(denied.why)
        lines = denied.lines
    except store.StoreError as error:
        lines = refusals.away(error).lines
    return _text(render("why.ipxe", {"lines": lines}))


@blueprint.get(f"/kickstart/{KEYS}")
def kickstart(token: str, uuid: str, mac: str) -> Response:
    """Return what Anaconda installs."""
    return _text(_file("kickstart.cfg", token, uuid, mac))


@blueprint.get(f"/nocloud/{KEYS}/<name>")
def nocloud(token: str, uuid: str, mac: str, name: str) -> Response:
    """Return a file of cloud-init's data source NoCloud."""
    if name not in CLOUD_INIT_FILES:
        abort(404)
    return _text(_file(name, token, uuid, mac))


@blueprint.get(f"/json/{KEYS}")
def as_json(token: str, uuid: str, mac: str) -> Response:
    """Return all that is known, for an installer of the site's own."""
    installation, keys = _served(store.serve_installation, token, uuid, mac)
    profile = profile_of(installation, current_app.extensions["profiles"])
    told = machine(installation, keys.uuid, keys.mac, profile)
    urls = _urls(installation, keys.uuid, keys.mac)
    answer = jsonify(
        installation=str(installation["id"]),
        expires_at=installation["expires_at"].isoformat(),
        hostname=told.hostname,
        uuid=told.uuid,
        mac=told.mac,
        address=installation["address"],
        sn=told.sn,
        disk_layout=told.planned_layout._asdict() if told.planned_layout else None,
        profile=profile.model_dump(),
        urls=urls,
    )
    answer.headers["Cache-Control"] = NO_STORE
    return answer


@blueprint.post(f"/done/{KEYS}")
def done(token: str, uuid: str, mac: str) -> Response:
    """Note that a machine is installed: from now on it gets nothing."""
    _served(store.finish_installation, token, uuid, mac)
    return _text("salt-cmdb: noted, this machine is installed\n")


@blueprint.get("/readyz")
def ready() -> Response:
    """Say whether the database answers."""
    store.ping(current_app.extensions["database"])
    return _text("ok\n")


def _installer() -> str:
    """Return the script that starts the installer of the machine that shows itself."""
    installation, keys = _begun()
    profile = profile_of(installation, current_app.extensions["profiles"])
    told = machine(installation, keys.uuid, keys.mac, profile)
    urls = _urls(installation, IPXE_UUID, IPXE_MAC)
    return render("install.ipxe", _values(installation, told, profile, urls), profile.name)


def _begun() -> tuple[Mapping[str, Any], store.Shown]:
    """Return the installation of the machine that shows itself in the query."""
    keys, serial = shown.of_query(request.args, request.remote_addr or "")
    log.note(uuid=keys.uuid, mac=keys.mac, **({"serial": serial} if serial else {}))
    served = store.begin_installation(current_app.extensions["database"], keys)
    return _judged(served, _who(keys) + (f" serial {serial}" if serial else "")), keys


Act = Callable[[store.Database, Any, store.Shown], store.Served]


def _served(act: Act, token: str, uuid: str, mac: str) -> tuple[Mapping[str, Any], store.Shown]:
    """Return the installation of a token, if it is that of the machine that shows these keys."""
    _no_query()
    keys = shown.keys(uuid, mac, request.remote_addr or "")
    log.note(uuid=keys.uuid, mac=keys.mac)
    installation_id = current_app.extensions["tokens"].read(token)
    if installation_id is None:
        raise Denied(404, "there is no such token", "start anew, from the network")
    shown.check_headers(request.headers, keys.mac)
    served = act(current_app.extensions["database"], installation_id, keys)
    return _judged(served, _who(keys)), keys


def _who(keys: store.Shown) -> str:
    return f"UUID {keys.uuid} MAC {keys.mac} from {plain(keys.address)}"


def _judged(served: store.Served, who: str) -> Mapping[str, Any]:
    if served.installation is not None:
        log.note(installation=str(served.installation["id"]))
    return refusals.judged(served, who)


def _file(name: str, token: str, uuid: str, mac: str) -> str:
    installation, keys = _served(store.serve_installation, token, uuid, mac)
    profile = profile_of(installation, current_app.extensions["profiles"])
    told = machine(installation, keys.uuid, keys.mac, profile)
    urls = _urls(installation, keys.uuid, keys.mac)
    return render(name, _values(installation, told, profile, urls), profile.name)


def _values(
    installation: Mapping[str, Any], told: Machine, profile: Profile, urls: Mapping[str, str]
) -> dict[str, Any]:
    """Return what a template knows: data, with nothing that a template could call for more."""
    return {
        "installation": str(installation["id"]),
        "machine": told,
        "profile": SimpleNamespace(**profile.model_dump()),
        "urls": urls,
    }


def _urls(installation: Mapping[str, Any], uuid: str, mac: str) -> dict[str, str]:
    token = current_app.extensions["tokens"].of(installation["id"])
    base, keys = _base(), f"{token}/{uuid}/{mac}"
    return {
        "kickstart": f"{base}/kickstart/{keys}",
        "nocloud": f"{base}/nocloud/{keys}/",
        "json": f"{base}/json/{keys}",
        "done": f"{base}/done/{keys}",
    }


def _base() -> str:
    """Return the address by which the machine has come to us: it finds the way again."""
    if not HOST.fullmatch(request.host):
        raise Denied(400, "the Host that was asked is no name or address", "ask http://NAME:PORT/")
    return f"{request.scheme}://{request.host}"


def _no_query() -> None:
    if request.query_string:
        raise Denied(400, "this address takes no parameters", "leave out what is behind the ?")


def _text(text: str) -> Response:
    return Response(text, mimetype="text/plain", headers={"Cache-Control": NO_STORE})
