"""Figures that a reader can move: their scripts, run in V8 without a page, compute what the package computes."""

import importlib
import itertools
import json
import re
from pathlib import Path

import numpy as np
import pytest
from py_mini_racer import MiniRacer

from lstm_tutorial import in_numpy
from lstm_tutorial.data import city_names
from lstm_tutorial.in_numpy import LSTM, sigmoid

ROOT = Path(__file__).parents[1]
NUMBERS = json.loads((ROOT / "book" / "figures" / "play.json").read_text(encoding="utf-8"))
UNIT = NUMBERS["unit"]
BRACKETS = NUMBERS["brackets"]
POOLING = NUMBERS["pooling"]
CITY = json.loads((ROOT / "experiments" / "results" / "city.json").read_text(encoding="utf-8"))["results"]
CITY |= NUMBERS["city"]
PARITY = json.loads((ROOT / "experiments" / "results" / "parity.json").read_text(encoding="utf-8"))["results"]
PARITY |= NUMBERS["parity"]


@pytest.fixture(scope="module")
def script():
    """Return a function that calls a function of the scripts by its name."""
    engine = MiniRacer()
    engine.eval("var window = this;")
    static = ROOT / "book" / "_static"
    engine.eval((static / "play.js").read_text(encoding="utf-8"))
    engine.eval("lstm.figure = () => {};")  # what is drawn needs a page: tests/test_pages.py
    for path in static.glob("play-*.js"):
        engine.eval(path.read_text(encoding="utf-8"))
    return engine.call


def test_a_slider_has_all_its_stops_and_numbers_are_written_with_a_minus(script):
    assert script("lstm.range", -2, 7, 0.1) == [round(-2 + k / 10, 1) for k in range(91)]
    assert script("lstm.range", 1, 12, 1) == [*range(1, 13)]
    assert [script("lstm.text", value) for value in (-0.5, 14.26649, -1e-9)] == ["−0.500", "14.266", "0.000"]


# One unit


def run_unit(x, reset, rows):
    """Return what the package's LSTM of one unit computes: its gates, c and h, (T,) each, by name."""
    stacked = np.array([rows[name] for name in "ifgo"], float)
    unit = LSTM(2, 1, dtype="float64")
    weights = {"weight_ih_l0": stacked[:, :2], "weight_hh_l0": stacked[:, 2:3]}
    unit.load_state_dict(weights | {"bias_ih_l0": stacked[:, 3], "bias_hh_l0": np.zeros(4)})
    output, _, gates = unit(np.stack([x, reset], axis=-1).astype(float), return_gates=True)
    return {"h": output[:, 0]} | {name: values[:, 0] for name, values in gates._asdict().items()}


def test_the_unit_is_the_package_s(script):
    rng = np.random.default_rng(0)
    for scale in [0.5, 3, 30] * 10:
        x, reset = rng.normal(size=(2, 30)) * 2
        rows = {name: (rng.normal(size=4) * scale).tolist() for name in "ifgo"}
        states = script("lstm.unit", x.tolist(), reset.tolist(), rows)
        wanted = run_unit(x, reset, rows) | {"x": x, "reset": reset}
        wanted["before"] = np.append(0, wanted["c"][:-1])
        assert states[0].keys() == wanted.keys()
        for name, values in wanted.items():  # of size 1, and c at most 30
            np.testing.assert_allclose([state[name] for state in states], values, rtol=1e-9, atol=1e-12, err_msg=name)


def test_the_presets_do_what_their_names_say():
    pulses, reset = np.array(UNIT["sequences"]["pulses"]), np.array(UNIT["reset"])
    at = reset.argmax()
    cells = {name: run_unit(pulses, reset, rows)["c"] for name, rows in UNIT["presets"].items()}
    after = np.append(pulses[:at].cumsum(), pulses[at:].cumsum())  # the pulses since the reset
    np.testing.assert_allclose(cells["latch"], after > 0, atol=1e-3)
    np.testing.assert_allclose(cells["counter"], pulses.cumsum(), atol=1e-3)
    np.testing.assert_allclose(cells["accumulator"] / np.tanh(0.01), after, atol=1e-3)
    assert np.all(np.diff(cells["saturation"]) > 0.25), "it counts the steps"
    rows = [row for preset in UNIT["presets"].values() for row in preset.values()]
    assert {value for row in rows for value in row} <= set(UNIT["weights"]), "a slider has no such stop"


# Two units that count brackets


