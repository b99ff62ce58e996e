"""Each pooling against a loop over samples, its twin, autograd and central differences; padding changes nothing."""

import re
from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lstm_tutorial import in_numpy, in_torch

size = st.integers(1, 5)
TWINS = pytest.mark.parametrize("twin", [in_numpy, in_torch], ids=["numpy", "torch"])
POOLS = ["last", "max", "mean", "weighted"]


def by_hand(pool, steps, weights):
    """Pool the valid steps of one sequence (n, D) the slow way, one feature at a time."""
    features = steps.T.tolist()
    if pool == "last":
        return [values[-1] for values in features]
    if pool == "max":
        return [max(values) for values in features]
    weights = [1.0] * len(steps) if pool == "mean" else weights[: len(steps)].tolist()
    return [sum(w * v for w, v in zip(weights, values, strict=True)) / sum(weights) for values in features]


def run(twin, pool, x, weights, lengths):
    """Call a pool of either twin on arrays, and return an array."""
    arguments = (x, weights) if pool == "weighted" else (x,)
    if twin is in_torch:
        arguments = [torch.tensor(each) for each in arguments]
    return np.asarray(getattr(twin, f"{pool}_pool")(*arguments, lengths=lengths))


def backward(pool, d_pooled, x, weights, lengths):
    """Return d_x of a NumPy pool, and d_weights where it has weights."""
    if pool == "weighted":
        return in_numpy.weighted_pool_backward(d_pooled, x, weights, lengths)
    made = (in_numpy.max_pool(x, lengths),) if pool == "max" else ()
    return (getattr(in_numpy, f"{pool}_pool_backward")(d_pooled, x, *made, lengths=lengths),)


def autograd(pool, d_pooled, x, weights, lengths):
    """Return the same from the torch twin."""
    leaves = [torch.tensor(each, requires_grad=True) for each in ((x, weights) if pool == "weighted" else (x,))]
    getattr(in_torch, f"{pool}_pool")(*leaves, lengths=lengths).backward(torch.tensor(d_pooled))
    return [leaf.grad.numpy() for leaf in leaves]


def measured(function, value, h=1e-3):
    """Return the gradient of a scalar function of an array that it sees change in place, to fourth order."""
    gradient = np.zeros_like(value)
    for index in np.ndindex(value.shape):
        kept, seen = value[index], {}
        for k in (-2, -1, 1, 2):
            value[index] = kept + k * h
            seen[k] = function()
        value[index] = kept
        gradient[index] = (8 * (seen[1] - seen[-1]) - (seen[2] - seen[-2])) / (12 * h)
    return gradient


