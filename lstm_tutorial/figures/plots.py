"""Plots of measurements: arrays in, matplotlib axes out."""

from importlib import resources

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator, PercentFormatter

from lstm_tutorial.figures.drawings import COLOURS, GATES, canvas, tint, write

DASHES = ("-", (0, (5, 1.6)), (0, (1.5, 1.3)), (0, (5, 1.4, 1.2, 1.4)))


def use_course_style():
    """Draw everything from here on in the course's style, `course.mplstyle`."""
    with resources.as_file(resources.files(__package__) / "course.mplstyle") as style:
        plt.style.use(style)


def shades(name, n):
    """Return n shades of one of the course's colours, light to dark.

    Examples
    --------
    >>> shades("lstm", 1) == [COLOURS["lstm"].lower()]
    True
    """
    light, share = name in ("x", "candidate"), np.linspace(0.45, 1, n) if n > 1 else np.ones(1)
    return [tint(name, s, "black" if light else "white") for s in (share[::-1] if light else share)]


def _looks(labels, vary=True):
    """Return a colour and a dash for each label: its own colour if it has one, in shades where several share it."""
    free = [name for name in ("lstm", "forget", "candidate", "hidden", "output", "input") if name not in labels]
    words = [next((name for name in COLOURS if label.lower().startswith(name)), None) for label in labels]
    words = [word or free[k % len(free)] for k, word in enumerate(words)]
    inks = {word: iter(shades(word, words.count(word) if vary else 1) * len(words)) for word in words}
    return {label: dict(color=next(inks[word]), ls=DASHES[k % 4]) for k, (label, word) in enumerate(zip(labels, words))}


def _label_ends(ax, ends, gap=0.08):
    """Write labels (y, text, colour) beside the right end of their lines, pushed apart where they would touch."""
    (right, (low, high)), scale = (ax.get_xlim()[1], ax.get_ylim()), (ax.transScale + ax.transLimits).transform
    ends = sorted((np.clip(y, min(low, high), max(low, high)), text, colour) for y, text, colour in ends)
    places = [float(scale((right, y))[1]) for y, _, _ in ends]
    for _ in range(100 * len(places)):
        for k in range(1, len(places)):
            push = max(0.0, gap - (places[k] - places[k - 1])) / 2
            places[k - 1], places[k] = places[k - 1] - push, places[k] + push
    for place, (_, text, colour) in zip(places, ends):
        look = dict(va="center", color=tint(colour, 0.7, "black"))
        ax.annotate(text, (1, place), (8, 0), "axes fraction", "offset points", **look)


def _baselines(ax, baseline, draw):
    """Draw a dashed line for a baseline or for each of several, and return their values, names and colour."""
    lines = {"baseline": baseline} if np.isscalar(baseline) else dict(baseline or {})
    for value in lines.values():
        draw(value, color=COLOURS["grey"], lw=1.2, ls=(0, (5, 3)), zorder=1.5)
    return [(value, name, COLOURS["grey"]) for name, value in lines.items()]


def _axes(ax, **kwargs):
    """Return the given axes or new ones, labelled."""
    ax = plt.subplots()[1] if ax is None else ax
    ax.set(**kwargs)
    return ax


