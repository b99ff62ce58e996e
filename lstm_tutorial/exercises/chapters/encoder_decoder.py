"""The exercises of the chapter encoder-decoder."""

import operator
from itertools import product

import numpy as np

from lstm_tutorial.data import IGNORE, PAD, START, STOP, shift
from lstm_tutorial.exercises import Box, exercise, identity
from lstm_tutorial.exercises.chapters.one_to_many import naive
from lstm_tutorial.in_numpy import softmax

RIGHT = ["N AY T", "T EH L AH F OW N", "TH AO T"]
WRITTEN = ["K N IH T", "T EH L AH F OW N", "TH AW G T"]


def edits(written, right, exchange=1):
    """Return the edit distance of two lists, with the cost of an exchange."""
    row = list(range(len(right) + 1))
    for i, a in enumerate(written, start=1):
        above, row = row, [i]
        for j, b in enumerate(right, start=1):
            row.append(min(above[j] + 1, row[j - 1] + 1, above[j - 1] + exchange * (a != b)))
    return row[-1]


def edits_by_place(written, right):
    return sum(a != b for a, b in zip(written, right)) + abs(len(written) - len(right))


@exercise(
    "Error rates by hand",
    names="PER, WER",
    turns={
        "the PER divides by the right phones, not by those written": dict(per=lambda e, w, r: sum(e) / sum(w)),
        "a mean of the words' own rates: add up all edits first, then divide once": dict(
            per=lambda e, w, r: (e / r).mean()
        ),
        "place by place: one phone too many is one edit, however many it moves": dict(distance=edits_by_place),
        "the PER divides the edits by the number of words": dict(per=lambda e, w, r: e.mean()),
        "an exchange is one edit, not two": dict(distance=lambda w, r: edits(w, r, exchange=2)),
        "an exchange is an edit, too": dict(distance=lambda w, r: edits(w, r, exchange=0)),
        "the phones are right: count the edits of each word again": [
            dict(per=lambda e, w, r, n=n: n / sum(r)) for n in (3, 5)
        ],
        "the edits are right: count the phones of the right answers again": [
            dict(per=lambda e, w, r, n=n: sum(e) / n) for n in (10, 12, 14)
        ],
        "these are shares, percent are asked for": dict(shown=identity),
        "this is the share of words that are right, the WER counts those with an edit": dict(wer=lambda e: e == 0),
        "a word counts once in the WER, however many edits it has": dict(wer=identity),
        "the WER: which of the three words have an edit?": dict(wer=lambda e: e >= 0),
        "give one decimal": dict(shown=lambda rate: np.round(100 * rate)),
    },
    decimals=1,
)
def error_rates_by_hand(
    *, distance=edits, per=lambda e, w, r: sum(e) / sum(r), wer=lambda e: e > 0, shown=lambda rate: 100 * rate
):
    written, right = ([row.split() for row in rows] for rows in (WRITTEN, RIGHT))
    found = np.array([distance(w, r) for w, r in zip(written, right)])
    phones = (np.array([len(row) for row in rows]) for rows in (written, right))
    return float(shown(per(found, *phones))), float(shown(np.mean(wer(found))))


def draw_targets(trial):
    """Draw padded rows of phones, their lengths, and the tokens that say start and stop."""
    B, T = trial.sizes("B T")
    lengths = trial.lengths(B, T)
    y = np.where(np.arange(T) < lengths[:, None], trial.rng.integers(3, 20, size=(B, T)), PAD)
    return y, lengths, *trial.choice((1, 2), (2, 1), (20, 22), (21, 20))


def shifted(y, lengths, start, stop):
    """Return what the package's `shift` makes, with other tokens for start and stop."""
    fed, _, asked = shift(y, lengths)
    return np.where(fed == START, start, fed), np.where(asked == STOP, stop, asked)


