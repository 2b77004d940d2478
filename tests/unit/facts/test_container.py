"""Containers however they were made, and services that only have a PID namespace of their own."""

import pytest

from salt_ext.facts.identity import identify
from salt_ext.facts.root import Root
from salt_ext.facts.system import system
from salt_ext.facts.virtual import virtual
from tests.unit.facts.trees import tree

ID = "3f9c1c5b7d2e" * 5 + "abcd"
PODS = "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1234.slice"
ON_DISK = "28 1 8:2 / / rw,relatime shared:1 - ext4 /dev/sda2 rw\n"
LAYERED = (
    "512 400 0:90 / / rw,relatime master:1 - overlay overlay rw,lowerdir={0}/1/fs,upperdir=x\n"
)
BOUND = "520 512 8:2 {0} {1} rw,relatime - ext4 /dev/sda2 rw\n"
CPUINFO_OF_LXC = "530 512 0:54 /proc/cpuinfo /proc/cpuinfo rw - fuse.lxcfs lxcfs rw\n"
SERVICE = "0::/system.slice/salt-minion.service\n"
OTHER, FIRST = "pid:[4026532518]", "pid:[4026531836]"
DMI = {
    "sys/class/dmi/id/sys_vendor": "HPE\n",
    "sys/class/dmi/id/product_serial": "CZX9990001\n",
    "sys/class/dmi/id/product_uuid": "83340ca8-cb49-4474-8c29-d2088ca84dd9\n",
}


def environ(**variables):
    return "".join(f"{name}={value}\0" for name, value in variables.items())


def container(where, files, namespace=OTHER, uts=None):
    links = {"proc/self/ns/pid": namespace} if namespace else {}
    if uts:
        links["proc/self/ns/uts"] = f"uts:[{uts}]"
    return virtual(tree(where, files, links))["container"]


MARKED = {
    "systemd in it": ({"run/systemd/container": "lxc\n"}, "lxc"),
    "its manager told systemd": (
        {"run/host/container-manager": "systemd-nspawn\n"},
        "systemd-nspawn",
    ),
    "LXC without systemd": ({"proc/1/environ": environ(TERM="linux", container="lxc")}, "lxc"),
    "LXC, and PID 1 is another's": ({"proc/self/mountinfo": ON_DISK + CPUINFO_OF_LXC}, "lxc"),
    "LXC of version 1 groups": ({"proc/self/cgroup": "5:cpu:/lxc/101/ns\n0::/\n"}, "lxc"),
    "LXC in a directory": (
        {"proc/self/mountinfo": BOUND.format("/var/lib/lxc/web/rootfs", "/")},
        "lxc",
    ),
    "nspawn": ({"proc/1/environ": environ(container="systemd-nspawn")}, "systemd-nspawn"),
    "nspawn by its group": (
        {"proc/self/cgroup": "0::/machine.slice/systemd-nspawn@web.service/payload\n"},
        "systemd-nspawn",
    ),
    "docker": ({".dockerenv": "", "proc/self/cgroup": "0::/\n"}, "docker"),
    "docker by its group": ({"proc/self/cgroup": f"9:pids:/docker/{ID}\n"}, "docker"),
    "docker by systemd's group": (
        {"proc/self/cgroup": f"0::/system.slice/docker-{ID}.scope\n"},
        "docker",
    ),
    "docker by its layers": (
        {"proc/self/mountinfo": LAYERED.format("/var/lib/docker/overlay2/l/ABC")},
        "docker",
    ),
    "docker by its files": (
        {
            "proc/1/mountinfo": BOUND.format(
                f"/srv/docker/containers/{ID}/hostname", "/etc/hostname"
            )
        },
        "docker",
    ),
    "podman": ({"run/.containerenv": ""}, "podman"),
    "podman of old": (
        {
            "proc/1/environ": environ(container="oci"),
            "proc/self/mountinfo": LAYERED.format("/var/lib/containers/storage/overlay"),
        },
        "podman",
    ),
    "some maker of OCI": ({"proc/1/environ": environ(container="oci")}, "oci"),
    "a pod of containerd": (
        {"proc/self/cgroup": f"0::{PODS}/cri-containerd-{ID}.scope\n"},
        "containerd",
    ),
    "a pod of containerd with a group namespace": (
        {
            "proc/self/cgroup": "0::/\n",
            "proc/1/environ": environ(KUBERNETES_SERVICE_HOST="10.96.0.1"),
            "proc/self/mountinfo": LAYERED.format(
                "/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots"
            ),
        },
        "containerd",
    ),
    "a pod of CRI-O": ({"proc/self/cgroup": f"0::{PODS}/crio-{ID}.scope\n"}, "crio"),
    "a pod of CRI-O with a group namespace": (
        {
            "proc/1/environ": environ(KUBERNETES_SERVICE_HOST="10.96.0.1"),
            "proc/self/mountinfo": LAYERED.format("/var/lib/containers/storage/overlay"),
        },
        "crio",
    ),
    "a pod of whatever": ({"proc/self/cgroup": f"4:cpu:/kubepods/besteffort/{ID}\n"}, "kubernetes"),
    "OpenVZ": ({"proc/vz/veinfo": ""}, "openvz"),
    "Windows": ({"proc/sys/kernel/osrelease": "5.15.153.1-microsoft-standard-WSL2\n"}, "wsl"),
}


