"""The course's diagrams: the cell, a gate, the network unrolled; and the colour of each part."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import to_hex, to_rgb
from matplotlib.patches import Circle, FancyArrowPatch, FancyBboxPatch, Rectangle
from matplotlib.path import Path

#: Okabe and Ito's hues, each at a lightness of its own, so that they differ in grey and for colour-blind readers.
COLOURS = dict(forget="#B84C03", input="#004692", candidate="#009EDB", output="#C95897")
COLOURS |= dict(cell="#14181D", hidden="#006845", x="#EDA109", rnn="#A7611B", lstm="#4622AC")
COLOURS |= dict(ink="#1F2328", grey="#6B7076", pale="#CDD1D6")
GATES = {"f": ("forget", "σ"), "i": ("input", "σ"), "g": ("candidate", "tanh"), "o": ("output", "σ"), "c": ("cell", "")}
PARTS = ("forget", "input", "candidate", "update", "output")


def tint(colour, share, towards="white"):
    """Mix a share of a colour, by its name in `COLOURS` or its hex, with white or another colour.

    Examples
    --------
    >>> tint("#000000", 0.5)
    '#808080'
    """
    colour, other = (np.array(to_rgb(COLOURS.get(name, name))) for name in (colour, towards))
    return to_hex(other + share * (colour - other))


def canvas(width, height, ax=None):
    """Return axes without a frame, an inch a unit: a drawing keeps its size beside its text. Smaller axes scale it."""
    if ax is None:
        ax = plt.figure(figsize=(width, height), layout="none").add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, width), ylim=(0, height), aspect="equal")
    ax.axis("off")
    return ax


def write(ax, x, y, text, size=12, colour="ink", **kwargs):
    """Write a text centred on (x, y)."""
    style = dict(ha="center", va="center", zorder=7) | kwargs
    ax.text(x, y, text, size=size, color=COLOURS.get(colour, colour), **style)


def wire(ax, *points, colour="ink", width=2.0, arrow=True, style="-", z=2, bend=0.14):
    """Draw a line through points, its corners rounded, with an arrow's head at the end."""
    points = np.array(points, float)
    path, codes = [points[0]], [Path.MOVETO]
    for before, corner, after in zip(points, points[1:], points[2:]):
        ends = [corner + bend * (end - corner) / np.hypot(*(end - corner)) for end in (before, after)]
        path += [ends[0], corner, ends[1]]
        codes += [Path.LINETO, Path.CURVE3, Path.CURVE3]
    path = Path([*path, points[-1]], [*codes, Path.LINETO])
    head = f"-|>,head_length={2.6 + width:.1f},head_width={1.2 + width / 2:.1f}" if arrow else "-"
    look = dict(color=COLOURS.get(colour, colour), lw=width, ls=style, capstyle="butt", joinstyle="miter", zorder=z)
    ax.add_patch(FancyArrowPatch(path=path, arrowstyle=head, mutation_scale=1, **look))


def operation(ax, x, y, sign, colour="ink", radius=0.155):
    """Draw a pointwise operation, "x" or "+", as its sign in a circle."""
    colour, arm = COLOURS.get(colour, colour), radius / 2
    ax.add_patch(Circle((x, y), radius, fc="white", ec=colour, lw=1.8, zorder=4))
    for dx, dy in ((arm, arm), (arm, -arm)) if sign == "x" else ((arm * 1.2, 0), (0, arm * 1.2)):
        ax.plot([x - dx, x + dx], [y - dy, y + dy], color=colour, lw=1.8, ls="-", zorder=5)


def box(ax, x, y, width, height, colour="ink", fill=0.1, radius=0.1, text="", size=13, z=3):
    """Draw a rounded box round its centre (x, y), filled with a tint of its colour."""
    colour, shape = COLOURS.get(colour, colour), f"round,pad=0,rounding_size={radius}"
    corner, look = (x - width / 2, y - height / 2), dict(fc=tint(colour, fill), ec=colour, lw=1.6, zorder=z)
    ax.add_patch(FancyBboxPatch(corner, width, height, boxstyle=shape, **look))
    write(ax, x, y - 0.01, text, size, "ink" if colour not in COLOURS["pale"] else tint("grey", 0.55))


