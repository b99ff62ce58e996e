"""Study of the chapter attention-pooling: what weights can do, and whether they explain an answer.

Symbols: the symbols themselves are pooled and read by a linear layer, without recurrence. Which of 20 carries the
mark, and which is the last? Every pool has the same six learning rates on seed 100; seeds 0 to 4 are then trained with
the one that is best on validation data, on new sequences in every batch, each until its validation cross-entropy has
not improved for 6 epochs of 50 batches. Below 0.01 a question is solved, and training is not continued for less.

Explanations: attention, and attention without an LSTM, on the city names and the vowels of `names_and_vowels`, with its
divisions, its chosen settings and its seeds 0 to 9: the same networks. In every test sequence each step is deleted
once, from the input (the LSTM reads what is left) and from the weighted sum (its weight is set to 0, the others grow).
A rule names the step of each sequence; "random" is the mean over all its steps. For seeds 0 to 4 a second network is
trained on the same division from other initial weights. Every agreement has beside it what is left of it when one side
comes from another sequence of the same length.

Padding: the softmax takes in the zeros after the last valid step too, in training, in testing or in both, with more and
more padding; the LSTM's states are as before. Without a mask the vowels have the same tries, chosen alike.
About seven minutes on two cores.
"""

from typing import NamedTuple

import numpy as np
import torch
from learning import learn, predict
from names_and_vowels import HALF_LIFE, SEARCHED, TRIES, judge, make, task_of, train
from protocol import paired, run, save, search, streams
from scipy.stats import rankdata
from torch import nn

from lstm_tutorial.data import symbol_question
from lstm_tutorial.in_torch import (
    AttentionPool,
    cross_entropy,
    decay_weights,
    mean_pool,
    position_weights,
    weighted_pool,
)
from lstm_tutorial.in_torch.padding import fill_padding, valid_steps
from lstm_tutorial.notebook import study

SEEDS, PAIRS, SYMBOL_SEEDS = range(10), range(5), range(5)
QUESTIONS, T, SYMBOLS = ("marked", "final"), 20, 4
DIRECT = ("mean", "position", "decay", "learned position", "attention", "dot")
RATES = [dict(lr=lr) for lr in (1, 0.3, 0.1, 0.03, 0.01, 0.003)]
SOLVED = 0.01  # cross-entropy
WIDER = (1, 2, 4)  # times the usual length
RULES = ("worst", "most attended", "least attended", "first", "last", "largest gradient")
DRAWN = 5  # classes of which examples are kept


# Symbols, without recurrence


class Direct(nn.Module):
    """Pool the steps as they are, then a linear layer."""

    def __init__(self, kind, D, K, seed):
        super().__init__()
        torch.manual_seed(seed)
        self.kind, self.head, self.position = kind, nn.Linear(D, K), nn.Parameter(torch.zeros(T))
        self.attend = AttentionPool(D, kind="dot" if kind == "dot" else "additive", rng=seed)

    def forward(self, x):
        """Map x (B, T, D) to scores (B, K)."""
        pool = {
            "mean": mean_pool,
            "position": lambda x: weighted_pool(x, position_weights(T)),
            "decay": lambda x: weighted_pool(x, decay_weights(T, HALF_LIFE)),
            "learned position": lambda x: weighted_pool(x, self.position.exp()),
        }.get(self.kind, self.attend)
        return self.head(pool(x))


def draw(question, B, rng):
    """Return x (B, T, D) and the answers."""
    x, _, y = symbol_question(question, B, T, symbols=SYMBOLS, rng=rng)
    return x, y


def symbols(contender, seed, lr):
    """Train the pool of `contender` = (question, kind); return its scores on new sequences and its curve."""
    question, kind = contender
    training, for_validation, for_test = streams(seed)
    x, y = draw(question, 2000, for_validation)
    model = Direct(kind, SYMBOLS + 1, SYMBOLS, seed)

    def epoch():
        return (draw(question, 64, training) for _ in range(50))

    def validate():
        return max(judge(predict(model, x), y)["nats"], SOLVED)

    found = learn(model, epoch, cross_entropy, validate, lr=lr, epochs=300)
    found["reached"] = judge(predict(model, x), y)["nats"]
    x, y = draw(question, 4000, for_test)
    return found | judge(predict(model, x), y)


def validation_of_symbols(**setting):
    """Return the validation cross-entropy of a try."""
    return symbols(**setting)["reached"]


def most_frequent(question, seed):
    """Return how often the most frequent symbol of a test sequence is the answer, in percent; a tie is drawn."""
    x, y = draw(question, 4000, streams(seed)[2])
    counts = x[..., :-1].sum(1)
    return 100 * np.mean((counts + 1e-3 * np.random.default_rng(seed).random(counts.shape)).argmax(1) == y)


