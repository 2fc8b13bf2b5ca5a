"""The image of kind's nodes: Debian, systemd, containerd, the kubelet, and all that kubeadm wants to run."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from cluster import binaries
from cluster.embedded.machine_init import KUBELET_SYSCTLS
from cluster.embedded.node import cni_config
from cluster.images import pause
from cluster.images.engine import run
from cluster.kind.offline import kubernetes_images, root
from cluster.versions import Versions

FILES = Path(__file__).with_name("node")
MODULES = ("kubernetes", "kubeadm", "etcd", "containerd", "runc", "cni")
PLACES = {
    "usr/bin": ("kubelet", "kubeadm", "kubectl"),
    "usr/local/bin": ("containerd", "containerd-shim-runc-v2", "ctr"),
    "usr/local/sbin": ("runc",),
    "opt/cni/bin": ("ptp", "host-local", "loopback"),
}
# What a system of its own would do to the machine's kernel, devices and disks is not for a node to do.
REMOVED = (
    "usr/lib/sysctl.d",
    "etc/sysctl.d",
    "etc/sysctl.conf",
    "usr/lib/modules-load.d",
    "usr/lib/binfmt.d",
)
KEPT_UNITS = ("systemd-journald",)
START = ("ENV container=docker", "STOPSIGNAL SIGRTMIN+3", 'ENTRYPOINT ["/usr/local/bin/entrypoint"]')


@dataclass(frozen=True)
class NodeImage:
    """The image: its name changes with everything that it is made of."""

    versions: Versions

    @property
    def recipe(self) -> str:
        """Give a digest of everything that the image is made of."""
        sources = [(path.name, path.read_bytes()) for path in sorted(FILES.iterdir())]
        code = [Path(__file__).read_bytes(), Path(kubernetes_images.__file__).read_bytes()]
        modules = [self.versions.go[name].build_name() for name in MODULES]
        return root.digest(self.versions.kind.node, modules, sources, code, KUBELET_SYSCTLS)

    @property
    def tag(self) -> str:
        """Give the image's name in the engine."""
        return f"ergosphere.dev/kind-node:{self.recipe}"

    def build(self) -> Path:
        """Make the image's root unless the cache has it; returns it. Raises ClusterError."""
        built = binaries.build_all(self.versions, MODULES)
        programs = {program.name: program for place in built.values() for program in place.iterdir()}
        pause_archive = pause.build(self.versions) / "pause.tar"
        debian = root.debian(self.versions.kind.node)

        def make(target: Path) -> None:
            run(["cp", "--archive", str(debian), str(target)])
            self._fill(target, programs, pause_archive)

        return root.ensure(f"node-{self.recipe}", make)

    def _fill(self, target: Path, programs: dict[str, Path], pause_archive: Path) -> None:
        for place, names in PLACES.items():
            (target / place).mkdir(parents=True, exist_ok=True)
            for name in names:
                shutil.copy2(programs[name], target / place / name)
        _configure(target, self.versions.go["kubernetes"].version)
        version = self.versions.go["kubernetes"].version
        wanted = kubernetes_images.names(programs["kubeadm"], version)
        images = target / "kind" / "images"
        nft = kubernetes_images.with_libraries(target, "/usr/sbin/nft")
        kubernetes_images.write(images, programs, wanted, nft)
        shutil.copy2(pause_archive, images / "every-node" / "pause.tar")


def _configure(target: Path, version: str) -> None:
    _quiet_systemd(target)
    for source, place in (
        ("entrypoint", "usr/local/bin/entrypoint"),
        ("import-images", "usr/local/bin/import-images"),
        ("containerd.toml", "etc/containerd/config.toml"),
        ("containerd.service", "etc/systemd/system/containerd.service"),
        ("kubelet.service", "etc/systemd/system/kubelet.service"),
    ):
        (target / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(FILES / source, target / place)
    for directory in ("kind/manifests", "etc/kubernetes/manifests", "etc/cni/net.d"):
        (target / directory).mkdir(parents=True, exist_ok=True)
    (target / "kind/version").write_text(version)
    (target / "kind/manifests/default-storage.yaml").write_text((FILES / "storage.yaml").read_text())
    (target / "kind/cni.json").write_text(json.dumps(cni_config("{{.PodCIDR}}"), indent=2))
    lines = [f"{name} {value}\n" for name, value in KUBELET_SYSCTLS.items()]
    (target / "kind/sysctls").write_text("".join(lines))
    run(["systemctl", f"--root={target}", "enable", "containerd.service", "kubelet.service"])


def _quiet_systemd(target: Path) -> None:
    """Leave systemd nothing to start but the journal."""
    for path in REMOVED:
        if (target / path).is_dir():
            shutil.rmtree(target / path)
        else:
            (target / path).unlink(missing_ok=True)
    for units in ("usr/lib/systemd/system", "etc/systemd/system"):
        for wanted in (target / units).glob("*.wants/*"):
            if not wanted.name.startswith(KEPT_UNITS):
                wanted.unlink()
    with (target / "etc/systemd/journald.conf").open("a") as file:
        file.write("ReadKMsg=no\n")
