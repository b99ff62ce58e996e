"""The pictures of the chapter training."""

import json

import matplotlib.pyplot as plt
import numpy as np
from registry import figure, read

from lstm_tutorial import figures
from lstm_tutorial.figures.drawings import COLOURS, box, canvas, tint, wire, write


@figure("training-places")
def training_places():
    """Two layers over three steps: where each kind of dropout sets numbers to 0."""
    ax, first, last = canvas(7.5, 4.5), 0.75, 2
    lower, upper = 1.5, 3.0
    for t, letter in enumerate("len"):
        x = first + 1.55 * t
        write(ax, x, 0.2, letter, 19)
        wire(ax, (x, 0.42), (x, lower - 0.36), colour="x", width=3)
        wire(ax, (x, lower + 0.35), (x, upper - 0.36), colour="output", width=3)
        for y in (lower, upper):
            box(ax, x, y, 0.86, 0.68, "grey", 0.06, text="LSTM", size=13)
            if t < last:
                wire(ax, (x + 0.43, y), (x + 1.12, y), colour="hidden", width=3)
    x = first + 1.55 * last
    wire(ax, (x, upper + 0.35), (x, 3.78), colour="candidate", width=3)
    box(ax, x, 4.08, 1.0, 0.54, "grey", 0.06, text="head", size=13)
    labels = {"candidate": (3.62, "before the head"), "output": (2.25, "between layers"), "x": (0.72, "on the inputs")}
    labels |= {"hidden": (3.0, "on the recurrent state,\nthe same mask at\nall steps")}
    for colour, (y, text) in labels.items():
        ink = tint(colour, 0.7, "black")
        write(ax, x + (0.62 if colour == "hidden" else 0.28), y, text, 14, ink, ha="left")
    text = "on the weights that multiply\nthe recurrent state"
    write(ax, x + 0.62, lower, text, 14, tint("forget", 0.9, "black"), ha="left")
    for t in range(last):
        middle = first + 1.55 * t + 0.74
        for y in (lower, upper):
            ax.plot([middle - 0.1, middle], [y - 0.17, y + 0.17], color=COLOURS["forget"], lw=3.5, ls="-", zorder=6)
    return ax


@figure("training-initial", study="training")
def training_initial(study):
    """After how many updates the first symbol is learned, by what the weights were before training."""
    known = json.loads(read("experiments/results/first_symbol.json"))["results"]
    budget, axes = known["settings"]["budget"], plt.subplots(1, 2, sharey=True, figsize=(7.5, 5))[1]
    names = {"PyTorch's default": "LSTM, default", **{f"forget bias {b}": f"LSTM, bias {b}" for b in (1, 2, 3, 5)}}
    names |= {"chrono": "LSTM, chrono"}
    others = {"forget bias 0": "bias 0", "orthogonal": "orthogonal", "orthogonal, bias 3": "orthogonal, bias 3"}
    others |= {"Keras's default": "Keras"}
    order = ["PyTorch's default", *(f"forget bias {b}" for b in (0, 1, 2, 3, 5)), "chrono", *list(others)[1:]]
    for T, ax in zip((20, 50), axes):
        found = {label: known["runs"][str(T)][name] for label, name in names.items()}
        found |= {label: study["results"]["initial"][f"{T}, {name}"] for label, name in others.items()}
        scores = {label: [at or 2.2 * budget for at in found[label]["solved_at"]] for label in order}
        figures.plot_scores(scores, {"not learned": 2.2 * budget}, f"updates, {T} steps", ax)
        ax.set(xscale="log", xticks=[10, 100, 1000], xticklabels=["10", "100", "1,000"], xlim=(3.5, 3.6 * budget))
        ax.minorticks_off()
    return axes


@figure("training-map", study="training")
def training_map(study):
    """The best validation cross-entropy within a budget, by the learning rate, for three sizes."""
    found = study["results"]["map"]["names"]
    axes = plt.subplots(1, 3, sharey=True, figsize=(7.5, 3.9))[1]
    for ax, H in zip(axes, found["H"]):
        for epochs, (colour, style, marker) in zip(
            (2, 6, 20), (("x", ":", "^"), ("candidate", "--", "s"), ("lstm", "-", "o"))
        ):
            best = np.array([np.min(np.array(found["curves"][f"{H}, {lr}"])[:, :epochs], 1) for lr in found["lr"]])
            look = dict(color=COLOURS[colour], ls=style, marker=marker, ms=6)
            ax.plot(found["lr"], np.median(best, 1), label=f"{epochs} epochs", **look)
            ax.vlines(found["lr"], best.min(1), best.max(1), color=COLOURS[colour], lw=2)
        ax.set(xscale="log", xticks=[0.001, 0.01], xticklabels=["0.001", "0.01"], title=f"{H} units")
        ax.minorticks_off()
        ax.grid(axis="y")
    axes[1].set_xlabel("learning rate")
    axes[0].set_ylabel("validation cross-entropy")
    axes[0].figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=3, handlelength=2.2)
    return axes


