"""The exercises of the chapter after-lstm."""

from itertools import product

import numpy as np

from lstm_tutorial.exercises import Box, exercise
from lstm_tutorial.exercises.chapters.numpy_lstm import other_words
from lstm_tutorial.in_numpy import linear_scan, linear_scan_backward, sigmoid

PASSES = {
    "a3": "after pass 1, the factor that leads from step 1 to step 3: the product of two",
    "a4": "after pass 1, the factor that leads from step 2 to step 4: the product of two",
    "b3": "after pass 1, a_3 b_2 + b_3",
    "b4": "after pass 1, a_4 b_3 + b_4",
    "h3": "in pass 2, the new a_3 times the b of step 1, plus the new b_3",
    "h4": "in pass 2, the new a_4 times the new b_2, plus the new b_4",
}


@exercise(
    "A scan by hand",
    names=", ".join(PASSES),
    turns={
        "the factors are joined as well: the one of two steps is the product of both": dict(factor=lambda a, b: b),
        "two factors in a row multiply, they do not add": dict(factor=lambda a, b: a + b),
        "the earlier step is multiplied by the factor of the later one": dict(
            added=lambda a, b, a_next, b_next: a * b_next + b
        ),
        "pass 2 joins each step with the one two before it: the distance has doubled": dict(distance=1),
    },
    diagnose=lambda got, want: next(
        f"`{name}` is {words}" for (name, words), a, b in zip(PASSES.items(), got, want) if abs(a - b) > 0.005
    ),
    decimals=2,
)
def scan_by_hand(*, factor=lambda a, b: a * b, added=lambda a, b, a_next, b_next: a_next * b + b_next, distance=2):
    a, b = [0.5, 2.0, -1.0, 0.5], [1.0, 0.0, 3.0, 2.0]
    a_1 = [a[0], *(factor(a[t - 1], a[t]) for t in (1, 2, 3))]
    b_1 = [b[0], *(added(a[t - 1], b[t - 1], a[t], b[t]) for t in (1, 2, 3))]
    h = [added(a_1[t - distance], b_1[t - distance], a_1[t], b_1[t]) for t in (2, 3)]
    return [a_1[2], a_1[3], b_1[2], b_1[3], *h]


def draw_scan(trial):
    """Draw factors and additions of enough steps for four passes or more."""
    T, H = trial.choice(9, 13, 17), trial.sizes("H D")[0]
    return trial.normal(T, H), trial.normal(T, H)


@exercise(
    "Three faults in a scan",
    draw=draw_scan,
    names="h",
    axes="T H",
    same_as=linear_scan,
    combine=3,
    turns={
        "the distance should double with every pass": dict(grow=lambda distance: distance + 1),
        "the first steps are finished: they stay what they are": dict(kept=0),
        "what was added earlier is multiplied by the factor of the later steps, not of the earlier": dict(
            factor="earlier"
        ),
        "the factors are joined as well, by a product": dict(joined="not"),
        "the factors of joined steps multiply, they do not add": dict(joined="sum"),
        "b needs the old a: join b first, or keep the old a": dict(first="a"),
        "what the later steps add is lost": dict(adds=0),
        "the passes end too early": dict(reach=2),
    },
)
def repaired_scan(
    a, b, *, grow=lambda distance: 2 * distance, kept=1, factor="later", joined="product", first="b", adds=1, reach=1
):
    distance = 1
    while reach * distance < len(b):
        late, early = a[distance:], a[:-distance]
        new = {"product": late * early, "sum": late + early, "not": late}[joined]
        a_next = np.concatenate([a[:distance], new])
        by = {"later": (a_next if first == "a" else a)[distance:], "earlier": early}[factor]
        b = np.concatenate([kept * b[:distance], by * b[:-distance] + adds * b[distance:]])
        a, distance = a_next, grow(distance)
    return b


def draw_recurrence(trial):
    """Draw the gradient of h, factors, and the states of a linear recurrence."""
    T, H = trial.sizes("T H")
    a, b, h = trial.normal(T, H), trial.normal(T, H), np.zeros((T + 1, H))
    for t in range(T):
        h[t + 1] = a[t] * h[t] + b[t]
    return trial.normal(T, H), a, h[1:]


