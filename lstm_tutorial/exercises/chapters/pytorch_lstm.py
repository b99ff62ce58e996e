"""The exercises of the chapter pytorch-lstm. torch is imported where it is needed, never with the module."""

import copy
import math
from itertools import product

import numpy as np

from lstm_tutorial.exercises import Box, exercise, identity
from lstm_tutorial.exercises.chapters.shapes import torch_lstm
from lstm_tutorial.exercises.matching import Misfit, is_tensor, match
from lstm_tutorial.in_numpy import LSTM, sigmoid, tanh


@exercise(
    "Two biases, by hand",
    turns={
        "each bias goes through a sigmoid here: there is one gate, and one pre-activation with both biases in it": [
            dict(gate=lambda a, b: sigmoid(a) + sigmoid(b)),
            dict(gate=lambda a, b: sigmoid(a) * sigmoid(b)),
        ],
        "this is the forget gate, the cell state is asked for": dict(c_prev=1),
        "the sigmoid is missing": dict(gate=np.add),
        "this is what is forgotten, not what is kept": dict(gate=lambda a, b: 1 - sigmoid(a + b)),
        "the candidate is not 0.5: it is a tanh, not a sigmoid": dict(squash=sigmoid),
        "the input's weights are 0: x = 7 is not in the gate": dict(x=7),
        "this is the hidden state, the cell state is asked for": dict(shown=lambda c: tanh(c) / 2),
    },
    decimals=2,
)
def two_biases_by_hand(
    *, bias_ih=1.0, bias_hh=2.0, c_prev=4.0, x=0.0, gate=lambda a, b: sigmoid(a + b), squash=tanh, shown=identity
):
    return float(shown(gate(np.array(bias_ih), np.array(bias_hh + x)) * c_prev + 0.5 * squash(np.array(0.0))))


@exercise(
    "How many parameters?",
    draw=lambda trial: (*trial.sizes("D H"), *trial.choice(*product((1, 2, 3), (False, True)))),
    same_as=lambda D, H, n, both: sum(v.size for v in LSTM(D, H, n, bidirectional=both, rng=0).parameters.values()),
    combine=4,
    turns={
        "one bias is counted, there are two": dict(biases=1),
        "a second layer reads both directions of the one below": dict(reads="half"),
        "each direction has weights of its own": dict(own=False),
        "this counts one layer": dict(count=lambda n: 1),
        "three gates and a candidate make four layers": [dict(layers=each) for each in (1, 3, 5)],
        "there are two biases for each row of a weight matrix": [dict(biases=0), dict(biases=3)],
        "every layer is counted as if it read x: what does the second one read?": dict(reads="x"),
        "the recurrent weights are (4H, H) and not (4H, 2H), each direction reads its own past": dict(recurrent="both"),
        "the recurrent weights are left out": dict(recurrent="none"),
        "the weights on what a layer reads are left out": dict(reads="none"),
        "the first layer and the others are exchanged": dict(reads="exchanged"),
        "one layer too many or too few is counted": [dict(count=lambda n: n + 1), dict(count=lambda n: n - 1)],
    },
)
def count_parameters(
    D, H, num_layers, bidirectional,
    *, biases=2, layers=4, own=True, reads="all", recurrent="own", count=identity,
):  # fmt: skip
    ways = 1 + bidirectional
    first, below = {"half": (D, H), "x": (D, D), "exchanged": (ways * H, D), "none": (0, 0)}.get(reads, (D, ways * H))
    past = {"own": H, "both": ways * H, "none": 0}[recurrent]
    read = [first, *[below] * num_layers][: count(num_layers)]
    return sum((ways if own else 1) * layers * H * (each + past + biases) for each in read)


def draw_onnx(trial):
    """Draw a list with (W, R, B) for each layer, the rows of the gates in ONNX's order i, o, f, c."""
    (D, H), (S, count) = trial.sizes("D H"), trial.choice(*product((1, 2), (1, 2, 3)))
    layers = []
    for reads in [D] + [S * H] * (count - 1):
        layers.append((trial.normal(S, 4 * H, reads), trial.normal(S, 4 * H, H), trial.normal(S, 8 * H)))
    return (layers,)


