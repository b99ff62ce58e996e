"""The exercises of the chapter one-to-many."""

import math

import numpy as np

from lstm_tutorial.data import IGNORE, PAD, START, STOP
from lstm_tutorial.exercises import Box, exercise, identity
from lstm_tutorial.in_numpy import cross_entropy, lstm_cell, softmax


@exercise(
    "Temperature, by hand",
    turns={
        "this is the probability as it was, at temperature 1": dict(temperature=1),
        "the three do not add up to 1: a softmax divides each by the sum of all": dict(share=identity),
        "this is temperature 2: dividing a logarithm by a half makes it larger": dict(temperature=2),
        "a temperature divides the scores, the logarithms of the probabilities": [
            dict(score=identity),
            dict(temperature=1, share=lambda p: 2 * p),
        ],
        "give three decimals": dict(share=lambda p: np.round(p / p.sum(), 2)),
    },
    decimals=3,
)
def temperature_by_hand(*, p=(0.6, 0.3, 0.1), temperature=0.5, score=np.log, share=lambda p: p / p.sum()):
    return float(share(np.exp(score(np.array(p)) / temperature))[0])


def draw_scores(trial):
    """Draw scores, those of a step all large in some trials, and targets that are `IGNORE` past each end."""
    B, T, K = trial.sizes("B T K", K=2)
    past = np.arange(T) >= trial.lengths(B, T)[:, None]
    scores = 2 * trial.normal(B, T, K) + trial.scores(B, T, 1)
    return scores, np.where(past, IGNORE, trial.rng.integers(K, size=(B, T)))


def naive(z, axis=-1):
    """Return a softmax that does not subtract the largest score first."""
    return np.exp(z) / np.exp(z).sum(axis=axis, keepdims=True)


OVERFLOW = "a score in the hundreds overflows: subtract the largest one before `np.exp`, or use `softmax`"


@exercise(
    "Bits per character",
    draw=draw_scores,
    same_as=lambda scores, targets: float(cross_entropy(scores, targets)[0] / np.log(2)),
    turns={
        "a bit is a logarithm to base 2: divide the natural one, which is in nats, by ln 2": [
            dict(log=log) for log in (np.log, np.log10, lambda p: np.log(p) * np.log(2))
        ],
        "divide the sum by the number of characters, not by that of the names": [
            dict(mean=lambda b, v, n=n: b[v].sum() / n(b)) for n in (len, lambda b: 1)
        ],
        "steps whose target is -100 do not count: take the mean over the others": [
            dict(mean=lambda b, v: (b * v).mean()),
            dict(mean=lambda b, v: b.mean()),
        ],
        "a mean of the names' means: a character of a short name counts more": dict(
            mean=lambda b, v: np.mean((b * v).sum(axis=1) / v.sum(axis=1))
        ),
        "the softmax is missing: scores are not probabilities yet": [
            dict(softmax=lambda z, axis: z, log=log) for log in (np.log2, identity)
        ],
        "the softmax goes over the tokens, along the last axis": [dict(axis=0), dict(axis=1)],
        OVERFLOW: dict(softmax=naive),
    },
    tolerance=1e-8,
)
def bits_per_character(scores, targets, *, softmax=softmax, axis=-1, log=np.log2, mean=lambda b, v: b[v].mean()):
    valid = targets != IGNORE
    p = np.take_along_axis(softmax(scores, axis=axis), np.where(valid, targets, 0)[..., None], axis=-1)[..., 0]
    return float(mean(-log(p), valid))


def draw_rows(trial):
    """Draw scores with one largest in each row, a temperature, and a number from 0 on, below 1, for each row."""
    B, K = trial.sizes("B K", K=3)
    temperature = trial.choice(0.0, 0.5, 1.0, 1.5, trial.log_uniform(0.2, 5))
    scores = 2 * trial.scores(B, K) + 1e-3 * trial.normal(B, K) * (temperature == 0)
    u = trial.rng.random(B)
    u[0] *= trial.choice(1, 1, 0)
    return scores, temperature, u


def diagnose_tokens(got, want, scores, temperature, u):
    if temperature == 0:
        return "at temperature 0 return the likeliest token of each row: nothing is drawn, or divided by 0"
    return OVERFLOW if np.max(abs(scores)) > 100 else None


def first_above(p, u):
    """Return the first token at which the cumulative sum is larger than u; the last one if none is."""
    above = p.cumsum(axis=1) > u[:, None]
    above[:, -1] = True
    return above.argmax(axis=1)


