"""The root file system of a pod's container: an image, a writable layer, volumes, /proc, /sys and /dev."""

import os
import signal
from dataclasses import dataclass
from pathlib import Path

from tests.integration.launcher import syscalls as sc

CAPABILITIES = {
    "CHOWN": 0,
    "DAC_OVERRIDE": 1,
    "DAC_READ_SEARCH": 2,
    "FOWNER": 3,
    "KILL": 5,
    "SETGID": 6,
    "SETUID": 7,
    "SETPCAP": 8,
    "NET_ADMIN": 12,
    "NET_RAW": 13,
    "SYS_PTRACE": 19,
    "SYS_ADMIN": 21,
    "SYS_TIME": 25,
    "CHECKPOINT_RESTORE": 40,
}
IDS = 65536
_IMAGE = (
    "proc",
    "sys",
    "dev",
    "tmp",
    "usr",
    "etc",
    "root",
    "home",
    "var",
    "run",
    "ergosphere/bin",
    "ergosphere/run",
)
_UNSAFE = sc.MS_NOSUID | sc.MS_NODEV | sc.MS_NOEXEC
_READ_ONLY = sc.MS_REMOUNT | sc.MS_BIND | sc.MS_RDONLY


@dataclass(frozen=True)
class Template:
    """What a container is made of: `volumes` maps paths in it to directories of the host that outlive
    the pod, `scratch` lists empty directories on mounts of their own, `links` are in the image. `uptime` is
    what the node's clock has on the real one, in seconds."""

    capabilities: frozenset[str] = frozenset(CAPABILITIES)
    volumes: tuple[tuple[str, Path], ...] = ()
    scratch: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    uptime: int = 0


def map_ids(process: int, base: int) -> None:
    """Gives a process in a new user namespace its numbers, from `base` on the host."""
    for kind in ("uid_map", "gid_map"):
        Path(f"/proc/{process}/{kind}").write_text(f"0 {base} {IDS}\n")


def make_image(home: Path, template: Template) -> None:
    """Makes a small image in `home`. Its programs come from the host's /usr."""
    root = home / "image"
    for name in _IMAGE:
        (root / name).mkdir(parents=True)
    (root / "tmp").chmod(0o1777)
    for name in ("bin", "lib", "lib64", "sbin"):
        (root / name).symlink_to(f"usr/{name}")
    (root / "etc/passwd").write_text("root:x:0:0::/root:/bin/sh\nuser:x:1000:1000::/home:/bin/sh\n")
    (root / "etc/image-file").write_text("from the image\n")
    for path in (*(path for path, _ in template.volumes), *template.scratch):
        (root / path.lstrip("/")).mkdir()
    for path, target in template.links:
        (root / path.lstrip("/")).symlink_to(target)


def mount_root(home: Path, base: int, template: Template) -> str:
    """Mounts an overlay over the image, a read-only /usr and the pod's volumes, with owners as the pod sees
    them, from the directories bin, run, upper, work, lower and merged in `home`."""
    holder = _hold_user_namespace(base)
    shifted = f"/proc/{holder}/ns/user"
    merged = str(home / "merged")
    sc.mount_idmapped(str(home / "image"), str(home / "lower"), shifted)
    layers = f"lowerdir={home}/lower,upperdir={home}/upper,workdir={home}/work"
    sc.mount("overlay", merged, "overlay", data=layers)
    sc.mount_idmapped("/usr", f"{merged}/usr", shifted)
    sc.mount("none", f"{merged}/usr", flags=_READ_ONLY)
    for name in ("bin", "run"):
        sc.mount(str(home / name), f"{merged}/ergosphere/{name}", flags=sc.MS_BIND)
    for path, directory in template.volumes:
        sc.mount_idmapped(str(directory), f"{merged}{path}", shifted)
    for path in template.scratch:
        sc.mount("tmpfs", f"{merged}{path}", "tmpfs", data=f"mode=777,uid={base},gid={base}")
    os.kill(holder, signal.SIGKILL)
    os.waitpid(holder, 0)
    return merged


def _hold_user_namespace(base: int) -> int:
    """A process that holds a user namespace with the pod's mapping."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        sc.unshare(sc.CLONE_NEWUSER)
        os.write(write, b"x")
        while True:
            signal.pause()
    assert os.read(read, 1) == b"x"
    os.close(read)
    os.close(write)
    map_ids(child, base)
    return child


def enter_root(merged: str, termination: Path) -> None:
    """Makes `merged` the root of the calling process, whose mount, PID and network namespaces are new."""
    # What was mounted by a more privileged owner is locked in place; a copy is ours to make the root.
    sc.mount(merged, merged, flags=sc.MS_BIND | sc.MS_REC)
    sc.mount("none", f"{merged}/ergosphere/bin", flags=_READ_ONLY)
    sc.mount("proc", f"{merged}/proc", "proc", _UNSAFE)
    for name in ("sys", "bus", "irq"):
        sc.mount(f"{merged}/proc/{name}", f"{merged}/proc/{name}", flags=sc.MS_BIND)
        sc.mount("none", f"{merged}/proc/{name}", flags=_READ_ONLY | _UNSAFE)
    sc.mount("sysfs", f"{merged}/sys", "sysfs", sc.MS_RDONLY | _UNSAFE)
    _mount_devices(f"{merged}/dev", termination)
    sc.pivot_root(merged)
    sc.bring_up_loopback()


def _mount_devices(dev: str, termination: Path) -> None:
    sc.mount("tmpfs", dev, "tmpfs", sc.MS_NOSUID, "mode=755,size=65536k")
    for name in ("null", "zero", "full", "random", "urandom", "tty"):
        Path(dev, name).touch()
        sc.mount(f"/dev/{name}", f"{dev}/{name}", flags=sc.MS_BIND)
    os.symlink("pts/ptmx", f"{dev}/ptmx")
    for name, number in (("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2")):
        os.symlink(f"/proc/self/fd{number}", f"{dev}/{name}")
    for name in ("shm", "pts", "mqueue"):
        Path(dev, name).mkdir()
    sc.mount("shm", f"{dev}/shm", "tmpfs", _UNSAFE, "mode=1777,size=256m")
    sc.mount("devpts", f"{dev}/pts", "devpts", data="newinstance,ptmxmode=0666,mode=0620")
    sc.mount("mqueue", f"{dev}/mqueue", "mqueue")
    Path(dev, "termination-log").touch()
    sc.mount(str(termination), f"{dev}/termination-log", flags=sc.MS_BIND)