@exercise(
    "A network from an ONNX file",
    draw=draw_onnx,
    axes=", ".join(["4H D, 4H H, 4H, 4H"] * 6),
    combine=2,
    turns={
        "the two halves of B are exchanged: the first belongs to W": dict(halves=(1, 0)),
        "the directions are exchanged: forward stands first in the file": dict(flip=True),
        "the same half of B stands in both biases": [dict(halves=(0, 0)), dict(halves=(1, 1))],
    },
)
def from_onnx(layers, *, halves=(0, 1), flip=False):
    def in_order(rows):
        i, o, f, g = np.split(rows, 4)
        return np.concatenate([i, f, g, o])

    found = {}
    for k, layer in enumerate(layers):
        S = len(layer[0])
        for s, end in enumerate(("", "_reverse")[:S]):
            W, R, B = (array[S - 1 - s if flip else s] for array in layer)
            biases = [np.split(B, 2)[half] for half in halves]
            for name, rows in zip(("weight_ih", "weight_hh", "bias_ih", "bias_hh"), (W, R, *biases)):
                found[f"{name}_l{k}{end}"] = in_order(rows)
    return found


def draw_network_and_input(trial):
    """Draw a `torch.nn.LSTM` and one sequence."""
    import torch

    T, D, H = trial.sizes("T D H")
    return torch_lstm(trial.rng, D, H), torch.as_tensor(trial.normal(T, D))


@exercise(
    "What the last hidden state sees",
    draw=draw_network_and_input,
    names="the norms",
    axes="T",
    turns={
        "this is the gradient of the sum of all outputs, not of `h_n` alone": dict(of="output"),
        "this is the gradient of the output at the first step, not of `h_n`": dict(of="first"),
        "this is the gradient of `c_n`": dict(of="c_n"),
        "this adds up the gradient's numbers with their signs": dict(size=lambda d: d.sum(dim=-1)),
        "this adds up absolute values, the norm adds up squares": dict(size=lambda d: d.abs().sum(dim=-1)),
    },
)
def gradient_by_step(lstm, x, *, of="h_n", size=lambda d: d.norm(dim=-1)):
    import torch

    x = x.detach().clone().requires_grad_()
    output, (h_n, c_n) = lstm(x)
    results = {"h_n": h_n, "output": output, "first": output[0], "c_n": c_n}
    return size(torch.autograd.grad(results[of].sum(), x)[0])


def run_lstm(weights, x, state=None, cut=False, bound=math.inf):
    """Run an LSTM with these weights, stacked as in torch, over x (T, B, D); return all h and c, (2, T, B, H)."""
    import torch

    from lstm_tutorial.in_torch.cell import step_from_pre_activations

    weight_ih, weight_hh, *biases = weights
    h, c = x.new_zeros(2, *x.shape[1:-1], weight_hh.shape[1]) if state is None else state
    found = []
    for x_t in x:
        z = x_t @ weight_ih.T + (h.detach() if cut else h) @ weight_hh.T + sum(biases)
        (h, c), _ = step_from_pre_activations(z.clamp(-bound, bound), c)
        found.append(torch.stack([h, c]))
    return torch.stack(found, dim=1)


def fault_of_module(model, numbers):
    """Say so if an answer is no module, or if its parameters hold another count of numbers."""
    import torch

    if isinstance(model, type):
        return "this is the class itself: return an object made from it"
    if not isinstance(model, torch.nn.Module):
        return f"it returned a {type(model).__name__} where an `nn.Module` is expected"
    held = sum(parameter.numel() for parameter in model.parameters())
    hint = ": what is no `nn.Parameter`, or stands in a plain list, is not found" if held < numbers else ""
    return f"its parameters hold {held} numbers where {numbers} are expected{hint}" if held != numbers else None


def run(model, x, *rest):
    """Run a module; refuse one that works in one number format only."""
    try:
        result = model(x, *rest)
    except (RuntimeError, TypeError, ValueError) as error:
        if "float" not in str(error).lower():
            raise
        said = str(error).splitlines()[0]
        raise Misfit(f"in {x.dtype} its forward fails ({said}): is a state made in one fixed number format?") from None
    if is_tensor(result) and result.dtype != x.dtype:
        raise Misfit(f"in {x.dtype} its result is {result.dtype}: does it turn numbers into another format?")
    return result


def near(got, want):
    """Say whether two tensors are equal but for rounding."""
    bound = 1e-4 if str(want.dtype) == "torch.float32" else 1e-9
    return float((got - want).detach().abs().max()) <= bound * max(float(want.detach().abs().max()), 1e-3)


