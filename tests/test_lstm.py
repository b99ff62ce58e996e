"""What the LSTM does beside its numbers: parameters, state dicts, dropout, the forget bias, caches."""

import copy
import pickle

import numpy as np
import pytest
import torch

from lstm_tutorial import in_numpy, in_torch

TWINS = [in_numpy, in_torch]


def arrays(network):
    """Return a network's state dict as NumPy arrays."""
    return {name: np.asarray(value).copy() for name, value in network.state_dict().items()}


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize("bidirectional", [False, True])
def test_parameters_have_the_names_order_shapes_and_range_of_torch(twin, bidirectional):
    options = {"num_layers": 3, "bidirectional": bidirectional}
    ours = arrays(twin.LSTM(7, 25, **options, rng=0))
    theirs = torch.nn.LSTM(7, 25, **options).state_dict()
    assert list(ours) == list(theirs)
    for name, value in theirs.items():
        assert ours[name].shape == tuple(value.shape) and ours[name].dtype == np.float32
        assert -0.2 <= ours[name].min() < -0.17 and 0.17 < ours[name].max() <= 0.2  # 1/sqrt(25), on both sides


@pytest.mark.parametrize("twin", TWINS)
def test_peepholes_add_one_parameter_a_direction(twin):
    names = list(arrays(twin.LSTM(2, 3, 2, bidirectional=True, peephole=True, rng=0)))
    peepholes = [name for name in names if "peephole" in name]
    assert peepholes == [f"weight_peephole_{end}" for end in ("l0", "l0_reverse", "l1", "l1_reverse")]
    assert names.index("weight_peephole_l0") == names.index("bias_hh_l0") + 1


@pytest.mark.parametrize("twin", TWINS)
def test_the_forget_bias_is_set_once_everywhere_and_touches_nothing_else(twin):
    H, options = 4, {"num_layers": 2, "bidirectional": True, "rng": 5}
    plain, biased = arrays(twin.LSTM(3, H, **options)), arrays(twin.LSTM(3, H, **options, forget_bias=2.5))
    for name, value in biased.items():
        if name.startswith("bias"):
            assert (value[H : 2 * H] == (2.5 if "_ih_" in name else 0)).all(), name
            value[H : 2 * H] = plain[name][H : 2 * H]
        np.testing.assert_array_equal(value, plain[name])


@pytest.mark.parametrize("twin", TWINS)
def test_variants_take_the_options_of_the_lstm(twin):
    """Names of torch, seeds, dropout in training only, unbatched, a forget bias where its rows are."""
    options = {"num_layers": 2, "bidirectional": True, "dropout": 0.5, "rng": 5}
    assert list(arrays(twin.GRU(7, 25, **options))) == list(torch.nn.GRU(7, 25, 2, bidirectional=True).state_dict())
    make = {kind: lambda kind=kind: twin.LSTMVariant(3, 4, kind=kind, **options) for kind in twin.variants.CELLS}
    for kind, network in (make | {"GRU": lambda: twin.GRU(3, 4, **options)}).items():
        first, second = network(), network()
        for name, value in arrays(first).items():
            np.testing.assert_array_equal(value, arrays(second)[name])
        x = np.ones((6, 3), np.float32) if twin is in_numpy else torch.ones(6, 3)
        assert first(x)[0].shape == (6, 8)
        assert not np.allclose(np.asarray(first(x)[0].tolist()), first.eval()(x)[0].tolist()), kind
    biased = arrays(twin.LSTMVariant(3, 4, kind="no output gate", forget_bias=2.5, rng=0))
    assert (biased["bias_ih_l0"][4:8] == 2.5).all() and (biased["bias_hh_l0"][4:8] == 0).all()
    with pytest.raises(ValueError, match="forget_bias must be None where there is no forget gate, got 1"):
        twin.LSTMVariant(3, 4, kind="no forget gate", forget_bias=1)
    with pytest.raises(ValueError, match="kind must be one of 'coupled', .*, got 'none'"):
        twin.LSTMVariant(3, 4, kind="none")


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize("pooling", ["last", "mean"])
def test_the_topologies_take_a_gru(twin, pooling):
    model = twin.ManyToOne(3, 4, 2, pooling, lstm=twin.GRU, bidirectional=True, rng=0)
    x = np.ones((5, 6, 3), np.float32) if twin is in_numpy else torch.ones(5, 6, 3)
    scores = model(x, lengths=[6, 1, 2, 3, 4])
    assert scores.shape == (5, 2)
    if twin is in_numpy:
        assert model.backward(np.ones((5, 2))).shape == x.shape


