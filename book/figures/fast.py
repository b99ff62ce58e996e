"""The pictures of the chapter fast."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle
from registry import figure

from lstm_tutorial.figures.drawings import COLOURS, canvas, tint, write

RUNGS = {
    "one_sample": "one sequence, four products",
    "whole_batch": "+ the whole batch at once",
    "four_in_one": "+ four layers in one product",
    "laid_out": "+ a block for each gate",
    "one_tanh": "+ one tanh for all gates",
    "nothing_new": "+ nothing allocated",
    "on_a_line": "+ weights on a cache line",
    "fused": "the package's layer",
    "input_first": "no rung: input before the loop",
    "gradients_inside": "all gradients in the loop",
    "gradients_after": "+ weights' gradients after the loop",
    "slopes_first": "+ all slopes before the loop",
    "fused_backward": "the package's layer",
}


@figure("fast")
def fast():
    """One step as it is printed and one step as it is run: products in one colour, all else in another."""
    ax = canvas(7.6, 3.35)
    inks = {"product": "lstm", "activation": "candidate", "other": "grey"}

    def block(x, y, width, kind, high=0.5):
        look = dict(fc=tint(inks[kind], 0.75 if kind == "product" else 0.45), ec="white", lw=1.2)
        ax.add_patch(Rectangle((x, y), width, high, **look))

    def step(x, y, widths):
        for kind, width in widths:
            block(x, y, width, kind)
            x += width
        return x

    write(ax, 0.1, 3.12, "as it is printed, one sequence at a time", 13.5, ha="left", weight="bold")
    printed = [("other", 0.12)] + [("product", 0.17), ("other", 0.09), ("activation", 0.11)] * 4 + [("other", 0.3)]
    printed += [("activation", 0.11), ("other", 0.1)]
    x = 0.1
    for t in range(3):
        write(ax, x, 2.86, f"step {t + 1}", 13.2, "grey", ha="left")
        x = step(x, 2.2, [(kind, 0.9 * width) for kind, width in printed]) + 0.12
    write(ax, x + 0.05, 2.45, "… and again\nfor every\nsequence", 13.2, "grey", ha="left")
    write(ax, 0.1, 1.72, "as it is run, all sequences at once", 13.5, ha="left", weight="bold")
    x = 0.1
    run = [("other", 0.1), ("product", 0.62), ("activation", 0.36), ("other", 0.16)]
    for t in range(5):
        write(ax, x, 1.46, f"step {t + 1}", 13.2, "grey", ha="left")
        x = step(x, 0.8, run) + 0.12
    write(ax, x + 0.02, 1.05, "…", 14, "grey", ha="left")
    for k, (kind, words) in enumerate(
        {"product": "matrix product", "activation": "sigmoid or tanh", "other": "the rest"}.items()
    ):
        block(0.1 + 2.2 * k, 0.2, 0.3, kind, 0.26)
        write(ax, 0.5 + 2.2 * k, 0.33, words, 13.2, ha="left")
    return ax


@figure("fast-ladder", study="bench_lstm")
def fast_ladder(study):
    """A bar for each rung of both ladders at two sizes, a ring for its prediction, torch and the floor as lines."""
    found = study["results"]["ladder"]
    first = next(iter(found.values()))
    counts = [len(first[way]["rungs"] + first[way]["branches"]) for way in ("forward", "backward")]
    tall = [n + 0.6 for n in counts]
    axes = plt.subplots(2, len(found), figsize=(7.5, 8), sharey="row", gridspec_kw=dict(height_ratios=tall))[1]
    for column, (size, ways) in zip(axes.T, found.items()):
        B = size.split(", ")[1]
        for ax, (way, climbed) in zip(column, ways.items()):
            rungs, colour = climbed["rungs"] + climbed["branches"], "lstm" if way == "forward" else "candidate"
            y, torch = np.arange(len(rungs)), climbed["lines"]["torch.nn.LSTM"]["ms"]
            times = np.array([[rung["torch"][k] for k in ("median", "low", "high")] for rung in rungs])
            shades = [tint(colour, 0.55)] * len(climbed["rungs"]) + [tint(colour, 0.22)] * len(climbed["branches"])
            ax.barh(y, times[:, 0], 0.62, color=shades, zorder=2)
            ax.hlines(y, times[:, 1], times[:, 2], color=tint(colour, 0.8, "black"), lw=1.6, zorder=3)
            predicted = [rung["predicted ms"] / torch for rung in rungs]
            ax.plot(predicted, y, "o", mfc="white", mec=COLOURS["ink"], ms=6, mew=1.4, ls="", zorder=4)
            ax.axvline(1, color=COLOURS["forget"], lw=1.8, ls="-", zorder=3.5)
            ax.axvline(climbed["lines"]["floor"]["median"], color=COLOURS["hidden"], lw=1.8, ls=(0, (4, 2)), zorder=3.5)
            ax.set(xscale="log", ylim=(len(rungs) - 0.4, -0.6), yticks=y)
            ax.set_yticklabels([RUNGS[rung["rung"]] for rung in rungs])
            ticks = [t for t in (0.25, 0.5, 1, 2, 5, 10, 20) if 0.6 * min(predicted) < t < 1.3 * times.max()]
            ax.set_xticks(ticks, [f"{t:g}" for t in ticks])
            ax.minorticks_off()
            ax.tick_params(axis="y", length=0)
            ax.grid(axis="x")
            ax.set_title(f"{way}, B = {B}")
    axes[0, 0].figure.supxlabel("CPU time, as a multiple of torch.nn.LSTM", fontsize=13)
    handles = [Rectangle((0, 0), 1, 1, fc=tint("grey", 0.5)), axes[0, 0].lines[0], *axes[0, 0].lines[1:3]]
    words = "measured", "predicted", "torch.nn.LSTM", "floor: bare products and tanh"
    look = dict(loc="outside upper center", ncols=2, columnspacing=1.2, handlelength=1.6)
    axes[0, 0].figure.legend(handles, words, **look)
    return axes


@figure("fast-gains", study="bench_lstm")
def fast_gains(study):
    """What each change gains over the rung before it, with quartiles, and a ring for its prediction."""
    found = study["results"]["ladder"]
    axes = plt.subplots(1, 2, figsize=(7.5, 6), sharey=True)[1]
    for ax, (size, ways) in zip(axes, found.items()):
        rows, looks = [], []
        for way, colour in (("forward", "lstm"), ("backward", "candidate")):
            changes = ways[way]["rungs"][1:] + ways[way]["branches"]
            rows += changes
            looks += [colour if rung in ways[way]["rungs"] else "grey" for rung in changes]
        for y, (rung, colour) in enumerate(zip(rows, looks)):
            ax.hlines(y, rung["gain"]["low"], rung["gain"]["high"], color=COLOURS[colour], lw=2.4)
            ax.plot(rung["gain"]["median"], y, "o", color=COLOURS[colour], ms=8, label="measured")
            ax.plot(rung["predicted gain"], y, "o", mfc="none", mec=COLOURS["ink"], ms=12, mew=1.4, label="predicted")
        ax.axvline(1, color=COLOURS["grey"], lw=1.4, ls="-", zorder=0.9)
        ax.set(xscale="log", ylim=(len(rows) - 0.5, -0.5), yticks=range(len(rows)), title=f"B = {size.split(', ')[1]}")
        ax.set_xticks([1, 2, 4], ["1", "2", "4"])
        ax.minorticks_off()
        ax.set_yticklabels([RUNGS[rung["rung"]] for rung in rows])
        ax.tick_params(axis="y", length=0)
        ax.grid(axis="x")
    axes[0].figure.supxlabel("times as fast as the rung before", fontsize=13)
    handles = dict(zip(*axes[0].get_legend_handles_labels()[::-1]))
    axes[0].figure.legend(handles.values(), handles, loc="outside upper center", ncols=2)
    return axes


LOOKS = {
    "naive": ("one sequence, four products", "rnn", "v"),
    "[h, x] joined": ("batch, one product, allocating", "x", "s"),
    "LSTMCell loop": ("torch.nn.LSTMCell in a loop", "output", "P"),
    "lstm_sequence": ("lstm_sequence", "candidate", "^"),
    "FastLSTM": ("the package's LSTM", "lstm", "o"),
    "floor": ("floor", "hidden", "D"),
}


@figure("fast-table", study="bench_lstm")
def fast_table(study):
    """Ratios to torch.nn.LSTM by size: a mark at the median, a line between the quartiles, the goal as a tick."""
    found = study["results"]["table"]
    axes = plt.subplots(1, 2, figsize=(7.5, 6.6), sharey=True)[1]
    for ax, (way, by_size) in zip(axes, found.items()):
        for row, each in enumerate(by_size.values()):
            ax.plot(
                [each["goal"]] * 2, [row - 0.42, row + 0.42], color=COLOURS["ink"], lw=2, ls=(0, (2, 1.2)), label="goal"
            )
            for k, (name, (label, colour, marker)) in enumerate(LOOKS.items()):
                if name not in each["rows"]:
                    continue
                spot, y = each["rows"][name], row + 0.12 * (k - 2.5)
                ax.hlines(y, spot["low"], spot["high"], color=COLOURS[colour], lw=2)
                look = dict(
                    marker=marker, ms=8 if name == "FastLSTM" else 6, mfc=tint(colour, 0.6), mec=COLOURS[colour]
                )
                ax.plot(spot["median"], y, ls="", label=label, **look)
        ax.axvline(1, color=COLOURS["forget"], lw=1.8, ls="-", zorder=0.9)
        ax.set(xscale="log", title=way, yticks=range(len(by_size)), ylim=(len(by_size) - 0.5, -0.5))
        ax.set_xticks([0.5, 1, 2, 5, 10, 20, 50], ["0.5", "1", "2", "5", "10", "20", "50"])
        ax.minorticks_off()
        ax.set_yticklabels([f"T {t}, B {b}\nD {d}, H {h}" for t, b, d, h in (key.split(", ") for key in by_size)])
        ax.tick_params(axis="y", length=0)
        ax.grid(axis="x")
    axes[0].figure.supxlabel("CPU time, as a multiple of torch.nn.LSTM", fontsize=13)
    handles = dict(zip(*axes[0].get_legend_handles_labels()[::-1]))
    axes[0].figure.legend(handles.values(), handles, loc="outside upper center", ncols=2, columnspacing=1.2)
    return axes


COSTS = {  # what is read from the benchmark: its label, the goal
    "memory": ("peak memory of a step\nby torch's", 0.75),
    "inference": ("inference, nothing kept\nby torch's", None),
    "two layers": ("two layers\nby two single ones", 1.3),
    "both directions": ("two directions\nby twice one", 1.3),
    "peepholes": ("with peepholes\nby without", 1.3),
    "ragged": ("ragged batch\nby its share of valid steps", 1.3),
    "ragged by padded": ("ragged batch\nby the padded one", None),
    "torch: packed by padded": ("torch: packed batch\nby the padded one", None),
}


@figure("fast-costs", study="bench_lstm")
def fast_costs(study):
    """What other things cost, a dot for each size in the order of the table, with quartiles; the goals as ticks."""
    results = study["results"]
    ax = plt.subplots(figsize=(7.5, 6.2))[1]
    for row, (name, (_, goal)) in enumerate(COSTS.items()):
        for k, size in enumerate(results["shares"]):
            y = row + 0.14 * (k - 2)
            if name == "memory" and size in results["memory"]:
                ax.plot(results["memory"][size]["ratio"], y, "D", color=COLOURS["hidden"], ms=7)
            spots = {"inference": results["inference"][size]["FastLSTM"]}.get(name, results["shares"][size].get(name))
            if spots:
                colour = COLOURS["forget" if name.startswith("torch") else "lstm"]
                ax.hlines(y, spots["low"], spots["high"], color=colour, lw=2)
                ax.plot(spots["median"], y, "o", color=colour, ms=7)
        if goal:
            ax.plot([goal] * 2, [row - 0.42, row + 0.42], color=COLOURS["ink"], lw=2, ls=(0, (2, 1.2)))
    ax.axvline(1, color=COLOURS["grey"], lw=1.4, ls="-", zorder=0.9)
    ax.set(xscale="log", ylim=(len(COSTS) - 0.5, -0.5), yticks=range(len(COSTS)), xlabel="as a multiple")
    ax.set_xticks([0.5, 1, 2, 5, 10, 20, 50], ["0.5", "1", "2", "5", "10", "20", "50"])
    ax.set_xlim(0.4, 1.4 * max(1.6, *ax.dataLim.intervalx))
    ax.minorticks_off()
    ax.set_yticklabels([label for label, _ in COSTS.values()])
    ax.tick_params(axis="y", length=0)
    ax.grid(axis="x")
    return ax


@figure("fast-growth", study="bench_lstm")
def fast_growth(study):
    """Time and peak memory of a training step against T, B and H, on log axes, with fitted exponents."""
    found = study["results"]["growth"]
    axes = plt.subplots(3, 2, figsize=(7.5, 8), sharex="row", sharey="col")[1].T
    looks = {"torch": ("forget", "s", (0, (5, 1.6))), "numpy": ("lstm", "o", "-")}
    for column, letter in zip(axes.T, "TBH"):
        for ax, what in zip(column, ("ms", "MiB")):
            for k, (name, (colour, marker, dash)) in enumerate(looks.items()):
                label, key = {"numpy": "NumPy", "torch": "torch"}[name], f"{name} {what}"
                look = dict(color=COLOURS[colour], marker=marker, ms=5, ls=dash, lw=2, label=label)
                ax.plot(found[letter]["values"], found[letter][key], **look)
                for value, ends in zip(found[letter]["values"], found[letter].get(f"{name} quartiles", ())):
                    if what == "ms":
                        ax.vlines(value, *ends, color=COLOURS[colour], lw=4)
                words = f"{label}: power {found[letter]['exponents'][key]:.1f}"
                spot = dict(transform=ax.transAxes, color=tint(colour, 0.8, "black"))
                ax.text(0.05, 0.9 - 0.13 * (1 - k), words, va="center", **spot)
            ax.set(xscale="log", yscale="log")
            ax.set_xticks(found[letter]["values"], found[letter]["values"])
            ax.yaxis.set_major_formatter("{x:g}")
            ax.minorticks_off()
            ax.grid()
        for ax in column:
            ax.set_xlabel(f"${letter}$")
    for ax, label in zip(axes[:, 0], ("CPU time (ms)", "peak memory (MiB)")):
        ax.set(title=label)
        ax.set_ylim(top=ax.get_ylim()[1] * 4)
    return axes
