"""Solutions to the exercises of the chapter `training`: a function an exercise, under the exercise's name."""

import math

import numpy as np

from lstm_tutorial.in_numpy import lstm_cell


def clipping_by_hand():
    """The joint norm, what both kinds of clipping leave, and how far clipping by value turns the gradient."""
    gradient = np.array([3.0, -4.0, 12.0])  # both arrays, one after the other
    norm = np.sqrt(np.sum(gradient**2))  # 13
    by_norm = gradient * 2.6 / norm  # one factor for all, 0.2
    by_value = np.clip(gradient, -2.6, 2.6)  # all three are outside
    cosine = by_value @ gradient / (np.sqrt(np.sum(by_value**2)) * norm)
    return norm, by_norm, by_value, cosine


def chrono_biases(u, T_max):
    """Return bias_ih and bias_hh, (4H,) each: every unit has a lag of its own, up to T_max."""
    b = np.log(1 + (T_max - 2) * u)  # the forget gate is 1 - 1 / lag, for lags from 2 to T_max
    zero = np.zeros_like(b)
    bias_ih = np.concatenate([-b, b, zero, zero])  # i, f, g, o
    return bias_ih, np.zeros_like(bias_ih)


def orthogonal_blocks(H, rng):
    """Return recurrent weights (4H, H) whose four blocks are orthogonal, each by itself."""
    return np.concatenate([np.linalg.qr(rng.normal(size=(H, H)))[0] for _ in range(4)])


def dropout_lstm(x, h, c, weights, u_x, u_h, p):
    """Run an LSTM whose gates read masked inputs and hidden states; one mask for all steps."""
    mask_x, mask_h = ((u >= p).astype(x.dtype) / (1 - p) for u in (u_x, u_h))  # made once, before the loop
    output = []
    for x_t in x:
        (h, c), _ = lstm_cell(x_t * mask_x, (h * mask_h, c), *weights)
        output.append(h)
    return np.stack(output), h, c


def decayed_step(weight, gradient, mean, square, t, rate, decay):
    """Make one step of Adam, with the decay taken from the weight itself."""
    mean = 0.9 * mean + 0.1 * gradient
    square = 0.999 * square + 0.001 * gradient**2
    step = (mean / (1 - 0.9**t)) / (np.sqrt(square / (1 - 0.999**t)) + 1e-8)
    return weight - rate * step - rate * decay * weight, mean, square


def keep_the_best(network, patience, budget):
    """Train until the validation loss has not improved for `patience` epochs; return the best weights and the count."""
    best, waited, epochs = math.inf, 0, 0
    while epochs < budget and waited < patience:
        network.epoch()
        epochs += 1
        network.eval()
        loss = network.loss()
        network.train()
        if loss < best:
            best, waited = loss, 0
            kept = {name: array.copy() for name, array in network.weights.items()}
        else:
            waited += 1
    return kept, epochs


def read_the_curves():
    """What to change first in each of the six runs."""
    return {
        "A": "regularise",
        "B": "enlarge",
        "C": "train longer",
        "D": "lower the rate",
        "E": "clip",
        "F": "check the split",
    }


def descend(network, w, b):
    """Descend with a large rate and a limit on the gradient's norm."""
    rate, limit = 3.0, 0.3
    for _ in range(200):
        loss, d_w, d_b = network(w, b)
        if loss < 1e-4:
            break
        norm = math.sqrt(d_w**2 + d_b**2)
        if norm > limit:
            d_w, d_b = d_w * limit / norm, d_b * limit / norm
        w, b = w - rate * d_w, b - rate * d_b
    return w, b