@exercise(
    "Drawing a token",
    draw=draw_rows,
    names="tokens",
    axes="B",
    turns={
        "it takes the likeliest token at every temperature: that is what 0 does": dict(found=lambda p, u: p.argmax(1)),
        "it draws as if the temperature were 1: is it used?": [
            dict(p=lambda s, t: softmax(s), greedy=greedy) for greedy in (True, False)
        ],
        "the temperature multiplies, it should divide": dict(p=lambda s, t: softmax(s * t)),
        "the temperature divides the scores, not the probabilities": dict(p=lambda s, t: softmax(s) / t),
        "the softmax is missing: the scores are added up": dict(p=lambda s, t: s / t),
        "the softmax goes over the tokens of a row, along axis 1": dict(p=lambda s, t: softmax(s / t, axis=0)),
        "the token beside the right one: the first sum above u is asked for": [
            dict(found=lambda p, u, by=by: np.maximum(first_above(p, u) + by, 0)) for by in (-1, 1)
        ],
        "a sum that is equal to u is not larger than u": dict(found=lambda p, u: (u <= p.cumsum(1).T).argmax(0)),
        "not a token's own probability is above u, but the sum so far": dict(found=lambda p, u: (u < p.T).argmax(0)),
        "every row is drawn with the first row's scores": dict(found=lambda p, u: first_above(p[:1], u)),
    },
    diagnose=diagnose_tokens,
    trials=30,
)
def draw_tokens(scores, temperature, u, *, p=lambda s, t: softmax(s / t), found=first_above, greedy=True):
    return scores.argmax(axis=1) if greedy and temperature == 0 else found(p(scores, temperature), u)


def draw_generator(trial):
    """Draw a small network and a stop that it writes at once, later or never."""
    K, E, H = trial.sizes("K E H", K=4)
    weights = [2 * trial.normal(*shape) for shape in ((4 * H, E), (4 * H, H), (4 * H,), (4 * H,))]
    embedding, head, steps = 2 * trial.normal(K + 1, E), (3 * trial.normal(K, H), 2 * trial.normal(K)), K + 4
    inputs = trial.normal(H), 2 * trial.normal(H), weights, embedding, head
    never = int(trial.rng.integers(K))
    head[1][never] = -100
    written = list(dict.fromkeys(write_greedily(*inputs, never, steps).tolist()))
    later = trial.rng.choice(written[-2:]).item()
    return *inputs, trial.choice(written[0], later, later, never), steps


@exercise(
    "A generator with three faults",
    draw=draw_generator,
    names="tokens",
    axes="T",
    combine=3,
    turns={
        "every step starts from the first states: `h` and `c` are not handed on": dict(carries=""),
        "it reads the start at every step, not the token it wrote": dict(reads_own=False),
        "it goes on after the stop: from there on `stop` stands in every place": dict(ends=False),
        "only one of `h` and `c` is handed on": [dict(carries="c"), dict(carries="h")],
        "after the stop the places hold 0, they should hold `stop`": dict(rest=PAD),
        "the start is the last row of the embedding": [dict(start=0), dict(start=-2)],
        "the scores are `weight @ h` plus the bias": [dict(bias=0), dict(bias=-1), dict(weight=0)],
    },
    dtypes=("float64",),
    trials=24,
)
def write_greedily(
    h, c, weights, embedding, head, stop, steps,
    *, carries="hc", reads_own=True, ends=True, rest=None, start=-1, weight=1, bias=1,
):  # fmt: skip
    token, tokens = start % len(embedding), []
    for _ in range(steps):
        (h_new, c_new), _ = lstm_cell(embedding[token], (h, c), *weights)
        tokens.append(int((weight * head[0] @ h_new + bias * head[1]).argmax()))
        h, c = h_new if "h" in carries else h, c_new if "c" in carries else c
        token = tokens[-1] if reads_own else token
    over = (np.cumsum(np.array(tokens) == stop) > 0) & ends
    return np.where(over, stop if rest is None else rest, tokens)


def draw_names(trial):
    """Draw padded tokens, lengths, the number of tokens, and how strongly all symbols alike count."""
    N, T, K = trial.sizes("B T K", K=STOP + 3)
    lengths = trial.lengths(N, T)
    tokens = np.where(np.arange(T) < lengths[:, None], trial.rng.integers(STOP + 1, K, size=(N, T)), PAD)
    return tokens, lengths, K, trial.log_uniform(0.3, 10)


