"""Benchmark of the LSTM: NumPy beside torch.nn.LSTM, in float32 on one thread, about seven minutes.

The table: five sizes, forward (keeping what a backward needs) and both ways (d_x and all gradients), a row a contender.
A goal is met when the median ratio lies within 5% of it. Then inference, where nothing is kept (torch:
`inference_mode`); the peak memory of a training step, in processes of their own; layers, directions, lengths and
peepholes as multiples of their share of the plain layer; what else a training step costs; how time and memory grow; one
thread and two; and the ladder, from a naive program to the fused layer, each rung predicted from the pieces that it is
made of before it is timed.

Every timing follows the same rules: a program runs at least once without being timed, then the programs take turns; a
ratio is taken within a round, and the median and the quartiles of the rounds are kept. There are at least seven rounds;
three where a program takes over 0.3 s a call and four times as long as torch's, and where torch packs 1,000 steps. What
takes over 3 s in the table is left out. Run nothing else meanwhile.

`python experiments/bench_lstm.py 0.1` gives every race a tenth of its time, for a look, and
`python experiments/bench_lstm.py 0.1 table memory` runs these parts alone, prints how the goals stand, and saves
nothing.
"""

import json
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import ladder
import numpy as np
import rivals
import torch
from bench import against, one_thread, race, race_all, save, table
from threadpoolctl import threadpool_limits

from lstm_tutorial import in_torch
from lstm_tutorial.in_numpy import Adam, FastLSTM, Linear, clip_gradients, cross_entropy, lstm_sequence
from lstm_tutorial.in_numpy import lstm_sequence_backward as sequence_backward
from lstm_tutorial.in_numpy.fast import fused_sequence

GOALS = {  # T, B, D, H: forward, both ways
    (50, 32, 64, 128): (1.4, 1.1),
    (200, 64, 128, 256): (1.25, 0.9),
    (1000, 100, 32, 32): (1.5, 0.6),
    (20, 256, 256, 512): (1.2, 0.95),
    (100, 1, 32, 64): (2.6, 1.7),
}
MEMORY_GOAL, SHARE_GOAL, REST_GOAL, MARGIN = 0.75, 1.3, 0.15, 1.05
BATCHED = [sizes for sizes in GOALS if sizes[1] > 1]
TORCH, OURS, SCALE = "torch.nn.LSTM", "FastLSTM", float(sys.argv[1]) if sys.argv[1:] else 1.0
LEAST = 3 if SCALE < 1 else 7  # rounds
BASE, GROWING = (100, 32, 64, 128), {0: (25, 50, 100, 200, 400), 1: (8, 16, 32, 64, 128), 3: (32, 64, 128, 256, 512)}


def key(sizes):
    """Return sizes as a word."""
    return ", ".join(map(str, sizes))


def draw(T, B, D, H):
    """Return x, the gradient of the output, our layer, torch's with the same weights, and the weights."""
    rng, lstm, theirs = np.random.default_rng(0), FastLSTM(D, H, rng=0), torch.nn.LSTM(D, H)
    x, d_output = (rng.standard_normal((T, B, size)).astype(np.float32) for size in (D, H))
    theirs.load_state_dict({name: torch.tensor(value) for name, value in lstm.state_dict().items()})
    return x, d_output, lstm, theirs, list(lstm.parameters.values())


def both_ways(lstm, x, d_output, **options):
    """Run our network and its gradient."""
    lstm(x, **options)
    return lstm.backward(d_output)


def gradient(run, leaves, d_output):
    """Run something of torch and its gradient."""
    return torch.autograd.grad(run(), leaves, d_output)


def hidden_states(network, x):
    """Return a network's output alone."""
    return network(x)[0]


def packed(network, x, lengths):
    """Run a network of torch on a packed batch, longest first, and unpack."""
    output, _ = network(torch.nn.utils.rnn.pack_padded_sequence(x, lengths))
    return torch.nn.utils.rnn.pad_packed_sequence(output)[0]


def plain_both_ways(x, state, weights, d_output):
    """Run the plain sequence and its gradient."""
    return sequence_backward(d_output, state, lstm_sequence(x, state, *weights)[2])