def draw(B, T, D, seed, ragged=True, spread=1.0):
    """Return x with NaN in the padding, weights, lengths with a 1 among them, and the gradient of the result."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, T + 1, B)
    lengths[rng.integers(B)] = 1
    x = rng.permutation(B * T * D).reshape(B, T, D) * spread  # values apart: no maximum changes hands within h
    x += rng.uniform(-0.1, 0.1, x.shape)
    if ragged:
        x[np.arange(T) >= lengths[:, None]] = np.nan
    return x, rng.uniform(0.5, 2.0, (B, T)), lengths if ragged else None, rng.standard_normal((B, D))


@TWINS
@pytest.mark.parametrize("pool", POOLS)
@settings(max_examples=30)
@given(B=size, T=st.sampled_from([1, 2, 5, 63, 64, 65, 97, 128]), D=size, ragged=st.booleans(), seed=size)
def test_pools_equal_a_loop_over_samples(twin, pool, B, T, D, ragged, seed):
    x, weights, lengths, _ = draw(B, T, D, seed, ragged)
    pooled = run(twin, pool, x, weights, lengths)
    each = np.full(B, T) if lengths is None else lengths
    expected = [by_hand(pool, steps[:n], w) for steps, w, n in zip(x, weights, each, strict=True)]
    assert pooled.shape == (B, D)
    np.testing.assert_allclose(pooled, expected, rtol=1e-12)
    if twin is in_numpy:  # a view whose time axis is the slow one, as the LSTM hands it on
        view = np.ascontiguousarray(x.swapaxes(0, 1)).swapaxes(0, 1)
        np.testing.assert_allclose(run(twin, pool, view, weights, lengths), pooled, rtol=1e-12)


@pytest.mark.parametrize("pool", POOLS)
@settings(max_examples=25)
@given(B=size, T=size, D=size, ragged=st.booleans(), shared=st.booleans(), seed=size)
def test_gradients_of_pools_equal_autograd_and_central_differences(pool, B, T, D, ragged, shared, seed):
    x, weights, lengths, d_pooled = draw(B, T, D, seed, ragged)
    weights = weights[0].copy() if shared else weights
    found = backward(pool, d_pooled, x, weights, lengths)
    for got, want in zip(found, autograd(pool, d_pooled, x, weights, lengths), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-9)
    known = np.nan_to_num(x)
    for got, value in zip(found, (known, weights), strict=False):
        near = measured(lambda: (run(in_numpy, pool, known, weights, lengths) * d_pooled).sum(), value)
        np.testing.assert_allclose(got, near, rtol=1e-9, atol=1e-9 * max(1, np.abs(near).max()))
    if ragged:
        padding = np.arange(T) >= lengths[:, None]
        assert not found[0][padding].any() and not np.isnan(found[0]).any()


@TWINS
@pytest.mark.parametrize("pool", [*POOLS, "attention"])
@settings(max_examples=25)
@given(B=size, T=size, more=st.integers(1, 70), rubbish=st.sampled_from([0.0, 1e30, np.nan, np.inf]), seed=size)
def test_padding_changes_no_value_and_no_gradient(twin, pool, B, T, more, rubbish, seed):
    x, weights, lengths, d_pooled = draw(B, T, 4, seed)
    wide = np.pad(np.where(np.isnan(x), rubbish, x), ((0, 0), (0, more), (0, 0)), constant_values=rubbish)
    if pool == "weighted":  # what the weights of padding are does not matter either
        wide_weights = np.pad(weights, ((0, 0), (0, more)), constant_values=np.nan)
    results = []
    for sequences, weight in ((x, weights), (wide, wide_weights if pool == "weighted" else None)):
        if pool == "attention":
            layer = in_numpy.AttentionPool(4, heads=2, rng=0, dtype="float64")
            pooled, d_x, d_weight, _ = attend(twin, layer, sequences, lengths, d_pooled)
            results.append((pooled, d_x, d_weight["query"], d_weight["weight"], d_weight["bias"]))
            continue
        gradients = (backward if twin is in_numpy else autograd)(pool, d_pooled, sequences, weight, lengths)
        results.append((run(twin, pool, sequences, weight, lengths), *gradients))
    (pooled, d_x, *others), (wide_pooled, wide_d_x, *wide_others) = results
    np.testing.assert_allclose(wide_pooled, pooled, rtol=1e-12, atol=1e-12)
    assert not wide_d_x[:, T:].any() and not np.isnan(wide_d_x).any()
    np.testing.assert_allclose(wide_d_x[:, :T], d_x, rtol=1e-11, atol=1e-12)
    for other, wide_other in zip(others, wide_others, strict=True):
        shown = (slice(None), slice(0, T)) if pool == "weighted" else ...
        np.testing.assert_allclose(wide_other[shown], other, rtol=1e-9, atol=1e-12)
        assert pool != "weighted" or not wide_other[:, T:].any()


def attend(twin, layer, x, lengths, d_pooled):
    """Run attention pooling of either twin with a NumPy layer's parameters; return result, d_x, gradients, weights."""
    if twin is in_numpy:
        pooled, weights = layer(x, lengths, return_weights=True)
        return pooled, layer.backward(d_pooled), layer.gradients, weights
    theirs = in_torch.AttentionPool(layer.input_size, kind=layer.kind, heads=layer.heads, dtype="float64")
    theirs.load_state_dict({name: torch.tensor(value) for name, value in layer.state_dict().items()})
    leaf = torch.tensor(x, requires_grad=True)
    pooled, weights = theirs(leaf, lengths, return_weights=True)
    pooled.backward(torch.tensor(d_pooled))
    gradients = {name: parameter.grad.numpy() for name, parameter in theirs.named_parameters()}
    return pooled.detach().numpy(), leaf.grad.numpy(), gradients, weights.detach().numpy()


