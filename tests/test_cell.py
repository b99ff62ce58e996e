"""One step: its parts, its gradients, and that a loop of steps is the sequence."""

from importlib import import_module

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_tutorial import in_numpy, in_torch
from lstm_tutorial.in_numpy import gru, variants

NAMES = "weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_peephole"


def draw(B, D, H, peephole, seed=0):
    """Return x, (h, c) and the weights of a step; B None means no batch axis."""
    rng, batch = np.random.default_rng(seed), () if B is None else (B,)
    shapes = [(4 * H, D), (4 * H, H), (4 * H,), (4 * H,)] + [(3, H)] * peephole
    weights = [rng.standard_normal(shape) for shape in shapes]
    return rng.standard_normal((*batch, D)), tuple(rng.standard_normal((2, *batch, H))), weights


def numeric(function, value, eps=1e-6):
    """Return the central-difference gradient of a scalar function of an array that it sees change in place."""
    gradient = np.zeros_like(value)
    for index in np.ndindex(value.shape):
        kept = value[index]
        value[index] = kept + eps
        above = function()
        value[index] = kept - eps
        gradient[index] = (above - function()) / (2 * eps)
        value[index] = kept
    return gradient


@pytest.mark.parametrize("peephole", [False, True])
@pytest.mark.parametrize("B", [None, 1, 3])
def test_every_gradient_of_a_step_against_central_differences(B, peephole):
    x, state, weights = draw(B, 2, 3, peephole)
    rng = np.random.default_rng(1)
    d_h, d_c = rng.standard_normal((2, *state[0].shape))

    def loss():
        (h, c), _ = in_numpy.lstm_cell(x, state, *weights)
        return np.vdot(h, d_h) + np.vdot(c, d_c)

    _, cache = in_numpy.lstm_cell(x, state, *weights)
    d_x, (d_h_prev, d_c_prev), gradients = in_numpy.lstm_cell_backward(d_h, d_c, cache)
    assert list(gradients) == list(NAMES[: len(weights)])
    pairs = [(x, d_x), (state[0], d_h_prev), (state[1], d_c_prev), *zip(weights, gradients.values(), strict=True)]
    for value, gradient in pairs:
        assert gradient.shape == value.shape
        np.testing.assert_allclose(gradient, numeric(loss, value), atol=1e-8)  # values of size 1


def draw_variant(kind, B, D, H):
    """Return x, the states, the weights of a cell of `CELLS` or of the GRU, and its step and backward."""
    rng, batch = np.random.default_rng(2), () if B is None else (B,)
    rows, cell, backward = ("rzn", gru._step, gru._step_backward) if kind == "GRU" else variants.CELLS[kind]
    R = len(rows) * H
    shapes = [(R, D), (R, H), (R,), (R,)] + [(n * H,) for n in variants.GAINS.values()] * (kind == "layer norm")
    weights = [rng.standard_normal(shape) for shape in shapes]
    state = tuple(rng.standard_normal((1 if kind == "GRU" else 2, *batch, H)))
    return rng.standard_normal((*batch, D)), state, weights, cell, backward


@pytest.mark.parametrize("kind", ["GRU", *variants.CELLS])
@pytest.mark.parametrize("B", [None, 1, 3])
def test_every_gradient_of_a_variant_against_central_differences_and_torch(B, kind):
    x, state, weights, cell, backward = draw_variant(kind, B, 2, 3)
    d_state = np.random.default_rng(1).standard_normal((len(state), *state[0].shape))

    def loss():
        return sum(np.vdot(*pair) for pair in zip(cell(x, state, *weights)[0], d_state, strict=True))

    new, cache = cell(x, state, *weights)
    d_x, d_prev, gradients = backward(*d_state, cache)
    twin = in_torch.gru._step if kind == "GRU" else in_torch.variants.CELLS[kind][1]
    leaves = [torch.tensor(each, requires_grad=True) for each in (x, *state, *weights)]
    twin_new = twin(leaves[0], tuple(leaves[1 : 1 + len(state)]), *leaves[1 + len(state) :])
    sum((each * torch.tensor(d)).sum() for each, d in zip(twin_new, d_state, strict=True)).backward()
    for ours, theirs in zip(new, twin_new, strict=True):
        np.testing.assert_allclose(ours, theirs.detach(), atol=1e-13)
    values = x, *state, *weights
    for value, gradient, leaf in zip(values, (d_x, *d_prev, *gradients.values()), leaves, strict=True):
        assert gradient.shape == value.shape
        np.testing.assert_allclose(gradient, leaf.grad, atol=1e-10)
        np.testing.assert_allclose(gradient, numeric(loss, value), atol=1e-7)


