"""Draw the pictures of the prose pages: `python book/figures/draw.py [folder] [name ...]`, or `make figures` for all.

Here are the pictures of the first parts and the drawing itself; every other module of this folder holds those of the
chapter it is named after. `registry` says how a picture is added.
"""

import importlib
import json
import sys
from functools import partial
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Circle, Rectangle
from registry import FIGURES, NARROW, figure, pictures

from lstm_tutorial import figures
from lstm_tutorial.drawings import COLOURS, GATES, box, canvas, operation, tint, wire, write
from lstm_tutorial.in_numpy import Gates, lstm_cell

HERE = Path(__file__).resolve().parent
RESULTS = HERE.parents[1] / "experiments" / "results"

# The step that the cell state's chapter follows by hand: one input, one unit, rows i, f, g, o.
WORKED_STEP = {
    "x": [1.0],
    "h": [0.5],
    "c": [2.0],
    "weight_ih": [[1.0], [0.5], [1.0], [-0.5]],
    "weight_hh": [[-2.0], [-1.0], [-1.0], [-1.0]],
    "bias_ih": [0.0, 1.0, 0.0, 0.0],
    "bias_hh": [0.0, 0.0, 0.0, 0.0],
}

# The way through the course: a part, its stops, and what each answers.
MAP = {
    "Start": [
        ("Introduction", "for whom, and\nthree ways through"),
        ("Notation", "every symbol\nand shape, once"),
        ("Setup", "run it on\nyour own machine"),
    ],
    "Gates": [
        ("Memory", "why a plain\nnetwork forgets"),
        ("Gates", "a sigmoid layer\ntimes a product"),
    ],
    "Cell state": [
        ("Cell state", "one step, with\nnumbers, by hand"),
        ("LSTM in NumPy", "forward, backward,\ntrained from scratch"),
        ("LSTM in PyTorch", "the twin, and\nthe library's own"),
    ],
    "Topologies": [
        ("Shapes", "what comes out,\nand padding"),
        ("Many-to-one", "a sequence,\none answer"),
        ("Many-to-many", "an answer\nat every step"),
        ("One-to-many", "a vector,\na sequence"),
        ("Encoder-decoder", "a sequence\nto another"),
    ],
    "Pooling": [
        ("Pooling", "last, max, mean,\nand padding"),
        ("Attention", "weights by rule,\nthen learned"),
        ("Choosing", "which one when,\nin one study"),
    ],
    "In practice": [
        ("Fast", "from a naive loop\nto the fused layer"),
    ],
}


for part in ("forget", "input", "candidate", "update", "output"):
    figure(f"cell-{part}")(partial(figures.draw_cell, part))
figure("cell")(figures.draw_cell)
figure("gate")(figures.draw_gate)
figure("unrolled-rnn")(partial(figures.draw_unrolled, 4, "rnn"))
figure("unrolled-lstm")(partial(figures.draw_unrolled, 4, "lstm"))


def work_step():
    """Return every number of the worked step by its name in `draw_cell`, computed by the package."""
    given = {name: np.array(value) for name, value in WORKED_STEP.items()}
    x, state, weights = given["x"], (given["h"], given["c"]), [given[name] for name in list(given)[3:]]
    z = weights[0] @ x + weights[1] @ given["h"] + weights[2] + weights[3]
    (h, c), cache = lstm_cell(x, state, *weights)
    i, f, g, o = cache.i, cache.f, cache.g, cache.o
    numbers = dict(x=x, h_prev=given["h"], c_prev=given["c"], i=i, f=f, g=g, o=o, h=h, c=c)
    numbers |= dict(kept=f * given["c"], written=i * g, squashed=np.tanh(c))
    return {name: value.item() for name, value in numbers.items()} | dict(zip(("z_i", "z_f", "z_g", "z_o"), z.tolist()))


@figure("worked-step")
def worked_step():
    """The cell with a step's numbers on its wires."""
    numbers = {name: f"{value:.3f}".rstrip("0").rstrip(".").replace("-", "−") for name, value in work_step().items()}
    prefix = {"x": "= ", "z_i": "z = ", "z_f": "z = ", "z_g": "z = ", "z_o": "z = "}
    return figures.draw_cell(values={name: prefix.get(name, "") + text for name, text in numbers.items()})


@figure("jacobian-paths")
def jacobian_paths():
    """The two ways from one cell state to a later one: straight through the forget gates, and round through h."""
    ax = canvas(7.5, 3.7)
    top, bottom, cs, hs = 2.75, 0.95, (0.75, 3.75, 6.75), (1.85, 4.85)
    for k in (1, 2):
        wire(ax, (cs[k - 1] + 0.36, top), (cs[k] - 0.36, top), colour="forget", width=5)
        write(ax, (cs[k - 1] + cs[k]) / 2, top + 0.3, f"$f_{{t{{+}}{k}}}$", 20, tint("forget", 0.85, "black"))
        c, h, later = (np.array(point) for point in ((cs[k - 1], top), (hs[k - 1], bottom), (cs[k], top)))
        for start, end in ((c, h), (h, later)):
            along = (end - start) / np.hypot(*(end - start))
            wire(ax, start + 0.36 * along, end - 0.38 * along, colour="hidden", width=2.4)
    wire(ax, (hs[0] + 0.36, bottom), (hs[1] - 0.38, bottom), colour="hidden", width=2.4)
    for x, y, text, colour in (
        *((x, top, f"c_{{t{{+}}{k}}}" if k else "c_t", "cell") for k, x in enumerate(cs)),
        *((x, bottom, f"h_{{t{{+}}{k}}}" if k else "h_t", "hidden") for k, x in enumerate(hs)),
    ):
        ax.add_patch(Circle((x, y), 0.36, fc=tint(colour, 0.06), ec=COLOURS[colour], lw=1.8, zorder=3))
        write(ax, x, y, f"${text}$", 18.6)
    for k in (0, 1):
        write(ax, cs[k] + 0.62, 1.95, f"$o_{{t{{+}}{k}}}$" if k else "$o_t$", 18.6, ha="left")
        write(ax, hs[k] + 1.2, 1.7, "$f,\\ i,\\ g$", 18.6, ha="left")
    write(ax, (hs[0] + hs[1]) / 2, bottom - 0.25, "$o_{t{+}1}$", 18.6)
    write(ax, 3.75, 3.45, "direct: a product of forget gates", 14, tint("forget", 0.85, "black"), weight="bold")
    write(ax, 3.75, 0.25, "through h: recurrent weights and gate slopes, every step", 14, "hidden", weight="bold")
    return ax


