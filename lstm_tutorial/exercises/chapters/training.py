"""The exercises of the chapter training."""

import math
import operator

import numpy as np

from lstm_tutorial.exercises import Box, exercise, identity
from lstm_tutorial.exercises.chapters.numpy_lstm import other_words
from lstm_tutorial.in_numpy import lstm_cell


def diagnose_clipping(got, want):
    parts = {
        "the norm is the root of the sum of all squares, over both arrays together": slice(1),
        "clipping by norm multiplies all three numbers by one factor, which makes their norm 2.6": slice(1, 4),
        "clipping by value looks at each number alone: where is it larger than 2.6, where smaller than -2.6?": slice(
            4, 7
        ),
        "the cosine of two vectors is their inner product over the product of their norms": slice(7, 8),
    }
    off = np.abs(np.hstack(got) - np.hstack(want)) > 0.005
    return next(words for words, part in parts.items() if off[part].any())


@exercise(
    "Clipping by hand",
    names="norm, by_norm, by_value, cosine",
    turns={
        "each array is clipped by its own norm: the two belong to one step, so take one norm of all three": dict(
            by_norm=[3 * 2.6 / 5, -4 * 2.6 / 5, 2.6]
        ),
        "this clips by value where the norm is expected": dict(by_norm=[2.6, -2.6, 2.6]),
        "a clipped number keeps its sign": dict(by_value=[2.6, 2.6, 2.6]),
        "divided by the norm alone the gradient has the norm 1, and 2.6 is allowed": dict(
            by_norm=[3 / 13, -4 / 13, 12 / 13]
        ),
        "the norms of the two arrays do not add up: the squares do": dict(norm=5 + 12),
        "these are absolute values added up: the norm is the root of the sum of squares": dict(norm=19),
        "the root is missing": dict(norm=169),
        "the cosine compares the clipped vector with the gradient: divide by both norms": [
            dict(cosine=value) for value in (19, 49.4, 19 / 13, 3.8, 19 / 3**0.5)
        ],
    },
    diagnose=diagnose_clipping,
    decimals=2,
)  # fmt: skip
def clipping_by_hand(*, norm=13.0, by_norm=(0.6, -0.8, 2.4), by_value=(2.6, -2.6, 2.6), cosine=19 / 13 / 3**0.5):
    return norm, np.array(by_norm), np.array(by_value), cosine


def uniform_lag(u, T_max):
    """Return 1 where u is 0, T_max - 1 where it is 1, and a straight line between."""
    return 1 + (T_max - 2) * u


@exercise(
    "Biases for a range of lags",
    draw=lambda trial: (trial.rng.random(trial.sizes("H")), int(trial.choice(3, 12, 50, 300))),
    names="bias_ih, bias_hh",
    axes="4H, 4H",
    combine=2,
    turns={
        "`bias_hh` holds the biases as well, so each gate gets twice its value: one of the two is zero": dict(second=1),
        "the input gate's bias is the negative of the forget gate's": [dict(i=1), dict(i=0)],
        "the value in the logarithm is uniform from 1 to T_max - 1, not the bias itself": dict(
            bias=lambda u, T: u * np.log(T - 1)
        ),
        "the logarithm is missing: the bias is that of the value": dict(bias=uniform_lag),
        "the logarithm is the natural one": [
            dict(bias=lambda u, T, log=log: log(uniform_lag(u, T))) for log in (np.log2, np.log10)
        ],
        "the range begins at 1: from 0 on the bias could be minus infinity": [
            dict(bias=lambda u, T, to=to: np.log((T - to) * u)) for to in (0, 1, 2)
        ],
        "the range ends at T_max - 1": [
            dict(bias=lambda u, T, to=to: np.log(1 + (T - to) * u)) for to in (0, 1, 3)
        ],
        "every unit has the same bias: each should have its own, from its own number in `u`": [
            dict(bias=lambda u, T, f=f: f(T) + 0 * u) for f in (lambda T: np.log(T - 1), np.log)
        ],
        "the candidate and the output gate get no bias": [dict(g=1), dict(o=1)],
    },
)  # fmt: skip
def chrono_biases(u, T_max, *, bias=lambda u, T: np.log(uniform_lag(u, T)), i=-1, g=0, o=0, second=0):
    b = bias(u, T_max)
    rows = np.concatenate([i * b, b, g * b, o * b])
    return rows, second * rows


