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


LABELS = {"Kneser-Ney": "Kneser-Ney", "LSTM": "LSTM"}
LABELS |= {"scheduled sampling": "LSTM, scheduled sampling", "all sampled": "LSTM, all sampled"}


def compare(values, differences, labels, label, **options):
    """Draw a dot a seed and paired differences by name; models that count have one colour, networks another."""
    keys = {name: text if text.startswith("LSTM") else f"RNN {text}" for name, text in labels.items()}
    scores = {key: values[name] for name, key in keys.items()}
    found = {key: differences[name] for name, key in keys.items() if name in differences}
    panels = plt.subplots(1, 2, sharey=True, figsize=(7.5, 1 + 0.55 * len(keys)))[1]
    figures.plot_scores(scores, None, label, panels, found, **options)
    panels[0].set(yticklabels=[text.replace(", ", ",\n") for text in labels.values()])
    return panels


@figure("one-to-many-bits", study="one_to_many")
def one_to_many_bits(study):
    """Bits per character on test names: n-grams and networks, a dot a seed, and differences from the LSTM."""
    results, names = study["results"], ("trigram", "scheduled sampling", "mixed", "LSTM", "Kneser-Ney")
    labels = {name: {"mixed": "mixed n-gram"}.get(name, LABELS.get(name, name)) for name in names}
    values = {name: results[name]["test bits"] for name in names}
    return compare(values, results["differences"]["bits"], labels, "bits per character", against="the LSTM")


@figure("one-to-many-writers", study="one_to_many")
def one_to_many_writers(study):
    """What two writers write, against the entropy per symbol: near copies, and names that fit."""
    results, panels = study["results"], plt.subplots(2, figsize=(7.5, 6.2), sharex=True)[1]
    titles = {"within a letter": "near copies", "right country": "assigned to the right country"}
    for ax, (key, title) in zip(panels, titles.items()):
        for name, colour, style in (("LSTM", "lstm", "-"), ("Kneser-Ney", "rnn", "--")):
            at = [each for label, each in results[name]["written"].items() if label.startswith("temperature")]
            x, y = [np.median(each["entropy"]) for each in at], np.array([each[key] for each in at])
            ax.plot(x, np.median(y, 1), style, marker="o", ms=5, color=COLOURS[colour], label=name)
            ax.fill_between(x, y.min(1), y.max(1), color=COLOURS[colour], alpha=0.15, lw=0)
        real = np.median(results["LSTM"]["written"]["real"][key])
        ax.axhline(real, color=COLOURS["grey"], lw=1.2, ls=":", label="validation names")
        ax.set(title=title, ylim=(0, None))
        ax.set_ylabel("per cent of names")
    panels[-1].set_xlabel("entropy per symbol (bits)")
    panels[0].legend()
    return panels


@figure("one-to-many-differences", study="one_to_many")
def one_to_many_differences(study):
    """Paired differences from the LSTM of what is written, at equal temperature and at equal entropy."""
    rows = [(name, at) for name in ("Kneser-Ney", "scheduled sampling") for at in ("temperature 1.0", "entropy 3.0")]
    rows.insert(1, ("Kneser-Ney", "entropy 2.0"))  # scheduled sampling was not written at so low an entropy
    panels = plt.subplots(2, 2, figsize=(7.5, 6.6), sharey=True)[1]
    titles = {"within a letter": "near copies", "right country": "right country"}
    titles |= {"judged": "n-gram judge", "judged by LSTM": "LSTM judge"}
    for k, (ax, (key, title)) in enumerate(zip(panels.ravel(), titles.items())):
        for row, (name, at) in enumerate(rows):
            each, colour = study["results"]["differences"][at][name][key], "rnn" if name == "Kneser-Ney" else "lstm"
            ax.plot([each["low"], each["high"]], [row, row], "-", color=COLOURS[colour], lw=2.5)
            ax.plot(each["mean"], row, "o", ms=7, mfc=COLOURS[colour], mec="white", mew=0.8)
        ax.axvline(0, color=COLOURS["grey"], lw=1.2, ls=(0, (5, 3)), zorder=1.5)
        ax.axhline(2.5, color=COLOURS["grey"], lw=0.8)
        ax.set(title=title, xlabel="percentage points" if k < 2 else "bits per character", ylim=(4.5, -0.5))
        ax.tick_params(axis="y", length=0)
        ax.grid(axis="x")
    words = {"temperature 1.0": "τ = 1", "entropy 2.0": "2 bits", "entropy 3.0": "3 bits"}
    short = {"Kneser-Ney": "Kneser-Ney", "scheduled sampling": "scheduled"}
    for ax in panels[:, 0]:
        ax.set(yticks=range(5), yticklabels=[f"{short[name]}, {words[at]}" for name, at in rows])
    return panels


@figure("one-to-many-exposure", study="one_to_many")
def one_to_many_exposure(study):
    """What it costs, by a judge, that a model reads its own letters: a dot a seed, and the mean with its interval."""
    results = study["results"]
    exposed = {name: results[name]["exposure"] for name in LABELS}
    values = {name: np.subtract(each["own"], each["real"]) for name, each in exposed.items()}
    panels = compare(values, results["differences"]["exposure"], LABELS, "own minus real letters (bits)")
    panels[0].axvline(0, color=COLOURS["grey"], lw=1.2, ls=(0, (5, 3)), zorder=1.5)
    panels[1].set(xlabel="mean, with its interval")
    return panels
