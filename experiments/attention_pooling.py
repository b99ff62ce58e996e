"""Study of the chapter attention-pooling: what weights buy, and whether they explain an answer.

Symbols: no recurrence at all, a pool on the symbols and a linear layer; the marked symbol of 20, and the last of 20.
Names and vowels: one LSTM, pooled in eight ways; the names as in `many_to_one` (five splits, a seed each, that also
draws the network), the Japanese Vowels with all 270 training utterances and the published test part (five draws of the
network). Beside them attention without an LSTM: each step through a layer of its own, then the pool. All settings were
fixed before the first run and none was chosen on these scores; the last epoch counts.
Explanations: for every test sequence each step is deleted once, from the input (the LSTM then reads on without it) and
from the weighted sum alone (its weight is set to 0, the others grow). "Random" is the mean over all steps. Two networks
of every kind learn from the same split with different draws, to see whether they attend to the same steps.
Padding: the softmax taken over all T steps, in use alone or in training too, with more and more padding.
Nothing was added after a first look. About sixteen minutes of one processor.
"""

import time
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from many_to_one import NAMES, accuracy, train
from protocol import save
from scipy.stats import rankdata
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from lstm_tutorial.data import Batch, city_names, japanese_vowels, symbol_question
from lstm_tutorial.in_torch import (
    Adam,
    AttentionPool,
    ManyToOne,
    cross_entropy,
    decay_weights,
    fit,
    last_pool,
    mean_pool,
    position_weights,
    weighted_pool,
)

SEEDS, HALF_LIFE = range(5), 4
VOWELS = dict(H=32, lr=1e-2, B=30, epochs=40, clip=1.0)
SYMBOLS = dict(T=20, symbols=4, B=64, updates=1000, lr=2e-2, test=4000)
POOLS = ["last", "mean", "position", "decay", "learned position", "additive", "dot", "4 heads"]
WIDER = [1, 2, 4]  # times the usual T, for the softmax over padding
DRAWN = 5  # countries and speakers of which weights are kept to be drawn


class Task(NamedTuple):
    """Sequences, their answers, and how a network learns them."""

    train: Batch
    test: Batch
    settings: dict
    D: int  # features, or different tokens
    K: int


def names(seed):
    """One split of the city names."""
    cities = city_names(rng=seed)
    return Task(cities.train, cities.test, NAMES, len(cities.alphabet), len(cities.countries))


def vowels(seed):
    """The Japanese Vowels, standardised by the training part; the seed shuffles it."""
    parts = japanese_vowels(validation=0, rng=seed)
    x, lengths, _ = parts.train
    valid = x[np.arange(x.shape[1]) < lengths[:, None]]
    scaled = [part._replace(x=((part.x - valid.mean(0)) / valid.std(0)).astype(np.float32)) for part in parts]
    return Task(scaled[0], scaled[2], VOWELS, x.shape[2], 9)


class Leaky(AttentionPool):
    """The fault: the softmax is taken over all steps, padding too."""

    def forward(self, x, lengths=None, **options):
        """Pool x as if no step were padding."""
        return super().forward(x, None, **options)


class NoRecurrence(nn.Module):
    """Attention over the steps themselves: each goes through a layer of its own, nothing is carried between them."""

    def __init__(self, D, H, K, embedding, rng):
        super().__init__()
        self.embedding = None if embedding is None else nn.Embedding(D, embedding)
        self.layer = nn.Sequential(nn.Linear(embedding or D, H), nn.Tanh())
        self.pool, self.head = AttentionPool(H, rng=rng), nn.Linear(H, K)

    def run(self, x, lengths=None):
        """Return the steps (B, T, H), as a recurrent network would."""
        return self.layer(x), None

    def forward(self, x, lengths=None):
        """Map x to scores (B, K)."""
        x = x if self.embedding is None else self.embedding(x)
        return self.head(self.pool(self.run(x)[0], lengths))


