"""Study of the chapter training: what helps an LSTM to learn, and what keeps it from learning too much.

**Names** (city names to countries, as in `names_and_vowels.py`): the same 960 test names for every seed; the others are
divided anew by each seed into 3,360 for training and 480 for validation. Batches of 64, vectors of 32 for the letters,
the head reads the last valid state. Every contender has six tries on the division of seed 100; the one with the lowest
validation cross-entropy is trained with the seeds. Unless said otherwise `learning.learn` trains: Adam with decoupled
weight decay, gradients clipped at norm 1, the rate halved at a plateau, an end after six epochs without a better
validation cross-entropy, the weights of the best epoch; at most 300 epochs.

- `regularisers`: 64 units and one way to regularise, or none, with three strengths and two rates ("none": six rates);
  two layers of 40 units have about as many weights. Ten seeds. `seconds` is the processor time of an epoch.
- `checkpoints`: no regularisation, a constant rate (that of "none"), 40 epochs: the test at the best validation epoch
  and at the last. Ten seeds.
- `sizes`: 16 to 128 units, and two and three layers with about as many weights as one of 64. Three rates, each with no
  regularisation and with `BOTH` (between layers as well, where there are several). Five seeds.
- `optimisers`: Adam and SGD with momentum 0.9, with and without clipping, six rates each, no regularisation and no
  weight decay. Five seeds. "Adam, clipped" is "none" of the regularisers.
- `map`: the validation cross-entropy after each of 20 epochs at a constant rate, with `BOTH`, at three sizes and five
  rates: everything is shown, nothing chosen. Five seeds.

**The first symbol decides** (as in `first_symbol.py`: 16 units, its tries, 20 seeds, the same budget).

- `initial`: four ways to initialise that study left out, at 20 and at 50 steps: forget bias 0; orthogonal recurrent
  weights, a matrix for each gate, alone and with forget bias 3; and Keras's default.
- `clipping`: a plain RNN with its recurrent weights doubled at the start, 20 steps, at most 1,000 updates: Adam and SGD
  with momentum, with gradients as they are, clipped by norm (1) and by value (0.1), at six rates each: everything is
  shown, nothing chosen.

About thirty-five minutes on two cores.
"""

import math
import time
from functools import partial

import first_symbol
import numpy as np
import torch
from first_symbol import TRIES
from learning import Unpacked, cut, learn, predict, shuffled
from many_seeds import Adam, initial, measure
from many_seeds import train as train_together
from names_and_vowels import judge, task_of
from protocol import paired, run, save, search, share
from torch import nn
from torch.func import functional_call

from lstm_tutorial.in_torch import cross_entropy, fit

TEN, FIVE, SEARCHED = range(10), range(5), 100
BOTH = dict(inputs=0.3, head=0.3, weight_decay=0.1)  # what `names_and_vowels.py` chose for this network
RATES = [0.0005, 0.001, 0.002, 0.003, 0.005, 0.01]
SLOWER = [0.003, 0.01, 0.03, 0.1, 0.3, 1.0]  # of SGD
STRENGTHS = {
    "weight decay": [dict(weight_decay=decay) for decay in (0.1, 0.3, 1.0)],
    "inputs": [dict(inputs=p) for p in (0.1, 0.3, 0.5)],
    "head": [dict(head=p) for p in (0.1, 0.3, 0.5)],
    "state": [dict(state=p) for p in (0.1, 0.3, 0.5)],
    "recurrent weights": [dict(recurrent=p) for p in (0.1, 0.3, 0.5)],
    "together": [dict(inputs=p, head=p, weight_decay=0.1) for p in (0.2, 0.3, 0.5)],
    "two layers, between": [dict(between=p) for p in (0.1, 0.3, 0.5)],
}
TRIED = {  # by regulariser: its six tries
    **{name: [dict(lr=lr) for lr in RATES] for name in ("none", "two layers, none")},
    **{name: [dict(lr=lr) | each for lr in (0.003, 0.01) for each in row] for name, row in STRENGTHS.items()},
}
SIZES = {"64": (64, 1), "16": (16, 1), "32": (32, 1), "128": (128, 1), "40 x 2": (40, 2), "32 x 3": (32, 3)}
OPTIMISERS = ("Adam, unclipped", "SGD, clipped", "SGD, unclipped")
MAP = {"H": (16, 64, 128), "lr": (0.0003, 0.001, 0.003, 0.01, 0.03), "epochs": 20}
INITIAL = ("bias 0", "orthogonal", "orthogonal, bias 3", "Keras")


