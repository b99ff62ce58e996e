"""Study of the chapter shapes: what `out[:, -1]` costs, for two directions and for sequences of different lengths.

Chosen before the first run: 8 symbols drawn at random, one-hot; H = 16, torch's default initialisation, Adam at 1e-2,
32 sequences an update, gradients clipped at 1, 400 updates on sequences that never repeat; 2,000 new ones for the test.
Nothing was tuned, and the last update counts. Five seeds, which draw the network and the data.
First symbol: all sequences have T steps; say the symbol that stood first. Read by two directions joined from `h_n`, by
two directions through `out[:, -1]`, with torch's forget bias and with 3, and by one direction.
Last symbol: lengths from 10 to 40, zeros behind them; say the last symbol before the zeros. One direction, with lengths
or without, read from `h_n` or through `out[:, -1]`; tested also with the same sequences padded to 80.
Untrained: how far `out[:, -1]` is from `h_n`, in shares of its length, and what its two halves depend on.
About two minutes of one processor.
"""

import numpy as np
import torch
from protocol import save
from torch import nn

from lstm_tutorial.in_torch import Adam, cross_entropy, dependency_matrix, fit
from lstm_tutorial.in_torch.topologies import run_lstm

SEEDS, TEST = range(5), 2000
SETTINGS = dict(symbols=8, H=16, lr=1e-2, B=32, updates=400, clip=1.0)
LENGTHS, SHORTEST, LONGEST, WIDER = [5, 10, 20, 40], 10, 40, 80
FIRST = {  # directions, how the answer is read, the network is told the lengths, forget bias
    "two directions, h_n": (2, "h_n"),
    "two directions, out[:, -1]": (2, "out[:, -1]"),
    "the same, forget bias 3": (2, "out[:, -1]", True, 3),
    "one direction, h_n": (1, "h_n"),
}
LAST = {  # whether the network is told the lengths, how the answer is read
    "lengths, h_n": (True, "h_n"),
    "lengths, out[:, -1]": (True, "out[:, -1]"),
    "no lengths, out[:, -1]": (False, "out[:, -1]"),
}


class Reader(nn.Module):
    """An LSTM, and a linear layer on one of the two things that its last state is taken for."""

    def __init__(self, directions, read, told=True, forget_bias=None):
        super().__init__()
        K, H = SETTINGS["symbols"], SETTINGS["H"]
        self.lstm = nn.LSTM(K, H, batch_first=True, bidirectional=directions == 2)
        self.head, self.read, self.told = nn.Linear(directions * H, K), read, told
        if forget_bias is not None:
            with torch.no_grad():
                for name, bias in self.lstm.named_parameters():
                    if name.startswith("bias"):
                        bias[H : 2 * H] = forget_bias if "ih" in name else 0

    def forward(self, x, lengths):
        output, (h_n, _) = run_lstm(self.lstm, x, lengths if self.told else None)
        return self.head(torch.cat(tuple(h_n), dim=-1) if self.read == "h_n" else output[:, -1])


def draw(task, count, T, rng):
    """Return one-hot sequences (count, T, K), 0 past a length; their lengths; and the symbol asked for."""
    symbols = rng.integers(0, SETTINGS["symbols"], (count, T))
    lengths = np.full(count, T) if task == "first" else rng.integers(SHORTEST, T + 1, count)
    x = np.eye(SETTINGS["symbols"], dtype=np.float32)[symbols] * (np.arange(T) < lengths[:, None])[..., None]
    return x.astype(np.float32), lengths, symbols[:, 0] if task == "first" else symbols[np.arange(count), lengths - 1]


def train(model, task, T, rng):
    """Train a model on fresh sequences."""
    batches = (draw(task, SETTINGS["B"], T, rng) for _ in range(SETTINGS["updates"]))
    optimiser = Adam(model.parameters(), lr=SETTINGS["lr"])
    fit(model, batches, cross_entropy, optimiser, clip_norm=SETTINGS["clip"], progress=False)


def score(model, x, lengths, y):
    """Return the percentage of right answers."""
    with torch.no_grad():
        return 100 * np.mean(model(torch.as_tensor(x), torch.as_tensor(lengths)).argmax(1).numpy() == y)


def run(task, seed, T, *how):
    """Train a reader and return its score on the test, and, if lengths differ, on the test padded to more steps."""
    torch.manual_seed(seed)
    model, test = Reader(*how), draw(task, TEST, T, np.random.default_rng([seed, 1]))
    train(model, task, T, np.random.default_rng(seed))
    if task == "first":
        return score(model, *test)
    x, *rest = test
    return score(model, *test), score(model, np.pad(x, ((0, 0), (0, WIDER - T), (0, 0))), *rest)


def distance(got, want):
    """Return how far vectors are from what they are taken for, as a share of its length."""
    return (torch.linalg.vector_norm(got - want) / torch.linalg.vector_norm(want)).item()


def untrained(seed, T=20, steps=8):
    """Return how far `out[:, -1]` is from `h_n` in networks as drawn, and what output steps depend on, by direction."""
    torch.manual_seed(seed)
    K, H, rng = SETTINGS["symbols"], SETTINGS["H"], np.random.default_rng(seed)
    one, two = nn.LSTM(K, H, batch_first=True), nn.LSTM(K, H, batch_first=True, bidirectional=True)
    with torch.no_grad():
        x, lengths, _ = draw("first", 64, T, rng)
        output, (h_n, _) = two(torch.as_tensor(x))
        found = {"forward half": distance(output[:, -1, :H], h_n[0])}
        found |= {"reverse half": distance(output[:, -1, H:], h_n[1])}
        x, lengths, _ = draw("last", 64, LONGEST, rng)
        x, (_, (h_n, _)) = torch.as_tensor(x), run_lstm(one, torch.as_tensor(x), lengths)
        found |= {"padding read": distance(one(x)[0][:, -1], h_n[0])}
    x = torch.as_tensor(draw("first", 1, steps, rng)[0])
    sees = {}
    for name, half in {"forward": slice(None, H), "reverse": slice(H, None)}.items():
        sees[name] = dependency_matrix(lambda x, half=half: two(x)[0][..., half], x)
    return found, sees


if __name__ == "__main__":
    torch.set_num_threads(1)
    far, seen = zip(*(untrained(seed) for seed in SEEDS))
    far = {name: [each[name] for each in far] for name in far[0]}
    seen = {name: matrix.numpy() for name, matrix in seen[0].items()}
    print(f"untrained, apart: {far}", flush=True)
    first = {}
    for name, how in FIRST.items():
        first[name] = [[run("first", seed, T, *how) for T in LENGTHS] for seed in SEEDS]
        print(f"first symbol, {name}: {np.median(first[name], axis=0)}", flush=True)
    last = {}
    for name, (told, read) in LAST.items():
        scores = np.array([run("last", seed, LONGEST, 1, read, told) for seed in SEEDS])
        last[name] = {"as trained": scores[:, 0], "padded to 80": scores[:, 1]}
        print(f"last symbol, {name}: {np.median(scores, axis=0)}", flush=True)
    full = [np.mean(draw("last", TEST, LONGEST, np.random.default_rng([seed, 1]))[1] == LONGEST) for seed in SEEDS]
    settings = SETTINGS | {"test": TEST, "shortest": SHORTEST, "longest": LONGEST}
    results = {"settings": settings, "chance": 100 / SETTINGS["symbols"], "lengths": LENGTHS, "first": first}
    results |= {"last": last, "full_length": 100 * np.array(full), "apart": far, "sees": seen}
    save("shapes", results, seeds=SEEDS)
