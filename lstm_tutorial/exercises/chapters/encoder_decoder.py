"""The exercises of the chapter encoder-decoder."""

from itertools import product

import numpy as np

from lstm_tutorial.data import IGNORE, PAD, START, STOP, shift
from lstm_tutorial.exercises import Box, exercise, identity
from lstm_tutorial.exercises.chapters.one_to_many import naive
from lstm_tutorial.in_numpy import softmax


@exercise(
    "Error rates by hand",
    names="PER, WER",
    turns={
        "the PER divides by the right phones, not by those written": dict(phones=(4, 7, 4)),
        "a mean of the words' own rates: add up all edits first, then divide once": dict(
            per=lambda e, r: (e / r).mean()
        ),
        "place by place: one phone too many is one edit, however many it moves": dict(edits=(4, 0, 3)),
        "an exchange is one edit, not two and not none": [dict(edits=(3, 0, 3)), dict(edits=(1, 0, 1))],
        "the phones are right: count the edits of each word again": [dict(edits=(1, 0, 2)), dict(edits=(3, 0, 2))],
        "the edits are right: count the phones of the right answers again": [dict(phones=(3, 7, n)) for n in (0, 2, 4)],
        "these are shares, percent are asked for": dict(shown=identity),
        "this is the share of words that are right, the WER counts those with an edit": dict(words=(0, 1, 0)),
        "a word counts once in the WER, however many edits it has": dict(words=(2, 0, 2)),
        "the WER: which of the three words have an edit?": dict(words=(1, 1, 1)),
        "give one decimal": dict(shown=lambda x: np.round(100 * x)),
    },
    decimals=1,
)
def error_rates_by_hand(
    *, edits=(2, 0, 2), phones=(3, 7, 3), words=(1, 0, 1), per=lambda e, r: e.sum() / r.sum(), shown=lambda x: 100 * x
):
    return float(shown(per(np.array(edits), np.array(phones)))), float(shown(np.mean(words)))


def draw_targets(trial):
    """Draw padded rows of phones, their lengths, and the tokens that say start and stop."""
    B, T = trial.sizes("B T")
    lengths = trial.lengths(B, T)
    y = np.where(np.arange(T) < lengths[:, None], trial.rng.integers(3, 20, size=(B, T)), PAD)
    return y, lengths, *trial.choice((1, 2), (2, 1), (20, 22), (21, 20))


@exercise(
    "What the decoder is fed",
    draw=draw_targets,
    names="fed, target",
    axes="B T, B T",
    turns={  # `past` counts the steps from a word's stop on
        "the decoder is fed the very phone that it has to write: `fed` has to be one step behind": [
            dict(feed=lambda fed, target, past, stop, last=last: np.where(past <= last, target, PAD))
            for last in (-1, 0)
        ],
        "the stop is in no target: the network would not learn to end": dict(
            aim=lambda target, past, stop: np.where(past == 0, IGNORE, target)
        ),
        "the stop stands in the last column: it belongs right after each word's last phone": dict(
            aim=lambda target, past, stop: np.where(past == past[:, -1:], stop, np.where(past < 0, target, IGNORE))
        ),
        "past the stop the target should be -100, which the loss leaves out": [
            dict(aim=lambda target, past, stop: np.where(past > 0, PAD, target)),
            dict(aim=lambda target, past, stop: np.where(past > 0, stop, target)),
        ],
        "-100 stands in `fed`: no embedding has such a token, feed 0 there": dict(
            feed=lambda fed, target, past, stop: np.where(past > 0, IGNORE, fed)
        ),
        "`fed` holds the stop: past a word's phones it should hold 0": dict(
            feed=lambda fed, target, past, stop: np.where(past == 1, stop, fed)
        ),
    },
)
def decoder_pairs(y, lengths, start, stop, *, feed=lambda fed, *_: fed, aim=lambda target, *_: target):
    fed, _, target = shift(y, lengths)
    fed, target = np.where(fed == START, start, fed), np.where(target == STOP, stop, target)
    past = np.arange(target.shape[1]) - lengths[:, None]  # 0 at the stop
    return feed(fed, target, past, stop), aim(target, past, stop)


def draw_memory(trial):
    """Draw a query, keys and memory for each step, and lengths."""
    B, T, D, H = trial.sizes("B T D H")
    return trial.scores(B, H), trial.scores(B, T, H), trial.normal(B, T, D), trial.lengths(B, T)


def diagnose_attend(got, want, query, keys, memory, lengths):
    """Say whether padding has weight, and which sums of weights are not 1."""
    weights, total = got[1], got[1].sum(axis=1)
    if weights[np.arange(keys.shape[1]) >= lengths[:, None]].any():
        return "steps past a word's length have weight: as a score before the softmax, only minus infinity gives them 0"
    if not np.allclose(total, 1, atol=1e-4):
        off = total[np.argmax(abs(total - 1))]
        return (
            f"the weights of each word should sum to 1, those of one sum to {off:.3g}: mask, then softmax along axis 1"
        )
    return None