def draw_cell(lit=(), values=None, ax=None):
    """Draw the course's LSTM cell, with the parts in question in colour and the rest pale.

    Parameters
    ----------
    lit : str or collection of str
        "forget", "input", "candidate", "update", "output". None named: all in colour.
    values : dict, optional
        Labels of the wires, numbers or text, by name: x, h_prev, c_prev, z_f, z_i, z_g, z_o (what enters a gate),
        f, i, g, o, kept (f * c_prev), written (i * g), c, squashed (tanh c), h.
    ax : matplotlib axes, optional

    Returns
    -------
    matplotlib axes
    """
    lit, values = {lit} if isinstance(lit, str) else set(lit), dict(values or {})
    ax, lane, middle, bus, right, join = canvas(7.5, 4.4, ax), 3.75, 2.84, 0.86, 6.45, 1.13
    x, top, both, gates = dict(f=1.72, i=2.98, w=3.61, g=4.24, o=5.5), 2.41, 0.155, [p for p in PARTS if p != "update"]
    at = dict(x=(join + 0.17, 0.14), h_prev=(0.36, bus - 0.3), c_prev=(0.36, lane - 0.3), c=(7.2, lane - 0.3))
    at |= dict(h=(7.2, bus - 0.3), kept=(2.62, lane + 0.17), written=(3.71, 3.3), squashed=(6.34, 3.1))
    at |= {name: (x[name] + 0.1, top + 0.16) for name in "fgo"} | {"i": (x["i"] - 0.1, top + 0.16)}
    at |= {f"z_{name}": (x[name] + 0.12, 1.12) for name in "figo"}
    for what, given, known in (("lit", lit, PARTS), ("values", set(values), at)):
        if given - set(known):
            raise ValueError(f"{what} must be among {', '.join(known)}, got {', '.join(sorted(given - set(known)))}")

    def paint(colour, *parts, off="pale"):
        return colour if not lit or lit & set(parts) else off

    box(ax, 3.85, 2.31, 6.02, 3.62, "#F5F6F8", 1, 0.25, z=0)
    for name in "ogif":  # x and h travel together: a sheath and its core
        for colour, off, width, z in (("hidden", "pale", 5.5, 2), ("x", "white", 2.4, 2.2)):
            points, shown = [(join, bus), (x[name], bus), (x[name], 1.3)], paint(colour, GATES[name][0], off=off)
            wire(ax, *points, colour=shown, width=width, arrow=False, z=z + 0.1 * (shown == colour))
    for points, colour, width, parts in (
        ([(0.62, bus), (join, bus)], "hidden", 3.4, gates),
        ([(join, 0.32), (join, bus)], "x", 3.4, gates),
        ([(0.62, lane), (x["f"] - both, lane)], "cell", 4, ["forget", "update"]),
        ([(x["f"] + both, lane), (x["w"] - both, lane)], "cell", 4, ["update"]),
        ([(x["w"] + both, lane), (7.06, lane)], "cell", 4, ["update", "output"]),
        ([(x["f"], top), (x["f"], lane - both)], "forget", 2, ["forget", "update"]),
        ([(x["i"], top), (x["i"], middle), (x["w"] - both, middle)], "input", 2, ["input", "update"]),
        ([(x["g"], top), (x["g"], middle), (x["w"] + both, middle)], "candidate", 2, ["candidate", "update"]),
        ([(x["w"], middle + both), (x["w"], lane - both)], "cell", 2, ["update"]),
        ([(x["o"], top), (x["o"], middle), (right - both, middle)], "output", 2, ["output"]),
        ([(right, lane), (right, middle + both)], "cell", 2, ["output"]),
        ([(right, middle - both), (right, bus), (7.06, bus)], "hidden", 3.4, ["output"]),
    ):
        wire(ax, *points, colour=paint(colour, *parts), width=width, arrow=points[-1][0] != join)
    for x_, y, colour, parts in ((join, bus, "hidden", gates), (right, lane, "cell", ["update", "output"])):
        ax.add_patch(Circle((x_, y), 0.075, color=COLOURS[paint(colour, *parts)], zorder=4))
    operation(ax, x["f"], lane, "x", paint("cell", "forget", "update"))
    operation(ax, x["w"], middle, "x", paint("cell", "input", "candidate", "update"))
    operation(ax, x["w"], lane, "+", paint("cell", "update"))
    operation(ax, right, middle, "x", paint("hidden", "output"))
    box(ax, right, 3.38, 0.6, 0.27, paint("cell", "output"), 0, 0.13, "tanh", z=4)
    for name in "figo":
        word, squash = GATES[name]
        colour, s = paint(word, word), np.linspace(-1, 1, 41)
        box(ax, x[name], 1.92, 1.12, 0.98, colour, 0.1 if colour == word else 0)
        ax.plot(
            x[name] + 0.24 + 0.21 * s, 2.12 + 0.15 * np.tanh(3 * s), color=COLOURS[colour], lw=2.4, ls="-", zorder=5
        )
        zero = 2.12 if squash == "tanh" else 1.97
        ax.plot(x[name] + np.array([0.03, 0.45]), [zero] * 2, color=tint(colour, 0.5), lw=0.9, ls="-", zorder=4)
        faint = tint("grey", 0.55)
        write(ax, x[name] - 0.28, 2.1, f"${name}_t$", 21, paint("ink", word, *["update"] * (name != "o"), off=faint))
        write(ax, x[name], 1.73, word, 13.5, paint("ink", word, off=faint))
        box(ax, x[name], 1.43, 0.32 if squash == "σ" else 0.58, 0.26, colour, 0, 0.13, squash, z=5)
    for x_, y, text, parts in (
        (0.36, lane, "c_{t{-}1}", ["forget", "update"]),
        (0.36, bus, "h_{t{-}1}", gates),
        (join, 0.14, "x_t", gates),
        (7.26, lane, "c_t", ["update", "output"]),
        (7.26, bus, "h_t", ["output"]),
    ):
        write(ax, x_, y, f"${text}$", 19, paint("ink", *parts, off=tint("grey", 0.55)))
    for name, value in values.items():
        side = (
            "right"
            if name in ("i", "squashed")
            else "center"
            if name in ("h_prev", "c_prev", "c", "h", "kept")
            else "left"
        )
        text = value if isinstance(value, str) else f"{value:.4g}"
        colour = tint(GATES[name[-1]][0], 0.7, "black") if name[-1] in "figo" else "ink"
        write(ax, *at[name], text, 13, colour, ha=side)
    return ax


