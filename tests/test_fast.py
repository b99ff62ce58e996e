"""The fused layer gives the numbers of the plain one, in chunks of any size, and says where it is less exact."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_tutorial.in_numpy import LSTM, FastLSTM, fast, lstm_sequence, lstm_sequence_backward, sigmoid, tanh
from lstm_tutorial.in_numpy.fast import fused_sequence, fused_sequence_backward

size = st.integers(1, 7)


def draw(T, B, D, H, ragged, peephole, seed, dtype="float64"):
    """Return everything that a layer is given, and the gradients that come back to it."""
    rng = np.random.default_rng(seed)
    shapes = (4 * H, D), (4 * H, H), (4 * H,), (4 * H,), (3, H)
    weights = [rng.standard_normal(shape).astype(dtype) for shape in shapes[: 5 if peephole else 4]]
    x, d_output = (rng.standard_normal((T, B, size)).astype(dtype) for size in (D, H))
    state, d_state = rng.standard_normal((2, 2, B, H)).astype(dtype)
    lengths = rng.integers(1, T + 1, B) if ragged else None
    if ragged:
        x[np.arange(T)[:, None] >= lengths] = np.nan
    return x, state, weights, lengths, d_output, d_state


@settings(max_examples=150)
@given(size, size, size, size, st.booleans(), st.booleans(), st.sampled_from([1, 40, 150, 600, 2**17]), size)
def test_fused_equals_the_plain_sequence_in_chunks_of_any_size(T, B, D, H, ragged, peephole, chunk, seed):
    x, state, weights, lengths, d_output, d_state = draw(T, B, D, H, ragged, peephole, seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fast, "CHUNK", chunk)
        patch.setattr(fast, "ROWS", chunk % 7)
        runs = []
        for forward, backward in (
            (lstm_sequence, lstm_sequence_backward),
            (fused_sequence, fused_sequence_backward),
        ):
            output, final, cache = forward(x, state, *weights, lengths=lengths)
            d_x, d_first, gradients = backward(d_output, d_state, cache)
            runs.append({"output": output, "h": final[0], "c": final[1], "d_x": d_x, "d_h": d_first[0]})
            runs[-1] |= {"d_c": d_first[1]} | gradients
        inferred, last, nothing = fused_sequence(x, state, *weights, lengths=lengths, keep_cache=False)
    assert nothing is None
    apart = 0 if T > 1 else 1e-14  # a single step is not laid out
    np.testing.assert_allclose(inferred, runs[1]["output"], rtol=0, atol=apart)
    np.testing.assert_allclose(last, [runs[1]["h"], runs[1]["c"]], rtol=0, atol=100 * apart)
    assert runs[0].keys() == runs[1].keys()
    for name, want in runs[0].items():
        scale = max(1.0, np.abs(want).max())
        np.testing.assert_allclose(runs[1][name], want, rtol=0, atol=1e-12 * scale, err_msg=name)
    if ragged:
        padding = np.arange(T)[:, None] >= lengths
        assert not runs[1]["output"][padding].any() and not runs[1]["d_x"][padding].any()


def test_what_a_layer_is_given_stays_as_it_is():
    x, state, weights, lengths, d_output, d_state = draw(6, 3, 2, 4, True, True, 0)
    given_arrays = [x, *state, *weights, lengths, d_output, *d_state]
    before = [each.copy() for each in given_arrays]
    output, _, cache = fused_sequence(x, state, *weights, lengths=lengths)
    fused_sequence_backward(d_output, d_state, cache)
    for array, kept in zip(given_arrays, before, strict=True):
        np.testing.assert_array_equal(array, kept)


@pytest.mark.parametrize("dtype, rounding, shut", [("float32", 6e-8, -18), ("float64", 1.2e-16, -38)])
def test_a_gate_made_of_a_tanh_is_exact_to_rounding_near_one_and_no_further(dtype, rounding, shut):
    z = np.linspace(-40, 40, 100_001).astype(dtype)
    exact = 1 / (1 + np.exp(-z.astype(np.longdouble)))
    gate = z / np.array(2, dtype)
    fast.activate(gate, gate, np.array(0.5, dtype))
    assert np.abs(gate - exact).max() <= 1.01 * rounding  # half the distance between numbers just below 1
    tiny = z < shut  # the plain sigmoid keeps what is tiny; here nothing of it is left but rounding
    assert (gate[tiny] <= rounding).all() and (sigmoid(z[tiny]) > 0).all()
    assert np.abs(gate[tiny] / exact[tiny] - 1).max() > 0.5
    near = np.abs(z) < 4
    np.testing.assert_allclose(gate[near], exact[near].astype(dtype), rtol=60 * rounding)
    bent = z.copy()
    fast.activate(bent, bent[:0], np.array(0.5, dtype))
    np.testing.assert_array_equal(bent, tanh(z))


def test_float32_stays_within_float32_of_the_plain_sequence():
    x, state, weights, lengths, d_output, d_state = draw(200, 8, 5, 16, True, False, 0, "float32")
    weights = [weight / 4 for weight in weights]
    runs = []
    for forward, backward in ((lstm_sequence, lstm_sequence_backward), (fused_sequence, fused_sequence_backward)):
        output, _, cache = forward(x, state, *weights, lengths=lengths)
        d_x, _, gradients = backward(d_output, d_state, cache)
        runs.append({"output": output, "d_x": d_x} | gradients)
    for name, want in runs[0].items():
        assert runs[1][name].dtype == np.float32
        np.testing.assert_allclose(runs[1][name], want, rtol=0, atol=2e-5 * max(1, np.abs(want).max()), err_msg=name)


@pytest.mark.parametrize("ragged", [False, True])
def test_memory_is_used_again_and_nothing_of_the_batch_before_is_left_in_it(ragged):
    lstm, same = (FastLSTM(3, 4, 2, bidirectional=True, rng=0, dtype="float64") for _ in range(2))
    first, second = (draw(6, 5, 3, 4, ragged, False, seed) for seed in (1, 2))
    output, _ = lstm(first[0], lengths=first[3])
    before = output.copy()
    lstm.backward(np.ones_like(output))
    waiting = {id(array) for arrays in lstm._memory.free for array in arrays}
    results = []
    for network in (lstm, same):  # the second has no memory to use again
        output_2, state = network(second[0], lengths=second[3])
        if network is lstm:
            assert {id(array) for cache in network._cache[0] for array in (cache.seen, cache.slots)} == waiting
        results.append([output_2, *state, network.backward(np.ones_like(output_2))[0], *network.gradients.values()])
    np.testing.assert_array_equal(output, before)  # what was handed out is not in that memory
    for got, want in zip(*results, strict=True):
        np.testing.assert_array_equal(got, want)
    lstm(first[0][:2])  # another shape: what waits does not fit
    assert not {id(cache.slots) for cache in lstm._cache[0]} & waiting


def test_memory_that_is_in_use_is_not_lent_again_and_no_more_waits_than_one_forward_needs():
    memory = fast.Memory(2)
    loans = [memory.lend(((3, 2),), "float32") for _ in range(5)]
    assert len({id(loan.arrays[0]) for loan in loans}) == 5
    del loans
    assert len(memory.free) == 2
    assert memory.lend(((3, 2),), "float64").arrays[0].dtype == np.float64 and len(memory.free) == 2


@pytest.mark.parametrize("kind", [LSTM, FastLSTM])
def test_gates_are_returned_without_a_cache(kind):
    lstm, x = kind(2, 3, rng=0), np.random.default_rng(0).standard_normal((5, 4, 2))
    kept, without = (lstm(x, return_gates=True, keep_cache=keep)[2] for keep in (True, False))
    for got, want in zip(without, kept, strict=True):
        np.testing.assert_array_equal(got, want)
    with pytest.raises(RuntimeError):
        lstm.backward()


def test_weights_begin_on_a_line_of_the_cache():
    for dtype in ("float32", "float64"):
        for size in range(1, 40):
            array = fast.empty_on_a_line((2, size), dtype)
            assert array.ctypes.data % 64 == 0 and array.flags.c_contiguous
            assert array.dtype == dtype and array.shape == (2, size)


def test_inference_keeps_no_cache_and_no_step():
    import tracemalloc

    T, B, D, H = 400, 8, 4, 64
    x, lstm = np.ones((T, B, D), np.float32), FastLSTM(D, H, rng=0)
    peaks = {}
    for keep_cache in (True, False):
        tracemalloc.start()
        lstm(x, keep_cache=keep_cache)
        peaks[keep_cache] = tracemalloc.get_traced_memory()[1] / (T * B * H * 4)
        tracemalloc.stop()
    assert peaks[True] > 6  # gates, cell states and hidden states
    assert peaks[False] < 3  # the output, its copy, and work for a chunk


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("rows, chunk", [(1, 1), (7, 100), (512, 2**16)])
@pytest.mark.parametrize("peephole", [False, True])
def test_what_stands_in_memory_past_a_length_does_not_matter(monkeypatch, peephole, rows, chunk):
    monkeypatch.setattr(fast, "ROWS", rows)
    monkeypatch.setattr(fast, "CHUNK", chunk)
    lstm, same = (FastLSTM(3, 4, peephole=peephole, rng=0, dtype="float64") for _ in range(2))
    x, _, _, lengths, _, _ = draw(9, 6, 3, 4, True, peephole, 0)
    results = []
    for network in (lstm, same):
        if network is lstm:  # its memory is then full of NaN
            network(x)
            network._cache = None
            for array in network._memory.free[0]:
                array[:] = np.nan
        output, state, gates = network(x, lengths=lengths, return_gates=True)
        padding = np.arange(9)[:, None] >= lengths
        assert not any(each[padding].any() for each in gates)
        results.append([output, *state, *gates, network.backward(output)[0], *network.gradients.values()])
    for got, want in zip(*results, strict=True):
        assert np.isfinite(got).all()
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("kind", [LSTM, FastLSTM])
def test_the_gradient_of_padding_is_zero_also_behind_a_valid_step_that_is_nan(kind):
    x, lengths = np.ones((5, 3, 2)), np.array([5, 2, 3])
    x[1, 1] = np.nan
    network = kind(2, 4, rng=0, dtype="float64")
    output, _ = network(x, lengths=lengths)
    d_x, _ = network.backward(np.ones_like(output))
    assert np.isnan(d_x[:2, 1]).all() and np.isfinite(d_x[:, [0, 2]]).all()
    assert not d_x[np.arange(5)[:, None] >= lengths].any()
