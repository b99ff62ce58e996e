"""The pictures of the chapter after-lstm."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Circle
from registry import figure

from lstm_tutorial import figures
from lstm_tutorial.figures.drawings import COLOURS, box, canvas, operation, tint, wire, write

CELLS = {  # title: what the gates read; what keeps, what writes, how it is shown; with a star what differs
    "LSTM": ("gates read x and h", "f", r"i\,\tilde{c}", r"o\,\tanh(c)"),
    "minLSTM": ("*gates read x alone", "f", r"*(1-f)\,\tilde{c}", None),
    "sLSTM": ("gates read x and h", "f", r"*e^z\,\tilde{c}", r"*o\,c/\nu"),
    "mLSTM": ("*gates read x alone", "f", r"*e^z\,v\,k^{\mathrm{T}}", r"*o\,Cq/\nu"),
}
LOOKS = {  # whose gates read h, whose do not, attention
    "LSTM": ("lstm", "-", "o"),
    "GRU": ("lstm", "--", "s"),
    "sLSTM": ("lstm", ":", "^"),
    "mLSTM": ("forget", "-", "D"),
    "minLSTM": ("candidate", "-", "v"),
    "minGRU": ("candidate", "--", "<"),
    "SSM": ("input", "-", "P"),
    "signed SSM": ("input", "--", "X"),
    "attention": ("output", "-", "*"),
}


@figure("after-lstm-cells")
def after_lstm_cells():
    """Four cells as one line: what the state is multiplied by, what is added, how it is shown, what the gates read."""
    wide, high = 3.75, 2.1
    ax = canvas(7.5, 2 * high)
    for k, (title, (reads, keep, add, show)) in enumerate(CELLS.items()):
        x, y = wide * (k % 2), high * (1 - k // 2)
        state = {"minLSTM": "h", "mLSTM": "C"}.get(title, "c")
        lane, new = y + 1.08, title in ("minLSTM", "mLSTM")
        write(ax, x + 0.15, y + 1.88, title, 14, ha="left", weight="bold")
        write(ax, x + 0.15, y + 1.58, reads.strip("*"), 15, "hidden" if new else "grey", ha="left")
        write(ax, x + 0.4, lane, rf"${state}_{{t-1}}$", 18.6)
        write(ax, x + 3.5, lane, f"${state}_t$", 18.6)
        wire(ax, (x + 0.78, lane), (x + 3.26, lane), colour="cell", width=5 if title == "mLSTM" else 3)
        for dx, sign, text, colour in ((1.1, "x", keep, "forget"), (1.85, "+", add, "input")):
            lit = text.startswith("*") or title == "LSTM"
            shown = colour if lit else "grey"
            wire(ax, (x + dx, y + 0.6), (x + dx, lane - 0.13), colour=shown, width=2.4 if lit else 1.6)
            operation(ax, x + dx, lane, sign, shown, 0.13)
            if lit and title != "LSTM":
                box(ax, x + dx, y + 0.38, 1.04, 0.4, colour, 0.14)
            write(ax, x + dx, y + 0.38, f"${text.strip('*')}$", 18.6 if "^" in text else 16, "ink" if lit else "grey")
        if show:
            lit = show.startswith("*")
            shown = "output" if lit or title == "LSTM" else "grey"
            ax.add_patch(Circle((x + 2.8, lane), 0.06, color=COLOURS["cell"], zorder=4))
            wire(ax, (x + 2.8, lane), (x + 2.8, y + 0.62), colour=shown, width=2.4)
            if lit:
                box(ax, x + 3.02, y + 0.38, 1.16, 0.4, "output", 0.14)
            write(ax, x + 3.02, y + 0.38, f"${show.strip('*')}$", 16)
    return ax


@figure("after-lstm-scan")
def after_lstm_scan():
    """Eight steps in three passes: each box says which steps it already holds, each arrow joins two of them."""
    ax, pitch, rise = canvas(7.5, 4.1), 0.82, 1.08
    for level in range(4):
        y, distance = 3.65 - rise * level, 2 ** (level - 1)
        name = "steps" if level == 0 else f"pass {level}"
        write(ax, 0.1, y, name, 14, ha="left", weight="bold")
        for t in range(8):
            x, first = 1.3 + pitch * t, max(0, t - 2**level + 1)
            done = first == 0
            box(ax, x, y, 0.68, 0.42, "lstm" if done else "ink", 0.3 if done else 0.08, 0.08)
            write(ax, x, y - 0.01, f"{t + 1}" if first == t else f"{first + 1}–{t + 1}", 14)
            if level:
                wire(ax, (x, y + rise - 0.22), (x, y + 0.24), colour="grey", width=1.4)
                if t >= distance:
                    wire(ax, (x - pitch * distance, y + rise - 0.22), (x - 0.1, y + 0.24), colour="lstm", width=1.8)
    return ax


@figure("after-lstm-time", study="bench_scan")
def after_lstm_time(study):
    """The time of minGRU by loop and by scan, as a multiple of torch's LSTM, against T: forward and both ways."""
    results = study["results"]
    axes = plt.subplots(1, 2, figsize=(7.5, 3.6), sharey=True)[1]
    for ax, (how, found) in zip(axes, results["cpu"].items()):
        for name, (colour, style, marker) in {"loop": ("rnn", "--", "s"), "scan": ("lstm", "-", "o")}.items():
            rows = {int(T): each["rows"][name] for T, each in found.items() if name in each["rows"]}
            ax.plot(
                list(rows), [row["median"] for row in rows.values()], color=COLOURS[colour], ls=style, marker=marker
            )
            low, high = ([row[end] for row in rows.values()] for end in ("low", "high"))
            ax.fill_between(list(rows), low, high, color=COLOURS[colour], alpha=0.15, lw=0)
            ax.plot([], [], color=COLOURS[colour], ls=style, marker=marker, label=name)
        ax.axhline(1, color=COLOURS["grey"], lw=1.2, ls=(0, (5, 3)))
        ax.set(xscale="log", yscale="log", xlabel="T", title=how)
        ax.set_xticks(results["lengths"], map(str, results["lengths"]))
        ax.minorticks_off()
        ax.grid(axis="y")
    axes[0].set(ylabel="time / that of torch's LSTM")
    axes[0].set_yticks([0.5, 1, 2, 3], ["0.5", "1", "2", "3"])
    axes[0].legend()
    return axes