@exercise(
    "Attention with a mask",
    draw=draw_memory,
    names="context, weights",
    order="weights, context",
    axes="B D, B T",
    combine=5,
    turns={
        "a score in the hundreds overflows: subtract the row's largest first": dict(soft=naive),
        "subtract each row's own largest score: far below another's, e to the score is 0": dict(
            soft=lambda z: naive(z - z.max())
        ),
        "the scores are not divided by the root of H here": dict(scale=lambda H: H**-0.5),
        "the mask comes after the softmax: what is left does not sum to 1": dict(weigh=lambda s, v, soft: soft(s) * v),
        "a score of 0 does not mask a step: e to the 0 is 1": dict(weigh=lambda s, v, soft: soft(s * v)),
    },
    diagnose=diagnose_attend,
)
def attend(
    query, keys, memory, lengths,
    *, soft=softmax, weigh=lambda s, v, soft: soft(np.where(v, s, -np.inf)), scale=lambda H: 1,
):  # fmt: skip
    valid = np.arange(keys.shape[1]) < lengths[:, None]
    weights = weigh((keys * query[:, None]).sum(axis=-1) * scale(query.shape[1]), valid, soft).astype(query.dtype)
    return (weights[..., None] * memory).sum(axis=1), weights


def draw_writer(trial):
    """Draw a small decoder as a function, its first state, and a stop that it writes at once, later or never."""
    K, H = trial.sizes("K H", K=4)
    embedding, recurrent, head = 2 * trial.normal(K, H), trial.normal(H, H), 2 * trial.normal(K, H)
    start, never = (int(token) for token in trial.rng.permutation(K)[:2])
    bias, state, steps = trial.normal(K), trial.normal(H), int(trial.rng.integers(3, 10))
    bias[[start, never]] = -100

    def step(token, state):
        state = np.tanh(embedding[token] + recurrent @ state)
        return head @ state + bias, state

    written = spell_greedily(step, state, start, never, 9).tolist()
    new = list(dict.fromkeys(written))
    at_the_end = new[-1], max(written.index(new[-1]), 1)
    return step, state, start, *trial.choice((new[0], steps), (new[-1], steps), at_the_end, (never, steps))


@exercise(
    "A writer that saw the answer",
    draw=draw_writer,
    axes="S",
    combine=3,
    turns={
        "the state is not handed on: every step starts from the first one": dict(carries=False),
        "the start token is fed at every step: feed back what was just written": dict(feeds_own=False),
        "it writes on after the stop": [dict(ends=False, stop_kept=True), dict(ends=False)],
        "the stop token is in the answer: it says that the word has ended, and is no phone": dict(stop_kept=True),
        "the start token is in the answer: only what the decoder wrote belongs there": dict(start_kept=True),
        "exactly `steps` tokens may be written before it has to end": [dict(extra=1), dict(extra=-1)],
    },
    dtypes=("float64",),
    trials=24,
)
def spell_greedily(
    step, state, start, stop, steps,
    *, carries=True, feeds_own=True, ends=True, stop_kept=False, start_kept=False, extra=0,
):  # fmt: skip
    written, token = [start] * start_kept, start
    for _ in range(steps + extra):
        scores, new = step(token if feeds_own else start, state)
        token, state = int(np.argmax(scores)), new if carries else state
        if token != stop or stop_kept:
            written.append(token)
        if token == stop and ends:
            break
    return np.array(written, int)


PAIRS = np.array([[0.4], [0.35], [0.25]]) * [[0.4, 0.35, 0.25], [0.6, 0.3, 0.1], [0.05, 0.9, 0.05]]


def diagnose_beams(got, want):
    for width, p in enumerate(got, start=1):
        if np.min(abs(PAIRS - p)) > 2e-3:
            why = "a first phone's probability times that of a second one after it, to three decimals"
            return f"beam {width}: no pair has this probability, {why}"
    return None


@exercise(
    "Three beams, predicted",
    names="beam 1, beam 2, beam 3",
    turns={
        "beam 1 takes the likeliest first phone, then the likeliest second one": [
            dict(widths=(n, 2, 3)) for n in (2, 3)
        ],
        "beam 2 keeps two first phones: does the second begin something likelier?": dict(widths=(1, 1, 3)),
        "beam 2 has dropped the unlikeliest first phone before a second one comes": dict(widths=(1, 3, 3)),
        "beam 3 keeps all three first phones: work out the best pair of each": [dict(widths=(1, 2, n)) for n in (1, 2)],
    },
    diagnose=diagnose_beams,
    tolerance=0.005,
)
def beam_by_hand(*, widths=(1, 2, 3)):
    return tuple(PAIRS[:width].max() for width in widths)


