"""Train a two-layer network on the UCI handwritten digits with numpy, printing one line a step.

The program knows nothing of checkpoints, clusters or GPUs. It is deterministic: the same arguments
on the same kind of machine print the same losses to the last bit. `bits` is the loss as the hex of
its IEEE 754 double, so that two runs can be compared exactly.
"""

import argparse
import gzip
import struct
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
DATA = Path(__file__).with_name("digits.csv.gz")
CLASSES = 10
TEST_IMAGES = 297


class Split(NamedTuple):
    """Images as rows of 64 pixels in 0..1, and their labels as one-hot rows."""

    images: Array
    labels: Array


class Network(NamedTuple):
    """The weights, or anything of their shapes: gradients, momenta."""

    hidden: Array
    hidden_bias: Array
    output: Array
    output_bias: Array


def load(path: Path) -> tuple[Split, Split]:
    """Read the 1797 digits: the training split, then the test split (the last images of the file)."""
    with gzip.open(path, "rt") as lines:
        table = np.loadtxt(lines, delimiter=",")
    images, labels = table[:, :-1] / 16.0, np.eye(CLASSES)[table[:, -1].astype(int)]
    return (
        Split(images[:-TEST_IMAGES], labels[:-TEST_IMAGES]),
        Split(images[-TEST_IMAGES:], labels[-TEST_IMAGES:]),
    )


def initial(rng: np.random.Generator, inputs: int, width: int) -> Network:
    """Draw the weights (Glorot), zero the biases."""
    return Network(
        rng.normal(0, np.sqrt(2 / (inputs + width)), (inputs, width)),
        np.zeros(width),
        rng.normal(0, np.sqrt(2 / (width + CLASSES)), (width, CLASSES)),
        np.zeros(CLASSES),
    )


def forward(net: Network, images: Array) -> tuple[Array, Array]:
    """Return the hidden activations and the class probabilities."""
    hidden = np.tanh(images @ net.hidden + net.hidden_bias)
    logits = hidden @ net.output + net.output_bias
    scores = np.exp(logits - logits.max(axis=1, keepdims=True))
    return hidden, scores / scores.sum(axis=1, keepdims=True)


def gradient(net: Network, batch: Split) -> tuple[float, Network]:
    """Return the mean cross-entropy of the batch and its gradient."""
    hidden, probabilities = forward(net, batch.images)
    loss = -np.mean(np.log((probabilities * batch.labels).sum(axis=1)))
    at_output = (probabilities - batch.labels) / len(batch.images)
    at_hidden = (at_output @ net.output.T) * (1 - hidden**2)
    return float(loss), Network(
        batch.images.T @ at_hidden, at_hidden.sum(axis=0), hidden.T @ at_output, at_output.sum(axis=0)
    )


def batches(rng: np.random.Generator, split: Split, size: int) -> Iterator[Split]:
    """Yield shuffled batches for ever, with a little noise on every pixel."""
    while True:
        order = rng.permutation(len(split.images))
        for start in range(0, len(order) - size + 1, size):
            chosen = order[start : start + size]
            noise = rng.normal(0, 0.1, (size, split.images.shape[1]))
            yield Split(split.images[chosen] + noise, split.labels[chosen])


def train(options: argparse.Namespace) -> None:
    """Train for the steps asked for (stochastic gradient descent with momentum) and print each loss."""
    training, test = load(DATA)
    rng = np.random.default_rng(options.seed)
    net = initial(rng, training.images.shape[1], options.width)
    momentum = Network(*(np.zeros_like(weights) for weights in net))
    stream = batches(rng, training, options.batch)
    for step in range(options.steps):
        began = time.monotonic()
        loss, slope = gradient(net, next(stream))
        momentum = Network(*(0.9 * m + s for m, s in zip(momentum, slope, strict=True)))
        net = Network(*(w - options.rate * m for w, m in zip(net, momentum, strict=True)))
        print(f"step={step} loss={loss:.9f} bits={struct.pack('>d', loss).hex()}", flush=True)
        time.sleep(max(0.0, options.pace - (time.monotonic() - began)))
    right = forward(net, test.images)[1].argmax(axis=1) == test.labels.argmax(axis=1)
    print(f"done steps={options.steps} test_accuracy={right.mean():.4f}", flush=True)


def options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=500, help="number of steps")
    parser.add_argument("--seed", type=int, default=0, help="seed of weights and batches")
    parser.add_argument("--width", type=int, default=256, help="hidden units")
    parser.add_argument("--batch", type=int, default=256, help="images a step")
    parser.add_argument("--rate", type=float, default=0.05, help="learning rate")
    parser.add_argument("--pace", type=float, default=0.04, help="least duration of a step, seconds")
    return parser.parse_args()


if __name__ == "__main__":
    train(options())
