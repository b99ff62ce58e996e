"""Train with automatic mixed precision: bfloat16, or float16 with a scaled loss."""

import copy

import torch
from torch import nn


class Classifier(nn.Module):
    """Scores for K classes from the last hidden state."""

    def __init__(self, D=4, H=16, K=2):
        super().__init__()
        self.lstm = nn.LSTM(D, H, batch_first=True)
        self.head = nn.Linear(H, K)

    def forward(self, x):  # (B, T, D)
        _, (h_n, _) = self.lstm(x)
        return self.head(h_n[-1])  # (B, K)


def train(model, batches, device, dtype, scaled):
    """Train a copy; returns it and the losses. Scale with float16, whose range is small."""
    model = copy.deepcopy(model).to(device)  # the weights stay float32: no .half()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    scaler = torch.amp.GradScaler(device, enabled=scaled)
    losses = []
    for x, y in batches:
        x, y = x.to(device), y.to(device)
        optimizer.zero_grad()
        with torch.autocast(device, dtype, enabled=dtype != torch.float32):
            scores = model(x)
            loss = nn.functional.cross_entropy(scores, y)  # in float32: autocast sees to it
        assert scores.dtype == dtype and loss.dtype == torch.float32
        scaler.scale(loss).backward()  # outside autocast
        scaler.unscale_(optimizer)  # before clipping: the limit is for the true gradient
        nn.utils.clip_grad_norm_(model.parameters(), max_norm=0.1)
        scaler.step(optimizer)  # leaves out an update whose gradient is infinite or NaN
        scaler.update()
        losses.append(loss.detach())  # .item() here would make a graphics card wait
    assert all(p.dtype == p.grad.dtype == torch.float32 for p in model.parameters())
    return model, torch.stack(losses).cpu()


# Proof
torch.manual_seed(0)
inputs = torch.randn(150, 32, 10, 4)  # (batches, B, T, D)
batches = [(x, (x[:, :, 0].sum(1) > 0).long()) for x in inputs]
model = Classifier()
_, full = train(model, batches, "cpu", torch.float32, scaled=False)
plain, half = train(model, batches, "cpu", torch.bfloat16, scaled=False)
scaled, _ = train(model, batches, "cpu", torch.bfloat16, scaled=True)
assert (half - full).abs().max() > 0  # it is another arithmetic ...
half, full = half[-20:].mean(), full[-20:].mean()
assert half < 0.3 and (half - full).abs() < 0.02  # ... which trains as well
for p, q in zip(plain.parameters(), scaled.parameters()):
    assert torch.allclose(p, q, atol=1e-6)  # and scaling the loss changes nothing

if torch.cuda.is_available():
    _, half = train(model, batches, "cuda", torch.float16, scaled=True)
    assert (half[-20:].mean() - full).abs() < 0.02
else:
    print("no graphics card: float16 with a scaler was skipped")
