"""The pictures of the chapter choosing."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle
from registry import figure

from lstm_tutorial.figures import POOL_LOOKS, plot_choice, plot_over, pool_key
from lstm_tutorial.figures.drawings import COLOURS, canvas, tint, write

CHANCE = {"exists": 50, "average": 50, "final": 25, "marked": 25}
TRUNKS = {"LSTM": "LSTM", "none": "no recurrence"}


def percent(values):
    """Shares as percentages."""
    return 100 * np.array(values, float)


@figure("choosing")
def choosing():
    """Four questions about a sequence of symbols, and the steps that hold the answer to each."""
    rows = {
        "exists": ("cdbcadbd", [4], "Is there an a?", "yes"),
        "average": ("abcabdaa", range(8), "More than half a or b?", "yes"),
        "final": ("bacdbcad", [7], "Which one is last?", "d"),
        "marked": ("dbacabcd", [2], "Which one is marked?", "a"),
    }
    ax, wide = canvas(7.6, 3.5), 0.42
    for k, (name, (symbols, steps, question, answer)) in enumerate(rows.items()):
        y = 2.98 - 0.84 * k
        write(ax, 0.1, y, name, 15, ha="left", weight="bold")
        for t, symbol in enumerate(symbols):
            lit = t in steps
            colour = "forget" if lit and (name != "average" or symbol in "ab") else "candidate" if lit else "grey"
            look = dict(fc=tint(colour, 0.35 if lit else 0.06), ec=COLOURS[colour], lw=1.6 if lit else 0.9, zorder=3)
            ax.add_patch(Rectangle((1.2 + wide * t, y - 0.2), wide - 0.05, 0.4, **look))
            write(ax, 1.2 + wide * (t + 0.44), y - 0.01, symbol, 15, "ink" if lit else "grey")
        if name == "marked":
            write(ax, 1.2 + wide * (steps[0] + 0.44), y + 0.3, "▼", 13.2, "forget")
        write(ax, 4.8, y, question, 13.5, ha="left")
        write(ax, 7.3, y, answer, 13.5, tint("forget", 0.85, "black"), weight="bold")
    return ax


@figure("choosing-base", study="choosing")
def choosing_base(study):
    """Every pool on every question, with an LSTM and without recurrence, one mark per seed."""
    base = study["results"]["base"]
    panels = {
        question: {
            label: {pool: percent(found["right"]) for pool, found in base[question][trunk].items()}
            for trunk, label in TRUNKS.items()
        }
        for question in CHANCE
    }
    axes = plot_choice(panels, CHANCE, columns=2)
    axes[0].figure.set_size_inches(7.5, 7.4)
    for ax in axes:
        ax.set(xlim=(20, 102), xticks=(25, 50, 75, 100))
    handles = [
        plt.Line2D([], [], ls="", marker="o", mec=COLOURS["ink"], mfc=fill, label=label)
        for label, fill in zip(TRUNKS.values(), (COLOURS["grey"], "white"))
    ]
    axes[0].figure.legend(handles=handles, loc="outside upper center", ncols=2)
    return axes


@figure("choosing-place", study="choosing")
def choosing_place(study):
    """The score by the position of the needle, in sequences of 100 steps."""
    found, places = study["results"]["position"], study["results"]["settings"]["places"]
    trunks, questions = {"LSTM": "LSTM", "bias 2": "forget bias 2", "both": "both directions"}, ("exists", "marked")
    fig, axes = sheet(questions, trunks.values(), 6.4)
    for row, question in zip(axes, questions):
        for ax, trunk in zip(row, trunks):
            curves = {pool: percent(each["by place"]) for pool, each in found[question][trunk].items()}
            ax.axhline(CHANCE[question], color=COLOURS["grey"], lw=1.2, ls=(0, (5, 3)))
            plot_over(places, curves, ax, ylim=(CHANCE[question] - 6, 103))
            ax.set_xticks((0, 0.5, 1), ("0", "0.5", "1"))
    fig.supxlabel("position of the needle: 0 is the first step, 1 the last", fontsize=13)
    pool_key(fig, curves)
    return axes


@figure("choosing-gradient", study="choosing")
def choosing_gradient(study):
    """How much of the gradient reaches each step of the input, before training."""
    found, steps = study["results"]["position"]["marked"], study["results"]["gradient steps"]
    trunks = {"LSTM": "LSTM", "bias 2": "forget bias 2", "both": "both directions"}
    fig, axes = plt.subplots(1, 3, figsize=(7.5, 4.4), sharey=True)
    fig.get_layout_engine().set(wspace=0.06)
    for ax, (trunk, label) in zip(axes, trunks.items()):
        curves = {pool: np.array(each["gradient 0"]) for pool, each in found[trunk].items()}
        curves = {pool: each / each[:, -1:] for pool, each in curves.items()}
        plot_over(steps, curves, ax, yscale="log", xticks=(1, 50, 100), ylim=(1e-18, 1e2))
        ax.set_title(label)
    axes[0].set_ylabel("gradient, last step = 1")
    axes[1].set_xlabel("step")
    pool_key(fig, curves)
    return axes


@figure("choosing-noise", study="choosing")
def choosing_noise(study):
    """The score by the noise, with an LSTM and without recurrence."""
    results, levels = study["results"], (0, 0.5, 1.0)

    def runs(question, trunk, pool):
        first = results["base"][question][trunk][pool]["right"][:3]
        rest = [results["noise"][question][trunk][str(level)][pool]["right"] for level in levels[1:]]
        return np.array([first, *rest]).T

    return by_setting(runs, levels, "standard deviation of the noise", [str(level) for level in levels])


@figure("choosing-length", study="choosing")
def choosing_length(study):
    """The score by the length, with an LSTM and without recurrence."""
    results, levels = study["results"], {"LSTM": (50, 100, 200), "none": (50, 200)}

    def runs(question, trunk, pool):
        first = results["base"][question][trunk][pool]["right"][:3]
        rest = [results["length"][question][trunk][str(T)][pool]["right"] for T in levels[trunk][1:]]
        return np.array([first, *rest]).T

    return by_setting(runs, levels, "steps, at most", ["50", "100", "200"])


def sheet(rows, columns, height):
    """Return a figure and a panel for each of the rows and columns, named."""
    fig, axes = plt.subplots(len(rows), len(columns), figsize=(7.5, height), sharex=True, sharey="row")
    fig.get_layout_engine().set(wspace=0.06)
    for ax, name in zip(axes[0], columns):
        ax.set_title(name)
    for ax, name in zip(axes[:, 0], rows):
        ax.set_ylabel(f"{name}: right (%)")
    return fig, axes


def by_setting(runs, levels, label, ticks):
    """Two rows of panels, the trunks, and four columns, the questions."""
    fig, axes = sheet(TRUNKS.values(), CHANCE, 6.4)
    for row, trunk in zip(axes, TRUNKS):
        x = levels[trunk] if isinstance(levels, dict) else levels
        for ax, question in zip(row, CHANCE):
            curves = {pool: percent(runs(question, trunk, pool)) for pool in ("last", "max", "mean", "attention")}
            ax.axhline(CHANCE[question], color=COLOURS["grey"], lw=1.2, ls=(0, (5, 3)))
            plot_over(x, curves, ax, ylim=(18, 104), xticks=[float(t) for t in ticks])
            ax.set_xticklabels(ticks)
    fig.supxlabel(label, fontsize=13)
    pool_key(fig, curves)
    return axes


@figure("choosing-real", study="choosing")
def choosing_real(study):
    """City names and spoken vowels: every pool, and the models that need no network."""
    real = study["results"]["real"]
    axes = plt.subplots(2, figsize=(7.5, 7.6))[1]
    titles = {"names": "country of a name", "vowels": "speaker of a vowel"}
    for ax, (task, title) in zip(axes, titles.items()):
        rows = sorted((n for n in real[task] if n != "majority"), key=lambda n: -np.median(real[task][n]))
        for row, name in enumerate(rows):
            colour, _, marker = POOL_LOOKS.get(name, ("ink", "", "x"))
            values = percent(real[task][name])
            look = dict(marker=marker, ms=5.5, mfc=tint(colour, 0.6), mec=COLOURS[colour], mew=1.2, ls="")
            ax.plot(values, row + np.linspace(-0.16, 0.16, len(values)), **look)
        ax.set(yticks=range(len(rows)), yticklabels=rows, ylim=(len(rows) - 0.5, -0.5), xlabel="right (%)")
        ax.set_title(title)
        ax.tick_params(axis="y", length=0)
        ax.grid(axis="x")
    return axes