@pytest.mark.parametrize("twin", TWINS)
def test_the_same_seed_gives_the_same_network_and_another_seed_another(twin):
    def make(seed):
        return arrays(twin.LSTM(3, 4, rng=seed))["weight_ih_l0"]

    np.testing.assert_array_equal(make(1), make(1))
    assert (make(1) != make(2)).all()
    generator = np.random.default_rng(1) if twin is in_numpy else torch.Generator().manual_seed(1)
    np.testing.assert_array_equal(make(generator), make(1))


def test_torch_without_rng_follows_the_global_seed():
    torch.manual_seed(3)
    first = in_torch.LSTM(3, 4).weight_ih_l0
    torch.manual_seed(3)
    assert torch.equal(first, in_torch.LSTM(3, 4).weight_ih_l0)


def test_state_dicts_go_round_between_numpy_twin_and_torch():
    options = {"num_layers": 2, "bidirectional": True}
    reference = torch.nn.LSTM(3, 4, **options)
    numpy_net, twin = in_numpy.LSTM(3, 4, **options), in_torch.LSTM(3, 4, **options)
    numpy_net.load_state_dict(reference.state_dict())
    twin.load_state_dict(numpy_net.state_dict())
    back = torch.nn.LSTM(3, 4, **options)
    back.load_state_dict(twin.state_dict())
    for name, value in reference.state_dict().items():
        assert torch.equal(back.state_dict()[name], value)
        assert np.array_equal(numpy_net.state_dict()[name], value)


def test_state_dicts_are_copies_both_ways():
    network = in_numpy.LSTM(2, 3, rng=0)
    before = arrays(network)
    network.state_dict()["weight_ih_l0"][:] = 9
    given = arrays(network)
    network.load_state_dict(given)
    given["weight_ih_l0"][:] = 9
    np.testing.assert_array_equal(arrays(network)["weight_ih_l0"], before["weight_ih_l0"])
    lists = {name: value.tolist() for name, value in before.items()}
    network.load_state_dict(lists)
    np.testing.assert_array_equal(arrays(network)["bias_hh_l0"], before["bias_hh_l0"])


@pytest.mark.parametrize("twin", TWINS)
@pytest.mark.parametrize("damage", ["missing", "unknown", "shape of the last"])
def test_a_refused_state_dict_changes_nothing(twin, damage):
    network, other = twin.LSTM(2, 3, 2, rng=0), arrays(twin.LSTM(2, 3, 2, rng=1))
    before = arrays(network)
    if damage == "missing":
        del other["bias_hh_l1"]
        message = r"missing \['bias_hh_l1'\] and unknown \[\]"
    elif damage == "unknown":
        other["bias_l9"] = np.zeros(3)
        message = r"missing \[\] and unknown \['bias_l9'\]"
    else:
        other["bias_hh_l1"] = np.zeros(11)
        message = r"bias_hh_l1 must have shape \(12,\), got \(11,\)"
    with pytest.raises(ValueError, match=message):
        network.load_state_dict(other)
    for name, value in arrays(network).items():
        np.testing.assert_array_equal(value, before[name])


@pytest.mark.parametrize("twin", TWINS)
def test_dropout_works_between_layers_in_training_only_and_keeps_the_mean(twin):
    x = np.ones((40, 50, 1), np.float32)
    x = x if twin is in_numpy else torch.tensor(x)
    network = twin.LSTM(1, 20, 2, dropout=0.3, rng=0)
    plain = twin.LSTM(1, 20, 2, rng=0)
    plain.load_state_dict(network.state_dict())
    seen = []
    name = "lstm_sequence"
    module = __import__(f"{twin.__name__}.lstm", fromlist=["lstm"])
    original = getattr(module, name)

    def spy(x, *rest, **options):
        seen.append(np.asarray(x.detach() if twin is in_torch else x))
        return original(x, *rest, **options)

    setattr(module, name, spy)
    try:
        network(x), plain(x), network.eval()(x), network.train()(x)
    finally:
        setattr(module, name, original)
    dropped, whole, evaluated, again = seen[1::2]  # what the upper layer read
    zero = dropped == 0
    assert abs(zero.mean() - 0.3) < 0.01  # 40,000 draws: a standard deviation of 0.0023
    np.testing.assert_allclose(dropped[~zero], whole[~zero] / 0.7, rtol=1e-6)
    assert abs(zero.mean(axis=(0, 2)) - 0.3).max() < 0.1  # every sequence its own mask: 800 draws, sd 0.016
    np.testing.assert_array_equal(evaluated, whole)
    assert (again != dropped).any()
    np.testing.assert_array_equal(seen[0], seen[2])  # the lower layer reads all of x