def verify_blocks(weight_hh, trial, H, rng):
    blocks = np.split(np.asarray(weight_hh, float), 4)
    for name, block in zip(("input gate", "forget gate", "candidate", "output gate"), blocks):
        sizes = np.linalg.svd(block, compute_uv=False)
        if abs(sizes - 1).max() > 1e-6:
            words = f"by the rows of the {name} a state comes out {sizes[-1]:.2f} to {sizes[0]:.2f} times as long"
            together = np.linalg.svd(np.concatenate(blocks), compute_uv=False)
            hint = "all 4H rows together keep every length, but a gate reads its own H rows alone"
            return f"{words}: {hint if np.ptp(together) < 1e-6 else 'make each block orthogonal'}"
    if any(np.allclose(a, b) for k, a in enumerate(blocks) for b in blocks[:k]):
        return "two of the four blocks are the same: draw each by itself"
    if any(abs(block).max() > 1 - 1e-9 for block in blocks):
        return "some unit reads a single unit: make the matrices of random numbers"
    return None


def orthogonal(rows, rng, H):
    """Return a matrix of so many rows with orthonormal columns, made of random numbers."""
    return np.linalg.qr(rng.normal(size=(rows, H)))[0]


@exercise(
    "Orthogonal, gate by gate",
    draw=lambda trial: (*trial.sizes("H", H=2), np.random.default_rng(int(trial.rng.integers(1000)))),
    verify=verify_blocks,
    names="weight_hh",
    axes="4H H",
    turns={
        "a gate reads its own H rows alone": dict(made=lambda rng, H: orthogonal(4 * H, rng, H)),
        "make each block orthogonal": [
            dict(made=lambda rng, H: rng.normal(size=(4 * H, H)) / np.sqrt(H)),
            dict(made=lambda rng, H: rng.uniform(-1, 1, (4 * H, H)) / np.sqrt(H)),
        ],
        "two of the four blocks are the same": dict(made=lambda rng, H: np.tile(orthogonal(H, rng, H), (4, 1))),
    },
    dtypes=("float64",),
)
def orthogonal_blocks(H, rng, *, made=lambda rng, H: np.concatenate([orthogonal(H, rng, H) for _ in range(4)])):
    return made(rng, H)


def draw_dropped(trial):
    """Draw a batch, its states, the weights, a number from 0 to 1 for each unit that may be dropped, and p."""
    T, B, D, H = trial.sizes("T B D H")
    weights = tuple(trial.normal(*shape) for shape in ((4 * H, D), (4 * H, H), (4 * H,), (4 * H,)))
    states, u = trial.normal(2, B, H), (trial.rng.random((B, D)), trial.rng.random((B, H)))
    return trial.normal(T, B, D), *states, weights, *u, trial.choice(0.25, 0.5, 0.1, 0.0)


def mask(u, p):
    """Return 0 with probability p, else 1 / (1 - p)."""
    return (u >= p) / (1 - p)


