"""Plausible wrong answers to the exercises of the chapter gates, and words of the message each must get."""

from itertools import permutations

import numpy as np

from lstm_tutorial.in_numpy import lstm_cell, sigmoid


def layer(x, h, weight_ih, weight_hh, bias_ih, bias_hh):
    return x @ weight_ih.T + h @ weight_hh.T + bias_ih + bias_hh


def end_to_end(x, h, weight_ih, weight_hh, bias_ih, bias_hh):
    """The input before the hidden state, on a matrix that has them the other way round."""
    W = np.concatenate([weight_hh, weight_ih], axis=1)
    return sigmoid(np.concatenate([x, h], axis=1) @ W.T + bias_ih + bias_hh)


def state(W, b, cut, second=None):
    """A state dict from stacked rows, cut after so many columns."""
    second = np.zeros_like(b) if second is None else second
    return {"weight_ih_l0": W[:, cut:], "weight_hh_l0": W[:, :cut], "bias_ih_l0": b, "bias_hh_l0": second}


def in_the_papers_order(W_f, W_i, W_c, W_o, b_f, b_i, b_c, b_o):
    return state(np.concatenate([W_f, W_i, W_c, W_o]), np.concatenate([b_f, b_i, b_c, b_o]), len(b_f))


def input_first(W_f, W_i, W_c, W_o, b_f, b_i, b_c, b_o):
    W, b, D = np.concatenate([W_i, W_f, W_c, W_o]), np.concatenate([b_i, b_f, b_c, b_o]), W_f.shape[1] - len(b_f)
    return state(W, b, len(b_f)) | {"weight_ih_l0": W[:, :D], "weight_hh_l0": W[:, D:]}


def bias_twice(W_f, W_i, W_c, W_o, b_f, b_i, b_c, b_o):
    b = np.concatenate([b_i, b_f, b_c, b_o])
    return state(np.concatenate([W_i, W_f, W_c, W_o]), b, len(b_f), second=b)


def bias_in_the_second(W_f, W_i, W_c, W_o, b_f, b_i, b_c, b_o):
    b = np.concatenate([b_i, b_f, b_c, b_o])
    return state(np.concatenate([W_i, W_f, W_c, W_o]), 0 * b, len(b_f), second=b)


def names_swapped(W_f, W_i, W_c, W_o, b_f, b_i, b_c, b_o):
    right = state(np.concatenate([W_i, W_f, W_c, W_o]), np.concatenate([b_i, b_f, b_c, b_o]), len(b_f))
    return right | {"weight_ih_l0": right["weight_hh_l0"], "weight_hh_l0": right["weight_ih_l0"]}


def without_second_bias(W_f, W_i, W_c, W_o, b_f, b_i, b_c, b_o):
    right = state(np.concatenate([W_i, W_f, W_c, W_o]), np.concatenate([b_i, b_f, b_c, b_o]), len(b_f))
    right.pop("bias_hh_l0")
    return right


def step(order="ifgo", squash=np.tanh, shows="o", first="h"):
    """One step of an LSTM, right or with faults."""

    def run(x, h, c, weight_ih, weight_hh, bias_ih, bias_hh):
        z = dict(zip(order, np.split(layer(x, h, weight_ih, weight_hh, bias_ih, bias_hh), 4, axis=-1)))
        gates = {name: sigmoid(z[name]) for name in "ifo"}
        c_new = gates["f"] * c + gates["i"] * squash(z["g"])
        h_new = gates[shows] * np.tanh(c if first == "old" else c_new)
        return (c_new, h_new) if first == "c" else (h_new, c_new)

    return run


def depth(i, f, g, o=(0, 0, 0, 20)):
    """Rows of weights on open, close, reset, and a bias."""

    def rows():
        table = np.array([i, f, g, o], float)
        return table[:, :3], table[:, 3]

    return rows


def panel(steps=None, c=2.0, shown=lambda h: abs(h) > 0.3):
    """Run the unit once and read its five steps; the faults lie in what it is asked, or in how it is read."""
    right = [[0, 0, 0, 1], [0, 0, 0, 0], [0, 0, 1, 1], [3, 0, 0, 1], [3, 1, 0, 1]]
    patterns = {
        (1, 0, 0, 0, 1): "none",
        (1, 0, 0, 1, 1): "input open",
        (1, 0, 0, 0, 0): "input shut",
        (1, 0, 1, 1, 1): "forget open",
        (0, 0, 0, 0, 1): "forget shut",
        (1, 1, 0, 0, 1): "output open",
        (0, 0, 0, 0, 0): "output shut",
    }

    def run(box):
        x = np.array(right if steps is None else [steps.get(t, row) for t, row in enumerate(right)], float)
        seen = tuple(int(shown(h)) for h in box(x, c))
        near = min(patterns, key=lambda pattern: sum(a != b for a, b in zip(pattern, seen)))
        return patterns[near]

    return run


def four_runs(box):
    return [box(np.zeros((1, 4))) for _ in range(4)] and "none"


def by_simulation(T=5, H=3, scale=1.5, runs=1):
    """Compare with one's own LSTM under all 24 orders; weak where the weights are small or the run is short."""

    def answer(library):
        rng = np.random.default_rng(0)
        x, weights = np.ones((T, 2)), [scale * rng.normal(size=shape) for shape in ((4 * H, 2), (4 * H, H), (4 * H,))]
        for _ in range(runs):
            h = library(x, *weights)
        misses = {}
        for order in permutations("ifgo"):
            rows = [dict(zip(order, np.split(each, 4))) for each in weights]
            mine = [np.concatenate([each[name] for name in "ifgo"]) for each in rows]
            state, found = (np.zeros(H), np.zeros(H)), []
            for x_t in x:
                state, _ = lstm_cell(x_t, state, *mine, np.zeros(4 * H))
                found.append(state[0])
            misses["".join(order)] = float(np.abs(np.array(found) - h).max().round(2))
        return min(misses, key=misses.get)

    return answer


