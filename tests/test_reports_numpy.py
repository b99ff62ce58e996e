"""Faults that users of other packages reported, tried on the NumPy side: each must stay mended."""

import copy
import pickle
import re
import subprocess
import sys
import zipfile
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from lstm_tutorial import in_numpy, in_torch
from lstm_tutorial.in_numpy.pooling import LastState, MaxPool, MeanPool, WeightedPool, position_weights

ROOT = Path(__file__).parents[1]
B, T, D, H, K = 4, 6, 3, 5, 2
LENGTHS = [6, 1, 4, 2]


def features(*shape, seed=0, dtype="float64"):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def readers(**options):
    """Return networks that read x (B, T, D), by name, and what goes with x in a call."""
    lengths = {"lengths": LENGTHS}
    found = {
        kind.__name__: (kind(D, H, batch_first=True, rng=0, dtype="float64"), lengths)
        for kind in (in_numpy.LSTM, in_numpy.FastLSTM, in_numpy.RNN)
    }
    deep = {"num_layers": 2, "bidirectional": True, "rng": 0, "dtype": "float64"} | options
    for pooling in ("last", "max", "mean", "attention", position_weights):
        name = f"ManyToOne, {getattr(pooling, '__name__', pooling)}"
        found[name] = in_numpy.ManyToOne(D, H, K, pooling, lstm=in_numpy.FastLSTM, **deep), lengths
    found["ManyToMany"] = in_numpy.ManyToMany(D, H, K, lstm=in_numpy.FastLSTM, **deep), lengths
    found["AttentionPool"] = in_numpy.AttentionPool(D, rng=0, dtype="float64"), lengths
    found["AttentionPool, dot"] = in_numpy.AttentionPool(D, kind="dot", rng=0, dtype="float64"), lengths
    found["Linear"] = in_numpy.Linear(D, K, rng=0, dtype="float64"), {}
    pools = LastState(), LastState(bidirectional=True), MaxPool(), MeanPool(), WeightedPool(position_weights)
    found |= {f"{type(pool).__name__} {k}": (pool, lengths) for k, pool in enumerate(pools)}
    return found


READERS = list(readers())


def first(result):
    return result[0] if isinstance(result, tuple) else result


# Threads


@pytest.mark.parametrize("name", READERS)
def test_one_network_serves_eight_threads_at_a_time(name):
    network, given = readers()[name]
    network.eval()
    batches = [features(B, T, D, seed=seed) for seed in range(80)]
    want = [first(network(x, **given)).copy() for x in batches]
    with ThreadPoolExecutor(8) as threads:
        got = list(threads.map(lambda x: first(network(x, **given)), batches))
    for one, other in zip(got, want, strict=True):
        np.testing.assert_array_equal(one, other)


def test_memory_in_use_is_not_lent_to_another_thread_whatever_the_order():
    """A forward whose result is still needed, and forwards in other threads, one with a backward between them."""
    network = in_numpy.FastLSTM(D, H, rng=0, dtype="float64")
    x, other = features(T, B, D), features(T, B, D, seed=1)
    output, _ = network(x)
    held = network._cache
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: (network(other), network.backward(features(T, B, H)), network(other))).result()
    network._cache = held  # what the first thread would have gone on with
    d_x, _ = network.backward(np.ones_like(output))
    network(x)
    np.testing.assert_array_equal(network.backward(np.ones_like(output))[0], d_x)


# Losses


def test_a_loss_of_no_step_is_refused_and_names_the_target():
    with pytest.raises(ValueError, match="target must hold at least one class that counts"):
        in_numpy.cross_entropy(features(4, K), np.full(4, -100))
    with pytest.raises(ValueError, match="target must hold at least one class that counts"):
        in_numpy.cross_entropy(features(0, K), np.zeros(0, int))
    with pytest.raises(ValueError, match=re.escape("logits must have shape (..., K)")):
        in_numpy.cross_entropy(features(K), np.array(1))


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64", "uint8", ">i4"])
def test_targets_may_be_integers_of_any_size(dtype):
    logits, target = features(4, K), np.array([0, 1, 1, 0])
    want = in_numpy.cross_entropy(logits, target)
    got = in_numpy.cross_entropy(logits, target.astype(dtype))
    assert got[0] == want[0]
    np.testing.assert_array_equal(got[1], want[1])


