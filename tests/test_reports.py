"""What users of other libraries have reported, tried on the torch twin and on the checks that both twins share."""

import copy
import pickle
import re
import warnings

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations, prune
from torch.nn.utils.rnn import pack_padded_sequence
from torch.utils.checkpoint import checkpoint

from lstm_tutorial import in_numpy, in_torch, validation

TWINS = pytest.mark.parametrize("twin", [in_numpy, in_torch], ids=["numpy", "torch"])
LENGTHS = [5, 2]
TOKENS = [[1, 2, 0, 3, 4], [2, 1, 0, 0, 0]]


def features(*shape, dtype=torch.float32):
    """Return features that are the same at every call."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64).to(dtype)


def raises(error, message):
    return pytest.raises(error, match=re.escape(message))


# Checkpointing: what runs a second time draws the same dropout again


@pytest.mark.parametrize("use_reentrant", [False, True])
@pytest.mark.parametrize("network", ["LSTM", "ManyToOne", "EncoderDecoder"])
def test_checkpointed_dropout_has_the_gradients_of_the_plain_run(network, use_reentrant):
    def gradients(plain):
        torch.manual_seed(0)
        if network == "LSTM":
            model, inputs = in_torch.LSTM(3, 8, 2, dropout=0.5, rng=0), (features(5, 2, 3).requires_grad_(),)
        elif network == "ManyToOne":
            model = in_torch.ManyToOne(3, 8, 2, num_layers=3, dropout=0.5, rng=0)
            inputs = (features(2, 5, 3).requires_grad_(), torch.tensor(LENGTHS))
        else:
            model = in_torch.EncoderDecoder(5, 4, 3, stop=0, dropout=0.5, rng=0)
            targets, steps = torch.randint(4, (2, 9)), torch.Generator().manual_seed(0)

            def run(nothing, source, lengths):  # re-entrant checkpoints need an input that asks for a gradient
                return nothing + model(source, lengths, targets, teacher_forcing=0.5, rng=steps)

            nothing = torch.zeros((), requires_grad=True)
            output = run(nothing, TOKENS, LENGTHS) if plain else again(run, nothing, TOKENS, LENGTHS)
            output.square().sum().backward()
            return [parameter.grad for parameter in model.parameters()]
        output = model(*inputs) if plain else again(model, *inputs)
        output = output[0] if isinstance(output, tuple) else output
        output.square().sum().backward()
        return [inputs[0].grad, *(parameter.grad for parameter in model.parameters())]

    def again(run, *inputs):
        return checkpoint(run, *inputs, use_reentrant=use_reentrant)

    for got, want in zip(gradients(False), gradients(True), strict=True):
        torch.testing.assert_close(got, want, rtol=0, atol=0)


def test_a_checkpoint_takes_back_the_networks_own_generator_whatever_the_global_one_does():
    def gradients(run):
        network, x = in_torch.LSTM(3, 8, 4, dropout=0.5, rng=0), features(5, 2, 3).requires_grad_()
        (run(network, x)[0] + run(network, x)[0].square()).sum().backward()  # twice: each has a mask of its own
        return x.grad, [parameter.grad for parameter in network.parameters()]

    torch.manual_seed(1)
    plain = gradients(lambda network, x: network(x))
    torch.manual_seed(2)
    again = gradients(lambda network, x: checkpoint(network, x, use_reentrant=False))
    for got, want in zip((again[0], *again[1]), (plain[0], *plain[1]), strict=True):
        torch.testing.assert_close(got, want, rtol=0, atol=0)


@pytest.mark.parametrize("rng", [0, None])
def test_dropout_is_new_at_every_call_and_comes_again_with_its_seed(rng):
    x, runs = features(5, 2, 3), []
    for _ in range(2):
        torch.manual_seed(1)
        network = in_torch.LSTM(3, 8, 2, dropout=0.5, rng=rng)
        runs.append([network(x)[0] for _ in range(3)])
    for first, second in zip(*runs, strict=True):
        assert torch.equal(first, second)
    assert not torch.equal(runs[0][0], runs[0][1]) and not torch.equal(runs[0][1], runs[0][2])
    network = in_torch.LSTM(3, 8, 2, dropout=0.5, rng=0)
    if rng is not None:
        torch.manual_seed(7)  # a seed of one's own is enough
        assert torch.equal(network(x)[0], runs[0][0])
        assert torch.equal(copy.deepcopy(network)(x)[0], runs[0][1])
        assert torch.equal(pickle.loads(pickle.dumps(network))(x)[0], runs[0][1])


def test_forced_steps_follow_the_generator_that_is_given():
    model, targets = in_torch.EncoderDecoder(5, 9, 4, stop=0, rng=0), torch.randint(9, (2, 30))

    def scores(rng):
        torch.manual_seed(0)
        return model(TOKENS, LENGTHS, targets, teacher_forcing=0.5, rng=rng)

    def made(seed):
        return torch.Generator().manual_seed(seed)

    for first, second in ((0, 1), (made(0), made(1))):
        assert not torch.equal(scores(first), scores(second))
    assert torch.equal(scores(3), scores(np.int64(3)))


def test_what_is_kept_of_dropout_stays_small():
    network = in_torch.LSTM(1, 1, 2, dropout=0.5, rng=0)
    for _ in range(20):
        network(torch.zeros(1, 1))
    assert len(pickle.dumps(network)) < 20_000
    network._replay.seeds = dict.fromkeys(range(10_000), 0)
    network(torch.zeros(1, 1))
    assert len(network._replay.seeds) == 10_000


# Autocast

LOW = pytest.mark.parametrize("given", [torch.float32, torch.bfloat16])


@LOW
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("ragged", [False, True])
def test_the_lstm_runs_under_autocast_as_torchs_own(given, bidirectional, ragged):
    own = nn.LSTM(3, 8, 2, batch_first=True, bidirectional=bidirectional)
    twin = in_torch.LSTM(3, 8, 2, batch_first=True, bidirectional=bidirectional)
    twin.load_state_dict(own.state_dict())
    x, lengths = features(2, 5, 3, dtype=given), LENGTHS if ragged else None
    state = features(4 if bidirectional else 2, 2, 8), features(4 if bidirectional else 2, 2, 8, dtype=given)
    with torch.autocast("cpu", torch.bfloat16):
        want, (want_h, want_c) = in_torch.topologies.run_lstm(own, x, lengths, state)
        output, (h_n, c_n), gates = twin(x, state, lengths=lengths, return_gates=True)
    for got, expected in ((output, want), (h_n, want_h), (c_n, want_c)):
        assert got.dtype == torch.bfloat16
        assert ragged or expected.dtype == torch.bfloat16  # torch's own keeps float32 where it packs
        torch.testing.assert_close(got.float(), expected.float(), rtol=0, atol=0.02)  # steps of 0.008 below 1
    assert {each.dtype for each in gates} == {torch.bfloat16}
    output.float().sum().backward()
    assert all(p.grad.dtype == torch.float32 and p.grad.abs().sum() > 0 for p in twin.parameters())


@LOW
def test_the_rnn_and_the_cells_run_under_autocast_as_torchs_own(given):
    own, twin = nn.RNN(3, 8), in_torch.RNN(3, 8)
    twin.load_state_dict(own.state_dict())
    x, h = features(5, 2, 3, dtype=given), features(1, 2, 8, dtype=given)
    with torch.autocast("cpu", torch.bfloat16):
        for got, want in zip(twin(x, h), own(x, h.to(x.dtype)), strict=True):
            assert got.dtype == want.dtype == torch.bfloat16
            torch.testing.assert_close(got, want, rtol=0, atol=0.02)
        cell = nn.RNNCell(3, 8)
        got = in_torch.rnn_cell(x[0], h[0], *cell.state_dict().values())
        want = cell(x[0], h[0])
        assert got.dtype == want.dtype
        torch.testing.assert_close(got, want, rtol=0, atol=0.02)
        cell, state = nn.LSTMCell(3, 8), (h[0], h[0])
        for got, want in zip(in_torch.lstm_cell(x[0], state, *cell.state_dict().values()), cell(x[0], state)):
            assert got.dtype == want.dtype
            torch.testing.assert_close(got, want, rtol=0, atol=0.02)


def behind_a_linear_layer(model, *inputs, **options):
    """Return a network's result under autocast behind a linear layer, and in float32."""
    front = nn.Linear(3, 3)
    x = features(2, 5, 3) if isinstance(model, in_torch.ManyToOne | in_torch.ManyToMany) else features(2, 3)
    with torch.autocast("cpu", torch.bfloat16):
        low = model(front(x), *inputs, **options)
    return low, model(front(x), *inputs, **options)