@pytest.mark.parametrize("name", MARKED)
def test_a_container_is_known_by_what_its_maker_left(tmp_path, name):
    files, kind = MARKED[name]
    assert container(tmp_path / "known", files) == kind
    # A kernel before 3.8 does not tell the namespace.
    assert container(tmp_path / "old", files, namespace=None) == kind


def test_a_container_with_the_name_of_its_machine_has_a_root_of_its_own(tmp_path):
    files = {".dockerenv": "", "proc/self/mountinfo": LAYERED.format("/opt/x")}
    assert container(tmp_path, files, uts=4026531838) == "docker"


UNMARKED = {
    "nothing but its namespace": ({}, None),
    "layers of whatever": ({"proc/self/mountinfo": LAYERED.format("/opt/x")}, None),
    "layers, and a group of its starter": (
        {"proc/self/mountinfo": LAYERED.format("/opt/x"), "proc/self/cgroup": SERVICE},
        None,
    ),
    "a disk of its own": ({"proc/self/mountinfo": ON_DISK}, 4026532511),
    "a directory of its host": (
        {"proc/self/mountinfo": BOUND.format("/srv/web/rootfs", "/")},
        None,
    ),
    "a dataset of its host": (
        {"proc/self/mountinfo": "28 1 0:27 / / rw - zfs rpool/data/subvol-101-disk-0 rw\n"},
        None,
    ),
    "a word that is no word": ({"proc/1/environ": environ(container="<script>" * 9)}, None),
}


@pytest.mark.parametrize("name", UNMARKED)
def test_another_pid_namespace_is_some_container(tmp_path, name):
    files, uts = UNMARKED[name]
    assert container(tmp_path / "known", files, uts=uts) == "unknown"
    assert container(tmp_path / "old", files, namespace=None) is None


