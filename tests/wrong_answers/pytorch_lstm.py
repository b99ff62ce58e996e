"""Plausible wrong answers to the exercises of the chapter pytorch-lstm, and words of the message each must get."""

import numpy as np
import torch
from torch import nn

from lstm_tutorial import in_numpy, in_torch


def onnx(order=(0, 2, 3, 1), bias_order=None, halves=(0, 1), flip=False, reverse="_reverse"):
    """The arrays of an ONNX file under torch's names, right or with faults."""

    def sort(rows, order):
        return np.concatenate([np.split(rows, 4)[k] for k in order])

    def from_onnx(layers):
        found = {}
        for layer, arrays in enumerate(layers):
            for s, (W, R, B) in enumerate(zip(*(each[::-1] if flip else each for each in arrays))):
                end, both = f"_l{layer}{reverse if s else ''}", np.split(B, 2)
                found["weight_ih" + end], found["weight_hh" + end] = sort(W, order), sort(R, order)
                for name, half in zip(("bias_ih", "bias_hh"), halves):
                    found[name + end] = sort(both[half], bias_order or order)
        return found

    return from_onnx


def summed_biases(layers):
    found = onnx()(layers)
    for name in [each for each in found if each.startswith("bias_hh")]:
        found[name.replace("_hh", "_ih")] = found[name.replace("_hh", "_ih")] + found[name]
        found[name] = 0 * found[name]
    return found


def first_layer_alone(layers):
    return onnx()(layers[:1])


def judge(bound=1e-12, gradients=True, state=True, scale=30.0, steps=6, last=1e-12, default="twin"):
    """The four experiments, some of them left out or too weak."""

    def judge_twin(lstm, box):
        def compare(x, state=None):
            found = []
            for network in (lstm, box):
                leaf = x.clone().requires_grad_()
                output, _ = network(leaf, state)
                found.append((output.detach(), torch.autograd.grad(output[-1].sum(), leaf)[0]))
            return [float((a - b).abs().max() / a.abs().max()) for a, b in zip(*found)]

        x = torch.randn(steps, 3, lstm.input_size, dtype=torch.float64)
        start = tuple(torch.randn(2, 1, 3, lstm.hidden_size, dtype=torch.float64))
        values, gradient = compare(x)
        if values > bound:
            return "float32"
        if gradients and gradient > bound:
            return "cut"
        if state and compare(x, start)[0] > bound:
            return "no state"
        return "clipped" if compare(scale * x)[0] > last else default

    return judge_twin


def everything_at_once(lstm, box):
    """Large inputs and a state in the first comparison: whatever differs is called rounding."""
    x = 30 * torch.randn(6, 3, lstm.input_size, dtype=torch.float64)
    state = tuple(torch.randn(2, 1, 3, lstm.hidden_size, dtype=torch.float64))
    if not torch.equal(lstm(x, state)[0], box(x, state)[0]):
        return "float32"
    return "twin"


def network_gradient(lstm, x, of="h_n"):
    x = x.detach().clone().requires_grad_()
    output, (h_n, c_n) = lstm(x)
    {"output": output, "h_n": h_n, "c_n": c_n}[of].sum().backward()
    return x.grad


def without_a_leaf(lstm, x):
    output, (h_n, c_n) = lstm(x)
    h_n.sum().backward()
    return x.grad.norm(dim=-1)


class Held(nn.Module):
    """The program of the workbook, with some of its faults; the others are mended."""

    def __init__(self, state_dict, listed=False, fixed=False, cut=False):
        super().__init__()
        self.fixed, self.cut = fixed, cut
        values = {name: torch.tensor(value) for name, value in state_dict.items()}
        if listed:
            self.weights = [value.requires_grad_() for value in values.values()]
        else:
            for name, value in values.items():
                self.register_parameter(name, nn.Parameter(value))

    def forward(self, x):
        weights = list(self.parameters()) or self.weights
        kind = dict(dtype=weights[0].dtype if not self.fixed else self.fixed)
        h = c = torch.zeros(x.shape[1], weights[1].shape[1], **kind)
        for x_t in x:
            h, c = in_torch.lstm_cell(x_t, (h.detach() if self.cut else h, c), *weights)
        return h


