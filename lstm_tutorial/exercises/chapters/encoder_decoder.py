"""The exercises of the chapter encoder-decoder."""

import numpy as np

from lstm_tutorial.data import IGNORE, PAD, shift
from lstm_tutorial.exercises.diagnosis import first_match
from lstm_tutorial.exercises.registry import draw_sizes, register
from lstm_tutorial.in_numpy import softmax

# Error rates by hand

RIGHT = ["N AY T", "T EH L AH F OW N", "TH AO T"]
WRITTEN = ["K N IH T", "T EH L AH F OW N", "TH AW G T"]


def edits(written, right):
    """The edit distance of two lists."""
    row = list(range(len(right) + 1))
    for i, a in enumerate(written, start=1):
        above, row = row, [i]
        for j, b in enumerate(right, start=1):
            row.append(min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a != b)))
    return row[-1]


def error_rates():
    """PER and WER of the three words, in percent."""
    pairs = [(w.split(), r.split()) for w, r in zip(WRITTEN, RIGHT)]
    found = [edits(w, r) for w, r in pairs]
    return 100 * sum(found) / sum(len(r) for _, r in pairs), 100 * np.mean(np.array(found) > 0)


def diagnose_rates(got, want, inputs):
    """Say what was counted, or what it was divided by."""
    pairs = [(w.split(), r.split()) for w, r in zip(WRITTEN, RIGHT)]
    found, per, wer = [edits(w, r) for w, r in pairs], *want
    in_place = [sum(a != b for a, b in zip(w, r)) + abs(len(w) - len(r)) for w, r in pairs]
    phones = sum(len(r) for _, r in pairs)
    turns = {
        "the PER divides by the phones written, the right ones are asked for": sum(found)
        / sum(len(w) for w, _ in pairs),
        "this is the mean of the words' own rates: add up all edits first, then divide once by all phones": np.mean(
            [e / len(r) for e, (_, r) in zip(found, pairs)]
        ),
        "phones are compared place by place: one phone too many is one edit, however many phones it moves": sum(
            in_place
        )
        / phones,
        "the PER divides the edits by the number of words": sum(found) / len(pairs),
    }
    for words, value in turns.items():
        if abs(got[0] - 100 * value) < 0.5:
            return words
    if abs(got[0] - per / 100) < 0.005:
        return "these are shares, percent are asked for"
    if abs(got[0] - per) < 0.5 and abs(got[1] - (100 - wer)) < 0.5:
        return "this is the share of words that are right, the WER counts those with an edit"
    if abs(got[0] - wer) < 0.5 and abs(got[1] - per) < 0.5:
        return "the two are right, but in another order: PER first"
    return None


register(
    "error_rates_by_hand",
    chapter="encoder-decoder",
    title="Error rates by hand",
    reference=lambda: tuple(float(rate) for rate in error_rates()),
    names=("PER", "WER"),
    diagnose=diagnose_rates,
    tolerance=0.005,
)


# What the decoder is fed


def draw_targets(rng):
    """Padded rows of phones, their lengths, and the tokens that say start and stop."""
    B, S = draw_sizes(rng, 2, low=2)
    lengths = rng.integers(1, S, size=B)
    lengths[0] = S - 1
    y = np.where(np.arange(S) < lengths[:, None], rng.integers(3, 20, size=(B, S)), PAD)
    return y, lengths, 1, 2


def decoder_rows(y, lengths, start, stop, shifted=True, stopped=True):
    """What goes in, and what is asked."""
    x, _, asked = shift(y, lengths)
    x, asked = np.where(x == 1, start, x), np.where(asked == 2, stop, asked)
    if not shifted:
        x = np.where(asked == IGNORE, PAD, asked)
    if not stopped:
        asked = np.where(asked == stop, IGNORE, asked)
    return x, asked


