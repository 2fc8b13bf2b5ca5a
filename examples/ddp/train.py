"""Train a network on the UCI handwritten digits with DistributedDataParallel, one line a step from rank 0.

Plain PyTorch over Gloo: the program knows nothing of checkpoints or clusters, and takes its rank and its
peers from the environment, as under torchrun. It is deterministic: the same arguments and number of ranks on
the same kind of machine print the same losses to the last bit. `bits` is the loss as the hex of an IEEE 754
double, so that two runs can be compared exactly.
"""

import argparse
import gzip
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

DATA = Path(__file__).with_name("digits.csv.gz")
TEST_IMAGES = 297


def load(path: Path) -> tuple[Tensor, Tensor]:
    """Read the 1797 digits: 64 pixels in 0..1 each, and their labels."""
    with gzip.open(path, "rt") as lines:
        table = torch.tensor([[float(value) for value in line.split(",")] for line in lines])
    return table[:, :-1] / 16, table[:, -1].long()


def network(width: int) -> nn.Module:
    """A perceptron with two hidden layers."""
    return nn.Sequential(
        nn.Linear(64, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 10)
    )


def batches(images: Tensor, labels: Tensor, size: int, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield this rank's part of every shuffled batch, for ever."""
    rank, world = dist.get_rank(), dist.get_world_size()
    shuffle = torch.Generator().manual_seed(seed)
    while True:
        order = torch.randperm(len(images), generator=shuffle)
        for start in range(0, len(order) - size * world + 1, size * world):
            chosen = order[start + rank : start + size * world : world]
            yield images[chosen], labels[chosen]


def train(options: argparse.Namespace) -> None:
    """Train for the steps asked for, and print the mean loss of all ranks after each."""
    images, labels = load(DATA)
    torch.manual_seed(options.seed)
    model = DistributedDataParallel(network(options.width))
    optimizer = torch.optim.Adam(model.parameters(), lr=options.rate)
    stream = batches(images[:-TEST_IMAGES], labels[:-TEST_IMAGES], options.batch, options.seed)
    for step in range(options.steps):
        began = time.monotonic()
        optimizer.zero_grad()
        inputs, targets = next(stream)
        loss = nn.functional.cross_entropy(model(inputs), targets)
        loss.backward()
        optimizer.step()
        mean = loss.detach().double()
        dist.all_reduce(mean)
        tell(step, mean.item() / dist.get_world_size())
        time.sleep(max(0.0, options.pace - (time.monotonic() - began)))
    with torch.no_grad():
        right = model.module(images[-TEST_IMAGES:]).argmax(1) == labels[-TEST_IMAGES:]
    if dist.get_rank() == 0:
        print(f"done steps={options.steps} test_accuracy={right.double().mean():.4f}", flush=True)


def tell(step: int, loss: float) -> None:
    """Print a step, once for all ranks."""
    if dist.get_rank() == 0:
        print(f"step={step} loss={loss:.9f} bits={struct.pack('>d', loss).hex()}", flush=True)


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=500, help="number of steps")
    parser.add_argument("--seed", type=int, default=0, help="seed of weights and batches")
    parser.add_argument("--width", type=int, default=256, help="hidden units in each layer")
    parser.add_argument("--batch", type=int, default=32, help="images a step and rank")
    parser.add_argument("--rate", type=float, default=0.001, help="learning rate")
    parser.add_argument("--pace", type=float, default=0.1, help="least duration of a step, seconds")
    return parser.parse_args()


if __name__ == "__main__":
    torch.set_num_threads(1)
    dist.init_process_group("gloo")
    train(options())
    dist.destroy_process_group()
