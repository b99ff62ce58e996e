"""The figures: they say what the numbers say, refuse what does not fit, and are told apart without their colours."""

import importlib
import itertools
import json
import re
import sys
import xml.etree.ElementTree as ElementTree
from collections import namedtuple
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_rgb

from lstm_tutorial import drawings, figures
from lstm_tutorial.in_numpy import LSTM, sigmoid

ROOT = Path(__file__).resolve().parents[1]
Gates = namedtuple("Gates", "i f g o c")
DIMMED = drawings.tint("grey", 0.55).lower()  # what is named in parts of the cell that are not lit
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
        patch.syspath_prepend(ROOT / "book" / "figures")
        yield importlib.import_module("draw")


def texts(ax):
    return [text.get_text() for text in ax.texts if text.get_text()]


def text_colour(ax, word):
    return next(text.get_color() for text in ax.texts if text.get_text() == word)


def wire_colours(ax):
    return [
        plt.matplotlib.colors.to_hex(patch.get_edgecolor()) for patch in ax.patches if "Arrow" in type(patch).__name__
    ]


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
def test_colours_part_to_every_sight(sight):
    seen = {name: lab(SIGHT[sight] @ linear(name)) for name in (*THINGS, "rnn", "lstm")}
    for one, other in [*itertools.combinations(THINGS, 2), ("rnn", "lstm")]:
        assert np.linalg.norm(seen[one] - seen[other]) > 14, (one, other)


def test_colours_part_in_grey():
    lightness = sorted(lab(linear(name))[0] for name in THINGS)
    assert np.diff(lightness).min() > 7
    assert abs(lab(linear("rnn"))[0] - lab(linear("lstm"))[0]) > 15


def luminance(colour):
    return linear(colour) @ [0.2126, 0.7152, 0.0722]


def contrasts(colour):
    """Return a colour's contrast on white, and that of its opposite in the dark theme."""
    turned = np.array([[-0.574, 1.43, 0.144], [0.426, 0.43, 0.144], [0.426, 1.43, -0.856]])  # hue-rotate(180deg)
    dark = tuple(np.clip(turned @ (0.93 - 0.86 * np.array(to_rgb(colour))), 0, 1))  # invert(0.93)
    return 1.05 / (luminance(colour) + 0.05), (luminance(dark) + 0.05) / (luminance("#121212") + 0.05)


def test_colours_stand_out_on_white_and_in_the_dark_theme():
    for name in (*THINGS, "rnn", "lstm", "ink", "grey"):
        white, dark = contrasts(drawings.COLOURS[name])
        assert dark > 3 and white > (2 if name == "x" else 3), name


def test_style_draws_in_the_course_s_colours():
    cycle = plt.rcParams["axes.prop_cycle"].by_key()
    assert set(cycle["color"]) <= set(drawings.COLOURS.values())
    assert len(set(zip(cycle["color"], cycle["linestyle"]))) == len(cycle["color"]) == 6


def test_shades_go_from_light_to_dark():
    for name in ("lstm", "x", "candidate"):
        lightness = [lab(linear(shade))[0] for shade in figures.shades(name, 4)]
        assert lightness == sorted(lightness, reverse=True) and len(set(lightness)) == 4


# The drawings


def test_cell_is_all_in_colour_unless_a_part_is_lit():
    words = {"forget", "input", "candidate", "output", "$f_t$", "$c_t$", "$h_t$", "$x_t$", "tanh", "σ"}
    ax = figures.draw_cell()
    assert words <= set(texts(ax))
    assert drawings.COLOURS["pale"].lower() not in wire_colours(ax)


@pytest.mark.parametrize("part", drawings.PARTS)
def test_cell_lights_the_part_alone(part):
    ax = figures.draw_cell(part)
    ink = drawings.COLOURS["ink"]
    lit = {word for word in ("forget", "input", "candidate", "output") if text_colour(ax, word) == ink}
    assert lit == {part} - {"update"}
    ends = {word for word in ("$c_t$", "$h_t$") if text_colour(ax, word) == ink}
    assert ends == {"update": {"$c_t$"}, "output": {"$c_t$", "$h_t$"}}.get(part, set())
    assert drawings.COLOURS["pale"].lower() in wire_colours(ax)


