"""The pictures of the chapter numpy-lstm."""

from functools import partial

import matplotlib.pyplot as plt
from registry import figure

from lstm_tutorial import figures
from lstm_tutorial.figures.drawings import COLOURS, GATES, box, canvas, operation, tint, wire, write

figure("unrolled-lstm")(partial(figures.draw_unrolled, 4, "lstm"))


@figure("numpy-lstm-backward")
def numpy_lstm_backward():
    """The cell run backwards: each wire reversed, and what a gradient is multiplied by on its path."""
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
    write(ax, 0.52, bus - 0.28, r"$\times\,W_{hh}^{\top}$", 18.6)
    write(ax, join + 0.1, bus - 0.3, r"$\times\,W_{ih}^{\top}$", 18.6, ha="left")
    return ax


@figure("numpy-lstm-v-curve", study="numpy_lstm")
def numpy_lstm_v_curve(study):
    """The error of a gradient check against its step: a V for each precision; a wrong backward has none."""
    checks, ax = study["results"]["checks"], plt.subplots(figsize=(7.5, 4.6))[1]
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