def compare(model, weights_of, right, batches, slips, what, axes):
    """Say how a module differs from `right` with the same weights: in its result, as in one of `slips`, or gradient."""
    import torch

    for dtype, (k, (x, *rest)) in product((torch.float32, torch.float64), enumerate([batches[0], *batches])):
        x, given = x.to(dtype), copy.deepcopy(rest)
        model.to(dtype).eval().zero_grad()
        weights = weights_of(model)
        got, want = run(model, x.clone(), *given), right(list(weights.values()), x, *rest)
        match(got, want, names=["result"], axes=[axes])  # refuses another shape
        if given != rest:
            return "it changes the list that it is given"
        if not near(got, want) and k:
            return "right for one batch, wrong for another: is a size fixed, or something kept from call to call?"
        if not near(got, want):
            for words, some in slips.items():
                if any(near(got, right(list(weights.values()), x, *rest, **slip)) for slip in some):
                    return words
            return f"its result is not {what}"
        if not got.requires_grad:
            return "no gradient comes back from its result: does something leave torch, or stand under `no_grad`?"
        got.square().sum().backward()
        gradients = torch.autograd.grad(want.square().sum(), list(weights.values()))
        for (name, each), gradient in zip(weights.items(), gradients):
            if each.grad is None:
                return f"no gradient reaches its parameter `{name}`"
            if not near(each.grad, gradient):
                return f"its result is right, the gradient of `{name}` is not: is the backward pass cut between steps?"
    return None


def verify_mended(model, trial, state_dict):
    """Compare a module's parameters with the arrays, and what it does with an LSTM that has them."""
    import torch

    fault = fault_of_module(model, sum(value.size for value in state_dict.values()))
    if fault:
        return fault
    held = model.state_dict()
    if held.keys() != state_dict.keys():
        return f"its state dict has the keys {', '.join(held)}: keep the names of `state_dict`"
    for name, value in state_dict.items():
        if not np.array_equal(held[name].numpy(), value):
            return f"`{name}` in its state dict is not the array that it was given"
    D = state_dict["weight_ih_l0"].shape[1]
    batches = [(torch.as_tensor(2 * trial.normal(*shape, D)),) for shape in ((5, 3), (1, 1), (3, 4))]
    slips = {
        "this is the cell state, the hidden state is asked for": [dict(shown=1)],
        "this is the hidden state after the first step, not after the last": [dict(step=0)],
    }

    def weights_of(model):
        return {name: dict(model.named_parameters())[name] for name in state_dict}

    def right(weights, x, shown=0, step=-1):
        return run_lstm(weights, x)[shown, step]

    what = "the last hidden state of an LSTM with these weights"
    return compare(model, weights_of, right, batches, slips, what, "B H")


