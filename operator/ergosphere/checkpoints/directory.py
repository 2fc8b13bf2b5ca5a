"""Objects as files below a directory: a disk, a PVC, NFS.

The object-store library's own directory backend does not flush to disk, and a manifest must not
survive a crash that its pages did not.
"""

import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ergosphere.checkpoints.blobs import Data, Entry
from ergosphere.checkpoints.errors import Corrupt, translated
from ergosphere.checkpoints.places import unfinished
from ergosphere.checkpoints.writeback import WRITTEN_AT_ONCE, begin_writeback, write_all

_MOST_PARTS = 256  # the system takes no more than 1024


def _flush_directory(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _raise_unless_gone(error: OSError) -> None:
    """What `os.walk` is to do about a directory that it cannot read, which it takes for empty otherwise."""
    if not isinstance(error, FileNotFoundError):
        raise error


def _ensure_directory(path: Path) -> None:
    if not path.is_dir():
        _ensure_directory(path.parent)
        with suppress(FileExistsError):
            path.mkdir()
        _flush_directory(path.parent)


class Directory:
    """`Blobs` in a directory. A file appears under its key only when its content is on the disk."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def put(self, key: str, parts: Iterable[Data], *, durable: bool = True) -> None:
        """See `Blobs.put`."""
        with self._written(key, parts, durable) as (written, target):
            written.rename(target)

    def create(self, key: str, data: bytes) -> bool:
        """See `Blobs.create`."""
        with self._written(key, [data], durable=True) as (written, target):
            try:
                os.link(written, target)
            except FileExistsError:
                return False
        return True

    def get(self, key: str) -> bytes:
        """See `Blobs.get`."""
        with translated(key):
            return (self._root / key).read_bytes()

    def get_range(self, key: str, start: int, length: int) -> Data:
        """See `Blobs.get_range`."""
        with translated(key), (self._root / key).open("rb", buffering=0) as file:
            data = os.pread(file.fileno(), length, start)
        if len(data) != length:
            raise Corrupt(f"{key}: ends before byte {start + length}")
        return data

    def list(self, prefix: str) -> Iterator[Entry]:
        """See `Blobs.list`."""
        with translated(prefix):
            for folder, _, names in os.walk(self._root / prefix, onerror=_raise_unless_gone):
                for name in names:
                    path = Path(folder, name)
                    with suppress(FileNotFoundError):
                        stat = path.stat()
                        yield Entry(path.relative_to(self._root).as_posix(), stat.st_size, stat.st_mtime)

    def delete(self, key: str) -> None:
        """See `Blobs.delete`."""
        path = self._root / key
        with translated(key), suppress(FileNotFoundError):
            path.unlink()

    def distrust(self, key: str) -> bool:
        """See `Blobs.distrust`; there is but one copy."""
        return False

    @contextmanager
    def _written(self, key: str, parts: Iterable[Data], durable: bool) -> Iterator[tuple[Path, Path]]:
        """Put `parts` on the disk under another name; the body gives it its own, durably."""
        target = self._root / key
        written = self._root / f"{unfinished(key)}.{secrets.token_hex(8)}"
        with translated(key):
            _ensure_directory(written.parent)
            _ensure_directory(target.parent)
            try:
                with written.open("xb", buffering=0) as file:
                    at = 0
                    for batch in _batches(parts):
                        size = write_all(file.fileno(), batch, at)
                        begin_writeback(file.fileno(), at, size)
                        at += size
                    if durable:
                        os.fsync(file.fileno())
                yield written, target
            finally:
                written.unlink(missing_ok=True)
            if durable:
                _flush_directory(target.parent)


def _batches(parts: Iterable[Data]) -> Iterator[list[memoryview]]:
    """The parts as they come, many at once: each call of the system lets go of the interpreter."""
    batch, size = list[memoryview](), 0
    for part in parts:
        batch.append(memoryview(part).cast("B"))
        size += len(batch[-1])
        if size >= WRITTEN_AT_ONCE or len(batch) == _MOST_PARTS:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
