"""Wrong answers to the exercises of the chapter training, and words of the message each must get."""

import math

import numpy as np

from lstm_tutorial.in_numpy import lstm_cell


def new_masks(x, h, c, weights, u_x, u_h, p):
    """Dropout as in a feed-forward network: other masks at every step."""
    rng, output = np.random.default_rng(0), []
    for x_t in x:
        masks = [(rng.random(u.shape) >= p) / (1 - p) for u in (u_x, u_h)]
        (h, c), _ = lstm_cell(x_t * masks[0], (h * masks[1], c), *weights)
        output.append(h)
    return np.stack(output), h, c


def adam_of_the_library(weight, gradient, mean, square, t, rate, decay):
    """Adam(weight_decay=...) in place of AdamW."""
    gradient = gradient + decay * weight
    mean, square = 0.9 * mean + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2
    return weight - rate * mean / (1 - 0.9**t) / (np.sqrt(square / (1 - 0.999**t)) + 1e-8), mean, square


def two_faults_left(network, patience, budget):
    """The loss is measured without dropout now; the rest is as it was."""
    best, waited, epochs = np.inf, 0, 0
    while epochs < budget and waited < patience:
        network.train()
        network.epoch()
        epochs += 1
        network.eval()
        loss = network.loss()
        if loss < best:
            best, kept = loss, network.weights
        else:
            waited += 1
    return kept, epochs


def downhill(rate, shorten=lambda norm: 1.0):
    """Gradient descent with the gradient made shorter by some rule."""

    def run(network, w, b):
        for _ in range(200):
            _, d_w, d_b = network(w, b)
            factor = rate * shorten(math.hypot(d_w, d_b))
            w, b = w - factor * d_w, b - factor * d_b
        return w, b

    return run


WRONG = {
    "clipping_by_hand": [
        (lambda: (13, [1.56, -2.08, 2.6], [2.6, -2.6, 2.6], 0.84), "each array is clipped by its own norm"),
        (lambda: (13, [0.6, -0.8, 2.4], [2.6, -2.6, 2.6], 0.57), "inner product over the product of their norms"),
        (lambda: (13, [0.6, 0.8, 2.4], [2.6, -2.6, 2.6], 0.84), "multiplies all three numbers by one factor"),
    ],
    "chrono_biases": [
        (lambda u, T_max: (np.log(1 + (T_max - 2) * u), 0 * u), "is too short"),
        (
            lambda u, T_max: (np.concatenate([0 * u, np.log(1 + (T_max - 2) * u), 0 * u, 0 * u]), np.zeros(4 * len(u))),
            "the negative of the forget gate's",
        ),
    ],
    "orthogonal_blocks": [
        (lambda H, rng: np.linalg.qr(rng.normal(size=(4 * H, H)))[0], "a gate reads its own H rows alone"),
        (lambda H, rng: np.tile(np.eye(H), (4, 1)), "two of the four blocks are the same"),
        (lambda H, rng: np.linalg.qr(rng.normal(size=(H, 4 * H)))[0], "has shape"),
    ],
    "dropout_lstm": [(new_masks, "`output`: ")],
    "decayed_step": [(adam_of_the_library, "the decay is in the gradient")],
    "keep_the_best": [
        (two_faults_left, "two faults are left"),
        (lambda network, patience, budget: (network.weights, 0), "before the first epoch"),
    ],
    "read_the_curves": [
        (lambda: dict(A="enlarge", B="enlarge", C="train longer", D="clip", E="clip", F="regularise"), "in A the two"),
        (lambda: dict.fromkeys("ABCDEF", "stop"), "is none of them"),
    ],
    "descend": [
        (downhill(3.0), "bound the step"),
        (downhill(0.001), "it came no further than"),
        (downhill(1.0, lambda norm: min(1, 0.1 / norm)), "returned another point"),
        (lambda network, w, b: (w, b), "evaluated once at most"),
        (lambda network, w, b: [network(w, b) for _ in range(201)][0][:2], "can be evaluated 200 times"),
    ],
}
