"""Study of the chapter many-to-one: padding that is read, fewer names, next year's sunspots, a random walk.

The main comparison of names is another study, `names_and_vowels`; its task, its network (64 units, vectors of 32), its
eight tries, on the validation part of seed 100, and its training are used here; five seeds.

Padding: an LSTM that does not know the lengths reads all T steps and answers after the last, T = 20, 30 or 40. The
padding is a learned vector, or zeros. Before the usual training it may wait: up to 20 epochs (1,060 updates) at a
constant learning rate, until its validation cross-entropy is below 2.3 (the majority's is 2.48), so that neither early
stopping nor the halved learning rate ends a network that starts late. T = 20 and T = 40 have eight tries each; zeros,
T = 30 and a forget bias of 3 have the settings of T = 20.

Fewer names: the first 420 or 1,260 training names, the same 480 for validation; LSTM and pieces have eight tries at
each size, and with 3,360 the settings of `names_and_vowels`. Two unfair budgets for comparison: "same epochs" and "same
updates" train with the settings of 3,360 names for 12 epochs or 636 updates at a constant learning rate, without early
stopping.

Sunspots: three stretches of 59 years, each forecast a year ahead. The 33 years before a stretch are for validation, the
years before those for training, which also standardise the series. Ridge, RNN and LSTM have six tries each, with and
without square roots; the score is the root mean square error in sunspots. An epoch is five passes over the windows.

Random walks of 600 steps, a new one for each seed: 400 to train, 80 for validation, 120 to forecast. "level" has the
series minus the training mean as its input, "change" each window minus its last value, and forecasts the change.
"""

import numpy as np
import torch
from learning import cut, learn, predict, shuffled
from names_and_vowels import LINEAR, TRIES, judge, make, pieces, task_of, train
from protocol import paired, run, save, search
from sklearn.linear_model import Ridge

from lstm_tutorial.data import Batch, city_names, sunspots, windows
from lstm_tutorial.in_torch import ManyToOne, cross_entropy, fit, mse_loss
from lstm_tutorial.notebook import study

SEEDS, MORE_SEEDS, SEARCHED = range(5), range(10), 100
SIZES, FULL, WAIT, EPOCHS = (420, 1260, 3360), 3360, 20, 12
SHORT_PIECES = [dict(C=C, longest=2) for C in (1, 3, 10, 30, 100, 300, 1000, 3000)]
GROUPS = {"3 to 6": (3, 6), "7 to 9": (7, 9), "10 to 20": (10, 20)}  # letters in a name
STRETCHES, YEARS, HELD_OUT, WIDTH, H, PASSES = (1832, 1891, 1950), 59, 33, 22, 16, 5
STEPS = [dict(lr=3e-3, weight_decay=0), dict(lr=1e-2, weight_decay=0), dict(lr=1e-2, weight_decay=0.1)]
NETWORK_TRIES = [dict(roots=roots) | each for roots in (False, True) for each in STEPS]
RIDGE_TRIES = [dict(roots=roots, alpha=alpha) for roots in (False, True) for alpha in (0.1, 1, 10)]
WALK_TRIES = [dict(lr=lr, weight_decay=decay) for lr in (1e-3, 3e-3, 1e-2) for decay in (0, 0.1)]


def few(task, n):
    """Return the task with its first n training names."""
    return task._replace(train=Batch(*(a[:n] for a in task.train)))


def padded(part, T):
    """Return names with T steps each, all of which count as valid: what a network without lengths sees."""
    x = np.pad(part.x, ((0, 0), (0, T - part.x.shape[1])))
    return part._replace(x=x, lengths=np.full(len(x), T))


def score(model, part):
    """Return the percentage of right answers and the mean cross-entropy."""
    return judge(predict(model, part.x, part.lengths), part.y)


def at_constant_rate(task, model, seed, epochs, lr, weight_decay, until=0.0):
    """Train for some epochs, or until the validation cross-entropy is below a value; return the epochs."""
    rng = np.random.default_rng(seed)
    optimiser = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=weight_decay)
    for count in range(1, epochs + 1):
        model.train()
        fit(model, cut(shuffled(task.train, task.B, rng)), cross_entropy, optimiser, progress=False)
        if until and score(model, task.validation)["nats"] < until:
            return count
    return epochs


