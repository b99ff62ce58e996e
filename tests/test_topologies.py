"""Each topology on both twins and on torch's own network; padding that changes nothing; generation; beam search."""

import itertools
import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_tutorial import in_numpy, in_torch

size = st.integers(1, 4)


def pair(name, *sizes, **options):
    """Return a NumPy network in float64 and its torch twin with the same parameters."""
    ours = getattr(in_numpy, name)(*sizes, rng=0, dtype="float64", **options)
    theirs = getattr(in_torch, name)(*sizes, dtype="float64", **options)
    assert set(ours.parameters) == {parameter for parameter, _ in theirs.named_parameters()}
    theirs.load_state_dict({key: torch.tensor(value) for key, value in ours.state_dict().items()})
    return ours, theirs


def assert_same_gradients(ours, theirs, d_x=None, leaf=None):
    for name, parameter in theirs.named_parameters():
        np.testing.assert_allclose(ours.gradients[name], parameter.grad, atol=1e-9, err_msg=name)
    if leaf is not None:
        np.testing.assert_allclose(d_x, leaf.grad, atol=1e-9)


def draw(rng, B, T, ragged, tokens=None, D=None):
    """Return x, features or tokens with rubbish in the padding, and lengths."""
    lengths = rng.integers(1, T + 1, B) if ragged else None
    x = rng.integers(0, tokens, (B, T)) if tokens else rng.standard_normal((B, T, D))
    for b, length in enumerate([] if lengths is None else lengths):
        x[b, length:] = 10**6 if tokens else np.nan
    return x, lengths


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(["ManyToOne", "ManyToMany"]), size, size, st.booleans(), st.booleans(), st.booleans(), size)
def test_readers_equal_their_twins_and_torch(name, B, T, ragged, tokens, bidirectional, layers):
    rng, (D, H, K) = np.random.default_rng(B + 10 * T), (3, 4, 5)
    options = {"num_layers": layers, "bidirectional": bidirectional, "embedding": 2 if tokens else None}
    ours, theirs = pair(name, D, H, K, **options)
    x, lengths = draw(rng, B, T, ragged, tokens=D if tokens else None, D=D)
    scores = ours(x, lengths)
    assert scores.shape == ((B, K) if name == "ManyToOne" else (B, T, K))
    leaf = torch.tensor(x, requires_grad=not tokens)
    twin_scores = theirs(leaf, lengths)
    np.testing.assert_allclose(scores, twin_scores.detach(), atol=1e-9)
    d_scores = rng.standard_normal(scores.shape)
    d_x = ours.backward(d_scores)
    (twin_scores * torch.tensor(d_scores)).sum().backward()
    assert_same_gradients(ours, theirs, d_x, None if tokens else leaf)

    own = torch.nn.LSTM(2 if tokens else D, H, layers, bidirectional=bidirectional, dtype=torch.float64)
    built = getattr(in_torch, name)(D, H, K, embedding=options["embedding"], lstm=own)
    built.load_state_dict(theirs.state_dict())
    clean = x if tokens else np.nan_to_num(x)
    np.testing.assert_allclose(scores, built(torch.tensor(clean), lengths).detach(), atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(["state", "input"]), size, size, st.booleans(), st.booleans(), st.integers(1, 3))
def test_writers_equal_their_twins_and_torch(condition, B, T, ragged, tokens, layers):
    rng, (D, H, K) = np.random.default_rng(B + 10 * T), (3, 4, 5)
    options = {"condition": condition, "embedding": 2 if tokens else None}
    ours, theirs = pair("OneToMany", D, H, K, num_layers=layers, **options)
    targets, lengths = draw(rng, B, T, ragged, tokens=K if tokens else None, D=K)
    x = rng.standard_normal((B, D))
    leaf = torch.tensor(x, requires_grad=True)
    scores, twin_scores = (
        ours(x, targets=targets, lengths=lengths),
        theirs(leaf, targets=torch.tensor(targets), lengths=lengths),
    )
    np.testing.assert_allclose(scores, twin_scores.detach(), atol=1e-9)
    d_scores = rng.standard_normal(scores.shape)
    d_x = ours.backward(d_scores)
    (twin_scores * torch.tensor(d_scores)).sum().backward()
    assert_same_gradients(ours, theirs, d_x, leaf)

    fed = (2 if tokens else K) + (D if condition == "input" else 0)
    own = torch.nn.LSTM(fed, H, layers, batch_first=True, dtype=torch.float64)
    built = in_torch.OneToMany(D, H, K, lstm=own, **options)
    built.load_state_dict(theirs.state_dict())
    for steps in (1, 4):
        written = ours(x, steps)
        np.testing.assert_allclose(written, theirs(torch.tensor(x), steps).detach(), atol=1e-9)
        np.testing.assert_allclose(written, built(torch.tensor(x), steps).detach(), atol=1e-9)
        assert written.shape == (B, steps, K)