ITSELF = {
    "a service of systemd": ({"proc/self/cgroup": SERVICE}, None),
    "a service as the first process": ({"proc/1/environ": environ(INVOCATION_ID="1a2b")}, None),
    "a service by its disk": ({"proc/self/mountinfo": ON_DISK, "proc/self/cgroup": "0::/\n"}, None),
    "systemd is there": ({"run/systemd/system/x": "", "proc/self/cgroup": "0::/\n"}, None),
    "unshare without a /proc of its own": ({"proc/2/comm": "kthreadd\n"}, None),
    "unshare, and the name of the machine": ({"proc/self/cgroup": "0::/\n"}, 4026531838),
    "a machine of composefs": (
        {
            "run/systemd/system/x": "",
            "proc/self/mountinfo": "2 1 0:30 / / ro - overlay composefs ro,lowerdir=/run/x\n",
        },
        None,
    ),
    "a machine made from an image of a container": (
        {".dockerenv": "", "run/.containerenv": "", "proc/self/mountinfo": ON_DISK},
        4026531838,
    ),
    "a subvolume": (
        {"proc/self/mountinfo": ON_DISK.replace(" / / ", " /@ / ").replace("ext4", "btrfs")},
        None,
    ),
    "a deployment of ostree": (
        {
            "proc/self/mountinfo": ON_DISK.replace(
                " / / ", " /ostree/deploy/fedora/deploy/1a2b.0 / "
            )
        },
        None,
    ),
    "a service of a machine of composefs": (
        {
            "proc/self/cgroup": SERVICE,
            "proc/self/mountinfo": "2 1 0:30 / / ro - overlay composefs ro,lowerdir=/run/x\n",
        },
        None,
    ),
    "a host of Proxmox on ZFS": (
        {"proc/self/mountinfo": "28 1 0:27 / / rw - zfs rpool/ROOT/pve-1 rw,xattr\n"},
        None,
    ),
    "a host of Proxmox": (
        {
            "proc/self/mountinfo": ON_DISK
            + "99 28 0:50 / /var/lib/lxcfs rw - fuse.lxcfs lxcfs rw\n",
            "proc/self/cgroup": SERVICE,
        },
        4026531838,
    ),
    "a host of docker": (
        {
            "proc/self/mountinfo": ON_DISK
            + LAYERED.format("/var/lib/docker/overlay2").replace(" / / ", " / /var/lib/docker/m "),
            "proc/self/cgroup": SERVICE,
        },
        4026531838,
    ),
}


@pytest.mark.parametrize("name", ITSELF)
def test_a_minion_in_a_pid_namespace_of_its_own_is_still_its_machine(tmp_path, name):
    files, uts = ITSELF[name]
    assert container(tmp_path, files, uts=uts) is None


@pytest.mark.parametrize("release", ["5.15.153.1-microsoft-standard-WSL2", "6.6.36-WSL2-own"])
def test_windows_says_in_the_name_of_its_kernel_what_it_is(tmp_path, release):
    assert container(tmp_path, {"proc/sys/kernel/osrelease": f"{release}\n"}) == "wsl"


@pytest.mark.parametrize("name", MARKED)
def test_in_the_first_namespace_no_mark_counts(tmp_path, name):
    assert container(tmp_path, MARKED[name][0], namespace=FIRST) is None


def facts(root):
    return {"system": system(root), "virtual": virtual(root)}


def test_a_container_takes_no_key_from_its_host_and_a_service_keeps_those_of_its_machine(tmp_path):
    links = {"proc/self/ns/pid": OTHER}
    pod = identify(facts(tree(tmp_path / "pod", DMI, links)))
    assert pod["primary"] is None
    assert {one["reason"] for one in pod["rejected"]} == {
        "a container sees the hardware of its host"
    }
    service = identify(facts(tree(tmp_path / "own", {**DMI, "proc/self/cgroup": SERVICE}, links)))
    assert service["primary"]["value"] == "hp/czx9990001"


class Refused(Root):
    """A machine whose kernel hides the first process's environment from the minion."""

    def data(self, path, *limit):
        if path == "/proc/1/environ":
            self.denied.append(path)
            return None
        return super().data(path, *limit)


@pytest.mark.parametrize(
    ("files", "denied"),
    [({".dockerenv": ""}, []), ({"proc/self/cgroup": "0::/\n"}, ["/proc/1/environ"])],
)
def test_what_may_not_be_read_is_told_only_where_it_would_have_told_more(tmp_path, files, denied):
    root = Refused(tree(tmp_path, files, {"proc/self/ns/pid": OTHER}).path)
    virtual(root)
    assert root.denied == denied
