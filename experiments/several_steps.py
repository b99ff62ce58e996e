"""Study of the chapter state: several steps ahead, missing days, and intervals, on sunspots and on Seattle's weather.

Data. Sunspots: 1 to 11 years ahead from 22 years; training 1700 to 1899, validation 1900 to 1949, test 1950 to 2008.
Seattle: the highest temperature 1 to 14 days ahead from 28 days; training 2012 and 2013, validation 2014, test 2015. A
window may begin in the part before, its targets never leave their part. All columns (sunspots; rain as log(1 + mm),
highest, lowest, wind) are standardised by training. "Known" of each day, in the window and ahead, is the calendar: sine
and cosine of the day of the year; of a day ahead also how far ahead it is. Every model gets all of it.

Models. "recursive": an LSTM that forecasts all columns of the next step, trained at every step of the window, and fed
its own forecasts afterwards. "direct": an LSTM over the window; a linear layer on its last state and what is known
ahead gives all horizons at once. "encoder-decoder": a second LSTM starts from the first one's state and reads what is
known ahead. "without calendar": the same, and no calendar anywhere. "ridge, direct" has the window and what is known
ahead as its features, "ridge, recursive" forecasts all columns one step ahead. "naive": the last value. "seasonal
naive": 11 years or 365 days before. "seasonal mean": of training, by two harmonics of the year (Seattle), or the mean.

Targets. "level"; "last value": the target minus the last value of the window; "differences": inputs and targets are
changes from a step to the next, summed up afterwards; "seasonal": inputs and targets minus the seasonal mean (Seattle)
or the value 11 years before. Seasonal means are those of training. The main comparison has the level.

Missing days (Seattle, level, direct): 10, 30 or 50% of all days are hidden, all columns, each day by itself or in gaps
of 10 days; the seed draws which. Hidden days are hidden in the inputs of all three parts, the targets are all known.
"mean": filled with the mean of training; "forward": with the last day seen; "+ mask": and whether the day was seen; "+
time": and the days since one was seen; "irregular": no filling, the network reads only days that were seen, as many as
28 days have on average, each with the days until the next one or the first forecast. The settings are searched at 30%.
Kept are the error over all horizons and that of the first day ahead, where the last days matter most.

Intervals: quantiles 0.1 and 0.9 by the quantile loss (direct, level). "shifted": widened or narrowed at each horizon so
that they cover 80% of validation. Baselines: ridge and the seasonal mean, each with the quantiles of its errors in
validation, and ridge with those of its errors in training.

Protocol. Every model has six tries, seed 100 (networks: three learning rates, with and without dropout on the state
that the head reads and weight decay; ridge: six strengths), judged on validation by the root mean square error over all
horizons, or by the quantile loss. Networks have 16 units (sunspots) or 32 (Seattle), Adam, early stopping
(`learning.py`) and ten seeds. A score is the root mean square error over all horizons of all test windows; the windows
overlap. `blocks` are twelve stretches of the test windows one after another, the seeds averaged: differences by block
say how much depends on the days, those by seed do not. (Blocks of sunspots overlap so far that they say little.) About
four minutes on two cores.
"""

from typing import NamedTuple

import numpy as np
import torch
from learning import learn, predict, shuffled
from protocol import paired, run, save, search
from sklearn.linear_model import Ridge
from torch import nn

from lstm_tutorial.data import seattle_weather, sunspots
from lstm_tutorial.in_torch import mse_loss, quantile_loss

SEEDS, SEARCHED, BLOCKS = range(10), 100, 12
TRIES = [
    dict(lr=lr, dropout=dropout, weight_decay=decay)
    for lr in (1e-3, 3e-3, 1e-2)
    for dropout, decay in ((0, 0), (0.3, 0.1))
]
RIDGE_TRIES = [dict(alpha=alpha) for alpha in (0.1, 1, 10, 100, 1000, 10_000)]
NETWORKS = ("recursive", "direct", "encoder-decoder", "without calendar")
TARGETS = ("level", "last value", "differences", "seasonal")
QUANTILES = (0.1, 0.9)
SHARES, PATTERNS, GAP = (10, 30, 50), ("days", "gaps"), 10
FILLINGS = ("mean", "forward", "forward + mask", "forward + mask + time", "irregular")