def contenders(sizes):
    """Return what runs forward and what runs both ways, by name."""
    x, d_output, lstm, theirs, weights = draw(*sizes)
    state = np.zeros((2, *d_output.shape[1:]), np.float32)
    leaf, d_theirs = torch.tensor(x).requires_grad_(), torch.tensor(d_output)
    twin, cell = in_torch.LSTM(*sizes[2:]), torch.nn.LSTMCell(*sizes[2:])
    twin.load_state_dict(theirs.state_dict())
    cell.load_state_dict({name.removesuffix("_l0"): value for name, value in theirs.state_dict().items()})
    runs = {TORCH: partial(hidden_states, theirs, leaf), "torch twin": partial(hidden_states, twin, leaf)}
    runs["LSTMCell loop"] = partial(rivals.cell_loop_torch, cell, leaf)
    leaves = {TORCH: theirs, "torch twin": twin, "LSTMCell loop": cell}
    with_torch = {
        name: partial(gradient, run, [leaf, *leaves[name].parameters()], d_theirs) for name, run in runs.items()
    }
    forward = {TORCH: runs[TORCH], OURS: partial(lstm, x)}
    forward["lstm_sequence"] = partial(lstm_sequence, x, state, *weights)
    forward |= runs | {"lstm_cell loop": partial(rivals.cell_loop, x, weights)}
    forward |= {"[h, x] joined": partial(rivals.joined, x, weights), "naive": partial(rivals.naive, x, weights)}
    forward["floor"] = partial(rivals.floor, x, weights)
    both = {TORCH: with_torch[TORCH], OURS: partial(both_ways, lstm, x, d_output)}
    both["lstm_sequence"] = partial(plain_both_ways, x, state, weights, d_output)
    both |= with_torch | {"lstm_cell loop": partial(rivals.cell_loop_both_ways, x, weights, d_output)}
    both["[h, x] joined"] = partial(rivals.joined_both_ways, x, weights, d_output)
    both["naive"] = partial(rivals.naive_both_ways, x, weights, d_output)
    both["floor"] = partial(rivals.floor_both_ways, x, weights, d_output)
    return {"forward": forward, "both ways": both}


def agree(runs, sizes):
    """Assert that all contenders compute the same thing, on the first of the sizes."""
    want, want_d_x = runs["forward"][TORCH]().detach().numpy(), runs["both ways"][TORCH]()[0].numpy()
    for how, reference in (("forward", want), ("both ways", want_d_x)):
        for name, run in runs[how].items():
            if name != "floor":
                got = run()
                got = np.asarray(got[0] if isinstance(got, tuple | list) else got.detach())
                assert np.abs(got - reference).max() < 1e-4 * max(1, np.abs(reference).max()), (name, how, sizes)


def race_table():
    """Race everything at every size; print how the goals stand."""
    found = {"forward": {}, "both ways": {}}
    for sizes, goals in GOALS.items():
        runs = contenders(sizes)
        if sizes[0] * sizes[1] < 2000:
            agree(runs, sizes)
        for (how, each), goal in zip(runs.items(), goals, strict=True):
            rows, out = race_all(each, TORCH, 8 * SCALE, LEAST)
            table(f"{key(sizes)}, {how}", rows, TORCH)
            met = rows[OURS]["median"] <= MARGIN * goal
            print(f"  goal {goal:g}: {'met' if met else 'missed'}, at {rows[OURS]['median']:.2f}")
            found[how][key(sizes)] = {"rows": rows, "left out": out, "goal": goal, "met": met}
    return found


