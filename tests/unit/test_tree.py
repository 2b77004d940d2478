"""What a minion gets that has no pip: ``python -m salt_ext.tree``."""

import ast
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from salt_ext import __version__, tree

ROOT = Path(__file__).parents[2]


def names(directory):
    return {str(path.relative_to(directory)) for path in directory.rglob("*") if path.is_file()}


def test_the_same_code_makes_the_same_bytes(tmp_path):
    first = tree.write(tmp_path / "a")
    second = tree.write(tmp_path / "b")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert names(tmp_path / "a") == {
        "_grains/cmdb_synced.py",
        "_modules/cmdb_synced.py",
        f"_utils/{first[0].name}",
    }
    assert first[0].name.startswith(f"salt_cmdb-{__version__}-")


def test_other_code_makes_another_zip_and_the_earlier_one_goes(tmp_path, monkeypatch):
    [before, *_] = tree.write(tmp_path)
    of_the_site = [tmp_path / "_utils/acme.py", tmp_path / "_modules/cmdb.py"]
    for path in of_the_site:
        path.write_text("# of the site")
    monkeypatch.setattr(tree, "IN_THE_ZIP", ("__init__.py",))
    [after, *doors] = tree.write(tmp_path)
    assert not before.exists()
    assert all(f'"{after.name}"' in path.read_text() for path in doors)
    assert names(tmp_path) == {
        str(path.relative_to(tmp_path)) for path in (after, *doors, *of_the_site)
    }


def test_the_zip_alone_has_all_that_a_minion_imports(tmp_path):
    [zipped, *doors] = tree.write(tmp_path)
    with zipfile.ZipFile(zipped) as archive:
        modules = [
            name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
            for name in archive.namelist()
            if not name.endswith("__main__.py")
        ]
    wanted = {
        node.module
        for door in doors
        for node in ast.walk(ast.parse(door.read_text()))
        if isinstance(node, ast.ImportFrom) and node.module.startswith("salt_ext.")
    }
    assert wanted - {"salt_ext._dunders"} <= {*modules}
    # Nothing of ours or of anybody but the standard library, as in Salt's own Python.
    code = f"import sys; sys.path.append({str(zipped)!r})\nimport {', '.join(modules)}"
    done = subprocess.run([sys.executable, "-IS", "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_loader_file_keeps_its_docstring_and_its_functions(tmp_path):
    for path in tree.write(tmp_path)[1:]:
        source = ROOT / "salt_ext" / path.parent.name.removeprefix("_") / "cmdb.py"
        parts = [ast.parse(one.read_text()) for one in (path, source)]
        synced, installed = ([one.name for one in functions(part)] for part in parts)
        assert synced == installed
        assert ast.get_docstring(parts[0]) == ast.get_docstring(parts[1])


def functions(part):
    return [one for one in part.body if isinstance(one, ast.FunctionDef)]


LOADER = """
import importlib.util, sys
def load(path):
    spec = importlib.util.spec_from_file_location("loaded", path)
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except ImportError as error:
        return str(error)
    return module.cmdb_version()["cmdb_version"]
"""
"""What Salt's loader does with a grain, again and again in one process."""


def one_process(*steps):
    """Run steps in one Python that has nothing of ours, and return what it printed."""
    code = LOADER + "\n".join(steps)
    done = subprocess.run([sys.executable, "-IS", "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.split("\n")[:-1]


@pytest.fixture
def extmods(tmp_path):
    """The folder of a minion into which Salt has synced the tree, and the grain in it."""

    def sync():
        for path in tree.write(tmp_path / "srv"):
            room = tmp_path / "extmods" / path.parent.name.removeprefix("_")
            room.mkdir(parents=True, exist_ok=True)
            (room / path.name).write_bytes(path.read_bytes())
        return tmp_path / "extmods/grains/cmdb_synced.py"

    return sync


def test_a_process_that_runs_goes_on_with_the_version_that_is_synced(
    extmods, tmp_path, monkeypatch
):
    grain = extmods()
    earlier = tmp_path / "earlier.py"
    earlier.write_bytes(grain.read_bytes())
    # It looks for its zip beside it, as in the folder of the minion.
    earlier = earlier.rename(grain.parent / "earlier.py")
    package = shutil.copytree(tree.PACKAGE, tmp_path / "newer/salt_ext")
    (package / "__init__.py").write_text('__version__ = "99.0"')
    monkeypatch.setattr(tree, "PACKAGE", package)
    grain = extmods()
    [old, new] = sorted(
        (tmp_path / "extmods/utils").iterdir(), key=lambda path: path.stat().st_mtime
    )
    said = one_process(
        f"print(load({str(earlier)!r}))",
        f"import os; os.remove({str(old)!r})  # as Salt does",
        f"print(load({str(grain)!r}))",
        "from salt_ext import facts; print(facts.__file__)",
        "print(sum('salt_cmdb-' in one for one in sys.path))",
    )
    assert said == [__version__, "99.0", f"{new}/salt_ext/facts/__init__.py", "1"]


def test_an_installed_package_answers_until_it_is_removed(extmods, tmp_path):
    grain = extmods()
    site = tmp_path / "site"
    shutil.copytree(tree.PACKAGE, site / "salt_ext")
    said = one_process(
        f"sys.path.append({str(site)!r})",
        f"print(load({str(grain)!r}))",
        f"import shutil; shutil.rmtree({str(site)!r})",
        f"print(load({str(grain)!r}))",
    )
    assert said == [
        f"not used, for salt-cmdb is installed: {site}/salt_ext/__init__.py",
        __version__,
    ]


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        ([], 2, "usage: python -m salt_ext.tree DIR"),
        (["--help"], 2, "usage: python -m salt_ext.tree DIR"),
        (["a", "b"], 2, "usage: python -m salt_ext.tree DIR"),
        ([__file__], 1, "The tree cannot be written: [Errno 20] Not a directory"),
    ],
)
def test_what_it_cannot_do_it_says(arguments, status, says, capsys):
    assert tree.main(arguments) == status
    assert capsys.readouterr().err.startswith(says)


def test_dev_writes_it_without_a_virtual_environment(tmp_path):
    done = subprocess.run(
        [ROOT / "dev", "tree", tmp_path],
        env={"PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert set(done.stdout.split()) == {str(path) for path in tmp_path.rglob("*.*")}