@pytest.mark.parametrize("where, words", [("target", "the target of this batch"), ("x", "input 0 of this batch")])
def test_training_blames_what_is_not_finite(where, words):
    network = in_numpy.Linear(D, K, rng=0)
    batch = {"x": features(4, D), "target": features(4, K)}
    batch[where][0, 0] = np.nan
    with pytest.raises(FloatingPointError, match=words):
        in_numpy.fit(
            network, [tuple(batch.values())], in_numpy.mse_loss, in_numpy.Adam(network.parameters), progress=False
        )


# Layers inside layers


class Stack(in_numpy.Layer):
    """Two linear layers, one after the other, kept in a list."""

    def __init__(self):
        super().__init__()
        self.layers = [in_numpy.Linear(D, H, rng=0, dtype="float64"), in_numpy.Linear(H, 1, rng=1, dtype="float64")]
        self.by_name = {"extra": (in_numpy.Linear(2, 2, rng=2),)}

    def __call__(self, x):
        for layer in self.layers:
            x = layer(x)
        return x

    def backward(self, d_y):
        for layer in reversed(self.layers):
            d_y = layer.backward(d_y)
        return d_y


def test_layers_in_lists_and_dicts_are_found_and_learn():
    network, x = Stack(), features(20, D)
    names = ["layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias"]
    assert list(network.parameters) == [*names, "by_name.extra.0.weight", "by_name.extra.0.bias"]
    losses = in_numpy.fit(
        network, [(x, x[:, :1])] * 200, in_numpy.mse_loss, in_numpy.Adam(network.parameters, 0.05), progress=False
    )
    assert losses[-1] < 1e-3 < losses[0]
    network.eval()
    assert not network.layers[1].training and not network.by_name["extra"][0].training
    network.load_state_dict({name: 0 * value for name, value in network.state_dict().items()})
    assert not network.layers[0].parameters["weight"].any()


def test_a_layer_that_took_no_part_has_a_gradient_of_zero():
    network = Stack()
    assert network.gradients == {}
    network(features(2, D))
    network.backward(np.ones((2, 1)))
    assert list(network.gradients) == list(network.parameters)
    extra = network.gradients["by_name.extra.0.weight"]
    assert extra.shape == (2, 2) and not extra.any()
    before = network.by_name["extra"][0].state_dict()
    in_numpy.Adam(network.parameters).step(network.gradients)
    np.testing.assert_array_equal(network.by_name["extra"][0].state_dict()["weight"], before["weight"])


def test_a_layer_that_takes_turns_gets_no_gradient_of_the_batch_before():
    class Branches(in_numpy.Layer):
        def __init__(self):
            super().__init__()
            self.branches = [in_numpy.Linear(D, 1, rng=k, dtype="float64") for k in range(2)]

        def __call__(self, x, k):
            self.k = k
            return self.branches[k](x)

        def backward(self, d_y):
            return self.branches[self.k].backward(d_y)

    network, x = Branches(), features(4, D)
    steps, adam = [], in_numpy.Adam(network.parameters)
    adam.step = lambda gradients: steps.append({name: value.copy() for name, value in gradients.items()})
    in_numpy.fit(network, [(x, k, x[:, :1]) for k in (0, 1)], in_numpy.mse_loss, adam, progress=False)
    for k, gradients in enumerate(steps):
        assert gradients[f"branches.{k}.weight"].any() and not gradients[f"branches.{1 - k}.weight"].any()


def test_a_shared_layer_is_there_once_and_is_stepped_once():
    class Shared(in_numpy.Layer):
        def __init__(self):
            super().__init__()
            self.first = in_numpy.Linear(1, 1, rng=0, dtype="float64")
            self.second = self.first

        def __call__(self, x):
            return self.first(x)

        def backward(self, d_y):
            return self.first.backward(d_y)

    network = Shared()
    assert list(network.parameters) == ["first.weight", "first.bias"]
    assert list(network.state_dict()) == ["first.weight", "first.bias", "second.weight", "second.bias"]  # as torch
    before = network.first.state_dict()["weight"]
    network(np.ones((1, 1)))
    network.backward(np.ones((1, 1)))
    in_numpy.Adam(network.parameters, lr=0.1).step(network.gradients)
    np.testing.assert_allclose(network.first.parameters["weight"], before - 0.1, atol=1e-6)
    network.load_state_dict(network.state_dict())