def compare_symbols():
    """Search, then train every pool on both questions."""
    contenders = [(question, kind) for question in QUESTIONS for kind in DIRECT]
    chosen, found = search(validation_of_symbols, contenders, RATES, SEARCHED), {}
    for question in QUESTIONS:
        found[question] = {"most frequent": {"right": [most_frequent(question, seed) for seed in SYMBOL_SEEDS]}}
        for kind in DIRECT:
            each = chosen[question, kind]
            settings = [dict(contender=(question, kind), seed=seed) | each["chosen"] for seed in SYMBOL_SEEDS]
            runs = list(run(symbols, settings))
            one = {key: [each[key] for each in runs] for key in ("right", "at", "ended")}
            one |= {"chosen": each["chosen"], "tries": each["scores"], "curve": np.round(runs[0]["curve"], 3)}
            found[question][kind] = one
        for each in found[question].values():
            each["against mean"] = paired(each["right"], found[question]["mean"]["right"])
    return found


# Explanations


class Unmasked(AttentionPool):
    """The fault: the softmax is taken over all steps; those past a length are zeros."""

    def forward(self, x, lengths=None, **options):
        """Pool x as if no step were padding."""
        return AttentionPool.forward(self, fill_padding(x, valid_steps(lengths, x.shape[1]), 0), **options)


def trained(task, kind, seed, lr, dropout, weight_decay):
    """Return a network of a kind of `names_and_vowels`, or one with attention and no mask, and its curve."""
    model = make(task, "attention" if kind == "unmasked" else kind, seed, dropout)
    if kind == "unmasked":
        model.pool = Unmasked(task.H, rng=seed)
    return model, train(task, model, seed, lr, weight_decay)


class View(NamedTuple):
    """What a network with one head of attention does with a batch."""

    chance: np.ndarray  # (B, K) probabilities
    weights: np.ndarray  # (B, T)
    slopes: np.ndarray  # (B, T), size of the gradient of the answer's log probability at each step's vector
    deleted: np.ndarray  # (B, T, K), probabilities without the step in the input
    masked: np.ndarray  # (B, T, K), probabilities without the step in the weighted sum


def chances(scores):
    """Softmax, as an array in float64."""
    return torch.softmax(scores.detach().double(), dim=-1).numpy()


def states_of(model, x, lengths):
    """Return the vectors of the steps, which a gradient can reach, and the states that the pool reads."""
    x = torch.as_tensor(x)
    vectors = (x if model.embedding is None else model.embedding(x)).detach().requires_grad_()
    return vectors, model.run(vectors, lengths)[0]


def look(model, part):
    """Evaluate a network on a batch, and on it without each step."""
    lengths, T = part.lengths, part.x.shape[1]
    vectors, states = states_of(model, part.x, lengths)
    pooled, weights = model.pool(states, lengths, return_weights=True)
    scores = model.head(pooled)
    torch.log_softmax(scores, -1).amax(1).sum().backward()
    rows, steps = np.nonzero(np.arange(T) < lengths[:, None])
    kept = np.arange(T - 1) + (np.arange(T - 1) >= steps[:, None])  # (N, T - 1), all steps but one
    deleted, masked = np.full((2, *weights.shape, scores.shape[1]), np.nan)
    deleted[rows, steps] = chances(predict(model, part.x[rows[:, None], kept], lengths[rows] - 1))
    with torch.no_grad():
        others = weights[:, None] * (1 - torch.eye(T))  # (B, T, T), row t without step t
        others = others / others.sum(2, keepdim=True).clamp_min(1e-30)
        without = chances(model.head(others @ states.masked_fill(weights[..., None] == 0, 0)))
    masked[rows, steps] = without[rows, steps]
    return View(chances(scores), weights.detach().double().numpy(), vectors.grad.norm(dim=2).numpy(), deleted, masked)


def changes(view, lengths, after):
    """Return the step (B,) of each rule, and whether the answer changes without each step (B, T), NaN on padding.

    `after` (B, T, K) is what is left without each step.
    """
    rows, valid = np.arange(len(lengths)), np.arange(view.weights.shape[1]) < lengths[:, None]
    answer = view.chance.argmax(1)
    changed = np.where(valid, np.nan_to_num(after, nan=-1).argmax(2) != answer[:, None], np.nan)
    steps = {
        "worst": np.where(valid, after[rows, :, answer], np.inf).argmin(1),
        "most attended": view.weights.argmax(1),
        "least attended": np.where(valid, view.weights, np.inf).argmin(1),
        "first": 0 * lengths,
        "last": lengths - 1,
        "largest gradient": np.where(valid, view.slopes, -1).argmax(1),
    }
    return steps, changed