def draw_gate(values=(2, -1.5, 1, -2), z=(3, 0, -1, -4), gate="forget", ax=None):
    """Draw a gate: each value is multiplied by the gate's value, sigmoid(z).

    Parameters
    ----------
    values, z : arrays (H,)
        The values, and the gate's pre-activations.
    gate : str
        "forget", "input" or "output": the colour.

    Returns
    -------
    matplotlib axes
    """
    values, z = np.asarray(values, float), np.asarray(z, float)
    if values.ndim != 1 or not len(values) or values.shape != z.shape:
        raise ValueError(f"values and z must have one shape (H,), got {values.shape} and {z.shape}")
    if gate not in PARTS[:2] + PARTS[4:]:
        raise ValueError(f"gate must be forget, input or output, got {gate!r}")
    opening, top, full = 1 / (1 + np.exp(-z)), 0.92 * len(z), 0.27
    ax = canvas(7.5, top + 0.45, ax)
    for x, text in ((0.9, "values"), (2.42, "×"), (3.75, "gate  σ(z)"), (5.08, "="), (6.62, "products")):
        write(ax, x, top + 0.22, text, 14, weight="bold")
    for k, (v, open_) in enumerate(zip(values, opening)):
        y, wide = top - 0.92 * k - 0.62, full * abs(v) / max(np.abs(values).max(), 1e-12)
        look = dict(fc=tint("cell", 0.5 if v >= 0 else 0.08), ec=tint("cell", 0.5), lw=1.2)
        for x, length, half in ((1.45, 2.05, wide), (3.5, 2.55, wide * open_)):
            ax.add_patch(Rectangle((x, y - half), length, 2 * half, zorder=3, **look))
        for low, high in ((open_ * full, full), (-full, -open_ * full)):
            ax.add_patch(Rectangle((3.5, y + low), 0.5, high - low, fc=COLOURS[gate], ec="none", zorder=4))
        ax.add_patch(Rectangle((3.5, y - full), 0.5, 2 * full, fc="none", ec=COLOURS[gate], lw=1.8, zorder=5))
        for x, text, side in ((1.3, f"{v:.4g}", "right"), (6.2, f"{v * open_:.2f}", "left")):
            write(ax, x, y, text.replace("-", "−"), 14, ha=side)
        write(ax, 3.75, y + 0.41, f"σ({z[k]:.4g}) = {open_:.2f}".replace("-", "−"), 13)
    return ax


