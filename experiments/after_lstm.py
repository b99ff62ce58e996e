"""Study of the chapter after-lstm: what gates that do not read h cost, and what a large state or attention buys.

Nine contenders, each as the part that mixes the steps in the same frame (`BlockNetwork`): LSTM, GRU, sLSTM, mLSTM (one
head), minLSTM, minGRU, a diagonal state-space model with 4 numbers for each channel and factors in (0, 1) or in (-1,
1), and causal attention (one head, sines of the position), with which the frame is a small Transformer. Equal
parameters to within 2%: the width is the largest that fits with a feed-forward layer of twice the width, and the rest
goes into the feed-forward layer. Initial biases as the authors set them, 1 for the forget gate of the LSTM.

With 3,500 parameters and T = 12, parity: after every bit, is the number of ones odd? depth: after every bracket, how
many are open, 0 to 4? Both are tested at T and at 4 and 10 times T: percent right in the last 8 steps. first: the first
symbol decides, answered at the last step, tested at T and at 4 times T.
With 6,000 parameters, recall: n pairs of a key (of 16) and a value (of 8), a pair in one step, then the n keys alone in
another order, and the value of each is asked for; n = 4 and 8. names: a city's country, answered at the last letter.
`widths`: 4 pairs, one block, at widths 4 to 32, so not at equal parameters, for LSTM, minGRU, mLSTM and attention: how
large must the state be?

Six tries for each contender and task, three learning rates with one block or two, scored by the validation loss of seed
100 (recall: at n = 4, for all n and widths). Where several solve the task, the right answers on validation sequences of
4 times T decide, since tries that are the same at T differ beyond it. Then seeds 0 to 4 with the best. All but names
draw fresh data for every update, from `protocol.streams`; names draws rows of the seed's training part. Batches of 32;
Adam, gradients clipped to norm 1. The loss (cross-entropy of all answers) is checked every 50 updates on the seed's
validation data (256 sequences; names: the validation part). When it has not fallen by 5% for 4 checks, the learning
rate is halved, after 8 again, and after 12 the seed stops. Losses may stay at chance for a while, so the checks of the
first 2,000 updates do not count. On names, where nothing stays at chance and the loss falls less, they count, and 2%
will do. A seed also stops below a loss of 0.0001, and at most after 9,000 updates (`ended`). The weights of the best
check count. The seeds of a contender are trained side by side as one batched product.

Trials came before, and what they gave on test data led to the sizes and rules above. So this study is tested on other
data: a fourth stream of each seed, and another split of the names than elsewhere, with a fifth of its test names in
common. Less than 40 minutes on two cores.
"""

import time

import numpy as np
import torch
from learning import divide
from many_seeds import train_early
from protocol import paired, run, save, streams
from torch.func import functional_call, stack_module_state, vmap
from torch.nn.functional import cross_entropy, one_hot

from lstm_tutorial.data import city_names, first_symbol
from lstm_tutorial.in_torch.after_lstm import MIXERS, BlockNetwork

SEEDS, SEARCHED = range(5), 100
EVERY, PATIENCE, LEAST, BUDGET, SOLVED = 50, 12, 2000, 9000, 1e-4
TRIES = [dict(lr=lr, layers=layers) for lr in (1e-3, 4e-3, 1.6e-2) for layers in (1, 2)]
KEYS, VALUES, DEEPEST = 16, 8, 4
TASKS = {  # what is read, how many answers there are, parameters; the settings that are trained, and those tested
    "parity": dict(D=2, K=2, size=3500, sizes=[12], test=[12, 48, 120]),
    "depth": dict(D=2, K=DEEPEST + 1, size=3500, sizes=[12], test=[12, 48, 120]),
    "first": dict(D=2, K=2, size=3500, sizes=[12], test=[12, 48]),
    "recall": dict(D=KEYS + VALUES, K=VALUES, size=6000, sizes=[4, 8], test=[]),
    "names": dict(D=32, K=12, size=6000, sizes=[20], test=[20]),
}
WIDTHS = {"LSTM": (8, 16, 32), "minGRU": (8, 16, 32), "mLSTM": (4, 8, 16), "attention": (4, 8, 16)}
NONE = -100  # where no answer is asked for: cross_entropy leaves it out


def draw_parity(rng, B, T):
    """Return bits x (B, T, 2), one-hot, and whether the ones so far are odd (B, T)."""
    bits = rng.integers(2, size=(B, T))
    return np.eye(2)[bits], bits.cumsum(axis=1) % 2


def draw_depth(rng, B, T):
    """Return brackets x (B, T, 2), one-hot, and how many are open after each (B, T), at most `DEEPEST`."""
    x, depth = np.zeros((B, T, 2)), np.zeros((B, T + 1), int)
    for t in range(T):
        opens = (rng.random(B) < 0.5) & (depth[:, t] < DEEPEST) | (depth[:, t] == 0)
        x[:, t, 0], x[:, t, 1] = opens, ~opens
        depth[:, t + 1] = depth[:, t] + np.where(opens, 1, -1)
    return x, depth[:, 1:]


