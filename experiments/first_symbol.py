"""Study of the chapters memory and cell-state: the first symbol decides, and which network learns it at which lag.

Chosen before the first run: 16 units, batch 32, Adam, gradients clipped to norm 1; 20 seeds, at most 3,000 updates. For
every network and lag the learning rate is chosen among the same six, on three seeds of its own and half of the updates.
A seed has learned when fewer than 1% of 500 fresh validation sequences are answered wrongly. Before training, three
numbers are measured on the same initial weights, to see whether they predict who learns: `ratio`, |dh_T/dx_1| over
|dh_T/dx_T|, which is chapter memory's r_k for the first step; `gates`, the geometric mean over units of the product of
the forget gates from step 2 to T; `signal`, how much of the variance of h_T (to first order) comes from the first
symbol, while the rest comes from the noise.
"""

import numpy as np
import torch
from many_seeds import backward, batches, forward, initial, measure
from protocol import paired, run, save
from scipy.stats import spearmanr

from lstm_tutorial.data import first_symbol

H, SEEDS, BUDGET, LAGS = 16, range(20), 3000, (10, 20, 50, 100, 200)
TRIES = [0.1, 0.05, 0.02, 0.01, 0.005, 0.002]
CONTENDERS = {
    "RNN": dict(kind="RNN"),
    "LSTM, default": dict(kind="LSTM"),
    **{f"LSTM, bias {bias}": dict(kind="LSTM", forget_bias=bias) for bias in range(1, 7)},
    "LSTM, chrono": dict(kind="LSTM"),
}


def draw(rng, B, T):
    x, _, y = first_symbol(B, T, rng=rng)
    return x, y


def maker(name, T, **options):
    """Return what makes the parameters of a contender, given seeds."""
    chrono = {"chrono": T} if "chrono" in name else {}
    return lambda seeds: initial(D=2, H=H, seeds=seeds, **CONTENDERS[name], **chrono, **options)


def at_start(name, T, seeds, sequences=4):
    """Return `ratio`, `signal` and, for an LSTM, `gates` of untrained networks, an entry a seed."""
    p = maker(name, T, dtype=torch.float64)(seeds)
    x = batches([np.random.default_rng([seed, 3]) for seed in seeds], draw, sequences, T)[0].double()
    _, kept = forward(p, x.repeat_interleave(H, dim=1))  # (S, sequences * H, T, D): a copy for each unit of h_T
    one_each = torch.eye(H, dtype=torch.float64).repeat(sequences, 1).expand(len(seeds), -1, -1)
    d_x = backward(kept, one_each.contiguous(), need_x=True)[1].square().sum(dim=1)  # (S, T, D)
    size, symbol, noise = d_x.sum(dim=2), d_x[:, 0, 0], d_x[:, 1:, 1].sum(dim=1)
    found = {"ratio": (size[:, 0] / size[:, -1]).sqrt(), "signal": symbol / (symbol + noise)}
    if name != "RNN":
        log_f = sum(step[0][:, ::H, H : 2 * H].log() for step in kept[3][1:])  # (S, sequences, H)
        found["gates"] = log_f.mean(dim=(1, 2)).exp()
    return {key: value.numpy() for key, value in found.items()}


def setting(name, T, seeds=SEEDS, budget=BUDGET, tries=TRIES):
    """Return what one contender does at one lag."""
    return measure(maker(name, T), seeds, tries, budget, draw, T, binary=True) | at_start(name, T, seeds)


def predictions(runs):
    """Say how well what is measured before training goes with who learns, over all settings and within each lag."""
    found = {}
    for key in ("ratio", "signal"):
        rows = [(T, np.log10(np.median(each[key])), each) for T, names in runs.items() for each in names.values()]

        def correlation(rows, of):
            known = [(start, of(each)) for _, start, each in rows if of(each) is not None]
            if len(known) < 4 or len(set(value for _, value in known)) < 2:
                return None
            return float(spearmanr(*zip(*known)).statistic)

        def learned(each):
            return each["learned"]["share"]

        def updates(each):
            return each["updates"] and each["updates"][0]

        def wrong(threshold, rows=rows):
            return [
                f"{T}, {name(each, T)}" for T, start, each in rows if (start >= threshold) != (learned(each) >= 0.5)
            ]

        def name(each, T):
            return next(key for key, value in runs[T].items() if value is each)

        threshold = min((start for _, start, _ in rows), key=lambda start: len(wrong(start)))
        found[key] = {
            "settings": len(rows),
            "learned": correlation(rows, learned),
            "updates": correlation(rows, updates),
            "learned_by_lag": {T: correlation([row for row in rows if row[0] == T], learned) for T in runs},
            "updates_by_lag": {T: correlation([row for row in rows if row[0] == T], updates) for T in runs},
            "threshold": 10.0**threshold,
            "wrong_side": wrong(threshold),
        }
    return found


def compare(names, budget=BUDGET):
    """Return the paired difference of updates from the RNN, a seed that does not learn counted at the budget."""
    at = {name: [update or budget for update in each["solved_at"]] for name, each in names.items()}
    return {name: paired(each, at["RNN"]) for name, each in at.items() if name != "RNN" and "RNN" in at}


if __name__ == "__main__":
    settings = [dict(name=name, T=T) for T in LAGS for name in CONTENDERS]
    runs = {}
    for each, found in zip(settings, run(setting, settings)):
        runs.setdefault(each["T"], {})[each["name"]] = found
        learned, updates = found["learned"]["share"], found["updates"]
        print(f"T = {each['T']}, {each['name']}: {learned:.0%} at {updates}, lr {found['search']['lr']}", flush=True)
        results = {
            "settings": dict(H=H, B=32, clip_norm=1.0, budget=BUDGET, tries=TRIES, lags=list(runs)),
            "runs": runs,
        }
        results |= {"start": predictions(runs), "updates_minus_rnn": {T: compare(names) for T, names in runs.items()}}
        save("first_symbol", results, seeds=SEEDS)
