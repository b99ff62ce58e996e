"""What all studies share is right, and a tiny study runs. The others take minutes: they store how they were run."""

import importlib
import json
import math
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

EXPERIMENTS = Path(__file__).parents[1] / "experiments"
RESULTS = sorted((EXPERIMENTS / "results").glob("*.json"))


@pytest.fixture(scope="module", autouse=True)
def experiments():
    """Let the studies be imported, as they are when one of them runs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(EXPERIMENTS)
        yield


@pytest.fixture
def protocol(experiments):
    import protocol

    return protocol


@pytest.mark.parametrize("path", RESULTS, ids=lambda path: path.stem)
def test_results_say_how_they_were_made(path):
    record = json.loads(path.read_text(encoding="utf-8"))
    assert set(record) == {"study", "command", "seeds", "versions", "machine", "results"}
    kind, _, name = path.stem.partition("bench_")
    made_by = f"make bench BENCH={name}" if not kind else f"make studies STUDY={path.stem}"
    assert record["study"] == path.stem and record["command"] == made_by
    assert (EXPERIMENTS / f"{path.stem}.py").is_file()
    assert record["results"] and path.stat().st_size < 200_000


def test_every_study_has_stored_results():
    saving = {path.stem for path in EXPERIMENTS.glob("*.py") if "save(" in path.read_text(encoding="utf-8")}
    studies = saving - {"protocol", "bench"}
    assert studies == {path.stem for path in RESULTS}


@pytest.mark.parametrize("path", sorted(EXPERIMENTS.glob("*.py")), ids=lambda path: path.stem)
def test_a_study_finds_what_it_imports(path, monkeypatch):
    monkeypatch.setattr(sys, "argv", [path.name])
    importlib.import_module(path.stem)


def test_saved_results_come_back_as_plain_numbers(protocol, tmp_path):
    results = {"curve": np.arange(3) / 3, "names": ("a [b]", "c"), "one": np.float32(1.5), "n": np.int64(7), "no": None}
    protocol.save("some", results, seeds=np.arange(2), folder=tmp_path)
    text = (tmp_path / "some.json").read_text(encoding="utf-8")
    record = json.loads(text)
    assert record["seeds"] == [0, 1] and record["versions"]["numpy"] == np.__version__
    assert record["results"] == {
        "curve": [0.0, 0.333333, 0.666667],
        "names": ["a [b]", "c"],
        "one": 1.5,
        "n": 7,
        "no": None,
    }
    assert '"curve": [0.0, 0.333333, 0.666667],\n' in text


def test_saving_twice_gives_the_same_file(protocol, tmp_path):
    before, after = (protocol.save("some", {"x": [1.0]}, seeds=[0], folder=tmp_path / name) for name in "ab")
    assert before == after
    assert (tmp_path / "a" / "some.json").read_bytes() == (tmp_path / "b" / "some.json").read_bytes()


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_number_that_is_not_finite_is_refused(protocol, tmp_path, value):
    with pytest.raises(ValueError, match="not JSON compliant"):
        protocol.save("some", {"x": value}, folder=tmp_path)
    assert not (tmp_path / "some.json").exists()


def test_three_streams_differ_and_a_split_shares_no_group(protocol):
    drawn = [rng.random(3).tolist() for seed in (0, 1) for rng in protocol.streams(seed)]
    assert len({tuple(each) for each in drawn}) == 6
    groups = np.repeat(np.arange(50), 3)
    parts = protocol.split(groups, seed=0)
    assert sorted(np.concatenate(parts)) == list(range(150))
    assert [len(set(groups[part])) for part in parts] == [30, 10, 10]
    assert not set(groups[parts[0]]) & set(groups[parts[1]]) and not set(groups[parts[1]]) & set(groups[parts[2]])


def test_intervals(protocol):
    wilson = protocol.share(10, 20)
    np.testing.assert_allclose([wilson["low"], wilson["high"]], [0.2993, 0.7007], atol=1e-4)
    assert protocol.share(0, 5)["low"] == 0 and protocol.share(0, 5)["high"] > 0.4
    rng = np.random.default_rng(0)
    seeds, effect = rng.normal(size=(2000, 5)), rng.normal(size=(2000, 5))
    hits = [each["low"] < 1 < each["high"] for each in map(protocol.paired, seeds + effect + 1, seeds)]
    assert abs(np.mean(hits) - 0.95) < 0.02  # four standard errors


def test_a_curve_falls_or_does_not(protocol):
    noise = np.random.default_rng(0).normal(0, 0.05, 400)
    assert not protocol.still_falling(0.7 + noise)
    assert protocol.still_falling(0.7 + noise - np.linspace(0, 0.3, 400))
    assert not protocol.still_falling(0.7 + noise - np.linspace(0, 0.3, 400)[::-1])


@pytest.mark.parametrize("budget, at, ended", [(100, 30, False), (40, 30, True)])
def test_training_stops_where_validation_is_best(protocol, budget, at, ended):
    done, kept = [], []
    found = protocol.fit_early(
        lambda: done.append(1), lambda: abs(len(done) - 30), budget, 10, 2, lambda: kept.append(len(done))
    )
    assert found["best"] == 0 and found["at"] == kept[-1] == at and found["ended"] == ended
    assert len(done) == min(budget, 50) and found["curve"] == [20, 10, 0, 10, 20][: len(done) // 10]


def test_every_contender_gets_the_same_tries(protocol, tmp_path):
    tries = [{"lr": 0.1}, {"lr": 0.2}, {"lr": 0.3}]
    found = protocol.search(distance, [0.3, 0.12], tries, seed=7, folder=tmp_path, jobs=1)
    assert found[0.3]["chosen"] == {"lr": 0.3} and found[0.12]["chosen"] == {"lr": 0.1}
    np.testing.assert_allclose(found[0.3]["scores"], [0.2, 0.1, 0])


def distance(contender, seed, lr):
    assert seed == 7
    return abs(contender - lr)


WORK = """
import os, sys
sys.path[:0] = [{experiments!r}, {folder!r}]
from protocol import run
def work(n):
    with open({folder!r} + "/log", "a") as log:
        log.write(str(n))
    if n == 2 and not os.path.exists({folder!r} + "/once"):
        open({folder!r} + "/once", "w").close()
        os._exit(9)
    return n * 10, work.__module__
