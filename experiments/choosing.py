"""Study of the chapter choosing: six ways of pooling, four questions, and what changes the answer.

Questions (`symbol_question`, four symbols): does symbol 0 occur, are more than half of the steps of the first two
symbols, which symbol is the last, which one is marked. Every network is ManyToOne: a trunk with H = 16, a pool, a
linear head. Trunks: torch's LSTM as torch draws it; the same with a forget bias of 2; both directions; and none, which
is a linear layer and tanh on each step alone. A one-way LSTM is run through the padding, which no earlier state can
see, and pooled over the valid steps: the same numbers as packing, sooner.

Fixed before the first run and the same for all: Adam at 1e-2, 32 fresh sequences an update, 300 updates, gradients
clipped at 1; T = 50 with lengths from 25; the decay's half-life T / 5. Nothing was chosen on a score, and the network
after the last update counts, tested on 2,000 sequences that are the same for all. All pools of one seed see the same
data in the same order. So a pool that learns more slowly at this rate is shown as worse; the rates 3e-3 and 3e-2 say
how much that matters.

Grids: base (five seeds; with the forget bias three); length; noise; rate; few sequences, read again and again (three
seeds each); position, with all sequences 100 long, both directions too, and the norm of the loss's gradient at steps of
the input, before and during training (three seeds). Longer, 3,000 updates, was added after a first look, to tell what
a pool cannot do from what it has not learned yet. Real (five seeds): city names with the settings of many-to-one, and
Japanese Vowels, all 270 training utterances, H = 32, one cycle to 1e-2, batches of 30, 40 epochs, fixed beforehand.

About half an hour of one processor. A stop loses nothing: what is done stands in choosing.jsonl in the folder for
temporary files, and a new start goes on from there; delete that file after a change of this script.
"""

import json
import sys
import tempfile
import time
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from many_to_one import NAMES, pieces, predict, train
from protocol import save
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from lstm_tutorial.data import city_names, japanese_vowels, symbol_question
from lstm_tutorial.in_torch import (
    Adam,
    ManyToOne,
    cross_entropy,
    decay_weights,
    fit,
    last_pool,
    position_weights,
)

QUESTIONS, CLASSES = ("exists", "average", "final", "marked"), dict(exists=2, average=2, final=4, marked=4)
POOLS = ("last", "max", "mean", "position", "decay", "attention")
TRUNKS = ("LSTM", "none")
FOUR = ("last", "max", "mean", "attention")
H, B, UPDATES, LR, TEST = 16, 32, 300, 1e-2, 2000
PLACES = [round(0.1 * k, 1) for k in range(11)]
LOOKS = (0, 50, 100, 200, 300)  # updates after which the gradient is looked at
VOWELS = dict(H=32, lr=1e-2, B=30, epochs=40, clip=1.0)
PROGRESS = Path(tempfile.gettempdir()) / "choosing.jsonl"


class EachStep(nn.Module):
    """No recurrence: a linear layer and tanh on each step alone, with the face of torch's LSTM."""

    bidirectional, batch_first = False, True

    def __init__(self, input_size, hidden_size):
        super().__init__()
        self.input_size, self.hidden_size = input_size, hidden_size
        self.layer = nn.Linear(input_size, hidden_size)

    def forward(self, x, state=None):
        return torch.tanh(self.layer(x)), None


class Unpacked(ManyToOne):
    """ManyToOne on a trunk that reads the padding too: no state of a one-way network at a valid step sees it."""

    def run(self, x, lengths=None, state=None):
        output, state = self.lstm(x)
        return (output, state) if self.lstm.bidirectional else (output, last_pool(output, lengths)[None])


def half_life(T):
    """The decay's weights: a half-life of a fifth of the steps."""
    return decay_weights(T, T / 5)


def make(pool, trunk, K, seed, D=5, hidden=H, **options):
    """Return a network, drawn from a seed."""
    torch.manual_seed(seed)
    lstm = (
        EachStep(D, hidden) if trunk == "none" else nn.LSTM(D, hidden, batch_first=True, bidirectional=trunk == "both")
    )
    if trunk == "bias 2":
        with torch.no_grad():
            lstm.bias_ih_l0[hidden : 2 * hidden], lstm.bias_hh_l0[hidden : 2 * hidden] = 2, 0
    pooling = {"position": position_weights, "decay": half_life}.get(pool, pool)
    return Unpacked(options.pop("input_size", D), hidden, K, pooling, lstm=lstm, rng=seed, **options)


