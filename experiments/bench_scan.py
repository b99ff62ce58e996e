"""Benchmark of the scan: minGRU by a loop, minGRU by a scan, and torch.nn.LSTM, against T; about a minute.

Batches of 16, 64 units, float32. Forward (inference mode) and both ways, on one thread of the processor by the rules of
`bench_lstm`: a warm-up, turns, CPU times compared within a round, at least seven rounds, three for what is slow. On a
graphics card, where there is one, the same turns are timed on the clock, each from a synchronised card to a
synchronised card, twenty-one rounds. Before the race, loop and scan give the same numbers to 1e-5.

`python experiments/bench_scan.py 0.1` gives every race a tenth of its time, for a look, and saves nothing.
"""

import sys
import time

import numpy as np
import torch
from bench import against, one_thread, race_all, save, table
from torch import nn

from lstm_tutorial.in_torch import linear_scan
from lstm_tutorial.in_torch.after_lstm import MinGRU

LENGTHS, B, H, LSTM = (16, 64, 256, 1024, 4096), 16, 64, "torch.nn.LSTM"
SCALE = float(sys.argv[1]) if sys.argv[1:] else 1.0


def linear_loop(a, b):
    """Return what `linear_scan` does, one step after the other."""
    h, found = torch.zeros_like(b[0]), []
    for a_t, b_t in zip(a, b):
        h = torch.addcmul(b_t, a_t, h)
        found.append(h)
    return torch.stack(found)


def contenders(T, device="cpu"):
    """Return by direction and name what runs a layer on x (T, B, H)."""
    x = torch.randn(T, B, H, generator=torch.Generator().manual_seed(0)).to(device)
    lstm, layer = nn.LSTM(H, H).to(device), MinGRU(H, H, rng=0).to(device)

    def by(recurrence):
        z = torch.sigmoid(layer.gate(x))
        return recurrence(1 - z, z * layer.candidate(x))

    forward = {LSTM: lambda: lstm(x)[0], "loop": lambda: by(linear_loop), "scan": lambda: by(linear_scan)}
    torch.testing.assert_close(forward["loop"](), forward["scan"](), rtol=0, atol=1e-5)

    def both(name):
        network = lstm if name == LSTM else layer
        return lambda: torch.autograd.grad(forward[name]().sum(), list(network.parameters()))

    quiet = {name: torch.inference_mode()(call) for name, call in forward.items()}
    return {"forward": quiet, "both ways": {name: both(name) for name in forward}}


def race_on_card(runs, rounds=21, warmup=3, seed=0):
    """Return the seconds of each contender on a graphics card, an array (rounds,); a new order each round."""
    times, rng = {name: [] for name in runs}, np.random.default_rng(seed)
    for _ in range(warmup + rounds):
        for name in rng.permutation(list(runs)):
            torch.cuda.synchronize()
            started = time.perf_counter()
            runs[name]()
            torch.cuda.synchronize()
            times[name].append(time.perf_counter() - started)
    return {name: np.array(each[warmup:]) for name, each in times.items()}


def compare(device):
    """Race everything at every length; return the ratios to torch.nn.LSTM, and who was left out."""
    found = {}
    for T in LENGTHS:
        for how, runs in contenders(T, device).items():
            if device == "cpu":
                rows, out = race_all(runs, LSTM, 16 * SCALE, 3 if SCALE < 1 else 7)
            else:
                rows, out = against(race_on_card(runs), LSTM), []
            table(f"T = {T}, {how}, {device}", rows, LSTM)
            found.setdefault(how, {})[T] = {"rows": rows, "left out": out}
    return found


if __name__ == "__main__":
    one_thread()
    results = {"B": B, "H": H, "lengths": LENGTHS, "cpu": compare("cpu")}
    if torch.cuda.is_available():
        results |= {"card": torch.cuda.get_device_name(), "cuda": compare("cuda")}
    else:
        results |= {"card": None}
        print("There is no graphics card: it is left out.")
    if SCALE == 1:
        save("scan", results)