@pytest.mark.parametrize("twin", [in_numpy, in_torch])
def test_the_shapes_of_the_three_topologies(twin):
    array = np.zeros if twin is in_numpy else torch.zeros
    assert tuple(twin.ManyToOne(10, 8, 2, rng=0)(array((4, 7, 10))).shape) == (4, 2)
    assert tuple(twin.ManyToMany(10, 8, 5, rng=0)(array((4, 7, 10))).shape) == (4, 7, 5)
    assert tuple(twin.OneToMany(10, 8, 2, rng=0)(array((4, 10)), 6).shape) == (4, 6, 2)


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(["ManyToOne", "ManyToMany"]), st.integers(0, 5), st.booleans(), st.integers(0, 2**31))
def test_more_padding_changes_no_output_and_no_gradient(name, more, bidirectional, seed):
    rng = np.random.default_rng(seed)
    networks = pair(name, 3, 4, 2, bidirectional=bidirectional, num_layers=2)
    x, lengths = draw(rng, 3, 4, True, D=3)
    wide = np.concatenate([x, np.full((3, more, 3), 1e9)], axis=1)
    d = rng.standard_normal((3, 2) if name == "ManyToOne" else (3, 4, 2))
    d_wide = d if name == "ManyToOne" else np.concatenate([d, np.full((3, more, 2), np.nan)], axis=1)
    found = []
    for values, above in ((x, d), (wide, d_wide)):
        scores = networks[0](values, lengths)
        d_x = networks[0].backward(above)
        twin_scores = networks[1](torch.tensor(values), lengths)
        np.testing.assert_allclose(scores, twin_scores.detach(), atol=1e-12)
        valid = np.arange(values.shape[1]) < lengths[:, None]
        assert (d_x[~valid] == 0).all()
        if name == "ManyToMany":
            assert (scores[~valid] == 0).all() and (twin_scores[~torch.tensor(valid)] == 0).all()
            scores = scores[:, :4]
        found.append([scores, d_x[:, :4], *networks[0].gradients.values()])
    for one, two in zip(*found, strict=True):
        np.testing.assert_allclose(one, two, atol=1e-12)


@settings(max_examples=20, deadline=None)
@given(st.sampled_from(["state", "input"]), st.integers(1, 5), st.booleans(), st.integers(0, 2**31))
def test_more_padding_behind_the_targets_changes_nothing(condition, more, tokens, seed):
    rng = np.random.default_rng(seed)
    networks = pair("OneToMany", 3, 4, 5, condition=condition, embedding=2 if tokens else None)
    targets, lengths = draw(rng, 3, 4, True, tokens=5 if tokens else None, D=5)
    wide = np.concatenate([targets, np.full((3, more, *targets.shape[2:]), -9)], axis=1)
    x, d = rng.standard_normal((3, 3)), rng.standard_normal((3, 4, 5))
    d_wide = np.concatenate([d, np.full((3, more, 5), np.nan)], axis=1)
    found = []
    for values, above in ((targets, d), (wide, d_wide)):
        scores = networks[0](x, targets=values, lengths=lengths)
        twin_scores = networks[1](torch.tensor(x), targets=torch.tensor(values), lengths=lengths)
        np.testing.assert_allclose(scores, twin_scores.detach(), atol=1e-12)
        assert (scores[np.arange(values.shape[1]) >= lengths[:, None]] == 0).all()
        found.append([scores[:, :4], networks[0].backward(above), *networks[0].gradients.values()])
    for one, two in zip(*found, strict=True):
        np.testing.assert_allclose(one, two, atol=1e-12)


