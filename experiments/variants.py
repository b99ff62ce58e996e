"""Study of the chapter variants: what each part of the LSTM buys, at equal parameters, and which cells count.

Nine contenders: the LSTM, the GRU, coupled gates, peepholes, no forget, input or output gate, layer norm, and the plain
RNN. Each gets as many units as bring its recurrent parameters nearest to those of the LSTM (`units`).

marked (16 units of the LSTM, T = 30): every step has a value, one in ten a mark; say which value was marked last.
brackets (16 units, T = 40): after every character, is every bracket closed? Runs of brackets, up to depth 10. Both draw
fresh data for every update (batch 32) from `protocol.streams`; the loss is that of all steps. It is checked every 50
updates on the seed's 200 validation sequences. A seed stops when the loss is 0.0001 or less: then the task is `solved`,
and the loss would go on falling for ever. When it has not fallen by 5% for 4 checks, the seed's learning rate is
halved, after 8 again, and after 12 the seed stops, at most after 9,000 updates (`ended`); the weights of its best check
count. Adam, gradients clipped to norm 1. Tests, on 500 new sequences: T as trained, and four times T; differences are
of log10 of the loss, because the losses differ by powers of ten, and a loss below 0.0001 counts as 0.0001. `counts`:
the depths n, 1 to 10, then 20, 40, 80 and 160, at which n times "(" and then n times ")" are called closed after the
last character and not before it.

names: a city's country, as in `names_and_vowels`, with its splits and its training, in batches of 128; 64 units of the
LSTM, vectors of 32 for the letters, the last state.

Six tries for each contender, scored by the validation loss of seed 100; of those that solve the task the first one to
do so is the best. marked and brackets: three learning rates, with torch's initial weights or with the bias of the gate
that keeps (the forget gate; the GRU's update gate) at 1; cells without such a gate have six learning rates instead.
names: the same three learning rates, with and without dropout and weight decay. Then seeds 0 to 9 with the best try.
`times`: milliseconds of one thread for forward and backward, every cell in the same loop of Python, and torch's own
LSTM and GRU.

Units set by hand to count are in the chapter's lab. About 30 minutes on two cores.
"""

import time

import numpy as np
import torch
from learning import Unpacked, predict
from many_seeds import train_early
from names_and_vowels import judge, task_of
from names_and_vowels import train as train_names
from protocol import paired, run, save, search, streams
from torch import nn
from torch.func import vmap
from torch.nn.functional import binary_cross_entropy_with_logits, mse_loss

from lstm_tutorial.in_torch import GRU, LSTM, RNN, LSTMVariant, gru_cell, lstm_cell, rnn_cell
from lstm_tutorial.in_torch.variants import CELLS, cell_sequence

SEEDS, SEARCHED = range(10), 100
BATCH, EVERY, PATIENCE, BUDGET, SOLVED = 32, 50, 12, 9000, 1e-4
TASKS = {"marked": dict(D=2, H=16, T=30), "brackets": dict(D=2, H=16, T=40)}
DEPTHS = [*range(1, 11), 20, 40, 80, 160]
KINDS = {"LSTM": "ifgo", "GRU": "rzn", **{kind: rows for kind, (rows, _) in CELLS.items()}, "RNN": "h"}
KINDS["peepholes"] = "ifgo"
EXTRA = {"layer norm": 10, "peepholes": 3}  # further parameters of a unit
TRIES = [dict(lr=lr, keep=keep) for lr in (3e-3, 1e-2, 3e-2) for keep in (None, 1)]
RATES = [dict(lr=lr, keep=None) for lr in (2e-3, 3e-3, 6e-3, 1e-2, 2e-2, 3e-2)]
NAMES_TRIES = [
    dict(lr=lr, dropout=dropout, weight_decay=decay)
    for lr in (3e-3, 1e-2, 3e-2)
    for dropout, decay in ((0, 0), (0.3, 0.1))
]