def diagnose_rows(got, want, inputs):
    """Say which column is wrong."""
    y, lengths, start, stop = inputs
    fed, asked = want
    past = np.arange(fed.shape[1]) > lengths[:, None]
    turns = {
        "the decoder is fed the very phone that it is asked for: `fed` has to be one step behind": decoder_rows(
            *inputs, shifted=False
        ),
        "the stop is never asked for: the network would not learn to end": decoder_rows(*inputs, stopped=False),
        "the padding is asked for too: it should be -100 past the stop": (fed, np.where(past, PAD, asked)),
        "stop is asked for at every step of the padding: only the first one counts, -100 after it": (
            fed,
            np.where(past, stop, asked),
        ),
        "-100 stands in `fed`: no embedding has such a token, feed 0 there": (np.where(past, IGNORE, fed), asked),
        "`fed` holds the stop: past a word's phones it should hold 0": (
            np.where(np.arange(fed.shape[1]) == lengths[:, None] + 1, stop, fed),
            asked,
        ),
    }
    last = asked.copy()
    last[np.arange(len(y)), lengths] = IGNORE
    last[:, -1] = stop
    turns["the stop stands in the last column: it belongs right after each word's own last phone"] = (fed, last)
    return first_match(got, turns)


register(
    "decoder_pairs",
    chapter="encoder-decoder",
    title="What the decoder is fed",
    draw=draw_targets,
    reference=decoder_rows,
    names=("fed", "asked"),
    axes=("B T", "B T"),
    diagnose=diagnose_rows,
)


# Attention


def draw_memory(rng):
    """A query, keys and memory for each step, and lengths that differ."""
    B, T, D, H = draw_sizes(rng, 4, low=2)
    lengths = rng.integers(1, T + 1, size=B)
    lengths[:2] = T - 1, T
    return rng.normal(size=(B, H)), rng.normal(size=(B, T, H)), rng.normal(size=(B, T, D)), lengths


def attend(query, keys, memory, lengths, valid=None):
    """Weights by a softmax over the valid steps, and the weighted sum of the memory."""
    valid = np.arange(keys.shape[1]) < lengths[:, None] if valid is None else valid
    scores = (keys * query[:, None]).sum(-1)
    weights = softmax(np.where(valid, scores, -np.inf))
    return (weights[..., None] * memory).sum(1), weights


def diagnose_attend(got, want, inputs):
    """Say what happened to the mask or the softmax."""
    query, keys, memory, lengths = inputs
    valid = np.arange(keys.shape[1]) < lengths[:, None]
    scores, free = (keys * query[:, None]).sum(-1), attend(*inputs, valid=np.ones_like(valid))[1]

    def answer(weights):
        return (weights[..., None] * memory).sum(1), weights

    over_batch = np.where(valid, np.exp(scores - scores.max()), 0)
    turns = {
        "the lengths are not used: the padding gets weight": answer(free),
        "the mask comes after the softmax: what is left no longer sums to 1": answer(free * valid),
        "a score of 0 does not silence a step: e to the 0 is 1. What score becomes a weight of exactly 0?": answer(
            softmax(scores * valid)
        ),
        "the softmax runs over the batch: each word's weights should sum to 1 over its own steps": answer(
            over_batch / over_batch.sum(0)
        ),
        "the scores are used as they are: the softmax is missing": answer(scores * valid),
        "every valid step has the same weight: the query is not used": answer(valid / lengths[:, None]),
        "the context is a weighted sum of the keys, the memory is asked for": (
            ((want[1][..., None] * keys).sum(1), want[1]) if keys.shape == memory.shape else answer(scores * valid)
        ),
        "the scores are divided by the root of H: that is the Transformer's attention, here they are plain": answer(
            softmax(np.where(valid, scores / np.sqrt(query.shape[-1]), -np.inf))
        ),
        "the weighted states are averaged, their sum is asked for": (want[0] / keys.shape[1], want[1]),
    }
    return first_match(got, turns)