@exercise(
    "One mask for all steps",
    draw=draw_dropped,
    names="output, h, c",
    axes="T B H, B H, B H",
    combine=2,
    turns={
        "what is kept is not enlarged: divide the mask by 1 - p": dict(mask=lambda u, p: 1.0 * (u >= p)),
        "the mask is upside down: u below p means dropped, which happens with probability p": dict(
            mask=lambda u, p: (u < p) / (1 - p)
        ),
        "the cell state is masked too: what it has stored would be lost": dict(cell=True),
        "h is masked for good, in the output as well: the mask is for what the gates read": dict(kept=True),
        "the hidden state that the gates read is not masked": dict(hidden=False),
        "the input is not masked": dict(inputs=False),
        "the mask holds for all steps, not for the first alone": dict(first=True),
        "every sample has its own mask: here the first one's serves all": dict(shared=True),
        "what is kept is divided by 1 - p, the share that is kept": [
            dict(mask=lambda u, p: (u >= p) / (p or 1)), dict(mask=lambda u, p: (u >= p) * (1 - p))
        ],
        "dropped is what lies below p, a share of p": dict(mask=lambda u, p: (u >= 1 - p) / (1 - p)),
    },
)  # fmt: skip
def dropout_lstm(
    x, h, c, weights, u_x, u_h, p,
    *, mask=mask, cell=False, kept=False, hidden=True, inputs=True, first=False, shared=False,
):  # fmt: skip
    mask_x, mask_h = ((mask(u[:1] if shared else u, p) + 0 * u).astype(x.dtype) for u in (u_x, u_h))
    output = []
    for t, x_t in enumerate(x):
        x_mask, h_mask = (1 if t and first else each for each in (mask_x, mask_h))
        read = (h * h_mask if hidden else h), (c * h_mask if cell else c)
        (h, c), _ = lstm_cell(x_t * x_mask if inputs else x_t, read, *weights)
        h = h * h_mask if kept else h
        output.append(h)
    return np.stack(output), h, c


def draw_update(trial):
    """Draw a weight, its gradient, 0 or tiny in places, Adam's running means, the step's number, a rate, a decay."""
    shape = trial.sizes("H D")
    weight, gradient, mean = 3 * trial.normal(*shape), trial.normal(*shape), 0.3 * trial.normal(*shape)
    gradient *= trial.rng.choice([1, 1, 1, 0, 1e-6], shape)
    t, rate, decay = trial.choice(1, 2, 5, 40), trial.log_uniform(0.003, 0.1), trial.log_uniform(0.05, 2)
    start = t > 1  # both means are 0 before the first step
    return weight, gradient, start * mean, start * (mean**2 + 0.1 * trial.rng.random(shape)), t, rate, decay


@exercise(
    "Decay beside Adam",
    draw=draw_update,
    names="weight, mean, square",
    axes="H D, H D, H D",
    order="mean, square, weight",
    turns={
        "the decay is in the gradient, where Adam divides it by the root of `square`: take it from the weight": dict(
            inside=1, outside=0
        ),
        "the decay is taken twice, in the gradient and from the weight": dict(inside=1),
        "the decay is not multiplied by the learning rate": dict(outside=lambda rate: 1),
        "the decay is added, it should make the weight smaller": dict(outside=lambda rate: -rate),
        "there is no decay": dict(outside=lambda rate: 0),
        "the decay belongs to the weight before the step, not to the one after it": dict(late=True),
        "neither mean is corrected for its start at 0": dict(corrected=()),
        "`square` is not corrected for its start at 0": dict(corrected=("mean",)),
        "`mean` is not corrected for its start at 0": dict(corrected=("square",)),
        "the root of `square` is missing": dict(root=identity),
        "the step goes along `mean`, the running mean, not along the newest gradient": dict(along="gradient"),
        "the corrected means are returned, the next step needs them as they are": dict(returned="corrected"),
        "`mean` keeps nine tenths, `square` 999 thousandths": [
            dict(keeps=each) for each in ((0.999, 0.9), (0.9, 0.9), (0.999, 0.999), (0.1, 0.001))
        ],
        "`square` is the running mean of the gradient's squares": [
            dict(squared=each) for each in (identity, np.abs)
        ],
    },
)  # fmt: skip
def decayed_step(
    weight, gradient, mean, square, t, rate, decay,
    *, inside=0, outside=identity, late=False, corrected=("mean", "square"), root=np.sqrt, along="mean",
    returned="running", keeps=(0.9, 0.999), squared=np.square,
):  # fmt: skip
    gradient = gradient + inside * decay * weight
    first, second = keeps
    mean = first * mean + (1 - first) * gradient
    square = second * square + (1 - second) * squared(gradient)
    mean_hat = mean / (1 - first**t if "mean" in corrected else 1)
    square_hat = square / (1 - second**t if "square" in corrected else 1)
    step = rate * (gradient if along == "gradient" else mean_hat) / (root(square_hat) + 1e-8)
    lost = (outside(rate) if outside else 0) * decay * (weight - step if late else weight)
    means = (mean_hat, square_hat) if returned == "corrected" else (mean, square)
    return weight - step - lost, *means


