"""Train with automatic mixed precision: bfloat16, or float16 with a scaler for the gradients."""

import copy

import torch
from torch import nn


class Classifier(nn.Module):
    """Scores for K classes from the last hidden state."""

    def __init__(self, D=4, H=32, K=2):
        super().__init__()
        self.lstm = nn.LSTM(D, H, batch_first=True)
        self.head = nn.Linear(H, K)

    def forward(self, x):  # (B, T, D)
        _, (h_n, _) = self.lstm(x)
        return self.head(h_n[-1])  # (B, K)


def train(model, batches, device, dtype):
    """Train on the batches and return the losses; float32 trains as usual."""
    model = copy.deepcopy(model).to(device)  # the weights stay float32: no .half()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    scaler = torch.amp.GradScaler(device, enabled=dtype == torch.float16)  # bfloat16 has float32's range
    losses = []
    for x, y in batches:
        x, y = x.to(device, non_blocking=True), y.to(device, non_blocking=True)
        optimizer.zero_grad()
        with torch.autocast(device, dtype, enabled=dtype != torch.float32):
            scores = model(x)  # in `dtype`
            loss = nn.functional.cross_entropy(scores, y)  # autocast takes losses in float32
        scaler.scale(loss).backward()  # outside autocast
        scaler.unscale_(optimizer)  # before clipping, or the norm is that of the scaled gradient
        nn.utils.clip_grad_norm_(model.parameters(), max_norm=1.0)
        scaler.step(optimizer)  # leaves out an update whose gradient is not finite
        scaler.update()
        losses.append(loss.detach())  # .item() here would make a graphics card wait at every step
    assert scores.dtype == dtype and loss.dtype == torch.float32
    assert all(p.dtype == p.grad.dtype == torch.float32 for p in model.parameters())
    return torch.stack(losses).cpu()