@exercise(
    "What the decoder is fed",
    draw=draw_targets,
    names="fed, asked",
    axes="B T, B T",
    same_as=shifted,
    turns={
        "the decoder is fed the very phone that it is asked for: `fed` has to be one step behind": [
            dict(late=False),
            dict(late=False, stop_fed=True),
        ],
        "the stop is never asked for: the network would not learn to end": dict(stops="never"),
        "the stop stands in the last column: it belongs right after each word's last phone": dict(stops="last"),
        "the stop stands in place of the last phone: it belongs after it": dict(stops="early"),
        "the padding is asked for too: it should be -100 past the stop": dict(past=PAD),
        "stop is asked for at every step of the padding: only the first one counts": dict(past="stop"),
        "-100 stands in `fed`: no embedding has such a token, feed 0 there": dict(fed_past=IGNORE),
        "`fed` holds the stop: past a word's phones it should hold 0": dict(stop_fed=True),
        "`fed` lacks the start: it stands before each word's first phone": dict(start_fed=PAD),
    },
)
def decoder_pairs(
    y, lengths, start, stop,
    *, late=True, stop_fed=False, start_fed=None, fed_past=PAD, stops="after", past=IGNORE,
):  # fmt: skip
    steps, n, rows = np.arange(y.shape[1] + 1), lengths[:, None], np.arange(len(y))
    fed = np.pad(y, ((0, 0), (late, not late)), constant_values=start if start_fed is None else start_fed)
    fed = np.where(steps < n + late, fed, fed_past)
    if stop_fed:
        fed = np.where(steps == n + late, stop, fed)
    asked = np.where(steps < n, np.pad(y, ((0, 0), (0, 1))), stop if past == "stop" else past)
    if stops != "never":
        asked[rows, {"after": lengths, "last": -1, "early": lengths - 1}[stops]] = stop
    return fed, asked


def draw_memory(trial):
    """Draw a query, keys and memory for each step, and lengths."""
    B, T, D, H = trial.sizes("B T D H")
    return trial.scores(B, H), trial.scores(B, T, H), trial.normal(B, T, D), trial.lengths(B, T)


def masked(scores, valid, low=-np.inf):
    return np.where(valid, scores, low)


def by_batch(z, axis=-1):
    """Return a softmax that subtracts the largest score of the whole batch."""
    return naive(z - z.max(), axis)


