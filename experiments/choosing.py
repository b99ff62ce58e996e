"""Study of the chapter choosing: four pools, four questions, and what changes the answer.

Questions (`symbol_question`, four symbols): does symbol 0 occur, are more than half of the steps of the first two
symbols, which symbol is the last, which one is marked. A network is a trunk with 16 units, a pool over the valid steps
and a linear head. Trunks: an LSTM; an LSTM in both directions; and none, which is a linear layer and tanh on each step
alone. `SETTINGS`: sequences of 25 to 50 steps, of 50 to 100, of 100 to 200, with noise, and with only 200 training
sequences of 100 steps.

Every contender (setting, question, trunk, pool) has six tries (`TRIES`) on seed 100: three learning rates, each with a
forget bias as torch draws it and of 2; without recurrence, which has no forget bias, six learning rates. The try that
solved the question soonest is chosen or, where none did, the one with the lowest validation cross-entropy. Ten seeds
("base", "few") or five are trained with it. A seed draws the network, the training sequences and 500 validation
sequences; the pools of a seed see the same. The 2,000 test sequences are the same for all, and nothing is chosen on
them.

Training: Adam, 32 sequences an update, gradients clipped at norm 1. The validation sequences are scored every 100
updates. Training stops when 99.5% of them are right ("solved"), or when their cross-entropy has not improved for 1,000
updates; the weights of the best score count. The learning rate is halved after 500 updates without a better score.
Budget: 3,000 updates; `ended` says where it ended a training that had not stopped by itself.

Also: the score by the position of the needle, on test sequences of 100 steps; what needs no network; and the norm of
the loss's gradient at each step of the input, before training. About 35 minutes on two busy cores.
"""

from itertools import islice

import numpy as np
import torch
from learning import Unpacked, shuffled
from names_and_vowels import EachStep
from protocol import run, save, search, streams
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from lstm_tutorial.data import symbol_question
from lstm_tutorial.in_torch import cross_entropy, fit

CLASSES = dict(exists=2, average=2, final=4, marked=4)
POOLS, NEEDLES = ("last", "max", "mean", "attention"), ("exists", "marked")
H, B, BUDGET, EVERY, PATIENCE, SOLVED = 16, 32, 3000, 100, 1000, 99.5
SEARCHED, PLACES = 100, np.round(np.linspace(0, 1, 11), 1)
TRIES = {
    "LSTM": [dict(lr=lr, forget=forget) for lr in (3e-3, 1e-2, 3e-2) for forget in (None, 2)],
    "none": [dict(lr=lr) for lr in (1e-3, 3e-3, 1e-2, 3e-2, 1e-1, 3e-1)],
}
SETTINGS = {  # setting: how sequences are drawn, questions, trunks, seeds
    "base": (dict(T=50), CLASSES, ("LSTM", "none"), 10),
    "noise": (dict(T=50, noise=0.5), NEEDLES, ("LSTM", "none"), 5),
    "few": (dict(T=100, few=200), NEEDLES, ("both",), 10),
    "100": (dict(T=100), ("exists", "final", "marked"), ("LSTM",), 5),
    "200": (dict(T=200), NEEDLES, ("LSTM",), 5),
}