class Data(NamedTuple):
    """A series of T steps with C columns, and how it is cut: W steps are read, S forecast; units and batch size."""

    values: np.ndarray  # (T, C)
    column: int  # which one is forecast
    known: np.ndarray  # (T, F), the calendar
    season: np.ndarray  # (T, C), what the season alone would give
    period: int  # of the seasonal naive forecast
    ends: tuple  # where training, validation and test end
    W: int
    S: int
    H: int
    B: int
    passes: int  # over the windows in an epoch


class Windows(NamedTuple):
    """What a model reads and forecasts, for the N windows of a part, and how to undo the scaling."""

    past: np.ndarray  # (N, W, C + F)
    future: np.ndarray  # (N, S, F + 1)
    y: np.ndarray  # (N, S), scaled targets
    after: np.ndarray  # (N, C), all columns of the first step ahead, which a recursive model learns from
    truth: np.ndarray  # (N, S), in units
    undo: object  # from an array like y to units


def data_of(name):
    """Return the data of "sunspots" or "seattle"."""
    if name == "sunspots":
        values = sunspots()[1][:, None]
        season = np.full_like(values, values[:200].mean())
        return Data(values, 0, np.zeros((309, 0)), season, 11, (200, 250, 309), W=22, S=11, H=16, B=32, passes=2)
    days, values, _ = seattle_weather()
    values = np.c_[np.log1p(values[:, :1]), values[:, 1:]]  # rain is skewed
    angle = 2 * np.pi * (days - days.astype("datetime64[Y]")).astype(int) / 365.25
    known = np.c_[np.sin(angle), np.cos(angle)]
    waves = np.c_[np.ones(len(days)), known, np.sin(2 * angle), np.cos(2 * angle)]
    season = waves @ np.linalg.lstsq(waves[:731], values[:731], rcond=None)[0]
    return Data(values, 1, known, season, 365, (731, 1096, 1461), W=28, S=14, H=32, B=64, passes=1)


def scaled(data, target):
    """Return the series that the models read (T, C), what was subtracted (T, C), and the scale (C,)."""
    values, trained = data.values, data.ends[0]
    before = np.full_like(values, np.nan)
    reference = np.tile(values[:trained].mean(0), (len(values), 1))
    if target == "differences":
        before[1:] = values[:-1]
        reference = before
    elif target == "seasonal":
        before[data.period :] = values[: -data.period]
        reference = before if data.known.shape[1] == 0 else data.season
    scale = np.nanstd((values - reference)[:trained], axis=0)
    return (values - reference) / scale, reference, scale


def cut(data, target="level", hidden=None, filling=None, calendar=True):
    """Return the Windows of training, validation and test.

    `hidden` (T,) says which days cannot be seen, `filling` what is read in their place.
    """
    z, reference, scale = scaled(data, target)
    first = int(np.isfinite(z).all(1).argmax())  # differences need a day before
    known, column, W, S = data.known * calendar, data.column, data.W, data.S
    read = np.c_[z, known] if hidden is None else fill(z, known, hidden, filling)
    parts = []
    for begin, end in zip((0, *data.ends), data.ends):
        now = np.arange(max(begin, first + W, W), end - S + 1)  # the first day that is forecast
        days = now[:, None] + np.arange(S)  # (N, S)
        past = read[now[:, None] + np.arange(-W, 0)] if filling != "irregular" else seen_before(read, hidden, now, W)
        ahead = np.broadcast_to((np.arange(S) + 1)[:, None] / S, (len(now), S, 1))
        future = np.concatenate([known[days], ahead], axis=2)
        last = data.values[now - 1, column][:, None]
        z_last = z[now - 1, column][:, None] if target == "last value" else 0
        base = reference[days, column]

        def undo(output, last=last, z_last=z_last, base=base):
            if target == "differences":
                return last + np.cumsum(scale[column] * output, axis=1)
            return base + scale[column] * (output + z_last)

        y = z[days, column] - z_last
        arrays = (np.asarray(each, np.float32) for each in (past, future, y, z[now]))
        parts.append(Windows(*arrays, data.values[days, column], undo))
    return parts


def hide(T, share, pattern, seed):
    """Return which of T days are hidden, `share` per cent: one by one, or in gaps of `GAP` days, which may touch."""
    hidden, length = np.zeros(T, bool), GAP if pattern == "gaps" else 1
    for start in np.random.default_rng([seed, share]).permutation(T):
        if 100 * hidden.mean() >= share:
            break
        hidden[start : start + length] = True
    return hidden