def test_cell_lights_several_parts():
    ax = figures.draw_cell({"input", "candidate"})
    assert text_colour(ax, "input") == text_colour(ax, "candidate") != text_colour(ax, "forget")


def test_cell_carries_numbers():
    ax = figures.draw_cell(values={"f": 0.73106, "c_prev": 2, "z_o": "z = −1"})
    assert {"0.7311", "2", "z = −1"} <= set(texts(ax))


@pytest.mark.parametrize("lit", ["forgets", {"input", "cell"}])
def test_cell_refuses_unknown_parts(lit):
    with pytest.raises(ValueError, match="lit must be among forget, input, .* got (forgets|cell)"):
        figures.draw_cell(lit)


def test_cell_refuses_unknown_values():
    with pytest.raises(ValueError, match="values must be among .*written.* got forget"):
        figures.draw_cell(values={"forget": 1})


def test_gate_shows_the_numbers_it_computes():
    ax = figures.draw_gate([2, -4], [0, -1.5], gate="output")
    assert {"2", "−4", "σ(0) = 0.50", "σ(−1.5) = 0.18", "1.00", "−0.73"} <= set(texts(ax))
    flows = [patch.get_height() for patch in ax.patches if patch.get_width() > 2]
    assert np.allclose(np.divide(flows[1::2], flows[::2]), sigmoid(np.array([0, -1.5])))
    assert np.isclose(flows[2] / flows[0], 2)


def test_gate_closes_on_nothing():
    assert {"0", "0.00"} <= set(texts(figures.draw_gate([0.0], [3.0])))


@pytest.mark.parametrize(
    "arguments, message",
    [
        (([1, 2], [1]), r"one shape \(H,\), got \(2,\) and \(1,\)"),
        (([], []), r"got \(0,\)"),
        (([[1]], [[1]]), r"got \(1, 1\)"),
        (([1], [1], "candidate"), "gate must be forget, input or output, got 'candidate'"),
    ],
)
def test_gate_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        figures.draw_gate(*arguments)


@pytest.mark.parametrize("kind, states", [("rnn", "h"), ("lstm", "hc")])
def test_unrolled_shows_every_step(kind, states):
    words = texts(figures.draw_unrolled(3, kind))
    assert {f"${state}_{t}$" for state in states for t in range(4)} | {"$x_1$", "$x_2$", "$x_3$"} <= set(words)
    assert "$x_0$" not in words and "$x_4$" not in words and ("$c_1$" in words) == (kind == "lstm")


@pytest.mark.parametrize("arguments, message", [((4, "gru"), "'gru'"), ((0,), "1 to 6, got 0"), ((7,), "got 7")])
def test_unrolled_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        figures.draw_unrolled(*arguments)


def test_wires_turn_corners_and_end_where_they_should():
    ax = drawings.canvas(3, 2)
    drawings.wire(ax, (0.5, 0.5), (2, 0.5), (2, 1.5), bend=0.2)
    path = ax.patches[0].get_path()
    assert np.allclose(path.vertices[[0, 1, 2, 3]], [(0.5, 0.5), (1.8, 0.5), (2, 0.5), (2, 0.7)])


def test_drawings_go_into_axes_of_one_s_own():
    _, axes = plt.subplots(1, 3)
    for ax, draw in zip(axes, (figures.draw_cell, figures.draw_gate, figures.draw_unrolled)):
        assert draw(ax=ax) is ax and ax.patches


# The plots


def traces(*shape):
    rng = np.random.default_rng(1)
    i, f, o = rng.uniform(size=(3, *shape))
    g, c = rng.uniform(-1, 1, size=(2, *shape))
    return Gates(i, f, g, o, 3 * c)


