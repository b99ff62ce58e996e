"""The pictures of the chapter many-to-many."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from registry import figure

from lstm_tutorial import figures
from lstm_tutorial.figures.drawings import COLOURS, box, canvas, tint, wire, write


@figure("many-to-many")
def many_to_many():
    """A word of six phones, read forwards and backwards; an answer at every step, of which only the vowels' count."""
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
def many_to_many_matrices(study):
    """What each answer depends on, in two trained networks that read the same word."""
    axes = plt.subplots(1, 2, figsize=(7.5, 4.3))[1]
    for ax, name in zip(axes, ("LSTM, one way", "LSTM, both ways")):
        found = study["results"]["models"][name]["matrix"]
        dependencies(ax, np.array(found["matrix"]), found["phones"].split(), np.array(found["stress"]) >= 0)
        ax.set_title(name)
    axes[0].set_ylabel("answer to")
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


NAMES = {"LSTM, one way, H 96": "LSTM, one way, 96 units", "window, logistic": "±3 phones, linear"}


@figure("many-to-many-scores", study="many_to_many")
def many_to_many_scores(study):
    """Every model's share of right vowels, and its paired difference from the LSTM that reads both ways."""
    models, both = study["results"]["models"], "LSTM, both ways"
    names = [both, "RNN, both ways", "whole word, hidden layer", "LSTM, backwards", "window, logistic"]
    names = sorted([*names, "LSTM, one way, H 96", "LSTM, one way"], key=lambda name: -np.median(models[name]["right"]))
    scores = {NAMES.get(name, name): models[name]["right"] for name in names}
    differences = {NAMES.get(name, name): models[name][f"against {both}"] for name in names if name != both}
    axes = plt.subplots(1, 2, sharey=True, figsize=(7.5, 4.3), width_ratios=(1, 0.9))[1]
    baseline = {"per vowel": np.median(models["per vowel"]["right"])}
    figures.plot_scores(scores, baseline, "vowels right (%)", axes, differences, "LSTM, both ways")
    axes[1].set_xlabel("difference (points)")
    return axes


@figure("many-to-many-late", study="many_to_many")
def many_to_many_late(study):
    """The one-way LSTM that may wait some phones before it answers, and the one that reads the word twice."""
    models = study["results"]["models"]
    runs = {k: models[f"LSTM, {k} late" if k else "LSTM, one way"]["right"] for k in (0, 2, 4, 13)}
    twice = models["LSTM, twice, H 96"]["right"]
    ax = plt.subplots(figsize=(7.5, 4.2))[1]
    for name, words in (("LSTM, both ways", "both ways"), ("LSTM, one way", "at once")):
        value = np.median(models[name]["right"])
        ax.axhline(value, color=COLOURS["grey"], lw=1.2, ls="--")
        ax.annotate(words, (7.5, value), (0, 4), textcoords="offset points", ha="center")
    ax.plot(list(runs), [np.median(each) for each in runs.values()], color=COLOURS["lstm"], ls="-")
    for k, values in runs.items():
        ax.plot([k] * len(values), values, "o", color=COLOURS["lstm"], mec="white", ms=6, ls="")
    ax.plot([16] * len(twice), twice, "D", color=COLOURS["candidate"], mec="white", ms=6, ls="")
    ax.set(xlabel="steps that the one-way LSTM waits before it answers", ylabel="vowels right (%)")
    ax.set_xticks([0, 2, 4, 13, 16], ["0", "2", "4", "13", "reads\ntwice"])
    return ax
