"""Study of the chapter pytorch-lstm: how far apart do the twins drift when both are trained alike? Five seeds.

The adding problem over ten steps, Adam, from the same weights, on the same batches. In the first two runs the networks
differ in nothing but the order in which they add their numbers: what lies between them is rounding, in float64 and in
float32. In the third both clip, each as one finds it written: the NumPy side scales by max_norm / norm, torch by
max_norm / (norm + 1e-6), a difference in the sixth digit of a step. About a minute.
"""

import numpy as np
import torch
from protocol import save

from lstm_tutorial import in_numpy, in_torch
from lstm_tutorial.data import adding_problem

SEEDS, UPDATES, EVERY = range(5), 400, 5
B, T, H, LR, FORGET_BIAS, MAX_NORM = 32, 10, 16, 1e-2, 1.0, 1.0
RUNS = {"float64": dict(dtype="float64"), "float32": dict(dtype="float32"), "clipped": dict(dtype="float64", clip=True)}


class Reader(in_numpy.Layer):
    """An LSTM and a linear head on its last hidden state, in NumPy: the way back is written by hand."""

    def __init__(self, dtype, rng):
        super().__init__()
        self.lstm = in_numpy.FastLSTM(2, H, batch_first=True, forget_bias=FORGET_BIAS, dtype=dtype, rng=rng)
        self.head = in_numpy.Linear(H, 1, dtype=dtype, rng=rng)

    def __call__(self, x):
        output, (h_n, c_n) = self.lstm(x)
        return self.head(h_n[0])

    def backward(self, d_prediction):
        d_h = self.head.backward(d_prediction)
        return self.lstm.backward(None, (d_h[None], None))


class Twin(torch.nn.Module):
    """The same in torch."""

    def __init__(self, dtype):
        super().__init__()
        self.lstm = in_torch.LSTM(2, H, batch_first=True, dtype=dtype)
        self.head = torch.nn.Linear(H, 1, dtype=getattr(torch, dtype))

    def forward(self, x):
        output, (h_n, c_n) = self.lstm(x)
        return self.head(h_n[0])


class ClippingAdam(in_numpy.Adam):
    """Adam that first scales all gradients to a joint norm of at most MAX_NORM, dividing by the norm and no more."""

    def step(self, gradients):
        norm = np.sqrt(sum(np.vdot(d, d) for d in gradients.values()))
        super().step({name: d * min(1.0, MAX_NORM / norm) for name, d in gradients.items()})


def train(seed, dtype, clip=False):
    """Train both from the same weights on the same batches; return the losses (2, UPDATES) and the last difference."""
    rng = np.random.default_rng(seed)
    ours, twin = Reader(dtype, rng), Twin(dtype)
    twin.load_state_dict({name: torch.as_tensor(value) for name, value in ours.state_dict().items()})
    drawn = (adding_problem(B, T, rng=rng) for _ in range(UPDATES))
    batches = [(x.astype(dtype), y.astype(dtype)) for x, _, y in drawn]
    adam, twin_adam = (
        (ClippingAdam if clip else in_numpy.Adam)(ours.parameters, lr=LR),
        in_torch.Adam(twin.parameters(), lr=LR),
    )
    losses = [
        in_numpy.fit(ours, batches, in_numpy.mse_loss, adam, clip_norm=None, progress=False),
        in_torch.fit(twin, batches, in_torch.mse_loss, twin_adam, clip_norm=MAX_NORM if clip else None, progress=False),
    ]
    values = twin.state_dict()
    apart = max(np.abs(value - values[name].numpy()).max() for name, value in ours.state_dict().items())
    return np.array(losses), apart


def main():
    torch.set_num_threads(1)
    settings = dict(
        batch=B, steps=T, hidden=H, lr=LR, forget_bias=FORGET_BIAS, max_norm=MAX_NORM, updates=UPDATES, every=EVERY
    )
    results = {"settings": settings}
    for name, options in RUNS.items():
        runs = [train(seed, **options) for seed in SEEDS]
        losses = np.array([loss for loss, _ in runs])  # (seeds, 2, UPDATES)
        blocks = losses.reshape(len(SEEDS), 2, -1, EVERY)
        results[name] = {
            "loss_difference": np.abs(blocks[:, 0] - blocks[:, 1]).max(axis=-1),  # the largest of every EVERY updates
            "final_loss": losses[:, 0, -50:].mean(axis=-1),  # of the last 50 batches, each seen for the first time
            "final_loss_twin": losses[:, 1, -50:].mean(axis=-1),
            "parameter_difference": [apart for _, apart in runs],
        }
    save("pytorch_lstm", results, seeds=SEEDS)


if __name__ == "__main__":
    main()