@pytest.mark.parametrize("lstm", [in_torch.LSTM, nn.LSTM])
def test_the_topologies_run_under_autocast(lstm):
    options = {"lstm": lstm, "rng": 0}
    cases = [(in_torch.ManyToOne(3, 8, 2, pool, **options), (LENGTHS,)) for pool in ("last", "max", "mean")]
    cases += [(in_torch.ManyToOne(3, 8, 2, in_torch.decay_weights_of if False else last_twice, **options), (LENGTHS,))]
    cases += [
        (in_torch.ManyToOne(3, 8, 2, in_torch.AttentionPool(8, kind=kind), **options), (LENGTHS,)) for kind in KINDS
    ]
    cases += [(in_torch.ManyToMany(3, 8, 2, **options), (LENGTHS,))]
    cases += [(in_torch.OneToMany(3, 8, 2, condition=each, **options), (4,)) for each in ("state", "input")]
    for model, inputs in cases:
        low, whole = behind_a_linear_layer(model, *inputs)
        assert low.dtype == torch.bfloat16
        torch.testing.assert_close(low.float(), whole, rtol=0, atol=0.05)
        low.float().sum().backward()
    targets = features(2, 5, 2)
    for condition in ("state", "input"):
        model = in_torch.OneToMany(3, 8, 2, condition=condition, **options)
        low, whole = behind_a_linear_layer(model, targets=targets, lengths=LENGTHS)
        torch.testing.assert_close(low.float(), whole, rtol=0, atol=0.05)
    for attention in (*KINDS, None):
        model = in_torch.EncoderDecoder(5, 4, 3, stop=0, attention=attention, **options)
        whole = model(TOKENS, LENGTHS, [[1, 0], [2, 0]])
        with torch.autocast("cpu", torch.bfloat16):
            low = model(TOKENS, LENGTHS, [[1, 0], [2, 0]])
            assert model.generate(TOKENS, LENGTHS, 3, beam=2)[0].shape[0] == 2
        torch.testing.assert_close(low.float(), whole, rtol=0, atol=0.1)
    tokens = in_torch.OneToMany(3, 8, 4, embedding=2, stop=0, **options)
    with torch.autocast("cpu", torch.bfloat16):
        assert tokens.generate(features(2, 3), 3, temperature=1.0, rng=0)[0].shape[0] == 2


