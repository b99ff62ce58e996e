"""Forecast several steps ahead, with intervals: quantiles for every horizon."""

import torch
from torch import nn

QUANTILES = torch.tensor([0.1, 0.5, 0.9])  # from the first to the last: 80%


class Forecaster(nn.Module):
    """Read the changes of a series; give quantiles of its next values."""

    def __init__(self, H, horizons):
        super().__init__()
        self.lstm = nn.LSTM(1, H, batch_first=True)
        self.head = nn.Linear(H, horizons * len(QUANTILES))

    def forward(self, past):
        """past (B, T), the values so far; returns (B, horizons, Q)."""
        _, (h_n, _) = self.lstm(past.diff(dim=1)[..., None])
        change = self.head(h_n[-1]).unflatten(1, (-1, len(QUANTILES)))
        return past[:, -1, None, None] + change  # whatever the level of the series


def quantile_loss(forecast, future):
    """(B, horizons, Q) and (B, horizons): a unit too low costs q, too high 1 - q."""
    error = future[..., None] - forecast
    return torch.maximum(QUANTILES * error, (QUANTILES - 1) * error).mean()


def draw(B, generator):
    """Past (B, 12), future (B, 6): a change is 0.6 of the last one, and noise."""
    change = torch.randn(B, 18, generator=generator)
    for t in range(1, 18):
        change[:, t] += 0.6 * change[:, t - 1]
    level = 100 * torch.randn(B, 1, generator=generator)
    return (level + change.cumsum(dim=1)).split([12, 6], dim=1)


# Proof
torch.manual_seed(0)
generator = torch.Generator().manual_seed(0)
model = Forecaster(16, horizons=6)
optimiser = torch.optim.Adam(model.parameters(), lr=2e-2)
schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, 200)
for _ in range(200):
    past, future = draw(64, generator)
    optimiser.zero_grad()
    quantile_loss(model(past), future).backward()
    optimiser.step()
    schedule.step()

past, future = draw(4000, generator)  # fresh
with torch.no_grad():
    low, middle, high = model(past).unbind(dim=-1)  # each (B, horizons)
covered = ((low <= future) & (future <= high)).float().mean(dim=0)  # (horizons,)
assert (covered - 0.8).abs().max() < 0.05, covered
assert ((high - low).mean(dim=0).diff() > 0).all()  # wider further ahead
persistence = (future - past[:, -1:]).abs().mean(dim=0)
assert ((future - middle).abs().mean(dim=0) < 0.97 * persistence).all()
