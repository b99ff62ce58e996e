"""Bad input is refused, and the message names the argument, what was expected and what came."""

import re

import numpy as np
import pytest
import torch

from lstm_tutorial import in_numpy, in_torch, validation

TWINS = [in_numpy, in_torch]
X = np.zeros((7, 4, 10), np.float32)
STATE = np.zeros((2, 4, 3), np.float32)


@pytest.fixture(params=TWINS, ids=["numpy", "torch"])
def twin(request):
    return request.param


def tensor(twin, value):
    """Return an array as the twin's own kind."""
    return torch.tensor(value) if twin is in_torch and isinstance(value, np.ndarray) else value


@pytest.mark.parametrize(
    "options, message",
    [
        ({"input_size": 0}, "input_size must be an integer >= 1, got 0"),
        ({"hidden_size": 0}, "hidden_size must be an integer >= 1, got 0"),
        ({"hidden_size": 2.0}, "hidden_size must be an integer >= 1, got 2.0"),
        ({"num_layers": 0}, "num_layers must be an integer >= 1, got 0"),
        ({"num_layers": True}, "num_layers must be an integer >= 1, got True"),
        ({"dropout": 1.5}, "dropout must be a number from 0 to 1, got 1.5"),
        ({"dropout": -0.1}, "dropout must be a number from 0 to 1, got -0.1"),
        ({"dropout": "half"}, "dropout must be a number from 0 to 1, got 'half'"),
        ({"forget_bias": float("nan")}, "forget_bias must be a number from -inf to inf, got nan"),
        ({"forget_bias": "big"}, "forget_bias must be a number from -inf to inf, got 'big'"),
        ({"dtype": "float16"}, "dtype must be float32 or float64, got float16"),
        ({"dtype": torch.int64}, "dtype must be float32 or float64, got int64"),
        ({"dtype": "bananas"}, "dtype must be float32 or float64, got bananas"),
        ({"dtype": None}, "dtype must be float32 or float64, got "),
    ],
)
def test_options_of_the_lstm(twin, options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        twin.LSTM(**{"input_size": 10, "hidden_size": 3} | options)


def test_options_are_named_and_some_are_left_out(twin):
    with pytest.raises(TypeError):
        twin.LSTM(10, 3, 1, True)
    for option in ("bias", "proj_size", "device"):
        with pytest.raises(TypeError, match=option):
            twin.LSTM(10, 3, **{option: None})
        assert option in twin.LSTM.__doc__


@pytest.mark.parametrize(
    "x, call, error, message",
    [
        (X[..., :9], {}, ValueError, "x must have shape (T, B, 10), got (7, 4, 9)"),
        (X[0, 0], {}, ValueError, "x must have shape (T, B, 10), got (10,)"),
        (X[None], {}, ValueError, "x must have shape (T, B, 10), got (1, 7, 4, 10)"),
        (X[:, 0, :9], {}, ValueError, "x must have shape (T, 10), got (7, 9)"),
        (X[:0], {}, ValueError, "x must have at least one step, got shape (0, 4, 10)"),
        (X.astype(int), {}, TypeError, "x must hold floating-point numbers, got int64: embed or one-hot it first"),
        (X.astype(bool), {}, TypeError, "x must hold floating-point numbers, got bool: embed or one-hot it first"),
        (X, {"state": (STATE[:1], STATE)}, ValueError, "h_0 must have shape (2, 4, 3), got (1, 4, 3)"),
        (X, {"state": (STATE, STATE[:, :3])}, ValueError, "c_0 must have shape (2, 4, 3), got (2, 3, 3)"),
        (X[:, 0], {"state": (STATE, STATE)}, ValueError, "h_0 must have shape (2, 3), got (2, 4, 3)"),
        (X, {"state": STATE}, TypeError, "the state must be a tuple (h_0, c_0), got "),
        (X, {"state": (STATE,)}, TypeError, "the state must be a tuple (h_0, c_0), got "),
        (X, {"lengths": [7, 7, 7]}, ValueError, "lengths must have shape (B,) with B = 4, got (3,)"),
        (X, {"lengths": [7, 0, 7, 7]}, ValueError, "lengths must lie between 1 and T = 7, got 0 at position 1"),
        (X, {"lengths": [7, 7, 7, -2]}, ValueError, "lengths must lie between 1 and T = 7, got -2 at position 3"),
        (X, {"lengths": [8, 7, 7, 7]}, ValueError, "lengths must lie between 1 and T = 7, got 8 at position 0"),
        (X, {"lengths": [7.0, 7, 7, 7]}, TypeError, "lengths must hold integers, got float64"),
        (X[:, 0], {"lengths": [7]}, ValueError, "lengths must be None for an unbatched x of shape (T, D)"),
    ],
)
def test_calls_of_the_lstm(twin, x, call, error, message):
    network = twin.LSTM(10, 3, 2, rng=0)
    call = dict(call)
    if "state" in call:
        state = call["state"]
        call["state"] = tuple(tensor(twin, e) for e in state) if isinstance(state, tuple) else tensor(twin, state)
    with pytest.raises(error, match=re.escape(message)):
        network(tensor(twin, x), **call)


def test_batch_first_names_its_own_layout(twin):
    with pytest.raises(ValueError, match=re.escape("x must have shape (B, T, 10), got (4, 7, 9)")):
        twin.LSTM(10, 3, batch_first=True)(tensor(twin, np.zeros((4, 7, 9), np.float32)))


def test_the_torch_twin_refuses_another_float_type_as_torch_does():
    network = in_torch.LSTM(10, 3, 2)
    with pytest.raises(TypeError, match="x must hold torch.float32, the network's, got torch.float64"):
        network(torch.zeros(7, 4, 10, dtype=torch.float64))
    with pytest.raises(TypeError, match="c_0 must hold torch.float32, the network's, got torch.float64"):
        network(torch.zeros(7, 4, 10), (torch.zeros(2, 4, 3), torch.zeros(2, 4, 3, dtype=torch.float64)))
    with pytest.raises((ValueError, RuntimeError)):
        torch.nn.LSTM(10, 3)(torch.zeros(7, 4, 10, dtype=torch.float64))


@pytest.mark.parametrize(
    "position, shape, message",
    [
        (0, (4, 9), "weight_ih must have shape"),
        (1, (12, 4), "h must have shape"),
        (1, (11, 3), "weight_hh must have shape (12, 3), got (11, 3)"),
        (2, (3,), "bias_ih must have shape (12,), got (3,)"),
        (3, (12, 1), "bias_hh must have shape (12,), got (12, 1)"),
        (4, (4, 3), "weight_peephole must have shape (3, 3), got (4, 3)"),
    ],
)
def test_arguments_of_one_step(twin, position, shape, message):
    weights = [np.zeros(s) for s in ((12, 10), (12, 3), (12,), (12,), (3, 3))]
    weights[position] = np.zeros(shape)
    x, h = np.zeros((4, 10)), np.zeros((4, 3))
    if message.startswith("weight_ih"):
        x = np.zeros((4, 9))
    x, h, *weights = (tensor(twin, each) for each in (x, h, *weights))
    with pytest.raises(ValueError, match=re.escape(message)):
        twin.lstm_cell(x, (h, h), *weights)


def test_one_step_wants_floats_and_a_pair_of_states(twin):
    weights = [tensor(twin, np.zeros(s)) for s in ((12, 10), (12, 3), (12,), (12,))]
    x, h = tensor(twin, np.zeros((4, 10))), tensor(twin, np.zeros((4, 3)))
    with pytest.raises(TypeError, match="x must hold floating-point numbers, got int64"):
        twin.lstm_cell(tensor(twin, np.zeros((4, 10), int)), (h, h), *weights)
    with pytest.raises(TypeError, match=re.escape("the state must be a tuple (h, c)")):
        twin.lstm_cell(x, h, *weights)
    with pytest.raises(ValueError, match=re.escape("x must have shape (B, 10), got (2, 4, 10)")):
        twin.lstm_cell(tensor(twin, np.zeros((2, 4, 10))), (h, h), *weights)
    if twin is in_numpy:
        _, cache = twin.lstm_cell(x, (h, h), *weights)
        with pytest.raises(ValueError, match=re.escape("d_h must have shape (4, 3), got (3,)")):
            twin.lstm_cell_backward(np.zeros(3), h, cache)
        with pytest.raises(ValueError, match=re.escape("d_c must have shape (4, 3), got (4, 1)")):
            twin.lstm_cell_backward(h, np.zeros((4, 1)), cache)


def test_the_plain_rnn_refuses_the_same(twin):
    network = twin.RNN(10, 3, rng=0)
    for x, call, message in [
        (X[..., :9], {}, "x must have shape (T, B, 10), got (7, 4, 9)"),
        (X[:, 0], {}, "x must have a batch axis, got (7, 10)"),
        (X, {"h_0": STATE}, "h_0 must have shape (1, 4, 3), got (2, 4, 3)"),
        (X, {"lengths": [7, 7, 7, 8]}, "lengths must lie between 1 and T = 7, got 8 at position 3"),
    ]:
        call = {name: tensor(twin, value) for name, value in call.items()}
        with pytest.raises(ValueError, match=re.escape(message)):
            network(tensor(twin, x), **call)
    with pytest.raises(ValueError, match="hidden_size must be an integer >= 1, got 0"):
        twin.RNN(10, 0)


def test_layers_refuse_wrong_shapes_tokens_and_early_backwards():
    linear, embedding = in_numpy.Linear(3, 2, rng=0), in_numpy.Embedding(5, 4, rng=0)
    for call, error, message in [
        (lambda: linear(np.zeros((4, 2))), ValueError, "x must have shape (..., 3), got (4, 2)"),
        (lambda: linear(np.zeros((4, 3), int)), TypeError, "x must hold floating-point numbers, got int64"),
        (lambda: linear.backward(np.zeros((4, 2))), RuntimeError, "backward needs a forward"),
        (lambda: embedding.backward(np.zeros((4, 4))), RuntimeError, "backward needs a forward"),
        (lambda: embedding(np.zeros(2)), TypeError, "tokens must hold integers, got float64"),
        (lambda: embedding(np.array([0, 5])), ValueError, "tokens must lie between 0 and 4, got 0 to 5"),
        (lambda: embedding(np.array([-1, 2])), ValueError, "tokens must lie between 0 and 4, got -1 to 2"),
        (lambda: in_numpy.Linear(0, 2), ValueError, "input_size must be an integer >= 1, got 0"),
        (lambda: in_numpy.Embedding(5, 0), ValueError, "embedding_dim must be an integer >= 1, got 0"),
        (lambda: linear.load_state_dict({"weight": np.zeros((2, 3))}), ValueError, "missing ['bias']"),
    ]:
        with pytest.raises(error, match=re.escape(message)):
            call()
    linear(np.zeros((4, 3)))
    with pytest.raises(ValueError, match=re.escape("d_y must have shape (4, 2), got (4, 3)")):
        linear.backward(np.zeros((4, 3)))
    linear.backward(np.zeros((4, 2)))  # the refused one has lost nothing


def test_a_state_dict_of_integers_is_refused_before_anything_is_written():
    linear = in_numpy.Linear(3, 2, rng=0)
    before = linear.state_dict()
    with pytest.raises(TypeError, match="bias must hold floating-point numbers, got int64"):
        linear.load_state_dict({"weight": np.zeros((2, 3)), "bias": np.zeros(2, int)})
    np.testing.assert_array_equal(linear.state_dict()["weight"], before["weight"])


def test_a_shape_of_one_axis_is_written_as_python_writes_it():
    with pytest.raises(ValueError, match=re.escape("bias must have shape (3,), got (2,)")):
        validation.check_shape("bias", np.zeros(2), (3,))
