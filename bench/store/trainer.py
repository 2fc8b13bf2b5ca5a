"""A data-parallel trainer: a language model of 8.4 million parameters, Adam, gradients averaged over Gloo.

Runs on the system's PyTorch, and knows nothing of checkpoints. Prints one line a step.
"""

import os

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel

VOCABULARY, WIDTH, LAYERS, CONTEXT, BATCH = 4096, 256, 8, 8, 1


class Model(nn.Module):
    """A small transformer that predicts the next token."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(VOCABULARY, WIDTH)
        layer = nn.TransformerEncoderLayer(WIDTH, 4, 4 * WIDTH, batch_first=True)
        self.layers = nn.TransformerEncoder(layer, LAYERS)
        self.head = nn.Linear(WIDTH, VOCABULARY)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Scores of the next token at each position."""
        return self.head(self.layers(self.embed(tokens)))


def batch(generator: torch.Generator) -> torch.Tensor:
    """Sequences that go up by a step of their own: something to learn."""
    start = torch.randint(VOCABULARY, (BATCH, 1), generator=generator)
    step = torch.randint(1, 9, (BATCH, 1), generator=generator)
    return (start + step * torch.arange(CONTEXT + 1)) % VOCABULARY


def main() -> None:
    """Train for ever."""
    dist.init_process_group("gloo")
    torch.set_num_threads(1)
    torch.manual_seed(1)
    generator = torch.Generator().manual_seed(int(os.environ["RANK"]))
    model = DistributedDataParallel(Model())
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-4)
    loss_of = nn.CrossEntropyLoss()
    step = 0
    while True:
        tokens = batch(generator)
        scores = model(tokens[:, :-1])
        loss = loss_of(scores.reshape(-1, VOCABULARY), tokens[:, 1:].reshape(-1))
        optimizer.zero_grad(set_to_none=False)
        loss.backward()
        optimizer.step()
        step += 1
        print(f"step {step} loss {loss.item():.4f}", flush=True)


if __name__ == "__main__":
    main()