def units(kind, D, H):
    """Return how many units bring the parameters of a contender nearest to those of an LSTM with H units."""

    def size(kind, H):
        return H * (len(KINDS[kind]) * (D + H + 2) + EXTRA.get(kind, 0))

    return min(range(1, 4 * H), key=lambda n: abs(size(kind, n) - size("LSTM", H)))


def build(kind, D, H, seed, **options):
    """Return a recurrent network of the course with H units, its weights drawn from a seed."""
    if kind in CELLS:
        return LSTMVariant(D, H, kind=kind, rng=seed, **options)
    network = {"GRU": GRU, "RNN": RNN}.get(kind, LSTM)
    return network(D, H, rng=seed, **({"peephole": True} if kind == "peepholes" else {}), **options)


def cell_of(kind):
    """Return the cell as `cell_sequence` calls it, and how many states it has."""
    if kind == "GRU":
        return lambda x, state, *weights: (gru_cell(x, state[0], *weights),), 1
    if kind == "RNN":
        return lambda x, state, *weights: (rnn_cell(x, state[0], *weights),), 1
    return (CELLS[kind][1] if kind in CELLS else lstm_cell), 2


def initial(kind, D, H, rows):
    """Return parameters (S, ...) by name for rows of (seed, lr, keep), with a linear head of one output."""
    found = []
    for seed, _, keep in rows:
        p = {name.removesuffix("_l0"): v.detach() for name, v in build(kind, D, H, seed).named_parameters()}
        if keep is not None:
            k = KINDS[kind].index("z" if kind == "GRU" else "f") * H
            p["bias_ih"][k : k + H], p["bias_hh"][k : k + H] = keep, 0
        rng = torch.Generator().manual_seed(seed)
        draws = torch.empty(H + 1).uniform_(-(H**-0.5), H**-0.5, generator=rng)
        found.append(p | {"head": draws[:H], "head_bias": draws[H:]})
    return {name: torch.stack([each[name] for each in found]) for name in found[0]}


def answers(kind, p, x):
    """Return what the networks say at every step of x (S, B, T, D): (S, B, T)."""
    cell, states = cell_of(kind)

    def one(p, x):
        *weights, head, bias = p.values()
        state = (x.new_zeros(x.shape[0], head.shape[0]),) * states
        return (cell_sequence(cell, x.transpose(0, 1), state, *weights)[0] @ head + bias).T

    return vmap(one)(p, x)


def draw_marked(rng, B, T):
    """Return x (B, T, 2), a value and a mark (the first step and one in ten), and the value marked last (B, T)."""
    values, marks = rng.uniform(-1, 1, (B, T)), rng.random((B, T)) < 0.1
    marks[:, 0] = True
    last = np.maximum.accumulate(np.where(marks, np.arange(T), 0), axis=1)
    return np.stack([values, marks], axis=-1), np.take_along_axis(values, last, axis=1)


def draw_brackets(rng, B, T, deepest=10, again=0.8):
    """Return strings x (B, T, 2), "(" and ")", and whether all are closed (B, T): each bracket tends to come again."""
    x, depth, move = np.zeros((B, T, 2)), np.zeros((B, T + 1), int), np.ones(B, int)
    for t in range(T):
        move = np.where(rng.random(B) < again, move, -move)
        move = np.where(depth[:, t] == 0, 1, np.where(depth[:, t] == deepest, -1, move))
        depth[:, t + 1] = depth[:, t] + move
        x[:, t, 0], x[:, t, 1] = move == 1, move == -1
    return x, (depth[:, 1:] == 0).astype(float)


DRAW = {"marked": draw_marked, "brackets": draw_brackets}


def batches(rngs, task, B, T):
    """Let each generator draw B sequences; return x (S, B, T, D) and y (S, B, T)."""
    each = [DRAW[task](rng, B, T) for rng in rngs]
    return [torch.from_numpy(np.stack(arrays)).float() for arrays in zip(*each)]