def rank_correlation(a, b, lengths):
    """Return the mean over sequences of Spearman's correlation over their steps; a, b (B, T)."""
    ranks = [(rankdata(x[:n]), rankdata(y[:n])) for x, y, n in zip(a, b, lengths)]
    return np.mean([np.corrcoef(x, y)[0, 1] for x, y in ranks if np.ptp(x) and np.ptp(y)])


def same(a, b, lengths):
    """Return the percentage of sequences for which two rules name the same step."""
    return 100 * np.mean(a == b)


def beside(name, measure, a, b, lengths, rng, draws=5):
    """Return `measure(a, b, lengths)`, and its mean when b comes from another sequence of the same length.

    A sequence that has the only one of its length is its own other.
    """
    found, other = [], np.arange(len(lengths))
    for _ in range(draws):
        for n in np.unique(lengths):
            group = rng.permutation(np.flatnonzero(lengths == n))
            other[group] = np.roll(group, 1)
        found.append(measure(a, b[other], lengths))
    return {name: measure(a, b, lengths), f"{name}, other": np.mean(found)}


def distance(view, after):
    """Total variation between what is answered with and without each step, (B, T)."""
    return abs(after - view.chance[:, None]).sum(2) / 2


def describe(view, part, rng):
    """Return how the weights are spread, what deletions change in percent, and how well the weights rank the steps."""
    lengths, w, rows = part.lengths, view.weights, np.arange(len(part.lengths))
    entropy = -(w * np.log(np.where(w > 0, w, 1))).sum(1)
    found = {"steps": np.exp(entropy).mean(), "length": lengths.mean(), "by chance": 100 * np.mean(1 / lengths)}
    found["weight of the last"] = 100 * w[rows, lengths - 1].mean()
    found["smallest weight"] = 100 * np.where(np.arange(w.shape[1]) < lengths[:, None], w, 1).min(1).mean()
    for way, after in (("input", view.deleted), ("sum", view.masked)):
        steps, changed = changes(view, lengths, after)
        attended, worst = steps["most attended"], steps["worst"]
        not_last = attended != lengths - 1
        each = {rule: changed[rows, step] for rule, step in steps.items()} | {"random": np.nanmean(changed, axis=1)}
        found |= {f"{way}: {rule}": 100 * hit.mean() for rule, hit in each.items()}
        found |= {f"{way}, not last: {rule}": 100 * hit[not_last].mean() for rule, hit in each.items()}
        found |= beside(f"{way}: rank", rank_correlation, w, distance(view, after), lengths, rng)
        found |= beside(f"{way}: attended is worst", same, attended, worst, lengths, rng)
        found[f"{way}: last is worst"] = same(lengths - 1, worst, lengths)
    return found | {"not last": 100 * not_last.mean()}


def other_weights(model, part, view, rng):
    """Return the percentage right with the network's own weights, with equal ones, and with its own in random order."""
    lengths, mixed = part.lengths, view.weights.copy()
    for row, n in zip(mixed, lengths):
        row[:n] = rng.permutation(row[:n])
    equal = (np.arange(mixed.shape[1]) < lengths[:, None]) / lengths[:, None]
    states = states_of(model, part.x, lengths)[1].detach()
    weights = {"own": view.weights, "equal": equal, "shuffled": mixed}
    scores = {name: model.head(weighted_pool(states, each, lengths)).detach() for name, each in weights.items()}
    return {f"weights: {name}": judge(each, part.y)["right"] for name, each in scores.items()}


def agree(views, part, rng):
    """Return how far two networks agree on the sequences that both get right."""
    answers = [view.chance.argmax(1) for view in views]
    right = (answers[0] == part.y) & (answers[1] == part.y)
    lengths = part.lengths[right]
    found = {"agree: both right": 100 * right.mean(), "agree: by chance": 100 * np.mean(1 / lengths)}
    steps = [changes(view, part.lengths, view.deleted)[0] for view in views]
    for rule in ("most attended", "worst"):
        found |= beside(f"agree: {rule}", same, *(each[rule][right] for each in steps), lengths, rng)
    return found | beside("agree: rank", rank_correlation, *(view.weights[right] for view in views), lengths, rng)


