"""Figures that the chapters on pooling share between page and lab: arrays in, matplotlib axes out."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Rectangle

from lstm_tutorial.drawings import COLOURS, canvas, tint, write


def plot_letters(words, values, titles, rows, columns=2, width=7.6, ax=None):
    """Draw words letter by letter, each letter in a box that is the darker the larger its value.

    Parameters
    ----------
    words : list of str
    values : list of arrays (R, L)
        For each word of L letters R rows of values; a row is shaded relative to its largest, what is negative stays
        white.
    titles : list of str
        What stands above each word.
    rows : dict of str to str
        What each of the R rows shows, and its colour.
    columns, width : int, float
        How many words stand side by side, on how many inches.

    Returns
    -------
    matplotlib axes
    """
    for word, value in zip(words, values, strict=True):
        if np.shape(value) != (len(rows), len(word)):
            raise ValueError(f"values of {word!r} must have shape {(len(rows), len(word))}, got {np.shape(value)}")
    high, block, left = 0.27, 0.27 * len(rows) + 0.48, 1.28
    longest, lines = max(map(len, words)), -(-len(words) // columns)
    wide = min(0.3, (width - 0.1 - left - 0.25 * (columns - 1)) / (columns * longest))
    ax = canvas(width, block * lines + 0.02, ax)
    for n, (word, value) in enumerate(zip(words, values)):
        x, top = left + (n % columns) * (longest * wide + 0.25), block * (lines - n // columns) - 0.16
        write(ax, x, top, titles[n], 11.5, ha="left", weight="bold")
        for r, (name, colour) in enumerate(rows.items()):
            y = top - 0.17 - high * (r + 1)
            if n % columns == 0:
                write(ax, left - 0.1, y + high / 2, name, 11, tint(colour, 0.8, "black"), ha="right")
            share = np.maximum(value[r], 0) / max(np.max(value[r]), 1e-12)
            for k, letter in enumerate(word):
                look = dict(fc=tint(colour, 0.9 * share[k]), ec=tint(colour, 0.25), lw=0.8, zorder=3)
                ax.add_patch(Rectangle((x + k * wide, y), wide, high - 0.03, **look))
                ink = "white" if share[k] > 0.55 else "ink"
                write(ax, x + (k + 0.5) * wide, y + high / 2 - 0.02, letter.replace(" ", "␣"), 11.5, ink)
    return ax


#: The colour, the stroke and the marker of each pool.
POOL_LOOKS = {
    "last": ("lstm", "-", "s"),
    "max": ("forget", (0, (5, 1.6)), "^"),
    "mean": ("candidate", "-", "o"),
    "position": ("input", (0, (1.5, 1.3)), "v"),
    "decay": ("output", (0, (1.5, 1.3)), ">"),
    "attention": ("hidden", (0, (5, 1.4, 1.2, 1.4)), "D"),
}


def plot_choice(panels, chance, label="right answers (%)", columns=None):
    """Draw the scores of pools side by side, a panel each question: filled with one trunk, hollow with another.

    Parameters
    ----------
    panels : dict of dict of dict of arrays (S,)
        By question, then trunk (one or two), then pool: a score for each seed.
    chance : dict of float
        For each question the score of guessing, a dashed line.
    label, columns : str, int, optional
        What is drawn; how many panels stand side by side, or all.

    Returns
    -------
    array of matplotlib axes
    """
    pools = list(next(iter(next(iter(panels.values())).values())))
    columns = columns or len(panels)
    lines = -(-len(panels) // columns)
    size = dict(figsize=(7.6, 1.25 * lines + 0.36 * lines * len(pools)), sharey=True, squeeze=False)
    axes = plt.subplots(lines, columns, **size)[1].ravel()
    for ax, (question, trunks) in zip(axes, panels.items()):
        ax.axvline(chance[question], color=COLOURS["grey"], lw=1.2, ls=(0, (5, 3)), zorder=1.5)
        for k, (trunk, scores) in enumerate(trunks.items()):
            for row, pool in enumerate(pools):
                colour, _, marker = POOL_LOOKS[pool]
                values = np.asarray(scores[pool], float)
                heights = row + (0.17 if k else -0.17) * (len(trunks) > 1) + np.linspace(-0.1, 0.1, len(values))
                fill = "white" if k else tint(colour, 0.6)
                look = dict(marker=marker, ms=5.5, mfc=fill, mec=COLOURS[colour], mew=1.1, ls="", clip_on=False)
                ax.plot(values, heights, label=trunk if row == 0 else None, **look)
        ax.set(yticks=range(len(pools)), yticklabels=pools, ylim=(len(pools) - 0.5, -0.5))
        ax.set_title(question)
        ax.tick_params(axis="y", length=0)
        ax.grid(axis="x")
    axes[0].figure.supxlabel(label, fontsize=plt.rcParams["axes.labelsize"])
    return axes


def plot_over(x, curves, ax=None, legend=False, **options):
    """Draw a curve for each pool: the median over the seeds, and a band from the lowest to the highest.

    Parameters
    ----------
    x : array (P,)
    curves : dict of arrays (S, P)
        By pool: a row for each seed.
    ax : matplotlib axes, optional
    legend : bool
    options : labels, limits and scales, for `ax.set`

    Returns
    -------
    matplotlib axes
    """
    ax = plt.subplots()[1] if ax is None else ax
    for pool, runs in curves.items():
        colour, dash, marker = POOL_LOOKS[pool]
        runs = np.asarray(runs, float)
        if runs.ndim != 2 or runs.shape[1] != len(x):
            raise ValueError(f"curves[{pool!r}] must have shape (S, {len(x)}), got {runs.shape}")
        look = dict(color=COLOURS[colour], ls=dash, lw=2, label=pool)
        few = dict(marker=marker, ms=5, mfc=tint(colour, 0.6), mec=COLOURS[colour]) if len(x) < 20 else {}
        ax.plot(x, np.median(runs, axis=0), **look, **few)
        ax.fill_between(x, runs.min(axis=0), runs.max(axis=0), color=COLOURS[colour], alpha=0.13, lw=0)
    ax.set(**options)
    if legend:
        ax.legend(handlelength=2.8)
    return ax


def pool_key(fig, pools):
    """Put one legend for some pools over a figure of several panels."""
    handles = []
    for pool in pools:
        colour, dash, marker = POOL_LOOKS[pool]
        look = dict(color=COLOURS[colour], ls=dash, marker=marker, mfc=tint(colour, 0.6), label=pool)
        handles.append(plt.Line2D([], [], **look))
    fig.legend(handles=handles, loc="outside upper center", ncols=len(handles))