@pytest.mark.parametrize("kind", ["additive", "dot"])
@settings(max_examples=25)
@given(B=size, T=size, features=st.integers(1, 3), heads=st.integers(1, 3), ragged=st.booleans(), seed=size)
def test_attention_equals_a_loop_its_twin_and_central_differences(kind, B, T, features, heads, ragged, seed):
    D = features * heads
    x, _, lengths, d_pooled = draw(B, T, D, seed, ragged, spread=0.02)
    layer = in_numpy.AttentionPool(D, kind=kind, heads=heads, rng=seed, dtype="float64")
    assert set(layer.parameters) == ({"query", "weight", "bias"} if kind == "additive" else {"query"})
    pooled, weights = layer(x, lengths, return_weights=True)
    d_x, gradients = layer.backward(d_pooled), layer.gradients
    p = layer.parameters
    for b, n in enumerate(np.full(B, T) if lengths is None else lengths):  # the formula, a sequence and a head a time
        for k in range(heads):
            keys = [np.tanh(p["weight"] @ v + p["bias"]) if kind == "additive" else v for v in x[b, :n]]
            e = np.exp([p["query"][k] @ key for key in keys])
            seen = weights[b] if heads == 1 else weights[b, k]
            np.testing.assert_allclose(seen[:n], e / e.sum(), rtol=1e-12)
            assert not seen[n:].any()
            part = slice(k * features, (k + 1) * features)
            np.testing.assert_allclose(pooled[b, part], e / e.sum() @ x[b, :n, part], rtol=1e-11, atol=1e-14)
    theirs, their_d_x, their_gradients, their_weights = attend(in_torch, layer, x, lengths, d_pooled)
    np.testing.assert_allclose(pooled, theirs, rtol=1e-11, atol=1e-14)
    np.testing.assert_allclose(weights, their_weights, rtol=1e-11)  # exactly 0 where the others are
    np.testing.assert_allclose(d_x, their_d_x, atol=1e-9)
    known = np.nan_to_num(x)
    near = {name: measured(lambda: (layer(known, lengths) * d_pooled).sum(), value) for name, value in p.items()}
    for name, want in near.items():
        np.testing.assert_allclose(gradients[name], their_gradients[name], atol=1e-9, err_msg=name)
        np.testing.assert_allclose(gradients[name], want, atol=1e-9, err_msg=name)
    want = measured(lambda: (layer(known, lengths) * d_pooled).sum(), known)
    np.testing.assert_allclose(d_x, want, atol=1e-9)


@TWINS
@given(
    scores=arrays(np.float64, (3, 4), elements=st.one_of(st.floats(-8e307, 8e307), st.sampled_from([-np.inf, np.inf]))),
    lengths=st.lists(st.integers(1, 4), min_size=3, max_size=3),
)
def test_no_score_is_too_large_for_attention(twin, scores, lengths):
    given_scores = torch.tensor(scores) if twin is in_torch else scores
    weights = np.asarray(twin.attention_weights(given_scores, lengths))
    for w, s, n in zip(weights, scores, lengths, strict=True):
        assert not np.isnan(w).any() and (w >= 0).all() and (w[n:] == 0).all() and abs(w.sum() - 1) < 1e-12
        if (s[:n] == s[0]).all():
            np.testing.assert_allclose(w[:n], 1 / n)
        assert w[:n][s[:n] == s[:n].max()].min() >= w.max() - 1e-12  # the largest score has the largest weight
        if np.isfinite(s[:n]).any():
            assert (w[:n][s[:n] == -np.inf] == 0).all()


@TWINS
@pytest.mark.parametrize("kind", ["additive", "dot"])
def test_equal_scores_give_the_mean(twin, kind):
    x, _, lengths, _ = draw(5, 6, 4, 0)
    pool = twin.AttentionPool(4, kind=kind, heads=2, rng=0, dtype="float64")
    zeros = {name: np.zeros(value.shape) for name, value in pool.state_dict().items()}
    pool.load_state_dict({name: torch.tensor(value) if twin is in_torch else value for name, value in zeros.items()})
    x = torch.tensor(x) if twin is in_torch else x
    pooled = pool(x, lengths)
    np.testing.assert_allclose(
        np.asarray(pooled.detach() if twin is in_torch else pooled), np.asarray(twin.mean_pool(x, lengths)), rtol=1e-12
    )


@TWINS
def test_a_length_of_one_is_its_only_step(twin):
    x, weights, _, _ = draw(4, 5, 4, 0)
    x[:, 0], x[:, 1:] = np.arange(16).reshape(4, 4), np.nan
    for pool in POOLS:
        np.testing.assert_array_equal(run(twin, pool, x, weights, [1] * 4), x[:, 0])
    pooled = twin.AttentionPool(4, rng=0, dtype="float64")(torch.tensor(x) if twin is in_torch else x, [1] * 4)
    np.testing.assert_array_equal(np.asarray(pooled.detach() if twin is in_torch else pooled), x[:, 0])