def padded(model, part):
    """Return the test scores with a mask, and without one at more and more padding, and the weight on the padding."""
    states, found, n = states_of(model, part.x, part.lengths)[1].detach(), {}, part.x.shape[1]
    for name, pool, times in [("mask", AttentionPool, 1), *((f"no mask x{times}", Unmasked, times) for times in WIDER)]:
        wider = nn.functional.pad(states, (0, 0, 0, (times - 1) * n))
        pooled, weights = pool.forward(model.pool, wider, part.lengths, return_weights=True)
        padding = np.arange(times * n) >= part.lengths[:, None]
        scores = judge(model.head(pooled).detach(), part.y)
        scores["weight"] = 100 * float((weights.detach().numpy() * padding).sum(1).mean())
        found |= {f"{name}: {what}": value for what, value in scores.items()}
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
                row = {"x": part.x[n, :L], "y": part.y[n], "answers": [v.chance[n].argmax() for v in views]}
                kept.append(row | {"right": right, "weights": [v.weights[n, :L] for v in views], "fall": fall})
    return kept


def explain(name, kind, seed, settings):
    """Train a network, and a second one for some seeds; return all that was found in them."""
    task, rng = task_of(name, seed), np.random.default_rng(seed)
    model, curve = trained(task, kind, seed, **settings)
    found = judge(predict(model, task.test.x, task.test.lengths), task.test.y)
    found |= {"ended": curve["ended"], "curve": np.round(curve["curve"], 3)} | padded(model, task.test)
    if kind == "unmasked":
        return found
    views = [look(model, task.test)]
    found |= describe(views[0], task.test, rng) | other_weights(model, task.test, views[0], rng)
    if seed in PAIRS:
        twin = make(task, kind, 1000 + seed, settings["dropout"])
        train(task, twin, 1000 + seed, settings["lr"], settings["weight_decay"])
        views.append(look(twin, task.test))
        found |= agree(views, task.test, rng)
    if seed == SEEDS[0]:
        found["examples"] = examples(views, task.test, task.K)
    return found


def validation_unmasked(contender, seed, **settings):
    """Return the validation cross-entropy of a try without a mask."""
    return trained(task_of(contender, seed), "unmasked", seed, **settings)[1]["best"]


def gather(name, kind, settings):
    """Train the networks of all seeds; return {what: its values over the seeds} and the paired differences."""
    runs = list(run(explain, [dict(name=name, kind=kind, seed=seed, settings=settings) for seed in SEEDS]))
    once = {"curve": runs[0].pop("curve")}
    if name == "names" and kind == "attention":
        once["examples"] = runs[0]["examples"]
    runs[0].pop("examples", None)
    found = {what: [each[what] for each in runs if what in each] for what in runs[0]}
    pairs = [(what.removesuffix(", other"), what) for what in found if what.endswith(", other")]
    pairs += [(what, "mask: " + what.split(": ")[1]) for what in found if what.startswith("no mask")]
    if kind != "unmasked":
        for way in ("input", "input, not last", "sum", "sum, not last"):
            pairs += [(f"{way}: {rule}", f"{way}: random") for rule in RULES]
            pairs += [(f"{way}: most attended", f"{way}: {rule}") for rule in ("last", "largest gradient")]
        pairs += [(f"weights: {weights}", "weights: own") for weights in ("equal", "shuffled")]
        pairs += [("sum: rank", "input: rank"), ("input: attended is worst", "input: last is worst")]
    return found | once | {"differences": {f"{a} - {b}": paired(found[a], found[b]) for a, b in pairs}}


if __name__ == "__main__":
    results = {"symbols": compare_symbols()}
    before = study("names_and_vowels")["results"]
    for name, line in (("vowels", "four frames"), ("names", "pieces")):
        kinds = ("attention", "attention, no LSTM")
        found = results[name] = {kind: gather(name, kind, before[name][kind]["chosen"]) for kind in kinds}
        attention, alone = found.values()
        between = [(kind, "mean") for kind in kinds] + [("attention", "learned position"), (line, "last")]
        right = {kind: each["right"] for kind, each in before[name].items() if kind != "majority"}
        found["differences"] = {f"{a} - {b}": paired(right[a], right[b]) for a, b in between}
        found["differences"]["rank: no LSTM - LSTM"] = paired(alone["input: rank"], attention["input: rank"])
        if name == "vowels":
            tuned = search(validation_unmasked, [name], TRIES, SEARCHED)[name]
            found["unmasked"] = tuned | gather(name, "unmasked", tuned["chosen"])
            for what in ("right", "nats"):
                difference = paired(found["unmasked"][f"no mask x1: {what}"], attention[what])
                found["differences"][f"unmasked - masked: {what}"] = difference
    save("attention_pooling", results, seeds=SEEDS)