def test_dropout_of_one_silences_the_layer_below_and_gradients_pass_the_mask():
    for twin in TWINS:
        network, plain = twin.LSTM(1, 3, 2, dropout=1.0, rng=0), twin.LSTM(1, 3, 1, rng=0)
        upper = {name.replace("l1", "l0"): value for name, value in arrays(network).items() if "l1" in name}
        plain = twin.LSTM(3, 3, 1)
        plain.load_state_dict(upper)
        x, zero = np.ones((4, 2, 1), np.float32), np.zeros((4, 2, 3), np.float32)
        x, zero = (x, zero) if twin is in_numpy else (torch.tensor(x), torch.tensor(zero))
        np.testing.assert_array_equal(np.array(network(x)[0].tolist()), np.array(plain(zero)[0].tolist()))
    numpy_net = in_numpy.LSTM(2, 3, 3, dropout=0.5, rng=0, dtype="float64")
    x, state = np.random.default_rng(1).standard_normal((5, 2, 2)), copy.deepcopy(numpy_net.rng)

    def loss(x):
        numpy_net.rng = copy.deepcopy(state)  # the same mask
        return numpy_net(x)[0].sum()

    loss(x)
    d_x, _ = numpy_net.backward(np.ones((5, 2, 3)))
    step = np.random.default_rng(2).standard_normal(x.shape)
    measured = (loss(x + 1e-6 * step) - loss(x - 1e-6 * step)) / 2e-6
    assert abs(measured - np.vdot(d_x, step)) < 1e-8  # values of size 1


@pytest.mark.parametrize("p, training", [(0.0, True), (0.6, False)])
def test_dropout_of_zero_and_evaluation_equal_torch(p, training):
    reference = torch.nn.LSTM(2, 3, 2, dropout=p, dtype=torch.float64).train(training)
    x = np.random.default_rng(0).standard_normal((5, 4, 2))
    want = reference(torch.tensor(x))[0].detach()
    for twin in TWINS:
        network = twin.LSTM(2, 3, 2, dropout=p, dtype="float64").train(training)
        network.load_state_dict(reference.state_dict())
        got = network(x if twin is in_numpy else torch.tensor(x))[0]
        np.testing.assert_allclose(np.array(got.tolist()), want, atol=1e-12)


def test_backward_belongs_to_one_forward_and_a_refused_one_loses_nothing():
    network, x = in_numpy.LSTM(2, 3, rng=0), np.ones((5, 4, 2))
    message = "backward needs a forward"
    with pytest.raises(RuntimeError, match=message):
        network.backward(np.ones((5, 4, 3)))
    assert network.gradients == {}
    network(x)
    with pytest.raises(ValueError, match=r"d_output must have shape \(5, 4, 3\), got \(4, 5, 3\)"):
        network.backward(np.ones((4, 5, 3)))
    with pytest.raises(ValueError, match=r"d_c_n must have shape \(1, 4, 3\), got \(4, 3\)"):
        network.backward(None, (None, np.ones((4, 3))))
    assert network.gradients == {}
    network.backward(np.ones((5, 4, 3)))
    first = {name: value.copy() for name, value in network.gradients.items()}
    assert list(first) == list(network.state_dict())
    with pytest.raises(RuntimeError, match=message):
        network.backward(np.ones((5, 4, 3)))
    network(x)
    network.backward(2 * np.ones((5, 4, 3)))  # overwrites, does not add
    for name, value in network.gradients.items():
        np.testing.assert_allclose(value, 2 * first[name], rtol=1e-5)
    network(x, keep_cache=False)
    with pytest.raises(RuntimeError, match=message):
        network.backward(np.ones((5, 4, 3)))


def test_no_gradient_given_means_zero():
    network, x, one = in_numpy.LSTM(2, 3, rng=0, dtype="float64"), np.ones((5, 4, 2)), np.ones((1, 4, 3))
    network(x)
    d_x, (d_h, d_c) = network.backward()
    assert not d_x.any() and not d_h.any() and not d_c.any()
    results = []
    for d_state in ((one, None), (None, one), (one, one)):
        network(x)
        results.append(network.backward(None, d_state)[0])
    np.testing.assert_allclose(results[0] + results[1], results[2], atol=1e-14)


def test_results_can_be_changed_without_harm_to_the_backward():
    network, x = in_numpy.LSTM(2, 3, rng=0, dtype="float64"), np.random.default_rng(0).standard_normal((5, 4, 2))
    want = (network(x), network.backward(np.ones((5, 4, 3))))[1][0]
    output, (h_n, c_n), gates = network(x, return_gates=True)
    for each in (output, h_n, c_n):
        each[...] = 7
    np.testing.assert_array_equal(network.backward(np.ones((5, 4, 3)))[0], want)
    assert all(each.shape == (5, 4, 3) for each in gates)


