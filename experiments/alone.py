"""What `bench_lstm` runs in a process of its own: peak memory, and libraries whose threads would be in the way.

`python alone.py memory NAME T B D H` prints by how many bytes the memory that the process holds at its peak exceeds
what it held before, in one training step (forward and backward), after a small one that loads what is loaded once. x
and the gradient that comes back exist before. Linux keeps a peak for each process, which can be set back to what is
held (VmHWM, clear_refs). Elsewhere it is `ru_maxrss`; on Linux that begins with the peak of whoever started us.
`python alone.py jax|onnx FILE` prints the median milliseconds of CPU time of a forward (JAX: and of both ways) on the
arrays of a file, after comparing the hidden states with those in the file.
"""

import json
import re
import resource
import sys
import time
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


def milliseconds(call, rounds=11):
    """Return the median CPU time of a call."""
    times = []
    for _ in range(rounds + 2):
        started = time.process_time()
        call()
        times.append(time.process_time() - started)
    return 1e3 * float(np.median(times[2:]))


def with_jax(x, weight_ih, weight_hh, bias, d_output, output):
    """Time `lax.scan`, compiled."""
    import os

    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false"
    import jax

    def forward(x, weights):
        def step(state, z):
            h, c = state
            i, f, g, o = jax.numpy.split(z + h @ weights[1].T, 4, axis=1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jax.numpy.tanh(g)
            h = jax.nn.sigmoid(o) * jax.numpy.tanh(c)
            return (h, c), h

        zero = jax.numpy.zeros(d_output.shape[1:], x.dtype)
        return jax.lax.scan(step, (zero, zero), x @ weights[0].T + weights[2])[1]

    run = jax.jit(forward)
    both = jax.jit(jax.grad(lambda x, weights: (forward(x, weights) * d_output).sum(), argnums=(0, 1)))
    weights = weight_ih, weight_hh, bias
    assert np.abs(np.asarray(run(x, weights)) - output).max() < 1e-4
    return {
        "forward": milliseconds(lambda: jax.block_until_ready(run(x, weights))),
        "both ways": milliseconds(lambda: jax.block_until_ready(both(x, weights))),
    }


def with_onnx(x, weight_ih, weight_hh, bias, d_output, output):
    """Time ONNX Runtime on a graph of one LSTM; its gates stand in the order i, o, f, c."""
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    H = weight_hh.shape[1]
    rows = np.concatenate([np.arange(k * H, (k + 1) * H) for k in (0, 3, 1, 2)])
    arrays = {"W": weight_ih[rows][None], "R": weight_hh[rows][None], "B": np.hstack([bias[rows], 0 * bias])[None]}
    node = helper.make_node("LSTM", ["x", "W", "R", "B"], ["y"], hidden_size=H)
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in "xy"]
    weights = [numpy_helper.from_array(array, name) for name, array in arrays.items()]
    graph = helper.make_graph([node], "lstm", ends[:1], ends[1:], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=9)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    assert np.abs(session.run(None, {"x": x})[0][:, 0] - output).max() < 1e-4
    return {"forward": milliseconds(lambda: session.run(None, {"x": x}))}


if __name__ == "__main__":
    job, *rest = sys.argv[1:]
    if job == "memory":
        print(json.dumps(memory(*rest)))
    else:
        print(json.dumps({"jax": with_jax, "onnx": with_onnx}[job](**np.load(rest[0]))))
