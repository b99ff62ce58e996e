"""The pictures of the chapter cell-state."""

import json

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.patches import Circle
from registry import figure, read

from lstm_tutorial import figures
from lstm_tutorial.figures.drawings import COLOURS, canvas, tint, wire, write
from lstm_tutorial.in_numpy import Gates, lstm_cell

# The step that the cell state's chapter follows by hand: one input, one unit, rows i, f, g, o.
WORKED_STEP = {
    "x": [1.0],
    "h": [0.5],
    "c": [2.0],
    "weight_ih": [[1.0], [0.5], [1.0], [-0.5]],
    "weight_hh": [[-2.0], [-1.0], [-1.0], [-1.0]],
    "bias_ih": [0.0, 1.0, 0.0, 0.0],
    "bias_hh": [0.0, 0.0, 0.0, 0.0],
}


def work_step():
    """Return every number of the worked step by its name in `draw_cell`, computed by the package."""
    given = {name: np.array(value) for name, value in WORKED_STEP.items()}
    x, state, weights = given["x"], (given["h"], given["c"]), [given[name] for name in list(given)[3:]]
    z = weights[0] @ x + weights[1] @ given["h"] + weights[2] + weights[3]
    (h, c), cache = lstm_cell(x, state, *weights)
    i, f, g, o = cache.i, cache.f, cache.g, cache.o
    numbers = dict(x=x, h_prev=given["h"], c_prev=given["c"], i=i, f=f, g=g, o=o, h=h, c=c)
    numbers |= dict(kept=f * given["c"], written=i * g, squashed=np.tanh(c))
    return {name: value.item() for name, value in numbers.items()} | dict(zip(("z_i", "z_f", "z_g", "z_o"), z.tolist()))


@figure("worked-step")
def worked_step():
    """The cell with a step's numbers on its wires."""
    numbers = {name: f"{value:.3f}".rstrip("0").rstrip(".").replace("-", "−") for name, value in work_step().items()}
    prefix = {"x": "= ", "z_i": "z = ", "z_f": "z = ", "z_g": "z = ", "z_o": "z = "}
    return figures.draw_cell(values={name: prefix.get(name, "") + text for name, text in numbers.items()})


@figure("cell-state-trace")
def cell_state_trace():
    """Six steps of the worked cell."""
    inputs, given = [1.0, 0.0, 0.0, -4.0, 0.0, 2.0], {name: np.array(value) for name, value in WORKED_STEP.items()}
    state, caches = (given["h"], given["c"]), []
    for x in inputs:
        state, cache = lstm_cell(np.array([x]), state, *list(given.values())[3:])
        caches.append(cache)
    gates = Gates(*([getattr(cache, name).item() for cache in caches] for name in Gates._fields))
    axes = plt.subplots(6, sharex=True, figsize=(7.5, 5.8))[1]
    return figures.plot_gates(gates, {"": inputs}, axes=axes)


COMPARED = ("RNN", "LSTM, default", *(f"LSTM, bias {bias}" for bias in (1, 2, 3, 5)))


@figure("cell-state-first-symbol", study="first_symbol")
def cell_state_first_symbol(study):
    """The gradient before training, and how many updates it takes to learn the first symbol."""
    results, before = study["results"], json.loads(read("experiments/results/memory.json"))["results"]
    top, below = plt.subplots(2, figsize=(7.5, 8.4), height_ratios=(1, 1.15))[1]
    lags = np.array(before["lags"])
    near = lags <= 50
    ratios = {name: np.array(before["ratio"][name])[:, near] for name in COMPARED}
    curves = {name: (np.median(ratio, 0), ratio.min(0), ratio.max(0)) for name, ratio in ratios.items()}
    figures.plot_gradient_by_lag(lags[near], curves, ax=top)
    top.set(title="before training", ylabel="influence left, relative to lag 0")
    lengths, budget, needed = [int(T) for T in results["runs"]], results["settings"]["budget"], {}
    for name in COMPARED:
        updates = [[at or budget for at in runs[name]["solved_at"]] for runs in results["runs"].values()]
        needed[name] = np.median(updates, 1), np.min(updates, 1), np.max(updates, 1)
    figures.plot_gradient_by_lag(lengths, {name: (middle,) * 3 for name, (middle, *_) in needed.items()}, ax=below)
    for k, (line, (middle, low, high)) in enumerate(zip(list(below.lines), needed.values())):
        x = np.array(lengths) * 1.04 ** (k - 2.5)  # side by side
        line.set(xdata=x, marker="o")
        below.errorbar(x, middle, [middle - low, high - middle], color=line.get_color(), ls="", capsize=3, elinewidth=1)
    below.axhline(budget, color=COLOURS["grey"], ls="--", lw=1.2)
    below.text(lengths[0] / 1.15, 0.85 * budget, "not learned", va="top", color=COLOURS["grey"])
    below.set(
        title="training",
        xscale="log",
        xlim=(lengths[0] / 1.2, lengths[-1] * 1.2),
        xlabel="steps in a sequence, $T$",
        ylabel="updates until learned",
    )
    below.set_xticks(lengths, map(str, lengths))
    below.minorticks_off()
    return top, below


