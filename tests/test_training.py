"""What stands around the LSTM: linear layer, embedding, losses, clipping, Adam, and the loop that fits."""

from importlib import import_module

import numpy as np
import pytest
import torch

from lstm_tutorial import in_numpy, in_torch
from lstm_tutorial.data import tasks


@pytest.mark.parametrize("batch", [(), (4,), (4, 7)])
def test_linear_equals_torch(batch):
    ours, theirs = in_numpy.Linear(3, 2, rng=0, dtype="float64"), torch.nn.Linear(3, 2, dtype=torch.float64)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    ours.load_state_dict(theirs.state_dict())
    rng = np.random.default_rng(0)
    x, d_y = rng.standard_normal((*batch, 3)), rng.standard_normal((*batch, 2))
    leaf = torch.tensor(x, requires_grad=True)
    want = theirs(leaf)
    np.testing.assert_allclose(ours(x), want.detach(), atol=1e-14)
    want.backward(torch.tensor(d_y))
    np.testing.assert_allclose(ours.backward(d_y), leaf.grad, atol=1e-13)
    for name, parameter in theirs.named_parameters():
        np.testing.assert_allclose(ours.gradients[name], parameter.grad, atol=1e-12)


def test_embedding_equals_torch_and_a_repeated_token_collects_both_gradients():
    ours, theirs = in_numpy.Embedding(6, 3, rng=0, dtype="float64"), torch.nn.Embedding(6, 3, dtype=torch.float64)
    ours.load_state_dict(theirs.state_dict())
    tokens, d_y = np.array([[1, 5, 1], [0, 1, 2]]), np.random.default_rng(0).standard_normal((2, 3, 3))
    want = theirs(torch.tensor(tokens))
    np.testing.assert_array_equal(ours(tokens), want.detach())
    want.backward(torch.tensor(d_y))
    assert ours.backward(d_y) is None
    np.testing.assert_allclose(ours.gradients["weight"], theirs.weight.grad, atol=1e-14)


def test_initial_values_have_the_range_of_torch():
    weight = in_numpy.Linear(100, 50, rng=0).state_dict()["weight"]
    assert 0.099 < np.abs(weight).max() <= 0.1 and abs(weight.mean()) < 0.005
    vectors = in_numpy.Embedding(100, 50, rng=0).state_dict()["weight"]
    assert abs(vectors.std() - 1) < 0.05 and vectors.dtype == np.float32


def test_losses_equal_torch_and_their_gradients_too():
    rng = np.random.default_rng(0)
    prediction, target = rng.standard_normal((2, 4, 5))
    leaf = torch.tensor(prediction, requires_grad=True)
    in_torch.mse_loss(leaf, torch.tensor(target)).backward()
    loss, d_prediction = in_numpy.mse_loss(prediction, target)
    assert abs(loss - ((prediction - target) ** 2).mean()) < 1e-14
    np.testing.assert_allclose(d_prediction, leaf.grad, atol=1e-14)

    logits, classes = 30 * rng.standard_normal((4, 7, 5)), rng.integers(0, 5, (4, 7))
    classes[1, 3:] = classes[2, 0] = -100
    leaf = torch.tensor(logits, requires_grad=True)
    want = in_torch.cross_entropy(leaf, torch.tensor(classes))
    want.backward()
    loss, d_logits = in_numpy.cross_entropy(logits, classes)
    assert abs(loss - want.item()) < 1e-12
    np.testing.assert_allclose(d_logits, leaf.grad, atol=1e-14)
    assert (d_logits[1, 3:] == 0).all()
    other = in_numpy.cross_entropy(logits, np.where(classes == -100, 9, classes), ignore_index=9)
    assert other[0] == loss