def summed_over(axis, z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


@exercise(
    "Attention with a mask",
    draw=draw_memory,
    names="context, weights",
    order="weights, context",
    axes="B D, B T",
    combine=8,
    turns={
        "a score in the hundreds overflows: subtract the row's largest first": dict(soft=naive),
        "subtract each row's own largest score: far below another's, e to the score is 0": dict(soft=by_batch),
        "the scores are not divided by the root of H here": dict(scale=lambda H: H**-0.5),
        "the padding gets weight: the lengths are not used": dict(weigh=lambda s, v, soft: soft(s)),
        "the mask comes after the softmax: what is left does not sum to 1": dict(weigh=lambda s, v, soft: soft(s) * v),
        "a score of 0 does not mask a step: e to the 0 is 1": dict(weigh=lambda s, v, soft: soft(s * v)),
        "no score is low enough for the padding but minus infinity": [
            dict(weigh=lambda s, v, soft, low=low: soft(masked(s, v, low))) for low in (-10, -99, -100, -1e3, -1e4)
        ],
        "the softmax goes over each word's steps, along axis 1": dict(
            weigh=lambda s, v, soft: soft(masked(s, v), axis=0)
        ),
        "the largest score is looked for in the padding too: mask first": dict(
            weigh=lambda s, v, soft: soft(s) * v / (soft(s) * v).sum(axis=1, keepdims=True)
        ),
        "each row's weights are divided by the row's own sum": [
            dict(weigh=lambda s, v, soft, axis=axis: summed_over(axis, masked(s, v))) for axis in (0, None)
        ],
        "the softmax is missing: the scores are used as they are": dict(weigh=lambda s, v, soft: s * v),
        "every valid step has the same weight: the query is not used": dict(
            weigh=lambda s, v, soft: soft(masked(0, v))
        ),
    },
)
def attend(
    query, keys, memory, lengths,
    *, soft=softmax, weigh=lambda s, v, soft: soft(masked(s, v)), scale=lambda H: 1,
):  # fmt: skip
    valid = np.arange(keys.shape[1]) < lengths[:, None]
    weights = weigh((keys * query[:, None]).sum(axis=-1) * scale(query.shape[1]), valid, soft).astype(query.dtype)
    return (weights[..., None] * memory).sum(axis=1), weights


def draw_writer(trial):
    """Draw a small decoder as a function, its first state, and a stop that it writes at once, later or never."""
    K, H = trial.sizes("K H", K=4)
    embedding, recurrent, head = 2 * trial.normal(K, H), trial.normal(H, H), 2 * trial.normal(K, H)
    start, stop = (int(token) for token in trial.rng.permutation(K)[:2])
    bias, state, steps = trial.normal(K), trial.normal(H), int(trial.rng.integers(3, 10))
    when = trial.choice("at once", "later", "at the end", "never")
    bias[start] = -100  # nobody writes the start token

    def step(token, state):
        state = np.tanh(embedding[token] + recurrent @ state)
        return head @ state + bias, state

    if when == "never":
        bias[stop] = -100
    else:
        written = spell_greedily(step, state, start, -1, 9).tolist()
        different = list(dict.fromkeys(written))
        stop = different[0] if when == "at once" else different[-1]
        steps = max(written.index(stop), 1) if when == "at the end" else steps
    return step, state, start, stop, steps


@exercise(
    "A writer that was told the answer",
    draw=draw_writer,
    axes="S",
    combine=3,
    turns={
        "the state is not handed on: every step starts from the first one": dict(carries=False),
        "the start token is fed at every step: feed back what was just written": dict(feeds_own=False),
        "it writes on after the stop": [dict(ends=False, stop_kept=True), dict(ends=False)],
        "the stop token is in the answer: it says that the word has ended, and is no phone": dict(stop_kept=True),
        "the start token is in the answer: only what the decoder wrote belongs there": dict(start_kept=True),
        "one step too many: at most `steps` tokens may be written": dict(extra=1),
        "one step too few: `steps` tokens may be written": dict(extra=-1),
        "the likeliest token is the one with the largest score": dict(sign=-1),
    },
    dtypes=("float64",),
    trials=24,
)
def spell_greedily(
    step, state, start, stop, steps,
    *, carries=True, feeds_own=True, ends=True, stop_kept=False, start_kept=False, extra=0, sign=1,
):  # fmt: skip
    written, token = [start] * start_kept, start
    for _ in range(steps + extra):
        scores, new = step(token if feeds_own else start, state)
        token, state = int(np.argmax(sign * scores)), new if carries else state
        if token != stop or stop_kept:
            written.append(token)
        if token == stop and ends:
            break
    return np.array(written, int)


FIRST = {"AE": 0.4, "EY": 0.35, "IY": 0.25}  # the likeliest first phone first
THEN = {
    "AE": {"T": 0.4, "D": 0.35, "S": 0.25},
    "EY": {"T": 0.6, "D": 0.3, "S": 0.1},
    "IY": {"T": 0.05, "D": 0.9, "S": 0.05},
}


def diagnose_beams(got, want):
    for width, p in enumerate(got, start=1):
        if not any(abs(p - FIRST[first] * q) < 2e-3 for first in FIRST for q in THEN[first].values()):
            return f"beam {width}: no pair has this probability, a first phone's times that of a second one after it"
    return None


@exercise(
    "Three beams, predicted",
    names="beam 1, beam 2, beam 3",
    turns={
        "these are second phones' probabilities alone: the first phone's belongs to each": dict(pair=lambda p, q: q),
        "a first phone's probability alone: the second one's is multiplied with it": [
            dict(pair=lambda p, q: p, best=best) for best in (max, min)
        ],
        "the best pairs are added up, the probability of the best one is asked for": dict(best=sum),
        "probabilities along a sequence multiply, they do not add": dict(pair=operator.add),
        "beam 1 has to give up every first phone but the likeliest": dict(widths=(3, 2, 3)),
        "beam 1 takes the likeliest first phone, then the likeliest second one": dict(widths=(2, 2, 3)),
        "beam 2 keeps two first phones: does the second begin something likelier?": dict(widths=(1, 1, 3)),
        "beam 2 has dropped the unlikeliest first phone before a second one comes": dict(widths=(1, 3, 3)),
        "beam 3 keeps all three first phones: work out the best pair of each": [
            dict(widths=(1, 2, 2)),
            dict(widths=(1, 2, 1)),
        ],
        "two decimals are too few to tell": dict(rounded=2),
    },
    diagnose=diagnose_beams,
    tolerance=0.005,
)
def beam_by_hand(*, widths=(1, 2, 3), pair=operator.mul, best=max, rounded=None):
    pairs = [pair(p, max(THEN[first].values())) for first, p in FIRST.items()]
    return tuple(round(best(pairs[:width]), rounded or 9) for width in widths)


def draw_beam(trial):
    """Draw log-probabilities of W beginnings, and of the next token after each."""
    W, K = trial.sizes("W K", K=2)
    scores = 2 * trial.scores(W, K)
    scores = scores + 0.01 * trial.normal(W, K)  # no two alike
    scores = scores - scores.max(axis=1, keepdims=True)
    return -trial.rng.exponential(size=W), scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))