def draw_beam(trial):
    """Draw log-probabilities of W beginnings, and of the next token after each."""
    W, K = trial.sizes("W K", K=2)
    scores = 2 * trial.scores(W, K) + 0.01 * trial.normal(W, K)  # no two alike
    return -trial.rng.exponential(size=W), scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)


@exercise(
    "One step of a beam",
    draw=draw_beam,
    names="log_p, came_from, token",
    axes="W, W, W",
    turns={
        "each beginning is continued once: the best of all W times K are asked for": dict(
            best=lambda total: np.arange(len(total)) * total.shape[1] + total.argmax(axis=1)
        ),
        "the least likely continuations are kept": dict(best=lambda t: np.argsort(t, axis=None)[: len(t)]),
        "the log-probabilities of the new tokens alone: the beginnings' belong to them": dict(shown=lambda t, n: n),
        "a row of the flat table holds K numbers: divide by K, not by W": dict(row=lambda W, K: W),
    },
)
def beam_step(
    so_far, next_log_p,
    *, best=lambda t: np.argsort(-t, axis=None)[: len(t)], shown=lambda total, new: total, row=lambda W, K: K,
):  # fmt: skip
    total = so_far[:, None] + next_log_p
    places, K = best(total), row(*total.shape)
    return shown(total, next_log_p).ravel()[places], places // K, places % K


FED, LENGTH, PADDING = "is fed the target", "takes the target's length", "reads its padding"
WHY = {  # what to ask if a leak is overlooked, and if one is found that is not there
    FED: (
        "which phone of a target is fed at the second step, and which at none? One target may not show it",
        "did the target's length change as well, or the company?",
    ),
    LENGTH: (
        "give the same word targets of several lengths",
        "by chance, or fed other phones, a word may hit a target's length. A length that is taken is always hit",
    ),
    PADDING: (
        "put a short word beside a long one, and several of them: it need not show in each",
        "did anything but the company change, its own target for one?",
    ),
}


class WriterBox(Box):
    """A small encoder-decoder with some of the leaks: it writes phones for words, and is given the targets."""

    runs, budget = 40, "the program runs 40 times, and many words fit into one run"

    def __init__(self, trial):
        super().__init__()
        self.leaks = dict(zip(WHY, trial.choice(*product((False, True), repeat=3))))
        self.letters, self.phones = (int(size) for size in trial.rng.integers(8, 16, size=2))
        shown = False
        while not shown:
            self.letter, self.phone = trial.normal(self.letters + 1, 8), 1.5 * trial.normal(self.phones + 1, 8)
            self.encode, self.decode = trial.normal(2, 8, 8) / 2
            self.head, self.stop = trial.normal(self.phones, 8), trial.normal(8)
            shown = self.shows(trial.rng)

    def shows(self, rng):
        """Say whether the leaks show, if somebody looks, and words end at different lengths."""
        words, targets, others = (rng.integers(1, 9, size=(30, n)).tolist() for n in (4, 6, 6))
        plain, taught = ([self.spell(*pair, 4) for pair in zip(words, each)] for each in (targets, others))
        padded = [self.spell(*pair, 16) for pair in zip(words, targets)]
        changed = [np.mean([a != b for a, b in zip(plain, other)]) > 0.5 for other in (taught, padded)]
        stops = self.leaks[LENGTH] or len({len(phones) for phones in plain}) > 4
        return changed == [self.leaks[FED], self.leaks[PADDING]] and stops

    def answer(self, words, targets):
        for rows, size in ((words, self.letters), (targets, self.phones)):
            good = all(1 <= len(row) <= 20 and 1 <= min(row) <= max(row) <= size for row in rows)
            if len(rows) != len(words) or not good:
                sizes = f"{self.letters} in words, to {self.phones} in targets"
                raise ValueError(f"give as many targets as words, lists of 1 to 20 numbers from 1 to {sizes}")
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


def diagnose_leaks(got, want, write, letters, phones):
    """Ask about the experiment behind the first verdict that is off."""
    if not write.asked:
        return "the program was not run"
    wrong = next(leak for leak in WHY if bool(got[leak]) != want[leak])
    if want[wrong]:
        return f"it overlooks that a writer {wrong}: {WHY[wrong][0]}"
    return f"it finds that a writer {wrong}, and that one does not: {WHY[wrong][1]}"


@exercise(
    "Three leaks, from outside",
    draw=lambda trial: (box := WriterBox(trial), box.letters, box.phones),
    diagnose=diagnose_leaks,
    dtypes=("float64",),
    trials=16,
)
def find_leaks(write, letters, phones):
    return dict(write.leaks)