def unmasked(contender, seed, lr, dropout, weight_decay):
    """Train an LSTM that reads the padding, `contender` = (T, "learned", "zeros" or "forget bias 3")."""
    T, kind = contender
    task = task_of("names", seed)
    parts = {part: padded(getattr(task, part), T) for part in ("train", "validation", "test")}
    task = task._replace(**parts)
    model = make(task, "last", seed, dropout)
    with torch.no_grad():
        if kind == "zeros":
            embedding = model.embedding[0] if dropout else model.embedding
            embedding.padding_idx = 0
            embedding.weight[0] = 0
        if kind == "forget bias 3":  # rows i, f, g, o
            model.lstm.bias_ih_l0[task.H : 2 * task.H], model.lstm.bias_hh_l0[task.H : 2 * task.H] = 3, 0
    waited = at_constant_rate(task, model, seed, WAIT, lr, weight_decay, until=2.3)
    found = train(task, model, seed, lr, weight_decay)
    right = {width: score(model, padded(task.test, width))["right"] for width in (20, 30, 40, 80) if width >= T}
    return {"right": right, "epochs": waited + len(found["curve"])} | found


def lstm(contender, seed, lr, dropout, weight_decay):
    """Train the LSTM with the lengths on n names, `contender` = ("LSTM", n); keep its answers."""
    task = few(task_of("names", seed), contender[1])
    model = make(task, "last", seed, dropout)
    found = train(task, model, seed, lr, weight_decay)
    answers = predict(model, task.test.x, task.test.lengths).argmax(1).numpy()
    scores = {part: score(model, getattr(task, part))["right"] for part in ("train", "test")}
    forgotten = score(model, padded(task.test, 20))["right"]
    return scores | {"right": answers == task.test.y, "lengths forgotten": forgotten} | found


def linear(contender, seed, **settings):
    """Fit a logistic regression on pieces of n names, `contender` = (name, n); keep its answers."""
    task, alphabet = few(task_of("names", seed), contender[1]), city_names(rng=0).alphabet
    parts = {part: getattr(task, part) for part in ("train", "validation", "test")}
    texts = {part: [alphabet.decode(x) for x in each.x] for part, each in parts.items()}
    model = pieces(**settings).fit(texts["train"], task.train.y)
    scores = {part: judge(model.predict_log_proba(texts[part]), each.y) for part, each in parts.items()}
    right = model.predict(texts["test"]) == task.test.y
    found = {"train": scores["train"]["right"], "test": scores["test"]["right"], "right": right}
    return found | {"best": scores["validation"]["nats"], "features": len(model[0].vocabulary_)}


def unfair(n, epochs, seed, lr, dropout, weight_decay):
    """Return the test score of the LSTM after a fixed number of epochs over n names."""
    task = few(task_of("names", seed), n)
    model = make(task, "last", seed, dropout)
    at_constant_rate(task, model, seed, epochs, lr, weight_decay)
    return score(model, task.test)["right"]


def series_of(name, seed):
    """Return the values, and where training, validation and test end."""
    if name == "walk":
        return np.random.default_rng(seed).normal(size=600).cumsum(), (400, 480, 600)
    years, values = sunspots()
    start = int(np.flatnonzero(years == name)[0])
    return values, (start - HELD_OUT, start, start + YEARS)


def forecast(contender, seed, roots=False, alpha=None, lr=None, weight_decay=None):
    """Train `contender` = (series, "ridge", "RNN" or "LSTM", "level" or "change"); forecast its test stretch."""
    name, kind, target = contender
    values, ends = series_of(name, seed)
    z = np.sqrt(values) if roots else values
    # each window begins in the stretch before, its target lies within the stretch
    parts = [windows(z[max(begin - WIDTH, 0) : end], WIDTH) for begin, end in zip((0, *ends), ends)]
    offsets = [x[:, -1] if target == "change" else z[: ends[0]].mean() for x, _, _ in parts]
    inputs = [x - np.reshape(offset, (-1, 1, 1)) for (x, _, _), offset in zip(parts, offsets)]
    scale = inputs[0].std()
    inputs = [(x / scale).astype(np.float32) for x in inputs]
    y = ((parts[0].y - offsets[0]) / scale).astype(np.float32)

    def undo(guess, part):
        guess = (offsets[part] + scale * np.asarray(guess).reshape(-1, 1))[:, 0]
        return np.maximum(guess, 0) ** 2 if roots else guess

    truth = [values[begin:end] for begin, end in zip(ends, ends[1:])]
    if kind == "ridge":
        model = Ridge(alpha=alpha).fit(inputs[0][..., 0], y[:, 0])
        guesses = [undo(model.predict(x[..., 0]), part) for part, x in enumerate(inputs)]
        return {"best": rmse(guesses[1], truth[0]), "forecast": guesses[2]}
    torch.manual_seed(seed)
    network = {"RNN": torch.nn.RNN, "LSTM": torch.nn.LSTM}[kind](1, H, batch_first=True)
    model, rng = ManyToOne(1, H, 1, lstm=network, rng=seed), np.random.default_rng(seed)

    def epoch():
        return (batch for _ in range(PASSES) for batch in shuffled((inputs[0], y), 32, rng))

    def validate():
        return rmse(undo(model(torch.as_tensor(inputs[1])), 1), truth[0])

    found = learn(model, epoch, mse_loss, validate, lr=lr, weight_decay=weight_decay, epochs=300)
    return found | {"forecast": undo(predict(model, inputs[2]), 2)}