class Arrays(nn.Module):
    """Parameters for show; the forward computes with NumPy."""

    def __init__(self, state_dict):
        super().__init__()
        for name, value in state_dict.items():
            self.register_parameter(name, nn.Parameter(torch.tensor(value)))

    def forward(self, x):
        weights = [parameter.detach().numpy() for parameter in self.parameters()]
        h = c = np.zeros((x.shape[1], weights[1].shape[1]), weights[0].dtype)
        for x_t in x.numpy():
            (h, c), _ = in_numpy.lstm_cell(x_t, (h, c), *weights)
        return torch.as_tensor(h)


class Numbered(nn.Module):
    """Right, but with names of its own."""

    def __init__(self, state_dict):
        super().__init__()
        self.weights = nn.ParameterList([nn.Parameter(torch.tensor(value)) for value in state_dict.values()])

    def forward(self, x):
        h = c = x.new_zeros(x.shape[1], self.weights[1].shape[1])
        for x_t in x:
            h, c = in_torch.lstm_cell(x_t, (h, c), *self.weights)
        return h


class ReturnsCell(Held):
    """Returns the cell state for the hidden one."""

    def forward(self, x):
        h = c = x.new_zeros(x.shape[1], self.weight_hh_l0.shape[1])
        for x_t in x:
            h, c = in_torch.lstm_cell(x_t, (h, c), *self.parameters())
        return c


def float32_always(state_dict):
    """The zeros have the number format that the weights had at first."""
    return Held(state_dict, fixed=torch.as_tensor(state_dict["bias_ih_l0"]).dtype)


class Classifier(nn.Module):
    """A classifier that can be wrong in several ways."""

    def __init__(self, D, H, K, read="h_n", batch_first=True, lengths=True, end=None, zeros=False, extra=False):
        super().__init__()
        self.lstm, self.head = in_torch.LSTM(D, H, batch_first=batch_first), nn.Linear(H, K)
        self.read, self.use_lengths, self.end, self.zeros = read, lengths, end, zeros
        if extra:
            self.head = nn.Sequential(nn.Linear(H, H), self.head)

    def forward(self, x, lengths):
        state = None
        if self.zeros:
            zeros = torch.zeros(1, len(x), self.lstm.hidden_size)
            state = zeros, zeros
        output, (h_n, c_n) = self.lstm(x, state, lengths=lengths if self.use_lengths else None)
        last = {"h_n": h_n[-1], "first": output[:, 0], "last": output[:, -1], "time": output[-1], "all": output}[
            self.read
        ]
        scores = self.head(last)
        return self.end(scores) if self.end else scores


def time_first(D, H, K):
    """The batch is taken for time, and the answers are cut out along the axis that fits."""
    return _TimeFirst(D, H, K)


class _TimeFirst(nn.Module):
    def __init__(self, D, H, K):
        super().__init__()
        self.lstm, self.head = nn.LSTM(D, H), nn.Linear(H, K)

    def forward(self, x, lengths):
        output, _ = self.lstm(x)  # (B, T, D) read as (T, B, D)
        return self.head(output[torch.arange(len(x)), torch.as_tensor(lengths) - 1])