@figure("jacobian-paths")
def jacobian_paths():
    """The paths from one cell state to a later one: along the forget gates, and through h."""
    ax = canvas(7.5, 3.7)
    top, bottom, cs, hs = 2.75, 0.95, (0.75, 3.75, 6.75), (1.85, 4.85)
    for k in (1, 2):
        wire(ax, (cs[k - 1] + 0.36, top), (cs[k] - 0.36, top), colour="forget", width=5)
        write(ax, (cs[k - 1] + cs[k]) / 2, top + 0.3, f"$f_{{t{{+}}{k}}}$", 20, tint("forget", 0.85, "black"))
        c, h, later = (np.array(point) for point in ((cs[k - 1], top), (hs[k - 1], bottom), (cs[k], top)))
        for start, end in ((c, h), (h, later)):
            along = (end - start) / np.hypot(*(end - start))
            wire(ax, start + 0.36 * along, end - 0.38 * along, colour="hidden", width=2.4)
    wire(ax, (hs[0] + 0.36, bottom), (hs[1] - 0.38, bottom), colour="hidden", width=2.4)
    for x, y, text, colour in (
        *((x, top, f"c_{{t{{+}}{k}}}" if k else "c_t", "cell") for k, x in enumerate(cs)),
        *((x, bottom, f"h_{{t{{+}}{k}}}" if k else "h_t", "hidden") for k, x in enumerate(hs)),
    ):
        ax.add_patch(Circle((x, y), 0.36, fc=tint(colour, 0.06), ec=COLOURS[colour], lw=1.8, zorder=3))
        write(ax, x, y, f"${text}$", 18.6)
    for k in (0, 1):
        write(ax, cs[k] + 0.62, 1.95, f"$o_{{t{{+}}{k}}}$" if k else "$o_t$", 18.6, ha="left")
        write(ax, hs[k] + 1.2, 1.7, "$f,\\ i,\\ g$", 18.6, ha="left")
    write(ax, (hs[0] + hs[1]) / 2, bottom - 0.25, "$o_{t{+}1}$", 18.6)
    write(ax, 3.75, 3.45, "direct: a product of forget gates", 14, tint("forget", 0.85, "black"), weight="bold")
    write(ax, 3.75, 0.25, "through h: recurrent weights and gate slopes, every step", 14, "hidden", weight="bold")
    return ax


@figure("cell-state-paths", study="cell_state")
def cell_state_paths(study):
    """How a change of the cell state changes a later one: in total, by the forget gates alone, and through h."""
    results, names = study["results"], {"forget gates": "direct", "hidden state": "through_h", "cell (total)": "total"}
    axes = plt.subplots(2, figsize=(7.5, 7.4))[1]
    for ax, bias, n in zip(axes, (1, 5), (5, 7)):  # to lag 20, where little is left, and to lag 100
        runs, root = results["runs"][f"LSTM, bias {bias}"], results["settings"]["H"] ** 0.5
        norms = {label: np.array(runs[part])[:, :n] / root for label, part in names.items()}
        curves = {label: (np.median(norm, 0), norm.min(0), norm.max(0)) for label, norm in norms.items()}
        figures.plot_gradient_by_lag(results["lags"][:n], curves, ax)
        ax.set(title=f"forget bias {bias}", xlabel="lag (time steps)", ylabel="norm (1 at lag 0)")
        ax.set_xticks([1, *results["lags"][2 if n == 5 else 3 : n]])
    return axes
