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
        "the three no longer add up to 1: divide by their sum": dict(share=identity),
        "a softmax divides by the sum": [dict(share=lambda p: p * p.sum()), dict(share=lambda p: p.sum() / p)],
        "this is temperature 2: dividing a logarithm by a half makes it larger": dict(temperature=2),
        "a temperature divides the scores, the logarithms of the probabilities": dict(score=identity),
        "all three divided by a half keep their shares: take logarithms first": dict(
            temperature=1, share=lambda p: 2 * p
        ),
        "this is temperature 0, where the likeliest letter takes all": dict(temperature=0.01),
        "this is another letter's, the likeliest one's is asked for": [dict(letter=1), dict(letter=2)],
        "give three decimals": dict(share=lambda p: np.round(p / p.sum(), 2)),
    },
    decimals=3,
)
def temperature_by_hand(
    *, p_1=0.6, p_2=0.3, p_3=0.1, temperature=0.5, score=np.log, share=lambda p: p / p.sum(), letter=0
):
    return float(share(np.exp(score(np.array([p_1, p_2, p_3])) / temperature))[letter])


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
        "this is in nats: a bit is a logarithm to base 2": dict(log=np.log),
        "this is a logarithm to base 10": dict(log=np.log10),
        "a bit is smaller than a nat: divide by ln 2": dict(log=lambda p: np.log(p) * np.log(2)),
        "this is a sum, the mean over characters is asked for": dict(mean=lambda b, v: b[v].sum()),
        "this divides by the number of names, not of characters": dict(mean=lambda b, v: b[v].sum() / len(b)),
        "the steps past the end are counted: divide by the characters there are": dict(
            mean=lambda b, v: (b * v).mean()
        ),
        "a mean of the names' means: a character of a short name counts more": dict(
            mean=lambda b, v: np.mean((b * v).sum(axis=1) / v.sum(axis=1))
        ),
        "steps whose target is -100 ask nothing, here they count as a token": [
            dict(mean=lambda b, v: b.mean(), padding=token) for token in (0, -1)
        ],
        "take logarithms first, then the mean": dict(mean=lambda b, v: -np.log2((2.0 ** -b[v]).mean())),
        "the softmax is missing: scores are not probabilities yet": [
            dict(softmax=lambda z, axis: z, log=log) for log in (np.log2, identity)
        ],
        "the softmax goes over the tokens, along the last axis": [dict(axis=0), dict(axis=1)],
        OVERFLOW: dict(softmax=naive),
    },
    tolerance=1e-8,
)
def bits_per_character(
    scores, targets, *, softmax=softmax, axis=-1, log=np.log2, padding=0, mean=lambda b, v: b[v].mean()
):
    valid = targets != IGNORE
    asked = np.where(valid, targets, padding % scores.shape[-1])
    bits = -log(np.take_along_axis(softmax(scores, axis=axis), asked[..., None], axis=-1)[..., 0])
    return float(mean(bits, valid))


def draw_rows(trial):
    """Draw scores with one largest in each row, a temperature, and a number from 0 on, below 1, for each row."""
    B, K = trial.sizes("B K", K=3)
    temperature = trial.choice(0.0, 0.5, 1.0, 1.5, trial.log_uniform(0.2, 5))
    scores = 2 * trial.scores(B, K) + 1e-3 * trial.normal(B, K) * (temperature == 0)
    u = trial.rng.random(B)
    u[0] *= trial.choice(1, 1, 0)
    return scores, temperature, u


def first_above(p, u, last=True):
    """Return the first token at which the sum is larger than u; if none is, the last one, or token 0."""
    above = p.cumsum(axis=1) > u[:, None]
    above[:, -1] |= last
    return above.argmax(axis=1)


def or_0(p, u):
    return first_above(p, u, last=False)