def test_an_array_that_two_layers_share_has_the_sum_of_both_gradients():
    class Tied(in_numpy.Layer):
        def __init__(self):
            super().__init__()
            self.one, self.two = (in_numpy.Linear(2, 2, rng=0, dtype="float64") for _ in range(2))
            self.two._parameters["weight"] = self.one._parameters["weight"]

        def __call__(self, x):
            return self.two(self.one(x))

        def backward(self, d_y):
            return self.one.backward(self.two.backward(d_y))

    network, x = Tied(), features(3, 2)
    assert list(network.parameters) == ["one.weight", "one.bias", "two.bias"]
    network(x)
    network.backward(np.ones((3, 2)))
    weight = torch.tensor(network.parameters["one.weight"], requires_grad=True)
    biases = [torch.tensor(network.parameters[name]) for name in ("one.bias", "two.bias")]
    ((torch.tensor(x) @ weight.T + biases[0]) @ weight.T + biases[1]).sum().backward()
    np.testing.assert_allclose(network.gradients["one.weight"], weight.grad, atol=1e-12)


def test_an_optimiser_without_parameters_or_gradients_is_refused():
    with pytest.raises(ValueError, match="parameters must hold at least one array, got none"):
        in_numpy.Adam({})
    adam = in_numpy.Adam({"weight": np.ones(2), "bias": np.ones(1)})
    with pytest.raises(ValueError, match=re.escape("gradients must hold one for every parameter, got none for")):
        adam.step({"weight": np.ones(2)})
    with pytest.raises(ValueError, match=re.escape("the gradient of bias must have shape (1,), got (2,)")):
        adam.step({"weight": np.ones(2), "bias": np.ones(2)})
    assert adam.steps == 0 and (adam.parameters["weight"] == 1).all()


# Arrays that the caller changes between forward and backward


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("ragged", [False, True])
def test_what_the_caller_changes_after_the_forward_changes_no_gradient(name, ragged):
    found = []
    for spoil in (False, True):
        network, given = readers()[name]
        given = {key: np.array(value) for key, value in given.items()} if ragged else {}
        x = features(B, T, D)
        result = network(x, **given)
        d = np.random.default_rng(1).standard_normal(first(result).shape)
        if spoil:
            x[:] = 1e3
            for each in (*given.values(), first(result)):
                each[:] = 1
        d_x = first(network.backward(d))
        found.append([d_x, *network.gradients.values()])
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_tokens_states_and_targets_may_change_after_the_forward():
    found = []
    for spoil in (False, True):
        tokens, state = np.array([[0, 1, 2], [2, 2, 0]]), features(2, 1, 2, H)
        embedding = in_numpy.Embedding(3, D, rng=0, dtype="float64")
        lstm = in_numpy.LSTM(D, H, batch_first=True, rng=0, dtype="float64")
        rnn = in_numpy.RNN(D, H, batch_first=True, rng=0, dtype="float64")
        writer = in_numpy.OneToMany(D, H, K, embedding=2, rng=0, dtype="float64")
        x, targets, lengths = features(2, D), np.array([[0, 1], [1, 1]]), np.array([2, 1])
        vectors = embedding(tokens)
        lstm(vectors, tuple(state)), rnn(vectors, state[0]), writer(x, targets=targets, lengths=lengths)
        (h, c), cell = in_numpy.lstm_cell(vectors[:, 0], (state[0, 0], state[1, 0]), *lstm.parameters.values())
        if spoil:
            for each in (tokens, state, x, targets, lengths, vectors, h, c):
                each[:] = 1
        found.append([*lstm.backward(np.ones((2, 3, H)))[1], rnn.backward(np.ones((2, 3, H)))[1]])
        embedding.backward(np.ones((2, 3, D)))
        writer.backward(np.ones((2, 2, K)))
        for each in (embedding, lstm, rnn, writer):
            found[-1] += each.gradients.values()
        d_x, d_state, gradients = in_numpy.lstm_cell_backward(np.ones((2, H)), np.ones((2, H)), cell)
        found[-1] += [d_x, *d_state, *gradients.values()]
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


# Kinds of numbers and of arguments


