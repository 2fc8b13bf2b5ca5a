"""Train the same network with any number of workers, which save their own state when they are asked to.

Each worker computes its share of a batch; rank 0 adds the shares up and gives everybody the sum. Where one
of them was asked to save (SIGUSR1), the sum says so, and all of them end after the same step. What they need
to go on, with as many workers as there are then, is in the directory that ERGOSPHERE_CHECKPOINT names.
"""

import argparse
import os
import signal
import socket
import sys
import time
from pathlib import Path

import numpy as np
from train import DATA, Array, Network, Split, gradient, initial, load

RANK, WORLD = int(os.environ["RANK"]), int(os.environ["WORLD_SIZE"])


class Gang:
    """The workers, in a star around rank 0."""

    def __init__(self) -> None:
        address = (os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]))
        if RANK == 0:
            server = socket.create_server(("", address[1]))
            self._peers = [server.accept()[0] for _ in range(WORLD - 1)]
        else:
            self._peers = [patiently(address)]

    def total(self, mine: Array) -> Array:
        """Return the sum of all workers' arrays, the same to the last bit for each."""
        if RANK == 0:
            total = sum([received(peer, len(mine)) for peer in self._peers], mine)
            for peer in self._peers:
                peer.sendall(total.tobytes())
            return total
        self._peers[0].sendall(mine.tobytes())
        return received(self._peers[0], len(mine))


def patiently(address: tuple[str, int]) -> socket.socket:
    """Connect as soon as rank 0 listens."""
    while True:
        try:
            return socket.create_connection(address)
        except ConnectionRefusedError:
            time.sleep(0.1)


def received(peer: socket.socket, length: int) -> Array:
    """Read an array of that length; ends the program when the peer is gone."""
    data = b""
    while len(data) < 8 * length:
        part = peer.recv(8 * length - len(data))
        if not part:
            sys.exit("a worker is gone")
        data += part
    return np.frombuffer(data)


def flat(net: Network) -> Array:
    """Return all weights in one row."""
    return np.concatenate([weights.ravel() for weights in net])


def shaped(row: Array, like: Network) -> Network:
    """Return a row of weights in the shapes of a network."""
    ends = np.cumsum([weights.size for weights in like])
    parts = np.split(row, ends[:-1])
    return Network(*(part.reshape(weights.shape) for part, weights in zip(parts, like, strict=True)))


def share(training: Split, step: int, options: argparse.Namespace) -> Split:
    """Return this worker's part of the batch of a step, which is the same for any number of workers."""
    rng = np.random.default_rng([options.seed, step])
    mine = rng.choice(len(training.images), options.batch, replace=False)[RANK::WORLD]
    return Split(training.images[mine], training.labels[mine])


def train(options: argparse.Namespace) -> None:
    """Train until the end, or until the workers are asked to save."""
    asked: list[int] = []
    signal.signal(signal.SIGUSR1, lambda number, _: asked.append(number))
    training, _ = load(DATA)
    net = initial(np.random.default_rng(options.seed), training.images.shape[1], options.width)
    momentum, begin = np.zeros(len(flat(net))), 0
    if "ERGOSPHERE_CHECKPOINT" in os.environ:
        saved = np.load(Path(os.environ["ERGOSPHERE_CHECKPOINT"], "state.npz"))
        net, momentum, begin = shaped(saved["net"], net), saved["momentum"], int(saved["step"])
    gang = Gang()
    print(f"worker {RANK} of {WORLD} begins at step {begin}", flush=True)
    for step in range(begin, options.steps):
        batch = share(training, step, options)
        loss, slope = gradient(net, batch)
        weight = len(batch.images) / options.batch
        total = gang.total(np.array([*(weight * flat(slope)), weight * loss, float(len(asked))]))
        momentum = 0.9 * momentum + total[:-2]
        net = shaped(flat(net) - options.rate * momentum, net)
        print(f"step={step} loss={total[-2]:.9f}", flush=True)
        if total[-1]:
            if RANK == 0:
                np.savez(options.directory / "state.npz", net=flat(net), momentum=momentum, step=step + 1)
            return
        time.sleep(options.pace)
    print(f"done steps={options.steps}", flush=True)


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=500, help="number of steps")
    parser.add_argument("--seed", type=int, default=0, help="seed of weights and batches")
    parser.add_argument("--width", type=int, default=256, help="hidden units")
    parser.add_argument("--batch", type=int, default=256, help="images a step")
    parser.add_argument("--rate", type=float, default=0.05, help="learning rate")
    parser.add_argument("--pace", type=float, default=0.04, help="rest after each step, seconds")
    parser.add_argument("--directory", type=Path, default=Path("/state"), help="where the state is saved")
    return parser.parse_args()


if __name__ == "__main__":
    train(options())
