"""The figures: they say what the numbers say, refuse what does not fit, and are told apart without their colours."""

import importlib
import itertools
import json
import re
import subprocess
import sys
from collections import namedtuple
from pathlib import Path
from xml.etree import ElementTree

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex, to_rgb

from lstm_tutorial import figures
from lstm_tutorial.figures import drawings
from lstm_tutorial.in_numpy import sigmoid

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "book" / "figures"
Gates = namedtuple("Gates", "i f g o c")
THINGS = ("forget", "input", "candidate", "output", "cell", "hidden", "x")


@pytest.fixture(autouse=True)
def style():
    with plt.style.context("default"):
        figures.use_course_style()
        yield
    plt.close("all")


@pytest.fixture(scope="module")
def script():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(PICTURES)
        yield importlib.import_module("draw")


def texts(ax):
    return [text.get_text() for text in ax.texts if text.get_text()]


# Colours


def linear(name):
    c = np.array(to_rgb(drawings.COLOURS.get(name, name)))
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    """CIE L*a*b* of linear sRGB."""
    to_xyz = [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.072175], [0.0193339, 0.119192, 0.9503041]]
    t = to_xyz @ np.clip(rgb, 0, 1) / [0.95047, 1, 1.08883]
    x, y, z = np.where(t > 0.008856, np.cbrt(t), 7.787 * t + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


# What a dichromat sees of linear sRGB: Machado, Oliveira and Fernandes (2009), severity 1.
SIGHT = {
    "full": np.eye(3),
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.01182, 0.04294, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.3039]],
}


@pytest.mark.parametrize("sight", SIGHT)
def test_colours_part_to_every_sight_and_in_grey(sight):
    seen = {name: lab(SIGHT[sight] @ linear(name)) for name in (*THINGS, "rnn", "lstm")}
    for one, other in [*itertools.combinations(THINGS, 2), ("rnn", "lstm")]:
        assert np.linalg.norm(seen[one] - seen[other]) > 14, (one, other)
        assert sight != "full" or abs(seen[one][0] - seen[other][0]) > 7, (one, other)


def contrasts(colour):
    """Return a colour's contrast on white, and that of its opposite in the dark theme."""
    turned = np.array([[-0.574, 1.43, 0.144], [0.426, 0.43, 0.144], [0.426, 1.43, -0.856]])  # hue-rotate(180deg)
    dark = tuple(np.clip(turned @ (0.93 - 0.86 * np.array(to_rgb(colour))), 0, 1))  # invert(0.93)
    given, dark, ground = (linear(c) @ [0.2126, 0.7152, 0.0722] + 0.05 for c in (colour, dark, "#121212"))
    return 1.05 / given, dark / ground


def test_colours_stand_out_on_white_and_in_the_dark_theme():
    for name in (*THINGS, "rnn", "lstm", "ink", "grey"):
        white, dark = contrasts(drawings.COLOURS[name])
        assert dark > 3 and white > (2 if name == "x" else 3), name


# The drawings


@pytest.mark.parametrize("part", drawings.PARTS)
def test_cell_lights_the_part_alone(part):
    ax = figures.draw_cell(part)
    dark = {text.get_text() for text in ax.texts if text.get_color() == drawings.COLOURS["ink"]}
    ends = {"update": {"$c_t$"}, "output": {"$c_t$", "$h_t$"}}.get(part, set())
    assert dark & {"forget", "input", "candidate", "output", "$c_t$", "$h_t$"} == ends | {part} - {"update"}


def test_cell_carries_numbers():
    ax = figures.draw_cell(values={"f": 0.73106, "c_prev": 2, "z_o": "z = −1"})
    assert {"0.7311", "2", "z = −1"} <= set(texts(ax))


def test_gate_shows_the_numbers_it_computes():
    ax = figures.draw_gate([2, -4], [0, -1.5], gate="output")
    assert {"2", "−4", "σ(0) = 0.50", "σ(−1.5) = 0.18", "1.00", "−0.73"} <= set(texts(ax))
    flows = [patch.get_height() for patch in ax.patches if patch.get_width() > 2]
    assert np.allclose(np.divide(flows[1::2], flows[::2]), sigmoid(np.array([0, -1.5])))
    assert np.isclose(flows[2] / flows[0], 2)


@pytest.mark.parametrize("kind, states", [("rnn", "h"), ("lstm", "hc")])
def test_unrolled_shows_every_step(kind, states):
    words = texts(figures.draw_unrolled(3, kind))
    assert {f"${state}_{t}$" for state in states for t in range(4)} | {"$x_1$", "$x_2$", "$x_3$"} <= set(words)
    assert not {"$x_0$", "$x_4$"} & set(words) and ("$c_1$" in words) == (kind == "lstm")


