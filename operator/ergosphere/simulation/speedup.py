"""How fast an elastic job runs with more or fewer workers than it asked for.

Amdahl's law with a small serial part: each worker more brings less, as Pollux (OSDI 21) measured of data
parallel training.
"""

SERIAL = 0.05


def speed(workers: int, asked: int) -> float:
    """Speed relative to that with the workers asked for, which is 1."""
    return _amdahl(workers) / _amdahl(asked)


def _amdahl(workers: int) -> float:
    return workers / (1 + SERIAL * (workers - 1))
