"""Bring the weights of a Keras or an ONNX LSTM into torch.nn.LSTM."""

import importlib.util

import numpy as np
import torch
from torch import nn


def copy_into(lstm, weight_ih, weight_hh, bias_ih, bias_hh, order, suffix="l0"):
    """Sort the four blocks of rows from `order` into torch's i, f, g, o and copy them into the layer `suffix`."""
    with torch.no_grad():
        for name, array in (
            ("weight_ih", weight_ih),  # (4H, D)
            ("weight_hh", weight_hh),  # (4H, H)
            ("bias_ih", bias_ih),  # (4H,)
            ("bias_hh", bias_hh),  # (4H,)
        ):
            blocks = dict(zip(order, np.split(np.asarray(array), 4), strict=True))
            sorted_rows = np.concatenate([blocks[gate] for gate in "ifgo"])
            getattr(lstm, f"{name}_{suffix}").copy_(torch.from_numpy(sorted_rows))


def from_keras(lstm, kernel, recurrent_kernel, bias, suffix="l0"):
    """Keras: (D, 4H), (H, 4H), (4H,), in the order i, f, c, o; one bias, so the second is zero."""
    copy_into(lstm, kernel.T, recurrent_kernel.T, bias, np.zeros_like(bias), "ifgo", suffix)


def from_onnx(lstm, W, R, B):
    """ONNX: (directions, 4H, D), (directions, 4H, H), (directions, 8H), in the order i, o, f, c; two biases."""
    for w, r, b, suffix in zip(W, R, B, ("l0", "l0_reverse")):
        bias_ih, bias_hh = np.split(b, 2)
        copy_into(lstm, w, r, bias_ih, bias_hh, "iofg", suffix)


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def keras_layer(x, kernel, recurrent_kernel, bias):  # (B, T, D)
    """The equations of Keras, in its order and its shapes; returns all hidden states, (B, T, H)."""
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
B, T, D, H = 2, 6, 3, 5
x = rng.normal(size=(B, T, D))
keras = rng.normal(size=(D, 4 * H)), rng.normal(size=(H, 4 * H)), rng.normal(size=4 * H)
lstm = nn.LSTM(D, H, batch_first=True).double()
from_keras(lstm, *keras)
with torch.no_grad():
    output, _ = lstm(torch.from_numpy(x))
assert np.allclose(output.numpy(), keras_layer(x, *keras), rtol=0, atol=1e-12)

if importlib.util.find_spec("onnx") and importlib.util.find_spec("onnxruntime"):
    import onnxruntime
    from onnx import TensorProto, helper

    shapes = {"X": (T, B, D), "W": (2, 4 * H, D), "R": (2, 4 * H, H), "B": (2, 8 * H)}
    arrays = {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    node = helper.make_node("LSTM", list(shapes), ["Y"], hidden_size=H, direction="bidirectional")
    inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in shapes.items()]
    result = helper.make_tensor_value_info("Y", TensorProto.FLOAT, (T, 2, B, H))
    graph = helper.make_graph([node], "lstm", inputs, [result])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    (Y,) = onnxruntime.InferenceSession(model.SerializeToString()).run(None, arrays)  # (T, 2, B, H)
    lstm = nn.LSTM(D, H, bidirectional=True)
    from_onnx(lstm, arrays["W"], arrays["R"], arrays["B"])
    with torch.no_grad():
        output, _ = lstm(torch.from_numpy(arrays["X"]))  # (T, B, 2H)
    assert np.allclose(output.numpy(), np.concatenate([Y[:, 0], Y[:, 1]], axis=2), rtol=0, atol=1e-5)
else:
    print("onnx or onnxruntime is not installed: the proof for ONNX was skipped")
