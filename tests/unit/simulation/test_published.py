"""The simulator gives the figures of the simulator that was published with Muri (SIGCOMM 22).

On 8 nodes with 8 GPUs, with preemption that costs nothing, to every digit.
"""

import pytest
from tests.unit.simulation.traces import public, replayed


@pytest.mark.parametrize(
    ("trace", "policy", "avg_jct_s", "makespan_s"),
    [
        ("trace3", "srtf", 190_377.377, 8_173_902.669),
        ("trace3", "srsf", 183_965.978, 8_173_902.669),
        ("trace1", "srtf", 1_377_148.986, None),
        ("trace1", "srsf", 975_401.097, None),
    ],
)
def test_the_published_figures_come_out(
    trace: str, policy: str, avg_jct_s: float, makespan_s: float | None
) -> None:
    result = replayed(public(f"philly-muri/{trace}.csv"), (8, 8), policy)
    assert round(result.avg_jct_s, 3) == avg_jct_s
    assert makespan_s is None or round(result.makespan_s, 3) == makespan_s