@pytest.mark.parametrize("lstm", [in_torch.LSTM, torch.nn.LSTM])
def test_padding_of_the_source_gets_no_gradient_and_changes_none(lstm):
    targets, found = torch.tensor([[1, 2, 0], [3, 0, 0], [1, 1, 0]]), []
    for source in (SOURCE, torch.cat([SOURCE, torch.full((3, 2), 5)], dim=1)):
        model = in_torch.EncoderDecoder(6, 4, 5, stop=0, rng=0, dtype="float64", lstm=lstm)
        model(source, LENGTHS, targets).square().sum().backward()
        found.append([parameter.grad for parameter in model.parameters()])
    for one, two in zip(*found, strict=True):
        torch.testing.assert_close(one, two)


@pytest.mark.parametrize("condition", ["state", "input"])
@pytest.mark.parametrize("tokens", [False, True])
def test_free_running_feeds_back_its_own_output(condition, tokens):
    options = {"condition": condition, "embedding": 6 if tokens else None, "num_layers": 2}
    ours, theirs = pair("OneToMany", 3, 4, 5, **options)
    x = np.random.default_rng(0).standard_normal((4, 3))
    written = ours(x, steps=6)
    fed_back = written.argmax(axis=-1) if tokens else written
    np.testing.assert_allclose(ours(x, targets=fed_back), written, atol=1e-12)  # what it wrote, taught, is the same
    other = (fed_back + 1) % 5 if tokens else -fed_back
    assert np.abs(ours(x, targets=other)[:, 1:] - written[:, 1:]).max() > 1e-3
    np.testing.assert_allclose(ours(x, targets=other)[:, 0], written[:, 0], atol=1e-12)


@pytest.mark.parametrize("twin", [in_numpy, in_torch])
def test_generation_is_reproducible_greedy_at_zero_and_stops(twin):
    x = np.random.default_rng(0).standard_normal((50, 3)).astype(np.float32)
    x = x if twin is in_numpy else torch.tensor(x)
    model = twin.OneToMany(3, 8, 5, embedding=4, stop=2, rng=1)
    tokens, lengths = (np.asarray(each) for each in model.generate(x, 30, temperature=1.0, rng=3))
    again, _ = model.generate(x, 30, temperature=1.0, rng=3)
    np.testing.assert_array_equal(tokens, again)
    assert tokens.tolist() != model.generate(x, 30, temperature=1.0, rng=4)[0].tolist()
    assert len(set(lengths.tolist())) > 3
    for row, length in zip(tokens, lengths, strict=True):
        assert (row[:length] != 2).all() and (row[length:] == 2).all()
    greedy, _ = model.generate(x, 30)
    scores = model(x, 30)
    best = np.asarray(scores.argmax(-1))
    for row, want in zip(np.asarray(greedy), best, strict=True):
        length = list(row).index(2) if 2 in row else len(row)
        assert (row[: length + 1] == want[: length + 1]).all()
    free = twin.OneToMany(3, 8, 5, embedding=4, rng=1)
    tokens, lengths = free.generate(x, 7, temperature=0.5, rng=0)
    assert tuple(tokens.shape) == (50, 7) and (np.asarray(lengths) == 7).all()


@pytest.mark.parametrize("twin", [in_numpy, in_torch])
def test_temperature_follows_the_softmax_of_the_scores(twin):
    x = np.zeros((20_000, 3), np.float32)
    x = x if twin is in_numpy else torch.tensor(x)
    model = twin.OneToMany(3, 8, 5, embedding=4, rng=1)
    scores = np.asarray(model(x[:1], 1).tolist())[0, 0]
    for temperature in (0.5, 2.0):
        tokens, _ = model.generate(x, 1, temperature=temperature, rng=0)
        share = np.bincount(np.asarray(tokens)[:, 0], minlength=5) / 20_000
        np.testing.assert_allclose(share, in_numpy.softmax(scores / temperature), atol=0.015)  # sd at most 0.0036


