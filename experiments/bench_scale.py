"""Benchmark of training on two workers, of what fits in memory, and of a class, about five minutes.

Here waiting counts, so everything is wall time, where `bench_lstm` has CPU time; the rest is as there: warm up, take
turns in a new order each round, compare within a round, keep the median and the quartiles. Run nothing else meanwhile.

- `throughput`: a training step (loss, gradients, Adam) of the network of `scale/train.py` on B sequences of 20 tokens,
  float32, one thread a worker: one worker; one with half the batch, while the other does nothing; one with two threads;
  two with half the batch each, without and with the sum of the gradients over the workers (`no_sync`). A time is that
  of the slower worker, over so many steps that a sample takes 50 ms.
- `all_reduce`: the sum of one tensor over the two workers, by size, and latency and bandwidth fitted to the times.
- `memory`: the peak memory of one gradient of an LSTM over T steps, in a process of its own, the median of three; and
  the CPU time at T = 1000. Whole; in chunks of 50 steps, the state passed on detached; with checkpoints every 50 steps.
- `allocation`: CPU times of these three, and of a training step with B = 256, H = 128 and with half the batch, twice:
  as usual, when the C library (glibc) gives large blocks of memory back to the system and has to get them again in
  every step, and with the settings `KEPT`, with which it keeps them.
- `classroom`: a JupyterLab server runs labs through its own interface, as a browser does: peak memory and CPU seconds.

`python experiments/bench_scale.py 0.1` takes a tenth of the rounds, for a look, and
`python experiments/bench_scale.py 0.1 memory` runs this part alone; neither saves anything.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from functools import partial
from pathlib import Path

import nbformat
import numpy as np
import psutil
import torch
import torch.distributed as dist
from alone import peak
from bench import against, one_thread, race, save
from torch.nn.functional import cross_entropy
from torch.nn.parallel import DistributedDataParallel
from torch.utils.checkpoint import checkpoint

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE / "scale"))
from train import Network  # noqa: E402

SIZES = [(B, H) for H in (32, 128, 512) for B in (16, 64, 256)]
T, SAMPLE, REDUCED = 20, 0.05, [4**k for k in range(1, 13)]  # steps of a sequence, seconds, bytes
LONG, CHUNK, KINDS = (250, 1000, 4000), 50, ("whole", "chunks", "checkpoints")
KEPT = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(2**40)}
LABS = "gates", "many-to-one", "encoder-decoder"


# Two workers


def race_workers(contenders, rounds, rng):
    """Return the wall times of each contender, (rounds,) in seconds a call: those of the slower worker.

    `contenders` maps a name to a function, which does nothing on a worker that has no part in it; `rng` is the same on
    all workers, and with it the order.
    """
    times, calls = {name: [] for name in contenders}, {}
    for k in range(rounds + 2):
        for name in rng.permutation(list(contenders)):
            if k < 2:
                calls[name] = 1
            dist.barrier()
            started = time.perf_counter()
            for _ in range(calls[name]):
                contenders[name]()
            took = torch.tensor(time.perf_counter() - started, dtype=torch.float64)
            dist.all_reduce(took, dist.ReduceOp.MAX)
            if k == 1:  # the first call warms up, the second says how many make a sample
                calls[name] = max(1, round(SAMPLE / took.item()))
            elif k > 1:
                times[name].append(took.item() / calls[name])
    return {name: np.array(each) for name, each in times.items()}


def quartiles(values):
    """Return median and quartiles of an array."""
    return dict(zip(("low", "median", "high"), np.percentile(values, [25, 50, 75])))


def step(model, optimiser, x, y):
    """Take one step of training."""
    optimiser.zero_grad()
    cross_entropy(model(x).flatten(0, 1), y.flatten()).backward()
    optimiser.step()


def apart(parallel, *rest):
    """Take one step without summing the gradients over the workers."""
    with parallel.no_sync():
        step(parallel, *rest)


def two_threads(*rest):
    """Take one step with two threads."""
    torch.set_num_threads(2)
    step(*rest)
    torch.set_num_threads(1)


def worker(scale):
    """Run the parts that need two workers; the first prints their results."""
    dist.init_process_group("gloo")
    torch.set_num_threads(1)
    first, rng = dist.get_rank() == 0, np.random.default_rng(0)
    alone, found = (lambda call: call if first else lambda: None), {"throughput": {}, "all_reduce": {}}
    for B, H in SIZES:
        torch.manual_seed(0)
        model = Network(H=H)
        parallel = DistributedDataParallel(model)
        args = [torch.optim.Adam(model.parameters()), *torch.randint(32, (2, B, T))]
        half = [args[0], *(each[: B // 2] for each in args[1:])]
        contenders = {
            "one": alone(partial(step, model, *args)),
            "half": alone(partial(step, model, *half)),
            "two threads": alone(partial(two_threads, model, *args)),
            "apart": partial(apart, parallel, *half),
            "together": partial(step, parallel, *half),
        }
        times = race_workers(contenders, max(3, round(scale * (9 if B * H > 2**15 else 25))), rng)
        shares = {name: quartiles(each / times["one"]) for name, each in times.items()}
        shares["waiting"] = quartiles(1 - times["apart"] / times["together"])
        bytes_sent = 4 * sum(p.numel() for p in model.parameters())
        milliseconds = {name: 1e3 * np.median(each) for name, each in times.items()}
        found["throughput"][f"{B}, {H}"] = {"bytes": bytes_sent, "ms": milliseconds, "of one": shares}
        if first:
            print(f"B {B}, H {H}:", {name: round(each, 2) for name, each in milliseconds.items()}, file=sys.stderr)
    tensors = {size: torch.zeros(size // 4) for size in REDUCED}
    times = race_workers({n: partial(dist.all_reduce, t) for n, t in tensors.items()}, max(5, round(25 * scale)), rng)
    found["all_reduce"] = {"bytes": REDUCED, "ms": [quartiles(1e3 * times[size]) for size in REDUCED]}
    if first:
        print(json.dumps(found))
    dist.destroy_process_group()


def fit(sizes, seconds):
    """Return the latency of a message in seconds and the bandwidth in bytes a second: least squares of relative errors.

    Two workers exchange two messages of half the bytes each: seconds = 2 latency + bytes / bandwidth. Sums of less
    than 1 kB are left out: no gradient is so small, and that of one number takes another way, a fourth of the time.
    """
    sizes, seconds = np.array([pair for pair in zip(sizes, seconds) if pair[0] >= 1024], float).T
    rows = np.stack([np.ones_like(sizes), sizes], 1) / seconds[:, None]
    latency, per_byte = np.linalg.lstsq(rows, np.ones_like(seconds))[0]
    return {"latency": latency / 2, "bandwidth": 1 / per_byte}


def workers(scale):
    """Start two workers, and return what they found, with the predictions."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    command += [__file__, str(scale)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    return predict(json.loads(subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True).stdout))


