#!/usr/bin/env python3
"""
The machines of Salt CMDB as an inventory of Ansible. It needs Python and nothing else.

What it asks for stands in a file beside it, whose name is this one's with ``.ini`` for ``.py``::

    [cmdb]
    url = https://cmdb.example.net
    token_file = /etc/ansible/cmdb.token
    query = site=fra1&group_by=site,os,list.role&fields=list.owner

or in the environment: ``SALT_CMDB_URL``, ``SALT_CMDB_TOKEN_FILE``, ``SALT_CMDB_QUERY``, and
``SALT_CMDB_TOKEN`` for the token itself. Without ``url`` it asks ``salt-run``, on the master
itself. Where it cannot get the whole inventory it prints none, says why on stderr, and ends
with 1.
"""

from __future__ import annotations

import argparse
import configparser
import contextlib
import http.client
import ipaddress
import json
import os
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import NoReturn

SECONDS = 120


def main() -> None:
    """Answer Ansible, or a person who looks at one machine."""
    parser = argparse.ArgumentParser(description=__doc__.strip().partition("\n")[0])
    asked = parser.add_mutually_exclusive_group(required=True)
    asked.add_argument("--list", action="store_true", help="all machines and groups")
    asked.add_argument("--host", help="what is known of one machine")
    options = parser.parse_args()

    url = setting("url")
    query = query_of(setting("query"))
    text = from_web(url, query) if url else from_salt(query)
    inventory = json.loads(text)
    if options.list:
        print(text)
        return
    known = inventory["_meta"]["hostvars"]
    if options.host not in known:
        stop(f"{options.host} is not in the inventory")
    print(json.dumps(known[options.host]))


def setting(name: str) -> str:
    """Return what the environment says, or else the file beside this one."""
    if said := os.environ.get(f"SALT_CMDB_{name.upper()}"):
        return said
    file = configparser.ConfigParser(interpolation=None)
    try:
        file.read(Path(__file__).with_suffix(".ini"), encoding="utf-8")
    except (configparser.Error, ValueError) as error:
        stop(f"the settings cannot be read: {error}")
    return file.get("cmdb", name, fallback="")


def query_of(text: str) -> dict[str, list[str]]:
    """Return filters and options by name."""
    try:
        return urllib.parse.parse_qs(text, keep_blank_values=True, strict_parsing=bool(text))
    except ValueError as error:
        stop(f"query is no text like site=fra1&fields=list.owner: {error}")


def from_web(url: str, query: dict[str, list[str]]) -> str:
    """Ask the web UI."""
    address = f"{url.rstrip('/')}/api/v1/inventory/ansible"
    if query:
        address += f"?{urllib.parse.urlencode(query, doseq=True)}"
    request = urllib.request.Request(address, headers={"Accept": "application/json"})  # noqa: S310
    if token := token_of():
        check_secret(request)
        request.add_header("Authorization", f"Bearer {token}")
    # Another place that an answer points to shall not get the token.
    opener = urllib.request.build_opener(Stay)
    try:
        with opener.open(request, timeout=SECONDS) as response:
            text: str = response.read().decode()
            left_out: str = response.headers.get("X-CMDB-Left-Out", "0")
            json.loads(text)["_meta"]
    except urllib.error.HTTPError as error:
        stop(f"{url} answers {error.code}: {reason(error)}")
    except (OSError, http.client.HTTPException) as error:
        stop(f"{url} cannot be asked: {getattr(error, 'reason', error)}")
    except (ValueError, KeyError, TypeError):
        stop(f"{url} answers what is no inventory: is it the address of Salt CMDB?")
    if left_out != "0":
        about = {one: said for one, said in query.items() if one not in ("group_by", "fields")}
        asked = urllib.parse.urlencode({**about, "of": "ansible"}, doseq=True)
        print(
            f"{left_out} machines are left out: {url.rstrip('/')}/api/v1/inventory/left_out?{asked}"
            " says which and why",
            file=sys.stderr,
        )
    return text


class Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirection."""

    def redirect_request(self, *_: object) -> None:
        """Leave it an error."""


def token_of() -> str:
    """Return the token, which is never an argument: everybody on the machine reads those."""
    if file := setting("token_file"):
        try:
            return Path(file).expanduser().read_text(encoding="ascii").strip()
        except (OSError, ValueError) as error:
            stop(f"the token cannot be read: {error}")
    return os.environ.get("SALT_CMDB_TOKEN", "")


def check_secret(request: urllib.request.Request) -> None:
    """Send a token by TLS, or to this machine."""
    host = urllib.parse.urlsplit(request.full_url).hostname or ""
    try:
        is_here = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_here = host == "localhost"
    if request.type != "https" and not is_here:
        stop(f"the token would travel to {host} for everybody to read: ask by https")


def reason(error: urllib.error.HTTPError) -> str:
    """Return what the API says of an error."""
    try:
        said = json.loads(error.read())
        return "; ".join(str(said[one]) for one in ("error", "hint") if said.get(one))
    except (OSError, ValueError, AttributeError, KeyError, http.client.HTTPException):
        return str(error.reason)


def from_salt(query: dict[str, list[str]]) -> str:
    """Ask the master, which writes a file: its bus carries no large answers."""
    with tempfile.TemporaryDirectory() as folder:
        give_to_salt(folder)
        file = Path(folder, "inventory.json")
        # JSON is YAML, as which Salt reads arguments.
        said = [
            f"{name}={json.dumps(values[0] if len(values) == 1 else values)}"
            for name, values in query.items()
        ]
        command = ["salt-run", "--log-level=quiet", "cmdb.inventory", "ansible", *said]
        try:
            done = subprocess.run(  # noqa: S603
                [*command, f"out_file={json.dumps(str(file))}"],
                stdout=subprocess.PIPE,
                check=False,
                text=True,
            )
        except OSError as error:
            stop(f"neither an url is said nor is there salt-run: {error}")
        if done.returncode:
            stop(done.stdout.strip())
        text: str = file.read_text(encoding="utf-8")
    return text


def give_to_salt(folder: str) -> None:
    """Let salt-run write there: started by root it becomes the user who has the master's keys."""
    with contextlib.suppress(OSError):
        keys = Path("/etc/salt/pki/master").stat()
        os.chown(folder, keys.st_uid, keys.st_gid)


def stop(why: str) -> NoReturn:
    """End without an inventory."""
    # What an answer says could otherwise write over the screen.
    sys.exit("".join(one if one.isprintable() or one == "\n" else "?" for one in why))


if __name__ == "__main__":
    main()
