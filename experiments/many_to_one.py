"""Study of the chapter many-to-one: from a city name to its country, and from 22 years of sunspots to the next one.

Names: five splits of the data, a seed each, that also draws the network. Settings fixed before the first run (H = 64,
Adam with a one-cycle schedule to 8e-3, batches of 64, 12 epochs, gradients clipped at 1); none was chosen on these
scores, and the last epoch counts. The rate of dropout, 0.3 rather than 0.5, was chosen on the validation names of
another split. The linear models are scikit-learn's logistic regression at C = 10 on TF-IDF weighted counts of pieces of
the name, with a space at both ends of a word. Fewer names: the same number of updates.
Sunspots: three stretches of 59 years, each forecast a year ahead from all years before it; five draws of each network.
A random walk of 600 steps, forecast alike: all that can be known of its next value is the last.
Added after a first run, which came out the same in all else: padding to 30, the forget bias of 3, the ridge on square
roots. About four minutes of one processor.
"""

import time

import numpy as np
import torch
from protocol import save
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline

from lstm_tutorial.data import Batch, city_names, sunspots, windows
from lstm_tutorial.in_torch import Adam, ManyToOne, cross_entropy, fit, mse_loss

SEEDS, K = range(5), 12
NAMES = dict(H=64, embedding=32, lr=8e-3, B=64, epochs=12, clip=1.0, C=10, dropout=0.3)
SUNSPOTS = dict(H=16, width=22, lr=1e-2, B=32, epochs=100, clip=1.0, test=59, periods=[1950, 1891, 1832], alpha=1.0)
FEWER, LONGER, WALK = [420, 1260], [20, 30, 40, 80], 600
PADDED_TO = [(30, None), (40, None), (20, 3), (40, 3)]  # length, forget bias
GROUPS = {"3-6": (3, 6), "7-9": (7, 9), "10-20": (10, 20)}  # letters in a name


def one_cycle(optimiser, lr, batches, updates):
    """Yield each batch, and take a step of the schedule after its update."""
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, lr, total_steps=updates)
    for batch in batches:
        yield batch
        schedule.step()


def shuffled(part, epochs, B, rng):
    """Return batches of B rows of every array in `part`, in a new order each epoch."""
    orders = [rng.permutation(len(part[0])) for _ in range(epochs)]
    return [tuple(a[rows[k : k + B]] for a in part) for rows in orders for k in range(0, len(rows), B)]


def train(model, part, loss, settings, rng):
    """Train a model with Adam and one cycle of the learning rate; return the losses."""
    batches = shuffled(part, settings["epochs"], settings["B"], rng)
    optimiser = Adam(model.parameters(), lr=settings["lr"])
    scheduled = one_cycle(optimiser, settings["lr"], batches, len(batches))
    return fit(model, scheduled, loss, optimiser, clip_norm=settings["clip"], progress=False)


def predict(model, *inputs):
    """Return the model's answers as an array, without gradients and without dropout."""
    model.eval()
    with torch.no_grad():
        return model(*(torch.as_tensor(each) for each in inputs)).numpy()


def accuracy(model, part, lengths=True):
    """Return the percentage of right answers, with lengths or through the padding."""
    inputs = (part.x, part.lengths) if lengths else (part.x,)
    return 100 * np.mean(predict(model, *inputs).argmax(1) == part.y)


def make_reader(kind, seed, bidirectional=False, zeros=False, dropout=0.0, forget_bias=None):
    """Return a network from characters to countries; `zeros`: the padding's vector is 0 and stays 0."""
    torch.manual_seed(seed)
    H, E = NAMES["H"], NAMES["embedding"]
    lstm = kind(E, H, batch_first=True, bidirectional=bidirectional)
    model = ManyToOne(32, H, K, embedding=E, lstm=lstm, rng=seed)
    if zeros:
        model.embedding.padding_idx = 0
        with torch.no_grad():
            model.embedding.weight[0] = 0
    if forget_bias is not None:
        with torch.no_grad():
            lstm.bias_ih_l0[H : 2 * H], lstm.bias_hh_l0[H : 2 * H] = forget_bias, 0
    if dropout:
        model.embedding = torch.nn.Sequential(model.embedding, torch.nn.Dropout(dropout))
        model.head = torch.nn.Sequential(torch.nn.Dropout(dropout), model.head)
    return model


def pieces(longest, ends=True):
    """Return a logistic regression on pieces of 1 to `longest` characters."""
    counts = TfidfVectorizer(analyzer="char_wb" if ends else "char", ngram_range=(1, longest), sublinear_tf=True)
    return make_pipeline(counts, LogisticRegression(C=NAMES["C"], max_iter=1000))


def widened(part, T):
    """The same names with more padding."""
    return part._replace(x=np.pad(part.x, ((0, 0), (0, T - part.x.shape[1]))))