V, S = np.zeros((2, 3), np.float32), np.zeros((2, 5, 3), np.float32)
POOLINGS = "pooling must be one of 'last', 'max', 'mean', 'attention', got 'median'"
REFUSED = [  # `t` is a twin, `a` makes its kind of array
    (lambda t, a: t.ManyToOne(3, 4, 2, "median"), ValueError, POOLINGS),
    (lambda t, a: t.ManyToOne(3, 0, 2), ValueError, "hidden_size must be an integer >= 1, got 0"),
    (lambda t, a: t.ManyToOne(3, 4, 2, embedding=0), ValueError, "embedding must be an integer >= 1, got 0"),
    (lambda t, a: t.ManyToOne(4, 4, 2)(a(S)), ValueError, "x must have shape (B, T, 4), got"),
    (lambda t, a: t.ManyToOne(3, 4, 2)(a(S.astype(int))), TypeError, "x must hold floating-point"),
    (lambda t, a: t.ManyToMany(3, 4, 2, embedding=2)(a(V.astype(int) + 3)), ValueError, "between 0 and 2, got 3"),
    (lambda t, a: t.ManyToMany(3, 4, 2, embedding=2)(a(V)), TypeError, "tokens must hold integers, got float32"),
    (lambda t, a: t.ManyToMany(3, 4, 2)(a(S), [5, 6]), ValueError, "lengths must lie between 1 and T = 5, got 6"),
    (lambda t, a: t.OneToMany(3, 4, 2, condition="none"), ValueError, "condition must be one of 'state', 'input'"),
    (lambda t, a: t.OneToMany(3, 4, 2, bidirectional=True), ValueError, "lstm must read forwards only"),
    (lambda t, a: t.OneToMany(3, 4, 2, stop=1), ValueError, "stop must be one of 2 tokens, got 1"),
    (lambda t, a: t.OneToMany(3, 4, 2, stop=2, embedding=3), ValueError, "stop must be one of 2 tokens, got 2"),
    (lambda t, a: t.OneToMany(3, 4, 2)(a(V), 0), ValueError, "steps must be an integer"),
    (lambda t, a: t.OneToMany(3, 4, 2)(a(V)), ValueError, "steps or targets must be"),
    (lambda t, a: t.OneToMany(4, 4, 2)(a(V), 1), ValueError, "x must have shape (B, 4)"),
    (lambda t, a: t.OneToMany(3, 4, 2)(a(V), targets=a(S)), ValueError, "targets must have shape (2, T, 2), got"),
    (lambda t, a: t.OneToMany(3, 4, 2).generate(a(V), 3), ValueError, "generate needs tokens"),
    (
        lambda t, a: t.OneToMany(3, 4, 2, embedding=2).generate(a(V), 3, temperature=-1),
        ValueError,
        "temperature must be a number from 0 to inf, got -1",
    ),
]


@pytest.mark.parametrize("twin", [in_numpy, in_torch])
@pytest.mark.parametrize("call, error, message", REFUSED)
def test_bad_input_is_refused(twin, call, error, message):
    with pytest.raises(error, match=re.escape(message)):
        call(twin, np.array if twin is in_numpy else torch.tensor)


def test_a_network_of_torch_must_fit_and_brings_its_own_options():
    with pytest.raises(ValueError, match="lstm must have input_size 3, got 5"):
        in_torch.ManyToOne(3, 4, 2, lstm=torch.nn.LSTM(5, 4))
    with pytest.raises(ValueError, match="lstm must have hidden_size 4, got 6"):
        in_torch.ManyToMany(3, 4, 2, lstm=torch.nn.LSTM(3, 6))
    with pytest.raises(TypeError, match=r"lstm has its own options, got \['num_layers'\] beside it"):
        in_torch.ManyToMany(3, 4, 2, lstm=torch.nn.LSTM(3, 4), num_layers=2)
    assert in_torch.ManyToOne(3, 4, 2, lstm=torch.nn.RNN(3, 4))(torch.zeros(2, 5, 3), [5, 1]).shape == (2, 2)
    read = in_torch.ManyToOne(None, None, 2, lstm=torch.nn.LSTM(3, 4))
    assert (read.input_size, read.hidden_size) == (3, 4) and read(torch.zeros(2, 5, 3)).shape == (2, 2)
    for sizes in ((None, 4), (3, None)):
        with pytest.raises(ValueError, match="must be an integer >= 1, got None"):
            in_torch.ManyToOne(*sizes, 2)