def make(task, kind, seed):
    """Return a network that pools in a way of `POOLS`, or one of the others of this study."""
    torch.manual_seed(seed)
    H, E, T = task.settings["H"], task.settings.get("embedding"), task.train.x.shape[1]
    if kind == "no LSTM":
        return NoRecurrence(task.D, H, task.K, E, seed)
    position = nn.Parameter(torch.zeros(T))
    pooling = {
        "position": position_weights,
        "decay": partial(decay_weights, half_life=HALF_LIFE),
        "learned position": lambda T: position[:T].exp(),
        "additive": AttentionPool(H, rng=seed),
        "dot": AttentionPool(H, kind="dot", rng=seed),
        "4 heads": AttentionPool(H, heads=4, rng=seed),
        "leaky": Leaky(H, rng=seed),
    }.get(kind, kind)
    lstm = nn.LSTM(E or task.D, H, batch_first=True)
    model = ManyToOne(task.D, H, task.K, pooling, embedding=E, lstm=lstm, rng=seed)
    if kind == "learned position":
        model.position = position
    return model


def learn(task, kind, seed, draw=None):
    """Make a network, drawn by `draw` or by the seed, and train it."""
    model = make(task, kind, seed if draw is None else draw)
    train(model, task.train, cross_entropy, task.settings, np.random.default_rng(seed if draw is None else draw))
    return model.eval()


# Symbols, without recurrence


def symbols(question, seed):
    """Pool the symbols themselves, answer by a linear layer; return the percentage right of each way."""
    options = dict(T=SYMBOLS["T"], symbols=SYMBOLS["symbols"])
    test = symbol_question(question, SYMBOLS["test"], rng=10_000 + seed, **options)
    D, T = test.x.shape[2], SYMBOLS["T"]
    frequent = test.x[..., :-1].sum(1) + 1e-3 * np.random.default_rng(seed).random((len(test.y), D - 1))  # ties
    scores = {"most frequent": 100 * np.mean(frequent.argmax(1) == test.y)}
    for kind in ("last", "mean", "position", "decay", "learned position", "additive", "dot"):
        torch.manual_seed(seed)
        position, head = nn.Parameter(torch.zeros(T)), nn.Linear(D, SYMBOLS["symbols"])
        attend = AttentionPool(D, kind=kind if kind == "dot" else "additive", rng=seed)
        pool = {
            "last": last_pool,
            "mean": mean_pool,
            "position": lambda x: weighted_pool(x, position_weights(T)),
            "decay": lambda x: weighted_pool(x, decay_weights(T, HALF_LIFE)),
            "learned position": lambda x, position=position: weighted_pool(x, position.exp()),
        }.get(kind, attend)
        network = nn.Module()
        network.position, network.head, network.attend = position, head, attend
        network.forward = lambda x, pool=pool, head=head: head(pool(x))
        used = {"learned position": [position], "additive": attend.parameters(), "dot": attend.parameters()}
        optimiser = Adam([*head.parameters(), *used.get(kind, [])], lr=SYMBOLS["lr"])
        rng = np.random.default_rng(seed)
        drawn = (symbol_question(question, SYMBOLS["B"], rng=rng, **options) for _ in range(SYMBOLS["updates"]))
        fit(network, ((x, y) for x, _, y in drawn), cross_entropy, optimiser, progress=False)
        with torch.no_grad():
            scores[kind] = 100 * np.mean(network(torch.as_tensor(test.x)).numpy().argmax(1) == test.y)
    return scores


# Explanations


class View(NamedTuple):
    """What a network with one head of attention did with a batch."""

    chance: np.ndarray  # (B, K) probabilities
    weights: np.ndarray  # (B, T)
    slopes: np.ndarray  # (B, T), size of the gradient of the answer's log probability at each step's vector
    deleted: np.ndarray  # (B, T, K), probabilities without the step in the input
    masked: np.ndarray  # (B, T, K), probabilities without the step in the weighted sum


