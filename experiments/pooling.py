"""Study of the chapter pooling: padding, a mark at the end, outliers and gradients, under last, max and mean.

The tasks, splits, networks, eight tries and training are those of `names_and_vowels.py`; the masked scores of last, max
and mean are its own, and the masked LSTMs that are examined here have the settings it chose. Every other contender is
searched alike, on the division of seed 100, and trained with seeds 0 to 9. Differences are taken seed by seed.

Padding. "pool unmasked": the LSTM returns 0 past a length and the pool goes over all steps. "both unmasked": the LSTM
reads the padding too. Vowels are padded with zeros to 40 frames in training and validation, and tested at 40, 80 and
160; names with their padding token to 20, and tested at 20 and 80 (both unmasked, max and mean alone: the budget).

A mark. Masked, with one more symbol in each name: the stop symbol after the last letter ("mark at the end"), or the
same symbol in front of the first letter ("mark in front"), which makes a name as long but says nothing of its end.

Outliers. A layer (linear, or the same with tanh, on each frame alone; RNN; LSTM) under max, mean and median, on vowels.
One frame of each test utterance, drawn uniformly, is moved by 3, 10 or 100 standard deviations in every channel, each
up or down by the toss of a coin; five such draws, averaged for each network. No network saw one in training. In the
LSTMs with a maximum, gates are held at 0 or 1 at that frame, and, as a control, at the same frame when it is not moved.

Gradients: of the loss, its norm at each input as a share of the sum over steps, averaged over sequences.
About ten minutes on two cores.
"""

import json
from itertools import product

import numpy as np
import torch
from learning import predict
from names_and_vowels import SEARCHED, TRIES, EachStep, judge, make, task_of, train
from protocol import RESULTS, paired, run, save, search
from torch import nn

from lstm_tutorial.data import STOP
from lstm_tutorial.in_torch import cross_entropy, last_pool, max_pool, mean_pool
from lstm_tutorial.in_torch.padding import fill_padding, valid_steps

SEEDS = range(10)
WIDTHS = {"vowels": (40, 80, 160), "names": (20, 80)}  # trained at the first
SIZES, DRAWS = (3, 10, 100), 5
PADDED = [("vowels", "LSTM", pool, f"{who} unmasked") for pool in ("last", "max", "mean") for who in ("pool", "both")]
MARKED = [
    ("names", "LSTM", pool, way)
    for pool in ("mean", "max")
    for way in ("both unmasked", "mark at the end", "mark in front")
]
LAYERS, POOLS = ("linear", "tanh", "RNN", "LSTM"), ("max", "mean", "median")


class Linear(EachStep):
    """`EachStep` without its tanh."""

    def forward(self, x, state=None):
        """Map x (B, T, D) to (B, T, H)."""
        return self.layer(x), None


class Unmasked(nn.Module):
    """A network whose pool goes over T steps; `knows`: its LSTM returns 0 past a length, else it reads the padding."""

    def __init__(self, model, T, knows):
        super().__init__()
        self.model, self.T, self.knows = model, T, knows

    def forward(self, x, lengths):
        """Map x (B, at most T, ...) to scores (B, K); what stands past a length becomes 0, and more zeros follow."""
        x = fill_padding(x, valid_steps(lengths, x.shape[1]), 0)
        x = nn.functional.pad(x, (0, 0) * (x.ndim - 2) + (0, self.T - x.shape[1]))
        output, _ = self.model.read(x, None)
        if self.knows:
            output = fill_padding(output, valid_steps(lengths, self.T), 0)
        return self.model.head(self.model.pool(output, None))


