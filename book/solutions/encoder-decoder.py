"""Solutions to the exercises of the chapter encoder-decoder."""

import numpy as np


def error_rates_by_hand():
    """Return the phoneme and the word error rate in percent."""
    edits = 2 + 0 + 2  # K goes, IH becomes AY; none; AW becomes AO, G goes
    phones = 3 + 7 + 3  # the right ones
    return 100 * edits / phones, 100 * 2 / 3


def decoder_pairs(y, lengths, start, stop):
    """Return what the decoder is fed and its targets, (B, S + 1) each."""
    steps = np.arange(y.shape[1] + 1)
    longer = np.pad(y, ((0, 0), (0, 1)))  # (B, S + 1)
    target = np.where(steps < lengths[:, None], longer, -100)
    target[np.arange(len(y)), lengths] = stop
    fed = np.pad(y, ((0, 0), (1, 0)), constant_values=start)  # one step behind
    return fed, target


def attend(query, keys, memory, lengths):
    """Return the context (B, D) and the weights (B, T)."""
    scores = (keys @ query[:, :, None])[..., 0]  # (B, T)
    valid = np.arange(keys.shape[1]) < lengths[:, None]
    scores = np.where(valid, scores, -np.inf)
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    weights = weights / weights.sum(axis=1, keepdims=True)
    return (weights[:, None] @ memory)[:, 0], weights


def spell_greedily(step, state, start, stop, steps):
    """Return what the decoder writes, a list of tokens."""
    written, token = [], start
    for _ in range(steps):
        scores, state = step(token, state)
        token = int(scores.argmax())
        if token == stop:
            break
        written.append(token)
    return written


def beam_by_hand():
    """Return the probability of what beams of 1, 2 and 3 find."""
    ae_t, ey_t, iy_d = 0.4 * 0.4, 0.35 * 0.6, 0.25 * 0.9  # the best pair after each first phone
    return ae_t, max(ae_t, ey_t), max(ae_t, ey_t, iy_d)


def beam_step(so_far, next_log_p):
    """Return log_p, came_from and token of the W best continuations, (W,) each."""
    W, K = next_log_p.shape
    total = (so_far[:, None] + next_log_p).ravel()  # (W * K,)
    best = np.argsort(-total)[:W]
    return total[best], best // K, best % K


def find_leaks(write, letters, phones):
    """Return what is found of each leak: one thing is changed at a time."""
    rng = np.random.default_rng(0)
    words = rng.integers(1, letters + 1, size=(30, 3)).tolist()

    def targets(n):
        return rng.integers(1, phones + 1, size=(len(words), n)).tolist()

    given = targets(6)
    plain = write(words, given)
    other_phones = write(words, targets(6))  # of the same length
    other_lengths = [(n, row) for n in (2, 9) for row in write(words, targets(n))]
    in_company = write([*words, [1] * 20], [*given, [1]])[:-1]  # the last word brings padding
    return {
        "is fed the target": other_phones != plain,
        "takes the target's length": all(len(row) == n for n, row in other_lengths),
        "reads its padding": in_company != plain,
    }