def test_steps_that_tie_for_the_maximum_share_its_gradient():
    x = np.array([[[1.0], [4.0], [4.0], [4.0], [4.0]]])
    (d_x,) = backward("max", np.array([[6.0]]), x, None, [4])  # the fifth is padding: it wins nothing
    np.testing.assert_array_equal(d_x[0, :, 0], [0, 2, 2, 2, 0])
    np.testing.assert_array_equal(autograd("max", np.array([[6.0]]), x, None, [4])[0], d_x)
    leaf = torch.tensor(x, requires_grad=True)
    leaf.max(dim=1).values.sum().backward()
    assert sorted(leaf.grad.flatten().tolist()) == [0, 0, 0, 0, 1]  # torch.max has another rule: one takes all


def test_pools_over_all_steps_are_the_adaptive_pools_of_torch_after_a_permute():
    x = np.random.default_rng(0).standard_normal((100, 1000, 32)).astype(np.float32)
    time_last = torch.tensor(x).permute(0, 2, 1)  # what torch's one-dimensional pools ask for: (B, D, T)
    for name, layer in (("max", torch.nn.AdaptiveMaxPool1d(1)), ("mean", torch.nn.AdaptiveAvgPool1d(1))):
        want = layer(time_last).squeeze(-1)
        for twin in (in_numpy, in_torch):
            got = run(twin, name, x, None, None)
            assert got.shape == (100, 32) and got.dtype == np.float32
            np.testing.assert_allclose(got, want, rtol=0, atol=0 if name == "max" else 1e-6)  # means of about 0.03


def test_not_a_number_in_a_valid_step_comes_through():
    x = np.zeros((1, 3, 2))
    x[0, 1, 0] = np.nan
    for twin in (in_numpy, in_torch):
        for pool in ("max", "mean", "weighted"):
            pooled = run(twin, pool, x, np.ones((1, 3)), [2])
            assert np.isnan(pooled[0, 0]) and pooled[0, 1] == 0, (twin.__name__, pool)


# Weights


@TWINS
def test_weight_makers(twin):
    weights = np.asarray(twin.decay_weights(7, half_life=2))
    np.testing.assert_allclose(weights[2:] / weights[:-2], 2)
    assert weights[-1] == 1 and np.asarray(twin.position_weights(7)).tolist() == (np.arange(1, 8) / 7).tolist()
    np.testing.assert_array_equal(twin.decay_weights(7, half_life=np.inf), np.ones(7))
    x, _, lengths, _ = draw(3, 6, 2, 0)
    arrays_of = {False: in_numpy.decay_weights(6, 1.5), True: in_numpy.decay_weights(9, 1.5)}
    wide = np.pad(x, ((0, 0), (0, 3), (0, 0)))
    pooled = [run(twin, "weighted", wide if w else x, arrays_of[w], lengths) for w in (False, True)]
    np.testing.assert_allclose(*pooled, rtol=1e-12)  # only ratios count, so more padding moves no weight


@TWINS
@pytest.mark.parametrize("scale", [1e-320, 1e-30, 1e307])  # of the last no two weights have a sum
def test_the_scale_of_the_weights_does_not_matter(twin, scale):
    x, weights, lengths, _ = draw(3, 5, 2, 0)
    weights = np.round(weights * 4) + 8  # 10 to 16
    np.testing.assert_allclose(
        run(twin, "weighted", x, weights * scale, lengths), run(twin, "weighted", x, weights, lengths), rtol=1e-3
    )


@TWINS
def test_weights_may_be_a_list_of_integers_and_equal_ones_are_the_mean(twin):
    x, _, lengths, _ = draw(3, 4, 2, 0)
    x = torch.tensor(x) if twin is in_torch else x
    np.testing.assert_allclose(
        np.asarray(twin.weighted_pool(x, [3, 3, 3, 3], lengths)), np.asarray(twin.mean_pool(x, lengths)), rtol=1e-14
    )


# In a network


def double_last(T):
    """Weights of one's own: the last step counts twice."""
    return np.where(np.arange(T) == T - 1, 2.0, 1.0)


WAYS = ["last", "max", "mean", "attention", double_last, partial(in_numpy.decay_weights, half_life=3)]


