"""Wrong answers to the exercises of the chapter pytorch-lstm, and words of the message each must get."""

import torch
from torch import nn

from lstm_tutorial import in_torch


def one_layer(D, H, layers, both):
    return 4 * H * (D + H + 2)


def as_in_the_file(layers):
    found = {}
    for k, layer in enumerate(layers):
        for W, R, B, end in zip(*layer, ("", "_reverse")):
            found |= {f"weight_ih_l{k}{end}": W, f"weight_hh_l{k}{end}": R}
            found |= dict(zip((f"bias_ih_l{k}{end}", f"bias_hh_l{k}{end}"), B.reshape(2, -1)))
    return found


def judge(bound=1e-12, gradients=True, state=True, scale=30.0):
    """The four experiments, some of them left out or too weak."""

    def judge_twin(lstm, box):
        def apart(x, state=None, of=0):
            x = x.clone().requires_grad_()
            outputs = [network(x, state)[0] for network in (lstm, box)]
            a, b = outputs if of == 0 else [torch.autograd.grad(output[-1].sum(), x)[0] for output in outputs]
            return float((a - b).detach().abs().max() / a.detach().abs().max())

        x = torch.randn(6, 3, lstm.input_size, dtype=torch.float64)
        start = tuple(torch.randn(2, 1, 3, lstm.hidden_size, dtype=torch.float64))
        if apart(x) > bound:
            return "float32"
        if gradients and apart(x, of="x") > bound:
            return "cut"
        if state and apart(x, start) > bound:
            return "no state"
        return "clipped" if apart(scale * x) > 1e-12 else "twin"

    return judge_twin


def sizes(arrays):
    return arrays["weight_ih_l0"].shape[1], arrays["weight_hh_l0"].shape[1]


class Held(nn.Module):
    """A module whose parameters are the arrays themselves."""

    def __init__(self, state_dict):
        super().__init__()
        for name, value in state_dict.items():
            self.register_parameter(name, nn.Parameter(torch.as_tensor(value)))

    def forward(self, x):
        h = c = x.new_zeros(x.shape[1], len(self.weight_hh_l0[0]))
        for x_t in x:
            h, c = in_torch.lstm_cell(x_t, (h, c), *self.parameters())
        return h


class Classifier(nn.Module):
    """Reads the last of all steps, whatever the lengths are."""

    def __init__(self, D, H, K):
        super().__init__()
        self.lstm, self.head = nn.LSTM(D, H, batch_first=True), nn.Linear(H, K)

    def forward(self, x, lengths):
        return self.head(self.lstm(x)[0][:, -1])


WRONG = {
    "two_biases_by_hand": [
        (lambda: 3.52, "`bias_ih` were left out"),
        (lambda: 2.58, "each bias goes through a sigmoid here"),
    ],
    "count_parameters": [(one_layer, "each direction has weights of its own; this counts one layer")],
    "from_onnx": [(as_in_the_file, "they stand as i, o, f, g")],
    "gradient_by_step": [(lambda lstm, x: lstm(x)[1][0].sum().backward() or x.grad.norm(dim=-1), "it raised")],
    "make_mended": [
        (Held, "training would change those too"),
        (lambda arrays: nn.Sequential(nn.LSTM(*sizes(arrays))), "keep the names"),
        (lambda arrays: nn.LSTM(*sizes(arrays)), "is not the array that it was given"),
        (lambda arrays: Held, "this is the class itself"),
    ],
    "judge_twin": [
        (judge(bound=1e-5), "at which distance do you call two results equal"),
        (judge(gradients=False), "what about gradients, over several steps"),
        (judge(state=False), "from which states did both start"),
        (judge(scale=1.0), "how large were the pre-activations"),
        (judge(bound=0.0), "how large is a difference that comes from float32"),
        (lambda lstm, box: "twin", "the box was not called"),
    ],
    "make_classifier": [
        (Classifier, "the last of all T steps is read"),
        (lambda D, H, K: nn.LSTM(D, H), "its parameters hold"),
    ],
}
