"""The pictures of the chapter state about forecasts: several steps ahead, missing days, intervals."""

import matplotlib.pyplot as plt
import numpy as np
from registry import figure

from lstm_tutorial.figures.drawings import COLOURS, box, canvas, tint, wire, write

SERIES = {"sunspots": "sunspots", "seattle": "°C"}
MODELS = {  # colour, line, marker
    "naive": ("grey", ":", ""),
    "seasonal": ("grey", "--", ""),
    "ridge, direct": ("hidden", "-", "o"),
    "recursive": ("candidate", "-", "^"),
    "direct": ("lstm", "-", "s"),
    "encoder-decoder": ("forget", "--", "v"),
}
FILLINGS = {
    "mean": ("grey", ":", ""),
    "forward": ("candidate", "-", "^"),
    "forward + mask": ("lstm", "--", "s"),
    "forward + mask + time": ("forget", "-", "o"),
    "irregular": ("hidden", ":", "v"),
}
INTERVALS = {
    "network": ("lstm", "-", "s"),
    "network, shifted": ("lstm", ":", "^"),
    "ridge": ("hidden", "-", "o"),
    "ridge, errors in training": ("hidden", "--", "v"),
}


@figure("state-strategies")
def strategies():
    """Three ways to forecast three days: feed forecasts back, all at once, or with a second network."""
    ax, xs = canvas(7.5, 6.55), [2.18 + 0.93 * k for k in range(6)]
    for name, y, words in (
        ("recursive", 5.35, "one model, one\nstep; it reads its\nown forecasts"),
        ("direct", 3.2, "one state, all\nhorizons at once"),
        ("encoder-\ndecoder", 0.95, "a second LSTM\nreads what is\nknown ahead"),
    ):
        write(ax, 0.12, y + 0.42, name, 15, weight="bold", ha="left", va="bottom")
        write(ax, 0.12, y + 0.3, words, 13, ha="left", va="top", linespacing=1.15)
        steps = 3 if name == "direct" else 5 if name == "recursive" else 6
        for k in range(steps):
            ahead = k > 2
            colour = "lstm" if ahead and name != "recursive" else "hidden"
            box(ax, xs[k], y, 0.62, 0.56, colour, 0.12, text="LSTM", size=13)
            if k < steps - 1:
                wire(ax, (xs[k] + 0.31, y), (xs[k + 1] - 0.31, y), colour="hidden", width=2.6)
            if not ahead:
                write(ax, xs[k], y - 0.78, ("Mon", "Tue", "Wed")[k], 14)
                wire(ax, (xs[k], y - 0.6), (xs[k], y - 0.28), colour="x")
            elif name != "recursive":
                write(ax, xs[k], y - 0.78, ("Thu", "Fri", "Sat")[k - 3], 14, "grey")
                wire(ax, (xs[k], y - 0.6), (xs[k], y - 0.28), colour="grey", width=1.8, style=(0, (3, 2)))
        if name == "direct":
            box(ax, xs[4], y, 2.48, 0.56, "output", 0.1, text="linear layer", size=14)
            wire(ax, (xs[2] + 0.31, y), (xs[4] - 1.24, y), colour="hidden", width=2.6)
            write(ax, xs[4], y - 0.78, "what is known ahead", 14, "grey")
            wire(ax, (xs[4], y - 0.6), (xs[4], y - 0.28), colour="grey", width=1.8, style=(0, (3, 2)))
        for k, day in enumerate(("Thu", "Fri", "Sat")):
            x = xs[k + (2 if name == "recursive" else 3)]
            wire(ax, (x, y + 0.28), (x, y + 0.72), colour="output")
            write(ax, x, y + 0.92, day, 15, tint("output", 0.8, "black"), weight="bold")
            if name == "recursive" and k < 2:
                after = xs[k + 3]
                turn = (x + 0.26, y + 0.92), (after - 0.47, y + 0.92), (after - 0.47, y - 0.66), (after, y - 0.66)
                wire(ax, *turn, (after, y - 0.28), colour="grey", width=1.8, style=(0, (3, 2)))
    return ax


def curves(ax, x, found, looks):
    """Draw a curve over the horizon for each name."""
    for name, (colour, style, marker) in looks.items():
        look = dict(color=COLOURS[colour], ls=style, marker=marker, ms=6, lw=2, label=name)
        ax.plot(x, found[name], mfc=tint(colour, 0.6), **look)


