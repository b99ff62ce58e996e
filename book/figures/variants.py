"""The pictures of the chapter variants."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Circle
from registry import figure

from lstm_tutorial import figures
from lstm_tutorial.figures.drawings import COLOURS, box, canvas, operation, tint, wire, write

CELLS = {  # title: what keeps, what writes, what shows; with a star what differs from the LSTM
    "LSTM": ("f", r"i\,\tilde{c}", "o"),
    "coupled gates": ("f", r"*(1-f)\,\tilde{c}", "o"),
    "no forget gate": ("*1", r"i\,\tilde{c}", "o"),
    "no input gate": ("f", r"*\tilde{c}", "o"),
    "no output gate": ("f", r"i\,\tilde{c}", "*1"),
    "GRU": ("*u", r"*(1-u)\,n", None),
}


@figure("variants-cells")
def variants_cells():
    """Six cells as one line: what the old state is multiplied by, what is added, and how the state is shown."""
    wide, high = 3.75, 1.62
    ax = canvas(7.5, 3 * high + 0.05)
    for k, (title, (keep, add, show)) in enumerate(CELLS.items()):
        x, y = wide * (k % 2), high * (2 - k // 2)
        state, lane = ("h" if show is None else "c"), y + 1.0
        write(ax, x + 0.15, y + 1.44, title, 14, ha="left", weight="bold")
        write(ax, x + 0.42, lane, rf"${state}_{{t-1}}$", 18.6)
        write(ax, x + 3.5, lane, f"${state}_t$", 18.6)
        wire(ax, (x + 0.78, lane), (x + 3.26, lane), colour="cell", width=3)
        for dx, sign, text, colour in (
            (1.15, "x", keep, "forget"),
            (2.0, "+", add, "input"),
            (2.82, "x", show, "output"),
        ):
            if text is None:
                continue
            lit = text.startswith("*") or title == "LSTM"
            shown = colour if lit else "grey"
            if sign == "x" and colour == "output":
                ax.add_patch(Circle((x + dx, lane), 0.06, color=COLOURS["cell"], zorder=4))
                wire(ax, (x + dx, lane), (x + dx, y + 0.62), colour="cell", arrow=False)
                wire(ax, (x + dx, y + 0.38), (x + dx, y + 0.12), colour="hidden", width=2.4)
                operation(ax, x + dx, y + 0.5, "x", shown, 0.12)
                write(ax, x + dx + 0.42, y + 0.5, f"${text.strip('*')}$", 15, tint(shown, 0.85, "black"))
                write(ax, x + dx + 0.3, y + 0.16, "$h_t$", 18.6)
                continue
            wire(ax, (x + dx, y + 0.56), (x + dx, lane - 0.13), colour=shown, width=2.4 if lit else 1.6)
            operation(ax, x + dx, lane, sign, shown, 0.13)
            if lit and title != "LSTM":
                box(ax, x + dx, y + 0.38, 0.5 if colour == "forget" else 0.98, 0.36, colour, 0.14)
            write(ax, x + dx, y + 0.38, f"${text.strip('*')}$", 15, "ink" if lit else "grey")
    return ax


@figure("variants-counting")
def variants_counting():
    """Thirty opening brackets, then thirty closing ones: a cell state that adds, and one that averages."""
    moves, u, h = np.repeat([1.0, -1.0], 30), 0.9, [0.0]
    for move in moves:
        h.append(u * h[-1] + (1 - u) * move)
    ax, steps = plt.subplots(1, 2, figsize=(7.5, 3.1))[1], np.arange(61)
    ax[0].plot(steps, [0, *np.cumsum(moves)], color=COLOURS["lstm"])
    ax[1].plot(steps, h, color=COLOURS["forget"])
    ax[0].set(title="adds: the LSTM", xlabel="brackets read", ylabel="state")
    ax[1].set(title="averages: the GRU", xlabel="brackets read", ylim=(-1.05, 1.05))
    for each in ax:
        each.axhline(0, color=COLOURS["grey"], lw=1.2, ls=(0, (5, 3)))
        each.axvline(30, color=COLOURS["pale"], lw=1.2, zorder=0)
    return ax


def _scores(found, name, label, scale=np.asarray):
    """Return the axes of the scores of all contenders, with their differences from the LSTM."""
    kinds = ["LSTM", *(kind for kind in found if kind != "LSTM")]
    scores = {kind: scale(found[kind][name]) for kind in kinds}
    differences = {kind: found[kind]["against the LSTM"] for kind in kinds[1:]}
    axes = plt.subplots(1, 2, sharey=True, figsize=(7.5, 4.6))[1]
    return figures.plot_scores(scores, None, label, axes, differences, "the LSTM")


@figure("variants-marked", study="variants")
def variants_marked(study):
    """The value that was marked last: the squared error of ten seeds, and the differences from the LSTM."""
    found, solved = study["results"]["marked"], study["results"]["settings"]["solved"]
    return _scores(found, "test", "log10 of squared error", lambda errors: np.log10(np.maximum(errors, solved)))


@figure("variants-names", study="variants")
def variants_names(study):
    """A city's country: right answers of ten seeds, and the differences from the LSTM."""
    return _scores(study["results"]["names"], "right", "right answers (%)")


@figure("variants-depths", study="variants")
def variants_depths(study):
    """Share of the seeds that know when n brackets are all closed, by n: trained up to a depth of 10."""
    results, ax = study["results"], plt.subplots(figsize=(7.5, 4.2))[1]
    looks = {"LSTM": ("lstm", "-", "o"), "GRU": ("forget", "--", "s"), "coupled": ("candidate", "-.", "^")}
    looks |= {"no forget gate": ("output", "-", "D"), "RNN": ("hidden", ":", "v")}
    for kind, (colour, style, marker) in looks.items():
        share = 100 * np.mean(results["brackets"][kind]["counts"], axis=0)
        label = "coupled gates" if kind == "coupled" else kind
        ax.plot(results["depths"], share, color=COLOURS[colour], ls=style, marker=marker, ms=7, label=label)
    ax.axvspan(1, 10, color=tint("grey", 0.1), zorder=0)
    ax.set(xscale="log", xticks=(1, 10, 20, 40, 80, 160), xticklabels=("1", "10", "20", "40", "80", "160"))
    ax.minorticks_off()
    ax.set(xlabel="brackets opened and closed, n", ylabel="seeds that are right (%)", ylim=(-4, 104))
    ax.legend()
    return ax
