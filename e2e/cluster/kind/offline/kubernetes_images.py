"""The images that kubeadm runs, from the programs that were built."""

from collections.abc import Mapping
from pathlib import Path

from cluster.images.archive import write_archive
from cluster.images.engine import run

CONTROL_PLANE = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd")
EVERYWHERE = ("kube-proxy",)
USER = "0:0"


def names(kubeadm: Path, version: str) -> dict[str, str]:
    """Ask kubeadm under which names it wants its images; returns them by the program in them."""
    return by_program(run([str(kubeadm), "config", "images", "list", f"--kubernetes-version={version}"]))


def by_program(listed: str) -> dict[str, str]:
    """Sort image names by their last component without the tag."""
    return {name.rpartition("/")[2].partition(":")[0]: name for name in listed.split()}


def linked(listed: str) -> list[str]:
    """Read the files that a program is linked with out of what ldd prints."""
    words = [word for line in listed.splitlines() for word in line.split() if word.startswith("/")]
    return sorted(set(words))


def write(
    target: Path, programs: Mapping[str, Path], wanted: Mapping[str, str], proxy_tools: Mapping[str, bytes]
) -> None:
    """Write an archive per image, those of the control plane apart from those that every node runs."""
    for folder, group in (("control-plane", CONTROL_PLANE), ("every-node", EVERYWHERE)):
        (target / folder).mkdir(parents=True)
        for program in group:
            files = {f"usr/local/bin/{program}": programs[program].read_bytes()}
            files |= proxy_tools if program == "kube-proxy" else {}
            write_archive(target / folder / f"{program}.tar", wanted[program], files, [program], USER)


def with_libraries(root: Path, program: str) -> dict[str, bytes]:
    """Read a program of a Debian root and everything that it is linked with."""
    files = [program, *linked(run(["chroot", str(root), "ldd", program]))]
    return {file.strip("/"): (root / file.strip("/")).read_bytes() for file in files}