def test_backward_of_a_topology_needs_its_forward():
    for network, call, d in (
        (in_numpy.ManyToOne(3, 4, 2), lambda n: n(np.zeros((2, 5, 3))), np.zeros((2, 2))),
        (in_numpy.ManyToMany(3, 4, 2), lambda n: n(np.zeros((2, 5, 3))), np.zeros((2, 5, 2))),
        (in_numpy.OneToMany(3, 4, 2), lambda n: n(np.zeros((2, 3)), targets=np.zeros((2, 5, 2))), np.zeros((2, 5, 2))),
    ):
        with pytest.raises(RuntimeError, match="backward needs a forward"):
            network.backward(d)
        call(network)
        with pytest.raises(ValueError, match="must have shape"):
            network.backward(d[..., :1])
        network.backward(d)
        with pytest.raises(RuntimeError, match="backward needs a forward"):
            network.backward(d)
    network = in_numpy.OneToMany(3, 4, 2)
    network(np.zeros((2, 3)), targets=np.zeros((2, 5, 2)))
    network(np.zeros((2, 3)), 5)
    with pytest.raises(RuntimeError, match="backward needs a forward"):
        network.backward(np.zeros((2, 5, 2)))


def test_the_dependency_matrix_shows_what_sees_what():
    x = torch.randn(1, 5, 3, generator=torch.Generator().manual_seed(0))
    lower, full = torch.ones(5, 5).tril().bool(), torch.ones(5, 5).bool()
    for bidirectional, want in ((False, lower), (True, full)):
        seen = in_torch.dependency_matrix(in_torch.ManyToMany(3, 4, 2, bidirectional=bidirectional, rng=0), x)
        assert torch.equal(seen > 0, want)
    assert (in_torch.dependency_matrix(in_torch.ManyToOne(3, 4, 2, rng=0), x) > 0).all()
    tokens = torch.tensor([[2, 0, 1, 1, 2]])
    seen = in_torch.dependency_matrix(in_torch.ManyToMany(3, 4, 2, embedding=3, rng=0), tokens)
    assert torch.equal(seen > 0, lower)
    with pytest.raises(ValueError, match="model must have an nn.Embedding when x holds tokens, found none"):
        in_torch.dependency_matrix(torch.nn.Linear(3, 4), tokens)
    with pytest.raises(ValueError, match=re.escape("x must have shape (1, T, D), got (2, 5, 3)")):
        in_torch.dependency_matrix(torch.nn.Linear(3, 4), torch.zeros(2, 5, 3))
    model = torch.nn.Linear(3, 2)
    seen = in_torch.dependency_matrix(model, x)
    torch.testing.assert_close(seen, torch.eye(5) * model.weight.norm().item())


@pytest.fixture(params=["additive", "dot", None])
def translator(request):
    return in_torch.EncoderDecoder(6, 4, 5, stop=0, attention=request.param, rng=0, dtype="float64").eval()


SOURCE, LENGTHS = torch.tensor([[1, 2, 3, 4], [5, 1, 0, 0], [2, 2, 2, 0]]), [4, 2, 3]


def test_the_encoder_reads_no_padding_and_attention_gives_it_exactly_nothing(translator):
    wide = torch.cat([SOURCE, torch.full((3, 3), -7)], dim=1)
    wide[1, 2:4] = 99
    for results in (translator.generate(SOURCE, LENGTHS, 5, beam=2), translator.generate(wide, LENGTHS, 5, beam=2)):
        tokens, lengths, log_p, weights = results
        if translator.attention is not None:
            assert (weights[1, :, 2:] == 0).all() and (weights[2, :, 3:] == 0).all()
            torch.testing.assert_close(weights.sum(dim=-1), torch.ones_like(weights[..., 0]))
    narrow = translator.generate(SOURCE, LENGTHS, 5, beam=2)
    assert torch.equal(narrow[0], tokens) and torch.equal(narrow[1], lengths)
    torch.testing.assert_close(narrow[2], log_p)
    targets = torch.tensor([[1, 2, 0], [3, 0, 0], [1, 1, 0]])
    torch.testing.assert_close(translator(SOURCE, LENGTHS, targets), translator(wide, LENGTHS, targets))


def test_an_encoder_decoder_on_torchs_own_lstm_gives_the_same_numbers():
    own, other = (
        in_torch.EncoderDecoder(6, 4, 5, stop=0, rng=0, dtype="float64", lstm=lstm) for lstm in (None, torch.nn.LSTM)
    )
    for name, value in own.state_dict().items():
        assert torch.equal(other.state_dict()[name], value), name
    targets = torch.tensor([[1, 2, 0], [3, 0, 0], [1, 1, 0]])
    torch.testing.assert_close(own(SOURCE, LENGTHS, targets), other(SOURCE, LENGTHS, targets))
    one, two = (model.eval().generate(SOURCE, LENGTHS, 5, beam=3) for model in (own, other))
    for a, b in zip(one, two, strict=True):
        torch.testing.assert_close(a, b)


