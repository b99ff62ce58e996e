"""The two small networks of the figure "Type a place name": one masked, one that reads the padding.

Data, division by seeds and training are those of `names_and_vowels.py`, but the vectors of the letters have 16 numbers
and the LSTM 32 units, so that both networks fit on a page. "masked" answers from the last letter's hidden state.
"unmasked" reads every name padded to 20 steps and answers from step 20, in training, validation and test; it is also
tested on names padded to 40. Each has the same eight tries on seed 100 and is then trained with one seed: this is a
figure, not a comparison.

The weights are kept as 8-bit integers in hexadecimal digits, with one scale for each array. What the rounding costs
stands in the accuracies: before it, and after it. About two minutes on two cores.
"""

import numpy as np
import torch
from learning import predict
from many_to_one import padded
from names_and_vowels import TRIES, judge, make, task_of, train
from protocol import run, save, search

from lstm_tutorial.data import city_names

CONTENDERS, SEED, SEARCHED = ("masked", "unmasked"), 0, 100
ARRAYS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "W_y", "b_y", "embedding")  # as in `parameters()`
E, H, T = 16, 32, 20


def network(contender, seed, lr, dropout, weight_decay):
    """Train a network; return what `learn` returns, its weights as integers, and its scores before and after."""
    task = task_of("names", seed)._replace(E=E, H=H)
    tests = (
        {"last letter": task.test} if contender == "masked" else {f"step {n}": padded(task.test, n) for n in (T, 2 * T)}
    )
    if contender == "unmasked":
        task = task._replace(**{part: padded(getattr(task, part), T) for part in ("train", "validation")})
    model = make(task, "last", seed, dropout)
    found = train(task, model, seed, lr, weight_decay)
    right = {name: [accuracy(model, each)] for name, each in tests.items()}
    weights = {}
    with torch.no_grad():
        for name, value in zip(ARRAYS, model.parameters(), strict=True):
            scale = float(value.abs().max()) / 127
            whole = (value / scale).round()
            value.copy_(whole * scale)
            weights[name] = {"scale": scale, "hex": whole.numpy().astype(np.int8).tobytes().hex()}
    for name, each in tests.items():
        right[name].append(accuracy(model, each))
    return found | {"right": right, "weights": weights}


def accuracy(model, part):
    """Return the percentage of right answers."""
    return judge(predict(model, part.x, part.lengths), part.y)["right"]


def validation(**setting):
    """Return the validation cross-entropy of a try."""
    return network(**setting)["best"]


if __name__ == "__main__":
    chosen = search(validation, CONTENDERS, TRIES, SEARCHED)
    runs = run(network, [dict(contender=name, seed=SEED) | chosen[name]["chosen"] for name in CONTENDERS])
    results = {"tries": TRIES, "steps": T}
    results |= {"letters": "".join(city_names().alphabet.symbols[3:]), "countries": city_names().countries}
    for name, found in zip(CONTENDERS, runs):
        kept = {key: found[key] for key in ("right", "weights", "at", "ended")}
        results[name] = chosen[name] | kept | {"curve": np.round(found["curve"], 3)}
        print(name, chosen[name]["chosen"], found["right"], flush=True)
    save("city", results, [SEED])