def by_length(right, part):
    """Return the percentage of right answers in each group of lengths."""
    groups = {name: (low <= part.lengths) & (part.lengths <= high) for name, (low, high) in GROUPS.items()}
    return {name: 100 * right[group].mean() for name, group in groups.items()}


def read_names(seed):
    """Train every model on one split; return the test scores, and what they were made for."""
    cities = city_names(rng=seed)
    train_part, test = cities.train, cities.test
    texts = [[cities.alphabet.decode(x) for x in part.x] for part in (train_part, test)]
    scores, found, models = {"majority": 100 * np.bincount(test.y).max() / len(test.y)}, {}, {}
    for name, model in {"letters": pieces(1, False), **{f"1-{n} letters": pieces(n) for n in (2, 3, 4)}}.items():
        models[name] = model.fit(texts[0], train_part.y)
        scores[name] = 100 * model.score(texts[1], test.y)
    found["features"] = len(models["1-4 letters"][0].vocabulary_)
    kinds = {
        "LSTM": dict(kind=torch.nn.LSTM),
        "RNN": dict(kind=torch.nn.RNN),
        "LSTM, pad token": dict(kind=torch.nn.LSTM, padded=True),
        "LSTM, pad zeros": dict(kind=torch.nn.LSTM, padded=True, zeros=True),
        "LSTM, dropout": dict(kind=torch.nn.LSTM, dropout=NAMES["dropout"]),
        "LSTM, both ways": dict(kind=torch.nn.LSTM, bidirectional=True),
    }
    for name, options in kinds.items():
        padded = options.pop("padded", False)
        model = models[name] = make_reader(seed=seed, **options)
        part = (train_part.x, train_part.y) if padded else train_part
        train(model, part, cross_entropy, NAMES, np.random.default_rng(seed))
        scores[name] = accuracy(model, test, not padded)
        print(f"  {name} {scores[name]:.1f}", flush=True)
    lstm, padded = models["LSTM"], models["LSTM, pad token"]
    linear = models["1-4 letters"]
    found["on train"] = {"LSTM": accuracy(lstm, train_part), "1-4 letters": 100 * linear.score(texts[0], train_part.y)}
    found["lengths forgotten"] = accuracy(lstm, test, lengths=False)
    found["more padding"] = {T: accuracy(padded, widened(test, T), lengths=False) for T in LONGER}
    scores_of = [predict(lstm, test.x, test.lengths), np.log(linear.predict_proba(texts[1]))]
    summed = sum(s - np.log(np.exp(s).sum(1, keepdims=True)) for s in scores_of)
    found["both"] = 100 * np.mean(summed.argmax(1) == test.y)
    answers = {"LSTM": scores_of[0], "LSTM, pad token": predict(padded, test.x), "1-4 letters": scores_of[1]}
    found["by length"] = {name: by_length(s.argmax(1) == test.y, test) for name, s in answers.items()}
    found["confusion"] = np.histogram2d(test.y, scores_of[0].argmax(1), bins=[np.arange(K + 1)] * 2)[0].astype(int)
    found["trained on more padding"] = {}
    for T, bias in PADDED_TO:  # the same names, had one name been so long
        model = make_reader(torch.nn.LSTM, seed, forget_bias=bias)
        train(model, (widened(train_part, T).x, train_part.y), cross_entropy, NAMES, np.random.default_rng(seed))
        key = f"{T}" if bias is None else f"{T}, forget bias {bias}"
        found["trained on more padding"][key] = accuracy(model, widened(test, T), lengths=False)
    found["fewer"] = {}
    for n in FEWER:
        few = Batch(*(a[:n] for a in train_part))
        model = make_reader(torch.nn.LSTM, seed)
        settings = NAMES | {"epochs": NAMES["epochs"] * len(train_part.y) // n}
        train(model, few, cross_entropy, settings, np.random.default_rng(seed))
        line = pieces(4).fit(texts[0][:n], few.y)
        found["fewer"][n] = {"LSTM": accuracy(model, test), "1-4 letters": 100 * line.score(texts[1], test.y)}
    return scores, found


def rmse(forecast, truth):
    """Root mean square error."""
    return np.sqrt(np.mean((forecast - truth) ** 2))


def best_shift(forecast, truth):
    """Return by how many steps the forecast comes late: the shift at which it fits the truth best."""
    return int(np.argmin([rmse(forecast[k:], truth[: len(truth) - k]) for k in range(4)]))


def forecast_with(kind, seed, before, window_test, settings):
    """Train a network on windows of the (standardised) years before; return its forecasts."""
    torch.manual_seed(seed)
    lstm = kind(1, settings["H"], batch_first=True)
    model = ManyToOne(1, settings["H"], 1, lstm=lstm, rng=seed)
    x, _, y = windows(before, settings["width"])
    train(model, (x, y), mse_loss, settings, np.random.default_rng(seed))
    return predict(model, window_test.x)[:, 0]


def ridge_on_roots(values, cut, end):
    """The ridge forecast of the square roots, squared: what is often done with counts, whose spread grows with them."""
    root, width = np.sqrt(values), SUNSPOTS["width"]
    mean, scale = root[:cut].mean(), root[:cut].std()
    before, test = (windows((part - mean) / scale, width) for part in (root[:cut], root[cut - width : end]))
    ridge = Ridge(alpha=SUNSPOTS["alpha"]).fit(before.x[..., 0], before.y[:, 0])
    return np.maximum(mean + scale * ridge.predict(test.x[..., 0]), 0) ** 2


def forecasts(values, cut, end, seasonal=11):
    """Forecast values[cut:end] one step ahead from values[:cut]; {name: array, or a list of one array a seed}."""
    width = SUNSPOTS["width"]
    mean, scale = values[:cut].mean(), values[:cut].std()
    z = (values - mean) / scale
    before, test = windows(z[:cut], width), windows(z[cut - width : end], width)
    ridge = Ridge(alpha=SUNSPOTS["alpha"]).fit(before.x[..., 0], before.y[:, 0])
    made = {
        "persistence": test.x[:, -1, 0],
        "seasonal": test.x[:, -seasonal, 0],
        "ridge": ridge.predict(test.x[..., 0]),
        "ridge, roots": (ridge_on_roots(values, cut, end) - mean) / scale,
    }
    for name, kind in {"RNN": torch.nn.RNN, "LSTM": torch.nn.LSTM}.items():
        made[name] = [forecast_with(kind, seed, z[:cut], test, SUNSPOTS) for seed in SEEDS]
    return {name: mean + scale * np.array(made[name], float) for name in made}


def judge(made, truth):
    """Return the error of every forecast, and of the networks a list with one error a seed."""
    return {name: rmse(f, truth) if f.ndim == 1 else [rmse(each, truth) for each in f] for name, f in made.items()}


def years_ahead():
    """The three stretches of sunspots."""
    years, values = sunspots()
    found = {"errors": {}, "truth_sd": {}}
    for start in SUNSPOTS["periods"]:
        cut = int(np.flatnonzero(years == start)[0])
        made, truth = forecasts(values, cut, cut + SUNSPOTS["test"]), values[cut : cut + SUNSPOTS["test"]]
        found["errors"][start], found["truth_sd"][start] = judge(made, truth), truth.std()
        if start == SUNSPOTS["periods"][0]:
            found["truth"], found["years"] = truth, years[cut : cut + SUNSPOTS["test"]]
            found["forecasts"] = {name: f if f.ndim == 1 else f[0] for name, f in made.items()}
            found["late by"] = {n: best_shift(f if f.ndim == 1 else f[0], truth) for n, f in made.items()}
        print(f"  {start}", {n: np.round(np.mean(e), 1) for n, e in found["errors"][start].items()}, flush=True)
    return found


def walk(seed):
    """A random walk, its last fifth forecast by an LSTM that learned on the rest."""
    values = np.random.default_rng(seed).normal(size=WALK).cumsum()
    cut = WALK * 4 // 5
    mean, scale = values[:cut].mean(), values[:cut].std()
    z, width = (values - mean) / scale, SUNSPOTS["width"]
    f = mean + scale * forecast_with(torch.nn.LSTM, seed, z[:cut], windows(z[cut - width :], width), SUNSPOTS)
    truth, last = values[cut:], values[cut - 1 : -1]
    r2 = 1 - np.mean((f - truth) ** 2) / truth.var()
    found = dict(LSTM=rmse(f, truth), persistence=rmse(last, truth), r2=r2, late=best_shift(f, truth))
    found |= {"r2 persistence": 1 - np.mean((last - truth) ** 2) / truth.var()}
    return found | {"correlation of changes": np.corrcoef(f - last, truth - last)[0, 1]}


if __name__ == "__main__":
    torch.set_num_threads(1)
    begun = time.process_time()
    runs = []
    for seed in SEEDS:
        print(f"names, seed {seed}", flush=True)
        runs.append(read_names(seed))
    scores = {name: [scores[name] for scores, _ in runs] for name in runs[0][0]}
    names = {"scores": scores, "runs": [found for _, found in runs], "countries": city_names().countries}
    spots = years_ahead()
    walks = [walk(seed) for seed in SEEDS]
    walks = {key: [each[key] for each in walks] for key in walks[0]}
    settings = {"names": NAMES, "sunspots": SUNSPOTS, "walk": WALK}
    minutes = (time.process_time() - begun) / 60
    results = {"settings": settings, "names": names, "sunspots": spots, "walk": walks, "cpu_minutes": round(minutes, 1)}
    save("many_to_one", results, seeds=SEEDS)