@figure("state-horizons", study="several_steps")
def horizons(study):
    """The error of each model by horizon, for sunspots and for Seattle."""
    fig, axes = plt.subplots(2, figsize=(7.5, 7.4))
    for ax, (name, label) in zip(axes, SERIES.items()):
        models = study["results"][f"steps, {name}"]["models"]
        found = {kind: each["by horizon"] for kind, each in models.items()}
        found["seasonal"] = found["seasonal naive" if name == "sunspots" else "seasonal mean"]
        steps = np.arange(1, len(found["direct"]) + 1)
        curves(ax, steps, found, MODELS)
        ax.set(ylim=(0 if name == "sunspots" else 2.5, None), xticks=steps[1::2] if name == "seattle" else steps[::2])
        ax.set(xlabel=f"{'years' if name == 'sunspots' else 'days'} ahead", ylabel=f"error ({label})")
    axes[0].legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=3)
    return axes


@figure("state-targets", study="several_steps")
def targets(study):
    """What the model forecasts: the level, changes, or what the season leaves; direct LSTM and ridge."""
    axes = plt.subplots(1, 2, sharey=True, figsize=(7.5, 3.4))[1]
    rows = ("level", "last value", "differences", "seasonal")
    for ax, (name, label) in zip(axes, SERIES.items()):
        found = study["results"][f"steps, {name}"]["targets"]
        for k, target in enumerate(rows):
            values = np.array(found[f"direct, {target}"]["rmse"])
            spread = np.linspace(-0.14, 0.14, len(values))
            look = dict(ls="", marker="o", ms=6, mec="white", mew=0.6, mfc=tint("lstm", 0.55))
            ax.plot(values, k + spread, label="direct LSTM" if not k else None, **look)
            ax.plot([np.median(values)] * 2, [k - 0.28, k + 0.28], color=COLOURS["lstm"], lw=3, ls="-")
            look |= dict(marker="D", ms=8, mfc=COLOURS["hidden"])
            ax.plot(found[f"ridge, direct, {target}"]["rmse"], k, label="ridge" if not k else None, **look)
        ax.set(yticks=range(len(rows)), yticklabels=rows, ylim=(len(rows) - 0.5, -0.5))
        ax.set_xlabel(f"error ({label})")
        ax.tick_params(axis="y", length=0)
        ax.grid(axis="x")
    axes[0].figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper right", ncols=2)
    return axes


@figure("state-missing", study="several_steps")
def missing(study):
    """The error one day ahead over the share of hidden days, for each way of filling them."""
    results, shares = study["results"], (10, 30, 50)
    whole = np.median(results["steps, seattle"]["models"]["direct"]["first"])
    fig, axes = plt.subplots(1, 2, sharey=True, figsize=(7.5, 4.6))
    for ax, pattern, title in zip(axes, ("days", "gaps"), ("single days", "gaps of ten days")):
        for k, (name, (colour, style, marker)) in enumerate(FILLINGS.items()):
            runs = np.array([results["missing"][f"{pattern}, {share}"][f"direct, {name}"]["first"] for share in shares])
            x = np.array(shares) + 0.9 * (k - 2)
            look = dict(color=COLOURS[colour], ls=style, marker=marker, ms=7, lw=2, label=name)
            ax.plot([0, *x], [whole, *np.median(runs, axis=1)], mfc=tint(colour, 0.6), **look)
            ax.vlines(x, runs.min(1), runs.max(1), color=COLOURS[colour], lw=1.6)
        ax.set(title=title, xticks=(0, *shares), xlabel="days hidden (%)")
    axes[0].set_ylabel("error one day ahead (°C)")
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return axes


@figure("state-coverage", study="several_steps")
def coverage(study):
    """What per cent of the test lies within intervals that are meant to hold 80%, by horizon."""
    fig, axes = plt.subplots(2, figsize=(7.5, 6.6))
    for ax, name in zip(axes, SERIES):
        found = {
            kind: each["by horizon"]
            for kind, each in study["results"][f"intervals, {name}"].items()
            if "by horizon" in each
        }
        steps = np.arange(1, len(found["network"]) + 1)
        curves(ax, steps, found, INTERVALS)
        ax.axhline(80, color=COLOURS["ink"], lw=1.2, ls="-")
        ax.set(ylim=(30, 100), xticks=steps[1::2] if name == "seattle" else steps[::2])
        ax.set(xlabel=f"{'years' if name == 'sunspots' else 'days'} ahead", ylabel="covered (%)")
        ax.text(steps[-1], 33, "sunspots" if name == "sunspots" else "Seattle", ha="right", weight="bold")
    axes[0].legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
    return axes