@pytest.mark.parametrize("pooling", WAYS, ids=lambda way: getattr(way, "__name__", str(way)[:9]))
@settings(max_examples=12)
@given(B=size, T=size, layers=st.integers(1, 2), bidirectional=st.booleans(), tokens=st.booleans(), seed=size)
def test_many_to_one_pools_alike_on_both_twins(pooling, B, T, layers, bidirectional, tokens, seed):
    options = dict(num_layers=layers, bidirectional=bidirectional, embedding=3 if tokens else None, dtype="float64")
    ours = in_numpy.ManyToOne(3, 4, 2, pooling, rng=seed, **options)
    theirs = in_torch.ManyToOne(3, 4, 2, pooling, **options)
    theirs.load_state_dict({key: torch.tensor(value) for key, value in ours.state_dict().items()})
    x, _, lengths, _ = draw(B, T, 3, seed, spread=0.01)
    d_scores = np.random.default_rng(seed).standard_normal((B, 2))
    if tokens:
        x = np.nan_to_num(100 * x[..., 0], nan=50).astype(int) % 3
        x[np.arange(T) >= lengths[:, None]] = 99
    leaf = torch.tensor(x, requires_grad=not tokens)
    scores, theirs_scores = ours(x, lengths), theirs(leaf, lengths)
    np.testing.assert_allclose(scores, theirs_scores.detach(), atol=1e-11)
    np.testing.assert_array_equal(ours(x, lengths, keep_cache=False), scores)
    with pytest.raises(RuntimeError):
        ours.backward(d_scores)
    ours(x, lengths)
    d_x = ours.backward(d_scores)
    (theirs_scores * torch.tensor(d_scores)).sum().backward()
    for name, parameter in theirs.named_parameters():
        np.testing.assert_allclose(ours.gradients[name], parameter.grad, atol=1e-9, err_msg=name)
    if not tokens:
        np.testing.assert_allclose(d_x, leaf.grad, atol=1e-9)
        assert not d_x[np.arange(T) >= lengths[:, None]].any()
    wide = np.pad(x, ((0, 0), (0, 7)) + ((0, 0),) * (x.ndim - 2), constant_values=1)
    if pooling is not double_last:  # it counts from the end of the padding, as it was told to
        np.testing.assert_allclose(ours(wide, lengths), scores, atol=1e-12)


@TWINS
def test_many_to_one_takes_an_attention_pool_of_ones_own(twin):
    pool = twin.AttentionPool(8, kind="dot", heads=4, rng=0)
    model = twin.ManyToOne(3, 4, 2, pool, bidirectional=True, rng=0)
    assert model.pool is pool and model.pooling == "attention"
    assert [name for name in model.state_dict() if "pool" in name] == ["pool.query"]
    x = np.ones((5, 6, 3), np.float32)
    assert model(torch.tensor(x) if twin is in_torch else x, [1, 2, 3, 4, 5]).shape == (5, 2)
    with pytest.raises(ValueError, match="pooling must have input_size 4, got 8"):
        twin.ManyToOne(3, 4, 2, twin.AttentionPool(8))


def test_pooling_draws_nothing_from_the_generator_that_the_last_step_did_not():
    for twin in (in_numpy, in_torch):
        last, other = (twin.ManyToOne(3, 4, 2, pooling, rng=0).state_dict() for pooling in ("last", "attention"))
        assert all(np.array_equal(value, other[name]) for name, value in last.items())


def test_an_empty_batch_gives_an_empty_result():
    x = np.zeros((0, 5, 4), np.float32)
    for twin in (in_numpy, in_torch):
        for pool in POOLS:
            assert run(twin, pool, x, np.ones(5), []).shape == (0, 4)
        given_x = torch.tensor(x) if twin is in_torch else x
        assert twin.AttentionPool(4, rng=0)(given_x, []).shape == (0, 4)


# What is refused

X = np.zeros((2, 3, 4), np.float32)
ONES = np.ones((2, 3))


def negative_at(t):
    return np.where(np.arange(3) == t, -1.0, 1.0)