@exercise(
    "The scan backwards",
    draw=draw_recurrence,
    names="d_a, d_b",
    order="d_b, d_a",
    axes="T H, T H",
    same_as=linear_scan_backward,
    turns={
        "d_b at a step is d_h alone: later steps have read that state too": dict(later="none"),
        "the gradient of step t + 1 comes back through the factor of step t + 1, not of step t": dict(later="own"),
        "the gradient comes back without a factor": dict(later="whole"),
        "this runs from the first step to the last: gradients come from later steps": dict(later="forward"),
        "d_a is d_b times the state before the step, h_{t−1}, not the one after it": dict(before=False),
        "d_a takes d_h: it should take the whole gradient of the state, which is d_b": dict(whole=False),
    },
)
def scan_gradients(d_h, a, h, *, later="next", before=True, whole=True):
    T, d_b = len(h), d_h.copy()
    for t in range(1, T) if later == "forward" else reversed(range(T - 1)):
        if later == "forward":
            d_b[t] += a[t] * d_b[t - 1]
        else:
            d_b[t] += {"next": a[t + 1], "own": a[t], "whole": 1, "none": 0}[later] * d_b[t + 1]
    state = np.concatenate([0 * h[:1], h[:-1]]) if before else h
    return (d_b if whole else d_h) * state, d_b


LAYERS = {
    "A": ("yes", "in A the gate reads x alone: what does its a or b at step 100 wait for?"),
    "B": ("no", "in B the gates read h: what must be known before the gates of step 100?"),
    "C": ("no", "in C the gates read h, and an exponential changes nothing about that"),
    "D": ("no", "in D the difference of the two states is multiplied by numbers above 0: can it change its sign?"),
    "E": ("yes", "in E a factor below 0 turns the difference of the two states around"),
    "F": ("yes", "in F nothing is forgotten, and each bracket adds 1 or −1"),
    "G": ("no", "in G there are five keys: how many directions at right angles have four dimensions?"),
    "H": ("yes", "in H every key and every value is kept"),
}


@exercise("What these layers can do", words="yes, no", turns=other_words(LAYERS))
def layers_can(**answers):
    return {name: answers.get(name, word) for name, (word, _) in LAYERS.items()}


def verify_parity(answer, trial):
    """Run the unit on all strings of ten bits and on longer ones."""
    factor, add, level = (np.asarray(each, float) for each in answer)
    if not np.all(abs(factor) <= 1):
        return "a factor lies outside of −1 to 1: the state may then grow without an end"
    all_short = np.array(list(product((0, 1), repeat=10)))
    words = all_short, trial.rng.integers(2, size=(20, 60)), np.eye(1, 200, dtype=int)
    for bits in words:
        h = np.zeros(len(bits))
        for t in range(bits.shape[1]):
            h = factor[bits[:, t]] * h + add[bits[:, t]]
            odd = bits[:, : t + 1].sum(axis=1) % 2 == 1
            wrong = (h > level) != odd
            if wrong.any():
                k = wrong.argmax()
                word = "".join(map(str, bits[k, : t + 1])) if t < 60 else f"a one and {t} zeros"
                why = ""
                if factor[1] >= 0:
                    why = "; with a factor of 0 or more on a one, the larger of two states remains the larger"
                elif factor[0] < 1:
                    why = "; a zero should leave the state as it is"
                return f"after {word} the state is {h[k]:.3g}, so it says {'even' if odd[k] else 'odd'}{why}"


@exercise(
    "Parity in one linear unit",
    verify=verify_parity,
    names="factor, add, level",
    turns={
        "the larger of two states remains the larger": [
            dict(factor=(1, 1)),
            dict(factor=(1, 0.5)),
            dict(factor=(1, 0)),
        ],
        "a zero should leave the state as it is": dict(factor=(0.9, -1)),
        "so it says even": dict(level=2),
        "so it says odd": dict(level=-1),
        "a factor lies outside of −1 to 1": dict(factor=(1, -2)),
    },
    dtypes=("float64",),
)
def parity_unit(*, factor=(1, -1), add=(0, 1), level=0.5):
    return np.array(factor, float), np.array(add, float), float(level)