def fill(z, known, hidden, filling):
    """Return what is read each day (T, ...): the columns, filled, the calendar, and what says that they are filled."""
    T = np.arange(len(z))
    last = np.maximum.accumulate(np.where(hidden, -1, T))  # the last day seen, -1: none yet
    since = T - last
    forward = np.where(last[:, None] >= 0, z[last], 0)
    if filling == "mean":
        return np.c_[np.where(hidden[:, None], 0, z), known]
    extra = {"forward": [], "forward + mask": [~hidden], "forward + mask + time": [~hidden, since / GAP]}
    return np.c_[(forward, known, *extra.get(filling, []))]


def seen_before(read, hidden, now, W):
    """Return the last days that were seen before each forecast (N, n, D + 1), with the days until the next of them."""
    n = round(W * (1 - hidden.mean()))
    seen = np.flatnonzero(~hidden)
    rows = []
    for day in now:
        before = seen[: np.searchsorted(seen, day)][-n:]
        before = np.pad(before, (n - len(before), 0), mode="edge")  # only at the start of the series
        rows.append(np.c_[read[before], np.diff(before, append=day) / GAP])
    return np.array(rows)


class Direct(nn.Module):
    """Reads the window, then forecasts all horizons at once from the last state and what is known ahead."""

    def __init__(self, D, F, S, H, dropout, outputs=1):
        super().__init__()
        self.lstm, self.drop = nn.LSTM(D, H, batch_first=True), nn.Dropout(dropout)
        self.head, self.outputs = nn.Linear(H + S * F, S * outputs), outputs

    def forward(self, past, future):
        """Map past (B, W, D) and future (B, S, F) to (B, S), or (B, S, Q) with several outputs."""
        _, (h_n, _) = self.lstm(past)
        y = self.head(torch.cat([self.drop(h_n[-1]), future.flatten(1)], dim=1))
        return y if self.outputs == 1 else y.unflatten(1, (-1, self.outputs))


class EncoderDecoder(nn.Module):
    """Reads the window, then what is known of each step ahead, and forecasts at each."""

    def __init__(self, D, F, S, H, dropout):
        super().__init__()
        self.encoder, self.decoder = nn.LSTM(D, H, batch_first=True), nn.LSTM(F, H, batch_first=True)
        self.drop, self.head = nn.Dropout(dropout), nn.Linear(H, 1)

    def forward(self, past, future):
        """Map past (B, W, D) and future (B, S, F) to (B, S)."""
        _, state = self.encoder(past)
        output, _ = self.decoder(future, state)
        return self.head(self.drop(output))[..., 0]


class Recursive(nn.Module):
    """Forecasts all C columns of the next step; several steps ahead it reads its own forecasts."""

    def __init__(self, D, F, H, dropout, column):
        super().__init__()
        self.C, self.column = D - F, column  # the columns of the weather, then those of the calendar
        self.lstm, self.drop = nn.LSTM(D, H, batch_first=True), nn.Dropout(dropout)
        self.head = nn.Linear(H, self.C)

    def step(self, z, known, state=None):
        """Map columns (B, T, C) and the calendar of the day after each (B, T, F) to the columns of that day."""
        output, state = self.lstm(torch.cat([z, known], dim=2), state)
        return self.head(self.drop(output)), state

    def forward(self, past, future):
        """Map past (B, W, C + F) and future (B, S, F + 1): in training to the next steps (B, W, C), else to (B, S)."""
        z, known = past.split([self.C, past.shape[2] - self.C], dim=2)
        ahead = future[..., :-1]
        y, state = self.step(z, torch.cat([known[:, 1:], ahead[:, :1]], dim=1))
        if self.training:
            return y
        forecasts = [y[:, -1:]]
        for s in range(1, ahead.shape[1]):
            y, state = self.step(forecasts[-1], ahead[:, s : s + 1], state)
            forecasts.append(y)
        return torch.cat(forecasts, dim=1)[..., self.column]


def rmse(forecast, truth, axis=None):
    """Return the root mean square error."""
    return np.sqrt(np.mean((forecast - truth) ** 2, axis=axis))


def judge(forecast, part):
    """Return the error over all horizons, by horizon, and by block of windows."""
    blocks = zip(np.array_split(forecast, BLOCKS), np.array_split(part.truth, BLOCKS))
    by_block = [rmse(*each) for each in blocks]
    return {"rmse": rmse(forecast, part.truth), "by horizon": rmse(forecast, part.truth, 0), "by block": by_block}


