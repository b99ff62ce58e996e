"""Study of the figure that a reader can move in the chapter after-lstm: three small networks trained on parity.

A plain LSTM, a linear recurrence h_t = a_t h_{t-1} + b_t with factors in (0, 1), and one with factors in (-1, 1): 4
units each, a linear head on h. In the linear ones a bit chooses a and b: a = sigmoid(z) or tanh(z), with z and b read
from a table. Bits of T = 20, the parity asked for after each; Adam, learning rate 0.02, batches of 64, 3,000 updates,
gradients clipped to norm 1. Five seeds; shown is the one with the lowest loss on 1,000 validation sequences of 20, and
of it the unit whose state goes most with the parity there. On 1,000 test sequences of 200 bits: the share of right
answers at each step. About a minute on two cores.
"""

import numpy as np
import torch
from protocol import run, save, streams
from torch import nn
from torch.nn.functional import cross_entropy

from lstm_tutorial.in_torch import linear_scan

SEEDS, H, T, LONG, UPDATES = range(5), 4, 20, 200, 3000
KINDS = ("LSTM", "factors in (0, 1)", "factors in (−1, 1)")


class Linear(nn.Module):
    """A linear recurrence whose factors and additions are chosen by the bit."""

    def __init__(self, signed):
        super().__init__()
        self.factor, self.add = nn.Parameter(torch.randn(2, H)), nn.Parameter(torch.randn(2, H))
        self.squash = torch.tanh if signed else torch.sigmoid

    def forward(self, bits):
        """Map bits (T, B) to the states (T, B, H)."""
        return linear_scan(self.squash(self.factor)[bits], self.add[bits])


class Plain(nn.LSTM):
    """An LSTM that reads a bit as 0 or 1 and returns its hidden states."""

    def forward(self, bits):
        """Map bits (T, B) to the states (T, B, H)."""
        return super().forward(bits[..., None].float())[0]


def draw(rng, B, T):
    """Return bits and their parity so far, (T, B) each."""
    bits = torch.from_numpy(rng.integers(2, size=(T, B)))
    return bits, bits.cumsum(dim=0) % 2


def network(kind, seed):
    """Train one network; return its weights, its validation loss and its share of right answers at each test step."""
    torch.manual_seed(seed)
    layer = Plain(1, H) if kind == "LSTM" else Linear(signed="−" in kind)
    head, (rng, other, last) = nn.Linear(H, 2), streams(seed)
    parameters = [*layer.parameters(), *head.parameters()]
    optimiser = torch.optim.Adam(parameters, lr=0.02)
    for _ in range(UPDATES):
        bits, y = draw(rng, 64, T)
        optimiser.zero_grad()
        cross_entropy(head(layer(bits)).flatten(0, 1), y.flatten()).backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
    with torch.no_grad():
        bits, y = draw(other, 1000, T)
        h = layer(bits)
        loss = cross_entropy(head(h).flatten(0, 1), y.flatten()).item()
        unit = np.abs(np.corrcoef(torch.cat([h.flatten(0, 1), y.reshape(-1, 1)], dim=1).T)[-1, :-1]).argmax()
        bits, y = draw(last, 1000, LONG)
        right = (head(layer(bits)).argmax(dim=-1) == y).double().mean(dim=1)
    weights = {name.removesuffix("_l0"): value.detach().numpy() for name, value in layer.named_parameters()}
    weights |= {"head": (head.weight[1] - head.weight[0]).detach().numpy()}
    weights |= {"head_bias": (head.bias[1] - head.bias[0]).item()}
    return {"loss": loss, "unit": unit, "right": 100 * right.numpy(), "weights": weights}


if __name__ == "__main__":
    runs = list(run(network, [dict(kind=kind, seed=seed) for kind in KINDS for seed in SEEDS]))
    results = {"trained": T, "long": LONG, "networks": {}}
    for k, kind in enumerate(KINDS):
        each = runs[k * len(SEEDS) : (k + 1) * len(SEEDS)]
        best = int(np.argmin([one["loss"] for one in each]))
        found = {"losses": [one["loss"] for one in each], "seed": best, "right": np.round(each[best]["right"], 1)}
        results["networks"][kind] = each[best]["weights"] | {"unit": each[best]["unit"]} | found
        print(kind, np.round(found["losses"], 4), f"right at {LONG}: {found['right'][-1]:.1f}")
    save("parity", results, SEEDS)