register(
    "attend",
    chapter="encoder-decoder",
    title="Attention with a mask",
    draw=draw_memory,
    reference=attend,
    names=("context", "weights"),
    axes=("B D", "B T"),
    diagnose=diagnose_attend,
)


# A writer that was told the answer


def draw_writer(rng):
    """A small decoder as a function, its first state, and how long it may write."""
    H, K = 4, int(rng.integers(5, 9))
    embedding, recurrent, head = rng.normal(size=(K, H)), rng.normal(size=(H, H)), 2 * rng.normal(size=(K, H))
    stop = int(rng.integers(1, K))
    bias = np.zeros(K)
    bias[0], bias[stop] = -100, rng.normal() - 1  # nobody writes the start token

    def step(token, state):
        state = np.tanh(embedding[token] + recurrent @ state)
        return head @ state + bias, state

    return step, rng.normal(size=H), 0, stop, int(rng.integers(3, 9))


def spell(step, state, start, stop, steps, carry=True, feed=True):
    """Write greedily until the stop or for `steps` steps."""
    written, token, first = [], start, state
    for _ in range(steps):
        scores, state = step(token if feed else start, state if carry else first)
        token = int(np.argmax(scores))
        if token == stop:
            break
        written.append(token)
    return written


def verify_spelling(answer, rng, step, state, start, stop, steps):
    """Compare with the greedy writer, and name the fault."""
    if not isinstance(answer, list | tuple | np.ndarray):
        return "a list of tokens is asked for"
    got, want = [int(token) for token in answer], spell(step, state, start, stop, steps)
    if got == want:
        return None
    if got[:1] == [start] and got[1:] == want[: len(got) - 1]:
        return "the start token is in the answer: only what the decoder wrote belongs there"
    if got == [*want, stop]:
        return "the stop token is in the answer: it says that the word has ended, and is no phone"
    if got == [*want, start] or got[: len(want) + 1] == [*want, stop]:
        return "it writes on after the stop"
    if got == spell(step, state, start, stop, steps, carry=False):
        return "the state is not handed on: every step starts from the first one"
    if got == spell(step, state, start, stop, steps, feed=False):
        return "the start token is fed at every step: feed back what was just written"
    if got == want[:-1] or got == spell(step, state, start, stop, steps + 1):
        return "one step too few or too many: at most `steps` tokens may be written, the last one too"
    if len(got) > steps:
        return "it writes more than `steps` tokens"
    return "other tokens came than the decoder's likeliest ones: which token is fed, and which state?"


register(
    "spell_greedily",
    chapter="encoder-decoder",
    title="A writer that was told the answer",
    draw=draw_writer,
    verify=verify_spelling,
    dtypes=("float64",),
    trials=24,
)


# Three beams, predicted

FIRST = {"AE": 0.4, "EY": 0.35, "IY": 0.25}
THEN = {
    "AE": {"T": 0.4, "D": 0.35, "S": 0.25},
    "EY": {"T": 0.6, "D": 0.3, "S": 0.1},
    "IY": {"T": 0.05, "D": 0.9, "S": 0.05},
}


def beams_by_hand():
    """The probabilities of what beams of 1, 2 and 3 find."""
    best = [p * max(THEN[first].values()) for first, p in FIRST.items()]  # the likeliest first phone first
    return tuple(max(best[:width]) for width in (1, 2, 3))


