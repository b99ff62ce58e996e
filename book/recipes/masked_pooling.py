"""Pool padded hidden states over the valid steps: mean, max, attention."""

import torch
from torch import nn


def valid_steps(lengths, T):
    """Return the mask (B, T), True where a step is no padding."""
    return torch.arange(T, device=lengths.device) < lengths[:, None]


def mean_pool(h, valid):
    """h (B, T, H), valid (B, T); returns (B, H)."""
    h = h.masked_fill(~valid[..., None], 0)
    return h.sum(dim=1) / valid.sum(dim=1, keepdim=True)


def max_pool(h, valid):
    """h (B, T, H), valid (B, T); returns (B, H)."""
    return h.masked_fill(~valid[..., None], -torch.inf).amax(dim=1)


class AttentionPool(nn.Module):
    """A weighted mean: weights are a softmax of learned scores of the valid steps."""

    def __init__(self, H):
        super().__init__()
        self.score = nn.Linear(H, 1)

    def forward(self, h, valid):
        """h (B, T, H), valid (B, T); returns (B, H)."""
        h = h.masked_fill(~valid[..., None], 0)  # before the scores: 0 * NaN is NaN
        scores = self.score(h).squeeze(-1)  # (B, T)
        weights = scores.masked_fill(~valid, -torch.inf).softmax(dim=1)  # (B, T)
        return (weights[..., None] * h).sum(dim=1)


# Proof: each sequence alone gives the same, whatever the padding holds
torch.manual_seed(0)
B, T, H = 5, 8, 4
lengths = torch.tensor([3, 8, 1, 5, 2])
valid = valid_steps(lengths, T)
h = torch.randn(B, T, H) - 3  # negative, so that the largest is no 0 of the padding
attention = AttentionPool(H)
weight = attention.score.weight

wanted = []
for b, length in enumerate(lengths):
    own = h[b, :length]  # (length, H)
    weights = attention.score(own).softmax(dim=0)  # (length, 1)
    wanted.append(torch.stack([own.mean(0), own.amax(0), (weights * own).sum(0)]))
wanted = torch.stack(wanted, dim=1)  # (3, B, H)
(gradient,) = torch.autograd.grad(wanted.sum(), weight)

for content in (0.0, 1e4, torch.nan):
    padded = h.masked_fill(~valid[..., None], content).requires_grad_()
    pools = mean_pool, max_pool, attention
    found = torch.stack([pool(padded, valid) for pool in pools])
    assert torch.allclose(found, wanted, atol=1e-5)
    d_padded, d_weight = torch.autograd.grad(found.sum(), [padded, weight])
    assert torch.allclose(d_weight, gradient, atol=1e-5)
    assert (d_padded[~valid] == 0).all()