def count_brackets(sentence, change=0):
    """Return what the package's LSTM of one unit holds after each character, and the depth read from its RNN's."""
    x = np.array([[character == bracket for bracket in "()"] for character in sentence], float)
    states = run_unit(*x.T, {name: (1 + change) * np.array(row) for name, row in BRACKETS["lstm"].items()})
    rnn = in_numpy.RNN(2, 1, dtype="float64")
    a, b, u, bias = (1 + change) * np.array(BRACKETS["rnn"])
    weights = {"weight_ih_l0": np.array([[a, b]]), "weight_hh_l0": np.array([[u]])}
    rnn.load_state_dict(weights | {"bias_ih_l0": np.array([bias]), "bias_hh_l0": np.zeros(1)})
    slope, intercept = BRACKETS["readout"]
    return {"c": states["c"], "h": states["h"], "depth": slope * rnn(x[:, None])[0][:, 0, 0] + intercept}


def depths(sentence):
    """Return the number of open brackets after each character."""
    return np.cumsum([(character == "(") - (character == ")") for character in sentence])


@pytest.mark.parametrize("change", [float(each.strip("%")) / 100 for each in BRACKETS["changes"]])
def test_the_units_that_count_brackets_are_the_package_s(script, change):
    letters = np.random.default_rng(0).choice([*"() é𝄞"], size=120, p=[0.3, 0.2, 0.3, 0.1, 0.1])
    for sentence in (BRACKETS["sentence"], "".join(letters)):
        found = script("lstm.brackets", sentence, BRACKETS, change)
        assert "".join(state["character"] for state in found) == sentence
        for name, values in count_brackets(sentence, change).items():
            np.testing.assert_allclose([state[name] for state in found], values, rtol=1e-6, atol=1e-6, err_msg=name)
    assert script("lstm.brackets", "", BRACKETS, change) == []


def test_what_the_first_page_says_of_brackets_is_so():
    page = (ROOT / "book" / "intro.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (?:.* gate|candidate) \$(\w)\$ \| (.*) \|$", page.replace("−", "-"), re.M)
    assert {name: [float(weight) for weight in row.split(" | ")] for name, row in rows} == BRACKETS["lstm"]
    assert sum(weight == 0 for row in BRACKETS["lstm"].values() for weight in row) == 11

    sentence = BRACKETS["sentence"]
    assert f'The sentence "{sentence}"' in page
    same, smaller, larger = (count_brackets(sentence, change) for change in (0, -0.1, 0.1))
    assert depths(sentence).max() == 3 and depths(sentence)[-1] == 0
    for states in (same["c"], same["depth"], smaller["c"], larger["c"]):
        np.testing.assert_array_equal(np.round(states, 1), depths(sentence))
    assert smaller["depth"].max() < 2 and larger["depth"].max() > 4
    small = BRACKETS["lstm"] | {"g": [0.1, -0.1, 0, 0]}
    *_, three, four = run_unit([1, 1, 1, 1], [0, 0, 0, 0], small)["h"]
    assert four - three > 0.08 and np.ptp(count_brackets("((((")["h"][2:]) < 0.005
    for sentence in ("(" * 120, ")" * 120, "(" * 60 + " " * 60, "()" * 60):
        np.testing.assert_allclose(count_brackets(sentence)["c"], depths(sentence), atol=5e-4)


def test_what_the_first_page_says_of_the_search_is_so():
    results = json.loads((ROOT / "experiments" / "results" / "brackets.json").read_text(encoding="utf-8"))["results"]
    one, four = results["depth to 1"], results["depth to 4"]
    found, robust = four["rnn"]["0%"], four["rnn"]["1%"]
    assert found["weights"] == BRACKETS["rnn"] and found["readout"] == BRACKETS["readout"]
    assert results["settings"]["lstm"] == BRACKETS["lstm"]
    for right in (one["lstm"]["right"], four["lstm"]["right"], one["rnn"]["0%"]["right"]):
        assert {share for changes in right.values() for pair in changes.values() for share in pair} == {1}
    assert found["right"]["T=40"]["0.0%"] == found["right"]["T=400"]["0.0%"] == [1, 1]
    a, b, u, bias = found["weights"]
    assert abs(u - 1) < 1e-3 and max(abs(a), abs(b), abs(bias)) < 0.01
    assert 0.15 < 1 - min(found["right"]["T=40"]["1.0%"]) < 0.25
    assert max(found["right"]["T=400"]["1.0%"]) < four["most_frequent"]["T=400"]
    assert 0 < min(robust["right"]["T=40"]["1.0%"]) - min(found["right"]["T=40"]["1.0%"]) < 0.1
    assert robust["right"]["T=400"]["0.0%"][0] < four["most_frequent"]["T=400"] + 0.05


def test_half_of_a_value_is_left_after_the_half_life(script):
    biases = np.linspace(-4, 8, 25)
    lives = [script("lstm.halfLife", bias) for bias in biases]
    np.testing.assert_allclose(sigmoid(biases) ** lives, 0.5, rtol=1e-10)


