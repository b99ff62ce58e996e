"""Plausible wrong answers to the exercises of the chapter one-to-many, and words of the message each must get."""

import numpy as np

from lstm_tutorial.exercises.one_to_many import IGNORE, START, STOP, draw_tokens, greedy, pairs, smooth, surprise
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
        (lambda s, t: -np.log2(2.0 ** -surprise(s, t)[0][t != IGNORE]).sum() * 0, "too small"),
    ],
    "draw_tokens": [
        (lambda s, temperature, u: s.argmax(-1), "it takes the likeliest token"),
        (lambda s, temperature, u: draw_tokens(s, 1.0, u), "it draws "),
        (lambda s, temperature, u: draw_tokens(s * temperature, 1.0, u) if temperature else s.argmax(-1), "multiplies"),
        (divided_probabilities, "divides the probabilities"),
        (own_probability, "own probability"),
        (one_number, "the first row's number"),
        (lambda s, temperature, u: np.maximum(draw_tokens(s, temperature, u) - 1, 0), "takes the"),
    ],
    "write_greedily": [
        (lambda *inputs: greedy(*inputs, forgets=True), "start anew at every step"),
        (lambda *inputs: greedy(*inputs, forgets="c"), "`c` is not"),
        (lambda *inputs: greedy(*inputs, starts=True), "it reads the start at every step"),
        (lambda *inputs: greedy(*inputs, stops=False), "goes on after the stop"),
        (lambda *inputs: greedy(*inputs, forgets=True, starts=True, stops=False), "all three faults"),
        (nothing_after_the_stop, "is expected"),
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
}
