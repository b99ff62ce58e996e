"""The exercises of the chapter one-to-many."""

import numpy as np

from lstm_tutorial.data import IGNORE, PAD, START, STOP
from lstm_tutorial.exercises.diagnosis import first_match
from lstm_tutorial.exercises.registry import draw_sizes, register
from lstm_tutorial.in_numpy import LSTM, lstm_cell, softmax

# Temperature, by hand

GIVEN = np.array([0.6, 0.3, 0.1])  # the probabilities of the exercise


def diagnose_temperature(got, want, inputs):
    """Say what was done to the probabilities instead."""

    def likeliest(scores):
        return float(softmax(scores)[0])

    turns = {
        "this is the probability as it was, at temperature 1": float(GIVEN[0]),
        "the three no longer add up to 1: divide by their sum": float(GIVEN[0] ** 2),
        "this is temperature 2: dividing a logarithm by a half makes it larger": likeliest(0.5 * np.log(GIVEN)),
        "scores are logarithms of probabilities: a temperature divides those, not the probabilities": likeliest(
            2 * GIVEN
        ),
        "dividing all three probabilities by a half and by their sum changes nothing: take logarithms first": 1.2,
        "this is temperature 0, where the likeliest letter takes all": 1.0,
        "this is the second letter's, the likeliest one's is asked for": float(GIVEN[1] ** 2 / np.sum(GIVEN**2)),
    }
    return first_match(got, turns, tolerance=0.002)


register(
    "temperature_by_hand",
    chapter="one-to-many",
    title="Temperature, by hand",
    reference=lambda: float(softmax(np.log(GIVEN) / 0.5)[0]),
    diagnose=diagnose_temperature,
    tolerance=0.005,
)


# Bits per character


def draw_scores(rng):
    """Scores (B, T, K) and ragged targets (B, T), `IGNORE` past each end, of a batch with padding."""
    B, T, K = draw_sizes(rng, 3, low=2)
    lengths = np.append(rng.integers(1, T, size=B - 1), T)  # some shorter, one as long as the batch
    targets = rng.integers(K, size=(B, T))
    return rng.normal(size=(B, T, K)) * 2, np.where(np.arange(T) < lengths[:, None], targets, IGNORE)


def surprise(scores, targets):
    """Return -log2 p of each target, (B, T), and which count."""
    valid = targets != IGNORE
    p = np.take_along_axis(softmax(scores), np.where(valid, targets, 0)[..., None], -1)[..., 0]
    return -np.log2(p), valid


def bits_per_character(scores, targets):
    """Mean surprise at the valid targets."""
    bits, valid = surprise(scores, targets)
    return float(bits[valid].mean())


def diagnose_bits(got, want, inputs):
    """Name the mean that was taken, or the unit."""
    scores, targets = inputs
    bits, valid = surprise(scores, targets)
    z = scores - np.log(np.exp(scores).sum(-1, keepdims=True))
    last = -np.take_along_axis(z, np.where(valid, targets, scores.shape[-1] + targets * 0 - 1)[..., None], -1)[..., 0]
    by_row = (bits * valid).sum(1) / valid.sum(1)
    p = 2.0**-bits
    turns = {
        "this is in nats: a bit is a logarithm to base 2": want * np.log(2),
        "this is a logarithm to base 10": want * np.log10(2),
        "this is nats times ln 2: a bit is smaller than a nat, so there are more of them": want * np.log(2) ** 2,
        "the sign is wrong: a surprise is never negative": -want,
        "this is a sum, the mean over characters is asked for": float(bits[valid].sum()),
        "this divides by the number of names, not of characters": float(bits[valid].sum() / len(bits)),
        "the steps past the end are counted in the mean: divide by the characters there are": float(
            bits[valid].sum() / bits.size
        ),
        "this is a mean of the names' means: a character of a short name then counts more": float(by_row.mean()),
        "steps whose target is -100 ask nothing, here they count as a token": float(bits.mean()),
        "steps whose target is -100 ask nothing: -100 must not be used as an index": float(last.mean() / np.log(2)),
        "this is the logarithm of the mean probability: take logarithms first, then the mean": float(
            -np.log2(p[valid].mean())
        ),
        "the softmax is missing: scores are not probabilities yet": float(
            -np.take_along_axis(scores, np.where(valid, targets, 0)[..., None], -1)[..., 0][valid].mean()
        ),
    }
    return first_match(got, {words: value for words, value in turns.items() if abs(value - want) > 1e-6})