def draw_unrolled(steps=4, kind="rnn", ax=None):
    """Draw a network unrolled in time: one cell, the same weights, once for every step.

    Parameters
    ----------
    steps : int
        The number of steps, 1 to 6.
    kind : str
        "rnn", one state handed on, or "lstm", two.

    Returns
    -------
    matplotlib axes
    """
    if kind not in ("rnn", "lstm"):
        raise ValueError(f"kind must be 'rnn' or 'lstm', got {kind!r}")
    if not 1 <= steps <= 6:
        raise ValueError(f"steps must be 1 to 6, got {steps}")
    lstm, pitch, low, lane = kind == "lstm", 1.66, 1.2, 2.25
    ax = canvas(0.86 + pitch * steps, lane + 0.5 if lstm else low + 0.55, ax)
    for t in range(steps + 1):
        left = 0.18 + pitch * t  # where the wires into step t + 1 begin
        x = left + 0.62 + 0.52  # the middle of its box
        for y, state in ((low, "h"), (lane, "c"))[: 1 + lstm]:
            write(ax, left + 0.27, y + 0.25, f"${state}_{t}$", 18.6)
            colour, end = GATES.get(state, ["hidden"])[0], left + (0.62 if t < steps else 0.5)
            wire(ax, (left, y), (end, y), colour=colour, width=3)
        if t == steps:
            return ax
        write(ax, x - 0.12 * lstm, 0.15, f"$x_{t + 1}$", 18.6)
        wire(ax, (x - 0.12 * lstm, 0.34), (x - 0.12 * lstm, low - 0.42 + 0.2 * lstm), colour="x", width=3, z=4)
        box(ax, x, (low + lane * lstm) / (1 + lstm), 1.04, 0.84 + (lane - low) * lstm, kind, 0.08)
        if not lstm:
            write(ax, x, low, "tanh", 15)
            continue
        wire(ax, (x - 0.52, lane), (x + 0.52, lane), colour="cell", width=3, arrow=False, z=3.5)
        wire(ax, (x - 0.52, low), (x + 0.52, low), colour="hidden", width=3, arrow=False, z=3.5)
        wire(ax, (x - 0.28, low), (x - 0.28, lane - 0.11), colour="forget", z=3.6)
        wire(ax, (x + 0.04, low), (x + 0.04, lane - 0.11), colour="input", z=3.6)
        wire(ax, (x + 0.36, lane), (x + 0.36, low + 0.11), colour="cell", z=3.6)
        for dx, y, sign, colour in ((-0.28, lane, "x", "cell"), (0.04, lane, "+", "cell"), (0.36, low, "x", "hidden")):
            operation(ax, x + dx, y, sign, colour, 0.11)
        box(ax, x - 0.12, low, 0.66, 0.38, kind, 0, 0.1, "gates", 13, z=5)