def without_each(part):
    """Return every sequence as often as it has steps, each time without one: rows, steps, x, lengths."""
    T = part.x.shape[1]
    rows, steps = np.nonzero(np.arange(T) < part.lengths[:, None])
    kept = np.arange(T - 1) + (np.arange(T - 1) >= steps[:, None])  # (N, T - 1)
    return rows, steps, part.x[rows[:, None], kept], part.lengths[rows] - 1


def chances(scores):
    """Softmax, as an array in float64."""
    return torch.softmax(scores.detach().double(), dim=-1).numpy()


def look(model, part):
    """Ask a network about a batch, and about it without each step."""
    x, lengths = torch.as_tensor(part.x), part.lengths
    vectors = (x if model.embedding is None else model.embedding(x)).detach().requires_grad_()
    states, _ = model.run(vectors, lengths)
    pooled, weights = model.pool(states, lengths, return_weights=True)
    scores = model.head(pooled)
    torch.log_softmax(scores, -1).amax(1).sum().backward()
    slopes = vectors.grad.norm(dim=2).numpy()
    with torch.no_grad():
        rows, steps, shorter, fewer = without_each(part)
        deleted = np.full((*weights.shape, scores.shape[1]), np.nan)
        deleted[rows, steps] = chances(model(torch.as_tensor(shorter), fewer))
        others = weights[:, None] * (1 - torch.eye(weights.shape[1]))  # (B, T, T), row t without step t
        others = others / others.sum(2, keepdim=True).clamp_min(1e-30)
        masked = chances(model.head(others @ states.masked_fill(weights[..., None] == 0, 0)))
        masked[np.arange(weights.shape[1]) >= lengths[:, None]] = np.nan
    return View(chances(scores), weights.detach().double().numpy(), slopes, deleted, masked)


def choose(view, lengths, after):
    """Return the step that each rule would delete, (B,) each; `after` is what is left without each step."""
    rows, valid = np.arange(len(lengths)), np.arange(view.weights.shape[1]) < lengths[:, None]
    answer = after[rows, :, view.chance.argmax(1)]  # (B, T)
    return {
        "most attended": view.weights.argmax(1),
        "least attended": np.where(valid, view.weights, np.inf).argmin(1),
        "first": 0 * lengths,
        "last": lengths - 1,
        "largest gradient": np.where(valid, view.slopes, -1).argmax(1),
        "worst": np.where(valid, answer, np.inf).argmin(1),
    }


def effects(view, lengths):
    """Return for each way of deleting and each rule how many answers change, and how far their probability falls."""
    rows, valid = np.arange(len(lengths)), np.arange(view.weights.shape[1]) < lengths[:, None]
    answer, found = view.chance.argmax(1), {}
    for way, after in (("input", view.deleted), ("weight", view.masked)):
        changed = np.where(valid, np.nan_to_num(after, nan=-1).argmax(2) != answer[:, None], np.nan)  # (B, T)
        fall = view.chance[rows, answer][:, None] - after[rows, :, answer]
        picked = {name: (changed[rows, step], fall[rows, step]) for name, step in choose(view, lengths, after).items()}
        picked["random"] = np.nanmean(changed, axis=1), np.nanmean(fall, axis=1)
        found[way] = {name: {"changed": 100 * c.mean(), "fall": 100 * f.mean()} for name, (c, f) in picked.items()}
    return found


def rank_correlation(a, b, lengths):
    """Return the mean over sequences of Spearman's correlation over their steps; a, b (B, T)."""
    found = []
    for x, y, n in zip(a, b, lengths):
        x, y = rankdata(x[:n]), rankdata(y[:n])
        if np.ptp(x) and np.ptp(y):
            found.append(np.corrcoef(x, y)[0, 1])
    return np.mean(found)


def distance(view, way):
    """Total variation between what is answered with and without each step, (B, T)."""
    return abs(getattr(view, way) - view.chance[:, None]).sum(2) / 2


