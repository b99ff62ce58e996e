"""Stop early, keep the best weights, and resume an interrupted run to the same numbers."""

import copy
import os
import tempfile
from pathlib import Path

import torch
from torch import nn

BATCH, PATIENCE = 16, 6


class Regressor(nn.Module):
    """The last hidden state, dropout, one number."""

    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(1, 16, batch_first=True)
        self.dropout = nn.Dropout(0.2)
        self.head = nn.Linear(16, 1)

    def forward(self, x):  # (B, T, 1)
        _, (h_n, _) = self.lstm(x)
        return self.head(self.dropout(h_n[-1]))[:, 0]  # (B,)


def train(training, validation, path, steps=1000, every=10):
    """Train for at most `steps` updates; go on from the checkpoint `path` if there is one."""
    model = Regressor()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=2)
    parts = {"model": model, "optimizer": optimizer, "scheduler": scheduler}
    run = {"step": 0, "losses": [], "best": None, "stale": 0}
    if path.exists():
        saved = torch.load(path, weights_only=True)  # tensors and plain types alone: no code is run
        for name, part in parts.items():
            part.load_state_dict(saved[name])
        run = saved["run"]
        torch.set_rng_state(saved["rng"])  # dropout goes on where it was; on a card: torch.cuda.set_rng_state_all
    x, y = training
    batches = len(x) // BATCH
    while run["step"] < steps and run["stale"] < PATIENCE:
        epoch, batch = divmod(run["step"], batches)  # the position in the data follows from the step alone
        order = torch.randperm(len(x), generator=torch.Generator().manual_seed(epoch))
        rows = order[batch * BATCH : (batch + 1) * BATCH]
        model.train()
        optimizer.zero_grad()
        nn.functional.mse_loss(model(x[rows]), y[rows]).backward()
        optimizer.step()
        run["step"] += 1
        if run["step"] % batches == 0:  # the end of an epoch
            model.eval()
            with torch.no_grad():
                loss = nn.functional.mse_loss(model(validation[0]), validation[1]).item()
            scheduler.step(loss)
            run["stale"] = 0 if loss < min(run["losses"], default=float("inf")) else run["stale"] + 1
            run["losses"].append(loss)
            if run["stale"] == 0:
                run["best"] = copy.deepcopy(model.state_dict())  # state_dict() alone would go on changing
        if run["step"] % every == 0:
            saved = {name: part.state_dict() for name, part in parts.items()}
            torch.save(saved | {"run": run, "rng": torch.get_rng_state()}, path.with_suffix(".new"))
            os.replace(path.with_suffix(".new"), path)  # at no time is there half a file
    if run["best"] is not None:
        model.load_state_dict(run["best"])
    return model.eval(), run


torch.manual_seed(0)
x = torch.randn(200, 12, 1)
y = x.mean((1, 2)) * 3 + 0.5 * torch.randn(200)
training, validation = (x[:80], y[:80]), (x[80:], y[80:])
with tempfile.TemporaryDirectory() as folder:
    torch.manual_seed(1)
    model, run = train(training, validation, Path(folder, "whole.pt"))
    torch.manual_seed(1)
    train(training, validation, Path(folder, "cut.pt"), steps=37)  # cut off: the last checkpoint is of step 30
    torch.manual_seed(2)  # another process has another state of the generator
    resumed, run_resumed = train(training, validation, Path(folder, "cut.pt"))
with torch.no_grad():
    best = nn.functional.mse_loss(model(validation[0]), validation[1]).item()
assert run["losses"] == run_resumed["losses"]  # equal to the last digit, not only close
assert all(torch.equal(a, b) for a, b in zip(model.parameters(), resumed.parameters(), strict=True))
assert run["step"] < 1000 and best == min(run["losses"]) < run["losses"][-1]
