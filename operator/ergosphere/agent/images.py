"""The image directories of this worker: one for each cut, one for what is restored."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from ergosphere.agent.origin import Origin

_ORIGIN = "origin.json"
_LOG_TAIL_BYTES = 16384


class Images:
    """The directories below `root`. Methods block on the disk; raises OSError."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def path(self, name: str) -> Path:
        """Where the image of that name lies or will lie."""
        return self._root / name

    def prepare(self, name: str) -> Path:
        """An empty directory of that name."""
        path = self.path(name)
        self.remove([name])
        path.mkdir(parents=True)
        return path

    def remove(self, names: Iterable[str]) -> None:
        """Delete these directories, as far as they exist."""
        for name in names:
            if self.path(name).exists():
                shutil.rmtree(self.path(name))

    def names(self) -> tuple[str, ...]:
        """All directories there are."""
        return tuple(sorted(path.name for path in self._root.iterdir())) if self._root.is_dir() else ()

    def sign(self, name: str, origin: Origin) -> None:
        """Note in an image where it was made."""
        (self.path(name) / _ORIGIN).write_text(origin.model_dump_json(), encoding="utf-8")

    def origin(self, name: str) -> Origin:
        """Where the image was made. Raises ValueError when the note is missing or unreadable."""
        try:
            return Origin.model_validate_json((self.path(name) / _ORIGIN).read_bytes())
        except FileNotFoundError:
            raise ValueError(f"the image has no {_ORIGIN}") from None

    def log_tails(self, name: str) -> dict[str, str]:
        """The ends of the logs that CRIU left in an image, by file name."""
        return {path.name: _tail(path) for path in sorted(self.path(name).glob("*.log"))}


def _tail(path: Path) -> str:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _LOG_TAIL_BYTES))
        return file.read().decode(errors="replace")
