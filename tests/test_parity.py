"""Both twins give the numbers and the gradients of torch's own networks."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from networks import assert_close, run_numpy, run_reference, run_torch

from lstm_tutorial import in_numpy, in_torch

size = st.integers(1, 5)


@st.composite
def cases(draw, dtype="float64"):
    """Draw an LSTM's options, an input whose padding is NaN, states, and gradients from above."""
    T, B, D, H, layers = draw(size), draw(st.integers(0, 4)), draw(size), draw(size), draw(st.integers(1, 3))
    options = {"batch_first": draw(st.booleans()), "bidirectional": draw(st.booleans())}
    lengths = draw(st.one_of(st.none(), st.lists(st.integers(1, T), min_size=B, max_size=B))) if B else None
    seed = draw(st.integers(0, 2**32 - 1))
    rng, directions = np.random.default_rng(seed), 1 + options["bidirectional"]

    def normal(*shape):
        return rng.standard_normal(shape).astype(dtype)

    x, d_output = normal(B, T, D), normal(B, T, directions * H)
    for b, length in enumerate(lengths or []):
        x[b, length:] = np.nan
    if not options["batch_first"]:
        x, d_output = x.swapaxes(0, 1), d_output.swapaxes(0, 1)
    state, d_state = ((normal(layers * directions, B, H), normal(layers * directions, B, H)) for _ in range(2))
    return (D, H, layers), options, seed, (x, state, lengths, d_output, d_state)


def build(sizes, options, seed, dtype="float64", **more):
    """Return the NumPy network, its torch twin and, if there are no peepholes, torch's own, with the same weights."""
    numpy_net = in_numpy.LSTM(*sizes, **options, **more, rng=seed, dtype=dtype)
    twin = in_torch.LSTM(*sizes, **options, **more, dtype=dtype)
    twin.load_state_dict(numpy_net.state_dict())
    reference = None
    if not more.get("peephole"):
        reference = torch.nn.LSTM(*sizes, **options, dtype=getattr(torch, dtype))
        reference.load_state_dict(twin.state_dict())
    return numpy_net, twin, reference


def fast_copy(network, sizes, options):
    """Return a `FastLSTM` with the parameters of a network."""
    fast = in_numpy.FastLSTM(*sizes, **options, dtype=network.dtype)
    fast.load_state_dict(network.state_dict())
    return fast


@settings(max_examples=60, deadline=None)
@given(cases())
def test_both_twins_equal_torch_in_float64(case):
    sizes, options, seed, run = case
    if run[0].size == 0:
        return  # torch refuses an empty batch; ours is tested below
    numpy_net, twin, reference = build(sizes, options, seed)
    want = run_reference(reference, *run)
    assert_close(run_numpy(numpy_net, *run), want, 1e-10)
    assert_close(run_numpy(fast_copy(numpy_net, sizes, options), *run), want, 1e-10)
    assert_close(run_torch(twin, *run), want, 1e-10)


@settings(max_examples=25, deadline=None)
@given(cases(dtype="float32"))
def test_both_twins_equal_torch_in_float32(case):
    sizes, options, seed, run = case
    if run[0].size == 0:
        return
    numpy_net, twin, reference = build(sizes, options, seed, dtype="float32")
    want = run_reference(reference, *run)
    got = run_numpy(numpy_net, *run)
    assert {value.dtype.name for value in got.values()} == {"float32"}
    assert_close(got, want, 1e-5)
    assert_close(run_numpy(fast_copy(numpy_net, sizes, options), *run), want, 1e-5)
    assert_close(run_torch(twin, *run), want, 1e-5)


@settings(max_examples=25, deadline=None)
@given(cases())
def test_peepholes_agree_between_the_twins(case):
    sizes, options, seed, run = case
    numpy_net, twin, _ = build(sizes, options, seed, peephole=True)
    want = run_torch(twin, *run)
    assert_close(run_numpy(numpy_net, *run), want, 1e-10)
    assert_close(run_numpy(fast_copy(numpy_net, sizes, options | {"peephole": True}), *run), want, 1e-10)


