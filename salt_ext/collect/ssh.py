"""
Ask machines without a minion, by salt-ssh: the collectors travel with Salt's thin tarball.

From Salt 3008 on, Salt packs every extension of the master into that tarball. An
older Salt packs none, so we name ours, and tell the loader on the machine where it
is. Salt builds the tarball once; this module builds it again when our code has
changed. On the machine everything is in one directory with a random name, which is
removed afterwards. Salt's own pool waits without limit for a machine that hangs, so
:mod:`salt_ext.collect.pool` asks the machines.
"""

from __future__ import annotations

import hashlib
import re
import shlex
import time
from collections.abc import Generator, Mapping
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import salt.roster
import salt.version
from salt.exceptions import SaltException

import salt_ext
from salt_ext.collect import pool
from salt_ext.collect.modes import Answer, Plan, Request, Unavailable, in_order
from salt_ext.feeds.reached import ASKS_SILENT_TOO

FUNCTION = "cmdb.collect"
IS_OLD = salt.version.__saltstack_version__ < (3008,)
"""Whether this Salt packs no extensions into the tarball."""
ASKS_FOR_HOST_KEY = re.compile(r"\(yes/no(/\[fingerprint\])?\)")
"""How OpenSSH asks whether a host key is right; from 8.0 on with the fingerprint."""
OURS = salt_ext.__name__
UNREACHED = 254
"""An exit status from this one on means that there was no login."""
CONNECT_SECONDS = 15
SHIM = ("SALT_ARGV:", "_edbc7885e4f9aac9b83b35999b68d015148caf467b78fa39c05f669c0ff89878")
"""The beginnings of lines that salt-ssh prints for its own use."""


def plan(opts: Mapping[str, Any], request: Request) -> Plan:
    """
    Plan to ask the machines of a roster: a flat file, or any roster that Salt knows by name.

    Raises :class:`Unavailable` when there is no such roster.
    """
    options = _options(opts, request)
    roster = options["roster"]
    if roster == "flat":
        try:
            salt.roster.get_roster_file(options)
        except OSError as error:
            raise Unavailable(
                f"there are no machines to ask: {error}",
                "write one, or take the machines that the store knows: roster=cmdb",
            ) from None
    rosters = salt.roster.Roster(options, roster)
    try:
        if not any(f"{one}.targets" in rosters.rosters for one in roster.split(",")):
            raise Unavailable(
                f"there is no roster {roster!r}", "give flat, cmdb, cache or the path of a file"
            )
        found = set(rosters.targets(request.tgt, request.tgt_type))
    finally:
        rosters.destroy()
    missing = set(request.tgt) - found if request.tgt_type == "list" else set()
    names = in_order(request, found | missing)
    return Plan(names, _ask(options, request, names, missing), is_cached=False)


def _options(opts: Mapping[str, Any], request: Request) -> dict[str, Any]:
    """Return the options of a run of salt-ssh."""
    options = {
        **opts,
        "roster": request.roster or opts.get("roster") or "flat",
        ASKS_SILENT_TOO: True,
        "argv": [FUNCTION, "send=False"],
        "arg": ["send=False"],
        "selected_target_option": "list",
        # A directory of our own, so that what salt-ssh itself has left there stays.
        "rand_thin_dir": True,
        "ssh_wipe": True,
        "ssh_timeout": 0,
        "timeout": min(CONNECT_SECONDS, request.timeout_seconds),
    }
    if IS_OLD:
        named = opts.get("thin_extra_mods")
        options["thin_extra_mods"] = f"{named},{OURS}" if named else OURS
    if "/" in options["roster"]:
        options.update(roster="flat", roster_file=options["roster"])
    return options


def _ask(
    options: dict[str, Any], request: Request, names: list[str], missing: set[str]
) -> Generator[Answer, None, None]:
    for name in sorted(missing):
        yield Answer(name, None, time.time(), f"is not in the roster {options['roster']}")
    names = [name for name in names if name not in missing]
    if not names:
        return
    # Not at the top: it is slow to import.
    import salt.client.ssh.shell

    # Salt 3006 knows only the older question, and waits for ever at the newer one.
    salt.client.ssh.shell.KEY_VALID_RE = ASKS_FOR_HOST_KEY
    mark = Path(options["cachedir"], "thin", "salt-cmdb")
    code = _code()
    try:
        is_current = _is_ours(mark, code)
        ssh = salt.client.ssh.SSH({**options, "tgt": names, "regen_thin": not is_current})
    except (SaltException, OSError) as error:
        raise Unavailable(f"salt-ssh cannot be used: {error}", "try it by hand") from error
    mark.write_text(code, encoding="ascii")
    for one in pool.each(
        lambda name: _collect(ssh, name),
        names,
        request.workers,
        request.timeout_seconds,
        request.is_over,
    ):
        yield Answer(one.name, one.result, time.time(), one.reason, one.traceback)


