"""The one comparison that four chapters quote: a city's country and a vowel's speaker, by every pool and every rival.

Names: 960 test names that are the same for all and that nothing has been chosen on; the others are divided anew by each
seed into 3,360 for training and 480 for validation, and the seed draws the network too. Vowels: the 370 published test
utterances; the other 270 are divided by each seed into 225 and 45, and scaled by the valid steps of the 225.

Every network has the same eight tries (`TRIES`: learning rate, dropout, weight decay) on the division of seed 100, and
the one with the lowest validation cross-entropy is trained with seeds 0 to 9, each until its validation cross-entropy
has stopped improving (`learning.py`). Every linear model has eight tries too, chosen alike. Dropout: on the letters'
vectors and on what the head reads. 64 units for names (with vectors of 32 for the letters), 32 for vowels; in both
directions, twice as many.

"learned position" learns a weight for each step; "attention" is additive; "attention, no LSTM" puts each step through a
layer of its own instead. About twenty minutes on two cores.
"""

import sys
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from learning import Unpacked, cut, divide, learn, predict, shuffled
from protocol import paired, run, save, search
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from lstm_tutorial.data import Batch, city_names, japanese_vowels
from lstm_tutorial.in_torch import AttentionPool, cross_entropy, decay_weights, position_weights

SEEDS, SEARCHED = range(10), 100
TRIES = [
    dict(lr=lr, dropout=dropout, weight_decay=decay)
    for lr in (1e-3, 3e-3, 1e-2, 3e-2)
    for dropout, decay in ((0, 0), (0.3, 0.1))
]
HALF_LIFE = 4
POOLS = ("last", "max", "mean", "position", "decay", "learned position", "attention", "dot", "4 heads")
NETWORKS = (*POOLS, "attention, no LSTM", "RNN, last", "both directions, last")
LINEAR = {  # task, model: what is tried
    ("names", "letters"): [dict(C=C, longest=1) for C in (0.1, 0.3, 1, 3, 10, 30, 100, 300)],
    ("names", "pieces"): [dict(C=C, longest=n) for n in (4, 5) for C in (10, 30, 100, 300)],
    ("vowels", "mean frame"): [dict(C=C) for C in (0.001, 0.01, 0.1, 1, 3, 10, 100, 1000)],
    ("vowels", "four frames"): [dict(C=C) for C in (0.001, 0.01, 0.1, 1, 3, 10, 100, 1000)],
}


class Task(NamedTuple):
    """Sequences and what reads them: D features or different tokens, E numbers a token, H units, K classes, batch B."""

    train: Batch
    validation: Batch
    test: Batch
    D: int
    E: int | None
    H: int
    K: int
    B: int


def task_of(name, seed):
    """Return a task, divided by a seed."""
    if name == "names":
        data = divide(city_names(rng=0), seed)
        return Task(*data[:3], len(data.alphabet), 32, 64, len(data.countries), 64)
    parts = japanese_vowels(rng=seed)
    x, lengths, _ = parts.train
    valid = x[np.arange(x.shape[1]) < lengths[:, None]]
    scaled = [part._replace(x=((part.x - valid.mean(0)) / valid.std(0)).astype(np.float32)) for part in parts[:3]]
    return Task(*scaled, x.shape[2], None, 32, 9, 30)


class EachStep(nn.Module):
    """No recurrence: a linear layer and tanh on each step alone, called like torch's LSTM."""

    bidirectional, batch_first = False, True

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.input_size, self.hidden_size = input_size, hidden_size
        self.layer = nn.Linear(input_size, hidden_size)

    def forward(self, x, state=None):
        """Map x (B, T, D) to (B, T, H)."""
        return torch.tanh(self.layer(x)), None


def make(task, kind, seed, dropout=0.0):
    """Return a network of `NETWORKS`, drawn from a seed."""
    torch.manual_seed(seed)
    H, T = task.H, task.train.x.shape[1]
    trunk, _, pool = kind.rpartition(", ")
    pool, trunk = ("attention", "no LSTM") if pool == "no LSTM" else (pool, trunk)
    size = task.E or task.D
    lstm = {
        "no LSTM": lambda: EachStep(size, H),
        "RNN": lambda: nn.RNN(size, H, batch_first=True),
        "both directions": lambda: nn.LSTM(size, H, batch_first=True, bidirectional=True),
    }.get(trunk, lambda: nn.LSTM(size, H, batch_first=True))()
    weights = nn.Parameter(torch.zeros(T))
    pooling = {
        "position": position_weights,
        "decay": partial(decay_weights, half_life=HALF_LIFE),
        "learned position": lambda T: weights[:T].exp(),
        "attention": AttentionPool(H, rng=seed),
        "dot": AttentionPool(H, kind="dot", rng=seed),
        "4 heads": AttentionPool(H, heads=4, rng=seed),
    }.get(pool, pool)
    model = Unpacked(task.D, H, task.K, pooling, embedding=task.E, lstm=lstm, rng=seed)
    if pool == "learned position":
        model.position = weights
    if dropout:
        if task.E:
            model.embedding = nn.Sequential(model.embedding, nn.Dropout(dropout))
        model.head = nn.Sequential(nn.Dropout(dropout), model.head)
    return model


def judge(scores, y):
    """Return the percentage of right answers and the mean cross-entropy of scores (N, K)."""
    scores, y = torch.as_tensor(scores), torch.as_tensor(y)
    return {"right": 100 * float((scores.argmax(1) == y).double().mean()), "nats": float(cross_entropy(scores, y))}


