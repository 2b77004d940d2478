"""
Fuzz every target for its share of the time, or give one of them one input again.

Usage: ``./dev fuzz [SECONDS]`` (60 by default, for all together), and
``./dev fuzz TARGET FILE`` for an input that was found. ``./dev fuzz fleet
[MACHINE-WEEKS]`` plays fleets through the store instead. Exits 1 on a finding.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from fuzz import seeds
from fuzz.targets import TARGETS, check

SECONDS = 60
INPUT_SECONDS = 5  # for one input: if it takes longer, it counts as an endless loop
INPUT_BYTES = 8 * 1024  # longer inputs reach no other code, they are only slower
MEMORY_MB = 1024
START_SECONDS = 1
GRACE_SECONDS = 60  # for the start, for reading the seeds and for the end
# What libFuzzer prints: "#4096 pulse  cov: 212 ft: 640 corp: 80/4096b lim: 68 exec/s: 2048"
PROGRESS = re.compile(r"^#(\d+)\s.*?cov: (\d+) ft: \d+ corp: (\d+)/", re.MULTILINE)
FINDING = re.compile(r"Test unit written to (\S+)")


class Result(NamedTuple):
    """What came of fuzzing one target."""

    name: str
    seeds: int
    executions: int
    edges: int
    corpus: int
    log: str
    finding: str | None
    is_complete: bool


def fuzz(name: str, seconds: int, directory: Path) -> Result:
    """Fuzz one target in a process of its own."""
    found, given = directory / "corpus" / name, directory / "seeds" / name
    for path in (found, given):
        path.mkdir(parents=True)
    count = seeds.write(name, given)
    words = directory / f"{name}.words"
    words.write_text(seeds.DICTIONARY)
    command = [
        sys.executable,
        *("-m", "fuzz.child", name),
        f"-max_total_time={seconds}",
        f"-max_len={INPUT_BYTES}",
        f"-timeout={INPUT_SECONDS}",
        f"-rss_limit_mb={MEMORY_MB}",
        f"-artifact_prefix={directory}/{name}-",
        f"-dict={words}",
        str(found),
        str(given),
    ]
    try:
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=seconds + INPUT_SECONDS + GRACE_SECONDS,
            check=False,
        )
        output, is_complete = done.stdout, done.returncode == 0
    except subprocess.TimeoutExpired as error:
        output, is_complete = error.stdout or b"", False
    log = output.decode("utf-8", "replace")
    executions, edges, corpus = (PROGRESS.findall(log) or [("0", "0", "0")])[-1]
    artifact = FINDING.search(log)
    return Result(
        name,
        count,
        int(executions),
        int(edges),
        int(corpus),
        log,
        artifact[1] if artifact else None,
        is_complete,
    )


def run(seconds: int) -> int:
    """Fuzz all targets, as many at a time as there are processors."""
    jobs = min(os.cpu_count() or 1, len(TARGETS))
    share = max(1, seconds * jobs // len(TARGETS) - START_SECONDS)
    directory = Path(tempfile.mkdtemp(prefix="cmdb-fuzz-"))
    print(f"{len(TARGETS)} targets, {share} s each, {jobs} at a time")
    print(f"{'TARGET':<18}{'SEEDS':>6}{'EXECUTIONS':>12}{'EDGES':>7}{'CORPUS':>8}")
    bad = []
    with ThreadPoolExecutor(jobs) as pool:
        for result in pool.map(lambda name: fuzz(name, share, directory), TARGETS):
            print(
                f"{result.name:<18}{result.seeds:>6}{result.executions:>12}"
                f"{result.edges:>7}{result.corpus:>8}",
                flush=True,
            )
            if not result.is_complete:
                bad.append(result)
    for result in bad:
        print(f"\n{result.name}:\n{explained(result.log)}", file=sys.stderr)
        if result.finding:
            print(f"again: ./dev fuzz {result.name} {result.finding}", file=sys.stderr)
    if not bad:
        shutil.rmtree(directory)
    return 1 if bad else 0


def explained(log: str) -> str:
    """Return the part of libFuzzer's output that says what was wrong."""
    for mark in ("=== Uncaught Python exception", "ALARM:", "ERROR:", "Traceback"):
        if mark in log:
            return log[log.index(mark) :][:4000]
    return log[-4000:]


def main(arguments: list[str]) -> int:
    """Run the command line."""
    if len(arguments) == 2 and arguments[0] in TARGETS:
        check(arguments[0], Path(arguments[1]).read_bytes())
        return 0
    if arguments[:1] == ["fleet"] and all(word.isdecimal() for word in arguments[1:]):
        from fuzz import fleet  # it needs the tests' server, the other targets do not

        return fleet.main(*map(int, arguments[1:3]))
    if len(arguments) > 1 or not all(word.isdecimal() for word in arguments):
        print(f"{__doc__}\nTargets: {', '.join(TARGETS)}", file=sys.stderr)
        return 2
    return run(int(arguments[0]) if arguments else SECONDS)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
