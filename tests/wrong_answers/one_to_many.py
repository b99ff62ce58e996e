"""Plausible wrong answers to the exercises of the chapter one-to-many, and words of the message each must get."""

import numpy as np

from lstm_tutorial.exercises.chapters.one_to_many import (
    IGNORE,
    START,
    STOP,
    draw_tokens,
    greedy,
    pairs,
    smooth,
    surprise,
)
from lstm_tutorial.in_numpy import softmax


def counted(tokens, lengths, K):
    counts = pairs(tokens, lengths, K)
    return counts, counts.sum(1, keepdims=True)


def with_padding(tokens, lengths, K, strength):
    counts = np.zeros((K, K))
    for row in tokens:
        line = [START, *row, STOP]
        for before, after in zip(line, line[1:]):
            counts[before, after] += 1
    return (counts + strength / K) / (counts.sum(1, keepdims=True) + strength)


def without_softmax(scores, targets):
    rows = scores[targets != IGNORE]
    return -rows[np.arange(len(rows)), targets[targets != IGNORE]].mean()


def own_probability(scores, temperature, u):
    if temperature == 0:
        return scores.argmax(-1)
    return (softmax(scores / temperature) > u[:, None]).argmax(-1)


def divided_probabilities(scores, temperature, u):
    if temperature == 0:
        return scores.argmax(-1)
    p = softmax(scores) / temperature
    return np.minimum((p.cumsum(-1) <= u[:, None]).sum(-1), scores.shape[-1] - 1)


def one_number(scores, temperature, u):
    return draw_tokens(scores, temperature, np.full_like(u, u[0]))


def nothing_after_the_stop(*inputs):
    tokens, stop = greedy(*inputs), inputs[5]
    return tokens[tokens != stop]


def predicted(**other):
    keys = dict(different="different names", copies="copies of training names")
    keys |= dict(fits="names taken for their country", bits="bits per character of the test names")
    right = dict(different="rises", copies="falls", fits="falls", bits="stays")
    return lambda: {keys[key]: value for key, value in (right | other).items()}


def count_kept(draw, K, n=1000, scores=None):
    return len(np.unique(draw(np.zeros(K) if scores is None else scores, n)))


def odds(draw, K, n=19_000, apart=1.0):
    """The logarithm of how much more often one of two tokens comes."""
    scores = np.full(K, -100.0)
    scores[:2] = apart, 0
    share = np.mean(draw(scores, n) == 0)
    return np.log(share / (1 - share))


def share_of_the_first(draw, K):
    """A temperature at which a softmax over all tokens would make the likeliest as frequent as it is."""
    kept, scores = count_kept(draw, K), -0.2 * np.arange(K)
    share = np.mean(draw(scores, 10_000) == 0)
    tried = np.linspace(0.05, 5, 500)
    return tried[np.argmin([abs(softmax(scores / t)[0] - share) for t in tried])], kept


