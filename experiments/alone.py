"""What `bench_lstm` runs in a process of its own: the peak memory of a training step.

`python alone.py NAME T B D H` prints by how many bytes the memory that the process holds at its peak exceeds what it
held before, in one training step (forward and backward), after a small one that loads what is loaded once. x and the
gradient that comes back exist before. Linux keeps a peak for each process, which can be set back to what is held
(VmHWM, clear_refs). Elsewhere it is `ru_maxrss`; on Linux that begins with the peak of whoever started us.
"""

import json
import re
import resource
import sys
from pathlib import Path

import numpy as np


def training_step(name, T, B, D, H):
    """Return one forward and backward as a function."""
    x, d_output = np.full((T, B, D), 0.1, np.float32), np.full((T, B, H), 0.1, np.float32)
    if name == "torch":
        import torch

        torch.set_num_threads(1)
        lstm, x, d_output = torch.nn.LSTM(D, H), torch.tensor(x).requires_grad_(), torch.tensor(d_output)
        return lambda: torch.autograd.grad(lstm(x)[0], [x, *lstm.parameters()], d_output)
    from lstm_tutorial.in_numpy import FastLSTM

    lstm = FastLSTM(D, H, rng=0)
    return lambda: (lstm(x), lstm.backward(d_output))


def memory(name, *sizes):
    """Return how much a step of these sizes adds to the process's peak, in bytes."""
    training_step(name, 2, 2, 2, 2)()
    step = training_step(name, *map(int, sizes))
    before = peak(reset=True)
    kept = step()
    after = peak()
    del kept
    return after - before


def peak(reset=False):
    """Return the most bytes that this process has held, or holds now if the peak can be set back to that."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    if reset:
        Path("/proc/self/clear_refs").write_text("5")
    return 1024 * int(re.search(r"VmHWM:\s*(\d+)", status.read_text())[1])


if __name__ == "__main__":
    print(json.dumps(memory(*sys.argv[1:])))