register(
    "bits_per_character",
    chapter="one-to-many",
    title="Bits per character",
    draw=draw_scores,
    reference=bits_per_character,
    diagnose=diagnose_bits,
    tolerance=1e-8,
)


# Drawing a token


def draw_tokens_inputs(rng):
    """Scores (B, K), a temperature, and a number from 0 to 1 for each row."""
    B, K = draw_sizes(rng, 2, low=3)
    return rng.normal(size=(B, K)) * 2, float(rng.choice([0.0, 0.5, 1.0, 1.5, 3.0])), rng.random(B)


def draw_tokens(scores, temperature, u):
    """The first token at which the probabilities so far add up to more than u."""
    if temperature == 0:
        return scores.argmax(axis=-1)
    below = softmax(scores / temperature).cumsum(axis=-1)
    return np.minimum((below <= u[:, None]).sum(axis=-1), scores.shape[-1] - 1)


def diagnose_draw(got, want, inputs):
    """Say where the temperature went, or how the token was found."""
    scores, temperature, u = inputs
    at = f"at temperature {temperature:g} "
    turns = {at + "it takes the likeliest token, that is what 0 does": scores.argmax(-1)}
    if temperature == 0:
        turns = {
            "at temperature 0 it draws by chance, the likeliest token is to be taken": draw_tokens(scores, 1, u),
            "at temperature 0 it takes the least likely token": scores.argmin(-1),
        }
    elif temperature != 1:
        p = softmax(scores) / temperature
        turns |= {
            at + "it draws as if it were 1: is it used?": draw_tokens(scores, 1, u),
            "the temperature multiplies, it should divide": draw_tokens(scores, 1 / temperature, u),
            "the temperature divides the probabilities, it should divide the scores": np.minimum(
                (p.cumsum(-1) <= u[:, None]).sum(-1), scores.shape[-1] - 1
            ),
        }
    if temperature > 0:
        p = softmax(scores / temperature)
        turns |= {
            "it takes the token before: the first sum above u is asked for": np.maximum(want - 1, 0),
            "it takes the token after: the first sum above u is asked for": want + 1,
            "the sum runs from the last token down": scores.shape[-1]
            - 1
            - draw_tokens(scores[:, ::-1], temperature, u),
            "it looks for a token whose own probability is above u, not the sum so far": (p > u[:, None]).argmax(-1),
            "every row is drawn with the first row's number": draw_tokens(scores, temperature, np.full_like(u, u[0])),
        }
    return first_match(got, {words: value for words, value in turns.items() if np.any(value != want)})


register(
    "draw_tokens",
    chapter="one-to-many",
    title="Drawing a token",
    draw=draw_tokens_inputs,
    reference=draw_tokens,
    names=("the tokens",),
    axes=("B",),
    diagnose=diagnose_draw,
    trials=30,  # every temperature has to come up
)


# A generator with three faults


def draw_generator(rng):
    """A small network whose greedy sequence stops early enough and does not repeat itself from the start."""
    K, E, H, steps, stop = 6, 3, 5, 8, 2
    while True:
        state = LSTM(E, H, dtype="float64", rng=rng).state_dict()
        weights = [2 * value for value in state.values()]
        embedding, head = 2 * rng.normal(size=(K + 1, E)), (rng.normal(size=(K, H)) * 3, rng.normal(size=K) * 0.3)
        inputs = rng.normal(size=H), 2 * rng.normal(size=H), weights, embedding, head, stop, steps
        written = int((write_greedily(*inputs) != stop).sum())
        if 3 <= written <= steps - 2:
            answers = {tuple(greedy(*inputs, **fault).tolist()) for fault in ({}, *SHOWN)}
            if len(answers) == 1 + len(SHOWN):  # each fault shows, and is told from the others
                return inputs


FAULTS = {
    "`c` is handed on, `h` is not": dict(forgets="h"),
    "`h` is handed on, `c` is not": dict(forgets="c"),
    "the states start anew at every step: `h` and `c` are not handed on": dict(forgets=True),
    "it reads the start at every step, not the token it wrote": dict(starts=True),
    "it goes on after the stop: from there on `stop` stands in every place": dict(stops=False),
    "it reads what it wrote, but two faults are left: the states, and what comes after the stop": dict(
        forgets=True, stops=False
    ),
    "the states are handed on, but two faults are left: what it reads, and what comes after the stop": dict(
        starts=True, stops=False
    ),
    "all three faults are still there": dict(forgets=True, starts=True, stops=False),
}
SHOWN = [*list(FAULTS.values())[:5], FAULTS["all three faults are still there"]]  # each tells itself from the others