WRONG = {
    "temperature_by_hand": [
        (lambda: 0.6, "as it was, at temperature 1"),
        (lambda: 0.36, "no longer add up to 1"),
        (lambda: 0.473, "this is temperature 2"),
        (lambda: 0.522, "a temperature divides those, not the probabilities"),
        (lambda: 1.0, "this is temperature 0"),
        (lambda: 0.196, "the second letter's"),
    ],
    "bits_per_character": [
        (lambda s, t: surprise(s, t)[0][t != IGNORE].mean() * np.log(2), "this is in nats"),
        (lambda s, t: -surprise(s, t)[0][t != IGNORE].mean(), "the sign is wrong"),
        (lambda s, t: surprise(s, t)[0][t != IGNORE].sum(), "this is a sum"),
        (lambda s, t: surprise(s, t)[0][t != IGNORE].sum() / len(t), "number of names, not of characters"),
        (lambda s, t: surprise(s, t)[0][t != IGNORE].sum() / t.size, "steps past the end are counted"),
        (
            lambda s, t: np.mean([surprise(s, t)[0][b][t[b] != IGNORE].mean() for b in range(len(t))]),
            "a mean of the names' means",
        ),
        (lambda s, t: surprise(s, t)[0].mean(), "here they count as a token"),
        (lambda s, t: -np.log2((2.0 ** -surprise(s, t)[0][t != IGNORE]).mean()), "take logarithms first"),
        (without_softmax, "the softmax is missing"),
    ],
    "draw_tokens": [
        (lambda s, temperature, u: s.argmax(-1), "it takes the likeliest token"),
        (lambda s, temperature, u: draw_tokens(s, 1.0, u), "as if it were 1: is it used?"),
        (lambda s, temperature, u: draw_tokens(s * temperature, 1.0, u) if temperature else s.argmax(-1), "multiplies"),
        (divided_probabilities, "divides the probabilities"),
        (own_probability, "own probability"),
        (one_number, "the first row's number"),
        (lambda s, temperature, u: np.maximum(draw_tokens(s, temperature, u) - 1, 0), "the token before"),
    ],
    "write_greedily": [
        (lambda *inputs: greedy(*inputs, forgets=True), "start anew at every step"),
        (lambda *inputs: greedy(*inputs, forgets="c"), "`c` is not"),
        (lambda *inputs: greedy(*inputs, starts=True), "it reads the start at every step"),
        (lambda *inputs: greedy(*inputs, stops=False), "goes on after the stop"),
        (lambda *inputs: greedy(*inputs, forgets=True, starts=True, stops=False), "all three faults"),
        (nothing_after_the_stop, "`the tokens` has shape"),
    ],
    "bigram": [
        (lambda x, n, K, s: smooth(pairs(x, n, K), s).T, "rows and columns are swapped"),
        (lambda x, n, K, s: smooth(pairs(x, n, K, start=False), s), "the start is not counted"),
        (lambda x, n, K, s: smooth(pairs(x, n, K, stop=False), s), "the stop is not counted"),
        (lambda x, n, K, s: (pairs(x, n, K) + s) / (counted(x, n, K)[1] + K * s), "all K together"),
        (lambda x, n, K, s: pairs(x, n, K), "counts, not probabilities"),
        (lambda x, n, K, s: pairs(x, n, K) / np.maximum(counted(x, n, K)[1], 1), "no smoothing"),
        (with_padding, "padding is counted"),
    ],
    "predict_temperature": [
        (predicted(bits="rises"), "is anything drawn"),
        (predicted(different="stays"), "different names"),
        (predicted(copies="rises"), "copies of training names"),
        (predicted(fits="stays"), "their country"),
        (predicted(fits="lower"), "say rises, falls or stays"),
    ],
    "find_the_knobs": [
        (lambda draw, K: (odds(draw, K), count_kept(draw, K)), "one over the temperature"),
        (lambda draw, K: (1 / odds(draw, K), K), "no token is cut"),
        (lambda draw, K: (1 / odds(draw, K), count_kept(draw, K, 300, -np.arange(K))), "too rare to turn up"),
        (lambda draw, K: (1 / odds(draw, K, n=400), count_kept(draw, K)), "how sure is the share"),
        (share_of_the_first, "compare two tokens that are both kept"),
        (lambda draw, K: (1 / odds(draw, K, apart=2), count_kept(draw, K)), "divide by how much their scores differ"),
        (lambda draw, K: (1.7 / odds(draw, K), count_kept(draw, K)), "whose score is larger by d"),
        (lambda draw, K: (1 / odds(draw, K, n=20_000), count_kept(draw, K)), "1000 draws were asked for"),
        (lambda draw, K: (1 / odds(draw, K), min(K, count_kept(draw, K) + 1)), "more tokens than are kept"),
        (lambda draw, K: 1 / odds(draw, K), "2 results (temperature, kept)"),
    ],
}