def plot_gates(gates, inputs=None, labels=None, axes=None):
    """Draw the gates and the cell state over time, one panel for each; return an array of axes.

    Parameters
    ----------
    gates : Gates(i, f, g, o, c) of arrays (T,) or (T, H)
        As `return_gates=True` gives them, for one sequence. One unit is a filled step, up to six are lines, more a map.
    inputs : dict of arrays (T,), optional
        The network's inputs, drawn in a first panel.
    labels, axes : list of H str, sequence of axes, optional
        The units' names; axes, one for each panel.
    """
    traces = {name: np.asarray(getattr(gates, name), float) for name in "figoc"}
    shape = traces["c"].shape
    if len(shape) not in (1, 2) or 0 in shape or any(trace.shape != shape for trace in traces.values()):
        raise ValueError(f"gates must hold five arrays (T,) or (T, H), got {[t.shape for t in traces.values()]}")
    inputs = {name: np.asarray(values, float) for name, values in (inputs or {}).items()}
    if any(values.shape != shape[:1] for values in inputs.values()):
        raise ValueError(f"inputs must have shape ({shape[0]},), got {[v.shape for v in inputs.values()]}")
    panels, units = ["x"] * bool(inputs) + list(traces), 1 if len(shape) == 1 else shape[1]
    if labels is not None and len(labels) != units:
        raise ValueError(f"labels must be {units}, one per unit, got {len(labels)}")
    if axes is None:
        axes = plt.subplots(len(panels), sharex=True, figsize=(7, 0.5 + 0.78 * len(panels)))[1]
    if len(axes) != len(panels):
        raise ValueError(f"axes must be {len(panels)}, one per panel, got {len(axes)}")
    names, edges = [""] * units if labels is None else labels, np.arange(shape[0] + 1) + 0.5
    for ax, name in zip(axes, panels):
        word = GATES.get(name, ("x",))[0]
        low, high = 0 if name in "fio" else -1, 1 if name != "c" else max(np.abs(traces["c"]).max(), 1e-9)
        if name != "x" and units > 6:
            ends = ["white", COLOURS[word]] if low == 0 else [COLOURS["input"], "white", COLOURS["forget"]]
            look = dict(cmap=LinearSegmentedColormap.from_list(word, ends), vmin=low * high, vmax=high)
            extent = (0.5, shape[0] + 0.5, units + 0.5, 0.5)
            ax.imshow(traces[name].T, aspect="auto", interpolation="nearest", extent=extent, **look)
            _label_ends(ax, [((units + 1) / 2, "0 to 1" if low == 0 else f"±{high:.2g}", "ink")])
        else:
            lines = list(inputs.items() if name == "x" else zip(names, traces[name].reshape(shape[0], -1).T))
            inks = shades(word, len(lines))
            for k, (_, values) in enumerate(lines):
                ax.stairs(values, edges, baseline=None, color=inks[k], ls=DASHES[k % 4], lw=2)
                if len(lines) == 1:
                    ax.stairs(values, edges, fill=True, color=tint(word, 0.12), zorder=0.5)
            ax.axhline(0, color=COLOURS["pale"], lw=0.8, zorder=0.4)
            if name in "figo":
                ax.set(ylim=(low - 0.12 * (high - low), high + 0.12 * (high - low)), yticks=range(low, high + 1))
            else:
                ax.use_sticky_edges = False
                ax.margins(y=0.15)
                ax.yaxis.set_major_locator(MaxNLocator(2, integer=True))
                _label_ends(ax, [(values[-1], label, ink) for (label, values), ink in zip(lines, inks)], gap=0.28)
        ax.tick_params(axis="x", length=0 if name != "c" else 3)
        ax.set_ylabel(word if name == "x" else f"{word} ${name}$", rotation=0, ha="right", va="center")
    axes[-1].set(xlabel="time step", xlim=(0.5, shape[0] + 0.5))
    axes[-1].xaxis.set_major_locator(MaxNLocator(10, integer=True))
    return np.asarray(axes)


def plot_gradient_by_lag(lags, curves, ax=None):
    """Draw how much of a gradient is left after a number of steps, with its spread over seeds, on a log axis.

    Parameters
    ----------
    lags : array (n,)
    curves : dict of (median, low, high), arrays (n,) each
    """
    ax = _axes(ax, xlabel="lag (time steps)", ylabel="gradient norm", yscale="log")
    for label, look in _looks(curves).items():
        band = np.asarray(curves[label], float)
        if band.shape != (3, len(lags)):
            raise ValueError(f"curves[{label!r}] must hold three arrays ({len(lags)},), got shape {band.shape}")
        ax.fill_between(lags, band[1], band[2], color=tint(look["color"], 0.18), lw=0)
        ax.plot(lags, band[0], **look)
    ax.grid(axis="y")
    ax.margins(x=0.01)
    _label_ends(ax, [(curves[label][0][-1], label, look["color"]) for label, look in _looks(curves).items()])
    return ax


