"""LSTMs to race against, written as one often meets them; each is a pair of functions, forward and both ways.

`naive` takes one sequence at a time and four products a step. `joined` is what course assignments, CS231n's among them,
lead to: a batch, one product of [h, x] a step, everything allocated anew. `cell_loop` is the package's step in a loop,
`cell_loop_torch` torch's, under autograd. `floor` does only what cannot be left out: matrix products and tanh.

A forward is a function of `(x, weights)`, with weights as of `torch.nn.LSTM`, and keeps what a backward needs; "both
ways" is a function of `(x, weights, d_output)`. States begin at zero.
"""

import numpy as np
import torch
from ladder import open_step, sigmoid

from lstm_tutorial.in_numpy import lstm_cell, lstm_cell_backward

WEIGHTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def naive(x, weights):
    """Return the hidden states, and a cache for each step of each sequence."""
    weight_ih, weight_hh, bias_ih, bias_hh = weights
    W = np.split(np.hstack([weight_hh, weight_ih]), 4)  # i, f, g, o
    bias = np.split(bias_ih + bias_hh, 4)
    (T, B, _), H = x.shape, weight_hh.shape[1]
    output, caches = np.zeros((T, B, H), x.dtype), [[] for _ in range(B)]
    for b in range(B):
        h, c = np.zeros((2, H), x.dtype)
        for t in range(T):
            hx, c_prev = np.concatenate([h, x[t, b]]), c
            i, f = sigmoid(W[0] @ hx + bias[0]), sigmoid(W[1] @ hx + bias[1])
            g, o = np.tanh(W[2] @ hx + bias[2]), sigmoid(W[3] @ hx + bias[3])
            c = f * c_prev + i * g
            h = o * np.tanh(c)
            output[t, b] = h
            caches[b].append((hx, c_prev, i, f, g, o, c))
    return output, caches


def naive_both_ways(x, weights, d_output):
    """Return d_x and the gradients of the stacked weights (4, H, H + D) and biases (4, H)."""
    W = np.split(np.hstack([weights[1], weights[0]]), 4)
    H, caches = len(W[0]), naive(x, weights)[1]
    d_x, d_W, d_bias = np.zeros_like(x), [np.zeros_like(w) for w in W], [np.zeros(H, x.dtype) for _ in W]
    for b, steps in enumerate(caches):
        d_h, d_c = np.zeros((2, H), x.dtype)
        for t in reversed(range(len(steps))):
            hx, c_prev, i, f, g, o, c = steps[t]
            d_h = d_h + d_output[t, b]
            d_c = d_c + d_h * o * (1 - np.tanh(c) ** 2)
            d_z = d_c * g * i * (1 - i), d_c * c_prev * f * (1 - f), d_c * i * (1 - g**2)
            d_z = *d_z, d_h * np.tanh(c) * o * (1 - o)
            d_c, d_hx = d_c * f, 0
            for k in range(4):
                d_W[k] += np.outer(d_z[k], hx)
                d_bias[k] += d_z[k]
                d_hx = d_hx + W[k].T @ d_z[k]
            d_h, d_x[t, b] = d_hx[:H], d_hx[H:]
    return d_x, np.concatenate(d_W)


def joined(x, weights):
    """Return the hidden states, and a cache for each step."""
    weight_ih, weight_hh, bias_ih, bias_hh = weights
    W, bias = np.hstack([weight_hh, weight_ih]), bias_ih + bias_hh  # (4H, H + D)
    h, c = np.zeros((2, x.shape[1], weight_hh.shape[1]), x.dtype)
    states, caches = [], []
    for x_t in x:
        hx, c_prev = np.hstack([h, x_t]), c
        z_i, z_f, z_g, z_o = np.split(hx @ W.T + bias, 4, axis=1)
        i, f, g, o = sigmoid(z_i), sigmoid(z_f), np.tanh(z_g), sigmoid(z_o)
        c = f * c_prev + i * g
        h = o * np.tanh(c)
        states.append(h)
        caches.append((hx, c_prev, c, np.hstack([i, f, g, o])))
    return np.stack(states), caches


def joined_both_ways(x, weights, d_output):
    """Return d_x and the gradient of the stacked weights (4H, H + D)."""
    W, caches = np.hstack([weights[1], weights[0]]), joined(x, weights)[1]
    H = W.shape[0] // 4
    d_h, d_c = np.zeros((2, x.shape[1], H), x.dtype)
    d_x, d_W, d_bias = np.zeros_like(x), np.zeros_like(W), np.zeros(4 * H, x.dtype)
    for t in reversed(range(len(x))):
        hx, c_prev, c, gates = caches[t]
        d_z, d_c = open_step(d_h + d_output[t], d_c, c_prev, c, gates)
        d_W += d_z.T @ hx
        d_bias += d_z.sum(axis=0)
        d_hx = d_z @ W
        d_h, d_x[t] = d_hx[:, :H], d_hx[:, H:]
    return d_x, d_W


def cell_loop(x, weights):
    """Return the hidden states, and the cache of each `lstm_cell`."""
    h, c = np.zeros((2, x.shape[1], weights[1].shape[1]), x.dtype)
    output, caches = [], []
    for x_t in x:
        (h, c), cache = lstm_cell(x_t, (h, c), *weights)
        output.append(h)
        caches.append(cache)
    return np.stack(output), caches


def cell_loop_both_ways(x, weights, d_output):
    """Return d_x and the gradients of the weights, in their order."""
    caches = cell_loop(x, weights)[1]
    d_h, d_c = np.zeros((2, x.shape[1], weights[1].shape[1]), x.dtype)
    d_x, total = np.zeros_like(x), [np.zeros_like(w) for w in weights]
    for t in reversed(range(len(x))):
        d_x[t], (d_h, d_c), gradients = lstm_cell_backward(d_h + d_output[t], d_c, caches[t])
        for d, name in zip(total, WEIGHTS, strict=True):
            d += gradients[name]
    return d_x, total[0]


def cell_loop_torch(cell, x):
    """Return the hidden states of a `torch.nn.LSTMCell` in a loop."""
    h = c = x.new_zeros(x.shape[1], cell.hidden_size)
    output = []
    for x_t in x:
        h, c = cell(x_t, (h, c))
        output.append(h)
    return torch.stack(output)


def floor(x, weights):
    """Run the bare matrix products and tanh of a forward's sizes; the numbers mean nothing. Return all sums."""
    weight_ih, weight_hh = (np.ascontiguousarray(w.T) for w in weights[:2])  # (D, 4H), (H, 4H)
    (T, B, D), H = x.shape, len(weight_hh)
    z, h = np.zeros((B, 4 * H), x.dtype), np.zeros((B, H), x.dtype)
    z_all = x.reshape(T * B, D) @ weight_ih
    for _ in range(T):
        np.matmul(h, weight_hh, out=z)
        np.tanh(z, out=z)
        np.tanh(h, out=h)
    return z_all


def floor_backward(x, weights, d_output, z_all=None):
    """Run the bare matrix products of a backward's sizes."""
    (T, B, D), H = x.shape, weights[1].shape[1]
    z_all = np.zeros((T * B, 4 * H), x.dtype) if z_all is None else z_all
    z, h = np.zeros((B, 4 * H), x.dtype), np.zeros((B, H), x.dtype)
    for _ in range(T):
        np.matmul(z, weights[1], out=h)
    return z_all.T @ d_output.reshape(T * B, H), z_all.T @ x.reshape(T * B, D), z_all @ weights[0]


def floor_both_ways(x, weights, d_output):
    """Both floors, one after the other."""
    return floor_backward(x, weights, d_output, floor(x, weights))