KINDS = ("additive", "dot")


def last_twice(T):
    return [1.0] * (T - 1) + [2.0]


def test_float64_is_not_lowered_by_autocast():
    twin = in_torch.LSTM(3, 8, dtype="float64")
    with torch.autocast("cpu", torch.bfloat16):
        assert twin(features(5, 2, 3, dtype=torch.float64))[0].dtype == torch.float64
        with raises(TypeError, "x must hold torch.float32, the network's, got torch.float64"):
            in_torch.LSTM(3, 8)(features(5, 2, 3, dtype=torch.float64))
    with raises(TypeError, "x must hold torch.float32, the network's, got torch.bfloat16"):
        in_torch.LSTM(3, 8)(features(5, 2, 3, dtype=torch.bfloat16))
    with raises(TypeError, "h_0 must hold torch.float32, the network's, got torch.float64"):
        in_torch.RNN(3, 8)(features(5, 2, 3), features(1, 2, 8, dtype=torch.float64))
    with raises(TypeError, "x must hold torch.float32, the network's, got torch.float64"):
        in_torch.AttentionPool(3)(features(5, 2, 3, dtype=torch.float64))


# Devices: "meta" stands for one that NumPy cannot read


@pytest.mark.parametrize("on", ["meta", "cpu"])
@pytest.mark.parametrize("lstm", [in_torch.LSTM, nn.LSTM])
def test_tokens_lengths_and_targets_may_be_where_the_network_is(on, lstm):
    def moved(model):
        """Move a network, and let each of its layers refuse what lies elsewhere: on meta torch's own do not always."""

        def look(module, inputs):
            assert all(each.device.type == on for each in inputs if isinstance(each, torch.Tensor))

        for module in model.modules():
            if isinstance(module, nn.Embedding | nn.Linear):
                module.register_forward_pre_hook(look)
        return model.to(on)

    def there(value, dtype=torch.int16):
        return torch.tensor(value, dtype=dtype, device=on)

    x, tokens, lengths = features(2, 5, 3).to(on), there(TOKENS), there(LENGTHS, torch.int16)
    options = {"lstm": lstm, "rng": 0}
    for given in (lengths, lengths.cpu() if on == "cpu" else LENGTHS):
        for pooling in ("last", "max", "mean", "attention", last_twice):
            model = moved(in_torch.ManyToOne(5, 8, 2, pooling, embedding=3, **options))
            assert model(tokens, given).device.type == model(TOKENS, given).device.type == on
            assert in_torch.ManyToOne(3, 8, 2, pooling, **options).to(on)(x, given).shape == (2, 2)
        model = moved(in_torch.ManyToMany(5, 8, 4, embedding=3, bidirectional=True, **options))
        scores = model(tokens, given)
        targets = there([[0, 1, -100, -100, 2], [3, -100, -100, -100, -100]])
        in_torch.cross_entropy(scores, targets).backward()
        assert model.head.weight.grad.device.type == on
        model = moved(in_torch.OneToMany(3, 8, 5, embedding=3, **options))
        scores = model(x[:, 0], targets=tokens, lengths=given)
        assert scores.shape == (2, 5, 5) and scores.device.type == on
        assert model(x[:, 0], targets=TOKENS, lengths=given).device.type == on
        assert in_torch.OneToMany(3, 8, 3, **options).to(on)(x[:, 0], targets=x, lengths=given).shape == (2, 5, 3)
        model = moved(in_torch.EncoderDecoder(5, 5, 8, stop=0, **options))
        assert model(tokens, given, tokens).shape == model(TOKENS, given, TOKENS).shape == (2, 5, 5)
        for written in model.generate(tokens, given, 3, beam=2)[:3]:
            assert written.device.type == on
    model = moved(in_torch.OneToMany(3, 8, 4, embedding=2, stop=0, **options))
    for written in model.generate(x[:, 0], 3, temperature=1.0, rng=0):
        assert written.device.type == on
    written = in_torch.OneToMany(3, 8, 4, embedding=2, **options).to(on).generate(x[:, 0], 3)
    assert [each.device.type for each in written] == [on, on]


@pytest.mark.parametrize("on", ["meta", "cpu"])
def test_pools_and_networks_take_lengths_where_they_are(on):
    x, lengths = features(2, 5, 3).to(on), torch.tensor(LENGTHS, device=on, dtype=torch.uint8)
    for network in (in_torch.LSTM(3, 4, 2, batch_first=True, bidirectional=True), in_torch.RNN(3, 4, batch_first=True)):
        assert network.to(on)(x, lengths=lengths)[0].device.type == on
    for pool in (in_torch.last_pool, in_torch.max_pool, in_torch.mean_pool, in_torch.AttentionPool(3).to(on)):
        assert pool(x, lengths).device.type == on
    weights = torch.tensor([1.0, 2.0, 1.0, 1.0, 1.0], device=on, requires_grad=True)
    assert in_torch.weighted_pool(x, weights, lengths).device.type == on
    assert in_torch.weighted_pool(x, [1, 2, 1, 1, 1], lengths).device.type == on
    assert in_torch.attention_weights(x[..., 0], lengths).device.type == on


