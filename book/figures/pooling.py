"""The pictures of the chapter pooling."""

import json

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle
from registry import figure, read

from lstm_tutorial import figures
from lstm_tutorial.figures.drawings import COLOURS, canvas, tint, write
from lstm_tutorial.in_numpy import last_pool, max_pool, mean_pool

LONG = [[0.1, 0.8, 0.3, -0.2, 0.4, 0.2], [-0.5, -0.1, -0.6, -0.3, -0.4, -0.2]]  # (H, T)
SHORT = [[0.6, 0.2, 0.5, 0, 0, 0], [-0.7, -0.2, -0.4, 0, 0, 0]]


@figure("pooling")
def pooling():
    """Two sequences, two hidden units: what last, max and mean take, and the padding that they must not read."""
    ax, wide, high = canvas(7.6, 3.5), 0.62, 0.44
    x, lengths = np.swapaxes([LONG, SHORT], 1, 2), np.array([6, 3])  # (B, T, H)
    pools = {"last": last_pool, "max": max_pool, "mean": mean_pool}
    inks = {"last": "lstm", "max": "forget", "mean": "candidate"}
    left, right = 1.25, 1.25 + 6 * wide + 0.4
    for t in range(6):
        write(ax, left + wide * (t + 0.5), 3.28, f"{t + 1}", 13.2, "grey")
    write(ax, left - 0.12, 3.28, "step", 13.2, "grey", ha="right")
    for k, (name, colour) in enumerate(inks.items()):
        write(ax, right + 0.78 * (k + 0.4), 3.28, name, 14, tint(colour, 0.8, "black"), weight="bold")
    for b, top in enumerate((3.02, 1.42)):
        write(ax, 0.32, top - high, rf"$\ell = {lengths[b]}$", 17)
        for h in range(2):
            y = top - high * (h + 1)
            write(ax, left - 0.14, y + high / 2, f"$h_{h + 1}$", 18.9, ha="right")
            best = x[b, : lengths[b], h].argmax()
            for t in range(6):
                valid, value = t < lengths[b], x[b, t, h]
                look = dict(fc=tint("hidden", 0.08 + 0.5 * max(value, 0)) if valid else "#EEF0F2", ec="white", lw=2)
                ax.add_patch(Rectangle((left + wide * t, y), wide, high, hatch=None if valid else "////", **look))
                words = f"{value:.1f}".replace("-", "−")
                write(ax, left + wide * (t + 0.5), y + high / 2, words, 13.2, "ink" if valid else "grey")
                if valid and t == best:
                    edge = dict(fc="none", ec=COLOURS["forget"], lw=2.2, zorder=6)
                    ax.add_patch(Rectangle((left + wide * t + 0.05, y + 0.05), wide - 0.1, high - 0.1, **edge))
            for k, name in enumerate(pools):
                value = pools[name](x, lengths)[b, h]
                spot = (right + 0.78 * k, y + 0.03)
                look = dict(fc=tint(inks[name], 0.12), ec=COLOURS[inks[name]], lw=1.4)
                ax.add_patch(Rectangle(spot, 0.64, high - 0.06, **look))
                words = f"{value:.2f}" if name == "mean" else f"{value:.1f}"
                write(ax, spot[0] + 0.32, y + high / 2, words.replace("-", "−"), 13.2)
        end = left + wide * (lengths[b] - 1)
        ax.add_patch(Rectangle((end, top - 2 * high), wide, 2 * high, fc="none", ec=COLOURS["lstm"], lw=2.2, zorder=7))
        span = [left + 0.04, left + wide * lengths[b] - 0.04]
        ax.plot(span, [top - 2 * high - 0.12] * 2, color=COLOURS["candidate"], lw=5, ls="-", solid_capstyle="butt")
    middle = left + wide * 4.5
    write(ax, middle, 1.42 - 2 * high - 0.13, "padding", 13.2, "grey")
    return ax


INKS = {"last": "lstm", "max": "forget", "mean": "candidate", "median": "hidden"}
MARKS = {"last": "s", "max": "^", "mean": "o", "median": "D"}


