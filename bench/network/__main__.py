"""Send as fast as one connection can between two workers, by turns over the job and the pod network."""

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from bench.network.measures import line, summary, table
from bench.network.wire import Pod, wired

_WORKER = "bench.network.worker"


def main() -> None:
    """Measure in network namespaces of its own, with the device that the agent makes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each network is measured")
    parser.add_argument("--seconds", type=float, default=2.0, help="how long each time, in seconds")
    options = parser.parse_args()
    try:
        found = summary(measured(options.rounds, options.seconds))
    except PermissionError as error:
        sys.exit(f"bench-network: {error}")
    print(table(found))
    print(json.dumps(line(found, options.rounds, options.seconds)))


def measured(rounds: int, seconds: float) -> list[dict[str, float]]:
    """What arrived in each round, in gigabits per second. Raises CalledProcessError where a worker fails."""
    arguments = (str(seconds), str(rounds))
    with wired() as (first, second), _receiving(second, *arguments):
        sender = first.command(_WORKER, "0", *arguments)
        output = subprocess.run(sender, stdout=subprocess.PIPE, text=True, check=True).stdout
        return [json.loads(text) for text in output.splitlines()]


@contextmanager
def _receiving(pod: Pod, *arguments: str) -> Iterator[None]:
    with subprocess.Popen(pod.command(_WORKER, "1", *arguments), stdout=subprocess.PIPE) as receiver:
        try:
            if receiver.stdout is None or not receiver.stdout.readline():
                raise subprocess.CalledProcessError(receiver.wait(), receiver.args)
            yield
        finally:
            receiver.kill()


if __name__ == "__main__":
    main()