def train(task, model, seed, lr, weight_decay, epochs=300):
    """Train a network on a task until validation is best; return what `learn` returns."""
    rng, (x, lengths, y) = np.random.default_rng(seed), task.validation
    x, y = torch.as_tensor(x), torch.as_tensor(y)

    def epoch():
        return cut(shuffled(task.train, task.B, rng))

    def validate():
        return cross_entropy(model(x, lengths), y)

    return learn(model, epoch, cross_entropy, validate, lr=lr, weight_decay=weight_decay, epochs=epochs)


def network(contender, seed, lr, dropout, weight_decay):
    """Train the network `contender` = (task, kind); return its scores on all parts and its curve."""
    name, kind = contender
    task = task_of(name, seed)
    model = make(task, kind, seed, dropout)
    found = train(task, model, seed, lr, weight_decay)
    parts = {part: getattr(task, part) for part in ("train", "validation", "test")}
    scores = {part: judge(predict(model, each.x, each.lengths), each.y) for part, each in parts.items()}
    return scores | found


def pieces(longest, C):
    """Return a logistic regression on pieces of 1 to `longest` letters, with a space at both ends of a word."""
    ends = "char_wb" if longest > 1 else "char"
    counts = TfidfVectorizer(analyzer=ends, ngram_range=(1, longest), sublinear_tf=True)
    return make_pipeline(counts, LogisticRegression(C=C, max_iter=2000))


def frames(part, four):
    """Return the mean of the valid frames (N, 12), or also their spread, the first and the last (N, 48)."""
    valid = np.arange(part.x.shape[1]) < part.lengths[:, None]
    x, n = part.x * valid[..., None], part.lengths[:, None]
    mean = x.sum(1) / n
    if not four:
        return mean
    spread = np.sqrt(np.maximum((x**2).sum(1) / n - mean**2, 0))
    return np.c_[mean, spread, x[:, 0], x[np.arange(len(x)), part.lengths - 1]]


def linear(contender, seed, **settings):
    """Fit the linear model `contender` = (task, kind); return its scores on all parts."""
    name, kind = contender
    if name == "names":
        data = divide(city_names(rng=0), seed)
        parts = {part: getattr(data, part) for part in ("train", "validation", "test")}
        seen = {part: [data.alphabet.decode(x) for x in each.x] for part, each in parts.items()}
        model = pieces(**settings)
    else:
        task = task_of(name, seed)
        parts = {part: getattr(task, part) for part in ("train", "validation", "test")}
        seen = {part: frames(each, kind == "four frames") for part, each in parts.items()}
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=5000, **settings))
    model.fit(seen["train"], parts["train"].y)
    scores = {part: judge(model.predict_log_proba(seen[part]), each.y) for part, each in parts.items()}
    features = model[0].get_feature_names_out().size if name == "names" else seen["train"].shape[1]
    return scores | {"features": features}


def validation_of_network(**setting):
    """Return the validation cross-entropy of a try."""
    return network(**setting)["best"]


def validation_of_linear(**setting):
    """Return the validation cross-entropy of a try."""
    return linear(**setting)["validation"]["nats"]


def compare(task):
    """Search, then train, every contender of a task; return {contender: what was found}."""
    rivals = [kind for name, kind in LINEAR if name == task]
    chosen = search(validation_of_network, [(task, kind) for kind in NETWORKS], TRIES, SEARCHED)
    for kind in rivals:
        chosen |= search(validation_of_linear, [(task, kind)], LINEAR[task, kind], SEARCHED)
    found = {}
    for kind in (*NETWORKS, *rivals):
        each, function = chosen[task, kind], linear if kind in rivals else network
        runs = list(run(function, [dict(contender=(task, kind), seed=seed) | each["chosen"] for seed in SEEDS]))
        found[kind] = gather(runs) | {"chosen": each["chosen"], "tries": np.round(each["scores"], 4)}
        print(f"{task}, {kind}: {np.median(found[kind]['right']):.1f}, {each['chosen']}", flush=True)
    for each in found.values():
        each["against last"] = paired(each["right"], found["last"]["right"])
    return found


def gather(runs):
    """Return lists over the seeds: the scores, when training stopped, and the curve of the first seed."""
    found = {"right": [each["test"]["right"] for each in runs]}
    found |= {"nats": [each["test"]["nats"] for each in runs]}
    found |= {f"right on {part}": [each[part]["right"] for each in runs] for part in ("train", "validation")}
    if "curve" in runs[0]:
        found |= {"best epoch": [each["at"] for each in runs], "ended": [each["ended"] for each in runs]}
        found |= {"curves": [np.round(each["curve"], 3) for each in runs[:2]]}
    else:
        found |= {"features": runs[0]["features"]}
    return found


def majority(task):
    """Return the percentage right of always saying the most common class of the training part."""
    each = task_of(task, 0)
    return 100 * float(np.mean(each.test.y == np.bincount(each.train.y).argmax()))


if __name__ == "__main__":
    tasks = sys.argv[1:] or ["names", "vowels"]
    results = {task: compare(task) | {"majority": majority(task)} for task in tasks}
    save("names_and_vowels", {"tries": TRIES, "linear tries": {k: v for (_, k), v in LINEAR.items()}} | results, SEEDS)
