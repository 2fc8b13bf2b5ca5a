"""Peers: the few ranks whose pages a rank compares its own with."""

_ALL = 16


def lower_peers(rank: int, world: int) -> list[int]:
    """Ranks below `rank` that are likely to be its replicas, nearest first.

    All of them in a small job. In a large one rank 0 and those at distances that are powers of two: ranks
    that hold the same part of a model are one data-parallel stride apart, which is the number of ranks
    that share one replica, a power of two wherever these are whole nodes.
    """
    if world <= _ALL:
        return list(range(rank - 1, -1, -1))
    distances = (1 << bit for bit in range(rank.bit_length()))
    near = [rank - distance for distance in distances if distance <= rank]
    return near if not near or near[-1] == 0 else [*near, 0]


def all_peers(rank: int, world: int) -> list[int]:
    """`rank` itself, then its peers below and above."""
    above = [other for other in range(rank + 1, world) if rank in lower_peers(other, world)]
    return [rank, *lower_peers(rank, world), *above]
