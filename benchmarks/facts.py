"""
What our facts cost, beside the tools that do the same and are installed.

Every tool runs once in each round, so that other work on the machine affects all
tools alike; the first round does not count. CPU is user and system time, of the
tool and of all its children. "tasks" are the processes and threads that the machine
started meanwhile, with the tool's own process: the smallest number of all rounds,
because other work on the machine counts too. "facts" are the values in the output
that are not empty: leaves of JSON or XML, `name: value` lines of a text.

Debian's packages: lshw dmidecode util-linux facter ohai inxi hwinfo
fusioninventory-agent.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shutil
import signal
import statistics
import sys
import tempfile
import time
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
ROUNDS, QUICK_ROUNDS = 9, 3
LIMIT_SECONDS = 120
PYTHON, COLD, WARM, LSHW = "python3 -c pass", "facts, cold", "facts, in process", "lshw"

# In a process that has imported the collectors, as the minion has. The first runs do not count.
IN_PROCESS = """
import json, time
from salt_ext import facts, settings
collectors = settings.OPTIONS["collectors"].default
times = []
for _ in range(12):
    cpu, wall = time.process_time(), time.perf_counter()
    document = facts.collect("/", collectors)
    times.append((time.process_time() - cpu, time.perf_counter() - wall))
times = sorted(times[2:])
document["benchmark"] = times[len(times) // 2]
print(json.dumps(document))
"""


class Sample(NamedTuple):
    """One run of one tool."""

    cpu_ms: float
    wall_ms: float
    tasks: int
    output: bytes
    code: int


def tools(directory: str) -> dict[str, list[list[str]]]:
    """Return the commands of every tool that is installed, by its name in the table."""
    python = sys.executable
    salt_call = str(Path(python).with_name("salt-call"))
    known = {
        PYTHON: [[python, "-c", "pass"]],
        COLD: [[python, "-m", "salt_ext.facts"]],
        WARM: [[python, "-c", IN_PROCESS]],
        LSHW: [["lshw", "-quiet", "-json"]],
        "dmidecode + lscpu + lsblk": [["dmidecode"], ["lscpu", "-J"], ["lsblk", "-J", "-O"]],
        "hwinfo": [["hwinfo", "--all"]],
        "inxi": [["inxi", "--tty", "-Fxxx", "--output", "json", "--output-file", "print"]],
        "facter": [["facter", "--json"]],
        "fusioninventory-inventory": [
            ["fusioninventory-inventory", "--no-category=software,process,environment"]
        ],
        "ohai": [["ohai"]],
        "salt-call grains.items": [
            [
                *(salt_call, "--local", f"--config-dir={directory}", "--log-level=quiet"),
                *("grains.items", "--out=json"),
            ]
        ],
    }
    return {
        name: commands
        for name, commands in known.items()
        if all(shutil.which(command[0]) for command in commands)
    }


def measure(commands: list[list[str]], directory: str) -> Sample:
    """Run the commands of a tool one after another; return one sample for all of them."""
    cpu = 0.0
    outputs, codes = [], []
    before = forks()
    started = time.perf_counter()
    for command in commands:
        used, output, code = run(command, directory)
        cpu += used
        outputs.append(output)
        codes.append(code)
    wall = time.perf_counter() - started
    return Sample(cpu * 1000, wall * 1000, forks() - before, b"\0".join(outputs), max(codes))


def run(command: list[str], directory: str) -> tuple[float, bytes, int]:
    """Return the CPU seconds, the output and the exit code of one process and its children."""
    path = shutil.which(command[0]) or command[0]
    out = os.path.join(directory, "output")
    # As on a machine in use: Python keeps what it has compiled.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    pid = os.posix_spawn(
        path,
        command,
        {**environment, "LC_ALL": "C.UTF-8"},
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, out, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
            (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
        ],
    )
    signal.signal(signal.SIGALRM, lambda *_: os.kill(pid, signal.SIGKILL))
    signal.alarm(LIMIT_SECONDS)
    _, status, usage = os.wait4(pid, 0)
    signal.alarm(0)
    code = os.waitstatus_to_exitcode(status)
    return usage.ru_utime + usage.ru_stime, Path(out).read_bytes(), abs(code)


def forks() -> int:
    """Return how many processes and threads this machine has started since its boot."""
    match = re.search(r"^processes (\d+)", Path("/proc/stat").read_text(), re.MULTILINE)
    return int(match[1]) if match else 0


def values(output: bytes) -> int:
    """Return how many values an output has that are not empty."""
    return sum(_values(part.decode("utf-8", "replace").strip()) for part in output.split(b"\0"))


def _values(text: str) -> int:
    if text.startswith("<"):
        return sum(
            1
            for element in ElementTree.fromstring(text).iter()
            if not len(element) and (element.text or "").strip()
        )
    try:
        return sum(1 for _ in leaves(json.loads(text)))
    except ValueError:
        return sum(1 for line in text.splitlines() if line.partition(":")[2].strip())


def leaves(value: Any, name: str = "") -> Iterator[Any]:
    """Yield every value in a JSON document that is not empty."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from leaves(item, key)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item)
    elif value not in (None, "") and name != "field":  # lscpu has names as values
        yield value


def table(rounds: int, directory: str) -> list[dict[str, Any]]:
    """Return a row of medians for each tool."""
    known = tools(directory)
    samples: dict[str, list[Sample]] = {name: [] for name in known}
    for number in range(rounds + 1):
        for name, commands in known.items():
            sample = measure(commands, directory)
            if number:
                samples[name].append(sample)
        print(f"round {number} of {rounds}", file=sys.stderr)
    rows = [_row(name, runs) for name, runs in samples.items()]
    cpu = {row["tool"]: row["cpu_ms"] for row in rows}
    for row in rows:
        for other, field in ((PYTHON, "to_python"), (LSHW, "to_lshw")):
            row[field] = round(row["cpu_ms"] / cpu[other], 2) if other in cpu else None
    return rows


def _row(name: str, runs: list[Sample]) -> dict[str, Any]:
    output = runs[-1].output
    times = [(run.cpu_ms, run.wall_ms) for run in runs]
    tasks: int | None = min(run.tasks for run in runs)
    if name == WARM:
        documents = [json.loads(run.output) for run in runs]
        times = [(cpu * 1000, wall * 1000) for cpu, wall in (d.pop("benchmark") for d in documents)]
        output = json.dumps(documents[-1]).encode()
        tasks = None  # these are of twelve runs and the start of an interpreter
    return {
        "tool": name,
        "cpu_ms": round(statistics.median(cpu for cpu, _ in times), 1),
        "wall_ms": round(statistics.median(wall for _, wall in times), 1),
        "tasks": tasks,
        "facts": values(output),
        "exit_code": runs[-1].code,
    }


def machine() -> dict[str, Any]:
    """Return what the figures were measured on."""
    cpuinfo = Path("/proc/cpuinfo").read_text()
    model = re.search(r"^model name\s*: (.*)", cpuinfo, re.MULTILINE)
    return {
        "kernel": platform.release(),
        "processor": model[1] if model else platform.machine(),
        "cpus": os.cpu_count(),
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2),
    }