def test_a_beam_of_one_is_greedy(translator):
    tokens, lengths, log_p, _ = translator.generate(SOURCE, LENGTHS, 6)
    for b, length in enumerate(LENGTHS):
        written, total = [], 0.0
        for _ in range(6):
            targets = torch.tensor([[*written, 0]])
            scores = translator(SOURCE[b : b + 1], [length], targets, teacher_forcing=1.0)[0, -1]
            written.append(int(scores.argmax()))
            total += torch.log_softmax(scores, -1).max().item()
            if written[-1] == 0:
                break
        n = len(written) - (written[-1] == 0)
        assert lengths[b] == n and tokens[b, :n].tolist() == written[:n]
        assert abs(total - log_p[b].item()) < 1e-9


def test_a_wide_beam_finds_what_exhaustive_search_finds(translator):
    steps, K = 3, 4
    tokens, lengths, log_p, _ = translator.generate(SOURCE, LENGTHS, steps, beam=K**steps)
    greedy = translator.generate(SOURCE, LENGTHS, steps)[2]
    for b, length in enumerate(LENGTHS):
        best = None
        for sequence in itertools.product(range(K), repeat=steps):
            cut = sequence[: sequence.index(0) + 1] if 0 in sequence else sequence
            scores = translator(SOURCE[b : b + 1], [length], torch.tensor([cut]), teacher_forcing=1.0)
            total = torch.log_softmax(scores[0], -1).gather(1, torch.tensor(cut)[:, None]).sum().item()
            best = max(best or (-np.inf, ()), (total, cut))
        assert abs(best[0] - log_p[b].item()) < 1e-9
        assert tuple(tokens[b, : lengths[b]].tolist()) == tuple(token for token in best[1] if token != 0)
        assert log_p[b] >= greedy[b] - 1e-12


def test_teacher_forcing_is_off_at_evaluation_and_on_in_training(translator):
    one, two = torch.tensor([[1, 2, 3]]).expand(3, -1), torch.tensor([[3, 1, 2]]).expand(3, -1)

    def first_two(targets, **options):
        return translator(SOURCE, LENGTHS, targets, **options)[:, :2]

    assert torch.equal(first_two(one), first_two(two))  # evaluation: what the targets hold is not seen
    translator.train()
    assert not torch.allclose(first_two(one), first_two(two))
    torch.testing.assert_close(first_two(one), first_two(one, teacher_forcing=1.0))
    assert torch.equal(first_two(one, teacher_forcing=0.0), first_two(two, teacher_forcing=0.0))
    half = first_two(one, teacher_forcing=0.5, rng=0)
    assert torch.equal(half, first_two(one, teacher_forcing=0.5, rng=0))


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda m: m.generate(SOURCE, LENGTHS, 0), "steps must be an integer >= 1, got 0"),
        (lambda m: m.generate(SOURCE, LENGTHS, 3, beam=0), "beam must be an integer >= 1, got 0"),
        (lambda m: m.generate(SOURCE, [4, 2, 9], 3), "lengths must lie between 1 and T = 4, got 9"),
        (lambda m: m.generate(SOURCE, [4, 0, 3], 3), "lengths must lie between 1 and T = 4, got 0"),
        (lambda m: m.generate(SOURCE + 3, LENGTHS, 3), "tokens must lie between 0 and 5, got"),
        (lambda m: m(SOURCE, LENGTHS, SOURCE), "tokens must lie between 0 and 3, got 4"),
        (lambda m: m(SOURCE, LENGTHS, SOURCE[:, :1], teacher_forcing=2), "teacher_forcing must be a number from 0"),
        (lambda m: in_torch.EncoderDecoder(6, 4, 5, stop=4), "stop must be one of 0, 1, 2, 3, got 4"),
        (lambda m: in_torch.EncoderDecoder(6, 4, 5, stop=0, attention="none"), "attention must be one of 'additive'"),
        (lambda m: in_torch.Attention(3, 4, "cosine"), "kind must be one of 'additive', 'dot', got 'cosine'"),
    ],
)
def test_the_encoder_decoder_refuses(call, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        call(in_torch.EncoderDecoder(6, 4, 5, stop=0, rng=0))