if __name__ == "__main__":
    print(*run(work, [dict(n=n) for n in range(4)], folder={folder!r}, jobs=1))
"""


def test_a_run_that_was_cut_off_goes_on_where_it_stood(tmp_path):
    log, script = tmp_path / "log", tmp_path / "work.py"
    script.write_text(WORK.format(experiments=str(EXPERIMENTS), folder=str(tmp_path)))
    call = [sys.executable, str(script)]
    assert subprocess.run(call).returncode == 9 and log.read_text() == "012"
    again = subprocess.run(call, capture_output=True, text=True, check=True)
    assert again.stdout == "(0, 'work') (10, 'work') (20, 'work') (30, 'work')\n" and log.read_text() == "01223"


def test_a_changed_line_changes_the_fingerprint(protocol, tmp_path, monkeypatch):
    source, other = tmp_path / "experiments" / "some.py", tmp_path / "tests" / "other.py"
    for path in (source, other):
        path.parent.mkdir()
        path.write_text("x = 1\n")
        module = ModuleType(path.stem)
        module.__file__ = str(path)
        monkeypatch.setitem(sys.modules, path.stem, module)
    before = protocol.fingerprint(protocol.sources(tmp_path))
    other.write_text("x = 2\n")
    assert protocol.fingerprint(protocol.sources(tmp_path)) == before
    source.write_text("x = 2\n")
    assert protocol.fingerprint(protocol.sources(tmp_path)) != before
    assert EXPERIMENTS / "protocol.py" in protocol.sources()


STUDY = """
import os, sys, time
import numpy as np
from protocol import run, save
def setting(seed):
    open(os.path.join({folder!r}, f"{{os.getpid()}}.pid"), "a").write(f"{{seed}}\\n")
    time.sleep(0.3)
    return np.random.default_rng(seed).normal(size=3)