@figure("map")
def course_map():
    """The course as a path: parts one below another, their chapters as stops."""
    rows = [(part, stops[k : k + 3]) for part, stops in MAP.items() for k in range(0, len(stops), 3)]
    tall, xs = 1.36, (2.15, 4.28, 6.4)
    ax = canvas(7.5, tall * len(rows) + 0.1)
    for row, (part, stops) in enumerate(rows):
        y, last = tall * (len(rows) - row) - 0.22, xs[len(stops) - 1]
        wire(ax, (xs[0], y), (last, y), colour="lstm", width=4, arrow=False)
        if row + 1 < len(rows):
            turns = (7.42, y), (7.42, y - 1.14), (1.45, y - 1.14), (1.45, y - tall), (xs[0] - 0.13, y - tall)
            wire(ax, (last, y), *turns, colour=tint("lstm", 0.35), width=2.6, z=1)
        if row == 0 or rows[row - 1][0] != part:
            write(ax, 0.1, y, part, 15, weight="bold", ha="left")
        for x, (title, answer) in zip(xs, stops):
            ax.plot(x, y, "o", ms=13, mfc="white", mec=COLOURS["lstm"], mew=3.2, zorder=5)
            write(ax, x, y - 0.31, title, 13.5, weight="bold")
            write(ax, x, y - 0.5, answer, 13, va="top", linespacing=1.25)
    return ax


@figure("numpy-lstm-backward")
def numpy_lstm_backward():
    """The cell run backwards: each wire turned round, and what a gradient is multiplied by on its way."""
    ax, lane, middle, bus, right, join = canvas(7.5, 4.4), 3.75, 2.84, 0.86, 6.45, 1.13
    x, top, both = dict(f=1.72, i=2.98, w=3.61, g=4.24, o=5.5), 2.41, 0.155
    box(ax, 3.85, 2.31, 6.02, 3.62, "#F5F6F8", 1, 0.25, z=0)
    for colour, width, *points in (
        ("cell", 4, (7.4, lane), (right + both, lane)),
        ("cell", 4, (right - both, lane), (x["w"] + 0.09, lane)),
        ("cell", 4, (x["w"], lane), (x["f"] + both, lane)),
        ("cell", 4, (x["f"] - both, lane), (0.1, lane)),
        ("hidden", 3.4, (7.4, bus), (right, bus), (right, middle - both)),
        ("hidden", 2, (right, middle + both), (right, lane - both)),
        ("output", 2, (right - both, middle), (x["o"], middle), (x["o"], top)),
        ("cell", 2, (x["w"], lane), (x["w"], middle + both)),
        ("input", 2, (x["w"] - both, middle), (x["i"], middle), (x["i"], top)),
        ("candidate", 2, (x["w"] + both, middle), (x["g"], middle), (x["g"], top)),
        ("forget", 2, (x["f"], lane - both), (x["f"], top)),
        ("hidden", 3.4, (x["o"], bus), (0.1, bus)),
        ("x", 3.4, (join, bus), (join, 0.32)),
    ):
        wire(ax, *points, colour=colour, width=width)
    for name, (word, squash) in list(GATES.items())[:4]:
        wire(ax, (x[name], 1.41), (x[name], bus + 0.02), colour=word)
        box(ax, x[name], 1.92, 1.12, 0.98, word)
        write(ax, x[name], 2.18, f"$d{name}_t$", 19)
        write(ax, x[name], 1.7, f"× slope\nof {squash}", 13, linespacing=1.1)
        write(ax, x[name] + 0.1, 1.18, f"$dz^{name}_t$", 18.6, tint(word, 0.8, "black"), ha="left")
    for x_, y, sign, colour in (
        *((x["f"], lane, "x", "cell"), (x["w"], middle, "x", "cell")),
        *((right, middle, "x", "hidden"), (right, lane, "+", "cell")),
    ):
        operation(ax, x_, y, sign, colour)
    ax.plot([x["w"], join], [lane, bus], "o", ms=9, color=COLOURS["ink"], zorder=4)
    for x_, y, text, colour, side in (
        (1.16, lane + 0.28, "f_t", "forget", "center"),
        (x["f"] + 0.12, 3.12, "c_{t{-}1}", "forget", "left"),
        (3.14, middle + 0.25, "g_t", "input", "center"),
        (4.09, middle + 0.25, "i_t", "candidate", "center"),
        (5.76, middle + 0.26, r"\tanh\,c_t", "output", "center"),
        (right - 0.14, 3.4, r"o_t \times \mathrm{tanh\ slope}", "hidden", "right"),
    ):
        write(ax, x_, y, rf"$\times\,{text}$", 18.6, tint(colour, 0.8, "black"), ha=side)
    for x_, y, text in ((0.4, lane, "c_{t{-}1}"), (0.4, bus, "h_{t{-}1}"), (7.17, lane, "c_t"), (7.17, bus, "h_t")):
        write(ax, x_, y + 0.3, f"$d{text}$", 19)
    write(ax, join, 0.14, "$dx_t$", 19)
    return ax


@figure("numpy-lstm-v-curve", study="numpy_lstm")
def numpy_lstm_v_curve(study):
    """The error of a gradient check against its step: a V for each precision; a wrong backward has none."""
    checks, ax = study["results"]["checks"], plt.subplots(figsize=(7, 3.8))[1]
    for name, label, colour, dash, (x, y) in (
        ("float64", "float64", "input", "-", (3e-9, 4e-9)),
        ("float32", "float32", "candidate", "--", (8e-5, 0.07)),
        ("path through h forgotten", "float64, the path through h forgotten", "forget", "-.", (1e-6, 14)),
    ):
        errors = checks[name] if name != "float32" else checks[name][:8]  # below, eps is lost in the number itself
        ax.plot(checks["eps"][: len(errors)], errors, color=COLOURS[colour], ls=dash, marker="o")
        ax.text(x, y, label, color=tint(colour, 0.8, "black"), ha="center")
    ax.axhline(1e-7, color=COLOURS["grey"], lw=1, ls=(0, (5, 3)))
    ax.text(1e-12, 1.7e-7, "tolerance", color=COLOURS["grey"])
    ax.text(3e-10, 3e-4, "rounding:\nerror as 1/ε", ha="center")
    ax.text(0.15, 3e-6, "curvature:\nerror as ε²", ha="center")
    ax.set(xscale="log", yscale="log", xlabel="step ε", ylabel="worst relative error", ylim=(2e-11, 100))
    ax.minorticks_off()
    return ax