WRONG = {
    "two_biases_by_hand": [
        (lambda: 2.92, "`bias_ih` alone"),
        (lambda: 3.52, "`bias_hh` alone"),
        (lambda: 0.953, "the cell state is asked for"),
        (lambda: 4.06, "the candidate"),
        (lambda: 6.45, "their sum"),
        (lambda: 12, "the sigmoid is missing"),
        (lambda: 3.3, "too small"),
    ],
    "count_parameters": [
        (lambda D, H, layers, both: 4 * H * (D + H + 2), "the number is too small"),
        (
            lambda D, H, layers, both: sum(
                (2 if both else 1) * 4 * H * ((D if k == 0 else H * (2 if both else 1)) + H + 1) for k in range(layers)
            ),
            "one bias is counted",
        ),
        (
            lambda D, H, layers, both: layers * (2 if both else 1) * 4 * H * (D + H + 2),
            "what does the second one read",
        ),
        (
            lambda D, H, layers, both: sum(
                (2 if both else 1) * 4 * H * ((D if k == 0 else H) + H + 2) for k in range(layers)
            ),
            "both directions of the one below",
        ),
        (
            lambda D, H, layers, both: sum(
                4 * H * ((D if k == 0 else H * (2 if both else 1)) + H + 2) for k in range(layers)
            ),
            "weights of its own",
        ),
        (
            lambda D, H, layers, both: sum(
                (2 if both else 1) * H * ((D if k == 0 else H * (2 if both else 1)) + H + 2) for k in range(layers)
            ),
            "there are four",
        ),
    ],
    "from_onnx": [
        (onnx(order=(0, 1, 2, 3)), "the rows stand as the file has them"),
        (onnx(bias_order=(0, 1, 2, 3)), "the rows of the biases stand as the file has them"),
        (onnx(order=(0, 1, 2, 3), bias_order=(0, 2, 3, 1)), "the rows of the weights stand as the file has them"),
        (onnx(order=(0, 3, 1, 2)), "the rows have moved the wrong way"),
        (onnx(order=(0, 2, 1, 3)), "only two gates have changed places"),
        (onnx(halves=(1, 0)), "the two halves of B are exchanged"),
        (summed_biases, "the two halves of B are added up"),
        (onnx(flip=True), "the directions are exchanged"),
        (onnx(reverse="_l1"), "the dict lacks"),
        (first_layer_alone, "the dict lacks"),
    ],
    "gradient_by_step": [
        (lambda lstm, x: network_gradient(lstm, x, "output").norm(dim=-1), "all outputs"),
        (lambda lstm, x: network_gradient(lstm, x, "c_n").norm(dim=-1), "gradient of `c_n`"),
        (lambda lstm, x: network_gradient(lstm, x).square().sum(dim=-1), "root is missing"),
        (lambda lstm, x: network_gradient(lstm, x).sum(dim=-1), "with their signs"),
        (lambda lstm, x: network_gradient(lstm, x).abs().sum(dim=-1), "absolute values"),
        (network_gradient, "one too many"),
        (lambda lstm, x: network_gradient(lstm, x).norm(dim=-1).flip(0), "reverse"),
        (without_a_leaf, "it raised"),
    ],
    "make_mended": [
        (lambda state_dict: Held(state_dict, listed=True), "plain list"),
        (float32_always, "fixed number format"),
        (lambda state_dict: Held(state_dict, cut=True), "cut between two steps"),
        (Arrays, "no gradient comes back"),
        (Numbered, "keep the names"),
        (ReturnsCell, "not those of an LSTM"),
        (lambda state_dict: Held, "class itself"),
    ],
    "judge_twin": [
        (lambda lstm, box: "twin", 'for "twin"'),
        (judge(bound=1e-5), "at which distance do you call two results equal"),
        (judge(gradients=False), "what about gradients"),
        (judge(steps=1), "over several steps"),
        (judge(state=False), "from which states did both start"),
        (judge(scale=1.0), "how large were the sums"),
        (judge(bound=0.0), "how large is a difference that comes from float32"),
        (judge(last=0.0), "calls a right twin"),
        (everything_at_once, "for rounding"),
        (judge(default="right"), "none of the five words"),
    ],
    "make_classifier": [
        (lambda D, H, K: Classifier(D, H, K, lengths=False, read="last"), "the padding changes"),
        (lambda D, H, K: Classifier(D, H, K, read="last"), "last valid step does not change"),
        (lambda D, H, K: Classifier(D, H, K, read="first"), "last valid step does not change"),
        (time_first, "the batch comes first"),
        (lambda D, H, K: Classifier(D, H, K, read="all"), "should be a tensor (B, K)"),
        (lambda D, H, K: Classifier(D, H, K, end=lambda z: z.softmax(dim=-1)), "leave softmax out"),
        (lambda D, H, K: Classifier(D, H, K, end=lambda z: z.log_softmax(dim=-1)), "logarithms"),
        (lambda D, H, K: Classifier(D, H, K, zeros=True), "fixed number format"),
        (lambda D, H, K: Classifier(D, H, K, extra=True), "its parameters hold"),
    ],
}