def rmse(forecast, truth):
    """Return the root mean square error."""
    return float(np.sqrt(np.mean((forecast - truth) ** 2)))


def best_shift(forecast, truth):
    """Return by how many steps the forecast comes late: the shift at which it fits the truth best."""
    return int(np.argmin([rmse(forecast[k:], truth[: len(truth) - k]) for k in range(4)]))


def best(function, **setting):
    """Return the validation score of a try."""
    return function(**setting)["best"]


def best_unmasked(**setting):
    """Return the validation cross-entropy of a try."""
    return best(unmasked, **setting)


def best_lstm(**setting):
    """Return the validation cross-entropy of a try."""
    return best(lstm, **setting)


def best_linear(**setting):
    """Return the validation cross-entropy of a try."""
    return best(linear, **setting)


def best_forecast(**setting):
    """Return the validation error of a try."""
    return best(forecast, **setting)


def searched(function, tries_of, contender, tries, seeds):
    """Search, then train with all seeds; return the runs, and what the search found."""
    found = search(tries_of, [contender], tries, SEARCHED)[contender]
    print(contender, found["chosen"], np.round(found["scores"], 3), flush=True)
    return repeated(function, contender, found["chosen"], seeds), found | {"tries": tries}


def repeated(function, contender, settings, seeds):
    """Train with all seeds."""
    return list(run(function, [dict(contender=contender, seed=seed) | settings for seed in seeds]))


def of_padding():
    """Padding that is read: by its length, what it is, and the forget bias."""
    gathered = {(T, "learned"): searched(unmasked, best_unmasked, (T, "learned"), TRIES, SEEDS) for T in (20, 40)}
    chosen = gathered[20, "learned"][1]["chosen"]
    for contender in ((20, "zeros"), (30, "learned"), (40, "forget bias 3")):
        gathered[contender] = repeated(unmasked, contender, chosen, SEEDS), {"chosen": chosen}
    results = {}
    for (T, kind), (runs, search_) in gathered.items():
        found = {f"right at {width}": [each["right"][width] for each in runs] for width in runs[0]["right"]}
        found |= {"epochs": [each["epochs"] for each in runs], "ended": [each["ended"] for each in runs]}
        results[f"{T}, {kind}"] = found | search_ | {"curve": np.round(runs[0]["curve"], 3)}
    return results


