"""The checkpoint store of a world, in memory: a checkpoint exists once its manifest does."""

from collections.abc import Callable
from dataclasses import dataclass, field

from ergosphere.agent.errors import StoreFailed


@dataclass
class Shelf:
    """Images by checkpoint and rank. `damaged` are checkpoints that give back other data than was written."""

    in_use: Callable[[str], str]
    images: dict[str, dict[int, int]] = field(default_factory=dict)
    committed: set[str] = field(default_factory=set)
    damaged: set[str] = field(default_factory=set)
    violations: list[str] = field(default_factory=list)

    def save(self, checkpoint: str, rank: int, steps: int) -> str:
        """Store one rank; returns its digest."""
        if checkpoint in self.committed and self.images[checkpoint].get(rank) != steps:
            self.violations.append(f"{checkpoint} was overwritten")
        self.images.setdefault(checkpoint, {})[rank] = steps
        return f"digest-{rank}-{steps}"

    def commit(self, checkpoint: str, digests: tuple[str, ...]) -> None:
        stored = self.images.get(checkpoint, {})
        if digests != tuple(f"digest-{rank}-{stored.get(rank)}" for rank in range(len(digests))):
            raise StoreFailed("Missing", f"{checkpoint} is not stored as {digests}")
        self.committed.add(checkpoint)

    def fetch(self, checkpoint: str, rank: int) -> int:
        """Give one rank back, or what the lowest saved to one that there was not before.

        Raises StoreFailed as the agent's depot does.
        """
        if checkpoint not in self.committed:
            raise StoreFailed("CheckpointMissing", f"there is no checkpoint {checkpoint}")
        if checkpoint in self.damaged:
            raise StoreFailed("CheckpointCorrupt", f"{checkpoint} is damaged")
        images = self.images[checkpoint]
        return images.get(rank, images[0])

    def delete(self, checkpoint: str) -> None:
        """Remove a checkpoint, as the forget pod does; nothing may refer to it."""
        if use := self.in_use(checkpoint):
            self.violations.append(f"{checkpoint} was deleted while {use}")
        self.committed.discard(checkpoint)
        self.images.pop(checkpoint, None)
