"""The pictures of the chapter shapes."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle
from registry import figure

from lstm_tutorial.figures.drawings import COLOURS, box, canvas, tint, wire, write


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
def shapes_sees(study):
    """Which output step sees which input step, in each direction; the last row is what `output[:, -1]` takes."""
    axes = plt.subplots(1, 2, figsize=(7.5, 4.5))[1]
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
    axes[0].set_ylabel("output step")
    return axes


@figure("shapes-first", study="shapes")
def shapes_first(study):
    """Say the first symbol: the score by length, for three ways to read the answer."""
    found, ax = study["results"], plt.subplots(figsize=(7.5, 5))[1]
    looks = [("hidden", "o", "-", "two directions, h_n"), ("forget", "D", "--", "two directions, output[:, −1]")]
    looks += [("candidate", "^", "-.", "the same, forget bias 3"), ("grey", "s", ":", "one direction, h_n")]
    for (colour, marker, dash, label), runs in zip(looks, found["first"].values()):
        x, runs = np.arange(len(found["lengths"])), np.array(runs)
        ax.plot(x, np.median(runs, 0), color=COLOURS[colour], ls=dash, lw=2.2, label=label)
        shift = {"o": 0, "D": -0.04, "s": 0.04, "^": 0}[marker]
        for run in runs:
            ax.plot(x + shift, run, ls="", marker=marker, ms=5, mfc=tint(colour, 0.6), mec="white", mew=0.5)
    ax.axhline(found["chance"], color=COLOURS["ink"], lw=1, ls=(0, (1, 2)))
    ax.text(0, found["chance"] - 7, "guessing")
    ax.set(xticks=x, xticklabels=found["lengths"], ylim=(0, 106), xlabel="steps in a sequence", ylabel="right (%)")
    ax.legend(loc="lower center", bbox_to_anchor=(0.5, 1.01), ncols=2)
    return ax