def plot_updates(lengths, updates, budget, ax=None):
    """Draw after how many updates each seed has learned a task, by the length of its sequences.

    Parameters
    ----------
    lengths : list (n,)
    updates : dict of lists (n,) of lists (seeds,)
        By network: at each length, the updates that each seed needed, None for a seed that did not learn.
    budget : int
        After how many updates training ended. Seeds that had not learned stand above this line.

    Returns
    -------
    matplotlib axes
    """
    ax = _axes(ax, xlabel="steps in a sequence, $T$", ylabel="updates until it has learned", yscale="log")
    looks, places, beyond = _looks(updates), np.arange(len(lengths)), 2.2 * budget
    for k, (name, look) in enumerate(looks.items()):
        if len(updates[name]) != len(lengths):
            raise ValueError(f"updates[{name!r}] must hold a list for each of {len(lengths)} lengths")
        middles = places + 0.8 * (k - (len(looks) - 1) / 2) / len(looks)
        for middle, runs in zip(middles, updates[name]):
            y = np.array([beyond if run is None else run for run in runs], float)
            x = middle + np.linspace(-0.25, 0.25, y.size) / len(looks)
            ax.plot(x, y, ls="", marker="o", ms=4, mfc=tint(look["color"], 0.5), mec=look["color"], mew=0.7)
            width = 0.32 / len(looks)
            ax.plot([middle - width, middle + width], 2 * [np.median(y)], color=look["color"], lw=2.5, ls="-")
        ax.plot([], [], color=look["color"], lw=2.5, ls="-", label=name)
    ax.axhline(budget, color=COLOURS["grey"], lw=0.8, ls="--")
    ax.set(xticks=places, xticklabels=[f"{length}" for length in lengths], ylim=(None, 2 * beyond))
    ax.annotate("not learned", (0.01, beyond), xycoords=("axes fraction", "data"), va="center", color=COLOURS["grey"])
    ax.yaxis.set_major_formatter("{x:,.0f}")
    ax.grid(axis="y")
    if len(looks) > 1:
        ax.legend(ncols=min(len(looks), 3), loc="lower right")
    return ax