class StateDropout(nn.LSTM):
    """An LSTM whose gates read h times one mask for all steps in training (Gal and Ghahramani 2016), one a sequence."""

    p = 0.0

    def forward(self, x, state=None):
        """Return the output (B, T, H), and no state."""
        if not self.training:
            return super().forward(x, state)
        z = nn.functional.linear(x, self.weight_ih_l0, self.bias_ih_l0 + self.bias_hh_l0)  # (B, T, 4H)
        h = c = x.new_zeros(len(x), self.hidden_size)
        mask, output = nn.functional.dropout(torch.ones_like(h), self.p), []  # the rest is scaled by 1 / (1 - p)
        for z_t in z.unbind(1):
            i, f, g, o = torch.addmm(z_t, h * mask, self.weight_hh_l0.T).chunk(4, dim=1)
            c = f.sigmoid() * c + i.sigmoid() * g.tanh()
            h = o.sigmoid() * c.tanh()
            output.append(h)
        return torch.stack(output, dim=1), None


class WeightDropout(nn.Module):
    """torch's LSTM with a share of the recurrent weights set to 0 in each training batch (Merity et al. 2018)."""

    bidirectional, batch_first = False, True

    def __init__(self, input_size, hidden_size, p):
        super().__init__()
        self.input_size, self.hidden_size, self.p = input_size, hidden_size, p
        self.inner = nn.LSTM(input_size, hidden_size, batch_first=True)

    def forward(self, x, state=None):
        """Return the output (B, T, H) and the final state."""
        kept = nn.functional.dropout(self.inner.weight_hh_l0, self.p, self.training)
        return functional_call(self.inner, {"weight_hh_l0": kept}, (x,))


def make(task, seed, H=64, layers=1, inputs=0.0, head=0.0, state=0.0, recurrent=0.0, between=0.0):
    """Return a network for names, drawn from a seed; the shares of dropout by their place."""
    torch.manual_seed(seed)
    if state:
        lstm = StateDropout(task.E, H, batch_first=True)
        lstm.p = state
    elif recurrent:
        lstm = WeightDropout(task.E, H, recurrent)
    else:
        lstm = nn.LSTM(task.E, H, layers, batch_first=True, dropout=between)
    model = Unpacked(task.D, H, task.K, "last", embedding=task.E, lstm=lstm, rng=seed)
    if inputs:
        model.embedding = nn.Sequential(model.embedding, nn.Dropout(inputs))
    if head:
        model.head = nn.Sequential(nn.Dropout(head), model.head)
    return model


def network(contender, seed, lr, weight_decay=0.0, **dropout):
    """Train a network for names until validation is best; return its scores on all parts, its curve and its cost.

    A loss that is not finite ends the training, and the network then counts as one that gives every class a score of 0.
    """
    task, rng, two = task_of("names", seed), np.random.default_rng(seed), contender.startswith("two layers")
    H, layers = (40, 2) if two else SIZES.get(contender, (64, 1))
    model, started = make(task, seed, H, layers, **dropout), time.process_time()
    x, lengths, y = map(torch.as_tensor, task.validation)
    how = dict(lr=lr, weight_decay=weight_decay, epochs=300)
    if "SGD" in contender:
        how["optimiser"] = partial(torch.optim.SGD, momentum=0.9)
    if "unclipped" in contender:
        how["clip_norm"] = None

    def epoch():
        return cut(shuffled(task.train, task.B, rng))

    def validate():
        return cross_entropy(model(x, lengths), y)

    try:
        found = learn(model, epoch, cross_entropy, validate, **how) | {"diverged": False}
    except FloatingPointError:
        found = {"best": math.inf, "at": 0, "curve": [], "ended": False, "diverged": True}
    found["seconds"] = (time.process_time() - started) / max(1, len(found["curve"]))
    found["weights"] = sum(p.numel() for p in model.parameters())
    for part in ("train", "validation", "test"):
        each = getattr(task, part)
        scores = np.zeros((len(each.y), task.K)) if found["diverged"] else predict(model, each.x, each.lengths)
        found[part] = judge(scores, each.y)
    return found


def validation(**setting):
    """Return the validation cross-entropy of a try."""
    return network(**setting)["best"]