@figure("numpy-lstm-losses", study="numpy_lstm")
def numpy_lstm_losses(study):
    """Learning curves of the adding problem, a line a seed."""
    names = {"LSTM, default forget bias": "LSTM, default bias", "LSTM": "LSTM, forget bias 2", "RNN": "RNN"}
    runs = {label: study["results"]["runs"][name]["losses"] for name, label in names.items()}
    ax = figures.plot_losses(runs, {"always 1": 1 / 6}, study["results"]["settings"]["every"], log=True)
    ax.set_ylabel("mean squared error")
    return ax


@figure("pytorch-lstm-three")
def pytorch_lstm_three():
    """One state dict, three networks that it fits, and who writes the way there and the way back."""
    ax, xs = canvas(7.5, 4.0), (1.3, 3.75, 6.2)
    box(ax, 3.75, 3.42, 5.9, 0.92, "ink", 0.04)
    write(ax, 3.75, 3.63, "one state dict", 14, weight="bold")
    write(ax, 3.75, 3.27, "weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0", 13)
    for x, name, title, colour, forward, back in (
        (xs[0], "in_numpy.LSTM", "NumPy", "lstm", "written out", "written out"),
        (xs[1], "in_torch.LSTM", "the twin", "forget", "written out", "autograd"),
        (xs[2], "torch.nn.LSTM", "torch's own", "hidden", "compiled", "autograd"),
    ):
        top = min(max(x, 2.1), 5.4)
        for shift, ends in ((-0.09, ((top, 2.92), (x, 2.42))), (0.09, ((x, 2.42), (top, 2.92)))):
            wire(ax, *[(end[0] + shift, end[1]) for end in ends], colour="grey", width=1.6)
        box(ax, x, 1.62, 2.2, 1.52, colour, 0.07)
        write(ax, x, 2.17, title, 14, tint(colour, 0.85, "black"), weight="bold")
        write(ax, x, 1.9, name, 13)
        for y, way, how in ((1.5, "forward", forward), (1.15, "way back", back)):
            write(ax, x - 1.02, y, way, 13, "grey", ha="left")
            write(ax, x + 1.02, y, how, 13, ha="right", weight="bold" if how == "written out" else "normal")
        wire(ax, (x, 0.82), (x, 0.5), colour="ink", width=2)
    write(ax, 3.75, 0.27, "the same outputs, the same gradients", 14, weight="bold")
    return ax


@figure("pytorch-lstm-drift", study="pytorch_lstm")
def pytorch_lstm_drift(study):
    """How far the twins' losses are apart while both are trained, a line a seed."""
    results, every = study["results"], study["results"]["settings"]["every"]
    ax = plt.subplots(figsize=(7, 3.6))[1]
    for run, label, colour, dash, place in (
        ("clipped", "float64, clipped by\ntwo formulas", "forget", "-", 1e-5),
        ("float32", "float32", "candidate", (0, (3, 1.5)), 3e-8),
        ("float64", "float64", "lstm", "-", 1e-15),
    ):
        for differences in results[run]["loss_difference"]:
            updates = every * np.arange(1, len(differences) + 1)
            ax.plot(updates, np.maximum(differences, 1e-17), color=COLOURS[colour], ls=dash, lw=1, alpha=0.8)
        ax.text(updates[-1] * 1.02, place, label, color=tint(colour, 0.75, "black"), va="center")
    ax.set(yscale="log", xlabel="updates", ylabel="difference of the losses", xlim=(0, updates[-1]), ylim=(5e-18, 1e-3))
    return ax


@figure("cell-state-trace")
def cell_state_trace():
    """Six steps of the worked cell."""
    inputs, given = [1.0, 0.0, 0.0, -4.0, 0.0, 2.0], {name: np.array(value) for name, value in WORKED_STEP.items()}
    state, caches = (given["h"], given["c"]), []
    for x in inputs:
        state, cache = lstm_cell(np.array([x]), state, *list(given.values())[3:])
        caches.append(cache)
    gates = Gates(*([getattr(cache, name).item() for cache in caches] for name in Gates._fields))
    return figures.plot_gates(gates, inputs={"": inputs})


@figure("cell-state-paths", study="cell_state")
def cell_state_paths(study):
    """What a nudge of the cell state still moves: all of it, by the forget gates alone, and through h."""
    results, names = study["results"], {"forget gates": "direct", "hidden state": "through_h", "cell (total)": "total"}
    axes = plt.subplots(2, figsize=(7, 5.6))[1]
    for ax, bias, n in zip(axes, ("1", "5"), (5, 7)):  # to lag 20, where little is left, and to lag 100
        runs, root = results["drawn"][bias]["1"], results["settings"]["H"] ** 0.5
        norms = {label: np.array(runs[part])[:, :n] / root for label, part in names.items()}
        curves = {label: (np.median(norm, 0), norm.min(0), norm.max(0)) for label, norm in norms.items()}
        figures.plot_gradient_by_lag(results["lags"][:n], curves, ax)
        ax.set(title=f"forget bias {bias}", xlabel="lag (time steps)", ylabel="norm (1 at lag 0)")
        ax.set_xticks([1, *results["lags"][2 if n == 5 else 3 : n]])
    return axes


@figure("cell-state-half-life", study="cell_state")
def cell_state_half_life(study):
    """Half-life by formula, and of the forget gates' product in drawn networks, a point a seed."""
    runs = [row["1"] for row in study["results"]["drawn"].values()]
    forget = [np.mean(run["forget"]) for run in runs]
    return figures.plot_half_life(forget, [run["half_life_direct"] for run in runs])


@figure("gates-latches", study="gates")
def gates_latches(study, narrow=False):
    """Three latches on the same pulses: set by hand, trained, trained without recurrent weights."""
    results = study["results"]
    steps, pulses = np.arange(results["settings"]["latch"]["T"]) + 1, results["settings"]["pulses"]
    inputs = {name: np.isin(steps, where) * 1.0 for name, where in pulses.items()}
    size = (NARROW, 5.6) if narrow else (7.8, 5.2)
    panels = plt.subplots(6, 3, sharex=True, sharey="row", figsize=size)[1]
    for k, (name, trace) in enumerate(results["traces"].items()):
        figures.plot_gates(Gates(**trace), inputs, axes=panels[:, k])
        title = {"hand": "by hand"}.get(name, name)
        panels[0, k].set_title(title.replace(" ", "\n", 1) if narrow else title)
        for ax in panels[:, k]:
            if k > 0:
                ax.set_ylabel("")
            for text in list(ax.texts) * (k < 2):
                text.remove()
    panels[-1, 0].set_xticks((20, 40) if narrow else range(10, 41, 10))
    return panels