@settings(max_examples=15, deadline=None)
@given(cases(), st.booleans())
def test_returned_gates_agree_between_the_twins_and_rebuild_the_output(case, peephole):
    sizes, options, seed, (x, state, lengths, *_) = case
    numpy_net, twin, _ = build(sizes, options, seed, peephole=peephole)
    output, _, gates = numpy_net(x, state, lengths=lengths, return_gates=True)
    _, _, twin_gates = twin(torch.tensor(x), tuple(map(torch.tensor, state)), lengths=lengths, return_gates=True)
    assert gates._fields == twin_gates._fields == ("i", "f", "g", "o", "c")
    fast = fast_copy(numpy_net, sizes, options | {"peephole": peephole})
    _, _, fast_gates = fast(x, state, lengths=lengths, return_gates=True)
    for ours, quick, theirs in zip(gates, fast_gates, twin_gates, strict=True):
        assert ours.shape == output.shape
        np.testing.assert_allclose(ours, theirs.detach(), atol=1e-12)
        np.testing.assert_allclose(quick, ours, atol=1e-12)
    np.testing.assert_allclose(gates.o * np.tanh(gates.c), output, atol=1e-12)
    for b, length in enumerate(lengths or []):
        for each in (output, *gates):
            assert not (each if options["batch_first"] else each.swapaxes(0, 1))[b, length:].any()


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("layers", [1, 2])
def test_an_unbatched_sequence_is_a_batch_of_one(layers, bidirectional):
    rng, k = np.random.default_rng(0), layers * (1 + bidirectional)
    sizes, options = (3, 4, layers), {"bidirectional": bidirectional}
    numpy_net, twin, reference = build(sizes, options, 0)
    x, h, c = rng.standard_normal((6, 3)), rng.standard_normal((k, 4)), rng.standard_normal((k, 4))
    d_output, d_h, d_c = rng.standard_normal((6, 4 * k // layers)), *rng.standard_normal((2, k, 4))
    want = run_reference(reference, x, (h, c), None, d_output, (d_h, d_c))
    assert_close(run_numpy(numpy_net, x, (h, c), None, d_output, (d_h, d_c)), want, 1e-10)
    assert_close(run_torch(twin, x, (h, c), None, d_output, (d_h, d_c)), want, 1e-10)


@pytest.mark.parametrize("twin", [in_numpy, in_torch])
def test_an_empty_batch_gives_empty_results(twin):
    network = twin.LSTM(3, 4, bidirectional=True, rng=0)
    x = np.zeros((5, 0, 3), np.float32)
    output, (h_n, c_n) = network(x if twin is in_numpy else torch.tensor(x))
    assert output.shape == (5, 0, 8) and h_n.shape == c_n.shape == (2, 0, 4)
    if twin is in_numpy:
        d_x, _ = network.backward(np.zeros((5, 0, 8)))
        assert d_x.shape == x.shape and not network.gradients["weight_hh_l0"].any()


@settings(max_examples=30, deadline=None)
@given(cases())
def test_plain_rnn_equals_torch(case):
    (D, H, _), options, seed, (x, state, lengths, d_output, d_state) = case
    if x.size == 0:
        return
    batch_first = options["batch_first"]
    run = x, state[0][:1], lengths, d_output[..., :H], d_state[0][:1]
    numpy_net = in_numpy.RNN(D, H, batch_first=batch_first, rng=seed, dtype="float64")
    reference = torch.nn.RNN(D, H, batch_first=batch_first, dtype=torch.float64)
    twin = in_torch.RNN(D, H, batch_first=batch_first, dtype="float64")
    for network in (reference, twin):
        network.load_state_dict({name: torch.tensor(value) for name, value in numpy_net.state_dict().items()})
    want = run_reference(OneState(reference), *run)
    assert_close(run_numpy(numpy_net, *run), want, 1e-10)
    assert_close(run_torch(OneState(twin), *run), want, 1e-10)


@settings(max_examples=40, deadline=None)
@given(cases())
def test_gru_equals_torch(case):
    sizes, options, seed, (x, state, lengths, d_output, d_state) = case
    if x.size == 0:
        return
    run = x, state[0], lengths, d_output, d_state[0]
    numpy_net = in_numpy.GRU(*sizes, **options, rng=seed, dtype="float64")
    reference = torch.nn.GRU(*sizes, **options, dtype=torch.float64)
    twin = in_torch.GRU(*sizes, **options, dtype="float64")
    reference.load_state_dict({name: torch.tensor(value) for name, value in numpy_net.state_dict().items()})
    twin.load_state_dict(reference.state_dict())
    want = run_reference(OneState(reference), *run)
    assert_close(run_numpy(numpy_net, *run), want, 1e-10)
    assert_close(run_torch(OneState(twin), *run), want, 1e-10)


@settings(max_examples=40, deadline=None)
@given(cases(), st.sampled_from(["coupled", "no forget gate", "no input gate", "no output gate", "layer norm"]))
def test_variants_agree_between_the_twins(case, kind):
    sizes, options, seed, run = case
    numpy_net = in_numpy.LSTMVariant(*sizes, **options, kind=kind, rng=seed, dtype="float64")
    twin = in_torch.LSTMVariant(*sizes, **options, kind=kind, dtype="float64")
    twin.load_state_dict(numpy_net.state_dict())
    assert_close(run_numpy(numpy_net, *run), run_torch(twin, *run), 1e-10)


@pytest.mark.parametrize("peephole", [False, True])
@pytest.mark.parametrize("twin", [in_numpy, in_torch])
def test_the_loop_of_any_cell_is_the_loop_of_the_lstm(twin, peephole):
    network, rng = twin.LSTM(2, 3, peephole=peephole, rng=0, dtype="float64"), np.random.default_rng(0)
    x, h, c = rng.standard_normal((4, 5, 2)), *rng.standard_normal((2, 5, 3))
    x, h, c = (x, h, c) if twin is in_numpy else map(torch.tensor, (x, h, c))
    weights, lengths = network.state_dict().values(), [4, 1, 3, 2, 4]
    want, (h_n, c_n), *_ = twin.lstm_sequence(x, (h, c), *weights, lengths=lengths)
    got, states, *_ = twin.variants.cell_sequence(twin.lstm_cell, x, (h, c), *weights, lengths=lengths)
    for ours, theirs in zip((got, *states), (want, h_n, c_n), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-14)


@pytest.mark.parametrize("twin", [in_numpy, in_torch])
def test_a_plain_rnn_is_its_cell_in_a_loop(twin):
    rng = np.random.default_rng(0)
    network, x = twin.RNN(2, 3, rng=0, dtype="float64"), rng.standard_normal((4, 5, 2))
    x, h = (x, np.zeros((5, 3))) if twin is in_numpy else (torch.tensor(x), torch.zeros(5, 3, dtype=torch.float64))
    output, _ = network(x)
    for t in range(4):
        h = twin.rnn_cell(x[t], h, *network.state_dict().values())
        np.testing.assert_allclose(output[t].tolist(), h.tolist(), atol=1e-14)


class OneState:
    """A network with one state, called with a tuple of one."""

    def __init__(self, network):
        self.network, self.batch_first = network, network.batch_first
        self.named_parameters = network.named_parameters

    def __call__(self, x, state, **options):
        return self.network(x, state[0], **options)


@pytest.mark.parametrize("bidirectional", [False, True])
def test_output_gates_and_cell_states_are_zero_past_a_length_and_not_before(bidirectional):
    lengths = [4, 1, 3]
    for twin in (in_numpy, in_torch):
        network = twin.LSTM(2, 3, bidirectional=bidirectional, batch_first=True, rng=0)
        x = np.ones((3, 4, 2), np.float32)
        output, _, gates = network(x if twin is in_numpy else torch.tensor(x), lengths=lengths, return_gates=True)
        for each in (output, *gates):
            for b, length in enumerate(lengths):
                assert (each[b, :length] != 0).all() and (each[b, length:] == 0).all()


def test_past_its_lengths_nothing_matters_and_no_gradient_flows():
    rng = np.random.default_rng(0)
    x, lengths = rng.standard_normal((7, 3, 2)), [7, 1, 4]
    twins = [in_numpy.LSTM(2, 3, 2, bidirectional=True, rng=0, dtype="float64")]
    twins.append(in_torch.LSTM(2, 3, 2, bidirectional=True, dtype="float64"))
    twins[1].load_state_dict(twins[0].state_dict())
    found = []
    for padding in (0, 1e30, np.nan, np.inf):
        for b, length in enumerate(lengths):
            x[length:, b] = padding
        d_output = np.where(np.isnan(x[..., :1]), np.nan, np.ones((7, 3, 6)))
        output, (h_n, _) = twins[0](x, lengths=lengths)
        d_x, _ = twins[0].backward(d_output)
        found.append([output, h_n, d_x, *twins[0].gradients.values()])
        leaf = torch.tensor(x, requires_grad=True)
        twins[1].zero_grad()
        twins[1](leaf, lengths=lengths)[0].sum().backward()
        for b, length in enumerate(lengths):
            assert (d_x[length:, b] == 0).all() and (leaf.grad[length:, b] == 0).all()
        np.testing.assert_allclose(leaf.grad, d_x, atol=1e-12)
    for other in found[1:]:
        for got, want in zip(other, found[0], strict=True):
            np.testing.assert_array_equal(got, want)
