"""The Linux calls a container runtime makes that Python 3.11 does not wrap."""

import ctypes
import os
import struct

_libc = ctypes.CDLL(None, use_errno=True)

CLONE_NEWTIME, CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS = 0x00000080, 0x00020000, 0x02000000, 0x04000000
CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID, CLONE_NEWNET = 0x08000000, 0x10000000, 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32
MS_BIND, MS_REC, MS_PRIVATE = 4096, 16384, 1 << 18
MNT_DETACH = 2
_OPEN_TREE, _MOVE_MOUNT, _MOUNT_SETATTR, _PIVOT_ROOT = 428, 429, 442, 155
_PRCTL_CAPBSET_DROP, _SIOCSIFFLAGS = 24, 0x8914


def _check(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def unshare(flags: int) -> None:
    _check(_libc.unshare(flags), "unshare")


def setns(path: str, kind: int) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        _check(_libc.setns(descriptor, kind), f"setns {path}")
    finally:
        os.close(descriptor)


def mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    result = _libc.mount(
        source.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), data.encode()
    )
    _check(result, f"mount {kind} {source} at {target} ({data})")


def unmount(target: str) -> None:
    _check(_libc.umount2(target.encode(), MNT_DETACH), f"umount {target}")


def pivot_root(new_root: str) -> None:
    os.chdir(new_root)
    _check(_libc.syscall(_PIVOT_ROOT, b".", b"."), "pivot_root")
    unmount(".")
    os.chdir("/")


def mount_idmapped(source: str, target: str, user_namespace: str) -> None:
    """Binds source to target with owners shifted as the user namespace maps them."""
    tree = _check(_libc.syscall(_OPEN_TREE, -100, source.encode(), 1 | os.O_CLOEXEC), f"open_tree {source}")
    namespace = os.open(user_namespace, os.O_RDONLY)
    attributes = struct.pack("QQQQ", 0x00100000, 0, 0, namespace)
    empty = b""
    _check(_libc.syscall(_MOUNT_SETATTR, tree, empty, 0x1000, attributes, len(attributes)), f"idmap {source}")
    _check(_libc.syscall(_MOVE_MOUNT, tree, empty, -100, target.encode(), 4), f"move_mount {target}")
    os.close(tree)
    os.close(namespace)


def limit_capabilities(allowed: set[int]) -> None:
    """Gives the calling process, which is root in its user namespace, these capabilities and no other."""
    for number in range(64):
        if number not in allowed and _libc.prctl(23, number, 0, 0, 0) == 1:
            _check(_libc.prctl(_PRCTL_CAPBSET_DROP, number, 0, 0, 0), "drop from the bounding set")
    mask = sum(1 << number for number in allowed)
    header = struct.pack("Ii", 0x20080522, 0)
    low, high = mask & 0xFFFFFFFF, mask >> 32
    data = struct.pack("IIIIII", low, low, 0, high, high, 0)
    _check(_libc.capset(header, data), "capset")


def bring_up_loopback() -> None:
    import fcntl
    import socket

    with socket.socket() as sock:
        fcntl.ioctl(sock, _SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", 1))