def test_quantile_loss_equals_its_twin_and_its_gradient_the_slope():
    rng, quantiles = np.random.default_rng(0), (0.1, 0.5, 0.9)
    target = rng.standard_normal((4, 5))
    prediction = target[..., None] + rng.standard_normal((4, 5, 3))
    leaf = torch.tensor(prediction, requires_grad=True)
    want = in_torch.quantile_loss(leaf, torch.tensor(target), quantiles)
    want.backward()
    loss, d_prediction = in_numpy.quantile_loss(prediction, target, quantiles)
    assert abs(loss - want.item()) < 1e-14 and d_prediction.shape == prediction.shape
    np.testing.assert_allclose(d_prediction, leaf.grad, atol=1e-15)
    direction, step = rng.standard_normal(prediction.shape), 1e-7
    ends = (in_numpy.quantile_loss(prediction + s * step * direction, target, quantiles)[0] for s in (1, -1))
    assert abs(np.subtract(*ends) / (2 * step) - np.vdot(direction, d_prediction)) < 1e-8
    from sklearn.metrics import mean_pinball_loss

    parts = [mean_pinball_loss(target, prediction[..., k], alpha=q) for k, q in enumerate(quantiles)]
    assert abs(loss - np.mean(parts)) < 1e-14
    exact = np.repeat(target[..., None], 3, axis=-1)  # where a prediction is right both twins take the slope -q
    leaf = torch.tensor(exact, requires_grad=True)
    in_torch.quantile_loss(leaf, torch.tensor(target), quantiles).backward()
    np.testing.assert_allclose(in_numpy.quantile_loss(exact, target, quantiles)[1], leaf.grad)


def test_the_quantile_loss_is_lowest_at_the_quantile():
    y, levels = np.random.default_rng(1).exponential(size=999), np.array([0.1, 0.5, 0.9])
    best = np.quantile(y, levels)
    losses = [in_numpy.quantile_loss(np.tile(best + shift, (999, 1)), y, levels)[0] for shift in (-0.02, 0, 0.02)]
    assert losses[1] < min(losses[0], losses[2])
    gradient = in_numpy.quantile_loss(np.tile(best, (999, 1)), y, levels)[1].sum(axis=0)
    np.testing.assert_allclose(gradient, 0, atol=1e-3)  # as many targets below as q says


@pytest.mark.parametrize("quantiles", [0.5, [], [0.1, 1], [0, 0.5], [10, 90], "ab", None])
def test_quantiles_that_cannot_be_are_refused_by_both_twins(quantiles):
    x, y = np.zeros((4, 2)), np.zeros(4)
    for call in (
        lambda: in_numpy.quantile_loss(x, y, quantiles),
        lambda: in_torch.quantile_loss(torch.tensor(x), torch.tensor(y), quantiles),
    ):
        with pytest.raises(ValueError, match="quantiles must be one or more numbers between 0 and 1, got"):
            call()


def test_predicted_quantiles_must_be_as_many_as_are_asked_for():
    for call in (
        lambda: in_numpy.quantile_loss(np.zeros((4, 3)), np.zeros(4), [0.1, 0.9]),
        lambda: in_torch.quantile_loss(torch.zeros(4, 3), torch.zeros(4), torch.tensor([0.1, 0.9])),
    ):
        with pytest.raises(ValueError, match=r"prediction must have shape \(4, 2\), got \(4, 3\)"):
            call()


def test_losses_refuse_what_does_not_fit():
    with pytest.raises(ValueError, match=r"target must have shape \(4, 1\), got \(4,\)"):
        in_numpy.mse_loss(np.zeros((4, 1)), np.zeros(4))
    with pytest.raises(ValueError, match=r"target must have shape \(4,\), got \(4, 5\)"):
        in_numpy.cross_entropy(np.zeros((4, 5)), np.zeros((4, 5), int))
    for target in (np.array([0, 5]), np.array([0, -1]), np.array([0.0, 1.0])):
        with pytest.raises(ValueError, match="target must hold classes from 0 to 4 or -100"):
            in_numpy.cross_entropy(np.zeros((2, 5)), target)


