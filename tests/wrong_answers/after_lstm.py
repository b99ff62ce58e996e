"""Wrong answers to the exercises of the chapter after-lstm, and words of the message each must get."""

import numpy as np


def shifted(d_h, a, h):
    """The factor of the step itself in place of the next one's."""
    d_b = np.zeros_like(d_h)
    after = 0
    for t in reversed(range(len(h))):
        d_b[t] = after = d_h[t] + a[t] * after
    return d_b * np.concatenate([0 * h[:1], h[:-1]]), d_b


def by_one(a, b):
    """A distance that grows by 1 and the factor of the earlier steps."""
    distance = 1
    while distance < len(b):
        b = np.concatenate([b[:distance], a[:-distance] * b[:-distance] + b[distance:]])
        a = np.concatenate([a[:distance], a[distance:] * a[:-distance]])
        distance += 1
    return b


def overwritten(a, b):
    """The factors are joined before the additions need the old ones."""
    distance = 1
    while distance < len(b):
        a = np.concatenate([a[:distance], a[distance:] * a[:-distance]])
        b = np.concatenate([b[:distance], a[distance:] * b[:-distance] + b[distance:]])
        distance *= 2
    return b


def at_one_x(layer):
    """Asks at a single x, where a signed factor may be positive."""
    b = layer(0.0, 0.0)
    a, a_2 = layer(0.0, 1.0) - b, (layer(0.0, 2.0) - b) / 2
    return {"gates": "x" if np.isclose(a, a_2) else "h", "factors": "signed" if a < 0 else "positive"}


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
    "repaired_scan": [
        (by_one, "the distance should double with every pass"),
        (overwritten, "b needs the old a"),
    ],
    "scan_gradients": [
        (shifted, "through the factor of step t + 1"),
        (lambda d_h, a, h: (d_h * h, d_h), "later steps have read that state too"),
    ],
    "layers_can": [
        (lambda: dict.fromkeys("ABCDEFGH", "yes"), "in B the gates read h"),
        (lambda: dict.fromkeys("ABCDEFGH", "no"), "in A the gate reads x alone"),
    ],
    "kind_of_layer": [
        (lambda layer: {"gates": "x", "factors": "positive"}, "the layer was not run"),
        (at_one_x, "is it below 0 at some x"),
        (lambda layer: [layer(0.0, 0.0) for _ in range(4)], "the layer runs three times"),
    ],
    "parity_unit": [
        (lambda: ([1, 0.5], [0, 1], 0.5), "the larger of two states remains the larger"),
        (lambda: ([0.99, -0.99], [0, 1], 0.5), "a zero should leave the state as it is"),
    ],
    "slstm_state": [(exponential_forget, "m takes z_f: f is a sigmoid")],
    "matrix_memory": [(keys_first, "`C` has keys in its rows")],
}