def plot_half_life(forget=None, measured=None, ax=None):
    """Draw the half-life ln 2 / -ln f of a cell state against its forget gate, and points that were measured.

    Parameters
    ----------
    forget, measured : arrays (n,) and (n,) or (n, seeds), optional
        Forget gates, and the steps after which half of a cell state was left.
    """
    ax = _axes(ax, xlabel="forget gate $f$", ylabel="half-life (time steps)", xscale="logit", yscale="log")
    f = 1 / (1 + np.exp(-np.linspace(-1.5, 7, 200)))
    ax.plot(f, np.log(2) / -np.log(f), color=COLOURS["forget"], ls="-", label=r"$\ln\,2\;/\,-\!\ln f$")
    if measured is not None:
        forget, measured = np.asarray(forget, float), np.asarray(measured, float)
        if forget.ndim != 1 or measured.shape[:1] != forget.shape or measured.ndim > 2:
            raise ValueError(f"measured must be ({forget.size},) or ({forget.size}, seeds), got {measured.shape}")
        look = dict(ls="", marker="o", ms=7, mfc="white", mec=COLOURS["cell"], mew=1.6)
        ax.plot(np.repeat(forget, measured.size // forget.size), measured.ravel(), label="measured", **look)
    ax.set(xticks=(0.2, 0.5, 0.9, 0.99, 0.999), xticklabels=("0.2", "0.5", "0.9", "0.99", "0.999"))
    ax.yaxis.set_major_formatter("{x:g}")
    ax.minorticks_off()
    ax.grid()
    ax.legend()
    return ax


def plot_losses(runs, baseline=None, every=1, log=False, ax=None):
    """Draw learning curves: a thin line for each seed and, where all are as long, a thick one for their median.

    Parameters
    ----------
    runs : dict of lists of arrays
        By label, the losses of each seed.
    baseline : float or dict of float, optional
        The loss of a simple answer: a dashed line with its name.
    every, log : int, bool
        The number of updates between two losses; whether the axis is logarithmic.
    """
    ax, ends = _axes(ax, xlabel="updates", ylabel="loss", yscale="log" if log else "linear"), []
    for label, look in _looks(runs).items():
        seeds = [np.asarray(losses, float) for losses in runs[label]]
        if not seeds or any(losses.ndim != 1 or not len(losses) for losses in seeds):
            raise ValueError(f"runs[{label!r}] must be a list of arrays (n,), one per seed")
        same = len({len(losses) for losses in seeds}) == 1
        for losses in seeds:
            time = every * np.arange(1, len(losses) + 1)
            ax.plot(time, losses, color=tint(look["color"], 0.35 if same else 0.7), lw=1, ls="-")
        if same:
            ax.plot(time, np.median(seeds, axis=0), **look)
        ends.append((np.median([losses[-1] for losses in seeds]), label, look["color"]))
    ends += _baselines(ax, baseline, ax.axhline)
    ax.margins(x=0.01)
    _label_ends(ax, ends)
    return ax


def plot_gate_values(values, ax=None):
    """Draw the values of gates, as a histogram for each label: peaks at 0 and 1 are saturated gates.

    Parameters
    ----------
    values : dict of arrays of any shape, between 0 and 1
    """
    ax, edges = _axes(ax, xlabel="value of the gate", ylabel="share", xlim=(-0.02, 1.02)), np.linspace(0, 1, 26)
    for label, look in _looks(values).items():
        found = np.ravel(values[label])
        if not len(found) or not ((found >= 0) & (found <= 1)).all():
            raise ValueError(f"values[{label!r}] must lie between 0 and 1")
        share = np.histogram(found, edges)[0] / len(found)
        ax.stairs(share, edges, fill=True, color=tint(look["color"], 0.15), zorder=0.5)
        ax.stairs(share, edges, lw=2, label=label, **look)
    ax.yaxis.set_major_formatter(PercentFormatter(1, 0))
    ax.legend()
    return ax


def plot_scores(scores, baseline=None, label="score", ax=None, differences=None, against="the first"):
    """Draw scores, one dot per seed and a bar at their median, with the baselines; and paired differences beside them.

    Parameters
    ----------
    scores : dict of arrays (seeds,)
        By name, first on top.
    baseline, label : float or dict of float, str, optional
        Dashed lines with their names; what the score is, with its unit.
    ax : matplotlib axes or pair of axes, optional
    differences : dict of dict, optional
        By name `mean`, `low` and `high` of a paired difference: a dot with an interval, in a second panel to the right.
        A name that is missing has none.
    against : str
        What the differences are taken from.

    Returns
    -------
    matplotlib axes, or an array of two with `differences`
    """
    if ax is None:
        size = dict(figsize=(7, 0.9 + 0.42 * len(scores)))
        ax = plt.subplots(1, 2, sharey=True, **size)[1] if differences else plt.subplots(**size)[1]
    first, second = ax if differences else (ax, None)
    for k, (name, look) in enumerate(_looks(scores, vary=False).items()):
        values = np.asarray(scores[name], float)
        if values.ndim != 1 or not len(values):
            raise ValueError(f"scores[{name!r}] must be an array (seeds,), got shape {values.shape}")
        spread = np.linspace(-0.14, 0.14, len(values)) * (len(values) > 1)
        first.plot(values, k + spread, ls="", marker="o", ms=6, mfc=tint(look["color"], 0.55), mec="white", mew=0.6)
        first.plot([np.median(values)] * 2, [k - 0.28, k + 0.28], color=look["color"], lw=3, ls="-")
        if differences and name in differences:
            mean, low, high = (differences[name][key] for key in ("mean", "low", "high"))
            second.plot([low, high], [k, k], color=look["color"], lw=2.5, ls="-")
            second.plot([mean], [k], marker="o", ms=7, mfc=look["color"], mec="white", mew=0.8, ls="")
    for value, name, colour in _baselines(first, baseline, first.axvline):
        where = ("data", "axes fraction"), "offset points"
        look = dict(ha="center", size=plt.rcParams["legend.fontsize"], color=colour)
        first.annotate(name, (value, 1), (0, 4), *where, **look)
    first.set(yticks=range(len(scores)), yticklabels=scores, ylim=(len(scores) - 0.5, -0.5), xlabel=label)
    if differences:
        second.axvline(0, color=COLOURS["grey"], lw=1.2, ls=(0, (5, 3)), zorder=1.5)
        second.set(xlabel=f"difference from {against}", ylim=first.get_ylim())
    for each in (first, second) if differences else (first,):
        each.tick_params(axis="y", length=0)
        each.grid(axis="x")
    return ax


# For the chapters on pooling


def plot_letters(words, values, titles, rows, columns=2, width=7.6, ax=None):
    """Draw words letter by letter, each letter in a box that is darker for a larger value.

    Parameters
    ----------
    words : list of str
    values : list of arrays (R, L)
        For each word of L letters R rows of values; a row is shaded relative to its largest, what is negative stays
        white.
    titles : list of str
        The text above each word.
    rows : dict of str to str
        What each of the R rows shows, and its colour.
    columns, width : int, float
        The number of words in a row, and its width in inches.

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
    """Draw the scores of pools, one panel for each question: filled marks for one trunk, hollow ones for another.

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