def test_values_on_a_device_are_checked_there_too():
    """The checks must not look away from a tensor because of where it lies: a subclass stands for a device."""

    class Elsewhere(torch.Tensor):
        def __array__(self, *arguments, **options):
            raise TypeError("can't convert a tensor of this device to numpy: use Tensor.cpu() first")

        def cpu(self):
            return self.as_subclass(torch.Tensor)

    def there(value):
        return torch.tensor(value).as_subclass(Elsewhere)

    x = features(2, 5, 3)
    assert in_torch.max_pool(x, there(LENGTHS)).shape == (2, 3)
    with raises(ValueError, "lengths must lie between 1 and T = 5, got 6 at position 1"):
        in_torch.LSTM(3, 4, batch_first=True)(x, lengths=there([5, 6]))
    with raises(ValueError, "tokens must lie between 0 and 3, got 4"):
        in_torch.ManyToOne(4, 3, 2, embedding=2)(there(TOKENS))
    with raises(ValueError, "weights must be finite and not negative, got -1.0"):
        in_torch.weighted_pool(x, there([1.0, 1.0, -1.0, 1.0, 1.0]))


def test_shapes_and_types_are_checked_where_there_are_no_values():
    x, network = torch.zeros(2, 5, 3, device="meta"), in_torch.LSTM(3, 4, batch_first=True).to("meta")
    with raises(ValueError, "lengths must have shape (B,) with B = 2, got (3,)"):
        network(x, lengths=torch.ones(3, device="meta", dtype=torch.long))
    with raises(TypeError, "lengths must hold integers, got float32"):
        network(x, lengths=torch.ones(2, device="meta"))
    with raises(TypeError, "tokens must hold integers, got float32"):
        in_torch.ManyToOne(3, 4, 2, embedding=2).to("meta")(x[..., 0])
    with raises(ValueError, "target must have shape (2,), got (3,)"):
        in_torch.cross_entropy(x[:, 0], torch.zeros(3, device="meta", dtype=torch.long))


# Cross-entropy


@TWINS
@pytest.mark.parametrize(
    "logits, target, message",
    [
        (np.zeros((2, 4)), [-100, -100], "target must hold at least one class that counts, got only ignore_index"),
        (np.zeros((0, 4)), np.zeros(0, int), "target must hold at least one class that counts, got only ignore_index"),
        (np.zeros(4), 1, "logits must have shape (..., K) with an axis before K, got (4,)"),
        (np.zeros((2, 4)), [0, 4], "target must hold classes from 0 to 3 or -100, got 4"),
        (np.zeros((2, 4)), [0, -1], "target must hold classes from 0 to 3 or -100, got -1"),
        (np.zeros((2, 4)), [0.0, 1.0], "target must hold classes from 0 to 3 or -100, got float"),
        (np.zeros((2, 4)), [False, True], "target must hold classes from 0 to 3 or -100, got bool"),
        (np.zeros((2, 4)), [[0], [1]], "target must have shape (2,), got (2, 1)"),
    ],
)
def test_cross_entropy_refuses_the_same_on_both_twins(twin, logits, target, message):
    logits, target = (np.asarray(each) if twin is in_numpy else torch.as_tensor(each) for each in (logits, target))
    with raises(ValueError, message):
        twin.cross_entropy(logits, target)


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", ">i4"])
def test_classes_may_be_integers_of_any_size(dtype):
    logits, target = features(3, 4, dtype=torch.float64), np.array([3, 0, 1], dtype)
    want = in_torch.cross_entropy(logits, torch.tensor([3, 0, 1]))
    native = target.astype(target.dtype.newbyteorder("="))
    for given in (target, torch.as_tensor(native)):
        torch.testing.assert_close(in_torch.cross_entropy(logits, given), want)
    assert abs(in_numpy.cross_entropy(logits.numpy(), target)[0] - want.item()) < 1e-12


def test_a_small_type_does_not_hit_ignore_index_by_wrapping_round():
    logits = torch.zeros(2, 200)
    loss = in_torch.cross_entropy(logits, torch.tensor([156, 0], dtype=torch.uint8))  # 156 is -100 in eight bits
    torch.testing.assert_close(loss, torch.tensor(200.0).log())
    with raises(ValueError, "got 156"):
        in_torch.cross_entropy(torch.zeros(2, 4), torch.tensor([156, 0], dtype=torch.uint8))


class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 4)

    def forward(self, x, lengths=None):
        return self.linear(x)


def fit_once(batch, loss=in_torch.cross_entropy):
    network = Head()
    return in_torch.fit(network, [batch], loss, in_torch.Adam(network.parameters()), progress=False)


def test_fit_names_the_cause_and_blames_the_learning_rate_only_where_it_may_be_one():
    x, nothing, y = np.ones((2, 3), np.float32), np.full(2, -100), np.ones((2, 4), np.float32)
    with raises(ValueError, "target must hold at least one class that counts"):
        fit_once((x, nothing))
    for batch, cause in (
        ((x, y * np.nan), "the target of this batch is not finite"),
        ((x * np.inf, y), "input 0 of this batch is not finite, which harms nothing in padding alone"),
    ):
        with pytest.raises(FloatingPointError, match=cause) as caught:
            fit_once(batch, in_torch.mse_loss)
        assert "lr" not in str(caught.value)
    with pytest.raises(FloatingPointError, match="the loss itself overflows") as caught:
        fit_once((x, y), lambda prediction, target: (prediction * 0).sum() / 0)
    assert "lr" not in str(caught.value)
    with pytest.raises(FloatingPointError, match="is lr too high"):
        network = Head()
        network.linear.weight.data[:] = 3e38
        in_torch.fit(network, [(x, y)], in_torch.mse_loss, in_torch.Adam(network.parameters()), progress=False)