def draw_first(rng, B, T):
    """Return x (B, T, 2) and the class (B, T) of the first symbol, asked for at the last step alone."""
    x, _, label = first_symbol(B, T, rng=rng)
    return x, np.where(np.arange(T) == T - 1, label[:, None], NONE)


def draw_recall(rng, B, n):
    """Return n pairs and then their keys, x (B, 2n, KEYS + VALUES), and the values (B, 2n), asked for with the keys."""
    keys = rng.permuted(np.tile(np.arange(KEYS), (B, 1)), axis=1)[:, :n]
    values, order = rng.integers(VALUES, size=(B, n)), rng.permuted(np.tile(np.arange(n), (B, 1)), axis=1)
    x, y = np.zeros((B, 2 * n, KEYS + VALUES)), np.full((B, 2 * n), NONE)
    x[:, :n, KEYS:], x[:, :n, :KEYS] = np.eye(VALUES)[values], np.eye(KEYS)[keys]
    x[:, n:, :KEYS] = np.eye(KEYS)[np.take_along_axis(keys, order, axis=1)]
    y[:, n:] = np.take_along_axis(values, order, axis=1)
    return x, y


DRAW = {"parity": draw_parity, "depth": draw_depth, "first": draw_first, "recall": draw_recall}


def names_of(seed, part):
    """Return a part of the names, x (N, 20, 32), one-hot, and the countries (N, 20), asked for at the last letter."""
    each = getattr(divide(city_names(rng=1), seed), part)
    x = one_hot(torch.as_tensor(each.x), 32).float()
    y = np.where(np.arange(x.shape[1]) == each.lengths[:, None] - 1, each.y[:, None], NONE)
    return x, torch.as_tensor(y)


def tensors(arrays):
    """Return x as float and y as long."""
    return torch.as_tensor(arrays[0]).float(), torch.as_tensor(arrays[1]).long()


def batches(task, size, seed):
    """Return what draws a batch for training, and the validation data, of a seed."""
    rng, other, _ = streams(seed)
    if task == "names":
        x, y = names_of(seed, "train")

        def draw():
            rows = rng.integers(len(x), size=32)
            return x[rows], y[rows]

        return draw, names_of(seed, "validation")
    return lambda: tensors(DRAW[task](rng, 32, size)), tensors(DRAW[task](other, 256, size))