@exercise(
    "Drawing a token",
    draw=draw_rows,
    names="tokens",
    axes="B",
    turns={
        "it takes the likeliest token at every temperature: that is what 0 does": dict(found=lambda p, u: p.argmax(1)),
        "at temperature 0 it draws by chance, the likeliest token is to be taken": dict(cold="as 1"),
        "at temperature 0 it takes the least likely token": dict(cold="least"),
        "at temperature 0 it divides by 0: treat that temperature first": [
            dict(cold="drawn", found=found) for found in (first_above, or_0)
        ],
        "it draws as if the temperature were 1: is it used?": [
            dict(heated=lambda s, t: softmax(s), cold=cold) for cold in ("likeliest", "drawn")
        ],
        "the temperature multiplies, it should divide": dict(heated=lambda s, t: softmax(s * t)),
        "the temperature divides the scores, not the probabilities": dict(heated=lambda s, t: softmax(s) / t),
        "the softmax is missing: the scores are added up": dict(heated=lambda s, t: s / t),
        "the softmax goes over the tokens of a row, along axis 1": dict(heated=lambda s, t: softmax(s / t, axis=0)),
        "it takes the token before: the first sum above u is asked for": [dict(moved=-1), dict(moved=-1, cold="moved")],
        "it takes the token after: the first sum above u is asked for": [dict(moved=1), dict(moved=1, cold="moved")],
        "a sum that is equal to u is not larger than u": dict(found=lambda p, u: (u <= p.cumsum(1).T).argmax(0)),
        "it finds a sum that is not above u": dict(found=lambda p, u: (u >= p.cumsum(1).T).argmax(0)),
        "the sum runs from the last token down": dict(found=lambda p, u: p.shape[1] - 1 - first_above(p[:, ::-1], u)),
        "not a token's own probability is above u, but the sum so far": dict(found=lambda p, u: (u < p.T).argmax(0)),
        "every row is drawn with the first row's number": dict(found=lambda p, u: first_above(p, 0 * u + u[0])),
        OVERFLOW: [dict(heated=lambda s, t: naive(s / t), found=found) for found in (or_0, first_above)],
    },
    trials=30,
)
def draw_tokens(
    scores, temperature, u, *, cold="likeliest", heated=lambda s, t: softmax(s / t), found=first_above, moved=0
):
    if temperature == 0 and cold in ("likeliest", "least", "moved"):
        tokens = (-scores if cold == "least" else scores).argmax(axis=1)
        return np.maximum(tokens + moved * (cold == "moved"), 0)
    return np.maximum(found(heated(scores, 1 if cold == "as 1" and not temperature else temperature), u) + moved, 0)


def draw_generator(trial):
    """Draw a small network and a stop that it writes at once, later or never."""
    K, E, H = trial.sizes("K E H", K=4)
    weights = [2 * trial.normal(*shape) for shape in ((4 * H, E), (4 * H, H), (4 * H,), (4 * H,))]
    embedding, head, steps = 2 * trial.normal(K + 1, E), (3 * trial.normal(K, H), 2 * trial.normal(K)), K + 4
    inputs = trial.normal(H), 2 * trial.normal(H), weights, embedding, head
    stop, when = int(trial.rng.integers(K)), trial.choice("at once", "later", "later", "never")
    if when == "never":
        head[1][stop] = -100
    else:
        written = list(dict.fromkeys(write_greedily(*inputs, -1, steps).tolist()))
        stop = written[0] if when == "at once" else trial.rng.choice(written[-2:]).item()
    return *inputs, stop, steps


@exercise(
    "A generator with three faults",
    draw=draw_generator,
    names="tokens",
    axes="T",
    combine=3,
    turns={
        "the states start anew at every step: `h` and `c` are not handed on": dict(carries=""),
        "it reads the start at every step, not the token it wrote": dict(reads_own=False),
        "it goes on after the stop: from there on `stop` stands in every place": dict(ends=False),
        "`c` is handed on, `h` is not": dict(carries="c"),
        "`h` is handed on, `c` is not": dict(carries="h"),
        "after the stop the places hold 0, they should hold `stop`": [dict(rest="0"), dict(rest="0", kept=True)],
        "the tokens end early: `stop` fills the rest of the places": [dict(rest="cut"), dict(rest="cut", kept=True)],
        "the start is the last row of the embedding": [dict(start=0), dict(start=-2)],
        "the linear layer adds its bias": [dict(bias=0), dict(bias=-1)],
        "the linear layer's weight is left out": dict(weight=0),
        "the scores are made of the old `h`": dict(scored="old"),
    },
    dtypes=("float64",),
    trials=24,
)
def write_greedily(
    h, c, weights, embedding, head, stop, steps,
    *, carries="hc", reads_own=True, ends=True, rest="stop", kept=False, start=-1, weight=1, bias=1, scored="new",
):  # fmt: skip
    token, tokens = start % len(embedding), []
    for _ in range(steps):
        (h_new, c_new), _ = lstm_cell(embedding[token], (h, c), *weights)
        tokens.append(int((weight * head[0] @ (h_new if scored == "new" else h) + bias * head[1]).argmax()))
        h, c = h_new if "h" in carries else h, c_new if "c" in carries else c
        token = tokens[-1] if reads_own else token
    stops = np.array(tokens) == stop
    over = (np.cumsum(stops) - stops * kept > 0) & ends
    return np.array(tokens)[~over] if rest == "cut" else np.where(over, PAD if rest == "0" else stop, tokens)


def draw_names(trial):
    """Draw padded tokens, lengths, the number of tokens, and how strongly all symbols alike count."""
    N, T, K = trial.sizes("B T K", K=STOP + 3)
    lengths = trial.lengths(N, T)
    tokens = np.where(np.arange(T) < lengths[:, None], trial.rng.integers(STOP + 1, K, size=(N, T)), PAD)
    return tokens, lengths, K, trial.log_uniform(0.3, 10)


def rows(n):
    """Return the totals of the rows of counts."""
    return n.sum(axis=1, keepdims=True)


def rows_or_1(n):
    return np.maximum(rows(n), 1)