REFUSED = [
    (lambda t, a: t.max_pool(a(X[0])), ValueError, "x must have shape (B, T, D), got (3, 4)"),
    (lambda t, a: t.mean_pool(a(X.astype(int))), TypeError, "x must hold floating-point numbers, got int64"),
    (lambda t, a: t.last_pool(a(X[:, :0])), ValueError, "x must have at least one step, got shape (2, 0, 4)"),
    *[
        (partial(lambda f, w, n, t, a: getattr(t, f)(a(X), *w, lengths=n), name, more, lengths), ValueError, message)
        for name, more in (("last_pool", ()), ("max_pool", ()), ("mean_pool", ()), ("weighted_pool", (ONES,)))
        for lengths, message in (
            ([0, 1], "lengths must lie between 1 and T = 3, got 0 at position 0"),
            ([1, 4], "lengths must lie between 1 and T = 3, got 4 at position 1"),
            ([1, 2, 3], "lengths must have shape (B,) with B = 2, got (3,)"),
        )
    ],
    (
        lambda t, a: t.weighted_pool(a(X), a(negative_at(1))),
        ValueError,
        "not negative, got -1.0 at step 1 of sequence 0",
    ),
    (lambda t, a: t.weighted_pool(a(X), a(ONES * np.nan)), ValueError, "weights must be finite and not negative, got"),
    (lambda t, a: t.weighted_pool(a(X), a(ONES * np.inf)), ValueError, "weights must be finite and not negative, got"),
    (lambda t, a: t.weighted_pool(a(X), a(np.eye(3)[2]), lengths=[3, 2]), ValueError, "got only zeros for sequence 1"),
    (lambda t, a: t.weighted_pool(a(X), a(np.ones(4))), ValueError, "weights must have shape (3,) or (2, 3), got (4,)"),
    (lambda t, a: t.weighted_pool(a(X), a(np.ones((3, 2)))), ValueError, "weights must have shape (3,) or (2, 3)"),
    (lambda t, a: t.decay_weights(3, 0), ValueError, "half_life must be above 0, got 0"),
    (lambda t, a: t.decay_weights(3, -1.0), ValueError, "half_life must be a number from 0 to inf, got -1.0"),
    (lambda t, a: t.decay_weights(3, np.nan), ValueError, "half_life must be a number from 0 to inf, got nan"),
    (lambda t, a: t.decay_weights(0, 1), ValueError, "T must be an integer >= 1, got 0"),
    (lambda t, a: t.position_weights(0), ValueError, "T must be an integer >= 1, got 0"),
    (lambda t, a: t.AttentionPool(4, kind="cosine"), ValueError, "kind must be one of 'additive', 'dot', got 'cosine'"),
    (lambda t, a: t.AttentionPool(4, heads=3), ValueError, "heads must divide input_size = 4, got 3"),
    (lambda t, a: t.AttentionPool(4, heads=0), ValueError, "heads must be an integer >= 1, got 0"),
    (lambda t, a: t.AttentionPool(0), ValueError, "input_size must be an integer >= 1, got 0"),
    (lambda t, a: t.AttentionPool(5)(a(X)), ValueError, "x must have shape (B, T, 5), got (2, 3, 4)"),
    (lambda t, a: t.AttentionPool(4)(a(X), [0, 1]), ValueError, "lengths must lie between 1 and T = 3, got 0"),
    (lambda t, a: t.attention_weights(a(np.zeros(3))), ValueError, "scores must have shape (B, T), got (3,)"),
    (lambda t, a: t.attention_weights(a(np.zeros((2, 3))), [4, 1]), ValueError, "lengths must lie between 1 and T = 3"),
]


@TWINS
@pytest.mark.parametrize("call, error, message", REFUSED)
def test_bad_input_is_refused(twin, call, error, message):
    with pytest.raises(error, match=re.escape(message)):
        call(twin, torch.tensor if twin is in_torch else np.asarray)


def test_a_negative_weight_in_the_padding_is_none():
    for twin in (in_numpy, in_torch):
        assert run(twin, "weighted", X, negative_at(2), [2, 1]).shape == (2, 4)


def test_the_backward_of_a_pool_wants_the_gradient_of_its_result():
    for pool in POOLS:
        with pytest.raises(ValueError, match=re.escape("d_pooled must have shape (2, 4), got (2, 3)")):
            backward(pool, np.zeros((2, 3)), X, ONES, None)
    layer = in_numpy.AttentionPool(4, rng=0)
    with pytest.raises(RuntimeError, match="backward needs a forward"):
        layer.backward(np.zeros((2, 4)))
    layer(X)
    with pytest.raises(ValueError, match=re.escape("d_pooled must have shape (2, 4), got (4, 2)")):
        layer.backward(np.zeros((4, 2)))
    layer.backward(np.zeros((2, 4)))
    with pytest.raises(RuntimeError, match="only one backward for each"):
        layer.backward(np.zeros((2, 4)))


@pytest.mark.parametrize("T", [99, 100, 101, 149, 150, 199, 250])
def test_the_maximum_may_stand_at_any_of_many_steps(T):
    x = np.zeros((T, T, 2))
    x[np.arange(T), np.arange(T), 1] = 1  # in sequence b at step b
    np.testing.assert_array_equal(in_numpy.max_pool(x), np.tile([0.0, 1.0], (T, 1)))