@figure("gates-openings", study="gates")
def gates_openings(study):
    """How far gates stand open under the default draw and under weights from 0 to 1, ten seeds together."""
    curves = study["results"]["quantiles"]
    names = {"default, 16 units": ("default", "16"), "all positive, 5 units": ("positive", "5")}
    names |= {"all positive, 16 units": ("positive", "16")}
    return figures.plot_openings({label: curves[kind][size] for label, (kind, size) in names.items()})


@figure("memory-gradient", study="memory")
def memory_gradient(study, ax=None):
    """Gradient against lag, untrained RNN and LSTM at several forget biases, median and range over the seeds."""
    names = ["RNN", "LSTM, default", *(f"LSTM, bias {bias}" for bias in (1, 2, 3, 5))]
    ax = plt.subplots(figsize=(7, 4.2))[1] if ax is None else ax
    figures.plot_gradient_by_lag(study["results"]["lags"], spread(study, names), ax=ax)
    ax.set_ylabel("gradient, relative to lag 0")
    return ax


@figure("memory-gradient-top", study="memory")
def memory_gradient_top(study, narrow=False):
    """The upper end of the same figure, where curves go down and come back."""
    ax = plt.subplots(figsize=(7, 3.8))[1]
    ax.set(yscale="log", ylim=(0.01, 1.6))
    memory_gradient(study, ax).set(yticks=(0.01, 0.1, 1), yticklabels=("0.01", "0.1", "1"))
    for text in [text for text in ax.texts if text.get_text() in ("RNN", "LSTM, default", "LSTM, bias 1")]:
        text.remove()
    ax.text(9.7, 0.0108, "RNN,\ndefault", color=COLOURS["grey"])
    ax.text(37 if narrow else 31, 0.0108, "bias 1", color=COLOURS["grey"])
    return ax


@figure("memory-adding", study="memory")
def memory_adding(study):
    """What a trained RNN scores on the adding problem, by length."""
    scores = {f"RNN, T = {steps}": runs["mse"] for steps, runs in study["results"]["adding"].items()}
    ax = figures.plot_scores(scores, {"always 1": 1 / 6}, "mean squared error on new sequences")
    ax.set(xlim=(-0.005, 0.2), xticks=(0, 0.05, 0.1, 0.15, 0.2))
    return ax


@figure("many-to-one")
def many_to_one():
    """A name read letter by letter; the answer is made at its last letter, not at the last step of the padding."""
    ax, low, pitch, valid = canvas(7.5, 2.75), 1.2, 1.16, 4
    for t, letter in enumerate("lens  "):
        x, real = 0.82 + pitch * t, t < valid
        write(ax, x, 0.2, letter if real else "pad", 19 if real else 14, "ink" if real else "grey")
        wire(ax, (x, 0.42), (x, low - 0.34), colour="x" if real else "grey", width=2.6 if real else 1.5)
        box(ax, x, low, 0.78, 0.66, "hidden" if real else "grey", 0.1 if real else 0.03, text="LSTM", size=13)
        look = dict(colour="hidden", width=3) if t < valid - 1 else dict(colour="grey", width=1.5, style=":")
        if t < 5:
            wire(ax, (x + 0.39, low), (x + pitch - 0.39, low), **look)
    right, wrong = (0.82 + pitch * t for t in (valid - 1, 5))
    wire(ax, (right, low + 0.33), (right, 2.02), colour="hidden", width=3)
    write(ax, right - 0.14, 1.76, "$h$ of the last valid step", 14, ha="right")
    box(ax, right, 2.3, 1.1, 0.54, "output", 0.1, text="linear", size=14)
    wire(ax, (right - 0.55, 2.3), (right - 1.3, 2.3), colour="ink", width=2.4)
    write(ax, right - 1.4, 2.3, "France", 19, ha="right")
    wire(ax, (wrong, low + 0.33), (wrong, 2.3), (right + 0.6, 2.3), colour="grey", width=1.5, style=":")
    write(ax, wrong + 0.2, 2.52, "out[:, −1]", 14, "grey", ha="right")
    return ax


@figure("many-to-one-names", study="many_to_one")
def many_to_one_names(study):
    """From a name to its country: every model's score on each of the five splits."""
    scores = study["results"]["names"]["scores"]
    names = {"1-4 letters": "pieces of 1 to 4", "LSTM, both ways": "LSTM, both ways", "LSTM": "LSTM, last valid"}
    names |= {"LSTM, pad token": "LSTM, pads read", "RNN": "RNN, last valid", "LSTM, pad zeros": "LSTM, zeros read"}
    names |= {"letters": "bag of letters"}
    shown = {label: scores[name] for name, label in names.items()}
    ax = figures.plot_scores(shown, {"one country": scores["majority"][0]}, "right answers on test names (%)")
    for line in (*ax.lines[:2], *ax.lines[12:14]):  # pieces and bag: no networks
        line.set(color=COLOURS["hidden"], mfc=tint("hidden", 0.55))
    return ax


@figure("many-to-one-sunspots", study="many_to_one")
def many_to_one_sunspots(study):
    """Two forecasts of the sunspots over the truth: last year's value, and an LSTM's."""
    found = study["results"]["sunspots"]
    axes = plt.subplots(2, sharex=True, figsize=(7.4, 4.8))[1]
    for ax, name, colour in zip(axes, ("persistence", "LSTM"), ("candidate", "lstm")):
        ax.plot(found["years"], found["truth"], color=COLOURS["grey"], lw=4, alpha=0.45, label="measured")
        ax.plot(
            found["years"], found["forecasts"][name], color=COLOURS[colour], lw=1.8, ls="-", label=f"forecast: {name}"
        )
        ax.set(ylabel="sunspots")
        ax.legend(loc="upper right", ncols=2)
        ax.set_ylim(-20, 265)
    axes[1].set_xlabel("year")
    return axes