def describe(view, part):
    """Return how the weights are spread and how well they and the gradients rank the steps."""
    lengths, w = part.lengths, view.weights
    entropy = -(w * np.log(np.where(w > 0, w, 1))).sum(1)
    found = {"steps": np.exp(entropy).mean(), "length": lengths.mean(), "largest": w.max(1).mean()}
    found["on the last"] = w[np.arange(len(w)), lengths - 1].mean()
    found["accuracy"] = 100 * np.mean(view.chance.argmax(1) == part.y)
    for way in ("deleted", "masked"):
        for name, values in (("weights", w), ("gradient", view.slopes)):
            found[f"rank of {name}, {way}"] = rank_correlation(values, distance(view, way), lengths)
    return found | {"effects": effects(view, lengths)}


def other_weights(model, part, view, rng):
    """Return the percentage right, and of answers changed, with equal weights and with the weights shuffled."""
    x, lengths = torch.as_tensor(part.x), part.lengths
    valid = np.arange(x.shape[1]) < lengths[:, None]
    shuffled_weights = view.weights.copy()
    for row, n in zip(shuffled_weights, lengths):
        row[:n] = rng.permutation(row[:n])
    found = {}
    with torch.no_grad():
        states, _ = model.run(x if model.embedding is None else model.embedding(x), lengths)
        for name, weights in (("equal", valid / lengths[:, None]), ("shuffled", shuffled_weights)):
            answer = model.head(weighted_pool(states, weights, lengths)).numpy().argmax(1)
            changed = 100 * np.mean(answer != view.chance.argmax(1))
            found[name] = {"accuracy": 100 * np.mean(answer == part.y), "changed": changed}
    return found


def agree(views, part, rng):
    """Return how far two networks agree: on the answer, on the most attended step, on the step that matters most."""
    lengths, answers = part.lengths, [view.chance.argmax(1) for view in views]
    right = (answers[0] == part.y) & (answers[1] == part.y)
    tops = [view.weights.argmax(1) for view in views]
    worst = [choose(view, lengths, view.deleted)["worst"] for view in views]
    found = {"answer": 100 * np.mean(answers[0] == answers[1]), "both right": 100 * right.mean()}

    def by_chance(a, b):
        """Agreement when the second network's step is that of another sequence of the same length, also right."""
        same = []
        for _ in range(20):
            other = b.copy()
            for n in np.unique(lengths):
                group = np.flatnonzero(right & (lengths == n))
                other[group] = b[rng.permutation(group)]
            same.append(np.mean((a == other)[right]))
        return 100 * np.mean(same)

    for name, (a, b) in (("most attended", tops), ("worst", worst)):
        found[name] = 100 * np.mean((a == b)[right])
        found[f"{name}, other sequence"] = by_chance(a, b)
    found["blind"] = 100 * np.mean(1 / lengths[right])
    found["attended is worst"] = [100 * np.mean(t == w) for t, w in zip(tops, worst)]
    found["rank of weights"] = rank_correlation(views[0].weights[right], views[1].weights[right], lengths[right])
    moved = [distance(view, "deleted")[right] for view in views]
    found["rank of effects"] = rank_correlation(*moved, lengths[right])
    return found


def leak(model, task):
    """Return, for more and more padding, how much weight lies on it without a mask, and the percentage right."""
    found, T = {}, task.test.x.shape[1]
    for times in WIDER:
        pad = ((0, 0), (0, (times - 1) * T)) + ((0, 0),) * (task.test.x.ndim - 2)
        x, lengths = torch.as_tensor(np.pad(task.test.x, pad)), task.test.lengths
        with torch.no_grad():
            states, _ = model.run(x if model.embedding is None else model.embedding(x), lengths)
            pooled, weights = model.pool(states, return_weights=True)  # no lengths
            answer = model.head(pooled).numpy().argmax(1)
        padding = np.arange(times * T) >= lengths[:, None]
        share = 100 * (weights.numpy() * padding).sum(1).mean()
        found[times * T] = {"weight": share, "accuracy": 100 * np.mean(answer == task.test.y)}
    return found


