"""
libvirt: the domains of one host, asked by the library of the distribution.

That library has no wheel, so it is rarely in Salt's own Python. It is asked in a process of the
Python that has it, which a host that hangs, or a fault in the library, costs nothing else.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from salt_ext.clouds.instance import LONGEST_REASON, CloudFailed, Instance

PYTHON = "/usr/bin/python3"
"""The distribution's, which has python3-libvirt."""

ASKED = Path(__file__).with_name("libvirt_domains.py")
ANSWERS_SECONDS = 120

HINT = "try it on the master, as its user: virsh -r -c <url> list --all"


def instances(options: Mapping[str, Any]) -> Iterator[Instance]:
    """Yield all domains of a host, running or not."""
    python = str(options.get("python") or PYTHON)
    if not os.path.isabs(python) or not os.access(python, os.X_OK):
        raise CloudFailed(f"there is no program {python}", "its option python names one that is")
    command = [python, "-c", ASKED.read_text(encoding="utf-8"), str(options["url"])]
    try:
        # In / and not here: this folder has a file of the library's own name.
        done = subprocess.run(  # noqa: S603 - a Python of the settings, and our own file
            command, capture_output=True, text=True, timeout=ANSWERS_SECONDS, check=False, cwd="/"
        )
    except subprocess.TimeoutExpired:
        raise CloudFailed(f"libvirt did not answer within {ANSWERS_SECONDS} s", HINT) from None
    if done.returncode:
        said = done.stderr.strip().rpartition("\n")[2][:LONGEST_REASON]
        raise CloudFailed(f"libvirt said: {said}", HINT)
    yield from map(_instance, _lines(done.stdout))


def _lines(text: str) -> list[dict[str, Any]]:
    """Return the domains; the line behind the last one says how many there are."""
    try:
        *told, end = map(json.loads, text.splitlines())
        if end == {"domains": len(told)}:
            return told
    except ValueError:  # none at all, or one that broke off
        pass
    raise CloudFailed("libvirt did not tell all of its domains", HINT)


def _instance(told: Mapping[str, Any]) -> Instance:
    return Instance(
        id=told["uuid"],
        name=told["name"],
        state=told["state"],
        uuid=told["uuid"],
        host=told["host"],
    )