# The names of a state in output, h_n and c_n


def states(layers, directions, lengths, H=3):
    """Return the tensors of the package's LSTM, and the hidden and cell states of each row of its layers."""
    options = dict(batch_first=True, bidirectional=directions == 2, dtype="float64")
    weights = LSTM(2, H, layers, rng=0, **options).state_dict()
    x = np.random.default_rng(1).normal(size=(len(lengths), 5, 2))
    hidden, cells = [], []
    for count in range(1, layers + 1):  # an LSTM returns the states of its top layer: take the upper layers off
        lower = LSTM(2, H, count, **options)
        lower.load_state_dict({name: weights[name] for name in lower.state_dict()})
        output, (h_n, c_n), gates = lower(x, lengths=lengths, return_gates=True)
        hidden += np.split(output, directions, axis=-1)
        cells += np.split(gates.c, directions, axis=-1)
    return {"output": output, "h_n": h_n, "c_n": c_n, "H": H}, hidden, cells


@pytest.mark.parametrize("layers, directions", [*itertools.product((1, 2, 3), (1, 2))])
@pytest.mark.parametrize("lengths", [[5, 3, 2], [1, 5, 4]])
def test_a_box_has_the_names_of_its_state_in_the_package_s_tensors(script, layers, directions, lengths):
    tensors, hidden, cells = states(layers, directions, lengths)
    now = {"layers": layers, "directions": directions, "lengths": lengths}
    used = set()
    for b, k, t in itertools.product(range(3), range(layers * directions), range(5)):
        for tensor, name in script("lstm.names", now, b, k, t).items():
            if name:
                used.add(name)
                assert name.startswith(f"{tensor}[")
                value = eval(name.replace("2H", "2 * H"), {}, tensors)
                state = cells if tensor == "c_n" else hidden
                np.testing.assert_array_equal(value, state[k][b, t])
    assert len(used) == sum(tensors[name].size for name in ("output", "h_n", "c_n")) // 3, "each place has a name"


# Pools


def pooled(x, length, half_life, query):
    """Return what the package's pools make of x (T,), in the order of the figure; the median is NumPy's."""
    x = np.array(x, float)[None, :, None]
    attention = in_numpy.AttentionPool(1, kind="dot", dtype="float64")
    attention.load_state_dict({"query": np.full((1, 1), query, float)})
    found = [pool(x, [length]) for pool in (in_numpy.last_pool, in_numpy.max_pool, in_numpy.mean_pool)]
    found.append(np.median(x[:, :length]))
    found.append(in_numpy.weighted_pool(x, in_numpy.decay_weights(x.shape[1], half_life), [length]))
    found.append(attention(x, [length]))
    return np.array([np.asarray(value).item() for value in found])


@pytest.mark.parametrize("length", range(1, 10))
def test_the_pools_are_the_package_s(script, length):
    rng = np.random.default_rng(length)
    x = rng.normal(size=9) * 3
    x[::2] = x[::2].round()  # so that some are equal
    for life, query in [(0.5, -4), (2, 0), (8, 4)]:
        found = script("lstm.pools", x[:length].tolist(), {"half-life": life, "query": query})
        values = [pool["value"] for pool in found]
        np.testing.assert_allclose(values, pooled(x, length, life, query), rtol=1e-12, atol=1e-12)  # of size 1
        np.testing.assert_allclose([sum(pool["shares"]) for pool in found], 1)
        assert len(found) == len(POOLING["looks"])


def test_what_the_page_says_of_an_outlier_is_so():
    start, spread = np.array(POOLING["x"]), POOLING["spread"]
    assert np.isclose(start[:6].std(), spread)
    outlier = start + 10 * spread * (np.arange(9) == POOLING["step"])
    last, most, mean, median, decay, attention = (pooled(outlier, 6, 2, 2) - pooled(start, 6, 2, 2)) / (10 * spread)
    assert last == 0 and median < 0.1 < decay < 0.2 and np.isclose(mean, 1 / 6)
    assert most > 0.9 and attention > 0.9
    assert abs(pooled(outlier, 6, 2, -2)[5] - pooled(start, 6, 2, -2)[5]) < 0.2
    change = pooled(start, 9, 2, 2) - pooled(start, 6, 2, 2)  # when the padding is read
    assert np.all(pooled(start, 9, 2, 2)[:2] == 0) and np.all(change > 0)


# A place name, letter by letter