def test_gates_are_drawn_in_the_order_of_the_course():
    gates = traces(12)
    axes = figures.plot_gates(gates, {"mark": np.arange(12), "reset": np.zeros(12)})
    assert [ax.get_ylabel() for ax in axes] == [
        "x",
        *("forget $f$", "input $i$", "candidate $g$", "output $o$", "cell $c$"),
    ]
    assert texts(axes[0]) == ["reset", "mark"]
    for ax, name in zip(axes[1:], "figoc"):
        assert np.array_equal(ax.patches[0].get_data().values, getattr(gates, name))
    assert axes[1].get_ylim()[0] < 0 and axes[1].get_ylim()[1] > 1 and axes[-1].get_xlim() == (0.5, 12.5)


def test_gates_of_a_network_are_drawn():
    lstm = LSTM(2, 3, rng=0)
    *_, gates = lstm(np.ones((5, 2), "float32"), return_gates=True)
    axes = figures.plot_gates(gates, labels=["a", "b", "c"])
    assert sorted(texts(axes[-1])) == ["a", "b", "c"]
    styles = [(patch.get_edgecolor(), str(patch.get_linestyle())) for patch in axes[0].patches]
    assert len(set(styles)) == 3


def test_gates_of_many_units_are_a_map():
    gates = traces(9, 8)
    axes = figures.plot_gates(gates)
    assert np.array_equal(axes[0].images[0].get_array(), gates.f.T)
    assert axes[0].images[0].get_clim() == (0, 1) and axes[2].images[0].get_clim() == (-1, 1)
    assert texts(axes[-1]) == [f"±{np.abs(gates.c).max():.2g}"]


def test_gates_go_into_axes_of_one_s_own():
    _, own = plt.subplots(5)
    assert np.array_equal(figures.plot_gates(traces(4), axes=own), own)


@pytest.mark.parametrize(
    "gates, arguments, message",
    [
        (traces(4)._replace(f=np.ones(3)), {}, r"five arrays \(T,\) or \(T, H\)"),
        (traces(4, 2, 2), {}, r"\(4, 2, 2\)"),
        (traces(0), {}, r"\(0,\)"),
        (traces(4), {"inputs": {"x": np.ones(5)}}, r"inputs must have shape \(4,\), got \[\(5,\)\]"),
        (traces(4, 2), {"labels": ["a"]}, "labels must be 2, one a unit, got 1"),
        (traces(4), {"axes": [None] * 4}, "axes must be 5, one a panel, got 4"),
    ],
)
def test_gates_refuse(gates, arguments, message):
    with pytest.raises(ValueError, match=message):
        figures.plot_gates(gates, **arguments)


def heights(ax):
    """Where the labels beside the lines' ends stand."""
    return {text.get_text(): text.xy[1] for text in ax.texts}


def test_gradient_by_lag_has_a_line_a_band_and_a_label_for_each():
    lags = np.arange(1, 30)
    curves = {f"LSTM, bias {b}": [(1 - 0.1**b) ** lags * s for s in (1, 0.5, 2)] for b in (1, 2, 3)}
    curves["RNN"] = [0.5**lags] * 3
    ax = figures.plot_gradient_by_lag(lags, curves)
    assert ax.get_yscale() == "log" and len(ax.lines) == len(ax.collections) == 4
    assert np.array_equal(ax.lines[3].get_ydata(), curves["RNN"][0])
    assert ax.lines[3].get_color() == drawings.COLOURS["rnn"].lower()
    assert len({(line.get_color(), line.get_linestyle()) for line in ax.lines}) == 4
    places = heights(ax)
    assert list(sorted(places, key=places.get)) == ["RNN", "LSTM, bias 1", "LSTM, bias 2", "LSTM, bias 3"]
    assert np.diff(sorted(places.values())).min() > 0.079


def test_gradient_by_lag_refuses():
    with pytest.raises(ValueError, match=r"curves\['RNN'\] must hold three arrays \(4,\), got shape \(3, 5\)"):
        figures.plot_gradient_by_lag(np.arange(4), {"RNN": np.ones((3, 5))})


def test_half_life_lies_on_its_formula():
    ax = figures.plot_half_life([0.5, 0.9], [[1.0, 1.1], [6.6, 6.5]])
    f, steps = ax.lines[0].get_data()
    assert np.allclose(f**steps, 0.5)
    assert np.array_equal(ax.lines[1].get_xdata(), [0.5, 0.5, 0.9, 0.9])
    assert np.array_equal(ax.lines[1].get_ydata(), [1.0, 1.1, 6.6, 6.5])
    assert len(figures.plot_half_life().lines) == 1


