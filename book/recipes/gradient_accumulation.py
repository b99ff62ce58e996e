"""Accumulate the gradient of a large batch of unequal sequences over small batches."""

import copy

import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence


class Tagger(nn.Module):
    """Scores for K tags at each step."""

    def __init__(self, D=3, H=8, K=4):
        super().__init__()
        self.lstm = nn.LSTM(D, H, batch_first=True)
        self.head = nn.Linear(H, K)

    def forward(self, x):  # (B, T, D)
        output, _ = self.lstm(x)  # (B, T, H)
        return self.head(output)  # (B, T, K)


def summed_loss(model, sequences, tags):
    """The sum over valid steps: cross_entropy leaves out padding, whose tag is -100."""
    x = pad_sequence(sequences, batch_first=True)  # (B, T, D)
    y = pad_sequence(tags, batch_first=True, padding_value=-100)  # (B, T)
    scores = model(x).transpose(1, 2)  # (B, K, T)
    return nn.functional.cross_entropy(scores, y, ignore_index=-100, reduction="sum")


def accumulate(model, sequences, tags, size):
    """Leave the gradient of the mean over all steps in .grad, `size` sequences at a time."""
    steps = sum(len(y) for y in tags)  # of the large batch: known before the first backward
    for start in range(0, len(sequences), size):
        part = slice(start, start + size)
        loss = summed_loss(model, sequences[part], tags[part]) / steps
        loss.backward()  # adds to .grad, and frees the memory of this part


def accumulate_means(model, sequences, tags, size):
    """The usual way, wrong here: a step in a batch of short sequences counts for more."""
    parts = len(sequences) // size
    for start in range(0, len(sequences), size):
        part = slice(start, start + size)
        steps = sum(len(y) for y in tags[part])
        (summed_loss(model, sequences[part], tags[part]) / steps / parts).backward()


def update(model, accumulate, *batch):
    """Accumulate, clip and step on a copy; returns the gradient and the new weights."""
    model = copy.deepcopy(model)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    optimizer.zero_grad()
    accumulate(model, *batch)
    gradient = torch.cat([p.grad.flatten() for p in model.parameters()])
    nn.utils.clip_grad_norm_(model.parameters(), max_norm=0.1)  # of the whole gradient
    optimizer.step()
    return gradient, nn.utils.parameters_to_vector(model.parameters()).detach()


# Proof
def at_once(model, sequences, tags):
    (summed_loss(model, sequences, tags) / sum(lengths)).backward()


torch.manual_seed(0)
lengths = [2, 3, 5, 8, 13, 21, 34, 55]
sequences = [torch.randn(T, 3, dtype=torch.float64) for T in lengths]
tags = [torch.randint(4, (T,)) for T in lengths]
model = Tagger().double()
large, weights_large = update(model, at_once, sequences, tags)
small, weights_small = update(model, accumulate, sequences, tags, 2)
wrong, _ = update(model, accumulate_means, sequences, tags, 2)
assert (large - small).abs().max() < 1e-10
assert (weights_large - weights_small).abs().max() < 1e-10
assert (large - wrong).norm() > 0.1 * large.norm()