@exercise(
    "A module with three faults",
    draw=lambda trial: (LSTM(*trial.sizes("D H"), dtype="float64", rng=trial.rng).state_dict(),),
    verify=verify_mended,
    combine=3,
    turns={
        "stands in a plain list": dict(found=False),
        "in one fixed number format": dict(follows=False),
        "is the backward pass cut between steps?": dict(cut=True),
        "this is the cell state": dict(shown="c"),
    },
)
def make_mended(state_dict, *, found=True, follows=True, cut=False, shown="h"):
    import torch

    class Mended(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weights = [torch.tensor(value, requires_grad=True) for value in state_dict.values()]
            for name, value in state_dict.items() if found else ():
                self.register_parameter(name, torch.nn.Parameter(torch.tensor(value)))

        def forward(self, x):
            weights = list(self.parameters()) if found else self.weights
            start = None if follows else torch.zeros(2, x.shape[1], weights[1].shape[1])
            h, c = run_lstm(weights, x, start, cut)[:, -1]
            return {"h": h, "c": c}[shown]

    return Mended()


KINDS = {
    "float32": "at which distance do you call two results equal? Rounding in float64 stays near 1e-16",
    "cut": "its outputs are right, so no comparison of outputs shows it: what about gradients, over several steps?",
    "no state": "from which states did both start?",
    "clipped": "on ordinary inputs it is right: how large were the pre-activations that you tried?",
}


class TwinBox(Box):
    """An LSTM with the weights of a `torch.nn.LSTM`, right or with one hidden fault."""

    runs = math.inf

    def __init__(self, lstm, kind):
        super().__init__()
        self.weights, self.kind = [parameter.detach() for parameter in lstm.parameters()], kind

    def answer(self, x, state=None):
        """x (T, B, D), state (h_0, c_0) or None -> output (T, B, H), (h_n, c_n)"""

        def rounded(value):
            return value.float() if self.kind == "float32" else value

        self.asked.append(tuple(x.shape))
        start = None if state is None or self.kind == "no state" else [rounded(each[0]) for each in state]
        weights, bound = map(rounded, self.weights), 6 if self.kind == "clipped" else math.inf
        h, c = run_lstm(weights, rounded(x), start, self.kind == "cut", bound).to(x.dtype)
        return h, (h[-1:], c[-1:])


def draw_box(trial):
    """Draw a `torch.nn.LSTM`, now and then with small recurrent weights, and a box that claims to be its twin."""
    lstm, _ = draw_network_and_input(trial)
    lstm.weight_hh_l0.data *= trial.log_uniform(0.01, 1)
    return lstm, TwinBox(lstm, trial.choice("twin", *KINDS))


def diagnose_kind(got, want, lstm, box):
    if not box.asked:
        return "the box was not called"
    if want == "twin":
        return f'it calls a right twin "{got}": two right programs round differently, so how far apart may they be?'
    if got == "float32":
        return f'it takes "{want}" for rounding: how large is a difference that comes from float32?'
    return f'it takes a box of the kind "{want}" for "{got}": {KINDS[want]}'


@exercise(
    "Is it a twin?",
    draw=draw_box,
    diagnose=diagnose_kind,
    words=", ".join(["twin", *KINDS]),
    dtypes=("float64",),
    trials=20,
)
def judge_twin(lstm, box):
    return box.kind


def last_valid(h, c, lengths):
    return h[range(len(h)), lengths - 1]


def scores(weights, x, lengths, read=last_valid, end=identity, across=False):
    """Return what a classifier with these weights gives: those of the LSTM, then of the linear layer."""
    import torch

    *lstm, weight, bias = weights
    lengths = torch.as_tensor(lengths)
    h, c = run_lstm(lstm, x) if across else run_lstm(lstm, x.transpose(0, 1)).transpose(1, 2)  # (B, T, H)
    return end(read(h, c, lengths) @ weight.T + bias)


SLIPS = {
    "the last of all T steps is read, which lies past the end of a shorter sequence": [
        dict(read=lambda h, c, n: h[:, -1]),
        dict(read=lambda h, c, n: h[:, -1] * (n == h.shape[1])[:, None]),
    ],
    "the first step is read: which one is the last valid step?": [dict(read=lambda h, c, n: h[:, 0])],
    "a step beside the last valid one is read: counted from 0, that is `lengths - 1`": [
        dict(read=lambda h, c, n: last_valid(h, c, n - 1)),
        dict(read=lambda h, c, n: last_valid(h, c, (n + 1).clamp(max=h.shape[1]))),
    ],
    "this reads the cell state, `c_n`: the hidden state is asked for": [dict(read=lambda h, c, n: last_valid(c, h, n))],
    "this reads the mean over all steps, not the last valid one": [dict(read=lambda h, c, n: h.mean(dim=1))],
    "one sequence changes another's scores: does the LSTM know that the batch comes first?": [dict(across=True)],
    "its scores sum to 1: leave the softmax out, plain scores are asked for": [dict(end=lambda z: z.softmax(dim=-1))],
}


def weights_of_classifier(model):
    """Return the weights of a classifier's LSTM and of its linear layer."""
    named = dict(model.named_parameters())
    kinds = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    lstm = [name for kind in kinds for name in named if kind in name]
    head = sorted(named.keys() - lstm, key=lambda name: -named[name].ndim)
    if len(lstm) != 4 or [named[name].ndim for name in head] != [2, 1]:
        raise Misfit(f"it should hold one LSTM layer and one linear layer, its parameters are {', '.join(named)}")
    return {name: named[name] for name in lstm + head}


def verify_classifier(model, trial, D, H, K):
    """Compare a classifier's scores and gradients with those recomputed from its own weights, on several batches."""
    import torch

    fault = fault_of_module(model, 4 * H * (D + H + 2) + K * (H + 1))
    if fault:
        return fault
    batches = []
    for B, T, longest in ((4, 6, 6), (1, 1, 1), (3, 5, 4), (2, 7, 7)):
        lengths = [1, longest, *trial.rng.integers(1, longest + 1, 2)][:B]
        lengths = [int(length) for length in trial.rng.permutation(lengths)]
        batches.append((torch.as_tensor(2 * trial.normal(B, T, D)), lengths))  # anything in the padding
    what = "that of its linear layer on the hidden states of its LSTM at the last valid steps"
    return compare(model, weights_of_classifier, scores, batches, SLIPS, what, "B K")


@exercise(
    "A classifier for sequences of any length",
    draw=lambda trial: trial.sizes("D H K", K=2),
    verify=verify_classifier,
    turns={"no gradient reaches": dict(cut=True), **SLIPS},
)
def make_classifier(D, H, K, *, cut=False, **slip):
    import torch

    class Classifier(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm, self.head = torch.nn.LSTM(D, H), torch.nn.Linear(H, K)

        def forward(self, x, lengths):
            lstm = [weight.detach() if cut else weight for weight in self.lstm.parameters()]
            return scores([*lstm, *self.head.parameters()], x, lengths, **slip)

    return Classifier()