def examples(views, part, K):
    """Return what is drawn: of the first classes the first test sequence answered right and the first wrong."""
    kept, answers = [], views[0].chance.argmax(1)
    for k in range(min(DRAWN, K)):
        for right in (True, False):
            found = np.flatnonzero((part.y == k) & ((answers == part.y) == right))
            if len(found):
                n, L = found[0], part.lengths[found[0]]
                fall = views[0].chance[n, answers[n]] - views[0].deleted[n, :L, answers[n]]
                row = {"row": n, "x": part.x[n, :L] if part.x.ndim == 2 else part.x[n, :L, 0]}
                row |= {"y": part.y[n], "answers": [v.chance[n].argmax() for v in views], "right": right}
                kept.append(row | {"weights": [v.weights[n, :L] for v in views], "fall": fall})
    return kept


def read(task, seed):
    """Train every network on one task and seed; return their scores and what was found in them."""
    scores, found, models = {}, {}, {}
    for kind in [*POOLS, "no LSTM", "leaky"]:
        models[kind] = learn(task, kind, seed)
        scores[kind] = accuracy(models[kind], task.test)
        print(f"  {kind} {scores[kind]:.1f}", flush=True)
    found["position"] = torch.softmax(models["learned position"].position.detach(), 0).numpy()
    found["leak"] = {"in use": leak(models["additive"], task), "in training": leak(models["leaky"], task)}
    rng = np.random.default_rng(seed)
    for kind in ("additive", "no LSTM"):
        pair = [models[kind], learn(task, kind, seed, draw=100 + seed)]
        views = [look(model, task.test) for model in pair]
        found[kind] = describe(views[0], task.test) | {"agree": agree(views, task.test, rng)}
        found[kind]["second accuracy"] = accuracy(pair[1], task.test)
        found[kind]["other weights"] = other_weights(pair[0], task.test, views[0], rng)
        if seed == SEEDS[0]:
            found[kind]["examples"] = examples(views, task.test, task.K)
    return scores, found


def summaries(part, all_of_it):
    """Mean frame of each utterance, or mean, spread, first and last."""
    rows = []
    for x, n in zip(part.x, part.lengths):
        x = x[:n]
        rows.append(np.concatenate([x.mean(0), x.std(0), x[0], x[-1]]) if all_of_it else x.mean(0))
    return np.array(rows)


def vowel_baselines():
    """Logistic regressions on summaries of the utterances."""
    task, scores = vowels(0), {}
    scores["majority"] = 100 * np.bincount(task.test.y).max() / len(task.test.y)
    for name, all_of_it in (("mean frame", False), ("mean, spread, first, last", True)):
        line = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
        line.fit(summaries(task.train, all_of_it), task.train.y)
        scores[name] = 100 * line.score(summaries(task.test, all_of_it), task.test.y)
    return scores


if __name__ == "__main__":
    torch.set_num_threads(1)
    begun = time.process_time()
    results = {"settings": {"names": NAMES, "vowels": VOWELS, "symbols": SYMBOLS, "half_life": HALF_LIFE}}
    for name, task in (("vowels", vowels), ("names", names)):
        runs = []
        for seed in SEEDS:
            print(f"{name}, seed {seed}", flush=True)
            runs.append(read(task(seed), seed))
        scores = {kind: [s[kind] for s, _ in runs] for kind in runs[0][0]}
        results[name] = {"scores": scores, "runs": [found for _, found in runs]}
    results["vowels"]["baselines"] = vowel_baselines()
    results["symbols"] = {}
    for question in ("marked", "final"):
        runs = [symbols(question, seed) for seed in SEEDS]
        results["symbols"][question] = {kind: [run[kind] for run in runs] for kind in runs[0]}
        print(
            question, {kind: np.round(np.median(s), 1) for kind, s in results["symbols"][question].items()}, flush=True
        )
    results["cpu_minutes"] = round((time.process_time() - begun) / 60, 1)
    save("attention_pooling", results, seeds=SEEDS)