def test_fit_takes_what_a_batch_may_hold_and_refuses_the_rest_by_name():
    x, y = np.ones((2, 3), ">f4"), np.array([0, 1], ">i2")
    assert len(fit_once((x, y))) == 1
    assert len(fit_once((torch.ones(2, 3), None, torch.tensor([0, 1])))) == 1
    with raises(TypeError, "batches must give tuples (*inputs, target), got numpy.ndarray"):
        fit_once(x)
    with raises(TypeError, "loss(prediction, target) must be a torch.Tensor, got tuple"):
        fit_once((x, y), lambda prediction, target: (prediction.sum(), prediction))
    with raises(TypeError, "got a masked array, whose mask would be lost"):
        fit_once((np.ma.array(np.ones((2, 3), np.float32), mask=True), y))
    with raises(ValueError, "max_norm must be a number from 0 to inf, got -1"):
        in_torch.clip_gradients(Head().parameters(), -1)


# Parameters by name


@pytest.mark.parametrize("names", [["bias_hh_l0"], ["weight_ih_l0", "bias_ih_l0"], ["weight_hh_l0"]])
@pytest.mark.parametrize("kind", ["RNN", "LSTM"])
def test_a_pruned_network_is_pruned_and_loads_its_own_state_dict(kind, names):
    own, twin = getattr(nn, kind)(3, 4), getattr(in_torch, kind)(3, 4)
    twin.load_state_dict(own.state_dict())
    x = features(5, 2, 3)
    for network in (own, twin):
        for name in names:
            prune.l1_unstructured(network, name, amount=0.5)
    own.flatten_parameters()
    torch.testing.assert_close(twin(x)[0], own(x)[0])
    want = twin(x)[0]
    other = getattr(in_torch, kind)(3, 4)
    for name in names:
        prune.identity(other, name)
    other.load_state_dict(twin.state_dict())
    torch.testing.assert_close(other(x)[0], want)
    twin.load_state_dict(copy.deepcopy(twin.state_dict()))
    for name in names:
        prune.remove(twin, name)
    torch.testing.assert_close(twin(x)[0], want)
    with raises(ValueError, f"missing ['{names[0]}_mask'"):
        other.load_state_dict({name: value for name, value in other.state_dict().items() if names[0] not in name})


@pytest.mark.parametrize("normed", [parametrizations.weight_norm, parametrizations.spectral_norm])
@pytest.mark.parametrize("kind", ["RNN", "LSTM"])
def test_a_weight_normed_network_computes_with_the_normed_weight(kind, normed):
    own, twin = getattr(nn, kind)(3, 4), getattr(in_torch, kind)(3, 4)
    twin.load_state_dict(own.state_dict())
    x = features(5, 2, 3)
    for network in (own, twin):
        torch.manual_seed(0)
        normed(network, "weight_hh_l0")
        with torch.no_grad():
            for name, parameter in network.named_parameters():
                if "original" in name:
                    parameter.mul_(1.5)
        network.eval()
    torch.testing.assert_close(twin(x)[0], own(x)[0])
    twin.load_state_dict(twin.state_dict())


def test_every_module_takes_a_state_dict_whole_or_not_at_all():
    for make in (
        lambda rng: in_torch.LSTM(3, 4, rng=rng),
        lambda rng: in_torch.RNN(3, 4, rng=rng),
        lambda rng: in_torch.AttentionPool(4, rng=rng),
        lambda rng: in_torch.ManyToOne(3, 4, 2, "attention", rng=rng),
        lambda rng: in_torch.ManyToMany(3, 4, 2, embedding=2, lstm=nn.LSTM, rng=rng),
        lambda rng: in_torch.OneToMany(3, 4, 2, rng=rng),
        lambda rng: in_torch.EncoderDecoder(3, 4, 5, stop=0, rng=rng),
    ):
        network, other = make(0), make(1)
        before = copy.deepcopy(network.state_dict())
        last = list(before)[-1]
        for value in (np.zeros(77), np.zeros(before[last].shape, int), torch.zeros(before[last].shape, device="meta")):
            with pytest.raises((ValueError, TypeError), match=re.escape(last)):
                network.load_state_dict(other.state_dict() | {last: value})
            for name, value in network.state_dict().items():
                assert torch.equal(value, before[name]), name
        network.load_state_dict({name: value.numpy().astype(">f8") for name, value in other.state_dict().items()})
        for name, value in network.state_dict().items():
            assert torch.equal(value, other.state_dict()[name]), name
        with raises(TypeError, "state_dict must be a collections.Mapping, got"):
            network.load_state_dict(other)
        assert torch.equal(pickle.loads(pickle.dumps(other)).state_dict()[last], other.state_dict()[last])


# Byte orders and seeds


def test_a_seed_may_be_an_integer_of_numpy():
    for make in (in_torch.LSTM, in_torch.RNN, lambda *sizes, rng: in_torch.ManyToOne(*sizes, 2, rng=rng)):
        one, two = (make(3, 4, rng=rng).state_dict() for rng in (np.int64(0), 0))
        assert all(torch.equal(one[name], two[name]) for name in two)
    model = in_torch.OneToMany(3, 4, 5, embedding=2, rng=np.uint8(0))
    one, two = (model.generate(features(9, 3), 4, temperature=1.0, rng=rng)[0] for rng in (np.int32(3), 3))
    assert torch.equal(one, two)
    for wrong, came in ((np.random.default_rng(0), "numpy.Generator"), (0.0, "float"), (True, "bool"), ("0", "str")):
        with raises(TypeError, f"rng must be a torch.Generator, an integer seed or None, got {came}"):
            in_torch.LSTM(3, 4, rng=wrong)