def greedy(h, c, weights, embedding, head, stop, steps, forgets=False, starts=False, stops=True):
    """Write the likeliest token at each step, with faults or without."""
    weight, bias = head
    token, tokens = len(embedding) - 1, []
    for _ in range(steps):
        (h_new, c_new), _ = lstm_cell(embedding[token], (h, c), *weights)
        h, c = (h if forgets in (True, "h") else h_new), (c if forgets in (True, "c") else c_new)
        tokens.append(int((weight @ h_new + bias).argmax()))
        token = token if starts else tokens[-1]
    ended = np.cumsum(np.array(tokens) == stop) > 0
    return np.where(ended & stops, stop, tokens)


def write_greedily(h, c, weights, embedding, head, stop, steps):
    """The same without a fault."""
    return greedy(h, c, weights, embedding, head, stop, steps)


def diagnose_greedy(got, want, inputs):
    """Name the faults that are left."""
    turns = {words: greedy(*inputs, **fault) for words, fault in FAULTS.items()}
    padded = np.where(want == inputs[5], PAD, want)
    return first_match(got, turns | {"from the stop on the places hold 0, they should hold `stop`": padded})


register(
    "write_greedily",
    chapter="one-to-many",
    title="A generator with three faults",
    draw=draw_generator,
    reference=write_greedily,
    names=("the tokens",),
    axes=("T",),
    diagnose=diagnose_greedy,
    dtypes=("float64",),
    trials=3,
)


# A baseline that counts


def draw_names(rng):
    """Tokens (N, T) of names, padded; lengths; K; strength."""
    N, T, K = (low + size for low, size in zip((3, 2, 6), draw_sizes(rng, 3, high=5)))
    lengths = np.append(rng.integers(1, T, size=N - 1), T)
    tokens = np.where(np.arange(T) < lengths[:, None], rng.integers(STOP + 1, K, size=(N, T)), PAD)
    return tokens, lengths, K, float(rng.uniform(0.5, 4))


def pairs(tokens, lengths, K, start=True, stop=True, padding=False):
    """Count what follows what."""
    counts = np.zeros((K, K))
    for row, length in zip(tokens, lengths):
        ends = row.tolist() if padding else row[:length].tolist()
        line = [START] * start + ends + [STOP] * stop
        for before, after in zip(line, line[1:]):
            counts[before, after] += 1
    return counts


def smooth(counts, strength):
    """Mix counts with all symbols alike, worth `strength` counts."""
    return (counts + strength / len(counts)) / (counts.sum(1, keepdims=True) + strength)


def bigram(tokens, lengths, K, strength):
    """Return p of a symbol after another, (K, K)."""
    return smooth(pairs(tokens, lengths, K), strength)


def diagnose_bigram(got, want, inputs):
    """Say what was not counted, or how it was smoothed."""
    tokens, lengths, K, strength = inputs
    counts = pairs(tokens, lengths, K)
    rows = counts.sum(1, keepdims=True)
    alone = np.divide(counts, rows, out=np.zeros_like(counts), where=rows > 0)
    turns = {
        "rows and columns are swapped: row `before`, column `after`": want.T,
        "the start is not counted: a name's first letter follows `START`": smooth(
            pairs(tokens, lengths, K, start=False), strength
        ),
        "the stop is not counted: `STOP` follows a name's last letter": smooth(
            pairs(tokens, lengths, K, stop=False), strength
        ),
        "start and stop are not counted": smooth(pairs(tokens, lengths, K, start=False, stop=False), strength),
        "padding is counted as a letter": smooth(pairs(tokens, lengths, K, padding=True), strength),
        "each symbol gets `strength` counts, all K together should get it": (counts + strength) / (rows + K * strength),
        "these are counts, not probabilities": counts,
        "there is no smoothing: what was never counted has probability 0": alone,
        "the total lacks the added counts, so a row does not sum to 1": np.divide(
            counts + strength / K, rows, out=np.zeros_like(counts), where=rows > 0
        ),
        "each column sums to 1, each row should": (counts + strength / K) / (counts.sum(0) + strength),
        "all pairs together sum to 1, each row should": (counts + strength / K) / (counts.sum() + strength * K),
    }
    return first_match(got, turns)