def diagnose_beam_by_hand(got, want, inputs):
    """Say what was multiplied."""
    first, second = list(FIRST.values()), [max(THEN[phone].values()) for phone in FIRST]
    sums = [sum(p * q for p, q in zip(first[:n], second)) for n in (1, 2, 3)]
    if np.allclose(got, [max(second[:n]) for n in (1, 2, 3)], atol=2e-3):
        return "these are second phones' probabilities alone: the first phone's belongs to each"
    if any(abs(value - p) < 2e-3 for value, p in zip(got, first)):
        return "a first phone's probability alone: the second one's, given the first, is multiplied with it"
    if np.allclose(got, sums, atol=2e-3):
        return "the best pairs are added up, the probability of the best one is asked for"
    if abs(got[0] - want[2]) < 1e-3:
        return "beam 1 has to give up every first phone but the likeliest before it sees a second one"
    if abs(got[0] - want[0]) > 1e-3:
        return "beam 1 takes the likeliest first phone, then the likeliest second one after it"
    if abs(got[1] - want[0]) < 1e-3:
        return "beam 2 keeps two first phones: is the second of them the beginning of something likelier?"
    if abs(got[1] - want[2]) < 1e-3:
        return "beam 2 has dropped the unlikeliest first phone when it turns out what could follow it"
    if abs(got[2] - want[1]) < 1e-3:
        return "beam 3 keeps all three first phones: work out the best pair of each"
    return None


register(
    "beam_by_hand",
    chapter="encoder-decoder",
    title="Three beams, predicted",
    reference=beams_by_hand,
    names=("beam 1", "beam 2", "beam 3"),
    diagnose=diagnose_beam_by_hand,
    tolerance=0.005,
)


# One step of a beam


def draw_beam(rng):
    """Log-probabilities of W beginnings, best first, and of the next token after each."""
    W, K = int(rng.integers(2, 6)), int(rng.integers(6, 10))
    so_far = -np.sort(rng.exponential(size=W))
    scores = 2 * rng.normal(size=(W, K))
    return so_far, np.log(softmax(scores))


def beam_step(so_far, next_log_p, total=None):
    """The W best continuations: log-probability, which beginning, which token; best first."""
    total = so_far[:, None] + next_log_p if total is None else total
    best = np.argsort(-total, axis=None)[: len(so_far)]
    return total.ravel()[best], best // total.shape[1], best % total.shape[1]