def test_arrays_of_the_other_byte_order_are_read():
    twin, other = in_torch.LSTM(3, 4, rng=0), in_torch.LSTM(3, 4, rng=1)
    twin.load_state_dict({name: value.numpy().astype(">f4") for name, value in other.state_dict().items()})
    assert all(torch.equal(value, other.state_dict()[name]) for name, value in twin.state_dict().items())
    x, lengths = features(2, 5, 3), np.array(LENGTHS, ">i8")
    assert in_torch.mean_pool(x, lengths).shape == (2, 3)
    assert in_torch.ManyToMany(3, 4, 2)(x, lengths).shape == (2, 5, 2)
    assert in_torch.ManyToOne(5, 4, 2, embedding=2)(np.array(TOKENS, ">i4"), lengths).shape == (2, 2)
    assert in_torch.weighted_pool(x, np.arange(1, 6, dtype=">f8"), lengths).shape == (2, 3)
    validation.check_floating("x", np.zeros(3, ">f4"))
    assert validation.as_array("x", np.array([1.5], ">f4")).dtype == np.dtype("=f4")
    assert validation.check_dtype(np.dtype(">f8")) == "float64"


def test_weights_of_a_type_that_numpy_lacks_are_read():
    x, weights = features(2, 5, 3, dtype=torch.bfloat16), torch.tensor([1, 2, 1, 1, 1], dtype=torch.bfloat16)
    want = in_torch.weighted_pool(x.float(), [1, 2, 1, 1, 1], LENGTHS)
    torch.testing.assert_close(in_torch.weighted_pool(x, weights, LENGTHS).float(), want, rtol=0, atol=0.02)


# Arguments of another kind

X = features(2, 5, 3)
PACKED = pack_padded_sequence(X, torch.tensor(LENGTHS), batch_first=True)
HINT = ": give it padded, with lengths"
STATE = torch.zeros(1, 2, 4), torch.zeros(1, 2, 4)
WEIGHTS = [torch.zeros(16, 3), torch.zeros(16, 4), torch.zeros(16), torch.zeros(16)]


def lstm(*arguments, **options):
    return in_torch.LSTM(3, 4, batch_first=True)(*arguments, **options)