@pytest.mark.parametrize("measured", [np.ones(3), np.ones((2, 2, 2))])
def test_half_life_refuses(measured):
    with pytest.raises(ValueError, match=r"measured must be \(2,\) or \(2, seeds\), got"):
        figures.plot_half_life([0.5, 0.9], measured)


def test_losses_show_every_seed_the_median_and_the_baseline():
    runs = {"LSTM": [np.full(3, 0.1), np.full(3, 0.2), np.full(3, 0.6)], "RNN": [np.ones(2), np.ones(4)]}
    ax = figures.plot_losses(runs, {"always 1": 1 / 6}, every=10, log=True)
    assert len(ax.lines) == 3 + 1 + 2 + 1 and ax.get_yscale() == "log"
    assert np.array_equal(ax.lines[3].get_xdata(), [10, 20, 30]) and np.allclose(ax.lines[3].get_ydata(), 0.2)
    assert np.allclose(ax.lines[-1].get_ydata(), 1 / 6) and ax.lines[-1].get_linestyle() == "--"
    assert set(texts(ax)) == {"LSTM", "RNN", "always 1"}
    assert "baseline" in texts(figures.plot_losses(runs, 0.3))


@pytest.mark.parametrize("seeds", [[], [np.ones((2, 2))], [[]]])
def test_losses_refuse(seeds):
    with pytest.raises(ValueError, match=r"runs\['LSTM'\] must be a list of arrays \(n,\)"):
        figures.plot_losses({"LSTM": seeds})


def test_openings_are_shares():
    ax = figures.plot_openings({"default": np.array([[0.5, 0.52], [0.0, 1.0]]), "open": np.ones(3)})
    assert np.allclose([patch.get_data().values.sum() for patch in ax.patches], 1)
    assert ax.patches[0].get_data().values[-1] == 0.25 and ax.patches[-1].get_data().values[-1] == 1


@pytest.mark.parametrize("values", [[1.1], [-0.1], [], [np.nan]])
def test_openings_refuse(values):
    with pytest.raises(ValueError, match=r"openings\['f'\] must lie between 0 and 1"):
        figures.plot_openings({"f": values})


