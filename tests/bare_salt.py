"""A Python that has Salt and not salt-cmdb, as a minion has before anything is delivered."""

import os
import shutil
import ssl
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

PROGRAM = "import sys; from salt import scripts; sys.argv = sys.argv[1:]; scripts.{}()"
SALT_PIP = "#!{python}\nfrom salt.scripts import salt_pip\nsalt_pip()\n"
ONEDIR = "import sys, relenv.runtime; relenv.runtime.bootstrap(); sys.path.insert(0, {extras!r})"
"""What the Python of Salt's packages does when it starts: what pip adds lies in a folder apart."""


class BareSalt:
    """A virtual environment with the packages of ours but for salt-cmdb, which are linked."""

    def __init__(self, directory: Path, without: tuple[str, ...] = ()) -> None:
        """Make one, without these files and folders of site-packages too."""
        venv.create(directory, with_pip=False)
        self.python = directory / "bin/python"
        [self.packages] = directory.glob("lib/python*/site-packages")
        for one in Path(sysconfig.get_path("purelib")).iterdir():
            if "salt_cmdb" not in one.name and one.name not in without:
                (self.packages / one.name).symlink_to(one)

    def start(self, program: str, *args: str, env=None, **options) -> subprocess.Popen:
        """Start a program of Salt's, such as salt-call."""
        code = PROGRAM.format(program.replace("-", "_"))
        environ = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
        environ |= env or {}
        command = [self.python, "-c", code, program, *args]
        return subprocess.Popen(command, env=environ, cwd="/", text=True, **options)


class OnedirSalt(BareSalt):
    """What the packages of the Salt project install: a Python that relenv made, with salt-pip."""

    def __init__(self, directory: Path, without: tuple[str, ...] = ()) -> None:
        # Here and not above: only the groups test and dev have it.
        import relenv

        super().__init__(directory, (*without, "relenv"))
        # A copy: it takes the folder that it lies in for that of the onedir.
        shutil.copytree(Path(relenv.__file__).parent, self.packages / "relenv")
        extras = str(directory / "extras-{}.{}".format(*sys.version_info))
        (self.packages / "onedir.pth").write_text(ONEDIR.format(extras=extras))
        salt_pip = directory / "salt-pip"
        salt_pip.write_text(SALT_PIP.format(python=self.python))
        salt_pip.chmod(0o755)
        # It wants the library there that this Python has loaded.
        assert ssl.OPENSSL_VERSION
        loaded = Path("/proc/self/maps").read_text().split()
        crypto = next(one for one in loaded if "/libcrypto.so" in one)
        (directory / "lib/libcrypto.so").symlink_to(crypto)