@figure("one-to-many-fed-back")
def one_to_many_fed_back():
    """A country in, letters out: each letter drawn is the next thing read."""
    ax, xs = canvas(7.5, 4.1), (2.15, 3.45, 4.75, 6.05)
    box(ax, 0.62, 2.0, 1.06, 0.62, "x", 0.2, text="France", size=14)
    write(ax, 0.62, 1.42, "one vector", 13, tint("x", 0.6, "black"))
    wire(ax, (1.16, 2.0), (xs[0] - 0.42, 2.0), colour="x", width=3)
    write(ax, 1.45, 2.24, "h, c", 13)
    for x, letter, fed in zip(xs, ("p", "a", "u", "stop"), ("start", "p", "a", "u")):
        wire(ax, (x, 0.72), (x, 1.64), colour="ink")
        wire(ax, (x, 2.36), (x, 2.86), colour="hidden")
        box(ax, x, 2.0, 0.8, 0.68, "lstm", 0.12, text="LSTM", size=13)
        box(ax, x, 3.12, 0.62, 0.5, "output", 0.12, text=letter, size=15)
        write(ax, x, 0.5, fed, 14, "grey" if fed == "start" else "ink")
    for before, after in zip(xs, xs[1:]):
        wire(ax, (before + 0.42, 2.0), (after - 0.42, 2.0), colour="lstm", width=3)
        middle = (before + after) / 2
        points = (before + 0.33, 3.12), (middle, 3.12), (middle, 0.5), (after - 0.16, 0.5)
        wire(ax, *points, colour="output", width=2)
    write(ax, 7.0, 3.12, "written", 13, tint("output", 0.8, "black"))
    write(ax, 7.0, 0.5, "read", 13)
    write(ax, 3.9, 3.72, "no input but its own output", 14, weight="bold")
    return ax


@figure("one-to-many-bits", study="one_to_many")
def one_to_many_bits(study):
    """Bits per character on test names: n-grams and networks, a dot a split."""
    scores = {name: each["test"] for name, each in study["results"]["bits"].items()}
    labels = {"trigram, all": "trigram, no country", "LSTM, no country": "LSTM, no country"}
    labels |= {"trigram, country": "trigram, by country", "n-gram, country and all": "best n-gram, by country"}
    labels |= {"LSTM, country": "LSTM, by country"}
    keys = [name if name.startswith("LSTM") else f"RNN {name}" for name in labels]  # what counts in one colour
    ax = figures.plot_scores(dict(zip(keys, map(scores.get, labels))), label="bits per character")
    ax.set(yticklabels=labels.values())
    return ax


@figure("one-to-many-temperature", study="one_to_many")
def one_to_many_temperature(study, narrow=False):
    """What a temperature does to names: how many are known, how many differ, how many fit their country."""
    grid = dict(nrows=3, figsize=(NARROW, 7.2), sharex=True) if narrow else dict(ncols=3, figsize=(7.8, 3.2))
    runs, panels = study["results"]["runs"], plt.subplots(**grid, sharey=True)[1]
    titles = {"within a letter": "near copies", "different": "different from\neach other"}
    for ax, (key, title) in zip(panels, (titles | {"right country": "taken for their\ncountry"}).items()):
        for name, colour, style in (("LSTM, country", "lstm", "-"), ("trigram, country", "rnn", "--")):
            at = {t: [run["written"][name][t][key] for run in runs] for t in runs[0]["written"][name]}
            x, curves = [float(t) for t in at], np.array(list(at.values()))
            ax.plot(x, np.median(curves, 1), style, marker="o", ms=4, color=COLOURS[colour], label=name.split(",")[0])
            ax.fill_between(x, curves.min(1), curves.max(1), color=COLOURS[colour], alpha=0.15, lw=0)
        real = np.median([run["written"]["real"][key] for run in runs])
        ax.axhline(real, color=COLOURS["grey"], lw=1.2, ls=":", label="real names")
        ax.set(title=title.replace("\n", " ") if narrow else title, xticks=x, ylim=(-3, 103))
    for ax in panels[2:] if narrow else panels:
        ax.set_xlabel("temperature")
    for ax in panels if narrow else panels[:1]:
        ax.set_ylabel("per cent of names")
    panels[0].legend(loc="upper right")
    return panels


@figure("one-to-many-exposure", study="one_to_many")
def one_to_many_exposure(study):
    """How odd a judge finds the next letter, by what stands before it: real letters, or the network's own."""
    runs, at = study["results"]["runs"], study["results"]["positions"]
    ax = plt.subplots(figsize=(7, 3.9))[1]
    looks = {
        "real names": ("the real next letter", "ink", ":"),
        "after real letters": ("after real letters", "hidden", "--"),
    }
    looks |= {"after its own": ("after its own letters", "lstm", "-")}
    looks |= {"after shuffled": ("after shuffled letters", "rnn", "-.")}
    for key, (label, colour, style) in looks.items():
        curves = np.array([run["exposure"]["LSTM, country"]["by position"][key] for run in runs])
        ax.plot(at, np.median(curves, 0), style, color=COLOURS[colour], label=label)
        ax.fill_between(at, curves.min(0), curves.max(0), color=COLOURS[colour], alpha=0.12, lw=0)
    ax.set(xlabel="letters before it", ylabel="judge's surprise (bits)", xticks=at)
    ax.legend(ncols=2, loc="upper center", bbox_to_anchor=(0.5, 1.25))
    return ax


