"""The pictures of the chapter scale."""

import matplotlib.pyplot as plt
import numpy as np
from registry import figure

from lstm_tutorial.figures.drawings import COLOURS, box, canvas, tint, wire, write

PARTS = {  # what a step costs, as a share of the step of one worker with the whole batch: its label, colour, marker
    "half": ("one worker, half the batch", "candidate", "s"),
    "apart": ("two workers, gradients not summed", "hidden", "^"),
    "together": ("two workers, gradients summed", "lstm", "o"),
    "two threads": ("one worker, two threads", "rnn", "v"),
}
KINDS = {
    "whole": ("all at once", "lstm", "o", "-"),
    "checkpoints": ("checkpoints every 50 steps", "forget", "s", (0, (5, 1.6))),
    "chunks": ("chunks of 50, state detached", "hidden", "^", (0, (2, 1.2))),
}


@figure("scale")
def scale():
    """One step on two workers: shares of a batch, gradients, their sum, the same update twice."""
    ax = canvas(7.6, 3.9)
    write(ax, 0.1, 3.66, "one batch, sorted by length", 13.2, ha="left", weight="bold")
    lengths = 4, 5, 6, 8, 11, 13
    for k, length in enumerate(lengths):
        colour = "candidate" if k < 3 else "forget"
        for j in range(length):
            look = dict(fc=tint(colour, 0.55), ec="white", lw=0.8)
            ax.add_patch(plt.Rectangle((0.1 + 0.13 * j, 3.2 - 0.22 * k - (0.35 if k > 2 else 0)), 0.12, 0.17, **look))
    rows = {"candidate": (2.9, "15 tokens"), "forget": (1.85, "32 tokens")}
    for colour, (y, words) in rows.items():
        write(ax, 1.98, y + 0.3, words, 13.2, ha="left")
        wire(ax, (1.95, y), (2.95, y), colour=colour)
        box(ax, 3.75, y, 1.5, 0.6, colour, text="LSTM", size=13.5)
        wire(ax, (4.53, y), (5.25, 2.375 + (0.17 if y > 2.4 else -0.17)), colour=colour)
        wire(ax, (6.15, 2.375 + (0.17 if y > 2.4 else -0.17)), (6.78, y), colour="lstm")
        write(ax, 7.18, y, "update", 13.2, "lstm")
    box(ax, 5.7, 2.375, 0.82, 1.15, "lstm", text="sum", size=13.5)
    write(ax, 5.7, 1.45, "all-reduce", 13.2, "lstm")
    write(ax, 3.75, 3.44, "worker 0", 13.2, "grey")
    write(ax, 3.75, 1.3, "worker 1", 13.2, "grey")
    write(ax, 0.1, 0.7, "right: (sum of worker 0 + sum of worker 1) / 47 tokens", 13.5, "ink", ha="left")
    write(ax, 0.1, 0.26, "wrong: (sum of worker 0 / 15 + sum of worker 1 / 32) / 2", 13.5, "ink", ha="left")
    return ax


@figure("scale-step", study="bench_scale")
def scale_step(study):
    """A row for each size, a panel for each H: what a step takes, with quartiles, and a ring for the prediction."""
    found = study["results"]["throughput"]
    sizes = [tuple(map(int, size.split(", "))) for size in found]
    axes = plt.subplots(3, 1, figsize=(7.5, 8.4), sharex=True)[1]
    for ax, H in zip(axes, sorted({H for _, H in sizes})):
        rows = [(B, found[f"{B}, {H}"]) for B, h in sizes if h == H]
        for row, (_, each) in enumerate(rows):
            for k, (name, (label, colour, marker)) in enumerate(PARTS.items()):
                spot, y = each["of one"][name], row + 0.17 * (k - 1.5)
                ax.hlines(y, spot["low"], spot["high"], color=COLOURS[colour], lw=2.2)
                ax.plot(spot["median"], y, marker, color=COLOURS[colour], ms=7, ls="", label=label)
                if name == "together":
                    look = dict(mfc="none", mec=COLOURS["ink"], mew=1.4, ms=12, ls="")
                    ax.plot(each["predicted"]["from half"], y, "o", label="predicted", **look)
        for x, style in ((0.5, (0, (2, 1.2))), (1, "-")):
            ax.axvline(x, color=COLOURS["grey"], lw=1.6, ls=style, zorder=0.9)
        ax.set(xscale="log", yticks=range(len(rows)), ylim=(len(rows) - 0.5, -0.5), title=f"H = {H}")
        ax.set_yticklabels([f"B = {B}" for B, _ in rows])
        ticks = 0.35, 0.5, 0.7, 1, 1.4, 2, 2.8
        ax.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        ax.minorticks_off()
        ax.tick_params(axis="y", length=0)
        ax.grid(axis="x")
    axes[-1].set_xlabel("time of a step; 1: one worker, the whole batch")
    handles = dict(zip(*axes[0].get_legend_handles_labels()[::-1]))
    axes[0].figure.legend(handles.values(), handles, loc="outside upper center", ncols=1)
    return axes


def step_seconds(n, whole, fixed, size, latency, bandwidth):
    """Return the time of a step on n workers by the chapter's formula."""
    return fixed + (whole - fixed) / n + 2 * (n - 1) * (latency + size / n / bandwidth)


@figure("scale-speedup", study="bench_scale")
def scale_speedup(study):
    """The formula with measured steps and an assumed network: times as fast over the number of workers."""
    found, n = study["results"]["throughput"], 2 ** np.arange(9)
    ax = plt.subplots(figsize=(7.5, 4.4))[1]
    looks = {32: ("rnn", "v", (0, (2, 1.2))), 128: ("forget", "s", (0, (5, 1.6))), 512: ("lstm", "o", "-")}
    for H, (colour, marker, style) in looks.items():
        each, small = found[f"256, {H}"], found[f"16, {H}"]["ms"]
        whole, fixed = each["ms"]["one"] / 1e3, (2 * small["half"] - small["one"]) / 1e3
        seconds = step_seconds(n, whole, fixed, each["bytes"], 5e-5, 1.25e9)
        ax.plot(n, whole / seconds, marker=marker, ms=6, lw=2, ls=style, color=COLOURS[colour], label=f"H = {H}")
    ax.plot(n, n, color=COLOURS["grey"], lw=1.6, ls="-", label="as many times as workers", zorder=0.9)
    ax.set(xscale="log", yscale="log", xlabel="workers", ylabel="times as fast as one")
    ax.set_xticks(n, map(str, n))
    ax.set_yticks([1, 4, 16, 64], ["1", "4", "16", "64"])
    ax.set_ylim(0.2, 300)
    ax.minorticks_off()
    ax.grid()
    ax.legend(loc="upper left")
    return ax


@figure("scale-memory", study="bench_scale")
def scale_memory(study):
    """Peak memory of one gradient over the number of steps, for three ways, on log axes."""
    found = study["results"]["memory"]
    ax = plt.subplots(figsize=(7.5, 4))[1]
    for kind, (label, colour, marker, style) in KINDS.items():
        look = dict(color=COLOURS[colour], marker=marker, ms=7, lw=2, ls=style)
        ax.plot(found["T"], found["MiB"][kind], label=label, **look)
    ax.set(xscale="log", yscale="log", xlabel="$T$", ylabel="peak memory (MiB)")
    ax.set_xticks(found["T"], map(str, found["T"]))
    ax.yaxis.set_major_formatter("{x:g}")
    ax.minorticks_off()
    ax.set_ylim(top=ax.get_ylim()[1] * 6)
    ax.grid()
    ax.legend(loc="upper left", ncols=1)
    return ax