@pytest.mark.parametrize("kind", variants.CELLS)
def test_a_variant_is_the_lstm_with_gates_held_by_its_biases(kind):
    """A gate with weights of 0 and a bias of 50 is 1; coupling is not of this kind, and equals i = 1 - f by rows."""
    x, state, weights, cell, _ = draw_variant(kind, 3, 2, 4)
    rows = variants.CELLS[kind][0]
    full = [np.zeros((4, 4, *each.shape[1:])) for each in weights[:4]]
    full[2][...] = 50.0
    for k, name in enumerate(rows):
        for each, own in zip(full, weights, strict=False):
            each["ifgo".index(name)] = own[4 * k : 4 * k + 4]
    if kind == "coupled":  # sigmoid(-z) = 1 - sigmoid(z)
        for each in full:
            each[0] = -each[1]
    new, _ = in_numpy.lstm_cell(x, state, *(each.reshape(16, *each.shape[2:]) for each in full))
    if kind == "layer norm":
        assert np.abs(new[1] - cell(x, state, *weights)[0][1]).max() > 0.01  # no rows make the LSTM one
        return
    for got, want in zip(cell(x, state, *weights)[0], new, strict=True):
        np.testing.assert_allclose(got, want, atol=1e-12)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 4), st.booleans(), st.integers(0, 2**31))
def test_a_step_equals_torch(B, D, H, peephole, seed):
    x, state, weights = draw(B, D, H, peephole, seed)
    (h, c), cache = in_numpy.lstm_cell(x, state, *weights)
    leaves = [torch.tensor(each, requires_grad=True) for each in (x, *state, *weights)]
    twin_h, twin_c = in_torch.lstm_cell(leaves[0], (leaves[1], leaves[2]), *leaves[3:])
    np.testing.assert_allclose(h, twin_h.detach(), atol=1e-12)
    np.testing.assert_allclose(c, twin_c.detach(), atol=1e-12)
    (twin_h.sum() + 2 * twin_c.sum()).backward()
    d_x, d_state, gradients = in_numpy.lstm_cell_backward(np.ones_like(h), 2 * np.ones_like(c), cache)
    for got, leaf in zip((d_x, *d_state, *gradients.values()), leaves, strict=True):
        np.testing.assert_allclose(got, leaf.grad, atol=1e-12)
    if not peephole:
        reference = torch.nn.LSTMCell(D, H, dtype=torch.float64)
        reference.load_state_dict({name: torch.tensor(w) for name, w in zip(NAMES, weights, strict=False)})
        want_h, want_c = reference(leaves[0], (leaves[1], leaves[2]))
        np.testing.assert_allclose(h, want_h.detach(), atol=1e-12)
        np.testing.assert_allclose(c, want_c.detach(), atol=1e-12)


@pytest.mark.parametrize("twin", [in_numpy, in_torch])
def test_the_gates_one_by_one_make_the_step(twin):
    x, (h, c), weights = draw(3, 2, 4, peephole=False)
    if twin is in_torch:
        x, h, c, *weights = map(torch.tensor, (x, h, c, *weights))
    rows = [[each[4 * k : 4 * k + 4] for each in weights] for k in range(4)]  # i, f, g, o
    i, f = twin.input_gate(x, h, *rows[0]), twin.forget_gate(x, h, *rows[1])
    g, o = twin.candidate(x, h, *rows[2]), twin.output_gate(x, h, *rows[3])
    c_new = twin.update_cell_state(f, c, i, g)
    h_new = twin.update_hidden_state(o, c_new)
    step = twin.lstm_cell(x, (h, c), *weights)
    want_h, want_c = step[0] if twin is in_numpy else step
    np.testing.assert_allclose(h_new, want_h, atol=1e-14)
    np.testing.assert_allclose(c_new, want_c, atol=1e-14)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 5), st.integers(1, 4), st.booleans(), st.booleans(), st.integers(0, 2**31))
