"""Wrong answers to the exercises of the chapter variants, and words of the message each must get."""

import numpy as np
import torch

from lstm_tutorial.in_numpy import sigmoid


def paper_form(x, h, weight_ih, weight_hh, bias_ih, bias_hh):
    """The reset gate before the product."""
    r, u, n = np.split(x @ weight_ih.T + bias_ih, 3, axis=-1)
    H = h.shape[-1]
    r = sigmoid(r + h @ weight_hh[:H].T + bias_hh[:H])
    u = sigmoid(u + h @ weight_hh[H : 2 * H].T + bias_hh[H : 2 * H])
    return (1 - u) * np.tanh(n + (r * h) @ weight_hh[2 * H :].T + bias_hh[2 * H :]) + u * h


def one_bias(library):
    """Saturates the update gate of a single unit without a bias b_hn, which tells nothing about the reset gate."""
    rows = "run"
    bias = np.array([0.0, 50, 0])
    if abs(library([1.0], [0.5], np.array([[0.0], [0], [1]]), np.ones((3, 1)), bias, 0 * bias) - 0.5) > 1e-9:
        rows = "urn"
    return {"rows": rows, "reset": "after", "update": "keeps"}


def torch_cell(x, h, weight_ih, weight_hh, bias_ih, bias_hh):
    """torch's own cell with the rows in the order z, r, n."""
    cell = torch.nn.GRUCell(x.shape[-1], h.shape[-1], dtype=torch.from_numpy(x).dtype)
    for name, array in zip(("weight_ih", "weight_hh", "bias_ih", "bias_hh"), (weight_ih, weight_hh, bias_ih, bias_hh)):
        r, u, n = np.split(array, 3)
        getattr(cell, name).data = torch.from_numpy(np.concatenate([u, r, n]))
    return cell(torch.from_numpy(x), torch.from_numpy(h)).detach().numpy()


def chung(x, h, weight_ih, weight_hh, bias_ih, bias_hh):
    """The update gate of Chung et al., at which 1 replaces."""
    r, u, n = np.split(x @ weight_ih.T + bias_ih, 3, axis=-1)
    r_h, u_h, n_h = np.split(h @ weight_hh.T + bias_hh, 3, axis=-1)
    u = sigmoid(u + u_h)
    return u * np.tanh(n + sigmoid(r + r_h) * n_h) + (1 - u) * h


def four_times(library):
    """One run more than there are."""
    zeros = [np.zeros(shape) for shape in ((1,), (1,), (3, 1), (3, 1), (3,), (3,))]
    return [library(*zeros) for _ in range(4)]


def one_minus(weight_ih, weight_hh, bias):
    """Rows of i that are 1 minus those of f."""
    H = len(bias) // 3
    return tuple(np.concatenate([1 - each[:H], each]) for each in (weight_ih, weight_hh, bias))


def at_the_end(weight_ih, weight_hh, bias):
    """The rows of i below the others."""
    H = len(bias) // 3
    return tuple(np.concatenate([each, -each[:H]]) for each in (weight_ih, weight_hh, bias))


def like_an_lstm():
    """A unit whose update gate is open as wide as it can be."""
    return np.array([[0, 0], [0, 0], [100.0, -100]]), np.array([0, 100.0, 0])


def torch_layers(x, h, c, weight_ih, weight_hh, bias, gain_x, gain_h, gain_c, bias_c):
    """torch's layer_norm for the cell state too, and the normalised one goes on."""

    def norm(z, gain, bias=None):
        weights = (None if each is None else torch.from_numpy(each) for each in (gain, bias))
        return torch.nn.functional.layer_norm(torch.from_numpy(z), z.shape[-1:], *weights).numpy()

    z = norm(x @ weight_ih.T, gain_x) + norm(h @ weight_hh.T, gain_h) + bias
    i, f, g, o = np.split(z, 4, axis=-1)
    c = norm(sigmoid(f) * c + sigmoid(i) * np.tanh(g), gain_c, bias_c)
    return sigmoid(o) * np.tanh(c), c


def unnormalised(x, h, c, weight_ih, weight_hh, bias, gain_x, gain_h, gain_c, bias_c):
    """The cell state that enters the tanh is not normalised, only scaled and shifted."""
    z = 0
    for product, gain in ((x @ weight_ih.T, gain_x), (h @ weight_hh.T, gain_h)):
        spread = np.sqrt(product.var(axis=-1, keepdims=True) + 1e-5)
        z = z + (product - product.mean(axis=-1, keepdims=True)) / spread * gain
    i, f, g, o = np.split(z + bias, 4, axis=-1)
    c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(c * gain_c + bias_c), c


WRONG = {
    "gru_by_hand": [
        (lambda: (0.5, 0.75, 0.87, 0.59), "this multiplies h by r before its weight"),
        (lambda: (0, 1.1, 0.4, 0.5), "`r` is the sigmoid of"),
    ],
    "repaired_gru": [
        (torch_cell, "the rows are split in the wrong order"),
        (chung, "the update gate is the wrong way round"),
        (paper_form, "this is the form of the paper"),
    ],
    "library_conventions": [
        (lambda library: {"rows": "run", "reset": "after", "update": "keeps"}, "the library was not run"),
        (lambda library: {"rows": "rzn", "reset": "after", "update": "keeps"}, "'rzn' is none of them"),
        (one_bias, "is the new h the old one"),
        (four_times, "the library runs three times"),
    ],
    "coupled_as_lstm": [
        (one_minus, "the gate is 1 − f, its pre-activation is not"),
        (at_the_end, "they stand as f, g, o, i"),
    ],
    "one_unit_can": [
        (lambda: dict.fromkeys("ABCDEFGH", "yes"), "can the average leave that range"),
        (lambda: dict.fromkeys("ABCDEFGH", "no"), "in C the state is kept whole"),
        (lambda: dict.fromkeys("ABCDEFGH", True), "is a truth value where a word is expected"),
    ],
    "gru_counter": [
        (like_an_lstm, "leaves the state at 0: with u = 1"),
        (lambda: (np.array([[0, 0], [0, 0], [20, -20]]), np.array([0, 5, 0])), "the state says"),
        (lambda: (np.zeros((4, 2)), np.zeros(4)), "shape (4, 2) where (3, 2) is expected"),
    ],
    "equal_units": [
        (lambda D, H: H * 4 // 3, "only the columns of the input grow with H alone"),
        (lambda D, H: 4 * H * (D + H + 2), "at least 1 and not far above H"),
    ],
    "layer_norm_step": [
        (torch_layers, "the new c is normalised before it is carried on"),
        (unnormalised, "`c` is right; `h`"),
    ],
}
