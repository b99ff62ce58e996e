"""Solutions to the exercises of the chapter `pytorch-lstm`: a function an exercise, under the exercise's name."""

import numpy as np
import torch
from torch import nn

from lstm_tutorial.in_torch import LSTM, lstm_cell


def two_biases_by_hand():
    """The cell state after one step."""
    f = 0.953  # sigmoid(1 + 2)
    return f * 4  # the input gate is 0.5, but the candidate is tanh(0) = 0


def count_parameters(D, H, num_layers, bidirectional):
    """Return how many numbers the network learns."""
    directions, total = 2 if bidirectional else 1, 0
    for layer in range(num_layers):
        reads = D if layer == 0 else directions * H
        total += directions * 4 * H * (reads + H + 2)  # 2 for the two biases
    return total


def to_state_dict(weights):
    """Return what `torch.nn.LSTM` calls the same weights, as arrays."""
    order = "ifco"  # torch: i, f, g, o; the papers' c~ is its g
    W = np.concatenate([weights[f"W_{gate}"] for gate in order])  # (4H, H + D)
    b = np.concatenate([weights[f"b_{gate}"] for gate in order])  # (4H,)
    H = len(weights["b_f"])
    return {
        "weight_ih_l0": W[:, H:],  # the columns of x
        "weight_hh_l0": W[:, :H],  # the columns of h
        "bias_ih_l0": b,
        "bias_hh_l0": np.zeros_like(b),
    }


def gradient_by_step(lstm, x):
    """Return the gradient's norm at each step of x (T, D)."""
    x = x.detach().clone().requires_grad_()
    output, (h_n, c_n) = lstm(x)
    h_n.sum().backward()
    return x.grad.norm(dim=-1)  # (T,)


def make_mended(state_dict):
    """Return the module without its faults."""

    class Mended(nn.Module):
        def __init__(self):
            super().__init__()
            for name, value in state_dict.items():
                self.register_parameter(name, nn.Parameter(torch.tensor(value)))

        def forward(self, x):
            H = self.weight_hh_l0.shape[1]
            h = c = x.new_zeros(x.shape[1], H)  # the kind of x
            for x_t in x:
                h, c = lstm_cell(x_t, (h, c), *self.parameters())
            return h

    return Mended()


def make_classifier(D, H, K):
    """Return an nn.Module: x (B, T, D), lengths (B,) -> scores (B, K)."""

    class Classifier(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm = LSTM(D, H, batch_first=True)
            self.head = nn.Linear(H, K)

        def forward(self, x, lengths):
            output, (h_n, c_n) = self.lstm(x, lengths=lengths)
            return self.head(h_n[-1])  # (B, K)

    return Classifier()
