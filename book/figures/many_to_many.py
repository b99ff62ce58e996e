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
    word, found = next(iter(study["results"]["runs"][0]["matrices"].items()))
    phones, axes = found["phones"].split(), plt.subplots(1, 2, figsize=(7.5, 4.3))[1]
    for ax, name in zip(axes, ("LSTM, one way", "LSTM, both ways")):
        dependencies(ax, np.array(found[name]), phones, np.array(found["stress"]) >= 0)
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


@figure("many-to-many-scores", study="many_to_many")
def many_to_many_scores(study):
    """Every model's share of right vowels on each of the splits."""
    scores = study["results"]["scores"]
    names = ["LSTM, both ways", "RNN, both ways", "whole word, hidden layer", "window, hidden layer", "LSTM, backwards"]
    names += ["window, logistic", "LSTM, one way, H 96", "LSTM, one way", "RNN, one way"]
    shown = {name.replace("window", "±3 phones"): scores[name] for name in names}
    ax = plt.subplots(figsize=(7.5, 5.2))[1]
    figures.plot_scores(shown, {"per vowel": np.median(scores["per vowel"])}, "vowels right on test words (%)", ax)
    ax.set_xticks(range(70, 95, 5))
    return ax


@figure("many-to-many-late", study="many_to_many")
def many_to_many_late(study):
    """The one-way LSTM that may wait some phones before it answers."""
    scores = study["results"]["scores"]
    runs = {0: scores["LSTM, one way"], **{k: scores[f"LSTM, {k} late"] for k in (1, 2, 4)}}
    ax = plt.subplots(figsize=(7.5, 4.2))[1]
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