def draw(question, count, T, rng, noise=0.0, few=None, position=None):
    """Draw sequences of T / 2 to T steps; all of T, without lengths, where they are few or a position is given."""
    if few or position is not None:
        return symbol_question(question, count, T, position=position, rng=rng)._replace(lengths=None)
    return symbol_question(question, count, T, noise=noise, min_length=T // 2, rng=rng)


def training(question, rng, few=None, **options):
    """Yield batches for ever: fresh sequences, or the same few in new orders."""
    if few:
        part = draw(question, few, rng=rng, few=few, **options)
    while True:
        if few:
            yield from ((x, None, y) for x, y in shuffled((part.x, part.y), B, rng))
        else:
            yield draw(question, B, rng=rng, **options)


def make(question, trunk, pool, seed, forget=None):
    """Return a network, drawn from a seed, with a forget bias or as torch draws it."""
    torch.manual_seed(seed)
    if trunk == "none":
        lstm = EachStep(5, H)
    else:
        lstm = nn.LSTM(5, H, batch_first=True, bidirectional=trunk == "both")
    if forget is not None:
        with torch.no_grad():
            for name, values in lstm.named_parameters():
                if "bias" in name:  # rows i, f, g, o; the two biases are added
                    values[H : 2 * H] = forget if "ih" in name else 0
    return Unpacked(5, H, CLASSES[question], pool, lstm=lstm, rng=seed)


@torch.no_grad()
def score(model, part):
    """Return the cross-entropy and the percentage of right answers."""
    scores, y = model(torch.as_tensor(part.x), part.lengths), torch.as_tensor(part.y)
    return float(cross_entropy(scores, y)), 100 * float((scores.argmax(1) == y).double().mean())


def train(model, batches, part, lr):
    """Train until the validation part is solved or has stopped improving; leave the best weights."""
    optimiser = torch.optim.Adam(model.parameters(), lr=lr)
    schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(optimiser, factor=0.5, patience=500 // EVERY - 1)
    curve, best, solved, waited = [], 0, False, 0
    while not solved and waited < PATIENCE and len(curve) * EVERY < BUDGET:
        fit(model, islice(batches, EVERY), cross_entropy, optimiser, progress=False)
        loss, percent = score(model, part)
        schedule.step(loss)
        curve, solved = [*curve, loss], percent >= SOLVED
        if solved or loss == min(curve):
            best, kept = len(curve), {name: value.clone() for name, value in model.state_dict().items()}
        waited = (len(curve) - best) * EVERY
    model.load_state_dict(kept)
    return dict(
        solved=solved, at=best * EVERY, best=curve[best - 1], curve=curve, ended=not solved and waited < PATIENCE
    )


def network(contender, seed, lr, forget=None):
    """Train `contender` = (setting, question, trunk, pool); return its scores and how training went."""
    setting, question, trunk, pool = contender
    options, (fresh, checks, _), tests = SETTINGS[setting][0], streams(seed), streams(99)[2]
    validation = draw(question, 500, rng=checks, **options)
    model = make(question, trunk, pool, seed, forget)
    found = train(model, training(question, fresh, **options), validation, lr)
    found["right"] = score(model, draw(question, 2000, rng=tests, **options))[1]
    found["right on validation"] = score(model, validation)[1]
    if setting == "few":
        found["right on train"] = score(model, draw(question, options["few"], rng=streams(seed)[0], **options))[1]
    if setting == "100" and question in NEEDLES:
        found["by place"] = [score(model, draw(question, 500, 100, tests, position=place))[1] for place in PLACES]
    return found


def effort(**setting):
    """Return how good a try is, lower is better: the sooner solved, or else the validation cross-entropy."""
    found = network(**setting)
    return found["at"] * 1e-9 if found["solved"] else found["best"]


def compare(setting):
    """Search, then train, all contenders of a setting; return what was found by question, trunk and pool."""
    options, questions, trunks, seeds = SETTINGS[setting]
    results = {}
    for trunk in trunks:
        contenders = [(setting, question, trunk, pool) for question in questions for pool in POOLS]
        chosen = search(effort, contenders, TRIES["none" if trunk == "none" else "LSTM"], SEARCHED)
        for contender in contenders:
            each = chosen[contender]
            settings = [dict(contender=contender, seed=seed) | each["chosen"] for seed in range(seeds)]
            runs = list(run(network, settings))
            found = {name: [each[name] for each in runs] for name in runs[0] if name != "curve"}
            found |= {"curve": np.round(runs[0]["curve"], 4), "chosen": each["chosen"]}
            found["tries"] = [f"solved at {value * 1e9:.0f}" if value < 1e-5 else value for value in each["scores"]]
            results.setdefault(contender[1], {}).setdefault(trunk, {})[contender[3]] = found
            print(
                *contender, found["chosen"], np.round(found["right"], 1), found["at"], sum(found["ended"]), flush=True
            )
    return results


def gradients(seeds=range(10)):
    """Return the norm of the gradient at steps of the input, before training: marked, 100 steps, by trunk and pool."""
    trunks, found = {"LSTM": ("LSTM", None), "bias 2": ("LSTM", 2), "both": ("both", None)}, {}
    part = draw("marked", 256, 100, streams(99)[2], position=None, few=True)
    for name, (trunk, forget) in trunks.items():
        for pool in POOLS:
            for seed in seeds:
                x = torch.as_tensor(part.x).requires_grad_()
                scores = make("marked", trunk, pool, seed, forget)(x)
                loss = nn.functional.cross_entropy(scores, torch.as_tensor(part.y), reduction="sum")
                norms = torch.autograd.grad(loss, x)[0].norm(dim=2).mean(dim=0).numpy()
                found.setdefault(name, {}).setdefault(pool, []).append(norms[::11])
    return found


def baselines(question):
    """Return the percentages of two logistic regressions: on the counts of the symbols, and on the last step."""
    fresh, part = (draw(question, count, 50, rng) for count, rng in ((5000, streams(99)[0]), (2000, streams(99)[2])))
    found = {}
    for name in ("counts", "last step"):
        x, test = (
            np.c_[p.x.sum(1), p.lengths] if name == "counts" else p.x[np.arange(len(p.x)), p.lengths - 1]
            for p in (fresh, part)
        )
        line = make_pipeline(StandardScaler(), LogisticRegression(C=100, max_iter=2000)).fit(x, fresh.y)
        found[name] = 100 * line.score(test, part.y)
    return found


if __name__ == "__main__":
    fixed = dict(units=H, batch=B, budget=BUDGET, every=EVERY, patience=PATIENCE, solved=SOLVED, places=PLACES)
    results = {"settings": fixed, "tries": TRIES} | {setting: compare(setting) for setting in SETTINGS}
    results |= {"gradient": gradients(), "gradient steps": list(range(1, 101, 11))}
    save("choosing", results | {"baselines": {question: baselines(question) for question in CLASSES}}, seeds=range(10))
