"""
A machine that boots from the network: QEMU with its own iPXE, and a Linux that asks for its files.

There is no disk and no KVM; what the machine shows of itself is what SMBIOS and its card say.
"""

import contextlib
import functools
import gzip
import os
import subprocess
import threading
import time
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.consumers import obtained

QEMU = ("qemu-system-x86", "qemu-system-common", "qemu-system-data", "seabios", "ipxe-qemu")
"""All of it: where one part is installed here, the others would not find it."""

HOST = "10.0.2.2"
"""How a machine of QEMU's own network calls this one."""

PATIENCE_SECONDS = 240

MODULES = (
    "drivers/virtio/virtio_ring",
    "drivers/virtio/virtio",
    "drivers/virtio/virtio_pci_modern_dev",
    "drivers/virtio/virtio_pci_legacy_dev",
    "drivers/virtio/virtio_pci",
    "net/core/failover",
    "drivers/net/net_failover",
    "drivers/net/virtio_net",
)
"""What the kernel needs for the card, each after what it needs itself."""

INIT = """#!/busybox sh
/busybox mount -t proc none /proc
for module in {modules}; do /busybox insmod /$module.ko; done
/busybox ip link set eth0 up
/busybox ip addr add 10.0.2.15/24 dev eth0
line=$(/busybox cat /proc/cmdline)
echo "command line: $line"
seed=${{line#*;s=}}
seed=${{seed%% *}}
for name in meta-data user-data vendor-data network-config; do
    echo "--- $name"
    /busybox wget -q -O - $seed$name
done
echo "--- the machine is through"
/busybox poweroff -f
"""


class Console:
    """The machine's serial console, while it runs."""

    def __init__(self, process, path):
        self.process, self.path = process, path

    @property
    def text(self):
        return self.path.read_text(errors="replace")

    def wait_for(self, *words):
        """Return all that stands on the console once it has one of these words."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            has_ended = self.process.poll() is not None
            text = self.text
            if any(one in text for one in words):
                return text
            assert not has_ended, f"it ended: {text}"
            assert time.monotonic() < deadline, text
            time.sleep(0.1)


@contextlib.contextmanager
def booted(folder, script, *, uuid, mac, serial):
    """Boot a machine whose DHCP server names a script of iPXE; yield its console."""
    home = obtained.unpacked(*QEMU)
    shown = f"type=1,serial={serial.replace(',', ',,')},uuid={uuid}"
    network = f"user,id=net,bootfile={script.replace(',', ',,')}"
    path = folder / f"console-{time.monotonic_ns()}"
    path.touch()
    command = [
        *(home / "usr/bin/qemu-system-x86_64", "-nodefaults", "-no-reboot"),
        *("-machine", "pc,accel=tcg,graphics=off", "-m", "512", "-display", "none"),
        *("-serial", f"file:{path}", "-smbios", shown, "-netdev", network),
        *("-device", f"virtio-net-pci,netdev=net,mac={mac}", "-boot", "n"),
    ]
    environment = {**os.environ, "LD_LIBRARY_PATH": obtained.libraries(home)}
    with open(folder / "qemu", "w") as said:
        process = subprocess.Popen(command, env=environment, stdout=said, stderr=said)
    try:
        yield Console(process, path)
    finally:
        process.kill()
        process.wait()


def kernel():
    """Return the kernel of this Debian's virtual machines, and the folder of its modules."""
    told = obtained.run("apt-cache", "depends", "linux-image-cloud-amd64").stdout.split()
    names = {word for word in told if word.startswith("linux-image-") and "+" not in word}
    if not names - {"linux-image-cloud-amd64"}:
        pytest.skip("this system has no package linux-image-cloud-amd64, which is Debian's")
    [name] = names - {"linux-image-cloud-amd64"}
    home = obtained.unpacked(name, alone=True)
    [image] = home.glob("boot/vmlinuz-*")
    [modules] = home.glob("lib/modules/*/kernel")
    return image, modules


def initrd(modules):
    """Return the archive of files with which the kernel begins: it reads what cloud-init reads."""
    names = [path.rpartition("/")[2] for path in MODULES]
    files = {"init": INIT.format(modules=" ".join(names)).encode()}
    busybox = obtained.unpacked("busybox-static", alone=True) / "bin/busybox"
    files["busybox"] = busybox.read_bytes()
    for name, path in zip(names, MODULES, strict=True):
        files[f"{name}.ko"] = (modules / f"{path}.ko").read_bytes()
    entries = [_entry("proc", b"", 0o040755), _entry("dev", b"", 0o040755)]
    entries += [_entry(name, data, 0o100755) for name, data in files.items()]
    # The console that init writes to.
    entries.append(_entry("dev/console", b"", 0o020600, device=(5, 1)))
    return gzip.compress(b"".join([*entries, _entry("TRAILER!!!", b"", 0)]), 1)


def _entry(name, data, mode, device=(0, 0)):
    """Return an entry of a cpio archive, in the only format that a kernel reads."""
    path = name.encode() + b"\0"
    fields = (0, mode, 0, 0, 1, 0, len(data), 0, 0, *device, len(path), 0)
    head = b"070701" + b"".join(b"%08X" % field for field in fields) + path
    return _filled(head) + _filled(data)


def _filled(data):
    return data + b"\0" * (-len(data) % 4)


@contextlib.contextmanager
def served(folder):
    """Serve the files of a folder on 127.0.0.1; yield the port."""
    handler = functools.partial(_Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args):
        pass
