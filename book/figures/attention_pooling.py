"""The pictures of the chapter attention-pooling."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle
from registry import figure

from lstm_tutorial import figures
from lstm_tutorial.data import city_names
from lstm_tutorial.figures.drawings import COLOURS, canvas, tint, wire, write
from lstm_tutorial.in_numpy import decay_weights, position_weights


@figure("attention-pooling")
def attention_pooling():
    """One weighted sum over the hidden states of a name: where do the weights come from?"""
    letters, T = "bristol", 7
    ways = {
        "mean": (np.ones(T), "candidate", "all equal"),
        "last": (np.eye(T)[-1], "lstm", "all on one step"),
        "position": (position_weights(T), "input", "t of T"),
        "time decay": (decay_weights(T, 1.5), "forget", "half-life 1.5 steps"),
        "attention": (np.exp([0.2, 0.4, 1.0, 2.4, 2.2, 1.0, 1.4]), "hidden", "content"),
    }
    ax, left, pitch, high = canvas(7.6, 4.35), 1.75, 0.56, 0.46
    for t, letter in enumerate(letters):
        x = left + pitch * t
        write(ax, x, 4.16, letter, 16)
        write(ax, x, 3.77, f"$h_{t + 1}$", 18.9, tint("hidden", 0.9, "black"))
        if t:
            wire(ax, (x - pitch + 0.17, 3.77), (x - 0.16, 3.77), colour="hidden", width=1.6)
    write(ax, left + pitch * T + 0.18, 4.16, "weights from", 13.2, "grey", ha="left")
    for k, (name, (weights, colour, source)) in enumerate(ways.items()):
        y = 2.92 - 0.7 * k
        shares = weights / weights.sum()
        write(ax, left - 0.45, y + 0.2, name, 14, tint(colour, 0.8, "black"), ha="right", weight="bold")
        ax.plot([left - 0.3, left + pitch * (T - 1) + 0.3], [y, y], color=COLOURS["pale"], lw=1, ls="-", zorder=1)
        for t, share in enumerate(shares):
            if not share:
                continue
            look = dict(fc=tint(colour, 0.5), ec=COLOURS[colour], lw=1.2, zorder=3)
            ax.add_patch(Rectangle((left + pitch * t - 0.17, y), 0.34, high * share / shares.max(), **look))
        write(ax, left + pitch * T + 0.18, y + 0.2, source, 13.2, ha="left")
    return ax


@figure("attention-pooling-symbols", study="attention_pooling")
def attention_pooling_symbols(study):
    """Two questions about 20 symbols, without recurrence: fixed weights, and learned by position or by content."""
    names = {"mean": "mean", "position": "position", "decay": "decay", "learned position": "position, learned"}
    names |= {"dot": "attention, dot", "attention": "attention, additive"}
    panels = plt.subplots(2, figsize=(7.5, 6.4), sharex=True)[1]
    for ax, (question, title) in zip(panels, {"marked": "the marked symbol", "final": "the last symbol"}.items()):
        found = study["results"]["symbols"][question]
        shown = {label: found[name]["right"] for name, label in names.items()}
        figures.plot_scores(shown, {"guess": 25}, "right answers (%)", ax=ax)
        ax.label_outer()
        ax.set(xlim=(20, 104), xticks=(25, 50, 75, 100))
        ax.set_title(title, pad=22)
    return panels


def compare(panels, title, scores, differences, against, xlim):
    """Draw scores on the left and their paired differences on the right of a row of panels."""
    figures.plot_scores(scores, label="", ax=panels, differences=differences, against=against)
    panels[0].set(xlim=xlim)
    panels[0].set_title(title, loc="left")
    panels[1].tick_params(labelleft=False)


@figure("attention-pooling-real", study="names_and_vowels")
def attention_pooling_real(study):
    """Every pool on names and vowels, and its difference from last pooling."""
    names = {"last": "last", "4 heads": "attention, 4 heads", "attention": "attention, additive"}
    names |= {"dot": "attention, dot", "learned position": "position, learned", "position": "position"}
    names |= {"decay": "decay", "mean": "mean", "max": "max", "attention, no LSTM": "attention, no LSTM"}
    size = dict(figsize=(7.5, 9.6), sharey="row", width_ratios=(1.1, 1), layout="constrained")
    panels = plt.subplots(2, 2, **size)[1]
    best = {"names": "pieces", "vowels": "four frames"}
    for row, (task, line), xlim in zip(panels, best.items(), ((45, 79), (90, 100))):
        found, shown = study["results"][task], names | {line: "linear model"}
        scores = {label: found[name]["right"] for name, label in shown.items()}
        differences = {label: found[name]["against last"] for name, label in shown.items() if name != "last"}
        compare(row, task, scores, differences, "last (points)", xlim)
        row[0].set(xlabel="right answers (%)", xticks=(50, 60, 70) if task == "names" else (90, 95, 100))
    return panels


@figure("attention-pooling-letters", study="attention_pooling")
def attention_pooling_letters(study):
    """Real names: the weights of two networks, and what each letter's deletion does."""
    examples = study["results"]["names"]["attention"]["examples"][:6]  # of the first three countries
    cities = city_names(rng=0)
    words = [cities.alphabet.decode(np.array(each["x"])) for each in examples]
    values = [np.array([*each["weights"], each["fall"]]) for each in examples]
    titles = []
    for each in examples:
        said, country = (cities.countries[k] for k in (each["answers"][0], each["y"]))
        titles.append(f"{country}" if each["right"] else f"{country}, taken for {said}")
    rows = {"network 1": "lstm", "network 2": "lstm", "if deleted": "forget"}
    return figures.plot_letters(words, values, titles, rows, width=6.3)


@figure("attention-pooling-deleted", study="attention_pooling")
def attention_pooling_deleted(study):
    """How many answers about names change when one letter goes, from the input or from the weighted sum alone."""
    rules = {"worst": "worst of all", "most attended": "most attended", "last": "last"}
    rules |= {"largest gradient": "largest gradient", "random": "at random", "least attended": "least attended"}
    found = study["results"]["names"]["attention"]
    size = dict(figsize=(7.5, 6.6), sharex="col", sharey="row", layout="constrained")
    panels = plt.subplots(2, 2, **size)[1]
    for row, (way, title) in zip(panels, {"input": "deleted from the name", "sum": "deleted from the sum"}.items()):
        scores = {label: found[f"{way}: {rule}"] for rule, label in rules.items()}
        differences = {
            label: found["differences"][f"{way}: {rule} - {way}: random"]
            for rule, label in rules.items()
            if rule != "random"
        }
        compare(row, title, scores, differences, "random (points)", (-3, 88))
    panels[0, 1].set(xlabel="")
    panels[1, 0].set(xlabel="answers changed (%)", xticks=(0, 20, 40, 60, 80))
    return panels
