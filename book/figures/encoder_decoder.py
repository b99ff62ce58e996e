"""The pictures of the chapter encoder-decoder."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from registry import figure

from lstm_tutorial.figures import plot_scores
from lstm_tutorial.figures.drawings import COLOURS, box, canvas, tint, wire, write


@figure("encoder-decoder")
def encoder_decoder():
    """An encoder that reads letters, a decoder that writes phones, and attention for one step between them."""
    ax, read, write_at, sees = canvas(7.5, 4.9), 1.3, 3.35, (3.72, 2.42)
    xs, ys = [0.95 + 0.92 * k for k in range(5)], [2.3, 3.72, 5.14, 6.56]
    for k, (x, letter, weight) in enumerate(zip(xs, "phone", (0.06, 0.06, 0.62, 0.08, 0.18))):
        box(ax, x, read, 0.56, 0.62, "input", 0.12)
        write(ax, x, 0.3, letter, 19, weight="bold")
        wire(ax, (x, 0.5), (x, read - 0.32), colour="x")
        if k:
            for dy, way in ((0.12, 1), (-0.12, -1)):
                ends = (xs[k - 1] + 0.28, read + dy), (x - 0.28, read + dy)
                wire(ax, *ends[::way], colour="hidden", width=1.8)
        wire(ax, (x, read + 0.31), sees, colour="forget", width=1 + 8 * weight, arrow=False, z=1)
    wire(ax, (sees[0], sees[1] - 0.02), (ys[1], write_at - 0.32), colour="forget", width=4)
    ax.plot(*sees, "o", ms=11, color=COLOURS["forget"], zorder=5)
    write(ax, 4.08, 2.52, "attention: weights over the", 13, tint("forget", 0.85, "black"), ha="left")
    write(ax, 4.08, 2.29, "letters, for this one phone", 13, tint("forget", 0.85, "black"), ha="left")
    wire(ax, (xs[0] - 0.28, read), (0.3, read), (0.3, write_at), (ys[0] - 0.36, write_at), colour="hidden", width=2.6)
    around = (xs[-1] + 0.28, read), (5.05, read), (5.05, 0.78), (0.3, 0.78), (0.3, read + 0.3)
    wire(ax, *around, colour="hidden", width=2.6, arrow=False, z=0.5)
    write(ax, 0.4, 2.45, "final states", 13, "hidden", ha="left")
    box(ax, 1.08, write_at, 0.86, 0.44, "hidden", 0.1)
    write(ax, 1.08, write_at, "bridge", 13)
    for k, (x, phone) in enumerate(zip(ys, ("F", "OW", "N", "stop"))):
        box(ax, x, write_at, 0.72, 0.62, "lstm", 0.12)
        if k:
            wire(ax, (ys[k - 1] + 0.36, write_at), (x - 0.36, write_at), colour="hidden", width=2.6)
            turn = (ys[k - 1] + 0.42, 4.5), (x - 0.24, 4.5), (x - 0.24, write_at + 0.32)
            wire(ax, *turn, colour="grey", width=1.8, style=(0, (3, 2)))
        wire(ax, (x + 0.12, write_at + 0.31), (x + 0.12, 4.28), colour="output")
        write(ax, x + 0.12, 4.5, phone, 17 if k < 3 else 14, weight="bold")
    wire(ax, (ys[0] - 0.62, 4.5), (ys[0] - 0.24, 4.5), (ys[0] - 0.24, write_at + 0.32), colour="grey", width=1.8)
    write(ax, ys[0] - 0.95, 4.5, "start", 14, "grey")
    write(ax, 5.15, 1.42, "encoder", 14, "input", weight="bold", ha="left")
    write(ax, 5.15, 1.17, "reads both ways", 13, ha="left")
    write(ax, 5.9, 2.86, "decoder", 14, "lstm", weight="bold", ha="left")
    return ax


LABELS = {"dot": "dot attention", "none": "no attention", "bare": "no attention,\nno bridge", "table": "table"}


@figure("encoder-decoder-scores", study="encoder_decoder")
def encoder_decoder_scores(study):
    """Phoneme error rate of the four contenders, and paired differences from the network without attention."""
    found = study["results"]
    against = {"dot": "dot - none", "bare": "bare - none", "table": "table - none"}
    differences = {LABELS[name]: found["differences"][key]["test"]["per"] for name, key in against.items()}
    scores = {label: found[name]["per"] for name, label in LABELS.items()}
    axes = plt.subplots(1, 2, figsize=(7.5, 3.4), sharey=True)[1]
    return plot_scores(scores, None, "phoneme error rate (%)", axes, differences, "\nno attention (points)")


@figure("encoder-decoder-length", study="encoder_decoder")
def encoder_decoder_length(study):
    """Phoneme error rate by the length of the word, on training words and on test words."""
    found, groups = study["results"], list(study["results"]["words"]["test"])
    axes = plt.subplots(1, 2, figsize=(7.5, 4.6), sharey=True)[1]
    looks = zip(LABELS, ("lstm", "rnn", "candidate", "grey"), ("-", "-.", "--", ":"), (-0.09, -0.03, 0.03, 0.09))
    for name, colour, dash, aside in looks:
        for ax, each in zip(axes, (found[name]["on training words"], found[name])):
            per, x = np.array([each[group] for group in groups]), np.arange(len(groups)) + aside
            ax.plot(x, np.median(per, axis=1), dash, color=COLOURS[colour], label=LABELS[name].replace("\n", " "), lw=2)
            ax.plot(x, per, "o", ms=4, color=COLOURS[colour], mec="white", mew=0.5)
    for ax, title in zip(axes, ("training words", "test words")):
        ax.set(xticks=range(len(groups)), xticklabels=[group.replace("-", "–") for group in groups])
        ax.set(xlabel="letters in the word", title=title)
    axes[0].set(ylabel="phoneme error rate (%)", ylim=(0, None))
    axes[0].figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return axes


@figure("encoder-decoder-alignment", study="encoder_decoder")
def encoder_decoder_alignment(study):
    """The weights of dot attention while three words are written: a row per phone, a column per letter."""
    shown = study["results"]["dot"]["shown"]
    tall = [len(found["weights"]) for found in shown.values()]
    look = dict(figsize=(7.5, 0.27 * sum(tall) + 1.4), gridspec_kw={"height_ratios": tall})
    axes = plt.subplots(len(shown), **look)[1]
    colours = LinearSegmentedColormap.from_list("", ["white", COLOURS["forget"]])
    for ax, (word, found) in zip(axes, shown.items()):
        weights = np.array(found["weights"])[:, : len(word)]
        ax.pcolormesh(weights, cmap=colours, vmin=0, vmax=1, edgecolor=COLOURS["pale"], lw=0.5)
        ax.set(xticks=np.arange(len(word)) + 0.5, xticklabels=word, yticks=np.arange(len(weights)) + 0.5)
        ax.set(yticklabels=[*found["written"].split(), "stop"][: len(weights)], xlim=(0, 14))
        ax.invert_yaxis()
        ax.xaxis.tick_top()
        ax.tick_params(length=0)
        for side in ax.spines.values():
            side.set_visible(False)
    axes[0].figure.get_layout_engine().set(hspace=0.1)
    return axes