@figure("training-clipping", study="training")
def training_clipping(study):
    """The share of seeds of an RNN that learn, by the learning rate, with and without clipping."""
    found, axes = study["results"]["clipping"], plt.subplots(1, 2, sharey=True, figsize=(7.5, 3.9))[1]
    looks = {"value": ("candidate", "--", "s"), "norm": ("hidden", "-", "o"), "none": ("forget", ":", "^")}
    labels = {"value": "clipped by value", "norm": "clipped by norm", "none": "not clipped"}
    for ax, rule in zip(axes, ("SGD", "Adam")):
        for clip, (colour, style, marker) in looks.items():
            each = found[f"{rule}, {clip}"]
            look = dict(color=COLOURS[colour], ls=style, marker=marker, ms=7, lw=2.2)
            ax.plot(each["rates"], [100 * row["share"] for row in each["learned"]], label=labels[clip], **look)
        title = {"SGD": "SGD with momentum", "Adam": "Adam"}[rule]
        ax.set(xscale="log", title=title, xlabel="learning rate", ylim=(-4, 104))
        ticks = {"SGD": (0.01, 0.1, 1), "Adam": (0.001, 0.01)}[rule]
        ax.set(xticks=ticks, xticklabels=[f"{tick:g}" for tick in ticks])
        ax.minorticks_off()
        ax.grid(axis="y")
    axes[0].set_ylabel("seeds that learn (%)")
    axes[1].legend(loc="lower left", handlelength=2.4)
    return axes


@figure("training-curves", study="training")
def training_curves(study):
    """Training and validation cross-entropy without regularisation: one falls, the other rises again."""
    found, ax = study["results"]["checkpoints"], plt.subplots(figsize=(7.5, 3.9))[1]
    epochs = np.arange(1, len(found["train"][0]) + 1)
    for part, colour, style in (("validation", "forget", "-"), ("train", "input", "--")):
        curves = np.array(found[part])
        ax.plot(epochs, np.median(curves, 0), color=COLOURS[colour], ls=style, lw=2.6)
        ax.fill_between(epochs, curves.min(0), curves.max(0), color=tint(colour, 0.18), lw=0)
        label = {"train": "training", "validation": "validation"}[part]
        where = (1, np.median(curves[:, -1])), (8, 0), ("axes fraction", "data"), "offset points"
        ax.annotate(label, *where, va="center", color=COLOURS[colour])
    best = np.argmin(found["validation"], axis=1) + 1
    low = np.min(found["validation"], axis=1)
    ax.plot(best, low, ls="", marker="o", ms=7, mfc="white", mec=COLOURS["ink"], mew=1.5, zorder=5)
    ax.set(xlabel="epoch", ylabel="cross-entropy (nats)", ylim=(0, None), xlim=(1, epochs[-1]))
    ax.grid(axis="y")
    return ax


@figure("training-regularisers", study="training")
def training_regularisers(study):
    """Each way to regularise: test scores, and the difference from the same network without it."""
    found = study["results"]["regularisers"]
    names = {"none": "none", "weight decay": "weight decay", "inputs": "dropout: inputs", "head": "dropout: head"}
    names |= {"state": "dropout: state", "recurrent weights": "dropout: weights", "together": "inputs, head, decay"}
    names |= {"two layers, none": "two layers: none", "two layers, between": "two layers: between"}
    scores = {label: found[name]["right on test"] for name, label in names.items()}
    gains = {label: found[name].get("right, difference") for name, label in names.items() if "none" not in name}
    axes = plt.subplots(1, 2, sharey=True, figsize=(7.5, 5))[1]
    return figures.plot_scores(scores, None, "right on test names (%)", axes, gains, '"none"')


@figure("training-sizes", study="training")
def training_sizes(study):
    """Right answers over the number of weights, on the test and on the training names."""
    found, ax = study["results"]["sizes"], plt.subplots(figsize=(7.5, 4.8))[1]
    single = ["16", "32", "64", "128"]
    for part, colour, style, marker in (("train", "input", "--", "s"), ("test", "lstm", "-", "o")):
        look = dict(color=COLOURS[colour], ms=7)
        points = {name: (each["weights"], each[f"right on {part}"]) for name, each in found.items()}
        middle = [np.median(points[name][1]) for name in single]
        label = {"train": "training names", "test": "test names"}[part]
        ax.plot([points[name][0] for name in single], middle, ls=style, marker=marker, label=label, **look)
        for name, shift in zip(("40 x 2", "32 x 3"), (1.16, 1.34)):
            mark = {"40 x 2": "D", "32 x 3": "v"}[name]
            ax.plot(shift * points[name][0], np.median(points[name][1]), ls="", marker=mark, **look)
            points[name] = shift * points[name][0], points[name][1]
        for weights, right in points.values():
            ax.vlines(weights, min(right), max(right), color=COLOURS[colour], lw=2)
    for mark, label in (("D", "two layers of 40"), ("v", "three layers of 32")):
        ax.plot([], [], ls="", marker=mark, color=COLOURS["grey"], ms=7, label=label)
    ticks = [found[name]["weights"] for name in single]
    ax.set(xscale="log", xticks=ticks, xticklabels=[f"{name} units\n{n:,}" for name, n in zip(single, ticks)])
    ax.minorticks_off()
    ax.set(xlabel="weights", ylabel="right answers (%)")
    ax.grid(axis="y")
    ax.figure.legend(loc="outside upper center", ncols=2)
    return ax
