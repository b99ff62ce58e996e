"""Predict several labels, one of them rare: weights, a threshold, a fair score."""

import torch
from torch import nn


class Labels(nn.Module):
    """A logit for each label by itself: several may be true, or none."""

    def __init__(self, D, H, K):
        super().__init__()
        self.lstm, self.head = nn.LSTM(D, H, batch_first=True), nn.Linear(H, K)

    def forward(self, x):
        return self.head(self.lstm(x)[0].amax(dim=1))  # (B, K)


def average_precision(scores, truth):
    """The mean, over the positives, of the precision down to each; both (N,)."""
    truth = truth[scores.argsort(descending=True)]
    precision = truth.cumsum(dim=0) / torch.arange(1, len(truth) + 1)
    return precision[truth == 1].mean()


def f1(predicted, truth):
    """2 hits / (positives predicted + positives there are); both (N,)."""
    return 2 * (predicted * truth).sum() / (predicted.sum() + truth.sum())


def best_threshold(scores, truth):
    """The least score to call positive, by F1: on validation data, never test data."""
    return max(scores, key=lambda least: f1((scores >= least).float(), truth))


def draw(N):
    """Return x (N, 10, 1), labels (N, 2): a peak, which is rare; a positive sum."""
    x = torch.randn(N, 10, 1)
    peak = x.amax(dim=1) + 0.4 * torch.randn(N, 1) > 3
    return x, torch.cat([peak, x.sum(dim=1) > 0], dim=1).float()


# Proof
ranked = average_precision(torch.tensor([0.9, 0.2, 0.7]), torch.tensor([1, 1, 0]))
assert torch.isclose(ranked, torch.tensor((1 + 2 / 3) / 2))
torch.manual_seed(0)
(x, y), (x_val, y_val), (x_test, y_test) = draw(4000), draw(1500), draw(1500)
pos_weight = (1 - y).sum(dim=0) / y.sum(dim=0)  # negatives for each positive: (2,)
model, loss = Labels(1, 16, 2), nn.BCEWithLogitsLoss(pos_weight=pos_weight)
optimiser = torch.optim.Adam(model.parameters(), lr=1e-2)
for _ in range(8):
    for rows in torch.randperm(len(x)).split(200):
        optimiser.zero_grad()
        loss(model(x[rows]), y[rows]).backward()
        optimiser.step()
with torch.no_grad():
    val, test = model(x_val), model(x_test)  # logits


rare, rate = y_test[:, 0], y_test[:, 0].mean()
never = torch.zeros(len(rare))
assert (never == rare).float().mean() > 0.95  # a fine accuracy
assert f1(never, rare) == 0
assert average_precision(test[:, 0], rare) > 5 * rate  # by chance: rate
assert average_precision(test[:, 1], y_test[:, 1]) > 0.95
least = best_threshold(val[:, 0], y_val[:, 0])
chosen, half = [f1((test[:, 0] >= score).float(), rare) for score in (least, 0)]
assert chosen > half + 0.1, (chosen, half)  # a probability of one half is too low
assert test[:, 0].sigmoid().mean() > 3 * rate  # no probability, until corrected:
assert ((test - pos_weight.log()).sigmoid()[:, 0].mean() - rate).abs() < 0.02