if __name__ == "__main__":
    found = list(run(setting, [dict(seed=seed) for seed in range(12)], folder=sys.argv[1]))
    save("study", {{"found": found}}, seeds=range(12), folder=sys.argv[1])
"""


@pytest.mark.release
def test_a_cluster_that_loses_a_worker_finds_the_same(tmp_path):
    script, scheduler, local, cluster = (tmp_path / name for name in ("study.py", "scheduler.json", "local", "cluster"))
    script.write_text(STUDY.format(folder=str(tmp_path)))
    paths = os.pathsep.join([str(EXPERIMENTS), str(EXPERIMENTS.parent), str(tmp_path)])
    environment = {k: v for k, v in os.environ.items() if k != "TQDM_DISABLE"} | {"PYTHONPATH": paths}
    subprocess.run([sys.executable, script, local], env=environment, check=True)
    seen = set(tmp_path.glob("*.pid"))

    def start(*args):
        return subprocess.Popen([sys.executable, "-m", "distributed.cli." + args[0], *args[1:]], env=environment)

    quiet = ["--scheduler-file", str(scheduler), "--no-dashboard"]
    processes = [start("dask_scheduler", "--port", "0", *quiet)]
    try:
        wait_until(lambda: scheduler.exists() and scheduler.read_text())
        processes += [start("dask_worker", *quiet, "--nthreads", "1", "--no-nanny") for _ in range(2)]
        address = json.loads(scheduler.read_text())["address"]
        study = subprocess.Popen(
            [sys.executable, script, cluster],
            env=environment | {"SCHEDULER": address},
            stderr=subprocess.PIPE,
            text=True,
        )
        wait_until(lambda: len(set(tmp_path.glob("*.pid")) - seen) == 2 and len(list(cluster.glob("*.pickle"))) > 2)
        os.kill(processes[1].pid, signal.SIGKILL)
        _, errors = study.communicate(timeout=120)
        assert study.returncode == 0, errors
    finally:
        for process in processes[::-1]:
            process.kill()
    assert (cluster / "study.json").read_bytes() == (local / "study.json").read_bytes()
    assert "12/12" in errors  # the progress
    assert str(processes[1].pid) in {path.stem for path in tmp_path.glob("*.pid")}


def wait_until(condition, limit=60):
    end = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize("kind", ["LSTM", "RNN"])
def test_many_seeds_at_once_train_as_torch_does_alone(kind):
    import many_seeds
    from first_symbol import draw

    seeds, lrs, rngs = [3, 4], [0.01, 0.03], [np.random.default_rng(seed) for seed in (3, 4)]
    p = many_seeds.initial(kind, 2, 5, seeds)
    optimiser = many_seeds.Adam(p, lrs)
    alone = []
    for seed, lr in zip(seeds, lrs):
        torch.manual_seed(seed)
        layers = torch.nn.ModuleList([getattr(torch.nn, kind)(2, 5, batch_first=True), torch.nn.Linear(5, 1)])
        alone.append((layers, torch.optim.Adam(layers.parameters(), lr=lr)))
    for _ in range(20):
        x, y = many_seeds.batches(rngs, draw, 8, 12)
        losses, d = many_seeds.gradients(p, x, y, binary=True)
        optimiser.update(p, d)
        for k, (layers, adam) in enumerate(alone):
            said = layers[1](layers[0](x[k])[0][:, -1])[:, 0]
            loss = torch.nn.functional.binary_cross_entropy_with_logits(said, y[k])
            adam.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(layers.parameters(), 1.0)
            adam.step()
            assert abs(losses[k] - loss.detach()) < 1e-5
    for k, (layers, _) in enumerate(alone):
        for name, value in layers.named_parameters():
            torch.testing.assert_close(p[name[2:].removesuffix("_l0")][k], value.detach(), atol=2e-5, rtol=1e-4)


def test_variants_side_by_side_are_the_networks_of_the_package_at_equal_parameters():
    import variants

    x = torch.randn(2, 3, 6, 2, generator=torch.Generator().manual_seed(0))
    for kind in variants.KINDS:
        H = variants.units(kind, 2, 8)
        p = variants.initial(kind, 2, H, [(seed, 0.01, None) for seed in (3, 4)])
        said = variants.answers(kind, p, x)
        for k, seed in enumerate((3, 4)):
            output, _ = variants.build(kind, 2, H, seed, batch_first=True)(x[k])
            torch.testing.assert_close(said[k], output @ p["head"][k] + p["head_bias"][k])
        size = sum(value[0].numel() for name, value in p.items() if "head" not in name)
        assert abs(size / (32 * (2 + 8 + 2)) - 1) < 0.15, kind
        assert len(variants.tries_of(kind)) == 6
    kept = variants.initial("GRU", 2, 5, [(3, 0.01, 1)])
    assert (kept["bias_ih"][0, 5:10] == 1).all() and (kept["bias_hh"][0, 5:10] == 0).all()


def test_the_layers_after_the_lstm_are_trained_side_by_side_at_equal_parameters_on_the_tasks_that_are_described():
    import after_lstm

    for kind in after_lstm.MIXERS:
        for task, given in after_lstm.TASKS.items():
            for layers in (1, 2):
                network = after_lstm.build(kind, task, layers, 0)
                assert abs(sum(value.numel() for value in network.parameters()) / given["size"] - 1) < 0.02
    rng = np.random.default_rng(0)
    x, y = after_lstm.draw_parity(rng, 20, 24)
    np.testing.assert_array_equal(y, x[..., 1].cumsum(axis=1) % 2)
    x, y = after_lstm.draw_depth(rng, 50, 32)
    np.testing.assert_array_equal(y, (x[..., 0] - x[..., 1]).cumsum(axis=1))
    assert y.min() == 0 and y.max() == 4
    x, y = after_lstm.draw_recall(rng, 20, 8)
    assert (y[:, :8] == after_lstm.NONE).all() and (x[:, 8:, 16:] == 0).all()
    for keys, values, right in zip(x[..., :16].argmax(axis=2), x[..., 16:].argmax(axis=2), y):
        pairs = dict(zip(keys[:8], values[:8]))
        assert len(pairs) == 8 and [pairs[key] for key in keys[8:]] == right[8:].tolist()
    said, asked = torch.randn(2, 20, 16, 8), torch.tensor(np.stack([y, y[::-1]]))  # half of the steps are asked for
    wanted = [torch.nn.functional.cross_entropy(said[k].flatten(0, 1), asked[k].flatten()) for k in range(2)]
    torch.testing.assert_close(after_lstm.losses(said, asked), torch.stack(wanted))
    x, y = after_lstm.names_of(0, "test")
    assert (y != after_lstm.NONE).sum(dim=1).eq(1).all() and len(x) == 960
    assert after_lstm.best_of([(2e-4, [99], 0), (5e-5, [60], 0), (9e-5, [80], 0)]) == 2
    assert after_lstm.best_of([(9e-5, [], 0), (5e-5, [], 0), (2e-4, [], 0)]) == 1
    networks, runs = after_lstm.train("LSTM", "parity", 6, 1, [(3, 0.01), (4, 0.02)], budget=50)
    (alone,), (run,) = after_lstm.train("LSTM", "parity", 6, 1, [(4, 0.02)], budget=50)
    assert runs[1]["best"] == pytest.approx(run["best"], abs=1e-4)
    for name, value in alone.named_parameters():
        torch.testing.assert_close(dict(networks[1].named_parameters())[name], value, atol=1e-3, rtol=1e-3)


def test_brackets_are_closed_where_as_many_have_come_as_have_gone():
    import variants

    x, y = variants.draw_brackets(np.random.default_rng(0), 50, 40)
    depth = (x[..., 0] - x[..., 1]).cumsum(axis=1)
    assert depth.min() == 0 and depth.max() == 10 and (x.sum(axis=2) == 1).all()
    np.testing.assert_array_equal(y, depth == 0)
    x, y = variants.draw_marked(np.random.default_rng(0), 20, 30)
    assert (y[x[..., 1] == 1] == x[..., 0][x[..., 1] == 1]).all()
    assert (np.diff(y, axis=1)[x[:, 1:, 1] == 0] == 0).all()


def test_a_solved_task_ends_the_training_and_the_first_to_solve_it_is_the_best(monkeypatch):
    import variants

    assert variants.best_of([dict(best=2e-4, at=50), dict(best=5e-5, at=300), dict(best=9e-5, at=200)]) == 2
    assert variants.best_of([dict(best=3e-4, at=300), dict(best=2e-4, at=900)]) == 1
    monkeypatch.setitem(variants.TASKS, "marked", dict(D=2, H=2, T=3))
    rows = [(3, 0.01, None), (4, 0.01, None)]
    for solved, checks, ended in ((100, 1, False), (0, 2, True)):
        monkeypatch.setattr(variants, "SOLVED", solved)
        _, found = variants.train("RNN", "marked", rows, budget=2 * variants.EVERY)
        assert [(len(each["curve"]), each["ended"]) for each in found] == [(checks, ended)] * 2


@pytest.mark.parametrize(("least", "rates"), [(0, [0.1, 0.1, 0.05, 0.025]), (2, [0.1, 0.1, 0.1, 0.05, 0.025])])
def test_a_learning_rate_is_halved_on_a_plateau_and_then_the_training_stops(least, rates):
    import many_seeds

    seen = []

    def loss(p, x, y):  # in training w itself, on validation data always 1
        if not x.any():
            seen.append(p["w"].item())
        return p["w"][:, 0] * x + (1 - x)

    ones, zeros = torch.ones(1), torch.zeros(1)
    _, (found,) = many_seeds.train_early(
        {"w": torch.zeros(1, 1)},
        [0.1],
        loss,
        lambda alive: (ones, ones),
        (zeros, zeros),
        99,
        fall=0.98,
        every=1,
        patience=3,
        least=least,
    )
    np.testing.assert_allclose(seen, -np.cumsum(rates), rtol=1e-4)
    assert found["ended"] is False and found["at"] == 1


def test_the_gradient_at_the_start_is_that_of_autograd():
    import first_symbol

    T, H, seed = 7, first_symbol.H, 5
    p = first_symbol.maker("LSTM, bias 2", T)([seed])
    found = first_symbol.at_start(p, T, [seed], sequences=2)
    p = {name: value[0].double() for name, value in p.items()}
    lstm = torch.nn.LSTM(2, H, batch_first=True, dtype=torch.float64)
    lstm.load_state_dict({f"{name}_l0": p[name] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")})
    x = torch.from_numpy(first_symbol.draw(np.random.default_rng([seed, 3]), 2, T)[0]).double()
    jacobian = torch.stack(
        [torch.autograd.functional.jacobian(lambda x: lstm(x[None])[0][0, -1], each) for each in x]
    )  # (2, H, T, 2)
    size = jacobian.square().sum(dim=(0, 1))  # (T, 2)
    np.testing.assert_allclose(found["ratio"], [(size[0].sum() / size[-1].sum()).sqrt()], rtol=1e-10)
    np.testing.assert_allclose(found["signal"], [size[0, 0] / (size[0, 0] + size[1:, 1].sum())], rtol=1e-10)
    assert 0.3 < found["gates"][0] < 0.6  # sigmoid(2)^6 is 0.47


def test_a_tiny_study_of_the_first_symbol_runs_and_is_stored(protocol, tmp_path):
    import first_symbol

    names, seeds = ("RNN", "LSTM, bias 2", "LSTM, chrono"), [0, 1, 2]
    settings = [dict(name=name, T=5, seeds=seeds, budget=150, tries=[0.05, 0.001]) for name in names]
    runs = {5: dict(zip(names, protocol.run(first_symbol.setting, settings, folder=tmp_path, jobs=1)))}
    results = {"runs": runs, "start": first_symbol.predictions(runs, 150), "less": first_symbol.compare(runs[5], 150)}
    stored = protocol.save("tiny", results, seeds=seeds, folder=tmp_path)["results"]
    for found in stored["runs"]["5"].values():
        assert found["search"]["lr"] == 0.05 and found["learned"]["share"] == 1 and max(found["test"]) < 0.05
        assert 5 <= found["updates"][1] <= found["updates"][0] <= found["updates"][2] <= 150
    assert stored["start"]["LSTM"]["ratio"]["wrong_side"] == []
    assert set(stored["less"]) == {"LSTM, bias 2", "LSTM, chrono"}


def test_a_seed_that_has_not_learned_says_so_and_keeps_its_curve():
    import first_symbol

    found = first_symbol.setting("LSTM, default", 40, seeds=[0, 1], budget=30, tries=[1e-5])
    assert found["solved_at"] == [None, None] and found["learned"]["share"] == 0 and found["updates"] is None
    assert abs(np.mean(found["test"]) - 0.5) < 0.1 and found["curve"][-1][0] == 30 and found["still_falling"] == 0


def test_random_answers_teach_nothing_and_move_the_gradient():
    import first_symbol

    found = first_symbol.drift("RNN", 0.02, T=20, seeds=[0, 1], at=(0, 5))
    before, after = found["ratio"]
    np.testing.assert_array_equal(
        before, first_symbol.at_start(first_symbol.maker("RNN", 20)([0, 1]), 20, [0, 1], sequences=1)["ratio"]
    )
    assert (after != before).all() and 0 <= found["ever_above_0.001"]["share"] <= 1


def test_every_seed_divides_what_is_not_the_test_part():
    from learning import divide

    from lstm_tutorial.data import city_names

    data = city_names(rng=0)
    divided = [divide(data, seed) for seed in (0, 1)]
    names = [[{tuple(x) for x in part.x} for part in each[:3]] for each in divided]
    assert all(not a & b and not a & c and not b & c for a, b, c in names)
    assert names[0][2] == names[1][2] == {tuple(x) for x in data.test.x} and names[0][1] != names[1][1]
    assert [len(part.y) for part in divided[0][:3]] == [3360, 480, 960]


def test_training_ends_with_the_weights_of_the_best_epoch():
    from learning import learn

    torch.manual_seed(0)
    model, aim = torch.nn.Linear(1, 1), iter([1.0] * 5 + [-1.0] * 15)
    x = torch.ones(4, 1)
    found = learn(
        model,
        lambda: [(x, next(aim) * x)] * 20,  # from the sixth epoch on the task is another one
        torch.nn.functional.mse_loss,
        lambda: (model(x)[0, 0] - 1).square(),
        lr=0.02,
        patience=7,
    )
    assert (model(x)[0, 0] - 1).square().item() == found["best"] == min(found["curve"]) < 0.5 < found["curve"][-1]
    assert len(found["losses"]) == len(found["curve"]) == found["at"] + 7 and not found["ended"]


@pytest.mark.parametrize("name", ["sunspots", "seattle"])
def test_forecasts_are_undone_to_the_truth_and_no_window_sees_what_it_forecasts(name):
    import several_steps as study

    data = study.data_of(name)
    later = data._replace(values=data.values.copy())
    later.values[data.ends[1] + 20 :] += 50
    for target in study.TARGETS:
        parts = study.cut(data, target)
        for begin, end, part in zip((0, *data.ends), data.ends, parts):
            np.testing.assert_allclose(part.undo(part.y.astype(float)), part.truth, atol=1e-4)
            last = data.values[end - data.S : end, data.column]
            np.testing.assert_array_equal(part.truth[-1], last)
            assert part.truth[0, 0] == data.values[max(begin, end - data.S + 1 - len(part.y)), data.column]
        changed = study.cut(later, target)[2]
        np.testing.assert_array_equal(changed.past[:21], parts[2].past[:21])
        assert not np.allclose(changed.past[21:], parts[2].past[21:])
        output = np.zeros_like(parts[2].y)
        np.testing.assert_array_equal(changed.undo(output)[:21], parts[2].undo(output)[:21])


@pytest.mark.parametrize("filling", ["mean", "forward", "forward + mask", "forward + mask + time", "irregular"])
def test_hidden_days_are_hidden_from_every_way_of_filling(filling):
    import several_steps as study

    data = study.data_of("seattle")
    for pattern, share in (("days", 30), ("gaps", 50)):
        hidden = study.hide(len(data.values), share, pattern, seed=0)
        assert share <= 100 * hidden.mean() < share + 1
        other = data._replace(values=np.where(hidden[:, None], -99, data.values))
        z, reference, scale = study.scaled(data, "level")
        seen, blanked = (study.fill(each, data.known, hidden, filling) for each in (z, np.where(hidden[:, None], 9, z)))
        shown = ~hidden if filling == "irregular" else np.full(len(z), True)
        np.testing.assert_array_equal(seen[shown], blanked[shown])
        past = study.cut(data, "level", hidden, filling)[2].past
        assert past.shape[1] == (round(28 * (1 - hidden.mean())) if filling == "irregular" else 28)
    assert other.values.min() == -99


def test_a_recursive_forecast_is_made_a_step_at_a_time_from_its_own_forecasts():
    import several_steps as study

    torch.manual_seed(0)
    model, past, future = study.Recursive(6, 2, 5, 0.0, column=1), torch.randn(3, 7, 6), torch.randn(3, 4, 3)
    whole = model.eval()(past, future)
    read = past
    for s in range(4):
        days = torch.cat([read[:, 1:, 4:], future[:, s : s + 1, :2]], dim=1)
        y = model.step(read[..., :4], days)[0][:, -1:]  # the whole sequence again
        torch.testing.assert_close(whole[:, s], y[:, 0, 1])
        read = torch.cat([read, torch.cat([y, future[:, s : s + 1, :2]], dim=2)], dim=1)
    assert model.train()(past, future).shape == (3, 7, 4)


def test_shifted_bounds_cover_four_fifths_of_validation():
    import several_steps as study

    data = study.data_of("sunspots")
    validation = study.cut(data)[1]
    bounds = np.stack([validation.truth * 0 + 30, validation.truth * 0 + 40])
    shifted = study.cover(study.shift_to_cover([None, bounds, bounds], validation), validation)
    np.testing.assert_allclose(shifted["by horizon"], 80, atol=2.6)  # 40 windows
    assert study.cover(bounds, validation)["covered"] < 20 < shifted["width"]


def test_reading_the_padding_changes_no_valid_step():
    import learning

    from lstm_tutorial.in_torch import ManyToOne

    torch.manual_seed(0)
    lstm, x, lengths = torch.nn.LSTM(3, 5, batch_first=True), torch.randn(4, 7, 3), [7, 1, 3, 5]
    for pool in ("last", "max", "mean", "attention"):
        packed, unpacked = (kind(3, 5, 2, pool, lstm=lstm, rng=0) for kind in (ManyToOne, learning.Unpacked))
        torch.testing.assert_close(unpacked(x, lengths), packed(x, lengths))
    batches = list(learning.cut([(np.zeros((2, 9)), np.array([4, 6]), None)]))
    assert batches[0][0].shape == (2, 6)


def test_the_contenders_of_names_and_vowels_are_what_they_are_called():
    import names_and_vowels as study

    task = study.task_of("vowels", 0)
    x, lengths = torch.as_tensor(task.test.x[:3]), task.test.lengths[:3]
    sizes = {kind: sum(p.numel() for p in study.make(task, kind, 0).parameters()) for kind in study.NETWORKS}
    assert sizes["RNN, last"] < sizes["last"] == sizes["max"] == sizes["decay"] < sizes["both directions, last"]
    assert sizes["learned position"] == sizes["last"] + 29 and sizes["attention"] > sizes["last"]
    alone = study.make(task, "attention, no LSTM", 0)
    swapped = x.clone()
    swapped[0, [0, 1]] = x[0, [1, 0]]
    torch.testing.assert_close(alone(swapped, lengths), alone(x, lengths))  # without recurrence order is lost
    assert not torch.allclose(study.make(task, "attention", 0)(swapped, lengths)[0], alone(x, lengths)[0])
    four = study.frames(task.test, four=True)[0]
    valid = task.test.x[0, : task.test.lengths[0]]
    np.testing.assert_allclose(four, [*valid.mean(0), *valid.std(0), *valid[0], *valid[-1]], atol=1e-5)


@pytest.mark.parametrize("clip", ["none", "norm", "value"])
def test_sgd_and_clipping_for_many_seeds_are_those_of_torch(clip):
    import training

    limits = {
        "none": [],
        "norm": [(torch.nn.utils.clip_grad_norm_, 1.0)],
        "value": [(torch.nn.utils.clip_grad_value_, 0.1)],
    }
    p = {name: torch.randn(2, *shape) for name, shape in {"weight": (3, 4), "bias": (3,)}.items()}
    alone = [[torch.nn.Parameter(p[name][seed].clone()) for name in p] for seed in range(2)]
    torchs = [torch.optim.SGD(each, lr=lr, momentum=0.9) for each, lr in zip(alone, (0.1, 1.0))]
    ours = training.SGD(p, torch.tensor([0.1, 1.0]))
    for size in (0.05, 3.0, 1.0):  # below the limits and above
        d = {name: size * torch.randn_like(value) for name, value in p.items()}
        ours.update(p, training.CLIPS[clip](d))
        for seed, optimiser in enumerate(torchs):
            for parameter, gradient in zip(alone[seed], d.values()):
                parameter.grad = gradient[seed].clone()
            for function, limit in limits[clip]:
                function(alone[seed], limit)
            optimiser.step()
    for seed in range(2):
        for parameter, value in zip(alone[seed], p.values()):
            torch.testing.assert_close(value[seed], parameter.detach(), atol=1e-5, rtol=1e-4)


def test_the_dropouts_of_the_study_of_training_act_in_training_alone():
    import training
    from names_and_vowels import task_of

    task = task_of("names", 0)
    x, lengths = torch.as_tensor(task.validation.x[:8]), task.validation.lengths[:8]
    plain = training.make(task, 0)(x, lengths)
    for option in ("inputs", "head", "state", "recurrent"):
        model = training.make(task, 0, **{option: 0.4})
        torch.testing.assert_close(model.eval()(x, lengths), plain, atol=1e-6, rtol=0)
        assert not torch.allclose(model.train()(x, lengths), plain, atol=1e-3), option
    state = training.make(task, 0, state=0.4)
    state.lstm.p = 0.0
    torch.testing.assert_close(state.train()(x, lengths), plain, atol=1e-6, rtol=0)
    state.lstm.p = 1.0  # the gates read no state, as with recurrent weights of 0
    none = training.make(task, 0)
    none.lstm.weight_hh_l0.data.zero_()
    torch.testing.assert_close(state.train()(x, lengths), none(x, lengths), atol=1e-6, rtol=0)


def test_initial_weights_are_what_they_are_called():
    import training

    eye = torch.eye(training.first_symbol.H)
    for name in ("orthogonal", "orthogonal, bias 3"):
        p = training.initialised(name, [0, 1])
        for block in p["weight_hh"].split(len(eye), dim=1):
            torch.testing.assert_close(block @ block.mT, eye.expand(2, -1, -1), atol=1e-5, rtol=0)
    forget = {name: training.initialised(name, [0])["bias_ih"][0, 16:32] for name in training.INITIAL}
    assert (forget["bias 0"] == 0).all() and (forget["orthogonal, bias 3"] == 3).all() and (forget["Keras"] == 1).all()
    assert 0 < forget["orthogonal"].abs().max() < 0.25
    keras = training.initialised("Keras", [0, 1])
    torch.testing.assert_close(keras["weight_hh"].mT @ keras["weight_hh"], eye.expand(2, -1, -1), atol=1e-5, rtol=0)
    assert not torch.equal(keras["weight_hh"][0], keras["weight_hh"][1])
