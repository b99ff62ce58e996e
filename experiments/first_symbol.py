"""Study of the chapters memory and cell-state: the first symbol decides, and which network learns it at which lag.

16 units, batch 32, Adam, gradients clipped to norm 1; 20 seeds, at most 4,000 updates. For every network and lag the
learning rate is chosen among the same six, on eight seeds of its own and a third of the updates. (Two shorter searches
came first, and were widened for all: three seeds chose rates that are fast where they work and fail with other seeds,
and 0.002, then the lowest rate, was the best for the LSTM at its default.) A seed has learned when fewer than 1% of 500
fresh validation sequences are answered wrongly. Before training, three numbers are measured on the same initial
weights, to see whether they predict who learns: `ratio`, |dh_T/dx_1| over |dh_T/dx_T|, which is chapter memory's r_k
for the first step; `gates`, the geometric mean over units of the product of the forget gates from step 2 to T;
`signal`, how much of the variance of h_T (to first order) comes from the first symbol, while the rest comes from the
noise. `drift`, added when the RNN had learned in spite of its `ratio`: how the ratio changes when the answers are
random, so that no update knows of the task.
"""

import numpy as np
import torch
from many_seeds import Adam, backward, batches, forward, gradients, initial, measure
from protocol import paired, run, save, share
from scipy.stats import spearmanr

from lstm_tutorial.data import first_symbol

H, SEEDS, BUDGET, LAGS = 16, range(20), 4000, (10, 20, 50, 100)
START, DRIFT = ("ratio", "signal"), (0, 25, 50, 100, 200)
TRIES = [0.05, 0.02, 0.01, 0.005, 0.002, 0.001]
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


def at_start(p, T, seeds, sequences=4):
    """Return `ratio`, `signal` and, for an LSTM, `gates` of networks with parameters p, an entry a seed."""
    p = {key: value.double() for key, value in p.items()}
    x = batches([np.random.default_rng([seed, 3]) for seed in seeds], draw, sequences, T)[0].double()
    _, kept = forward(p, x.repeat_interleave(H, dim=1))  # (S, sequences * H, T, D): a copy for each unit of h_T
    one_each = torch.eye(H, dtype=torch.float64).repeat(sequences, 1).expand(len(seeds), -1, -1)
    d_x = backward(kept, one_each.contiguous(), need_x=True)[1].square().sum(dim=1)  # (S, T, D)
    size, symbol, noise = d_x.sum(dim=2), d_x[:, 0, 0], d_x[:, 1:, 1].sum(dim=1)
    found = {"ratio": (size[:, 0] / size[:, -1]).sqrt(), "signal": symbol / (symbol + noise)}
    if len(kept[3][0]) > 1:
        log_f = sum(step[0][:, ::H, H : 2 * H].log() for step in kept[3][1:])  # (S, sequences, H)
        found["gates"] = log_f.mean(dim=(1, 2)).exp()
    return {key: value.numpy() for key, value in found.items()}


def setting(name, T, seeds=SEEDS, budget=BUDGET, tries=TRIES):
    """Return what one contender does at one lag."""
    return measure(maker(name, T), seeds, tries, budget, draw, T, binary=True) | at_start(
        maker(name, T)(seeds), T, seeds
    )


def drift(name, lr, T=50, seeds=SEEDS, at=DRIFT):
    """Return the `ratio` of the seeds after updates on answers drawn at random: nothing to be learned."""
    p, rngs, found = maker(name, T)(seeds), [np.random.default_rng([seed, 4]) for seed in seeds], []
    optimiser = Adam(p, [lr] * len(seeds))
    for update in range(max(at) + 1):
        if update in at:
            found.append(at_start(p, T, seeds, sequences=1)["ratio"])
        x, y = batches(rngs, draw, 32, T)
        y = torch.from_numpy(np.stack([rng.integers(0, 2, 32) for rng in rngs])).float()
        optimiser.update(p, gradients(p, x, y, binary=True)[1])
    return {"updates": at, "ratio": found, "ever_above_0.001": share(sum(np.max(found, axis=0) > 1e-3), len(seeds))}


def predictions(runs, budget=BUDGET):
    """Say how well what is measured before training goes with who learns: all settings, and those of LSTMs alone."""
    rows = [(T, name, each) for T, names in runs.items() for name, each in names.items()]
    groups = {"all": rows, "LSTM": [row for row in rows if row[1] != "RNN"]}
    return {whom: {key: predicted(own, key, budget) for key in START} for whom, own in groups.items() if own}


def predicted(rows, key, budget):
    """Return rank correlations with the median updates, a seed that does not learn counted at the budget.

    Then the best threshold for "at least half of the seeds learn", and the settings on its wrong side.
    """
    start = np.array([np.median(each[key]) for _, _, each in rows])
    updates = np.array([np.median([update or budget for update in each["solved_at"]]) for _, _, each in rows])
    learns, lags = np.array([each["learned"]["share"] >= 0.5 for _, _, each in rows]), [T for T, _, _ in rows]

    def correlation(chosen):
        return float(spearmanr(start[chosen], updates[chosen]).statistic) if len(set(updates[chosen])) > 1 else None

    best = min(start, key=lambda threshold: sum((start >= threshold) != learns))
    return {
        "updates": correlation(np.full(len(rows), True)),
        "updates_by_lag": {T: correlation(np.array(lags) == T) for T in dict.fromkeys(lags)},
        "threshold": best,
        "wrong_side": [f"{T}, {name}" for (T, name, _), wrong in zip(rows, (start >= best) != learns) if wrong],
    }


def compare(names, budget=BUDGET):
    """Return the paired difference of updates from the RNN, a seed that does not learn counted at the budget."""
    at = {name: [update or budget for update in each["solved_at"]] for name, each in names.items()}
    return {name: paired(each, at["RNN"]) for name, each in at.items() if name != "RNN" and "RNN" in at}


if __name__ == "__main__":
    ways = [dict(name=name, lr=lr) for name in ("RNN", "LSTM, default") for lr in (0.02, 0.002)]
    drifts = {f"{way['name']}, {way['lr']}": found for way, found in zip(ways, run(drift, ways))}
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
        results |= {"start": predictions(runs), "drift": drifts}
        results |= {"updates_minus_rnn": {T: compare(names) for T, names in runs.items()}}
        save("first_symbol", results, seeds=SEEDS)
