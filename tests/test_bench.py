"""The benchmarks' parts: a race is fair, the ladder's rungs and the rivals compute what the package computes."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from lstm_tutorial.in_numpy import LSTM, lstm_sequence
from lstm_tutorial.in_numpy.fast import fused_sequence

T, B, D, H = 7, 3, 4, 5


@pytest.fixture(autouse=True)
def experiments(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "experiments")
    yield
    for name in ("bench", "bench_scale", "ladder", "rivals", "study", "train"):
        sys.modules.pop(name, None)


@pytest.fixture
def layer():
    lstm, rng = LSTM(D, H, rng=0), np.random.default_rng(0)
    x, d_output = (rng.standard_normal((T, B, size)).astype(np.float32) for size in (D, H))
    return lstm, x, d_output, list(lstm.parameters.values())


def close(got, want):
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-5 * max(1, np.abs(want).max()))


def test_every_rung_gives_the_numbers_of_the_plain_sequence_and_has_a_prediction(layer):
    ladder, (_, x, d_output, weights) = importlib.import_module("ladder"), layer
    rng = np.random.default_rng(1)
    h, c = rng.standard_normal((2, B, H)).astype(np.float32)
    weight_ih, weight_hh, bias = weights[0], weights[1], weights[2] + weights[3]
    given = x, (h, c), weight_ih, weight_hh, bias, 0 * bias
    want, (_, last), cache = lstm_sequence(*given)
    for rung in [*ladder.FORWARD, *ladder.BRANCH]:
        output, got = rung(x, h, c, weight_ih, weight_hh, bias)
        close(output, want)
        close(got, last)
    fused_cache = fused_sequence(*given)[2]
    cache = ladder.arrays_of(cache)
    results = [rung(d_output, cache) for rung in ladder.BACKWARD[:-1]]
    results.append(ladder.fused_backward(d_output, fused_cache))
    for result in results[1:]:
        for got, right in zip(result, results[0], strict=True):
            close(got, right)
    for rungs, pieces in ((ladder.FORWARD, ladder.forward_pieces), (ladder.BACKWARD, ladder.backward_pieces)):
        found = pieces(T, B, D, H)
        branch = ladder.BRANCH if rungs is ladder.FORWARD else ()
        assert list(found) == [rung.__name__ for rung in [*rungs, *branch]]
        assert all(count > 0 and call() is not NotImplemented for each in found.values() for count, call in each)


def test_rivals_compute_the_same_network(layer):
    rivals, (lstm, x, d_output, weights) = importlib.import_module("rivals"), layer
    want, _ = lstm(x)
    d_x, _ = lstm.backward(d_output)
    for name in ("naive", "joined", "cell_loop"):
        close(getattr(rivals, name)(x, weights)[0], want)
        got_d_x, d_W = getattr(rivals, f"{name}_both_ways")(x, weights, d_output)
        close(got_d_x, d_x)
        d_weight_ih = d_W if name == "cell_loop" else d_W[:, H:]
        close(d_weight_ih, lstm.gradients["weight_ih_l0"])
    cell = torch.nn.LSTMCell(D, H)
    cell.load_state_dict({name[:-3]: torch.tensor(value) for name, value in lstm.state_dict().items()})
    close(rivals.cell_loop_torch(cell, torch.tensor(x)).detach().numpy(), want)
    assert len(rivals.floor_both_ways(x, weights, d_output)) == 3


def test_a_race_compares_with_the_reference_and_leaves_the_slowest_out(capsys, monkeypatch):
    bench, clock = importlib.import_module("bench"), [0.0]
    monkeypatch.setattr(bench.time, "process_time", lambda: clock[0])
    takes = {"c": 0.5, "a": 0.02, "b": 0.04, "d": 2.0}
    runs = {name: lambda s=s: clock.append(clock.pop() + s) for name, s in takes.items()}
    found, out = bench.race_all(runs, "a", seconds=0.5, least=3, slow=0.3, too_slow=1.5)
    medians = {name: round(each["median"], 6) for name, each in found.items()}
    assert medians == {"c": 25, "a": 1, "b": 2} and list(medians) == ["c", "a", "b"] and out == ["d"]
    assert "d: left out" in capsys.readouterr().out


def test_the_fit_of_all_reduces_finds_latency_and_bandwidth():
    bench_scale = importlib.import_module("bench_scale")
    sizes = [4, 1024, 65536, 4**10]
    seconds = [1e-6, *(2 * 5e-5 + each / 1e9 for each in sizes[1:])]  # the first is too small for a gradient
    found = bench_scale.fit(sizes, seconds)
    assert found == pytest.approx({"latency": 5e-5, "bandwidth": 1e9})


def test_checkpoints_keep_the_gradient_and_chunks_do_not():
    bench_scale, found = importlib.import_module("bench_scale"), {}
    for kind in bench_scale.KINDS:
        lstm, x = bench_scale.layer(2 * bench_scale.CHUNK + 20, B, D, H)
        bench_scale.gradient(kind, lstm, x)
        found[kind] = lstm.weight_hh_l0.grad
    torch.testing.assert_close(found["checkpoints"], found["whole"])
    assert (found["chunks"] - found["whole"]).norm() > 1e-4 * found["whole"].norm()