class Network:
    """A simulated one: its weights change in place, and its validation loss has a minimum some way into training.

    It starts in training mode, in which dropout disturbs the loss. An epoch in evaluation mode trains without dropout.
    """

    def __init__(self, trial):
        n, rng = 60, trial.rng
        best, span = rng.integers(12, 25), np.arange(n)
        curve = 1 + 0.002 * (span - best) ** 2 / (1 + 0.05 * abs(span - best)) + rng.uniform(0, 0.02, n)
        up = rng.choice(np.arange(2, best), size=best // 3, replace=False)
        curve[up] += 0.3  # bad epochs, one at a time or a few in a row
        self._loss = {
            True: curve,
            False: curve[np.maximum(span - 4, 0)] + 0.1,
        }  # trained with dropout throughout, or not
        self._noise = rng.uniform(0.2, 1.2, n)
        self._steps = {name: trial.normal(n, *shape) for name, shape in {"weight": (3, 2), "bias": (3,)}.items()}
        self.weights = {name: steps[0].copy() for name, steps in self._steps.items()}
        self._training, self._epochs, self._dropped = True, 0, True

    def train(self):
        """Switch dropout on."""
        self._training = True

    def eval(self):
        """Switch dropout off."""
        self._training = False

    def epoch(self):
        """Train for one epoch: change the weights in place."""
        self._epochs += 1
        self._dropped &= self._training
        for name, weight in self.weights.items():
            weight += self._steps[name][self._epochs] * (1 if self._training else 0.5)

    def loss(self):
        """Return the loss on the validation part."""
        loss = self._loss[self._dropped][self._epochs]
        return round(float(loss + self._noise[self._epochs] * self._training), 2)


def copied(weights):
    """Return a dict with a copy of each array."""
    return {name: array.copy() for name, array in weights.items()}


@exercise(
    "The best weights, which were the last",
    draw=lambda trial: (Network(trial), trial.choice(1, 2, 3, 5), int(trial.choice(12, 40, 40, 25))),
    combine=3,
    turns={
        "these are the weights of the last epoch: training changes the arrays that were kept, so copy each of them": [
            dict(copied=identity),
            dict(copied=dict),
        ],
        "`waited` counts all epochs without a new best loss, it should count those in a row": dict(reset=False),
        "the loss is measured with dropout on: switch to `eval()` before it": dict(measured="train"),
        "after the first loss it trains on without dropout: switch back with `train()`": dict(trained="eval"),
        "it stops one epoch too late: stop when `waited` reaches `patience`": dict(late=1),
        "it stops one epoch too early: stop when `waited` reaches `patience`": dict(late=-1),
        "these are the weights before the first epoch": dict(start=True),
        "a loss that only equals the best one is no improvement": dict(better=operator.le),
        "it never stops before the budget ends": dict(late=100),
    },
    dtypes=("float64",),
    names="epochs",
    trials=16,
)
def keep_the_best(
    network,
    patience,
    budget,
    *,
    copied=copied,
    reset=True,
    measured="eval",
    trained="train",
    late=0,
    start=False,
    better=operator.lt,
):
    kept, best, waited, epochs = copied(network.weights), math.inf, 0, 0
    while epochs < budget and waited < max(patience + late, 1):
        network.epoch()
        epochs += 1
        getattr(network, measured)()
        loss = network.loss()
        getattr(network, trained)()
        if better(loss, best):
            best, waited = loss, 0 if reset else waited
            kept = kept if start else copied(network.weights)
        else:
            waited += 1
    return kept, epochs


RUNS = {
    "A": ("regularise", "in A the two losses part: what does the network learn after epoch 20, and for whom?"),
    "B": ("enlarge", "in B both losses are flat and near each other: is there anything that it learns by heart?"),
    "C": ("train longer", "in C look at the last two columns: have the losses come to an end?"),
    "D": ("lower the rate", "in D the training loss itself goes up and down: does the optimiser get anywhere?"),
    "E": ("clip", "in E all is well until one step: how large is the gradient there beside the usual one?"),
    "F": ("check the split", "in F the validation loss falls as far as the training loss: can new names be so easy?"),
}


@exercise("Six runs and their curves", words=", ".join(dict(RUNS.values())), turns=other_words(RUNS))
def read_the_curves(**answers):
    return {run: answers.get(run, word) for run, (word, _) in RUNS.items()}


STEPS, CALLS = 50, 200


class Cliff(Box):
    """One recurrent unit over fifty steps, h = sigmoid(w h + b) from h = 0.5 on, and a target for its last state."""

    runs, budget = CALLS, f"the network can be evaluated {CALLS} times"

    def __init__(self, target):
        super().__init__()
        self.target = target

    def answer(self, w, b):
        w, b = float(w), float(b)
        h, by_w, by_b = 0.5, 0.0, 0.0  # the state, and how it changes with w and with b
        for _ in range(STEPS):
            new = 0.5 + 0.5 * math.tanh(0.5 * (w * h + b))
            slope = new * (1 - new)
            by_w, by_b, h = slope * (h + w * by_w), slope * (1 + w * by_b), new
        error = h - self.target
        found = error**2, 2 * error * by_w, 2 * error * by_b
        self.asked.append((w, b, *found))
        return found


def draw_start(trial):
    """Draw a start at the edge where gradients explode, or near it."""
    b = trial.rng.uniform(-4, -2.4)
    off = trial.choice(0.01 * trial.normal(), trial.rng.uniform(-1, 1.5))
    return Cliff(float(trial.rng.uniform(0.62, 0.78))), float(off - 2 * b), float(b)


def verify_descent(answer, trial, network, w, b):
    """Say why the end of a descent is no minimum: from where it was evaluated."""
    asked = np.array(network.asked)
    end = [float(each) for each in answer]
    loss = network.answer(*end)[0]
    if loss < 1e-3:
        return None
    if len(asked) < 2:
        return "the network was evaluated once at most: what is the gradient at the next point?"
    points, losses, norms = asked[:, :2], asked[:, 2], np.hypot(asked[:, 3], asked[:, 4])
    if np.nanmin(losses) < 1e-3:
        return f"it met a loss of {np.nanmin(losses):.1g} on its way and returned another point, of loss {loss:.2g}"
    moves = np.linalg.norm(np.diff(np.vstack([points, end]), axis=0), axis=1)
    far = int(np.nanargmax(moves))
    if not np.nanmax(moves) <= 2:
        words = f"at call {far + 1} the gradient has the norm {norms[far]:.1g}, and the step after it the length"
        return f"{words} {moves[far]:.2g}: bound the step"
    travelled = np.nanmax(np.linalg.norm(points - points[0], axis=1))
    if travelled < 1:
        words = f"in {len(asked)} calls it came no further than {travelled:.2g}"
        return f"{words}: where the gradient is small the steps are too, so use a larger rate with the bound"
    return f"it ends at a loss of {loss:.2g}: the largest step is {np.nanmax(moves):.2g} long, is there time for more?"


@exercise(
    "Past the cliff",
    draw=draw_start,
    verify=verify_descent,
    names="w, b",
    turns={
        "bound the step": [dict(limit=math.inf, rate=rate) for rate in (3.0, 10.0)] + [dict(rate=30.0)],
        "use a larger rate with the bound": dict(rate=0.003),
        "is there time for more": dict(rate=1.0, limit=0.1),
        "returned another point": dict(back=True),
        "evaluated once at most": dict(calls=1),
    },
    dtypes=("float64",),
    trials=24,
)
def descend(network, w, b, *, rate=3.0, limit=0.3, calls=CALLS, back=False):
    start = w, b
    for _ in range(calls):
        loss, d_w, d_b = network(w, b)
        if loss < 1e-4:
            break
        scale = rate * min(1, limit / max(math.hypot(d_w, d_b), 1e-300))
        w, b = w - scale * d_w, b - scale * d_b
    return start if back else (w, b)