def confuses(find, a, b):
    """An experiment that cannot tell two answers, or two letters of an answer, apart."""

    def answer(box):
        return find(box).replace(a, "?").replace(b, a).replace("?", b)

    return answer


WRONG = {
    "kept_by_hand": [
        (lambda: 0.62, "not what is kept: multiply"),
        (lambda: 1.65, "`bias_hh` were left out"),
        (lambda: 1.39, "tanh, a gate needs the sigmoid"),
        (lambda: 2.91, "`h` had the wrong sign"),
        (lambda: 1.5, "has not gone through the sigmoid"),
        (lambda: 1.13, "what is lost"),
    ],
    "forget_gate": [
        (lambda *inputs: 1 - sigmoid(layer(*inputs)), "upside down"),
        (lambda *inputs: np.tanh(layer(*inputs)), "uses tanh where the sigmoid"),
        (layer, "the sigmoid is missing"),
        (lambda *inputs: sigmoid(layer(*inputs[:5], 0)), "`bias_hh` were left out"),
        (lambda x, h, weight_ih, *rest: sigmoid(x @ weight_ih.T + rest[1] + rest[2]), "`h` were left out"),
        (lambda x, h, weight_ih, *rest: sigmoid(x @ weight_ih + h @ rest[0]), "it raised ValueError"),
        (end_to_end, "end to end the other way round"),
    ],
    "stacked_weights": [
        (in_the_papers_order, "in the paper's order"),
        (input_first, "as if the input came first"),
        (bias_twice, "counts twice"),
        (bias_in_the_second, "put it into `bias_ih_l0`"),
        (names_swapped, "`weight_ih_l0` has shape"),
        (without_second_bias, "the dict lacks 'bias_hh_l0'"),
    ],
    "repaired_gates": [
        (step("ifog", sigmoid, "i"), "three faults are left"),
        (step("ifog"), "one fault is left: the rows are split in the wrong order"),
        (step(squash=sigmoid), "one fault is left: the candidate cannot be negative"),
        (step(shows="i"), "one fault is left: the wrong gate decides"),
        (step("ifog", shows="i"), "two faults are left"),
        (step(first="c"), "in another order"),
        (step(first="old"), "from the old cell state"),
    ],
    "listener_states": [
        (lambda: [0, 1, 1, 1, 1, 1], "a latch that only sets"),
        (lambda: [0, 1, 1, 1, 2, 3], "this counts pulses"),
        (lambda: [0, 1, 1, 1, 0, 1], "adds the candidate"),
        (lambda: [0, 1, 0, 0, 1, 1], "forgets as soon as the pulse is over"),
        (lambda: [0, 0.76, 0.76, 0.76, -0.76, 0.76], "these are the hidden states"),
        (lambda: [1, 1, 1, -1, 1], "5 results came where 6"),
    ],
    "depth_counter": [
        # a closing bracket that erases
        (depth((0, 0, 0, 20), (0, -40, -40, 20), (20, 0, 0, 0)), "goes wrong at a closing bracket"),
        # a candidate that is always 1, as the latch has it
        (depth((40, 40, 0, -20), (0, 0, -40, 20), (0, 0, 0, 20)), "goes wrong at a closing bracket"),
        # weights too small for an open forget gate
        (depth((0, 0, 0, 2), (0, 0, -4, 2), (2, -2, 0, 0)), "it first goes wrong at"),
        # no reset
        (depth((0, 0, 0, 20), (0, 0, 0, 20), (20, -20, 0, 0)), "goes wrong at a reset"),
        # the rows f and i swapped
        (depth((0, 0, -40, 20), (0, 0, 0, 20), (20, -20, 0, 0)), "goes wrong at a reset"),
        (lambda: (np.zeros((3, 4)), np.zeros(4)), "`weight_ih` has shape"),
    ],
    "stuck_gate": [
        (confuses(panel(), "input shut", "output shut"), "start from a cell state that nobody had to write"),
        (confuses(panel(), "forget shut", "output shut"), "look in the very step that writes"),
        (panel({3: [0, 0, 0, 1]}), "where a value comes without a write"),
        (panel({2: [0, 0, 1, 0]}), "where something in the cell is erased"),
        (panel({1: [0, 0, 0, 1]}), "a shut one near 0"),
        (panel(shown=lambda h: h > 0.3), "whose output gate is stuck open for one"),
        (panel(shown=lambda h: h != 0), "whose forget gate is stuck open"),
        (four_runs, "the unit runs three times"),
        (lambda box: "none", "the unit was not run"),
        (lambda box: "the forget gate", "the answers are none, input open"),
    ],
    "row_order": [
        (by_simulation(T=1, scale=0.1), "a single step starts from an empty cell"),
        (by_simulation(scale=0.02), "is there anything in the cell to keep"),
        (confuses(by_simulation(), "i", "o"), "i and o are taken for each other"),
        (confuses(by_simulation(), "f", "i"), "i and f are taken for each other"),
        (confuses(by_simulation(), "g", "i"), "only the candidate can be negative"),
        (by_simulation(runs=7), "the library runs six times"),
        (lambda library: "ifgo", "the library was not run"),
        (lambda library: "igo", "each once"),
    ],
}