def predict(found):
    """Add the fit, and what it predicts of a step on two workers, as a share of one worker's."""
    reduced = found["all_reduce"]
    reduced["fit"] = line = fit(reduced["bytes"], [each["median"] / 1e3 for each in reduced["ms"]])
    for each in found["throughput"].values():
        sent = 1e3 * (2 * line["latency"] + each["bytes"] / line["bandwidth"])
        ms = each["ms"]
        each["predicted"] = {"from one": 0.5 + sent / ms["one"], "from half": (ms["half"] + sent) / ms["one"]}
    return found


# Memory


def loss_of(lstm, x, state):
    """Return the sum of squares of the output, and the state."""
    output, state = lstm(x, state)
    return output.square().sum(), *state


def gradient(kind, lstm, x):
    """Accumulate the gradient of the loss over all steps of x (T, B, D) in one of three ways."""
    if kind == "whole":
        return loss_of(lstm, x, None)[0].backward()
    total, state = 0, tuple(torch.zeros(2, 1, x.shape[1], lstm.hidden_size))
    for part in x.split(CHUNK):
        if kind == "chunks":
            loss, *state = loss_of(lstm, part, tuple(each.detach() for each in state))
            loss.backward()
        else:
            loss, *state = checkpoint(loss_of, lstm, part, tuple(state), use_reentrant=False)
            total = total + loss
    return total.backward() if kind == "checkpoints" else None


def layer(steps, B=32, D=32, H=128):
    """Return an LSTM and its input."""
    torch.manual_seed(0)
    return torch.nn.LSTM(D, H), torch.randn(steps, B, D)


def rise(kind, steps):
    """Print by how many bytes the memory rises at most during one gradient; in a process of its own."""
    one_thread()
    gradient(kind, *layer(2 * CHUNK, 2, 2, 4))  # loads what is loaded once, and leaves little memory to use again
    lstm, x = layer(steps)
    before = peak(reset=True)
    gradient(kind, lstm, x)
    print(peak() - before)