def losses(task, said, y):
    """Return the loss of each network (S,): squared error of a value, cross-entropy of a yes or no."""
    loss = binary_cross_entropy_with_logits if task == "brackets" else mse_loss
    return loss(said, y, reduction="none").mean(dim=(1, 2))


def train(kind, task, rows, budget=BUDGET):
    """Train one network for each of `rows`, (seed, lr, keep), side by side; return the best weights and what happened.

    Returns
    -------
    dict
        Parameters (S, ...) by name; a list of dicts: `best` validation loss, `at` which update, whether the budget
        `ended` the training while it improved, and the `curve`.
    """
    D, T = TASKS[task]["D"], TASKS[task]["T"]
    rngs = [streams(seed)[:2] for seed, *_ in rows]

    def loss(p, x, y):
        return losses(task, answers(kind, p, x), y)

    def draw(alive):
        return batches([rngs[k][0] for k in alive], task, BATCH, T)

    p, held = initial(kind, D, units(kind, D, TASKS[task]["H"]), rows), batches([of for _, of in rngs], task, 200, T)
    rates = [lr for _, lr, _ in rows]
    return train_early(p, rates, loss, draw, held, budget, fall=0.95, every=EVERY, patience=PATIENCE, solved=SOLVED)


def tries_of(kind):
    """Return the six tries of a contender: where no gate keeps, six learning rates."""
    return TRIES if set(KINDS[kind]) & set("fz") else RATES


def best_of(runs):
    """Return which run has the lowest validation loss; of several that solve the task, the first to do so."""
    scores = [(max(each["best"], SOLVED), each["at"]) for each in runs]
    return scores.index(min(scores))


def counts(kind, p):
    """Say by depth n whether "(" n times, then ")" n times, is called closed after its last character and not before.

    Returns
    -------
    array (S, N)
    """
    found = []
    for n in DEPTHS:
        x = torch.zeros(len(p["head"]), 1, 2 * n, 2)
        x[:, :, :n, 0], x[:, :, n:, 1] = 1, 1
        said = answers(kind, p, x)[:, 0] > 0
        found.append(said[:, -1] & ~said[:, :-1].any(dim=1))
    return torch.stack(found, dim=1).numpy()


def contend(kind, task, seeds=SEEDS, budget=BUDGET):
    """Search on one seed, train the others with the best try, and test once."""
    started, tries = time.process_time(), tries_of(kind)
    rows = [(SEARCHED, *each.values()) for each in tries]
    searched = train(kind, task, rows, budget)[1]
    chosen, scores = tries[best_of(searched)], [each["best"] for each in searched]
    p, runs = train(kind, task, [(seed, *chosen.values()) for seed in seeds], budget)
    found = {name: [each[name] for each in runs] for name in ("best", "at", "ended")}
    found |= {"solved": [each["best"] <= SOLVED for each in runs], "chosen": chosen, "tries": scores}
    found |= {"curves": [[float(f"{loss:.3g}") for loss in each["curve"]] for each in runs[:2]]}
    with torch.no_grad():
        for name, T in (("test", TASKS[task]["T"]), ("test, four times as long", 4 * TASKS[task]["T"])):
            x, y = batches([streams(seed)[2] for seed in seeds], task, 500, T)
            said = answers(kind, p, x)
            found[name] = losses(task, said, y).numpy()
            if task == "brackets":
                found[f"right, {name}"] = 100 * ((said > 0) == (y > 0.5)).float().mean(dim=(1, 2)).numpy()
        if task == "brackets":
            found["counts"] = counts(kind, p)
    size = {name: value[0].numel() for name, value in p.items() if "head" not in name}
    return found | {"units": p["head"].shape[1], "parameters": sum(size.values()), "cpu": time.process_time() - started}