def compare(name, tries, seeds, against=None):
    """Search, then train one contender; return its scores and the differences from `against`, seed by seed."""
    chosen = search(validation, [name], tries, SEARCHED)[name]
    runs = list(run(network, [dict(contender=name, seed=seed) | chosen["chosen"] for seed in seeds]))
    found = {}
    for part in ("train", "test"):
        found |= {f"{score} on {part}": [each[part][score] for each in runs] for score in ("right", "nats")}
    found |= {"best epoch": [each["at"] for each in runs], "weights": runs[0]["weights"]}
    found |= {name: [each[name] for each in runs] for name in ("ended", "diverged", "seconds")}
    found |= {"curves": [np.round(each["curve"], 3) for each in runs[:2]]}
    scores = [round(score, 4) if math.isfinite(score) else None for score in chosen["scores"]]
    found |= {"chosen": chosen["chosen"], "tries": tries, "scores": scores}
    for score in ("right", "nats") if against else ():
        found[f"{score}, difference"] = paired(found[f"{score} on test"], against[f"{score} on test"][: len(seeds)])
    print(f"{name}: {np.median(found['right on test']):.1f}, {chosen['chosen']}", flush=True)
    return found


def constant(seed, H, lr, epochs, weight_decay=0.0, test=False, **options):
    """Train at a constant rate to the end; return the validation cross-entropy after each epoch.

    With `test` also the training cross-entropy, and the scores on the test at the best epoch and at the last.
    """
    task, rng = task_of("names", seed), np.random.default_rng(seed)
    model = make(task, seed, H, **options)
    optimiser = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=weight_decay)
    found = {part: [] for part in ("train", "validation")[not test :]}
    for _ in range(epochs):
        fit(model.train(), cut(shuffled(task.train, task.B, rng)), cross_entropy, optimiser, progress=False)
        for part, curve in found.items():
            each = getattr(task, part)
            curve.append(judge(predict(model, each.x, each.lengths), each.y)["nats"])
        if test and found["validation"][-1] == min(found["validation"]):
            best = {name: value.clone() for name, value in model.state_dict().items()}
    if test:
        x, lengths, y = task.test
        found["last"] = judge(predict(model, x, lengths), y)
        model.load_state_dict(best)
        found["best"] = judge(predict(model, x, lengths), y)
    return found


def checkpoints(lr):
    """Return the curves without regularisation, and what the best epoch gains over the last."""
    runs = list(run(constant, [dict(seed=seed, H=64, lr=lr, epochs=40, test=True) for seed in TEN]))
    found = {"lr": lr} | {part: np.round([each[part] for each in runs], 3) for part in ("train", "validation")}
    for score in ("right", "nats"):
        best, last = ([each[at][score] for each in runs] for at in ("best", "last"))
        found |= {f"{score}, best": best, f"{score}, last": last, f"{score}, difference": paired(best, last)}
    return found


def learning_rates():
    """Return the map: by size and rate, the validation cross-entropy of each seed after each epoch."""
    cells = [(H, lr) for H in MAP["H"] for lr in MAP["lr"]]
    ways = [dict(seed=seed, H=H, lr=lr, epochs=MAP["epochs"]) | BOTH for H, lr in cells for seed in FIVE]
    curves = [np.round(each["validation"], 3) for each in run(constant, ways)]
    return MAP | {"curves": {f"{H}, {lr}": curves[5 * k : 5 * k + 5] for k, (H, lr) in enumerate(cells)}}


def initialised(name, seeds):
    """Return the parameters of an LSTM for the first symbol, initialised in one of the ways of `INITIAL`."""
    bias = {"bias 0": 0, "orthogonal, bias 3": 3, "Keras": 1}.get(name)
    p = initial("LSTM", 2, first_symbol.H, seeds, forget_bias=bias)
    with torch.random.fork_rng():
        for row, seed in enumerate(seeds):
            torch.manual_seed(seed)
            if name == "Keras":  # one orthogonal matrix for all gates; Glorot's uniform weights; no other bias
                nn.init.orthogonal_(p["weight_hh"][row])
                nn.init.xavier_uniform_(p["weight_ih"][row])
                p["bias_ih"][row], p["bias_hh"][row] = 0, 0
                p["bias_ih"][row, first_symbol.H : 2 * first_symbol.H] = bias
            elif "orthogonal" in name:
                for block in p["weight_hh"][row].split(first_symbol.H):
                    nn.init.orthogonal_(block)
    return p