def high_water(pid):
    """Return the peak of a process's memory in bytes (Linux)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def memory(scale):
    """Measure the peaks."""
    found, repeats = {kind: [] for kind in KINDS}, 3 if scale >= 1 else 1
    for kind in KINDS:
        for steps in LONG:
            calls = [[sys.executable, __file__, "rise", kind, str(steps)]] * repeats
            peaks = [int(subprocess.run(call, capture_output=True, check=True).stdout) for call in calls]
            found[kind].append(np.median(peaks) / 2**20)
        print(kind, dict(zip(LONG, np.round(found[kind], 1))))
    return {"T": LONG, "chunk": CHUNK, "MiB": found}


def race_memory(scale):
    """Print the CPU times of the three ways, and of a training step with a whole batch and with half of it."""
    one_thread()
    lstm, x = layer(1000)
    rounds, model = max(3, round(9 * scale)), Network(H=128)
    ways = {kind: partial(gradient, kind, lstm, x) for kind in KINDS}
    optimiser, x, y = torch.optim.Adam(model.parameters()), *torch.randint(32, (2, 256, T))
    steps = {"one": partial(step, model, optimiser, x, y), "half": partial(step, model, optimiser, x[:128], y[:128])}
    print(json.dumps({"gradient": against(race(ways, rounds, 1), "whole"), "step": against(race(steps, 25), "one")}))


def allocation(scale):
    """Race with memory that is given back and with memory that is kept, each in a process of its own."""
    found, call = {}, [sys.executable, __file__, "race", str(scale)]
    for name, settings in (("given back", {}), ("kept", KEPT)):
        ended = subprocess.run(call, env=os.environ | settings, capture_output=True, check=True)
        found[name] = json.loads(ended.stdout)
    return found


# A class


class Server:
    """A JupyterLab server, spoken to as a browser does."""

    def __init__(self, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        options = {"port": self.address.split(":")[1], "root_dir": HERE.parent / "notebooks", "allow_root": True}
        command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--IdentityProvider.token=bench"]
        command += [f"--ServerApp.{name}={value}" for name, value in options.items()]
        places = {name: folder for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")}
        environment = os.environ | places | {"TQDM_DISABLE": "1"}
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while True:
            try:
                self.ask("status")
                return
            except OSError:
                if self.process.poll() is not None:
                    raise RuntimeError("JupyterLab did not start") from None
                time.sleep(0.5)

    def ask(self, path, method="GET", body=None):
        """Send a request to the server, and return its answer."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"http://{self.address}/api/{path}?token=bench", data, method=method)
        with urllib.request.urlopen(request, timeout=60) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def run(self, stem):
        """Run a lab; return the kernel's peak memory in MiB, and its CPU and wall time in seconds."""
        import websocket  # comes with jupyter_server

        asked = {"path": f"{stem}.ipynb", "name": stem, "type": "notebook", "kernel": {"name": "python3"}}
        session = self.ask("sessions", "POST", asked)
        channel = f"ws://{self.address}/api/kernels/{session['kernel']['id']}/channels?token=bench"
        line = websocket.create_connection(channel, timeout=300)
        cells = nbformat.read(HERE.parent / "notebooks" / f"{stem}.ipynb", 4).cells
        started = time.perf_counter()
        for k, cell in enumerate(each for each in cells if each.cell_type == "code"):
            header = {"msg_id": f"cell-{k}", "msg_type": "execute_request", "session": "bench", "username": ""}
            content = {"code": cell.source, "silent": False, "store_history": True, "allow_stdin": False}
            message = {"header": header | {"version": "5.3"}, "parent_header": {}, "metadata": {}, "content": content}
            line.send(json.dumps(message | {"channel": "shell", "buffers": []}))
            reply = {}
            while reply.get("msg_type") != "execute_reply" or reply["parent_header"]["msg_id"] != header["msg_id"]:
                reply = json.loads(line.recv())
            if reply["content"]["status"] != "ok":
                raise RuntimeError(f"{stem}: {reply['content']}")
        wall, (kernel,) = time.perf_counter() - started, psutil.Process(self.process.pid).children()
        used = kernel.cpu_times()
        found = {"MiB": high_water(kernel.pid) / 2**20, "CPU s": used.user + used.system, "wall s": wall}
        line.close()
        self.ask(f"sessions/{session['id']}", "DELETE")
        return found


def classroom(_):
    """Run labs on a server, one after another, each in a new kernel."""
    with tempfile.TemporaryDirectory() as folder:
        server = Server(folder)
        try:
            idle = high_water(server.process.pid) / 2**20
            labs = {stem: server.run(stem) for stem in LABS}
            found = {"server MiB": high_water(server.process.pid) / 2**20, "server before MiB": idle, "labs": labs}
        finally:
            server.process.terminate()
            server.process.wait()
    print(found)
    return found


def main():
    """Run all parts, or those that are named."""
    if sys.argv[1:2] == ["rise"]:
        return rise(sys.argv[2], int(sys.argv[3]))
    if sys.argv[1:2] == ["race"]:
        return race_memory(float(sys.argv[2]))
    scale = float(sys.argv[1]) if sys.argv[1:] else 1.0
    if "RANK" in os.environ:
        return worker(scale)
    parts = {"workers": workers, "memory": memory, "allocation": allocation, "classroom": classroom}
    found = {name: part(scale) for name, part in parts.items() if name in (sys.argv[2:] or parts)}
    if sys.argv[1:]:
        print(json.dumps(found, default=float))
    else:
        save("scale", found["workers"] | {name: found[name] for name in ("memory", "allocation", "classroom")})


if __name__ == "__main__":
    main()