@pytest.mark.parametrize("name", READERS)
def test_numbers_of_another_byte_order_are_numbers(name):
    network, given = readers()[name]
    x = features(B, T, D)
    want, got = (first(network(each, **given)) for each in (x, x.astype(">f8")))
    np.testing.assert_array_equal(got, want)
    assert got.dtype.isnative
    d_x = first(network.backward(np.ones_like(got).astype(">f8")))
    assert d_x.shape == x.shape and d_x.dtype.isnative
    state = network.state_dict()
    network.load_state_dict({key: value.astype(">f8") for key, value in state.items()})
    for key, value in network.state_dict().items():
        np.testing.assert_array_equal(value, state[key])


def test_a_seed_may_be_an_integer_of_numpy():
    for kind in (in_numpy.LSTM, in_numpy.FastLSTM, in_numpy.RNN, in_numpy.Linear, in_numpy.Embedding):
        one, other = kind(D, H, rng=0).state_dict(), kind(D, H, rng=np.int64(0)).state_dict()
        assert all((one[name] == other[name]).all() for name in one)


@pytest.mark.parametrize("name", READERS)
def test_masked_arrays_and_tensors_without_values_are_refused_with_a_word(name):
    network, given = readers()[name]
    x = features(B, T, D)
    with pytest.raises(TypeError, match="x must be an array without a mask"):
        network(np.ma.array(x, mask=x > 1), **given)
    with pytest.raises(TypeError, match="x must hold values, got a tensor on the device meta"):
        network(torch.tensor(x).to("meta"), **given)
    with pytest.raises(TypeError, match="x must be an array of numbers, got PackedSequence"):
        network(torch.nn.utils.rnn.pack_padded_sequence(torch.tensor(x), [6, 4, 2, 1], batch_first=True), **given)
    with pytest.raises(TypeError, match="x must be an array of numbers, got NoneType"):
        network(None, **given)
    if given:
        for lengths in (np.ma.array(LENGTHS, mask=[0, 0, 0, 1]), torch.tensor(LENGTHS).to("meta")):
            with pytest.raises(TypeError, match="lengths must"):
                network(x, lengths=lengths)
    result = first(network(x.tolist(), **given))  # lists and CPU tensors are arrays to NumPy
    np.testing.assert_array_equal(first(network(torch.tensor(x), **given)), result)
    with pytest.raises(TypeError, match="must be an array without a mask"):
        network.backward(np.ma.array(result, mask=False))


def test_masked_and_empty_arguments_of_other_calls_are_refused_too():
    masked = np.ma.array([[0, 1], [1, 0]], mask=[[0, 1], [0, 0]])
    meta = torch.zeros(2, 2).to("meta")
    reader, writer = in_numpy.ManyToOne(D, H, K, embedding=2, rng=0), in_numpy.OneToMany(2, H, K, embedding=2, rng=0)
    lstm, one = in_numpy.LSTM(2, 2, rng=0), features(2, 2)
    weights = list(lstm.parameters.values())
    calls = {
        "tokens": [lambda m: reader(m), lambda m: in_numpy.Embedding(2, 2)(m)],
        "targets": [lambda m: writer(one, targets=m)],
        "target": [lambda m: in_numpy.cross_entropy(one, m[0]), lambda m: in_numpy.mse_loss(one, m)]
        + [lambda m: in_numpy.quantile_loss(one, m[0], [0.1, 0.9])],
        "logits": [lambda m: in_numpy.cross_entropy(m, [0, 1])],
        "prediction": [lambda m: in_numpy.mse_loss(m, one)],
        "x": [lambda m: in_numpy.max_pool(m[None]), lambda m: in_numpy.lstm_cell(m, (one, one), *weights)],
        "h": [lambda m: in_numpy.lstm_cell(one, (m * 1.0, one), *weights)],
        "h_0": [lambda m: lstm(one[None], (m[None] * 1.0, one[None]))],
        "weights": [lambda m: in_numpy.weighted_pool(one[None], m[0])],
        "scores": [lambda m: in_numpy.attention_weights(m)],
        "weight": [lambda m: in_numpy.Linear(2, 2).load_state_dict({"weight": m, "bias": [0.0, 0.0]})],
    }
    for name, each in calls.items():
        for call in each:
            for value in (masked, meta):
                with pytest.raises(TypeError, match=f"^{name} must (be an array without a mask|hold values)"):
                    call(value)