def _dots(ax, rows, names):
    """Draw a row of dots for each layer: one for each seed, the later the name the darker."""
    for k, each in enumerate(rows.values()):
        for j, (values, name) in enumerate(zip(each, names)):
            heights = k + (j - (len(names) - 1) / 2) * 0.26 + np.linspace(-0.06, 0.06, len(values))
            colour = tint("lstm", np.linspace(0.25, 1, len(names))[j])
            look = dict(ls="", marker="o", ms=5, mfc=colour, mec=COLOURS["lstm"], mew=0.6)
            ax.plot(values, heights, label=name if k == 0 else None, clip_on=False, **look)
    ax.set(yticks=range(len(rows)), yticklabels=rows, ylim=(len(rows) - 0.5, -0.5))
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x")


@figure("after-lstm-tracking", study="after_lstm")
def after_lstm_tracking(study):
    """Parity and depth: right answers in the last eight steps, at the trained length and beyond, seed by seed."""
    results = study["results"]
    fig, axes = plt.subplots(1, 2, figsize=(7.5, 6.2), sharey=True)
    for ax, task, chance in zip(axes, ("parity", "depth"), (50, None)):
        lengths = [f"right at {T}" for T in results["tasks"][task]["test"]]
        _dots(ax, {kind: [results[task][kind]["found"][T] for T in lengths] for kind in LOOKS}, ("T", "4T", "10T"))
        if chance:
            ax.axvline(chance, color=COLOURS["grey"], lw=1.2, ls=(0, (5, 3)), zorder=0.5)
        ax.set(xlabel=f"{task}: right (%)", xlim=(None, 102))
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=3, handletextpad=0)
    return axes


@figure("after-lstm-recall", study="after_lstm")
def after_lstm_recall(study):
    """Recall of 4 and 8 pairs at equal parameters, and of 4 pairs against the numbers that are carried on."""
    results = study["results"]
    fig, axes = plt.subplots(1, 2, figsize=(7.5, 5.2))
    recall = {
        kind: [results["recall"][kind][f"{n} pairs"][f"right at {n}"] for n in results["tasks"]["recall"]["sizes"]]
        for kind in LOOKS
    }
    _dots(axes[0], recall, [None, None])
    axes[0].set(xlabel="right values (%)", xlim=(None, 101))
    for kind, (colour, style, marker) in LOOKS.items():
        look = dict(color=COLOURS[colour], ls=style, marker=marker, ms=7, mfc=tint(colour, 0.5), mec=COLOURS[colour])
        if kind in results["widths"]:
            each = list(results["widths"][kind].values())
        else:
            each, look["ls"] = [results["recall"][kind]["4 pairs"]], ""
        medians = [np.median(one["right at 4"]) for one in each]
        axes[1].plot([one["state"] for one in each], medians, label=kind, **look)
    axes[1].set(xscale="log", xlabel="numbers in the state", ylabel="right values (%)")
    axes[1].minorticks_off()
    axes[1].grid(axis="y")
    axes[1].set_xticks([10, 100], ["10", "100"])
    fig.legend(loc="outside upper center", ncols=5, handlelength=2.4, columnspacing=1)
    return axes


@figure("after-lstm-names", study="after_lstm")
def after_lstm_names(study):
    """A city's country: right answers of five seeds, and the differences from the LSTM."""
    found = {kind: study["results"]["names"][kind]["found"] for kind in LOOKS}
    scores = {kind: each["right at 20"] for kind, each in found.items()}
    differences = {kind: each["against the LSTM"] for kind, each in found.items() if kind != "LSTM"}
    axes = plt.subplots(1, 2, sharey=True, figsize=(7.5, 4.6))[1]
    return figures.plot_scores(scores, None, "right answers (%)", axes, differences, "the LSTM")
