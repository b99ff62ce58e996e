"""Study of the chapter state: which chunk length of truncated backpropagation through time learns a known lag?

The task is a stream. A pulse on the first input, +1 or -1, switches a lamp on or off; the second input is noise. The
next pulse comes 11 to 20 steps later, so that no question meets another. 10 steps after each pulse the network must say
whether the lamp is on. 32 streams are read side by side in chunks of C steps, and each chunk that holds a question is
one update. `carried`: the state is carried from chunk to chunk and detached, so that the share of questions whose pulse
lies in the same chunk is max(0, 1 - 10 / C). `overlap`: the same, but the gradient is carried back through the chunk
before as well, which is read again for this. `reset`: in training the state starts from zeros at each chunk. In
validation and test the state is always carried.

torch.nn.LSTM with 16 units, torch's initial weights or a forget bias of 3, Adam, gradients clipped at norm 1. All read
at most the same 40,000 steps of 32 streams, so that shorter chunks make more updates. Six learning rates for every
contender, tried on three seeds of their own and half of the steps; then ten seeds. A network has learned when fewer
than 1% of the answers in a fresh validation stream of 1,000 steps are wrong, checked after every 1,000 steps; then
training stops, and a fresh test stream of 2,000 steps is read, once. A try's score: the share of the steps that its
slowest seed needed, or 1 plus its mean validation loss where a seed has not learned. `ended`: the steps ran out.
`still_falling`: and the training loss still fell. `against 20`: wrong answers minus those with C = 20, carried.

`gradient`: an untrained network reads 1,200 steps in chunks of C; the gradient of the weights on the pulse, from the
losses of all questions together, beside that of one backward pass through all steps: the ratio of the norms, and the
cosine. No weight is changed between the chunks. In float64; a number for each of `at` chunk lengths.

`cost`: CPU time of reading 200 steps one at a time with carried state, as a multiple of the whole sequence at once, and
of reading the last 50 steps again at every step, as a program without a carried state would do.
"""

from functools import partial

import numpy as np
import torch
from bench import against, race
from protocol import paired, run, save, search, share, still_falling, streams
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

from lstm_tutorial import in_numpy

LAG, B, H, STEPS, SEEDS, TRIED = 10, 32, 16, 40_000, range(10), (100, 101, 102)
TRIES = [{"lr": lr} for lr in (0.05, 0.02, 0.01, 0.005, 0.002, 0.001)]
CHUNKS, BIASES = (5, 10, 15, 20, 40, 80), {"default": None, "bias 3": 3.0}
WAYS = [(C, "carried") for C in CHUNKS] + [(10, "overlap"), (20, "reset")]
AT = (5, 10, 11, 12, 15, 20, 40, 80, 160)
CONTENDERS = [(C, bias, way) for bias in BIASES for C, way in WAYS]