def draw(question, count, T, rng, noise=0.0, equal=False, position=None):
    """Draw sequences, ragged from T / 2 unless they are all to be equally long."""
    low = None if equal else T // 2
    return symbol_question(question, count, T, noise=noise, min_length=low, position=position, rng=rng)


@lru_cache(maxsize=1)
def batches(question, T, noise, equal, few, updates, seed):
    """The training data of one seed, the same for every pool: fresh, or `few` sequences in new orders."""
    rng = np.random.default_rng([seed, 1])
    if few:
        part, rows = draw(question, few, T, rng, noise, equal), []
        while len(rows) < updates * B:
            rows = np.concatenate([rows, rng.permutation(few)]).astype(int)
        return [tuple(a[rows[k : k + B]] for a in part) for k in range(0, updates * B, B)]
    return [tuple(draw(question, B, T, rng, noise, equal)) for _ in range(updates)]


@lru_cache(maxsize=64)
def tests(question, T, noise=0.0, equal=False, position=None, count=TEST):
    """Test sequences, the same for every network."""
    return draw(question, count, T, np.random.default_rng([99, 2]), noise, equal, position)


def score(model, part, lengths=True, more=0):
    """Return the share of right answers; `more` pads the sequences further."""
    x = np.pad(part.x, ((0, 0), (0, more), (0, 0)))
    inputs = (x, part.lengths) if lengths else (x,)
    return np.mean(predict(model, *inputs).argmax(1) == part.y)


def gradient_by_step(model, part):
    """Return the norm of the loss's gradient at each step of the input, averaged over the sequences, (T,)."""
    x = torch.as_tensor(part.x).requires_grad_()
    loss = nn.functional.cross_entropy(model(x), torch.as_tensor(part.y), reduction="sum")
    return torch.autograd.grad(loss, x)[0].norm(dim=2).mean(dim=0).numpy()


def learned_at(losses, level=0.2, width=20):
    """Return the first update at which the mean loss of the last `width` fell below a level, or None."""
    means = np.convolve(losses, np.ones(width) / width, "valid")
    below = np.flatnonzero(means < level)
    return int(below[0]) + width if len(below) else None


def run(question, pool, trunk="LSTM", T=50, noise=0.0, lr=LR, few=None, equal=False, updates=UPDATES, seed=0):
    """Train one network and test it."""
    model = make(pool, trunk, CLASSES[question], seed)
    data, optimiser = batches(question, T, noise, equal, few, updates, seed), Adam(model.parameters(), lr=lr)
    found, losses, looks = {}, [], LOOKS if equal and not few and updates == UPDATES else (0, updates)
    for begin, end in zip(looks, looks[1:]):
        if looks == LOOKS:
            found[f"gradient {begin}"] = gradient_by_step(model, tests(question, T, equal=True, count=256))
        losses += fit(model, data[begin:end], cross_entropy, optimiser, progress=False)
    part = tests(question, T, noise, equal)
    found |= {"right": score(model, part), "learned at": learned_at(losses)}
    if question in ("exists", "marked") and not noise and lr == LR:
        found["by place"] = [score(model, tests(question, T, noise, equal, p, 500)) for p in PLACES]
    if few:
        found["right on train"] = score(model, draw(question, few, T, np.random.default_rng([seed, 1]), noise, equal))
    if not equal and trunk != "none" and T == 50 and not few and not noise and lr == LR:
        found["no mask"] = {T + more: score(model, part, lengths=False, more=more) for more in (0, 50)}
    return found