def believed(name):
    """Return what the package's LSTM makes of a name: after each letter, and after its padding to both lengths."""
    found = []
    for kind, steps in (("masked", len(name)), ("unmasked", 2 * CITY["steps"])):
        arrays = {
            key: each["scale"] * np.frombuffer(bytes.fromhex(each["hex"]), np.int8)
            for key, each in CITY[kind]["weights"].items()
        }
        model = in_numpy.LSTM(16, 32, dtype="float64")
        model.load_state_dict({f"{key}_l0": arrays[key].reshape(v.shape) for key, v in shapes(model).items()})
        tokens = np.zeros(steps, int)
        tokens[: len(name)] = [3 + CITY["letters"].index(letter) for letter in name]
        output, _ = model(arrays["embedding"].reshape(-1, 16)[tokens][:, None])
        scores = output[:, 0] @ arrays["W_y"].reshape(-1, 32).T + arrays["b_y"]
        found.append(in_numpy.softmax(scores))
    return found[0], found[1][[CITY["steps"] - 1, -1]]


def shapes(model):
    """Return the arrays of a one-layer LSTM by their names without the layer."""
    return {name.removesuffix("_l0"): value for name, value in model.state_dict().items()}


@pytest.mark.parametrize("name", [CITY["name"], "o", "x-y z", "abcdefghijklmnopqrst"])
def test_the_beliefs_about_a_name_are_the_package_s(script, name):
    given = {key: CITY[key] for key in ("letters", "steps", "masked", "unmasked")}
    found = script("lstm.city", name, given)
    for kind, wanted in zip(("masked", "unmasked"), believed(name)):
        np.testing.assert_allclose(found[kind], wanted, rtol=1e-9, atol=1e-12)
        assert len(wanted[0]) == len(CITY["countries"]) == 12
    assert script("lstm.letters", "Sant'Ângelo 7", given) == [*"sant'angelo "]
    assert script("lstm.city", "", given)["masked"] == []


def test_the_name_of_the_figure_is_one_for_validation_and_does_what_the_caption_says(monkeypatch):
    monkeypatch.syspath_prepend(ROOT / "experiments")
    cities = city_names(rng=0)
    parts = importlib.import_module("learning").divide(cities, 0)
    names = [cities.alphabet.decode(tokens) for tokens in parts.validation.x]
    assert CITY["name"] in names, "a name that was chosen for the figure must not be in the test part"
    after_letters, padded = (each.argmax(axis=1).tolist() for each in believed(CITY["name"]))
    assert len(set(after_letters)) > 3 and padded[0] == after_letters[-1] != padded[1], "the caption says so"
    assert CITY["letters"] == "".join(cities.alphabet.symbols[3:])
    assert CITY["countries"] == list(cities.countries)


def test_rounding_the_weights_costs_little():
    for kind in ("masked", "unmasked"):
        for before, after in CITY[kind]["right"].values():
            assert abs(before - after) < 0.5, "percentage points; the caption says so"


# Three networks that were trained on parity


def tracked(bits, kind):
    """Return the state of the unit that is shown, and whether a network says odd, after each bit, by its loop."""
    weights = {name: np.array(value) for name, value in PARITY["networks"][kind].items()}
    if kind == "LSTM":
        model = LSTM(1, 4, dtype="float64")
        model.load_state_dict({f"{each}_l0": weights[each] for each in shapes(model)})
        h = model(np.array(bits, float)[:, None, None])[0][:, 0]
    else:
        factors = np.tanh(weights["factor"]) if "−" in kind else sigmoid(weights["factor"])
        h, found = np.zeros(4), []
        for bit in bits:
            h = factors[bit] * h + weights["add"][bit]
            found.append(h)
        h = np.array(found)
    return h[:, weights["unit"]], h @ weights["head"] + weights["head_bias"] > 0


@pytest.mark.parametrize("kind", PARITY["networks"])
def test_the_networks_that_follow_parity_are_the_package_s(script, kind):
    for bits in (*PARITY["sequences"].values(), np.random.default_rng(0).integers(2, size=60).tolist()):
        found = script("lstm.parity", bits, PARITY["networks"][kind], "−" in kind)
        state, odd = tracked(bits, kind)
        np.testing.assert_allclose([each["state"] for each in found], state, rtol=1e-9, atol=1e-9)
        assert [each["odd"] for each in found] == odd.tolist()


def test_what_the_alternative_text_says_of_parity_is_so():
    bits = PARITY["sequences"]["mixed"]
    right = {kind: np.mean(tracked(bits, kind)[1] == (np.cumsum(bits) % 2 == 1)) for kind in PARITY["networks"]}
    assert right["LSTM"] == right["factors in (−1, 1)"] == 1 and 0.4 < right["factors in (0, 1)"] < 0.6
    assert len(bits) == 60 and PARITY["trained"] == 20
