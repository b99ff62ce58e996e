"""Average a loss over the valid steps of padded sequences, and over all batches."""

import torch
from torch.nn.functional import cross_entropy

IGNORED = -100  # the target of a padded step; PyTorch's default for ignore_index


def token_loss(logits, targets):
    """Return the sum over the valid steps, and their number: (B, T, K), (B, T)."""
    logits, targets = logits.flatten(0, 1), targets.flatten()  # (B * T, K), (B * T,)
    total = cross_entropy(logits, targets, ignore_index=IGNORED, reduction="sum")
    return total, (targets != IGNORED).sum()


def squared_error(prediction, target, valid):
    """Return the mean over the valid steps: prediction, target and mask, all (B, T)."""
    return (prediction[valid] - target[valid]).square().mean()


@torch.no_grad()
def evaluate(model, batches):
    """Return the mean loss of a token, however the data are divided into batches."""
    total, count = 0.0, 0
    for x, targets in batches:
        batch_total, batch_count = token_loss(model(x), targets)
        total, count = total + batch_total, count + batch_count
    return total / count


# Proof: the network hands on its input, so x holds the logits
torch.manual_seed(0)
N, T, K = 30, 12, 4
lengths = torch.randint(1, T + 1, (N,))
valid = torch.arange(T) < lengths[:, None]  # (N, T)
x = torch.randn(N, T, K) * lengths[:, None, None]  # long sequences are harder here
targets = torch.where(valid, torch.randint(K, (N, T)), IGNORED)
log_p = x.log_softmax(dim=-1)
losses = [-log_p[n, t, targets[n, t]] for n in range(N) for t in range(lengths[n])]
truth = torch.stack(losses).mean()

for size in (1, 7, 30):
    batches = list(zip(x.split(size), targets.split(size)))
    assert torch.isclose(evaluate(lambda x: x, batches), truth)
means = [cross_entropy(x[n], targets[n], ignore_index=IGNORED) for n in range(N)]
assert abs(torch.stack(means).mean() - truth) > 0.5  # the mean of means

nothing = torch.full((1, T), IGNORED)
assert [int(each) for each in token_loss(x[:1], nothing)] == [0, 0]  # adds nothing
assert cross_entropy(x[0], nothing[0]).isnan()  # the mean divides 0 by 0

prediction, target = torch.randn(N, T, requires_grad=True), torch.randn(N, T)
target[~valid] = torch.nan  # 0 * NaN is NaN: multiplying by the mask would keep it
loss = squared_error(prediction, target, valid)
loss.backward()
assert torch.isclose(loss, (prediction - target).square().nanmean())
assert prediction.grad.isfinite().all() and (prediction.grad[~valid] == 0).all()