def jobs():
    """Every training of the study, as (grid, arguments of `run`); those that share data stand together."""
    sets = [("base", dict(question=q, trunk=k, seed=s), POOLS) for q in QUESTIONS for s in range(5) for k in TRUNKS]
    sets += [("base", dict(question=q, trunk="bias 2", seed=s), FOUR) for q in QUESTIONS for s in range(3)]
    needles = [(q, s) for q in ("exists", "marked") for s in range(3)]
    for q, s in needles:
        for trunk in ("LSTM", "bias 2", "both"):
            sets.append(("position", dict(question=q, trunk=trunk, T=100, equal=True, seed=s), FOUR))
    some = [(q, s, trunk) for q in QUESTIONS for s in range(3) for trunk in TRUNKS]
    sets += [("noise", dict(question=q, noise=n, trunk=k, seed=s), FOUR) for q, s, k in some for n in (0.5, 1.0)]
    sets += [("length", dict(question=q, T=200, trunk=k, seed=s), FOUR) for q, s, k in some]
    sets += [("length", dict(question=q, T=100, seed=s), FOUR) for q in QUESTIONS for s in range(3)]
    for q, s in needles:
        sets.append(("few", dict(question=q, trunk="both", T=100, equal=True, few=200, seed=s), FOUR))
        sets += [("rate", dict(question=q, lr=lr, seed=s), FOUR) for lr in (3e-3, 3e-2)]
        sets.append(("longer", dict(question=q, trunk="none", updates=3000, seed=s), ("mean",)))
        if q == "marked":
            sets.append(("longer", dict(question=q, T=100, equal=True, updates=3000, seed=s), ("last",)))
    for s in range(3):
        sets.append(("longer", dict(question="average", updates=3000, seed=s), ("mean",)))
        sets.append(("longer", dict(question="final", updates=3000, seed=s), ("max", "attention")))
    trainings = [(grid, dict(pool=pool, **each)) for grid, each, pools in sets for pool in pools]
    return trainings + [("real", dict(task=task, seed=s)) for task in ("names", "vowels") for s in range(5)]


def rule(question, part):
    """Answer by a rule: read each step's symbol as its largest number, then do what the question says."""
    x, lengths = part.x, part.lengths
    symbol, rows = x[..., :-1].argmax(2), np.arange(len(x))
    valid = np.arange(x.shape[1]) < lengths[:, None]
    if question == "exists":
        return ((symbol == 0) & valid).any(1)
    if question == "average":
        return ((symbol < 2) & valid).sum(1) * 2 > lengths
    if question == "final":
        return symbol[rows, lengths - 1]
    return symbol[rows, np.where(valid, x[..., -1], -np.inf).argmax(1)]


def features(part):
    """What two linear models see: the sum of each number over the steps and the length; the last step."""
    return np.c_[part.x.sum(1), part.lengths], part.x[np.arange(len(part.x)), part.lengths - 1]


def baselines(question, T=50, noise=0.0):
    """Return the scores of what needs no network."""
    part, fresh = tests(question, T, noise), draw(question, 5000, T, np.random.default_rng([0, 3]), noise)
    found = {"majority": np.bincount(part.y).max() / len(part.y), "rule": np.mean(rule(question, part) == part.y)}
    for name, x, y in zip(("counts", "last step"), features(fresh), features(part)):
        line = make_pipeline(StandardScaler(), LogisticRegression(C=100, max_iter=2000)).fit(x, fresh.y)
        found[name] = line.score(y, part.y)
    return found


def names(seed):
    """City names: four pools and the baselines on one split."""
    cities = city_names(rng=seed)
    texts = [[cities.alphabet.decode(x) for x in part.x] for part in (cities.train, cities.test)]
    found = {"majority": np.bincount(cities.test.y).max() / len(cities.test.y)}
    for name, linear in {"bag of letters": pieces(1, False), "pieces of 1 to 4 letters": pieces(4)}.items():
        found[name] = linear.fit(texts[0], cities.train.y).score(texts[1], cities.test.y)
    for pool in FOUR:
        model = make(
            pool, "LSTM", 12, seed, NAMES["embedding"], NAMES["H"], embedding=NAMES["embedding"], input_size=32
        )
        train(model, cities.train, cross_entropy, NAMES, np.random.default_rng(seed))
        found[pool] = score_tokens(model, cities.test)
    return found


def score_tokens(model, part):
    """Return the share of right answers."""
    return np.mean(predict(model, part.x, part.lengths).argmax(1) == part.y)