def test_a_loop_of_steps_is_the_oracle_of_the_sequence(T, B, peephole, ragged, seed):
    D, H, rng = 2, 3, np.random.default_rng(seed)
    _, state, weights = draw(B, D, H, peephole, seed)
    x, weights = rng.standard_normal((T, B, D)), weights + [None] * (5 - len(weights))
    lengths = rng.integers(1, T + 1, B) if ragged else None
    output, final, cache = in_numpy.lstm_sequence(x, state, *weights, lengths=lengths)
    d_output, d_final = rng.standard_normal((T, B, H)), tuple(rng.standard_normal((2, B, H)))
    d_x, d_first, gradients = in_numpy.lstm_sequence_backward(d_output, d_final, cache)

    total = {}
    for b in range(B):  # each sequence alone, step by step
        (h, c), caches = (state[0][b : b + 1], state[1][b : b + 1]), []
        for t in range(T if lengths is None else lengths[b]):
            (h, c), step = in_numpy.lstm_cell(x[t, b : b + 1], (h, c), *weights)
            np.testing.assert_allclose(output[t, b], h[0], atol=1e-12)
            caches.append(step)
        np.testing.assert_allclose(final[0][b], h[0], atol=1e-12)
        np.testing.assert_allclose(final[1][b], c[0], atol=1e-12)
        d_h, d_c = (each[b : b + 1] for each in d_final)
        for t in reversed(range(len(caches))):
            d_x_t, (d_h, d_c), step = in_numpy.lstm_cell_backward(d_h + d_output[t, b], d_c, caches[t])
            np.testing.assert_allclose(d_x[t, b], d_x_t[0], atol=1e-11)
            total = {name: total.get(name, 0) + value for name, value in step.items()}
        np.testing.assert_allclose(d_first[0][b], d_h[0], atol=1e-11)
        np.testing.assert_allclose(d_first[1][b], d_c[0], atol=1e-11)
    for name, value in gradients.items():
        np.testing.assert_allclose(value, total[name], atol=1e-10)


@pytest.mark.parametrize("twin", [in_numpy, in_torch])
def test_flip_turns_each_sequence_and_leaves_its_padding_where_it_is(twin):
    flip = import_module(f"{twin.__name__}.sequence").flip
    x, lengths = np.arange(15).reshape(5, 3, 1), np.array([5, 2, 1])
    want = x.copy()
    for b, length in enumerate(lengths):
        want[:length, b] = x[:length, b][::-1]
    x, lengths = (x, lengths) if twin is in_numpy else (torch.tensor(x), torch.tensor(lengths))
    np.testing.assert_array_equal(flip(x, lengths), want)
    np.testing.assert_array_equal(flip(x), np.asarray(x)[::-1])


def test_sigmoid_is_exact_also_where_it_is_tiny_and_never_overflows():
    z = np.array([-np.inf, -745.0, -100.0, -30.0, -1.0, 0.0, 1.0, 30.0, 800.0, np.inf])
    with np.errstate(over="raise", invalid="raise"):
        s = in_numpy.sigmoid(z)
    want = [0, np.exp(-745.0), np.exp(-100.0), 1 / (1 + np.exp(30.0)), 1 / (1 + np.e), 0.5, np.e / (1 + np.e)]
    np.testing.assert_allclose(s[:7], want, rtol=1e-15)
    np.testing.assert_array_equal(s[7:], [1 / (1 + np.exp(-30.0)), 1, 1])
    assert in_numpy.sigmoid(np.float32(3) + np.zeros(2, np.float32)).dtype == np.float32
    assert np.isnan(in_numpy.sigmoid(np.nan))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.floats(-50, 50), min_size=1, max_size=6), st.floats(-500, 500))
def test_softmax_sums_to_one_does_not_see_a_shift_and_has_the_right_slope(scores, shift):
    z = np.array(scores)
    p = in_numpy.softmax(z)
    assert abs(p.sum() - 1) < 1e-12 and (p >= 0).all()
    np.testing.assert_allclose(in_numpy.softmax(z + shift), p, atol=1e-10)
    leaf = torch.tensor(z, requires_grad=True)
    d_p = np.arange(1.0, len(z) + 1)
    (torch.softmax(leaf, -1) * torch.tensor(d_p)).sum().backward()
    np.testing.assert_allclose(in_numpy.softmax_backward(d_p, p), leaf.grad, atol=1e-12)


def test_the_slopes_are_those_of_the_functions():
    z, eps = np.linspace(-4, 4, 9), 1e-6
    for function, slope in ((in_numpy.sigmoid, in_numpy.sigmoid_slope), (in_numpy.tanh, in_numpy.tanh_slope)):
        measured = (function(z + eps) - function(z - eps)) / (2 * eps)
        np.testing.assert_allclose(slope(function(z)), measured, atol=1e-9)
