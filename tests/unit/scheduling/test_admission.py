"""Promises are within what there is, of whatever types, and however many types there are."""

import random
from collections.abc import Iterator, Mapping
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ergosphere.scheduling import admission as module
from ergosphere.scheduling.admission import Admission
from ergosphere.scheduling.flow import tightest
from ergosphere.scheduling.model import Tier

TIERS = {"Premium": Tier("Premium", 0.95, 2), "Standard": Tier("Standard", 0.70, 1)}
Kinds = frozenset[str]


def unions(kinds: Kinds, part: Kinds) -> Iterator[Kinds]:
    rest = sorted(kinds - part)
    return (part | frozenset(more) for n in range(len(rest) + 1) for more in combinations(rest, n))


def excess(asked: Mapping[Kinds, int], room: Mapping[str, float], union: Kinds) -> float:
    within = sum(gpus for kinds, gpus in asked.items() if kinds <= union)
    return within - sum(room[kind] for kind in union)


@st.composite
def requests(draw: st.DrawFn) -> tuple[dict[str, int], dict[Kinds, int], Kinds, int]:
    """What there is of up to six types, what is asked for and promised, and one more request."""
    types = "ABCDEF"[: draw(st.integers(1, 6))]
    some = st.frozensets(st.sampled_from(types), min_size=1)
    capacity = {kind: draw(st.integers(1, 32)) for kind in types}
    asked = draw(st.dictionaries(some, st.integers(1, 32), max_size=8))
    return capacity, asked, draw(some), draw(st.integers(1, 40))


@given(requests(), st.sampled_from([1.0, 0.7]))
def test_the_tightest_union_is_the_one_that_is_found_by_looking_at_each(
    request: tuple[dict[str, int], dict[Kinds, int], Kinds, int], promise: float
) -> None:
    capacity, asked, part, _ = request
    room = {kind: promise * gpus for kind, gpus in capacity.items()}
    found = tightest(asked, room, part)
    assert found >= part
    worst = max(excess(asked, room, union) for union in unions(frozenset(capacity), part))
    assert excess(asked, room, found) == pytest.approx(worst)


@given(requests(), st.sampled_from(sorted(TIERS)))
def test_where_not_every_union_is_looked_at_the_same_is_promised_of_few_types_and_no_more_of_others(
    request: tuple[dict[str, int], dict[Kinds, int], Kinds, int], tier: str
) -> None:
    capacity, asked, part, gpus = request
    made = Admission(capacity, TIERS)
    for kinds, held in asked.items():
        made.count(kinds, held)
    thorough = made.limit(tier, part, gpus)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "MANY_UNIONS", 0)
        assert made.limit(tier, part, gpus) == thorough
        patch.setattr(module, "FEW_TYPES", 0)
        quick = made.limit(tier, part, gpus)
    if quick is None:
        within = unions(frozenset(capacity), part)
        assert all(excess(asked, capacity, union) + gpus <= 1e-6 for union in within)
        assert thorough is None
    else:
        assert quick[0] + gpus > quick[1]


def test_of_very_many_types_promises_are_made_until_what_there_is_is_used_up() -> None:
    types = [f"t{number:02}" for number in range(24)]
    made, chance = Admission(dict.fromkeys(types, 8), TIERS), random.Random(1)
    promised = 0
    for _ in range(120):
        kinds = frozenset(chance.sample(types, 3))
        if made.limit("Premium", kinds, 4) is None:
            made.count(kinds, 4)
            promised += 4
    assert 0.9 * 24 * 8 <= promised <= 0.95 * 24 * 8
