"""The pictures of the chapter many-to-one."""

import matplotlib.pyplot as plt
import numpy as np
from registry import figure

from lstm_tutorial import figures
from lstm_tutorial.figures.drawings import COLOURS, box, canvas, tint, wire, write


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


@figure("many-to-one-names", study="names_and_vowels")
def many_to_one_names(study):
    """From a name to its country: the scores of ten seeds, and the differences from the LSTM."""
    found = study["results"]["names"]
    names = {"pieces": "pieces of a name", "both directions, last": "LSTM, both ways", "last": "LSTM, last valid"}
    names |= {"RNN, last": "RNN, last valid", "letters": "bag of letters"}
    differences = {label: found[name]["against last"] for name, label in names.items() if name != "last"}
    axes = plt.subplots(1, 2, sharey=True, figsize=(7.5, 3.6))[1]
    scores = {label: found[name]["right"] for name, label in names.items()}
    return figures.plot_scores(scores, None, "right answers (%)", axes, differences, "the LSTM")


@figure("many-to-one-fewer", study="many_to_one")
def many_to_one_fewer(study):
    """Right answers over the number of training names: pieces and LSTM, and the LSTM with two unfair budgets."""
    found, ax = study["results"]["names"], plt.subplots(figsize=(7.5, 4.2))[1]
    sizes = (420, 1260, 3360)
    curves = {"pieces": [found[f"pieces, {n}"]["right"] for n in sizes]}
    curves |= {"LSTM, early stopping": [found[f"LSTM, {n}"]["right"] for n in sizes]}
    curves |= {f"LSTM, {name}": [found[name][str(n)] for n in sizes] for name in ("same updates", "same epochs")}
    looks = dict(zip(curves, (("hidden", "-", "o"), ("lstm", "-", "s"), ("grey", "--", "^"), ("grey", ":", "v"))))
    for name, scores in curves.items():
        colour, style, marker = looks[name]
        scores = np.array(scores)
        ax.plot(sizes, np.median(scores, 1), color=COLOURS[colour], ls=style, marker=marker, ms=7, label=name)
        ax.vlines(sizes, scores.min(1), scores.max(1), color=COLOURS[colour], lw=2)
    ax.set(xscale="log", xticks=sizes, xticklabels=[f"{n:,}" for n in sizes], ylim=(0, 80))
    ax.minorticks_off()
    ax.set(xlabel="training names", ylabel="right answers (%)")
    ax.legend(loc="lower right")
    return ax


@figure("many-to-one-padding", study="many_to_one")
def many_to_one_padding(study):
    """What padding costs a network that reads it, by its length in training and in the test."""
    padding, names = study["results"]["padding"], study["results"]["names"]["LSTM, 3360"]
    scores = {"masked": names["right"], "20, tested at 20": padding["20, learned"]["right at 20"]}
    scores |= {f"20, tested at {T}": padding["20, learned"][f"right at {T}"] for T in (40, 80)}
    scores |= {"20, zeros": padding["20, zeros"]["right at 20"]}
    scores |= {f"{T}, tested at {T}": padding[f"{T}, learned"][f"right at {T}"] for T in (30, 40)}
    scores |= {"40, forget bias 3": padding["40, forget bias 3"]["right at 40"]}
    scores |= {"mask in training only": names["lengths forgotten"]}
    ax = plt.subplots(figsize=(7.5, 4.6))[1]
    figures.plot_scores(scores, {"one country": 100 / 12}, "right answers on test names (%)", ax)
    for line in ax.lines[:-1]:
        line.set(color=COLOURS["lstm"], mfc=tint("lstm", 0.55))
    return ax


@figure("many-to-one-walks", study="many_to_one")
def many_to_one_walks(study):
    """Ten random walks: the error of an LSTM over that of persistence, forecasting the level or the change."""
    walks = study["results"]["walks"]
    names = {"level": "forecasts the level", "change": "forecasts the change"}
    scores = {label: walks[name]["error / persistence"] for name, label in names.items()}
    ax = plt.subplots(figsize=(7.5, 2.3))[1]
    figures.plot_scores(scores, {"persistence": 1}, "error divided by that of persistence", ax)
    ax.set(xscale="log", xticks=[1, 2, 5, 10, 20], xticklabels=[1, 2, 5, 10, 20])
    ax.minorticks_off()
    return ax


@figure("many-to-one-sunspots", study="many_to_one")
def many_to_one_sunspots(study):
    """Two forecasts of the sunspots over the truth: last year's value, and an LSTM's."""
    found = study["results"]["sunspots"]["1950"]
    years = np.arange(1950, 2009)
    axes = plt.subplots(2, sharex=True, figsize=(7.5, 5.6))[1]
    for ax, name, colour in zip(axes, ("persistence", "LSTM"), ("candidate", "lstm")):
        ax.plot(years, found["truth"], color=COLOURS["grey"], lw=4, alpha=0.45, label="measured")
        ax.plot(years, found["forecasts"][name], color=COLOURS[colour], lw=1.8, ls="-", label=f"forecast: {name}")
        ax.set(ylabel="sunspots")
        ax.legend(loc="upper right", ncols=2)
        ax.set_ylim(-20, 265)
    axes[1].set_xlabel("year")
    return axes
