"""The pictures of the chapter state about chunks and streams."""

import matplotlib.pyplot as plt
import numpy as np
from registry import figure

from lstm_tutorial import figures
from lstm_tutorial.figures.drawings import COLOURS, box, canvas, tint, wire, write

CHUNKS = (5, 10, 15, 20, 40, 80)


@figure("state-chunks")
def state_chunks():
    """A stream in two chunks: the state passes the border, the gradient does not."""
    ax, y = canvas(7.5, 3.3), 1.62
    xs = [0.62 + 0.8 * t + 0.7 * (t > 3) for t in range(8)]
    for chunk in (xs[:4], xs[4:]):
        box(ax, (chunk[0] + chunk[-1]) / 2, y, 3.12, 1.66, "pale", 0.3, z=0.5)
    for t, x in enumerate(xs):
        box(ax, x, y, 0.56, 0.52, "hidden", 0.12, text="LSTM", size=13)
        wire(ax, (x, 0.5), (x, y - 0.26), colour="x" if t == 1 else "grey", width=2.6 if t == 1 else 1.4)
        if t < 7:
            wire(ax, (x + 0.28, y + 0.1), (xs[t + 1] - 0.28, y + 0.1), colour="hidden", width=2.6)
        if t in (4, 5):
            wire(ax, (xs[t + 1] - 0.28, y - 0.12), (x + 0.28, y - 0.12), colour="forget", width=2, style=(0, (3, 1.6)))
    write(ax, xs[1], 0.28, "pulse: on", 14, "ink", weight="bold")
    write(ax, xs[6], 3.06, "is the lamp on?", 14, "ink", weight="bold")
    wire(ax, (xs[6], y + 0.26), (xs[6], 2.86), colour="output", width=2.4)
    border = (xs[3] + xs[4]) / 2
    write(ax, border, 2.86, "the state\npasses on", 13, "hidden", linespacing=1.15)
    write(ax, border, 0.32, "the gradient\nends: detach", 13, "forget", linespacing=1.15)
    wire(ax, (xs[4] - 0.28, y - 0.12), (border + 0.06, y - 0.12), colour="forget", width=2, style=(0, (3, 1.6)))
    ax.plot([border] * 2, [y - 0.34, y + 0.0], color=COLOURS["forget"], lw=4, zorder=5)
    return ax


@figure("state-gradient", study="truncated")
def state_gradient(study):
    """What truncation leaves of the gradient of the weights on the pulse, and the formula."""
    found, ax = study["results"]["gradient"], plt.subplots(figsize=(7.5, 3.9))[1]
    C = np.geomspace(5, 160, 300)
    ax.plot(C, np.maximum(0, 1 - 10 / C), color=COLOURS["grey"], lw=2, ls=(0, (5, 2)), label="1 − 10/C")
    looks = {"default": ("PyTorch's initial weights", "lstm", "s"), "bias 3": ("forget bias 3", "forget", "o")}
    for name, (label, colour, marker) in looks.items():
        look = dict(color=COLOURS[colour], ls="", marker=marker, ms=8, mfc=tint(colour, 0.6), clip_on=False)
        ax.plot(found["at"], found[name]["ratio"], label=label, zorder=4, **look)
    ax.axvline(10, color=COLOURS["grey"], lw=1.2, ls=":")
    ax.text(9.7, 0.5, "the lag", ha="right", color=COLOURS["grey"])
    ticks = (5, 10, 20, 40, 80, 160)
    ax.set(xscale="log", xticks=ticks, xticklabels=ticks, ylim=(-0.03, 1))
    ax.set(xlabel="chunk length C", ylabel="norm, as a share of\nthe whole gradient's")
    ax.minorticks_off()
    ax.legend(loc="lower right")
    return ax


@figure("state-learned", study="truncated")
def state_learned(study):
    """Steps that each seed needed, by chunk length; on the line: not learned."""
    runs, budget = study["results"]["runs"], study["results"]["settings"]["steps"] / 1000
    names = {f"C = {C}": f"{C}, {{}}, carried" for C in CHUNKS}
    names |= {"C = 10, overlap": "10, {}, overlap", "C = 20, reset": "20, {}, reset"}
    axes = plt.subplots(1, 2, sharey=True, figsize=(7.5, 4.4))[1]
    for ax, bias, title in zip(axes, ("default", "bias 3"), ("PyTorch's initial weights", "forget bias 3")):
        solved = {label: runs[name.format(bias)]["solved_at"] for label, name in names.items()}
        steps = {label: [at / 1000 if at else budget for at in each] for label, each in solved.items()}
        figures.plot_scores(steps, None, "thousand steps", ax)
        for line in ax.lines:
            line.set(color=COLOURS["lstm"], mfc=tint("lstm", 0.55))
        ax.axvline(budget, color=COLOURS["grey"], lw=1.2, ls=(0, (5, 3)), zorder=1.5)
        ax.set(xlim=(-2, budget + 3))
        ax.set_title(f"{title}\n", fontsize=14)
        ax.annotate("not learned", (budget, 1), (0, 4), ("data", "axes fraction"), "offset points", ha="right", size=13)
    return axes


@figure("state-streams")
def state_streams():
    """A long text becomes three streams, and these become batches of chunks; row b goes on in row b."""
    ax, text = canvas(7.5, 3.25), "the lamp is on until a pulse"
    text, wide, high = text.ljust(30)[:30].replace(" ", "␣"), 0.34, 0.42
    streams = [text[k : k + 10] for k in (0, 10, 20)]
    colours = ("x", "candidate", "output")
    for b, (stream, colour) in enumerate(zip(streams, colours)):
        for k, letter in enumerate(stream):
            x, y = 0.16 + 0.24 * (10 * b + k + 0.5), 2.95
            box(ax, x, y, 0.24, 0.36, colour, 0.18, 0.02)
            write(ax, x, y, letter, 13)
            x, y = 1.5 + wide * (k + 0.5) + 0.55 * (k // 5), 1.95 - 0.58 * b
            box(ax, x, y, wide, high, colour, 0.18, 0.02)
            write(ax, x, y, letter, 14)
        write(ax, 1.36, 1.95 - 0.58 * b, f"row {b}", 14, ha="right")
        wire(
            ax,
            (1.5 + 5 * wide + 0.04, 1.95 - 0.58 * b),
            (1.5 + 5 * wide + 0.52, 1.95 - 0.58 * b),
            colour="hidden",
            width=2.6,
        )
    for n, middle in enumerate((1.5 + 2.5 * wide, 2.05 + 7.5 * wide)):
        write(ax, middle, 0.28, f"batch {n}", 14, weight="bold")
    write(ax, 6.35, 1.37, "a row's state\ngoes on in\nthe same row", 14, "hidden", linespacing=1.15)
    return ax
