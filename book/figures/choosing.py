"""The pictures of the chapter choosing."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle
from registry import figure

from lstm_tutorial.figures import plot_choice, plot_over, plot_scores, pool_key
from lstm_tutorial.figures.drawings import COLOURS, canvas, tint, write

CHANCE = {"exists": 50, "average": 50, "final": 25, "marked": 25}
TRUNKS = {"LSTM": "LSTM", "none": "no recurrence"}
NEEDLES = ("exists", "marked")


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


def filled(axes, labels):
    """Set the height and the legend of panels in two columns: what filled and what hollow marks are."""
    fig = axes[0].figure
    fig.set_size_inches(7.5, 1.3 + 1.65 * (len(axes) // 2))
    handles = [
        plt.Line2D([], [], ls="", marker="o", mec=COLOURS["ink"], mfc=fill, label=label)
        for label, fill in zip(labels, (COLOURS["grey"], "white"))
    ]
    fig.legend(handles=handles, loc="outside upper center", ncols=2)
    return axes


def marks(panels, labels):
    """Draw the scores of pools in two columns of panels."""
    axes = plot_choice(panels, CHANCE, columns=2)
    for ax in axes:
        ax.set(xlim=(20, 102), xticks=(25, 50, 75, 100))
    return filled(axes, labels)


def scores(setting, name="right"):
    """Return a percentage of every run: by question, trunk and pool."""
    return {
        question: {label: {p: each[name] for p, each in trunks[k].items()} for k, label in TRUNKS.items()}
        for question, trunks in setting.items()
    }


@figure("choosing-base", study="choosing")
def choosing_base(study):
    """After how many updates each pool had solved each question, one mark per seed; right of the line: not solved."""
    results = study["results"]
    budget, never = results["settings"]["budget"], 6000
    panels = {
        question: {
            label: {
                pool: [at if solved else never for at, solved in zip(each["at"], each["solved"])]
                for pool, each in trunks[trunk].items()
            }
            for trunk, label in TRUNKS.items()
        }
        for question, trunks in results["base"].items()
    }
    axes = plot_choice(panels, dict.fromkeys(panels, budget + 500), "updates until solved", columns=2)
    for ax in axes:
        ax.set(xscale="log", xlim=(85, 9000), xticks=(100, 300, 1000, never), xticklabels=("100", "300", "1000", "not"))
        ax.minorticks_off()
    return filled(axes, TRUNKS.values())


@figure("choosing-noise", study="choosing")
def choosing_noise(study):
    """The needle questions with noise of 0.5 on every input."""
    return marks(scores(study["results"]["noise"]), TRUNKS.values())


@figure("choosing-few", study="choosing")
def choosing_few(study):
    """Both directions, 200 training sequences of 100 steps: right on these and on others."""
    labels = {"right on train": "on its 200 sequences", "right": "on new sequences"}
    few = study["results"]["few"]
    panels = {
        q: {label: {p: each[k] for p, each in few[q]["both"].items()} for k, label in labels.items()} for q in few
    }
    return marks(panels, labels.values())


@figure("choosing-place", study="choosing")
def choosing_place(study):
    """The score by the position of the needle, in sequences of 100 steps."""
    found, places = study["results"]["100"], study["results"]["settings"]["places"]
    fig, axes = plt.subplots(1, 2, figsize=(7.5, 4.2))
    for ax, question in zip(axes, NEEDLES):
        curves = {pool: each["by place"] for pool, each in found[question]["LSTM"].items()}
        ax.axhline(CHANCE[question], color=COLOURS["grey"], lw=1.2, ls=(0, (5, 3)))
        plot_over(places, curves, ax, ylim=(CHANCE[question] - 6, 103))
        ax.set_xticks((0, 0.5, 1), ("first", "middle", "last"))
        ax.set_title(question)
    axes[0].set_ylabel("right (%)")
    fig.supxlabel("step of the needle", fontsize=13)
    pool_key(fig, curves)
    return axes


@figure("choosing-gradient", study="choosing")
def choosing_gradient(study):
    """How much of the gradient reaches each step of the input, before training."""
    found, steps = study["results"]["gradient"], study["results"]["gradient steps"]
    trunks = {"LSTM": "LSTM", "bias 2": "forget bias 2", "both": "both directions"}
    fig, axes = plt.subplots(1, 3, figsize=(7.5, 4.4), sharey=True)
    fig.get_layout_engine().set(wspace=0.06)
    for ax, (trunk, label) in zip(axes, trunks.items()):
        curves = {pool: np.array(each) / np.array(each)[:, -1:] for pool, each in found[trunk].items()}
        plot_over(steps, curves, ax, yscale="log", xticks=(1, 50, 100), ylim=(1e-18, 1e2))
        ax.set_title(label)
    axes[0].set_ylabel("gradient, last step = 1")
    axes[1].set_xlabel("step")
    pool_key(fig, curves)
    return axes


@figure("choosing-length", study="choosing")
def choosing_length(study):
    """The score by the length, behind an LSTM; each length has settings of its own."""
    results = study["results"]
    fig, axes = plt.subplots(1, 3, figsize=(7.5, 4.2))
    fig.get_layout_engine().set(wspace=0.06)
    for ax, question in zip(axes, ("exists", "marked", "final")):
        lengths = [T for T in ("100", "200") if question in results[T]]
        curves = {}
        for pool, first in results["base"][question]["LSTM"].items():
            rest = [results[T][question]["LSTM"][pool]["right"] for T in lengths]
            curves[pool] = np.array([first["right"][:5], *rest]).T
        ax.axhline(CHANCE[question], color=COLOURS["grey"], lw=1.2, ls=(0, (5, 3)))
        plot_over([50, *map(int, lengths)], curves, ax, ylim=(CHANCE[question] - 6, 103), xticks=(50, 100, 200))
        ax.set_title(question)
    axes[0].set_ylabel("right (%)")
    axes[1].set_xlabel("steps, at most")
    pool_key(fig, curves)
    return axes


@figure("choosing-real", study="names_and_vowels")
def choosing_real(study):
    """City names and spoken vowels: four pools and the models that need no network, with differences from last."""
    rows = {
        "country of a name": ("names", ("last", "max", "mean", "attention", "pieces")),
        "speaker of a vowel": ("vowels", ("last", "max", "mean", "attention", "mean frame", "four frames")),
    }
    fig, axes = plt.subplots(2, 2, figsize=(7.5, 7.2), sharey="row")
    for row, (title, (task, names)) in zip(axes, rows.items()):
        found = {name: study["results"][task][name] for name in names}
        values = {name: each["right"] for name, each in found.items()}
        gaps = {name: each["against last"] for name, each in found.items() if name != "last"}
        plot_scores(values, None, "right (%)", row, gaps, "last")
        row[0].set_title(title)
    return axes