@figure("encoder-decoder")
def encoder_decoder():
    """An encoder that reads letters, a decoder that writes phones, and attention for one step between them."""
    ax, read, write_at, sees = canvas(7.5, 4.9), 1.3, 3.35, (3.72, 2.42)
    xs, ys = [0.95 + 0.92 * k for k in range(5)], [2.3, 3.72, 5.14, 6.56]
    for k, (x, letter, weight) in enumerate(zip(xs, "phone", (0.06, 0.06, 0.62, 0.08, 0.18))):
        box(ax, x, read, 0.56, 0.62, "input", 0.12)
        write(ax, x, 0.3, letter, 19, weight="bold")
        wire(ax, (x, 0.5), (x, read - 0.32), colour="x")
        if k:
            for dy, way in ((0.12, 1), (-0.12, -1)):
                ends = (xs[k - 1] + 0.28, read + dy), (x - 0.28, read + dy)
                wire(ax, *ends[::way], colour="hidden", width=1.8)
        wire(ax, (x, read + 0.31), sees, colour="forget", width=1 + 8 * weight, arrow=False, z=1)
    wire(ax, (sees[0], sees[1] - 0.02), (ys[1], write_at - 0.32), colour="forget", width=4)
    ax.plot(*sees, "o", ms=11, color=COLOURS["forget"], zorder=5)
    write(ax, 4.08, 2.52, "attention: weights over the", 13, tint("forget", 0.85, "black"), ha="left")
    write(ax, 4.08, 2.29, "letters, for this one phone", 13, tint("forget", 0.85, "black"), ha="left")
    wire(ax, (xs[0] - 0.28, read), (0.3, read), (0.3, write_at), (ys[0] - 0.36, write_at), colour="hidden", width=2.6)
    write(ax, 1.1, write_at - 0.22, "final states", 13, "hidden")
    for k, (x, phone) in enumerate(zip(ys, ("F", "OW", "N", "stop"))):
        box(ax, x, write_at, 0.72, 0.62, "lstm", 0.12)
        if k:
            wire(ax, (ys[k - 1] + 0.36, write_at), (x - 0.36, write_at), colour="hidden", width=2.6)
            turn = (ys[k - 1] + 0.42, 4.5), (x - 0.24, 4.5), (x - 0.24, write_at + 0.32)
            wire(ax, *turn, colour="grey", width=1.8, style=(0, (3, 2)))
        wire(ax, (x + 0.12, write_at + 0.31), (x + 0.12, 4.28), colour="output")
        write(ax, x + 0.12, 4.5, phone, 17 if k < 3 else 14, weight="bold")
    wire(ax, (ys[0] - 0.62, 4.5), (ys[0] - 0.24, 4.5), (ys[0] - 0.24, write_at + 0.32), colour="grey", width=1.8)
    write(ax, ys[0] - 0.95, 4.5, "start", 14, "grey")
    write(ax, 5.15, 1.42, "encoder", 14, "input", weight="bold", ha="left")
    write(ax, 5.15, 1.17, "reads both ways", 13, ha="left")
    write(ax, 5.9, 2.86, "decoder", 14, "lstm", weight="bold", ha="left")
    return ax


@figure("encoder-decoder-alignment", study="encoder_decoder")
def encoder_decoder_alignment(study):
    """What additive attention looks at while three words are written: a row a phone, a column a letter."""
    shown = study["results"]["shown"]["additive"]
    tall = [len(found["weights"]) for found in shown.values()]
    look = dict(figsize=(7, 0.2 * sum(tall) + 1.2), gridspec_kw={"height_ratios": tall})
    axes = plt.subplots(len(shown), **look)[1]
    colours = matplotlib.colors.LinearSegmentedColormap.from_list("", ["white", COLOURS["forget"]])
    for ax, (word, found) in zip(axes, shown.items()):
        weights = np.array(found["weights"])[:, : len(word)]
        ax.pcolormesh(weights, cmap=colours, vmin=0, vmax=1, edgecolor=COLOURS["pale"], lw=0.5)
        ax.set(xticks=np.arange(len(word)) + 0.5, xticklabels=word, yticks=np.arange(len(weights)) + 0.5)
        ax.set(yticklabels=[*found["written"].split(), "stop"][: len(weights)], xlim=(0, 14))
        ax.invert_yaxis()
        ax.xaxis.tick_top()
        ax.tick_params(length=0, labelsize=11)
        for side in ax.spines.values():
            side.set_visible(False)
    axes[0].figure.get_layout_engine().set(hspace=0.1)
    return axes


@figure("encoder-decoder-length", study="encoder_decoder")
def encoder_decoder_length(study):
    """Phoneme error rate by the length of the word, a dot a seed, a line through the medians."""
    runs, ax = study["results"]["runs"], plt.subplots(figsize=(7, 3.7))[1]
    groups = list(runs[0]["none"]["by length"])
    for name, label, colour, dash in (
        ("none", "no attention", "rnn", "-."),
        ("letter and 3", "table: letter and 3 to each side", "grey", ":"),
        ("dot", "dot attention", "candidate", "--"),
        ("additive", "additive attention", "lstm", "-"),
    ):
        per = np.array([[run[name]["by length"][group][0] for group in groups] for run in runs])
        ax.plot(np.median(per, axis=0), dash, color=COLOURS[colour], label=label, lw=2)
        for seed in per:
            ax.plot(seed, "o", ms=4.5, color=COLOURS[colour], mec="white", mew=0.5)
    ax.set(xticks=range(len(groups)), xticklabels=[group.replace("-", "–") for group in groups])
    ax.set(xlabel="letters in the word", ylabel="phoneme error rate (%)", ylim=(0, None))
    ax.legend()
    return ax


@figure("shapes-layers")
def shapes_layers():
    """One to three layers over four steps: the output is the top row, h_n the last column."""
    ax, pitch, up = canvas(7.5, 3.0), 0.44, 0.68
    for layers, left in ((1, 0.27), (2, 2.71), (3, 5.15)):
        rows, xs = [0.75 + up * k for k in range(layers)], [left + pitch * t for t in range(4)]
        box(ax, left + 1.5 * pitch, rows[-1], 3 * pitch + 0.48, 0.48, "hidden", 0.2, 0.1, z=1)
        write(ax, left + 1.5 * pitch, rows[-1] + 0.43, "output", 14, "hidden", weight="bold")
        for k, y in enumerate(rows):
            write(ax, xs[-1] + 0.29, y, f"h_n[{k}]", 13, "input", ha="left", weight="bold")
            for x in xs:
                look = ("input", 0.55) if x == xs[-1] else ("hidden" if k == layers - 1 else "ink", 0.12)
                box(ax, x, y, 0.28, 0.28, *look, 0.06)
                wire(ax, (x, y - up + 0.14 if k else 0.4), (x, y - 0.14), colour="ink" if k else "x", width=1.6)
            for x in xs[:-1]:
                wire(ax, (x + 0.14, y), (x + pitch - 0.14, y), width=1.4)
        for t, x in enumerate(xs):
            write(ax, x, 0.24, f"$x_{t + 1}$", 18.6)
    return ax


