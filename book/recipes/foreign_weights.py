"""Bring the weights of an LSTM from Keras or from an ONNX file into torch.nn.LSTM."""

import importlib.util

import numpy as np
import torch
from torch import nn


@torch.no_grad()
def copy_sorted(lstm, order, suffix, **arrays):
    """Copy arrays whose first axis holds four blocks in this order; torch has i, f, g, o."""
    for name, array in arrays.items():
        blocks = dict(zip(order, np.split(array, 4)))
        rows = np.concatenate([blocks[gate] for gate in "ifgo"])  # (4H, ...)
        getattr(lstm, name + suffix).copy_(torch.from_numpy(rows))


def from_keras(lstm, kernel, recurrent_kernel, bias, suffix="_l0"):
    """(D, 4H), (H, 4H), (4H,) in the order i, f, c, o: transposed, with one bias for two."""
    weights = {"weight_ih": kernel.T, "weight_hh": recurrent_kernel.T}
    copy_sorted(lstm, "ifgo", suffix, **weights, bias_ih=bias, bias_hh=np.zeros_like(bias))


def from_onnx(lstm, W, R, B):
    """(directions, 4H, D), (directions, 4H, H), (directions, 8H) in the order i, o, f, c."""
    for w, r, b, suffix in zip(W, R, B, ("_l0", "_l0_reverse")):
        bias_ih, bias_hh = np.split(b, 2)
        weights = {"weight_ih": w, "weight_hh": r}
        copy_sorted(lstm, "iofg", suffix, **weights, bias_ih=bias_ih, bias_hh=bias_hh)


# Proof
def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def keras_layer(x, kernel, recurrent_kernel, bias):  # (B, T, D)
    """What Keras computes, in its own shapes and order: all hidden states, (B, T, H)."""
    h = c = np.zeros((len(x), len(recurrent_kernel)))
    states = []
    for t in range(x.shape[1]):
        z = x[:, t] @ kernel + h @ recurrent_kernel + bias  # (B, 4H)
        z_i, z_f, z_c, z_o = np.split(z, 4, axis=1)
        c = sigmoid(z_f) * c + sigmoid(z_i) * np.tanh(z_c)
        h = sigmoid(z_o) * np.tanh(c)
        states.append(h)
    return np.stack(states, axis=1)


rng = np.random.default_rng(0)
x = rng.normal(size=(2, 6, 3))  # (B, T, D)
arrays = [rng.normal(size=shape) for shape in ((3, 20), (5, 20), (20,))]  # H = 5
lstm = nn.LSTM(3, 5, batch_first=True).double()
from_keras(lstm, *arrays)
output = lstm(torch.from_numpy(x))[0].detach().numpy()
assert np.allclose(output, keras_layer(x, *arrays), rtol=0, atol=1e-12)

if importlib.util.find_spec("onnx") and importlib.util.find_spec("onnxruntime"):
    import onnxruntime
    from onnx import parser

    text = """<ir_version: 10, opset_import: ["": 21]> layer (float[6, 2, 3] X,
        float[2, 20, 3] W, float[2, 20, 5] R, float[2, 40] B) => (float[6, 2, 2, 5] Y)
        { Y = LSTM <direction = "bidirectional", hidden_size = 5> (X, W, R, B) }"""
    session = onnxruntime.InferenceSession(parser.parse_model(text).SerializeToString())
    feed = {each.name: rng.normal(size=each.shape) for each in session.get_inputs()}
    feed = {name: array.astype(np.float32) for name, array in feed.items()}
    (Y,) = session.run(None, feed)  # (T, directions, B, H)
    lstm = nn.LSTM(3, 5, bidirectional=True)
    from_onnx(lstm, feed["W"], feed["R"], feed["B"])
    output = lstm(torch.from_numpy(feed["X"]))[0].detach().numpy()  # (T, B, 2H)
    assert np.allclose(output, np.concatenate([Y[:, 0], Y[:, 1]], axis=2), atol=1e-5)
else:
    print("onnx and onnxruntime are not installed: the proof for ONNX was skipped")