def alone(*words):
    """Run `alone.py` in a process of its own and return what it prints."""
    command = [sys.executable, Path(__file__).with_name("alone.py"), *map(str, words)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def inference():
    """Race the forward that keeps nothing."""
    found = {}
    for sizes in GOALS:
        x, _, lstm, theirs, _ = draw(*sizes)
        tensor = torch.tensor(x)
        runs = {TORCH: partial(torch.inference_mode()(theirs), tensor), OURS: partial(lstm, x, keep_cache=False)}
        found[key(sizes)], _ = race_all(runs, TORCH, 3 * SCALE, LEAST)
        table(f"{key(sizes)}, inference", found[key(sizes)], TORCH)
    return found


def memory(repeats=3):
    """Measure the peak of a training step at the batched sizes."""
    found = {}
    for sizes in BATCHED:
        mb = {name: [alone(name, *sizes) / 2**20 for _ in range(repeats)] for name in ("numpy", "torch")}
        ratio = float(np.median(mb["numpy"]) / np.median(mb["torch"]))
        met, (T, B, D, H) = ratio <= MEMORY_GOAL, sizes
        held = 4 / 2**20 * np.array([T * B * (D + 1 + H), 5 * T * B * H, T * B * (D + H), 8 * H * (D + H)])
        found[key(sizes)] = {**mb, "ratio": ratio, "met": met, "held": held.tolist()}
        mib = {name: f"{np.median(each):.0f} MiB" for name, each in mb.items()}
        print(f"{key(sizes)}: {mib['numpy']}, torch {mib['torch']}, ratio {ratio:.2f}: {'met' if met else 'missed'}")
        words = ("[x, 1, h]", "gates and cell states", "output and gradient of x", "weights' gradients")
        print("  ", ", ".join(f"{name} {size:.1f}" for name, size in zip(words, held)))
    return found


def shares():
    """Race larger networks, both ways, against what their parts cost."""
    found = {}
    for sizes in GOALS:
        T, B, D, H = sizes
        x, d_output, plain, theirs, _ = draw(*sizes)
        lengths = np.random.default_rng(0).integers(1, T + 1, B)
        longest = torch.tensor(np.sort(lengths)[::-1].copy())
        leaf, wide = torch.tensor(x).requires_grad_(), np.concatenate([d_output, d_output], axis=-1)
        leaves = [leaf, *theirs.parameters()]
        runs = {
            "plain": partial(both_ways, plain, x, d_output),
            "second layer": partial(both_ways, FastLSTM(H, H, rng=0), d_output, d_output),
            "two layers": partial(both_ways, FastLSTM(D, H, 2, rng=0), x, d_output),
            "both directions": partial(both_ways, FastLSTM(D, H, bidirectional=True, rng=0), x, wide),
            "peepholes": partial(both_ways, FastLSTM(D, H, peephole=True, rng=0), x, d_output),
        }
        if B > 1:
            runs["ragged"] = partial(both_ways, plain, x, d_output, lengths=lengths)
        rounds = LEAST if SCALE < 1 or T * B * H > 2e6 else 15
        times = race(runs, rounds, 1)
        times["share: two layers"] = times["plain"] + times["second layer"]
        times["share: both directions"] = 2 * times["plain"]
        times["share: peepholes"] = times["plain"]
        row = {name: against(times, f"share: {name}")[name] for name in ("two layers", "both directions", "peepholes")}
        if B > 1:
            times["share: ragged"] = times["plain"] * lengths.mean() / T
            row["ragged"] = against(times, "share: ragged")["ragged"]
            row["ragged by padded"] = against(times, "plain")["ragged"]
            d_theirs, run = torch.tensor(d_output), partial(packed, theirs, leaf, longest)
            theirs_runs = {"torch padded": partial(gradient, partial(hidden_states, theirs, leaf), leaves, d_theirs)}
            theirs_runs["torch packed"] = partial(gradient, run, leaves, d_theirs[: int(longest[0])])
            times = race(theirs_runs, 3 if T >= 1000 else LEAST, 1)  # there packing takes seconds
            row["torch: packed by padded"] = against(times, "torch padded")["torch packed"]
        table(f"{key(sizes)}, both ways, as multiples of the share", row, "its share")
        for name in ("two layers", "both directions", "peepholes", "ragged"):
            if name in row:
                met = row[name]["median"] <= MARGIN * SHARE_GOAL
                print(f"  {name}: goal {SHARE_GOAL:g} {'met' if met else 'missed'}, at {row[name]['median']:.2f}")
        found[key(sizes)] = row | {"mean length": float(lengths.mean() / T)}
    return found


def training(K=10):
    """Measure what a training step costs outside the LSTM, with one answer a sequence and one a step."""
    found = {}
    for sizes in GOALS:
        T, B, D, H = sizes
        x, d_output, lstm, _, _ = draw(*sizes)
        found[key(sizes)] = {}
        for answers, shape in (("one", (B,)), ("every step", (T, B))):
            head, target = Linear(H, K, rng=0), np.random.default_rng(0).integers(K, size=shape)
            features = d_output if len(shape) == 2 else d_output[-1]
            d_logits = cross_entropy(head(features), target)[1]
            head.backward(d_logits)
            both_ways(lstm, x, d_output)
            parameters = {f"lstm.{k}": v.copy() for k, v in lstm.parameters.items()}
            parameters |= {f"head.{k}": v.copy() for k, v in head.parameters.items()}
            gradients = {f"lstm.{k}": v for k, v in lstm.gradients.items()}
            gradients |= {f"head.{k}": v for k, v in head.gradients.items()}
            runs = {
                "LSTM": partial(both_ways, lstm, x, d_output),
                "head": partial(both_ways, head, features, d_logits),
                "loss": partial(cross_entropy, head(features), target),
                "clipping": partial(clip_gradients, gradients, 1.0),
                "Adam": partial(Adam(parameters).step, gradients),
            }
            times = race(runs, 3 if SCALE < 1 else 11, 1)
            spread = against(times | {"whole": sum(times.values())}, "whole")
            row = {name: spread[name]["median"] for name in runs}
            found[key(sizes)][answers] = row
            found[key(sizes)][f"{answers}, quartiles"] = {n: [spread[n]["low"], spread[n]["high"]] for n in runs}
            words = ", ".join(f"{name} {100 * share:.1f}%" for name, share in row.items())
            worst = max(share for name, share in row.items() if name != "LSTM")
            print(f"{key(sizes)}, {answers}: {words}; largest {'within' if worst <= REST_GOAL else 'above'} 15%")
    return found


def growth():
    """Measure time and peak memory of a training step against T, B and H, and fit exponents."""
    found = {}
    for axis, values in GROWING.items():
        letter, rows = "TBDH"[axis], {"values": values}
        rows |= {f"{name} {what}": [] for name in ("numpy", "torch") for what in ("ms", "MiB", "quartiles")}
        for value in values:
            sizes = list(BASE)
            sizes[axis] = value
            x, d_output, lstm, theirs, _ = draw(*sizes)
            leaf = torch.tensor(x).requires_grad_()
            leaves, d_theirs = [leaf, *theirs.parameters()], torch.tensor(d_output)
            runs = {"numpy": partial(both_ways, lstm, x, d_output)}
            runs["torch"] = partial(gradient, partial(hidden_states, theirs, leaf), leaves, d_theirs)
            for name, each in race(runs, 3 if SCALE < 1 else 9, 1).items():
                rows[f"{name} ms"].append(1e3 * float(np.median(each)))
                rows[f"{name} quartiles"].append(1e3 * np.percentile(each, [25, 75]))
                rows[f"{name} MiB"].append(alone(name, *sizes) / 2**20)
        logs = {k: np.log(np.maximum(v, 1e-3)) for k, v in rows.items() if "quartiles" not in k}
        rows["exponents"] = {name: float(np.polyfit(logs["values"], y, 1)[0]) for name, y in logs.items()}
        print(letter, {name: round(power, 2) for name, power in rows["exponents"].items() if name != "values"})
        found[letter] = rows
    return found | {"base": BASE}


def threads():
    """Time the same forward with one thread for linear algebra and with two: on the clock, and over all processors."""
    found = {}
    for sizes in ((50, 32, 64, 128), (200, 64, 128, 256), (20, 256, 256, 512)):
        x, _, lstm, *_ = draw(*sizes)
        times, started = {(n, clock): [] for n in (1, 2) for clock in ("wall", "CPU")}, time.perf_counter()
        for number in range(3 if SCALE < 1 else 31):
            if number >= LEAST and time.perf_counter() - started > 10:
                break  # two threads can be very slow where other programs run
            for n in (1, 2) if number % 2 else (2, 1):
                with threadpool_limits(n):
                    lstm(x)
                    wall, cpu = time.perf_counter(), time.process_time()
                    lstm(x)
                    times[n, "wall"].append(time.perf_counter() - wall)
                    times[n, "CPU"].append(time.process_time() - cpu)
        ms = {f"{n} {clock}": 1e3 * float(np.median(each)) for (n, clock), each in times.items()}
        ms |= {
            f"two by one, {c}": against({k: np.array(v) for k, v in times.items()}, (1, c))[2, c]
            for c in ("wall", "CPU")
        }
        found[key(sizes)] = ms
        print(f"{key(sizes)}: ", {name: round(v if isinstance(v, float) else v["median"], 2) for name, v in ms.items()})
    one_thread()
    return found


def seconds_of(call, at_least=0.002):
    """Return the median CPU time of a call, timed many at once."""
    n = 1
    while True:
        started = time.process_time()
        for _ in range(n):
            call()
        if time.process_time() - started > at_least:
            break
        n *= 2
    times = []
    for _ in range(3 if SCALE < 1 else 9):
        started = time.process_time()
        for _ in range(n):
            call()
        times.append((time.process_time() - started) / n)
    return float(np.median(times))


def climb(rungs, pieces, arguments, rivals_, reference, branch=()):
    """Predict each rung from its pieces, then race the rungs; `arguments` are by rung, or None for all others.

    `branch` holds what is compared with a rung further down than the one before.
    """
    rungs, branch = [*rungs, *branch], dict(branch)
    predicted = {name: 1e3 * sum(n * seconds_of(call) for n, call in each) for name, each in pieces.items()}
    runs = {rung.__name__: partial(rung, *arguments.get(rung, arguments[None])) for rung in rungs}
    want = runs[rungs[0].__name__]()
    for name, run in runs.items():
        for got, right in zip(run(), want, strict=True):
            assert np.abs(got - right).max() <= 1e-5 * max(1, np.abs(right).max()), name
    times = race(runs | rivals_, 3 if SCALE < 1 else 25, 2)
    against_torch, found, before = against(times, reference), [], None
    for rung in rungs:
        name = rung.__name__
        row = {"rung": name, "trick": rung.__doc__.strip().splitlines()[0], "predicted ms": predicted[name]}
        row |= {"torch": against_torch[name]}
        before = branch[rung].__name__ if rung in branch else before
        if before:
            gain = against({"gain": times[before], name: times[name]}, name)["gain"]
            row |= {"predicted gain": predicted[before] / predicted[name], "gain": gain}
            print(f"  {name:17} predicted {row['predicted gain']:5.2f}, measured {gain['median']:5.2f}", end="")
        else:
            print(f"  {name:17}", " " * 32, end="")
        print(f"   {against_torch[name]['ms']:8.2f} ms, predicted {predicted[name]:8.2f}")
        before = name
        found.append(row)
    branches = [found.pop() for _ in branch]
    return {"rungs": found, "branches": branches, "lines": {name: against_torch[name] for name in rivals_}}


def climb_ladder():
    """Climb both ladders at two sizes."""
    found = {}
    for sizes in ((50, 32, 64, 128), (100, 1, 32, 64)):
        x, d_output, _, theirs, weights = draw(*sizes)
        h, c = np.zeros((2, *d_output.shape[1:]), np.float32)
        weight_ih, weight_hh, bias = weights[0], weights[1], weights[2] + weights[3]
        plain = ladder.arrays_of(lstm_sequence(x, (h, c), weight_ih, weight_hh, bias, 0 * bias)[2])
        fused = fused_sequence(x, (h, c), weight_ih, weight_hh, bias, 0 * bias)[2]
        tensor, d_theirs = torch.tensor(x), torch.tensor(d_output)
        leaf = tensor.clone().requires_grad_()
        output = theirs(leaf)[0]
        graph = partial(torch.autograd.grad, output, [leaf, *theirs.parameters()], d_theirs, retain_graph=True)
        print(f"\nThe ladder at {key(sizes)}, forward, then backward: gains over the rung before")
        lines = {TORCH: partial(torch.inference_mode()(theirs), tensor), "floor": partial(rivals.floor, x, weights)}
        given = {None: (x, h, c, weight_ih, weight_hh, bias)}
        forward = climb(ladder.FORWARD, ladder.forward_pieces(*sizes), given, lines, TORCH, ladder.BRANCH)
        lines = {TORCH: graph, "floor": partial(rivals.floor_backward, x, weights, d_output)}
        given = {None: (d_output, plain), ladder.fused_backward: (d_output, fused)}
        backward = climb(ladder.BACKWARD, ladder.backward_pieces(*sizes), given, lines, TORCH)
        found[key(sizes)] = {"forward": forward, "backward": backward}
    return found


def main():
    """Run everything, each part in turn."""
    one_thread()
    torch.manual_seed(0)
    results, started = {"sizes": list(GOALS)}, time.perf_counter()
    parts = dict(ladder=climb_ladder, table=race_table, inference=inference, memory=memory)
    parts |= dict(shares=shares, training=training, growth=growth, threads=threads)
    wanted = sys.argv[2:] or list(parts)
    for name, part in ((name, parts[name]) for name in wanted):
        print(f"\n# {name}", flush=True)
        results[name] = part()
        print(f"({time.perf_counter() - started:.0f} s)", flush=True)
    if wanted == list(parts):
        save("lstm", results)


if __name__ == "__main__":
    main()
