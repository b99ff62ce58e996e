"""Stop early, keep the best weights, and resume an interrupted run to the same numbers."""

import os
import tempfile

import torch
from torch import nn


class Regressor(nn.Module):
    """One number from the last hidden state."""

    def __init__(self, H=16):
        super().__init__()
        self.lstm = nn.LSTM(1, H, batch_first=True)
        self.head = nn.Sequential(nn.Dropout(0.2), nn.Linear(H, 1))

    def forward(self, x):  # (B, T, 1)
        _, (h_n, _) = self.lstm(x)
        return self.head(h_n[-1])  # (B, 1)


@torch.no_grad()
def evaluate(model, x, y):
    """The mean squared error without dropout."""
    return nn.functional.mse_loss(model.eval()(x), y).item()


def train(x, y, validation, path, seed, steps=1000, save_every=10, patience=6, B=16):
    """Make at most `steps` updates; where the checkpoint `path` exists, go on from it."""
    torch.manual_seed(seed)
    model = Regressor()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=2)
    parts = model, optimizer, scheduler
    run = {"step": 0, "losses": [], "stale": 0, "best": None}
    if os.path.exists(path):
        run, *states = torch.load(path, weights_only=True)  # no code in the file can run
        for part, state in zip(parts, states):
            part.load_state_dict(state)
        torch.set_rng_state(run["rng"])  # for dropout; see torch.cuda.set_rng_state_all
    while run["step"] < steps and run["stale"] < patience:
        epoch, batch = divmod(run["step"], len(x) // B)  # the step is the place in the data
        order = torch.randperm(len(x), generator=torch.Generator().manual_seed(epoch))
        rows = order[batch * B : (batch + 1) * B]
        model.train()
        optimizer.zero_grad()
        nn.functional.mse_loss(model(x[rows]), y[rows]).backward()
        optimizer.step()
        run["step"] += 1
        if run["step"] % (len(x) // B) == 0:  # the end of an epoch
            run["losses"].append(evaluate(model, *validation))
            scheduler.step(run["losses"][-1])
            run["stale"] = run["losses"][::-1].index(min(run["losses"]))  # since the best
            if run["stale"] == 0:  # copied, because state_dict() goes on changing
                run["best"] = {key: p.clone() for key, p in model.state_dict().items()}
        if run["step"] % save_every == 0:
            run["rng"] = torch.get_rng_state()
            torch.save([run] + [part.state_dict() for part in parts], f"{path}.new")
            os.replace(f"{path}.new", path)  # so `path` is never half written
    model.load_state_dict(run["best"] or model.state_dict())
    return model, run["losses"]


# Proof
torch.manual_seed(0)
x = torch.randn(200, 12, 1)
y = 3 * x.mean(1) + 0.5 * torch.randn(200, 1)
data = x[:80], y[:80], (x[80:], y[80:])
with tempfile.TemporaryDirectory() as folder:
    whole, losses = train(*data, f"{folder}/whole.pt", seed=1)
    train(*data, f"{folder}/cut.pt", seed=1, steps=37)  # the last checkpoint: step 30
    resumed, resumed_losses = train(*data, f"{folder}/cut.pt", seed=2)  # a new process
assert losses == resumed_losses  # to the last digit
assert all(map(torch.equal, whole.parameters(), resumed.parameters()))
assert len(losses) < 200 and evaluate(whole, *data[2]) == min(losses) < losses[-1]
