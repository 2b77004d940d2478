"""Wheels without a package index: ours, ours of another version, and what is installed here."""

import base64
import hashlib
import shutil
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
LEFTOVERS = shutil.ignore_patterns(".*", "__pycache__", "build", "dist", "*.egg-info", "tests")
VERSION = metadata.version("salt-cmdb")


def build(directory):
    """Build the wheel of the checkout, from a copy so that the checkout stays as it is."""
    copy = shutil.copytree(ROOT, directory / "salt-cmdb", ignore=LEFTOVERS)
    code = "from setuptools import build_meta; build_meta.build_wheel('.')"
    subprocess.run([sys.executable, "-c", code], cwd=copy, check=True, capture_output=True)
    (path,) = copy.glob("*.whl")
    return path


def with_version(wheel, version, directory):
    """Write a copy of our wheel that says it is another version, everywhere."""
    info = f"salt_cmdb-{VERSION}.dist-info"
    told = {f"{info}/METADATA": "Version: {}\n", "salt_ext/__init__.py": '__version__ = "{}"\n'}
    files = {}
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            line = told.get(name, "")
            was, now = (line.format(one).encode() for one in (VERSION, version))
            files[name.replace(VERSION, version)] = archive.read(name).replace(was, now)
    return _write(directory / wheel.name.replace(VERSION, version), files)


def repacked(name, directory):
    """Write a wheel of a distribution that is installed here, for this Python."""
    one = metadata.distribution(name)
    files = {
        str(file): file.locate().read_bytes()
        for file in one.files
        if ".." not in file.parts and file.suffix != ".pyc"
    }
    (info,) = {file.split("/")[0] for file in files if file.endswith(".dist-info/WHEEL")}
    said = one.read_text("WHEEL").splitlines()
    tags = [line.removeprefix("Tag: ").split("-") for line in said if line.startswith("Tag: ")]
    tag = "-".join(".".join(sorted(set(part))) for part in zip(*tags, strict=True))
    return _write(directory / f"{info.removesuffix('.dist-info')}-{tag}.whl", files)


def needed(requirements):
    """Return the names of all distributions that requirements bring here, their own included."""
    found, waiting = set(), [Requirement(one) for one in requirements]
    while waiting:
        one = waiting.pop()
        extras = ("", *one.extras)
        if (one.name, extras) in found:
            continue
        if one.marker is None or one.marker.evaluate({"extra": ""}):
            found.add((one.name, extras))
            for line in metadata.requires(one.name) or ():
                other = Requirement(line)
                if other.marker is None or any(
                    other.marker.evaluate({"extra": extra}) for extra in extras
                ):
                    other.marker = None
                    waiting.append(other)
    return {canonicalize_name(name) for name, _ in found}


def _write(path, files):
    """Write a wheel with a RECORD of what is in it."""
    (record,) = (name for name in files if name.endswith(".dist-info/RECORD"))
    lines = [f"{record},,"]
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            if name == record or name.endswith(("/INSTALLER", "/REQUESTED", "/direct_url.json")):
                continue
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=")
            lines.append(f"{name},sha256={digest.decode()},{len(content)}")
            archive.writestr(name, content)
        archive.writestr(record, "\n".join([*lines, ""]))
    return path
