"""
The kind of container that this process runs in.

Asked only where the process is not in the kernel's first PID namespace. Some maker of
containers or other made that namespace, and most leave a mark: a file, a variable of
the first process, the name of the control group, or what is mounted. Where no mark is
found it is a container all the same, unless the signs say that a service of the
machine itself was given a PID namespace of its own (``PrivatePIDs=`` of systemd,
``unshare --pid``): such a service has everything else in common with its machine.
"""

from __future__ import annotations

TYPE_CHECKING = False  # see root.py
if TYPE_CHECKING:
    from salt_ext.facts.root import Root

UNKNOWN = "unknown"
FIRST_UTS_NAMESPACE = "uts:[4026531838]"  # PROC_UTS_INIT_INO of the kernel

SYSTEMD_MARKS = ("/run/systemd/container", "/run/host/container-manager")
GENERAL = "oci"  # several makers write it
MARKS = (("/run/.containerenv", "podman"), ("/.dockerenv", "docker"))

CONTROL_GROUPS = (
    # (a word in the path of a control group, the kind), specific words before general ones
    ("cri-containerd", "containerd"),
    ("crio-", "crio"),
    ("/libpod-", "podman"),
    ("/docker/", "docker"),
    ("/docker-", "docker"),
    ("/ecs/", "docker"),
    ("/machine-lxc", "lxc-libvirt"),
    ("/lxc/", "lxc"),
    ("/lxc.", "lxc"),
    ("/.lxc", "lxc"),
    ("/systemd-nspawn@", "systemd-nspawn"),
    ("/machine.slice/", "systemd-nspawn"),
)
PLACES = (
    # (where the files of a container are on its host, the kind)
    ("/docker/", "docker"),
    ("/containerd/", "containerd"),
    ("io.containerd.", "containerd"),
    ("/containers/storage/", "podman"),
    ("/var/lib/lxc/", "lxc"),
    ("/lxd/", "lxc"),
    ("/incus/", "lxc"),
    ("/var/lib/machines/", "systemd-nspawn"),
    ("/kubelet/pods/", "kubernetes"),
)
LAYERED = ("overlay", "overlayfs", "aufs", "fuse.fuse-overlayfs")
MADE_BY_MANAGERS = ("/etc/host", "/etc/resolv.conf", "/dev/termination-log")
"""Mount points for which a manager of containers gives each container a file of its own."""


class _Process:
    """What a process can see of where it runs."""

    def __init__(self, root: Root) -> None:
        self.groups = root.text("/proc/self/cgroup") or root.text("/proc/1/cgroup") or ""
        self.environment = _environment(root)
        self.mounts = _mounts(root)
        self.top = next((one for one in reversed(self.mounts) if one["at"] == "/"), None)
        # composefs gives a whole machine a layered root (bootc, Fedora CoreOS).
        self.is_layered = (
            self.top is not None
            and self.top["type"] in LAYERED
            and self.top["source"] != "composefs"
        )
        self.uts = root.link("/proc/self/ns/uts")
        # The kernel's threads are in the machine's own /proc only. A container has a name of
        # its own, or, where it was given its machine's, a root of its own.
        self.shares_machine = root.text("/proc/2/comm", 64) == "kthreadd" or (
            self.uts == FIRST_UTS_NAMESPACE and not self.is_layered
        )


def kind(root: Root, is_known_namespace: bool) -> str | None:
    """
    Return the kind by systemd's names, ``unknown``, or None for a machine.

    ``is_known_namespace`` says that the PID namespace is known to be another than the
    first. Where that cannot be told, as on a kernel before 3.8, only a mark counts.
    """
    denied = len(root.denied)
    process = _Process(root)
    if found := _marked(root, process):
        del root.denied[denied:]  # what could not be read would not have told more
        return found
    if not is_known_namespace or _is_the_machine_itself(root, process):
        return None
    return UNKNOWN


def _marked(root: Root, process: _Process) -> str | None:
    """Return the kind that a mark tells, or None without a mark."""
    for path in SYSTEMD_MARKS:
        if name := _word(root.text(path, 64)):
            return name
    told = _word(process.environment.get("container"))
    if told and told != GENERAL:
        return told
    for path, name in MARKS:
        # A machine whose disk was made from an image of a container has the image's files.
        if root.exists(path) and not process.shares_machine:
            return name
    if root.exists("/proc/vz") and not root.exists("/proc/bc"):
        return "openvz"
    release = (root.text("/proc/sys/kernel/osrelease", 256) or "").lower()
    if "microsoft" in release or "wsl" in release:
        return "wsl"
    for word, name in CONTROL_GROUPS:
        if word in process.groups:
            return name
    is_pod = "KUBERNETES_SERVICE_HOST" in process.environment or "/kubepods" in process.groups
    for mount in process.mounts:
        if mount["type"] == "fuse.lxcfs" and mount["at"].startswith("/proc/"):
            return "lxc"
        if mount["at"] == "/" or mount["at"].startswith(MADE_BY_MANAGERS):
            for place, name in PLACES:
                if place in mount["line"]:
                    # CRI-O keeps its files where podman does, but makes pods only.
                    return "crio" if is_pod and name == "podman" else name
    return "kubernetes" if is_pod else told


def _is_the_machine_itself(root: Root, process: _Process) -> bool:
    """Whether nothing but the PID namespace sets this process apart from its machine."""
    # A container that runs systemd has systemd's mark. Without it this is the machine's.
    if process.shares_machine or root.exists("/run/systemd/system"):
        return True
    if process.is_layered:
        return False
    if ".service" in process.groups or "INVOCATION_ID" in process.environment:
        return True  # a service of systemd
    is_named = process.uts is not None
    return not is_named and process.top is not None and _is_disk_of_machine(process.top)


def _is_disk_of_machine(top: dict[str, str]) -> bool:
    """Whether the root is the whole of a disk's file system, or what installers make in one."""
    if top["type"] == "zfs":
        return "/ROOT/" in top["source"]
    if not top["source"].startswith("/dev/"):
        return False
    is_subvolume = top["type"] == "btrfs" and (top["root"] == "/root" or top["root"][:2] == "/@")
    return top["root"] == "/" or is_subvolume or top["root"].startswith("/ostree/")


def _mounts(root: Root) -> list[dict[str, str]]:
    """Return the mounts in the order in which they were made; see proc_pid_mountinfo(5)."""
    text = root.text("/proc/self/mountinfo") or root.text("/proc/1/mountinfo") or ""
    found = []
    for line in text.splitlines():
        left, dash, right = line.partition(" - ")
        before, after = left.split(" "), right.split(" ")
        if dash and len(before) >= 5 and len(after) >= 2:
            found.append(
                {"root": before[3], "at": before[4], "type": after[0], "source": after[1]}
                | {"line": line}
            )
    return found


def _environment(root: Root) -> dict[str, str]:
    """Return the variables of the first process."""
    text = (root.data("/proc/1/environ") or b"").decode("utf-8", "replace")
    pairs = (item.partition("=") for item in text.split("\0"))
    return {name: value for name, equals, value in pairs if equals}


def _word(text: str | None) -> str | None:
    """Return the name of a kind of container; None for anything but a short word."""
    word = (text or "").strip().lower()
    is_word = 0 < len(word) <= 32 and word.isascii() and word.replace("-", "").isalnum()
    return word if is_word else None