def first_symbol_of(name, T):
    """Return what `first_symbol.py` stores of a contender, for one of the ways of `INITIAL`."""
    task = (first_symbol.draw, T)
    return measure(partial(initialised, name), first_symbol.SEEDS, TRIES, first_symbol.BUDGET, *task, binary=True)


class Unclipped(Adam):
    """Adam for many seeds, with the gradients as they are."""

    def __init__(self, p, lr):
        super().__init__(p, lr, clip_norm=math.inf)


class SGD:
    """SGD with momentum 0.9 for many seeds, as torch has it."""

    def __init__(self, p, lr):
        self.lr, self.v = lr, {name: torch.zeros_like(value) for name, value in p.items()}

    def update(self, p, d):
        """Change the parameters p in place, by their gradients d."""
        for name, value in p.items():
            self.v[name].mul_(0.9).add_(d[name])
            value.sub_(self.lr.view((-1,) + (1,) * (value.dim() - 1)) * self.v[name])

    def select(self, rows):
        """Go on with these seeds alone."""
        self.lr, self.v = self.lr[rows], {name: value[rows] for name, value in self.v.items()}


def by_norm(d, limit=1.0):
    """Scale all gradients of a seed by one factor, so that their joint norm is at most `limit`."""
    norm = torch.stack([each.flatten(1).square().sum(dim=1) for each in d.values()]).sum(dim=0).sqrt()
    scale = (limit / (norm + 1e-6)).clamp(max=1)
    return {name: each * scale.view((-1,) + (1,) * (each.dim() - 1)) for name, each in d.items()}


def by_value(d, limit=0.1):
    """Cut every number of a gradient off at `limit`."""
    return {name: each.clamp(-limit, limit) for name, each in d.items()}


RULES = {"Adam": (Unclipped, TRIES), "SGD": (SGD, SLOWER[::-1])}
CLIPS = {"none": dict, "norm": by_norm, "value": by_value}


def clipping(rule, clip, T=20, budget=1000, seeds=first_symbol.SEEDS):
    """Return by rate the share of seeds of an RNN with doubled recurrent weights that learn, and their updates."""
    kind, rates = RULES[rule]

    class Rule(kind):
        def update(self, p, d):
            super().update(p, CLIPS[clip](d))

    rows = [*seeds] * len(rates)
    p = initial("RNN", 2, first_symbol.H, rows)
    p["weight_hh"] *= 2
    lr = np.repeat(rates, len(seeds))
    found = train_together(p, rows, lr, first_symbol.draw, T, binary=True, budget=budget, rule=Rule)
    at = np.reshape(np.array(found["solved_at"], dtype=object), (len(rates), -1)).tolist()
    learned = [share(sum(each is not None for each in row), len(seeds)) for row in at]
    return {"rates": rates, "learned": learned, "solved_at": at, "still falling": sum(found["falling"])}


if __name__ == "__main__":
    results = {"settings": dict(both=BOTH, map=MAP)}

    def keep(part, name, found):
        results.setdefault(part, {})[name] = found
        save("training", results, seeds=TEN)

    for name, tries in TRIED.items():
        base = "two layers, none" if name == "two layers, between" else "none"
        keep("regularisers", name, compare(name, tries, TEN, results.get("regularisers", {}).get(base)))
    results["checkpoints"] = checkpoints(results["regularisers"]["none"]["chosen"]["lr"])
    for name, (_, layers) in SIZES.items():
        regularised = BOTH | (dict(between=0.3) if layers > 1 else {})
        tries = [dict(lr=lr) | each for lr in (0.003, 0.01, 0.03) for each in ({}, regularised)]
        keep("sizes", name, compare(name, tries, FIVE, results.get("sizes", {}).get("64")))
    for name in OPTIMISERS:
        tries = [dict(lr=lr) for lr in (SLOWER if "SGD" in name else RATES)]
        keep("optimisers", name, compare(name, tries, FIVE, results["regularisers"]["none"]))
    ways = [(name, T) for T in (20, 50) for name in INITIAL]
    for (name, T), found in zip(ways, run(first_symbol_of, [dict(name=name, T=T) for name, T in ways])):
        keep("initial", f"{T}, {name}", found)
    ways = [(rule, clip) for rule in RULES for clip in CLIPS]
    for (rule, clip), found in zip(ways, run(clipping, [dict(rule=rule, clip=clip) for rule, clip in ways])):
        keep("clipping", f"{rule}, {clip}", found)
    keep("map", "names", learning_rates())
