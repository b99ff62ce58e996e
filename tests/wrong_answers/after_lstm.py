"""Wrong answers to the exercises of the chapter after-lstm, and words of the message each must get."""

import numpy as np

from lstm_tutorial.in_numpy import sigmoid


def shifted(d_h, a, h):
    """The factor of the step itself in place of the next one's."""
    d_b = np.zeros_like(d_h)
    after = 0
    for t in reversed(range(len(h))):
        d_b[t] = after = d_h[t] + a[t] * after
    return d_b * np.concatenate([0 * h[:1], h[:-1]]), d_b


def as_published(x, weight_u, bias_u, weight_n, bias_n):
    """The gate of Feng et al., at which 1 replaces."""
    z = sigmoid(x @ weight_u.T + bias_u)
    return 1 - z, z * (x @ weight_n.T + bias_n)


def exponential_forget(z_i, z_f, g, c, n, m):
    """The forget gate of the paper's other form, an exponential too."""
    kept = z_f + m
    m = np.maximum(kept, z_i)
    f, i = np.exp(kept - m), np.exp(z_i - m)
    return f * c + i * g, f * n + i, m


def keys_first(keys, values, f, i, query):
    """The outer product the other way round."""
    C = 0
    for k, v, f_t, i_t in zip(keys, values, f, i):
        C = f_t * C + i_t * np.outer(k, v)
    return C, query @ C


WRONG = {
    "scan_by_hand": [
        (lambda: (-1, 0.5, 3, 3.5, 2, 4.5), "the factors are joined as well"),
        (lambda: (-2, -0.5, 3, 3, 1, 2), "`b4` is after pass 1"),
    ],
    "joined": [
        (lambda a, b, c, d: (a * c, a * d + b), "joined in the wrong order"),
        (lambda a, b, c, d: (c, c * b + d), "the earlier one multiplies too"),
    ],
    "scan_gradients": [
        (shifted, "through the factor of step t + 1"),
        (lambda d_h, a, h: (d_h * h, d_h), "later steps have read that state too"),
    ],
    "min_gru_parts": [(as_published, "the update gate is the wrong way round")],
    "parity_unit": [
        (lambda: ([1, 0.5], [0, 1], 0.5), "the larger of two states remains the larger"),
        (lambda: ([0.99, -0.99], [0, 1], 0.5), "a zero should leave the state as it is"),
    ],
    "slstm_state": [(exponential_forget, "m takes z_f: f is a sigmoid")],
    "matrix_memory": [(keys_first, "`C` has keys in its rows")],
}