@pytest.mark.parametrize("max_norm", [0.5, 1e6])
def test_clipping_equals_torch(max_norm):
    rng = np.random.default_rng(0)
    gradients = {"a": rng.standard_normal((3, 4)), "b": rng.standard_normal(5)}
    leaves = [torch.nn.Parameter(torch.zeros(each.shape, dtype=torch.float64)) for each in gradients.values()]
    for leaf, value in zip(leaves, gradients.values(), strict=True):
        leaf.grad = torch.tensor(value)
    want = in_torch.clip_gradients(leaves, max_norm)
    np.testing.assert_allclose(in_numpy.clip_gradients(gradients, max_norm), want, rtol=1e-12)
    for leaf, value in zip(leaves, gradients.values(), strict=True):
        np.testing.assert_allclose(value, leaf.grad, rtol=1e-5)  # torch adds 1e-6 to the norm before it divides
    with pytest.raises(ValueError, match="max_norm must be a number from 0 to inf, got -1"):
        in_numpy.clip_gradients(gradients, -1)


def test_clipping_is_exact_where_torch_adds_a_millionth():
    ours, leaf = {"a": np.array([2e-6])}, torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
    leaf.grad = torch.tensor([2e-6], dtype=torch.float64)
    in_numpy.clip_gradients(ours, 1e-6)
    in_torch.clip_gradients([leaf], 1e-6)
    np.testing.assert_allclose(ours["a"], [1e-6])
    np.testing.assert_allclose(leaf.grad, [2e-6 / 3])


def test_adam_equals_torch_over_many_steps():
    rng = np.random.default_rng(0)
    value = rng.standard_normal((3, 4))
    leaf = torch.nn.Parameter(torch.tensor(value))
    ours = in_numpy.Adam({"weight": value}, lr=0.03, betas=(0.8, 0.95), eps=1e-6)
    theirs = in_torch.Adam([leaf], lr=0.03, betas=(0.8, 0.95), eps=1e-6)
    for _ in range(20):
        d = rng.standard_normal((3, 4))
        leaf.grad = torch.tensor(d)
        ours.step({"weight": d})
        theirs.step()
        np.testing.assert_allclose(value, leaf.detach(), atol=1e-12)


class NumpyAdder(in_numpy.Layer):
    def __init__(self):
        super().__init__()
        self.lstm = in_numpy.LSTM(2, 6, batch_first=True, rng=0, dtype="float64")
        self.head = in_numpy.Linear(6, 1, rng=1, dtype="float64")

    def __call__(self, x, lengths):
        return self.head(self.lstm(x, lengths=lengths)[1][0][-1])

    def backward(self, d_y):
        self.lstm.backward(None, (self.head.backward(d_y)[None], None))