def vowels(seed):
    """Japanese Vowels: all 270 training utterances, the published test set; four pools and two linear models."""
    data = japanese_vowels(validation=0, rng=seed)
    valid = np.arange(29) < data.train.lengths[:, None]
    mean, std = data.train.x[valid].mean(0), data.train.x[valid].std(0)
    parts = [
        p._replace(x=(p.x - mean) / std * (np.arange(29) < p.lengths[:, None])[..., None])
        for p in (data.train, data.test)
    ]
    found = {"majority": np.bincount(parts[1].y).max() / len(parts[1].y)}
    for name, make_features in {"mean frame": mean_frame, "mean, spread, first, last": four_frames}.items():
        line = LogisticRegression(max_iter=2000).fit(make_features(parts[0]), parts[0].y)
        found[name] = line.score(make_features(parts[1]), parts[1].y)
    for pool in FOUR:
        model = make(pool, "LSTM", 9, seed, 12, VOWELS["H"])
        train(model, parts[0], cross_entropy, VOWELS, np.random.default_rng(seed))
        found[pool] = score_tokens(model, parts[1])
    return found


def mean_frame(part):
    """The mean of the valid frames, (N, 12)."""
    return part.x.sum(1) / part.lengths[:, None]


def four_frames(part):
    """Mean, spread, first and last frame, (N, 48)."""
    squares = (part.x**2).sum(1) / part.lengths[:, None]
    spread = np.sqrt(squares - mean_frame(part) ** 2)
    return np.c_[mean_frame(part), spread, part.x[:, 0], part.x[np.arange(len(part.x)), part.lengths - 1]]


def plain(found):
    """Lists and short numbers."""
    if isinstance(found, dict):
        return {str(key): plain(value) for key, value in found.items()}
    if isinstance(found, np.ndarray | list):
        return [plain(each) for each in found]
    return found if found is None or isinstance(found, int) else float(f"{found:.4g}")


def do(jobs, share=0, of=1):
    """Run the jobs that are not done, or a share of them, and note each result in the progress file."""
    done = finished()
    left = [each for each in jobs if json.dumps(each) not in done]
    for grid, job in left[share::of]:
        begun = time.process_time()
        found = {"names": names, "vowels": vowels}[job["task"]](job["seed"]) if grid == "real" else run(**job)
        line = json.dumps([json.dumps([grid, job]), plain(found), time.process_time() - begun])
        with PROGRESS.open("a") as file:
            file.write(line + "\n")
        print(grid, *job.values(), found.get("right", ""), flush=True)


def finished():
    """Return what stands in the progress file, by job."""
    lines = PROGRESS.read_text().splitlines() if PROGRESS.exists() else []
    return {key: (found, seconds) for key, found, seconds in map(json.loads, lines)}


def gathered(jobs):
    """Group the results: grid, then question, trunk, pool and what was varied; a list over the seeds of each number."""
    done, grids = finished(), {}
    for grid, job in jobs:
        varied = {"rate": "lr", "noise": "noise", "length": "T", "few": "few"}.get(grid)
        keys = [job.get("task") or job["question"]]
        if grid != "real":
            keys += [job.get("trunk", "LSTM"), *([str(job[varied])] if varied else []), job["pool"]]
        place = grids.setdefault(grid, {})
        for key in keys:
            place = place.setdefault(key, {})
        for name, value in done[json.dumps([grid, job])][0].items():
            place.setdefault(name, []).append(value[::11] if name.startswith("gradient") else value)
    return grids, sum(seconds for _, seconds in done.values()) / 60


if __name__ == "__main__":
    torch.set_num_threads(1)
    everything = jobs()
    if len(sys.argv) > 1:  # a share of the trainings alone: "0 2" and "1 2" side by side
        do(everything, *map(int, sys.argv[1:]))
        sys.exit()
    do(everything)
    begun = time.process_time()
    grids, minutes = gathered(everything)
    lines = {q: baselines(q) for q in QUESTIONS}
    noisy = {q: {n: baselines(q, noise=n) for n in (0.5, 1.0)} for q in QUESTIONS}
    longer = {q: {T: baselines(q, T) for T in (100, 200)} for q in QUESTIONS}
    settings = dict(H=H, B=B, updates=UPDATES, lr=LR, test=TEST, places=PLACES, looks=LOOKS, names=NAMES, vowels=VOWELS)
    scores = plain({"base": lines, "noise": noisy, "length": longer})
    minutes = round(minutes + (time.process_time() - begun) / 60, 1)
    made = {"settings": settings, "gradient steps": list(range(1, 101, 11)), "cpu_minutes": minutes}
    save("choosing", made | grids | {"baselines": scores}, seeds=range(5))
    PROGRESS.unlink()
