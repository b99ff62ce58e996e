"""Solutions to the exercises of the chapter `variants`: a function an exercise, under the exercise's name."""

import numpy as np

from lstm_tutorial.in_numpy import sigmoid


def gru_by_hand():
    """Both gates, the new value and the new state."""
    x, h = 2.0, 0.5
    r = sigmoid(0.3 * x - 1.2 * h)  # of 0: one half
    u = sigmoid(0.4 * x + 0.8 * h - 0.1)  # of 1.1
    n = np.tanh(0.1 * x + 0.2 + r * (1.0 * h + 0.7))  # of 0.4 + 0.5 * 1.2
    return r, u, n, (1 - u) * n + u * h


def repaired_gru(x, h, weight_ih, weight_hh, bias_ih, bias_hh):
    """Return the new h (B, H), as `torch.nn.GRU` computes it."""
    r_x, u_x, n_x = np.split(x @ weight_ih.T + bias_ih, 3, axis=-1)
    r_h, u_h, n_h = np.split(h @ weight_hh.T + bias_hh, 3, axis=-1)
    r, u = sigmoid(r_x + r_h), sigmoid(u_x + u_h)
    n = np.tanh(n_x + r * n_h)
    return (1 - u) * n + u * h


def library_conventions(library):
    """Compare one step of the library with all eight that it may be."""
    rng, H = np.random.default_rng(0), 3
    shapes = (2,), (H,), (3 * H, 2), (3 * H, H), (3 * H,), (3 * H,)
    x, h, weight_ih, weight_hh, bias_ih, bias_hh = inputs = [rng.normal(size=shape) for shape in shapes]
    found = library(*inputs)
    for rows in ("run", "urn"):
        from_x = dict(zip(rows, np.split(weight_ih @ x + bias_ih, 3)))
        from_h = dict(zip(rows, np.split(weight_hh @ h + bias_hh, 3)))
        r, u = (sigmoid(from_x[gate] + from_h[gate]) for gate in "ru")
        forms = {"after": r * from_h["n"], "before": weight_hh[2 * H :] @ (r * h) + bias_hh[2 * H :]}
        for reset, part in forms.items():
            n = np.tanh(from_x["n"] + part)
            for update, new in (("keeps", (1 - u) * n + u * h), ("replaces", u * n + (1 - u) * h)):
                if np.allclose(found, new):
                    return {"rows": rows, "reset": reset, "update": update}


def coupled_as_lstm(weight_ih, weight_hh, bias):
    """Return the rows i, f, g, o of an LSTM that does what a cell with the rows f, g, o and i = 1 - f does."""
    H = len(bias) // 3
    return tuple(np.concatenate([-each[:H], each]) for each in (weight_ih, weight_hh, bias))


def one_unit_can():
    """Say for each unit whether it can do the job."""
    return {
        "A": "no",  # the state never leaves the range from -1 to 1
        "B": "no",  # one step adds a number between -1 and 1
        "C": "yes",  # i = 1 and g = 1
        "D": "no",  # g would have to be 0 whatever v is
        "E": "yes",  # f = 0 at a mark, f = 1 elsewhere
        "F": "yes",  # u = 0 and n = 0
        "G": "yes",  # f = 1, and g is 1, -1 or 0
        "H": "no",  # h = tanh(c)
    }


def gru_counter():
    """Return weight_ih (3, 2) and bias (3,): u a little below 1, so that the state hardly fades and steps are tiny."""
    weight_ih = np.array([[0, 0], [0, 0], [20, -20]])  # rows r, u, n; columns "(" and ")"
    return weight_ih, np.array([0, 12, 0])


def equal_units(D, H):
    """Return how many units bring the parameters of a GRU nearest to those of an LSTM with H units."""
    goal = 4 * H * (D + H + 2)
    units = np.arange(1, 2 * H + 1)
    return int(units[np.argmin(abs(3 * units * (D + units + 2) - goal))])


def normalise(z):
    """Return z with mean 0 and variance 1 over the units."""
    mean, variance = z.mean(axis=-1, keepdims=True), z.var(axis=-1, keepdims=True)
    return (z - mean) / np.sqrt(variance + 1e-5)


def layer_norm_step(x, h, c, weight_ih, weight_hh, bias, gain_x, gain_h, gain_c, bias_c):
    """Return h and c (B, H) after one step of an LSTM with layer norm."""
    z = normalise(x @ weight_ih.T) * gain_x + normalise(h @ weight_hh.T) * gain_h + bias  # (B, 4H)
    z_i, z_f, z_g, z_o = np.split(z, 4, axis=-1)
    c = sigmoid(z_f) * c + sigmoid(z_i) * np.tanh(z_g)
    h = sigmoid(z_o) * np.tanh(normalise(c) * gain_c + bias_c)
    return h, c
