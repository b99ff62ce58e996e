"""Wrong answers to the exercises of the chapter one-to-many, and words of the message each must get."""

import numpy as np

from lstm_tutorial.in_numpy import lstm_cell, softmax


def cut_at_the_first_ignored(scores, targets):
    p, T = softmax(scores), int((targets[0] >= 0).sum())
    return -np.log2([p[b, t, targets[b, t]] for b in range(len(p)) for t in range(T)]).mean()


def looks_for_a_stop(h, c, weights, embedding, head, stop, steps):
    tokens, token = [], -1
    for _ in range(steps):
        (h, c), _ = lstm_cell(embedding[token], (h, c), *weights)
        tokens.append(token := int((head[0] @ h + head[1]).argmax()))
    return np.array(tokens[: tokens.index(stop)] + [stop] * (steps - tokens.index(stop)))


def pairs_at_once(tokens, lengths, K, strength):
    counts = np.zeros((K, K))
    for row, length in zip(tokens, lengths):
        line = np.array([1, *row[:length], 2])
        counts[line[:-1], line[1:]] += 1
    return (counts + strength / K) / (counts.sum(axis=1, keepdims=True) + strength)


def count_kept(draw, K, n=1000, slope=0.0):
    return len(np.unique(draw(slope * np.arange(K), n)))


def odds(draw, K, n=19_000, apart=1.0):
    """The logarithm of how much more often one of two tokens comes."""
    scores = np.full(K, -100.0)
    scores[:2] = apart, 0
    share = np.mean(draw(scores, n) == 0)
    return np.log(share / (1 - share))


WRONG = {
    "temperature_by_hand": [(lambda: 0.78, "three decimals")],
    "bits_per_character": [(cut_at_the_first_ignored, "index -100 is out of bounds")],
    "draw_tokens": [(lambda s, t, u: (softmax(s / (t or 1e-9)).cumsum(1) < u[:, None]).sum(1), "equal to u")],
    "write_greedily": [(looks_for_a_stop, "is not in list")],
    "bigram": [(pairs_at_once, "each pair is counted once")],
    "predict_temperature": [(lambda: ("rises", "falls", "falls", "stays"), "where a dict with the keys")],
    "find_the_knobs": [
        (lambda draw, K: (odds(draw, K), count_kept(draw, K)), "one over what it is"),
        (lambda draw, K: (1 / odds(draw, K), K), "no token is cut"),
        (lambda draw, K: (1 / odds(draw, K), count_kept(draw, K, 300, -1)), "too rare to turn up"),
        (lambda draw, K: (1 / odds(draw, K, n=400), count_kept(draw, K)), "how sure is that"),
        (lambda draw, K: (1 / odds(draw, K, apart=2), count_kept(draw, K)), "by how much do their scores differ"),
        (lambda draw, K: (1 / odds(draw, K, n=20_000), count_kept(draw, K)), "1000 draws were asked for"),
        (lambda draw, K: (1 / odds(draw, K), min(K, count_kept(draw, K) + 1)), "more tokens than are kept"),
        (lambda draw, K: 1 / odds(draw, K), "2 results (temperature, kept)"),
    ],
}