def of_sizes():
    """Fewer names: LSTM and pieces, each tuned at each size; then by the length of a name, and the unfair budgets."""
    results, kept, known = {}, {}, study("names_and_vowels")["results"]["names"]
    models = {
        "LSTM": (lstm, best_lstm, TRIES, SIZES),
        "pieces": (linear, best_linear, LINEAR["names", "pieces"], SIZES),
        "pieces of 1 or 2": (linear, best_linear, SHORT_PIECES, (FULL,)),
    }
    settings = {"LSTM": known["last"]["chosen"], "pieces": known["pieces"]["chosen"]}
    for name, (function, tries_of, tries, sizes) in models.items():
        for n in sizes:
            if n == FULL and name in settings:
                runs, search_ = repeated(function, (name, n), settings[name], SEEDS), {"chosen": settings[name]}
            else:
                runs, search_ = searched(function, tries_of, (name, n), tries, SEEDS)
            found = {"right": [each["test"] for each in runs], "right on train": [each["train"] for each in runs]}
            if name == "LSTM":
                found |= {"best epoch": [each["at"] for each in runs], "ended": [each["ended"] for each in runs]}
                found |= {"curve": np.round(runs[0]["curve"], 3)}
                found |= {"lengths forgotten": [each["lengths forgotten"] for each in runs]}
            else:
                found |= {"features": [each["features"] for each in runs]}
                found |= {"against LSTM": paired(found["right"], results[f"LSTM, {n}"]["right"])}
            results[f"{name}, {n}"] = found | search_
            kept[name] = np.mean([each["right"] for each in runs], axis=0)  # of each test name, at the full size
    lengths, results["by length"] = task_of("names", 0).test.lengths, {}
    for name, (low, high) in GROUPS.items():
        rows = (low <= lengths) & (lengths <= high)
        scores = {model: 100 * each[rows] for model, each in kept.items()}
        means = {model: each.mean() for model, each in scores.items()}
        gap = paired(scores["pieces"], scores["LSTM"])  # name by name
        results["by length"][name] = means | {"names": rows.sum(), "pieces - LSTM": gap}
    budgets = {"same epochs": lambda n: EPOCHS, "same updates": lambda n: EPOCHS * FULL // n}
    for name, epochs in budgets.items():
        calls = [dict(n=n, epochs=epochs(n), seed=seed) | settings["LSTM"] for n in SIZES for seed in SEEDS]
        right = np.reshape(list(run(unfair, calls)), (len(SIZES), -1))
        results[name] = dict(zip(SIZES, right))
    return results


def of_years():
    """Sunspots: the errors of all forecasts of three stretches, and their differences."""
    results = {}
    for start in STRETCHES:
        values, (_, cut_, end) = series_of(start, 0)
        truth, found, settings = values[cut_:end], {}, {}
        simple = {"persistence": values[cut_ - 1 : end - 1], "seasonal": values[cut_ - 11 : end - 11]}
        made = {name: [each] for name, each in simple.items()}
        for kind, tries in {"ridge": RIDGE_TRIES, "RNN": NETWORK_TRIES, "LSTM": NETWORK_TRIES}.items():
            seeds = [0] if kind == "ridge" else MORE_SEEDS
            runs, settings[kind] = searched(forecast, best_forecast, (start, kind, "level"), tries, seeds)
            made[kind] = [each["forecast"] for each in runs]
            if kind != "ridge":
                settings[kind] |= {"curve": np.round(runs[0]["curve"], 2), "ended": [each["ended"] for each in runs]}
                settings[kind] |= {"best epoch": [each["at"] for each in runs]}
        found["errors"] = {name: [rmse(each, truth) for each in all_] for name, all_ in made.items()}
        found["shift"] = {name: [best_shift(each, truth) for each in all_] for name, all_ in made.items()}
        errors = {name: each * (len(MORE_SEEDS) // len(each)) for name, each in found["errors"].items()}
        pairs = ("LSTM", "RNN"), ("LSTM", "ridge"), ("RNN", "ridge")
        found["differences"] = {f"{a} - {b}": paired(errors[a], errors[b]) for a, b in pairs}
        if start == STRETCHES[-1]:
            found |= {"truth": truth, "forecasts": {name: np.round(all_[0], 1) for name, all_ in made.items()}}
        results[start] = found | {"settings": settings}
    return results


def of_walks():
    """Random walks: the error over that of persistence, forecasting the level or the change."""
    results = {}
    for target in ("level", "change"):
        contender = ("walk", "LSTM", target)
        runs, search_ = searched(forecast, best_forecast, contender, WALK_TRIES, MORE_SEEDS)
        rows = []
        for seed, each in zip(MORE_SEEDS, runs):
            values, (trained, cut_, _) = series_of("walk", seed)
            truth, last, guess = values[cut_:], values[cut_ - 1 : -1], each["forecast"]
            seen = values[:trained]
            inside = (seen.min() <= last) & (last <= seen.max())
            parts = {"": np.full(len(truth), True), " inside": inside, " outside": ~inside}
            row = {"outside the training range": 100 * np.mean(~inside), "ended": each["ended"]}
            for part, which in parts.items():
                errors = [rmse(guess[which], truth[which]), rmse(last[which], truth[which])] if which.any() else None
                row["error / persistence" + part] = errors and errors[0] / errors[1]
            row["R squared"] = 1 - np.mean((guess - truth) ** 2) / truth.var()
            row["correlation of changes"] = np.corrcoef(guess - last, truth - last)[0, 1]
            rows.append(row | {"shift": best_shift(guess, truth)})
        results[target] = {key: [row[key] for row in rows] for key in rows[0]} | search_
    ratios = [results[target]["error / persistence"] for target in ("level", "change")]
    return results | {"level - change": paired(*ratios)}


if __name__ == "__main__":
    results = {"walks": of_walks(), "sunspots": of_years(), "names": of_sizes(), "padding": of_padding()}
    save("many_to_one", results, MORE_SEEDS)