@exercise(
    "A baseline that counts",
    draw=draw_names,
    names="p",
    axes="K K",
    turns={
        "rows and columns are swapped: row `before`, column `after`": dict(turned=True),
        "the start is not counted: a name's first letter follows `START`": dict(start=False),
        "the stop is not counted: `STOP` follows a name's last letter": dict(stop=False),
        "start and stop are not counted": dict(start=False, stop=False),
        "the end of a name is no symbol before the start of the next": dict(joined=True),
        "each pair is counted once: with index arrays `+=` adds once, `np.add.at` each time": [
            dict(pairs=set),
            dict(most=1),
        ],
        "each symbol gets `strength` counts, all K together should get it": [
            dict(p=lambda n, s, K, most=most: (n + s) / (rows(n) + min(K, most) * s)) for most in (1, 99)
        ],
        "these are counts, not probabilities": [dict(p=lambda n, s, K: n), dict(p=lambda n, s, K: n + s / K)],
        "there is no smoothing: what was never counted has probability 0": [
            dict(p=lambda n, s, K, total=total: n / total(n)) for total in (rows, rows_or_1)
        ],
        "the total lacks the added counts, so a row does not sum to 1": [
            dict(p=lambda n, s, K, total=total: (n + s / K) / total(n)) for total in (rows, rows_or_1)
        ],
        "the counts lack the added ones, so a row does not sum to 1": dict(p=lambda n, s, K: n / (rows(n) + s)),
        "the total of a row divides a column: `keepdims=True` is missing": dict(
            p=lambda n, s, K: (n + s / K) / (n.sum(axis=1) + s)
        ),
        "each column sums to 1, each row should": dict(p=lambda n, s, K: (n + s / K) / (n.sum(axis=0) + s)),
        "all pairs together are the total, it is each row's": [
            dict(p=lambda n, s, K, most=most: (n + s / K) / (n.sum() + min(K, most) * s)) for most in (1, 99)
        ],
    },
    dtypes=("float64",),
)
def bigram(
    tokens, lengths, K, strength,
    *, start=True, stop=True, joined=False, pairs=list, most=np.inf, turned=False,
    p=lambda n, s, K: (n + s / K) / (rows(n) + s),
):  # fmt: skip
    lines = [[START] * start + row[:length].tolist() + [STOP] * stop for row, length in zip(tokens, lengths)]
    counts = np.zeros((K, K))
    for line in [sum(lines, [])] if joined else lines:
        for before, after in pairs(zip(line, line[1:])):
            counts[before, after] = min(counts[before, after] + 1, most)
    found = p(counts, strength, K)
    return found.T if turned else found


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

    runs, draws = math.inf, 20_000

    def __init__(self, trial):
        super().__init__()
        rng = trial.rng
        self.K, self.left = int(rng.integers(20, 31)), self.draws
        self.kept = int(trial.choice(self.K, rng.integers(2, 5), rng.integers(5, self.K - 2)))
        self.temperature = math.exp(trial.choice(-1, 1) * rng.uniform(0.25, 0.9))
        self.rng = np.random.default_rng(int(rng.integers(10**6)))

    def answer(self, scores, n):
        scores, n = np.asarray(scores, float), int(n)
        if scores.shape != (self.K,) or not np.isfinite(scores).all() or n < 0:
            raise ValueError(f"draw takes {self.K} finite numbers and how many, got shape {scores.shape} and {n}")
        if n > self.left:
            raise ValueError(f"{n} draws were asked for, {self.left} of {self.draws} are left")
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
    off = abs(math.log(temperature / draw.temperature))
    if off < math.log(1.2):
        return None
    if abs(math.log(temperature * draw.temperature)) < math.log(1.15):
        why = "one over what it is: it divides a difference of scores"
    elif off < math.log(1.4):
        why = "off by more than a fifth: how sure is the share that you looked at, and does a cut change it?"
    elif temperature > draw.temperature:
        why = "too high: at temperature 1, how much more often comes a token whose score is larger by d?"
    else:
        why = "too low: compare two tokens that are both kept, and divide by how much their scores differ"
    return f"the number kept is right; the temperature is {why}"


def draw_sampler(trial):
    sampler = SamplerBox(trial)
    return sampler, sampler.K


@exercise(
    "Two knobs of a sampler",
    draw=draw_sampler,
    verify=verify_knobs,
    names="temperature, kept",
    turns={
        "the temperature is one over": dict(power=-1),
        "off by more than a fifth": [dict(factor=1.3), dict(factor=0.75)],
        "the temperature is too high": dict(factor=10),
        "the temperature is too low": dict(factor=0.1),
        "fewer tokens than are kept": dict(count=lambda kept, K: 2),
        "more tokens than are kept": dict(count=lambda kept, K: min(kept + 1, K)),
        "it says that no token is cut": dict(count=lambda kept, K: K),
    },
    dtypes=("float64",),
    trials=18,
)
def find_the_knobs(draw, K, *, power=1, factor=1, count=lambda kept, K: kept):
    return factor * draw.temperature**power, count(draw.kept, K)