@figure("shapes-directions")
def shapes_directions():
    """Two layers, two directions: what reads where, what is handed out, and what `output[:, -1]` takes."""
    ax, xs = canvas(7.5, 4.5), [1.75 + 1.0 * t for t in range(5)]
    lanes = (0.95, 1.5, 2.75, 3.3)  # forward and reverse of layer 0, then of layer 1
    box(ax, xs[2], (lanes[2] + lanes[3]) / 2, 4.8, 1.12, "hidden", 0.2, 0.14, z=0.5)
    box(ax, xs[2], (lanes[0] + lanes[1]) / 2, 4.8, 1.12, "pale", 0.25, 0.14, z=0.5)
    write(ax, xs[1], 4.05, "output, 2H wide", 14, "hidden", weight="bold")
    for k, y in enumerate(lanes):
        reverse = k % 2
        for t, x in enumerate(xs):
            last = t == (0 if reverse else 4)
            box(ax, x, y, 0.44, 0.36, "input" if last else "hidden" if k > 1 else "ink", 0.55 if last else 0.12, 0.07)
            if not last:
                turn = -1 if reverse else 1
                wire(ax, (x + 0.22 * turn, y), (x + 0.78 * turn, y), width=1.6)
        side, align = (xs[0] - 0.48, "right") if reverse else (xs[4] + 0.48, "left")
        write(ax, side, y, f"h_n[{k}]", 14, "input", ha=align, weight="bold")
    for x in xs:
        wire(ax, (x, 0.38), (x, 0.66), colour="x", width=2)
        wire(ax, (x, 1.79), (x, 2.46), width=2)
    for t, x in enumerate(xs):
        write(ax, x, 0.2, f"$x_{t + 1}$", 18.6)
    for y, text in ((1.22, "layer 0"), (3.02, "layer 1")):
        write(ax, xs[0] - 0.48, y - 0.27, text, 13, "grey", ha="right")
    ax.add_patch(Rectangle((xs[4] - 0.35, 2.4), 0.7, 1.26, fc="none", ec=COLOURS["forget"], lw=2.4, ls="--", zorder=6))
    write(ax, xs[4] + 0.35, 4.05, "output[:, −1]", 14, "forget", ha="right", weight="bold")
    wire(ax, (xs[4], 3.92), (xs[4], 3.7), colour="forget", width=1.6)
    return ax


@figure("shapes-ragged")
def shapes_ragged():
    """A batch of three lengths: the last valid step of each direction, and the last column."""
    ax, lengths = canvas(7.5, 2.75), (6, 4, 2)
    for left, title, reverse in ((0.55, "forward", 0), (4.25, "reverse", 1)):
        xs = [left + 0.54 * t for t in range(6)]
        write(ax, xs[2] + 0.27, 2.52, title, 14, weight="bold")
        for b, length in enumerate(lengths):
            y = 1.95 - 0.6 * b
            for t, x in enumerate(xs):
                last = t == (0 if reverse else length - 1)
                colour = "input" if last else "ink" if t < length else "pale"
                box(ax, x, y, 0.38, 0.38, colour, 0.55 if last else 0.1 if t < length else 0, 0.07)
                if t >= length:
                    write(ax, x, y - 0.01, "0", 13, "grey")
                elif t + 1 < length:
                    ends = [(x + 0.19, y), (x + 0.35, y)]
                    wire(ax, *(ends[::-1] if reverse else ends), width=1.4)
        ax.add_patch(
            Rectangle((xs[5] - 0.26, 0.47), 0.52, 1.76, fc="none", ec=COLOURS["forget"], lw=2.2, ls="--", zorder=6)
        )
        write(ax, xs[5] + 0.26, 0.25, "output[:, −1]", 13, "forget", ha="right", weight="bold")
        write(ax, xs[0] - 0.2, 0.25, "blue: h_n", 13, "input", ha="left", weight="bold")
    return ax


@figure("shapes-sees", study="shapes")
def shapes_sees(study, narrow=False):
    """Which output step sees which input step, in each direction; the last row is what `output[:, -1]` takes."""
    axes = plt.subplots(**(dict(nrows=2, figsize=(NARROW, 8.4)) if narrow else dict(ncols=2, figsize=(7.4, 4.5))))[1]
    for ax, (name, matrix) in zip(axes, study["results"]["sees"].items()):
        share = np.array(matrix) / np.max(matrix)
        ax.pcolormesh(np.where(share > 0, share, np.nan) ** 0.35, cmap="Greens", vmin=-0.25, vmax=1.1)
        steps = len(share)
        ax.set(xticks=np.arange(steps) + 0.5, xticklabels=np.arange(1, steps + 1), ylim=(steps, 0), aspect="equal")
        ax.set(yticks=np.arange(steps) + 0.5, yticklabels=np.arange(1, steps + 1), xlabel="input step")
        ax.set_title(f"{name} half of the output")
        ax.grid(visible=False)
        ax.tick_params(length=0)
        frame = dict(fc="none", ec=COLOURS["forget"], lw=2.6, ls="--", clip_on=False, zorder=5)
        ax.add_patch(Rectangle((0, steps - 1), steps, 1, **frame))
    for ax in axes if narrow else axes[:1]:
        ax.set_ylabel("output step")
    return axes


@figure("shapes-first", study="shapes")
def shapes_first(study):
    """Say the first symbol: the score by length, for three ways to read the answer."""
    found, ax = study["results"], plt.subplots(figsize=(7, 4.0))[1]
    looks = [("hidden", "o", "-", "two directions, h_n"), ("forget", "D", "--", "two directions, output[:, −1]")]
    looks += [("candidate", "^", "-.", "the same, forget bias 3"), ("grey", "s", ":", "one direction, h_n")]
    for (colour, marker, dash, label), runs in zip(looks, found["first"].values()):
        x, runs = np.arange(len(found["lengths"])), np.array(runs)
        ax.plot(x, np.median(runs, 0), color=COLOURS[colour], ls=dash, lw=2.2, label=label)
        shift = {"o": 0, "D": -0.04, "s": 0.04, "^": 0}[marker]
        for run in runs:
            ax.plot(x + shift, run, ls="", marker=marker, ms=5, mfc=tint(colour, 0.6), mec="white", mew=0.5)
    ax.axhline(found["chance"], color=COLOURS["ink"], lw=1, ls=(0, (1, 2)))
    ax.text(0, found["chance"] - 7, "guessing", size=11)
    ax.set(xticks=x, xticklabels=found["lengths"], ylim=(0, 106), xlabel="steps in a sequence", ylabel="right (%)")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.01), ncols=2)
    return ax