def test_a_forward_changes_neither_its_input_nor_its_state():
    rng = np.random.default_rng(0)
    x, state = rng.standard_normal((5, 4, 2)), (rng.standard_normal((1, 4, 3)), rng.standard_normal((1, 4, 3)))
    kept = copy.deepcopy((x, state))
    network = in_numpy.LSTM(2, 3, rng=0, dtype="float64")
    network(x, state, lengths=[5, 1, 2, 5])
    d_output, d_state = np.ones((5, 4, 3)), (np.ones((1, 4, 3)), np.ones((1, 4, 3)))
    network.backward(d_output, d_state)
    np.testing.assert_array_equal(x, kept[0])
    np.testing.assert_array_equal(state, kept[1])
    assert (d_output == 1).all() and (np.array(d_state) == 1).all()


@pytest.mark.parametrize("dtype", ["float32", np.float64, np.dtype("float32"), torch.float64])
def test_dtype_is_a_name_or_a_dtype_of_numpy_or_torch(dtype):
    name = str(np.dtype(dtype) if not isinstance(dtype, torch.dtype) else dtype).removeprefix("torch.")
    numpy_net, twin = in_numpy.LSTM(2, 3, dtype=dtype), in_torch.LSTM(2, 3, dtype=dtype)
    assert numpy_net.dtype == name and str(twin.weight_ih_l0.dtype) == f"torch.{name}"
    output, (h_n, c_n) = numpy_net(np.ones((4, 5, 2), np.float16))  # NumPy casts any float
    assert output.dtype == h_n.dtype == c_n.dtype == name
    with pytest.raises(TypeError, match="x must hold torch.float"):
        twin(torch.ones(4, 5, 2, dtype=torch.float16))


def test_the_torch_twin_can_be_copied_saved_and_moved_to_another_dtype(tmp_path):
    network, x = in_torch.LSTM(2, 3, 2, dropout=0.5, rng=0), torch.ones(4, 5, 2)
    want = network.eval()(x)[0]
    assert torch.equal(copy.deepcopy(network)(x)[0], want)
    torch.save(network.state_dict(), tmp_path / "lstm.pt")
    other = in_torch.LSTM(2, 3, 2, rng=1).eval()
    other.load_state_dict(torch.load(tmp_path / "lstm.pt", weights_only=True))
    assert torch.equal(other(x)[0], want)
    assert network.double()(x.double())[0].dtype == torch.float64
    assert repr(network) == "LSTM(2, 3, num_layers=2)"
    restored = pickle.loads(pickle.dumps(in_numpy.LSTM(2, 3, rng=0)))
    np.testing.assert_array_equal(restored(x)[0], in_numpy.LSTM(2, 3, rng=0)(x)[0])


@pytest.mark.parametrize("twin", TWINS)
def test_nan_in_a_valid_step_spreads_to_its_own_sequence_from_there_and_to_no_other(twin):
    x = np.ones((6, 3, 2), np.float32)
    x[2, 1, 0] = np.nan
    network = twin.LSTM(2, 3, rng=0)
    output = np.array(network(x if twin is in_numpy else torch.tensor(x))[0].tolist())
    spoiled = np.isnan(output).all(axis=-1)
    assert spoiled[2:, 1].all() and spoiled.sum() == 4


@pytest.mark.parametrize("twin", TWINS)
def test_the_program_of_three_steps(twin):
    """x (3, 2), H = 5, K = 6: all hidden states, all cell states, and class probabilities that sum to one."""
    x = np.random.default_rng(0).standard_normal((3, 2)).astype(np.float32)
    if twin is in_numpy:
        head = in_numpy.Linear(5, 6, rng=0)
        output, (h_n, c_n), gates = twin.LSTM(2, 5, rng=0)(x, return_gates=True)
        p = in_numpy.softmax(head(h_n[-1]))
    else:
        head = torch.nn.Linear(5, 6)
        output, (h_n, c_n), gates = twin.LSTM(2, 5, rng=0)(torch.tensor(x), return_gates=True)
        p = torch.softmax(head(h_n[-1]), dim=-1)
    assert output.shape == (3, 5) and gates.c.shape == (3, 5) and p.shape == (6,)
    assert abs(p.sum().item() - 1) < 1e-6 and (output[-1] == h_n[0]).all() and (gates.c[-1] == c_n[0]).all()