def windows_of(name, target, seed, missing):
    """Return the data and the windows of a contender; `missing`: None, or (share, pattern, filling)."""
    data = data_of(name)
    if missing is None:
        return data, cut(data, target)
    share, pattern, filling = missing
    return data, cut(data, target, hide(len(data.values), share, pattern, seed), filling)


def network(contender, seed, lr, dropout, weight_decay):
    """Train `contender` = (series, kind, target, missing); return its scores, or its quantiles of kind "quantiles"."""
    name, kind, target, missing = contender
    data, parts = windows_of(name, target, seed, missing)
    if kind == "without calendar":
        parts = cut(data, target, calendar=False)
    train, validation, test = parts
    D, F = train.past.shape[2], train.future.shape[2]
    torch.manual_seed(seed)
    model = {
        "recursive": lambda: Recursive(D, F - 1, data.H, dropout, data.column),
        "direct": lambda: Direct(D, F, data.S, data.H, dropout),
        "quantiles": lambda: Direct(D, F, data.S, data.H, dropout, len(QUANTILES)),
    }.get(kind, lambda: EncoderDecoder(D, F, data.S, data.H, dropout))()
    y, rng, loss = train.y, np.random.default_rng(seed), mse_loss
    if kind == "recursive":  # the targets are the columns of the next steps
        y = np.concatenate([train.past[:, 1:, : model.C], train.after[:, None]], axis=1)  # (N, W, C)
    if kind == "quantiles":
        loss = quantiles_of

    def epoch():
        arrays = (train.past, train.future, y)
        return (batch for _ in range(data.passes) for batch in shuffled(arrays, data.B, rng))

    def validate():
        output = model(torch.as_tensor(validation.past), torch.as_tensor(validation.future))
        if kind == "quantiles":
            return quantiles_of(output, torch.as_tensor(validation.y))
        return rmse(validation.undo(output.double().numpy()), validation.truth)

    found = learn(model, epoch, loss, validate, lr=lr, weight_decay=weight_decay, epochs=300)
    outputs = [predict(model, part.past, part.future).double().numpy() for part in parts]
    if kind == "quantiles":
        return found | {"bounds": [undo_bounds(each, part) for each, part in zip(outputs, parts)]}
    forecasts = [part.undo(each) for each, part in zip(outputs, parts)]
    scores = judge(forecasts[2], test) | {"on train": rmse(forecasts[0], train.truth)}
    return found | scores


def quantiles_of(output, y):
    """Return the quantile loss of the study's quantiles."""
    return quantile_loss(output, y, QUANTILES)


def undo_bounds(output, part):
    """Return the lower and upper bound (2, N, S) in units; sorted, for nothing keeps two quantiles from crossing."""
    return np.sort([part.undo(output[..., k]) for k in range(len(QUANTILES))], axis=0)


def ridge(contender, seed, alpha):
    """Fit `contender` = (series, "ridge, direct" or "ridge, recursive", target, missing); return what it forecasts."""
    name, kind, target, missing = contender
    data, parts = windows_of(name, target, seed, missing)
    train, validation, test = parts
    if kind == "ridge, direct":

        def features(part):
            return np.c_[part.past.reshape(len(part.y), -1), part.future.reshape(len(part.y), -1)]

        model = Ridge(alpha=alpha).fit(features(train), train.y)
        outputs = [model.predict(features(part)) for part in parts]
    else:
        day = train.future[:, 0, :-1]
        model = Ridge(alpha=alpha).fit(np.c_[train.past.reshape(len(day), -1), day], train.after)
        outputs = [roll(model, part)[..., data.column] for part in parts]
    forecasts = [part.undo(each) for each, part in zip(outputs, parts)]
    scores = judge(forecasts[2], test) | {"on train": rmse(forecasts[0], train.truth)}
    return scores | {"best": rmse(forecasts[1], validation.truth), "forecasts": forecasts}


def roll(model, part):
    """Return the columns (N, S, C) that a model of the next step forecasts from its own forecasts."""
    past, found = part.past, []
    for s in range(part.future.shape[1]):
        day = part.future[:, s, :-1]
        y = model.predict(np.c_[past.reshape(len(past), -1), day]).reshape(part.after.shape)
        past = np.concatenate([past[:, 1:], np.c_[y, day][:, None]], axis=1)
        found.append(y)
    return np.stack(found, axis=1)


