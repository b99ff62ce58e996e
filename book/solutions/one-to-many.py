"""One solution to each exercise of the chapter one-to-many."""

import numpy as np

from lstm_tutorial.data import IGNORE, START, STOP
from lstm_tutorial.in_numpy import lstm_cell, softmax


def temperature_by_hand():
    squares = 0.6**2, 0.3**2, 0.1**2  # exp(log(p) / 0.5) = p ** 2
    return squares[0] / sum(squares)  # 0.36 / 0.46 = 0.783


def bits_per_character(scores, targets):
    p = softmax(scores)[targets != IGNORE]  # (characters, K)
    tokens = targets[targets != IGNORE]
    return -np.log2(p[np.arange(len(tokens)), tokens]).mean()


def draw_tokens(scores, temperature, u):
    if temperature == 0:
        return scores.argmax(axis=1)
    p = softmax(scores / temperature)  # (B, K)
    above = p.cumsum(axis=1) > u[:, None]
    above[:, -1] = True  # the sum may end at 0.9999999
    return above.argmax(axis=1)  # the first True


def write_greedily(h, c, weights, embedding, head, stop, steps):
    weight, bias = head
    token = len(embedding) - 1  # its last row says: start
    tokens = np.full(steps, stop)
    for t in range(steps):
        (h, c), _ = lstm_cell(embedding[token], (h, c), *weights)
        token = (weight @ h + bias).argmax()
        if token == stop:
            break
        tokens[t] = token
    return tokens


def bigram(tokens, lengths, K, strength):
    counts = np.zeros((K, K))
    for row, length in zip(tokens, lengths):
        line = [START, *row[:length], STOP]
        for before, after in zip(line, line[1:]):
            counts[before, after] += 1
    return (counts + strength / K) / (counts.sum(axis=1, keepdims=True) + strength)


def predict_temperature():
    return {
        "different names": "rises",
        "copies of training names": "falls",
        "names taken for their country": "falls",
        "bits per character of the test names": "stays",
    }


def find_the_knobs(draw, K):
    kept = len(np.unique(draw(np.zeros(K), 1000)))  # equal scores: all that are kept come equally often
    scores = np.full(K, -100.0)
    scores[:2] = 1, 0  # two tokens, a point apart; the others never come
    share = np.mean(draw(scores, 19_000) == 0)
    return 1 / np.log(share / (1 - share)), kept