@figure("many-to-many")
def many_to_many():
    """A word of six phones, read forwards and backwards; an answer at every step, of which the vowels' count."""
    phones, pitch, middle = ["B", "AH", "N", "AE", "N", "AH"], 1.07, 1.62
    answers = [None, "0", None, "1", None, "0"]
    ax = canvas(7.7, 4.0)
    rows = {"forward": (1.3, "lstm", -0.22), "reverse": (2.2, "candidate", 0.22)}
    for text, y, colour in (("phone", 0.3, "ink"), ("answer", 3.62, "ink")):
        write(ax, 0.12, y, text, 14, colour, ha="left")
    for text, (y, colour, _) in rows.items():
        write(ax, 0.12, y, text, 14, tint(colour, 0.75, "black"), ha="left")
    for t, (phone, answer) in enumerate(zip(phones, answers)):
        x = middle + pitch * t
        write(ax, x, 0.3, phone, 18)
        for y, colour, dx in rows.values():
            wire(ax, (x + dx, 0.56), (x + dx, y - 0.22), colour="x", width=1.6)
            wire(ax, (x + dx, y + 0.22), (x + dx, 3.32), colour="ink" if answer else "grey", width=1.6)
            box(ax, x + dx, y, 0.36, 0.42, colour, 0.25, 0.08, z=5)
            if t:
                ends = (x - pitch + dx + 0.18, y), (x + dx - 0.2, y)
                wire(
                    ax,
                    *(ends if dx < 0 else [(ends[1][0] + 0.02, y), (ends[0][0] + 0.02, y)]),
                    colour=colour,
                    width=3,
                    z=4,
                )
        box(ax, x, 3.62, 0.7, 0.5, "ink" if answer else "grey", 0.06, 0.1, answer or "", 18)
    return ax


@figure("many-to-many-matrices", study="many_to_many")
def many_to_many_matrices(study, narrow=False):
    """What each answer depends on, in two trained networks that read the same word."""
    word, found = next(iter(study["results"]["runs"][0]["matrices"].items()))
    grid = dict(nrows=2, figsize=(NARROW, 8.4)) if narrow else dict(ncols=2, figsize=(7.4, 4.1))
    phones, axes = found["phones"].split(), plt.subplots(**grid)[1]
    for ax, name in zip(axes, ("LSTM, one way", "LSTM, both ways")):
        dependencies(ax, np.array(found[name]), phones, np.array(found["stress"]) >= 0)
        ax.set_title(name)
    for ax in axes if narrow else axes[:1]:
        ax.set_ylabel("answer to")
    return axes


def dependencies(ax, matrix, phones, vowels):
    """Draw a dependency matrix, darker where an answer depends more; a dot where it depends not at all."""
    shades = LinearSegmentedColormap.from_list("shades", ["white", COLOURS["lstm"]])
    ax.imshow(matrix, cmap=shades, vmin=0, vmax=0.5)
    for s, t in np.argwhere(matrix == 0):
        ax.plot(t, s, ".", color=COLOURS["grey"], ms=3)
    ax.set(xticks=range(len(phones)), yticks=range(len(phones)), xlabel="phone")
    ax.set_xticklabels(phones)
    for label, vowel in zip(ax.set_yticklabels(phones), vowels):
        label.set(fontweight="bold" if vowel else "normal", color=COLOURS["ink" if vowel else "grey"])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)


@figure("many-to-many-scores", study="many_to_many")
def many_to_many_scores(study):
    """Every model's share of right vowels on each of the splits."""
    scores = study["results"]["scores"]
    names = ["LSTM, both ways", "RNN, both ways", "whole word, hidden layer", "window, hidden layer", "LSTM, backwards"]
    names += ["window, logistic", "LSTM, one way, H 96", "LSTM, one way", "RNN, one way"]
    shown = {name.replace("window", "±3 phones"): scores[name] for name in names}
    ax = figures.plot_scores(shown, {"per vowel": np.median(scores["per vowel"])}, "vowels right on test words (%)")
    ax.set_xticks(range(70, 95, 5))
    return ax


@figure("many-to-many-late", study="many_to_many")
def many_to_many_late(study):
    """The one-way LSTM that may wait some phones before it answers."""
    scores = study["results"]["scores"]
    runs = {0: scores["LSTM, one way"], **{k: scores[f"LSTM, {k} late"] for k in (1, 2, 4)}}
    ax = plt.subplots(figsize=(7, 3.5))[1]
    for name, colour in (("LSTM, both ways", "ink"), ("LSTM, one way", "grey")):
        ax.axhline(np.median(scores[name]), color=COLOURS[colour], lw=1.2, ls="--")
    ax.plot(list(runs), [np.median(each) for each in runs.values()], color=COLOURS["lstm"], ls="-")
    for k, values in runs.items():
        ax.plot([k] * len(values), values, "o", color=COLOURS["lstm"], mec="white", ms=6, ls="")
    ax.annotate(
        "both ways", (4.1, np.median(scores["LSTM, both ways"])), (0, 4), textcoords="offset points", ha="right"
    )
    ax.annotate("at once", (4.1, np.median(scores["LSTM, one way"])), (0, 4), textcoords="offset points", ha="right")
    ax.set(xlabel="phones that the one-way LSTM waits before it answers", ylabel="vowels right (%)", xticks=range(5))
    return ax


def spread(study, names):
    """Return the median, the lowest and the highest of the seeds' curves of each kind of network."""
    curves = {name: np.array(study["results"]["untrained"][name]["ratio"]) for name in names}
    return {name: (np.median(each, 0), each.min(0), each.max(0)) for name, each in curves.items()}


def draw(folder=HERE, names=()):
    """Draw the named pictures, or all whose study there is, and return their files."""
    figures.use_course_style()
    for path in sorted(HERE.glob("[!_]*.py")):
        if path.stem not in ("draw", "registry"):
            importlib.import_module(path.stem)
    files = []
    for name in names or FIGURES:
        study = FIGURES[name][1]
        results = RESULTS / f"{study}.json"
        if study and not results.exists():
            print(f"{name}: left out, there is no {results.name} yet")
            continue
        for file, drawn in pictures(name, json.loads(results.read_text(encoding="utf-8")) if study else None):
            files.append(Path(folder) / file)
            raster = file.endswith(".png")
            unsigned = dict.fromkeys(["Software"] if raster else ["Date", "Creator"])
            drawn.savefig(files[-1], metadata=unsigned, **({"dpi": "figure"} if raster else {}))
            print(file)
    return files


if __name__ == "__main__":
    draw(*sys.argv[1:2], names=sys.argv[2:])
