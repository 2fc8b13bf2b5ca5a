"""A log that is asked for again from a second on is printed once, whatever comes again."""

from hypothesis import given
from hypothesis import strategies as st

from ergosphere.cli.logs import Place

# Several lines may bear one time stamp.
stamps = st.lists(st.integers(0, 9)).map(sorted)


@given(stamps, st.lists(st.tuples(st.integers(0, 20), st.integers(0, 9)), max_size=5))
def test_every_line_passes_exactly_once_however_often_the_connection_breaks(log, breaks):
    place, printed = Place(), []
    for length, back in [*breaks, (len(log), 0)]:
        # Asked for from the place's time on, the log begins there or somewhat earlier.
        known = int(place.time) if place.time else 0
        first = next((i for i, at in enumerate(log) if at >= known - back), len(log)) if place.time else 0
        end = first + length if (length, back) != (len(log), 0) else len(log)
        place.resume()
        printed += [i for i, at in list(enumerate(log))[first:end] if place.passes(str(at))]
    assert printed == list(range(len(log)))
