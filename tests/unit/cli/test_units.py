"""Times and sizes as people read them."""

import pytest

from ergosphere.cli.units import length, size


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0.0s"),
        (0.34, "0.3s"),
        (59.6, "1m"),
        (192, "3m12s"),
        (7200, "2h"),
        (9000, "2h30m"),
        (90000, "1d1h"),
    ],
)
def test_lengths(seconds, text):
    assert length(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (None, ""),
        (0, "0 B"),
        (1000, "1000 B"),
        (1536, "1.5 KiB"),
        (209 * 2**20, "209 MiB"),
        (2**41, "2.0 TiB"),
    ],
)
def test_sizes(count, text):
    assert size(count) == text