class LayerBox(Box):
    """One unit of a layer, of which nobody has said what its gate reads and how large its factors are."""

    runs, budget = 3, "the layer runs three times"

    def __init__(self, trial):
        super().__init__()
        self.gates, self.factors = trial.choice(*product(("x", "h"), ("positive", "signed")))
        self.from_x, self.from_h, self.adds = trial.rng.uniform(1, 2, 3) * trial.rng.choice([-1, 1], 3)
        self.bias = trial.rng.uniform(-0.5, 0.5)

    def answer(self, x, h):
        x, h = np.broadcast_arrays(np.asarray(x, float), np.asarray(h, float))
        self.asked.append((x, h))
        a = sigmoid(self.from_x * x + self.bias + (self.from_h * h if self.gates == "h" else 0))
        return (2 * a - 1 if self.factors == "signed" else a) * h + np.tanh(self.adds * x)


def diagnose_layer(got, want, layer):
    if not layer.asked:
        return "the layer was not run"
    if got["gates"] != want["gates"]:
        return "`gates` is not right: for one x, does the new h lie on a straight line over three values of the old h?"
    return "`factors` is not right: the factor is what the new h gains with the old one; is it below 0 at some x?"


@exercise(
    "Which layer is in the box?",
    draw=lambda trial: (LayerBox(trial),),
    diagnose=diagnose_layer,
    words="x, h, positive, signed",
    dtypes=("float64",),
    trials=24,
)
def kind_of_layer(layer):
    return {"gates": layer.gates, "factors": layer.factors}


def draw_slstm(trial):
    """Draw pre-activations, a candidate and the state of an sLSTM, stabilised: n is at least 1."""
    B, H = trial.sizes("B H")
    z_i, z_f = trial.scores(B, H), trial.scores(B, H)
    return z_i, z_f, np.tanh(trial.normal(B, H)), trial.normal(B, H), 1 + trial.rng.random((B, H)), trial.normal(B, H)


def log_sigmoid(z):
    """Return log(sigmoid(z)) without underflow."""
    return -np.logaddexp(0, -z)


@exercise(
    "The stabiliser of an sLSTM",
    draw=draw_slstm,
    names="c, n, m",
    order="m, c, n",
    axes="B H, B H, B H",
    turns={
        "m leaves out the old m: what was kept is scaled by it": dict(kept_of=lambda z, m: log_sigmoid(z)),
        "m takes z_f: f is a sigmoid, so its logarithm is meant": dict(kept_of=lambda z, m: z + m),
        "m is the smaller of the two: the larger exponent must become 0": dict(larger=np.minimum),
        "the old m is missing in the factor of what was kept": dict(keep=lambda kept, m_prev, m: kept - m_prev - m),
        "the input gate is not divided by e^m": dict(scaled=False),
        "n takes the candidate: it sums the gates alone": dict(summed=True),
    },
    tolerance=1e-7,
)
def slstm_state(
    z_i, z_f, g, c, n, m,
    *, kept_of=lambda z, m: log_sigmoid(z) + m, larger=np.maximum, keep=lambda kept, m_prev, m: kept - m,
    scaled=True, summed=False,
):  # fmt: skip
    with np.errstate(over="ignore", invalid="ignore"):
        kept = kept_of(z_f, m)
        new = larger(kept, z_i)
        f, i = np.exp(keep(kept, m, new)), np.exp(z_i - new * scaled)
        return f * c + i * g, f * n + (i * g if summed else i), new


def draw_memory(trial):
    """Draw keys, values and gates of a matrix memory, and a query."""
    T, D, H = trial.sizes("T D H")
    return trial.normal(T, D), trial.normal(T, H), trial.rng.random(T), trial.rng.random(T), trial.normal(D)


@exercise(
    "A matrix that remembers pairs",
    draw=draw_memory,
    names="C, value",
    axes="H D, H",
    turns={
        "`C` has keys in its rows: a value times a key transposed has the values there": dict(order="kv"),
        "the forget gate is left out: it multiplies the matrix before the new pair is added": dict(forgets="never"),
        "the forget gate multiplies the new pair too: it belongs to the old matrix": dict(forgets="all"),
        "the input gate is left out": dict(gated=False),
        "only the last pair is in the matrix: pairs are added": dict(forgets="everything"),
    },
)
def matrix_memory(keys, values, f, i, query, *, order="vk", forgets="old", gated=True):
    C = np.zeros((values.shape[1], keys.shape[1]))
    for k, v, f_t, i_t in zip(keys, values, f, i):
        pair = (i_t if gated else 1) * np.outer(v, k)
        C = {"old": f_t * C + pair, "never": C + pair, "all": f_t * (C + pair), "everything": pair}[forgets]
    return (C.T if order == "kv" else C), C @ query