def test_scores_show_every_seed_and_the_median():
    ax = figures.plot_scores({"LSTM": [0.7, 0.9, 0.8], "linear": [0.6]}, {"majority": 0.4}, "accuracy")
    assert np.array_equal(ax.lines[0].get_xdata(), [0.7, 0.9, 0.8]) and np.allclose(ax.lines[1].get_xdata(), 0.8)
    assert np.allclose(ax.lines[-1].get_xdata(), 0.4) and texts(ax) == ["majority"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["LSTM", "linear"] and ax.yaxis_inverted()


@pytest.mark.parametrize("values", [[], [[1.0]]])
def test_scores_refuse(values):
    with pytest.raises(ValueError, match=r"scores\['LSTM'\] must be an array \(seeds,\)"):
        figures.plot_scores({"LSTM": values})


def test_plots_go_into_axes_of_one_s_own():
    _, (one, two, three, four, five) = plt.subplots(5)
    assert figures.plot_losses({"LSTM": [[1.0, 0.5]]}, ax=one) is one
    assert figures.plot_scores({"LSTM": [1.0]}, ax=two) is two
    assert figures.plot_openings({"f": [0.5]}, ax=three) is three
    assert figures.plot_half_life(ax=four) is four
    assert figures.plot_gradient_by_lag([1, 2], {"RNN": np.ones((3, 2))}, ax=five) is five


# The pictures of the prose pages. That those stored are those drawn, and drawn alike by another process: test_book.py.


def test_a_picture_drawn_twice_is_the_same_to_the_byte(script, tmp_path):
    (first,) = script.draw(tmp_path, ["unrolled-lstm"])
    before = first.read_bytes()
    (second,) = script.draw(tmp_path, ["unrolled-lstm"])
    assert before == second.read_bytes() and b"<dc:date>" not in before and b"<text" not in before


def test_pictures_fit_the_page(script):
    for path in (ROOT / "book" / "figures").glob("*.svg"):
        picture = ElementTree.parse(path).getroot()
        width, height = (float(picture.get(side).removesuffix("pt")) / 72 for side in ("width", "height"))
        if path.stem.endswith(sys.modules["registry"].ENDING):
            assert round(width, 2) == sys.modules["registry"].NARROW and height <= 10, (path.name, width, height)
            continue
        tallest = 10 if path.name == "map.svg" else 7  # the map grows by a row with every part
        assert 6.5 <= width <= 8 and height <= tallest, (path.name, width, height)
        assert path.stat().st_size < 200_000, path.name


def test_a_picture_without_its_study_is_left_out(script, tmp_path, monkeypatch, capsys):
    pictures = {}
    for module in (script, sys.modules["registry"]):
        monkeypatch.setattr(module, "FIGURES", pictures)
    monkeypatch.setattr(script, "RESULTS", tmp_path)
    script.figure("scores", study="some")(lambda study: figures.plot_scores(study["results"]))
    assert script.draw(tmp_path) == [] and "left out" in capsys.readouterr().out
    (tmp_path / "some.json").write_text('{"results": {"LSTM": [0.5, 0.6]}}', encoding="utf-8")
    files = [tmp_path / "scores.svg", tmp_path / "scores-narrow.svg"]
    assert script.draw(tmp_path) == files and all(map(Path.exists, files))


def test_worked_step_can_be_followed_on_a_pocket_calculator(script):
    n = script.work_step()
    assert [n["z_i"], n["z_f"], n["z_g"], n["z_o"]] == [0, 1, 0.5, -1]
    assert n["i"] == 0.5 and np.isclose(n["f"], 1 / (1 + np.exp(-1))) and np.isclose(n["o"], 1 / (1 + np.e))
    assert np.isclose(n["c"], n["f"] * 2 + 0.5 * np.tanh(0.5)) and np.isclose(n["h"], n["o"] * np.tanh(n["c"]))
    assert {"1.462", "0.231", "1.693", "0.935", "0.251", "z = −1"} <= set(texts(script.worked_step()))


def test_map_leads_through_the_table_of_contents(script):
    yaml = pytest.importorskip("yaml")
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    parts = {part["caption"]: len(part["chapters"]) for part in contents["parts"] if part["caption"] != "Back"}
    parts["Start"] += 1 - 1  # the introduction, the book's root, is a stop; the tracks through the map are none
    assert {part: len(stops) for part, stops in script.MAP.items()} == parts


# Figures are 387 pixels wide on a phone of 390, 354 on one of 360 and a little less. Those that move have their own.
PHONE, LEAST = 354, 8.5
SVG = "{http://www.w3.org/2000/svg}"


def scale(element):
    return float((re.findall(r"scale\(([\d.]+)", element.get("transform", "")) or [1])[0])


def letters(path, shown=PHONE):
    """Return the sizes in pixels of the letters of an SVG, shown so many pixels wide; indices are letters too."""
    root = ElementTree.parse(path).getroot()
    pixel, words = shown / float(root.get("viewBox").split()[2]), root.iter(f"{SVG}g")
    words = [part for word in words if word.get("id", "").startswith("text_") for part in word.iter(f"{SVG}g")]
    parts = [part for part in words if "scale" in part.get("transform", "")]
    return [100 * scale(part) * scale(letter) * pixel for part in parts for letter in part.iter(f"{SVG}use")]


def test_no_letter_of_a_picture_is_small_on_a_phone():
    pictures = {path.stem: path for path in (ROOT / "book" / "figures").glob("*.svg") if path.name[:5] != "play-"}
    shown = {name: pictures.get(f"{name}-narrow", path) for name, path in pictures.items()}
    least = {name: round(min(letters(path), default=0), 1) for name, path in shown.items()}
    assert len(least) > 90 and {name: size for name, size in least.items() if size < LEAST} == {}


def test_small_letters_are_found(tmp_path):
    def smallest(size, text, width=4.9):
        fig = plt.figure(figsize=(width, 1), layout="none")
        fig.text(0.1, 0.2, "large", size=20)
        fig.text(0.1, 0.5, text, size=size, rotation=90)
        fig.savefig(tmp_path / "a.svg")
        return min(letters(tmp_path / "a.svg"))

    for size, text, width in ((10, "word", 4.9), (12.5, "$x_2$", 4.9), (13, "word", 7.5)):
        assert smallest(size, text, width) >= LEAST
    for size, text, width in ((8, "word", 4.9), (11, "$x_2$", 4.9), (10, "word", 7)):
        assert smallest(size, text, width) < LEAST


def shown_data(drawn):
    """Return the numbers that a plot shows: points of lines, corners of bars and bands, colours of maps."""
    found = []
    for ax in drawn.axes:
        found += [line.get_xydata() for line in ax.lines]
        found += [patch.get_patch_transform().transform(patch.get_path().vertices) for patch in ax.patches]
        found += [path.vertices for each in ax.collections for path in each.get_paths()]
        found += [each.get_array() for each in [*ax.collections, *ax.images] if each.get_array() is not None]
    return sorted(np.round(np.ma.filled(numbers, np.nan), 9).tobytes() for numbers in found)


@pytest.mark.slow
def test_a_narrow_picture_shows_what_the_wide_one_shows(script):
    every_drawing(script)
    pairs, registry = 0, sys.modules["registry"]
    for name in script.FIGURES:
        (_, wide), *rest = registry.pictures(name, study_of(script, name))
        for _, narrow in rest:
            pairs += 1
            if name != "attention-pooling-letters":  # a drawing, whose places are those of its letters
                assert shown_data(narrow) == shown_data(wide) != [], name
            words = [sorted(text for ax in each.axes for text in texts(ax)) for each in (wide, narrow)]
            assert words[0] == words[1] or name == "attention-pooling-letters", name
    assert pairs > 30


@pytest.mark.slow
def test_nothing_written_in_a_picture_is_cut(script):
    cut = []
    for name, drawn, words in drawings_of_pages(script):
        width, height = drawn.canvas.get_width_height()
        ticks = {id(tick) for ax in drawn.axes for tick in (*ax.get_xticklabels(), *ax.get_yticklabels())}
        for word in words:
            place = word.get_window_extent()
            inside = place.x0 > -2 and place.x1 < width + 2 and place.y0 > -2 and place.y1 < height + 2
            cut += [] if inside or id(word) in ticks else [(name, word.get_text(), place.extents.round())]
    assert cut == []


def every_drawing(script):
    """Register the pictures of all chapters."""
    for path in sorted(script.HERE.glob("[!_]*.py")):
        if path.stem not in ("draw", "registry"):
            importlib.import_module(path.stem)


def study_of(script, name):
    study = script.FIGURES[name][1]
    return json.loads((script.RESULTS / f"{study}.json").read_text(encoding="utf-8")) if study else None


def drawings_of_pages(script):
    """Yield the name, the figure and the written texts of each SVG of a page."""
    every_drawing(script)
    for name in script.FIGURES:
        for file, drawn in sys.modules["registry"].pictures(name, study_of(script, name)):
            if file.endswith(".svg"):
                drawn.canvas.draw()
                texts = drawn.findobj(plt.Text)
                yield file, drawn, [text for text in texts if text.get_visible() and text.get_text().strip()]


@pytest.mark.slow
def test_every_word_of_a_picture_can_be_read(script):
    """None is below 9 points at 7 inches, and each stands out from its ground."""
    small, faint = [], []
    for name, drawn, words in drawings_of_pages(script):
        for word in words:
            if word.get_size() * 7 / drawn.get_size_inches()[0] < 8.9:
                small.append((name, word.get_text(), word.get_size()))
            background = getattr(word, "get_bbox_patch", lambda: None)()
            colour = plt.matplotlib.colors.to_hex(word.get_color())
            if background is None and colour not in (DIMMED, "#ffffff") and min(contrasts(colour)) < 4:
                faint.append((name, word.get_text(), colour, contrasts(colour)))
    assert small == [] and faint == []
