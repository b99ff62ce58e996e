"""The pictures of the chapter intro."""

from registry import figure

from lstm_tutorial import figures
from lstm_tutorial.drawings import COLOURS, canvas, tint, wire, write

figure("cell")(figures.draw_cell)

# The way through the course: a part, its stops, and what each answers.
MAP = {
    "Start": [
        ("Introduction", "for whom, and\nthree ways through"),
        ("Notation", "every symbol\nand shape, once"),
        ("Setup", "run it on\nyour own machine"),
    ],
    "Gates": [
        ("Memory", "why a plain\nnetwork forgets"),
        ("Gates", "a sigmoid layer\ntimes a product"),
    ],
    "Cell state": [
        ("Cell state", "one step, with\nnumbers, by hand"),
        ("LSTM in NumPy", "forward, backward,\ntrained from scratch"),
        ("LSTM in PyTorch", "the twin, and\nthe library's own"),
    ],
    "Topologies": [
        ("Shapes", "what comes out,\nand padding"),
        ("Many-to-one", "a sequence,\none answer"),
        ("Many-to-many", "an answer\nat every step"),
        ("One-to-many", "a vector,\na sequence"),
        ("Encoder-decoder", "a sequence\nto another"),
    ],
    "Pooling": [
        ("Pooling", "last, max, mean,\nand padding"),
        ("Attention", "weights by rule,\nthen learned"),
        ("Choosing", "which one when,\nin one study"),
    ],
    "In practice": [
        ("Fast", "from a naive loop\nto the fused layer"),
    ],
}


@figure("map")
def course_map():
    """The course as a path: parts one below another, their chapters as stops."""
    rows = [(part, stops[k : k + 3]) for part, stops in MAP.items() for k in range(0, len(stops), 3)]
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