def _is_ours(mark: Path, code: str) -> bool:
    """Whether we built the tarball last, from this code: salt-ssh by itself may build another."""
    tarball = mark.with_name("thin.tgz")
    if not mark.exists() or not tarball.exists():
        return False
    is_last = mark.stat().st_mtime_ns >= tarball.stat().st_mtime_ns
    return is_last and mark.read_text(encoding="ascii") == code


def _code() -> str:
    """Return a digest of our code, which is another one when the code has changed."""
    top = Path(salt_ext.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(top.rglob("*.py")):
        digest.update(f"{path.relative_to(top)}\n".encode() + path.read_bytes())
    return digest.hexdigest()


def _collect(ssh: Any, name: str) -> dict[str, Any]:
    """Return the report of a machine. Raises :class:`pool.Failed`."""
    target = _target(ssh, name)
    try:
        status, answer = _run(ssh, name, target, ssh.opts)
    except SystemExit:
        # It took too long, or nobody waits for it any more.
        _wipe(ssh, name, target)
        raise
    report = answer.get("return") if isinstance(answer, dict) else None
    if status == 0 and isinstance(report, dict):
        # The machine itself does not know the mode.
        return {**report, "mode": "ssh"}
    if status < UNREACHED:
        _wipe(ssh, name, target)
    raise pool.Failed(_reason(answer, target))


def _target(ssh: Any, name: str) -> dict[str, Any]:
    """Return the roster's entry of a machine, with the options that the loader there needs."""
    target = {**ssh.defaults, "host": name, **ssh.targets[name]}
    if IS_OLD:
        own = target.get("minion_opts") or {}
        unpacked = f"{target['thin_dir']}/py3/{OURS}"
        target["minion_opts"] = {**own, "module_dirs": [*own.get("module_dirs", []), unpacked]}
    return target


def _wipe(ssh: Any, name: str, target: dict[str, Any]) -> None:
    """Remove our directory from a machine: salt-ssh does so only after a good run."""
    sudo = ["sudo", "-n"] if target.get("sudo") else []
    command = shlex.join([*sudo, "rm", "-rf", target["thin_dir"]])
    _run(ssh, name, target, {**ssh.opts, "raw_shell": True, "argv": [command]})


def _run(
    ssh: Any, name: str, target: dict[str, Any], options: Mapping[str, Any]
) -> tuple[int, Any]:
    """Return the exit status and the answer of one command on one machine."""
    answers: SimpleQueue[Any] = SimpleQueue()
    ssh.handle_routine(answers, options, name, dict(target))
    answer = answers.get()
    # Before Salt 3008 the exit status is only in the answer.
    answer, status = answer if isinstance(answer, tuple) else (answer, 0)
    value = answer["ret"]
    inner = value.get("retcode") if isinstance(value, dict) else 1
    return max(status, inner if isinstance(inner, int) else 0), value


REASONS = (
    # (what salt-ssh says, what that means and what to do)
    ("host key needs to be accepted", "its host key is not known: accept it once by ssh {user}"),
    ("Host key verification failed", "its host key is not known: accept it once by ssh {user}"),
    ("Permission denied", "refused {user}: let it accept the key {priv}.pub"),
    (
        f"{FUNCTION}' is not available",
        "the collectors did not come along: see thin_exclude_saltexts of the master",
    ),
    (
        "LD_LIBRARY_PATH: parameter not set",
        "its python3 is a shell script, as pyenv's: give its entry in the roster a set_path without"
        " it, such as /usr/bin:/bin",
    ),
)


def _reason(answer: Any, target: Mapping[str, Any]) -> str:
    """Return why a machine gave no report, and what to do."""
    answer = answer if isinstance(answer, dict) else {"stderr": answer}
    texts = [str(answer[part]) for part in ("stderr", "stdout", "_error") if answer.get(part)]
    for sign, meaning in REASONS:
        if any(sign in text for text in texts):
            user = f"{target.get('user')}@{target.get('host')}"
            return meaning.format(user=user, priv=target.get("priv"))
    for text in texts:
        lines = [line.strip() for line in text.splitlines()]
        said = [one for one in lines if one and not one.startswith(SHIM)]
        if said:
            return said[-1][:300]
    return "returned nothing"
