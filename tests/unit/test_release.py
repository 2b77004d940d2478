"""The version in salt_ext/__init__.py, the newest heading of the changelog and the tag agree."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]


def read(path):
    return (ROOT / path).read_text()


def version():
    return re.search(r'^__version__ = "(.+)"$', read("salt_ext/__init__.py"), re.MULTILINE)[1]


def faults(version, heading, tags):
    """Return what is wrong with a version, a heading such as "0.1.0 - 2026-05-01", and tags."""
    headed, _, date = heading.partition(" - ")
    if headed != version:
        yield f"CHANGELOG.md begins with {headed}, salt_ext says {version}"
    if date != "unreleased" and not re.fullmatch(r"\d{4}-\d\d-\d\d", date):
        yield f"{heading!r} has neither a date nor the word unreleased"
    for tag in tags:
        if tag != f"v{version}":
            yield f"the tag is {tag}, salt_ext says {version}"
        if date == "unreleased":
            yield f"the tag is {tag}, CHANGELOG.md says unreleased"


@pytest.mark.parametrize(
    ("heading", "tags", "says"),
    [
        ("0.2.0 - unreleased", [], None),
        ("0.2.0 - 2026-05-01", [], None),
        ("0.2.0 - 2026-05-01", ["v0.2.0"], None),
        ("0.1.0 - 2026-05-01", [], "begins with 0.1.0"),
        ("Unreleased", [], "begins with Unreleased"),
        ("0.2.0 - soon", [], "neither a date"),
        ("0.2.0 - unreleased", ["v0.2.0"], "says unreleased"),
        ("0.2.0 - 2026-05-01", ["v0.2.1"], "tag is v0.2.1"),
        ("0.2.0 - 2026-05-01", ["v0.2.0", "v0.1.0"], "tag is v0.1.0"),
    ],
)
def test_a_release_that_disagrees_with_itself_is_found(heading, tags, says):
    found = list(faults("0.2.0", heading, tags))
    assert (found == []) if says is None else (says in "; ".join(found))


@pytest.fixture
def tags():
    """The versions that tags give to this commit."""
    if not (ROOT / ".git").exists():
        pytest.skip("this is no checkout of git")
    command = ["git", "tag", "--points-at", "HEAD", "--list", "v[0-9]*"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_this_commit_agrees_with_itself(tags):
    heading = re.search(r"^## (.+)$", read("CHANGELOG.md"), re.MULTILINE)[1]
    assert list(faults(version(), heading, tags)) == []


def test_a_release_names_its_addresses(tags):
    named = "\n[project.urls]\n" in read("pyproject.toml")
    assert named or not tags, "see CONTRIBUTING.md, A release"


def test_the_example_of_a_pillar_names_this_version():
    pillar = yaml.safe_load(read("states/cmdb/pillar.example"))
    assert pillar["cmdb_formula"]["version"] == version()
