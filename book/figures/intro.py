"""The pictures of the first page: counting with changed weights, the course as a map; and the cell with its symbols."""

import matplotlib.pyplot as plt
import yaml
from registry import figure, read

from lstm_tutorial import figures
from lstm_tutorial.figures.drawings import COLOURS, canvas, tint, wire, write

figure("cell")(figures.draw_cell)

# What each stop of the map is called, and what it answers. Their order is that of the table of contents.
STOPS = {
    "intro": ("Introduction", "for whom, and\nthree ways through"),
    "setup": ("Setup", "run it on\nyour own machine"),
    "memory": ("Memory", "why a plain\nnetwork forgets"),
    "gates": ("Gates", "a sigmoid layer\nand a product"),
    "cell-state": ("Cell state", "one step, with\nnumbers, by hand"),
    "numpy-lstm": ("LSTM in NumPy", "forward, backward,\ntrained from scratch"),
    "pytorch-lstm": ("LSTM in PyTorch", "the twin, and\nthe library's own"),
    "shapes": ("Shapes", "what comes out,\nand padding"),
    "many-to-one": ("Many-to-one", "a sequence,\none answer"),
    "many-to-many": ("Many-to-many", "an answer\nat every step"),
    "one-to-many": ("One-to-many", "a vector,\na sequence"),
    "encoder-decoder": ("Encoder-decoder", "a sequence\nto another"),
    "state": ("State", "streams, chunks\nand forecasts"),
    "pooling": ("Pooling", "last, max, mean,\nand padding"),
    "attention-pooling": ("Attention", "weights by rule,\nthen learned"),
    "choosing": ("Choosing", "which one when,\nin one study"),
    "training": ("Training", "learning enough,\nand not too much"),
    "recipes": ("Recipes", "small programs\nto copy"),
    "fast": ("Fast", "from a naive loop\nto the fused layer"),
    "scale": ("Scale", "several workers,\nand nothing lost"),
    "variants": ("Variants", "the GRU, and what\neach part buys"),
    "after-lstm": ("After the LSTM", "scans, xLSTM\nand attention"),
}


def parts(contents):
    """Return the stops of each part of a table of contents, by the part's name: all chapters, and pages in `STOPS`."""
    found = {}
    for n, part in enumerate(contents["parts"]):
        files = [contents["root"]] * (n == 0) + [chapter["file"] for chapter in part["chapters"]]
        stems = [file.removeprefix("book/") for file in files]
        if missing := [stem for stem in stems if "numbered" in part and stem not in STOPS]:
            raise KeyError(f"STOPS in book/figures/intro.py must hold every chapter, and {missing[0]} is missing")
        if stops := [STOPS[stem] for stem in stems if stem in STOPS]:
            found[part["caption"]] = stops
    return found


@figure("map")
def course_map():
    """The course as a path: parts one below another, their chapters as stops."""
    found = parts(yaml.safe_load(read("_toc.yml")))
    rows = [(part, stops[k : k + 3]) for part, stops in found.items() for k in range(0, len(stops), 3)]
    tall, xs = 1.36, (2.15, 4.28, 6.4)
    ax = canvas(7.5, tall * len(rows) + 0.1)
    for row, (part, stops) in enumerate(rows):
        y, last = tall * (len(rows) - row) - 0.22, xs[len(stops) - 1]
        wire(ax, (xs[0], y), (last, y), colour="lstm", width=4, arrow=False)
        if row + 1 < len(rows):
            turns = (7.42, y), (7.42, y - 1.14), (1.45, y - 1.14), (1.45, y - tall), (xs[0] - 0.13, y - tall)
            wire(ax, (last, y), *turns, colour=tint("lstm", 0.35), width=2.6, z=1)
        if row == 0 or rows[row - 1][0] != part:
            write(ax, 0.1, y, part, 15, weight="bold", ha="left")
        for x, (title, answer) in zip(xs, stops):
            ax.plot(x, y, "o", ms=13, mfc="white", mec=COLOURS["lstm"], mew=3.2, zorder=5)
            write(ax, x, y - 0.31, title, 13.5, weight="bold")
            write(ax, x, y - 0.5, answer, 13, va="top", linespacing=1.25)
    return ax


@figure("brackets-changed", study="brackets")
def brackets_changed(study):
    """How often each unit is right, against how far its weights are changed."""
    panels = {
        "never nested,\n400 characters": ("depth to 1", "T=400"),
        "four deep,\n40 characters": ("depth to 4", "T=40"),
        "four deep,\n400 characters": ("depth to 4", "T=400"),
    }
    axes = plt.subplots(1, 3, figsize=(7.5, 4.2), sharey=True)[1]
    for ax, (title, (depth, test)) in zip(axes, panels.items()):
        found = study["results"][depth]
        units = {
            "LSTM unit": (found["lstm"], "lstm", "o-", 12),
            "RNN unit": (found["rnn"]["0%"], "rnn", "s-", 6),
            "RNN unit, searched with changes of 1%": (found["rnn"]["1%"], "rnn", "D:", 6),
        }
        for label, (unit, colour, style, size) in units.items():
            right = unit["right"][test]
            changes = [change.removesuffix("%").removesuffix(".0") for change in right]
            ax.plot(changes, [min(pair) for pair in right.values()], style, color=COLOURS[colour], ms=size, label=label)
        ax.axhline(found["most_frequent"][test], color=COLOURS["grey"], ls="--", lw=1.2, label="most frequent depth")
        ax.set_title(title)
        ax.set(xlabel="change in %", ylim=(0, 1.05))
    axes[0].set_ylabel("characters with the right depth")
    axes[0].yaxis.set_major_formatter("{x:.0%}")
    axes[0].figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return axes