def best_of_network(**setting):
    """Return the validation score of a try."""
    return network(**setting)["best"]


def best_of_ridge(**setting):
    """Return the validation score of a try."""
    return ridge(**setting)["best"]


def simple(data, part=2):
    """Return the forecasts of the baselines that learn nothing but means, for the windows of the test or validation."""
    days = np.arange(data.ends[part - 1], data.ends[part] - data.S + 1)[:, None] + np.arange(data.S)
    values, season = data.values[:, data.column], data.season[:, data.column]
    naive = np.repeat(values[days[:, :1] - 1], data.S, axis=1)
    return {"naive": naive, "seasonal naive": values[days - data.period], "seasonal mean": season[days]}


def contest(contender, chosen=None):
    """Search, unless the settings are given, and train with all seeds; return the runs and what the search found."""
    linear = contender[1].startswith("ridge")
    function, best, tries = (ridge, best_of_ridge, RIDGE_TRIES) if linear else (network, best_of_network, TRIES)
    found = {"chosen": chosen}
    if chosen is None:
        found = search(best, [contender], tries, SEARCHED)[contender]
    seeds = [0] if linear and contender[3] is None else SEEDS  # nothing in it depends on the seed
    runs = list(run(function, [dict(contender=contender, seed=seed) | found["chosen"] for seed in seeds]))
    scores = [each.get("rmse", each["best"]) for each in runs]
    print(*contender, found["chosen"], f"{np.median(scores):.3f}", flush=True)
    return runs, found


def gather(runs, found):
    """Return lists over the seeds: the errors, over all and the first horizon, when it stopped, and a curve."""
    kept = {"rmse": [each["rmse"] for each in runs], "on train": [each["on train"] for each in runs]}
    kept |= {"first": [each["by horizon"][0] for each in runs]}
    kept |= {name: np.mean([each[name] for each in runs], axis=0) for name in ("by horizon", "by block")}
    if "curve" in runs[0]:
        kept |= {"best epoch": [each["at"] for each in runs], "ended": [each["ended"] for each in runs]}
        kept |= {"curve": np.round(runs[0]["curve"], 3)}
    return kept | {key: np.round(value, 4) if key == "scores" else value for key, value in found.items()}


def against(each, other):
    """Return the differences of two contenders: by block, and by seed where at least one of them has seeds."""
    found = {"by block": paired(each["by block"], other["by block"])}
    a, b = np.broadcast_arrays(each["rmse"], other["rmse"])
    return found | ({"by seed": paired(a, b)} if len(a) > 1 else {})


def of_steps(name):
    """Several steps ahead: every model with the level, then the targets with "direct" and "ridge, direct"."""
    data, results = data_of(name), {"models": {}, "targets": {}}
    test = cut(data)[2]
    kinds = ("ridge, direct", "ridge, recursive", *NETWORKS[: 3 + (data.known.shape[1] > 0)])
    for kind in kinds:
        runs, found = contest((name, kind, "level", None))
        results["models"][kind] = gather(runs, found)
    for kind, forecast in simple(data).items():
        scores = judge(forecast, test)
        results["models"][kind] = scores | {"rmse": [scores["rmse"]]}
    for kind in NETWORKS:
        if kind in results["models"]:
            each = results["models"][kind]
            each["against ridge"] = against(each, results["models"]["ridge, direct"])
    for kind in ("recursive", "encoder-decoder"):
        results["models"][kind]["against direct"] = against(results["models"][kind], results["models"]["direct"])
    if "without calendar" in results["models"]:
        each = results["models"]["without calendar"]
        each["against encoder-decoder"] = against(each, results["models"]["encoder-decoder"])
    for target in TARGETS:
        for kind in ("direct", "ridge, direct"):
            each = results["models"][kind]
            if target != "level":
                each = gather(*contest((name, kind, target, None)))
                each["against level"] = against(each, results["models"][kind])
            results["targets"][f"{kind}, {target}"] = each if target != "level" else {"rmse": each["rmse"]}
    return results | {"test windows": len(test.truth)}