def diagnose_beam_step(got, want, inputs):
    """Say how the continuations were chosen."""
    so_far, after = inputs
    total = so_far[:, None] + after
    W, K = total.shape
    alone, flat = np.argsort(-after, axis=None)[:W], want[1] * K + want[2]
    once = np.argsort(-total.max(1))  # one continuation of each, the best first
    turns = {
        "each beginning is continued once: the best of all W times K continuations are asked for": (
            total.max(1)[once],
            once,
            total.argmax(1)[once],
        ),
        "the probability of the beginnings is forgotten": (after.ravel()[alone], alone // K, alone % K),
        "the right ones, but the worst comes first": tuple(part[::-1] for part in want),
        "the flat index is divided by the wrong size: a row holds K numbers": (want[0], flat // W, flat % W),
        "the log-probabilities of the new tokens alone are returned: the beginnings' belong to them": (
            after[want[1], want[2]],
            *want[1:],
        ),
        "logarithms are multiplied: probabilities multiply, their logarithms add": beam_step(
            so_far, after, so_far[:, None] * after
        ),
        "tokens and beginnings are swapped": (want[0], want[2], want[1]),
    }
    return first_match(got, turns)


register(
    "beam_step",
    chapter="encoder-decoder",
    title="One step of a beam",
    draw=draw_beam,
    reference=beam_step,
    names=("log_p", "came_from", "token"),
    diagnose=diagnose_beam_step,
)


# Three leaks, from outside

FED, LENGTH, PADDING = LEAKS = ("is fed the target", "takes the target's length", "reads its padding")


class Writer:
    """`write(words, targets)`: a small encoder-decoder with some of the leaks, which counts its calls."""

    def __init__(self, leaks, letters, phones, seed, calls=40):
        rng, H = np.random.default_rng(seed), 8
        self._leaks, self._letters, self._phones, self._calls = leaks, letters, phones, calls
        self._letter, self._phone = rng.normal(size=(letters + 1, H)), 1.5 * rng.normal(size=(phones + 1, H))
        self._encode, self._decode = rng.normal(size=(2, H, H)) / np.sqrt(H / 2)
        self._head, self._stop = rng.normal(size=(phones + 1, H)), rng.normal(size=H)

    def __call__(self, words, targets):
        """Write the phones of each word, a list of lists."""
        if self._calls == 0:
            raise ValueError("all 40 calls are spent: many words fit into one call")
        for name, rows, size in (("words", words, self._letters), ("targets", targets, self._phones)):
            if len(rows) != len(words) or any(
                not 1 <= len(row) <= 20 or not 1 <= min(row) <= max(row) <= size for row in rows
            ):
                raise ValueError(f"{name} must be lists of 1 to 20 numbers from 1 to {size}, as many as words")
        self._calls -= 1
        longest = max(len(word) for word in words)
        return [self._spell(list(word), list(target), longest) for word, target in zip(words, targets)]

    def _spell(self, word, target, longest):
        """Write the phones of one word."""
        state, token, written = np.zeros(len(self._stop)), 0, []
        for letter in word + [0] * (longest - len(word)) * self._leaks[PADDING]:
            state = np.tanh(self._letter[letter] + self._encode @ state)
        while len(written) < (len(target) if self._leaks[LENGTH] else 12):
            state = np.tanh(self._phone[token] + self._decode @ state)
            if not self._leaks[LENGTH] and written and self._stop @ state > 2:
                break
            written.append(1 + int(np.argmax(self._head[1:] @ state)))
            is_fed = self._leaks[FED] and len(written) <= len(target)
            token = target[len(written) - 1] if is_fed else written[-1]
        return written


def draw_writer_with_leaks(rng):
    """A writer whose leaks show, if somebody looks."""
    letters, phones = (int(size) for size in rng.integers(8, 16, size=2))
    leaks = {leak: bool(rng.random() < 0.5) for leak in LEAKS}
    while True:
        write = Writer(leaks, letters, phones, int(rng.integers(1 << 30)))
        words, one, other = (rng.integers(1, 9, size=(30, n)).tolist() for n in (4, 6, 6))
        plain = [write._spell(word, target, 4) for word, target in zip(words, one)]
        padded = [write._spell(word, target, 16) for word, target in zip(words, one)]
        taught = [write._spell(word, target, 4) for word, target in zip(words, other)]
        shows = [np.mean([a != b for a, b in zip(plain, changed)]) > 0.5 for changed in (taught, padded)]
        stops = leaks[LENGTH] or len({len(phones) for phones in plain}) > 4
        if shows == [leaks[FED], leaks[PADDING]] and stops:
            return write, letters, phones


def diagnose_leaks(got, want, inputs):
    """Ask about the experiment behind the first verdict that is off."""
    wrong = next(leak for leak in LEAKS if bool(got[leak]) != want[leak])
    missed = {
        FED: "which phone of a target is fed at the second step, and which at none? One target may not show it",
        LENGTH: "give the same word targets of several lengths",
        PADDING: "put a short word beside a long one, and several of them: it need not show in each",
    }
    imagined = {
        FED: "did the target's length change as well, or the company?",
        LENGTH: "it is fed the target, and other phones make it stop elsewhere. A length that is taken is always hit"
        if want[FED]
        else "a word may hit a target's length by chance. A length that is taken is always hit",
        PADDING: "did anything but the company change, its own target for one?",
    }
    if want[wrong]:
        return f"it overlooks that a writer {wrong}: {missed[wrong]}"
    return f"it finds that a writer {wrong}, and that one does not: {imagined[wrong]}"


register(
    "find_leaks",
    chapter="encoder-decoder",
    title="Three leaks, from outside",
    draw=draw_writer_with_leaks,
    reference=lambda write, letters, phones: dict(write._leaks),
    diagnose=diagnose_leaks,
    dtypes=("float64",),
    trials=16,
)