def build(kind, task, layers, seed, H=None):
    """Return a network with the parameters of the task, or of width H."""
    D, K, size = (TASKS[task][name] for name in ("D", "K", "size"))
    if H:
        return BlockNetwork(kind, D, H, K, layers, rng=seed)

    def count(H, wide=None):
        return sum(value.numel() for value in BlockNetwork(kind, D, H, K, layers, wide=wide, rng=0).parameters())

    H = next(H for H in range(2, 999) if count(H + 1) > size)
    return BlockNetwork(kind, D, H, K, layers, wide=2 * H + (size - count(H)) // (layers * (2 * H + 1)), rng=seed)


def answers(network, p, x):
    """Return the scores of networks with parameters p (S, ...) on x (S, B, T, D): (S, B, T, K)."""
    return vmap(lambda p, x: functional_call(network, p, (x,)))(p, x)


def losses(said, y):
    """Return the cross-entropy of each network's answers (S,)."""
    each = cross_entropy(said.flatten(0, 2), y.flatten(), reduction="none").view(len(y), -1)
    return each.sum(dim=1) / (y != NONE).flatten(1).sum(dim=1)


def train(kind, task, size, layers, rows, H=None, budget=BUDGET):
    """Train one network for each of `rows`, (seed, lr), side by side; return the networks and what happened.

    Returns
    -------
    list of BlockNetwork
        With the weights of the best check.
    list of dict
        `best` validation loss, `at` which update, whether the budget `ended` the training while it improved, `curve`.
    """
    networks = [build(kind, task, layers, seed, H) for seed, _ in rows]
    draws, held = zip(*(batches(task, size, seed) for seed, _ in rows))

    def loss(p, x, y):
        return losses(answers(networks[0], p, x), y)

    def draw(alive):
        return [torch.stack(each) for each in zip(*(draws[k]() for k in alive))]

    p = {name: value.detach() for name, value in stack_module_state(networks)[0].items()}
    fall, least = (0.98, 0) if task == "names" else (0.95, LEAST)
    rates, held = [lr for _, lr in rows], [torch.stack(each) for each in zip(*held)]
    best, found = train_early(
        p, rates, loss, draw, held, budget, fall=fall, every=EVERY, patience=PATIENCE, least=least, solved=SOLVED
    )
    for k, network in enumerate(networks):
        network.load_state_dict({name: value[k] for name, value in best.items()})
    return networks, found


def right(network, x, y, last=8):
    """Return the percentage of right answers among those of the last steps that have one."""
    with torch.no_grad():
        said = torch.cat([network(part).argmax(dim=-1) for part in x.split(50)])
    asked = y != NONE
    asked = asked if asked.sum() < asked.numel() else asked & (torch.arange(y.shape[1]) >= y.shape[1] - last)
    return 100 * (said == y)[asked].double().mean().item()


def search(kind, task, budget=BUDGET):
    """Return for each try on one seed its validation loss, the percentage right at 4 times T, and whether it `ended`.

    Tries with as many blocks are trained side by side.
    """
    scores, longer = {}, TASKS[task]["test"][1:2]
    for layers in (1, 2):
        rows = [(SEARCHED, each["lr"]) for each in TRIES if each["layers"] == layers]
        networks, runs = train(kind, task, TASKS[task]["sizes"][0], layers, rows, budget=budget)
        held = [tensors(DRAW[task](streams(SEARCHED)[1], 256, T)) for T in longer]
        for (_, lr), network, each in zip(rows, networks, runs):
            scores[lr, layers] = each["best"], [right(network, *data) for data in held], each["ended"]
    return [scores[each["lr"], each["layers"]] for each in TRIES]


def best_of(scores):
    """Return the try with the lowest loss; of those that have solved the task, the one most often right beyond T."""
    order = [(max(loss, SOLVED), [-each for each in longer], loss) for loss, longer, _ in scores]
    return order.index(min(order))


def contend(kind, task, size, lr, layers, H=None, seeds=SEEDS, budget=BUDGET):
    """Train a contender with all seeds, and test it once."""
    started = time.process_time()
    networks, runs = train(kind, task, size, layers, [(seed, lr) for seed in seeds], H, budget)
    found = {name: [each[name] for each in runs] for name in ("best", "at", "ended")}
    found |= {"curves": [np.round(runs[0]["curve"], 4)], "cpu": time.process_time() - started}
    for T in TASKS[task]["test"] or [size]:
        tests = [names_of(0, "test")] * len(runs) if task == "names" else None
        tests = tests or [tensors(DRAW[task](np.random.default_rng([seed, 3]), 300, T)) for seed in seeds]
        found[f"right at {T}"] = [right(network, *each) for network, each in zip(networks, tests)]
    width, wide = networks[0].embedding.out_features, networks[0].blocks[0]["wide"].out_features
    found |= {"width": width, "wide": wide, "state": layers * state_size(kind, width, size)}
    return found | {"parameters": sum(value.numel() for value in networks[0].parameters())}


def state_size(kind, H, n):
    """Return how many numbers a block carries from step to step; attention keeps the keys and values of 2n steps."""
    one = {"LSTM": 2 * H, "sLSTM": 4 * H, "mLSTM": H * H + H + 1, "attention": 2 * H * 2 * n}
    return one.get(kind, 4 * H if "SSM" in kind else H)


if __name__ == "__main__":
    results = {"tasks": TASKS, "tries": TRIES, "budget": BUDGET, "patience": PATIENCE, "least": LEAST, "every": EVERY}
    pairs = [dict(kind=kind, task=task) for task in TASKS for kind in MIXERS]
    for each, scores in zip(pairs, run(search, pairs)):
        kind, task = each.values()
        chosen, (tries, longer, ended) = TRIES[best_of(scores)], zip(*scores)
        results.setdefault(task, {})[kind] = {"tries": tries, "longer": longer, "ended": ended, "chosen": chosen}
        print(kind, task, np.round(tries, 3), np.round(longer).ravel(), chosen, flush=True)
        save("after_lstm", results, SEEDS)
    settings = [each | dict(size=size) for each in pairs for size in TASKS[each["task"]]["sizes"]]
    settings += [dict(kind=kind, task="recall", size=4, H=H) for kind, widths in WIDTHS.items() for H in widths]
    for each in settings:
        each |= results[each["task"]][each["kind"]]["chosen"] | ({"layers": 1} if "H" in each else {})
    for each, found in zip(settings, run(contend, settings)):
        task, of = results[each["task"]], f"{each['size']} pairs" if each["task"] == "recall" else "found"
        if "H" in each:
            results.setdefault("widths", {}).setdefault(each["kind"], {})[each["H"]] = found
        else:
            task[each["kind"]][of] = found
            last = [name for name in found if "right" in name][-1]
            found["against the LSTM"] = paired(found[last], task["LSTM"][of][last])
        print(each, {name: np.round(value, 1) for name, value in found.items() if "right" in name}, flush=True)
        save("after_lstm", results, SEEDS)