def rnn(*arguments, **options):
    return in_torch.RNN(3, 4, batch_first=True)(*arguments, **options)


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: lstm(X.numpy()), "x must be a torch.Tensor, got numpy.ndarray"),
        (lambda: lstm(X.tolist()), "x must be a torch.Tensor, got list"),
        (lambda: lstm(PACKED), "x must be a torch.Tensor, got torch.PackedSequence" + HINT),
        (lambda: lstm(STATE, X), "x must be a torch.Tensor, got tuple"),
        (lambda: lstm(X, (STATE[0], None)), "c_0 must be an array or a tensor of shape (1, 2, 4), got NoneType"),
        (lambda: lstm(X, (None, STATE[1])), "h_0 must be an array or a tensor of shape (1, 2, 4), got NoneType"),
        (lambda: lstm(X, STATE[0]), "the state must be a tuple (h_0, c_0), got Tensor"),
        (lambda: lstm(X, (STATE[0], STATE[1].numpy())), "c_0 must be a torch.Tensor, got numpy.ndarray"),
        (lambda: lstm(X, lengths="55"), "lengths must be an array of numbers, got str"),
        (lambda: lstm(X, lengths=[[5], [5, 5]]), "lengths must be an array of numbers, got list"),
        (lambda: rnn(X.numpy()), "x must be a torch.Tensor, got numpy.ndarray"),
        (lambda: rnn(PACKED), "x must be a torch.Tensor, got torch.PackedSequence" + HINT),
        (lambda: rnn(X, STATE), "h_0 must be an array or a tensor of shape (1, 2, 4), got tuple"),
        (lambda: rnn(X, STATE[0].numpy()), "h_0 must be a torch.Tensor, got numpy.ndarray"),
        (lambda: in_torch.lstm_cell(X[:, 0].numpy(), STATE, *WEIGHTS), "x must be a torch.Tensor, got numpy.ndarray"),
        (
            lambda: in_torch.lstm_cell(X[:, 0], (STATE[0][0], STATE[1][0].numpy()), *WEIGHTS),
            "c must be a torch.Tensor, got numpy.ndarray",
        ),
        (
            lambda: in_torch.rnn_cell(X[:, 0].numpy(), STATE[0][0], *WEIGHTS),
            "x must be a torch.Tensor, got numpy.ndarray",
        ),
        (
            lambda: in_torch.forget_gate(X[:, 0], STATE[0][0].numpy(), *WEIGHTS),
            "h must be a torch.Tensor, got numpy.ndarray",
        ),
        (
            lambda: in_torch.lstm_sequence(X.numpy(), (STATE[0][0], STATE[1][0]), *WEIGHTS),
            "x must be a torch.Tensor, got numpy.ndarray",
        ),
        (lambda: in_torch.max_pool(X.numpy()), "x must be a torch.Tensor, got numpy.ndarray"),
        (lambda: in_torch.last_pool(X.tolist()), "x must be a torch.Tensor, got list"),
        (lambda: in_torch.mean_pool(PACKED), "x must be a torch.Tensor, got torch.PackedSequence" + HINT),
        (lambda: in_torch.weighted_pool(X.numpy(), [1] * 5), "x must be a torch.Tensor, got numpy.ndarray"),
        (lambda: in_torch.weighted_pool(X, ["one"] * 5), "weights must be an array of numbers, got list"),
        (lambda: in_torch.weighted_pool(X, [True] * 5), "weights must hold real numbers, got bool"),
        (lambda: in_torch.AttentionPool(3)(X.numpy()), "x must be a torch.Tensor, got numpy.ndarray"),
        (lambda: in_torch.attention_weights(X[..., 0].numpy()), "scores must be a torch.Tensor, got numpy.ndarray"),
        (lambda: in_torch.ManyToOne(3, 4, 2)(X.numpy()), "x must be a torch.Tensor, got numpy.ndarray"),
        (lambda: in_torch.ManyToMany(3, 4, 2)(PACKED), "x must be a torch.Tensor, got torch.PackedSequence" + HINT),
        (lambda: in_torch.ManyToMany(3, 4, 2, embedding=2)("ab"), "tokens must be an array of numbers, got str"),
        (lambda: in_torch.OneToMany(3, 4, 2)(X[:, 0].numpy(), 3), "x must be a torch.Tensor, got numpy.ndarray"),
        (
            lambda: in_torch.OneToMany(3, 4, 2)(X[:, 0], targets=X[..., :2].numpy()),
            "targets must be a torch.Tensor, got numpy.ndarray",
        ),
        (
            lambda: in_torch.OneToMany(3, 4, 2)(X[:, 0], targets=X[..., :2].double()),
            "targets must hold torch.float32, the network's, got torch.float64",
        ),
        (lambda: in_torch.OneToMany(3, 4, 2)(X[:, 0].long(), 3), "x must hold floating-point numbers, got int64"),
        (
            lambda: in_torch.OneToMany(3, 4, 2)(X[:, 0].double(), 3),
            "x must hold torch.float32, the network's, got torch.float64",
        ),
        (
            lambda: in_torch.EncoderDecoder(5, 4, 3, stop=0)(TOKENS, None, [[0], [0]]),
            "lengths must be an array of numbers, got NoneType",
        ),
        (lambda: in_torch.dependency_matrix(nn.Linear(3, 2), X.numpy()), "x must be a torch.Tensor, got numpy.ndarray"),
        (lambda: in_torch.mse_loss(X, X.numpy()), "target must be a torch.Tensor, got numpy.ndarray"),
        (lambda: in_torch.quantile_loss(X.numpy(), X, [0.5]), "prediction must be a torch.Tensor, got numpy.ndarray"),
        (lambda: in_torch.cross_entropy(X.numpy(), [[0] * 5] * 2), "logits must be a torch.Tensor, got numpy.ndarray"),
        (lambda: in_torch.cross_entropy(X.long(), [[0] * 5] * 2), "logits must hold floating-point numbers, got int64"),
    ],
)
def test_an_argument_of_another_kind_is_named(call, message):
    with raises(TypeError, message):
        call()


def test_tokens_classes_and_lengths_may_be_lists_arrays_or_tensors():
    model = in_torch.ManyToMany(5, 4, 2, embedding=2, rng=0)
    want = model(torch.tensor(TOKENS), torch.tensor(LENGTHS))
    for kind in (list, np.array, torch.tensor):
        assert torch.equal(model(kind(TOKENS), kind(LENGTHS)), want)
    writer = in_torch.OneToMany(3, 4, 5, embedding=2, rng=0)
    want = writer(X[:, 0], targets=torch.tensor(TOKENS), lengths=LENGTHS)
    assert torch.equal(writer(X[:, 0], targets=TOKENS, lengths=LENGTHS), want)
    assert in_torch.cross_entropy(torch.zeros(2, 4), [1, 3]) == in_torch.cross_entropy(
        torch.zeros(2, 4), torch.tensor([1, 3])
    )


@pytest.mark.parametrize(
    "call, error, message",
    [
        (lambda t: t(3, 4, 2, lstm=in_torch.RNN(3, 4)), TypeError, "or such a class, got in_torch.RNN"),
        (lambda t: t(3, 4, 2, lstm=in_torch.RNN), TypeError, "lstm must be an in_torch.LSTM, a torch.nn.LSTM, GRU or"),
        (lambda t: t(3, 4, 2, lstm=in_numpy.LSTM(3, 4)), TypeError, "lstm must be an in_torch.LSTM, a torch.nn.LSTM"),
        (lambda t: t(3, 4, 2, lstm="LSTM"), TypeError, "or such a class, got str"),
        (lambda t: t(3, 4, 2, lstm=nn.LSTMCell(3, 4)), TypeError, "or such a class, got torch.LSTMCell"),
        (lambda t: t(3, 4, 2, lstm=nn.LSTM(3, 4, proj_size=2)), ValueError, "lstm must have proj_size 0, got 2"),
        (lambda t: t(3, 4, 2, lstm=nn.LSTM, proj_size=2), ValueError, "lstm must have proj_size 0, got 2"),
        (lambda t: t(3, 4, 2, proj_size=2), TypeError, "proj_size"),
        (lambda t: t(None, None, 2, lstm=nn.LSTM), ValueError, "must be an integer >= 1, got None"),
    ],
)
def test_a_recurrent_network_of_another_kind_is_refused(call, error, message):
    for topology in (in_torch.ManyToOne, in_torch.ManyToMany):
        with raises(error, message):
            call(topology)