# The plots


def traces(*shape):
    rng = np.random.default_rng(1)
    i, f, o = rng.uniform(size=(3, *shape))
    g, c = rng.uniform(-1, 1, size=(2, *shape))
    return Gates(i, f, g, o, 3 * c)


def test_gates_are_drawn_in_the_order_of_the_course():
    gates = traces(12)
    axes = figures.plot_gates(gates, {"mark": np.arange(12), "reset": np.zeros(12)})
    panels = ["x", "forget $f$", "input $i$", "candidate $g$", "output $o$", "cell $c$"]
    assert [ax.get_ylabel() for ax in axes] == panels
    assert texts(axes[0]) == ["reset", "mark"]
    for ax, name in zip(axes[1:], "figoc"):
        assert np.array_equal(ax.patches[0].get_data().values, getattr(gates, name))
    assert axes[1].get_ylim()[0] < 0 and axes[1].get_ylim()[1] > 1 and axes[-1].get_xlim() == (0.5, 12.5)


def test_gates_of_many_units_are_a_map():
    gates = traces(9, 8)
    axes = figures.plot_gates(gates)
    assert np.array_equal(axes[0].images[0].get_array(), gates.f.T)
    assert axes[0].images[0].get_clim() == (0, 1) and axes[2].images[0].get_clim() == (-1, 1)
    assert texts(axes[-1]) == [f"±{np.abs(gates.c).max():.2g}"]


def test_gradient_by_lag_has_a_line_a_band_and_a_label_for_each():
    lags = np.arange(1, 30)
    curves = {f"LSTM, bias {b}": [(1 - 0.1**b) ** lags * s for s in (1, 0.5, 2)] for b in (1, 2, 3)}
    curves["RNN"] = [0.5**lags] * 3
    ax = figures.plot_gradient_by_lag(lags, curves)
    assert ax.get_yscale() == "log" and len(ax.lines) == len(ax.collections) == 4
    assert np.array_equal(ax.lines[3].get_ydata(), curves["RNN"][0])
    assert ax.lines[3].get_color() == drawings.COLOURS["rnn"].lower()
    assert len({(line.get_color(), line.get_linestyle()) for line in ax.lines}) == 4
    places = {text.get_text(): text.xy[1] for text in ax.texts}  # beside the lines' ends
    assert list(sorted(places, key=places.get)) == ["RNN", "LSTM, bias 1", "LSTM, bias 2", "LSTM, bias 3"]
    assert np.diff(sorted(places.values())).min() > 0.079


def test_half_life_lies_on_its_formula():
    ax = figures.plot_half_life([0.5, 0.9], [[1.0, 1.1], [6.6, 6.5]])
    f, steps = ax.lines[0].get_data()
    assert np.allclose(f**steps, 0.5)
    assert np.array_equal(ax.lines[1].get_xdata(), [0.5, 0.5, 0.9, 0.9])
    assert np.array_equal(ax.lines[1].get_ydata(), [1.0, 1.1, 6.6, 6.5])
    assert len(figures.plot_half_life().lines) == 1


def test_losses_show_every_seed_the_median_and_the_baseline():
    runs = {"LSTM": [np.full(3, 0.1), np.full(3, 0.2), np.full(3, 0.6)], "RNN": [np.ones(2), np.ones(4)]}
    ax = figures.plot_losses(runs, {"always 1": 1 / 6}, every=10, log=True)
    assert len(ax.lines) == 3 + 1 + 2 + 1 and ax.get_yscale() == "log"
    assert np.array_equal(ax.lines[3].get_xdata(), [10, 20, 30]) and np.allclose(ax.lines[3].get_ydata(), 0.2)
    assert np.allclose(ax.lines[-1].get_ydata(), 1 / 6) and ax.lines[-1].get_linestyle() == "--"
    assert set(texts(ax)) == {"LSTM", "RNN", "always 1"}
    assert "baseline" in texts(figures.plot_losses(runs, 0.3))


def test_openings_are_shares():
    ax = figures.plot_gate_values({"default": np.array([[0.5, 0.52], [0.0, 1.0]]), "open": np.ones(3)})
    assert np.allclose([patch.get_data().values.sum() for patch in ax.patches], 1)
    assert ax.patches[0].get_data().values[-1] == 0.25 and ax.patches[-1].get_data().values[-1] == 1