class TorchAdder(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = in_torch.LSTM(2, 6, batch_first=True, dtype="float64")
        self.head = torch.nn.Linear(6, 1, dtype=torch.float64)

    def forward(self, x, lengths):
        return self.head(self.lstm(x, lengths=lengths)[1][0][-1])


def batches(n, T=12):
    for seed in range(n):
        x, lengths, y = tasks.adding_problem(8, T, min_length=4, rng=seed)
        yield x.astype(np.float64), lengths, y.astype(np.float64)


def test_both_twins_train_alike():
    ours, theirs = NumpyAdder(), TorchAdder()
    assert list(ours.parameters) == [name for name, _ in theirs.named_parameters()]
    theirs.load_state_dict({name: torch.tensor(value) for name, value in ours.state_dict().items()})
    one = in_numpy.fit(ours, batches(40), in_numpy.mse_loss, in_numpy.Adam(ours.parameters, 0.01), progress=False)
    adam = in_torch.Adam(theirs.parameters(), 0.01)
    two = in_torch.fit(theirs, batches(40), in_torch.mse_loss, adam, progress=False)
    np.testing.assert_allclose(one, two, rtol=1e-4)  # torch's clipping divides by the norm plus 1e-6
    assert one[-1] < 0.5 * one[0]
    assert list(ours.gradients) == list(ours.parameters)


def test_clip_norm_none_leaves_the_gradients():
    ours, free = NumpyAdder(), NumpyAdder()
    for network, clip in ((ours, 1e-3), (free, None)):
        adam = in_numpy.Adam(network.parameters, 0.01)
        in_numpy.fit(network, batches(1), in_numpy.mse_loss, adam, clip_norm=clip, progress=False)
    norms = [np.sqrt(sum(np.vdot(d, d) for d in network.gradients.values())) for network in (ours, free)]
    assert abs(norms[0] - 1e-3) < 1e-9 and norms[1] > 1e-2


@pytest.mark.parametrize("twin", [in_numpy, in_torch])
def test_a_bar_shows_progress_and_goes_away_unless_it_is_not_wanted(twin, monkeypatch):
    training, bars = import_module(f"{twin.__name__}.training"), []

    def bar(each, **options):
        bars.append(options)
        return each

    monkeypatch.setattr(training, "tqdm", bar)
    network = NumpyAdder() if twin is in_numpy else TorchAdder()
    adam = twin.Adam(network.parameters if twin is in_numpy else network.parameters(), 0.01)
    for progress in (True, False):
        twin.fit(network, batches(2), twin.mse_loss, adam, progress=progress)
    assert bars == [{"leave": False}]


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_training_stops_with_a_word_when_a_loss_is_not_finite(value):
    def spoil(n):
        for k, (x, lengths, y) in enumerate(batches(n)):
            yield x, lengths, np.full_like(y, value) if k == 2 else y

    ours, theirs = NumpyAdder(), TorchAdder()
    runs = [
        (in_numpy, ours, in_numpy.Adam(ours.parameters)),
        (in_torch, theirs, in_torch.Adam(theirs.parameters())),
    ]
    for twin, network, adam in runs:
        with pytest.raises(FloatingPointError, match="the loss must stay finite, got .* at update 2"):
            twin.fit(network, spoil(5), twin.mse_loss, adam, progress=False)
        for each in network.state_dict().values():
            assert np.isfinite(np.asarray(each)).all()


def test_training_stops_when_a_gradient_is_not_finite():
    ours, theirs = NumpyAdder(), TorchAdder()
    before = ours.state_dict()

    def steep(prediction, target):
        return 1.0, np.full_like(prediction, np.nan)

    with pytest.raises(FloatingPointError, match="the gradients must stay finite, got a norm of nan at update 0"):
        in_numpy.fit(ours, batches(1), steep, in_numpy.Adam(ours.parameters), progress=False)
    for name, value in ours.state_dict().items():
        np.testing.assert_array_equal(value, before[name])

    def cliff(prediction, target):
        return torch.sqrt(prediction - prediction).sum()

    with pytest.raises(FloatingPointError, match="the gradients must stay finite, got a norm of nan at update 0"):
        in_torch.fit(theirs, batches(1), cliff, in_torch.Adam(theirs.parameters()), progress=False)


def test_layers_inside_layers_share_the_switch_and_the_arrays():
    network = NumpyAdder()
    assert network.eval() is network and not network.lstm.training and not network.head.training
    assert network.train().lstm.training
    network.parameters["head.bias"][:] = 5
    assert network.head.state_dict()["bias"] == 5
    network.load_state_dict({name: 0 * value for name, value in network.state_dict().items()})
    assert not network.lstm.parameters["weight_ih_l0"].any()


def test_the_plain_rnn_keeps_the_same_rules():
    network, x = in_numpy.RNN(2, 3, rng=0), np.ones((5, 4, 2))
    with pytest.raises(RuntimeError, match="backward needs a forward"):
        network.backward()
    output, _ = network(x)
    output[:] = 9
    with pytest.raises(ValueError, match=r"d_output must have shape \(5, 4, 3\), got \(5, 3\)"):
        network.backward(np.ones((5, 3)))
    with pytest.raises(ValueError, match=r"d_h_n must have shape \(1, 4, 3\), got \(4, 3\)"):
        network.backward(None, np.ones((4, 3)))
    d_x, d_h_0 = network.backward()
    assert not d_x.any() and not d_h_0.any()
    network(x, keep_cache=False)
    with pytest.raises(RuntimeError, match="backward needs a forward"):
        network.backward()