def diagnose_bigram(got, want, *inputs):
    """Say which sums are not 1, or that something has probability 0."""
    total = got.sum(axis=1)
    if np.allclose(total, 1):
        return None if got.all() else "what was never counted has probability 0: the smoothing is missing"
    why = "divide each row, smoothed, by its own total (`keepdims=True`) plus `strength`"
    return f"every row should sum to 1, and one sums to {total[np.argmax(abs(total - 1))]:.3g}: {why}"


@exercise(
    "A baseline that counts",
    draw=draw_names,
    names="p",
    axes="K K",
    combine=2,
    turns={
        "the start is not counted: a name's first letter follows `START`": dict(start=False),
        "the stop is not counted: `STOP` follows a name's last letter": dict(stop=False),
        "each pair is counted once: with index arrays `+=` adds once, `np.add.at` each time": dict(pairs=set),
        "each symbol gets `strength` counts, all K together should get it": dict(each=True),
    },
    diagnose=diagnose_bigram,
    dtypes=("float64",),
)
def bigram(tokens, lengths, K, strength, *, start=True, stop=True, pairs=list, each=False):
    counts = np.zeros((K, K))
    for row, length in zip(tokens, lengths):
        line = [START] * start + row[:length].tolist() + [STOP] * stop
        for before, after in pairs(zip(line, line[1:])):
            counts[before, after] += 1
    strength = K * strength if each else strength
    return (counts + strength / K) / (counts.sum(axis=1, keepdims=True) + strength)


@exercise(
    "What a temperature changes",
    words="rises, falls, stays",
    turns={
        "different names: what happens when unlikely letters come up?": [dict(new="falls"), dict(new="stays")],
        "copies of training names: how many when letters are drawn by chance?": [dict(old="rises"), dict(old="stays")],
        "their country: do odd letters make it easier to tell?": [dict(country="rises"), dict(country="stays")],
        "bits per character: is anything drawn when you measure those?": [dict(bits="rises"), dict(bits="falls")],
    },
)
def predict_temperature(*, new="rises", old="falls", country="falls", bits="stays"):
    return {
        "different names": new,
        "copies of training names": old,
        "names taken for their country": country,
        "bits per character of the test names": bits,
    }


class SamplerBox(Box):
    """Draws n tokens at a hidden temperature, of a hidden number of tokens, the likeliest ones."""

    runs, left = math.inf, 20_000

    def __init__(self, trial):
        super().__init__()
        rng = trial.rng
        self.K = int(rng.integers(20, 31))
        self.kept = int(trial.choice(self.K, rng.integers(2, 5), rng.integers(5, self.K - 2)))
        self.temperature = math.exp(trial.choice(-1, 1) * rng.uniform(0.25, 0.9))
        self.rng = np.random.default_rng(int(rng.integers(10**6)))

    def answer(self, scores, n):
        scores, n = np.asarray(scores, float), int(n)
        if scores.shape != (self.K,) or not np.isfinite(scores).all():
            raise ValueError(f"draw takes {self.K} finite scores, got shape {scores.shape}")
        if not 0 <= n <= self.left:
            raise ValueError(f"{n} draws were asked for, {self.left} of 20000 are left")
        self.left -= n
        kept = np.argsort(-scores, kind="stable")[: self.kept]
        return self.rng.choice(kept, size=n, p=softmax(scores[kept] / self.temperature))


def verify_knobs(answer, trial, draw, K):
    """Say which knob the experiment misreads, and ask about the experiment."""
    temperature, kept = (float(np.asarray(each, float)) for each in answer)
    if temperature <= 0 or kept not in range(2, K + 1):
        return "a temperature above 0 and a whole number from 2 to K are asked for, in this order"
    if kept == K > draw.kept:
        return "it says that no token is cut, and some never come: with equal scores, which tokens turn up?"
    if kept < draw.kept:
        return "it finds fewer tokens than are kept: some were too rare to turn up. For which scores are none rare?"
    if kept > draw.kept:
        return "it finds more tokens than are kept: count those that were drawn, and each once"
    off = math.log(temperature / draw.temperature)
    if abs(off) < math.log(1.2):
        return None
    why = (
        f"too {'high' if off > 0 else 'low'}: how much more often does one of two kept tokens come, how sure is that, "
    )
    why += "and by how much do their scores differ?"
    if abs(math.log(temperature * draw.temperature)) < math.log(1.15):
        why = "one over what it is: it divides a difference of scores"
    return f"the number kept is right; the temperature is {why}"


@exercise(
    "Two knobs of a sampler",
    draw=lambda trial: (box := SamplerBox(trial), box.K),
    verify=verify_knobs,
    names="temperature, kept",
    dtypes=("float64",),
    trials=18,
)
def find_the_knobs(draw, K):
    return draw.temperature, draw.kept
