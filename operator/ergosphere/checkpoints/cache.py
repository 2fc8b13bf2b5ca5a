"""A cache on the node: what was written or read lately, so that a restart on the same node is cheap."""

import os
import secrets
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

from ergosphere.checkpoints.blobs import Blobs, Data, Entry

_KEPT = "/packs/"  # what never changes under its name
_CHECKS = 16  # the limit is enforced each time that this part of it was added


class Cache:
    """`Blobs` that keep files of up to `limit` bytes below `root` in front of others.

    Only packs and recipes are kept: they never change. What readers find damaged they `distrust`, and read
    from behind. Failing to keep something is no error. Several processes may use one directory.
    """

    def __init__(self, behind: Blobs, root: Path, limit: int) -> None:
        self._behind, self._root, self._limit = behind, root, limit
        self._added, self._lock = limit, threading.Lock()

    def put(self, key: str, parts: Iterable[Data], *, durable: bool = True) -> None:
        """See `Blobs.put`."""
        if _KEPT not in key:
            self._behind.put(key, parts, durable=durable)
            return
        copy = _Copy(self._root / key)
        try:
            self._behind.put(key, copy.of(parts), durable=durable)
        except BaseException:
            copy.forget()
            raise
        self._count(copy.keep())

    def create(self, key: str, data: bytes) -> bool:
        """See `Blobs.create`."""
        return self._behind.create(key, data)

    def get(self, key: str) -> bytes:
        """See `Blobs.get`."""
        if _KEPT not in key:
            return self._behind.get(key)
        kept = self._read(self._root / key, 0, None)
        return kept if kept is not None else self._fresh(key, self._root / key, self._behind.get(key))

    def get_range(self, key: str, start: int, length: int) -> Data:
        """See `Blobs.get_range`."""
        if _KEPT not in key:
            return self._behind.get_range(key, start, length)
        piece = self._root / f"{key}@{start}+{length}"
        for path, offset in ((self._root / key, start), (piece, 0)):
            kept = self._read(path, offset, length)
            if kept is not None:
                return kept
        return self._fresh(key, piece, bytes(self._behind.get_range(key, start, length)))

    def list(self, prefix: str) -> Iterator[Entry]:
        """See `Blobs.list`."""
        return self._behind.list(prefix)

    def delete(self, key: str) -> None:
        """See `Blobs.delete`."""
        self._drop(key)
        self._behind.delete(key)

    def distrust(self, key: str) -> bool:
        """See `Blobs.distrust`."""
        return self._drop(key) or self._behind.distrust(key)

    def _drop(self, key: str) -> bool:
        path = self._root / key
        dropped = False
        for kept in (path, *path.parent.glob(f"{path.name}@*")):
            with suppress(OSError):
                kept.unlink()
                dropped = True
        return dropped

    def _read(self, path: Path, start: int, length: int | None) -> bytes | None:
        try:
            with path.open("rb", buffering=0) as file:
                os.utime(file.fileno())  # the time of the last use decides what goes first
                data = file.readall() if length is None else os.pread(file.fileno(), length, start)
        except OSError:
            return None
        return data if length is None or len(data) == length else None

    def _fresh(self, key: str, path: Path, data: bytes) -> bytes:
        copy = _Copy(path)
        for _ in copy.of([data]):
            pass
        self._count(copy.keep())
        return data

    def _count(self, size: int) -> None:
        with self._lock:
            self._added += size
            if self._added * _CHECKS < self._limit:
                return
            self._added = 0
        self._shrink()

    def _shrink(self) -> None:
        """Remove what was not used for longest until the rest is within the limit."""
        found = []
        for folder, _, names in os.walk(self._root):
            for name in names:
                with suppress(FileNotFoundError):
                    stat = Path(folder, name).stat()
                    found.append((stat.st_mtime, stat.st_size, Path(folder, name)))
        excess = sum(size for _, size, _ in found) - self._limit
        for _, size, path in sorted(found):
            if excess <= 0:
                break
            path.unlink(missing_ok=True)
            excess -= size


class _Copy:
    """A file being kept. The first error of the disk ends the attempt, quietly."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._unfinished = path.with_name(f".{secrets.token_hex(8)}")
        self._file: IO[bytes] | None = None
        self._failed = False

    def of(self, parts: Iterable[Data]) -> Iterator[Data]:
        """The same parts, each written on its way."""
        for part in parts:
            if not self._failed:
                self._write(part)
            yield part

    def keep(self) -> int:
        """Give the file its name; how many bytes that added."""
        if self._file is None or self._failed:
            return 0
        try:
            size = self._file.tell()
            self._file.close()
            self._unfinished.rename(self._path)
        except OSError:
            self.forget()
            return 0
        return size

    def forget(self) -> None:
        """Remove what was written."""
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
            with suppress(OSError):
                self._unfinished.unlink()

    def _write(self, part: Data) -> None:
        try:
            if self._file is None:
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                self._file = self._unfinished.open("xb")
            self._file.write(part)
        except OSError:
            self._failed = True
            self.forget()