def flat(total):
    """Return the places of the W best in a flat table."""
    return np.argsort(-total, axis=None)[: len(total)]


def one_each(total):
    """Return the place of the best of each row."""
    return np.arange(len(total)) * total.shape[1] + total.argmax(axis=1)


@exercise(
    "One step of a beam",
    draw=draw_beam,
    names="log_p, came_from, token",
    axes="W, W, W",
    turns={
        "each beginning is continued once: the best of all W times K are asked for": [
            dict(best=lambda total: one_each(total)[np.argsort(-total.max(axis=1))]),
            dict(best=one_each),
        ],
        "the probability of the beginnings is forgotten": dict(total=lambda s, n: n),
        "logarithms are multiplied: probabilities multiply, their logarithms add": dict(
            total=lambda s, n: s[:, None] * n
        ),
        "these are subtracted: probabilities multiply, their logarithms add": dict(total=lambda s, n: s[:, None] - n),
        "the right ones, but the worst comes first": dict(best=lambda total: flat(total)[::-1]),
        "the least likely continuations are kept": dict(best=lambda total: flat(-total)),
        "the log-probabilities of the new tokens alone: the beginnings' belong to them": dict(shown="new"),
        "these are probabilities, their logarithms are asked for": dict(shown="p"),
        "a row of the flat table holds K numbers: divide by K, not by W": dict(row=lambda W, K: W),
        "all continuations come back: keep the best W": dict(best=lambda total: np.argsort(-total, axis=None)),
    },
)
def beam_step(
    so_far, next_log_p,
    *, total=lambda s, n: s[:, None] + n, best=flat, shown="total", row=lambda W, K: K,
):  # fmt: skip
    sums = total(so_far, next_log_p)
    places, K = best(sums), row(*sums.shape)
    values = {"total": sums, "new": next_log_p, "p": np.exp(sums)}[shown].ravel()
    return values[places], places // K, places % K


FED, LENGTH, PADDING = LEAKS = ("is fed the target", "takes the target's length", "reads its padding")