def test_scores_show_every_seed_and_the_median():
    ax = figures.plot_scores({"LSTM": [0.7, 0.9, 0.8], "linear": [0.6]}, {"majority": 0.4}, "accuracy")
    assert np.array_equal(ax.lines[0].get_xdata(), [0.7, 0.9, 0.8]) and np.allclose(ax.lines[1].get_xdata(), 0.8)
    assert np.allclose(ax.lines[-1].get_xdata(), 0.4) and texts(ax) == ["majority"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["LSTM", "linear"] and ax.yaxis_inverted()


def test_differences_stand_beside_the_scores_with_their_intervals():
    difference = {"mean": -0.2, "low": -0.3, "high": -0.1}
    axes = figures.plot_scores({"LSTM": [0.8, 0.9], "RNN": [0.6, 0.7]}, differences={"RNN": difference}, against="LSTM")
    interval, mean, zero = axes[1].lines
    assert np.array_equal(interval.get_xydata(), [[-0.3, 1], [-0.1, 1]])
    assert np.array_equal(mean.get_xydata(), [[-0.2, 1]]) and set(zero.get_xdata()) == {0}
    assert axes[1].get_xlabel() == "difference from LSTM" and axes[1].get_ylim() == axes[0].get_ylim()


REFUSED = [
    (figures.draw_cell, [{"input", "cell"}], "lit must be among forget, input, .* got cell"),
    (figures.draw_cell, [(), {"forget": 1}], "values must be among .*written.* got forget"),
    (figures.draw_gate, [[1, 2], [1]], r"one shape \(H,\), got \(2,\) and \(1,\)"),
    (figures.draw_gate, [[], []], r"got \(0,\)"),
    (figures.draw_gate, [[1], [1], "candidate"], "gate must be forget, input or output, got 'candidate'"),
    (figures.draw_unrolled, [4, "gru"], "kind must be 'rnn' or 'lstm', got 'gru'"),
    (figures.draw_unrolled, [7], "steps must be 1 to 6, got 7"),
    (figures.plot_gates, [traces(4)._replace(f=np.ones(3))], r"five arrays \(T,\) or \(T, H\)"),
    (figures.plot_gates, [traces(4, 2, 2)], r"\(4, 2, 2\)"),
    (figures.plot_gates, [traces(4), {"x": np.ones(5)}], r"inputs must have shape \(4,\), got \[\(5,\)\]"),
    (figures.plot_gates, [traces(4, 2), None, ["a"]], "labels must be 2, one per unit, got 1"),
    (figures.plot_gates, [traces(4), None, None, [None] * 4], "axes must be 5, one per panel, got 4"),
    (figures.plot_gradient_by_lag, [np.arange(4), {"RNN": np.ones((3, 5))}], r"arrays \(4,\), got shape \(3, 5\)"),
    (figures.plot_half_life, [[0.5, 0.9], np.ones(3)], r"measured must be \(2,\) or \(2, seeds\), got \(3,\)"),
    (figures.plot_losses, [{"LSTM": []}], r"runs\['LSTM'\] must be a list of arrays \(n,\)"),
    (figures.plot_losses, [{"LSTM": [np.ones((2, 2))]}], r"runs\['LSTM'\] must be a list of arrays \(n,\)"),
    (figures.plot_gate_values, [{"f": [1.1]}], r"values\['f'\] must lie between 0 and 1"),
    (figures.plot_gate_values, [{"f": [np.nan]}], r"values\['f'\] must lie between 0 and 1"),
    (figures.plot_scores, [{"LSTM": []}], r"scores\['LSTM'\] must be an array \(seeds,\)"),
]


@pytest.mark.parametrize("draw, arguments, message", REFUSED)
def test_what_does_not_fit_is_refused(draw, arguments, message):
    with pytest.raises(ValueError, match=message):
        draw(*arguments)


# The pictures of the pages


TOY = """
import matplotlib.pyplot as plt
from registry import figure

@figure("toy-{0}", study="memory")
def toy(study):
    return plt.subplots({1})[1]
"""


def test_pictures_are_drawn_when_something_has_changed(script, tmp_path):
    source, drawn = tmp_path / "source", tmp_path / "drawn"
    source.mkdir()
    toy = source / "toy.py"

    def draw(text=None):
        if text is not None:
            toy.write_text(text, encoding="utf-8")
        done = script.draw(source=source, folder=drawn)
        return done, sorted(path.name for path in drawn.iterdir())

    assert draw(TOY.format("a", "1")) == (["toy"], ["toy-a.svg", "toy.stamp"])
    assert ElementTree.parse(drawn / "toy-a.svg").getroot().get("viewBox").startswith("0 0 540 ")  # 7.5 inches
    inputs = json.loads((drawn / "toy.stamp").read_text(encoding="utf-8"))["inputs"]
    assert {"experiments/results/memory.json", "lstm_tutorial/figures/plots.py", "book/figures/draw.py"} <= set(inputs)
    assert draw()[0] == []
    before = (drawn / "toy-a.svg").read_bytes()
    with pytest.raises(ValueError, match="positive"):
        draw(TOY.format("a", "0"))
    assert (drawn / "toy-a.svg").read_bytes() == before  # half a drawing is none
    assert draw(TOY.format("a", "2"))[0] == ["toy"] and (drawn / "toy-a.svg").read_bytes() != before
    (drawn / "toy-a.svg").unlink()
    assert draw()[0] == ["toy"] and draw()[0] == []
    assert script.draw(["toy"], source, drawn) == ["toy"]
    assert draw(TOY.format("b", "2")) == (["toy"], ["toy-b.svg", "toy.stamp"])
    toy.unlink()
    assert draw() == ([], [])


def test_every_picture_stands_on_a_page_and_needs_no_torch():
    code = "import sys; sys.modules['torch'] = None; import draw; list(map(draw.load, draw.modules()))"
    run = subprocess.run([sys.executable, "-c", code + "; print(*draw.FIGURES)"], cwd=PICTURES, capture_output=True)
    assert run.returncode == 0, run.stderr.decode()
    pages = [path.read_text(encoding="utf-8") for path in (ROOT / "book").rglob("*.md")]
    shown = {name for page in pages for name in re.findall(r"\{(?:figure|image)\} drawn/(\S+)", page)}
    shown |= {f"play-{name}.svg" for page in pages for name in re.findall(r"\{play\} (\S+)", page)}
    assert shown | {"preview.png"} == set(run.stdout.decode().split())


def test_worked_step_can_be_followed_on_a_pocket_calculator(script):
    page = script.load(PICTURES / "cell_state.py")
    n = page.work_step()
    assert [n["z_i"], n["z_f"], n["z_g"], n["z_o"]] == [0, 1, 0.5, -1]
    assert n["i"] == 0.5 and np.isclose(n["f"], 1 / (1 + np.exp(-1))) and np.isclose(n["o"], 1 / (1 + np.e))
    assert np.isclose(n["c"], n["f"] * 2 + 0.5 * np.tanh(0.5)) and np.isclose(n["h"], n["o"] * np.tanh(n["c"]))
    assert {"1.462", "0.231", "1.693", "0.935", "0.251", "z = −1"} <= set(texts(page.worked_step()))


def test_map_has_a_stop_for_every_chapter(script):
    page = script.load(PICTURES / "intro.py")
    assert "LSTM in NumPy" in texts(page.course_map())
    gates = {"caption": "Gates", "numbered": 1, "chapters": [{"file": "book/gates"}, {"file": "book/gru"}]}
    back = {"caption": "Back", "chapters": [{"file": "book/glossary"}]}
    with pytest.raises(KeyError, match="must hold every chapter, and gru is missing"):
        page.parts({"root": "book/intro", "parts": [gates, back]})
    del gates["chapters"][1]
    found = page.parts({"root": "book/intro", "parts": [gates, back]})
    assert {name: [stop for stop, _ in stops] for name, stops in found.items()} == {"Gates": ["Introduction", "Gates"]}


@pytest.mark.release
def test_every_word_of_a_picture_can_be_read(script):
    """None is below 13 points at 7.5 inches, exponents and indices among them, and each stands out from its ground."""
    dimmed = drawings.tint("grey", 0.55).lower()  # what is named in parts of the cell that are not lit
    small, faint = [], []
    pages = [path for path in script.modules() if path.stem != "preview"]
    for name, drawn in itertools.chain.from_iterable(map(script.figures_of, pages)):
        drawn.canvas.draw()
        words = [text for text in drawn.findobj(plt.Text) if text.get_visible() and text.get_text().strip()]
        assert words, name
        for word in words:
            share = 0.7 if re.search(r"\$[^$]*[_^]", word.get_text()) else 1
            if word.get_size() * share * 7.5 / drawn.get_size_inches()[0] < 12.99:
                small.append((name, word.get_text(), word.get_size()))
            if (colour := to_hex(word.get_color())) not in (dimmed, "#ffffff") and min(contrasts(colour)) < 4:
                faint.append((name, word.get_text(), colour))
    assert small == [] and faint == []
