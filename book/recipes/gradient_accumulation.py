"""Accumulate gradients over small batches of unequal lengths so that they equal those of the large batch."""

import copy

import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence


class Tagger(nn.Module):
    """Scores for K classes at each step."""

    def __init__(self, D=3, H=8, K=4):
        super().__init__()
        self.lstm = nn.LSTM(D, H, batch_first=True)
        self.head = nn.Linear(H, K)

    def forward(self, x):  # (B, T, D)
        output, _ = self.lstm(x)  # (B, T, H)
        return self.head(output)  # (B, T, K)


def loss_sum(model, sequences, tags):
    """The sum over valid steps: padded tags are -100, which cross_entropy leaves out."""
    x = pad_sequence(sequences, batch_first=True)  # (B, T, D)
    y = pad_sequence(tags, batch_first=True, padding_value=-100)  # (B, T)
    scores = model(x).transpose(1, 2)  # (B, K, T)
    return nn.functional.cross_entropy(scores, y, ignore_index=-100, reduction="sum")


def accumulate(model, sequences, tags, size):
    """Leave the gradient of the mean loss per step of all sequences, `size` of them in memory at a time."""
    steps = sum(len(y) for y in tags)  # of the large batch, known before the first backward
    for start in range(0, len(sequences), size):
        part = slice(start, start + size)
        loss = loss_sum(model, sequences[part], tags[part]) / steps
        loss.backward()  # adds to .grad, and frees the graph of this part


def accumulate_means(model, sequences, tags, size):
    """The usual way, wrong where lengths differ: a step in a short sequence counts for more."""
    parts = len(sequences) // size
    for start in range(0, len(sequences), size):
        part = slice(start, start + size)
        mean = loss_sum(model, sequences[part], tags[part]) / sum(len(y) for y in tags[part])
        (mean / parts).backward()


def update(model, way, size):
    """One update of a copy; clip and step once, when the whole gradient is there."""
    model = copy.deepcopy(model)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    optimizer.zero_grad()
    way(model, sequences, tags, size)
    gradient = torch.cat([p.grad.flatten() for p in model.parameters()])
    nn.utils.clip_grad_norm_(model.parameters(), max_norm=0.1)
    optimizer.step()
    return gradient, torch.cat([p.detach().flatten() for p in model.parameters()])


torch.manual_seed(0)
lengths = [2, 3, 5, 8, 13, 21, 34, 55]
sequences = [torch.randn(T, 3, dtype=torch.float64) for T in lengths]
tags = [torch.randint(0, 4, (T,)) for T in lengths]
model = Tagger().double()
large, after_large = update(model, accumulate, size=8)
small, after_small = update(model, accumulate, size=2)
wrong, _ = update(model, accumulate_means, size=2)
assert torch.allclose(large, small, rtol=0, atol=1e-10)
assert torch.allclose(after_large, after_small, rtol=0, atol=1e-10)
assert (wrong - large).norm() > 0.1 * large.norm()