def median_pool(x, lengths):
    """Take the median of each feature over the valid steps, x (B, T, D) to (B, D)."""
    ordered = fill_padding(x, valid_steps(lengths, x.shape[1]), torch.inf).sort(dim=1).values
    rows, lengths = torch.arange(len(x)), torch.as_tensor(lengths)
    return (ordered[rows, (lengths - 1) // 2] + ordered[rows, lengths // 2]) / 2


def with_mark(part, way):
    """The same names, each with one more symbol."""
    x, front = np.pad(part.x, ((0, 0), (0, 1))), way == "mark in front"
    x = np.roll(x, 1, axis=1) if front else x
    x[np.arange(len(x)), 0 if front else part.lengths] = STOP
    return part._replace(x=x, lengths=part.lengths + 1)


def fitted(contender, seed, lr, dropout, weight_decay):
    """Train the network `contender` = (task, layer, pool, way); return the task, the network and its curve."""
    name, layer, pool, way = contender
    task = task_of(name, seed)
    if "mark" in way:
        parts = ("train", "validation", "test")
        task = task._replace(**{part: with_mark(getattr(task, part), way) for part in parts})
    trunk = {"LSTM": "", "RNN": "RNN, "}.get(layer, "no LSTM, ")
    model = make(task, trunk + pool.replace("median", "mean"), seed, dropout)
    if pool == "median":
        model.pool = median_pool
    if layer == "linear":
        plain = Linear(task.D, task.H)
        plain.load_state_dict(model.lstm.state_dict())
        model.lstm = plain
    if "unmasked" in way:
        model = Unmasked(model, WIDTHS[name][0], way == "pool unmasked")
    return task, model, train(task, model, seed, lr, weight_decay)


def tried(**setting):
    """Return the validation cross-entropy of a try."""
    return fitted(**setting)[2]["best"]


def tested(**setting):
    """Train a network; return what it gets right and its cross-entropy, at every width, and its curve."""
    task, model, found = fitted(**setting)
    for T in WIDTHS[setting["contender"][0]] if isinstance(model, Unmasked) else ("as it is",):
        model.T = T
        for key, value in judge(predict(model, task.test.x, task.test.lengths), task.test.y).items():
            found.setdefault(key, {})[str(T)] = value
    return found


# Outliers


def moved(part, s, draw):
    """Move a frame of each utterance by s standard deviations in every channel, up or down; return x and the frames."""
    rng = np.random.default_rng([draw, 1])
    frames = rng.integers(part.lengths)
    x = part.x.copy()
    x[np.arange(len(x)), frames] += s * rng.choice([-1, 1], size=(len(x), x.shape[2]))
    return x, frames


def states(model, x, lengths):
    """Return the states (N, T, H) that the pool sees, as an array."""
    with torch.no_grad():
        return model.read(torch.as_tensor(x), lengths)[0].numpy()


def disturbed(**setting):
    """Train a network on vowels; return what it gets right with and without outliers, and more under a maximum."""
    task, model, found = fitted(**setting)
    test, (_, layer, pool, _) = task.test, setting["contender"]
    found["clean"] = judge(predict(model, test.x, test.lengths), test.y)["right"]
    for s in SIZES:
        bad = [moved(test, s, draw)[0] for draw in range(DRAWS)]
        found[str(s)] = np.mean([judge(predict(model, x, test.lengths), test.y)["right"] for x in bad])
    if pool == "max":
        found |= taken(model, test)
    if (layer, pool) == ("LSTM", "max"):
        h = states(model, test.x, test.lengths)
        found |= {"gates": held(model, test), "wrong": wrong_maxima(h, test.lengths)} | winners(h, test.lengths)
    return found


def taken(model, test):
    """Return what the frame moved by 100 wins, in percent of the units, |h| there, and how far h is off afterwards."""
    clean, (x, frames) = states(model, test.x, test.lengths), moved(test, 100, 0)
    rows, h = np.arange(len(x)), states(model, x, test.lengths)
    top = max_pool(torch.as_tensor(h), test.lengths).numpy()
    found = {"won": 100 * np.mean(h[rows, frames] == top), "size": np.abs(h[rows, frames]).mean()}
    off, found["lasting"] = np.abs(h - clean).mean(axis=2), []  # (N, T)
    for lag in range(13):
        rows = np.flatnonzero(frames + lag < test.lengths)
        found["lasting"].append(off[rows, frames[rows] + lag].mean())
    return found


def held(model, test):
    """Return what is right when gates are held at the frame that is moved by 100, and when that frame stays clean."""
    found = {}
    for bad, holds in product((True, False), ({}, dict(f=0), dict(i=1, o=1), dict(i=1, o=1, f=0))):
        right = []
        for draw in range(DRAWS):
            x, frames = moved(test, 100, draw)
            output = by_hand(model.lstm, torch.as_tensor(x if bad else test.x), torch.as_tensor(frames), holds)
            scores = model.head(max_pool(output, test.lengths)).detach()
            right.append(judge(scores, test.y)["right"])
        held_at = ", ".join(f"{gate} {value}" for gate, value in holds.items()) or "none held"
        found[f"{'moved' if bad else 'clean'}: {held_at}"] = np.mean(right)
    return found


def by_hand(lstm, x, frames, holds):
    """Run an LSTM step by step, with gates held at a value at one frame of each utterance; return h (N, T, H)."""
    x_gates = x @ lstm.weight_ih_l0.T + lstm.bias_ih_l0 + lstm.bias_hh_l0
    h = c = torch.zeros(len(x), lstm.hidden_size)
    output = []
    for t in range(x.shape[1]):
        i, f, g, o = (x_gates[:, t] + h @ lstm.weight_hh_l0.T).chunk(4, dim=1)
        gates = {"i": i.sigmoid(), "f": f.sigmoid(), "o": o.sigmoid()}
        for gate, value in holds.items():
            gates[gate] = torch.where((frames == t)[:, None], float(value), gates[gate])
        c = gates["f"] * c + gates["i"] * g.tanh()
        h = gates["o"] * c.tanh()
        output.append(h)
    return torch.stack(output, dim=1)


# Padding and gradients, of networks that are there already


def wrong_maxima(h, lengths):
    """Return the percentage of units whose maximum over the first n steps is below 0, for every n from 2 on."""
    highest, lengths = np.maximum.accumulate(h, axis=1), np.asarray(lengths)
    enough = [n for n in range(2, h.shape[1]) if np.sum(lengths >= n) >= 30]
    return {n: 100 * np.mean(highest[lengths >= n, n - 1] < 0) for n in enough}


def winners(h, lengths):
    """Return how many steps win a unit's maximum, and the percentage of units that the first and the last step win."""
    h = fill_padding(torch.as_tensor(h), valid_steps(lengths, h.shape[1]), -torch.inf).numpy()
    won = h.argmax(axis=1)  # (N, H)
    ends = {"first": won == 0, "last": won == lengths[:, None] - 1}
    return {"distinct": np.mean([len(set(row)) for row in won])} | {k: 100 * v.mean() for k, v in ends.items()}


def untrained(seed):
    """Return wrong maxima of untrained networks, on noise and on vowels, and the shares of an LSTM's gradient."""
    found, vowels = {}, task_of("vowels", seed)
    noise = np.random.default_rng(seed).normal(size=(256, 40, 8)).astype("float32")
    for kind, layer in {"LSTM": nn.LSTM, "RNN": nn.RNN}.items():
        torch.manual_seed(seed)
        h = layer(8, 64, batch_first=True)(torch.as_tensor(noise))[0].detach().numpy()
        found[f"noise, {kind}"] = wrong_maxima(h, np.full(256, 40))
    lengths = vowels.test.lengths
    found["vowels, LSTM"] = wrong_maxima(states(make(vowels, "max", seed), vowels.test.x, lengths), lengths)
    rng = np.random.default_rng(seed)
    noise, y = rng.normal(size=(64, 50, 12)).astype("float32"), torch.as_tensor(rng.integers(9, size=64))
    for name, pool in {"last": last_pool, "max": max_pool, "mean": mean_pool}.items():
        torch.manual_seed(seed)
        lstm, head, x = nn.LSTM(12, 32, batch_first=True), nn.Linear(32, 9), torch.tensor(noise, requires_grad=True)
        cross_entropy(head(pool(lstm(x)[0])), y).backward()
        norms = x.grad.norm(dim=2)  # (N, T)
        found[f"share, {name}"] = (norms / norms.sum(dim=1, keepdim=True)).mean(dim=0).numpy()
    return found


# All of it


def gather(runs):
    """Return lists over the seeds of what each run found, and the curve of the first."""
    found = {key: [each[key] for each in runs] for key in runs[0] if key not in ("curve", "losses", "best")}
    return found | {"curve": np.round(runs[0]["curve"], 3)}


def compare(function, contender, masked):
    """Search for a contender's settings, or take those of the masked network; train it with every seed."""
    task, layer, pool, way = contender
    if (layer, way) == ("LSTM", "masked") and pool in masked[task]:
        each = {"chosen": masked[task][pool]["chosen"]}
    else:
        each = search(tried, [contender], TRIES, SEARCHED)[contender]
    settings = [dict(contender=contender, seed=seed) | each["chosen"] for seed in SEEDS]
    print(contender, each["chosen"], flush=True)
    return gather(list(run(function, settings))) | each


def against_masked(found, masked):
    """Add the differences from the masked network, seed by seed, at every width."""
    for key in ("right", "nats"):
        for T in found[key][0]:
            there = [each[T] for each in found[key]]
            found.setdefault(f"{key} against masked", {})[T] = paired(there, masked[key])
    return found


def main():
    """Run the study; return all results."""
    masked = json.loads((RESULTS / "names_and_vowels.json").read_text(encoding="utf-8"))["results"]
    results = {"padding": {}, "outliers": {}, "untrained": gather_untrained()}
    for layer, pool in product(LAYERS, POOLS):
        found = compare(disturbed, ("vowels", layer, pool, "masked"), masked)
        found["loses at 100"] = paired(found["clean"], found["100"])
        results["outliers"][f"{layer}, {pool}"] = found
    for layer in LAYERS:
        of = {pool: results["outliers"][f"{layer}, {pool}"] for pool in POOLS}
        for pool in ("mean", "median"):
            of["max"][f"at 100 against {pool}"] = paired(of["max"]["100"], of[pool]["100"])
    gates = results["outliers"]["LSTM, max"]["gates"]
    clean = [each["clean: none held"] for each in gates]
    results["gates lose"] = {way: paired(clean, [each[way] for each in gates]) for way in gates[0]}
    for contender in PADDED + MARKED:
        task, _, pool, way = contender
        found = against_masked(compare(tested, contender, masked), masked[task][pool])
        results["padding"][f"{task}, {pool}, {way}"] = found
    for pool in ("max", "mean"):
        end, front = (
            results["padding"][f"names, {pool}, mark {where}"]["right"] for where in ("at the end", "in front")
        )
        results[f"end against front, {pool}"] = paired(*([each["as it is"] for each in runs] for runs in (end, front)))
    return results


def gather_untrained():
    """Return what `untrained` finds, lists over the seeds."""
    runs = [untrained(seed) for seed in SEEDS]
    return {key: [each[key] for each in runs] for key in runs[0]}


if __name__ == "__main__":
    save("pooling", main(), SEEDS)