def of_missing():
    """Hidden days: each filling, each share and pattern; the settings are searched at 30% of each pattern."""
    results = {}
    for pattern in PATTERNS:
        for kind in ("direct", "ridge, direct"):
            for filling in FILLINGS:
                chosen = None
                for share in (30, 10, 50):
                    runs, found = contest(("seattle", kind, "level", (share, pattern, filling)), chosen)
                    chosen = found["chosen"]
                    results.setdefault(f"{pattern}, {share}", {})[f"{kind}, {filling}"] = gather(runs, found)
    for cell in results.values():
        for kind in ("direct", "ridge, direct"):
            for filling in FILLINGS:
                each, forward = cell[f"{kind}, {filling}"], cell[f"{kind}, forward"]
                each["against forward"] = {key: paired(each[key], forward[key]) for key in ("rmse", "first")}
                for name in ("by horizon", "by block", "curve"):
                    each.pop(name, None)
    return {cell: results[cell] for cell in (f"{pattern}, {share}" for pattern in PATTERNS for share in SHARES)}


def cover(bounds, part):
    """Return what per cent of targets lies within bounds (2, N, S) and above, and the mean width and quantile loss."""
    low, high = bounds
    inside = 100 * ((low <= part.truth) & (part.truth <= high))
    loss = quantiles_of(torch.tensor(np.moveaxis(bounds, 0, -1)), torch.tensor(part.truth))
    found = dict(covered=inside.mean(), above=100 * np.mean(part.truth > high), width=np.mean(high - low))
    return found | {"loss": float(loss), "by horizon": inside.mean(0)}


def shift_to_cover(bounds, validation):
    """Return the bounds of the test, moved outwards at each horizon as far as 80% of the validation targets need."""
    outside = np.maximum(bounds[1][0] - validation.truth, validation.truth - bounds[1][1])  # (N, S), negative inside
    shift = np.quantile(outside, QUANTILES[1] - QUANTILES[0], axis=0)
    return np.sort([bounds[2][0] - shift, bounds[2][1] + shift], axis=0)


def of_intervals(name):
    """80% intervals by the quantile loss and by the errors of simpler models, on validation and on test."""
    data = data_of(name)
    parts = cut(data)
    _, validation, test = parts
    runs, found = contest((name, "quantiles", "level", None))
    results = {"network": by_seed([cover(each["bounds"][2], test) for each in runs])}
    moved = [cover(shift_to_cover(each["bounds"], validation), test) for each in runs]
    results["network, shifted"] = by_seed(moved)
    for k, part in ((0, "train"), (1, "validation")):
        results[f"network on {part}"] = by_seed([cover(each["bounds"][k], parts[k]) for each in runs])
    results["network"] |= {"best epoch": [each["at"] for each in runs], "ended": [each["ended"] for each in runs]}
    results["network"] |= {"curve": np.round(runs[0]["curve"], 4)} | found
    linear = contest((name, "ridge, direct", "level", None))[0][0]["forecasts"]
    means = [None] + [simple(data, k)["seasonal mean"] for k in (1, 2)]
    simpler = {"ridge": (linear, 1), "ridge, errors in training": (linear, 0), "seasonal mean": (means, 1)}
    for label, (forecasts, part) in simpler.items():
        bounds = forecasts[2] + np.quantile(parts[part].truth - forecasts[part], QUANTILES, axis=0)[:, None]
        results[label] = by_seed([cover(bounds, test)])
    for label in ("network, shifted", *simpler):
        losses = np.broadcast_arrays(results["network"]["loss"], results[label]["loss"])
        results["network"][f"loss against {label}"] = paired(*losses)
    return results


def by_seed(scores):
    """Return lists over the seeds, and the mean over them by horizon."""
    kept = {name: [each[name] for each in scores] for name in ("covered", "above", "width", "loss")}
    return kept | {"by horizon": np.mean([each["by horizon"] for each in scores], axis=0)}


def main(folder=None):
    """Run the parts one after the other, and save after each."""
    results = {"tries": TRIES, "ridge tries": RIDGE_TRIES}
    parts = {f"steps, {name}": (of_steps, name) for name in ("sunspots", "seattle")}
    parts |= {f"intervals, {name}": (of_intervals, name) for name in ("sunspots", "seattle")}
    for label, (function, *names) in (parts | {"missing": (of_missing,)}).items():
        results[label] = function(*names)
        save("several_steps", results, SEEDS, **({"folder": folder} if folder else {}))


if __name__ == "__main__":
    main()