def test_the_other_topologies_refuse_such_networks_too():
    with raises(TypeError, "got in_torch.RNN"):
        in_torch.OneToMany(3, 4, 2, lstm=in_torch.RNN(2, 4))
    with raises(TypeError, 'lstm must be an LSTM where condition="state", which makes its h and c, got torch.GRU'):
        in_torch.OneToMany(3, 4, 2, lstm=nn.GRU(2, 4, batch_first=True))
    assert in_torch.OneToMany(3, 4, 2, condition="input", lstm=nn.GRU)(X[:, 0], 3).shape == (2, 3, 2)
    for wrong in (nn.LSTM(32, 4), nn.GRU, in_torch.RNN, True):
        with raises(TypeError, "lstm must be the class in_torch.LSTM or torch.nn.LSTM, got "):
            in_torch.EncoderDecoder(5, 4, 4, stop=0, lstm=wrong)
    for wrong in (in_torch.AttentionPool, in_torch.AttentionPool(4, rng=0).query, ["max"], 3):
        with raises(ValueError, "pooling must be one of 'last', 'max', 'mean', 'attention', got"):
            in_torch.ManyToOne(3, 4, 2, wrong)
    for wrong in (1.0, [1], "1"):
        with raises(ValueError, "stop must be one of"):
            in_torch.OneToMany(3, 4, 2, embedding=2, stop=wrong)
        with raises(ValueError, "stop must be one of"):
            in_torch.EncoderDecoder(5, 4, 4, stop=wrong)
    with raises(ValueError, "targets must have shape (2, S), got (3, 1)"):
        in_torch.EncoderDecoder(5, 4, 4, stop=0)(TOKENS, LENGTHS, [[0], [0], [0]])


@pytest.mark.parametrize("make", [in_torch.LSTM, nn.LSTM, nn.GRU, nn.RNN])
def test_lstm_may_be_a_class_or_a_network_that_is_built_already(make):
    model = in_torch.ManyToOne(3, 4, 2, lstm=make, bidirectional=True, num_layers=2, rng=0)
    again = in_torch.ManyToOne(3, 4, 2, lstm=make, bidirectional=True, num_layers=2, rng=0)
    assert isinstance(model.lstm, make) and model.lstm.bidirectional and model.lstm.num_layers == 2
    for name, value in model.state_dict().items():
        assert torch.equal(value, again.state_dict()[name])
    built = in_torch.ManyToOne(None, None, 2, lstm=model.lstm)
    built.load_state_dict(model.state_dict())
    assert torch.equal(built(X, LENGTHS), model(X, LENGTHS))


# Losses that broadcast, dropout that does nothing


def test_mse_loss_does_not_broadcast():
    for prediction, target in (((4, 1), (4,)), ((4,), (4, 1)), ((4, 2), (2,)), ((4,), ())):
        with raises(ValueError, f"target must have shape ({', '.join(map(str, prediction))}"):
            in_torch.mse_loss(torch.zeros(prediction), torch.zeros(target))
        with raises(ValueError, f"target must have shape ({', '.join(map(str, prediction))}"):
            in_numpy.mse_loss(np.zeros(prediction), np.zeros(target))


def test_dropout_with_one_layer_warns_as_torch_does():
    for make in (nn.LSTM, in_torch.LSTM, lambda *sizes, **options: in_torch.ManyToOne(*sizes, 2, **options)):
        with pytest.warns(UserWarning, match="dropout.*num_layers"):
            make(3, 4, dropout=0.5)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            make(3, 4, num_layers=2, dropout=0.5)
            make(3, 4, dropout=0.0)
    with pytest.warns(UserWarning) as caught:
        in_torch.LSTM(3, 4, dropout=0.5)
    assert caught[0].filename == __file__
    with raises(ValueError, "dropout must be a number from 0 to 1, got 2"):
        in_torch.EncoderDecoder(5, 4, 3, stop=0, dropout=2)


# Masked arrays


@pytest.mark.parametrize(
    "call",
    [
        lambda masked: validation.as_array("x", masked(np.zeros((2, 5, 3)))),
        lambda masked: validation.as_array("x", [np.zeros(2), masked(np.zeros(2))]),
        lambda masked: validation.as_array("x", [1.0, np.ma.masked]),
        lambda masked: lstm(X, lengths=masked(LENGTHS)),
        lambda masked: rnn(X, lengths=masked(LENGTHS)),
        lambda masked: in_torch.mean_pool(X, masked(LENGTHS)),
        lambda masked: in_torch.weighted_pool(X, masked([1.0] * 5)),
        lambda masked: in_torch.ManyToOne(5, 4, 2, embedding=2)(masked(TOKENS)),
        lambda masked: in_torch.EncoderDecoder(5, 4, 3, stop=0)(TOKENS, LENGTHS, masked([[0], [0]])),
        lambda masked: in_torch.cross_entropy(torch.zeros(2, 4), masked([0, 1])),
        lambda masked: in_torch.RNN(3, 4).load_state_dict({"weight_ih_l0": masked(np.zeros((4, 3)))}),
    ],
)
def test_masked_arrays_are_refused_rather_than_read_without_their_mask(call):
    with pytest.raises(
        TypeError, match="must be an array without a mask, got a masked array, whose mask would be lost"
    ):
        call(lambda value: np.ma.array(value, mask=np.ones(np.shape(value))))
