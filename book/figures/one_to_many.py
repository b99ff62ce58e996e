"""The pictures of the chapter one-to-many."""

import matplotlib.pyplot as plt
import numpy as np
from registry import figure

from lstm_tutorial import figures
from lstm_tutorial.figures.drawings import COLOURS, box, canvas, tint, wire, write


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
    ax = plt.subplots(figsize=(7.5, 3.6))[1]
    figures.plot_scores(dict(zip(keys, map(scores.get, labels))), label="bits per character", ax=ax)
    ax.set(yticklabels=labels.values())
    return ax


@figure("one-to-many-temperature", study="one_to_many")
def one_to_many_temperature(study):
    """What a temperature does to names: how many are known, how many differ, how many fit their country."""
    runs, panels = study["results"]["runs"], plt.subplots(3, figsize=(7.5, 8.2), sharex=True, sharey=True)[1]
    titles = {"within a letter": "near copies", "different": "different from each other"}
    for ax, (key, title) in zip(panels, (titles | {"right country": "assigned to the right country"}).items()):
        for name, colour, style in (("LSTM, country", "lstm", "-"), ("trigram, country", "rnn", "--")):
            at = {t: [run["written"][name][t][key] for run in runs] for t in runs[0]["written"][name]}
            x, curves = [float(t) for t in at], np.array(list(at.values()))
            ax.plot(x, np.median(curves, 1), style, marker="o", ms=4, color=COLOURS[colour], label=name.split(",")[0])
            ax.fill_between(x, curves.min(1), curves.max(1), color=COLOURS[colour], alpha=0.15, lw=0)
        real = np.median([run["written"]["real"][key] for run in runs])
        ax.axhline(real, color=COLOURS["grey"], lw=1.2, ls=":", label="real names")
        ax.set(title=title, xticks=x, ylim=(-3, 103))
        ax.set_ylabel("per cent of names")
    panels[-1].set_xlabel("temperature")
    panels[0].legend(loc="upper right")
    return panels


@figure("one-to-many-exposure", study="one_to_many")
def one_to_many_exposure(study):
    """A judge's cross-entropy at the next letter, by what comes before it: real letters, or the network's own."""
    runs, at = study["results"]["runs"], study["results"]["positions"]
    ax = plt.subplots(figsize=(7.5, 4.8))[1]
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
    ax.set(xlabel="letters before it", ylabel="judge's cross-entropy (bits)", xticks=at)
    ax.legend(ncols=2, loc="upper center", bbox_to_anchor=(0.5, 1.25))
    return ax