@figure("pooling-padding", study="pooling")
def pooling_padding(study):
    """How often a zero in the padding beats every valid value, by length: noise and speech."""
    found, trained = study["results"]["untrained"], study["results"]["outliers"]["LSTM, max"]["wrong"]
    ax = plt.subplots(figsize=(7.5, 4.2))[1]
    curves = {  # label: runs, colour, line, how far up its name goes, in points
        "speech, LSTM trained": (trained, "lstm", "-", 0),
        "speech, LSTM untrained": (found["vowels, LSTM"], "lstm", (0, (5, 1.6)), 0),
        "noise, LSTM untrained": (found["noise, LSTM"], "input", "-", 15),
        "noise, RNN untrained": (found["noise, RNN"], "rnn", "-", 5),
    }
    for label, (runs, colour, style, up) in curves.items():
        lengths, values = [int(n) for n in runs[0]], np.array([list(run.values()) for run in runs])
        middle = np.median(values, axis=0)
        ax.fill_between(lengths, values.min(axis=0), values.max(axis=0), color=tint(colour, 0.18), lw=0)
        ax.plot(lengths, middle, color=COLOURS[colour], ls=style)
        look = dict(textcoords="offset points", color=tint(colour, 0.8, "black"), va="center")
        ax.annotate(label, (lengths[-1], middle[-1]), (6, up), **look)
    ax.set(xlabel="valid steps", ylabel="maxima that are wrong (%)", ylim=(0, None), xlim=(2, 40))
    ax.set_xticks([2, 5, 10, 20, 30, 40])
    ax.grid(axis="y")
    return ax


def beside_masked(study, task, ways):
    """Draw, for mean and max, the masked scores and those of other ways with their differences from the masked."""
    masked = json.loads(read("experiments/results/names_and_vowels.json"))["results"][task]
    scores, differences = {}, {}
    for pool in ("max", "mean"):
        scores[f"{pool}, masked"] = masked[pool]["right"]
        for way, label in ways.items():
            found = study["results"]["padding"][f"{task}, {pool}, {way}"]
            first = next(iter(found["right"][0]))  # as in training
            scores[f"{pool}, {label}"] = [run[first] for run in found["right"]]
            differences[f"{pool}, {label}"] = found["right against masked"][first]
    panels = plt.subplots(1, 2, sharey=True, figsize=(7.5, 0.9 + 0.45 * len(scores)))[1]
    figures.plot_scores(scores, None, "right answers (%)", panels, differences, "masked")
    return panels


@figure("pooling-unmasked", study="pooling")
def pooling_unmasked(study):
    """What vowels cost when the pool, or pool and LSTM, do not know the lengths."""
    return beside_masked(study, "vowels", {way: way for way in ("pool unmasked", "both unmasked")})


@figure("pooling-mark", study="pooling")
def pooling_mark(study):
    """City names: the padding read, and a symbol more at the end or in front."""
    ways = {"both unmasked": "both unmasked", "mark at the end": "stop symbol", "mark in front": "symbol in front"}
    return beside_masked(study, "names", ways)


@figure("pooling-gradient", study="pooling")
def pooling_gradient(study):
    """The share of the gradient that arrives at each input of a randomly initialised LSTM, by steps before the end."""
    curves = {}
    for pool in ("last", "max", "mean"):
        inputs = np.array(study["results"]["untrained"][f"share, {pool}"])[:, ::-1]  # (seeds, T), the last step first
        curves[pool] = np.median(inputs, axis=0), inputs.min(axis=0), inputs.max(axis=0)
    ax = figures.plot_gradient_by_lag(np.arange(inputs.shape[1]), curves)
    ax.set(xlabel="steps before the end", ylabel="share of the gradient")
    return ax


@figure("pooling-outliers", study="pooling")
def pooling_outliers(study):
    """What one corrupted frame costs: a panel for each layer, a line for each pool."""
    found = study["results"]["outliers"]
    panels = plt.subplots(2, 2, figsize=(7.5, 6.4), sharex=True, sharey=True)[1].ravel()
    titles = {"linear": "linear layer", "tanh": "tanh layer", "RNN": "RNN", "LSTM": "LSTM"}
    for ax, (kind, title) in zip(panels, titles.items()):
        for pool in ("median", "mean", "max"):
            values = np.array([found[f"{kind}, {pool}"][s] for s in ("clean", "3", "10", "100")])  # (4, seeds)
            ax.fill_between(range(4), values.min(axis=1), values.max(axis=1), color=tint(INKS[pool], 0.15), lw=0)
            look = dict(color=COLOURS[INKS[pool]], marker=MARKS[pool], ms=6, lw=1.8, ls="-", label=pool)
            ax.plot(range(4), np.median(values, axis=1), **look)
        ax.set(title=title, xticks=range(4), xticklabels=("0", "3", "10", "100"), ylim=(0, 102))
        ax.grid(axis="y")
    for ax in panels[::2]:
        ax.set_ylabel("right (%)")
    panels[0].figure.supxlabel("one frame moved by so many standard deviations", size=13)
    panels[-1].legend(loc="lower right")
    return panels