def name_network(contender, seed, lr, dropout, weight_decay):
    """Train a contender on names; return its scores, what `learn` returns and its time."""
    task = task_of("names", seed)._replace(B=128)
    H, started = units(contender, task.E, task.H), time.process_time()
    torch.manual_seed(seed)
    fused = {"LSTM": nn.LSTM, "GRU": nn.GRU, "RNN": nn.RNN}.get(contender)  # torch's own, where it has one
    lstm = fused(task.E, H, batch_first=True) if fused else build(contender, task.E, H, seed, batch_first=True)
    model = Unpacked(task.D, H, task.K, "last", embedding=task.E, lstm=lstm, rng=seed)
    if dropout:
        model.embedding = nn.Sequential(model.embedding, nn.Dropout(dropout))
        model.head = nn.Sequential(nn.Dropout(dropout), model.head)
    found = train_names(task, model, seed, lr, weight_decay)
    found |= judge(predict(model, task.test.x, task.test.lengths), task.test.y) | {"units": H}
    found["parameters"] = sum(each.numel() for each in lstm.parameters())
    return found | {"cpu": time.process_time() - started}


def validation_of_names(**setting):
    """Return the validation cross-entropy of a try."""
    return name_network(**setting)["best"]


def names(kind):
    """Search, then train, a contender on names."""
    each = search(validation_of_names, [kind], NAMES_TRIES, SEARCHED)[kind]
    runs = list(run(name_network, [dict(contender=kind, seed=seed) | each["chosen"] for seed in SEEDS]))
    found = {name: [one[name] for one in runs] for name in ("right", "nats", "at", "ended", "cpu")}
    found |= {"curves": [np.round(one["curve"], 3) for one in runs[:1]], "units": runs[0]["units"]}
    return found | {"parameters": runs[0]["parameters"], "chosen": each["chosen"], "tries": each["scores"]}


def times(T=50, B=32, D=32, H=64, repeats=15):
    """Return the fastest forward and backward in milliseconds: all cells in one loop, then torch's own networks."""
    found, x = {}, torch.zeros(T, B, D)
    own = {f"torch.nn.{name}": lambda name=name: getattr(nn, name)(D, H) for name in ("LSTM", "GRU")}
    for name in (*KINDS, *own):
        if name in own:
            call = own[name]()
        else:
            cell, states = cell_of(name)
            n = units(name, D, H)
            weights, state = list(build(name, D, n, 0).parameters()), (torch.zeros(B, n),) * states

            def call(x, cell=cell, weights=weights, state=state):
                return cell_sequence(cell, x, state, *weights)

        spent = []
        for _ in range(repeats):
            started = time.process_time()
            call(x)[0].sum().backward()
            spent.append(1000 * (time.process_time() - started))
        found[name] = min(spent)
    return found


if __name__ == "__main__":
    settings = [dict(kind=kind, task=task) for task in TASKS for kind in KINDS]
    results = {"settings": TASKS | dict(batch=BATCH, every=EVERY, patience=PATIENCE, budget=BUDGET, solved=SOLVED)}
    results |= {"depths": DEPTHS, "tries": dict(gates=TRIES, rates=RATES, names=NAMES_TRIES), "times": times()}
    for each, found in zip(settings, run(contend, settings)):
        task = results.setdefault(each["task"], {})
        logs = (np.log10(np.maximum(one["test"], SOLVED)) for one in (found, task.get("LSTM", found)))
        task[each["kind"]] = found | {"against the LSTM": paired(*logs)}
        print(each, sum(found["solved"]), found["chosen"], f"{found['cpu']:.0f} s", flush=True)
        save("variants", results, SEEDS)
    for kind in KINDS:
        task, found = results.setdefault("names", {}), names(kind)
        task[kind] = found | {"against the LSTM": paired(found["right"], task.get("LSTM", found)["right"])}
        print("names", kind, np.median(found["right"]), found["chosen"], f"{sum(found['cpu']):.0f} s", flush=True)
        save("variants", results, SEEDS)