class WriterBox(Box):
    """A small encoder-decoder with some of the leaks: it writes phones for words, and is given the targets."""

    runs, budget = 40, "the program runs 40 times, and many words fit into one run"

    def __init__(self, trial):
        super().__init__()
        self.leaks = dict(zip(LEAKS, trial.choice(*product((False, True), repeat=3))))
        self.letters, self.phones = (int(size) for size in trial.rng.integers(8, 16, size=2))
        while not self.shows(trial.rng):
            self.letter, self.phone = trial.normal(self.letters + 1, 8), 1.5 * trial.normal(self.phones + 1, 8)
            self.encode, self.decode = trial.normal(2, 8, 8) / 2
            self.head, self.stop = trial.normal(self.phones, 8), trial.normal(8)

    def shows(self, rng):
        """Say whether the leaks show, if somebody looks, and words end at different lengths."""
        if not hasattr(self, "stop"):
            return False
        words, targets, others = (rng.integers(1, 9, size=(30, n)).tolist() for n in (4, 6, 6))
        plain, taught = ([self.spell(*pair, 4) for pair in zip(words, each)] for each in (targets, others))
        padded = [self.spell(*pair, 16) for pair in zip(words, targets)]
        changed = [np.mean([a != b for a, b in zip(plain, other)]) > 0.5 for other in (taught, padded)]
        stops = self.leaks[LENGTH] or len({len(phones) for phones in plain}) > 4
        return changed == [self.leaks[FED], self.leaks[PADDING]] and stops

    def answer(self, words, targets):
        for name, rows, size in (("words", words, self.letters), ("targets", targets, self.phones)):
            good = all(1 <= len(row) <= 20 and 1 <= min(row) <= max(row) <= size for row in rows)
            if len(rows) != len(words) or not good:
                raise ValueError(f"{name} must be lists of 1 to 20 numbers from 1 to {size}, as many as words")
        self.asked.append(words)
        longest = max(map(len, words))
        return [self.spell(list(word), list(target), longest) for word, target in zip(words, targets)]

    def spell(self, word, target, longest):
        """Write the phones of one word."""
        state, token, written = np.zeros(8), 0, []
        for letter in word + [0] * (longest - len(word)) * self.leaks[PADDING]:
            state = np.tanh(self.letter[letter] + self.encode @ state)
        while len(written) < (len(target) if self.leaks[LENGTH] else 12):
            state = np.tanh(self.phone[token] + self.decode @ state)
            if not self.leaks[LENGTH] and written and self.stop @ state > 2:
                break
            written.append(1 + int(np.argmax(self.head @ state)))
            is_fed = self.leaks[FED] and len(written) <= len(target)
            token = target[len(written) - 1] if is_fed else written[-1]
        return written


MISSED = {
    FED: "which phone of a target is fed at the second step, and which at none? One target may not show it",
    LENGTH: "give the same word targets of several lengths",
    PADDING: "put a short word beside a long one, and several of them: it need not show in each",
}
IMAGINED = {
    FED: "did the target's length change as well, or the company?",
    LENGTH: "a word may hit a target's length by chance. A length that is taken is always hit",
    PADDING: "did anything but the company change, its own target for one?",
}


def diagnose_leaks(got, want, write, letters, phones):
    """Ask about the experiment behind the first verdict that is off."""
    if not write.asked:
        return "the program was not run"
    wrong = next(leak for leak in LEAKS if bool(got[leak]) != want[leak])
    if want[wrong]:
        return f"it overlooks that a writer {wrong}: {MISSED[wrong]}"
    why = IMAGINED[wrong]
    if wrong == LENGTH and want[FED]:
        why = "it is fed the target, and other phones make it stop elsewhere. A length that is taken is always hit"
    return f"it finds that a writer {wrong}, and that one does not: {why}"


def draw_leaks(trial):
    box = WriterBox(trial)
    return box, box.letters, box.phones


@exercise(
    "Three leaks, from outside",
    draw=draw_leaks,
    diagnose=diagnose_leaks,
    dtypes=("float64",),
    trials=16,
)
def find_leaks(write, letters, phones):
    return dict(write.leaks)