def test_arguments_of_another_kind_are_named():
    x, h = features(T, B, D, dtype="float32"), np.zeros((1, B, H), np.float32)
    lstm, linear = in_numpy.LSTM(D, H, rng=0), in_numpy.Linear(D, K, rng=0)
    for call, error, words in [
        (lambda: lstm(x, (h, None)), TypeError, "c_0 must be an array"),
        (lambda: lstm((h, h), x), ValueError, "x must have shape (T, B, 3), got (2, 1, 4, 5)"),
        (lambda: in_numpy.LSTM(D, H, proj_size=2), TypeError, "proj_size"),
        (lambda: in_numpy.ManyToOne(D, H, K, lstm=in_torch.RNN(D, H)), TypeError, "lstm must be an in_numpy.LSTM"),
        (lambda: in_numpy.ManyToOne(D, H, K, lstm=in_numpy.RNN), TypeError, "or its class, got RNN"),
        (lambda: in_numpy.ManyToMany(D, H, K, lstm=lstm, num_layers=2), TypeError, "lstm has its own options"),
        (lambda: in_numpy.ManyToMany(9, H, K, lstm=lstm), ValueError, "lstm must have input_size 9, got 3"),
        (lambda: in_numpy.OneToMany(D, H, K, lstm=lstm), ValueError, "lstm must have input_size 2, got 3"),
        (lambda: in_numpy.ManyToOne(D, H, K, pooling=None), ValueError, "pooling must be one of"),
        (lambda: in_numpy.ManyToOne(D, H, K, pooling=["max"]), ValueError, "pooling must be one of"),
        (lambda: in_numpy.Adam(linear), TypeError, "parameters must be a"),
        (lambda: in_numpy.clip_gradients([np.ones(2)], 1.0), TypeError, "gradients must be a"),
        (lambda: linear.load_state_dict([1]), TypeError, "state_dict must be a"),
        (lambda: in_numpy.Adam({"w": x}, lr="fast"), ValueError, "lr must be a number from 0 to inf, got 'fast'"),
        (lambda: lstm(x, lengths="6142"), TypeError, "lengths must be an array of numbers, got str"),
    ]:
        with pytest.raises(error, match=re.escape(words)):
            call()
    built = in_numpy.ManyToOne(D, H, K, lstm=in_numpy.FastLSTM(D, H, 2, batch_first=True, rng=0, dtype="float64"))
    assert built(features(B, T, D)).dtype == np.float64 and built.lstm.num_layers == 2


# Copies


@pytest.mark.parametrize("name", READERS)
def test_caches_do_not_travel_with_copies_and_pickles(name):
    network, given = readers()[name]
    small = len(pickle.dumps(network))
    wide = features(B, 50 * T, D)
    network(wide, **given)
    assert len(pickle.dumps(network)) < small + 100
    want = first(network(wide, **given))
    for twin in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        with pytest.raises(RuntimeError, match="backward needs a forward"):
            twin.backward(np.ones_like(want))
        np.testing.assert_array_equal(first(twin(wide, **given)), want)
        twin.backward(np.ones_like(want))
    network.backward(np.ones_like(want))  # the copies have taken nothing away


def test_a_copy_of_a_fast_network_has_memory_of_its_own():
    network, x = in_numpy.FastLSTM(D, H, rng=0), features(T, B, D, dtype="float32")
    network(x)
    for twin in (copy.copy(network), copy.deepcopy(network)):
        twin(x)
        assert twin._memory is not network._memory


def test_the_package_works_from_a_zip(tmp_path):
    with zipfile.ZipFile(tmp_path / "package.zip", "w") as archive:
        for path in (ROOT / "lstm_tutorial").rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                archive.write(path, path.relative_to(ROOT))
    code = "import matplotlib; matplotlib.use('agg'); from lstm_tutorial import figures; figures.use_course_style();"
    code += "print(figures.__file__, matplotlib.rcParams['axes.spines.top'])"
    run = partial(subprocess.run, capture_output=True, text=True, check=True, cwd=tmp_path)
    out = run([sys.executable, "-c", code], env={"PYTHONPATH": str(tmp_path / "package.zip")}).stdout
    assert "package.zip" in out and "False" in out