def markdown(result: dict[str, Any]) -> str:
    """Return the result as a table."""
    on = result["machine"]
    lines = [
        f"Linux {on['kernel']}, {on['cpus']} x {on['processor']}, Python {on['python']},"
        f" {result['rounds']} rounds, load {on['load']}.",
        "",
        "| tool | CPU ms | wall ms | tasks | facts | CPU to Python | CPU to lshw |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for row in result["rows"]:
        cells = [row[key] for key in ("tool", "cpu_ms", "wall_ms", "tasks", "facts")]
        cells += [row["to_python"], row["to_lshw"]]
        lines.append("| " + " | ".join("-" if cell is None else str(cell) for cell in cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(
        prog="./dev bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_ROUNDS} rounds, not {ROUNDS}")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    os.chdir(ROOT)  # -m finds the package here
    rounds = QUICK_ROUNDS if arguments.quick else ROUNDS
    on = machine()
    with tempfile.TemporaryDirectory(prefix="cmdb-bench-") as directory:
        # With this root_dir Salt keeps all files below it, and touches none of the machine's own.
        config = f"root_dir: {directory}\nid: benchmark\nfile_client: local\n"
        Path(directory, "minion").write_text(config)
        result = {"machine": on, "rounds": rounds, "rows": table(rounds, directory)}
    print(json.dumps(result, indent=2) if arguments.json else markdown(result))


if __name__ == "__main__":
    main()