def lamp(rng, B, T, lag=LAG):
    """Draw streams x (B, T, 2) and answers y (B, T): 1 or 0 `lag` steps after a pulse, -1 where nothing is asked."""
    gaps = rng.integers(lag + 1, 2 * lag + 1, (B, T // lag + 1))
    times = gaps.cumsum(axis=1) - rng.integers(1, lag + 2, (B, 1))
    on = rng.integers(0, 2, times.shape)
    x = np.stack([np.zeros((B, T)), rng.standard_normal((B, T))], axis=-1).astype(np.float32)
    y = np.full((B, T), -1, np.float32)
    row, k = np.nonzero(times < T)
    x[row, times[row, k], 0] = 2 * on[row, k] - 1
    row, k = np.nonzero(times < T - lag)
    y[row, times[row, k] + lag] = on[row, k]
    return torch.from_numpy(x), torch.from_numpy(y)


class Lamp(nn.Module):
    """An LSTM and a linear layer: the state goes in and comes out."""

    def __init__(self, bias):
        super().__init__()
        self.lstm, self.head = nn.LSTM(2, H, batch_first=True), nn.Linear(H, 1)
        if bias is not None:
            with torch.no_grad():
                self.lstm.bias_ih_l0[H : 2 * H], self.lstm.bias_hh_l0[H : 2 * H] = bias, 0

    def forward(self, x, state=None):
        output, state = self.lstm(x, state)
        return self.head(output)[..., 0], state


def judge(scores, y):
    """Return the loss of the answers that are asked for, and the share that is wrong."""
    asked = y >= 0
    loss = binary_cross_entropy_with_logits(scores[asked], y[asked])
    return loss, ((scores[asked] > 0) != (y[asked] > 0.5)).float().mean().item()


@torch.no_grad()
def test(model, x, y):
    loss, wrong = judge(model(x)[0], y)
    return loss.item(), wrong


def train(contender, seed, lr, steps=STEPS):
    """Train one network on its streams until it has learned."""
    C, bias, way = contender
    torch.manual_seed(seed)
    model, rngs = Lamp(BIASES[bias]), streams(seed)
    (x, y), validation = lamp(rngs[0], B, steps), lamp(rngs[1], B, 1000)
    optimiser = torch.optim.Adam(model.parameters(), lr=lr)
    state, before, losses, curve, solved_at = None, None, [], [], None
    for start in range(0, steps - C + 1, C):
        if way == "overlap" and start:
            _, state = model(x[:, start - C : start], before)  # again, now with its gradient
        before = detach(state)
        scores, state = model(x[:, start : start + C], state)
        state = None if way == "reset" else detach(state)
        target = y[:, start : start + C]
        if (target >= 0).any():
            loss, _ = judge(scores, target)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
            losses.append(loss.item())
        if (start + C) // 1000 > start // 1000:
            curve.append(test(model, *validation))
            if curve[-1][1] < 0.01:
                solved_at = start + C
                break
    found = {"solved_at": solved_at, "ended": solved_at is None, "loss": curve[-1][0], "updates": len(losses)}
    found |= {"wrong": 100 * test(model, *lamp(rngs[2], B, 2000))[1], "curve": [100 * wrong for _, wrong in curve]}
    return found | {"still_falling": solved_at is None and still_falling(losses)}


def detach(state):
    """Cut the graph behind a state (h, c); its numbers stay."""
    return None if state is None else tuple(each.detach() for each in state)


def attempt(contender, seed, lr):
    """Return the score of a try, lower is better: `seed` is the first of the three."""
    assert seed == TRIED[0]
    runs = [train(contender, each, lr, STEPS // 2) for each in TRIED]
    if any(each["ended"] for each in runs):
        return 1 + float(np.mean([each["loss"] for each in runs]))
    return max(each["solved_at"] for each in runs) / STEPS


def summary(runs):
    """Return what the page needs of the runs of one contender, and the curves of two seeds."""
    found = {key: [each[key] for each in runs] for key in ("wrong", "solved_at", "updates", "ended", "still_falling")}
    found["learned"] = share(len(runs) - sum(found["ended"]), len(runs))
    return found | {"curves": [each["curve"] for each in runs[:2]]}


def gradient(C, bias, seed=0, T=1200):
    """Return the gradient of the weights on the pulse, (4H,), when T steps are read in chunks of C."""
    torch.manual_seed(seed)
    model, (x, y) = Lamp(BIASES[bias]).double(), lamp(np.random.default_rng(seed), B, T)
    state = None
    for start in range(0, T, C):
        scores, state = model(x[:, start : start + C].double(), state)
        state, target = detach(state), y[:, start : start + C].double()
        if asked := (target >= 0).sum():
            (judge(scores, target)[0] * asked / (y >= 0).sum()).backward()
    return model.lstm.weight_ih_l0.grad[:, 0]


def truncation(T=1200):
    """Compare the gradients of chunks with that of all T steps."""
    found = {"at": AT}
    for bias in BIASES:
        whole, chunks = gradient(T, bias), [gradient(C, bias) for C in AT]
        found[bias] = {"ratio": [(each.norm() / whole.norm()).item() for each in chunks]}
        found[bias]["cosine"] = [torch.cosine_similarity(each, whole, dim=0).item() for each in chunks]
    return found


def cost(T=200, window=50, D=2, H=64, rounds=15):
    """Race one step at a time against the whole sequence, one stream, nothing kept for a backward pass."""
    x, found = np.random.default_rng(0).standard_normal((T, 1, D)).astype(np.float32), {}
    theirs, ours, tensor = nn.LSTM(D, H), in_numpy.LSTM(D, H, rng=0), torch.from_numpy(x)
    for name, lstm, data in (
        ("torch.nn.LSTM", torch.inference_mode()(theirs), tensor),
        ("in_numpy.LSTM", partial(ours, keep_cache=False), x),
    ):
        contenders = {"whole": partial(lstm, data), "streamed": partial(stream, lstm, data)}
        contenders["window again"] = partial(again, lstm, data, window)
        found[name] = against(race(contenders, rounds), "whole")
    return found


def stream(lstm, x):
    """Read x (T, B, D) one step at a time."""
    state = None
    for t in range(len(x)):
        output, state = lstm(x[t : t + 1], state)
    return output


def again(lstm, x, window):
    """At every step read the last `window` steps from zeros."""
    for t in range(len(x)):
        output, _ = lstm(x[max(0, t + 1 - window) : t + 1])
    return output


if __name__ == "__main__":
    settings = dict(lag=LAG, B=B, H=H, steps=STEPS, chunks=CHUNKS, tries=TRIES, tried=TRIED)
    results = {"settings": settings, "gradient": truncation(), "cost": cost(), "runs": {}}
    for contender in CONTENDERS:
        name, runs = "{}, {}, {}".format(*contender), results["runs"]
        chosen = search(attempt, [contender], TRIES, TRIED[0])[contender]
        each = [dict(contender=contender, seed=seed) | chosen["chosen"] for seed in SEEDS]
        runs[name] = chosen | summary(list(run(train, each)))
        for bias in BIASES:
            if reference := runs.get(f"20, {bias}, carried"):
                for found in (found for key, found in runs.items() if bias in key):
                    found["against 20"] = paired(found["wrong"], reference["wrong"])
        print(f"{name}: {runs[name]['learned']['share']:.0%} learned, {chosen['chosen']}", flush=True)
        save("truncated", results, seeds=SEEDS)
