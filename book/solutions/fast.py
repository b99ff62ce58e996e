"""Solutions to the exercises of the chapter `fast`: a function an exercise, under the exercise's name."""

import numpy as np

from lstm_tutorial.in_numpy import sigmoid


def step_costs():
    """Operations of the two products, numbers through sigmoid or tanh, bytes of the weights."""
    B, D, H = 32, 64, 128
    from_input = 2 * B * D * (4 * H)  # D multiplications and D additions for each of B * 4H numbers
    from_hidden = 2 * B * H * (4 * H)
    nonlinear = 4 * B * H + B * H  # three sigmoids and the candidate's tanh; tanh of the new cell state
    weights = 4 * (4 * H * D + 4 * H * H)  # bytes: 4 a number
    return from_input, from_hidden, nonlinear, weights


def makes_a_copy():
    """Whether the lines A to F give new numbers in memory."""
    return False, True, False, True, False, False


def halved_weights(weight_ih, weight_hh, bias):
    """Return weights with which i, f and o are (1 + tanh(z)) / 2, and g is tanh(z)."""
    H = len(bias) // 4
    scale = np.full(4 * H, 0.5, bias.dtype)
    scale[2 * H : 3 * H] = 1  # the candidate is a tanh as it is
    return weight_ih * scale[:, None], weight_hh * scale[:, None], bias * scale


def gradients_after_loop(d_z, x, h):
    """Return the gradients of weight_ih (4H, D), weight_hh (4H, H) and of the bias (4H,)."""
    T, B, rows_of_gates = d_z.shape
    rows = d_z.reshape(T * B, rows_of_gates)
    before = h[:-1]  # z of step t was made of the state before it
    return rows.T @ x.reshape(T * B, -1), rows.T @ before.reshape(T * B, -1), rows.sum(axis=0)


def fast_lstm(x, h, c, weight_ih, weight_hh, bias):
    """Return the hidden states (T, B, H) and the last cell state (B, H)."""
    (T, B, D), H = x.shape, h.shape[1]
    z_x = (x.reshape(T * B, D) @ weight_ih.T + bias).reshape(T, B, 4 * H)
    z, output = np.empty((B, 4 * H), x.dtype), np.empty((T, B, H), x.dtype)
    c = c.copy()  # the caller's stays as it is
    for t in range(T):
        np.matmul(h, weight_hh.T, out=z)
        z += z_x[t]
        i, f, g, o = np.split(z, 4, axis=1)
        candidate = np.tanh(g)  # before z is written over
        z[...] = sigmoid(z)
        c *= f
        c += i * candidate
        h = np.multiply(o, np.tanh(c), out=output[t])  # a place of its own for each step
    return output, c


def input_in_chunks(x, weight_ih, bias, room):
    """Return the input's part as a list of arrays (steps, B, 4H), each of at most `room` numbers if one step fits."""
    T, B, D = x.shape
    steps = max(1, room // (B * len(bias)))
    chunks = []
    for start in range(0, T, steps):
        part = x[start : start + steps]  # the last one may be shorter
        z = part.reshape(-1, D) @ weight_ih.T + bias
        chunks.append(z.reshape(len(part), B, len(bias)))
    return chunks


def fair_race(clock):
    """Return the time of the new program as a multiple of the old one's."""
    rng, ratios = np.random.default_rng(0), []
    for _ in range(40):
        ms = {name: clock(name) for name in rng.permutation(["old", "new"])}
        ratios.append(ms["new"] / ms["old"])  # both have met the same machine
    return np.median(ratios[3:])  # warm, and no single round decides