register(
    "bigram",
    chapter="one-to-many",
    title="A baseline that counts",
    draw=draw_names,
    reference=bigram,
    names=("p",),
    axes=("K K",),
    diagnose=diagnose_bigram,
    dtypes=("float64",),
)


# What a temperature changes

PREDICTED = {
    "different names": "rises",
    "copies of training names": "falls",
    "names taken for their country": "falls",
    "bits per character of the test names": "stays",
}
WHY = {
    "different names": "what happens to the number of different names when unlikely letters come up more often?",
    "copies of training names": "what happens to copies of training names as more letters are drawn by chance?",
    "names taken for their country": "names taken for their country: do odd letters make a country easier to tell?",
    "bits per character of the test names": "is anything drawn when you measure bits per character of the test names?",
}


def diagnose_prediction(got, want, inputs):
    """Ask again about the first that is not right."""
    allowed = {"rises", "falls", "stays"}
    for key, value in got.items():
        if value.lower() not in allowed:
            return f"{key}: say rises, falls or stays"
    wrong = [key for key in want if got[key].lower() != want[key]]
    return f"{len(wrong)} of {len(want)} not right; think again: {WHY[wrong[0]]}"


register(
    "predict_temperature",
    chapter="one-to-many",
    title="What a temperature changes",
    reference=lambda: dict(PREDICTED),
    diagnose=diagnose_prediction,
)


# Two knobs of a sampler

BUDGET = 20_000  # draws


class Sampler:
    """`draw(scores, n)`: n tokens at a hidden temperature, of a hidden number of tokens, the likeliest ones."""

    def __init__(self, K, temperature, kept, seed):
        self._K, self._temperature, self._kept = K, temperature, kept
        self._left, self._rng = BUDGET, np.random.default_rng(seed)

    def __call__(self, scores, n):
        """Draw n tokens, an integer array (n,), with these scores (K,)."""
        scores, n = np.asarray(scores, float), int(n)
        if scores.shape != (self._K,) or not np.isfinite(scores).all():
            raise ValueError(f"scores must be {self._K} finite numbers, got shape {scores.shape}")
        if n > self._left:
            raise ValueError(f"{n} draws were asked for, {self._left} of {BUDGET} are left")
        self._left -= n
        kept = np.argsort(-scores, kind="stable")[: self._kept]
        return self._rng.choice(kept, size=n, p=softmax(scores[kept] / self._temperature))


def draw_sampler(rng):
    """A sampler, and the number of tokens that it knows."""
    K = int(rng.integers(20, 31))
    kept = int(rng.choice([K, rng.integers(2, 5), rng.integers(2, K - 2)]))
    temperature = float(np.exp(rng.uniform(0.25, 0.9) * rng.choice([-1, 1])))
    return Sampler(K, temperature, kept, int(rng.integers(1 << 30))), K


def verify_knobs(answer, rng, draw, K):
    """Say which knob the experiment misreads, and ask about the experiment."""
    temperature, kept = answer
    if not (np.isfinite(temperature) and temperature > 0 and kept == int(kept) and 2 <= kept <= K):
        return "a temperature above 0 and a whole number from 2 to K are asked for, in this order"
    if kept == K > draw._kept:
        return "it says that no token is cut, and some never come: with equal scores, which tokens turn up?"
    if kept < draw._kept:
        return (
            "it finds fewer tokens than are kept: some were too rare to turn up. For which scores are all tokens "
            "that are kept equally frequent?"
        )
    if kept > draw._kept:
        return "it finds more tokens than are kept: count those that were drawn, and each once"
    ratio = temperature / draw._temperature
    if abs(np.log(ratio)) < np.log(1.2):
        return None
    if abs(np.log(temperature * draw._temperature)) < np.log(1.15):
        return "the number kept is right; this is one over the temperature: it divides a difference of scores"
    start = "the number kept is right; the temperature is"
    if abs(np.log(ratio)) < np.log(1.4):
        return f"{start} off by more than a fifth: how sure is the share that you looked at, and does a cut change it?"
    if ratio > 1:
        return f"{start} too high: at temperature 1, how much more often comes a token whose score is larger by d?"
    return (
        f"{start} too low. A cut, too, makes a token more frequent: compare two tokens that are both kept, and divide "
        "by how much their scores differ"
    )


register(
    "find_the_knobs",
    chapter="one-to-many",
    title="Two knobs of a sampler",
    draw=draw_sampler,
    reference=lambda draw, K: (draw._temperature, draw._kept),
    verify=verify_knobs,
    names=("temperature", "kept"),
    dtypes=("float64",),
)
